package localdb

import (
	"errors"
	"fmt"

	"levee/syncproto/hlc"
	"levee/syncproto/record"
)

// Return is a record that a server which lost history gets back, as it once proved it.
type Return struct {
	Record hlc.ID
	Kind   record.Kind
	State  []byte
	Proof  []byte
}

// LoseHistory says that the server's log is no longer the one that the tablet saw behind common, the newest mark of both:
// everything that was seen behind it is to be given back, whoever wrote it, and is pulled again from there.
func (tx *Tx) LoseHistory(t *Tablet, common Mark) error {
	for _, step := range []string{
		`DELETE FROM marks WHERE position > $1`,
		// What this server took before it was set back it has lost again.
		`UPDATE returns SET given = 0 WHERE given > $1`,
	} {
		if err := tx.exec(step, common.Position); err != nil {
			return fmt.Errorf("going back to position %d: %w", common.Position, err)
		}
	}
	if err := tx.returnAll(common.Position); err != nil {
		return fmt.Errorf("going back to position %d: %w", common.Position, err)
	}
	if err := tx.exec(`UPDATE records SET position = $1 WHERE position > $1`, common.Position); err != nil {
		return fmt.Errorf("going back to position %d: %w", common.Position, err)
	}
	if t.Cursor.Position < common.Position { // everything was being pulled again, and goes on from there
		t.Recheck = common
	} else {
		t.Cursor, t.Recheck = common, Mark{}
	}
	return tx.Save(t)
}

// returnAll puts what was proved behind a position among what is to be given back.
func (tx *Tx) returnAll(behind uint64) error {
	var states []Return
	err := tx.each(func(r row) error {
		var one Return
		var base, sent []byte
		if err := r.Scan(id{&one.Record}, &one.Kind, &one.Proof, &base, &sent); err != nil {
			return err
		}
		from, sealed := recordSent, sent
		if sent == nil {
			from, sealed = recordBase, base
		}
		var err error
		one.State, err = tx.seal.open(from, one.Record[:], sealed)
		states = append(states, one)
		return err
	}, `SELECT id, kind, proof, base, sent FROM records WHERE position > $1 AND proof IS NOT NULL`, behind)
	if err != nil {
		return err
	}
	for _, one := range states {
		if err := tx.insertReturn(one); err != nil {
			return err
		}
	}
	return nil
}

// insertReturn puts a state among what is to be given back; one that is there already is to be given again.
func (tx *Tx) insertReturn(one Return) error {
	state, err := tx.seal.seal(returnState, returnRow(one.Record, one.Proof), one.State)
	if err != nil {
		return err
	}
	return tx.exec(`
		INSERT INTO returns (record, proof, kind, state, given) VALUES ($1, $2, $3, $4, 0)
		ON CONFLICT DO UPDATE SET given = 0`, one.Record[:], one.Proof, one.Kind, state)
}

// scanReturn reads the columns record, kind, state and proof, and those in rest.
func (tx *Tx) scanReturn(r row, one *Return, rest ...any) error {
	var sealed []byte
	if err := r.Scan(append([]any{id{&one.Record}, &one.Kind, &sealed, &one.Proof}, rest...)...); err != nil {
		return err
	}
	var err error
	one.State, err = tx.seal.open(returnState, returnRow(one.Record, one.Proof), sealed)
	return err
}

// PullAgain moves the cursor back to the beginning. Until it has come to where it was, the server's log is compared there
// too: should the server lose history meanwhile, a cursor that began at 0 would not tell.
func (tx *Tx) PullAgain(t *Tablet) error {
	if t.Cursor.Position > t.Recheck.Position {
		t.Recheck = t.Cursor
	}
	t.Cursor = Mark{}
	return tx.Save(t)
}

// ToGive are records to give back, the oldest id first, so that what others belong to comes before them: at most so
// many, and at most so many bytes unless the first alone is larger. left is how many there are altogether.
func (tx *Tx) ToGive(most, mostBytes int) (returns []Return, left int, err error) {
	if err := tx.sql.QueryRowContext(tx.ctx, `SELECT count(*) FROM returns WHERE given = 0`).Scan(&left); err != nil {
		return nil, 0, fmt.Errorf("counting what to give back: %w", err)
	}
	size := 0
	full := errors.New("enough")
	err = tx.each(func(r row) error {
		var one Return
		if err := tx.scanReturn(r, &one); err != nil {
			return err
		}
		if size += len(one.State); size > mostBytes && len(returns) > 0 {
			return full
		}
		returns = append(returns, one)
		return nil
	}, `SELECT record, kind, state, proof FROM returns WHERE given = 0 ORDER BY record, proof LIMIT $1`, most)
	if err != nil && !errors.Is(err, full) {
		return nil, 0, fmt.Errorf("reading what to give back: %w", err)
	}
	return returns, left, nil
}

// Given keeps that the server took a record back, when its log ended at head; code says why it holds it. all says that the
// page of that answer had everything up to head. Then the server has the record, were it only because it had never lost it,
// and should it lose it later, the cursor tells. Until then it stays.
func (tx *Tx) Given(r Return, head uint64, code string, all bool) error {
	var err error
	if all && code == "" {
		err = tx.exec(`DELETE FROM returns WHERE record = $1 AND proof = $2`, r.Record[:], r.Proof)
	} else {
		err = tx.exec(`UPDATE returns SET given = $1 WHERE record = $2 AND proof = $3`, max(head, 1), r.Record[:], r.Proof)
	}
	if err != nil {
		return fmt.Errorf("marking record %s: %w", r.Record, err)
	}
	return nil
}

// NotShown lets be given again what the server took at a position that the cursor has now gone past without its being
// shown: the server may have lost it before the cursor could tell.
func (tx *Tx) NotShown(from, to uint64) error {
	if err := tx.exec(`UPDATE returns SET given = 0 WHERE given > $1 AND given <= $2`, from, to); err != nil {
		return fmt.Errorf("marking what was given back: %w", err)
	}
	return nil
}

// Returning counts the states that were not shown again by the server since they were to be given back.
func (tx *Tx) Returning() (n int, err error) {
	if err := tx.sql.QueryRowContext(tx.ctx, `SELECT count(*) FROM returns`).Scan(&n); err != nil {
		return 0, fmt.Errorf("counting what is given back: %w", err)
	}
	return n, nil
}

// returning are these states of a record, by their proofs.
func (tx *Tx) returning(of hlc.ID) (map[string]record.Registers, error) {
	returns := map[string]record.Registers{}
	err := tx.each(func(r row) error {
		var proof, sealed []byte
		if err := r.Scan(&proof, &sealed); err != nil {
			return err
		}
		encoded, err := tx.seal.open(returnState, returnRow(of, proof), sealed)
		if err != nil {
			return fmt.Errorf("record %s: %w", of, err)
		}
		state, err := record.DecodeState(encoded)
		if err != nil {
			return fmt.Errorf("record %s: %w: %w", of, ErrDamaged, err)
		}
		returns[string(proof)] = state
		return nil
	}, `SELECT proof, state FROM returns WHERE record = $1`, of[:])
	if err != nil {
		return nil, fmt.Errorf("reading what is given back: %w", err)
	}
	return returns, nil
}

// shown forgets what need not be given back any more: the server has shown a state that has it all.
func (tx *Tx) shown(of hlc.ID, state record.Registers, returns map[string]record.Registers) error {
	for proof, returned := range returns {
		if !state.Covers(returned) {
			continue
		}
		if err := tx.exec(`DELETE FROM returns WHERE record = $1 AND proof = $2`, of[:], []byte(proof)); err != nil {
			return fmt.Errorf("forgetting what was given back: %w", err)
		}
	}
	return nil
}
