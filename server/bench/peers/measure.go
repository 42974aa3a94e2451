package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// peer is a system that is measured beside Levee.
type peer interface {
	name() string
	// again is whether the same may be sent a second time.
	again() bool
	// server is the command of its server with an empty database in dir. The server prints one line when it is ready: its URL, a
	// space, and what it has synced to disk when it answers.
	server(ctx context.Context, dir string) (*exec.Cmd, error)
	// setUp makes what the devices need before the first can sign in.
	setUp(ctx context.Context, c *client, day []*device) error
	// signIn makes a device ready to send.
	signIn(ctx context.Context, c *client, d *device) (session, error)
}

// session is a device at a server.
type session interface {
	// push returns when all records are acknowledged.
	push(ctx context.Context, records []record) error
	// pull gives the records of team mates that came since the last pull.
	pull(ctx context.Context, got func(record) error) error
	// count is how many records of the team the server has.
	count(ctx context.Context) (int, error)
}

// result is what one system did, named as leveed bench names it. 0 is for what was not measured.
type result struct {
	Name string `json:"name"`
	// Synced is what is on disk, whatever happens to the machine, when the server answers.
	Synced string `json:"synced"`
	// Records a second, all devices together.
	Push float64 `json:"push_per_s"`
	Pull float64 `json:"pull_per_s"`
	// All of it sent a second time: records a second, and how many of them that makes team mates pull again.
	Again float64 `json:"again_per_s"`
	Moved float64 `json:"again_moved"`
	// Bytes a record that went over the connections, headers and all: sent to push, answered to that, and answered to a pull.
	BytesUp    float64 `json:"bytes_up"`
	PushAnswer float64 `json:"push_answer_bytes"`
	BytesDown  float64 `json:"bytes_down"`
	// The server's processor time a record pushed and pulled, in µs, and the most memory that it had.
	CPUPush float64 `json:"cpu_us_per_change"`
	CPUPull float64 `json:"cpu_us_per_record"`
	Peak    float64 `json:"peak_rss_mb"`
}

func (r *result) figures() []*float64 {
	return []*float64{&r.Push, &r.Pull, &r.Again, &r.Moved, &r.BytesUp, &r.PushAnswer, &r.BytesDown, &r.CPUPush, &r.CPUPull, &r.Peak}
}

// measure lets the devices do their field day at a new server of a peer, and checks that everything is there afterwards.
func measure(ctx context.Context, p peer, day []*device) (_ result, err error) {
	dir, err := os.MkdirTemp("", "levee-peers-")
	if err != nil {
		return result{}, fmt.Errorf("making a place for a database: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	command, err := p.server(ctx, dir)
	if err != nil {
		return result{}, err
	}
	s, err := start(command)
	if err != nil {
		return result{}, err
	}
	defer s.stop()
	c := newClient(s.url)
	if err := p.setUp(ctx, c, day); err != nil {
		return result{}, fmt.Errorf("setting up: %w", err)
	}
	sessions := make([]session, len(day))
	if err := each(ctx, day, func(ctx context.Context, d *device) (err error) {
		sessions[d.number], err = p.signIn(ctx, c, d)
		return err
	}); err != nil {
		return result{}, fmt.Errorf("signing in: %w", err)
	}
	push := func(ctx context.Context, d *device) error { return sessions[d.number].push(ctx, d.records) }

	up, err := s.phase(c, func() error { return each(ctx, day, push) })
	if err != nil {
		return result{}, fmt.Errorf("uploading: %w", err)
	}
	var got []int
	down, err := s.phase(c, func() error { got, err = download(ctx, day, sessions); return err })
	if err != nil {
		return result{}, fmt.Errorf("downloading: %w", err)
	}
	for i, n := range got {
		if n != pulled/devices {
			return result{}, fmt.Errorf("device %d pulled %d records, not %d", i, n, pulled/devices)
		}
	}
	var again, moved float64
	if p.again() {
		second, err := s.phase(c, func() error { return each(ctx, day, push) })
		if err != nil {
			return result{}, fmt.Errorf("sending again: %w", err)
		}
		again = all / second.seconds
		if got, err = download(ctx, day, sessions); err != nil {
			return result{}, fmt.Errorf("downloading after all was sent again: %w", err)
		}
		for _, n := range got {
			moved += float64(n) / (devicesPerTeam - 1)
		}
	}
	peak, err := s.peakMB()
	if err != nil {
		return result{}, err
	}
	if err := complete(ctx, day, sessions); err != nil {
		return result{}, err
	}
	return result{Name: p.name(), Synced: s.synced,
		Push: all / up.seconds, Pull: pulled / down.seconds, Again: again, Moved: moved,
		BytesUp: up.sent / all, PushAnswer: up.received / all, BytesDown: down.received / pulled,
		CPUPush: up.cpu * 1e6 / all, CPUPull: down.cpu * 1e6 / pulled, Peak: peak}, nil
}

// download lets every device pull, and says how many records of team mates each got. None may come twice, be of another team, or
// differ from what was sent.
func download(ctx context.Context, day []*device, sessions []session) ([]int, error) {
	sent := map[string]fields{}
	for _, d := range day {
		for _, r := range d.records {
			sent[r.ID] = r.fields
		}
	}
	got := make([]int, len(day))
	err := each(ctx, day, func(ctx context.Context, d *device) error {
		seen := make(map[string]bool, pulled/devices)
		err := sessions[d.number].pull(ctx, func(r record) error {
			if seen[r.ID] || r.Team != d.team || r.Worker == d.worker || r.fields != sent[r.ID] {
				return fmt.Errorf("the record %s should not have come like that: %+v", r.ID, r)
			}
			seen[r.ID] = true
			return nil
		})
		got[d.number] = len(seen)
		return err
	})
	return got, err
}

// complete checks that each team's records are all there, once.
func complete(ctx context.Context, day []*device, sessions []session) error {
	for i := 0; i < len(day); i += devicesPerTeam {
		n, err := sessions[i].count(ctx)
		if err != nil {
			return fmt.Errorf("counting: %w", err)
		}
		if n != devicesPerTeam*perDevice {
			return fmt.Errorf("the server has %d records of a team, not %d", n, devicesPerTeam*perDevice)
		}
	}
	return nil
}

// server is a running process.
type server struct {
	command     *exec.Cmd
	url, synced string
}

func start(command *exec.Cmd) (*server, error) {
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting a server: %w", err)
	}
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("starting a server: %w", err)
	}
	s := &server{command: command}
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	if err != nil {
		s.stop()
		return nil, fmt.Errorf("waiting for a server to be ready: %w", err)
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }() // what else it says must not block it
	s.url, s.synced, _ = strings.Cut(strings.TrimSpace(line), " ")
	return s, nil
}

// stop ends the server at once: nothing of it is needed any more.
func (s *server) stop() {
	_ = s.command.Process.Kill() // it may have ended by itself
	_ = s.command.Wait()         // killed
}

// phase is what something cost.
type phase struct {
	seconds, cpu, sent, received float64
}

func (s *server) phase(c *client, do func() error) (phase, error) {
	cpu, err := s.cpu()
	if err != nil {
		return phase{}, err
	}
	sent, received, began := c.sent.Load(), c.received.Load(), time.Now()
	if err := do(); err != nil {
		return phase{}, err
	}
	p := phase{seconds: time.Since(began).Seconds(), sent: float64(c.sent.Load() - sent), received: float64(c.received.Load() - received)}
	after, err := s.cpu()
	p.cpu = after - cpu
	return p, err
}

// cpu is how many seconds of processor time the server has used.
func (s *server) cpu() (float64, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.command.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("measuring processor time (this needs Linux): %w", err)
	}
	// After the name, which may hold anything, come the 3rd field and the others; the 14th and 15th are times, in hundredths.
	var ticks float64
	for _, field := range bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])[11:13] {
		n, err := strconv.ParseFloat(string(field), 64)
		if err != nil {
			return 0, fmt.Errorf("measuring processor time: %w", err)
		}
		ticks += n
	}
	return ticks / 100, nil
}

var highWater = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// peakMB is the most memory that the server had.
func (s *server) peakMB() (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.command.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("measuring memory (this needs Linux): %w", err)
	}
	m := highWater.FindSubmatch(status)
	if m == nil {
		return 0, errors.New("the system does not say how much memory the server had")
	}
	kB, err := strconv.ParseFloat(string(m[1]), 64)
	return kB * 1024 / 1e6, err
}

// client speaks JSON with a server, and counts what goes over its connections.
type client struct {
	url            string
	http           *http.Client
	sent, received atomic.Int64
}

func newClient(url string) *client {
	c := &client{url: url}
	c.http = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: atOnce,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			return &counted{conn, c}, err
		}}}
	return c
}

type counted struct {
	net.Conn
	client *client
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.client.received.Add(int64(n))
	return n, err
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.client.sent.Add(int64(n))
	return n, err
}

// call sends a body, if there is one, and reads the answer into another. Any answer but 2xx is an error.
func (c *client) call(ctx context.Context, method, path, token string, body, answer any) error {
	var sent io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("encoding a request: %w", err)
		}
		sent = bytes.NewReader(encoded)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.url+path, sent)
	if err != nil {
		return fmt.Errorf("making a request: %w", err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", token)
	}
	a, err := c.http.Do(r)
	if err != nil {
		return fmt.Errorf("asking a server: %w", err)
	}
	defer func() { _ = a.Body.Close() }() // all that matters was read
	text, err := io.ReadAll(a.Body)
	if err != nil {
		return fmt.Errorf("reading an answer: %w", err)
	}
	if a.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s: %.500s", method, r.URL.Path, a.Status, text)
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return fmt.Errorf("decoding an answer: %w", err)
	}
	return nil
}
