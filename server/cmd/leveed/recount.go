package main

import (
	"bufio"
	"context"
	"errors"
	"os"

	"levee/server"
)

// recountCmd counts everything that a database holds again. It works beside a running server.
type recountCmd struct {
	DB   string `help:"SQLite file of the database, or the postgres:// URL of one." default:"levee.db" env:"LEVEE_DB" type:"database"`
	JSON bool   `name:"json" help:"Print one JSON object."`
}

// Run prints each total beside its recount, and fails if anything differs.
func (c *recountCmd) Run(ctx context.Context) error {
	out := bufio.NewWriter(os.Stdout)
	equal, err := server.Recount(ctx, c.DB, out, c.JSON)
	if err := errors.Join(err, out.Flush()); err != nil {
		return err
	}
	if !equal {
		return failure{1}
	}
	return nil
}
