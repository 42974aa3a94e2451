package closeout

import (
	"context"
	"sync"
	"time"

	"levee/server/internal/audit"
	"levee/server/internal/casefile"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/words"
)

// Step is something that may take minutes where there are many records, and is therefore done in the background: whoever asked for it
// may leave.
type Step string

// The steps.
const (
	Closing    Step = "closing"
	Issuing    Step = "issuing"
	Recounting Step = "recounting"
	BackingUp  Step = "backing_up"
	Archiving  Step = "archiving"
	Erasing    Step = "erasing"
)

// Work is a step that is being done, or the one that was done last.
type Work struct {
	Step  Step
	Began time.Time
	Progress
	// Ended is zero while it is being done. Err is what came of it then: a problem, or an error that Failed was told.
	Ended time.Time
	Err   error
}

// Progress is how far a step is.
type Progress struct {
	// Part is what is being done within it; the zero Part where it has none.
	Part Part
	// Done of Of is ready of that; Of is 0 where it is not known.
	Done, Of uint64
}

// Part is a part of a step, the At-th of Parts.
type Part struct {
	// Name is stable, Said what people call it.
	Name      string
	Said      words.Message
	At, Parts int
}

// Tell is told how far a step is.
type Tell func(Progress)

// Running reports whether it is being done.
func (w *Work) Running() bool { return w != nil && w.Ended.IsZero() }

// Recounted is a recount that was made since the server started.
type Recounted struct {
	At time.Time
	// Position is how long the log was that was counted.
	Position uint64
	Equal    bool
}

// background is what is done there: one step at a time.
type background struct {
	ctx  context.Context //nolint:containedctx // the life of the service, which no request has
	stop context.CancelFunc
	done sync.WaitGroup

	mu        sync.Mutex
	work      *Work
	recounted *Recounted
}

// Stop breaks off what is done in the background: a closing comes to nothing then.
func (s *Service) Stop() {
	s.background.stop()
	s.background.done.Wait()
}

// Work is the step that is being done or was done last; nil when there was none since the server started.
func (s *Service) Work() *Work {
	s.background.mu.Lock()
	defer s.background.mu.Unlock()
	if s.background.work == nil {
		return nil
	}
	work := *s.background.work
	return &work
}

// LastRecount is the newest recount; nil when there was none since the server started.
func (s *Service) LastRecount() *Recounted {
	s.background.mu.Lock()
	defer s.background.mu.Unlock()
	return s.background.recounted
}

// BeginClosing has Close done in the background. What can be known at once is refused at once; besides as Close: busy while another
// step is being done.
func (s *Service) BeginClosing(ctx context.Context, by casefile.Reader) error {
	if err := s.may(by); err != nil {
		return err
	}
	if s.State() != recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSING {
		return problem.New(problem.WrongState)
	}
	if s.Work().Running() {
		return problem.New(problem.Busy)
	}
	if err := s.ready(ctx, false); err != nil {
		return err
	}
	return s.begin(Closing, func(ctx context.Context) error {
		_, err := s.Close(ctx, by)
		return err
	})
}

// BeginIssuing has Issue done in the background, like BeginClosing.
func (s *Service) BeginIssuing(by casefile.Reader) error {
	if err := s.may(by); err != nil {
		return err
	}
	if !s.Syncing.SetUp().Closed() {
		return problem.New(problem.WrongState)
	}
	return s.begin(Issuing, func(ctx context.Context) error {
		_, err := s.Issue(ctx, by)
		return err
	})
}

// BeginRecount has all totals recounted in the background: LastRecount tells what came of it.
func (s *Service) BeginRecount(by casefile.Reader) error {
	if err := s.may(by); err != nil {
		return err
	}
	return s.begin(Recounting, func(ctx context.Context) error {
		list, err := s.Recount(ctx)
		if err != nil {
			return err
		}
		found := &Recounted{At: list.At, Position: list.Position, Equal: true}
		for _, c := range list.Checks {
			if c.Check == recordv1.CloseOutCheck_CLOSE_OUT_CHECK_RECOUNT {
				found.Equal = c.Open == 0
			}
		}
		s.background.mu.Lock()
		defer s.background.mu.Unlock()
		s.background.recounted = found
		return nil
	})
}

// BeginBackup has a backup made in the background, by whoever makes them.
func (s *Service) BeginBackup(by casefile.Reader, backUp func(context.Context) error) error {
	if err := s.may(by); err != nil {
		return err
	}
	return s.begin(BackingUp, backUp)
}

// BeginArchive has an archive of a closed deployment made in the background, by whoever makes them. It is noted first.
func (s *Service) BeginArchive(ctx context.Context, by casefile.Reader, archive func(context.Context, Tell) error) error {
	if err := s.may(by); err != nil {
		return err
	}
	if !s.Syncing.SetUp().Closed() {
		return problem.New(problem.WrongState)
	}
	if s.Work().Running() {
		return problem.New(problem.Busy)
	}
	if err := s.note(ctx, by, audit.ArchiveMade, audit.Subject{Kind: audit.OfDeployment, ID: s.Syncing.Deployment()}); err != nil {
		return err
	}
	return s.beginTold(Archiving, archive)
}

// BeginErasing has all personal data of a closed deployment erased in the background, by whoever does it, and then says that the
// deployment is archived. Cut off between the two, the deployment is closed still: begun again, erase finds nothing left, and it is
// archived.
func (s *Service) BeginErasing(by casefile.Reader, erase func(context.Context, Tell) error) error {
	if err := s.may(by); err != nil {
		return err
	}
	if s.State() != recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSED {
		return problem.New(problem.WrongState)
	}
	return s.beginTold(Erasing, func(ctx context.Context, tell Tell) error {
		if err := erase(ctx, tell); err != nil {
			return err
		}
		return s.Archived(ctx, by)
	})
}

// begin has a step done in the background. Problem busy while another one is.
func (s *Service) begin(step Step, do func(context.Context) error) error {
	return s.beginTold(step, func(ctx context.Context, _ Tell) error { return do(ctx) })
}

// beginTold is begin, for a step that tells how far it is.
func (s *Service) beginTold(step Step, do func(context.Context, Tell) error) error {
	b := &s.background
	b.mu.Lock()
	if b.work.Running() || b.ctx.Err() != nil {
		b.mu.Unlock()
		return problem.New(problem.Busy)
	}
	b.work = &Work{Step: step, Began: s.Wall()}
	b.mu.Unlock()
	s.changed()
	b.done.Go(func() {
		err := do(b.ctx, func(p Progress) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.work.Progress = p
		})
		if err != nil && problem.CodeOf(err) == problem.Internal && b.ctx.Err() == nil && s.Failed != nil {
			s.Failed(err)
		}
		b.mu.Lock()
		b.work.Ended, b.work.Err = s.Wall(), err
		b.mu.Unlock()
		s.changed()
	})
	return nil
}

func (s *Service) changed() {
	if s.Changed != nil {
		s.Changed()
	}
}
