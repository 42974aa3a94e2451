package progress

import (
	"iter"
	"maps"
	"slices"

	"levee/syncproto/hlc"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// DayPart is a part of a day that nothing divides further: by all that reports divide by at once. The texts are keys of totals,
// empty where a record does not say; Town is a place of TownDigits.
type DayPart struct {
	Basis                         tally.Basis
	Day                           record.Date
	Team, Site, ServiceArea, Town string
}

// key is the key of a part in a dimension.
func (p *DayPart) key(by tally.Dimension) string {
	switch by {
	case tally.Team:
		return p.Team
	case tally.Site:
		return p.Site
	case tally.ServiceArea:
		return p.ServiceArea
	case tally.Place:
		return p.Town
	default:
		return ""
	}
}

// cuts are those of some dimensions in which a part lies. What says no town lies in none.
func (p *DayPart) cuts(by []tally.Dimension) iter.Seq[tally.Cut] {
	return func(yield func(tally.Cut) bool) {
		for _, dimension := range by {
			if (dimension != tally.Place || p.Town != "") && !yield(tally.Cut{Dimension: dimension, Key: p.key(dimension)}) {
				return
			}
		}
	}
}

// divisions are the dimensions by which persons of any days are counted.
var divisions = []tally.Dimension{tally.Whole, tally.Site, tally.Team, tally.ServiceArea, tally.Place}

// SummedFigures are those that day sums hold, in their order.
var SummedFigures = slices.DeleteFunc(tally.Figures(), func(f tally.Figure) bool { return f == tally.Persons })

// DaySums are how many records count in a part, and how much of each of SummedFigures they give.
type DaySums struct {
	Records int64
	Figures [8]int64
}

// figure is how much of a figure that adds up there is.
func (s *DaySums) figure(f tally.Figure) int64 {
	if i := slices.Index(SummedFigures, f); i >= 0 {
		return s.Figures[i]
	}
	return 0
}

func (s *DaySums) add(o DaySums) {
	s.Records += o.Records
	for i, n := range o.Figures {
		s.Figures[i] += n
	}
}

// WorkDay names what one worker did on a day.
type WorkDay struct {
	Day    record.Date
	Worker hlc.ID
}

// HeldFigures are those of what takes time, in the order in which WorkSums have them.
var HeldFigures = []tally.Figure{tally.CaseSessions, tally.GroupSessions, tally.CommunityActivities, tally.OutreachRounds}

// WorkSums are how many records say that a worker worked, how long that took, and how many of each of HeldFigures it was.
type WorkSums struct {
	Records, Minutes int64
	Held             [4]int64
}

// Meeting is a token that is met in a part of a day.
type Meeting struct {
	DayPart
	Token tally.Token
}

// MetDay names tokens that are met within a cut on a day, and were last met within it on the day Before. Of those who were not
// met within it before (Before is 0) First is the day on which they were first met at all; of others it is 0.
type MetDay struct {
	Basis tally.Basis
	tally.Cut
	Day, Before, First record.Date
}

// Days is all that is kept by day, or by how much it moves.
type Days struct {
	Sums map[DayPart]DaySums
	Work map[WorkDay]WorkSums
	// Met is how many records say so of each meeting.
	Met map[Meeting]int64
}

// DaysOf are what facts that come and go give to the days.
func DaysOf(moves []tally.Move) Days {
	d := Days{Sums: map[DayPart]DaySums{}, Work: map[WorkDay]WorkSums{}, Met: map[Meeting]int64{}}
	for _, m := range moves {
		d.add(m)
	}
	maps.DeleteFunc(d.Sums, func(_ DayPart, s DaySums) bool { return s == DaySums{} })
	maps.DeleteFunc(d.Work, func(_ WorkDay, s WorkSums) bool { return s == WorkSums{} })
	maps.DeleteFunc(d.Met, func(_ Meeting, n int64) bool { return n == 0 })
	return d
}

func (d *Days) add(m tally.Move) {
	part := DayPart{Basis: m.Basis, Day: m.Day}
	for _, c := range m.Cuts {
		switch {
		case c.Dimension == tally.Team:
			part.Team = c.Key
		case c.Dimension == tally.Site:
			part.Site = c.Key
		case c.Dimension == tally.ServiceArea:
			part.ServiceArea = c.Key
		case c.Dimension == tally.Place && len(c.Key) == TownDigits:
			part.Town = c.Key
		}
	}
	sums := d.Sums[part]
	sums.Records += m.Times
	for _, a := range m.Amounts {
		sums.Figures[slices.Index(SummedFigures, a.Figure)] += a.N * m.Times
	}
	d.Sums[part] = sums
	for _, token := range m.Tokens {
		d.Met[Meeting{part, token}] += m.Times
	}
	if m.Basis == tally.Reported {
		d.work(m)
	}
}

// work adds who worked: that somebody has looked at it changes nothing there.
func (d *Days) work(m tally.Move) {
	for _, worker := range m.Workers {
		at := WorkDay{m.Day, worker}
		sums := d.Work[at]
		sums.Records += m.Times
		sums.Minutes += m.Minutes * m.Times
		for i, figure := range HeldFigures {
			for _, a := range m.Amounts {
				if a.Figure == figure {
					sums.Held[i] += a.N * m.Times
				}
			}
		}
		d.Work[at] = sums
	}
}

// MetDaysOf are the days that give the meetings of one token, those that are left of them. A day on which somebody is met twice
// within a cut is one.
func MetDaysOf(meetings map[Meeting]int64) map[MetDay]int64 {
	days := map[tally.Basis]map[tally.Cut][]record.Date{}
	for m, n := range meetings {
		if n <= 0 {
			continue
		}
		if days[m.Basis] == nil {
			days[m.Basis] = map[tally.Cut][]record.Date{}
		}
		for cut := range m.cuts(divisions) {
			days[m.Basis][cut] = append(days[m.Basis][cut], m.Day)
		}
	}
	met := map[MetDay]int64{}
	for basis, cuts := range days {
		first := slices.Min(cuts[tally.Everything()])
		for cut, on := range cuts {
			slices.Sort(on)
			before := record.Date(0)
			for _, day := range slices.Compact(on) {
				at := MetDay{Basis: basis, Cut: cut, Day: day, Before: before}
				if before == 0 {
					at.First = first
				}
				met[at] = 1
				before = day
			}
		}
	}
	return met
}

// daysRead counts what the days from one to another give; of some teams when there are any.
type daysRead struct {
	tx       KeptDays
	from, to record.Date
	teams    []hlc.ID
}

// dayCount is what is counted under one cut: what adds up, how many tokens are met, and how many of these on no day before.
type dayCount struct {
	DaySums
	met, fresh int64
}

func (c *dayCount) figure(f tally.Figure) int64 {
	if f == tally.Persons {
		return c.met + c.DaySums.figure(tally.PersonsByNumber)
	}
	return c.DaySums.figure(f)
}

// count counts by some dimensions, for one basis.
func (d daysRead) count(basis tally.Basis, by []tally.Dimension) (map[tally.Cut]*dayCount, error) {
	counted := map[tally.Cut]*dayCount{tally.Everything(): {}}
	at := func(cut tally.Cut) *dayCount {
		if counted[cut] == nil {
			counted[cut] = &dayCount{}
		}
		return counted[cut]
	}
	keys := make([]string, 0, len(d.teams))
	for _, team := range d.teams {
		keys = append(keys, tally.OfTeam(team).Key)
	}
	err := d.tx.SumsOfDays(basis, d.from, d.to, func(p DayPart, sums DaySums) error {
		if d.teams != nil && !slices.Contains(keys, p.Team) {
			return nil
		}
		for cut := range p.cuts(by) {
			at(cut).add(sums)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if d.teams != nil {
		return counted, d.metByTeams(basis, by, keys, at)
	}
	for _, dimension := range by {
		err := d.tx.MetInDays(basis, dimension, d.from, d.to, func(key string, met, fresh int64) error {
			c := at(tally.Cut{Dimension: dimension, Key: key})
			c.met, c.fresh = met, fresh
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return counted, nil
}

// metByTeams counts whom some teams met: somebody whom two of them met is one.
func (d daysRead) metByTeams(basis tally.Basis, by []tally.Dimension, teams []string, at func(tally.Cut) *dayCount) error {
	type met struct {
		tally.Cut
		tally.Token
	}
	seen := map[met]bool{}
	for _, team := range teams {
		err := d.tx.MeetingsOfTeam(basis, team, d.from, d.to, func(m Meeting, fresh bool) error {
			for cut := range m.cuts(by) {
				if seen[met{cut, m.Token}] {
					continue
				}
				seen[met{cut, m.Token}] = true
				c := at(cut)
				c.met++
				if fresh {
					c.fresh++
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
