package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"levee/server/internal/database"
	"levee/server/internal/store"
)

// AcceptedTime is what AcceptTime did.
type AcceptedTime struct {
	DB database.At `json:"db"`
	// Until is the newest time of a change in the database; zero when no deployment was ahead of the clock before.
	Until time.Time `json:"until"`
}

// Print writes what was done, for people: Chinese for a tag "zh…", else English.
func (a *AcceptedTime) Print(w io.Writer, lang string) error {
	text := "Changes up to %s are taken as they are. The server starts again.\n"
	if len(lang) >= 2 && lang[:2] == "zh" {
		text = "%s 以前的更改按原样接受。服务器可以启动了。\n"
	}
	_, err := fmt.Fprintf(w, text, a.Until.Format(time.RFC3339))
	return err
}

// AcceptTime mends a database whose newest changes were made by a clock that ran ahead: what has such a stamp stays, and
// what comes after it is taken too, though its stamp may lie in the future. The server must be stopped.
func AcceptTime(ctx context.Context, path string) (accepted *AcceptedTime, err error) {
	at := database.At(path)
	held, err := at.Hold(ctx, true)
	if errors.Is(err, store.ErrHeld) {
		return nil, refuse(DatabaseInUse, nil, at)
	}
	if err != nil {
		return nil, refusedAt(at, err)
	}
	defer func() { err = errors.Join(err, held.Close()) }()
	db, err := at.Open(ctx)
	if err != nil {
		return nil, refusedAt(at, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	ids, err := db.Deployments(ctx)
	if err != nil {
		return nil, err
	}
	accepted = &AcceptedTime{DB: at}
	for _, id := range ids {
		until, err := db.Deployment(id).AcceptTime(ctx)
		if err != nil {
			return nil, err
		}
		if t := until.Wall(); t.After(accepted.Until) {
			accepted.Until = t
		}
	}
	return accepted, nil
}
