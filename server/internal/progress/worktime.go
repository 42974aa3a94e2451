package progress

import (
	"cmp"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// WorkTime is how long one worker worked in a period. A day is one of work when the worker, as author or co-worker, held a
// session, an activity or a round of visits on it, or counted people there. Each who was at it has the whole time that it took;
// rounds of visits say no time.
type WorkTime struct {
	Worker, Team Named
	Type         recordv1.WorkerType
	// Days is on how many days, the first on From and the last on To.
	Days     int
	From, To record.Date
	// Held is how many of each figure, by its name, the worker held, and Minutes how long that took.
	Held    map[string]int64
	Minutes int64

	on map[record.Date]bool
}

// note takes note of who was at what a fact is of.
func (r *periodReader) note(f *tally.Fact, records map[hlc.ID]counting) error {
	if f.Kind == recordv1.Kind_KIND_CASE {
		return nil // opening one takes no time of its own
	}
	if f.Setting != f.Record {
		for _, c := range f.Cuts {
			if id, ok := idOfKey(c.Key); ok && c.Dimension == tally.Worker {
				r.timeOf(id).on[f.Day] = true
			}
		}
		return nil
	}
	m := record.New(f.Kind)
	if err := proto.Unmarshal(records[f.Record].tallied.Registers.Fields(), m); err != nil {
		return fmt.Errorf("record %v: %w", f.Record, err)
	}
	minutes := int64(0)
	if timed, ok := m.(interface{ GetMinutes() uint32 }); ok {
		minutes = int64(timed.GetMinutes())
	}
	there := map[hlc.ID]bool{}
	for _, b := range append([][]byte{m.GetAuthor()}, m.GetCoWorkers()...) {
		id := hlc.IDOf(b)
		if there[id] || id == (hlc.ID{}) {
			continue
		}
		there[id] = true
		w := r.timeOf(id)
		w.on[f.Day] = true
		w.Minutes += minutes
		for _, figure := range workFigures {
			if n := f.At(tally.Cell{Basis: tally.Reported, Figure: figure, Cut: tally.Everything()}); figure != tally.Contacts && n != 0 {
				w.Held[figure.String()] += n
			}
		}
	}
	return nil
}

func (r *periodReader) timeOf(worker hlc.ID) *WorkTime {
	w := r.times[worker]
	if w == nil {
		w = &WorkTime{Worker: named(r.setUp, tally.Worker, worker), Team: teamOf(r.setUp, worker), Type: r.setUp.Workers[worker].GetType(), Held: map[string]int64{}, on: map[record.Date]bool{}}
		r.times[worker] = w
	}
	return w
}

// workers are those who are in the teams now, with all that they did wherever, by name.
func (r *periodReader) workers() (all []WorkTime) {
	for _, w := range r.times {
		if r.teams != nil && !slices.Contains(r.teams, w.Team.ID) {
			continue
		}
		w.Days = len(w.on)
		for day := range w.on {
			if w.From == 0 || day < w.From {
				w.From = day
			}
			w.To = max(w.To, day)
		}
		all = append(all, *w)
	}
	slices.SortFunc(all, func(a, b WorkTime) int {
		return cmp.Or(cmp.Compare(a.Worker.Name, b.Worker.Name), slices.Compare(a.Worker.ID[:], b.Worker.ID[:]))
	})
	return all
}
