package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"levee/clientlib/tabletui"
)

// openCmd serves the tablet's pages on loopback, and opens the browser on them.
type openCmd struct {
	NoBrowser bool `name:"no-browser" help:"${no_browser_flag}"`
	Port      int  `default:"0" placeholder:"${word_number}" help:"${port_flag}"`
}

// open serves the pages until it is told to stop. It runs without a store: who works is chosen on the pages.
func (s *session) open(c *openCmd, g *grammar, a around, chosen bool) (err error) {
	config := tabletui.Config{
		Folder: filepath.Dir(g.Store), Options: a.options, Log: slog.New(slog.NewTextHandler(a.err, nil)),
	}
	if chosen {
		config.Profile = strings.TrimSuffix(filepath.Base(g.Store), filepath.Ext(g.Store))
	}
	config.Language = languageAsked(a.args)
	pages, err := tabletui.New(config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pages.Close()) }()
	listener, err := (&net.ListenConfig{}).Listen(s.ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(c.Port)))
	if err != nil {
		return s.fail("no_port", portFails, err.Error())
	}
	link, err := pages.Link(listener)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	if err := s.announce(a.out, link); err != nil {
		return errors.Join(err, listener.Close())
	}
	if !c.NoBrowser {
		if err := browse(link); err != nil {
			fmt.Fprintln(a.err, s.Say(noBrowser))
		}
	}
	return pages.Serve(s.ctx, listener)
}

// announce prints the link at once: whoever starts this program waits for it.
func (s *session) announce(out io.Writer, link string) error {
	if err := s.answer(struct {
		Link string `json:"link"`
	}{link}, func() { s.line(opensAt, link) }); err != nil {
		return err
	}
	_, err := s.out.WriteTo(out)
	return err
}

// browsers open an address in the browser that somebody uses, by the system; on Android in Termux.
var browsers = map[string][]string{
	"android": {"termux-open-url"},
	"darwin":  {"open"},
	"linux":   {"xdg-open"},
	"windows": {"rundll32", "url.dll,FileProtocolHandler"},
}

// browse opens the link. Others on this machine may see it in the list of processes for a moment; it works once, and what
// is behind it asks for the PIN.
func browse(link string) error {
	with, ok := browsers[runtime.GOOS]
	if !ok {
		return errors.ErrUnsupported
	}
	browser := exec.Command(with[0], append(with[1:len(with):len(with)], link)...) //nolint:gosec,noctx // one of the programs above, and an address of our own; it goes on after us
	if err := browser.Start(); err != nil {
		return err
	}
	return browser.Process.Release()
}
