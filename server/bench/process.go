package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"
)

// process is leveed, serving in a process of its own, so that its processor time and its memory alone are measured.
type process struct {
	command *exec.Cmd
	url     string
	// log is what it says of errors.
	log string
}

var addressSaid = regexp.MustCompile(`https?://[0-9.:]+`)

// startTime is how long a server may take until it serves, and stopTime until it has stopped.
const (
	startTime = time.Minute
	stopTime  = 20 * time.Second
)

// serve ends the server in this process and lets leveed serve its database, with its defaults.
func (s *scene) serve(ctx context.Context, program string) (*process, error) {
	if err := s.server.Close(); err != nil {
		return nil, err
	}
	s.server = nil
	p := &process{log: filepath.Join(s.dir, "server.log")}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()                                                                                           // the process has it as its own
	p.command = exec.CommandContext(ctx, program, "serve", "--db", filepath.Join(s.dir, "server.db"), "--listen", "127.0.0.1:0") //nolint:gosec // the caller names the program
	p.command.Cancel = func() error { return p.command.Process.Signal(os.Interrupt) }
	p.command.WaitDelay = stopTime
	p.command.Stderr = log
	out, err := p.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	said := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(out).ReadString('\n') // it says first where it listens
		said <- addressSaid.FindString(line)
		_, _ = io.Copy(io.Discard, out)
	}()
	select {
	case p.url = <-said:
	case <-time.After(startTime):
	}
	if p.url == "" {
		return nil, errors.Join(fmt.Errorf("the server does not say where it listens: %s", p.errors()), p.stop())
	}
	return p, nil
}

// errors is the end of what the server says of errors.
func (p *process) errors() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-2000):])
}

// stop has the server stop as an operator does.
func (p *process) stop() error {
	if err := p.command.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	if err := p.command.Wait(); err != nil {
		return fmt.Errorf("the server ended badly: %w: %s", err, p.errors())
	}
	return nil
}

// usage is what a process has used so far.
type usage struct {
	// CPU is its processor time, and Peak the most memory that it had, in MB; 0 where the system does not tell.
	CPU  time.Duration
	Peak float64
}

func (p *process) usage() usage { return usageOf(p.command.Process.Pid) }

// A server rests once it has used no processor time for so long; a machine that is busy with other things must not look like
// that. It is not waited for longer than mostRest.
const (
	restTime = 100 * time.Millisecond
	restFor  = 3
	mostRest = 20 * time.Second
)

// atRest is the processor time that a server has used once it has also done what it does behind its answers, such as sorting
// records in for the pages.
func (p *process) atRest(ctx context.Context) time.Duration {
	used, resting := p.usage().CPU, 0
	for range mostRest / restTime {
		select {
		case <-time.After(restTime):
		case <-ctx.Done():
			return used
		}
		if now := p.usage().CPU; now > used {
			used, resting = now, 0
		} else if resting++; resting == restFor {
			return used
		}
	}
	return used
}
