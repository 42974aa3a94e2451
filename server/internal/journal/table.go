package journal

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/wire"
)

// Reading reads the table in a transaction.
type Reading interface {
	// JournalEnd is how many entries of a deployment there are, and the chain behind the last one.
	JournalEnd(deployment hlc.ID) (number uint64, chain batch.Hash, err error)
	// JournalAfter are the entries behind so many, in their order.
	JournalAfter(deployment hlc.ID, number uint64) ([]*syncv1.JournalEntry, error)
}

// Writing adds to the table. Nobody else does so before the transaction ends.
type Writing interface {
	Reading
	// SaveJournal adds entries behind so many, each with the chain behind it.
	SaveJournal(deployment hlc.ID, number uint64, entries []*syncv1.JournalEntry, chains []batch.Hash) error
}

// Refresh takes what others have added to the table into this server's file. lacking says that the table has not all that
// the file has, because the database was set back or a transaction came to nothing: then it is time for Mend. news says
// that something was added.
func (j *Journal) Refresh(tx Reading) (news, lacking bool, err error) {
	number, chain, err := tx.JournalEnd(j.deployment)
	if err != nil {
		return false, false, err
	}
	from, same, lacking := j.compare(number, chain)
	if same {
		return false, lacking, nil
	}
	// The one before is read too: the table may have been set back and have grown since.
	rows, err := tx.JournalAfter(j.deployment, max(from, 1)-1)
	if err != nil {
		return false, false, err
	}
	if from > 0 && (len(rows) == 0 || !j.has(from, rows[0])) {
		from = 0
		if rows, err = tx.JournalAfter(j.deployment, 0); err != nil {
			return false, false, err
		}
	} else if from > 0 {
		rows = rows[1:]
	}
	lacking, err = j.take(from, rows)
	return true, lacking, err
}

// Mend does as Refresh, and gives the table what it lacks.
func (j *Journal) Mend(tx Writing) error {
	_, lacking, err := j.Refresh(tx)
	if err != nil || !lacking {
		return err
	}
	number, _, err := tx.JournalEnd(j.deployment)
	if err != nil {
		return err
	}
	j.file.mu.Lock()
	entries, chains := j.entries[number:], j.chains[number+1:]
	j.file.mu.Unlock()
	return tx.SaveJournal(j.deployment, number, entries, chains)
}

// Add adds signed entries, but for those of which the sort and subject are there: to the file, where they are on the disk
// when it returns, and to the table with its transaction. Should that come to nothing, they stay.
func (j *Journal) Add(tx Writing, entries ...*syncv1.JournalEntry) error {
	if len(entries) == 0 {
		return nil
	}
	if err := j.Mend(tx); err != nil {
		return err
	}
	j.file.mu.Lock()
	err := j.keep(entries)
	j.file.mu.Unlock()
	if err != nil {
		return err
	}
	return j.Mend(tx)
}

// compare tells whether the table has nothing that is not known, and then whether it lacks something; else from where on it
// is to be read.
func (j *Journal) compare(number uint64, chain batch.Hash) (from uint64, same, lacking bool) {
	j.file.mu.Lock()
	defer j.file.mu.Unlock()
	there := uint64(len(j.entries))
	if number <= there && j.chains[number] == chain {
		j.stored = number
		return 0, true, number < there
	}
	return min(j.stored, number), false, false
}

// has reports whether an entry is the one that is known by a number.
func (j *Journal) has(number uint64, e *syncv1.JournalEntry) bool {
	j.file.mu.Lock()
	defer j.file.mu.Unlock()
	return number <= uint64(len(j.entries)) && wire.NextJournal(j.chains[number-1], j.deployment, e) == j.chains[number]
}

// take puts the table's entries behind the first ones in their places. What is known besides comes behind them.
func (j *Journal) take(from uint64, rows []*syncv1.JournalEntry) (lacking bool, err error) {
	j.file.mu.Lock()
	defer j.file.mu.Unlock()
	for i, e := range rows {
		if known := j.bySubject[keyOf(e)]; known != nil && proto.Equal(known, e) {
			continue
		}
		if err := wire.CheckJournalEntry(j.file.key, j.deployment, e); err != nil {
			return false, fmt.Errorf("%w: entry %d of the table: %w", ErrDamaged, from+uint64(i)+1, err)
		}
	}
	if err := j.keep(rows); err != nil {
		return false, err
	}
	chain := j.chains[from]
	for _, e := range rows {
		chain = wire.NextJournal(chain, j.deployment, e)
	}
	j.stored = from + uint64(len(rows))
	if j.stored >= uint64(len(j.chains)) || j.chains[j.stored] != chain { // they stand elsewhere, or are others
		first, rest := j.entries[:from:from], j.entries[from:]
		j.entries, j.chains, j.bySubject = nil, j.chains[:1:1], map[entryKey]*syncv1.JournalEntry{}
		for _, some := range [][]*syncv1.JournalEntry{first, rows, rest} {
			for _, e := range some {
				j.append(e)
			}
		}
	}
	return j.stored < uint64(len(j.entries)), nil
}
