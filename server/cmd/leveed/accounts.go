package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"levee/server"
	"levee/syncproto/problem"
)

// files are what a command opens that works beside a running server.
type files struct {
	DB      string `help:"SQLite file of the database, or the postgres:// URL of one." default:"levee.db" env:"LEVEE_DB" type:"existingdatabase"`
	Keys    string `help:"File with the server's secrets. By default the database's name with .keys, or levee.keys for PostgreSQL." env:"LEVEE_KEYS" type:"path"`
	Journal string `help:"File with the server's journal. By default the database's name with .journal, or for PostgreSQL that of the keys." env:"LEVEE_JOURNAL" type:"path"`
}

// with opens the files for as long as fn takes.
func (f *files) with(ctx context.Context, url string, fn func(*server.Server) error) error {
	s, err := server.New(ctx, server.Config{DB: f.DB, Keys: f.Keys, Journal: f.Journal, URL: url})
	if err != nil {
		return err
	}
	return errors.Join(fn(s), s.Close())
}

// explained is an error in the reader's language, where it has one.
func explained(err error) error {
	var p *problem.Problem
	if !errors.As(err, &p) {
		return err
	}
	text := problem.Message(p.Code, language())
	if p.Detail != "" {
		text += " (" + p.Detail + ")"
	}
	return errors.New(text)
}

// tokenCmd makes an API token. It is shown this once.
type tokenCmd struct {
	files
	Scope  []string `help:"What it may be used for: read, confidential, decide, manage. With commas between them." default:"read" enum:"read,confidential,decide,manage"`
	Days   int      `help:"How many days it holds, 366 at most." default:"30"`
	Worker string   `arg:"" help:"Name of the worker as whom it acts: it may what they may, within its scopes."`
}

// Run makes the token.
func (c *tokenCmd) Run(ctx context.Context) error {
	return c.with(ctx, "", func(s *server.Server) error {
		token, err := s.NewToken(ctx, c.Worker, c.Scope, time.Duration(c.Days)*24*time.Hour)
		if err != nil {
			return explained(err)
		}
		_, err = fmt.Println(token)
		return err
	})
}

// resetCmd makes a reset link.
type resetCmd struct {
	files
	URL   string `help:"Where people reach the server." default:"http://127.0.0.1:8410" env:"LEVEE_URL"`
	Login string `arg:"" help:"Login of the account."`
}

// Run makes the link.
func (c *resetCmd) Run(ctx context.Context) error {
	return c.with(ctx, c.URL, func(s *server.Server) error {
		link, err := s.ResetLink(ctx, c.Login)
		if err != nil {
			return explained(err)
		}
		_, err = fmt.Println(link)
		return err
	})
}

// rotateKeysCmd rotates the keys of sessions.
type rotateKeysCmd struct{ files }

var rotated = map[bool]string{
	false: "Sessions are signed with the key %s from now on. Older keys that are still good: %d. Run this again after %s to be rid of them.\n",
	true:  "网页登录从现在起用密钥 %s 签名。仍然有效的旧密钥：%d 个；%s 之后再次运行即可清除。\n",
}

// Run rotates.
func (c *rotateKeysCmd) Run(ctx context.Context) error {
	return c.with(ctx, "", func(s *server.Server) error {
		r, err := s.RotateKeys(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(os.Stdout, rotated[strings.HasPrefix(language(), "zh")], r.Key, r.Kept, r.Until.Local().Format(time.DateTime))
		return nil
	})
}
