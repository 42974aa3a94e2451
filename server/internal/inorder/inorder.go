// Package inorder makes one run of several that are in order, as those of some teams are, and reads no more of each than is
// taken.
package inorder

import "slices"

// Runs are some runs that are merged.
type Runs[Row any] struct {
	// Compare is the order of all runs: negative when a comes before b.
	Compare func(a, b Row) int
	// Ahead is how many rows of a run are read at once.
	Ahead int
	runs  []*run[Row]
}

// Read reads a run on after a row, or from its beginning when that is nil: limit rows, or fewer at its end.
type Read[Row any] func(last *Row, limit int) ([]Row, error)

type run[Row any] struct {
	read Read[Row]
	keep func(Row) bool
	// ahead are rows that were read and not taken, last is the last that was read.
	ahead []Row
	last  *Row
	done  bool
}

// Add adds a run. What keep does not want is left out of it, and read all the same, so it must be little; nil keeps all.
func (m *Runs[Row]) Add(read Read[Row], keep func(Row) bool) {
	m.runs = append(m.runs, &run[Row]{read: read, keep: keep})
}

// Next takes the row that comes first of all runs; false at the end.
func (m *Runs[Row]) Next() (row Row, ok bool, err error) {
	var from *run[Row]
	for _, r := range m.runs {
		if err := r.fill(m.Ahead); err != nil {
			return row, false, err
		}
		if len(r.ahead) > 0 && (from == nil || m.Compare(r.ahead[0], from.ahead[0]) < 0) {
			from = r
		}
	}
	if from == nil {
		return row, false, nil
	}
	row, from.ahead = from.ahead[0], from.ahead[1:]
	return row, true, nil
}

// First takes the next rows, at most limit: fewer at the end.
func (m *Runs[Row]) First(limit int) (rows []Row, err error) {
	for len(rows) < limit {
		row, ok, err := m.Next()
		if err != nil || !ok {
			return rows, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// fill sees to it that a row is ahead, unless the run has none any more.
func (r *run[Row]) fill(limit int) error {
	for len(r.ahead) == 0 && !r.done {
		rows, err := r.read(r.last, limit)
		if err != nil {
			return err
		}
		r.done = len(rows) < limit
		if len(rows) > 0 {
			last := rows[len(rows)-1]
			r.last = &last
		}
		if r.keep != nil {
			rows = slices.DeleteFunc(rows, func(row Row) bool { return !r.keep(row) })
		}
		r.ahead = rows
	}
	return nil
}
