package progress_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"levee/server/internal/progress"
	"levee/server/internal/servertest"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/oracle"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// TestAPeriodIsWhatItsRecordsGive: whatever tablets send, the figures of some days are what a naive count up to the last one has
// more than one up to the day before; nobody is new twice, and everybody worked when their records say so.
func TestAPeriodIsWhatItsRecordsGive(t *testing.T) {
	if servertest.Raced {
		t.Skip("it takes minutes under the race detector, and has one goroutine")
	}
	rapid.Check(t, func(rt *rapid.T) {
		d := servertest.New(t)
		defer d.Close()
		servertest.Grow(rt, d, func() {})
		s := serviceOf(d)
		records := d.Records()
		from := record.Date(20210923).AddDays(rapid.IntRange(0, 30).Draw(rt, "from"))
		to := from.AddDays(rapid.SampledFrom([]int{0, 0, 1, 6, 30}).Draw(rt, "days"))

		whole := periodOf(rt, s, progress.PeriodQuery{From: from, To: to, Whole: true})
		checkPeriod(rt, whole, records, from, to, nil)
		checkNaivePeriod(rt, whole, records, from, to)
		some := d.Teams[:rapid.IntRange(1, len(d.Teams)).Draw(rt, "teams")]
		checkPeriod(rt, periodOf(rt, s, progress.PeriodQuery{From: from, To: to, Teams: some}), records, from, to, some)
	})
}

func periodOf(t *rapid.T, s *progress.Service, q progress.PeriodQuery) progress.Period {
	p, err := s.Period(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// checkNaivePeriod compares with counts by code that shares nothing with what is tested.
func checkNaivePeriod(t *rapid.T, p progress.Period, records []tally.Record, from, to record.Date) {
	var plain []oracle.Record
	for _, r := range records {
		plain = append(plain, oracle.Record(r))
	}
	until, before := oracle.Tally(plain, to), oracle.Tally(plain, from.AddDays(-1))
	for _, basis := range []tally.Basis{tally.Reported, tally.Verified} {
		for _, f := range tally.Figures() {
			whole := oracle.Cell{Basis: basis.String(), Figure: f.String(), Dimension: tally.Whole.String()}
			if got := p.Total.Values[basis][f.String()]; got != until[whole] {
				t.Fatalf("%d %v %v up to %v, counted naively %d", got, basis, f, to, until[whole])
			}
			name := f.String()
			if f == tally.Persons {
				name = progress.NewPersons
			}
			if got := p.Done.Values[basis][name]; got != until[whole]-before[whole] {
				t.Fatalf("%d %v %s from %v to %v, counted naively %d", got, basis, name, from, to, until[whole]-before[whole])
			}
			if f == tally.Persons {
				continue
			}
			for by, rows := range divisionsOf(p) {
				for _, r := range rows {
					c := oracle.Cell{Basis: basis.String(), Figure: f.String(), Dimension: by.String(), Key: r.Key}
					if got := r.Values[basis][f.String()]; got != until[c]-before[c] {
						t.Fatalf("%v %s: %d %v %v, counted naively %d", by, r.Key, got, basis, f, until[c]-before[c])
					}
				}
			}
		}
	}
}

func divisionsOf(p progress.Period) map[tally.Dimension][]progress.Row {
	return map[tally.Dimension][]progress.Row{tally.Site: p.Sites, tally.Team: p.Teams, tally.ServiceArea: p.ServiceAreas, tally.Place: p.Towns}
}

// checkPeriod compares with a count of all records of the days; of those of some teams when there are any.
func checkPeriod(t *rapid.T, p progress.Period, records []tally.Record, from, to record.Date, teams []hlc.ID) {
	all := tally.Facts(records)
	var facts []tally.Fact
	earlier := map[tally.Basis]map[tally.Token]bool{tally.Reported: {}, tally.Verified: {}}
	for _, f := range all {
		if f.Day < from {
			for _, token := range f.Tokens {
				earlier[tally.Reported][token] = true
				if f.Verified {
					earlier[tally.Verified][token] = true
				}
			}
		}
		ofTeams := teams == nil || slices.ContainsFunc(teams, func(team hlc.ID) bool { return slices.Contains(f.Cuts, tally.OfTeam(team)) })
		if ofTeams && from <= f.Day && f.Day <= to {
			facts = append(facts, f)
		}
	}
	want := tally.OfFacts(slices.Values(facts))
	checkRow(t, p.Done, func(basis tally.Basis, f tally.Figure) int64 {
		return want.Value(tally.Cell{Basis: basis, Figure: f, Cut: tally.Everything()})
	})
	checkFresh(t, p, facts, earlier, want)
	for by, rows := range divisionsOf(p) {
		keys := map[string]bool{}
		for _, r := range rows {
			keys[r.Key] = true
			checkRow(t, r, func(basis tally.Basis, f tally.Figure) int64 {
				return want.Value(tally.Cell{Basis: basis, Figure: f, Cut: tally.Cut{Dimension: by, Key: r.Key}})
			})
		}
		for key := range want.By(tally.Reported, tally.Contacts, by) {
			if !keys[key] && (by != tally.Place || len(key) == 9) {
				t.Fatalf("by %v there is no row %q", by, key)
			}
		}
	}
	total := tally.Of(slices.Values(records), to)
	checkRow(t, p.Total, func(basis tally.Basis, f tally.Figure) int64 {
		cells := []tally.Cell{{Basis: basis, Figure: f, Cut: tally.Everything()}}
		if teams != nil {
			cells = nil
		}
		for _, team := range teams {
			cells = append(cells, tally.Cell{Basis: basis, Figure: f, Cut: tally.OfTeam(team)})
		}
		return total.Sum(cells...)
	})
	if teams == nil {
		checkWorkTime(t, p.Workers, records, all, from, to)
	}
}

// checkFresh looks who of those that the facts of a period name was met on no day before it, in the whole and in each part.
func checkFresh(t *rapid.T, p progress.Period, facts []tally.Fact, earlier map[tally.Basis]map[tally.Token]bool, counted *tally.Totals) {
	rows := divisionsOf(p)
	rows[tally.Whole] = []progress.Row{p.Done}
	for _, basis := range []tally.Basis{tally.Reported, tally.Verified} {
		fresh := map[tally.Cut]map[tally.Token]bool{}
		for _, f := range facts {
			for _, token := range f.Tokens {
				if (basis == tally.Verified && !f.Verified) || earlier[basis][token] {
					continue
				}
				for _, cut := range f.Cuts {
					if fresh[cut] == nil {
						fresh[cut] = map[tally.Token]bool{}
					}
					fresh[cut][token] = true
				}
			}
		}
		for by, rows := range rows {
			for _, r := range rows {
				cut := tally.Cut{Dimension: by, Key: r.Key}
				want := int64(len(fresh[cut])) + counted.Value(tally.Cell{Basis: basis, Figure: tally.PersonsByNumber, Cut: cut})
				if got := r.Values[basis][progress.NewPersons]; got != want {
					t.Fatalf("%d new persons of %v, want %d", got, cut, want)
				}
			}
		}
	}
}

// checkWorkTime goes through the records as they are.
func checkWorkTime(t *rapid.T, workers []progress.WorkTime, records []tally.Record, facts []tally.Fact, from, to record.Date) {
	messages := map[hlc.ID]record.Common{}
	for _, r := range records {
		if m := record.New(r.Kind); m != nil && proto.Unmarshal(r.Registers.Fields(), m) == nil {
			messages[r.ID] = m
		}
	}
	days, minutes, holds := map[string]map[record.Date]bool{}, map[string]int64{}, map[string]map[string]int64{}
	for _, f := range facts {
		if f.Day < from || f.Day > to || f.Kind == recordv1.Kind_KIND_CASE {
			continue
		}
		who := map[string]bool{}
		took := int64(0)
		switch m := messages[f.Record].(type) {
		case *recordv1.Headcount:
			who[string(m.GetCounter())] = true
		case *recordv1.CaseSession:
			took = int64(m.GetMinutes())
		case *recordv1.GroupSession:
			took = int64(m.GetMinutes())
		case *recordv1.CommunityActivity:
			took = int64(m.GetMinutes())
		}
		if m := messages[f.Record]; len(who) == 0 {
			who[string(m.GetAuthor())] = true
			if f.Kind != recordv1.Kind_KIND_ATTENDANCE {
				for _, b := range m.GetCoWorkers() {
					who[string(b)] = true
				}
			}
		}
		for id := range who {
			if len(id) != 16 {
				continue
			}
			for _, figure := range progress.HeldFigures {
				if n := f.At(tally.Cell{Basis: tally.Reported, Figure: figure, Cut: tally.Everything()}); n != 0 {
					if holds[id] == nil {
						holds[id] = map[string]int64{}
					}
					holds[id][figure.String()] += n
				}
			}
			if days[id] == nil {
				days[id] = map[record.Date]bool{}
			}
			days[id][f.Day] = true
			minutes[id] += took
		}
	}
	got, want := map[string]string{}, map[string]string{}
	for _, w := range workers {
		got[fmt.Sprintf("%x", w.Worker.ID[:])] = fmt.Sprint(w.Days, w.From, w.To, w.Minutes, w.Held)
	}
	for id, on := range days {
		in := slices.Sorted(maps.Keys(on))
		want[fmt.Sprintf("%x", id)] = fmt.Sprint(len(in), in[0], in[len(in)-1], minutes[id], holds[id])
	}
	if !maps.Equal(got, want) {
		t.Fatalf("work from %v to %v: %v, want %v", from, to, got, want)
	}
}
