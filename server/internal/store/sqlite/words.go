package sqlite

import (
	"strings"

	"levee/server/internal/indexing"
	"levee/server/internal/store"
)

// words is how FTS5 keeps them. The table keeps no text. What is dropped is only marked so until parts of the index are
// merged: see purge.
var words = store.Words{
	Put:   `INSERT OR REPLACE INTO words (rowid, text) VALUES ($1, $2)`,
	Drop:  `DELETE FROM words WHERE rowid = $1`,
	Find:  `SELECT rowid FROM words WHERE words MATCH $1 AND rowid BETWEEN $2 AND $3 ORDER BY rowid DESC LIMIT $4`,
	Query: query,
}

// query is a query in FTS5's language. Words are quoted, so that none is taken for an operator.
func query(q indexing.WordQuery) string {
	parts := make([]string, 0, len(q.All)+len(q.Any))
	for _, w := range q.All {
		parts = append(parts, quoted(w))
	}
	for _, any := range q.Any {
		parts = append(parts, "("+quotedAll(any)+")")
	}
	all := strings.Join(parts, " AND ")
	if len(q.None) > 0 {
		all = "(" + all + ") NOT (" + quotedAll(q.None) + ")"
	}
	return all
}

func quoted(word string) string { return `"` + strings.ReplaceAll(word, `"`, `""`) + `"` }

func quotedAll(words []string) string {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = quoted(w)
	}
	return strings.Join(all, " OR ")
}
