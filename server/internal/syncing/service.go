package syncing

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/access"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/wire"
)

// Protocol is the version that this server speaks.
const Protocol = 1

const conflictKind = recordv1.Kind_KIND_CONFLICT

// Bounds on what a tablet says about itself: names in bytes, and how many changes it may say to hold still.
const (
	maxDeviceName = 100
	maxAppName    = 60
	maxUnsent     = 1 << 32
)

// Config is what a Service needs.
type Config struct {
	Deployment hlc.ID
	Store      Store
	Keys       *Keys
	// Journal outlives a restore of the store.
	Journal Journal
	// Wall is the server's clock.
	Wall func() time.Time
	// After tells when a time has passed by that clock; time.After when nil.
	After func(time.Duration) <-chan time.Time
	// Entropy makes ids, codes and the server's replica number; crypto/rand in production.
	Entropy io.Reader
	// Copies says that changes are durable once a copy of the database holds them: a backup, or a standby. Without one, they are at
	// their commit.
	Copies bool
	// Observe is told of each commit. It may be nil.
	Observe func(Commit)
	// Failed is told of an error that nobody waits for. It may be nil.
	Failed func(error)
}

// Service is one deployment on this server.
type Service struct {
	config  Config
	self    *self
	writer  *writer
	devices deviceCache
	setUp   atomic.Pointer[SetUp]
	// settingUp is held while the set-up is read, so that a newer one is never replaced by an older one.
	settingUp sync.Mutex
	// caughtUp: all that the journal says is carried out. recovering is held while that is done once more.
	caughtUp   atomic.Bool
	recovering sync.Mutex
}

// Start opens a deployment. The server takes a new replica number for itself at every start, since its database may be
// an older copy.
func Start(ctx context.Context, c Config) (*Service, error) {
	if c.Entropy == nil {
		c.Entropy = rand.Reader
	}
	if c.After == nil {
		c.After = time.After
	}
	if c.Observe == nil {
		c.Observe = func(Commit) {}
	}
	if c.Failed == nil {
		c.Failed = func(error) {}
	}
	var head Head
	if err := c.Store.Read(ctx, func(tx Reading) (err error) {
		head, err = tx.Head()
		return err
	}); err != nil {
		return nil, err
	}
	if head.Time > futureAt(c.Wall(), head.Ahead) {
		return nil, &ClockBehindError{Behind: head.Time.Wall().Sub(c.Wall())}
	}
	s := &Service{config: c, self: &self{deployment: c.Deployment, clock: hlc.NewClock(c.Wall, head.Time), entropy: c.Entropy, keys: c.Keys, journal: c.Journal}}
	if err := s.self.newReplica(); err != nil {
		return nil, err
	}
	s.self.seen.Store(&place{head.Position, head.Chain})
	s.self.rules = func() record.Deployment { return s.SetUp().Rules }
	s.self.ahead.Store(uint64(head.Ahead))
	if err := s.readSetUp(ctx); err != nil {
		return nil, err
	}
	s.writer = &writer{store: c.Store, self: s.self, wall: c.Wall, after: c.After, observe: c.Observe,
		know: func(head Head) error {
			if head.SetUp == s.SetUp().version {
				return nil
			}
			return s.readSetUp(context.Background())
		},
		committed: func(setUpChanged bool) {
			if setUpChanged {
				if err := s.readSetUp(context.Background()); err != nil {
					c.Failed(err)
				}
			}
		}}
	s.writer.start()
	if err := errors.Join(s.catchUp(ctx), s.makeLinkageKey(ctx), s.unmarkSettled(ctx)); err != nil {
		s.Close()
		return nil, err
	}
	s.caughtUp.Store(true)
	return s, nil
}

// ClockBehindError says that the server's clock lies behind its own log: what is logged by it would lose against what is
// there, and tablets whose clocks are right would be refused.
type ClockBehindError struct{ Behind time.Duration }

func (e *ClockBehindError) Error() string {
	return fmt.Sprintf("the clock of this machine is %v behind the newest change in the database", e.Behind.Round(time.Second))
}

// Close finishes what has queued. No call may be under way or follow.
func (s *Service) Close() { s.writer.close() }

// Flush writes what devices said of themselves that waits for a commit.
func (s *Service) Flush(ctx context.Context) error {
	return s.write(ctx, func(*group) error { return nil })
}

// Queued is how many batches and other jobs wait for the writer.
func (s *Service) Queued() int { return s.writer.queue() }

// Busy reports whether something waits for the writer, or is being written.
func (s *Service) Busy() bool { return s.writer.undone.Load() > 0 }

// Deployment is the deployment's id.
func (s *Service) Deployment() hlc.ID { return s.config.Deployment }

// SetUp is what the deployment is set up with now. It must not be changed.
func (s *Service) SetUp() *SetUp { return s.setUp.Load() }

func (s *Service) readSetUp(ctx context.Context) error {
	s.settingUp.Lock()
	defer s.settingUp.Unlock()
	return s.config.Store.Read(ctx, func(tx Reading) error {
		setUp, err := readSetUpIn(tx)
		if err == nil {
			setUp.forNew = sync.OnceValues(func() (*wire.Shared, error) { return s.forNew(setUp) })
			s.setUp.Store(setUp)
		}
		return err
	})
}

// personIn is a worker as posted in a snapshot.
func personIn(tx Reading, worker hlc.ID) (access.Person, error) {
	p := access.Person{Worker: worker}
	found, err := tx.Records([]hlc.ID{worker})
	if err != nil || len(found) == 0 {
		return p, err
	}
	registers, err := record.DecodeState(found[0].State)
	if err != nil || registers.Deleted() {
		return p, err
	}
	return posted(worker, registers), nil
}

// posted is a worker as the Worker record says.
func posted(worker hlc.ID, registers record.Registers) access.Person {
	return access.Person{
		Worker: worker, Team: registers.Get(record.TeamField).ID(), Role: recordv1.Role(registers.Get(roleField).Number()), //nolint:gosec // a role is a small number
		Supervises: registers.Get(supervisesField).IDs(), External: registers.Get(externalField).Number() != 0,
	}
}

// Person is a worker as posted now; nobody when there is no such worker.
func (s *Service) Person(worker hlc.ID) access.Person { return s.SetUp().Person(worker) }

// Person is a worker as posted; nobody when there is no such worker.
func (s *SetUp) Person(worker hlc.ID) access.Person {
	w := s.Workers[worker]
	if w == nil {
		return access.Person{}
	}
	p := access.Person{Worker: worker, Role: w.GetRole(), External: w.GetExternal()}
	if len(w.GetTeam()) == len(p.Team) {
		p.Team = hlc.ID(w.GetTeam())
	}
	for _, team := range w.GetSupervises() {
		if len(team) == len(p.Team) {
			p.Supervises = append(p.Supervises, hlc.ID(team))
		}
	}
	return p
}

// renew is a new certificate for a tablet that shows its old one, as it does once that is past half its time.
func (s *Service) renew(device Device, request *syncv1.SyncRequest, now time.Time) (*syncv1.Certificate, error) {
	if request.GetCertificate() == nil {
		return nil, nil
	}
	return s.certify(device, now)
}

func (s *Service) certify(device Device, now time.Time) (*syncv1.Certificate, error) {
	person := s.Person(device.Worker)
	return s.config.Keys.Certify(s.config.Deployment, device, person.Team, uint32(person.Role), now) //nolint:gosec // roles are positive
}

// Add makes set-up records as the server's own replica: the deployment, its sites, teams and workers. The deployment gets its
// linkage key.
func (s *Service) Add(ctx context.Context, messages []SetUpRecord) error {
	return s.add(ctx, messages, nil)
}

// AddLinked does as Add, but that the deployment gets the linkage key of another one and both know the same people by the same
// tokens. Problem invalid_argument when the other has no key, or none any more.
func (s *Service) AddLinked(ctx context.Context, messages []SetUpRecord, with *Service) error {
	key, err := with.linkageKey(ctx)
	if err != nil {
		return err
	}
	if key == nil {
		return problem.Newf(problem.InvalidArgument, "the deployment %v has no linkage key any more", with.Deployment())
	}
	return s.add(ctx, messages, key)
}

func (s *Service) add(ctx context.Context, messages []SetUpRecord, sharedKey []byte) error {
	return s.write(ctx, func(g *group) error {
		for _, m := range messages {
			e, err := g.get(m.ID)
			if err != nil {
				return err
			}
			message := m.Message
			if made, ok := message.(*recordv1.Deployment); ok && !e.there {
				if message, err = g.withLinkageKey(made, sharedKey); err != nil {
					return err
				}
			}
			if err := g.author(e, m.ID, hlc.ID{}, message); err != nil {
				return err
			}
		}
		return g.follow()
	})
}

// SetUpRecord is a record of a set-up kind to be made, or one to be edited.
type SetUpRecord struct {
	ID      hlc.ID
	Message proto.Message
}

// NewID is an id by the server's clock.
func (s *Service) NewID() (hlc.ID, error) { return hlc.NewID(s.self.clock.Now(), s.self.entropy) }
