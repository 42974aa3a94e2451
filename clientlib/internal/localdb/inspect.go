package localdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"levee/migrations"
	"levee/syncproto/hlc"
	"levee/syncproto/record"
)

// Contents are what a tablet's file holds, for those who look into it.
type Contents struct {
	Tablet  *Tablet
	Changes []OwnChange
	Records []BaseRecord
	Returns []Returned
	Marks   []Mark
	Journal [][]byte
}

// OwnChange is an own change, under whatever replica number.
type OwnChange struct {
	Replica  hlc.Replica
	Sequence uint64
	ID       hlc.ID
	Record   hlc.ID
	Body     []byte
	Held     string
	Known    bool
}

// BaseRecord is a record with what the server has of it.
type BaseRecord struct {
	ID       hlc.ID
	Kind     record.Kind
	Position uint64
	Base     []byte
	View     []byte
	Sent     []byte
	Proof    []byte
	Dropped  bool
}

// Returned is a Return, with the end of the log of the server that took it; 0 while none has.
type Returned struct {
	Return
	Given uint64
}

// Inspect reads a whole file on one snapshot, and writes nothing.
func Inspect(ctx context.Context, path string) (c *Contents, err error) {
	pool, err := sql.Open("sqlite", dsn(path, "mode=ro&_pragma=busy_timeout(10000)&_pragma=query_only(1)"))
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	pool.SetMaxOpenConns(1)
	defer func() { err = errors.Join(err, classify(pool.Close())) }()
	if err := migrations.Check(ctx, pool, migrations.Client); err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, classify(err))
	}
	c = &Contents{}
	err = transact(ctx, pool, &sql.TxOptions{ReadOnly: true}, func(tx *Tx) error { return tx.contents(c) })
	return c, err
}

func (tx *Tx) contents(c *Contents) error {
	var err error
	if c.Tablet, err = tx.Tablet(); err != nil {
		return err
	}
	if c.Changes, err = tx.ownChanges(); err != nil {
		return err
	}
	err = tx.each(func(r row) error {
		var one BaseRecord
		err := r.Scan(id{&one.ID}, &one.Kind, &one.Position, &one.Base, &one.View, &one.Sent, &one.Proof, &one.Dropped)
		c.Records = append(c.Records, one)
		return err
	}, `SELECT id, kind, position, base, view, sent, proof, dropped FROM records ORDER BY id`)
	if err != nil {
		return fmt.Errorf("reading records: %w", err)
	}
	err = tx.each(func(r row) error {
		var one Returned
		err := r.Scan(id{&one.Record}, &one.Kind, &one.State, &one.Proof, &one.Given)
		c.Returns = append(c.Returns, one)
		return err
	}, `SELECT record, kind, state, proof, given FROM returns ORDER BY record, proof`)
	if err != nil {
		return fmt.Errorf("reading what is given back: %w", err)
	}
	if c.Marks, err = tx.Marks(); err != nil {
		return err
	}
	c.Journal, err = tx.Journal()
	return err
}

// ownChanges are all own changes, in the order in which they were made.
func (tx *Tx) ownChanges() ([]OwnChange, error) {
	var found []OwnChange
	err := tx.each(func(r row) error {
		var one OwnChange
		err := r.Scan(&one.Replica, &one.Sequence, id{&one.ID}, id{&one.Record}, &one.Body, &one.Held, &one.Known)
		found = append(found, one)
		return err
	}, `SELECT replica, sequence, id, record, body, held, known FROM changes ORDER BY rowid`)
	if err != nil {
		return nil, fmt.Errorf("reading changes: %w", err)
	}
	return found, nil
}
