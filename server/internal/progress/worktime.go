package progress

import (
	"cmp"
	"slices"

	"levee/server/internal/syncing"
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
}

// workTimes are the times of those who are in some teams now, or of all, with all that they did wherever, by name.
func workTimes(tx KeptDays, setUp *syncing.SetUp, from, to record.Date, teams []hlc.ID) (all []WorkTime, err error) {
	err = tx.WorkOfDays(from, to, func(d WorkedDays) error {
		w := WorkTime{Worker: named(setUp, tally.Worker, d.Worker), Team: teamOf(setUp, d.Worker), Type: setUp.Workers[d.Worker].GetType(),
			Days: d.Days, From: d.From, To: d.To, Held: map[string]int64{}, Minutes: d.Minutes}
		if teams != nil && !slices.Contains(teams, w.Team.ID) {
			return nil
		}
		for i, n := range d.Held {
			if n != 0 {
				w.Held[HeldFigures[i].String()] = n
			}
		}
		all = append(all, w)
		return nil
	})
	slices.SortFunc(all, func(a, b WorkTime) int {
		return cmp.Or(cmp.Compare(a.Worker.Name, b.Worker.Name), hlc.CompareIDs(a.Worker.ID, b.Worker.ID))
	})
	return all, err
}
