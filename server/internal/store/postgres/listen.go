package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// channel is the one on which servers tell each other what they have changed.
const channel = "levee"

// How long after a connection was lost it is tried again: each time twice as long as the one before.
const (
	firstPause = 100 * time.Millisecond
	maxPause   = 10 * time.Second
)

// listener listens with a connection of its own.
func listener(config pgx.ConnConfig) func(ctx context.Context, heard func(string), missed func(error)) {
	return func(ctx context.Context, heard func(string), missed func(error)) {
		pause := firstPause
		for ctx.Err() == nil {
			err := listen(ctx, config, heard, func() {
				pause = firstPause
				missed(nil) // from here on nothing is, but something was told before
			})
			if ctx.Err() != nil {
				return
			}
			missed(err)
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				return
			}
			pause = min(2*pause, maxPause)
		}
	}
}

// listen listens for as long as its connection holds.
func listen(ctx context.Context, config pgx.ConnConfig, heard func(string), listening func()) (err error) {
	conn, err := pgx.ConnectConfig(ctx, &config)
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		err = errors.Join(err, conn.Close(closing))
	}()
	if _, err := conn.Exec(ctx, `LISTEN `+channel); err != nil {
		return err
	}
	listening()
	for {
		told, err := waitFor(ctx, conn)
		if err != nil {
			return err
		}
		if told != nil {
			heard(told.Payload)
		}
	}
}

// How long nothing is heard before the server is asked whether it is there, and how long it may take to say so: of one whose machine
// is gone nothing comes, not even an end.
const (
	quiet  = 20 * time.Second
	answer = 10 * time.Second
)

// waitFor waits for what is told next; nil when nothing was for a while.
func waitFor(ctx context.Context, conn *pgx.Conn) (*pgconn.Notification, error) {
	waiting, cancel := context.WithTimeout(ctx, quiet)
	defer cancel()
	told, err := conn.WaitForNotification(waiting)
	if err == nil || ctx.Err() != nil || waiting.Err() == nil {
		return told, err
	}
	asking, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	return nil, conn.Ping(asking)
}
