package localdb

import "fmt"

// Journal are all entries of the server's journal that are held here, encoded, in order.
func (tx *Tx) Journal() ([][]byte, error) {
	var entries [][]byte
	err := tx.each(func(r row) error {
		var entry []byte
		err := r.Scan(&entry)
		entries = append(entries, entry)
		return err
	}, `SELECT entry FROM journal ORDER BY number`)
	if err != nil {
		return nil, fmt.Errorf("reading the journal: %w", err)
	}
	return entries, nil
}

// KeepJournal keeps entries that came, up to a mark: behind those that are here, or in their place. What they say is erased
// is erased here. again: the whole deployment is, and everything is to be pulled again.
func (tx *Tx) KeepJournal(t *Tablet, entries [][]byte, upTo Mark, anew bool) (again bool, err error) {
	if anew {
		if err := tx.exec(`DELETE FROM journal`); err != nil {
			return false, fmt.Errorf("replacing the journal: %w", err)
		}
	}
	for _, entry := range entries {
		if err := tx.exec(`INSERT INTO journal (number, entry) SELECT coalesce(max(number), 0) + 1, $1 FROM journal`, entry); err != nil {
			return false, fmt.Errorf("keeping the journal: %w", err)
		}
	}
	if again, err = tx.carryOut(t, entries); err != nil {
		return false, err
	}
	t.Journal = upTo
	if again {
		return true, tx.PullAgain(t)
	}
	return false, tx.Save(t)
}
