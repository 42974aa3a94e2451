package server_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"levee/server"
)

// The server's clock had run ahead by a day, and is right again: the server says what to do, and does it.
func TestAServerBehindItsLogSaysHowToMendIt(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	db := filepath.Join(dir, "levee.db")
	right := time.Date(2021, 10, 1, 0, 0, 0, 0, time.UTC)
	start := func(now time.Time) error {
		s, err := server.New(ctx, server.Config{DB: db, SetUp: &server.SetUp{Name: "test", Start: "2021-09-23"}, Wall: func() time.Time { return now }})
		if err != nil {
			return err
		}
		return s.Close()
	}
	if err := start(right.AddDate(0, 0, 1)); err != nil {
		t.Fatal(err)
	}
	var refused *server.Refusal
	if err := start(right); !errors.As(err, &refused) || refused.Code != server.ClockBehind {
		t.Fatalf("a day behind: %v", err)
	}
	if accepted, err := server.AcceptTime(ctx, db); err != nil || accepted.Until.Before(right.AddDate(0, 0, 1)) {
		t.Fatalf("accepting it: %+v, %v", accepted, err)
	}
	if err := start(right); err != nil {
		t.Errorf("then: %v", err)
	}
}
