package server

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Backups says how a server backs itself up.
type Backups struct {
	// Dir is where backups go: best on another disk, since a backup makes changes durable. No backups are made when empty.
	Dir string
	// Every is how long after one backup the next is made; 15 minutes when 0.
	Every time.Duration
	// Keep is how many are kept; 24 when 0.
	Keep int
}

// The defaults of Backups.
const (
	DefaultBackupEvery = 15 * time.Minute
	DefaultBackupKeep  = 24
)

// backupTime is the time in the name of a backup.
const backupTime = "20060102T150405.000Z"

// backupAgain is how long after a backup that failed the next is tried.
const backupAgain = time.Minute

// BackUp makes a backup in the folder for backups now, removes those that are too many, and lets the changes that it
// holds count as durable.
func (s *Server) BackUp(ctx context.Context) (*Backed, error) {
	s.backingUp.Lock()
	defer s.backingUp.Unlock()
	at, began := s.config.Wall(), time.Now()
	backed, err := s.backUp(ctx, at)
	if err != nil {
		if ctx.Err() == nil { // the server was not told to stop
			s.measures.BackupFailed()
		}
		return nil, err
	}
	s.measures.BackedUp(at, time.Since(began), backed.Bytes)
	return backed, nil
}

func (s *Server) backUp(ctx context.Context, at time.Time) (*Backed, error) {
	c := s.config.Backups
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, err
	}
	name := s.backupName()
	// A server that was killed in the middle of a backup left a part of it.
	parts, err := filepath.Glob(filepath.Join(globEscaper.Replace(c.Dir), globEscaper.Replace(name)+"-*.part*"))
	if err != nil {
		return nil, err
	}
	for _, part := range parts {
		if err := os.Remove(part); err != nil {
			return nil, err
		}
	}
	backed, err := Backup(ctx, s.config.DB, filepath.Join(c.Dir, s.backupFile(at)), false)
	if err != nil {
		return nil, err
	}
	// The backup is there. What fails from here on, on another disk perhaps, does not unmake it.
	if err := errors.Join(s.noteDurable(ctx, backed), s.removeOldBackups()); err != nil {
		s.config.Log.Error("after a backup", "error", err)
	}
	return backed, nil
}

// noteDurable lets the changes that a backup holds count as durable.
func (s *Server) noteDurable(ctx context.Context, backed *Backed) error {
	var errs []error
	for _, of := range backed.Deployments {
		if d := s.deployments.Get(of.Deployment); d != nil {
			errs = append(errs, d.Syncing.Durable(ctx, of.have))
		}
	}
	return errors.Join(errs...)
}

func (s *Server) removeOldBackups() error {
	made, err := s.backupsMade()
	for _, old := range made[:max(0, len(made)-s.config.Backups.Keep)] {
		err = errors.Join(err, os.Remove(filepath.Join(s.config.Backups.Dir, s.backupFile(old))))
	}
	return err
}

// globEscaper makes a path stand for itself in a pattern.
var globEscaper = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`)

// backupName is what the names of this database's backups begin with.
func (s *Server) backupName() string {
	return s.at.Name()
}

func (s *Server) backupFile(at time.Time) string {
	return s.backupName() + "-" + at.UTC().Format(backupTime) + ".db"
}

// backupsMade are the times of the backups in the folder, ascending.
func (s *Server) backupsMade() ([]time.Time, error) {
	files, err := os.ReadDir(s.config.Backups.Dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	var made []time.Time
	for _, f := range files {
		rest, ok := strings.CutPrefix(f.Name(), s.backupName()+"-")
		if !ok {
			continue
		}
		if at, err := time.Parse(backupTime+".db", rest); err == nil {
			made = append(made, at)
		}
	}
	slices.SortFunc(made, time.Time.Compare)
	return made, nil
}

// keepBackedUp makes backups until ctx is done. One that fails is logged, and the server goes on.
func (s *Server) keepBackedUp(ctx context.Context) {
	next := time.NewTimer(s.firstBackup())
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		}
		began := time.Now()
		backed, err := s.BackUp(ctx)
		switch {
		case err == nil:
			s.config.Log.Info("backed up", "file", backed.File, "bytes", backed.Bytes, "took", time.Since(began).Round(time.Millisecond))
			next.Reset(s.config.Backups.Every)
		case ctx.Err() != nil:
			return
		default:
			s.config.Log.Error("the backup FAILED; changes are not durable until one succeeds", "folder", s.config.Backups.Dir, "error", err)
			next.Reset(min(backupAgain, s.config.Backups.Every))
		}
	}
}

// firstBackup is how long to wait for the first backup: an earlier run may have made one a moment ago.
func (s *Server) firstBackup() time.Duration {
	made, err := s.backupsMade()
	if err != nil || len(made) == 0 {
		return 0
	}
	newest := made[len(made)-1]
	s.measures.BackupThere(newest)
	return min(max(s.config.Backups.Every-s.config.Wall().Sub(newest), 0), s.config.Backups.Every)
}
