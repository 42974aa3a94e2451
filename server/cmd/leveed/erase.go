package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

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
		var drawn progress
		erased, err := s.EraseDeployment(ctx, server.EraseOptions{Deployment: c.Deployment, Now: c.Now, Name: c.Name, Progress: func(done, of uint64) { drawn.tell(c.DB, done, of) }})
		drawn.end()
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
