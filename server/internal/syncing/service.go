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
	"unicode/utf8"

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

// Arrival is what is known of a request besides its message.
type Arrival struct {
	// Began is the server's clock when the headers were there. A long upload must not look like a wrong clock.
	Began time.Time
	// TokenExpires is when the verified token ends.
	TokenExpires time.Time
}

// Sync answers one request of a device whose token was verified. The disk has all that the answer tells.
func (s *Service) Sync(ctx context.Context, device Device, arrival Arrival, request *syncv1.SyncRequest) (*syncv1.SyncResponse, error) {
	response, err := s.sync(ctx, device, arrival, request)
	if err != nil {
		return nil, err
	}
	return response, s.config.Store.Durable() // it may have read what another request had just committed
}

func (s *Service) sync(ctx context.Context, device Device, arrival Arrival, request *syncv1.SyncRequest) (*syncv1.SyncResponse, error) {
	now := s.config.Wall()
	if request.GetProtocol() != Protocol {
		return nil, problem.New(problem.ProtocolUnsupported)
	}
	if skew := time.UnixMilli(request.GetClock()).Sub(arrival.Began); skew > MaxSkew || skew < -MaxSkew {
		return nil, &problem.Problem{Code: problem.ClockSkew, ServerTime: now}
	}
	if arrival.TokenExpires.Before(arrival.Began.Add(-MaxSkew)) {
		return nil, problem.New(problem.Unauthenticated)
	}
	if len(request.GetApp()) > maxAppName || !utf8.ValidString(request.GetApp()) || request.GetUnsent() > maxUnsent {
		return nil, problem.New(problem.Malformed)
	}
	if err := checkGiven(request.GetGiveBack()); err != nil {
		return nil, err
	}
	var lost bool
	if err := s.look(ctx, func(tx Reading) (err error) {
		var there bool
		if device, there, err = tx.Device(device.ID); err != nil {
			return err
		}
		if !there { // it was, when its token was verified
			s.devices.drop(device.ID)
			return problem.New(problem.DeviceUnknown)
		}
		if request.GetPull() != nil {
			lost, err = lostHistory(tx, request.GetPull())
		}
		return err
	}); err != nil {
		return nil, err
	}
	if device = s.self.asNoted(device); device.RevokedAt != 0 {
		return s.takeLast(ctx, device, request, now)
	}
	if s.self.erasedWhole() && !s.self.carriedOut.Load() {
		if err := s.carryOut(ctx); err != nil {
			return nil, err
		}
	}
	response := &syncv1.SyncResponse{Protocol: Protocol, Unconfirmed: device.AdmittedAt != 0}
	if err := s.takeJournal(ctx, request); err != nil {
		return nil, err
	}
	// What a tablet edits may be what the server has lost: it comes back first, and then what was done to it. A device that
	// is not confirmed gets no page, by which it would learn of that; what it sends is held.
	lost = lost && !response.GetUnconfirmed()
	if len(request.GetGiveBack()) > 0 && !lost {
		var err error
		if response.Given, err = s.give(ctx, device.Worker, request.GetGiveBack()); err != nil {
			return nil, err
		}
	}
	if request.GetPush() != nil {
		var err error
		if response.Acknowledgement, err = s.push(ctx, device, request, now, lost); err != nil {
			return nil, err
		}
	}
	s.heard(device, request, now)
	if s.self.asNoted(device).RevokedAt != 0 { // meanwhile
		return s.takeLast(ctx, device, request, now)
	}
	if request.GetPull() != nil && !response.GetAcknowledgement().GetForked() && !response.GetUnconfirmed() {
		var err error
		if response.Page, err = s.pull(ctx, device, request, response.GetAcknowledgement()); err != nil {
			return nil, err
		}
	}
	var err error
	if response.Certificate, err = s.renew(device, request, now); err != nil {
		return nil, err
	}
	s.tellJournal(request, response) // last: what the push brought may have been erased before
	response.Time = s.config.Wall().UnixMilli()
	if request.GetPull().GetCompact() {
		wire.CompactAnswer(response)
	}
	return response, nil
}

// push takes the batch of a request in, or, when there is nothing in it to take, as in one that was sent again, or nothing of it may be
// taken, only says how far the server is: that waits for nobody who writes.
func (s *Service) push(ctx context.Context, device Device, request *syncv1.SyncRequest, now time.Time, lost bool) (*syncv1.Acknowledgement, error) {
	future := futureAt(now, hlc.Time(s.self.ahead.Load()))
	setUp := s.SetUp()
	p, err := openPush(s.config.Deployment, device, request)
	if err != nil {
		return nil, err
	}
	var ack *syncv1.Acknowledgement
	err = s.config.Store.Read(ctx, func(tx Reading) error {
		r, err := tx.Replica(p.replica)
		if nothing := len(p.arrivals) == 0 || p.last() <= r.Have || lost || askedOnly(request); err != nil || !nothing {
			return err
		}
		ack, err = howFar(tx, s.config.Deployment, p, r)
		return err
	})
	if err != nil || ack != nil {
		return s.durably(ack), err
	}
	if err := p.read(setUp.Rules, now, future); err != nil {
		return nil, err
	}
	err = s.write(ctx, func(g *group) (err error) {
		if changed := s.SetUp(); changed != setUp { // meanwhile, here or by another server
			if err := p.read(changed.Rules, now, future); err != nil {
				return err
			}
		}
		if err := g.bring(p); err != nil {
			return err
		}
		ack, err = g.push(p)
		return err
	})
	return s.durably(ack), err
}

// durably says of what is acknowledged how much is durable: without copies of the database, all of it.
func (s *Service) durably(ack *syncv1.Acknowledgement) *syncv1.Acknowledgement {
	if ack != nil && !s.config.Copies {
		ack.Durable = ack.GetHave()
	}
	return ack
}

// heard notes what a device said about itself. It comes after its push: what a refused one holds is still unsent.
func (s *Service) heard(device Device, request *syncv1.SyncRequest, now time.Time) {
	s.writer.note(Contact{Device: device.ID, At: now.UnixMilli(), Unsent: request.GetUnsent(), App: request.GetApp()})
}

func (s *Service) give(ctx context.Context, worker hlc.ID, records []*syncv1.GivenRecord) (outcomes []*syncv1.GivenRecordOutcome, err error) {
	err = s.write(ctx, func(g *group) (err error) {
		ids := make([]hlc.ID, 0, len(records))
		for _, r := range records {
			ids = append(ids, hlc.ID(r.GetId()))
		}
		if err := g.load(ids); err != nil {
			return err
		}
		outcomes, err = g.give(worker, records)
		return err
	})
	return outcomes, err
}

func (s *Service) pull(ctx context.Context, device Device, request *syncv1.SyncRequest, ack *syncv1.Acknowledgement) (page *syncv1.Page, err error) {
	err = s.config.Store.Read(ctx, func(tx Reading) (err error) {
		// Posted as in this snapshot: a tablet that learns of its move from this page must not have been served as before it.
		person, err := personIn(tx, device.Worker)
		if err != nil {
			return err
		}
		p := &puller{store: tx, keys: s.config.Keys, self: s.self, device: device.ID, person: person, roots: map[hlc.ID]*Record{}}
		// Another request of the same replica may have come in between: what this answer does not acknowledge the tablet
		// can't take for what the server has, so it gets everything whole. So does one of whose changes the server has lost
		// some: its base has them still.
		r, err := tx.Replica(hlc.Replica(request.GetPush().GetReplica()))
		if err != nil {
			return err
		}
		if r.Have == ack.GetHave() && request.GetPush().GetFirst() <= r.Have+1 && request.GetAccepted() <= r.Have {
			p.replica = r.Number
		}
		setUp, err := s.setUpIn(tx)
		if err != nil {
			return err
		}
		page, err = p.pull(access.Audiences(person, setUp.teams()), request.GetPull())
		return err
	})
	return page, err
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
