package store

import (
	"bytes"
	"strconv"
	"strings"
	"sync"

	"levee/syncproto/hlc"
)

// bulkRows is how many rows a multi-row statement writes; what is left over is written row by row, so that only a few
// numbers of rows are ever prepared.
const bulkRows = 40

// bulk runs "head VALUES (…),(…) tail" for rows of arguments.
func (t *Tx) bulk(head, tail string, rows [][]any) error {
	for len(rows) > 0 {
		n := 1
		if len(rows) >= bulkRows {
			n = bulkRows
		}
		form := fitsAll(len(rows[0]))
		if n > 1 { // of single rows there would be as many forms as rows
			form = t.db.forms.take([2]string{head, tail}, columns(rows[:n]))
		}
		query := bulkQuery{insert: t.db.engine.InsertMany, head: head, tail: tail, rows: n, columns: form}
		if err := t.run(query.text(), query.arguments(rows[:n])...); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// What a column is like in all rows of a statement: each row has a value of its own there, or all have the same one; or the same nothing.
const (
	ownValue    = ' '
	sharedValue = '='
	null        = 'N'
	emptyText   = 'T'
	zero        = '0'
)

// literals stand in a statement for what is nothing in all rows.
var literals = map[byte]string{null: "NULL", emptyText: "''", zero: "0"}

// fitsAll is the form for rows of any values, of so many columns.
func fitsAll(columns int) string { return strings.Repeat(string(ownValue), columns) }

// columns tells for each column what it is like.
func columns(rows [][]any) string {
	signs := make([]byte, len(rows[0]))
	for c := range signs {
		signs[c] = sharedValue
		for _, r := range rows[1:] {
			if !same(r[c], rows[0][c]) {
				signs[c] = ownValue
				break
			}
		}
		if sign := nothing(rows[0][c]); sign != 0 && signs[c] == sharedValue {
			signs[c] = sign
		}
	}
	return string(signs)
}

// same reports whether two arguments are written alike.
func same(a, b any) bool {
	if a, ok := a.([]byte); ok {
		b, ok := b.([]byte)
		return ok && (a == nil) == (b == nil) && bytes.Equal(a, b)
	}
	if _, ok := b.([]byte); ok {
		return false
	}
	return a == b
}

// nothing is the sign of an argument that is nothing; 0 when it is something.
func nothing(v any) byte {
	switch v := v.(type) {
	case nil:
		return null
	case []byte:
		if v == nil {
			return null
		}
	case string:
		if v == "" {
			return emptyText
		}
	case int64:
		if v == 0 {
			return zero
		}
	}
	return 0
}

// mostForms is how many forms a statement may have besides the one that fits all rows. What comes in is written by a few; somebody who
// sends what no tablet writes could else have thousands prepared, and each is kept.
const mostForms = 32

// forms are those of statements that are in use.
type forms struct {
	mu sync.Mutex
	of map[[2]string]map[string]bool // by head and tail: what the columns are like
}

// take is the form for columns: their own, or the one that fits all rows when there are many already.
func (f *forms) take(statement [2]string, columns string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of[statement][columns] {
		return columns
	}
	if len(f.of[statement]) == mostForms {
		return fitsAll(len(columns))
	}
	if f.of[statement] == nil {
		if f.of == nil {
			f.of = map[[2]string]map[string]bool{}
		}
		f.of[statement] = map[string]bool{}
	}
	f.of[statement][columns] = true
	return columns
}

// bulkQuery is a statement that inserts rows. An argument costs about as much as to write it into a table: what all rows share is one, as
// the deployment is, and what is nothing in all of them is none.
type bulkQuery struct {
	insert, head, tail string
	rows               int
	columns            string // what each is like
}

var bulkQueries sync.Map // of bulkQuery or inKey to string: building a statement costs more than running it

func (q bulkQuery) text() string {
	if text, ok := bulkQueries.Load(q); ok {
		return text.(string)
	}
	var b strings.Builder
	if q.rows > 1 && q.insert != "" {
		b.WriteString(strings.Replace(q.head, "INSERT", q.insert, 1))
	} else {
		b.WriteString(q.head)
	}
	b.WriteString(" VALUES ")
	numbers, next := make([]int, len(q.columns)), 1
	for r := range q.rows {
		if r > 0 {
			b.WriteByte(',')
		}
		for c, sign := range []byte(q.columns) {
			b.WriteString(map[bool]string{true: "(", false: ","}[c == 0])
			if text, ok := literals[sign]; ok {
				b.WriteString(text)
				continue
			}
			if r == 0 || sign == ownValue {
				numbers[c], next = next, next+1
			}
			b.WriteString("$" + strconv.Itoa(numbers[c]))
		}
		b.WriteByte(')')
	}
	b.WriteString(" " + q.tail)
	text, _ := bulkQueries.LoadOrStore(q, b.String())
	return text.(string)
}

func (q bulkQuery) arguments(rows [][]any) []any {
	args := make([]any, 0, q.rows*len(q.columns))
	for i, r := range rows {
		for c, v := range r {
			if sign := q.columns[c]; sign == ownValue || i == 0 && sign == sharedValue {
				args = append(args, v)
			}
		}
	}
	return args
}

// inSizes are the numbers of keys that look-ups are prepared for; a list is padded with its last key.
var inSizes = []int{1, 8, 64, 400}

// in runs a query with "IN (…)" over ids, as inKeys does.
func (t *Tx) in(query string, ids []hlc.ID, row func(scanner) error) error {
	keys := make([]any, len(ids))
	for i := range ids {
		keys[i] = ids[i][:]
	}
	return t.inKeys(query, keys, row)
}

// inKeys runs a query with "IN (…)" over keys, in pieces. The deployment is $1 and the keys begin at $2.
func (t *Tx) inKeys(query string, keys []any, row func(scanner) error) error {
	for len(keys) > 0 {
		size := inSizes[len(inSizes)-1]
		for _, s := range inSizes {
			if len(keys) <= s {
				size = s
				break
			}
		}
		n := min(len(keys), size)
		args := make([]any, 0, size+1)
		args = append(args, t.id)
		for i := range size {
			args = append(args, keys[min(i, n-1)])
		}
		if err := t.each(inQuery(query, size), args, row); err != nil {
			return err
		}
		keys = keys[n:]
	}
	return nil
}

type inKey struct {
	query string
	size  int
}

func inQuery(query string, size int) string {
	key := inKey{query, size}
	if q, ok := bulkQueries.Load(key); ok {
		return q.(string)
	}
	marks := make([]string, size)
	for i := range marks {
		marks[i] = "$" + strconv.Itoa(i+2)
	}
	q, _ := bulkQueries.LoadOrStore(key, strings.Replace(query, "IN (…)", "IN ("+strings.Join(marks, ",")+")", 1))
	return q.(string)
}
