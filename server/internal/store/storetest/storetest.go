// Package storetest is the one suite that every store must pass.
package storetest

import (
	"context"
	"fmt"
	"testing"

	"levee/server/internal/store"
	"levee/server/internal/syncing"
	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// Run runs the suite. open makes an empty store.
func Run(t *testing.T, open func(testing.TB) *store.DB) {
	for name, test := range map[string]func(*testing.T, *store.DB){
		"an empty deployment starts at position 0":      testEmpty,
		"what is saved is read as it was":               testRoundTrip,
		"an error undoes all of a transaction":          testRollback,
		"a record that is there is not made again":      testMadeAgain,
		"rows are kept, whatever they share":            testShared,
		"what made a record is in its history":          testMade,
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
