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
		wanted, ids := []localdb.Record{}, []hlc.ID{}
		for _, c := range cases {
			if q.Closed || !closed(c.View) {
				wanted, ids = append(wanted, c), append(ids, c.ID)
			}
		}
		kinds := []record.Kind{recordv1.Kind_KIND_CASE_SESSION}
		if q.Names {
			kinds = append(kinds, recordv1.Kind_KIND_CASE_IDENTITY)
		}
		owned, err := l.tx.ViewsOwnedBy(ids, kinds...)
		if err != nil {
			return err
		}
		for _, c := range wanted {
			line, err := l.caseLine(c, owned[c.ID])
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

// Numbers of fields of a case, and of a session of one, that are looked at before it is read as a message.
const (
	fieldCaseStage     protowire.Number = 27
	fieldCaseLead      protowire.Number = 29
	fieldCaseWorkers   protowire.Number = 30
	fieldCaseNextDue   protowire.Number = 31
	fieldCaseClosedOn  protowire.Number = 32
	fieldCaseFollowup  protowire.Number = 34
	fieldSessionNextOn protowire.Number = 23
)

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

// caseLine is a case as a line, with what belongs to it, by kind, day and making.
func (l *look) caseLine(c localdb.Record, owned []localdb.Record) (line CaseLine, err error) {
	if line.Record, err = shown[*recordv1.Case](l, c); err != nil {
		return line, err
	}
	var last localdb.Record
	for _, r := range owned {
		switch {
		case r.Kind == recordv1.Kind_KIND_CASE_IDENTITY:
			m, err := message(r.Kind, r.View.Fields())
			if err != nil {
				return line, err
			}
			line.Names = append(line.Names, m.(*recordv1.CaseIdentity).GetName())
		case r.View.Get(fieldStatus).Number() == int64(recordv1.Status_STATUS_HELD):
			line.Sessions++
			line.LastSession, last = r.Day, r
		}
	}
	due := c.View.Get(fieldCaseNextDue)
	if next := last.View.Get(fieldSessionNextOn); next.Number() != 0 && (due.Number() == 0 || next.Stamp.Compare(due.Stamp) > 0) {
		due = next
	}
	line.Closed = closed(c.View)
	if line.NextDue = record.Date(due.Number()); line.Closed { //nolint:gosec // a date
		line.NextDue = record.Date(line.Message.GetFollowupDueOn())
	}
	return line, nil
}

// closed reports whether nothing is to be done in a case but a follow-up.
func closed(theCase record.Registers) bool {
	return theCase.Get(fieldCaseClosedOn).Number() != 0 || theCase.Get(fieldCaseStage).Number() == int64(recordv1.CaseStage_CASE_STAGE_CLOSURE)
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
