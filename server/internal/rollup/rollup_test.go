package rollup_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
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
	talk := anna.Make(&recordv1.CommunityActivity{Name: proto.String("健康讲座"), Form: recordv1.ActivityForm_ACTIVITY_FORM_TALK.Enum(), Minutes: proto.Uint32(60), RegisterUsed: proto.Bool(true), Place: place,
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

// TestSumsAreWhatRecordsGive: whatever tablets of three deployments send, two of which are linked, figures together are what a count of
// their records gives.
func TestSumsAreWhatRecordsGive(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := servertest.New(t)
		defer d.Close()
		same, apart := d.Another(true, "410621108", "410622002"), d.Another(false, "410621108", "410622002")
		defer same.Close()
		defer apart.Close()
		all := []*servertest.Deployment{d, same, apart}
		var counted []*tally.Totals
		for _, one := range all {
			servertest.Grow(rt, one, func() {})
			counted = append(counted, count(t, one))
		}
		checkRow(rt, of(t, rollup.Query{}, all...).Whole, tally.Everything(), counted)
		for _, level := range progress.Levels {
			keys := map[string]bool{}
			for _, row := range of(t, rollup.Query{Level: level.Name}, all...).Rows {
				keys[row.Key] = true
				checkRow(rt, row, tally.Cut{Dimension: tally.Place, Key: row.Key}, counted)
			}
			for _, totals := range counted {
				for c := range totals.Cells {
					if c.Dimension == tally.Place && len(c.Key) == level.Digits && !keys[c.Key] {
						rt.Fatalf("there is no row for %v", c)
					}
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

// checkRow compares a row with what was counted of three deployments, the first two of which know the same people.
func checkRow(t *rapid.T, row rollup.Row, cut tally.Cut, counted []*tally.Totals) {
	for _, basis := range []tally.Basis{tally.Reported, tally.Verified} {
		for _, f := range tally.Figures() {
			want := int64(0)
			for _, totals := range counted {
				want += totals.Value(tally.Cell{Basis: basis, Figure: f, Cut: cut})
			}
			if f == tally.Persons {
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
	with := map[int]bool{}
	for i, totals := range counted {
		if totals.Value(tally.Cell{Basis: tally.Reported, Figure: tally.Persons, Cut: cut}) > 0 {
			with[i] = true
		}
	}
	want := rollup.Alone
	switch {
	case with[2] && len(with) > 1:
		want = rollup.Added
	case len(with) == 2:
		want = rollup.Once
	}
	if row.Persons != want {
		t.Fatalf("%v: persons of %v are counted by the rule %s", cut, slices.Collect(maps.Keys(with)), row.Persons)
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
