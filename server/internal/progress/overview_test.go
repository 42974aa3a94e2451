package progress_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/progress"
	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

func overviewOf(t *testing.T, s *progress.Service, q progress.OverviewQuery) progress.Overview {
	t.Helper()
	o, err := s.Overview(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestAnOverviewOfAll(t *testing.T) {
	d := servertest.New(t)
	s := serviceOf(d)
	err := d.Service.Add(context.Background(), []syncing.SetUpRecord{{ID: d.Sites[0], Message: &recordv1.Site{LatitudeE6: proto.Int32(35700000), LongitudeE6: proto.Int32(114400000)}}})
	if err != nil {
		t.Fatal(err)
	}
	anna := d.Enrol("anna")
	anna.Push(activity(anna, 20210925, 10, 3)...)
	o := overviewOf(t, s, progress.OverviewQuery{Whole: true})
	if o.AsOf != 20211001 || o.ServiceDays != 9 || len(o.Days) != 9 || o.Days[0].Key != "2021-09-23" || o.Days[2].Values[tally.Reported]["contacts"] != 13 || o.Days[8].Values != nil {
		t.Errorf("days: %v, %d, %+v", o.AsOf, o.ServiceDays, o.Days)
	}
	if o.Whole.Values[tally.Reported]["beneficiaries"] != 10 || o.Whole.Values[tally.Verified]["contacts"] != 0 || o.Completeness.Enrolled != 1 {
		t.Errorf("the whole: %+v, %+v", o.Whole, o.Completeness)
	}
	for _, c := range []struct{ below, level, is, first, path string }{
		{"", "", "town", "410621108", ""}, {"", "province", "province", "41", ""}, {"41", "", "city", "4106", "河南省"},
		{"4106", "town", "town", "410621108", "河南省鹤壁市"}, {"410621", "", "town", "410621108", "河南省鹤壁市浚县"},
	} {
		o := overviewOf(t, s, progress.OverviewQuery{Whole: true, Below: c.below, Level: c.level})
		path := ""
		for _, p := range o.Path {
			path += p.Name
		}
		if o.Level != c.is || len(o.Places) != 1 || o.Places[0].Key != c.first || path != c.path {
			t.Errorf("places: %s below %s, %+v, %s", o.Level, c.below, o.Places, path)
		}
	}
	i := slices.IndexFunc(o.Sites, func(r progress.SiteRow) bool { return r.Key == d.Sites[0].String() })
	if site := o.Sites[i]; site.Latitude != 35700000 || site.Longitude != 114400000 || site.County != "浚县" || site.Values[tally.Reported]["contacts"] != 13 {
		t.Errorf("site: %+v", site)
	}
	if _, err := s.Overview(context.Background(), progress.OverviewQuery{Whole: true, Below: "410621108001"}); !errors.Is(err, problem.New(problem.InvalidArgument)) {
		t.Errorf("below a village: %v", err)
	}
}

// TestWhatLiesAfterToday: a tablet may log what its own day has begun for already. It is in the stored totals, and so the
// overview says that it counts up to that day; a count of records is made for who asks for another day alone.
func TestWhatLiesAfterToday(t *testing.T) {
	d := servertest.New(t)
	s := serviceOf(d)
	anna := d.Enrol("anna")
	anna.Push(activity(anna, 20211001, 10, 3)...)
	anna.Push(activity(anna, 20211002, 5, 0)...)
	o := overviewOf(t, s, progress.OverviewQuery{Whole: true})
	if o.AsOf != 20211002 || o.ServiceDays != 9 || o.Whole.Values[tally.Reported]["contacts"] != 18 || o.Days[len(o.Days)-1].Key != "2021-10-02" {
		t.Errorf("%v, %d days, %+v", o.AsOf, o.ServiceDays, o.Whole)
	}
	totals := totalsOf(t, s, progress.TotalsQuery{By: tally.Whole})
	if totals.Recounted || totals.AsOf != 20211002 || reported(t, totals, "", "contacts") != 18 {
		t.Errorf("totals: %+v", totals)
	}
	totals = totalsOf(t, s, progress.TotalsQuery{By: tally.Whole, AsOf: 20211001})
	if !totals.Recounted || totals.AsOf != 20211001 || reported(t, totals, "", "contacts") != 13 {
		t.Errorf("totals of today: %+v", totals)
	}
	behind, err := s.Behind(context.Background(), progress.BehindQuery{Basis: tally.Reported, Figure: "contacts", Cut: tally.Everything(), Page: progress.Page[hlc.ID]{Limit: 10}})
	if err != nil || behind.AsOf != 20211002 || len(behind.Rows) != 2 || behind.Rows[0].Day != 20211002 {
		t.Errorf("behind: %+v, %v", behind, err)
	}
}

// TestAnOverviewOfSomeTeams: who sees some teams sees their sums and tablets, and somebody whom two teams met is one person.
func TestAnOverviewOfSomeTeams(t *testing.T) {
	d := servertest.New(t)
	s := serviceOf(d)
	anna, carl := d.Enrol("anna"), d.Enrol("carl")
	person := d.NewID()
	for _, v := range []*servertest.Device{anna, carl} {
		changes := activity(v, 20211001, 10, 3)
		v.Push(append(changes, v.Make(&recordv1.Attendance{Activity: changes[0].Record[:], Token: []byte("a token of 16 by"), Participant: person[:]}))...)
	}
	carl.Push(carl.Make(&recordv1.Case{Team: d.Teams[0][:], CaseNo: proto.String("1")})) // held
	for _, c := range []struct {
		teams                            []hlc.ID
		contacts, persons, devices, rows int64
		held                             uint64
	}{{d.Teams[:1], 14, 11, 1, 1, 0}, {d.Teams[1:], 14, 11, 1, 1, 1}, {d.Teams, 28, 21, 2, 2, 1}} {
		o := overviewOf(t, s, progress.OverviewQuery{Teams: c.teams, HeardSince: d.Wall().Add(-time.Hour)})
		values := o.Whole.Values[tally.Reported]
		if values["contacts"] != c.contacts || values["persons"] != c.persons || values["beneficiaries"] != c.persons || int64(len(o.Teams)) != c.rows {
			t.Errorf("of %d teams: %+v", len(c.teams), o.Whole)
		}
		if o.Completeness.Enrolled != c.devices || o.Completeness.Held != c.held {
			t.Errorf("tablets of %d teams: %+v", len(c.teams), o.Completeness)
		}
	}
	for _, teams := range [][]hlc.ID{nil, {d.NewID()}} {
		if _, err := s.Overview(context.Background(), progress.OverviewQuery{Teams: teams}); !errors.Is(err, problem.New(problem.NotFound)) {
			t.Errorf("of the teams %v: %v", teams, err)
		}
	}
}

// TestBehindGoesThroughTheOwnTeamFirst, the latest day first, and hides what who asks may not see.
func TestBehindGoesThroughTheOwnTeamFirst(t *testing.T) {
	d := servertest.New(t)
	s := serviceOf(d)
	anna, carl := d.Enrol("anna"), d.Enrol("carl")
	for _, day := range []int32{20210928, 20210930, 20210929} {
		anna.Push(activity(anna, day, 1, 0)...)
		carl.Push(activity(carl, day, 1, 0)...)
	}
	days := func(q progress.BehindQuery) (all []string) {
		t.Helper()
		q.Basis, q.Figure, q.Limit = tally.Reported, "contacts", 2
		for {
			b, err := s.Behind(context.Background(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range b.Rows {
				all = append(all, fmt.Sprint(r.Team.Name, " ", r.Day))
			}
			if q.After = b.Next; q.After == (hlc.ID{}) {
				return all
			}
		}
	}
	for _, c := range []struct {
		name string
		q    progress.BehindQuery
		want []string
	}{
		{"the second team", progress.BehindQuery{Cut: tally.OfTeam(d.Teams[1])}, []string{"two 2021-09-30", "two 2021-09-29", "two 2021-09-28"}},
		{"a worker of the second team", progress.BehindQuery{Cut: tally.ByWorker(d.Workers["carl"])}, []string{"two 2021-09-30", "two 2021-09-29", "two 2021-09-28"}},
		{"a day", progress.BehindQuery{Cut: tally.OnDay(20210929)}, []string{"one 2021-09-29", "two 2021-09-29"}},
		{"all, for who sees the first team", progress.BehindQuery{Cut: tally.Everything(), Page: progress.Page[hlc.ID]{Sees: func(team hlc.ID) bool { return team == d.Teams[0] }}}, []string{"one 2021-09-30", "one 2021-09-29", "one 2021-09-28"}},
		{"a day of long ago", progress.BehindQuery{Cut: tally.OnDay(20200101)}, nil},
	} {
		if got := days(c.q); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	_, err := s.Behind(context.Background(), progress.BehindQuery{Basis: tally.Reported, Figure: "contacts", Cut: tally.Everything(), Page: progress.Page[hlc.ID]{Limit: 1, After: d.NewID()}})
	if !errors.Is(err, problem.New(problem.InvalidArgument)) {
		t.Errorf("after a record that is not there: %v", err)
	}
}

func TestWhatATeamDid(t *testing.T) {
	d := servertest.New(t)
	s := serviceOf(d)
	anna, ben, carl := d.Enrol("anna"), d.Enrol("ben"), d.Enrol("carl")
	anna.Push(activity(anna, 20210928, 10, 3)...)
	anna.Push(activity(anna, 20211001, 1, 0)...)
	ben.Push(activity(ben, 20210928, 5, 0)...)
	carl.Push(activity(carl, 20210928, 7, 0)...)
	work, err := s.Work(context.Background(), d.Teams[0], 20210927, 20210930)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range work.Rows {
		v := r.Values[tally.Reported]
		got = append(got, fmt.Sprintf("%s %v: %d activities, %d contacts, %d minutes", r.Worker.Name, r.Day, v["community_activities"], v["contacts"], v[progress.Minutes]))
	}
	if want := []string{"anna 2021-09-28: 1 activities, 13 contacts, 60 minutes", "ben 2021-09-28: 1 activities, 5 contacts, 60 minutes"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if sum := work.Sum(); sum[tally.Reported][progress.Minutes] != 120 || sum[tally.Reported]["contacts"] != 18 || sum[tally.Verified] != nil {
		t.Errorf("in all: %+v", sum)
	}
	for _, days := range [][2]record.Date{{20210930, 20210929}, {20210901, 20211002}, {0, 20210930}, {20210901, 20210931}} {
		if _, err := s.Work(context.Background(), d.Teams[0], days[0], days[1]); !errors.Is(err, problem.New(problem.InvalidArgument)) {
			t.Errorf("%v: %v", days, err)
		}
	}
}

func TestTheBatchThatBroughtAChange(t *testing.T) {
	d := servertest.New(t)
	s := serviceOf(d)
	anna, carl := d.Enrol("anna"), d.Enrol("carl")
	first := activity(anna, 20210928, 10, 3)
	anna.Push(first...)
	received := d.Wall()
	d.Pass(time.Minute)
	anna.Pull()
	anna.Push(anna.Edit(first[0].Record, &recordv1.CommunityActivity{Minutes: proto.Uint32(90)}))
	carl.Push(carl.Make(&recordv1.Case{Team: d.Teams[0][:], CaseNo: proto.String("1")})) // held
	tell := func(position uint64) string {
		a, err := s.Arrival(context.Background(), position)
		if err != nil {
			return string(problem.CodeOf(err))
		}
		text := fmt.Sprintf("%s of %s in %s after %v:", a.Device.Name, a.Worker.Name, a.Team.Name, a.Received.Sub(received))
		for _, c := range a.Changes {
			text += fmt.Sprintf(" %d %v %s %s%s", c.Sequence, c.Kind, c.What, c.Outcome, c.Code)
			if c.There != (c.Audience == d.Teams[0]) {
				t.Errorf("position %d: %+v", position, c)
			}
		}
		return text
	}
	head := headOf(t, d).Position
	for position, want := range map[uint64]string{
		head - 3: "anna of anna in one after 0s: 1 KIND_COMMUNITY_ACTIVITY made applied 2 KIND_HEADCOUNT made applied",
		head - 2: "anna of anna in one after 0s: 1 KIND_COMMUNITY_ACTIVITY made applied 2 KIND_HEADCOUNT made applied",
		head - 1: "anna of anna in one after 1m0s: 3 KIND_COMMUNITY_ACTIVITY edited applied",
		head:     "carl of carl in two after 1m0s: 1 KIND_CASE made heldnot_your_team",
		head + 1: "not_found",
		0:        "not_found",
		1 << 63:  "not_found",
	} {
		if got := tell(position); got != want {
			t.Errorf("position %d: %s, want %s", position, got, want)
		}
	}
	if err := d.Service.Act(context.Background(), d.Workers["super"], syncing.Deed{ID: first[0].Record, Message: &recordv1.CommunityActivity{Name: proto.String("义诊")}, Seen: head}); err != nil {
		t.Fatal(err)
	}
	if a, err := s.Arrival(context.Background(), headOf(t, d).Position); err != nil || a.Device.ID != (hlc.ID{}) || a.Changes[0].By.Name != "super" {
		t.Errorf("what somebody did on the web: %+v, %v", a, err)
	}
	if a, err := s.Arrival(context.Background(), 1); err != nil || a.Device.ID != (hlc.ID{}) || len(a.Changes) == 0 || a.Changes[0].By.ID != (hlc.ID{}) {
		t.Errorf("what the server made: %+v, %v", a, err)
	}
}
