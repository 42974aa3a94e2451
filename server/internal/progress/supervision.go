package progress

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// Supervision is a supervision session, without the advice: that is confidential, and package casefile reads it.
type Supervision struct {
	ID  hlc.ID
	Day record.Date
	// Team is the one that receives it; zero for the whole deployment.
	Team    Named
	Session *recordv1.Supervision
}

// TasksIn are the tasks that a session left, as its field has them: one a line.
func TasksIn(text string) (tasks []string) {
	for line := range strings.Lines(text) {
		if task := strings.TrimSpace(line); task != "" {
			tasks = append(tasks, task)
		}
	}
	return tasks
}

// SupervisionQuery says which supervision sessions are wanted.
type SupervisionQuery struct {
	// Supervisee is somebody who must have been there; zero for no matter who.
	Supervisee hlc.ID
	Page[hlc.ID]
}

// supervisionBound is how many sessions a request looks through.
const supervisionBound = 1000

// Supervisions are a page of the supervision sessions, the newest day first. next is where the next page goes on; zero when
// there is none. A page may have fewer rows than asked for and yet a next one: what a request looks through is bounded.
// Problem invalid_argument when the page before ended at a record that is not there.
func (s *Service) Supervisions(ctx context.Context, q SupervisionQuery) (page []Supervision, next hlc.ID, err error) {
	setUp := s.SetUp()
	err = s.Store.Look(ctx, func(tx Reading) error {
		runs, err := supervisionRuns(tx, q)
		if err != nil {
			return err
		}
		for range supervisionBound {
			r, ok := newest(runs)
			if !ok {
				next = hlc.ID{}
				return nil
			}
			if len(page) == q.Limit {
				return nil // next is the row before
			}
			next = r.ID
			one, err := supervisionOf(setUp, r)
			if err != nil {
				return err
			}
			if one != nil && (q.Supervisee == hlc.ID{} || slices.ContainsFunc(one.Session.GetSupervisees(), func(b []byte) bool { return idOf(b) == q.Supervisee })) {
				page = append(page, *one)
			}
			if err := advance(tx, runs, r); err != nil {
				return err
			}
		}
		return nil
	})
	return page, next, err
}

// supervisionRun is the sessions of one audience: those that were read and not given yet.
type supervisionRun struct {
	DayRange
	ahead []syncing.Record
}

func supervisionRuns(tx Reading, q SupervisionQuery) (runs []*supervisionRun, err error) {
	var before *syncing.Record
	if q.After != (hlc.ID{}) {
		found, err := tx.Records([]hlc.ID{q.After})
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, problem.Newf(problem.InvalidArgument, "after: there is no such record")
		}
		before = &found[0]
	}
	audiences, err := tx.Audiences(recordv1.Kind_KIND_SUPERVISION)
	if err != nil {
		return nil, err
	}
	for _, audience := range audiences {
		if !q.sees(audience) {
			continue
		}
		r := &supervisionRun{DayRange: DayRange{Kind: recordv1.Kind_KIND_SUPERVISION, Audience: audience, To: 99999999, Before: before, Limit: q.Limit + 1}}
		if r.ahead, err = tx.RecordsByDay(r.DayRange); err != nil {
			return nil, err
		}
		runs = append(runs, r)
	}
	return runs, nil
}

// newest is the next session of some runs; false when there is none.
func newest(runs []*supervisionRun) (r syncing.Record, ok bool) {
	for _, one := range runs {
		if len(one.ahead) > 0 && (!ok || cmp.Or(cmp.Compare(one.ahead[0].Day, r.Day), slices.Compare(one.ahead[0].ID[:], r.ID[:])) > 0) {
			r, ok = one.ahead[0], true
		}
	}
	return r, ok
}

// advance goes past a session that was the newest of some runs.
func advance(tx Reading, runs []*supervisionRun, past syncing.Record) (err error) {
	for _, one := range runs {
		if one.Audience != past.Audience {
			continue
		}
		if one.ahead = one.ahead[1:]; len(one.ahead) == 0 {
			one.Before = &past
			one.ahead, err = tx.RecordsByDay(one.DayRange)
		}
	}
	return err
}

// supervisionOf is a session as it stands; nil when it is deleted.
func supervisionOf(setUp *syncing.SetUp, r syncing.Record) (*Supervision, error) {
	t, err := tallied(r)
	if err != nil {
		return nil, err
	}
	if t.Registers.Deleted() {
		return nil, nil
	}
	session := &recordv1.Supervision{}
	if err := proto.Unmarshal(t.Registers.Fields(), session); err != nil {
		return nil, fmt.Errorf("fields of record %v: %w", r.ID, err)
	}
	return &Supervision{ID: r.ID, Day: record.Date(r.Day), Team: Named{r.Audience, setUp.Teams[r.Audience].GetName()}, Session: session}, nil
}
