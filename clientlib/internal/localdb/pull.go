package localdb

import (
	"bytes"
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
// so that the others get through.
func (tx *Tx) Pull(t *Tablet, records []Pulled) (unreadable int, err error) {
	for _, p := range records {
		r, err := tx.load(p.ID, p.Kind)
		if err != nil {
			return unreadable, err
		}
		sent, err := record.DecodeState(p.State)
		if err != nil || (len(sent) == 0 && len(r.base) == 0) {
			unreadable++
			continue
		}
		base := record.Merge(r.base, sent)
		encoded := record.EncodeState(base)
		switch newer := p.Position >= r.position; {
		case len(sent) == 0 && newer, bytes.Equal(encoded, p.State):
			r.proof = p.Proof
		case !bytes.Equal(encoded, record.EncodeState(r.base)):
			r.proof = nil // base is neither what the server sent now nor what it sent before
		}
		r.base, r.kind, r.position = base, p.Kind, max(r.position, p.Position)
		t.Time = max(t.Time, sent.Newest())
		if err := tx.refresh(t, r); err != nil {
			return unreadable, err
		}
	}
	return unreadable, tx.Save(t)
}

// Drop takes out records that the tablet may no longer have, but never one with unsent work.
func (tx *Tx) Drop(t *Tablet, records []hlc.ID) error {
	for _, recordID := range records {
		err := tx.exec(`
			DELETE FROM records
			WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM changes c WHERE c.record = records.id AND c.sequence > $2)`,
			recordID[:], t.Acknowledged)
		if err != nil {
			return fmt.Errorf("dropping record %s: %w", recordID, err)
		}
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
