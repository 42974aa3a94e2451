package alerting

import (
	"context"
	"fmt"
	"slices"
	"time"

	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

const (
	// DefaultPeriod is after how long an alert that nobody has confirmed goes on to the next, where the deployment does not
	// say.
	DefaultPeriod = 15 * time.Minute
	// MaxRounds is how often all are told again after each of them was told.
	MaxRounds = 3
)

// Outcome is what came of telling somebody on a channel.
type Outcome string

// Outcomes.
const (
	// Waiting: it was not tried yet.
	Waiting Outcome = "waiting"
	Sent    Outcome = "sent"
	// Failed: the last attempt did. Another one follows while the alert is open, unless a later step tells the same worker,
	// or a day has passed.
	Failed Outcome = "failed"
	// NoAddress: the worker has none for the channel.
	NoAddress Outcome = "no_address"
	// Off: the server has no such channel.
	Off Outcome = "off"
)

// Notice is one worker who is told of an alert on one channel.
type Notice struct {
	Alert hlc.ID
	// Step counts from 1.
	Step    int
	Worker  hlc.ID
	Channel Channel
	// At is when the step began.
	At      time.Time
	Outcome Outcome
	// Attempts is how often sending was tried, and Tried when last; the zero time when never.
	Attempts int
	Tried    time.Time
}

// Period is how long each step waits for somebody to confirm.
func Period(setUp *syncing.SetUp) time.Duration {
	if minutes := setUp.Deployment.GetEscalationMinutes(); minutes > 0 {
		return time.Duration(minutes) * time.Minute
	}
	return DefaultPeriod
}

// DutyList are the workers on the deployment's duty list, in its order.
func DutyList(setUp *syncing.SetUp) (list []hlc.ID) {
	for _, b := range setUp.Deployment.GetDutyList() {
		if id := hlc.IDOf(b); setUp.Workers[id] != nil && !slices.Contains(list, id) {
			list = append(list, id)
		}
	}
	return list
}

// onDuty are the workers whom an alert of a team goes to, one after the other: the duty list, or where there is none
// the supervisors of the team, and then the coordinators.
func onDuty(setUp *syncing.SetUp, team hlc.ID) []hlc.ID {
	list := DutyList(setUp)
	if len(list) > 0 {
		return list
	}
	var coordinators []hlc.ID
	for _, id := range setUp.WorkerIDs() {
		switch p := setUp.Person(id); {
		case p.Role == recordv1.Role_ROLE_COORDINATOR:
			coordinators = append(coordinators, id)
		case p.Role == recordv1.Role_ROLE_SUPERVISOR && p.Has(team):
			list = append(list, id)
		}
	}
	return append(list, coordinators...)
}

// next is whom the next step of an alert tells, and when; nobody once all were told MaxRounds times more. Who is new on the
// list is told before everybody is told again.
func (a *alert) next(list []hlc.ID, period time.Duration) (workers []hlc.ID, at time.Time) {
	if len(a.notices) == 0 {
		return list[:min(1, len(list))], a.alert.Received
	}
	told := map[hlc.ID]bool{}
	for _, n := range a.notices {
		told[n.Worker] = true
	}
	last := a.notices[len(a.notices)-1]
	at = last.At.Add(period)
	for _, worker := range list {
		if !told[worker] {
			if a.inVain(last.Step) {
				at = last.At
			}
			return []hlc.ID{worker}, at
		}
	}
	if last.Step >= len(told)+MaxRounds || len(list) == 0 {
		return nil, time.Time{}
	}
	return list, at
}

// inVain reports whether nobody whom a step was to tell has an address, though there are channels: then nothing is to be
// waited for.
func (a *alert) inVain(step int) bool {
	channels := false
	for _, n := range a.notices {
		if n.Step != step || n.Outcome == Off {
			continue
		}
		if n.Outcome != NoAddress {
			return false
		}
		channels = true
	}
	return channels
}

// again is after how long something that failed in the store is tried again.
const again = 10 * time.Second

// watch brings what is open up to date, and begins each step that is due. It returns when the next one is.
func (s *Service) watch(ctx context.Context) time.Time {
	next, err := s.advance(ctx)
	if err != nil && ctx.Err() == nil {
		s.config.Failed(fmt.Errorf("following risk alerts: %w", err))
		next = s.config.Wall().Add(again)
	}
	return next
}

func (s *Service) advance(ctx context.Context) (next time.Time, err error) {
	if err := s.Refresh(ctx); err != nil {
		return next, err
	}
	if s.Count() == 0 {
		return next, nil // whatever the time is
	}
	for {
		var due []Notice
		if due, next = s.due(s.config.Wall()); len(due) == 0 {
			return next, nil
		}
		if err := s.begin(ctx, due); err != nil {
			return next, err
		}
	}
}

// due are the notices of the steps that are due, one of each alert, and when the next step is.
func (s *Service) due(now time.Time) (due []Notice, next time.Time) {
	setUp := s.config.SetUp()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.open {
		workers, at := a.next(onDuty(setUp, a.record.Audience), Period(setUp))
		switch {
		case len(workers) == 0: // whoever comes to the deployment brings a commit, and with it the next look
		case !at.After(now):
			due = append(due, s.step(a, workers, now)...)
		case next.IsZero() || at.Before(next):
			next = at
		}
	}
	return due, next
}

// step are the notices of an alert's next step.
func (s *Service) step(a *alert, workers []hlc.ID, now time.Time) (notices []Notice) {
	step := 1
	if len(a.notices) > 0 {
		step = a.notices[len(a.notices)-1].Step + 1
	}
	setUp := s.config.SetUp()
	for _, worker := range workers {
		for _, channel := range Channels {
			n := Notice{Alert: a.alert.ID, Step: step, Worker: worker, Channel: channel, At: instant(now.UnixMilli()), Outcome: Waiting}
			switch sender := s.config.Senders[channel]; {
			case sender == nil:
				n.Outcome = Off
			case sender.Address(setUp.Workers[worker]) == "":
				n.Outcome = NoAddress
			}
			notices = append(notices, n)
		}
	}
	return notices
}

// begin begins steps, and has their notices sent. What is to be sent is on the disk before it is sent: a step that was begun, here or
// by another server, is not begun again.
func (s *Service) begin(ctx context.Context, due []Notice) error {
	var ids []hlc.ID
	for _, n := range due {
		if !slices.Contains(ids, n.Alert) {
			ids = append(ids, n.Alert)
		}
	}
	var open map[hlc.ID]bool
	var stand map[hlc.ID][]Notice
	err := s.config.Store.WriteNotices(ctx, func(tx Writing) (err error) {
		if open, err = openOf(tx, ids); err != nil {
			return err
		}
		noted, err := tx.Notices(ids)
		if err != nil {
			return err
		}
		stand = map[hlc.ID][]Notice{}
		for _, n := range noted {
			stand[n.Alert] = append(stand[n.Alert], n)
		}
		steps := map[hlc.ID]int{}
		for id, notices := range stand {
			steps[id] = notices[len(notices)-1].Step
		}
		var begun []Notice
		for _, n := range due {
			if open[n.Alert] && n.Step > steps[n.Alert] {
				begun, stand[n.Alert] = append(begun, n), append(stand[n.Alert], n)
			}
		}
		return tx.SaveNotices(begun)
	})
	if err != nil {
		return err
	}
	s.adopt(open, stand)
	for _, loop := range s.sending {
		wake(loop)
	}
	return nil
}

// adopt takes over what stands of alerts in the store.
func (s *Service) adopt(open map[hlc.ID]bool, stand map[hlc.ID][]Notice) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, notices := range stand {
		if a := s.open[id]; a != nil { // else it was confirmed meanwhile
			a.notices = notices
		}
	}
	for id := range s.open {
		if is, known := open[id]; known && !is { // confirmed, or gone, which this server has not heard of yet
			delete(s.open, id)
			s.touched[id] = true
		}
	}
	s.show()
}
