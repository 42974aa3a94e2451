package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"levee/server/internal/database"
	"levee/server/internal/progress"
	"levee/server/internal/store"
	"levee/server/internal/store/sqlite"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
)

// RestoreOptions are what a restore takes from around it. The zero value is right for an operator.
type RestoreOptions struct {
	// Keys is where the server's keys are; the database's path with ".keys" when empty.
	Keys string
	// Journal is where its journal is; the database's path with ".journal" when empty.
	Journal string
	// Wall is the clock; the machine's when nil.
	Wall func() time.Time
}

// Restored is what a restore did.
type Restored struct {
	DB     string `json:"db"`
	Backup string `json:"backup"`
	// Aside is where the database that was there is now; empty when there was none.
	Aside string `json:"aside,omitempty"`
	// Deployments are what the database holds now, Before what it held; empty when that can't be read.
	Deployments []Contents `json:"deployments"`
	Before      []Contents `json:"before,omitempty"`
	// Keys is where the server looks for its keys, KeysMissing that they are not there.
	Keys        string `json:"keys"`
	KeysMissing bool   `json:"keys_missing"`
	// Journal is where the server looks for its journal, JournalMissing that it is not there.
	Journal        string `json:"journal"`
	JournalMissing bool   `json:"journal_missing"`
}

// restoreSuffix names the verified copy of a backup that is about to take the database's place. While it is there, no
// server starts: of the database and its WAL only one may be in place.
const restoreSuffix = ".restore"

// Restore puts a backup in the place of a server's database. It verifies it first, and brings it up to date if an older
// program made it. The database that was there is kept beside it, by another name; keys and journal stay as they are.
// A server must not run meanwhile.
//
// What tablets sent since the backup, they bring back by themselves.
func Restore(ctx context.Context, backup, db string, o RestoreOptions) (r *Restored, err error) {
	at := database.At(db)
	if at.OnPostgres() {
		return nil, refuse(PostgresBackups, nil, at)
	}
	if o.Wall == nil {
		o.Wall = hlc.Wall
	}
	o.Keys, o.Journal = cmp.Or(o.Keys, db+".keys"), cmp.Or(o.Journal, db+".journal") // beside a link
	db = sqlite.Resolved(db)
	if _, err := os.Stat(backup); err != nil {
		return nil, fmt.Errorf("opening the backup: %w", err)
	}
	held, err := sqlite.Hold(ctx, db, true)
	if err != nil {
		if errors.Is(err, store.ErrHeld) {
			err = refuse(DatabaseInUse, nil, db)
		}
		return nil, refusedAt(at, err)
	}
	defer func() { err = errors.Join(err, held.Close()) }()
	r = &Restored{DB: db, Backup: backup, Keys: o.Keys, Journal: o.Journal}
	next := db + restoreSuffix
	if r.Deployments, err = prepareRestore(ctx, backup, next+".part"); err != nil {
		return nil, errors.Join(err, removeDatabase(next+".part"))
	}
	r.Before = readBefore(ctx, db)
	if err := os.Rename(next+".part", next); err != nil {
		return nil, err
	}
	if err := sqlite.Sync(next); err != nil {
		return nil, err
	}
	if r.Aside, err = putAside(db, o.Wall()); err != nil {
		return nil, err
	}
	if err := os.Rename(next, db); err != nil {
		return nil, err
	}
	r.KeysMissing, r.JournalMissing = !exists(o.Keys), !exists(o.Journal)
	return r, sqlite.Sync(db)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// prepareRestore makes a copy of a backup that is verified and up to date.
func prepareRestore(ctx context.Context, backup, part string) ([]Contents, error) {
	if err := removeDatabase(part); err != nil { // of a restore that was broken off
		return nil, err
	}
	contents, err := func() ([]Contents, error) {
		if err := sqlite.Copy(ctx, backup, part); err != nil {
			return nil, err
		}
		upToDate, err := sqlite.Open(ctx, part)
		if err != nil {
			return nil, err
		}
		if err := errors.Join(noteAllDurable(ctx, upToDate), upToDate.Close()); err != nil {
			return nil, err
		}
		return verify(ctx, part)
	}()
	if errors.Is(err, store.ErrDamaged) || errors.Is(err, store.ErrForeign) || errors.Is(err, errNoDeployment) {
		err = refuse(BackupDamaged, nil, backup, err)
	}
	if err != nil {
		return nil, refusedAt(database.At(part), err)
	}
	return contents, sqlite.Sync(part)
}

// noteAllDurable notes that a backup holds everything in a database that was copied from one. The backup itself can't say
// so: it was made before it was known to be good.
func noteAllDurable(ctx context.Context, db *store.DB) error {
	ids, err := db.Deployments(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		var all syncing.Changes
		if err := db.Deployment(id).Look(ctx, func(tx progress.Reading) error {
			return tx.EachReplica(func(r syncing.Replica) error {
				r.Durable = r.Have
				all.Replicas = append(all.Replicas, r)
				return nil
			})
		}); err != nil {
			return err
		}
		if err := db.Deployment(id).Write(ctx, func(tx syncing.Writing) error { return tx.Save(all) }); err != nil {
			return err
		}
	}
	return nil
}

// readBefore is how far the database was that is about to be replaced; nothing when that can't be read, which is why
// most are.
func readBefore(ctx context.Context, path string) []Contents {
	db, err := sqlite.OpenAside(ctx, path)
	if err != nil {
		return nil
	}
	defer func() { _ = db.Close() }()
	ids, err := db.Deployments(ctx)
	if err != nil {
		return nil
	}
	var all []Contents
	for _, id := range ids {
		var head syncing.Head
		if err := db.Deployment(id).Read(ctx, func(tx syncing.Reading) (err error) {
			head, err = tx.Head()
			return err
		}); err != nil {
			return nil
		}
		all = append(all, Contents{Deployment: id, Position: head.Position, Newest: head.Time.Wall()})
	}
	return all
}

// putAside renames a database, and with it its WAL: one that was left would be taken for that of the next database.
func putAside(db string, now time.Time) (aside string, err error) {
	for n := 1; ; n++ {
		aside = db + ".before-" + now.UTC().Format("20060102T150405Z")
		if n > 1 {
			aside = fmt.Sprintf("%s-%d", aside, n)
		}
		if _, err := os.Lstat(aside); errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err := os.Remove(db + "-shm"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	found := false
	for _, suffix := range []string{"-wal", ""} {
		err := os.Rename(db+suffix, aside+suffix)
		switch {
		case err == nil:
			found = true
		case !errors.Is(err, fs.ErrNotExist):
			return "", err
		}
	}
	if !found {
		return "", nil
	}
	return aside, nil
}

// Print tells what was done, in Chinese for a tag "zh…", else in English.
func (r *Restored) Print(w io.Writer, lang string) error {
	say := restoreWords[chinese(lang)]
	var err error
	write := func(format string, args ...any) {
		_, werr := fmt.Fprintf(w, format, args...)
		err = errors.Join(err, werr)
	}
	write(say.done, r.DB, r.Backup)
	before := map[hlc.ID]uint64{}
	for _, d := range r.Before {
		before[d.Deployment] = d.Position
	}
	for _, d := range r.Deployments {
		write(say.holds, d.Deployment, d.Position, d.Changes, d.Newest.Local().Format(time.DateTime))
		if was := before[d.Deployment]; was > d.Position {
			write(say.behind, was, was-d.Position)
		}
	}
	if r.Aside != "" {
		write(say.aside, filepath.Base(r.Aside))
	}
	if r.KeysMissing {
		write(say.keys, r.Keys)
	}
	if r.JournalMissing {
		write(say.journal, r.Journal)
	}
	write("%s", say.next)
	return err
}

var restoreWords = map[bool]struct{ done, holds, behind, aside, keys, journal, next string }{
	false: {
		done:   "%s restored from %s, which was verified.\n",
		holds:  "Deployment %v: %d positions, %d changes, the newest of %s.\n",
		behind: "The database before had %d positions: the last %d come back from the tablets.\n",
		aside:  "The database before is kept as %s; remove it when all is well.\n",
		keys: "The keys are NOT at %s. Put them back from where they are kept: without them the server does not start, " +
			"the certificates of all tablets are void, and what tablets give back can't be proven and waits for a coordinator.\n",
		journal: "The journal is not at %s. Put back the copy that is kept apart, if there is one; else the tablets bring back what was in it: " +
			"until they have, a tablet that was revoked since the backup may sync.\n",
		next: "Start the server now. Each tablet sends what is missing at its next sync; nobody needs to do anything.\n",
	},
	true: {
		done:    "%s 已从备份 %s 恢复，备份通过核验。\n",
		holds:   "行动 %v：%d 个位置，%d 条更改，最新一条 %s。\n",
		behind:  "原来的数据库有 %d 个位置：最后 %d 个由平板补回。\n",
		aside:   "原来的数据库保留为 %s；确认无误后再删除。\n",
		keys:    "密钥不在 %s。请把保管的密钥放回去：没有它服务器不能启动，所有平板的证书失效，平板交还的内容无法证明来源，要等协调员确认。\n",
		journal: "日志文件不在 %s。如有另外保存的副本，请放回去；没有的话，平板会补回它的内容：在此之前，备份之后停用的平板仍能同步。\n",
		next:    "现在可以启动服务器。各平板下次同步时会自动补回缺少的内容，不需要任何人操作。\n",
	},
}
