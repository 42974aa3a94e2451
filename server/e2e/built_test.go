package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// programs is where leveed and levee are built to, once for all tests.
var programs struct {
	once sync.Once
	dir  string
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if programs.dir != "" {
		_ = os.RemoveAll(programs.dir)
	}
	os.Exit(code)
}

// program is the path of a built program.
func program(t *testing.T, name string) string {
	t.Helper()
	programs.once.Do(func() {
		if programs.dir, programs.err = os.MkdirTemp("", "levee-e2e-"); programs.err != nil { //nolint:usetesting // it outlives the test that builds first
			return
		}
		out, err := exec.Command("go", "build", "-o", programs.dir+"/", "levee/server/cmd/leveed", "levee/clientlib/cmd/levee").CombinedOutput()
		if err != nil {
			programs.err = fmt.Errorf("%w\n%s", err, out)
		}
	})
	if programs.err != nil {
		t.Fatal(programs.err)
	}
	return filepath.Join(programs.dir, name)
}

// given are the ports that were given away: a test may ask for another before it listens on its first.
var given sync.Map

// freeAddress is one that nobody listens on, on a loopback address that nothing but these tests uses: whatever else runs here takes
// 127.0.0.1 for its ports.
func freeAddress(t *testing.T) string {
	t.Helper()
	for {
		l, err := net.Listen("tcp", "127.0.0.2:0")
		if err != nil {
			t.Fatal(err)
		}
		address := l.Addr().String()
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if _, again := given.LoadOrStore(address, true); !again {
			return address
		}
	}
}

// served is a leveed that runs.
type served struct {
	command *exec.Cmd
	// said is what it printed at its start.
	said string
	errs *bytes.Buffer
	// ended is closed when it has ended, with err as how.
	ended chan struct{}
	err   error
}

// serve starts a leveed. ready is closed once it listens; it never is if it ends before.
func serve(t *testing.T, env []string, args ...string) (p *served, ready chan struct{}) {
	t.Helper()
	command := exec.Command(program(t, "leveed"), append([]string{"serve"}, args...)...)
	command.Env = append(append(os.Environ(), "LC_ALL=en"), env...)
	return watch(t, command)
}

// watch starts a leveed that serves, by whatever command.
func watch(t *testing.T, command *exec.Cmd) (p *served, ready chan struct{}) {
	t.Helper()
	p = &served{command: command, errs: &bytes.Buffer{}, ended: make(chan struct{})}
	p.command.Stderr = p.errs
	out, err := p.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.command.Process.Kill()
		<-p.ended
		if t.Failed() {
			t.Logf("of the server:\n%s", p.complaints())
		}
	})
	ready = make(chan struct{})
	go func() {
		defer close(p.ended)
		lines := bufio.NewScanner(out)
		for said := ""; lines.Scan(); {
			said += lines.Text() + "\n"
			if strings.HasPrefix(lines.Text(), "For another code:") {
				p.said = said
				close(ready)
			}
		}
		p.err = p.command.Wait()
	}()
	return p, ready
}

// complaints are the lines of its log that are not about requests which went well.
func (p *served) complaints() string {
	var lines strings.Builder
	for line := range strings.Lines(p.errs.String()) {
		if !strings.Contains(line, "level=INFO") {
			lines.WriteString(line)
		}
	}
	return lines.String()
}

// up starts a leveed and returns once it listens.
func up(t *testing.T, env []string, args ...string) *served {
	t.Helper()
	p, ready := serve(t, env, args...)
	select {
	case <-ready:
	case <-p.ended:
		t.Fatalf("the server did not start: %v\n%s", p.err, p.errs)
	case <-time.After(time.Minute):
		t.Fatal("the server does not say that it listens")
	}
	return p
}

// terminate asks it to stop, which it must do by itself, and well.
func (p *served) terminate(t *testing.T) {
	t.Helper()
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-p.ended
	if p.err != nil {
		t.Errorf("the server did not stop well: %v\n%s", p.err, p.errs)
	}
}
