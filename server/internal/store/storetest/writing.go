package storetest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"levee/server/internal/access"
	"levee/server/internal/accounts"
	"levee/server/internal/alerting"
	"levee/server/internal/store"
	"levee/server/internal/syncing"
	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

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

// testMade: the entry with which a record came to be is found by the record, and by others once that is removed.
func testMade(t *testing.T, db *store.DB) {
	made, other := aRecord(30, 2), aRecord(31, 4)
	made.Made, other.Made = 2, 4
	var log []syncing.LogEntry
	for n, of := range []hlc.ID{made.ID, made.ID, other.ID, other.ID, made.ID} { // the first and the third are held
		e := entry(uint64(n + 1))
		e.Record, e.Received, e.Makes = of, int64(n+1), n == 1 || n == 3
		log = append(log, e)
	}
	write(t, db, syncing.Changes{Head: syncing.Head{Position: 5}, Log: log, Made: []syncing.Record{made, other}})
	history := func() {
		t.Helper()
		read(t, db, func(tx syncing.Reading) error {
			for id, want := range map[hlc.ID][]uint64{made.ID: {1, 2, 5}, other.ID: {3, 4}, id(32): nil} {
				entries, err := tx.History(id)
				if err != nil {
					return err
				}
				var got []uint64
				for _, e := range entries {
					got = append(got, e.Position)
				}
				if !slices.Equal(got, want) {
					t.Errorf("history %v, want %v", got, want)
				}
			}
			return nil
		})
		err := db.Deployment(deployment).ReadAlerts(context.Background(), func(tx alerting.Reading) error {
			first, err := tx.FirstReceived(made.ID)
			if first != 1 {
				t.Errorf("first received at %d", first)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	history()
	made.Position, made.Made = 5, 0 // it is changed
	write(t, db, syncing.Changes{Head: syncing.Head{Position: 5}, Records: []syncing.Record{made}})
	history()
	inWrite(t, db, func(tx syncing.Writing) error { return tx.Remove([]hlc.ID{made.ID, other.ID}) })
	history()
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

// testShared: what all rows of a statement share is written otherwise than what each has for itself, and what is nothing in all of them
// otherwise again.
func testShared(t *testing.T, db *store.DB) {
	const rows = 40 // one statement
	fields := []func(r *syncing.Record, n int){
		func(r *syncing.Record, n int) { r.Audience = id(1 + n) },
		func(r *syncing.Record, n int) { r.Origin = hlc.Replica(n) },
		func(r *syncing.Record, n int) { r.OriginAfter = uint64(n) },
		func(r *syncing.Record, n int) { r.Day = int32(n) },
		func(r *syncing.Record, n int) { r.DuplicateOf = id(1 + n) },
	}
	var all []syncing.Record
	for combination := range 243 { // of each field: nothing, one value, a value for each row
		var made []syncing.Record
		for n := range rows {
			r := syncing.Record{ID: id(1 + len(all)), Kind: recordv1.Kind_KIND_CASE, Position: uint64(1 + len(all)), State: []byte{1}}
			r.Root = r.ID
			left := combination
			for _, set := range fields {
				switch left % 3 {
				case 1:
					set(&r, 7)
				case 2:
					set(&r, n)
				}
				left /= 3
			}
			made, all = append(made, r), append(all, r)
		}
		write(t, db, syncing.Changes{Made: made})
	}
	ids := make([]hlc.ID, len(all))
	for i, r := range all {
		ids[i] = r.ID
	}
	read(t, db, func(tx syncing.Reading) error {
		found, err := tx.Records(ids)
		if err != nil {
			return err
		}
		slices.SortFunc(found, func(a, b syncing.Record) int { return cmp.Compare(a.Position, b.Position) })
		if len(found) != len(all) {
			t.Fatalf("%d of %d records are there", len(found), len(all))
		}
		for i, r := range found {
			if !reflect.DeepEqual(r, all[i]) {
				t.Fatalf("written %+v, read %+v", all[i], r)
			}
		}
		return nil
	})
}
