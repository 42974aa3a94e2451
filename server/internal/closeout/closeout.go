// Package closeout ends a deployment 收队: it says what still stands in the way and lets a coordinator waive that with a reason, freezes
// the totals and signs them, and takes what arrives afterwards as an addendum that waits to be accepted or declined. Everything that it
// knows stands in records, so that it syncs, and a restored server gets it back.
package closeout

import (
	"context"
	"crypto/ed25519"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/access"
	"levee/server/internal/audit"
	"levee/server/internal/casefile"
	"levee/server/internal/indexing"
	"levee/server/internal/progress"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// Store keeps one deployment.
type Store interface {
	// Read and Look run fn over one snapshot. They never wait for a writer.
	Read(ctx context.Context, fn func(syncing.Reading) error) error
	Look(ctx context.Context, fn func(progress.Reading) error) error
}

// Log is where deeds are noted.
type Log interface {
	Write(ctx context.Context, e audit.Entry) error
}

// Config is what a Service needs.
type Config struct {
	Syncing  *syncing.Service
	Store    Store
	Progress *progress.Service
	Indexing *indexing.Service
	Audit    Log
	// Key signs certificates.
	Key ed25519.PrivateKey
	// Backups: the server makes backups. Standby: the database has a standby, whose word is waited for. With either, a replica says how far
	// a copy holds it.
	Backups, Standby bool
	// Wall is the server's clock.
	Wall func() time.Time
	// Changed is told when something was begun or ended in the background, and Failed what went wrong there that people are not told.
	Changed func()
	Failed  func(error)
}

// Service does it in one deployment. Its problems are not_found for whatever the person may not see, not_allowed, wrong_state where the
// deployment is not in the state that a step begins from, and those that a step names. An error of the audit log comes after the deed.
type Service struct {
	Config
	// one step at a time
	mu sync.Mutex

	// papers are what cases lack, as of a position: see papersIn.
	papersMu sync.Mutex
	papers   papers

	background background
	blocked    blocked
}

// New is a service. Stop it in the end.
func New(c Config) *Service {
	s := &Service{Config: c}
	s.background.ctx, s.background.stop = context.WithCancel(context.Background())
	return s
}

// State is how far the deployment has come.
func (s *Service) State() recordv1.DeploymentState {
	return StateOf(s.Syncing.SetUp().Deployment)
}

// StateOf is how far a deployment has come, as its record says: active when that says nothing.
func StateOf(d *recordv1.Deployment) recordv1.DeploymentState {
	if state := d.GetState(); state != recordv1.DeploymentState_DEPLOYMENT_STATE_UNKNOWN {
		return state
	}
	return recordv1.DeploymentState_DEPLOYMENT_STATE_ACTIVE
}

// may refuses who may not close the deployment.
func (s *Service) may(by casefile.Reader) error {
	where := access.Where{Foreign: by.Worker == hlc.ID{}, Closed: s.Syncing.SetUp().Closed()}
	answer := access.May(by.Person, access.CloseDeployment, where)
	switch {
	case answer == access.Hidden:
		return problem.New(problem.NotFound)
	case answer != access.Yes, !by.May(access.CloseDeployment):
		return problem.New(problem.NotAllowed)
	default:
		return nil
	}
}

// Announce begins the close-out, or changes what was announced: end is the last day of work, erase that from which personal data is
// to be erased, 0 for none yet. Tablets are told at their next syncs. Problem wrong_state once the deployment is closed;
// invalid_argument when the days are none, or in the wrong order.
func (s *Service) Announce(ctx context.Context, by casefile.Reader, end, erase record.Date) error {
	if err := s.may(by); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	setUp := s.Syncing.SetUp()
	if setUp.Closed() {
		return problem.New(problem.WrongState)
	}
	if start := record.Date(setUp.Deployment.GetStartOn()); !end.Valid() || end < start || (erase != 0 && (!erase.Valid() || erase <= end)) {
		return problem.New(problem.InvalidArgument)
	}
	d := &recordv1.Deployment{State: recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSING.Enum(), EndOn: proto.Int32(int32(end))}
	if erase != 0 {
		d.EraseOn = proto.Int32(int32(erase))
	}
	return s.change(ctx, by, StateOf(setUp.Deployment), d)
}

// EraseFrom sets the day from which personal data is to be erased, also once the deployment is closed. Problem wrong_state when it is
// archived; invalid_argument when the day does not lie after the last one of work.
func (s *Service) EraseFrom(ctx context.Context, by casefile.Reader, erase record.Date) error {
	if err := s.may(by); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	state := s.State()
	if state == recordv1.DeploymentState_DEPLOYMENT_STATE_ARCHIVED {
		return problem.New(problem.WrongState)
	}
	if end := record.Date(s.Syncing.SetUp().Deployment.GetEndOn()); !erase.Valid() || erase <= end {
		return problem.New(problem.InvalidArgument)
	}
	return s.change(ctx, by, state, &recordv1.Deployment{EraseOn: proto.Int32(int32(erase))})
}

// Reopen takes the deployment one state back: closed to closing, where the addendum is taken in as if it had come in time, and closing
// to active. Problem wrong_state where it is active, or personal data is erased: that does not come back.
func (s *Service) Reopen(ctx context.Context, by casefile.Reader) error {
	if err := s.may(by); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state := s.State(); {
	case s.Syncing.Erased(): // and is to be archived
		return problem.New(problem.WrongState)
	case state == recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSED:
		return s.change(ctx, by, state, &recordv1.Deployment{State: recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSING.Enum()})
	case state == recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSING:
		return s.change(ctx, by, state, &recordv1.Deployment{State: recordv1.DeploymentState_DEPLOYMENT_STATE_ACTIVE.Enum()})
	default:
		return problem.New(problem.WrongState)
	}
}

// Close freezes the totals and issues the certificate. Problem wrong_state unless the deployment is closing; not_ready when the
// checklist blocks; totals_differ when a recount finds other totals.
func (s *Service) Close(ctx context.Context, by casefile.Reader) (*Edition, error) {
	if err := s.may(by); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.State() != recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSING {
		return nil, problem.New(problem.WrongState)
	}
	if err := s.ready(ctx, true); err != nil {
		return nil, err
	}
	if err := s.change(ctx, by, recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSING, &recordv1.Deployment{State: recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSED.Enum()}); err != nil {
		return nil, err
	}
	// From here on nothing moves the totals. What came between the look at the checklist and the closing may stand in the way.
	edition, err := s.certify(ctx, by)
	if err != nil {
		return nil, s.unclose(ctx, by, err)
	}
	return edition, nil
}

// unclose takes a closing back that came to nothing, also when that was because the server is to stop.
func (s *Service) unclose(ctx context.Context, by casefile.Reader, cause error) error {
	if err := s.change(context.WithoutCancel(ctx), by, recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSED, &recordv1.Deployment{State: recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSING.Enum()}); err != nil {
		return err
	}
	return cause
}

// certify issues the certificate of a deployment that has just been closed.
func (s *Service) certify(ctx context.Context, by casefile.Reader) (*Edition, error) {
	if err := s.ready(ctx, false); err != nil {
		return nil, err
	}
	return s.issue(ctx, by)
}

// Issue issues the next edition of a closed deployment, or the first one where none was issued when it was closed. Problem wrong_state
// when it is not closed or archived; unchanged when nothing was decided since the last edition, and no total moved;
// totals_differ as for Close.
func (s *Service) Issue(ctx context.Context, by casefile.Reader) (*Edition, error) {
	if err := s.may(by); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.Syncing.SetUp().Closed() {
		return nil, problem.New(problem.WrongState)
	}
	return s.issue(ctx, by)
}

// Archived says that a closed deployment is archived: erased, and over. Who erases it says so afterwards. Problem wrong_state unless it
// is closed.
func (s *Service) Archived(ctx context.Context, by casefile.Reader) error {
	if err := s.may(by); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.State() != recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSED {
		return problem.New(problem.WrongState)
	}
	return s.change(ctx, by, recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSED, &recordv1.Deployment{State: recordv1.DeploymentState_DEPLOYMENT_STATE_ARCHIVED.Enum()})
}

// change sets fields of the deployment's record, for the coordinator. Problem wrong_state if it is not any more in the state in which
// this was begun: another server may have done it.
func (s *Service) change(ctx context.Context, by casefile.Reader, from recordv1.DeploymentState, d *recordv1.Deployment) error {
	id := s.Syncing.Deployment()
	if err := s.Syncing.ChangeSetUpWhile(ctx, by.Worker, s.stillIn(from), syncing.SetUpChange{SetUpRecord: syncing.SetUpRecord{ID: id, Message: d}}); err != nil {
		return err
	}
	return s.note(ctx, by, audit.DeploymentChanged, audit.Subject{Kind: audit.OfDeployment, ID: id})
}

// stillIn is wrong_state unless the deployment is in a state.
func (s *Service) stillIn(state recordv1.DeploymentState) func(syncing.Reading) error {
	return func(syncing.Reading) error {
		if s.State() != state {
			return problem.New(problem.WrongState)
		}
		return nil
	}
}

func (s *Service) note(ctx context.Context, by casefile.Reader, action audit.Action, subject audit.Subject) error {
	return s.Audit.Write(ctx, audit.Entry{Deployment: s.Syncing.Deployment(), Actor: by.Actor, Action: action, Subject: subject})
}

// today is the local date.
func (s *Service) today() record.Date {
	return record.DateOf(s.Wall(), s.Syncing.SetUp().Location)
}

// messagesOf are the records of a kind that are not deleted.
func messagesOf[M record.Common](tx syncing.Reading, kind record.Kind) (map[hlc.ID]M, error) {
	records, err := tx.OfKind(kind)
	if err != nil {
		return nil, err
	}
	all := make(map[hlc.ID]M, len(records))
	for _, r := range records {
		m, err := messageOf(r)
		if err != nil {
			return nil, err
		}
		if !m.GetDeleted() {
			all[r.ID] = m.(M) //nolint:forcetypeassert // what a record of the kind is
		}
	}
	return all, nil
}

func messageOf(r syncing.Record) (record.Common, error) {
	registers, err := record.DecodeState(r.State)
	if err != nil {
		return nil, err
	}
	m := record.New(r.Kind)
	return m, proto.Unmarshal(registers.Fields(), m)
}
