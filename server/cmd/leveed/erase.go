package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"levee/server"
)

// eraseCmd erases one client, or a closed deployment. It works beside a running server.
type eraseCmd struct {
	DB         string `help:"SQLite file of the database, or the postgres:// URL of one." default:"levee.db" env:"LEVEE_DB" type:"existingdatabase"`
	Keys       string `help:"File with the server's secrets. By default the database's name with .keys, or levee.keys for PostgreSQL." env:"LEVEE_KEYS" type:"path"`
	Journal    string `help:"File with the server's journal. By default the database's name with .journal, or for PostgreSQL that of the keys." env:"LEVEE_JOURNAL" type:"path"`
	Yes        bool   `required:"" help:"Say that it is meant: nothing brings back what is erased."`
	JSON       bool   `name:"json" help:"Print one JSON object."`
	All        bool   `help:"Erase all personal data of a closed deployment, once its day has come."`
	Deployment string `help:"With --all, id of the deployment, where there are several." placeholder:"ID"`
	Now        bool   `help:"With --all, before that day: asks to type the deployment's name."`
	Name       string `help:"With --now, the deployment's name, instead of being asked." placeholder:"NAME"`
	Case       string `arg:"" optional:"" help:"Number or id of the case."`
}

// Validate wants one client or the whole deployment to be named.
func (c *eraseCmd) Validate() error {
	if c.All == (c.Case != "") {
		return errors.New("name a case, or say --all")
	}
	return nil
}

// Run erases.
func (c *eraseCmd) Run(ctx context.Context) error {
	if c.Now && c.Name == "" {
		var err error
		if c.Name, err = typedName(); err != nil {
			return err
		}
	}
	s, err := server.New(ctx, server.Config{DB: c.DB, Keys: c.Keys, Journal: c.Journal})
	if err != nil {
		return err
	}
	if c.All {
		o := server.EraseOptions{Deployment: c.Deployment, Now: c.Now, Name: c.Name}
		if term.IsTerminal(int(os.Stderr.Fd())) {
			bar := progressbar.NewOptions64(-1, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionShowCount(), progressbar.OptionClearOnFinish())
			o.Progress = func(done, of uint64) { // a bar that can't be drawn stops nothing
				bar.ChangeMax64(int64(of)) //nolint:gosec // a count of rows
				_ = bar.Set64(int64(done)) //nolint:gosec // a count of rows
			}
		}
		erased, err := s.EraseDeployment(ctx, o)
		if err := errors.Join(err, s.Close()); err != nil {
			return err
		}
		return tell(erased, c.JSON)
	}
	erased, err := s.Erase(ctx, c.Case)
	if err := errors.Join(err, s.Close()); err != nil {
		return err
	}
	return tell(erased, c.JSON)
}

// typedName asks for the name of the deployment, in a line of its own.
func typedName() (string, error) {
	question := "Type the deployment's name to erase it before its day: "
	if strings.HasPrefix(language(), "zh") {
		question = "要提前清除，请输入行动名称："
	}
	fmt.Fprint(os.Stderr, question)
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if line = strings.TrimSpace(line); line == "" {
		return "", err
	}
	return line, nil
}
