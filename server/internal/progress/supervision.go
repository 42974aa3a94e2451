package progress

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
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
	// Tasks: only those that left something to do which is not done yet.
	Tasks bool
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
		sessions, err := NewestFirst(tx, recordv1.Kind_KIND_SUPERVISION, q.sees, q.After)
		if err != nil {
			return err
		}
		for range supervisionBound {
			r, ok, err := sessions.Next()
			if err != nil {
				return err
			}
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
			if one != nil && q.wants(one.Session) {
				page = append(page, *one)
			}
		}
		return nil
	})
	return page, next, err
}

// wants reports whether a session is one of those asked for.
func (q SupervisionQuery) wants(s *recordv1.Supervision) bool {
	if q.Tasks && strings.TrimSpace(s.GetTasks()) == "" {
		return false
	}
	return q.Supervisee == hlc.ID{} || slices.ContainsFunc(s.GetSupervisees(), func(b []byte) bool { return hlc.IDOf(b) == q.Supervisee })
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
