// Package localdb is what a tablet keeps, in one SQLite file: records, its own changes, and how far it has synced. All
// SQL of the tablet is here, and with it the rule that ties the tables together: a record's view is its base merged
// with the own changes that the server has neither acknowledged nor held.
package localdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"levee/migrations"
	"levee/syncproto/hlc"
)

// What can be wrong with the file, whatever was asked of it.
var (
	ErrFull    = errors.New("the disk is full")
	ErrDamaged = errors.New("the database is damaged, or is no database")
	ErrBusy    = errors.New("another program holds the database for too long")
)

// DB is one tablet's file. It is safe for concurrent use, also by several processes.
type DB struct {
	// write has a single connection: SQLite takes one writer at a time, and waiting in line here is fair and can be
	// cancelled, while waiting for SQLite's lock is neither.
	write *sql.DB
	read  *sql.DB
	seal  *sealer
	path  string
	wall  func() time.Time
}

// Options are what a file is opened with.
type Options struct {
	// Key opens the file. A file that has none yet, a new one among them, gets its own data key under it.
	Key Key
	// MaxBytes is how large the file may grow: what needs more fails with ErrFull. 0 sets no limit.
	MaxBytes int64
	// Wall is the clock by which wrong keys have to wait.
	Wall func() time.Time
	// Entropy is where keys and nonces come from; crypto/rand when nil.
	Entropy io.Reader
}

// pageSize is SQLite's own.
const pageSize = 4096

// readers is how many reads go on at a time in one process.
const readers = 4

// Open opens the file, makes it if it is not there, and brings its schema up to date. A file whose schema is newer is
// refused with migrations.ErrNewer and left as it is. One that an older program made is sealed.
//
// Errors of the key: ErrKeyNeeded, *WrongKeyError, ErrKeyWeak for a first key, ErrKeyMissing, ErrKeyDamaged and
// ErrKeyDestroyed. After them nothing in the file was touched.
func Open(ctx context.Context, path string, o Options) (*DB, error) {
	return open(ctx, path, o, nil)
}

// open opens a file with its data key, or where seal is nil with the key beside it.
func open(ctx context.Context, path string, o Options, seal *sealer) (db *DB, err error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && seal == nil {
		if _, err := readKeyFile(path); errors.Is(err, errNoKeyFile) && !o.Key.strong() {
			// Not even an empty file is left of a try without a key.
			return nil, fmt.Errorf("opening %s: %w", path, o.Key.unfit())
		}
	}
	if err := create(path); err != nil {
		return nil, err
	}
	db = &DB{path: path, wall: o.Wall, seal: seal}
	// busy_timeout comes first: the pragmas behind it may have to wait for another process. What is deleted or replaced is
	// overwritten, and nothing is put into temporary files.
	options := "_txlock=immediate&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=secure_delete(1)&_pragma=temp_store(2)"
	if o.MaxBytes > 0 {
		options += fmt.Sprintf("&_pragma=max_page_count(%d)", max(1, o.MaxBytes/pageSize))
	}
	if db.write, err = sql.Open("sqlite", dsn(path, options)); err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	db.write.SetMaxOpenConns(1)
	if err := db.prepare(ctx, o); err != nil {
		_ = db.write.Close()
		return nil, fmt.Errorf("opening %s: %w", path, ofDamage(ctx, path, classify(err)))
	}
	if db.read, err = sql.Open("sqlite", dsn(path, "_pragma=busy_timeout(10000)&_pragma=query_only(1)&_pragma=temp_store(2)")); err != nil {
		_ = db.write.Close()
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	db.read.SetMaxOpenConns(readers)
	return db, nil
}

// prepare unlocks a file, and brings it up to date.
func (db *DB) prepare(ctx context.Context, o Options) error {
	if err := migrations.Check(ctx, db.write, migrations.Client); errors.Is(err, migrations.ErrNewer) {
		return err
	}
	if db.seal == nil {
		// The transaction is for its lock: of several processes one at a time makes a key, or tries one.
		err := transact(ctx, db.write, nil, nil, func(tx *Tx) (err error) {
			db.seal, err = tx.unlock(db.path, o)
			return err
		})
		if err != nil {
			return err
		}
	}
	if err := migrations.Up(ctx, db.write, migrations.Client); err != nil {
		return err
	}
	swept := true
	err := db.Write(ctx, func(tx *Tx) (err error) {
		if swept, err = tx.ensureSealed(); err != nil {
			return err
		}
		if err := tx.findWaiting(); err != nil {
			return err
		}
		return tx.namePeople()
	})
	if err != nil || swept {
		return err
	}
	return db.sweepPlain(ctx)
}

// ensureSealed seals what an older program left. It says whether what was there before lies nowhere any more.
func (tx *Tx) ensureSealed() (swept bool, err error) {
	proof, done, err := tx.sealed()
	if err != nil || proof != nil {
		return done, err
	}
	values, err := tx.sealAll()
	if err != nil {
		return false, err
	}
	return values == 0, tx.markSealed(values == 0)
}

// unlock opens the data key of a file, or makes it where there is none yet.
func (tx *Tx) unlock(path string, o Options) (*sealer, error) {
	proof, _, err := tx.sealed()
	if err != nil {
		return nil, err
	}
	k, err := readKeyFile(path)
	var data dataKey
	switch {
	case errors.Is(err, errNoKeyFile) && proof != nil:
		return nil, ErrKeyMissing
	case errors.Is(err, errNoKeyFile):
		data, err = newKeyFile(path, o.Key, entropyOr(o.Entropy))
	case err == nil:
		data, err = k.unlock(path, o.Key, o.now())
	}
	if err != nil {
		return nil, err
	}
	if tx.seal, err = newSealer(data, o.Entropy); err != nil || proof == nil {
		return tx.seal, err
	}
	return tx.seal, tx.mine(proof)
}

func (o Options) now() time.Time {
	if o.Wall == nil {
		return hlc.Wall()
	}
	return o.Wall()
}

// sweepPlain makes sure that nothing of what is sealed now lies in the file, or its log, as it was before. Where it can't
// be done now, for want of room or because another program reads, it is done when the file is opened next.
func (db *DB) sweepPlain(ctx context.Context) error {
	var busy, log, moved int
	_, err := db.write.ExecContext(ctx, `VACUUM`)
	if err == nil {
		err = db.write.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &log, &moved)
	}
	if err = classify(err); errors.Is(err, ErrFull) || errors.Is(err, ErrBusy) || busy != 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("sweeping the file: %w", err)
	}
	return db.Write(ctx, func(tx *Tx) error { return tx.exec(`UPDATE sealing SET swept = 1`) })
}

// ChangeKey puts a new key in the place of the old one. Only the data key is wrapped anew. Other programs that have the
// file open go on.
func (db *DB) ChangeKey(ctx context.Context, old, next Key) error {
	if !next.strong() {
		return next.unfit()
	}
	return db.Write(ctx, func(*Tx) error { // for its lock, as above
		k, err := readKeyFile(db.path)
		if errors.Is(err, errNoKeyFile) {
			err = ErrKeyMissing
		}
		if err != nil {
			return err
		}
		data, err := k.unlock(db.path, old, db.now())
		if err != nil {
			return err
		}
		if err := k.wrap(data, next, db.seal.entropy); err != nil {
			return err
		}
		return k.write(db.path)
	})
}

// Path is where the file lies.
func (db *DB) Path() string { return db.path }

// Verify tries a key, which counts as it does when the file is opened.
func (db *DB) Verify(ctx context.Context, key Key) error {
	return db.Write(ctx, func(*Tx) error { // for its lock, as above
		k, err := readKeyFile(db.path)
		if errors.Is(err, errNoKeyFile) {
			err = ErrKeyMissing
		}
		if err != nil {
			return err
		}
		_, err = k.unlock(db.path, key, db.now())
		return err
	})
}

// SetLabel keeps whose file it is.
func (db *DB) SetLabel(ctx context.Context, l Label) error {
	return db.Write(ctx, func(*Tx) error { // for its lock, as above
		k, err := readKeyFile(db.path)
		if err != nil || k.Label == l {
			return err
		}
		k.Label = l
		return k.write(db.path)
	})
}

// Label is whose file it is.
func (db *DB) Label() (Label, error) { return LabelOf(db.path) }

func (db *DB) now() time.Time { return Options{Wall: db.wall}.now() }

// Destroy destroys the data key, for good: nothing in the file can be read any more, by nobody. The file itself stays; its emergency
// card, and alerts that wait beside it, go. Calls that come later fail with ErrKeyDestroyed, as opening does. It may be repeated, but not be called within a transaction.
func (db *DB) Destroy(ctx context.Context) error {
	var err error
	tried := false
	// The transaction is for its lock: a program that is just trying a PIN would put the key back when it notes the outcome.
	_ = db.Write(ctx, func(*Tx) error {
		tried, err = true, destroy(db.path)
		return err
	})
	if !tried { // the file is damaged, or held for too long: its key goes all the same
		err = destroy(db.path)
	}
	if err == nil {
		db.seal.keys.Store(nil)
		err = forget(db.path)
	}
	return err
}

// DestroyIf destroys the data key as Destroy does, if check finds nothing against it in a transaction in which nobody can write
// any more.
func (db *DB) DestroyIf(ctx context.Context, check func(*Tx) error) error {
	destroyed := false
	err := db.Write(ctx, func(tx *Tx) error {
		if err := check(tx); err != nil {
			return err
		}
		err := destroy(db.path)
		destroyed = err == nil
		return err
	})
	if destroyed {
		db.seal.keys.Store(nil)
		return forget(db.path)
	}
	return err
}

// ofDamage says of an error that SQLite has no code for whether the file is damaged: where pages are missing, a table
// may be there and not there.
func ofDamage(ctx context.Context, path string, err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) || e.Code()&0xff != lib.SQLITE_ERROR {
		return err
	}
	if healthy, herr := Healthy(ctx, path); herr != nil || healthy {
		return err
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

// create makes an empty file that only its owner can read. SQLite gives the files beside it the same mode.
func create(path string) error {
	f, err := os.OpenFile(filepath.Clean(path), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	return f.Close()
}

// dsn names the file as a URI, so that no character of its path is taken for anything else.
func dsn(path, options string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	path = filepath.ToSlash(path)
	if filepath.VolumeName(path) != "" {
		path = "/" + path // file:///C:/…
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: options}).String()
}

// Close waits for what is under way and closes the file.
func (db *DB) Close() error {
	return errors.Join(classify(db.read.Close()), classify(db.write.Close()))
}

// Tx is one transaction. It ends with the function that it was handed to.
type Tx struct {
	ctx  context.Context
	sql  *sql.Tx
	seal *sealer
	// worker is the tablet's, once somebody has asked for it.
	worker hlc.ID
}

// Write runs f in a transaction that commits when f returns nil; then what f wrote is on the disk. It waits for other
// writers as long as ctx lets it. Once f runs, ctx no longer interrupts: it takes milliseconds.
func (db *DB) Write(ctx context.Context, f func(*Tx) error) error {
	return transact(ctx, db.write, nil, db.seal, f)
}

// Read runs f on one snapshot.
func (db *DB) Read(ctx context.Context, f func(*Tx) error) error {
	return transact(ctx, db.read, &sql.TxOptions{ReadOnly: true}, db.seal, f)
}

func transact(ctx context.Context, db *sql.DB, options *sql.TxOptions, seal *sealer, f func(*Tx) error) (err error) {
	if seal.destroyed() {
		return ErrKeyDestroyed
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return classify(err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	ctx = context.WithoutCancel(ctx)
	tx, err := conn.BeginTx(ctx, options)
	if err != nil {
		return classify(err)
	}
	defer func() { _ = tx.Rollback() }() // does nothing after a commit
	if err := f(&Tx{ctx: ctx, sql: tx, seal: seal}); err != nil {
		return classify(err)
	}
	return classify(tx.Commit())
}

func (tx *Tx) exec(query string, args ...any) error {
	_, err := tx.sql.ExecContext(tx.ctx, query, args...)
	return err
}

// each runs a query and hands every row to scan.
func (tx *Tx) each(scan func(row) error, query string, args ...any) (err error) {
	rows, err := tx.sql.QueryContext(tx.ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// row is one row of a query.
type row interface{ Scan(...any) error }

// classify names what SQLite's codes say about the file, so that no caller needs to know SQLite.
func classify(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() & 0xff {
	case lib.SQLITE_FULL:
		return fmt.Errorf("%w: %w", ErrFull, err)
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return fmt.Errorf("%w: %w", ErrBusy, err)
	default:
		return err
	}
}
