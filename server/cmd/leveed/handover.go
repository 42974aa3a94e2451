package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"levee/server"
)

// handOverCmd seals the files of cases. It works beside a running server.
type handOverCmd struct {
	DB             string   `help:"SQLite file of the database, or the postgres:// URL of one." default:"levee.db" env:"LEVEE_DB" type:"existingdatabase"`
	To             string   `help:"Public key of the receiving station (age1…), which alone opens the file then." placeholder:"KEY" xor:"to" required:""`
	PassphraseFile string   `help:"File with a passphrase that opens the file, in its first line." type:"existingfile" xor:"to" required:""`
	Case           []string `help:"Number or id of a case; may be repeated." placeholder:"NO" sep:"none" xor:"cases" required:""`
	All            bool     `help:"Every case." xor:"cases" required:""`
	Out            string   `help:"The file to make. Nothing is written over." required:"" type:"path" placeholder:"FILE"`
	Deployment     string   `help:"Id of the deployment, where there are several." placeholder:"ID"`
	JSON           bool     `name:"json" help:"Print one JSON object."`
}

// Run seals.
func (c *handOverCmd) Run(ctx context.Context) error {
	o := server.HandOverOptions{Deployment: c.Deployment, Cases: c.Case, All: c.All, Key: c.To, Out: c.Out}
	var err error
	if o.Passphrase, err = passphraseIn(c.PassphraseFile); err != nil {
		return err
	}
	made, err := server.HandOver(ctx, c.DB, o)
	if err != nil {
		return err
	}
	return tell(made, c.JSON)
}

// openHandOverCmd opens what the other seals, wherever its receiver is.
type openHandOverCmd struct {
	Identity       string `help:"File with the private key, as age-keygen makes it." type:"existingfile" xor:"with" required:""`
	PassphraseFile string `help:"File with the passphrase, in its first line." type:"existingfile" xor:"with" required:""`
	Out            string `help:"The folder to make. Nothing is written over." required:"" type:"path" placeholder:"FOLDER"`
	JSON           bool   `name:"json" help:"Print one JSON object."`
	File           string `arg:"" help:"The sealed file." type:"existingfile"`
}

// Run opens.
func (c *openHandOverCmd) Run() error {
	o := server.OpenOptions{Keys: c.Identity, Out: c.Out}
	var err error
	if o.Passphrase, err = passphraseIn(c.PassphraseFile); err != nil {
		return err
	}
	opened, err := server.OpenHandOver(c.File, o)
	if err != nil {
		return err
	}
	return tell(opened, c.JSON)
}

// passphraseIn is the first line of a file; empty when none is named.
func passphraseIn(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	text, err := os.ReadFile(path) //nolint:gosec // whoever runs it names the file
	if err != nil {
		return "", fmt.Errorf("the passphrase: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	if line = strings.TrimSuffix(line, "\r"); line == "" {
		return "", errors.New("the file of the passphrase is empty")
	}
	return line, nil
}
