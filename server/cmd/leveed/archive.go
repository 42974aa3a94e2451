package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"

	"levee/server"
)

// archiveCmd writes the archive of a closed deployment. It works beside a running server.
type archiveCmd struct {
	DB         string `help:"SQLite file of the database, or the postgres:// URL of one." default:"levee.db" env:"LEVEE_DB" type:"database"`
	Keys       string `help:"File with the server's secrets. By default the database's name with .keys, or levee.keys for PostgreSQL." env:"LEVEE_KEYS" type:"path"`
	Deployment string `help:"Id of the deployment, where there are several." placeholder:"ID"`
	JSON       bool   `name:"json" help:"Print one JSON object."`
	File       string `arg:"" help:"File to make; one that is there is replaced." type:"path"`
}

// Run archives.
func (c *archiveCmd) Run(ctx context.Context) error {
	var drawn progress
	made, err := server.Archive(ctx, c.DB, c.File, server.ArchiveOptions{Keys: c.Keys, Deployment: c.Deployment, Progress: drawn.tellStep})
	drawn.end()
	if err != nil {
		return err
	}
	return tell(made, c.JSON)
}

// verifyCmd verifies a certificate or an archive, without a server or a network.
type verifyCmd struct {
	Key  string `help:"Fingerprint of the key that must have signed it, as it stands on the report." placeholder:"FINGERPRINT"`
	Lang string `help:"Language: zh or en. By default the one of the environment." enum:"zh,en," default:""`
	JSON bool   `name:"json" help:"Print one JSON object."`
	File string `arg:"" help:"Certificate or archive." type:"existingfile"`
}

// Run verifies, and fails if anything does not hold.
func (c *verifyCmd) Run(ctx context.Context) error {
	found, err := server.VerifyFile(ctx, c.File, c.Key)
	if err != nil {
		return err
	}
	if err := tellIn(found, c.Lang, c.JSON); err != nil {
		return err
	}
	if !found.OK {
		return failure{1}
	}
	return nil
}

// openArchiveCmd shows an archive in a browser.
type openArchiveCmd struct {
	Listen string `help:"Address to listen on; no other machine may reach it." default:"127.0.0.1:0"`
	File   string `arg:"" help:"Archive." type:"existingfile"`
}

// Run verifies the archive and serves its pages.
func (c *openArchiveCmd) Run(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	if err := (server.TLS{}).Check(listener.Addr()); err != nil {
		return errors.Join(err, listener.Close())
	}
	a, err := server.OpenArchive(ctx, c.File, server.URLOf(listener), language(), slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	if err := a.Welcome(os.Stdout, language()); err != nil {
		return errors.Join(err, listener.Close(), a.Close())
	}
	return errors.Join(a.Serve(ctx, listener), a.Close())
}
