// Package storetest is the one suite that every store must pass.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"levee/server/internal/access"
	"levee/server/internal/accounts"
	"levee/server/internal/export"
	"levee/server/internal/progress"
	"levee/server/internal/store"
	"levee/server/internal/syncing"
	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// Run runs the suite. open makes an empty store.
func Run(t *testing.T, open func(testing.TB) *store.DB) {
	for name, test := range map[string]func(*testing.T, *store.DB){
		"an empty deployment starts at position 0":      testEmpty,
		"what is saved is read as it was":               testRoundTrip,
		"an error undoes all of a transaction":          testRollback,
		"a record that is there is not made again":      testMadeAgain,
		"a snapshot does not see later writes":          testSnapshot,
		"pages follow positions":                        testPages,
		"look-ups take any number of ids":               testManyIDs,
		"distinct persons come and go with their count": testPersons,
		"records of a kind come one by one":             testEachOfKind,
		"nobody is met twice in some days":              testMetDays,
		"tokens of a cut come in order":                 testTokensOf,
		"duplicates lead to their roots":                testDuplicates,
		"deployments do not see each other":             testDeployments,
		"codes, devices and contacts":                   testDevices,
		"a text of any bytes harms nothing":             testAnyText,
		"each deployment has a cursor":                  testCursors,
		"the queue is in order of days":                 testQueue,
		"likely pairs, and what is alike":               testLikely,
		"what is near of very much that is alike":       testManyAlike,
		"cases are on lists":                            testCases,
		"documents are found by their words":            testWords,
		"words of deployments are apart":                testWordsApart,
		"what is removed is in no table":                testRemovedFromTables,
		"workbooks are kept":                            testWorkbooks,
	} {
		t.Run(name, func(t *testing.T) {
			db := open(t)
			t.Cleanup(func() {
				if err := db.Close(); err != nil {
					t.Error(err)
				}
			})
			test(t, db)
		})
	}
}

func id(n int) hlc.ID {
	var i hlc.ID
	copy(i[:], fmt.Sprintf("%016d", n))
	return i
}

var deployment = id(1)

func write(t *testing.T, db *store.DB, c syncing.Changes) {
	t.Helper()
	err := db.Deployment(deployment).Write(context.Background(), func(tx syncing.Writing) error { return tx.Save(c) })
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, db *store.DB, fn func(syncing.Reading) error) {
	t.Helper()
	if err := db.Deployment(deployment).Read(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

func inWrite(t *testing.T, db *store.DB, fn func(syncing.Writing) error) {
	t.Helper()
	if err := db.Deployment(deployment).Write(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

func aRecord(n int, position uint64) syncing.Record {
	return syncing.Record{ID: id(n), Kind: recordv1.Kind_KIND_CASE, Root: id(n), Audience: id(50), Position: position, Origin: 7, Day: 20211001, State: []byte{byte(n)}}
}

// entry is the log's entry at a position. The text of a body sorts otherwise than its number: order must come from
// the position.
func entry(position uint64) syncing.LogEntry {
	return syncing.LogEntry{Position: position, Replica: 7, Sequence: position, Change: id(int(position)), Record: id(100 + int(position%3)), Body: fmt.Appendf(nil, "body %d", position), Chain: batch.HashOf([]byte{byte(position)}), Received: 5}
}

func testEmpty(t *testing.T, db *store.DB) {
	read(t, db, func(tx syncing.Reading) error {
		head, err := tx.Head()
		if err != nil || head.Position != 0 || head.Chain != batch.LogStart(deployment) {
			t.Errorf("head %+v, %v", head, err)
		}
		if chain, ok, err := tx.ChainAt(0); err != nil || !ok || chain != batch.LogStart(deployment) {
			t.Errorf("chain at 0: %v, %v", ok, err)
		}
		if _, ok, err := tx.ChainAt(1); err != nil || ok {
			t.Errorf("chain at 1: %v, %v", ok, err)
		}
		r, err := tx.Replica(7)
		if err != nil || r.Number != 0 {
			t.Errorf("replica %+v, %v", r, err)
		}
		_, ok, err := tx.Device(id(3))
		if ok {
			t.Error("a device that nobody enrolled")
		}
		return err
	})
	ids, err := db.Deployments(context.Background())
	if err != nil || len(ids) != 0 {
		t.Errorf("deployments %v, %v", ids, err)
	}
}

func testRoundTrip(t *testing.T, db *store.DB) {
	r := aRecord(2, 1)
	r.DuplicateOf = id(9)
	e := entry(1)
	e.Outcome = "not_your_team"
	hashed := entry(2)
	hashed.Body, hashed.Hash = nil, make([]byte, 32)
	write(t, db, syncing.Changes{
		Head:     syncing.Head{Position: 2, Chain: hashed.Chain, Time: 1 << 60},
		Replicas: []syncing.Replica{{Number: 1<<63 - 1, Device: id(3), Have: 4, Durable: 3, Chain: batch.HashOf([]byte("c"))}},
		Log:      []syncing.LogEntry{e, hashed}, Records: []syncing.Record{r},
		Postings: []syncing.Posting{{Since: 5, Person: access.Person{Worker: id(8), Team: id(50), Role: recordv1.Role_ROLE_SUPERVISOR}}, {Since: 0, Person: access.Person{Worker: id(8)}}},
	})
	inWrite(t, db, func(tx syncing.Writing) error {
		if head, err := tx.Head(); err != nil || head.Position != 2 || head.Time != 1<<60 || head.Chain != hashed.Chain {
			t.Errorf("head %+v, %v", head, err)
		}
		replica, err := tx.Replica(1<<63 - 1)
		if err != nil || replica.Device != id(3) || replica.Have != 4 || replica.Durable != 3 || replica.Chain != batch.HashOf([]byte("c")) {
			t.Errorf("replica %+v, %v", replica, err)
		}
		if other, err := tx.OtherReplicas(id(3), 5); err != nil || !other {
			t.Errorf("other replicas: %v, %v", other, err)
		}
		if other, err := tx.OtherReplicas(id(3), 1<<63-1); err != nil || other {
			t.Errorf("its only replica is another: %v, %v", other, err)
		}
		records, err := tx.Records([]hlc.ID{id(2), id(77)})
		if err != nil || len(records) != 1 || fmt.Sprint(records[0]) != fmt.Sprint(r) {
			t.Errorf("records %+v, %v, want %+v", records, err, r)
		}
		entries, err := tx.Sequences(7, 1, 9)
		if err != nil || len(entries) != 2 || fmt.Sprint(entries[0]) != fmt.Sprint(e) || !entries[0].Held() || !bytes.Equal(entries[1].Hash, hashed.Hash) || entries[1].Body != nil {
			t.Errorf("log %+v, %v", entries, err)
		}
		postings, err := tx.Postings(id(8))
		if err != nil || len(postings) != 2 || postings[0].Since != 0 || postings[1].Role != recordv1.Role_ROLE_SUPERVISOR || postings[1].Team != id(50) {
			t.Errorf("postings %+v, %v", postings, err)
		}
		history, err := tx.History(id(101))
		if len(history) != 1 || history[0].Position != 1 {
			t.Errorf("history %+v", history)
		}
		return err
	})
}

func testRollback(t *testing.T, db *store.DB) {
	boom := errors.New("boom")
	err := db.Deployment(deployment).Write(context.Background(), func(tx syncing.Writing) error {
		if err := tx.Save(syncing.Changes{Head: syncing.Head{Position: 1}, Log: []syncing.LogEntry{entry(1)}, Records: []syncing.Record{aRecord(2, 1)}}); err != nil {
			return err
		}
		return boom
	})
	if !errors.Is(err, boom) {
		t.Fatalf("error %v", err)
	}
	read(t, db, func(tx syncing.Reading) error {
		head, err := tx.Head()
		if head.Position != 0 {
			t.Errorf("position %d", head.Position)
		}
		if found, _ := tx.Records([]hlc.ID{id(2)}); len(found) != 0 {
			t.Error("the record is there")
		}
		return err
	})
}

func testMadeAgain(t *testing.T, db *store.DB) {
	write(t, db, syncing.Changes{Head: syncing.Head{Position: 1}, Made: []syncing.Record{aRecord(30, 1)}})
	for _, many := range []int{1, 100} { // by a statement of one row, and by one of many
		var made []syncing.Record
		for n := range many {
			made = append(made, aRecord(30+n, 2))
		}
		err := db.Deployment(deployment).Write(context.Background(), func(tx syncing.Writing) error {
			return tx.Save(syncing.Changes{Head: syncing.Head{Position: 2}, Made: made})
		})
		if !errors.Is(err, syncing.ErrNotNew) {
			t.Errorf("%d made: %v", many, err)
		}
	}
	read(t, db, func(tx syncing.Reading) error {
		found, err := tx.Records([]hlc.ID{id(29), id(30)})
		if len(found) != 1 || found[0].Position != 1 {
			t.Errorf("there is %+v", found)
		}
		return err
	})
}

func testSnapshot(t *testing.T, db *store.DB) {
	write(t, db, syncing.Changes{Head: syncing.Head{Position: 1}, Log: []syncing.LogEntry{entry(1)}})
	read(t, db, func(tx syncing.Reading) error {
		if _, err := tx.Head(); err != nil {
			return err
		}
		write(t, db, syncing.Changes{Head: syncing.Head{Position: 2}, Log: []syncing.LogEntry{entry(2)}})
		head, err := tx.Head()
		if head.Position != 1 {
			t.Errorf("the snapshot moved to position %d", head.Position)
		}
		return err
	})
}

func testPages(t *testing.T, db *store.DB) {
	var c syncing.Changes
	for n := range 100 {
		r := aRecord(1000-n, uint64(n)+1) // ids fall as positions rise
		if n%10 == 0 {
			r.Audience = access.Everyone
		}
		c.Records = append(c.Records, r)
	}
	write(t, db, c)
	read(t, db, func(tx syncing.Reading) error {
		var positions []uint64
		after := uint64(0)
		for {
			page, err := tx.Page(id(50), after, 7)
			if err != nil {
				return err
			}
			for _, r := range page {
				positions = append(positions, r.Position)
				after = r.Position
			}
			if len(page) < 7 {
				break
			}
		}
		if len(positions) != 90 || !slices.IsSorted(positions) {
			t.Errorf("%d positions: %v", len(positions), positions)
		}
		left, err := tx.Remaining(id(50), 50)
		if left != 45 {
			t.Errorf("remaining after 50: %d", left)
		}
		return err
	})
	// A record that gets a new position leaves its old one.
	moved := aRecord(999, 200)
	write(t, db, syncing.Changes{Records: []syncing.Record{moved}})
	read(t, db, func(tx syncing.Reading) error {
		page, err := tx.Page(id(50), 100, 10)
		if len(page) != 1 || page[0].ID != moved.ID {
			t.Errorf("page %+v", page)
		}
		left, _ := tx.Remaining(id(50), 0)
		if left != 90 {
			t.Errorf("remaining %d", left)
		}
		return err
	})
}

// testEachOfKind: as many as are counted, ascending by id, and no others.
func testEachOfKind(t *testing.T, db *store.DB) {
	var c syncing.Changes
	for n := 40; n > 10; n-- {
		r := aRecord(n, uint64(n))
		r.Audience = id(50 + n%3)
		if n%2 == 0 {
			r.Kind = recordv1.Kind_KIND_CASE_SESSION
		}
		c.Records = append(c.Records, r)
	}
	write(t, db, c)
	stop := errors.New("enough")
	err := db.Deployment(deployment).Export(context.Background(), func(tx export.Reading) error {
		counts, err := tx.CountsOfKind(recordv1.Kind_KIND_CASE)
		if err != nil || fmt.Sprint(counts) != fmt.Sprint(map[hlc.ID]uint64{id(50): 5, id(51): 5, id(52): 5}) {
			t.Errorf("counts %v, %v", counts, err)
		}
		var got []hlc.ID
		err = tx.EachOfKind(recordv1.Kind_KIND_CASE, func(r syncing.Record) error {
			got = append(got, r.ID)
			if r.Kind != recordv1.Kind_KIND_CASE || !bytes.Equal(r.State, []byte{r.ID[15] - '0' + 10*(r.ID[14]-'0')}) {
				t.Errorf("%+v", r)
			}
			return nil
		})
		if len(got) != 15 || !slices.IsSortedFunc(got, func(a, b hlc.ID) int { return bytes.Compare(a[:], b[:]) }) {
			t.Errorf("%v", got)
		}
		got = nil
		if err := tx.EachOfKind(recordv1.Kind_KIND_CASE, func(r syncing.Record) error { got = append(got, r.ID); return stop }); !errors.Is(err, stop) || len(got) != 1 {
			t.Errorf("after an error %d more rows, %v", len(got), err)
		}
		if counts, err := tx.CountsOfKind(recordv1.Kind_KIND_GROUP); err != nil || len(counts) != 0 {
			t.Errorf("of nothing: %v, %v", counts, err)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func testManyIDs(t *testing.T, db *store.DB) {
	var c syncing.Changes
	var ids []hlc.ID
	for n := range 1300 {
		c.Records = append(c.Records, aRecord(n+10, uint64(n)+1))
		ids = append(ids, id(n+10))
	}
	write(t, db, c)
	inWrite(t, db, func(tx syncing.Writing) error {
		for _, n := range []int{0, 1, 2, 8, 9, 64, 65, 512, 513, 1300} {
			found, err := tx.Records(ids[:n])
			if err != nil || len(found) != n {
				t.Errorf("%d of %d records, %v", len(found), n, err)
			}
			families, err := tx.Families(ids[:n])
			if err != nil || len(families) != n {
				t.Errorf("%d of %d families, %v", len(families), n, err)
			}
		}
		return nil
	})
}

func testPersons(t *testing.T, db *store.DB) {
	cut := tally.Everything()
	token := tally.TokenCell{Basis: tally.Reported, Cut: cut, Token: tally.Token{1}}
	other := tally.TokenCell{Basis: tally.Reported, Cut: cut, Token: tally.Token{2}}
	number := tally.Cell{Basis: tally.Reported, Figure: tally.PersonsByNumber, Cut: cut}
	for i, step := range []struct {
		tokens map[tally.TokenCell]int64
		cells  map[tally.Cell]int64
		want   int64
	}{
		{map[tally.TokenCell]int64{token: 2}, nil, 1},
		{map[tally.TokenCell]int64{token: -1, other: 1}, nil, 2},
		{map[tally.TokenCell]int64{token: -1}, nil, 1},
		{nil, map[tally.Cell]int64{number: 5}, 6},
		{map[tally.TokenCell]int64{other: -1}, map[tally.Cell]int64{number: -5}, 0},
		{map[tally.TokenCell]int64{other: 1}, nil, 1},
	} {
		write(t, db, syncing.Changes{Totals: tally.Delta{Cells: step.cells, Tokens: step.tokens}})
		var got int64
		err := db.Deployment(deployment).Snapshot(context.Background(), func(tx *store.Tx) (err error) {
			got, err = tx.Total(tally.Cell{Basis: tally.Reported, Figure: tally.Persons, Cut: cut})
			return err
		})
		if err != nil || got != step.want {
			t.Errorf("step %d: %d persons, %v, want %d", i, got, err, step.want)
		}
	}
}

func testMetDays(t *testing.T, db *store.DB) {
	old, again, fresh, later := tally.Token{1}, tally.Token{2}, tally.Token{3}, tally.Token{4}
	a, b := hlc.ID{14}, hlc.ID{15}
	met := func(day record.Date, team hlc.ID, tokens ...tally.Token) *tally.Fact {
		return &tally.Fact{Day: day, Cuts: []tally.Cut{tally.Everything(), tally.OnDay(day), tally.OfTeam(team)}, Tokens: tokens}
	}
	gone := met(20211002, a, old)
	var moves []tally.Move
	for _, f := range []*tally.Fact{met(20211001, a, old, again), met(20211002, b, again), met(20211002, a, fresh), met(20211002, a, fresh), met(20211003, b, fresh, later), gone} {
		moves = append(moves, f.Moves()...)
	}
	write(t, db, syncing.Changes{Totals: tally.Delta{Moves: moves}})
	write(t, db, syncing.Changes{Totals: tally.Delta{Moves: []tally.Move{{Fact: gone, Basis: tally.Reported, Times: -1}}}})
	type counts struct{ met, fresh int64 }
	for _, c := range []struct {
		from, to record.Date
		whole    counts
		a, b     counts
	}{
		{20210930, 20210930, counts{}, counts{}, counts{}},
		{20211001, 20211001, counts{2, 2}, counts{2, 2}, counts{}},
		{20211002, 20211002, counts{2, 1}, counts{1, 1}, counts{1, 0}},
		{20211002, 20211003, counts{3, 2}, counts{1, 1}, counts{3, 2}},
		{20211003, 20211009, counts{2, 1}, counts{}, counts{2, 1}},
		{20211001, 20211009, counts{4, 4}, counts{3, 3}, counts{3, 3}},
	} {
		for basis, want := range map[tally.Basis]map[string]counts{tally.Reported: {"": c.whole, a.String(): c.a, b.String(): c.b}, tally.Verified: {}} {
			maps.DeleteFunc(want, func(_ string, n counts) bool { return n.met == 0 })
			got, ofTeams := map[string]counts{}, map[string]counts{}
			err := db.Deployment(deployment).Snapshot(context.Background(), func(tx *store.Tx) error {
				put := func(key string, met, fresh int64) error { got[key] = counts{met, fresh}; return nil }
				for _, team := range []hlc.ID{a, b} {
					seen := map[tally.Token]bool{}
					if err := tx.MeetingsOfTeam(basis, team.String(), c.from, c.to, func(m progress.Meeting, fresh bool) error {
						n := ofTeams[m.Team]
						if !seen[m.Token] {
							n.met++
							if fresh {
								n.fresh++
							}
						}
						seen[m.Token], ofTeams[m.Team] = true, n
						return nil
					}); err != nil {
						return err
					}
				}
				return errors.Join(tx.MetInDays(basis, tally.Whole, c.from, c.to, put), tx.MetInDays(basis, tally.Team, c.from, c.to, put))
			})
			if err != nil || !maps.Equal(got, want) {
				t.Errorf("%v from %v to %v: %v, %v, want %v", basis, c.from, c.to, got, err, want)
			}
			delete(want, "")
			if !maps.Equal(ofTeams, want) {
				t.Errorf("%v of teams from %v to %v: %v, want %v", basis, c.from, c.to, ofTeams, want)
			}
		}
	}
}

func testTokensOf(t *testing.T, db *store.DB) {
	cut, other := tally.Cut{Dimension: tally.Place, Key: "4106"}, tally.Cut{Dimension: tally.Place, Key: "41"}
	tokens := map[tally.TokenCell]int64{
		{Basis: tally.Verified, Cut: cut, Token: tally.Token{200}}:  1,
		{Basis: tally.Reported, Cut: other, Token: tally.Token{50}}: 1,
	}
	for _, n := range []byte{0, 7, 200, 90} {
		tokens[tally.TokenCell{Basis: tally.Reported, Cut: cut, Token: tally.Token{n}}] = 2
	}
	write(t, db, syncing.Changes{Totals: tally.Delta{Tokens: tokens}})
	write(t, db, syncing.Changes{Totals: tally.Delta{Tokens: map[tally.TokenCell]int64{{Basis: tally.Reported, Cut: cut, Token: tally.Token{90}}: -2}}})
	for _, c := range []struct {
		of    hlc.ID
		after *tally.Token
		limit int
		want  []tally.Token
	}{
		{deployment, nil, 10, []tally.Token{{0}, {7}, {200}}},
		{deployment, nil, 2, []tally.Token{{0}, {7}}},
		{deployment, &tally.Token{7}, 2, []tally.Token{{200}}},
		{deployment, &tally.Token{200}, 2, nil},
		{id(99), nil, 10, nil},
	} {
		got, err := db.Deployment(c.of).TokensOf(context.Background(), tally.Reported, cut, c.after, c.limit)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%d after %v: %v, %v, want %v", c.limit, c.after, got, err, c.want)
		}
	}
}

func testDuplicates(t *testing.T, db *store.DB) {
	inWrite(t, db, func(tx syncing.Writing) error {
		roots, err := tx.DuplicatesOf([]hlc.ID{id(2)})
		if len(roots) != 0 {
			t.Errorf("roots %v", roots)
		}
		return err
	})
	twin := aRecord(3, 1)
	twin.Root, twin.DuplicateOf = id(4), id(2)
	write(t, db, syncing.Changes{Records: []syncing.Record{twin}})
	inWrite(t, db, func(tx syncing.Writing) error {
		roots, err := tx.DuplicatesOf([]hlc.ID{id(9), id(2)})
		if len(roots) != 1 || roots[0] != id(4) {
			t.Errorf("roots %v", roots)
		}
		return err
	})
}

func testDeployments(t *testing.T, db *store.DB) {
	write(t, db, syncing.Changes{Head: syncing.Head{Position: 1}, Log: []syncing.LogEntry{entry(1)}, Records: []syncing.Record{aRecord(2, 1)}})
	err := db.Deployment(id(99)).Read(context.Background(), func(tx syncing.Reading) error {
		head, err := tx.Head()
		if err != nil || head.Position != 0 {
			t.Errorf("head %+v, %v", head, err)
		}
		found, err := tx.Records([]hlc.ID{id(2)})
		if len(found) != 0 {
			t.Error("another deployment's record")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	ids, err := db.Deployments(context.Background())
	if err != nil || !slices.Equal(ids, []hlc.ID{deployment}) {
		t.Errorf("deployments %v, %v", ids, err)
	}
}

// testAnyText: an engine may keep a text as it would have to be, but it takes every one, and finds nothing by what it can't hold.
func testAnyText(t *testing.T, db *store.DB) {
	text := "平板\x00一\xff"
	inWrite(t, db, func(tx syncing.Writing) error {
		if err := tx.SaveDevice(syncing.Device{ID: id(3), Worker: id(8), PublicKey: make([]byte, 32), Name: text, App: text}); err != nil {
			return err
		}
		got, ok, err := tx.Device(id(3))
		if !ok || !strings.HasPrefix(got.Name, "平板") || !strings.Contains(got.App, "一") {
			t.Errorf("device %+v, %v", got, err)
		}
		return err
	})
	if err := db.ReadAccounts(context.Background(), func(tx accounts.Reading) error {
		_, ok, err := tx.AccountByLogin(text)
		if ok {
			t.Error("an account that nobody made")
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

func testDevices(t *testing.T, db *store.DB) {
	device := syncing.Device{ID: id(3), Worker: id(8), PublicKey: make([]byte, 32), Name: "平板", App: "levee 1", EnrolledAt: 1, LastContact: 1}
	code := syncing.Enrolment{SecretHash: []byte("hash"), Worker: id(8), ExpiresAt: 9}
	inWrite(t, db, func(tx syncing.Writing) error {
		if _, ok, err := tx.Enrolment(code.SecretHash); ok || err != nil {
			t.Errorf("a code before it was made: %v", err)
		}
		return errors.Join(tx.SaveDevice(device), tx.SaveEnrolment(code))
	})
	code.UsedBy = device.ID
	inWrite(t, db, func(tx syncing.Writing) error {
		if got, ok, err := tx.Enrolment(code.SecretHash); !ok || err != nil || got.UsedBy != (hlc.ID{}) || got.ExpiresAt != 9 || got.Worker != id(8) {
			t.Errorf("code %+v, %v", got, err)
		}
		return tx.SaveEnrolment(code)
	})
	write(t, db, syncing.Changes{Contacts: []syncing.Contact{{Device: device.ID, At: 77, Unsent: 5}}})
	inWrite(t, db, func(tx syncing.Writing) error {
		if got, _, _ := tx.Enrolment(code.SecretHash); got.UsedBy != device.ID {
			t.Errorf("code %+v", got)
		}
		got, ok, err := tx.Device(device.ID)
		device.LastContact, device.Unsent = 77, 5
		if !ok || err != nil || fmt.Sprint(got) != fmt.Sprint(device) {
			t.Errorf("device %+v, %v, want %+v", got, err, device)
		}
		return err
	})
	write(t, db, syncing.Changes{Contacts: []syncing.Contact{{Device: device.ID, At: 78, App: "levee 2"}}})
	read(t, db, func(tx syncing.Reading) error {
		got, _, err := tx.Device(device.ID)
		if got.App != "levee 2" || got.Unsent != 0 {
			t.Errorf("device %+v", got)
		}
		return err
	})
}
