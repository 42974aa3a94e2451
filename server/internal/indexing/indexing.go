// Package indexing keeps the tables from which the supervisor's desk is answered, so that no page looks through a
// deployment: where each record stands with its reviews, which records are likely of one thing, which cases wait for
// somebody, and which words stand where.
//
// It is a follower: it reads the change log after its own cursor, right after each commit, and brings the rows of the
// records that changed up to date, a few at a time, in transactions of its own. Nothing is counted here that package tally
// does not say, and all of it can be made anew from the records. So a page may be a moment behind; Wait is for one that
// shows what somebody just did.
package indexing

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"levee/server/internal/syncing"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// Config is what a Service needs.
type Config struct {
	Store Store
	SetUp func() *syncing.SetUp
	// Wall is the server's clock.
	Wall func() time.Time
	// After tells when a time has passed; time.After when nil.
	After func(time.Duration) <-chan time.Time
	// Busy reports whether what tablets sent is being written, or waits for that. It may be nil.
	Busy func() bool
	// Failed is told of an error that nobody waits for. It may be nil.
	Failed func(error)
	// Indexed is told, after each transaction, of the position up to which the tables hold everything. It may be nil.
	Indexed func(position uint64)
}

// Service follows one deployment and answers from its tables.
type Service struct {
	Config
	// noticed and heard hold a sign each that the log has grown: by this server, and by another.
	noticed, heard chan struct{}
	stop           context.CancelFunc
	gone           sync.WaitGroup

	// notices is how often Notice was called. hurry has something in it when somebody begins to wait.
	notices atomic.Uint64
	hurry   chan struct{}

	mu       sync.Mutex
	position uint64
	// waiting is how many wait for the position to move.
	waiting int
	// moved is closed when the position moves, and replaced.
	moved chan struct{}
}

// New is a service that does not follow yet.
func New(c Config) *Service {
	if c.After == nil {
		c.After = time.After
	}
	if c.Busy == nil {
		c.Busy = func() bool { return false }
	}
	if c.Failed == nil {
		c.Failed = func(error) {}
	}
	if c.Indexed == nil {
		c.Indexed = func(uint64) {}
	}
	return &Service{Config: c, noticed: make(chan struct{}, 1), heard: make(chan struct{}, 1), hurry: make(chan struct{}, 1), moved: make(chan struct{})}
}

// Start follows the log until Close.
func (s *Service) Start() {
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.Notice()
	s.gone.Go(func() { s.run(ctx) })
}

// Close ends the following, in the middle if need be: it goes on from there after the next Start. Again is fine.
func (s *Service) Close() {
	if s.stop != nil {
		s.stop()
		s.gone.Wait()
	}
}

// Notice says that the log has grown. It never waits.
func (s *Service) Notice() {
	s.notices.Add(1)
	select {
	case s.noticed <- struct{}{}:
	default:
	}
}

// Hear says that another server has made the log grow, and will index that itself. It never waits.
func (s *Service) Hear() {
	select {
	case s.heard <- struct{}{}:
	default:
	}
}

// leaveFor is how long what another server has written is left to it. It may have died.
const leaveFor = 2 * time.Second

// retryAfter is how long a follower that failed waits before it tries again.
const retryAfter = 5 * time.Second

func (s *Service) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.noticed:
		case <-s.heard:
			select {
			case <-ctx.Done():
				return
			case <-s.noticed:
			case <-s.hurry:
			case <-s.After(leaveFor):
			}
			behind, err := s.Behind(ctx)
			if err == nil && behind == 0 {
				continue
			}
		}
		err := s.follow(ctx, s.calm(ctx))
		if err == nil || ctx.Err() != nil {
			continue
		}
		s.Failed(fmt.Errorf("indexing: %w", err))
		select {
		case <-ctx.Done():
			return
		case <-s.After(retryAfter):
			s.Notice()
		}
	}
}

// Follow brings the tables up to the end of the log. While Start follows, nobody needs to call it.
func (s *Service) Follow(ctx context.Context) error { return s.follow(ctx, func() {}) }

// follow does so, and calls before ahead of each step.
func (s *Service) follow(ctx context.Context, before func()) error {
	for {
		before()
		more, err := s.step(ctx)
		if err != nil || !more {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// How long a pause in the commits must be for the follower to go on, and how long it waits for pauses until it has followed to the end.
const (
	calmAfter  = 50 * time.Millisecond
	calmAtMost = time.Second
)

// calm gives what waits, each time that it is called, for a pause, in which nothing is written and nothing waits to be: tablets go first.
// It does not wait while somebody waits for the tables.
func (s *Service) calm(ctx context.Context) func() {
	rounds, seen := calmAtMost/calmAfter, uint64(0)
	return func() {
		for ; rounds > 0 && (s.notices.Load() != seen || s.Busy()) && !s.awaited(); rounds-- {
			seen = s.notices.Load()
			select {
			case <-ctx.Done():
				return
			case <-s.hurry:
				return
			case <-s.After(calmAfter):
			}
		}
	}
}

func (s *Service) awaited() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waiting > 0
}

// step indexes what the next entries of the log touched, and tells whether there are more.
func (s *Service) step(ctx context.Context) (more bool, err error) {
	most := chunk
	if s.Busy() {
		most = busyChunk
	}
	var position uint64
	err = s.Store.Index(ctx, func(tx Writing) (err error) {
		defer func() {
			if v := recover(); v != nil {
				err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
			}
		}()
		position, more, err = follow(tx, most)
		return err
	})
	if err == nil {
		s.advance(position)
	}
	return more, err
}

func (s *Service) advance(position uint64) {
	s.mu.Lock()
	was := s.position
	s.position = position
	if position != was {
		close(s.moved)
		s.moved = make(chan struct{})
	}
	s.mu.Unlock()
	if position != was {
		s.Indexed(position)
	}
}

// Wait returns once the tables hold everything up to a position. Problem busy when ctx ends before that.
func (s *Service) Wait(ctx context.Context, position uint64) error {
	s.await(1)
	defer s.await(-1)
	for asked := false; ; asked = true {
		s.mu.Lock()
		there, moved := s.position >= position, s.moved
		s.mu.Unlock()
		if there {
			return nil
		}
		if !asked {
			s.Notice() // another server may be about to, or have done it; nobody need wait for that
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return problem.New(problem.Busy)
		}
	}
}

// await counts who waits, and hurries the follower for them.
func (s *Service) await(by int) {
	s.mu.Lock()
	s.waiting += by
	s.mu.Unlock()
	if by > 0 {
		select {
		case s.hurry <- struct{}{}:
		default:
		}
	}
}

// CatchUp waits until all that is committed by now is indexed, and indexes it where nobody follows. Problem busy when ctx
// ends before.
func (s *Service) CatchUp(ctx context.Context) error {
	if s.stop == nil {
		return s.Follow(ctx)
	}
	var head syncing.Head
	err := s.Store.LookUp(ctx, func(tx Reading) (err error) {
		head, err = tx.Head()
		return err
	})
	if err != nil {
		return err
	}
	return s.Wait(ctx, head.Position)
}

// Behind is how many positions of the log are not in the tables yet.
func (s *Service) Behind(ctx context.Context) (behind uint64, err error) {
	err = s.Store.LookUp(ctx, func(tx Reading) error {
		head, err := tx.Head()
		if err != nil {
			return err
		}
		at, err := tx.Cursor()
		if err != nil {
			return err
		}
		if at.Version != version {
			at.Position = 0
		}
		behind = head.Position - min(at.Position, head.Position)
		return nil
	})
	return behind, err
}

// today is the last day of which a page tells.
func (s *Service) today() record.Date { return record.DateOf(s.Wall(), s.SetUp().Location) }
