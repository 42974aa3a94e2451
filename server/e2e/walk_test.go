// Package e2e tests real processes.
package e2e

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// process is a program of the walk that goes on while others run.
type process struct {
	command *exec.Cmd
	out     *bytes.Buffer
	read    chan struct{}
}

// walk carries out the commands of the README, as they are written there.
type walk struct {
	t    *testing.T
	dir  string // holds bin/ and walk/, as a clone would
	addr string
	// codes are what the first start printed, token what leveed token did.
	codes  []string
	token  string
	env    []string // what was exported
	server *process
}

var (
	codePattern  = regexp.MustCompile(`levee1\.[A-Za-z0-9_-]+`)
	tokenPattern = regexp.MustCompile(`^TOKEN=\$\((.*)\)$`)
	urlPattern   = regexp.MustCompile(`'(http[^']+)'`)
)

// readme is the walk's commands, block by block, with continued lines joined and comments cut off.
func readme(t *testing.T) [][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(text), "## A walk with two tablets\n")
	if !ok {
		t.Fatal("the README has no walk")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var blocks [][]string
	for i, part := range strings.Split(section, "```") {
		if i%2 == 0 {
			continue
		}
		part = strings.ReplaceAll(strings.TrimPrefix(part, "sh\n"), "\\\n", " ")
		var commands []string
		for line := range strings.Lines(part) {
			line, _, _ = strings.Cut(line, "   #")
			if line = strings.TrimSpace(line); line != "" {
				commands = append(commands, line)
			}
		}
		blocks = append(blocks, commands)
	}
	return blocks
}

// run carries out one command and gives what it printed.
func (w *walk) run(line string) string {
	w.t.Helper()
	if strings.Contains(line, "levee1.…") {
		line = strings.Replace(line, "levee1.…", w.codes[0], 1)
		w.codes = w.codes[1:]
	}
	if assigned := tokenPattern.FindStringSubmatch(line); assigned != nil {
		w.token = strings.TrimSpace(w.command(w.dir, strings.Fields(assigned[1])...))
		return ""
	}
	words := strings.Fields(line)
	switch {
	case words[0] == "go":
		words = []string{"go", "build", "-o", filepath.Join(w.dir, "bin") + "/", "levee/server/cmd/leveed", "levee/clientlib/cmd/levee"}
		return w.command(".", words...)
	case words[0] == "export":
		w.env = append(w.env, words[1])
		return ""
	case words[0] == "curl":
		return w.get(line)
	case words[1] == "serve":
		w.server = w.start(words)
		return ""
	default:
		return w.command(w.dir, words...)
	}
}

func (w *walk) command(dir string, words ...string) string {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, words[0], words[1:]...)
	c.Dir, c.Env = dir, append(append(os.Environ(), "LC_ALL=en"), w.env...)
	out, err := c.CombinedOutput()
	if err != nil {
		w.t.Fatalf("%s: %v\n%s", strings.Join(words, " "), err, out)
	}
	return string(out)
}

// get is what the curl of the walk does.
func (w *walk) get(line string) string {
	w.t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, strings.Replace(urlPattern.FindStringSubmatch(line)[1], "127.0.0.1:8410", w.addr, 1), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+w.token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		w.t.Fatalf("%s: %d %v\n%s", line, response.StatusCode, err, body)
	}
	return string(body)
}

// start starts a server and returns once it has said where it listens and all it has to say.
func (w *walk) start(words []string) *process {
	w.t.Helper()
	p := &process{command: exec.Command(words[0], words[1:]...), out: &bytes.Buffer{}, read: make(chan struct{})}
	p.command.Dir, p.command.Env = w.dir, append(os.Environ(), "LC_ALL=en", "LEVEE_LISTEN="+w.addr)
	p.command.Stderr = os.Stderr
	out, err := p.command.StdoutPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = p.command.Process.Kill() })
	ready := make(chan bool, 1)
	go func() {
		defer close(p.read)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			fmt.Fprintln(p.out, lines.Text())
			if strings.HasPrefix(lines.Text(), "For another code:") {
				ready <- true
			}
		}
		ready <- false
	}()
	select {
	case ok := <-ready:
		if !ok {
			w.t.Fatalf("the server did not start:\n%s", p.out)
		}
	case <-time.After(time.Minute):
		w.t.Fatal("the server did not say that it listens")
	}
	if codes := codePattern.FindAllString(p.out.String(), -1); len(codes) > 0 {
		w.codes = codes
	}
	return p
}

// stop is Ctrl-C: the server must end by itself, and well.
func (w *walk) stop() {
	w.t.Helper()
	if err := w.server.command.Process.Signal(os.Interrupt); err != nil {
		w.t.Fatal(err)
	}
	<-w.server.read
	if err := w.server.command.Wait(); err != nil {
		w.t.Fatalf("the server did not stop well: %v", err)
	}
}

func TestTheWalkOfTheREADMEWorksAsWritten(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &walk{t: t, dir: t.TempDir(), addr: listener.Addr().String()}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	blocks := readme(t)
	if len(blocks) != 4 {
		t.Fatalf("the walk has %d blocks", len(blocks))
	}
	said := map[string]string{}
	for i, block := range blocks {
		if i == 2 {
			w.stop()
		}
		for _, line := range block {
			said[line] = w.run(line)
		}
	}
	w.stop()
	for line, want := range map[string]string{
		"bin/levee --store walk/a.db status":        `1 unsent`,
		"bin/levee --store walk/b.db list outreach": `(?m)^[0-9a-f]{8}\s.*outreach`,
	} {
		if got, ok := said[line]; !ok || !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%s: no %s in\n%s", line, want, got)
		}
	}
	if totals := said[blocks[3][len(blocks[3])-1]]; !strings.Contains(totals, `"outreach_rounds":1`) || !strings.Contains(totals, `"outstanding":0`) {
		t.Errorf("the totals lack the visit: %s", totals)
	}
}
