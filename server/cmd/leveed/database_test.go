package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/alecthomas/kong"
)

// TestWhereTheDatabaseIs: a file that must be there may be missing where another database is named.
func TestWhereTheDatabaseIs(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	there := filepath.Join(dir, "there.db")
	if err := os.WriteFile(there, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	const url = "postgres://db/levee?host=a,b"
	for _, c := range []struct {
		args, env, want string
	}{
		{args: "--db=" + url, want: url},
		{args: "--db=there.db", want: there},
		{env: url, want: url},
		{env: there, want: there},
		{args: "--db=" + url, env: there, want: url},
		{args: "--db=gone.db"},
		{env: "gone.db"},
		{}, // the default is not there
	} {
		t.Setenv("LEVEE_DB", c.env)
		if c.env == "" {
			if err := os.Unsetenv("LEVEE_DB"); err != nil {
				t.Fatal(err)
			}
		}
		var flags struct {
			DB string `default:"levee.db" env:"LEVEE_DB" type:"existingdatabase"`
		}
		parser, err := kong.New(&flags, databases...)
		if err != nil {
			t.Fatal(err)
		}
		var args []string
		if c.args != "" {
			args = append(args, c.args)
		}
		if _, err := parser.Parse(args); (err == nil) != (c.want != "") || err == nil && flags.DB != c.want {
			t.Errorf("%q, LEVEE_DB=%q: %q, %v; want %q", c.args, c.env, flags.DB, err, c.want)
		}
	}
}
