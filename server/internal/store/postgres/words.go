package postgres

import (
	"strings"

	"levee/server/internal/indexing"
	"levee/server/internal/store"
)

// words keeps the words of a document as they come, in a tsvector without positions: no dictionary has a say.
var words = store.Words{
	Put: `INSERT INTO words (number, text, deployment) VALUES ($1, array_to_tsvector(string_to_array($2, ' ')), $3)
		ON CONFLICT (deployment, number) DO UPDATE SET text = excluded.text`,
	Drop:  `DELETE FROM words WHERE number = $1 AND deployment = $2`,
	Find:  `SELECT number FROM words WHERE deployment = $5 AND text @@ $1::tsquery AND number BETWEEN $2 AND $3 ORDER BY number DESC LIMIT $4`,
	Query: query,
	Apart: true,
}

// query is a query as tsquery reads it. Words are quoted, so that none is taken for an operator.
func query(q indexing.WordQuery) string {
	var parts []string
	for _, w := range q.All {
		parts = append(parts, quoted(w))
	}
	for _, any := range q.Any {
		parts = append(parts, "("+quotedAll(any)+")")
	}
	if len(q.None) > 0 {
		parts = append(parts, "!("+quotedAll(q.None)+")")
	}
	return strings.Join(parts, " & ")
}

var quotes = strings.NewReplacer(`'`, `''`, `\`, `\\`)

func quoted(word string) string { return "'" + quotes.Replace(word) + "'" }

func quotedAll(words []string) string {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = quoted(w)
	}
	return strings.Join(all, " | ")
}
