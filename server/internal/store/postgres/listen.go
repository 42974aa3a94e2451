package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
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
		told, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		heard(told.Payload)
	}
}
