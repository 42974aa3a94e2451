package store

import (
	"context"
	"encoding/json"
	"fmt"

	"levee/server/internal/workbook"
	"levee/syncproto/hlc"
)

// Workbooks implements workbook.Store.
func (d *Deployment) Workbooks(ctx context.Context) (all []workbook.Workbook, err error) {
	err = d.Snapshot(ctx, func(tx *Tx) error {
		all, err = rowsOf(tx, `SELECT workbook, name, cells FROM workbooks WHERE deployment = $1 ORDER BY name, workbook`, []any{tx.id}, func(row scanner) (w workbook.Workbook, err error) {
			return w, scanWorkbook(row, &w)
		})
		return err
	})
	return all, err
}

// Workbook implements workbook.Store.
func (d *Deployment) Workbook(ctx context.Context, id hlc.ID) (w workbook.Workbook, ok bool, err error) {
	err = d.Snapshot(ctx, func(tx *Tx) error {
		return tx.each(`SELECT workbook, name, cells, file FROM workbooks WHERE deployment = $1 AND workbook = $2`, []any{tx.id, id[:]}, func(row scanner) error {
			ok = true
			return scanWorkbook(row, &w, &w.File)
		})
	})
	return w, ok, err
}

func scanWorkbook(row scanner, w *workbook.Workbook, more ...any) error {
	var id, cells []byte
	if err := row.Scan(append([]any{&id, &w.Name, &cells}, more...)...); err != nil {
		return err
	}
	w.ID = hlc.ID(id)
	return json.Unmarshal(cells, &w.Cells)
}

// KeepWorkbook implements workbook.Store.
func (d *Deployment) KeepWorkbook(ctx context.Context, w workbook.Workbook) (kept bool, err error) {
	cells, err := json.Marshal(w.Cells)
	if err != nil {
		return false, fmt.Errorf("cells: %w", err)
	}
	err = d.db.change(ctx, d.id, func(tx *Tx) error {
		var others int
		if _, err := tx.one(`SELECT count(*) FROM workbooks WHERE deployment = $1 AND workbook <> $2`, []any{d.id[:], w.ID[:]}, &others); err != nil {
			return err
		}
		if kept = others < workbook.Most; !kept {
			return nil
		}
		return tx.run(`INSERT INTO workbooks (deployment, workbook, name, file, cells) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (deployment, workbook) DO UPDATE SET name = excluded.name, file = excluded.file, cells = excluded.cells`, d.id[:], w.ID[:], w.Name, w.File, string(cells))
	})
	return kept, err
}

// RemoveWorkbook implements workbook.Store.
func (d *Deployment) RemoveWorkbook(ctx context.Context, id hlc.ID) error {
	return d.db.change(ctx, d.id, func(tx *Tx) error {
		return tx.run(`DELETE FROM workbooks WHERE deployment = $1 AND workbook = $2`, d.id[:], id[:])
	})
}
