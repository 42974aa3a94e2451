package store

import (
	"context"
	"strconv"
	"strings"
)

// Statements are all that were prepared so far.
func (d *DB) Statements() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []string
	for key := range d.prepared {
		all = append(all, key.query)
	}
	return all
}

// Plan is how SQLite carries out a statement, step by step.
func (d *DB) Plan(ctx context.Context, statement string) ([]string, error) {
	args := make([]any, 0, 1000)
	for strings.Contains(statement, "$"+strconv.Itoa(len(args)+1)) {
		args = append(args, nil)
	}
	rows, err := d.read.QueryContext(ctx, "EXPLAIN QUERY PLAN "+statement, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var steps []string
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			return nil, err
		}
		steps = append(steps, step)
	}
	return steps, rows.Err()
}
