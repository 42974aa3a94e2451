package tally_test

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"levee/syncproto/hlc"
	"levee/syncproto/oracle"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// FuzzTally: two changes of any fields that are valid move the totals to what a recount and the oracle find.
func FuzzTally(f *testing.F) {
	w := rapid.Custom(func(t *rapid.T) *oracle.World {
		w := oracle.NewWorld(t)
		for range 40 {
			w.Step(t)
		}
		return w
	}).Example(3)
	begun := newBooks()
	begun.apply(w.Changes...)
	for i, c := range w.Changes {
		of := uint16(slices.Index(begun.ids, c.Record))
		next := w.Changes[(i+1)%len(w.Changes)]
		f.Add(of, c.Fields, uint16(i), next.Fields)
	}
	f.Fuzz(func(t *testing.T, first uint16, set []byte, second uint16, setToo []byte) {
		b := newBooks()
		b.ids = slices.Clone(begun.ids)
		maps.Copy(b.records, begun.records)
		maps.Copy(b.totals.Cells, begun.totals.Cells)
		maps.Copy(b.totals.Tokens, begun.totals.Tokens)
		for i, edit := range []struct {
			of  uint16
			set []byte
		}{{first, set}, {second, setToo}} {
			r := b.records[b.ids[int(edit.of)%len(b.ids)]]
			at := hlc.Stamp{Time: r.Registers.Newest() + 1, Replica: 9}
			c, err := record.Edit(hlc.ID{14: byte(i), 15: 1}, r.ID, r.Kind, at, r.Registers, bytes.Clone(edit.set), nil)
			if err != nil || c == nil || len(record.Validate(c.Kind, c.Fields, w.Deployment(c))) > 0 {
				continue
			}
			b.apply(c)
		}
		whole := tally.Of(slices.Values(b.all()), 0)
		mustEqual(t, "cells by deltas", b.totals.Cells, whole.Cells)
		mustEqual(t, "tokens by deltas", b.totals.Tokens, whole.Tokens)
		mustEqual(t, "whole beside the oracle", named(whole), oracle.Tally(oracles(b.all()), 0))
	})
}
