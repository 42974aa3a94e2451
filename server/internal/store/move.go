package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"levee/server/internal/progress"
	"levee/syncproto/hlc"
)

// What Move refuses.
var (
	// ErrNotEmpty: something is stored where everything is to go.
	ErrNotEmpty = errors.New("the database is not empty")
	// ErrNotSame: what was written is not what was read.
	ErrNotSame = errors.New("what was written differs from what was read")
)

// Moved is what Move did with a table.
type Moved struct {
	Table string
	Rows  uint64
}

// Move copies all that is kept in one database to another, of whichever engine, in which nothing is stored. What a server makes anew
// from the records is left to it. Nobody may write to either meanwhile; where the engine can, it keeps them from doing so.
//
// Each row is read back and compared before accept is asked, which looks at the deployments as they are in the new database. It is
// all there afterwards, or nothing is. tell, which is called now and then, says how many rows of a table are written.
func Move(ctx context.Context, from, to *DB, tell func(table string, done, of uint64), accept func(of func(hlc.ID) progress.Store) error) (moved []Moved, err error) {
	err = from.snapshot(ctx, nil, func(read *Tx) error {
		if err := read.alone(); err != nil {
			return err
		}
		return to.changeUnlocked(ctx, nil, func(write *Tx) error {
			if err := write.alone(); err != nil {
				return err
			}
			tables := slices.Concat(Copied, ByDay, OfServer)
			for _, table := range tables {
				if n, err := write.countRows(table); err != nil || n > 0 {
					return errors.Join(err, ErrNotEmpty)
				}
			}
			for _, table := range tables {
				rows, err := move(read, write, table, tell)
				if err != nil {
					return fmt.Errorf("copying %s: %w", table, err)
				}
				moved = append(moved, Moved{table, rows})
			}
			return accept(func(id hlc.ID) progress.Store { return within{write, id} })
		})
	})
	return moved, err
}

// alone keeps everybody else from writing until the transaction ends.
func (t *Tx) alone() error {
	for _, statement := range t.db.engine.Alone {
		if err := t.run(statement); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tx) countRows(table string) (n uint64, err error) {
	_, err = t.one(`SELECT count(*) FROM `+table, nil, &n)
	return n, err
}

// tellEvery is after how many rows it is told how many there are.
const tellEvery = 1000

// move copies a table, and compares what is there then.
func move(read, write *Tx, table string, tell func(table string, done, of uint64)) (rows uint64, err error) {
	of, err := read.countRows(table)
	if err != nil {
		return 0, err
	}
	tell(table, 0, of)
	query := `SELECT * FROM ` + table
	var there, here digest
	if err := pour(read, write, table, query, nil, func(row []any) {
		if there.add(row); there.rows%tellEvery == 0 {
			tell(table, there.rows, of)
		}
	}); err != nil {
		return 0, err
	}
	if err := write.eachRow(query, nil, func(_ []string, row []any) error { here.add(row); return nil }); err != nil {
		return 0, err
	}
	if here != there || here.rows != of {
		return 0, fmt.Errorf("%w: %d rows were read, and %d are there", ErrNotSame, of, here.rows)
	}
	tell(table, of, of)
	return of, nil
}

// digest is of rows in any order.
type digest struct{ rows, high, low uint64 }

func (d *digest) add(row []any) {
	var text []byte
	for _, value := range row {
		switch v := value.(type) {
		case nil:
			text = append(text, 0)
		case int64:
			text = binary.BigEndian.AppendUint64(append(text, 1), uint64(v)) //nolint:gosec // its bits
		case string:
			text = append(binary.AppendUvarint(append(text, 2), uint64(len(v))), v...)
		case []byte:
			text = append(binary.AppendUvarint(append(text, 3), uint64(len(v))), v...)
		default:
			text = fmt.Appendf(append(text, 4), "%T %v", v, v)
		}
	}
	sum := sha256.Sum256(text)
	d.rows, d.high, d.low = d.rows+1, d.high+binary.BigEndian.Uint64(sum[:8]), d.low+binary.BigEndian.Uint64(sum[8:])
}

// within is a deployment as a transaction has it that is still open.
type within struct {
	tx *Tx
	id hlc.ID
}

// Look implements progress.Store.
func (w within) Look(ctx context.Context, fn func(progress.Reading) error) error {
	tx := *w.tx
	tx.ctx, tx.id = ctx, w.id[:]
	return fn(&tx)
}
