package localdb

import (
	"fmt"
	"math/bits"
	"slices"

	"levee/syncproto/hlc"
	"levee/syncproto/record"
)

// Pulled is a record as the server sent it.
type Pulled struct {
	ID       hlc.ID
	Kind     record.Kind
	Position uint64
	// State is its encoded state; nothing when the tablet has it already.
	State []byte
	Proof []byte
}

// Pull merges what the server sent into base. It says how many records it could not read; they are left as they are,
// so that the others get through. current says that the server had no more of this replica than is acknowledged: only then
// a record without state is base as it is.
func (tx *Tx) Pull(t *Tablet, records []Pulled, current bool) (unreadable int, err error) {
	given, err := tx.Returning()
	if err != nil {
		return 0, err
	}
	erased, err := tx.erasedWhole()
	if err != nil {
		return 0, err
	}
	whole, err := tx.Erased(t)
	if err != nil {
		return 0, err
	}
	for _, p := range records {
		if erased[p.ID] {
			continue // from a server that was set back, and does not know yet
		}
		var returns map[string]record.Registers
		if given > 0 {
			if returns, err = tx.returning(p.ID); err != nil {
				return unreadable, err
			}
		}
		r, err := tx.load(p.ID, p.Kind)
		if err != nil {
			return unreadable, err
		}
		state, err := record.DecodeState(p.State)
		if err != nil || (len(state) == 0 && len(r.base) == 0) || !readable(p.Kind, r, state) {
			unreadable++
			continue
		}
		if whole {
			if confidential(p.Kind, state) {
				continue // likewise
			}
			r.base = asServer(r.base, state)
		}
		proven, base := r.proven(), record.Merge(r.base, state)
		switch {
		case len(state) > 0 && r.dropped:
			// What was here is to be dropped, and the record is shown anew: a part of it was discarded, or it left and came back.
			r.prove(state, state, p.Proof)
		case len(state) > 0 && (state.Covers(base) || state.Covers(proven) || returns[string(r.proof)] != nil):
			r.prove(base, state, p.Proof) // what it proved before is newer no more, or is given back anyway
		case len(state) > 0:
			r.setBase(base)
		case current && p.Position >= r.position && len(returns) == 0:
			r.prove(base, base, p.Proof)
			state = base
		}
		if err := tx.shown(p.ID, state, returns); err != nil {
			return unreadable, err
		}
		r.kind, r.position, r.dropped = p.Kind, max(r.position, p.Position), false
		t.Time = max(t.Time, state.Newest())
		if err := tx.refresh(t, r); err != nil {
			return unreadable, err
		}
	}
	return unreadable, tx.Save(t)
}

// Drop takes out records that the tablet may no longer have. It comes before the page's records are taken: among them may be
// what stands now in the place of one that is dropped. One with own changes that are not acknowledged stays until
// they are: unsent work is never dropped.
func (tx *Tx) Drop(t *Tablet, records []hlc.ID) error {
	for _, recordID := range records {
		if err := tx.exec(`UPDATE records SET dropped = 1 WHERE id = $1`, recordID[:]); err != nil {
			return fmt.Errorf("dropping record %s: %w", recordID, err)
		}
	}
	return tx.sweep(t)
}

// sweep takes out dropped records whose own changes are all acknowledged.
func (tx *Tx) sweep(t *Tablet) error {
	err := tx.exec(`
		DELETE FROM records WHERE dropped = 1
		AND NOT EXISTS (SELECT 1 FROM changes c WHERE c.record = records.id AND c.replica = $1 AND c.sequence > $2)`,
		int64(t.Replica), t.Acknowledged) //nolint:gosec // the same bits, signed
	if err != nil {
		return fmt.Errorf("dropping records: %w", err)
	}
	return nil
}

// recentMarks is how many of the newest marks are all kept; of older ones, one for each doubling of the distance.
const recentMarks = 16

// SeeMark keeps a place of the server's log, and thins the older ones.
func (tx *Tx) SeeMark(m Mark) error {
	if m.Position == 0 {
		return nil // every log starts alike
	}
	err := tx.exec(`INSERT INTO marks (position, chain) VALUES ($1, $2) ON CONFLICT (position) DO UPDATE SET chain = excluded.chain`, m.Position, notNull(m.Chain))
	if err != nil {
		return fmt.Errorf("storing a mark: %w", err)
	}
	marks, err := tx.Marks()
	if err != nil || len(marks) <= recentMarks {
		return err
	}
	newest := marks[0].Position
	distances := map[int]bool{}
	for _, old := range slices.Backward(marks[recentMarks:]) { // the oldest of each distance stays
		doubling := bits.Len64(newest - old.Position)
		if distances[doubling] {
			if err := tx.exec(`DELETE FROM marks WHERE position = $1`, old.Position); err != nil {
				return fmt.Errorf("thinning marks: %w", err)
			}
		}
		distances[doubling] = true
	}
	return nil
}

// Marks are the places of the server's log that this tablet has seen, newest first.
func (tx *Tx) Marks() ([]Mark, error) {
	var marks []Mark
	err := tx.each(func(r row) error {
		var m Mark
		err := r.Scan(&m.Position, &m.Chain)
		marks = append(marks, m)
		return err
	}, `SELECT position, chain FROM marks ORDER BY position DESC`)
	if err != nil {
		return nil, fmt.Errorf("reading marks: %w", err)
	}
	return marks, nil
}
