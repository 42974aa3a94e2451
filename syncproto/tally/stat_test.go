package tally_test

import ("testing";"fmt";"slices";"pgregory.net/rapid";"levee/syncproto/oracle";"levee/syncproto/tally")

func TestStat(t *testing.T) {
	sum := map[string]int64{}
	worlds := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		w, b := oracle.NewWorld(t), newBooks()
		for range 60 { w.Step(t) }
		for _, c := range w.Changes { b.merge(c) }
		sum["changes"] += int64(len(w.Changes))
		sum["records"] += int64(len(b.all()))
		for _, r := range b.all() { if _, d := tally.Links(&r); d != [16]byte{} { sum["dups"]++ }; if r.Registers.Deleted() {sum["deleted"]++} ; sum[r.Kind.String()]++}
		tt := tally.Of(slices.Values(b.all()), 0)
		for _, basis := range []tally.Basis{1,2} { for _, f := range tally.Figures() {
			n := tt.Value(tally.Cell{basis,f,tally.Everything()})
			sum[basis.String()+f.String()]+=n
			if n != 0 { worlds[basis.String()+f.String()]++ }
		}}
	})
	for k, v := range sum { fmt.Println(k, v, worlds[k]) }
}
