package rollup_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"levee/server/internal/progress"
	"levee/server/internal/rollup"
	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

func memberOf(d *servertest.Deployment) rollup.Member {
	store := d.DB.Deployment(d.ID)
	return rollup.Member{Syncing: d.Service, Store: store, Progress: progress.New(progress.Config{Store: store, SetUp: d.Service.SetUp, Wall: d.Wall})}
}

// serves lets a team hold an activity in a town, to which people come who are known by tokens, and some by number only.
func serves(d *servertest.Deployment, town string, unregistered uint32, tokens ...string) {
	d.T.Helper()
	anna := d.Enrol("anna")
	place := &recordv1.Place{Code: &town, Edition: proto.Int32(2023)}
	talk := anna.Make(&recordv1.CommunityActivity{Name: proto.String("健康讲座"), Form: recordv1.ActivityForm_ACTIVITY_FORM_TALK.Enum(), Minutes: proto.Uint32(60), RegisterUsed: proto.Bool(true), Site: d.Sites[0][:], Place: place,
		OccurredOn: proto.Int32(20210930), Status: recordv1.Status_STATUS_HELD.Enum(), ServiceArea: recordv1.ServiceArea_SERVICE_AREA_OTHER.Enum()})
	changes := []*record.Change{talk, anna.Make(&recordv1.Headcount{Activity: talk.Record[:], Counter: anna.Worker[:], Zone: proto.String("全场"), Method: recordv1.CountMethod_COUNT_METHOD_COUNTED.Enum(), Place: place, OccurredOn: proto.Int32(20210930),
		Cells: []*recordv1.HeadcountCell{{FirstTime: &unregistered}}})}
	for _, token := range tokens {
		person := anna.Make(&recordv1.Participant{Token: token16(token), Basis: recordv1.TokenBasis_TOKEN_BASIS_PHONE.Enum(), Place: place})
		changes = append(changes, person, anna.Make(&recordv1.Attendance{Activity: talk.Record[:], Participant: person.Record[:], Token: token16(token), Place: place, OccurredOn: proto.Int32(20210930)}))
	}
	if held := anna.Push(changes...).GetAcknowledgement().GetHeld(); len(held) > 0 {
		d.T.Fatal(held)
	}
}

func token16(name string) []byte { return []byte((name + strings.Repeat(" ", 16))[:16]) }

func of(t testing.TB, q rollup.Query, all ...*servertest.Deployment) *rollup.RollUp {
	t.Helper()
	var members []rollup.Member
	for _, d := range all {
		members = append(members, memberOf(d))
	}
	r, err := rollup.Of(t.Context(), members, q)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// said is what a row says of people, and by which rule.
func said(r rollup.Row) string {
	n := r.Values[tally.Reported]
	return fmt.Sprintf("%s %s: %d activities, %d contacts, %d persons (%s) of %d", r.Key, r.Label.En, n["community_activities"], n["contacts"], n["persons"], r.Persons, len(r.Parts))
}

func saidOf(r *rollup.RollUp) (rows []string) {
	for _, row := range r.Rows {
		rows = append(rows, said(row))
	}
	return rows
}

// Two deployments work in two counties, and one person comes to both: with a linkage key in common they are one in the province and
// one in each county; without they are two, and the answer says so.
func TestAPersonInTwoCounties(t *testing.T) {
	d := servertest.New(t)
	same, apart := d.Another(true, "410622001", "410622002"), d.Another(false, "410622001", "410622002")
	serves(d, "410621108", 3, "wang", "li")
	for _, other := range []*servertest.Deployment{same, apart} {
		serves(other, "410622001", 0, "wang", "zhang")
	}

	linked := of(t, rollup.Query{}, d, same)
	if got, want := saidOf(linked), []string{"41 河南省: 2 activities, 7 contacts, 6 persons (once) of 2"}; !slices.Equal(got, want) {
		t.Errorf("linked, by province: %q", got)
	}
	if got, want := saidOf(of(t, rollup.Query{Level: "county"}, d, same)), []string{"410621 浚县: 1 activities, 5 contacts, 5 persons (alone) of 1", "410622 淇县: 1 activities, 2 contacts, 2 persons (alone) of 1"}; !slices.Equal(got, want) {
		t.Errorf("linked, by county: %q", got)
	}
	if got := linked.Whole.Values[tally.Reported]; got["persons"] != 6 || got["beneficiaries"] != 6 || linked.Whole.Persons != rollup.Once {
		t.Errorf("linked, in all: %v", linked.Whole)
	}
	if want := [][]hlc.ID{{d.ID, same.ID}}; !reflect.DeepEqual(linked.Linked, want) {
		t.Errorf("linked are %v", linked.Linked)
	}

	unlinked := of(t, rollup.Query{Below: "41"}, d, apart)
	if got, want := said(unlinked.Whole), "41 河南省: 2 activities, 7 contacts, 7 persons (added) of 2"; got != want || unlinked.Rows[0].Persons != rollup.Added {
		t.Errorf("apart, the province: %q, its parts %q", got, saidOf(unlinked))
	}
	if want := [][]hlc.ID{{d.ID}, {apart.ID}}; !reflect.DeepEqual(unlinked.Linked, want) {
		t.Errorf("apart are %v", unlinked.Linked)
	}

	all := of(t, rollup.Query{Below: "4106", Level: "town"}, d, same, apart)
	if got, want := saidOf(all), []string{"410621108 王庄镇: 1 activities, 5 contacts, 5 persons (alone) of 1", "410622001 朝歌街道: 2 activities, 4 contacts, 4 persons (added) of 2"}; !slices.Equal(got, want) {
		t.Errorf("all three, by town: %q", got)
	}
	if n := all.Whole.Values[tally.Reported]["persons"]; n != 8 || all.Moving || all.Truncated {
		t.Errorf("all three: %v", all.Whole)
	}
	if len(all.Deployments) != 3 || all.Deployments[0].Name != "test" || all.Deployments[0].Completeness.Enrolled != 1 || all.Deployments[0].AsOf != 20211001 {
		t.Errorf("the deployments are %+v", all.Deployments)
	}
}

// Stations are told of at their places, beside what is expected there; what a newer server expects is left out.
func TestStationsAndTargets(t *testing.T) {
	d := servertest.New(t)
	other := d.Another(false, "410622001", "410622002")
	serves(d, "410621108", 2)
	of2 := func(place, figure string, value uint32, due int32) *recordv1.Target {
		return &recordv1.Target{Of: recordv1.TargetOf_TARGET_OF_PLACE.Enum(), PlaceCode: &place, Figure: &figure, Value: &value, DueOn: &due}
	}
	senior, assistant, none := recordv1.Qualification_QUALIFICATION_SENIOR, recordv1.Qualification_QUALIFICATION_ASSISTANT, recordv1.Qualification_QUALIFICATION_NONE
	change := func(one *servertest.Deployment, records ...syncing.SetUpRecord) {
		t.Helper()
		if err := one.Service.Add(t.Context(), records); err != nil {
			t.Fatal(err)
		}
	}
	change(d, syncing.SetUpRecord{ID: d.Sites[1], Message: &recordv1.Site{Planned: proto.Bool(true)}},
		syncing.SetUpRecord{ID: d.Workers["anna"], Message: &recordv1.Worker{Qualification: &assistant}},
		syncing.SetUpRecord{ID: d.Workers["ben"], Message: &recordv1.Worker{Qualification: &none}},
		syncing.SetUpRecord{ID: d.Workers["lead"], Message: &recordv1.Worker{Qualification: &senior, ToOn: proto.Int32(20210930)}},
		syncing.SetUpRecord{ID: d.Workers["coordinator"], Message: &recordv1.Worker{Qualification: &senior}},
		syncing.SetUpRecord{ID: d.ID, Message: &recordv1.Deployment{Targets: []*recordv1.Target{of2("4106", "sites_active", 2, 20210930), of2("410621", "community_activities", 1, 20211001),
			of2("41", "workers_qualified", 3, 0), of2("4107", "sites_planned", 1, 20211101), of2("41", "drones", 1, 20211101),
			{Of: recordv1.TargetOf_TARGET_OF_TEAM.Enum(), Figure: proto.String("cases"), Value: proto.Uint32(1)}}}})
	change(other, syncing.SetUpRecord{ID: other.Workers["carl"], Message: &recordv1.Worker{Qualification: &senior}})

	stations := func(q rollup.Query) (rows []string) {
		r := of(t, q, d, other)
		for _, row := range append(r.Rows, r.Whole) {
			rows = append(rows, fmt.Sprint(row.Key, " ", row.Stations))
		}
		return rows
	}
	if got, want := stations(rollup.Query{Level: "county"}), []string{"410621 {0 1 1}", "410622 {0 0 1}", "410781 {1 0 0}", " {1 1 3}"}; !slices.Equal(got, want) {
		t.Errorf("planned, active and qualified are %q", got)
	}
	if got, want := stations(rollup.Query{Below: "4106"}), []string{"410621 {0 1 1}", "410622 {0 0 1}", "4106 {0 1 2}"}; !slices.Equal(got, want) {
		t.Errorf("in a city, planned, active and qualified are %q", got)
	}
	targets := func(q rollup.Query) (all []string) {
		for _, one := range of(t, q, d, other).Targets {
			all = append(all, fmt.Sprint(one.Place, " ", one.Label.En, " ", one.Figure, ": ", one.Done, " of ", one.Expected, " by ", one.Due, " ", one.Passed))
		}
		return all
	}
	if got, want := targets(rollup.Query{}), []string{"4106 鹤壁市 sites_active: 1 of 2 by 2021-09-30 true", "410621 浚县 community_activities: 1 of 1 by 2021-10-01 false",
		"41 河南省 workers_qualified: 1 of 3 by 2021-12-06 false", "4107 新乡市 sites_planned: 1 of 1 by 2021-11-01 false"}; !slices.Equal(got, want) {
		t.Errorf("targets are %q", got)
	}
	if got := targets(rollup.Query{Below: "4107"}); len(got) != 1 {
		t.Errorf("targets in a city are %q", got)
	}
}

// busy is a store to which records come while tokens are read, as often as is left.
type busy struct {
	rollup.Store
	left   *int
	comeIn func()
}

func (b busy) TokensOf(ctx context.Context, basis tally.Basis, cut tally.Cut, after *tally.Token, limit int) ([]tally.Token, error) {
	if *b.left > 0 {
		*b.left--
		b.comeIn()
	}
	return b.Store.TokensOf(ctx, basis, cut, after, limit)
}

// What comes while it is counted makes it count again; but not for ever.
func TestRecordsComeInMeanwhile(t *testing.T) {
	d := servertest.New(t)
	same := d.Another(true, "410621108", "410622002")
	for _, one := range []*servertest.Deployment{d, same} {
		serves(one, "410621108", 0, "wang")
	}
	left, came := 1, 0
	members := []rollup.Member{memberOf(d), memberOf(same)}
	members[1].Store = busy{members[1].Store, &left, func() {
		came++
		serves(same, "410621108", 0, fmt.Sprint("zhang ", came))
	}}
	r, err := rollup.Of(t.Context(), members, rollup.Query{})
	if err != nil || r.Moving || r.Whole.Values[tally.Reported]["persons"] != 2 || r.Whole.Values[tally.Reported]["contacts"] != 3 {
		t.Errorf("after one more: %+v, %v", r, err)
	}
	left = 1000
	if r, err = rollup.Of(t.Context(), members, rollup.Query{}); err != nil || !r.Moving {
		t.Errorf("with more and more: %+v, %v", r, err)
	}
}

// Of more places than fit only those are told of which all deployments tell of.
func TestMorePlacesThanFit(t *testing.T) {
	d := servertest.New(t)
	other := d.Another(true, "410622001", "410622002")
	cells := func(one *servertest.Deployment, from, n int) {
		t.Helper()
		delta := tally.Delta{Cells: map[tally.Cell]int64{}}
		for i := range n {
			delta.Cells[tally.Cell{Basis: tally.Reported, Figure: tally.Cases, Cut: tally.Cut{Dimension: tally.Place, Key: fmt.Sprintf("41%010d", from+i)}}] = 1
		}
		save(t, one, delta)
	}
	cells(d, 0, progress.MaxRows+1)
	cells(other, 10, 1)
	cells(other, progress.MaxRows+10, 1)
	r := of(t, rollup.Query{Level: "village", Below: "41"}, d, other)
	if !r.Truncated || len(r.Rows) != progress.MaxRows || r.Rows[len(r.Rows)-1].Key != fmt.Sprintf("41%010d", progress.MaxRows-1) {
		t.Errorf("%d rows, to %v", len(r.Rows), r.Rows[len(r.Rows)-1])
	}
	if got := r.Rows[10]; got.Values[tally.Reported]["cases"] != 2 || len(got.Parts) != 2 {
		t.Errorf("both have %+v", got)
	}
}

// save moves the totals of a deployment by a difference.
func save(t testing.TB, d *servertest.Deployment, delta tally.Delta) {
	t.Helper()
	if err := d.DB.Deployment(d.ID).Write(t.Context(), func(tx syncing.Writing) error { return tx.Save(syncing.Changes{Totals: delta}) }); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkMerge counts the persons of two linked deployments with 100,000 tokens each, half of them in both.
func BenchmarkMerge(b *testing.B) {
	d := servertest.New(b)
	other := d.Another(true, "410621108", "410622002")
	for i, one := range []*servertest.Deployment{d, other} {
		delta := tally.Delta{Tokens: map[tally.TokenCell]int64{}}
		for n := range 100_000 {
			token := tally.Token(binary.BigEndian.AppendUint64(make([]byte, 8), uint64(n+i*50_000)))
			for _, cut := range []tally.Cut{tally.Everything(), {Dimension: tally.Place, Key: "41"}} {
				delta.Tokens[tally.TokenCell{Basis: tally.Reported, Cut: cut, Token: token}] = 1
			}
		}
		save(b, one, delta)
	}
	for b.Loop() {
		if n := of(b, rollup.Query{}, d, other).Whole.Values[tally.Reported]["persons"]; n != 150_000 {
			b.Fatal(n)
		}
	}
}

func TestPlacesThatAreNone(t *testing.T) {
	d := servertest.New(t)
	for _, q := range []rollup.Query{{Below: "4"}, {Below: "41x1"}, {Below: "410621108001"}, {Level: "street"}, {Level: "city", Below: "4106"}} {
		if _, err := rollup.Of(t.Context(), []rollup.Member{memberOf(d)}, q); problem.CodeOf(err) != problem.InvalidArgument {
			t.Errorf("%+v: %v", q, err)
		}
	}
	if r := of(t, rollup.Query{}, d); len(r.Rows) != 0 || r.Whole.Persons != rollup.Alone || len(r.Whole.Parts) != 0 {
		t.Errorf("of nothing: %+v", r)
	}
}

// TestSumsAreWhatRecordsGive: whatever tablets of two deployments send, linked or not, figures together are what a count of their
// records gives.
func TestSumsAreWhatRecordsGive(t *testing.T) {
	if servertest.Raced {
		t.Skip("it takes minutes under the race detector, and has one goroutine")
	}
	rapid.Check(t, func(rt *rapid.T) {
		d := servertest.New(t)
		defer d.Close()
		linked := rapid.Bool().Draw(rt, "linked")
		other := d.Another(linked, "410621108", "410622002")
		defer other.Close()
		var counted []*tally.Totals
		for _, one := range []*servertest.Deployment{d, other} {
			servertest.Grow(rt, one, func() {})
			counted = append(counted, count(t, one))
		}
		level := rapid.SampledFrom(progress.Levels).Draw(rt, "level")
		r := of(t, rollup.Query{Level: level.Name}, d, other)
		checkRow(rt, r.Whole, tally.Everything(), linked, counted)
		keys := map[string]bool{}
		for _, row := range r.Rows {
			keys[row.Key] = true
			checkRow(rt, row, tally.Cut{Dimension: tally.Place, Key: row.Key}, linked, counted)
		}
		for _, totals := range counted {
			for c := range totals.Cells {
				if c.Dimension == tally.Place && len(c.Key) == level.Digits && !keys[c.Key] {
					rt.Fatalf("there is no row for %v", c)
				}
			}
		}
	})
}

// count counts all records of a deployment.
func count(t testing.TB, d *servertest.Deployment) *tally.Totals {
	var records []tally.Record
	err := d.DB.Deployment(d.ID).Look(t.Context(), func(tx progress.Reading) error {
		return tx.EachRecord(func(r syncing.Record) error {
			registers, err := record.DecodeState(r.State)
			records = append(records, tally.Record{ID: r.ID, Kind: r.Kind, Registers: registers})
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return tally.Of(slices.Values(records), 0)
}

// checkRow compares a row with what was counted of two deployments.
func checkRow(t *rapid.T, row rollup.Row, cut tally.Cut, linked bool, counted []*tally.Totals) {
	both := true // have persons
	for _, totals := range counted {
		both = both && totals.Value(tally.Cell{Basis: tally.Reported, Figure: tally.Persons, Cut: cut}) > 0
	}
	rule := rollup.Alone
	switch {
	case both && linked:
		rule = rollup.Once
	case both:
		rule = rollup.Added
	}
	if row.Persons != rule {
		t.Fatalf("%v: persons are counted by the rule %s, want %s", cut, row.Persons, rule)
	}
	for _, basis := range []tally.Basis{tally.Reported, tally.Verified} {
		for _, f := range tally.Figures() {
			want := int64(0)
			for _, totals := range counted {
				want += totals.Value(tally.Cell{Basis: basis, Figure: f, Cut: cut})
			}
			if f == tally.Persons && linked {
				second := tokens(counted[1], basis, cut)
				for token := range tokens(counted[0], basis, cut) {
					if second[token] {
						want--
					}
				}
			}
			if got := row.Values[basis][f.String()]; got != want {
				t.Fatalf("%v %v %v: %d, counted from the records %d", cut, basis, f, got, want)
			}
		}
	}
}

func tokens(of *tally.Totals, basis tally.Basis, cut tally.Cut) map[tally.Token]bool {
	met := map[tally.Token]bool{}
	for c, n := range of.Tokens {
		if n > 0 && c.Basis == basis && c.Cut == cut {
			met[c.Token] = true
		}
	}
	return met
}
