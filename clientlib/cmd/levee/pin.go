package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"levee/clientlib"
	"levee/syncproto/words"
)

// prompter asks whoever sits at the terminal for something that is not shown.
type prompter func(ctx context.Context, prompt string) (string, error)

// terminalPrompter asks on the terminal; nil where there is none.
func terminalPrompter(in *os.File, out io.Writer) prompter {
	if !term.IsTerminal(int(in.Fd())) {
		return nil
	}
	return func(ctx context.Context, prompt string) (string, error) {
		before, err := term.GetState(int(in.Fd()))
		if err != nil {
			return "", fmt.Errorf("asking for the PIN: %w", err)
		}
		fmt.Fprint(out, prompt)
		defer fmt.Fprintln(out)
		type answer struct {
			text []byte
			err  error
		}
		answers := make(chan answer, 1)
		go func() {
			text, err := term.ReadPassword(int(in.Fd()))
			answers <- answer{text, err}
		}()
		select {
		case a := <-answers:
			return string(a.text), a.err
		case <-ctx.Done(): // the terminal must show again what is typed
			return "", errors.Join(ctx.Err(), term.Restore(int(in.Fd()), before))
		}
	}
}

// pinSource is where a PIN is taken from: a file, the environment, or who sits at the terminal. It is never on the command
// line, which other programs see.
type pinSource struct {
	file, variable string
}

// ask asks for a PIN; one that is to be set is asked for twice.
func (s *session) ask(from pinSource, first, again words.Message, twice bool) (clientlib.Key, error) {
	if from.file != "" {
		content, err := os.ReadFile(filepath.Clean(from.file))
		if err != nil {
			return clientlib.Key{}, s.fail("no_pin_file", pinFileFails, err.Error())
		}
		line, _, _ := strings.Cut(string(content), "\n")
		return clientlib.PIN(strings.TrimSuffix(line, "\r")), nil
	}
	if pin := s.env(from.variable); pin != "" {
		return clientlib.PIN(pin), nil
	}
	if s.prompt == nil {
		return clientlib.Key{}, nil // and the store says that it needs one
	}
	pin, err := s.prompt(s.ctx, s.Say(first))
	if err != nil || !twice {
		return clientlib.PIN(pin), err
	}
	repeated, err := s.prompt(s.ctx, s.Say(again))
	if err == nil && repeated != pin {
		err = s.fail("pins_differ", pinsDiffer)
	}
	return clientlib.PIN(pin), err
}

// key is what opens the file: a first one is asked for twice.
func (s *session) key(g *grammar) (clientlib.Key, error) {
	from := pinSource{g.PINFile, "LEVEE_PIN"}
	if clientlib.HasKey(g.Store) {
		return s.ask(from, askPIN, askPIN, false)
	}
	return s.ask(from, askNewPIN, askAgain, true)
}

// pinCmd changes the PIN.
type pinCmd struct {
	NewPINFile string `name:"new-pin-file" env:"LEVEE_NEW_PIN_FILE" placeholder:"${word_file}" help:"${new_pin_flag}"`
}

// Run changes it.
func (c *pinCmd) Run(s *session) error {
	next, err := s.ask(pinSource{c.NewPINFile, "LEVEE_NEW_PIN"}, askNewPIN, askAgain, true)
	if err != nil {
		return err
	}
	if err := s.store.ChangeKey(s.ctx, s.opened, next); err != nil {
		return err
	}
	return s.answer(struct {
		Changed bool `json:"changed"`
	}{true}, func() { s.line(pinChanged) })
}

// profilesCmd lists whose files there are.
type profilesCmd struct{}

// profileJSON is a profile, as JSON has it.
type profileJSON struct {
	Name       string `json:"name"`
	File       string `json:"file"`
	Worker     string `json:"worker"`
	Deployment string `json:"deployment"`
	Code       string `json:"code,omitempty"`
}

// profiles runs without a store: to choose a file none has to be open.
func (s *session) profiles(folder string) error {
	found, err := clientlib.Profiles(folder)
	if err != nil {
		return err
	}
	list := []profileJSON{}
	var rows [][]string
	for _, p := range found {
		list = append(list, profileJSON{p.Name, p.Path, p.Worker, p.Deployment, p.Code})
		state := ""
		switch p.Code {
		case "":
		case clientlib.CodeKeyMissing:
			state = s.Say(profileWithoutKey)
		default:
			state = clientlib.Message(&clientlib.Error{Code: p.Code}, s.Lang())
		}
		rows = append(rows, []string{p.Name, p.Worker, p.Deployment, state})
	}
	return s.answer(map[string]any{"profiles": list}, func() {
		if len(rows) == 0 {
			s.line(noProfiles)
			return
		}
		s.rows(rows)
	})
}
