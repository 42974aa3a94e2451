package localdb

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// Erased reports whether all personal data of the deployment is erased. Its own id stands among the erased records then, as one of
// which a part is.
func (tx *Tx) Erased(t *Tablet) (erased bool, err error) {
	err = tx.sql.QueryRowContext(tx.ctx, `SELECT EXISTS (SELECT 1 FROM erased_records WHERE record = $1)`, t.Deployment[:]).Scan(&erased)
	if err != nil {
		return false, fmt.Errorf("reading what is erased: %w", err)
	}
	return erased, nil
}

// hearOfWhole notes that the whole deployment is erased. first says that this is new. What somebody was filling in may be about
// anybody, so all of it goes.
func (tx *Tx) hearOfWhole(t *Tablet) (first bool, err error) {
	known, err := tx.Erased(t)
	if err != nil || known {
		return false, err
	}
	for _, step := range []struct {
		query string
		args  []any
	}{{`INSERT INTO erased_records (record, whole) VALUES ($1, 0)`, []any{t.Deployment[:]}}, {`DELETE FROM forms`, nil}} {
		if err := tx.exec(step.query, step.args...); err != nil {
			return false, fmt.Errorf("erasing the deployment: %w", err)
		}
	}
	return true, nil
}

// conflictTargetKind is the number of a Conflict's field with the kind of its target.
const conflictTargetKind protowire.Number = 17

// confidential reports whether a record goes with the deployment: it is confidential, is a conflict about what is, or is of a kind that
// only a newer program knows.
func confidential(kind record.Kind, registers record.Registers) bool {
	if of := registers.Get(conflictTargetKind); kind == recordv1.Kind_KIND_CONFLICT && of.Field != 0 { // who settles one need not name it
		kind = record.Kind(of.Number()) //nolint:gosec // a kind that does not fit is not known
	}
	return !record.Known(kind) || record.Confidential(kind)
}

// eraseWhole takes out all that is confidential once the deployment is erased, and what was said about it: all that is here.
func (tx *Tx) eraseWhole(t *Tablet) error {
	if erased, err := tx.Erased(t); err != nil || !erased {
		return err
	}
	p := personal{gone: map[hlc.ID]bool{}, about: map[hlc.ID]hlc.ID{}}
	err := tx.each(func(r row) error {
		var of hlc.ID
		var kind record.Kind
		var sealed []byte
		if err := r.Scan(id{&of}, &kind, &sealed); err != nil {
			return err
		}
		state, err := tx.seal.open(recordView, of[:], sealed)
		if err != nil {
			return err
		}
		return p.sortState(of, kind, state)
	}, `SELECT id, kind, view FROM records`)
	if err != nil {
		return fmt.Errorf("erasing the deployment: %w", err)
	}
	err = tx.each(func(r row) error {
		var one Return
		if err := tx.scanReturn(r, &one); err != nil {
			return err
		}
		return p.sortState(one.Record, one.Kind, one.State)
	}, `SELECT record, kind, state, proof FROM returns`)
	if err != nil {
		return fmt.Errorf("erasing the deployment: %w", err)
	}
	return tx.erasePersonal(p)
}

// eraseWritten does so for what was written here: of what is held there may be no record, and more may be written later.
func (tx *Tx) eraseWritten(t *Tablet) error {
	if erased, err := tx.Erased(t); err != nil || !erased {
		return err
	}
	return tx.erasePersonal(personal{gone: map[hlc.ID]bool{}, about: map[hlc.ID]hlc.ID{}})
}

// dropTokens drops what the server had of records with tokens in them before it replaced all of these. What the tablet may have comes
// anew; the others it was never told to drop: its worker moved away before the server had them.
func (tx *Tx) dropTokens(t *Tablet) error {
	var drop []hlc.ID
	err := tx.each(func(r row) error {
		var of hlc.ID
		var kind record.Kind
		var base, sent []byte
		if err := r.Scan(id{&of}, &kind, &base, &sent); err != nil {
			return err
		}
		for _, state := range []struct {
			column column
			sealed []byte
		}{{recordBase, base}, {recordSent, sent}} {
			encoded, err := tx.seal.open(state.column, of[:], state.sealed)
			if err != nil {
				return err
			}
			registers, err := record.DecodeState(encoded)
			if err != nil {
				return fmt.Errorf("record %s: %w: %w", of, ErrDamaged, err)
			}
			if tokensIn(kind, registers) {
				drop = append(drop, of)
				break
			}
		}
		return nil
	}, `SELECT id, kind, base, sent FROM records`)
	if err != nil {
		return fmt.Errorf("dropping tokens: %w", err)
	}
	return tx.Drop(t, drop)
}

func (tx *Tx) erasePersonal(p personal) error {
	written, err := tx.allChanges(`1`)
	if err != nil {
		return err
	}
	for _, o := range written {
		p.sort(o.change.Record, o.change.Kind, o.change.Registers())
	}
	for _, of := range p.all() {
		if err := tx.eraseRecord(of); err != nil {
			return fmt.Errorf("erasing record %s: %w", of, err)
		}
	}
	return nil
}

// personal sorts out what goes with the deployment: what is confidential, and what is about that, or about what is about it.
type personal struct {
	gone  map[hlc.ID]bool
	about map[hlc.ID]hlc.ID // what they name
}

func (p personal) sortState(of hlc.ID, kind record.Kind, state []byte) error {
	registers, err := record.DecodeState(state)
	if err != nil {
		return fmt.Errorf("record %s: %w: %w", of, ErrDamaged, err)
	}
	p.sort(of, kind, registers)
	return nil
}

func (p personal) sort(of hlc.ID, kind record.Kind, registers record.Registers) {
	if confidential(kind, registers) {
		p.gone[of] = true
		return
	}
	switch kind {
	case recordv1.Kind_KIND_REVIEW, recordv1.Kind_KIND_CONFLICT, recordv1.Kind_KIND_DISTINCTION:
		if owner := registers.Owner(kind); owner != (hlc.ID{}) { // an edit need not name it
			p.about[of] = owner
		}
	}
}

// all are the records that go, in one order.
func (p personal) all() []hlc.ID {
	for before := -1; before != len(p.gone); {
		before = len(p.gone)
		for of, owner := range p.about {
			if p.gone[owner] {
				p.gone[of] = true
			}
		}
	}
	return inOrder(p.gone)
}

// asServer is a base with what the server has in the place of each register of the same stamp: since it replaced tokens, which of the
// two to take can't be told by the stamps.
func asServer(base, state record.Registers) record.Registers {
	made := make(record.Registers, len(base))
	for i, r := range base {
		if s := state.Get(r.Field); s.Field != 0 && s.Stamp == r.Stamp {
			r = s
		}
		made[i] = r
	}
	return made
}
