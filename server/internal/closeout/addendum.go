package closeout

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/server/internal/audit"
	"levee/server/internal/casefile"
	"levee/server/internal/progress"
	"levee/server/internal/syncing"
	"levee/syncproto/certificate"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// CheckName is the stable name of a check, such as open_case.
func CheckName(c recordv1.CloseOutCheck) string {
	v := c.Descriptor().Values().ByNumber(protoreflect.EnumNumber(c))
	if v == nil {
		return ""
	}
	return strings.ToLower(strings.TrimPrefix(string(v.Name()), "CLOSE_OUT_CHECK_"))
}

// CheckNamed is the check of a stable name; false when there is none.
func CheckNamed(name string) (recordv1.CloseOutCheck, bool) {
	values := recordv1.CloseOutCheck(0).Descriptor().Values()
	for i := range values.Len() {
		if check := recordv1.CloseOutCheck(values.Get(i).Number()); check != 0 && CheckName(check) == name {
			return check, true
		}
	}
	return 0, false
}

// Addendum is what one tablet brought after the closing 补报, and on which nobody has decided.
type Addendum struct {
	Device, Worker, Team progress.Named
	// First and Last are when it was received.
	First, Last time.Time
	Changes     []progress.HeldChange
	// New are the records among them that are not there yet, and would be made.
	New map[hlc.ID]bool
}

// NewRecords is how many records of each kind would be made.
func (a Addendum) NewRecords() map[record.Kind]int {
	counts, told := map[record.Kind]int{}, map[hlc.ID]bool{}
	for _, h := range a.Changes {
		if a.New[h.Record] && !told[h.Record] {
			told[h.Record] = true
			counts[h.Kind]++
		}
	}
	return counts
}

// Addenda are what waits, by tablet, in the order in which it came.
func (s *Service) Addenda(ctx context.Context) ([]Addendum, error) {
	var all []Addendum
	for after, more := uint64(0), true; more; {
		page, next, err := s.Progress.Held(ctx, progress.Page[uint64]{After: after, Limit: MaxItems})
		if err != nil {
			return nil, err
		}
		for _, h := range page {
			if h.Code != record.CodeDeploymentClosed {
				continue
			}
			i := slices.IndexFunc(all, func(a Addendum) bool { return a.Device == h.Device })
			if i < 0 {
				i = len(all)
				all = append(all, Addendum{Device: h.Device, Worker: h.Worker, Team: h.Team, First: h.Received})
			}
			all[i].Last, all[i].Changes = h.Received, append(all[i].Changes, h)
		}
		after, more = next, next != 0
	}
	err := s.Store.Read(ctx, func(tx syncing.Reading) error {
		for i := range all {
			if err := all[i].lookUp(tx); err != nil {
				return err
			}
		}
		return nil
	})
	return all, err
}

// lookUp finds out which records are not there.
func (a *Addendum) lookUp(tx syncing.Reading) error {
	a.New = map[hlc.ID]bool{}
	for _, h := range a.Changes {
		a.New[h.Record] = true
	}
	there, err := tx.Records(slices.Collect(maps.Keys(a.New)))
	for _, r := range there {
		delete(a.New, r.ID)
	}
	delete(a.New, hlc.ID{}) // of what can't be read nobody knows
	return err
}

// Decide accepts or declines changes of an addendum, those of a record in the order in which they were made, with a reason, which is
// needed to decline. It returns of which nothing came, by their change: they can't be applied even so, and go on waiting. Problem
// invalid_argument without a reason to decline; wrong_state unless the deployment is closed or archived.
func (s *Service) Decide(ctx context.Context, by casefile.Reader, accept bool, reason string, changes []hlc.ID) (left []hlc.ID, err error) {
	if err := s.may(by); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.Syncing.SetUp().Closed() {
		return nil, problem.New(problem.WrongState)
	}
	if !accept && strings.TrimSpace(reason) == "" {
		return nil, problem.New(problem.InvalidArgument)
	}
	waiting, err := s.Addenda(ctx)
	if err != nil {
		return nil, err
	}
	decision, action := recordv1.Decision_DECISION_RELEASE, audit.HeldReleased
	if !accept {
		decision, action = recordv1.Decision_DECISION_DISCARD, audit.HeldDiscarded
	}
	for _, h := range inOrder(waiting) {
		if !slices.Contains(changes, h.Change) {
			continue
		}
		err := s.Syncing.Decide(ctx, h.Change, decision, by.Worker, reason)
		if problem.CodeOf(err) == problem.InvalidArgument {
			left = append(left, h.Change)
			continue
		}
		if err != nil {
			return left, err
		}
		if err := s.note(ctx, by, action, audit.Subject{Kind: audit.OfChange, ID: h.Change}); err != nil {
			return left, err
		}
	}
	return left, nil
}

// inOrder are the changes of addenda in the order in which they came: what makes a record before what edits it.
func inOrder(addenda []Addendum) (all []progress.HeldChange) {
	for _, a := range addenda {
		all = append(all, a.Changes...)
	}
	slices.SortFunc(all, func(a, b progress.HeldChange) int { return cmp.Compare(a.Position, b.Position) })
	return all
}

// decidedSince are the changes of tablets on which somebody decided after a position and up to another, by tablet.
func (s *Service) decidedSince(ctx context.Context, after, to uint64) (all []certificate.Addendum, err error) {
	err = s.Store.Read(ctx, func(tx syncing.Reading) error {
		decisions, err := messagesOf[*recordv1.HeldDecision](tx, recordv1.Kind_KIND_HELD_DECISION)
		if err != nil {
			return err
		}
		reasons := map[hlc.ID]string{}
		for _, d := range decisions {
			reasons[hlc.IDOf(d.GetChange())] = d.GetReason()
		}
		markers, err := tx.Settled(after, to)
		if err != nil {
			return err
		}
		told := map[hlc.ID]bool{}
		for _, marker := range markers {
			if told[marker.Change] {
				continue
			}
			told[marker.Change] = true
			if all, err = addTo(all, tx, marker, reasons[marker.Change]); err != nil {
				return err
			}
		}
		return nil
	})
	return all, err
}

// addTo adds what became of a change to what is said of its tablet.
func addTo(all []certificate.Addendum, tx syncing.Reading, marker syncing.LogEntry, reason string) ([]certificate.Addendum, error) {
	entries, err := tx.History(marker.Record)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.Change != marker.Change || e.Replica == 0 || e.Held() {
			continue
		}
		r, err := tx.Replica(e.Replica)
		if err != nil {
			return nil, err
		}
		d, known, err := tx.Device(r.Device)
		if err != nil || !known {
			return all, err
		}
		i := slices.IndexFunc(all, func(a certificate.Addendum) bool { return a.Device == d.ID })
		if i < 0 {
			i = len(all)
			all = append(all, certificate.Addendum{Device: d.ID, Name: d.Name, Received: time.UnixMilli(e.Received).UTC()})
		}
		if e.Outcome == syncing.Discarded {
			all[i].Declined++
		} else {
			all[i].Accepted++
		}
		if reason != "" && !slices.Contains(all[i].Reasons, reason) {
			all[i].Reasons = append(all[i].Reasons, reason)
		}
		break
	}
	return all, nil
}
