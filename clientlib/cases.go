package clientlib

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"levee/clientlib/internal/localdb"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// CaseQuery says which cases Cases gives.
type CaseQuery struct {
	// Mine are those that the tablet's worker leads or works on; else all on this tablet.
	Mine bool
	// Closed includes closed cases.
	Closed bool
	// Names reads who the clients are, as far as this worker may know.
	Names bool
	// Text is looked for in the case's number and village, and in the names where those are read. However it is written, large or
	// small; empty for all.
	Text string
	// Words are more of a case in which Text is looked for: what people read of it, such as the words for its stage. May be nil.
	Words func(*recordv1.Case) []string
}

// CaseLine is a case in a list.
type CaseLine struct {
	Record[*recordv1.Case]
	// LastSession is the day of the last session that was held, Sessions how many were; 0 when none was.
	LastSession record.Date
	Sessions    int
	// NextDue is the day of the next step: that of the follow-up once the case is closed; else what was set last, the case's
	// next_due_on or the next_on of its last session. 0 when there is none.
	NextDue record.Date
	// Closed: nothing is to be done but a follow-up.
	Closed bool
	// Names are those of the clients, in the order in which they were entered; none unless the query asks for them.
	Names []string
}

// Cases are cases for a list: those that are due first come first, and those with no next step last. Deleted ones are left out.
//
// It reads all cases, and of those that are wanted the sessions, and the identities if asked: about 20 µs for each.
func (s *Store) Cases(ctx context.Context, q CaseQuery) ([]CaseLine, error) {
	var lines []CaseLine
	err := s.look(ctx, func(l *look) error {
		cases, err := l.cases(q.Mine)
		if err != nil {
			return err
		}
		for _, c := range cases {
			one, err := shown[*recordv1.Case](l, c)
			if err != nil {
				return err
			}
			if closed(one.Message) && !q.Closed {
				continue
			}
			line, err := l.caseLine(one, c.View, q.Names)
			if err != nil {
				return err
			}
			if line.has(q) {
				lines = append(lines, line)
			}
		}
		return nil
	})
	slices.SortStableFunc(lines, func(a, b CaseLine) int { return cmp.Compare(a.due(), b.due()) })
	return lines, err
}

// fieldCaseWorkers is the number of the field workers of a case.
const fieldCaseWorkers protowire.Number = 30

// cases are those that are not deleted, in the order in which they were made: all, or those that the tablet's worker leads or works on.
func (l *look) cases(mine bool) ([]localdb.Record, error) {
	found, err := l.ofKind(recordv1.Kind_KIND_CASE)
	if mine {
		found = slices.DeleteFunc(found, func(r localdb.Record) bool {
			return r.View.Get(fieldCaseLead).ID() != l.tablet.Worker && !slices.Contains(r.View.Get(fieldCaseWorkers).IDs(), l.tablet.Worker)
		})
	}
	return found, err
}

// Numbers of the fields that say when the next step is due.
const (
	fieldCaseNextDue   protowire.Number = 31
	fieldSessionNextOn protowire.Number = 23
)

func (l *look) caseLine(c Record[*recordv1.Case], view record.Registers, names bool) (CaseLine, error) {
	line := CaseLine{Record: c, Closed: closed(c.Message)}
	kinds := []record.Kind{recordv1.Kind_KIND_CASE_SESSION}
	if names {
		kinds = append(kinds, recordv1.Kind_KIND_CASE_IDENTITY)
	}
	of, err := l.tx.ViewsOwnedBy(c.ID, kinds...)
	if err != nil {
		return line, err
	}
	due := view.Get(fieldCaseNextDue)
	var last localdb.Record
	for _, r := range of { // by day and making
		m, err := message(r.Kind, r.View.Fields())
		if err != nil {
			return line, err
		}
		switch m := m.(type) {
		case *recordv1.CaseIdentity:
			line.Names = append(line.Names, m.GetName())
		case *recordv1.CaseSession:
			if m.GetStatus() == recordv1.Status_STATUS_HELD {
				line.Sessions++
				line.LastSession, last = r.Day, r
			}
		}
	}
	if next := last.View.Get(fieldSessionNextOn); next.Number() != 0 && (due.Number() == 0 || next.Stamp.Compare(due.Stamp) > 0) {
		due = next
	}
	if line.NextDue = record.Date(due.Number()); line.Closed { //nolint:gosec // a date
		line.NextDue = record.Date(c.Message.GetFollowupDueOn())
	}
	return line, nil
}

// closed reports whether nothing is to be done in a case but a follow-up.
func closed(m *recordv1.Case) bool {
	return m.ClosedOn != nil || m.GetStage() == recordv1.CaseStage_CASE_STAGE_CLOSURE
}

// due is by what lines are ordered.
func (c CaseLine) due() record.Date {
	if c.NextDue == 0 {
		return 9999_12_31
	}
	return c.NextDue
}

// has reports whether a line holds what a query looks for.
func (c CaseLine) has(q CaseQuery) bool {
	text := strings.ToLower(strings.TrimSpace(q.Text))
	if text == "" {
		return true
	}
	in := append([]string{c.Message.GetCaseNo(), c.Message.GetPlace().GetVillage()}, c.Names...)
	if q.Words != nil {
		in = append(in, q.Words(c.Message)...)
	}
	return slices.ContainsFunc(in, func(s string) bool { return strings.Contains(strings.ToLower(s), text) })
}

// worksOn reports whether a worker leads a case or works on it.
func worksOn(m *recordv1.Case, worker hlc.ID) bool {
	return isID(m.GetLead(), worker) || slices.ContainsFunc(m.GetWorkers(), func(id []byte) bool { return isID(id, worker) })
}

func isID(b []byte, id hlc.ID) bool { return string(b) == string(id[:]) }
