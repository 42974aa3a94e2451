package closeout

import (
	"context"
	"sync"
	"time"

	"levee/server/internal/progress"
	"levee/syncproto/problem"
)

// blocked is how many checks stood in the way when that was last counted.
type blocked struct {
	mu       sync.Mutex
	counting bool
	known    bool
	version  progress.Version
	at       time.Time
	n        int
}

// Limits of a count: how long it is good while nothing else has changed, since a backup moves no log; and how long it may take.
const (
	blockedFor  = time.Minute
	blockedTime = 3 * time.Second
)

// Blocked is how many checks stand in the way, for a line on pages that show no more: it is counted anew only once something has
// changed, and by one at a time. It is false while that is not known, because much has still to be sorted in.
func (s *Service) Blocked(ctx context.Context) (n int, known bool, err error) {
	version, err := s.Progress.Version(ctx)
	if err != nil {
		return 0, false, err
	}
	b, now := &s.blocked, s.Wall()
	b.mu.Lock()
	if b.counting || b.known && b.version == version && now.Sub(b.at) < blockedFor {
		defer b.mu.Unlock()
		return b.n, b.known, nil
	}
	b.counting = true
	b.mu.Unlock()
	counting, stop := context.WithTimeout(ctx, blockedTime)
	defer stop()
	list, err := s.Checklist(counting)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.counting = false
	switch {
	case err == nil:
		b.known, b.version, b.at, b.n = true, version, now, list.Blocked()
	case problem.CodeOf(err) == problem.Busy || counting.Err() != nil && ctx.Err() == nil:
		err = nil
	}
	return b.n, b.known, err
}
