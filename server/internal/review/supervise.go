package review

import (
	"context"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/server/internal/access"
	"levee/server/internal/audit"
	"levee/server/internal/casefile"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// Session is a supervision session 督导 with what was advised.
type Session struct {
	// Supervision and Note are the records, with the positions at which they were shown. One that is to be made has position 0, and an
	// id that was made for it before: whoever sends the same twice makes it once.
	Supervision, Note Seen
	// Message are the fields to set, and Cleared those to empty.
	Message *recordv1.Supervision
	Cleared []protowire.Number
	// Advice stands in a note of its own, for those whom it concerns. Empty: no note is made, and one that there is is emptied.
	Advice string
}

// adviceField is the number of the field advice of a SupervisionNote.
const adviceField protowire.Number = 17

// WriteSession makes or edits a supervision session. It is for who reviews what the team logged.
func (s *Service) WriteSession(ctx context.Context, by casefile.Reader, session Session) error {
	id, action := session.Supervision.ID, audit.RecordChanged
	m := session.Message
	if session.Supervision.Position == 0 {
		action = audit.RecordMade
		s.fill(by, m)
		set(m, supervisorField, protoreflect.ValueOfBytes(by.Worker[:]))
		if err := may(by, recordv1.Kind_KIND_SUPERVISION, access.ReviewRecords, access.Where{Team: hlc.IDOf(m.GetTeam()), Closed: s.Syncing.SetUp().Closed()}); err != nil {
			return err
		}
	} else if err := s.mayEdit(ctx, by, recordv1.Kind_KIND_SUPERVISION, id, id); err != nil {
		return err
	}
	deeds := []syncing.Deed{{ID: id, Message: m, Cleared: session.Cleared, Seen: session.Supervision.Position}}
	note := syncing.Deed{ID: session.Note.ID, Message: &recordv1.SupervisionNote{}, Seen: session.Note.Position}
	switch {
	case note.Seen == 0 && session.Advice == "":
		return s.act(ctx, by, action, []hlc.ID{id}, deeds...)
	case note.Seen == 0:
		made := &recordv1.SupervisionNote{Supervision: id[:], Advice: &session.Advice}
		s.fill(by, made)
		note.Message = made
	case session.Advice == "":
		note.Cleared = []protowire.Number{adviceField}
	default:
		note.Message = &recordv1.SupervisionNote{Advice: &session.Advice}
	}
	if note.Seen != 0 {
		if err := s.mayEdit(ctx, by, recordv1.Kind_KIND_SUPERVISION_NOTE, note.ID, id); err != nil {
			return err
		}
	}
	return s.act(ctx, by, action, []hlc.ID{id}, append(deeds, note)...)
}

// supervisorField is the number of the field supervisor of a Supervision.
const supervisorField protowire.Number = 19

// mayEdit is the problem that a reader has who may not edit the record of an id: one of a kind that belongs to a root.
func (s *Service) mayEdit(ctx context.Context, by casefile.Reader, kind record.Kind, id, root hlc.ID) error {
	return s.Store.ReadReview(ctx, func(tx Reading) error {
		f, err := s.find(tx, by, access.ReviewRecords, id)
		if err == nil && (f.Kind != kind || f.Root != root) {
			err = problem.New(problem.NotFound)
		}
		return err
	})
}

// planned are the kinds that can be planned, so that tablets have them beforehand and all count under one id.
var planned = []record.Kind{recordv1.Kind_KIND_COMMUNITY_ACTIVITY, recordv1.Kind_KIND_GROUP, recordv1.Kind_KIND_GROUP_SESSION, recordv1.Kind_KIND_OUTREACH}

// Plan makes a planned activity, and returns its id. It reaches the tablets of the team that it names, and everybody's when it names none,
// which is for coordinators; a session of a group reaches those of the group's team. Problem invalid_argument for other kinds.
func (s *Service) Plan(ctx context.Context, by casefile.Reader, m record.Common) (hlc.ID, error) {
	kind := record.KindOf(m)
	if !slices.Contains(planned, kind) {
		return hlc.ID{}, problem.Newf(problem.InvalidArgument, "a %v is not planned", kind)
	}
	if err := may(by, kind, access.ReviewRecords, access.Where{Team: hlc.IDOf(m.GetTeam()), Closed: s.Syncing.SetUp().Closed()}); err != nil {
		return hlc.ID{}, err
	}
	set(m, record.AuthorField, protoreflect.ValueOfBytes(by.Worker[:]))
	set(m, record.OccurredOnField, protoreflect.ValueOfInt32(s.today()))
	if kind != recordv1.Kind_KIND_GROUP {
		set(m, record.StatusField, protoreflect.ValueOfEnum(recordv1.Status_STATUS_PLANNED.Number()))
	}
	id, err := s.Syncing.NewID()
	if err != nil {
		return id, err
	}
	return id, s.act(ctx, by, audit.RecordMade, []hlc.ID{id}, syncing.Deed{ID: id, Message: m})
}

// Replan changes a planned activity as it was shown: some of its fields are set, and others emptied. Problem not_found when it is not
// planned any more.
func (s *Service) Replan(ctx context.Context, by casefile.Reader, activity Seen, m *recordv1.CommunityActivity, cleared []protowire.Number) error {
	err := s.Store.ReadReview(ctx, func(tx Reading) error {
		f, err := s.find(tx, by, access.ReviewRecords, activity.ID)
		if err != nil {
			return err
		}
		was := &recordv1.CommunityActivity{}
		if f.Kind == recordv1.Kind_KIND_COMMUNITY_ACTIVITY && !f.registers.Deleted() {
			_, err = read(f, was)
		}
		if err == nil && was.GetStatus() != recordv1.Status_STATUS_PLANNED {
			err = problem.New(problem.NotFound)
		}
		return err
	})
	if err != nil {
		return err
	}
	return s.act(ctx, by, audit.RecordChanged, []hlc.ID{activity.ID}, syncing.Deed{ID: activity.ID, Message: m, Cleared: cleared, Seen: activity.Position})
}

// CancelPlanned says of a planned activity that it is not held.
func (s *Service) CancelPlanned(ctx context.Context, by casefile.Reader, activity Seen) error {
	return s.Replan(ctx, by, activity, &recordv1.CommunityActivity{Status: recordv1.Status_STATUS_CANCELLED.Enum()}, nil)
}
