package closeout

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/audit"
	"levee/server/internal/casefile"
	"levee/server/internal/progress"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// Waiver is what a coordinator let pass 说明后放行, and why.
type Waiver struct {
	ID    hlc.ID
	Check recordv1.CloseOutCheck
	// Subject is the item; zero for all of the check, of which there were Count then.
	Subject hlc.ID
	Count   int
	Reason  string
	By      progress.Named
	At      time.Time
}

// Waivers are those that stand, by check and then the oldest first.
func (s *Service) Waivers(ctx context.Context) (all []Waiver, err error) {
	err = s.Store.Read(ctx, func(tx syncing.Reading) (err error) {
		all, err = waiversIn(tx, s.Syncing.SetUp())
		return err
	})
	return all, err
}

func waiversIn(tx syncing.Reading, setUp *syncing.SetUp) ([]Waiver, error) {
	records, err := tx.OfKind(recordv1.Kind_KIND_WAIVER)
	if err != nil {
		return nil, err
	}
	var all []Waiver
	for _, r := range records {
		registers, err := record.DecodeState(r.State)
		if err != nil {
			return nil, err
		}
		m := &recordv1.Waiver{}
		if err := proto.Unmarshal(registers.Fields(), m); err != nil {
			return nil, err
		}
		if m.GetDeleted() {
			continue
		}
		all = append(all, Waiver{ID: r.ID, Check: m.GetCheck(), Subject: hlc.IDOf(m.GetSubject()), Count: int(m.GetCount()), Reason: m.GetReason(),
			By: workerNamed(setUp, hlc.IDOf(m.GetAuthor())), At: registers.Newest().Wall().UTC()})
	}
	slices.SortFunc(all, func(a, b Waiver) int { return cmp.Or(cmp.Compare(a.Check, b.Check), hlc.CompareIDs(a.ID, b.ID)) })
	return all, nil
}

// Waive lets an item of a check pass, or with the zero subject all that the check has now, with a reason, which the certificate carries.
// Problem invalid_argument without a reason, or when there is no such item; wrong_state when the deployment is closed.
func (s *Service) Waive(ctx context.Context, by casefile.Reader, check recordv1.CloseOutCheck, subject hlc.ID, reason string) error {
	if err := s.may(by); err != nil {
		return err
	}
	if strings.TrimSpace(reason) == "" {
		return problem.New(problem.InvalidArgument)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Syncing.SetUp().Closed() {
		return problem.New(problem.WrongState)
	}
	if check == recordv1.CloseOutCheck_CLOSE_OUT_CHECK_RECOUNT {
		return problem.New(problem.NotAllowed) // what does not add up can't be signed
	}
	list, err := s.Checklist(ctx)
	if err != nil {
		return err
	}
	m := &recordv1.Waiver{Author: by.Worker[:], OccurredOn: proto.Int32(int32(s.today())), Check: check.Enum(), Reason: &reason}
	i := slices.IndexFunc(list.Checks, func(c Check) bool { return c.Check == check })
	switch {
	case i < 0 || list.Checks[i].Open == 0:
		return problem.New(problem.InvalidArgument)
	case subject == hlc.ID{}:
		m.Count = proto.Uint32(uint32(list.Checks[i].Open)) //nolint:gosec // so many things are not there
	case !slices.ContainsFunc(list.Checks[i].Items, func(item Item) bool { return item.Subject == subject }):
		return problem.New(problem.InvalidArgument)
	default:
		m.Subject = subject[:]
	}
	id, err := s.Syncing.NewID()
	if err != nil {
		return err
	}
	if err := s.Syncing.ChangeSetUp(ctx, by.Worker, syncing.SetUpChange{SetUpRecord: syncing.SetUpRecord{ID: id, Message: m}}); err != nil {
		return err
	}
	return s.note(ctx, by, audit.Waived, audit.Subject{Kind: audit.OfRecord, ID: id})
}

// TakeBack takes a waiver back. Problem not_found when there is none of this id; wrong_state when the deployment is closed.
func (s *Service) TakeBack(ctx context.Context, by casefile.Reader, waiver hlc.ID) error {
	if err := s.may(by); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Syncing.SetUp().Closed() {
		return problem.New(problem.WrongState)
	}
	waivers, err := s.Waivers(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(waivers, func(w Waiver) bool { return w.ID == waiver }) {
		return problem.New(problem.NotFound)
	}
	gone := &recordv1.Waiver{Deleted: proto.Bool(true)}
	if err := s.Syncing.ChangeSetUp(ctx, by.Worker, syncing.SetUpChange{SetUpRecord: syncing.SetUpRecord{ID: waiver, Message: gone}}); err != nil {
		return err
	}
	return s.note(ctx, by, audit.WaiverTakenBack, audit.Subject{Kind: audit.OfRecord, ID: waiver})
}
