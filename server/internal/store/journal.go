package store

import (
	"context"

	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/wire"
)

// JournalEnd implements journal.Reading.
func (t *Tx) JournalEnd(deployment hlc.ID) (number uint64, chain batch.Hash, err error) {
	var b []byte
	ok, err := t.one(`SELECT number, chain FROM journal WHERE deployment = $1 ORDER BY number DESC LIMIT 1`, []any{deployment[:]}, &number, &b)
	if err != nil || !ok {
		return 0, wire.JournalStart(deployment), err
	}
	return number, batch.Hash(b), nil
}

// JournalAfter implements journal.Reading.
func (t *Tx) JournalAfter(deployment hlc.ID, number uint64) (entries []*syncv1.JournalEntry, err error) {
	err = t.each(`SELECT sort, subject, detail, at, signature FROM journal WHERE deployment = $1 AND number > $2 ORDER BY number`,
		[]any{deployment[:], int64(number)}, func(row scanner) error { //nolint:gosec // below 63 bits
			e := &syncv1.JournalEntry{}
			entries = append(entries, e)
			err := row.Scan(&e.Sort, &e.Subject, &e.Detail, &e.At, &e.Signature)
			if len(e.GetDetail()) == 0 {
				e.Detail = nil
			}
			return err
		})
	return entries, err
}

// SaveJournal implements journal.Writing.
func (t *Tx) SaveJournal(deployment hlc.ID, number uint64, entries []*syncv1.JournalEntry, chains []batch.Hash) error {
	t.tellOf(deployment, false)
	rows := make([][]any, len(entries))
	for i, e := range entries {
		rows[i] = []any{deployment[:], int64(number) + int64(i) + 1, e.GetSort(), orEmpty(e.GetSubject()), orEmpty(e.GetDetail()), e.GetAt(), e.GetSignature(), chains[i][:]} //nolint:gosec // below 63 bits
	}
	return t.bulk(`INSERT INTO journal (deployment, number, sort, subject, detail, at, signature, chain)`, ``, rows)
}

// ForgetJournal takes out what the database has of the deployment's journal, which is about a copy that nobody goes on with.
func (d *Deployment) ForgetJournal(ctx context.Context) error {
	return d.db.change(ctx, d.id, func(tx *Tx) error { return tx.run(`DELETE FROM journal WHERE deployment = $1`, tx.id) })
}
