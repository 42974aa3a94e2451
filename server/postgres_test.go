package server_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"levee/server"
	"levee/server/internal/pgtest"
)

// camp is a deployment that a server makes at its first start.
func camp() *server.SetUp {
	return &server.SetUp{Name: "浚县", Start: "2021-09-23", TimeZone: "Asia/Shanghai", Sites: []server.SetUpSite{{Name: "王庄镇", Code: "410621108"}},
		Teams: []server.SetUpTeam{{Name: "一队", Site: "王庄镇"}}, Workers: []server.SetUpWorker{{Name: "安娜", Team: "一队"}}}
}

// TestAServerOnPostgreSQL: one makes the tables and the deployment, another one goes on with both, and what looks at them works as on a file.
func TestAServerOnPostgreSQL(t *testing.T) {
	ctx := context.Background()
	at, keys := pgtest.Bare(t), filepath.Join(t.TempDir(), "camp.keys")
	var logged bytes.Buffer
	config := server.Config{DB: at, Keys: keys, SetUp: camp(), URL: "http://levee.test", Log: slog.New(slog.NewTextHandler(&logged, nil))}
	first, err := server.New(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	if first.Made == nil || len(first.Made.Enrolments) != 1 {
		t.Fatalf("made %+v", first.Made)
	}
	second, err := server.New(ctx, config) // beside the first
	if err != nil {
		t.Fatal(err)
	}
	if second.Made != nil {
		t.Error("the second server made a deployment too")
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(keys), "camp.journal")); err != nil {
		t.Errorf("the journal does not lie beside the keys: %v", err)
	}
	if equal, out := recount(t, at, false); !equal {
		t.Error(out)
	}
	checked, err := server.Check(ctx, at, server.CheckOptions{Keys: keys})
	if err != nil || !checked.OK || len(checked.Deployments) != 1 {
		t.Errorf("%+v, %v", checked, err)
	}
	if err := errors.Join(first.Close(), second.Close()); err != nil {
		t.Fatal(err)
	}

	for name, try := range map[string]func() error{
		"backup":  func() error { _, err := server.Backup(ctx, at, filepath.Join(t.TempDir(), "b.db"), false); return err },
		"restore": func() error { _, err := server.Restore(ctx, keys, at, server.RestoreOptions{}); return err },
		"serve":   func() error { c := config; c.Backups.Dir = t.TempDir(); _, err := server.New(ctx, c); return err },
	} {
		err := try()
		refused(t, err, server.PostgresBackups)
		if !strings.Contains(err.Error(), "pg_basebackup") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The keys tell that there was somebody.
	config.DB = pgtest.Bare(t)
	_, err = server.New(ctx, config)
	refused(t, err, server.PostgresGone)
	if strings.Contains(logged.String(), at) {
		t.Error("the log has the address")
	}
}

// TestAPasswordIsNeverShown: not by what a server says of a database that it can't reach, nor of one that it does not understand.
func TestAPasswordIsNeverShown(t *testing.T) {
	for _, at := range []string{"postgres://levee:hunter2@127.0.0.1:1/levee?connect_timeout=1", "postgres://levee:hunter2@127.0.0.1:x/levee"} {
		_, newErr := server.New(t.Context(), server.Config{DB: at, Keys: filepath.Join(t.TempDir(), "keys")})
		_, checkErr := server.Check(t.Context(), at, server.CheckOptions{})
		_, recountErr := server.Recount(t.Context(), at, os.Stderr, false)
		_, backupErr := server.Backup(t.Context(), at, filepath.Join(t.TempDir(), "b"), false)
		_, timeErr := server.AcceptTime(t.Context(), at)
		for what, err := range map[string]error{"new": newErr, "check": checkErr, "recount": recountErr, "backup": backupErr, "accept-time": timeErr} {
			if err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
	_, err := server.New(t.Context(), server.Config{DB: "postgres://levee:hunter2@127.0.0.1:1/levee?connect_timeout=1", Keys: filepath.Join(t.TempDir(), "keys")})
	refused(t, err, server.DatabaseAway)
}
