package store

import (
	"levee/server/internal/indexing"
	"levee/syncproto/hlc"
)

// Words are the statements by which an engine keeps which words stand in which document: each has its own way.
type Words struct {
	// Put has number and words, in place of those that it had; Drop has the number.
	Put, Drop string
	// Find has a query, the first and the last number, and how many to give.
	Find string
	// Query is a query in the engine's own language.
	Query func(indexing.WordQuery) string
	// Apart says that each deployment has numbers of its own: the statements have the deployment too, last.
	Apart bool
}

// wordArgs are the arguments of one of the statements.
func (t *Tx) wordArgs(args ...any) []any {
	if t.db.engine.Words.Apart {
		return append(args, t.id)
	}
	return args
}

func scanDocument(row scanner) (indexing.Document, error) {
	var d indexing.Document
	var id []byte
	if err := row.Scan(&id, &d.Number, &d.Digest); err != nil {
		return d, err
	}
	d.Record = hlc.ID(id)
	return d, nil
}

// Documents implements indexing.Stored.
func (t *Tx) Documents(ids []hlc.ID) ([]indexing.Document, error) {
	return rowsIn(t, `SELECT record, number, digest FROM documents WHERE deployment = $1 AND record IN (…)`, ids, scanDocument)
}

func (t *Tx) saveDocuments(c indexing.Changes) error {
	if err := t.dropDocuments(c.Documents.Drop); err != nil {
		return err
	}
	rows := make([][]any, len(c.Documents.Put))
	for i, d := range c.Documents.Put {
		if err := t.run(t.db.engine.Words.Put, t.wordArgs(int64(d.Number), d.Words)...); err != nil { //nolint:gosec // below 63 bits
			return err
		}
		rows[i] = []any{t.id, d.Record[:], int64(d.Number), int64(d.Digest)} //nolint:gosec // below 63 bits
	}
	return t.bulk(`INSERT INTO documents (deployment, record, number, digest)`, `ON CONFLICT (deployment, record) DO UPDATE SET digest = excluded.digest`, rows)
}

func (t *Tx) dropDocuments(documents []indexing.Document) error {
	ids := make([]hlc.ID, len(documents))
	for i, d := range documents {
		ids[i] = d.Record
		if err := t.run(t.db.engine.Words.Drop, t.wordArgs(int64(d.Number))...); err != nil { //nolint:gosec // below 63 bits
			return err
		}
	}
	return t.drop(`DELETE FROM documents WHERE deployment = $1 AND record IN (…)`, ids)
}

// unword forgets by which words records are found.
func (t *Tx) unword(ids []hlc.ID) error {
	documents, err := t.Documents(ids)
	if err != nil {
		return err
	}
	return t.dropDocuments(documents)
}

// Find implements indexing.Searching.
func (t *Tx) Find(q indexing.WordQuery, from, to uint64, limit int) ([]uint64, error) {
	return rowsOf(t, t.db.engine.Words.Find, t.wordArgs(t.db.engine.Words.Query(q), int64(from), int64(to), limit), func(row scanner) (number uint64, err error) { //nolint:gosec // below 63 bits
		err = row.Scan(&number)
		return number, err
	})
}

// EachDocument implements indexing.Everything.
func (t *Tx) EachDocument(row func(indexing.Document) error) error {
	return eachOf(t, `SELECT record, number, digest FROM documents WHERE deployment = $1`, scanDocument, row)
}
