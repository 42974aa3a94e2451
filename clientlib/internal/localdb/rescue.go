package localdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"

	"levee/syncproto/hlc"
	"levee/syncproto/record"
)

// Salvage is what could be read of a damaged file: who the tablet is and what it wrote. What the server has comes from
// there again. Tablet is nil where not even that could be read.
type Salvage struct {
	Tablet  *Tablet
	Changes []OwnChange // each once, in the order in which they were made
	Journal [][]byte
	Returns []Return
	// Forms are what was not logged yet, each once; LoggedForms what must not be logged again.
	Forms       []Form
	LoggedForms []LoggedForm
	// Bases are the encoded bases of records with own changes, to compare what deletes saw.
	Bases map[hlc.ID][]byte
}

// Healthy reports whether the whole of a file can be read.
func Healthy(ctx context.Context, path string) (bool, error) {
	pool, err := sql.Open("sqlite", dsn(path, "mode=ro&_pragma=busy_timeout(10000)&_pragma=query_only(1)"))
	if err != nil {
		return false, fmt.Errorf("opening %s: %w", path, err)
	}
	defer func() { _ = pool.Close() }()
	var found string
	err = classify(pool.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&found))
	if errors.Is(err, ErrDamaged) || (err == nil && found != "ok") {
		return false, nil
	}
	return err == nil, err
}

// OpenDamaged is Unseal for a file that is damaged. Where there is no key beside it, and nothing says that it was ever sealed,
// an older program made it: then what is not sealed can be read, and isNew says that there is no key yet.
func OpenDamaged(ctx context.Context, path string, o Options) (u *Unsealer, isNew bool, err error) {
	sealed := false
	pool, err := salvagePool(path)
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = pool.Close() }()
	err = transact(ctx, pool, &sql.TxOptions{ReadOnly: true}, nil, func(tx *Tx) error {
		proof, _, err := tx.sealed()
		sealed = err == nil && proof != nil
		return nil // what can't be read says nothing
	})
	if errors.Is(err, ErrBusy) || ctx.Err() != nil {
		return nil, false, err
	}
	u, err = Unseal(path, o)
	switch {
	case errors.Is(err, ErrKeyMissing) && !sealed:
		if !o.Key.strong() {
			return nil, false, o.Key.unfit()
		}
		return &Unsealer{plain()}, true, nil
	case err == nil && !sealed:
		u.seal.plainToo = true
	}
	return u, false, err
}

// MakeKey makes a key for a file that has none.
func MakeKey(path string, o Options) (*Unsealer, error) {
	data, err := newKeyFile(path, o.Key, entropyOr(o.Entropy))
	if err != nil {
		return nil, err
	}
	seal, err := newSealer(data, o.Entropy)
	return &Unsealer{seal}, err
}

func salvagePool(path string) (*sql.DB, error) {
	// With writable_schema, which writes nothing here, SQLite reads a file that is shorter than it should be.
	pool, err := sql.Open("sqlite", dsn(path, "mode=ro&_pragma=busy_timeout(10000)&_pragma=query_only(1)&_pragma=writable_schema(1)"))
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	pool.SetMaxOpenConns(1)
	return pool, nil
}

// Read reads what it can of a damaged file, and writes nothing to it. What it has from elsewhere stays, where the file
// does not have it.
func (s *Salvage) Read(ctx context.Context, path string, u *Unsealer) error {
	pool, err := salvagePool(path)
	if err != nil {
		return err
	}
	defer func() { _ = pool.Close() }()
	// Each table by itself: damage in one says nothing of another.
	look := func(f func(*Tx) error) error {
		err := transact(ctx, pool, &sql.TxOptions{ReadOnly: true}, u.seal, f)
		if errors.Is(err, ErrBusy) || ctx.Err() != nil {
			return err
		}
		return nil
	}
	return errors.Join(
		look(func(tx *Tx) error {
			t, err := tx.Tablet()
			if err == nil && (s.Tablet == nil || t.Sequence > s.Tablet.Sequence || t.Acknowledged > s.Tablet.Acknowledged) {
				s.Tablet = t
			}
			return nil
		}),
		look(func(tx *Tx) error {
			changes, forms := u.seal.carve(path)
			s.addChanges(tx.salvageChanges(changes))
			s.addForms(tx.salvageForms(forms))
			return nil
		}),
		look(func(tx *Tx) error {
			if journal, err := tx.Journal(); err == nil {
				s.Journal = journal
			}
			return nil
		}),
		look(func(tx *Tx) error {
			if logged, err := tx.LoggedForms(); err == nil {
				s.LoggedForms = logged
			}
			return nil
		}),
		look(func(tx *Tx) error {
			returns, _, err := tx.ToGive(math.MaxInt32, math.MaxInt32)
			if err == nil && len(returns) > 0 {
				s.Returns = returns
			}
			return nil
		}),
		look(func(tx *Tx) error {
			for _, c := range s.Changes {
				r, err := tx.load(c.Record, 0)
				if err == nil && len(r.base) > 0 {
					s.Bases[c.Record] = record.EncodeState(r.base)
				}
			}
			return nil
		}))
}

// addChanges takes over changes that are not here yet.
func (s *Salvage) addChanges(found []OwnChange) {
	has := map[hlc.ID]bool{}
	for _, c := range s.Changes {
		has[c.ID] = true
	}
	for _, c := range found {
		if !has[c.ID] {
			s.Changes = append(s.Changes, c)
		}
	}
}

// addForms takes over forms that are not here yet, or that were saved since.
func (s *Salvage) addForms(found []Form) {
	for _, f := range found {
		at := slices.IndexFunc(s.Forms, func(here Form) bool { return here.ID == f.ID })
		switch {
		case at < 0:
			s.Forms = append(s.Forms, f)
		case f.Saved.After(s.Forms[at].Saved):
			s.Forms[at] = f
		}
	}
}

// salvageForms are the forms that can be read: up to the damage from both ends, and what was carved out of the pages.
func (tx *Tx) salvageForms(carved []Form) []Form {
	var found []Form
	for _, order := range []string{`ORDER BY rowid`, `ORDER BY rowid DESC`} {
		err := tx.each(func(r row) error {
			f, err := scanForm(r)
			if err != nil {
				return err
			}
			if f, err = tx.seal.openForm(f); err == nil {
				found = append(found, f)
			}
			return nil // the next may be sound
		}, selectForms+`NOT INDEXED `+order)
		if err == nil {
			break
		}
	}
	return append(found, carved...)
}

// salvageChanges are the own changes that can be read: from the oldest on until the damage, from the newest back until
// the damage, of those between one by one, and what SQLite does not find any more as it was carved out of the pages.
func (tx *Tx) salvageChanges(carved map[int64]OwnChange) []OwnChange {
	found, ids := map[int64]OwnChange{}, map[hlc.ID]bool{}
	read := func(query string, args ...any) (last int64, err error) {
		err = tx.each(func(r row) error {
			var at int64
			var c OwnChange
			if err := r.Scan(&at, &c.Replica, &c.Sequence, id{&c.ID}, id{&c.Record}, &c.Body, &c.Held, &c.Known); err != nil {
				return err
			}
			last = at
			if c, ok := tx.seal.sound(c); ok {
				found[at], ids[c.ID] = c, true
			}
			return nil
		}, `SELECT rowid, replica, sequence, id, record, body, held, known FROM changes NOT INDEXED `+query, args...)
		return last, err
	}
	first, err := read(`ORDER BY rowid`)
	if err != nil {
		last, err := read(`ORDER BY rowid DESC`)
		if err != nil || last == 0 {
			last = max(last, first+mostMissing)
		}
		for at := first + 1; at < last; at++ {
			_, _ = read(`WHERE rowid = $1`, at) // what can't be read is lost; the next may be there
		}
	}
	for at, c := range carved {
		if _, ok := found[at]; !ok && !ids[c.ID] {
			found[at] = c
		}
	}
	changes := make([]OwnChange, 0, len(found))
	for _, at := range slices.Sorted(maps.Keys(found)) {
		changes = append(changes, found[at])
	}
	return changes
}

// sound opens a change, and reports whether it is what its row says.
func (s *sealer) sound(c OwnChange) (OwnChange, bool) {
	body, err := s.open(changeBody, c.ID[:], c.Body)
	if err != nil {
		return c, false
	}
	c.Body = body
	decoded, err := record.DecodeChange(c.Body, c.Replica)
	return c, err == nil && decoded.ID == c.ID && decoded.Record == c.Record
}

// mostMissing is how many changes are looked for behind damage whose end can't be found.
const mostMissing = 20_000

// Rebuild makes a new file for the tablet of a salvage, under a new replica number, which follows from nonce: what was
// not known to be acknowledged is in the outbox again, everything else comes from the server. It says how many changes
// are in the outbox.
func Rebuild(ctx context.Context, path string, s *Salvage, nonce uint64, u *Unsealer) (queued int, err error) {
	for _, part := range []string{"", "-wal", "-shm"} { // of an earlier try that was interrupted
		if err := os.Remove(path + part); err != nil && !errors.Is(err, os.ErrNotExist) {
			return 0, fmt.Errorf("making the new file: %w", err)
		}
	}
	seal := &sealer{entropy: u.seal.entropy} // which takes nothing that is not sealed
	seal.keys.Store(u.seal.keys.Load())
	db, err := open(ctx, path, Options{}, seal)
	if err != nil {
		return 0, err
	}
	err = db.Write(ctx, func(tx *Tx) error {
		queued, err = tx.fill(s, nonce)
		return err
	})
	return queued, errors.Join(err, db.Close())
}

// fill makes an empty file that of the tablet.
func (tx *Tx) fill(s *Salvage, nonce uint64) (queued int, err error) {
	t := *s.Tablet
	t.Cursor, t.Recheck = Mark{}, Mark{}
	if len(s.Journal) == 0 {
		t.Journal = Mark{}
	}
	if err := tx.SetTablet(&t); err != nil {
		return 0, err
	}
	for _, c := range s.Changes {
		sealed, err := tx.seal.seal(changeBody, c.ID[:], c.Body)
		if err != nil {
			return 0, err
		}
		err = tx.exec(`INSERT INTO changes (replica, sequence, id, record, body, held, known, late) VALUES ($1, $2, $3, $4, $5, $6, $7, $6 = $8)`,
			int64(c.Replica), c.Sequence, c.ID[:], c.Record[:], sealed, c.Held, c.Known, record.CodeDeploymentClosed) //nolint:gosec // the same bits, signed
		if err != nil {
			return 0, fmt.Errorf("storing change %d: %w", c.Sequence, err)
		}
	}
	for _, r := range s.Returns {
		if err := tx.insertReturn(r); err != nil {
			return 0, fmt.Errorf("storing what is to be given back: %w", err)
		}
	}
	for _, f := range s.Forms {
		if err := tx.SaveForm(f); err != nil {
			return 0, err
		}
	}
	for _, f := range s.LoggedForms { // a form whose row was still found in an old page goes
		if err := tx.LogForm(f); err != nil {
			return 0, err
		}
	}
	// Now that what was found is here: the damaged file may have had remains of what was erased.
	if _, err := tx.KeepJournal(&t, s.Journal, t.Journal, true); err != nil {
		return 0, err
	}
	all, err := tx.allChanges(`1`)
	if err != nil {
		return 0, err
	}
	for _, o := range all {
		t.Time = max(t.Time, o.change.Stamp.Time)
	}
	keep, err := tx.changes(&t, `sequence > $1`, t.Acknowledged)
	if err != nil {
		return 0, err
	}
	once := 0
	before := map[hlc.ID]record.Registers{}
	for _, o := range keep {
		if o.sequence <= t.Accepted {
			once++
		}
		if before[o.change.Record], err = record.DecodeState(s.Bases[o.change.Record]); err != nil {
			before[o.change.Record] = nil // then a delete may seem not to have seen all; it is told as a conflict
		}
	}
	if err := tx.renumber(&t, keep, 0, once, before, nonce); err != nil {
		return 0, err
	}
	for _, o := range keep {
		r, err := tx.load(o.change.Record, o.change.Kind)
		if err != nil {
			return 0, err
		}
		if err := tx.refresh(&t, r); err != nil {
			return 0, err
		}
	}
	return len(keep), tx.Save(&t)
}
