package world

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sort is what happens in a step.
type sort string

const (
	work        sort = "work"         // a worker does one thing on a tablet
	tornWork    sort = "torn work"    // and the tablet is killed in the commit
	tie         sort = "tie"          // several set one field in the same millisecond
	twins       sort = "twins"        // two tablets log one activity
	unseen      sort = "unseen"       // one deletes what another edits
	syncs       sort = "sync"         // a tablet syncs
	killSyncing sort = "kill syncing" // a tablet syncs and is killed meanwhile
	killServer  sort = "kill server"  // a tablet syncs, and the server is killed meanwhile
	kill        sort = "kill"         // a tablet is killed and opened again
	deliver     sort = "deliver"      // a request that was delayed arrives
	clock       sort = "clock"        // a tablet's clock jumps
	newer       sort = "newer"        // the tablet of a newer program logs and syncs
	moveWorker  sort = "move worker"  // the coordinator's office moves a worker to another team
	gone        sort = "gone"         // a tablet is destroyed
	backUp      sort = "back up"      // the server's database is copied
	setBack     sort = "set back"     // the server's database is an older one again
	ahead       sort = "ahead"        // the server's clock runs ahead, or is set right
	keepCopy    sort = "keep copy"    // a tablet's file is copied
	rollBack    sort = "roll back"    // a tablet's file is an older one again
	cloneTablet sort = "clone"        // a tablet's file goes on on a second tablet
	forge       sort = "forge"        // a tablet gives back what the server never sent
)

// Step is one step of a plan. All that is drawn in it is drawn from its own seed, so that it stays the same when other
// steps are left out.
type step struct {
	number int
	sort   sort
	who    int           // which tablet, modulo those there are
	wait   time.Duration // what passes before
	calm   bool          // the link is good
	seed   uint64
}

// mood is which sorts of steps a world has, so that faults come singly and together.
type mood struct {
	faulty int // of a hundred requests
	sorts  []sort
}

// groups are sorts that are in a world's mood together. Each is in about half of the worlds.
var groups = [][]sort{
	{tornWork, killSyncing, kill},
	{killServer},
	{tie, clock},
	{twins, unseen},
	{newer},
	{moveWorker},
	{gone},
	{backUp, setBack},
	{ahead},
	{keepCopy, rollBack},
	{cloneTablet},
	{forge},
}

// weights are how often the sorts come up, where they are in the mood.
var weights = map[sort]int{
	work: 100, tornWork: 6, tie: 8, twins: 5, unseen: 6, syncs: 62, killSyncing: 7, killServer: 12, kill: 6, deliver: 6, clock: 7, newer: 10, moveWorker: 3, gone: 1,
	backUp: 9, setBack: 5, ahead: 2, keepCopy: 6, rollBack: 3, cloneTablet: 1, forge: 3,
}

// shortest and longest plans.
const (
	fewest = 60
	most   = 200
)

// draw draws a plan from a seed.
func draw(seed uint64) (mood, []step) {
	r := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // a seed gives the same world again
	m := mood{faulty: []int{0, 15, 40}[r.IntN(3)], sorts: []sort{work, syncs, deliver}}
	for _, g := range groups {
		if r.IntN(2) == 0 {
			m.sorts = append(m.sorts, g...)
		}
	}
	sum := 0
	for _, s := range m.sorts {
		sum += weights[s]
	}
	steps := make([]step, fewest+r.IntN(most-fewest+1))
	for i := range steps {
		dice := r.IntN(sum)
		s := step{number: i + 1, who: r.IntN(1 << 16), seed: r.Uint64()}
		for _, s.sort = range m.sorts {
			if dice -= weights[s.sort]; dice < 0 {
				break
			}
		}
		switch d := r.IntN(100); {
		case d < 20: // at once
		case d < 60:
			s.wait = time.Duration(r.IntN(5000)) * time.Millisecond
		case d < 90:
			s.wait = time.Duration(r.IntN(240)) * time.Second
		case d < 98:
			s.wait = time.Duration(r.IntN(12*60)) * time.Minute
		default:
			s.wait = time.Duration(1+r.IntN(6*24)) * time.Hour
		}
		steps[i] = s
	}
	return m, steps
}

// Keep says which steps of a plan are played: it is how a shrunk plan is written down.
type Keep struct {
	steps map[int]bool // calm or not
}

// All is a Keep of everything.
var All = Keep{}

// ParseKeep reads what Keep.String writes: numbers, or all when there are none. A ~ behind a number says that the link is
// good in that step.
func ParseKeep(text string) (Keep, error) {
	if text == "" {
		return All, nil
	}
	k := Keep{map[int]bool{}}
	for _, word := range strings.Split(text, ",") {
		number, calm := strings.CutSuffix(word, "~")
		n, err := strconv.Atoi(number)
		if err != nil {
			return All, fmt.Errorf("%q is not the number of a step", word)
		}
		k.steps[n] = calm
	}
	return k, nil
}

func (k Keep) String() string {
	var words []string
	for n, calm := range k.steps {
		word := strconv.Itoa(n)
		if calm {
			word += "~"
		}
		words = append(words, word)
	}
	slices.SortFunc(words, func(a, b string) int {
		x, _ := strconv.Atoi(strings.TrimSuffix(a, "~"))
		y, _ := strconv.Atoi(strings.TrimSuffix(b, "~"))
		return x - y
	})
	return strings.Join(words, ",")
}

// of are the steps that are played.
func (k Keep) of(steps []step) []step {
	if k.steps == nil {
		return steps
	}
	var kept []step
	for _, s := range steps {
		if calm, ok := k.steps[s.number]; ok {
			s.calm = calm
			kept = append(kept, s)
		}
	}
	return kept
}

func keepOf(steps []step) Keep {
	k := Keep{map[int]bool{}}
	for _, s := range steps {
		k.steps[s.number] = s.calm
	}
	return k
}
