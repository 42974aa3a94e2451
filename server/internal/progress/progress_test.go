package progress_test

import (
	"context"
	"errors"
	"math"
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

// activity is a community activity of a day and a count of heads at it.
func activity(d *servertest.Device, day int32, first, returning uint32) []*record.Change {
	held := recordv1.Status_STATUS_HELD.Enum()
	a := d.Make(&recordv1.CommunityActivity{
		Site: d.Sites[0][:], OccurredOn: &day, Place: &recordv1.Place{Code: proto.String("410621108"), Edition: proto.Int32(2023)}, Status: held,
		Name: proto.String("中秋晚会"), Minutes: proto.Uint32(60), RegisterUsed: proto.Bool(false),
	})
	return []*record.Change{a, d.Make(&recordv1.Headcount{
		OccurredOn: &day, Activity: a.Record[:], Counter: d.Worker[:], Zone: proto.String("东区"), Method: recordv1.CountMethod_COUNT_METHOD_COUNTED.Enum(),
		Cells: []*recordv1.HeadcountCell{{Sex: recordv1.Sex_SEX_FEMALE.Enum(), AgeBand: proto.Uint32(4), FirstTime: &first, Returning: &returning}},
	})}
}

func totalsOf(t *testing.T, s *progress.Service, q progress.TotalsQuery) progress.Totals {
	t.Helper()
	if q.Bases == nil {
		q.Bases = []tally.Basis{tally.Reported}
	}
	totals, err := s.Totals(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	return totals
}

func reported(t *testing.T, totals progress.Totals, key, figure string) int64 {
	t.Helper()
	i := slices.IndexFunc(totals.Rows, func(r progress.Row) bool { return r.Key == key })
	if i < 0 {
		t.Fatalf("no row %q in %+v", key, totals.Rows)
	}
	return totals.Rows[i].Values[tally.Reported][figure]
}

func TestTheAsOfDay(t *testing.T) {
	d := servertest.New(t)
	s := serviceOf(d)
	anna := d.Enrol("anna")
	d.SetWall(time.Date(2021, 10, 4, 15, 59, 0, 0, time.UTC)) // 23:59 in Shanghai
	anna.Push(activity(anna, 20211001, 10, 0)...)
	anna.Push(activity(anna, 20211004, 5, 0)...)

	for _, c := range []struct {
		name      string
		now       time.Time
		asOf      record.Date
		day       record.Date
		days      int
		persons   int64
		recounted bool
	}{
		{"today, where the deployment is", d.Wall(), 0, 20211004, 12, 15, false},
		{"a minute later it is tomorrow there", d.Wall().Add(time.Minute), 0, 20211005, 13, 15, false},
		{"the last day on which something was done", d.Wall().Add(48 * time.Hour), 20211004, 20211004, 12, 15, false},
		{"a day before that", d.Wall(), 20211003, 20211003, 11, 10, true},
		{"before anything", d.Wall(), 20210930, 20210930, 8, 0, true},
		{"before the start", d.Wall(), 20210901, 20210901, 0, 0, true},
		{"after the end", d.Wall().AddDate(1, 0, 0), 0, 20211206, 75, 15, false},
		{"a day after the end", d.Wall().AddDate(1, 0, 0), 20220101, 20211206, 75, 15, false},
	} {
		d.SetWall(c.now)
		totals := totalsOf(t, s, progress.TotalsQuery{By: tally.Whole, AsOf: c.asOf})
		if totals.AsOf != c.day || totals.ServiceDays != c.days || totals.Recounted != c.recounted || reported(t, totals, "", "persons") != c.persons {
			t.Errorf("%s: %+v", c.name, totals)
		}
	}
	d.SetWall(time.Date(2021, 10, 5, 4, 0, 0, 0, time.UTC))
	if _, err := s.Totals(context.Background(), progress.TotalsQuery{By: tally.Whole, AsOf: 20211006}); !errors.Is(err, problem.New(problem.InvalidArgument)) {
		t.Errorf("tomorrow: %v", err)
	}
}

func TestARecountOfAPastDaySeesWhatCameSince(t *testing.T) {
	d := servertest.New(t)
	s := serviceOf(d)
	anna := d.Enrol("anna")
	anna.Push(activity(anna, 20211001, 1, 0)...)
	yesterday := progress.TotalsQuery{By: tally.Whole, AsOf: 20210930}
	for n := range int64(3) {
		if got := reported(t, totalsOf(t, s, yesterday), "", "community_activities"); got != n {
			t.Fatalf("%d activities, want %d", got, n)
		}
		anna.Push(activity(anna, 20210930, 1, 0)...)
	}
}

// A place that the list does not have, such as a village, is told by its code and the place around it.
func TestAPlaceThatIsNotListedIsSaidByWhatIsAround(t *testing.T) {
	d := servertest.New(t)
	anna := d.Enrol("anna")
	day := int32(20211001)
	anna.Push(anna.Make(&recordv1.CommunityActivity{OccurredOn: &day, Place: &recordv1.Place{Code: proto.String("410621108201"), Edition: proto.Int32(2023)},
		Status: recordv1.Status_STATUS_HELD.Enum(), Name: proto.String("中秋晚会"), Minutes: proto.Uint32(60), RegisterUsed: proto.Bool(false)}))
	totals := totalsOf(t, serviceOf(d), progress.TotalsQuery{By: tally.Place, Level: "village"})
	if len(totals.Rows) != 1 || totals.Rows[0].Label.En != "王庄镇 410621108201" {
		t.Errorf("rows %+v", totals.Rows)
	}
}

func TestRowsAndTheirLabels(t *testing.T) {
	d := servertest.New(t)
	s := serviceOf(d)
	anna := d.Enrol("anna")
	anna.Push(activity(anna, 20211001, 10, 3)...)
	for _, c := range []struct {
		by          tally.Dimension
		level, key  string
		zh, en, at  string
		first, rows int
	}{
		{tally.Whole, "", "", "合计", "total", "", 0, 1},
		{tally.Day, "", "2021-10-01", "2021-10-01", "2021-10-01", "", 0, 1},
		{tally.Site, "", d.Sites[0].String(), "王庄镇", "王庄镇", "410621108", 0, 2},
		{tally.Team, "", d.Teams[0].String(), "one", "one", "", 0, 2},
		{tally.Worker, "", d.Workers["anna"].String(), "anna", "anna", "", 0, 6},
		{tally.ServiceArea, "", "1", "心理疏导", "psychological support", "", 0, 1},
		{tally.Place, "", "41", "河南省", "河南省", "41", 0, 1},
		{tally.Place, "county", "410621", "浚县", "浚县", "410621", 0, 1},
		{tally.Place, "town", "410621108", "王庄镇", "王庄镇", "410621108", 0, 1},
		{tally.Sex, "", "female", "女", "female", "", 0, 1},
		{tally.AgeBand, "", "4", "18–59", "18–59", "", 0, 1},
		{tally.Disability, "", "not_asked", "未询问", "not asked", "", 0, 1},
	} {
		totals := totalsOf(t, s, progress.TotalsQuery{By: c.by, Level: c.level})
		if len(totals.Rows) != c.rows {
			t.Errorf("%v: %d rows: %+v", c.by, len(totals.Rows), totals.Rows)
		}
		if reported(t, totals, c.key, "contacts") != 13 || reported(t, totals, c.key, "beneficiaries") != 10 {
			t.Errorf("%v %s: %+v", c.by, c.key, totals.Rows)
		}
		i := slices.IndexFunc(totals.Rows, func(r progress.Row) bool { return r.Key == c.key })
		if row := totals.Rows[i]; row.Label != (progress.Text{Zh: c.zh, En: c.en}) || row.Place != c.at {
			t.Errorf("%v %s: %+v", c.by, c.key, row)
		}
	}
}

func TestTheDeploymentsOwnWords(t *testing.T) {
	d := servertest.New(t)
	err := d.Service.Add(context.Background(), []syncing.SetUpRecord{{ID: d.ID, Message: &recordv1.Deployment{
		Labels:   []*recordv1.Label{{Key: proto.String("community_activity"), LabelZh: proto.String("社区活动")}},
		AgeBands: []uint32{17},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	s := serviceOf(d)
	i := slices.IndexFunc(s.Figures(), func(f progress.Figure) bool { return f.Name == "community_activities" })
	if label := s.Figures()[i].Label; label != (progress.Text{Zh: "社区活动", En: "community activities"}) {
		t.Errorf("activities are called %+v", label)
	}
}

func TestPlaces(t *testing.T) {
	d := servertest.New(t)
	s := serviceOf(d)
	anna := d.Enrol("anna")
	anna.Push(activity(anna, 20211001, 1, 0)...)
	for _, c := range []struct {
		level, below string
		keys         []string // nil: a problem
	}{
		{"", "41", []string{"4106"}},
		{"town", "41", []string{"410621108"}},
		{"town", "410621", []string{"410621108"}},
		{"", "4107", []string{}},
		{"village", "", []string{}},
		{"county", "410621", nil},
		{"", "410621108001", nil},
	} {
		totals, err := s.Totals(context.Background(), progress.TotalsQuery{Bases: []tally.Basis{tally.Reported}, By: tally.Place, Level: c.level, Below: c.below})
		if c.keys == nil {
			if !errors.Is(err, problem.New(problem.InvalidArgument)) {
				t.Errorf("%q below %q: %v", c.level, c.below, err)
			}
			continue
		}
		keys := []string{}
		for _, row := range totals.Rows {
			keys = append(keys, row.Key)
		}
		if err != nil || !slices.Equal(keys, c.keys) {
			t.Errorf("%q below %q: %v, %v", c.level, c.below, keys, err)
		}
	}
	for _, q := range []progress.TotalsQuery{{By: tally.Site, Level: "town"}, {By: tally.Day, Below: "41"}, {By: tally.Sex, Figures: []string{"cases"}}} {
		if _, err := s.Totals(context.Background(), q); !errors.Is(err, problem.New(problem.InvalidArgument)) {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

func TestCompleteness(t *testing.T) {
	d := servertest.New(t)
	s := serviceOf(d)
	complete := func(since time.Time) progress.Completeness {
		// What tablets said of themselves is written with the next commit.
		if _, err := d.Service.NewEnrolmentCode(context.Background(), d.Workers["anna"], hlc.ID{}, time.Hour); err != nil {
			t.Fatal(err)
		}
		c, err := s.Completeness(context.Background(), since)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if c := complete(time.Time{}); c.Enrolled != 0 || c.OldestContact != 0 || c.Outstanding != 0 {
		t.Errorf("without tablets: %+v", c)
	}
	early := d.Wall()
	anna, carl := d.Enrol("anna"), d.Enrol("carl")
	d.Pass(30 * time.Hour)
	request := anna.Request(anna.Batch(activity(anna, 20211001, 1, 0)...))
	request.Unsent = 7
	if _, err := anna.Sync(request); err != nil {
		t.Fatal(err)
	}
	// A change that this worker may not make is held.
	carl.Push(carl.Make(&recordv1.Case{Team: d.Teams[0][:], CaseNo: proto.String("1")}))
	c := complete(time.Time{})
	if c.Enrolled != 2 || c.HeardFrom != 2 || c.Outstanding != 7 || c.WithBacklog != 1 || c.Held != 1 || c.Conflicts != 0 {
		t.Errorf("%+v", c)
	}
	if c.NewestContact != d.Wall().UnixMilli() || c.OldestContact != d.Wall().UnixMilli() || c.At != d.Wall() {
		t.Errorf("contacts: %+v", c)
	}
	head, err := s.Version(context.Background())
	if err != nil || head.Position != c.Position || c.Position == 0 {
		t.Errorf("position %d, version %+v, %v", c.Position, head, err)
	}
	ben := d.Enrol("ben")
	d.Pass(25 * time.Hour)
	ben.Push(activity(ben, 20211001, 1, 0)...)
	if c := complete(time.Time{}); c.HeardFrom != 1 || c.OldestContact >= c.NewestContact {
		t.Errorf("after a day: %+v", c)
	}
	if c := complete(early); c.HeardFrom != 3 {
		t.Errorf("since %v: %+v", early, c)
	}
}

func TestNoTabletClaimsABacklogThatCanNotBe(t *testing.T) {
	d := servertest.New(t)
	anna := d.Enrol("anna")
	for _, unsent := range []uint64{math.MaxUint64, math.MaxInt64, 1<<32 + 1} {
		request := anna.Request(nil)
		request.Unsent = unsent
		if _, err := anna.Sync(request); !errors.Is(err, problem.New(problem.Malformed)) {
			t.Errorf("%d changes unsent: %v", unsent, err)
		}
	}
	anna.Push(activity(anna, 20211001, 1, 0)...)
	if tablets, _, err := serviceOf(d).Tablets(context.Background(), progress.Page[hlc.ID]{Limit: 1}); err != nil || tablets[0].Unsent != 0 {
		t.Errorf("%+v, %v", tablets, err)
	}
}

func TestTabletsAreByNameInPages(t *testing.T) {
	d := servertest.New(t)
	s := serviceOf(d)
	for _, name := range []string{"lead", "anna", "carl", "anna", "ben"} {
		d.Enrol(name)
	}
	carl := d.Enrol("carl")
	carl.Push(carl.Make(&recordv1.Case{Team: d.Teams[0][:], CaseNo: proto.String("1")}), carl.Make(&recordv1.Case{Team: d.Teams[1][:], CaseNo: proto.String("2")}))
	var names []string
	for after := (hlc.ID{}); ; {
		tablets, next, err := s.Tablets(context.Background(), progress.Page[hlc.ID]{After: after, Limit: 2})
		if err != nil || len(tablets) > 2 {
			t.Fatal(tablets, err)
		}
		for _, v := range tablets {
			names = append(names, v.Name)
			if v.Owner.Name != v.Name || (v.Name == "carl") != (v.Team.Name == "two") {
				t.Errorf("%+v", v)
			}
			if want := v.ID == carl.Device.ID; want != (v.Have == 2 && v.Held == 1) {
				t.Errorf("%+v", v)
			}
		}
		if after = next; after == (hlc.ID{}) {
			break
		}
	}
	if !slices.Equal(names, []string{"anna", "anna", "ben", "carl", "carl", "lead"}) {
		t.Errorf("%v", names)
	}
}

func TestHeldChangesInPages(t *testing.T) {
	d := servertest.New(t)
	s := serviceOf(d)
	carl := d.Enrol("carl")
	anothers := carl.Make(&recordv1.Case{Team: d.Teams[0][:], CaseNo: proto.String("1")})
	carl.PushBodies(anothers.Encode(), []byte("no change at all"), carl.Make(&recordv1.Case{CaseNo: proto.String("2")}).Encode(), carl.Edit(anothers.Record, &recordv1.Case{CaseNo: proto.String("3")}).Encode())
	first, next, err := s.Held(context.Background(), progress.Page[uint64]{Limit: 2})
	if err != nil || len(first) != 2 || next != first[1].Position {
		t.Fatal(first, next, err)
	}
	rest, next, err := s.Held(context.Background(), progress.Page[uint64]{After: next, Limit: 2})
	if err != nil || len(rest) != 1 || next != 0 {
		t.Fatal(rest, next, err)
	}
	held := slices.Concat(first, rest)
	for i, code := range []record.Code{record.CodeNotYourTeam, record.CodeMalformed, record.CodeRecordHeld} {
		h := held[i]
		if h.Code != code || h.Worker.Name != "carl" || h.Device.Name != "carl" || h.Team.Name != "two" || !h.Received.Equal(d.Wall()) {
			t.Errorf("%d: %+v", i, h)
		}
	}
	if held[0].Kind != recordv1.Kind_KIND_CASE || held[0].Record != anothers.Record || held[1].Kind != 0 {
		t.Errorf("%+v", held)
	}
}

func TestConflictsUntilTheyAreSettled(t *testing.T) {
	d := servertest.New(t)
	s := serviceOf(d)
	anna, ben, lead := d.Enrol("anna"), d.Enrol("ben"), d.Enrol("lead")
	var made []*record.Change
	for range 3 {
		made = append(made, activity(anna, 20211001, 1, 0)[0])
	}
	anna.Push(made...)
	anna.Pull()
	ben.Pull()
	for i, c := range made {
		d.Pass(time.Minute)
		anna.Push(anna.Edit(c.Record, &recordv1.CommunityActivity{Minutes: proto.Uint32(uint32(70 + i))}))
		d.Pass(time.Minute)
		ben.Push(ben.Edit(c.Record, &recordv1.CommunityActivity{Minutes: proto.Uint32(uint32(80 + i))}))
	}
	list := func(page progress.Page[hlc.ID]) ([]progress.Conflict, hlc.ID) {
		conflicts, next, err := s.Conflicts(context.Background(), page)
		if err != nil {
			t.Fatal(err)
		}
		return conflicts, next
	}
	first, next := list(progress.Page[hlc.ID]{Limit: 2})
	if len(first) != 2 || next != first[1].ID {
		t.Fatal(first, next)
	}
	rest, next := list(progress.Page[hlc.ID]{After: next, Limit: 2})
	if len(rest) != 1 || next != (hlc.ID{}) {
		t.Fatal(rest, next)
	}
	for _, c := range append(first, rest...) {
		if c.Field != "minutes" || c.TargetKind != recordv1.Kind_KIND_COMMUNITY_ACTIVITY || c.Team.Name != "one" ||
			len(c.Sides) != 2 || c.Sides[0].Author.Name != "anna" || c.Sides[1].Author.Name != "ben" || !c.Sides[0].At.Before(c.Sides[1].At) {
			t.Errorf("%+v", c)
		}
	}
	lead.Pull()
	lead.Push(lead.Edit(first[0].ID, &recordv1.Conflict{Settled: proto.Bool(true)}))
	if left, _ := list(progress.Page[hlc.ID]{Limit: 9}); len(left) != 2 || left[0].ID != first[1].ID {
		t.Errorf("%+v", left)
	}
	counts(t, d, 2)

	// An older program marked all conflicts as open, the settled ones too: see migration 11.
	d.Close()
	db := d.Raw()
	if _, err := db.Exec(`UPDATE records SET unsettled = 1 WHERE kind = 25`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	d.Open()
	counts(t, d, 2)
}

// counts looks how many conflicts there are, in all and of the team whose they are.
func counts(t *testing.T, d *servertest.Deployment, want uint64) {
	t.Helper()
	s := serviceOf(d)
	if c, err := s.Completeness(context.Background(), time.Time{}); err != nil || c.Conflicts != want {
		t.Errorf("%+v, %v", c, err)
	}
	for i, of := range []uint64{want, 0} {
		if o, err := s.Overview(context.Background(), progress.OverviewQuery{Teams: d.Teams[i : i+1]}); err != nil || o.Completeness.Conflicts != of {
			t.Errorf("team %d: %+v, %v", i, o.Completeness, err)
		}
	}
}

func TestRecordsBehindAFigureSayWhoAndWhere(t *testing.T) {
	d := servertest.New(t)
	s := serviceOf(d)
	ben := d.Enrol("ben")
	changes := activity(ben, 20211001, 10, 3)
	ben.Push(changes...)
	q := progress.BehindQuery{Basis: tally.Reported, Figure: "contacts", Cut: tally.AtSite(d.Sites[0]), Page: progress.Page[hlc.ID]{Limit: 10}}
	b, err := s.Behind(context.Background(), q)
	if err != nil || len(b.Rows) != 1 || b.Next != (hlc.ID{}) {
		t.Fatal(b, err)
	}
	want := progress.Part{ID: changes[1].Record, Kind: recordv1.Kind_KIND_HEADCOUNT, Day: 20211001, Amount: 13,
		Site: progress.Named{ID: d.Sites[0], Name: "王庄镇"}, Team: progress.Named{ID: d.Teams[0], Name: "one"}, Author: progress.Named{ID: d.Workers["ben"], Name: "ben"}}
	if b.Rows[0] != want {
		t.Errorf("%+v, want %+v", b.Rows[0], want)
	}
	q.AsOf = 20210930
	if b, err := s.Behind(context.Background(), q); err != nil || len(b.Rows) != 0 {
		t.Errorf("before that day: %+v, %v", b, err)
	}
	q.Figure = "service_days"
	if _, err := s.Behind(context.Background(), q); !errors.Is(err, problem.New(problem.InvalidArgument)) {
		t.Errorf("service days: %v", err)
	}
}
