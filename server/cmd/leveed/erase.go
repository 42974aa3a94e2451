package main

import (
	"context"
	"errors"

	"levee/server"
)

// eraseCmd erases one client. It works beside a running server.
type eraseCmd struct {
	DB      string `help:"SQLite file of the database." default:"levee.db" env:"LEVEE_DB" type:"existingfile"`
	Keys    string `help:"File with the server's secrets. By default the database's name with .keys." env:"LEVEE_KEYS" type:"path"`
	Journal string `help:"File with the server's journal. By default the database's name with .journal." env:"LEVEE_JOURNAL" type:"path"`
	Yes     bool   `required:"" help:"Say that it is meant: nothing brings back what is erased."`
	JSON    bool   `name:"json" help:"Print one JSON object."`
	Case    string `arg:"" help:"Number or id of the case."`
}

// Run erases.
func (c *eraseCmd) Run(ctx context.Context) error {
	s, err := server.New(ctx, server.Config{DB: c.DB, Keys: c.Keys, Journal: c.Journal})
	if err != nil {
		return err
	}
	erased, err := s.Erase(ctx, c.Case)
	if err := errors.Join(err, s.Close()); err != nil {
		return err
	}
	return tell(erased, c.JSON)
}
