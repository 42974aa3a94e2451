package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"levee/syncproto/testneed"
)

// Options say what a cluster is like.
type Options struct {
	// Durable has commits wait for the disk, as an operator's do: what is killed keeps them.
	Durable bool
	// Config are more lines of postgresql.conf.
	Config []string
}

// Cluster is a PostgreSQL server in a temporary folder. It is reached through a socket there, as a superuser without a password.
type Cluster struct {
	// Dir has the data in "data", and the socket.
	Dir     string
	bin     string
	as      *syscall.Credential
	running *exec.Cmd
	// held keeps the server up: it ends when this is closed, be it because the process has ended.
	held io.Closer
}

// superuser is the role that a cluster is made with.
const superuser = "levee"

var errMissing = errors.New("there is no PostgreSQL: install Debian's postgresql, or set LEVEE_TEST_POSTGRES")

// NewCluster makes a cluster and starts it. It is gone at the end of the test.
func NewCluster(t testing.TB, o Options) *Cluster {
	t.Helper()
	c, err := start(o)
	if errors.Is(err, errMissing) {
		testneed.Missing(t, "%v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.stop(); _ = os.RemoveAll(c.Dir) })
	return c
}

// URL is that of a database of the cluster.
func (c *Cluster) URL(database string) string {
	return "postgres:///" + database + "?" + url.Values{"host": {c.Dir}, "user": {superuser}}.Encode()
}

func start(o Options) (_ *Cluster, err error) {
	c := &Cluster{}
	if c.bin, err = binaries(); err != nil {
		return nil, err
	}
	if c.as, err = somebody(); err != nil {
		return nil, err
	}
	if c.Dir, err = os.MkdirTemp("", "levee-pg-"); err != nil { // short: a socket's path has 107 bytes
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(c.Dir))
		}
	}()
	if c.as != nil {
		if err := os.Chown(c.Dir, int(c.as.Uid), int(c.as.Gid)); err != nil {
			return nil, err
		}
	}
	if err := c.Run("initdb", "-D", c.data(), "-U", superuser, "-A", "trust", "-E", "UTF8", "--locale=C", "-N"); err != nil {
		return nil, err
	}
	config := []string{"listen_addresses = ''", "unix_socket_directories = '" + c.Dir + "'", "shared_buffers = 32MB"}
	if !o.Durable {
		config = append(config, "fsync = off", "full_page_writes = off")
	}
	f, err := os.OpenFile(filepath.Join(c.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	_, err = f.WriteString("\n" + strings.Join(slices.Concat(config, o.Config), "\n") + "\n")
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	return c, c.Start()
}

func (c *Cluster) data() string { return filepath.Join(c.Dir, "data") }
func (c *Cluster) log() string  { return filepath.Join(c.Dir, "log") }

// upkeep runs a server until nobody holds the other end of its input, and leaves nothing of it.
const upkeep = `"$1" -D "$2/data" </dev/null & server=$!
while read -r line; do :; done
[ ! -e "$2/data/postmaster.pid" ] || kill -QUIT $server 2>/dev/null
wait $server
rm -rf "$2"`

// Start starts the server, after Kill too.
func (c *Cluster) Start() error {
	log, err := os.OpenFile(c.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	c.running = exec.CommandContext(context.Background(), "sh", "-c", upkeep, "sh", filepath.Join(c.bin, "postgres"), c.Dir) //nolint:gosec // what was found on this machine
	c.running.Stdout, c.running.Stderr, c.running.Dir = log, log, c.Dir
	c.running.SysProcAttr = &syscall.SysProcAttr{Credential: c.as, Setpgid: true}
	if c.held, err = c.running.StdinPipe(); err != nil {
		return err
	}
	if err := c.running.Start(); err != nil {
		return err
	}
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		err := c.Run("pg_isready", "-q", "-h", c.Dir, "-U", superuser, "-d", "postgres")
		if err == nil {
			return nil
		}
		if time.Since(began) > 30*time.Second {
			said, _ := os.ReadFile(c.log())
			c.stop()
			return fmt.Errorf("PostgreSQL does not start: %w\n%s", err, said)
		}
	}
}

// Kill ends all of the server's processes at once, with SIGKILL. Start starts it again.
func (c *Cluster) Kill() error {
	pidFile := filepath.Join(c.data(), "postmaster.pid")
	file, err := os.ReadFile(pidFile) //nolint:gosec // in a folder of our own
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(string(file), "\n")
	server, err := strconv.Atoi(first)
	if err != nil {
		return err
	}
	if err := syscall.Kill(server, syscall.SIGSTOP); err != nil { // it makes no more of them
		return err
	}
	killed, err := childrenOf(server)
	if err != nil {
		return err
	}
	// The shell goes first, or it would clear up.
	for _, pid := range slices.Concat([]int{c.running.Process.Pid, server}, killed) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	_ = c.running.Wait()
	_ = c.held.Close()
	c.running = nil
	for _, pid := range append(killed, server) { // the next server is refused while one of them has their memory
		for began := time.Now(); alive(pid); time.Sleep(time.Millisecond) {
			if time.Since(began) > 10*time.Second {
				return fmt.Errorf("process %d was killed and goes on", pid)
			}
		}
	}
	// Where nobody asks for its exit, a process that has ended still has its number, and would pass for one that runs.
	return errors.Join(os.Remove(pidFile), os.Remove(filepath.Join(c.Dir, ".s.PGSQL.5432.lock")))
}

// stat is the state of a process and the number of its parent.
func stat(pid string) (state string, parent int) {
	b, err := os.ReadFile(filepath.Join("/proc", pid, "stat")) //nolint:gosec // of the system
	if err != nil {
		return "", 0
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	fields := strings.Fields(rest)
	parent, _ = strconv.Atoi(fields[1])
	return fields[0], parent
}

func childrenOf(pid int) (all []int, err error) {
	processes, err := os.ReadDir("/proc")
	for _, p := range processes {
		n, nerr := strconv.Atoi(p.Name())
		if _, parent := stat(p.Name()); nerr == nil && parent == pid {
			all = append(all, n)
		}
	}
	return all, err
}

func alive(pid int) bool {
	state, _ := stat(strconv.Itoa(pid))
	return state != "" && state != "Z"
}

// stop ends the server, and waits until it has ended.
func (c *Cluster) stop() {
	if c.running == nil {
		return
	}
	_ = c.held.Close()
	_ = c.running.Wait()
	c.running = nil
}

// Run runs one of PostgreSQL's programs as the owner of the cluster.
func (c *Cluster) Run(program string, args ...string) error {
	run := exec.CommandContext(context.Background(), filepath.Join(c.bin, program), args...) //nolint:gosec // what was found on this machine
	run.Dir, run.SysProcAttr = c.Dir, &syscall.SysProcAttr{Credential: c.as}
	run.Env = append(os.Environ(), "LC_ALL=C")
	if out, err := run.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", program, err, out)
	}
	return nil
}

// binaries is the folder with PostgreSQL's programs: that of the newest version where Debian has them, else the one in PATH.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		version := func(path string) int {
			n, _ := strconv.Atoi(strings.Split(path, "/")[4])
			return n
		}
		newest := slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })
		return filepath.Dir(newest), nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", errMissing
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", err
	}
	return filepath.Dir(path), nil
}

// somebody is a user who may run PostgreSQL, which refuses to run as root; nil where the tests don't run as root.
func somebody() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uerr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gerr := strconv.ParseUint(u.Gid, 10, 32)
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, errors.Join(uerr, gerr)
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is no user postgres or nobody")
}
