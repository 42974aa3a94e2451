package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"levee/server/internal/database"
	"levee/server/internal/progress"
	"levee/server/internal/store"
	"levee/server/internal/store/sqlite"
	"levee/syncproto/hlc"
)

// MigrateOptions are what a move takes from around it. The zero value is right for an operator.
type MigrateOptions struct {
	// Keys and Journal are where the server's files are, by default where a server on the old database looks for them. They stay there.
	Keys, Journal string
	// Progress is called with how many rows of a table are copied, of how many.
	Progress func(table string, done, of uint64)
}

// Migrated is what a move did.
type Migrated struct {
	From database.At `json:"from"`
	To   database.At `json:"to"`
	// Rows is how many there are in the new database, of all tables that were copied.
	Rows uint64 `json:"rows"`
	// Deployments are what it holds.
	Deployments []Contents `json:"deployments"`
	// Keys and Journal are where the server's files are, and Missing those of them that are not there.
	Keys    string   `json:"keys"`
	Journal string   `json:"journal"`
	Missing []string `json:"missing,omitempty"`
}

// migrateSuffix names a file that is not yet the database it is to become.
const migrateSuffix = ".migrate"

// Migrate moves all that a server keeps in one database to another: from a SQLite file to an empty PostgreSQL database, or the other
// way to a file that is not there. Servers must not run on either. Each row is compared with what it was copied from, and all chains and
// totals are counted again in the new database, before it is one. The old one stays as it is; keys and journal are not in a database, and
// stay too.
//
// What is broken off leaves nothing behind that could be taken for a database.
func Migrate(ctx context.Context, from, to string, o MigrateOptions) (m *Migrated, err error) {
	m = &Migrated{From: database.At(from), To: database.At(to)}
	m.Keys = cmp.Or(o.Keys, m.From.Keys())
	m.Journal = cmp.Or(o.Journal, m.From.Beside(m.Keys, journalSuffix))
	if o.Progress == nil {
		o.Progress = func(string, uint64, uint64) {}
	}
	made, err := m.From.Made(ctx)
	if err != nil {
		return nil, refusedAt(m.From, err)
	}
	if !made {
		return nil, refuse(MigrateNothing, nil, m.From)
	}
	if exists(from + restoreSuffix) {
		return nil, refuse(RestoreUnderWay, nil, m.From)
	}
	if !m.To.OnPostgres() && (exists(to) || exists(to+"-wal")) {
		return nil, refuse(MigrateNotEmpty, nil, m.To)
	}
	for _, at := range []database.At{m.From, m.To} {
		held, err := at.HoldToMove(ctx)
		if errors.Is(err, store.ErrHeld) {
			return nil, refuse(MigrateInUse, nil, at)
		}
		if err != nil {
			return nil, refusedAt(at, err)
		}
		defer func() { err = errors.Join(err, held.Close()) }()
	}
	faults, err := m.From.Integrity(ctx)
	if err != nil {
		return nil, refusedAt(m.From, err)
	}
	if len(faults) > 0 {
		return nil, refusedAt(m.From, fmt.Errorf("%w: %s", store.ErrDamaged, faults[0]))
	}
	old, err := m.From.Open(ctx)
	if err != nil {
		return nil, refusedAt(m.From, err)
	}
	defer func() { err = errors.Join(err, old.Close()) }()
	if m.To.OnPostgres() {
		err = m.toPostgres(ctx, old, o)
	} else {
		err = m.toFile(ctx, old, o)
	}
	if err != nil {
		return nil, err
	}
	for _, path := range []string{m.Keys, m.Journal} {
		if !exists(path) {
			m.Missing = append(m.Missing, path)
		}
	}
	return m, nil
}

func (m *Migrated) toPostgres(ctx context.Context, old *store.DB, o MigrateOptions) (err error) {
	db, err := m.To.Open(ctx)
	if err != nil {
		return refusedAt(m.To, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return m.move(ctx, old, db, o)
}

// toFile makes a file by another name, which is the database once it is whole and on the disk.
func (m *Migrated) toFile(ctx context.Context, old *store.DB, o MigrateOptions) (err error) {
	part := string(m.To) + migrateSuffix
	if err := removeDatabase(part); err != nil { // of a move that was broken off
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, removeDatabase(part))
		}
	}()
	db, err := sqlite.MakeScratch(ctx, part)
	if err != nil {
		return refusedAt(m.To, err)
	}
	if err := errors.Join(m.move(ctx, old, db, o), db.Close()); err != nil {
		return err
	}
	faults, err := sqlite.Integrity(ctx, part, true)
	if err == nil && len(faults) > 0 {
		err = fmt.Errorf("%w: %s", store.ErrDamaged, faults[0])
	}
	if err := cmp.Or(err, sqlite.Sync(part)); err != nil {
		return refusedAt(m.To, err)
	}
	if err := os.Rename(part, string(m.To)); err != nil {
		return err
	}
	return sqlite.Sync(string(m.To))
}

// move copies everything, and looks through it before it stays.
func (m *Migrated) move(ctx context.Context, old, db *store.DB, o MigrateOptions) error {
	ids, err := old.Deployments(ctx)
	if err != nil {
		return refusedAt(m.From, err)
	}
	heads := map[hlc.ID]*progress.Recounted{}
	moved, err := store.Move(ctx, old, db, o.Progress, func(of func(hlc.ID) progress.Store) error {
		for n, id := range ids {
			o.Progress(migrateVerifies, uint64(n), uint64(len(ids)))
			counted, err := progress.Recount(ctx, of(id), id)
			if err != nil {
				return fmt.Errorf("recounting deployment %v: %w", id, err)
			}
			if !counted.Equal() {
				return refuse(MigrateNotSound, nil, m.From)
			}
			heads[id] = counted
		}
		o.Progress(migrateVerifies, uint64(len(ids)), uint64(len(ids)))
		return nil
	})
	var refused *Refusal
	switch {
	case errors.As(err, &refused):
		return err
	case errors.Is(err, store.ErrNotEmpty):
		return refuse(MigrateNotEmpty, nil, m.To)
	case err != nil:
		return refusedAt(m.To, err)
	}
	for _, table := range moved {
		m.Rows += table.Rows
	}
	for _, id := range ids {
		c := heads[id]
		m.Deployments = append(m.Deployments, Contents{Deployment: id, Position: c.Position, Changes: c.Changes, Newest: c.Time.Wall()})
	}
	return nil
}

// migrateVerifies is what Progress is called with while the new database is counted through, deployment by deployment.
const migrateVerifies = "verifying"

// Print tells what was done, in Chinese for a tag "zh…", else in English.
func (m *Migrated) Print(w io.Writer, lang string) error {
	say := migrateWords[chinese(lang)]
	var errs []error
	write := func(format string, args ...any) {
		_, err := fmt.Fprintf(w, format, args...)
		errs = append(errs, err)
	}
	write(say.done, m.From, m.To, m.Rows)
	for _, d := range m.Deployments {
		write(say.holds, d.Deployment, d.Position, d.Changes, d.Newest.Local().Format(time.DateTime))
	}
	for _, path := range m.Missing {
		write(say.missing, path)
	}
	write(say.next, m.Keys, m.Journal, m.From)
	return errors.Join(errs...)
}

var migrateWords = map[bool]struct{ done, holds, missing, next string }{
	false: {
		done:    "%s is moved to %s: %d rows, each compared with what it was copied from; chains and totals counted again, all equal.\n",
		holds:   "Deployment %v: %d positions, %d changes, the newest of %s.\n",
		missing: "%s is NOT there. Put it back from where it is kept before the server starts.\n",
		next: "Start the server on the new database with the same address, and the same keys and journal: --keys %s --journal %s\n" +
			"Lists and search are sorted in anew at its first start. Tablets notice nothing.\n" +
			"%s is as it was. Do not start a server on it again; remove it when all is well.\n",
	},
	true: {
		done:    "%s 已迁移到 %s：共 %d 行，逐行核对一致；更改链和统计已重新核算，全部相符。\n",
		holds:   "行动 %v：%d 个位置，%d 条更改，最新一条 %s。\n",
		missing: "%s 不在。启动服务器之前，请把保管的文件放回去。\n",
		next: "请用原来的地址、原来的密钥和日志文件，在新数据库上启动服务器：--keys %s --journal %s\n" +
			"首次启动时会重新整理列表和搜索。平板不受影响。\n" +
			"%s 保持原样。不要再用它启动服务器；确认无误后再删除。\n",
	},
}
