package clientlib_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
)

// A call that logs costs a durable commit and what it takes to read, check and encode; the floor is the commit alone.
func BenchmarkLog(b *testing.B) {
	b.Run("record", func(b *testing.B) {
		tab := enrolled(b, newServer(b), "li-wei")
		theCase, err := tab.LogCase(b.Context(), aCase("WZ-001"))
		tab.must(err)
		for b.Loop() {
			if _, err := tab.LogCaseSession(b.Context(), aSession(theCase)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("floor", func(b *testing.B) {
		db, err := sql.Open("sqlite", filepath.Join(b.TempDir(), "floor.db")+"?_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = db.Close() })
		db.SetMaxOpenConns(1)
		if _, err := db.ExecContext(b.Context(), `CREATE TABLE t (id INTEGER PRIMARY KEY, body BLOB NOT NULL)`); err != nil {
			b.Fatal(err)
		}
		body := make([]byte, 400)
		for b.Loop() {
			if _, err := db.ExecContext(b.Context(), `INSERT INTO t (body) VALUES ($1)`, body); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkSync(b *testing.B) {
	for _, n := range []int{1, 400} {
		b.Run(fmt.Sprint(n, " changes"), func(b *testing.B) {
			tab := enrolled(b, newServer(b), "li-wei")
			for b.Loop() {
				b.StopTimer()
				for i := range n {
					_, err := tab.LogCommunityActivity(b.Context(), activity(fmt.Sprint(i)))
					tab.must(err)
				}
				b.StartTimer()
				tab.sync()
			}
		})
	}
}
