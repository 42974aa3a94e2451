package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/alecthomas/kong"
)

// The database that a command is given must be there, and no other: not the one that it would take by default.
func TestADatabaseThatIsGivenMustBeThere(t *testing.T) {
	t.Chdir(t.TempDir())
	there := filepath.Join(t.TempDir(), "server.db")
	if err := os.WriteFile(there, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for given, want := range map[string]string{there: there, "postgres://db.example/levee": "postgres://db.example/levee", "none.db": "", "": ""} {
		var c struct {
			Look struct {
				DB string `default:"levee.db" type:"existingdatabase"`
			} `cmd:""`
			Other struct {
				DB string `default:"levee.db" type:"existingdatabase"`
			} `cmd:""`
		}
		parser, err := kong.New(&c, databases...)
		if err != nil {
			t.Fatal(err)
		}
		args := []string{"look"}
		if given != "" {
			args = append(args, "--db", given)
		}
		_, err = parser.Parse(args)
		if (err == nil) != (want != "") || c.Look.DB != want && want != "" {
			t.Errorf("given %q: %q, %v", given, c.Look.DB, err)
		}
	}
}
