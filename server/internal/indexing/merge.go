package indexing

// merge takes the first rows of several runs, each of which is in order.
type merge[Row any] struct{ runs []*mergedRun[Row] }

type mergedRun[Row any] struct {
	next func(last *Row, limit int) ([]Row, error)
	rows []Row
	last *Row
	done bool
}

// mergedRows is how many rows of a run are read at once.
const mergedRows = 8

// add adds a run by what reads it on after a row, or from its beginning when that is nil.
func (m *merge[Row]) add(next func(last *Row, limit int) ([]Row, error)) {
	m.runs = append(m.runs, &mergedRun[Row]{next: next})
}

// head is the first row that was not taken yet; nil at the end.
func (r *mergedRun[Row]) head() (*Row, error) {
	if len(r.rows) == 0 && !r.done {
		rows, err := r.next(r.last, mergedRows)
		if err != nil {
			return nil, err
		}
		r.rows, r.done = rows, len(rows) == 0
	}
	if len(r.rows) == 0 {
		return nil, nil
	}
	return &r.rows[0], nil
}

// first are the first rows of all runs together.
func (m *merge[Row]) first(limit int, compare func(a, b Row) int) ([]Row, error) {
	var rows []Row
	for len(rows) < limit {
		var from *mergedRun[Row]
		var first *Row
		for _, r := range m.runs {
			head, err := r.head()
			if err != nil {
				return nil, err
			}
			if head != nil && (first == nil || compare(*head, *first) < 0) {
				from, first = r, head
			}
		}
		if from == nil {
			break
		}
		rows = append(rows, *first)
		from.last, from.rows = first, from.rows[1:]
	}
	return rows, nil
}

// only leaves out of a run what is not to be kept. What is left out is read all the same, so it must be little.
func only[Row any](next func(last *Row, limit int) ([]Row, error), keep func(Row) bool) func(last *Row, limit int) ([]Row, error) {
	return func(last *Row, limit int) ([]Row, error) {
		var kept []Row
		for len(kept) == 0 {
			rows, err := next(last, limit)
			if err != nil || len(rows) == 0 {
				return nil, err
			}
			last = &rows[len(rows)-1]
			for _, row := range rows {
				if keep(row) {
					kept = append(kept, row)
				}
			}
		}
		// The next call goes on after the last row that is handed out: what follows it and was left out is read once more.
		return kept, nil
	}
}
