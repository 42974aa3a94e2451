package storetest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"

	"levee/server/internal/progress"
	"levee/server/internal/store"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

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
