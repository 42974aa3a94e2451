package main

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"os"

	"levee/server"
)

// backupCmd copies a database. It works beside a running server.
type backupCmd struct {
	DB    string `help:"SQLite file of the database." default:"levee.db" env:"LEVEE_DB" type:"database"`
	Force bool   `help:"Overwrite a file that is there."`
	JSON  bool   `name:"json" help:"Print one JSON object."`
	File  string `arg:"" help:"File to make." type:"path"`
}

// Run makes the backup.
func (c *backupCmd) Run(ctx context.Context) error {
	backed, err := server.Backup(ctx, c.DB, c.File, c.Force)
	if err != nil {
		return err
	}
	return tell(backed, c.JSON)
}

// restoreCmd puts a backup in a database's place, while no server runs on it.
type restoreCmd struct {
	DB      string `help:"SQLite file of the database." default:"levee.db" env:"LEVEE_DB" type:"database"`
	Keys    string `help:"File with the server's secrets. By default the database's name with .keys, or levee.keys for PostgreSQL." env:"LEVEE_KEYS" type:"path"`
	Journal string `help:"File with the server's journal. By default the database's name with .journal, or for PostgreSQL that of the keys." env:"LEVEE_JOURNAL" type:"path"`
	JSON    bool   `name:"json" help:"Print one JSON object."`
	File    string `arg:"" help:"The backup." type:"path"`
}

// Run restores.
func (c *restoreCmd) Run(ctx context.Context) error {
	restored, err := server.Restore(ctx, c.File, c.DB, server.RestoreOptions{Keys: c.Keys, Journal: c.Journal})
	if err != nil {
		return err
	}
	return tell(restored, c.JSON)
}

// checkCmd looks through all that a server keeps. It works beside a running server.
type checkCmd struct {
	DB      string `help:"SQLite file of the database, or the postgres:// URL of one." default:"levee.db" env:"LEVEE_DB" type:"database"`
	Keys    string `help:"File with the server's secrets. By default the database's name with .keys, or levee.keys for PostgreSQL." env:"LEVEE_KEYS" type:"path"`
	Journal string `help:"File with the server's journal. By default the database's name with .journal, or for PostgreSQL that of the keys." env:"LEVEE_JOURNAL" type:"path"`
	JSON    bool   `name:"json" help:"Print one JSON object."`
}

// Run checks, and fails if anything is wrong.
func (c *checkCmd) Run(ctx context.Context) error {
	checked, err := server.Check(ctx, c.DB, server.CheckOptions{Keys: c.Keys, Journal: c.Journal})
	if err != nil {
		return err
	}
	if err := tell(checked, c.JSON); err != nil {
		return err
	}
	if !checked.OK {
		return failure{1}
	}
	return nil
}

// acceptTimeCmd mends a database that was written by a clock that ran ahead.
type acceptTimeCmd struct {
	DB   string `help:"SQLite file of the database, or the postgres:// URL of one." default:"levee.db" env:"LEVEE_DB" type:"database"`
	JSON bool   `name:"json" help:"Print one JSON object."`
}

// Run accepts the time.
func (c *acceptTimeCmd) Run(ctx context.Context) error {
	accepted, err := server.AcceptTime(ctx, c.DB)
	if err != nil {
		return err
	}
	return tell(accepted, c.JSON)
}

// tell prints what a command did, for people in their language or as one JSON object.
func tell(what interface {
	Print(w io.Writer, lang string) error
}, asJSON bool) error {
	return tellIn(what, "", asJSON)
}

// tellIn does so in a language; in that of the environment when it is empty.
func tellIn(what interface {
	Print(w io.Writer, lang string) error
}, lang string, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(what)
	}
	return what.Print(os.Stdout, cmp.Or(lang, language()))
}
