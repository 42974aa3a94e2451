// Package alerting sees to risk alerts until a named person has confirmed them: it keeps the open ones at hand for every
// page, and tells who is on duty, one after the other, by e-mail and SMS.
package alerting

import (
	"context"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"levee/server/internal/progress"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// Store keeps one deployment.
type Store interface {
	// ReadAlerts runs fn over one snapshot. It never waits for a writer.
	ReadAlerts(ctx context.Context, fn func(Reading) error) error
	// WriteNotices runs fn in a transaction besides which nobody writes, here or on another server.
	WriteNotices(ctx context.Context, fn func(Writing) error) error
}

// Writing notes who is told.
type Writing interface {
	Reading
	// SaveNotices adds notices, or replaces what was known of them.
	SaveNotices(notices []Notice) error
}

// Reading looks things up in one snapshot.
type Reading interface {
	// OfKind are all records of a kind, by id.
	OfKind(kind recordv1.Kind) ([]syncing.Record, error)
	// Records are those of some ids that are there, in no order.
	Records(ids []hlc.ID) ([]syncing.Record, error)
	// FirstReceived is when the log first heard of a record, in milliseconds since 1970.
	FirstReceived(id hlc.ID) (int64, error)
	// Notices are those of some alerts, by alert, step, worker and channel.
	Notices(alerts []hlc.ID) ([]Notice, error)
	// Audiences are those that records of a kind have.
	Audiences(kind recordv1.Kind) ([]hlc.ID, error)
	// RecordsByDay are records of one kind and audience, the newest day first, and of one day the greatest id.
	RecordsByDay(r progress.DayRange) ([]syncing.Record, error)
}

// Config is what a Service needs.
type Config struct {
	Deployment hlc.ID
	Store      Store
	SetUp      func() *syncing.SetUp
	// Senders are the channels that are configured.
	Senders map[Channel]Sender
	// Language is "zh" or "en": that in which a worker reads.
	Language func(ctx context.Context, worker hlc.ID) string
	// URL is where people reach this server.
	URL string
	// Wall is the server's clock.
	Wall func() time.Time
	// After tells when a time has passed by that clock; time.After when nil.
	After func(time.Duration) <-chan time.Time
	// Changed is told whenever Open may give something else than before. It must not block, and may be nil.
	Changed func()
	// Tried is told of each attempt to send, with its error. It may be nil.
	Tried func(Channel, error)
	// Failed is told of an error that nobody waits for. It may be nil.
	Failed func(error)
}

// Service sees to the alerts of one deployment. It is safe for concurrent use.
type Service struct {
	config Config
	// shown is what Open gives, to be replaced and never changed.
	shown atomic.Pointer[[]shown]

	// watching is woken by commits, and sending by steps that have begun.
	watching chan struct{}
	sending  map[Channel]chan struct{}
	stop     context.CancelFunc
	gone     sync.WaitGroup

	// refreshing is held while open is brought up to date.
	refreshing sync.Mutex

	mu sync.Mutex
	// touched are alerts that changed and records that were erased; recheck says to look at what is open again, and reread at
	// all there are.
	touched         map[hlc.ID]bool
	recheck, reread bool
	open            map[hlc.ID]*alert
	// sent are when each worker was last sent something, by channel.
	sent map[Channel]map[hlc.ID][]time.Time
}

// New is a service that does nothing yet but take note of commits.
func New(c Config) *Service {
	if c.After == nil {
		c.After = time.After
	}
	if c.Changed == nil {
		c.Changed = func() {}
	}
	if c.Tried == nil {
		c.Tried = func(Channel, error) {}
	}
	if c.Failed == nil {
		c.Failed = func(error) {}
	}
	s := &Service{config: c, watching: make(chan struct{}, 1), sending: map[Channel]chan struct{}{},
		touched: map[hlc.ID]bool{}, open: map[hlc.ID]*alert{}, sent: map[Channel]map[hlc.ID][]time.Time{}}
	for channel := range c.Senders {
		s.sending[channel], s.sent[channel] = make(chan struct{}, 1), map[hlc.ID][]time.Time{}
	}
	s.shown.Store(&[]shown{})
	return s
}

// Start reads the alerts that are open, and tells people from now on. Close it in the end.
func (s *Service) Start(ctx context.Context) error {
	if err := s.read(ctx); err != nil {
		return err
	}
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	s.gone.Go(func() { s.loop(ctx, s.watching, s.watch) })
	for channel, woken := range s.sending {
		s.gone.Go(func() { s.loop(ctx, woken, func(ctx context.Context) time.Time { return s.send(ctx, channel) }) })
	}
	return nil
}

// Close ends what Start began. A message that is being sent has a moment to arrive.
func (s *Service) Close() {
	if s.stop != nil {
		s.stop()
		s.gone.Wait()
	}
}

// loop does something at once, whenever it is woken, and when it is due next; the zero time waits to be woken.
func (s *Service) loop(ctx context.Context, woken <-chan struct{}, do func(context.Context) (next time.Time)) {
	for {
		var due <-chan time.Time
		if next := do(ctx); !next.IsZero() {
			due = s.config.After(next.Sub(s.config.Wall()))
		}
		select {
		case <-woken:
		case <-due:
		case <-ctx.Done():
			return
		}
	}
}

// wake wakes a loop, which may be awake.
func wake(loop chan<- struct{}) {
	select {
	case loop <- struct{}{}:
	default:
	}
}

// Observe takes note of a commit: it is for syncing.Config.Observe, and never blocks.
func (s *Service) Observe(c syncing.Commit) {
	s.mu.Lock()
	// Whom the next step tells is in the set-up.
	s.recheck = s.recheck || c.SetUpChanged && len(s.open) > 0
	for _, r := range c.Records { // whoever comes to see an alert, or sees it no more, brings the alert itself
		if r.Kind == alertKind {
			s.touched[r.ID] = true
		}
	}
	for _, id := range c.Removed { // also of what is not open yet: it may be being read
		s.touched[id] = true
	}
	idle := !s.recheck && len(s.touched) == 0
	s.mu.Unlock()
	if !idle {
		wake(s.watching)
	}
}

// Recheck takes note that another server has changed alerts, or has told somebody of one. It never blocks.
func (s *Service) Recheck() {
	s.mu.Lock()
	s.reread = true
	s.mu.Unlock()
	wake(s.watching)
}

// Open are the open alerts that somebody sees, the worst first, and of these the oldest; all when sees is nil. It reads
// nothing but memory.
func (s *Service) Open(sees func(syncing.Record, syncing.Circle) bool) []Alert {
	var all []Alert
	for _, one := range *s.shown.Load() {
		if sees == nil || sees(one.record, one.circle) {
			all = append(all, one.alert)
		}
	}
	return all
}

// Count is how many alerts are open.
func (s *Service) Count() int { return len(*s.shown.Load()) }

// show lets Open give what is open now. The caller holds mu.
func (s *Service) show() {
	now := make([]shown, 0, len(s.open))
	for _, a := range s.open {
		one := a.shown
		one.alert.Notices = slices.Clone(a.notices)
		one.alert.Next, one.alert.NextAt = a.next(onDuty(s.config.SetUp(), a.record.Audience), Period(s.config.SetUp()))
		now = append(now, one)
	}
	slices.SortFunc(now, func(a, b shown) int { return compare(&a.alert, &b.alert) })
	if !reflect.DeepEqual(now, *s.shown.Load()) {
		s.shown.Store(&now)
		s.config.Changed()
	}
}
