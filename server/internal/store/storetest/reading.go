package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"levee/server/internal/access"
	"levee/server/internal/export"
	"levee/server/internal/store"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

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
