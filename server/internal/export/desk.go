package export

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"levee/syncproto/hlc"
	"levee/syncproto/problem"
)

// The bounds of a Desk. Whoever orders more than is kept loses their oldest.
const (
	// KeepFor is how long a file waits to be taken.
	KeepFor = time.Hour
	// MaxSize is how large a file may be, in bytes.
	MaxSize = 512 << 20
	// maxAtOnce is how many are made at the same time, maxOf how many one account may have, and maxKept how many there are.
	maxAtOnce, maxOf, maxKept = 2, 4, 16
)

// DeskConfig is what a Desk needs.
type DeskConfig struct {
	// Dir is the desk's own folder, made when it is needed. What a server left there that came to a bad end is removed.
	Dir string
	// Store is where a deployment is kept.
	Store func(deployment hlc.ID) Store
	Wall  func() time.Time
	// After tells when a time has passed; time.After when nil.
	After func(time.Duration) <-chan time.Time
	// Changed is told when an export of a deployment is done, one way or the other, and when it is removed.
	Changed func(deployment hlc.ID)
	// Failed is told why one could not be made.
	Failed func(error)
}

// Desk makes exports in the background, one for each account at a time, and keeps the files until they are taken. Close it in the end.
type Desk struct {
	config DeskConfig
	// largest is how large a file may be, in bytes.
	largest int64
	// mu guards all below, and what jobs say of themselves.
	mu     sync.Mutex
	jobs   []*job // the oldest first
	closed bool
	going  sync.WaitGroup
}

// Order is what somebody wants.
type Order struct {
	Account, Deployment hlc.ID
	Format              *Format
	// Query is what they may have. Its Progress is the desk's.
	Query Query
	// Note notes in the audit log that a file of a position of the change log is made, before any record is read. What can't be noted is
	// not made.
	Note func(ctx context.Context, position uint64) error
}

// State says how far an order is.
type State int

// The states.
const (
	Running State = iota
	Ready
	Failed
	// TooLarge: it came to more than MaxSize.
	TooLarge
)

// String is the stable name of s.
func (s State) String() string { return [...]string{"running", "ready", "failed", "too_large"}[s] }

// Ordered is an order and how far it is.
type Ordered struct {
	Order
	// ID can't be guessed.
	ID    string
	State State
	// Done of Of records are read.
	Done, Of uint64
	// Ordered is when it was ordered, Until until when it is kept; zero while it is running.
	Ordered, Until time.Time
	// Position is how long the change log was, Size how large the file is, in bytes; 0 until it is ready.
	Position uint64
	Size     int64
}

type job struct {
	Ordered
	// ctx ends when nobody wants it any more.
	ctx  context.Context
	stop context.CancelFunc
	// removed is closed when nothing of it is left.
	removed chan struct{}
}

// NewDesk is a desk on which nothing lies.
func NewDesk(c DeskConfig) (*Desk, error) {
	if c.After == nil {
		c.After = time.After
	}
	return &Desk{config: c, largest: MaxSize}, os.RemoveAll(c.Dir)
}

// Close breaks off what is being made and removes all files.
func (d *Desk) Close() error {
	d.mu.Lock()
	d.closed = true
	for _, j := range d.jobs {
		j.stop()
	}
	d.jobs = nil
	d.mu.Unlock()
	d.going.Wait()
	return os.RemoveAll(d.config.Dir)
}

// Start begins to make what is ordered. It is refused as too_many_requests while another of the account is being made, or too many are;
// as invalid_argument where it asks for what the format does not hold.
func (d *Desk) Start(o Order) (Ordered, error) {
	if err := o.Format.holds(&o.Query); err != nil {
		return Ordered{}, err
	}
	j, err := d.enter(o)
	if err != nil {
		return Ordered{}, err
	}
	started := j.Ordered
	go d.run(j)
	return started, nil
}

// enter puts an order on the desk.
func (d *Desk) enter(o Order) (*job, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	running, own := 0, 0
	for _, j := range d.jobs {
		if j.Account == o.Account {
			own++
		}
		if j.State == Running {
			running++
			if j.Account == o.Account {
				return nil, problem.New(problem.TooManyRequests)
			}
		}
	}
	switch {
	case d.closed:
		return nil, problem.New(problem.Unavailable)
	case running >= maxAtOnce:
		return nil, problem.New(problem.TooManyRequests)
	case own >= maxOf:
		d.dropOldest(func(j *job) bool { return j.Account == o.Account })
	case len(d.jobs) >= maxKept:
		d.dropOldest(func(*job) bool { return true })
	}
	j := &job{Ordered: Ordered{Order: o, ID: rand.Text(), Ordered: d.config.Wall()}, removed: make(chan struct{})}
	j.ctx, j.stop = context.WithCancel(context.Background())
	d.jobs = append(d.jobs, j)
	d.going.Add(1)
	return j, nil
}

// dropOldest makes room. Only what is done is dropped.
func (d *Desk) dropOldest(of func(*job) bool) {
	if i := slices.IndexFunc(d.jobs, func(j *job) bool { return j.State != Running && of(j) }); i >= 0 {
		d.jobs[i].stop()
		d.jobs = slices.Delete(d.jobs, i, i+1)
	}
}

// drop takes an order off the desk. What is left of it goes by itself.
func (d *Desk) drop(j *job) {
	d.mu.Lock()
	defer d.mu.Unlock()
	j.stop()
	d.jobs = slices.DeleteFunc(d.jobs, func(o *job) bool { return o == j })
}

// Forget breaks off what is being made of a deployment and removes all files of it. It returns when nothing of them is left.
func (d *Desk) Forget(deployment hlc.ID) {
	d.mu.Lock()
	var dropped []*job
	for _, j := range d.jobs {
		if j.Deployment == deployment {
			dropped = append(dropped, j)
		}
	}
	d.mu.Unlock()
	for _, j := range dropped {
		d.drop(j)
	}
	for _, j := range dropped {
		<-j.removed
	}
}

// run makes an export, and removes it in the end.
func (d *Desk) run(j *job) {
	defer d.going.Done()
	defer close(j.removed)
	path := filepath.Join(d.config.Dir, j.ID)
	size, err := d.make(j, path)
	d.mu.Lock()
	j.Size, j.State, j.Until = size, Ready, d.config.Wall().Add(KeepFor)
	if err != nil {
		j.Size, j.State = 0, Failed
	}
	if errors.Is(err, errTooLarge) {
		j.State = TooLarge
	}
	state := j.State
	d.mu.Unlock()
	if state == Failed && j.ctx.Err() == nil {
		d.config.Failed(err)
	}
	d.config.Changed(j.Deployment)
	select {
	case <-j.ctx.Done():
	case <-d.config.After(KeepFor):
		d.drop(j)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		d.config.Failed(err)
	}
	d.config.Changed(j.Deployment)
}

func (d *Desk) make(j *job, path string) (size int64, err error) {
	if err := os.MkdirAll(d.config.Dir, 0o700); err != nil {
		return 0, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // the desk names it
	if err != nil {
		return 0, err
	}
	w := &bounded{Writer: f, largest: d.largest}
	q := j.Query
	q.Progress = func(done, of uint64) {
		d.mu.Lock()
		defer d.mu.Unlock()
		j.Done, j.Of = done, of
	}
	err = j.Format.Look(j.ctx, d.config.Store(j.Deployment), d.config.Wall, q, func(c *Content) error {
		if err := j.Note(j.ctx, c.Position); err != nil {
			return err
		}
		d.mu.Lock()
		j.Position, j.Of = c.Position, c.Records()
		d.mu.Unlock()
		return j.Format.Write(c, w)
	})
	return w.size, errors.Join(err, f.Close())
}

var errTooLarge = errors.New("an export is too large")

// bounded is a file that may not become too large.
type bounded struct {
	io.Writer
	size, largest int64
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.size += int64(len(p)); b.size > b.largest {
		return 0, errTooLarge
	}
	return b.Writer.Write(p)
}

// Of are the orders of an account in a deployment, the newest first.
func (d *Desk) Of(account, deployment hlc.ID) (all []Ordered) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, j := range slices.Backward(d.jobs) {
		if j.Account == account && j.Deployment == deployment && d.there(j) {
			all = append(all, j.Ordered)
		}
	}
	return all
}

// there reports whether an order is kept still.
func (d *Desk) there(j *job) bool { return j.State == Running || !d.config.Wall().After(j.Until) }

// find is an order of an account in a deployment; not_found when there is none.
func (d *Desk) find(account, deployment hlc.ID, id string) (*job, error) {
	i := slices.IndexFunc(d.jobs, func(j *job) bool { return j.ID == id })
	if i < 0 || d.jobs[i].Account != account || d.jobs[i].Deployment != deployment || !d.there(d.jobs[i]) {
		return nil, problem.New(problem.NotFound)
	}
	return d.jobs[i], nil
}

// Get is an order of an account in a deployment; the problem is not_found when there is none.
func (d *Desk) Get(account, deployment hlc.ID, id string) (Ordered, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	j, err := d.find(account, deployment, id)
	if err != nil {
		return Ordered{}, err
	}
	return j.Ordered, nil
}

// Open opens the file of an order that is ready; the problem is not_found when there is none, or none yet.
func (d *Desk) Open(account, deployment hlc.ID, id string) (*os.File, error) {
	o, err := d.Get(account, deployment, id)
	if err != nil {
		return nil, err
	}
	if o.State != Ready {
		return nil, problem.New(problem.NotFound)
	}
	return os.Open(filepath.Join(d.config.Dir, o.ID))
}

// Drop breaks off what an account ordered, or removes the file; the problem is not_found when there is no such order.
func (d *Desk) Drop(account, deployment hlc.ID, id string) error {
	d.mu.Lock()
	j, err := d.find(account, deployment, id)
	d.mu.Unlock()
	if err != nil {
		return err
	}
	d.drop(j)
	return nil
}
