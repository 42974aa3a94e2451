package main

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/term"

	"levee/server"
)

// migrateCmd moves a database, while no server runs on it.
type migrateCmd struct {
	From    string `help:"SQLite file of the database, or the postgres:// URL of one." required:"" type:"database"`
	To      string `help:"The postgres:// URL of an empty database, or a file to make." required:"" type:"database"`
	Keys    string `help:"File with the server's secrets. By default the old database's name with .keys, or levee.keys for PostgreSQL." env:"LEVEE_KEYS" type:"path"`
	Journal string `help:"File with the server's journal. By default the old database's name with .journal, or for PostgreSQL that of the keys." env:"LEVEE_JOURNAL" type:"path"`
	JSON    bool   `name:"json" help:"Print one JSON object."`
}

// Run migrates.
func (c *migrateCmd) Run(ctx context.Context) error {
	o := server.MigrateOptions{Keys: c.Keys, Journal: c.Journal}
	const wipe = "\r\x1b[K"
	if term.IsTerminal(int(os.Stderr.Fd())) {
		o.Progress = func(table string, done, of uint64) { fmt.Fprintf(os.Stderr, "%s%s %d/%d", wipe, table, done, of) }
	}
	moved, err := server.Migrate(ctx, c.From, c.To, o)
	if o.Progress != nil {
		fmt.Fprint(os.Stderr, wipe)
	}
	if err != nil {
		return err
	}
	return tell(moved, c.JSON)
}
