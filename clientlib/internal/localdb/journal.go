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
// is erased here.
func (tx *Tx) KeepJournal(t *Tablet, entries [][]byte, upTo Mark, anew bool) error {
	if anew {
		if err := tx.exec(`DELETE FROM journal`); err != nil {
			return fmt.Errorf("replacing the journal: %w", err)
		}
	}
	for _, entry := range entries {
		if err := tx.exec(`INSERT INTO journal (number, entry) SELECT coalesce(max(number), 0) + 1, $1 FROM journal`, entry); err != nil {
			return fmt.Errorf("keeping the journal: %w", err)
		}
	}
	if err := tx.carryOut(t, entries); err != nil {
		return err
	}
	t.Journal = upTo
	return tx.Save(t)
}
