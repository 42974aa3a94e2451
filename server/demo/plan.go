package demo

import (
	"math/rand/v2"
)

// division is how the published totals are divided over the three towns in one replay. It is made up, from the seed
// alone, and adds up to the published totals whatever the seed.
type division struct {
	cases      []caseplan
	groups     []groupplan
	activities []activityplan
	outreach   []outreachplan
}

type caseplan struct {
	town, worker int
	opened       int // day of the deployment, from 0
	clients      int
	registered   int // of the clients, how many have a token
	sessions     []int
}

type groupplan struct {
	town, worker int
	members      int
	sessions     []int // days
}

type activityplan struct {
	town, lead, second int
	day                int
	form               int
	heads              [2][]cell // what each of the two counters counts
	twice              bool      // the second counter did not get the planned activity and logs it again
}

type outreachplan struct {
	town, worker, day int
	heads             []cell
}

// cell is the heads of one sex and age band.
type cell struct {
	sex, band                    int
	firstTime, returning, unsure int
}

const (
	days     = 75
	ageBands = 6
)

// divide makes up the division of a seed.
func divide(seed uint64) *division {
	r := rand.New(rand.NewPCG(seed, 2021)) //nolint:gosec // a replay wants the same numbers again, not secret ones
	d := &division{}
	served := 0
	for i, town := range spread(r, int(published.Cases), 2) {
		c := caseplan{town: town, worker: r.IntN(workersPerTeam), opened: 2 + r.IntN(40), clients: 1 + r.IntN(4)}
		c.registered = r.IntN(c.clients + 1)
		for day := c.opened + 1 + r.IntN(4); day < days-1 && len(c.sessions) < 3+i%5; day += 4 + r.IntN(6) {
			c.sessions = append(c.sessions, day)
		}
		served += c.clients
		d.cases = append(d.cases, c)
	}
	// 14 sessions of four groups.
	perGroup := []int{4, 4, 3, 3}
	r.Shuffle(len(perGroup), func(i, j int) { perGroup[i], perGroup[j] = perGroup[j], perGroup[i] })
	for i, town := range spread(r, len(perGroup), 1) {
		g := groupplan{town: town, worker: r.IntN(workersPerTeam), members: 8 + r.IntN(5)}
		day := 8 + r.IntN(20)
		for range perGroup[i] {
			g.sessions = append(g.sessions, day)
			day += 5 + r.IntN(7)
		}
		served += g.members
		d.groups = append(d.groups, g)
	}
	for i, town := range spread(r, int(published.CommunityActivities), 3) {
		lead := r.IntN(workersPerTeam)
		d.activities = append(d.activities, activityplan{
			town: town, lead: lead, second: (lead + 1 + r.IntN(workersPerTeam-1)) % workersPerTeam,
			day: 5 + (i*68)/int(published.CommunityActivities) + r.IntN(3), form: 1 + r.IntN(8), twice: r.IntN(4) == 0,
		})
	}
	const rounds = 9
	for range rounds {
		d.outreach = append(d.outreach, outreachplan{town: r.IntN(len(towns)), worker: r.IntN(workersPerTeam), day: 1 + r.IntN(60)})
	}
	d.countHeads(r, int(published.Beneficiaries)-served)
	return d
}

// countHeads divides the people who are not registered: each was counted by one counter, once for the first time.
func (d *division) countHeads(r *rand.Rand, people int) {
	counts := partition(r, people, 2*len(d.activities)+len(d.outreach))
	for i := range d.activities {
		d.activities[i].heads = [2][]cell{cells(r, counts[2*i]), cells(r, counts[2*i+1])}
	}
	for i := range d.outreach {
		d.outreach[i].heads = cells(r, counts[2*len(d.activities)+i])
	}
}

// spread gives each of n things a town, at least least to each.
func spread(r *rand.Rand, n, least int) []int {
	at := make([]int, n)
	for i := range at {
		if i < least*len(towns) {
			at[i] = i % len(towns)
		} else {
			at[i] = r.IntN(len(towns))
		}
	}
	r.Shuffle(n, func(i, j int) { at[i], at[j] = at[j], at[i] })
	return at
}

// partition divides people over parts, none of them empty, by random weights.
func partition(r *rand.Rand, people, parts int) []int {
	weights := make([]int, parts)
	sum := 0
	for i := range weights {
		weights[i] = 40 + r.IntN(100)
		sum += weights[i]
	}
	counts := make([]int, parts)
	left := people
	for i, w := range weights {
		counts[i] = people * w / sum
		left -= counts[i]
	}
	for i := 0; left > 0; i = (i + 1) % parts {
		counts[i]++
		left--
	}
	return counts
}

// cells divides first-time heads by sex and age band, and adds some who came again: they are contacts and no new persons.
func cells(r *rand.Rand, firstTime int) []cell {
	var all []cell
	for i, n := range partition(r, firstTime, 2*ageBands) {
		all = append(all, cell{sex: 1 + i/ageBands, band: 1 + i%ageBands, firstTime: n, returning: r.IntN(3)})
	}
	return all
}
