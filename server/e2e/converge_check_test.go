package e2e

import (
	"bytes"
	"database/sql"
	"io"
	"maps"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/clientlib/inspect"
	"levee/server"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

func valueOf(id hlc.ID) protoreflect.Value { return protoreflect.ValueOfBytes(id[:]) }

func set(m record.Common, field protoreflect.Name, value []byte) {
	m.ProtoReflect().Set(m.ProtoReflect().Descriptor().Fields().ByName(field), protoreflect.ValueOfBytes(value))
}

// stored is a record as a database has it.
type stored struct {
	kind  record.Kind
	state []byte
}

func (s stored) registers(w *meadow) record.Registers {
	registers, err := record.DecodeState(s.state)
	if err != nil {
		w.t.Fatal(err)
	}
	return registers
}

// rows reads a database directly: what people are shown leaves out the stamps.
func rows(w *meadow, path, query string, scan func(*sql.Rows) error) {
	w.t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	found, err := db.QueryContext(w.ctx, query)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = found.Close() }()
	for found.Next() {
		if err := scan(found); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := found.Err(); err != nil {
		w.t.Fatal(err)
	}
}

func records(w *meadow, path, query string) map[hlc.ID]stored {
	all := map[hlc.ID]stored{}
	rows(w, path, query, func(r *sql.Rows) error {
		var id []byte
		var s stored
		err := r.Scan(&id, &s.kind, &s.state)
		all[hlc.ID(id)] = s
		return err
	})
	return all
}

// logged is an entry of the server's log.
type logged struct {
	position, replica, sequence int64
	change, record              hlc.ID
	outcome                     string
	body                        []byte
}

func logOf(w *meadow) []logged {
	var all []logged
	rows(w, w.db, `SELECT position, replica, sequence, change, record, outcome, body FROM log ORDER BY position`, func(r *sql.Rows) error {
		var l logged
		var change, rec []byte
		err := r.Scan(&l.position, &l.replica, &l.sequence, &change, &rec, &l.outcome, &l.body)
		l.change, l.record = hlc.ID(change), hlc.ID(rec)
		all = append(all, l)
		return err
	})
	return all
}

// posted is a worker with a tablet.
type posted struct {
	id, team hlc.ID
	role     recordv1.Role
}

func (w *meadow) posted(h *handheld, all map[hlc.ID]stored) posted {
	p := posted{id: hlc.ID(w.workers()[h.name]), role: h.role}
	worker := all[p.id].registers(w)
	copy(p.team[:], bytesOf(worker, recordv1.Kind_KIND_WORKER, "team"))
	return p
}

// bytesOf is a field of bytes by its name; nothing when the kind has none or it is not set.
func bytesOf(rs record.Registers, k record.Kind, field protoreflect.Name) []byte {
	list := listOf(rs, k, field)
	if len(list) == 0 {
		return nil
	}
	return list[0]
}

func listOf(rs record.Registers, k record.Kind, field protoreflect.Name) (list [][]byte) {
	f := record.New(k).ProtoReflect().Descriptor().Fields().ByName(field)
	if f == nil {
		return nil
	}
	for b := rs.Get(f.Number()).Value; len(b) > 0; {
		_, _, n := protowire.ConsumeTag(b)
		value, m := protowire.ConsumeBytes(b[n:])
		if n < 0 || m < 0 {
			return list
		}
		list, b = append(list, value), b[n+m:]
	}
	return list
}

// sight is what decides who sees a record.
type sight struct {
	kind         record.Kind
	owner, team  hlc.ID
	author       []byte
	assigned     [][]byte
	confidential bool
}

func sightOf(k record.Kind, rs record.Registers) sight {
	s := sight{kind: k, owner: rs.Owner(k), author: bytesOf(rs, k, "author"), confidential: record.Confidential(k)}
	if !record.SetUp(k) {
		copy(s.team[:], bytesOf(rs, k, "team"))
	}
	switch k {
	case kCase:
		s.assigned = append(listOf(rs, k, "lead"), listOf(rs, k, "workers")...)
	case kGroup:
		s.assigned = listOf(rs, k, "leader")
	case recordv1.Kind_KIND_CONFLICT:
		m := &recordv1.Conflict{}
		if err := proto.Unmarshal(rs.Fields(), m); err == nil {
			s.confidential = record.Confidential(m.GetTargetKind())
		}
	}
	return s
}

// sees tells by the rules of the protocol's page whether somebody may have a record.
func (p posted) sees(of map[hlc.ID]sight, id hlc.ID) bool {
	s := of[id]
	root := s
	for steps := 0; root.owner != (hlc.ID{}) && steps < 20; steps++ {
		owner, ok := of[root.owner]
		if !ok {
			break
		}
		root = owner
	}
	if p.role != recordv1.Role_ROLE_COORDINATOR && root.team != (hlc.ID{}) && root.team != p.team {
		return false
	}
	if !s.confidential || p.role == recordv1.Role_ROLE_COORDINATOR || p.role == recordv1.Role_ROLE_SUPERVISOR {
		return true
	}
	return bytes.Equal(s.author, p.id[:]) || slices.ContainsFunc(root.assigned, func(a []byte) bool { return bytes.Equal(a, p.id[:]) })
}

// check compares everything with everything, after the server and the tablets have closed.
func (w *meadow) check(outcomes map[string]int) {
	w.t.Helper()
	all := records(w, w.db, `SELECT id, kind, state FROM records`)
	log := logOf(w)
	people := map[*handheld]posted{}
	for _, h := range w.tablets {
		people[h] = w.posted(h, all)
	}
	w.checkLog(log, outcomes)
	ever := w.ever(log, people)
	now := map[hlc.ID]sight{}
	for id, s := range all {
		rs := s.registers(w)
		now[id] = sightOf(s.kind, rs)
		if s.kind == recordv1.Kind_KIND_CONFLICT {
			outcomes["conflicts"]++
		}
		if rs.Deleted() {
			outcomes["deleted"]++
		}
	}
	for _, h := range w.tablets {
		w.checkTablet(h, people[h], all, now, ever[h], log)
	}
	w.stop()
	w.checkTotals(all)
}

// checkLog: no change was applied twice.
func (w *meadow) checkLog(log []logged, outcomes map[string]int) {
	applied := map[hlc.ID]int64{}
	for _, l := range log {
		outcomes[l.outcome]++
		if l.outcome != "" {
			continue
		}
		if at, ok := applied[l.change]; ok {
			w.t.Errorf("change %s was applied at %d and at %d", l.change, at, l.position)
		}
		applied[l.change] = l.position
	}
}

// ever is what each tablet might have been sent at some position of the log.
func (w *meadow) ever(log []logged, people map[*handheld]posted) map[*handheld]map[hlc.ID]bool {
	ever := map[*handheld]map[hlc.ID]bool{}
	for h := range people {
		ever[h] = map[hlc.ID]bool{}
	}
	states, sights := map[hlc.ID]record.Registers{}, map[hlc.ID]sight{}
	for _, l := range log {
		if l.outcome != "" {
			continue
		}
		c, err := record.DecodeChange(l.body, hlc.Replica(l.replica))
		if err != nil {
			w.t.Fatal(err)
		}
		states[c.Record] = record.Merge(states[c.Record], c.Registers())
		sights[c.Record] = sightOf(c.Kind, states[c.Record])
		for h, p := range people {
			for id := range sights {
				if !ever[h][id] && p.sees(sights, id) {
					ever[h][id] = true
				}
			}
		}
	}
	return ever
}

func (w *meadow) checkTablet(h *handheld, p posted, all map[hlc.ID]stored, now map[hlc.ID]sight, ever map[hlc.ID]bool, log []logged) {
	inside, err := inspect.Read(w.ctx, h.path, tabletKey)
	if err != nil {
		w.t.Fatal(err)
	}
	shown := map[hlc.ID]stored{}
	for _, r := range inside.Records {
		shown[r.ID] = stored{r.Kind, r.View}
	}
	var counted []tally.Record
	for _, id := range slices.SortedFunc(maps.Keys(all), func(a, b hlc.ID) int { return slices.Compare(a[:], b[:]) }) {
		s := all[id]
		if !p.sees(now, id) {
			continue
		}
		counted = append(counted, tally.Record{ID: id, Kind: s.kind, Registers: s.registers(w)})
		has, ok := shown[id]
		switch {
		case !ok:
			w.t.Errorf("%s lacks %v %s", h.name, s.kind, id)
		case has.kind != s.kind || !bytes.Equal(has.state, s.state):
			w.t.Errorf("%s shows %v %s as\n%v, the server has\n%v", h.name, s.kind, id, has.registers(w), s.registers(w))
		}
	}
	own := map[hlc.ID]bool{}
	if unsent := inside.Sequence - inside.Acknowledged; unsent != 0 {
		w.t.Errorf("%s has %d changes unsent", h.name, unsent)
	}
	entries := map[int64]logged{}
	for _, l := range log {
		if l.replica == int64(inside.Replica) {
			entries[l.sequence] = l
		}
	}
	for _, c := range inside.Changes {
		if c.ID == c.Record {
			own[c.Record] = true
		}
		l, ok := entries[int64(c.Sequence)]
		outcome := c.Held
		if c.Known {
			outcome = "known"
		}
		if !ok || !bytes.Equal(l.body, c.Body) || l.change != c.ID || l.outcome != outcome {
			w.t.Errorf("%s has change %d as %v, %q; the log has %v, %q", h.name, c.Sequence, c.ID, outcome, l.change, l.outcome)
		}
	}
	if len(inside.Changes) != len(entries) {
		w.t.Errorf("%s made %d changes, the log has %d", h.name, len(inside.Changes), len(entries))
	}
	for id, s := range shown {
		if p.sees(now, id) && all[id].state != nil {
			continue
		}
		// A record that went to another team, or whose case somebody left, stays as it was.
		if !ever[id] && !own[id] {
			w.t.Errorf("%s has %v %s, which it never might see", h.name, s.kind, id)
		}
		if all[id].state == nil {
			w.t.Errorf("%s shows %v %s, which the server does not have", h.name, s.kind, id)
		}
		counted = append(counted, tally.Record{ID: id, Kind: s.kind, Registers: s.registers(w)})
	}
	totals, err := h.stores[0].Totals(w.ctx, 2021_12_31)
	if err != nil {
		w.t.Fatal(err)
	}
	want := tally.Of(slices.Values(counted), 2021_12_31)
	if !maps.Equal(totals.Cells, want.Cells) || !maps.Equal(totals.Tokens, want.Tokens) {
		w.t.Errorf("%s counts %v, want %v", h.name, totals.Cells, want.Cells)
	}
}

// checkTotals: the totals that the server moved by differences are those of its records, and the records those of its log.
func (w *meadow) checkTotals(all map[hlc.ID]stored) {
	var counted []tally.Record
	for id, s := range all {
		counted = append(counted, tally.Record{ID: id, Kind: s.kind, Registers: s.registers(w)})
	}
	totals := tally.Of(slices.Values(counted), 0)
	type key struct{ basis, figure, dimension, key string }
	have, want := map[key]int64{}, map[key]int64{}
	rows(w, w.db, `SELECT basis, figure, dimension, key, value FROM totals WHERE value <> 0`, func(r *sql.Rows) error {
		var k key
		var n int64
		err := r.Scan(&k.basis, &k.figure, &k.dimension, &k.key, &n)
		have[k] = n
		return err
	})
	for _, basis := range []tally.Basis{tally.Reported, tally.Verified} {
		for _, figure := range tally.Figures() {
			for _, dimension := range tally.Dimensions() {
				for k, n := range totals.By(basis, figure, dimension) {
					if n != 0 {
						want[key{basis.String(), figure.String(), dimension.String(), k}] = n
					}
				}
			}
		}
	}
	if !maps.Equal(have, want) {
		w.t.Errorf("the server's totals are %v, want %v", have, want)
	}
	if equal, err := server.Recount(w.ctx, w.db, io.Discard, true); err != nil || !equal {
		w.t.Errorf("the recount is not equal (%v)", err)
	}
}
