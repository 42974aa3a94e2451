package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/google/uuid"

	"levee/server"
	"levee/server/internal/qr"
)

// codeCmd makes one enrolment code. It works beside a running server.
type codeCmd struct {
	DB         string `help:"SQLite file of the database, or the postgres:// URL of one." default:"levee.db" env:"LEVEE_DB" type:"existingdatabase"`
	Keys       string `help:"File with the server's secrets. By default the database's name with .keys, or levee.keys for PostgreSQL." env:"LEVEE_KEYS" type:"path"`
	Journal    string `help:"File with the server's journal. By default the database's name with .journal, or for PostgreSQL that of the keys." env:"LEVEE_JOURNAL" type:"path"`
	URL        string `help:"Where tablets reach the server." default:"http://127.0.0.1:8410" env:"LEVEE_URL"`
	SelfSigned bool   `help:"The server signs its certificate itself: the code carries its pin." env:"LEVEE_SELF_SIGNED"`
	Replaces   string `help:"Id of the tablet whose place the new one takes: it is revoked when the code is used." placeholder:"DEVICE"`
	Worker     string `arg:"" help:"Name of the worker."`
}

// Run makes the code.
func (c *codeCmd) Run(ctx context.Context) error {
	var replaces uuid.UUID
	if c.Replaces != "" {
		var err error
		if replaces, err = uuid.Parse(c.Replaces); err != nil {
			return fmt.Errorf("--replaces: %w", err)
		}
	}
	s, err := server.New(ctx, server.Config{DB: c.DB, Keys: c.Keys, Journal: c.Journal, URL: c.URL, TLS: server.TLS{SelfSigned: c.SelfSigned}})
	if err != nil {
		return err
	}
	e, err := s.NewEnrolment(ctx, c.Worker, replaces)
	if err == nil {
		err = showCode(os.Stdout, e)
	}
	return errors.Join(err, s.Close())
}

// codeWords are what stands beside a code.
type codeWords struct{ scan, copied, typed string }

var codesSay = map[bool]codeWords{
	false: {"Scan this with the tablet, or copy the code. It lets one tablet in, within 14 days:\n\n", "\n  levee enrol %s\n", "\nOr type:\n\n  levee enrol %s %s\n"},
	true:  {"用平板扫描下面的二维码，或复制登记码。可供一台平板使用，14 天内有效：\n\n", "\n  levee enrol %s\n", "\n也可以手工输入：\n\n  levee enrol %s %s\n"},
}

// showCode prints a code in the three ways in which it gets to a tablet.
func showCode(w io.Writer, e server.Enrolment) error {
	say := codesSay[strings.HasPrefix(language(), "zh")]
	picture, err := qr.Terminal(e.Code)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, say.scan+picture+fmt.Sprintf(say.copied, e.Code)+fmt.Sprintf(say.typed, e.Address, e.Typed))
	return err
}
