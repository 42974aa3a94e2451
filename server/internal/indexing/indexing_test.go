package indexing_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"levee/server/internal/indexing"
	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

var ctx = context.Background()

func serviceOf(d *servertest.Deployment) *indexing.Service {
	return indexing.New(indexing.Config{Store: d.DB.Deployment(d.ID), SetUp: d.Service.SetUp, Wall: d.Wall})
}

// follow brings the tables up to the end of the log, and fails when they are not what the records give.
func follow(t testing.TB, d *servertest.Deployment) *indexing.Service {
	t.Helper()
	s := serviceOf(d)
	if err := s.Follow(ctx); err != nil {
		t.Fatal(err)
	}
	differences, err := indexing.Verify(ctx, d.DB.Deployment(d.ID))
	if err != nil || len(differences) > 0 {
		t.Fatalf("%q, %v", differences, err)
	}
	if behind, err := s.Behind(ctx); err != nil || behind != 0 {
		t.Fatalf("%d behind, %v", behind, err)
	}
	return s
}

var area = recordv1.ServiceArea_SERVICE_AREA_PSYCHOLOGICAL_SUPPORT.Enum()

func talk(name string) *recordv1.CommunityActivity {
	return &recordv1.CommunityActivity{Name: &name, Minutes: proto.Uint32(60), RegisterUsed: proto.Bool(false), Status: recordv1.Status_STATUS_HELD.Enum(), ServiceArea: area}
}

func queue(t testing.TB, s *indexing.Service, q indexing.QueueQuery) []hlc.ID {
	t.Helper()
	if q.Standing == 0 {
		q.Standing = tally.Waiting
	}
	if q.Limit == 0 {
		q.Limit = indexing.MaxPage
	}
	page, err := s.Queue(ctx, q)
	if err != nil {
		t.Fatal(err)
	}
	ids := []hlc.ID{}
	for _, r := range page {
		ids = append(ids, r.Record)
	}
	return ids
}

func wantIDs(t testing.TB, what string, got []hlc.ID, want ...hlc.ID) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// edit is an edit by somebody who sees the record as it is.
func edit(d *servertest.Deployment, id hlc.ID, m record.Common, cleared ...protowire.Number) {
	d.T.Helper()
	d.Pass(time.Minute)
	v := d.Enrol("coordinator")
	v.Pull()
	if held := v.Push(v.Edit(id, m, cleared...)).GetAcknowledgement().GetHeld(); len(held) > 0 {
		d.T.Fatal(held)
	}
}

// A record waits until it is reviewed, and again when what was reviewed changes.
func TestARecordGoesThroughTheQueue(t *testing.T) {
	d := servertest.New(t)
	anna, super := d.Enrol("anna"), d.Enrol("super")
	made := anna.Make(talk("讲座"))
	draft := anna.Make(&recordv1.CommunityActivity{Name: proto.String("草稿")})
	anna.Push(made, draft)
	standing := func(what string, want tally.Standing) {
		t.Helper()
		s := follow(t, d)
		for _, st := range []tally.Standing{tally.Waiting, tally.Returned, tally.Approved} {
			want := map[bool][]hlc.ID{true: {made.Record}}[st == want]
			wantIDs(t, what, queue(t, s, indexing.QueueQuery{Standing: st}), want...)
			wantIDs(t, what+", of the team", queue(t, s, indexing.QueueQuery{Standing: st, Teams: d.Teams[:1]}), want...)
			wantIDs(t, what+", of another team", queue(t, s, indexing.QueueQuery{Standing: st, Teams: d.Teams[1:]}))
		}
	}
	standing("made", tally.Waiting)
	review := func(outcome recordv1.ReviewOutcome) *record.Change {
		super.Pull()
		d.Pass(time.Minute)
		return super.Make(&recordv1.Review{Target: made.Record[:], Outcome: outcome.Enum(), Reviewed: tally.Reviewed(made.Kind, super.Seen[made.Record])})
	}
	returned := review(recordv1.ReviewOutcome_REVIEW_OUTCOME_RETURNED)
	super.Push(returned)
	standing("returned", tally.Returned)
	d.Pass(time.Minute)
	edit(d, made.Record, &recordv1.CommunityActivity{Summary: proto.String("补充")})
	standing("mended", tally.Waiting)
	super.Push(review(recordv1.ReviewOutcome_REVIEW_OUTCOME_APPROVED))
	standing("approved", tally.Approved)
	d.Pass(time.Minute)
	edit(d, made.Record, &recordv1.CommunityActivity{Minutes: proto.Uint32(70)})
	standing("changed in what does not count", tally.Approved)
	edit(d, made.Record, &recordv1.CommunityActivity{OccurredOn: proto.Int32(20210930)})
	standing("changed in what counts", tally.Waiting)
	edit(d, made.Record, &recordv1.CommunityActivity{Deleted: proto.Bool(true)})
	standing("deleted", 0)
	edit(d, made.Record, &recordv1.CommunityActivity{Deleted: proto.Bool(false)})
	standing("restored", tally.Waiting)

	// A review that turns out to be of another record.
	d.Pass(time.Minute)
	super.Push(review(recordv1.ReviewOutcome_REVIEW_OUTCOME_RETURNED))
	standing("returned again", tally.Returned)
	all := d.Enrol("coordinator")
	all.Pull()
	for id, r := range all.Seen {
		if r.Owner(recordv1.Kind_KIND_REVIEW) == made.Record && id != made.Record {
			edit(d, id, &recordv1.Review{Target: draft.Record[:]})
		}
	}
	standing("reviews moved away", tally.Waiting)
}

// Pages of the queue follow each other without a gap, over all teams and kinds.
func TestTheQueueIsPaged(t *testing.T) {
	d := servertest.New(t)
	anna, carl := d.Enrol("anna"), d.Enrol("carl")
	type row struct {
		day int32
		id  hlc.ID
	}
	var all []row
	for i := range 30 {
		day := int32(20210924 + i%5)
		v := []*servertest.Device{anna, carl}[i%2]
		var m record.Common = &recordv1.CommunityActivity{Name: proto.String("讲座"), Minutes: proto.Uint32(60), RegisterUsed: proto.Bool(false), Status: recordv1.Status_STATUS_HELD.Enum(), OccurredOn: &day}
		if i%3 == 0 {
			m = &recordv1.Outreach{Households: proto.Uint32(3), Status: recordv1.Status_STATUS_HELD.Enum(), OccurredOn: &day}
		}
		c := v.Make(m)
		v.Push(c)
		all = append(all, row{day, c.Record})
	}
	slices.SortFunc(all, func(a, b row) int {
		if a.day != b.day {
			return int(b.day - a.day)
		}
		return slices.Compare(b.id[:], a.id[:])
	})
	var want []hlc.ID
	for _, r := range all {
		want = append(want, r.id)
	}
	s := follow(t, d)
	for name, q := range map[string]indexing.QueueQuery{
		"all": {}, "each team": {Teams: d.Teams}, "each kind": {Kinds: []record.Kind{recordv1.Kind_KIND_OUTREACH, recordv1.Kind_KIND_COMMUNITY_ACTIVITY}},
	} {
		q.Standing, q.Limit = tally.Waiting, 7
		var got []hlc.ID
		for {
			page, err := s.Queue(ctx, q)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page {
				got = append(got, r.Record)
				q.After = r.Place()
			}
			if len(page) < q.Limit {
				break
			}
		}
		wantIDs(t, name, got, want...)
	}
	counts, err := s.ReviewCounts(ctx, d.Teams[:1])
	if err != nil || len(counts) != 2 || counts[0].Count+counts[1].Count != 15 {
		t.Errorf("%+v, %v", counts, err)
	}
	if got := queue(t, s, indexing.QueueQuery{From: 20210925, To: 20210925, Kinds: []record.Kind{recordv1.Kind_KIND_OUTREACH}}); len(got) != 2 {
		t.Errorf("%d rounds on one day", len(got))
	}
	if got := queue(t, s, indexing.QueueQuery{To: 20210925}); len(got) != 12 {
		t.Errorf("%d on two days", len(got))
	}
}

func TestLikelyPairs(t *testing.T) {
	d := servertest.New(t)
	anna, ben, carl := d.Enrol("anna"), d.Enrol("ben"), d.Enrol("carl")
	a, b, other := anna.Make(talk("讲座")), ben.Make(talk("心理讲座")), carl.Make(talk("讲座"))
	anna.Push(a)
	ben.Push(b)
	carl.Push(other)
	likely := func(what string, teams []hlc.ID, want ...indexing.Pair) {
		t.Helper()
		s := follow(t, d)
		got, err := s.Likely(ctx, indexing.LikelyQuery{Teams: teams, Limit: 10})
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %+v, want %+v, %v", what, got, want, err)
		}
	}
	pair := indexing.Pair{Earlier: a.Record, Later: b.Record, Kind: recordv1.Kind_KIND_COMMUNITY_ACTIVITY, Day: 20211001, Audience: d.Teams[0], LaterAudience: d.Teams[0]}
	likely("two colleagues", nil, pair)
	likely("two colleagues", d.Teams[:1], pair)
	likely("of another team", d.Teams[1:])
	edit(d, b.Record, &recordv1.CommunityActivity{OccurredOn: proto.Int32(20210930)})
	likely("on another day", nil)
	edit(d, b.Record, &recordv1.CommunityActivity{OccurredOn: proto.Int32(20211001)})
	likely("on one day again", nil, pair)
	said := ben.Make(&recordv1.Distinction{Record: b.Record[:], Other: a.Record[:], Reason: proto.String("上午、下午各一场")})
	ben.Push(said)
	likely("of different things", nil)
	edit(d, b.Record, &recordv1.CommunityActivity{Summary: proto.String("下午")})
	likely("of different things, and touched", nil)
	edit(d, said.Record, &recordv1.Distinction{Deleted: proto.Bool(true)})
	likely("not said any more", nil, pair)
	edit(d, b.Record, &recordv1.CommunityActivity{DuplicateOf: a.Record[:]})
	likely("joined", nil)

	// One case number in two teams is seen by who sees both.
	c1, c2 := anna.Make(&recordv1.Case{CaseNo: proto.String("wz-1")}), carl.Make(&recordv1.Case{CaseNo: proto.String("WZ-1")})
	anna.Push(c1)
	carl.Push(c2)
	pair = indexing.Pair{Earlier: c1.Record, Later: c2.Record, Kind: recordv1.Kind_KIND_CASE, Day: 20211001, Audience: d.Teams[0], LaterAudience: d.Teams[1]}
	likely("one number", nil, pair)
	likely("one number", d.Teams, pair)
	likely("one number, seen by one team", d.Teams[:1])
	pairs, err := serviceOf(d).LikelyOf(ctx, c2.Record)
	if err != nil || len(pairs) != 1 || pairs[0] != pair {
		t.Errorf("%+v, %v", pairs, err)
	}
}

// Of very many that are alike each is compared with the nearest that came before it, or in the same 100 positions of the log, however
// much of it is indexed at once.
func TestOfManyAlikeTheNearestAreCompared(t *testing.T) {
	d := servertest.New(t)
	anna, ben := d.Enrol("anna"), d.Enrol("ben")
	var early, late []*record.Change
	for range 180 {
		early, late = append(early, anna.Make(talk("讲座"))), append(late, ben.Make(talk("讲座")))
		d.Pass(time.Second)
	}
	anna.Push(early...)
	ben.Push(late...)
	talks := map[hlc.ID]bool{}
	for _, c := range slices.Concat(early, late) {
		talks[c.Record] = true
	}
	want := map[[2]hlc.ID]bool{}
	err := d.DB.Deployment(d.ID).Index(ctx, func(tx indexing.Writing) error {
		entries, err := tx.Entries(0, 10_000)
		var come []hlc.ID // up to the end of a window, ascending
		for len(entries) > 0 {
			var window []hlc.ID
			for end := (entries[0].Position-1)/100*100 + 100; len(entries) > 0 && entries[0].Position <= end; entries = entries[1:] {
				if talks[entries[0].Record] {
					window = append(window, entries[0].Record)
				}
			}
			come = append(come, window...)
			slices.SortFunc(come, hlc.CompareIDs)
			for _, id := range window {
				at := slices.Index(come, id)
				for i := max(0, at-8); i < min(len(come), at+9); i++ {
					if i != at {
						want[[2]hlc.ID{come[min(i, at)], come[max(i, at)]}] = true
					}
				}
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	page, err := follow(t, d).Likely(ctx, indexing.LikelyQuery{Limit: 100_000})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range page {
		if !want[[2]hlc.ID{p.Earlier, p.Later}] {
			t.Errorf("%v and %v are not near each other", p.Earlier, p.Later)
		}
	}
	if len(page) != len(want) {
		t.Errorf("%d pairs are found, of %d", len(page), len(want))
	}
}

func TestCasework(t *testing.T) {
	d := servertest.New(t)
	d.SetWall(time.Date(2021, 10, 20, 4, 0, 0, 0, time.UTC))
	anna := d.Enrol("anna")
	worker := d.Workers["anna"]
	open := func(no string, day int32, more func(*recordv1.Case)) *record.Change {
		m := &recordv1.Case{CaseNo: &no, OpenedOn: &day, OccurredOn: &day, ClientCount: proto.Uint32(1), Lead: worker[:], Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum()}
		if more != nil {
			more(m)
		}
		return anna.Make(m)
	}
	session := func(of hlc.ID, day int32, stage recordv1.CaseStage) *record.Change {
		return anna.Make(&recordv1.CaseSession{Case: of[:], OccurredOn: &day, Stage: stage.Enum(), Mode: recordv1.SessionMode_SESSION_MODE_PHONE.Enum(),
			Minutes: proto.Uint32(30), Attendees: proto.Uint32(1), RiskSeen: recordv1.RiskSeen_RISK_SEEN_NO.Enum(), Status: recordv1.Status_STATUS_HELD.Enum()})
	}
	quiet := open("1", 20211001, nil)
	met := open("2", 20211002, func(m *recordv1.Case) { m.NextDueOn = proto.Int32(20211019) })
	closed := open("3", 20211003, func(m *recordv1.Case) {
		m.ClosedOn, m.FollowupDueOn, m.Stage = proto.Int32(20211010), proto.Int32(20211015), recordv1.CaseStage_CASE_STAGE_CLOSURE.Enum()
	})
	notOpened := anna.Make(&recordv1.Case{CaseNo: proto.String("4"), ClientCount: proto.Uint32(1), Lead: worker[:], Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum()})
	last := session(met.Record, 20211014, recordv1.CaseStage_CASE_STAGE_INTERVENTION)
	anna.Push(quiet, met, closed, notOpened, session(met.Record, 20211004, recordv1.CaseStage_CASE_STAGE_INTAKE), last)
	list := func(l indexing.CaseList, asOf record.Date, want ...hlc.ID) {
		t.Helper()
		s := follow(t, d)
		for name, q := range map[string]indexing.CasesQuery{"all": {}, "of the team": {Teams: d.Teams[:1]}, "of the lead": {Teams: d.Teams[:1], Lead: worker}, "of another team": {Teams: d.Teams[1:]}, "of the lead, to another team": {Teams: d.Teams[1:], Lead: worker}} {
			q.List, q.AsOf, q.Limit = l, asOf, 10
			page, err := s.Cases(ctx, q)
			if err != nil {
				t.Fatal(err)
			}
			got := []hlc.ID{}
			for _, c := range page {
				got = append(got, c.Record)
			}
			if len(q.Teams) > 0 && q.Teams[0] == d.Teams[1] {
				wantIDs(t, name, got)
			} else {
				wantIDs(t, name, got, want...)
			}
		}
		for by, of := range map[indexing.CasesBy]hlc.ID{indexing.ByTeam: d.Teams[0], indexing.ByLead: worker} {
			counts, err := s.CaseCounts(ctx, l, asOf, by)
			if err != nil || counts[of] != int64(len(want)) {
				t.Errorf("%d are counted, of %d: %v", counts[of], len(want), err)
			}
		}
	}
	list(indexing.OpenCases, 0, quiet.Record, met.Record)
	list(indexing.QuietCases, 0, quiet.Record)
	list(indexing.QuietCases, 20211021, quiet.Record, met.Record)
	list(indexing.QuietCases, 20211007)
	list(indexing.NextStepDue, 20211019)
	list(indexing.NextStepDue, 20211020, met.Record)
	list(indexing.FollowUpDue, 20211015)
	list(indexing.FollowUpDue, 20211016, closed.Record)
	list(indexing.NotEvaluated, 0, closed.Record)
	page, err := serviceOf(d).Cases(ctx, indexing.CasesQuery{List: indexing.NextStepDue, Limit: 1})
	want := indexing.ListedCase{Day: 20211019, Number: "2", Case: indexing.Case{Record: met.Record, Audience: d.Teams[0], Lead: worker, Stage: recordv1.CaseStage_CASE_STAGE_INTAKE,
		OpenedOn: 20211002, LastSessionOn: 20211014, NextDueOn: 20211019}}
	if err != nil || len(page) != 1 || page[0] != want {
		t.Errorf("%+v, want %+v, %v", page, want, err)
	}

	anna.Push(session(closed.Record, 20211009, recordv1.CaseStage_CASE_STAGE_EVALUATION), session(closed.Record, 20211018, recordv1.CaseStage_CASE_STAGE_CLOSURE))
	list(indexing.NotEvaluated, 0)
	list(indexing.FollowUpDue, 0)
	// A session that was put to the wrong case leaves that one behind.
	edit(d, last.Record, &recordv1.CaseSession{Case: quiet.Record[:]})
	list(indexing.QuietCases, 0, met.Record)
	// What was a duplicate, with its sessions, and is none.
	edit(d, quiet.Record, &recordv1.Case{DuplicateOf: met.Record[:]})
	list(indexing.OpenCases, 0, met.Record)
	list(indexing.QuietCases, 0)
	edit(d, quiet.Record, &recordv1.Case{}, 10)
	list(indexing.QuietCases, 0, met.Record)
}

func bytesOf(id hlc.ID) []byte { return id[:] }

func search(t testing.TB, s *indexing.Service, q indexing.SearchQuery) []hlc.ID {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 10
	}
	found, err := s.Search(ctx, q)
	if err != nil {
		t.Fatal(err)
	}
	ids := []hlc.ID{}
	for _, h := range found.Hits {
		ids = append(ids, h.Record.ID)
	}
	return ids
}

func TestSearch(t *testing.T) {
	d := servertest.New(t)
	anna, carl := d.Enrol("anna"), d.Enrol("carl")
	one, two := anna.Make(talk("心理健康讲座 WZ-001")), carl.Make(talk("健康心理 of WZ"))
	file := anna.Make(&recordv1.Case{CaseNo: proto.String("２０２１王庄"), Lead: bytesOf(d.Workers["ben"])})
	session := anna.Make(&recordv1.CaseSession{Case: file.Record[:]})
	note := anna.Make(&recordv1.CaseNote{Session: session.Record[:], Process: proto.String("她说心理压力很大")})
	anna.Push(one, file, session, note)
	carl.Push(two)
	s := follow(t, d)
	for _, c := range []struct {
		what string
		q    indexing.SearchQuery
		want []hlc.ID
	}{
		{"one run", indexing.SearchQuery{Text: "心理健康"}, []hlc.ID{one.Record}},
		{"newest first", indexing.SearchQuery{Text: "心理"}, []hlc.ID{two.Record, one.Record}},
		{"words and runs", indexing.SearchQuery{Text: "wz 001 讲座"}, []hlc.ID{one.Record}},
		{"full width", indexing.SearchQuery{Text: "2021"}, []hlc.ID{file.Record}},
		{"of a team", indexing.SearchQuery{Text: "心理", Teams: d.Teams[1:]}, []hlc.ID{two.Record}},
		{"of a kind", indexing.SearchQuery{Text: "王庄", Kinds: []record.Kind{recordv1.Kind_KIND_CASE}}, []hlc.ID{file.Record}},
		{"of everybody", indexing.SearchQuery{Text: "王庄镇", Teams: d.Teams[1:]}, []hlc.ID{d.Sites[0]}},
		{"confidential", indexing.SearchQuery{Text: "压力"}, []hlc.ID{}},
		{"confidential", indexing.SearchQuery{Text: "压力", Confidential: true}, []hlc.ID{note.Record}},
		{"the first character", indexing.SearchQuery{Text: "健"}, []hlc.ID{two.Record}},
		{"what one sees", indexing.SearchQuery{Text: "心理", Confidential: true, Sees: func(_ syncing.Record, c syncing.Circle) bool {
			return c.Shows == recordv1.Kind_KIND_CASE_NOTE && c.Author == d.Workers["anna"] && slices.Equal(c.Assigned, []hlc.ID{d.Workers["ben"]})
		}}, []hlc.ID{note.Record}},
		{"nothing", indexing.SearchQuery{Text: "不存在"}, []hlc.ID{}},
		{"operators are words", indexing.SearchQuery{Text: `NOT "of" OR`}, []hlc.ID{}},
	} {
		wantIDs(t, c.what, search(t, s, c.q), c.want...)
	}
	for _, text := range []string{"", " ,。", "一 a 二 b 三 c 四 d 五"} {
		if _, err := s.Search(ctx, indexing.SearchQuery{Text: text, Limit: 1}); problem.CodeOf(err) != problem.InvalidArgument {
			t.Errorf("%q: %v", text, err)
		}
	}
	var got []hlc.ID
	q := indexing.SearchQuery{Text: "心理", Limit: 1, Confidential: true}
	for {
		found, err := s.Search(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range found.Hits {
			got = append(got, h.Record.ID)
		}
		if q.After = found.Next; q.After == 0 {
			break
		}
	}
	wantIDs(t, "page by page", got, two.Record, note.Record, one.Record)

	edit(d, one.Record, &recordv1.CommunityActivity{Name: proto.String("义诊")})
	s = follow(t, d)
	wantIDs(t, "renamed", search(t, s, indexing.SearchQuery{Text: "讲座"}))
	wantIDs(t, "renamed", search(t, s, indexing.SearchQuery{Text: "义诊"}), one.Record)
	edit(d, one.Record, &recordv1.CommunityActivity{Deleted: proto.Bool(true)})
	wantIDs(t, "deleted", search(t, follow(t, d), indexing.SearchQuery{Text: "义诊"}))
}

// Whatever tablets send, in whatever order, and wherever the following is cut, the tables are what the records give.
func TestTablesAreWhatRecordsGive(t *testing.T) {
	if servertest.Raced {
		t.Skip("it takes minutes under the race detector, and has one goroutine")
	}
	pairs := 0
	rapid.Check(t, func(rt *rapid.T) {
		d := servertest.New(t)
		defer d.Close()
		servertest.Grow(rt, d, func() {
			if rapid.IntRange(0, 3).Draw(rt, "follow") > 0 {
				return
			}
			if err := serviceOf(d).Follow(ctx); err != nil {
				rt.Fatal(err)
			}
		})
		follow(t, d)
		pairs += checkPairs(rt, d)
	})
	if pairs == 0 {
		t.Error("no two records were alike")
	}
}

// checkPairs compares each two records. It returns how many are likely of one thing.
func checkPairs(t *rapid.T, d *servertest.Deployment) int {
	var records []syncing.Record
	want := map[[2]hlc.ID]bool{}
	err := d.DB.Deployment(d.ID).LookUp(ctx, func(tx indexing.Reading) error {
		return tx.EachRecord(func(r syncing.Record) error {
			records = append(records, r)
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	message := func(r syncing.Record) record.Common {
		registers, err := record.DecodeState(r.State)
		m := record.New(r.Kind)
		if err != nil || proto.Unmarshal(registers.Fields(), m) != nil {
			t.Fatal(r.ID)
		}
		return m
	}
	for i, a := range records { // ascending by id
		for _, b := range records[i+1:] {
			if a.Kind == b.Kind && record.Known(a.Kind) && record.Similar(a.Kind, message(a), message(b), hlc.IDTime(a.ID).Wall(), hlc.IDTime(b.ID).Wall()) {
				want[[2]hlc.ID{a.ID, b.ID}] = true
			}
		}
	}
	for _, r := range records {
		if r.Kind != recordv1.Kind_KIND_DISTINCTION {
			continue
		}
		if said := message(r).(*recordv1.Distinction); !said.GetDeleted() && len(said.GetRecord()) == 16 && len(said.GetOther()) == 16 {
			one, other := hlc.ID(said.GetRecord()), hlc.ID(said.GetOther())
			delete(want, [2]hlc.ID{one, other})
			delete(want, [2]hlc.ID{other, one})
		}
	}
	page, err := serviceOf(d).Likely(ctx, indexing.LikelyQuery{Limit: 100000})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range page {
		if !want[[2]hlc.ID{p.Earlier, p.Later}] {
			t.Fatalf("%+v is no pair", p)
		}
		delete(want, [2]hlc.ID{p.Earlier, p.Later})
	}
	if len(want) > 0 {
		t.Fatalf("not found: %v", want)
	}
	return len(page)
}
