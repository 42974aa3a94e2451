package sqlite

import (
	"strconv"
	"strings"
)

// unnumbered is a statement with ? in the place of $1, $2 and so on, where they are met for the first time in this order, and ?1 where $1
// is met again. SQLite takes $1 for a name, and finds the name of each parameter by going through all of them: in a statement of 40 rows
// that takes longer than to bind them. What has $ within a text stays as it is.
func unnumbered(query string) string {
	var b strings.Builder
	next := 1
	for rest := query; ; {
		before, after, found := strings.Cut(rest, "$")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		digits := 0
		for digits < len(after) && '0' <= after[digits] && after[digits] <= '9' {
			digits++
		}
		number, err := strconv.Atoi(after[:digits])
		switch within := strings.Count(b.String(), "'")%2 == 1; {
		case within || err != nil || number < 1 || number > next:
			return query
		case number == next:
			b.WriteByte('?')
			next++
		default:
			b.WriteString("?" + after[:digits])
		}
		rest = after[digits:]
	}
}
