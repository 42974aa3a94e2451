package demo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// clock is the simulated one that server and tablets share.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) wall() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// set moves the clock to a minute of a day of the deployment. It never goes back.
func (c *clock) set(n, minute int) {
	at := day(n).Start(beijing).Add(time.Duration(minute) * time.Minute)
	c.mu.Lock()
	defer c.mu.Unlock()
	if at.After(c.now) {
		c.now = at
	}
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// replay is the 75 days under way.
type replay struct {
	seed    uint64
	clock   *clock
	rand    *rand.Rand
	teams   [][]*tablet
	events  []event
	twins   []twin
	planned []hlc.ID
	done    func(day int)
}

// event is something that a worker does at a minute of a day.
type event struct {
	day, minute int
	do          func(context.Context) error
}

// twin is an activity that two colleagues logged as two records.
type twin struct {
	by          *tablet // who clears it up
	second, one hlc.ID
}

func (r *replay) at(day, minute int, do func(context.Context) error) {
	r.events = append(r.events, event{day, minute + r.rand.IntN(30), do})
}

// minutes of the day at which things are done.
const (
	morning   = 8*60 + 30
	forenoon  = 10 * 60
	afternoon = 14 * 60
	evening   = 20 * 60
)

// schedule turns the division into what is done when, by whom.
func (r *replay) schedule(d *division) {
	for n, c := range d.cases {
		r.scheduleCase(n, c)
	}
	for n, g := range d.groups {
		r.scheduleGroup(n, g)
	}
	r.planned = make([]hlc.ID, len(d.activities))
	for n, a := range d.activities {
		r.scheduleActivity(n, a)
	}
	for _, o := range d.outreach {
		t := r.teams[o.town][o.worker]
		r.at(o.day, forenoon, func(ctx context.Context) error { return t.visit(ctx, o) })
	}
	for _, team := range r.teams {
		for week := 6; week < days; week += 14 {
			r.at(week, evening-60, func(ctx context.Context) error { return supervise(ctx, team[0]) })
		}
		r.at(20+r.rand.IntN(30), forenoon, func(ctx context.Context) error { return r.mistake(ctx, team[1]) })
	}
	slices.SortStableFunc(r.events, func(a, b event) int { return (a.day-b.day)*24*60 + a.minute - b.minute })
}

func (r *replay) scheduleCase(n int, c caseplan) {
	t := r.teams[c.town][c.worker]
	var id hlc.ID
	r.at(c.opened, morning, func(ctx context.Context) (err error) {
		id, err = t.openCase(ctx, r.seed, n, c)
		return err
	})
	for i, on := range c.sessions {
		r.at(on, afternoon, func(ctx context.Context) error {
			return t.logCaseSession(ctx, id, i+1, i == len(c.sessions)-1)
		})
	}
}

func (r *replay) scheduleGroup(n int, g groupplan) {
	t := r.teams[g.town][g.worker]
	var id hlc.ID
	var members []member
	r.at(g.sessions[0]-2, morning, func(ctx context.Context) (err error) {
		id, members, err = t.openGroup(ctx, r.seed, n, g)
		return err
	})
	for i, on := range g.sessions {
		r.at(on, afternoon, func(ctx context.Context) error { return t.logGroupSession(ctx, id, members, i+1) })
	}
}

func (r *replay) scheduleActivity(n int, a activityplan) {
	lead, second := r.teams[a.town][a.lead], r.teams[a.town][a.second]
	r.at(a.day-4, morning, func(ctx context.Context) (err error) {
		r.planned[n], err = lead.planActivity(ctx, n, a)
		if err == nil && r.rand.IntN(4) > 0 {
			err = lead.sync(ctx)
		}
		return err
	})
	r.at(a.day, forenoon, func(ctx context.Context) error {
		held := &recordv1.CommunityActivity{Status: recordv1.Status_STATUS_HELD.Enum(), Minutes: number(60 + 10*r.rand.IntN(8))}
		if err := lead.store.Update(ctx, r.planned[n], held); err != nil {
			return err
		}
		return lead.count(ctx, r.planned[n], "东区", a.heads[0])
	})
	r.at(a.day, afternoon, func(ctx context.Context) error {
		at := r.planned[n]
		if a.twice || !second.sees(ctx, at) {
			// The plan has not reached this tablet: its worker logs the activity as one of her own.
			own, err := second.store.LogCommunityActivity(ctx, activity(n, a, recordv1.Status_STATUS_HELD))
			if err != nil {
				return err
			}
			r.twins = append(r.twins, twin{by: lead, second: own, one: at})
			at = own
		}
		return second.count(ctx, at, "西区", a.heads[1])
	})
}

// mistake is an activity that was never held: logged, counted, and deleted again.
func (r *replay) mistake(ctx context.Context, t *tablet) error {
	id, err := t.store.LogCommunityActivity(ctx, &recordv1.CommunityActivity{
		Name: proto.String("误录"), Minutes: number(60), RegisterUsed: proto.Bool(false), ServiceArea: recordv1.ServiceArea_SERVICE_AREA_OTHER.Enum(),
	})
	if err != nil {
		return err
	}
	if err := t.count(ctx, id, "广场", []cell{{sex: 1, band: 4, firstTime: 30}}); err != nil {
		return err
	}
	if err := t.sync(ctx); err != nil {
		return err
	}
	return t.store.Delete(ctx, id)
}

func supervise(ctx context.Context, lead *tablet) error {
	st, err := lead.store.Status(ctx)
	if err != nil {
		return err
	}
	_, err = lead.store.LogSupervision(ctx, &recordv1.Supervision{
		Form: recordv1.SupervisionForm_SUPERVISION_FORM_GROUP.Enum(), Supervisor: st.Worker[:], Minutes: number(60), Tasks: proto.String("整理个案记录"),
	})
	return err
}

// run plays the 75 days. Tablets are offline but for some evenings; now and then a whole team finds a signal at once.
func (r *replay) run(ctx context.Context) error {
	next := 0
	for n := range days {
		for ; next < len(r.events) && r.events[next].day <= n; next++ {
			r.clock.set(n, r.events[next].minute)
			if err := r.events[next].do(ctx); err != nil {
				return fmt.Errorf("day %d: %w", n+1, err)
			}
		}
		r.clock.set(n, evening)
		if err := r.evening(ctx); err != nil {
			return fmt.Errorf("evening of day %d: %w", n+1, err)
		}
		r.done(n + 1)
	}
	return r.home(ctx)
}

func (r *replay) evening(ctx context.Context) error {
	for _, team := range r.teams {
		if r.rand.IntN(100) < 6 {
			if err := together(ctx, team); err != nil {
				return err
			}
			continue
		}
		for _, t := range team {
			if r.rand.IntN(100) < 12 {
				if err := t.sync(ctx); err != nil {
					return err
				}
			}
		}
	}
	return r.clearUp(ctx)
}

// together syncs several tablets at the same time.
func together(ctx context.Context, tablets []*tablet) error {
	errs := make(chan error, len(tablets))
	for _, t := range tablets {
		go func() { errs <- t.sync(ctx) }()
	}
	var first error
	for range tablets {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	return first
}

// clearUp says of activities that were logged twice that they are one, where a tablet has seen both.
func (r *replay) clearUp(ctx context.Context) error {
	var left []twin
	for _, t := range r.twins {
		marked, err := t.by.markTwice(ctx, t.second, t.one)
		if err != nil {
			return err
		}
		if !marked {
			left = append(left, t)
		}
	}
	r.twins = left
	return nil
}

// maxRounds bounds the end: over a link that loses nine requests of ten all are through long before.
const maxRounds = 400

// home is the end of the deployment: all tablets are back and sync until nothing is left to send, and each has what
// the others sent.
func (r *replay) home(ctx context.Context) error {
	var all []*tablet
	for _, team := range r.teams {
		all = append(all, team...)
	}
	for _, t := range all {
		t.caughtUp = false
	}
	for range maxRounds {
		settled, err := r.settled(ctx, all)
		if err != nil {
			return err
		}
		if settled && !slices.ContainsFunc(all, func(t *tablet) bool { return !t.caughtUp }) {
			return nil
		}
		if err := together(ctx, all); err != nil {
			return err
		}
		if !settled { // a tablet that synced now may have missed what another sent a moment later
			for _, t := range all {
				t.caughtUp = false
			}
		}
		if err := r.clearUp(ctx); err != nil {
			return err
		}
		r.clock.advance(time.Minute)
	}
	return fmt.Errorf("after %d rounds the tablets have not settled", maxRounds)
}

func (r *replay) settled(ctx context.Context, all []*tablet) (bool, error) {
	for _, t := range all {
		st, err := t.store.Status(ctx)
		if err != nil || st.Unsent > 0 {
			return false, err
		}
	}
	return len(r.twins) == 0, nil
}
