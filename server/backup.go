package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"levee/server/internal/database"
	"levee/server/internal/progress"
	"levee/server/internal/store"
	"levee/server/internal/store/sqlite"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
)

// Contents is what a database holds of one deployment.
type Contents struct {
	Deployment hlc.ID `json:"deployment"`
	// Position is how long the change log is, Changes how many changes are in it.
	Position uint64 `json:"position"`
	Changes  int    `json:"changes"`
	// Newest is the time of the newest change.
	Newest time.Time `json:"newest"`

	have map[hlc.Replica]uint64
}

// Backed is a backup that was made and verified.
type Backed struct {
	File        string     `json:"file"`
	Bytes       int64      `json:"bytes"`
	Deployments []Contents `json:"deployments"`
}

// Backup copies a database as it is at one moment, also while a server runs on it, and verifies the copy before it gets
// its name: every page, the chain of the change log, and that of each replica. A file that is there is not overwritten
// unless told. The server's keys and its journal are not in it.
func Backup(ctx context.Context, db, file string, overwrite bool) (*Backed, error) {
	if at := database.At(db); at.OnPostgres() {
		return nil, refuse(PostgresBackups, nil, at)
	}
	if _, err := os.Stat(db); err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	if err := free(file, overwrite); err != nil {
		return nil, err
	}
	part := file + ".part"
	if err := removeDatabase(part); err != nil { // of a backup that was broken off
		return nil, err
	}
	if err := sqlite.Copy(ctx, db, part); err != nil {
		if problem.CodeOf(err) == problem.StorageFull {
			return nil, refuse(DiskFull, err, file)
		}
		return nil, refusedAt(database.At(db), err)
	}
	backed, err := finishBackup(ctx, part, file, overwrite)
	if err != nil {
		return nil, errors.Join(refusedAt(database.At(db), err), removeDatabase(part))
	}
	return backed, nil
}

func finishBackup(ctx context.Context, part, file string, overwrite bool) (*Backed, error) {
	contents, err := verify(ctx, part)
	if err != nil && !errors.Is(err, errNoDeployment) { // nobody has set the server up yet
		return nil, err
	}
	info, err := os.Stat(part)
	if err != nil {
		return nil, err
	}
	if err := free(file, overwrite); err != nil {
		return nil, err
	}
	if err := os.Rename(part, file); err != nil {
		return nil, err
	}
	return &Backed{File: file, Bytes: info.Size(), Deployments: contents}, sqlite.Sync(file)
}

// free refuses the name of a file that is there.
func free(file string, overwrite bool) error {
	_, err := os.Lstat(file)
	switch {
	case err == nil && !overwrite:
		return refuse(BackupThere, nil, file)
	case errors.Is(err, fs.ErrNotExist):
		return nil
	default:
		return err
	}
}

// removeDatabase removes a database that nobody uses, and what SQLite may have left beside it.
func removeDatabase(path string) error {
	var errs []error
	for _, suffix := range []string{"-journal", "-shm", "-wal", ""} {
		if err := os.Remove(path + suffix); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// verify looks through a database that nobody has open, and tells what it holds. What does not hold is
// store.ErrDamaged. Totals and records are left out: they can be made again from the log, and a fault in them must not
// keep a server from being backed up.
func verify(ctx context.Context, path string) ([]Contents, error) {
	faults, err := sqlite.Integrity(ctx, path, true)
	if err != nil {
		return nil, err
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("%w: %s", store.ErrDamaged, faults[0])
	}
	db, err := sqlite.OpenStill(ctx, path)
	if err != nil {
		return nil, err
	}
	contents, err := contentsOf(ctx, db)
	return contents, errors.Join(err, db.Close())
}

func contentsOf(ctx context.Context, db *store.DB) ([]Contents, error) {
	ids, err := db.Deployments(ctx)
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return nil, someone(ctx, db)
	}
	var all []Contents
	for _, id := range ids {
		log, err := progress.Verify(ctx, db.Deployment(id), id)
		if err != nil {
			return nil, err
		}
		if len(log.Faults) > 0 {
			return nil, fmt.Errorf("%w: %s: %s", store.ErrDamaged, log.Faults[0].Code, log.Faults[0].Detail)
		}
		all = append(all, Contents{Deployment: id, Position: log.Position, Changes: log.Changes, Newest: log.Time.Wall(), have: log.Have})
	}
	return all, nil
}

// Print tells what was made, in Chinese for a tag "zh…", else in English.
func (b *Backed) Print(w io.Writer, lang string) error {
	say := backupWords[chinese(lang)]
	_, err := fmt.Fprintf(w, say.made, b.File, megabytes(b.Bytes))
	for _, d := range b.Deployments {
		_, werr := fmt.Fprintf(w, say.holds, d.Deployment, d.Position, d.Changes, d.Newest.Local().Format(time.DateTime))
		err = errors.Join(err, werr)
	}
	_, werr := io.WriteString(w, say.apart)
	return errors.Join(err, werr)
}

var backupWords = map[bool]struct{ made, holds, apart string }{
	false: {
		made:  "Backup %s made and verified: %s.\n",
		holds: "Deployment %v: %d positions, %d changes, the newest of %s.\n",
		apart: "The server's keys and its journal are not in it: keep copies of them, and not beside the backups.\n",
	},
	true: {
		made:  "备份 %s 已完成并通过核验：%s。\n",
		holds: "行动 %v：%d 个位置，%d 条更改，最新一条 %s。\n",
		apart: "服务器的密钥（.keys）和日志文件（.journal）不在备份里：请另外保存，不要和备份放在一起。\n",
	},
}

func chinese(lang string) bool { return len(lang) >= 2 && lang[:2] == "zh" }

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
