package world

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"levee/clientlib"
	"levee/clientlib/inspect"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// tablet is one tablet. After it was cloned there are two of the same name.
type tablet struct {
	w    *world
	name string
	role recordv1.Role
	// number is its own; copy tells clones apart.
	number int
	path   string
	off    int64 // of its clock, milliseconds
	store  *clientlib.Store
	peek   *sql.DB
	unseal inspect.Unsealer
	opened int
	// told are the changes of which the tablet's file has said that they are kept, as they were last seen there.
	told map[hlc.ID]told
	// copies are older states of its file.
	copies []tabletCopy
	// seen is what it had of the server's records when the faults were over.
	seen map[hlc.ID]stored
}

// told is a change as the tablet has it.
type told struct {
	replica  int64
	sequence int64
	body     []byte
	sealed   []byte // body as it lies in the file
}

func (c told) decode() (*record.Change, error) {
	return record.DecodeChange(c.body, hlc.Replica(c.replica)) //nolint:gosec // a replica number has 63 bits
}

// newTablet opens a tablet on a copy of another's file.
func (w *world) newTablet(name string, role recordv1.Role, file image) (*tablet, error) {
	t := &tablet{w: w, name: name, role: role, number: w.opened, told: map[hlc.ID]told{}}
	t.path = filepath.Join(w.dir, fmt.Sprintf("%d.db", t.number))
	w.opened++
	w.tablets = append(w.tablets, t)
	return t, t.become(file)
}

// tabletKey opens the files of tablets.
var tabletKey = clientlib.HostKey([32]byte{'w'})

func (t *tablet) wall() time.Time { return time.UnixMilli(t.w.now.Load() + t.off) }

// become puts a copy in the file's place and opens it.
func (t *tablet) become(file image) error {
	if err := t.close(); err != nil {
		return err
	}
	if err := file.write(t.path); err != nil {
		return err
	}
	return t.open()
}

func (t *tablet) open() (err error) {
	t.opened++
	source := entropy(t.w.seed, partTablet+uint64(1000*t.number+t.opened)) //nolint:gosec // small numbers
	t.store, err = clientlib.Open(t.w.ctx, t.path, clientlib.Options{Key: tabletKey, Wall: t.wall, Transport: &link{w: t.w, name: t.name, dying: t.dying}, Entropy: source, Name: t.name, App: "world"})
	if err != nil {
		return t.w.broken("the tablet of %s does not open: %v", t.name, err)
	}
	if t.unseal, err = inspect.Unseal(t.path, tabletKey); err != nil {
		return err
	}
	if t.peek, err = sql.Open("sqlite", t.path); err != nil {
		return err
	}
	t.peek.SetMaxOpenConns(1)
	return t.remember()
}

func (t *tablet) close() error {
	var errs []error
	if t.peek != nil {
		errs = append(errs, t.peek.Close())
	}
	if t.store != nil {
		errs = append(errs, t.store.Close())
	}
	t.peek, t.store = nil, nil
	return errors.Join(errs...)
}

// remember looks at the changes that the file has: these the tablet has accepted. It says which are new.
func (t *tablet) remember() error {
	return t.each(`SELECT id, replica, sequence, body FROM changes ORDER BY rowid`, func(r *sql.Rows) error {
		var c told
		var id []byte
		if err := r.Scan(&id, &c.replica, &c.sequence, &c.sealed); err != nil {
			return err
		}
		was, ok := t.told[hlc.ID(id)]
		if c.body = was.body; !bytes.Equal(was.sealed, c.sealed) {
			var err error
			if c.body, err = t.unseal.ChangeBody(hlc.ID(id), c.sealed); err != nil {
				return err
			}
		}
		if !ok || !bytes.Equal(was.body, c.body) {
			t.w.accepted[hlc.ID(id)] = append(t.w.accepted[hlc.ID(id)], c)
		}
		if !ok {
			if err := t.tell(c); err != nil {
				return err
			}
		}
		t.told[hlc.ID(id)] = c
		return nil
	})
}

// records are the tablet's records as it shows them, and as the server has them.
func (t *tablet) records() (views, bases map[hlc.ID]stored, err error) {
	inside, err := inspect.Read(t.w.ctx, t.path, tabletKey)
	if err != nil {
		return nil, nil, err
	}
	views, bases = map[hlc.ID]stored{}, map[hlc.ID]stored{}
	for _, r := range inside.Records {
		for into, state := range map[*map[hlc.ID]stored][]byte{&views: r.View, &bases: r.Base} {
			if state == nil {
				continue
			}
			s := stored{kind: r.Kind, state: state}
			if s.registers, err = record.DecodeState(state); err != nil {
				return nil, nil, err
			}
			(*into)[r.ID] = s
		}
	}
	return views, bases, nil
}

// tell puts a change that the tablet accepted into the story.
func (t *tablet) tell(c told) error {
	change, err := c.decode()
	if err != nil {
		return err
	}
	what := "edits"
	if change.Makes() {
		what = "makes"
	}
	var fields []string
	for _, r := range change.Registers() {
		fields = append(fields, record.FieldName(change.Kind, r.Field))
	}
	t.w.say("  %s %s %v %s: %s (change %s, %d at %s)", t.name, what, change.Kind, short(change.Record), strings.Join(fields, " "), short(change.ID), c.sequence, change.Stamp.Time.Wall().UTC().Format("2006-01-02 15:04:05.000"))
	return nil
}

func (t *tablet) each(query string, scan func(*sql.Rows) error) error {
	return each(t.w.ctx, t.peek, query, scan)
}

// dying kills the tablet around a request where that was planned.
func (t *tablet) dying(when moment) bool {
	d := t.w.journey.tabletDies
	if d == nil {
		return false
	}
	if d.left != nil {
		return true
	}
	if d.when == inCommit && when == beforeCommit && d.was.db != nil {
		// The request after: what the one before brought was being written.
		t.tear(d)
		return true
	}
	if t.w.journey.count < d.request {
		return false
	}
	switch {
	case d.when == inCommit && when == afterCommit:
		was, err := copyOf(t.path)
		if err != nil {
			t.w.fatal = errors.Join(t.w.fatal, err)
		}
		d.was = was
	case d.when == when:
		left, err := copyOf(t.path)
		if err != nil {
			t.w.fatal = errors.Join(t.w.fatal, err)
		}
		d.left = &left
	}
	return d.left != nil
}

// tear cuts what the tablet wrote after an answer.
func (t *tablet) tear(d *death) {
	now, err := copyOf(t.path)
	if err != nil {
		t.w.fatal = errors.Join(t.w.fatal, err)
	}
	left, _ := now.torn(d.was, d.at)
	d.left = &left
}

// links are the codes with which a sync may fail over a bad link.
var linkCodes = []string{"unavailable", "malformed", "unauthenticated"}

// sync tries once.
func (w *world) sync(t *tablet) error {
	result, err := t.store.Sync(w.ctx, nil)
	if w.fatal != nil {
		return w.fatal
	}
	outcome := "done"
	if err != nil {
		outcome = clientlib.Code(err)
	}
	w.say("  %s syncs: sent %d, received %d, given back %d, held %d: %s", t.name, result.Sent, result.Received, result.GivenBack, result.Held, outcome)
	if result.ClockCorrected != 0 {
		w.say("  the clock of %s is corrected by %v", t.name, result.ClockCorrected)
	}
	if w.journey.tabletDies == nil {
		if err := t.remember(); err != nil {
			return err
		}
	}
	if err == nil {
		if err := t.hearPromise(); err != nil {
			return err
		}
	}
	if result.Unreadable > 0 {
		w.wrong("%s could not read %d records", t.name, result.Unreadable)
	}
	if err != nil && !w.journey.garbled && !slices.Contains(linkCodes, outcome) {
		return w.broken("sync of %s: %v", t.name, err)
	}
	return nil
}

// hearPromise notes how far the server has said that it has the tablet's changes.
func (t *tablet) hearPromise() error {
	return t.each(`SELECT replica, acknowledged FROM tablet`, func(r *sql.Rows) error {
		var replica, acknowledged int64
		err := r.Scan(&replica, &acknowledged)
		t.w.host.promised[replica] = max(t.w.host.promised[replica], acknowledged)
		return err
	})
}

// killSyncing lets a tablet sync, and kills it meanwhile.
func (w *world) killSyncing(t *tablet, r *rand.Rand) error {
	d := &death{request: 1 + r.IntN(3), when: oneOf(r, beforeCommit, inCommit, afterCommit), at: r.Float64()}
	w.journey.tabletDies = d
	if err := w.sync(t); err != nil {
		return err
	}
	if d.when == inCommit && d.left == nil && d.was.db != nil {
		t.tear(d)
	}
	w.journey.tabletDies = nil
	if d.left == nil {
		return t.remember() // the sync ended before
	}
	w.met(TabletKilledSync)
	w.say("  the tablet of %s is killed in its sync, %s", t.name, d.when)
	return t.become(*d.left)
}

// kill kills a tablet between two steps, and opens it again.
func (t *tablet) kill() error {
	left, err := copyOf(t.path)
	if err != nil {
		return err
	}
	t.w.met(TabletKilled)
	t.w.say("  the tablet of %s is killed", t.name)
	return t.become(left)
}

// tornAct kills a tablet in the commit of what its worker logs.
func (w *world) tornAct(t *tablet, r *rand.Rand) error {
	before, err := copyOf(t.path)
	if err != nil {
		return err
	}
	at := r.Float64()
	ids := len(w.ids)
	if err := w.do(t, r); err != nil {
		return err
	}
	after, err := copyOf(t.path)
	if err != nil {
		return err
	}
	left, committed := after.torn(before, at)
	if !committed {
		return t.remember()
	}
	w.ids = w.ids[:ids] // nobody was told
	w.met(TabletTorn)
	w.say("  the tablet of %s is killed in a commit", t.name)
	return t.become(left)
}

// destroy ends a tablet for good, with all that it had not sent.
func (w *world) destroy(t *tablet) error {
	if t.role == recordv1.Role_ROLE_COORDINATOR || len(w.tablets) < 4 {
		return nil
	}
	w.met(TabletGone)
	w.say("  the tablet of %s falls into the river", t.name)
	w.tablets = slices.DeleteFunc(w.tablets, func(o *tablet) bool { return o == t })
	return t.close()
}

// jump sets a tablet's clock wrong, or right.
func (w *world) jump(t *tablet, r *rand.Rand) error {
	was := t.off
	switch r.IntN(5) {
	case 0:
		t.off = 0
	case 1:
		t.off = (r.Int64N(5*365) - 2*365) * 24 * time.Hour.Milliseconds()
	case 2:
		t.off += (r.Int64N(20*60) - 10*60) * time.Minute.Milliseconds()
	default:
		t.off += (r.Int64N(20) - 10) * time.Minute.Milliseconds()
	}
	if time.Duration(t.off)*time.Millisecond > 300*24*time.Hour || time.Duration(t.off)*time.Millisecond < -300*24*time.Hour {
		w.met(ClockYears)
	} else if t.off != was {
		w.met(ClockJump)
	}
	w.say("  the clock of %s goes to %s", t.name, t.wall().UTC().Format("2006-01-02 15:04:05"))
	return nil
}

// standing is how far a tablet has got: when it is the same again, nothing moves any more.
func (t *tablet) standing() (string, error) {
	var s string
	err := t.each(`SELECT replica || ' ' || sequence || ' ' || acknowledged || ' ' || cursor FROM tablet`, func(r *sql.Rows) error { return r.Scan(&s) })
	return s, err
}

// sorted are a map's keys in the order of their bytes.
func sorted[V any](m map[hlc.ID]V) []hlc.ID {
	return slices.SortedFunc(maps.Keys(m), func(a, b hlc.ID) int { return slices.Compare(a[:], b[:]) })
}
