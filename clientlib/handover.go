package clientlib

import (
	"bytes"
	"context"
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/clientlib/internal/localdb"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// When a squad rotates, its workers hand over what they have to those who stay or come, and leave their tablets.

// Handover makes a colleague take over.
type Handover struct {
	// To is the worker who takes over.
	To hlc.ID
	// Records are what is handed over, of what ToHandOver gives.
	Records []hlc.ID
}

// ToHandOver is what the tablet's worker would leave behind: the cases that they lead or work on, closed ones only where a follow-up
// is due; the groups that they lead; and other drafts that are theirs, each in the order in which they were made.
func (s *Store) ToHandOver(ctx context.Context) (cases []Record[*recordv1.Case], groups []Record[*recordv1.Group], drafts []AnyRecord, err error) {
	err = s.look(ctx, func(l *look) error {
		found, err := l.cases(true)
		if err != nil {
			return err
		}
		if cases, err = allShown[*recordv1.Case](l, found); err != nil {
			return err
		}
		cases = slices.DeleteFunc(cases, func(c Record[*recordv1.Case]) bool {
			return closed(c.Message) && c.Message.FollowupDueOn == nil
		})
		if found, err = l.ofKind(recordv1.Kind_KIND_GROUP); err != nil {
			return err
		}
		if groups, err = allShown[*recordv1.Group](l, found); err != nil {
			return err
		}
		groups = slices.DeleteFunc(groups, func(g Record[*recordv1.Group]) bool { return !isID(g.Message.GetLeader(), l.tablet.Worker) })
		if drafts, err = l.drafts(); err != nil {
			return err
		}
		drafts = slices.DeleteFunc(drafts, func(d AnyRecord) bool {
			other, _ := takesOver(d.Message, l.tablet.Worker, hlc.ID{})
			return other != nil
		})
		return nil
	})
	return cases, groups, drafts, err
}

// HandOver makes a colleague take over, all of it or nothing: of a case that this worker leads the colleague becomes lead, and of
// one that they work on a worker in their place; of a group, the leader; of any other draft of theirs, a co-worker. What is not theirs to
// hand over stays as it is, so that asking again does nothing. The server decides whether this worker may.
//
// Codes of errors: not_found, when no other worker has the id To; and those of Update.
func (s *Store) HandOver(ctx context.Context, h Handover) error {
	return s.write(ctx, func(tx *localdb.Tx, t *localdb.Tablet) error {
		d, err := s.desk(tx, t)
		if err != nil {
			return err
		}
		successor, ok, err := tx.Record(h.To)
		if err != nil {
			return err
		}
		if !ok || successor.Kind != recordv1.Kind_KIND_WORKER || successor.View.Deleted() || h.To == t.Worker {
			return problem.Newf(problem.NotFound, "worker %s", h.To)
		}
		for _, id := range h.Records {
			if err := s.handOver(d, id, h.To); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) handOver(d *desk, id, to hlc.ID) error {
	standing, err := d.editable(id)
	if err != nil {
		return err
	}
	m, err := message(standing.Kind, standing.View.Fields())
	if err != nil {
		return err
	}
	change, emptied := takesOver(m, d.tablet.Worker, to)
	if change == nil && isDraftOf(standing.Kind, m, d.tablet.Worker) {
		change = joins(standing.Kind, m, to)
	}
	if change == nil {
		return nil
	}
	return s.updateAt(d, id, change, emptied)
}

// takesOver are the fields of a case or group to set and to empty so that one worker takes the place of another; nil where that
// one has none.
func takesOver(m record.Common, from, to hlc.ID) (change record.Common, emptied []string) {
	switch m := m.(type) {
	case *recordv1.Case:
		if !worksOn(m, from) {
			return nil, nil
		}
		change := &recordv1.Case{Lead: m.GetLead()}
		if isID(m.GetLead(), from) {
			change.Lead = to[:]
		}
		for _, worker := range m.GetWorkers() {
			if isID(worker, from) {
				worker = to[:]
			}
			// The lead works on the case anyway.
			if !bytes.Equal(worker, change.Lead) && !slices.ContainsFunc(change.Workers, func(w []byte) bool { return bytes.Equal(w, worker) }) {
				change.Workers = append(change.Workers, worker)
			}
		}
		if len(change.Workers) == 0 && len(m.GetWorkers()) > 0 {
			emptied = []string{"workers"}
		}
		return change, emptied
	case *recordv1.Group:
		if isID(m.GetLeader(), from) {
			return &recordv1.Group{Leader: to[:]}, nil
		}
	}
	return nil, nil
}

// joins are the fields to set so that a worker is one of those who work on a record; nil when they are.
func joins(k record.Kind, m record.Common, worker hlc.ID) record.Common {
	if works, ok := m.(*recordv1.Case); isOf(m, worker) || (ok && worksOn(works, worker)) {
		return nil
	}
	if led, ok := m.(*recordv1.Group); ok && isID(led.GetLeader(), worker) {
		return nil
	}
	change := record.New(k)
	list := change.ProtoReflect().Mutable(change.ProtoReflect().Descriptor().Fields().ByNumber(fieldCoWorkers)).List()
	for _, id := range append(slices.Clone(m.GetCoWorkers()), worker[:]) {
		list.Append(protoreflect.ValueOfBytes(id))
	}
	return change
}

// Leave takes this worker off the tablet: the file's key is destroyed, and what is in the file can be read by nobody any more. All
// later calls fail with code key_destroyed.
//
// Code of errors: unsafe_changes, while anything is on this tablet alone or would be lost with the server's disk, a risk alert that
// was taken before anybody had signed in was refused (see Emergency), or a form is unfinished: log or drop those, and sync until all is durable. Then nothing was destroyed.
func (s *Store) Leave(ctx context.Context) error {
	ctx, leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	s.logWaitingAlerts(ctx)
	return known(s.db.DestroyIf(ctx, func(tx *localdb.Tx) error {
		t, err := tx.Tablet()
		if err != nil {
			return err
		}
		if t.Revoked {
			return problem.New(problem.DeviceRevoked)
		}
		waiting, err := localdb.WaitingAlerts(s.db.Path())
		if err != nil {
			return err
		}
		if slices.ContainsFunc(waiting, func(w localdb.WaitingAlert) bool { return !w.Unread }) {
			return fail(CodeUnsafeChanges, "an alert waits")
		}
		counts, err := tx.Counts(t)
		if err != nil {
			return err
		}
		forms, err := tx.UnfinishedForms()
		if err != nil {
			return err
		}
		returning, err := tx.Returning()
		if err != nil {
			return err
		}
		if t.Durable < t.Sequence || counts.EarlierSent > 0 || forms > 0 || returning > 0 {
			return fail(CodeUnsafeChanges, "%d changes are not durable, %d forms are unfinished, %d records are given back",
				int(t.Sequence-t.Durable)+counts.EarlierSent, forms, returning) //nolint:gosec // counts of what is on this disk
		}
		return nil
	}))
}
