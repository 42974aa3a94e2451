package localdb

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/record"
	"levee/syncproto/wire"
)

// carryOut does what encoded entries of the journal say of erased personal data. anew: it has heard just now that the whole deployment
// is erased.
func (tx *Tx) carryOut(t *Tablet, entries [][]byte) (anew bool, err error) {
	for _, encoded := range entries {
		e := &syncv1.JournalEntry{}
		if err := proto.Unmarshal(encoded, e); err != nil {
			return false, fmt.Errorf("reading the journal: %w: %w", ErrDamaged, err)
		}
		if e.GetSort() == wire.JournalDeploymentErased && bytes.Equal(e.GetSubject(), t.Deployment[:]) {
			first, err := tx.hearOfWhole(t)
			if err != nil {
				return false, err
			}
			anew = anew || first
			continue
		}
		whole := e.GetSort() == wire.JournalErased
		if (!whole && e.GetSort() != wire.JournalTokensIn) || len(e.GetSubject()) != len(hlc.ID{}) {
			continue
		}
		err := tx.exec(`INSERT INTO erased_records (record, whole) VALUES ($1, $2) ON CONFLICT (record) DO UPDATE SET whole = max(whole, excluded.whole), purged = 0`,
			e.GetSubject(), whole)
		if err == nil && whole {
			err = tx.eraseRecord(hlc.ID(e.GetSubject()))
		}
		if err != nil {
			return false, fmt.Errorf("erasing record %x: %w", e.GetSubject(), err)
		}
	}
	if err := tx.eraseWhole(t); err != nil {
		return false, err
	}
	if anew {
		if err := tx.dropTokens(t); err != nil {
			return false, err
		}
	}
	return anew, tx.eraseTokens(t)
}

// eraseRecord takes a record out, all own changes of it, those not sent yet among them, and what somebody is about to change in it.
func (tx *Tx) eraseRecord(recordID hlc.ID) error {
	if err := tx.eraseChanges(`record = $1`, nil, recordID[:]); err != nil {
		return err
	}
	for _, step := range []string{`DELETE FROM records WHERE id = $1`, `DELETE FROM returns WHERE record = $1`, `DELETE FROM forms WHERE record = $1`} {
		if err := tx.exec(step, recordID[:]); err != nil {
			return err
		}
	}
	return nil
}

// eraseTokens takes out the own changes with tokens that the server has replaced since, once it has them: what it made of
// them comes with their records. Before, nobody but this tablet has what else is in them; and of what is held there is no record that
// could be given back, so that it stays until the server has it for good.
func (tx *Tx) eraseTokens(t *Tablet) error {
	return tx.eraseChanges(`(record IN (SELECT record FROM erased_records WHERE whole = 0) OR EXISTS (SELECT 1 FROM erased_records WHERE record = $3))
		AND (replica <> $1 OR sequence <= $2) AND (held = '' OR replica <> $1 OR sequence <= $4)`, hasTokens,
		int64(t.Replica), t.Acknowledged, t.Deployment[:], t.Durable) //nolint:gosec // the same bits, signed
}

// tokenFields are the numbers of the fields with tokens.
var tokenFields = map[record.Kind]protowire.Number{
	recordv1.Kind_KIND_CASE: 21, recordv1.Kind_KIND_PARTICIPANT: 16, recordv1.Kind_KIND_ATTENDANCE: 18,
}

// hasTokens reports whether a change sets tokens.
func hasTokens(c *record.Change) bool { return tokensIn(c.Kind, c.Registers()) }

func tokensIn(kind record.Kind, registers record.Registers) bool {
	field := tokenFields[kind]
	return field != 0 && len(registers.Get(field).Value) > 0
}

// eraseChanges takes own changes out, and keeps the hashes that the chain needs. only picks some of them; nil takes all.
func (tx *Tx) eraseChanges(where string, only func(*record.Change) bool, args ...any) error {
	found, err := tx.allChanges(where, args...)
	if err != nil {
		return err
	}
	for _, o := range found {
		if only != nil && !only(o.change) {
			continue
		}
		hash := batch.HashOf(o.body)
		if err := tx.exec(`INSERT INTO erased_changes (replica, sequence, hash) VALUES ($1, $2, $3)`, int64(o.replica), o.sequence, hash[:]); err != nil { //nolint:gosec // the same bits, signed
			return fmt.Errorf("erasing change %d: %w", o.sequence, err)
		}
		if err := tx.exec(`DELETE FROM changes WHERE id = $1`, o.change.ID[:]); err != nil {
			return fmt.Errorf("erasing change %d: %w", o.sequence, err)
		}
		if err := tx.exec(`UPDATE erased_records SET purged = 0 WHERE record = $1 OR record = (SELECT deployment FROM tablet)`, o.change.Record[:]); err != nil {
			return fmt.Errorf("erasing change %d: %w", o.sequence, err)
		}
	}
	return nil
}

// chained are the own changes from one sequence number to another, in order, each with its body or, once it is erased, its
// hash.
func (tx *Tx) chained(replica hlc.Replica, after, to uint64, most int, each func(body, hash []byte) error) error {
	return tx.each(func(r row) error {
		var sequence uint64
		var changeID, sealed, hash []byte
		if err := r.Scan(&sequence, &changeID, &sealed, &hash); err != nil {
			return err
		}
		if hash != nil {
			return each(nil, hash)
		}
		body, err := tx.seal.open(changeBody, changeID, sealed)
		if err != nil {
			return err
		}
		return each(body, nil)
	}, `SELECT sequence, id, body, NULL FROM changes WHERE replica = $1 AND sequence > $2 AND sequence <= $3
		UNION ALL SELECT sequence, NULL, NULL, hash FROM erased_changes WHERE replica = $1 AND sequence > $2 AND sequence <= $3
		ORDER BY sequence LIMIT $4`, int64(replica), after, to, most) //nolint:gosec // the same bits, signed
}

// erasedWhole are the records that are erased.
func (tx *Tx) erasedWhole() (map[hlc.ID]bool, error) {
	erased := map[hlc.ID]bool{}
	err := tx.each(func(r row) error {
		var recordID hlc.ID
		err := r.Scan(id{&recordID})
		erased[recordID] = true
		return err
	}, `SELECT record FROM erased_records WHERE whole = 1`)
	if err != nil {
		return nil, fmt.Errorf("reading what is erased: %w", err)
	}
	return erased, nil
}

// Purge leaves nothing in the file of what was erased: in pages that are no longer in use, and in the WAL. It does nothing
// when it was done since.
func (db *DB) Purge(ctx context.Context) error {
	conn, err := db.write.Conn(ctx)
	if err != nil {
		return classify(err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	var some bool
	err = conn.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM erased_records WHERE purged = 0)`).Scan(&some)
	if err != nil || !some {
		return classify(err)
	}
	ctx = context.WithoutCancel(ctx)
	if _, err := conn.ExecContext(ctx, `VACUUM`); err != nil {
		return classify(err)
	}
	var busy, log, moved int
	if err := conn.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &log, &moved); err != nil || busy != 0 {
		return classify(err) // somebody reads; the next time does it
	}
	_, err = conn.ExecContext(ctx, `UPDATE erased_records SET purged = 1`)
	return classify(err)
}
