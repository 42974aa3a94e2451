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
	Forms   []Form
	// LoggedForms are the newest ones.
	LoggedForms []LoggedForm
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

// Unsealer opens values of a file, for those who look into it.
type Unsealer struct{ seal *sealer }

// Unseal opens the data key that lies beside a file. It writes nothing but the count of wrong keys.
func Unseal(path string, o Options) (*Unsealer, error) {
	k, err := readKeyFile(path)
	if errors.Is(err, errNoKeyFile) {
		err = ErrKeyMissing
	}
	if err != nil {
		return nil, err
	}
	data, err := k.unlock(path, o.Key, o.now())
	if err != nil {
		return nil, err
	}
	seal, err := newSealer(data, o.Entropy)
	return &Unsealer{seal}, err
}

// ChangeBody opens the body of an own change.
func (u *Unsealer) ChangeBody(change hlc.ID, sealed []byte) ([]byte, error) {
	return u.seal.open(changeBody, change[:], sealed)
}

// Seal and Open are for what is kept beside a file.
func (u *Unsealer) Seal(value []byte) ([]byte, error) { return u.seal.seal(salvageFile, nil, value) }

// Open opens what Seal sealed.
func (u *Unsealer) Open(sealed []byte) ([]byte, error) { return u.seal.open(salvageFile, nil, sealed) }

// Inspect reads a whole file on one snapshot, and writes nothing.
func (u *Unsealer) Inspect(ctx context.Context, path string) (c *Contents, err error) {
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
	err = transact(ctx, pool, &sql.TxOptions{ReadOnly: true}, u.seal, func(tx *Tx) error { return tx.contents(c) })
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
		if err := r.Scan(id{&one.ID}, &one.Kind, &one.Position, &one.Base, &one.View, &one.Sent, &one.Proof, &one.Dropped); err != nil {
			return err
		}
		var errs [3]error
		one.Base, errs[0] = tx.seal.open(recordBase, one.ID[:], one.Base)
		one.View, errs[1] = tx.seal.open(recordView, one.ID[:], one.View)
		one.Sent, errs[2] = tx.seal.open(recordSent, one.ID[:], one.Sent)
		err := errors.Join(errs[:]...)
		c.Records = append(c.Records, one)
		return err
	}, `SELECT id, kind, position, base, view, sent, proof, dropped FROM records ORDER BY id`)
	if err != nil {
		return fmt.Errorf("reading records: %w", err)
	}
	err = tx.each(func(r row) error {
		var one Returned
		err := tx.scanReturn(r, &one.Return, &one.Given)
		c.Returns = append(c.Returns, one)
		return err
	}, `SELECT record, kind, state, proof, given FROM returns ORDER BY record, proof`)
	if err != nil {
		return fmt.Errorf("reading what is given back: %w", err)
	}
	if c.Marks, err = tx.Marks(); err != nil {
		return err
	}
	if c.Journal, err = tx.Journal(); err != nil {
		return err
	}
	if c.Forms, err = tx.Forms(); err != nil {
		return err
	}
	c.LoggedForms, err = tx.LoggedForms()
	return err
}

// ownChanges are all own changes, in the order in which they were made.
func (tx *Tx) ownChanges() ([]OwnChange, error) {
	var found []OwnChange
	err := tx.each(func(r row) error {
		var one OwnChange
		var sealed []byte
		if err := r.Scan(&one.Replica, &one.Sequence, id{&one.ID}, id{&one.Record}, &sealed, &one.Held, &one.Known); err != nil {
			return err
		}
		var err error
		one.Body, err = tx.seal.open(changeBody, one.ID[:], sealed)
		found = append(found, one)
		return err
	}, `SELECT replica, sequence, id, record, body, held, known FROM changes ORDER BY rowid`)
	if err != nil {
		return nil, fmt.Errorf("reading changes: %w", err)
	}
	return found, nil
}
