package server

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"

	"levee/server/internal/closeout"
	"levee/server/internal/database"
	"levee/server/internal/webui"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
)

// archivesSuffix is what the folder of archives adds to the name of the database beside which it stands.
const archivesSuffix = ".archives"

// archives makes archives for the pages, and keeps the newest one of each deployment for a while. They have no personal data of
// clients, but would fill the disk.
type archives struct {
	config Config
	dir    string
	closed chan struct{}

	mu   sync.Mutex
	kept map[hlc.ID]webui.KeptArchive
}

// keepArchiveFor is how long an archive waits to be taken.
const keepArchiveFor = time.Hour

// newArchives has none: what a server before it kept is gone.
func newArchives(c Config) (*archives, error) {
	if c.After == nil {
		c.After = time.After
	}
	a := &archives{config: c, dir: database.At(c.DB).Beside(c.Keys, archivesSuffix), closed: make(chan struct{}), kept: map[hlc.ID]webui.KeptArchive{}}
	return a, os.RemoveAll(a.dir)
}

// Make implements webui.Archives.
func (a *archives) Make(ctx context.Context, deployment hlc.ID, tell closeout.Tell) error {
	if err := os.MkdirAll(a.dir, 0o700); err != nil {
		return err
	}
	made, err := Archive(ctx, a.config.DB, a.file(deployment), ArchiveOptions{Keys: a.config.Keys, Deployment: deployment.String(), Wall: a.config.Wall,
		Progress: func(step ArchiveStep, done, of uint64) {
			at, parts := step.Place()
			tell(closeout.Progress{Part: closeout.Part{Name: string(step), Said: step.Said(), At: at, Parts: parts}, Done: done, Of: of})
		}})
	var refused *Refusal
	if errors.As(err, &refused) && (refused.Code == NotCertified || refused.Code == NotClosed) {
		return problem.New(problem.Uncertified)
	}
	if err != nil {
		return err
	}
	info, err := os.Stat(made.File)
	if err != nil {
		return err
	}
	one := webui.KeptArchive{Edition: made.Edition, Size: info.Size(), Until: a.config.Wall().Add(keepArchiveFor)}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.kept[deployment] = one
	go a.forget(deployment, one, a.config.After(keepArchiveFor))
	return nil
}

func (a *archives) file(deployment hlc.ID) string {
	return filepath.Join(a.dir, deployment.String()+".levee")
}

// forget removes an archive when it was kept long enough, unless a newer one has its place by then.
func (a *archives) forget(deployment hlc.ID, one webui.KeptArchive, over <-chan time.Time) {
	select {
	case <-a.closed:
		return
	case <-over:
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.kept[deployment] != one {
		return
	}
	delete(a.kept, deployment)
	if err := os.Remove(a.file(deployment)); err != nil {
		a.config.Log.Error("an archive", "error", err)
	}
}

// Kept implements webui.Archives.
func (a *archives) Kept(deployment hlc.ID) (webui.KeptArchive, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	one, ok := a.kept[deployment]
	return one, ok && !a.config.Wall().After(one.Until)
}

// Open implements webui.Archives.
func (a *archives) Open(deployment hlc.ID) (*os.File, error) {
	if _, ok := a.Kept(deployment); !ok {
		return nil, problem.New(problem.NotFound)
	}
	return os.Open(a.file(deployment))
}

// Close removes all of them. Nothing may be made any more.
func (a *archives) Close() error {
	close(a.closed)
	return os.RemoveAll(a.dir)
}
