// Package world is a simulated world: tablets and a server, all of them real, on a simulated clock and network, with
// whatever can go wrong drawn from one seed. When the faults have stopped and all have synced, everything that was
// promised is checked. It runs in tests and in leveed soak.
//
// A world runs in one goroutine (those of the server answer it one at a time), so the same seed gives the same world.
package world

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"time"

	"levee/syncproto/hlc"
	"levee/syncproto/tally"
)

// Config says which world is played.
type Config struct {
	Seed uint64
	// Keep are the steps of the seed's plan that are played.
	Keep Keep
	// Dir is an empty folder for the databases. The caller removes it.
	Dir string
	// Postgres is the postgres:// URL of a role that may make databases: the server's database is there, and in a SQLite file when
	// empty.
	Postgres string
	// Servers is how many serve it, one when 0. Each request goes to any of them.
	Servers int
	// Count counts the totals of records once more. It may be nil: the oracle that tests have is not part of a program.
	Count func([]tally.Record) map[Cell]int64
}

// Result is what became of a world.
type Result struct {
	Seed uint64
	// Steps is how long the plan was.
	Steps int
	// Faults counts each sort that was met.
	Faults map[Fault]int
	// Changes is how many changes tablets accepted.
	Changes int
	// Lost, Duplicated and Diverged count what must not be.
	Lost, Duplicated, Diverged int
	// Failures say what was wrong, these three and all else; none when all promises were kept.
	Failures []string
	// Trace is the world's story, a line for each thing that happened.
	Trace []string
	// Sums are, for each line of the story, over what it leaves out until then: the messages that crossed the links, and how
	// large the databases were after each step.
	Sums []uint64
	// Hash is of the story, of what it leaves out, and of the server's log: two runs of a seed have the same.
	Hash [32]byte
}

// Failed reports whether a promise was broken.
func (r *Result) Failed() bool { return len(r.Failures) > 0 }

// FaultCount is how many faults were met, of all sorts.
func (r *Result) FaultCount() int {
	n := 0
	for _, c := range r.Faults {
		n += c
	}
	return n
}

// world is a world while it is played.
type world struct {
	ctx    context.Context
	dir    string
	seed   uint64
	config Config
	result *Result
	mood   mood
	now    atomic.Int64 // milliseconds: the true time

	host    *host
	tablets []*tablet
	newer   *hand // a tablet of a newer program
	office  *hand // the coordinator's office, which writes set-up records
	made    *template
	count   func([]tally.Record) map[Cell]int64

	// ids are the records that were logged, in the order of their making.
	ids []hlc.ID

	journey *journey // how requests fare in this step
	late    []*letter

	// opened counts tablets, those of clones included; accepted are all changes that any of them ever accepted, with
	// each stamp that they had.
	opened   int
	accepted map[hlc.ID][]told
	// copied are the replica numbers under which several copies of a tablet may write.
	copied map[int64]bool
	// decided are the records of which something was held, and decided.
	decided map[hlc.ID]bool
	// untold sums up what the story leaves out.
	untold hash.Hash
	// fatal is what went wrong where no error could be returned.
	fatal error
}

// errBroken ends a world in which something failed that no fault explains.
var errBroken = errors.New("the world is broken")

// Run plays a world and checks it. The error is about what the world stands on, such as its folder; what was wrong in
// the world is in the result.
func Run(ctx context.Context, c Config) (*Result, error) {
	made, err := theTemplate(c.Postgres)
	if err != nil {
		return nil, err
	}
	w := &world{ctx: ctx, dir: c.Dir, seed: c.Seed, config: c, made: made, count: c.Count, accepted: map[hlc.ID][]told{}, copied: map[int64]bool{}, decided: map[hlc.ID]bool{}, untold: sha256.New(), result: &Result{Seed: c.Seed, Faults: map[Fault]int{}}}
	w.now.Store(began.Add(time.Minute).UnixMilli())
	var steps []step
	w.mood, steps = draw(c.Seed)
	w.result.Steps = len(steps)
	if err := w.open(); err != nil {
		return nil, errors.Join(err, w.close())
	}
	err = w.play(c.Keep.of(steps))
	if errors.Is(err, errBroken) {
		err = nil
	}
	if err := errors.Join(err, w.close()); err != nil {
		return nil, err
	}
	return w.result, ctx.Err()
}

// began is when every world begins.
var began = time.Date(2021, 10, 1, 2, 0, 0, 0, time.UTC)

func (w *world) open() error {
	r := w.random(partWorld)
	if err := w.openHost(); err != nil {
		return err
	}
	// The coordinator is always there; of the others two to four.
	others := r.Perm(len(w.made.tablets) - 1)[:2+r.IntN(3)]
	chosen := map[int]bool{len(w.made.tablets) - 1: true}
	for _, i := range others {
		chosen[i] = true
	}
	for i, m := range w.made.tablets {
		if !chosen[i] {
			continue
		}
		t, err := w.newTablet(m.name, m.role, m.image)
		if err != nil {
			return err
		}
		t.off = r.Int64N(8*60_000) - 4*60_000
	}
	w.newer, w.office = w.made.newer.clone(w), w.made.office.clone(w)
	return nil
}

func (w *world) close() error {
	var errs []error
	for _, t := range w.tablets {
		errs = append(errs, t.close())
	}
	w.tablets = nil
	if w.host != nil {
		errs = append(errs, w.host.close(), w.host.remove())
	}
	return errors.Join(errs...)
}

func (w *world) play(steps []step) error {
	for _, s := range steps {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		w.now.Add(s.wait.Milliseconds())
		if err := w.host.pass(s.wait); err != nil {
			return err
		}
		r := rand.New(rand.NewPCG(s.seed, 0)) //nolint:gosec // a seed gives the same world again
		faulty := w.mood.faulty
		if s.calm {
			faulty = 0
		}
		w.journey = &journey{rand: r, faulty: faulty}
		w.say("#%d %s", s.number, s.sort)
		if err := errors.Join(w.step(s, r), w.fatal); err != nil {
			return err
		}
		if err := w.sumSizes(); err != nil {
			return err
		}
	}
	if err := w.settle(); err != nil {
		return err
	}
	if err := w.check(); err != nil {
		return err
	}
	if err := w.erase(); err != nil {
		return err
	}
	return w.hash()
}

func (w *world) step(s step, r *rand.Rand) error {
	t := w.tablets[s.who%len(w.tablets)]
	switch s.sort {
	case work:
		return w.act(t, r)
	case tornWork:
		return w.tornAct(t, r)
	case tie:
		return w.tie(r)
	case twins:
		return w.logTwice(r)
	case unseen:
		return w.editUnseen(r)
	case syncs:
		return w.sync(t)
	case killSyncing:
		return w.killSyncing(t, r)
	case killServer:
		w.journey.serverDies = &death{request: 1 + r.IntN(2), when: oneOf(r, beforeCommit, inCommit, afterCommit, afterAnswer), at: r.Float64()}
		return w.sync(t)
	case kill:
		return t.kill()
	case deliver:
		w.deliverLate(r)
		return nil
	case clock:
		return w.jump(t, r)
	case newer:
		return w.newerWorks(r)
	case moveWorker:
		return w.moveWorker(r)
	case gone:
		return w.destroy(t)
	case backUp:
		return w.host.backUp(r)
	case setBack:
		return w.host.setBack(r)
	case ahead:
		return w.host.runAhead(r)
	case keepCopy:
		return t.keepCopy()
	case rollBack:
		return t.rollBack(r)
	case cloneTablet:
		return t.clone(r)
	case forge:
		return w.newer.forge(r)
	default:
		return fmt.Errorf("there is no step %q", s.sort)
	}
}

// Parts of a world that draw for themselves.
const (
	partWorld = 2 + iota
	partEnd
	partServer // and one for each start behind it
	partTablet = 1 << 20
	partHand   = 1 << 30

	partErasure = 1 << 40
	partBalance = 1 << 41
)

func (w *world) random(part uint64) *rand.Rand {
	return rand.New(rand.NewPCG(w.seed, part)) //nolint:gosec // a seed gives the same world again
}

// entropy is what keys and ids are made from.
func entropy(seed, part uint64) io.Reader {
	var s [32]byte
	binary.LittleEndian.PutUint64(s[:], seed)
	binary.LittleEndian.PutUint64(s[8:], part)
	return rand.NewChaCha8(s)
}

func (w *world) wall() time.Time { return time.UnixMilli(w.now.Load()) }

// say adds a line to the story.
func (w *world) say(format string, args ...any) {
	w.result.Trace = append(w.result.Trace, w.wall().UTC().Format("01-02 15:04:05.000 ")+fmt.Sprintf(format, args...))
	w.result.Sums = append(w.result.Sums, binary.BigEndian.Uint64(w.untold.Sum(nil)))
}

// sum adds to the sum of what the story leaves out.
func (w *world) sum(b []byte) {
	_, _ = w.untold.Write(binary.BigEndian.AppendUint64(nil, uint64(len(b))))
	_, _ = w.untold.Write(b)
}

// sumSizes adds how large the databases are, and the logs that SQLite writes ahead of them.
func (w *world) sumSizes() error {
	var paths []string
	if w.host.postgres == nil {
		paths = append(paths, w.host.path)
	}
	for _, t := range w.tablets {
		paths = append(paths, t.path)
	}
	var sizes []byte
	for _, path := range paths {
		for _, suffix := range []string{"", "-wal"} {
			info, err := os.Stat(path + suffix)
			if err != nil {
				return fmt.Errorf("looking at a database: %w", err)
			}
			sizes = binary.BigEndian.AppendUint64(sizes, uint64(info.Size())) //nolint:gosec // no file is smaller than nothing
		}
	}
	w.sum(sizes)
	return nil
}

func (w *world) met(f Fault) { w.result.Faults[f]++ }

// wrong notes a broken promise.
func (w *world) wrong(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	w.result.Failures = append(w.result.Failures, text)
	w.say("WRONG: %s", text)
}

// broken notes what failed although no fault explains it, and ends the world.
func (w *world) broken(format string, args ...any) error {
	w.wrong(format, args...)
	return errBroken
}

func (w *world) hash() error {
	h := sha256.New()
	_, _ = h.Write(w.untold.Sum(nil))
	for _, line := range w.result.Trace {
		_, _ = io.WriteString(h, line+"\n")
	}
	log, err := w.host.log()
	if err != nil {
		return err
	}
	for _, l := range log {
		_, _ = h.Write(l.chain)
	}
	h.Sum(w.result.Hash[:0])
	return nil
}

func oneOf[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }
