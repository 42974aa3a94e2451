package tally_test

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"levee/syncproto/hlc"
	"levee/syncproto/oracle"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// books keeps records as a server does, and totals by deltas.
type books struct {
	ids     []hlc.ID
	records map[hlc.ID]tally.Record
	totals  *tally.Totals
}

func newBooks() *books {
	return &books{records: map[hlc.ID]tally.Record{}, totals: tally.NewTotals()}
}

func (b *books) all() []tally.Record {
	all := make([]tally.Record, 0, len(b.ids))
	for _, id := range b.ids {
		all = append(all, b.records[id])
	}
	return all
}

func (b *books) merge(c *record.Change) {
	r, ok := b.records[c.Record]
	if !ok {
		b.ids = append(b.ids, c.Record)
	}
	b.records[c.Record] = tally.Record{ID: c.Record, Kind: c.Kind, Registers: record.Merge(r.Registers, c.Registers())}
}

// apply merges some changes and moves the totals by the delta over whole families.
func (b *books) apply(changes ...*record.Change) tally.Delta {
	before := b.all()
	changed := map[hlc.ID]bool{}
	for _, c := range changes {
		b.merge(c)
		changed[c.Record] = true
	}
	after := b.all()
	family := families(changed, before, after)
	d := tally.DeltaOf(only(family, before), only(family, after))
	b.totals.Add(d)
	return d
}

// families are all records linked with the changed ones, before or after, by owner, review or duplicate_of.
func families(changed map[hlc.ID]bool, before, after []tally.Record) map[hlc.ID]bool {
	family := maps.Clone(changed)
	for grown := true; grown; {
		grown = false
		for _, r := range slices.Concat(before, after) {
			owner, same := tally.Links(&r)
			linked := []hlc.ID{r.ID, owner, same}
			if !slices.ContainsFunc(linked, func(id hlc.ID) bool { return family[id] }) {
				continue
			}
			for _, id := range linked {
				if id != (hlc.ID{}) && !family[id] {
					family[id], grown = true, true
				}
			}
		}
	}
	return family
}

func only(family map[hlc.ID]bool, records []tally.Record) []tally.Record {
	return slices.DeleteFunc(slices.Clone(records), func(r tally.Record) bool { return !family[r.ID] })
}

// named are the totals with every figure, also Persons, in the oracle's form.
func named(t *tally.Totals) map[oracle.Cell]int64 {
	all := map[oracle.Cell]int64{}
	for _, basis := range []tally.Basis{tally.Reported, tally.Verified} {
		for _, figure := range tally.Figures() {
			for _, dimension := range tally.Dimensions() {
				for key, n := range t.By(basis, figure, dimension) {
					all[oracle.Cell{Basis: basis.String(), Figure: figure.String(), Dimension: dimension.String(), Key: key}] = n
				}
			}
		}
	}
	return all
}

func oracles(records []tally.Record) []oracle.Record {
	var all []oracle.Record
	for _, r := range records {
		all = append(all, oracle.Record(r))
	}
	return all
}

func mustEqual[K comparable](t *rapid.T, what string, got, want map[K]int64) {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(got)), maps.Keys(want))
	for _, k := range keys {
		g, there := got[k]
		if w, wanted := want[k]; g != w || there != wanted {
			t.Fatalf("%s: %v is %d (there: %v), want %d (there: %v)", what, k, g, there, w, wanted)
		}
	}
}

func TestDeltasAddUpToTheWholeAndBothToTheOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, b := oracle.NewWorld(t), newBooks()
		pending := slices.Clone(w.Changes)
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			if c := w.Step(t); c != nil {
				pending = append(pending, c)
			}
			// Changes arrive in any order, one by one or together: an edit may come before what it edits.
			if len(pending) > 0 && rapid.Bool().Draw(t, "sync") {
				arriving := rapid.Permutation(pending).Draw(t, "order")
				n := rapid.IntRange(1, len(arriving)).Draw(t, "how many")
				b.apply(arriving[:n]...)
				pending = arriving[n:]
			}
		}
		for _, c := range pending {
			b.apply(c)
		}
		whole := tally.Of(slices.Values(b.all()), 0)
		mustEqual(t, "cells by deltas", b.totals.Cells, whole.Cells)
		mustEqual(t, "tokens by deltas", b.totals.Tokens, whole.Tokens)
		mustEqual(t, "by deltas", named(b.totals), named(whole))
		mustEqual(t, "whole beside the oracle", named(whole), oracle.Tally(oracles(b.all()), 0))

		asOf := w.Start.AddDays(rapid.IntRange(0, 45).Draw(t, "as of"))
		mustEqual(t, "as of a day beside the oracle", named(tally.Of(slices.Values(b.all()), asOf)), oracle.Tally(oracles(b.all()), asOf))
	})
}
