package sqlite

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"levee/migrations"
	"levee/server/internal/store"
	"levee/syncproto/hlc"
)

// Extract copies what one deployment has in a database, as it is at one moment, to a database in a file that is not there yet.
// Whoever uses the first goes on meanwhile. After an error something may be left of the second.
func Extract(ctx context.Context, from, to string, deployment hlc.ID) (err error) {
	defer func() { err = classify(err) }()
	db, err := makeScratch(ctx, to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := conn.ExecContext(ctx, `ATTACH $1 AS live`, uri(from, nil)+"?mode="+modeToCopy(from)); err != nil {
		return err
	}
	tx, err := conn.BeginTx(ctx, nil) // all that is read in it is of one moment
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	for _, table := range store.Copied {
		if _, err := tx.ExecContext(ctx, `INSERT INTO main.`+table+` SELECT * FROM live.`+table+` WHERE deployment = $1`, deployment[:]); err != nil { //nolint:gosec // a name from the list above
			return fmt.Errorf("copying %s: %w", table, err)
		}
	}
	return tx.Commit()
}

// ExtractFrom does so from a database that is open, of whichever engine.
func ExtractFrom(ctx context.Context, from *store.DB, to string, deployment hlc.ID) (err error) {
	db, err := MakeScratch(ctx, to)
	if err != nil {
		return err
	}
	return errors.Join(store.Copy(ctx, from, db, deployment, store.Copied), db.Close())
}

// MakeScratch makes an empty database in a file that is not there yet. What is written to it need not survive a crash, before Sync.
func MakeScratch(ctx context.Context, path string) (*store.DB, error) {
	made, err := makeScratch(ctx, path)
	if err != nil {
		return nil, classify(err)
	}
	if err := made.Close(); err != nil {
		return nil, err
	}
	return OpenScratch(ctx, path)
}

// Refill empties what is kept by day in a database that Extract made. Who opens it next fills it anew, from what the records say by then.
func Refill(ctx context.Context, path string) (err error) {
	defer func() { err = classify(err) }()
	db, err := sql.Open("sqlite", dsn(path, "immediate", scratch...))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for _, table := range store.ByDay {
		if _, err := db.ExecContext(ctx, `DELETE FROM `+table); err != nil { //nolint:gosec // a name from the list above
			return fmt.Errorf("emptying %s: %w", table, err)
		}
	}
	_, err = db.ExecContext(ctx, `UPDATE deployments SET days = 0`)
	return err
}

// scratch are the pragmas of a database that nobody needs any more after a crash: nothing waits for the disk. What SQLite puts aside
// goes into files, so that memory does not grow with the database.
var scratch = []string{"journal_mode(WAL)", "synchronous(OFF)", "cache_size(-16000)", "temp_store(FILE)", "secure_delete(ON)"}

// makeScratch makes an empty database of a server.
func makeScratch(ctx context.Context, path string) (*sql.DB, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) //nolint:gosec // in a folder that was made for it
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", dsn(path, "immediate", scratch...))
	if err != nil {
		return nil, err
	}
	if err := migrations.Up(ctx, db, migrations.SQLite); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// OpenScratch opens a database that Extract made, or a copy of one, and brings its schema up to date. What is written to it need not
// survive a crash.
func OpenScratch(ctx context.Context, path string) (*store.DB, error) {
	return open(ctx, path, scratch, func(string) (store.Disk, error) { return nil, nil })
}

// Compact writes a database anew to a file that is not there yet, so that it holds nothing but what is stored, marks it as an archive, and
// leaves it on the disk. It can be read from a disk that can't be written, and Open refuses it.
func Compact(ctx context.Context, from, to string, version int) (err error) {
	defer func() { err = classify(err) }()
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) //nolint:gosec // the operator names the file
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil { // it is empty, and SQLite takes it
		return err
	}
	db, err := sql.Open("sqlite", dsn(from, "immediate", scratch...))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for _, statement := range []string{fmt.Sprintf("PRAGMA application_id = %d", archiveID), fmt.Sprintf("PRAGMA user_version = %d", version)} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	if _, err := db.ExecContext(ctx, `VACUUM INTO $1`, to); err != nil {
		return err
	}
	return Sync(to)
}

// archiveID is the application id of an archive, as file(1) shows it: "LEVA".
const archiveID = 0x4c455641

// Unmark takes the mark of an archive from a copy of one, so that a server may run on it.
func Unmark(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", uri(path, nil))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "PRAGMA application_id = 0")
	return errors.Join(err, db.Close())
}

// refuseArchive refuses a file that is marked as an archive: whatever is written to it, it no longer verifies. It looks at the header
// of SQLite's files alone.
func refuseArchive(path string) error {
	header := make([]byte, applicationIDAt+4)
	f, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return err
	}
	_, err = io.ReadFull(f, header)
	if err := errors.Join(f.Close()); err != nil {
		return err
	}
	if err == nil && binary.BigEndian.Uint32(header[applicationIDAt:]) == archiveID {
		return store.ErrArchive
	}
	return nil // what is too short is no archive
}

// applicationIDAt is where a SQLite file has it.
const applicationIDAt = 68
