package demo_test

import (
	"io"
	"os"
	"testing"

	"levee/server"
	"levee/server/demo"
	"levee/server/internal/pgtest"
)

// TestTheTotalsAreThePublishedOnesOnPostgreSQL: the same replay, with the server's database there, up to the archive.
func TestTheTotalsAreThePublishedOnesOnPostgreSQL(t *testing.T) {
	at := pgtest.Bare(t)
	d, err := demo.Start(t.Context(), demo.Options{Network: "rough", DB: at, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	if _, err := d.Replay(t.Context()); err != nil {
		t.Fatal(err)
	}
	if equal, err := server.Recount(t.Context(), at, os.Stderr, false); err != nil || !equal {
		t.Errorf("recount: %v, %v", equal, err)
	}
	closed, err := d.CloseOut(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if found, err := server.VerifyFile(t.Context(), closed.Archive, ""); err != nil || !found.OK {
		t.Errorf("the archive: %+v, %v", found, err)
	}
	if _, err := demo.Start(t.Context(), demo.Options{Network: "good", DB: at, Dir: t.TempDir()}); err == nil {
		t.Error("a second demo played into the first one's database")
	}
}

// TestTwoServersEndWithThePublishedTotals: each request of the twelve tablets goes to one of two servers on one database, at random.
func TestTwoServersEndWithThePublishedTotals(t *testing.T) {
	at := pgtest.Bare(t)
	d, err := demo.Start(t.Context(), demo.Options{Network: "rough", DB: at, Servers: 2, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	result, err := d.Replay(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if equal, err := server.Recount(t.Context(), at, io.Discard, false); err != nil || !equal {
		t.Errorf("recount: %v, %v", equal, err)
	}
	if result.Published != result.Reference || result.Outstanding != 0 || result.Held != 0 {
		t.Errorf("the result is %+v", result)
	}
}
