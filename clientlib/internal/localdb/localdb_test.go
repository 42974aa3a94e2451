package localdb

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

var start = time.Date(2021, 9, 23, 1, 0, 0, 0, time.UTC)

var testKey = HostKey([32]byte{1})

// newDB is a file in which a tablet is enrolled.
func newDB(t testing.TB) *DB {
	t.Helper()
	db, err := Open(t.Context(), filepath.Join(t.TempDir(), "tablet.db"), Options{Key: testKey})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	tablet := &Tablet{
		Deployment: hlc.ID{1}, Device: hlc.ID{2}, Worker: hlc.ID{3}, ServerURL: "http://levee.test", ServerKey: key.Public().(ed25519.PublicKey),
		Key: key, Nonce: 1 << 63, Replica: hlc.ReplicaOf(key.Public().(ed25519.PublicKey), 1<<63), LastContact: start,
	}
	tablet.Chain = batch.Start(tablet.Deployment, tablet.Replica)
	tablet.AcknowledgedChain = tablet.Chain
	if err := db.Write(t.Context(), func(tx *Tx) error { return tx.SetTablet(tablet) }); err != nil {
		t.Fatal(err)
	}
	return db
}

// machine does to a file what a tablet and its server do, and knows what base must be.
type machine struct {
	db      *DB
	now     time.Time
	entropy *rand.ChaCha8
	records []hlc.ID
	base    map[hlc.ID]record.Registers
	others  hlc.Time // of the newest change that another replica made
	head    uint64
	// verdicts are what the server made of changes: "" applied, "known", or why it holds them.
	verdicts map[hlc.ID]string
	accepted uint64
}

func (m *machine) write(t *rapid.T, f func(*Tx, *Tablet) error) {
	err := m.db.Write(context.Background(), func(tx *Tx) error {
		tablet, err := tx.Tablet()
		if err != nil {
			return err
		}
		return f(tx, tablet)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (m *machine) clock() time.Time { return m.now }

// logs keeps a new change: the making of a record, or an edit of one that is shown.
func (m *machine) logs(t *rapid.T, tx *Tx, tablet *Tablet, makes bool, fields *recordv1.Outreach) {
	stamp := hlc.Stamp{Time: tablet.Clock(m.clock).Now(), Replica: tablet.Replica}
	id, err := hlc.NewID(stamp.Time, m.entropy)
	if err != nil {
		t.Fatal(err)
	}
	of, seen := id, record.Registers(nil)
	if makes {
		m.records = append(m.records, id)
	} else {
		of = rapid.SampledFrom(m.records).Draw(t, "record")
		r, ok, err := tx.Record(of)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return
		}
		seen = r.View
	}
	var cleared []protowire.Number
	if !makes && rapid.Bool().Draw(t, "empty") {
		fields.Follow = nil
		cleared = append(cleared, 19) // follow
	}
	encoded, err := proto.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	canonical, err := record.Canonical(recordv1.Kind_KIND_OUTREACH, encoded)
	if err != nil {
		t.Fatal(err)
	}
	c, err := record.Edit(id, of, recordv1.Kind_KIND_OUTREACH, stamp, seen, canonical, cleared)
	if err != nil {
		t.Fatal(err)
	}
	if c == nil {
		return
	}
	if err := tx.Append(tablet, c); err != nil {
		t.Fatal(err)
	}
}

func drawFields(t *rapid.T) *recordv1.Outreach {
	f := &recordv1.Outreach{}
	if rapid.Bool().Draw(t, "households") {
		f.Households = proto.Uint32(rapid.Uint32Range(0, 3).Draw(t, "n"))
	}
	if rapid.Bool().Draw(t, "needs") {
		f.Needs = proto.String(rapid.StringOfN(rapid.RuneFrom([]rune("ab")), 0, 2, -1).Draw(t, "text"))
	}
	if rapid.Bool().Draw(t, "day") {
		f.OccurredOn = proto.Int32(rapid.SampledFrom([]int32{20210923, 20210924}).Draw(t, "date"))
	}
	if rapid.Bool().Draw(t, "follow") {
		f.Follow = recordv1.OutreachFollow_OUTREACH_FOLLOW_CASE.Enum()
	}
	if rapid.Bool().Draw(t, "delete or restore") {
		f.Deleted = proto.Bool(rapid.Bool().Draw(t, "deleted"))
	}
	return f
}

// Whatever is logged, acknowledged, held, lost, pulled and re-stamped, in whatever order: base is what the server said and took, the view
// is base with what it has not judged, and the own changes are one chain of rising stamps.
func TestViewIsBaseAndOutbox(t *testing.T) {
	if raced {
		t.Skip("one goroutine, and too much SQLite for the race detector")
	}
	rapid.Check(t, func(rt *rapid.T) {
		m := &machine{db: newDB(t), now: start, entropy: rand.NewChaCha8([32]byte{}), base: map[hlc.ID]record.Registers{}, verdicts: map[hlc.ID]string{}}
		rt.Repeat(map[string]func(*rapid.T){
			"log": func(t *rapid.T) {
				m.write(t, func(tx *Tx, tablet *Tablet) error { m.logs(t, tx, tablet, true, drawFields(t)); return nil })
			},
			"edit": func(t *rapid.T) {
				if len(m.records) > 0 {
					m.write(t, func(tx *Tx, tablet *Tablet) error { m.logs(t, tx, tablet, false, drawFields(t)); return nil })
				}
			},
			"acknowledge":  m.acknowledge,
			"pull":         m.pull,
			"without body": m.pullWithoutBody,
			"restamp":      m.restamp,
			"send":         m.send,
			"time": func(t *rapid.T) {
				m.now = m.now.Add(time.Duration(rapid.IntRange(-100, 200).Draw(t, "hours")) * time.Hour)
			},
			"": m.check,
		})
		if err := m.db.Close(); err != nil {
			rt.Fatal(err)
		}
	})
}

// send begins a request of which nobody hears again.
func (m *machine) send(t *rapid.T) {
	m.write(t, func(tx *Tx, tablet *Tablet) error {
		tablet.Possible = max(tablet.Possible, rapid.Uint64Range(tablet.Acknowledged, tablet.Sequence).Draw(t, "sent"))
		return tx.Save(tablet)
	})
}

// acknowledge lets a server have the changes up to some, hold some of them, and know some from elsewhere. Its answer
// may be late, or to another process, and the server may have lost some that it had.
func (m *machine) acknowledge(t *rapid.T) {
	m.write(t, func(tx *Tx, tablet *Tablet) error {
		m.head++
		a := Acknowledgement{Have: rapid.Uint64Range(0, tablet.Sequence).Draw(t, "have"), After: tablet.Acknowledged, Held: map[uint64]string{}, Known: map[uint64]bool{}}
		if rapid.IntRange(0, 3).Draw(t, "late") == 0 {
			a.After = rapid.Uint64Range(0, tablet.Sequence).Draw(t, "after")
		}
		a.Durable = rapid.Uint64Range(0, a.Have+3).Draw(t, "durable")
		chain, err := tx.chainAt(tablet, a.Have)
		if err != nil {
			return err
		}
		a.Chain = chain[:batch.ShortChain]
		changes, err := tx.changes(tablet, `sequence <= $1`, a.Have)
		if err != nil {
			return err
		}
		for _, o := range changes {
			m.judge(t, o)
			if v := m.verdicts[o.change.ID]; o.sequence > a.After && v != "" && v != "known" {
				a.Held[o.sequence] = v
			} else if o.sequence > a.After && v == "known" {
				a.Known[o.sequence] = true
			}
		}
		before := *tablet
		if err := tx.Acknowledge(tablet, a); err != nil {
			return err
		}
		m.accepted = max(m.accepted, tablet.Acknowledged)
		want := before.Acknowledged
		switch {
		case a.Have < a.After:
			want = min(want, a.Have)
		case a.After <= before.Acknowledged:
			want = max(want, a.Have)
		}
		if tablet.Acknowledged != want {
			t.Fatalf("%d changes are acknowledged, and not %d: had %d, asked after %d, answered %d", tablet.Acknowledged, want, before.Acknowledged, a.After, a.Have)
		}
		for _, o := range changes {
			if o.sequence <= before.Acknowledged || o.sequence > tablet.Acknowledged {
				continue
			}
			switch of := o.change.Record; m.verdicts[o.change.ID] {
			case "":
				m.base[of] = record.Merge(m.base[of], o.change.Registers())
			case "known": // the server's version, of which the tablet's has other stamps, comes with the page
				theirs := *o.change
				theirs.Stamp = hlc.Stamp{Time: max(1, theirs.Stamp.Time-5), Replica: 9}
				m.base[of] = record.Merge(m.base[of], theirs.Registers())
				state := record.EncodeState(m.base[of])
				if _, err := tx.Pull(tablet, []Pulled{{of, o.change.Kind, m.head, state, proofOf(state)}}, true); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// judge decides once what becomes of a change.
func (m *machine) judge(t *rapid.T, o own) {
	if _, judged := m.verdicts[o.change.ID]; judged {
		return
	}
	verdict := rapid.SampledFrom([]string{"", "", "", "not_allowed", "known"}).Draw(t, "verdict")
	if made := m.verdicts[o.change.Record]; !o.change.Makes() && made != "" && made != "known" {
		verdict = "record_held"
	}
	m.verdicts[o.change.ID] = verdict
}

// known are the records that the server has something of.
func (m *machine) known() []hlc.ID {
	ids := slices.SortedFunc(maps.Keys(m.base), func(a, b hlc.ID) int { return bytes.Compare(a[:], b[:]) })
	return slices.DeleteFunc(ids, func(id hlc.ID) bool { return len(m.base[id]) == 0 })
}

// pull brings what another replica did to a record that the server has, or a record of its own.
func (m *machine) pull(t *rapid.T) {
	m.write(t, func(tx *Tx, tablet *Tablet) error {
		m.head++
		of := hlc.ID(binaryID(m.head))
		if known := m.known(); len(known) > 0 && rapid.Bool().Draw(t, "known record") {
			of = rapid.SampledFrom(known).Draw(t, "record")
		} else {
			m.records = append(m.records, of)
		}
		m.others = max(m.others+1, hlc.TimeOf(m.now))
		encoded, err := proto.Marshal(drawFields(t))
		if err != nil {
			return err
		}
		c, err := record.Edit(of, of, recordv1.Kind_KIND_OUTREACH, hlc.Stamp{Time: m.others, Replica: 7}, m.base[of], encoded, nil)
		if err != nil {
			return err
		}
		if len(m.base[of]) == 0 && len(c.Fields) == 0 {
			return nil // the server has nothing to send
		}
		m.base[of] = record.Merge(m.base[of], c.Registers())
		state := record.EncodeState(m.base[of])
		if len(c.Registers()) > 0 && rapid.IntRange(0, 5).Draw(t, "lost") == 0 {
			state = record.EncodeState(c.Registers()) // the server lost all that it knew of the record before
		}
		unreadable, err := tx.Pull(tablet, []Pulled{{of, recordv1.Kind_KIND_OUTREACH, m.head, state, proofOf(state)}}, true)
		if unreadable != 0 {
			t.Errorf("%d records could not be read", unreadable)
		}
		if err != nil {
			return err
		}
		r, err := tx.load(of, 0)
		if err != nil {
			return err
		}
		if whole := record.EncodeState(m.base[of]); bytes.Equal(state, whole) && !bytes.Equal(r.proof, proofOf(state)) || r.position != m.head {
			t.Errorf("the record is at %d with proof %x", r.position, r.proof)
		}
		return nil
	})
}

// pullWithoutBody brings the position and proof of a record that the tablet has as the server has it.
func (m *machine) pullWithoutBody(t *rapid.T) {
	known := m.known()
	if len(known) == 0 {
		return
	}
	m.write(t, func(tx *Tx, tablet *Tablet) error {
		of := rapid.SampledFrom(known).Draw(t, "record")
		m.head++
		proof := proofOf(record.EncodeState(m.base[of]))
		if _, err := tx.Pull(tablet, []Pulled{{of, recordv1.Kind_KIND_OUTREACH, m.head, nil, proof}}, true); err != nil {
			return err
		}
		r, err := tx.load(of, 0)
		if err == nil && (!bytes.Equal(r.proof, proof) || r.position != m.head) {
			t.Errorf("the record is at %d with proof %x", r.position, r.proof)
		}
		return err
	})
}

func proofOf(state []byte) []byte {
	h := sha256.Sum256(state)
	return h[:8]
}

func binaryID(n uint64) []byte {
	return append(make([]byte, 8), binary.BigEndian.AppendUint64(nil, n)...)
}

func (m *machine) restamp(t *rapid.T) {
	shift := time.Duration(rapid.IntRange(-300, 300).Draw(t, "hours")) * time.Hour
	m.write(t, func(tx *Tx, tablet *Tablet) error {
		before, err := tx.changes(tablet, `1`)
		if err != nil {
			return err
		}
		sawAll, err := m.deletesThatSawAll(tx, tablet)
		if err != nil {
			return err
		}
		m.now = m.now.Add(shift)
		now, future := hlc.TimeOf(m.now), hlc.TimeOf(m.now.Add(5*time.Minute))
		settled := max(tablet.Acknowledged, tablet.Accepted)
		first := slices.IndexFunc(before, func(o own) bool {
			return o.sequence > settled && (o.sequence > tablet.Possible || o.change.Stamp.Time > future)
		})
		if first < 0 {
			first = len(before)
		}
		moved, err := tx.Restamp(tablet, shift, now, future)
		if err != nil {
			return err
		}
		if moved != len(before)-first {
			t.Errorf("%d of %d changes moved, want those from the %dth", moved, len(before), first+1)
		}
		if tablet.Possible > settled+uint64(first) {
			t.Errorf("a server may have %d changes, and from the %dth on none can", tablet.Possible, first+1)
		}
		after, err := tx.changes(tablet, `1`)
		if err != nil {
			return err
		}
		for i := range before[:first] {
			if !bytes.Equal(before[i].body, after[i].body) {
				t.Errorf("change %d was moved though a server may have it", i+1)
			}
		}
		for i := range after {
			if before[i].change.ID != after[i].change.ID || !bytes.Equal(before[i].change.Fields, after[i].change.Fields) {
				t.Errorf("change %d became another", i+1)
			}
		}
		still, err := m.deletesThatSawAll(tx, tablet)
		if err != nil {
			return err
		}
		for id := range sawAll {
			if !still[id] {
				t.Errorf("delete %s no longer says what it had seen", id)
			}
		}
		return nil
	})
}

// deletesThatSawAll are the unsent deletes whose author had seen the record as it is here without it.
func (m *machine) deletesThatSawAll(tx *Tx, tablet *Tablet) (map[hlc.ID]bool, error) {
	saw := map[hlc.ID]bool{}
	outbox, err := tx.changes(tablet, `sequence > $1`+unjudged, tablet.Acknowledged)
	for i, o := range outbox {
		v := m.base[o.change.Record]
		for _, before := range outbox[:i] {
			if before.change.Record == o.change.Record {
				v = record.Merge(v, before.change.Registers())
			}
		}
		if len(o.change.Seen) > 0 && !o.change.Makes() && bytes.Equal(v.Digest(), o.change.Seen) {
			saw[o.change.ID] = true
		}
	}
	return saw, err
}

// check is what must hold after every step.
func (m *machine) check(t *rapid.T) {
	err := m.db.Read(context.Background(), func(tx *Tx) error {
		tablet, err := tx.Tablet()
		if err != nil {
			return err
		}
		changes, err := tx.changes(tablet, `1`)
		if err != nil {
			return err
		}
		m.checkChain(t, tablet, changes)
		rows := 0
		for _, id := range m.records {
			r, err := tx.load(id, recordv1.Kind_KIND_OUTREACH)
			if err != nil {
				return err
			}
			want, shown := m.base[id], len(m.base[id]) > 0
			for _, o := range changes {
				if o.change.Record == id && o.sequence > tablet.Acknowledged && o.held == "" && !o.known {
					shown = shown || o.change.Makes()
					want = record.Merge(want, o.change.Registers())
				}
			}
			if !shown {
				want = nil
			}
			// A record that was made without any field has nothing to show but that it is there.
			if len(want) > 0 {
				rows++
			}
			if !bytes.Equal(record.EncodeState(r.base), record.EncodeState(m.base[id])) || !bytes.Equal(record.EncodeState(r.view), record.EncodeState(want)) {
				t.Fatalf("record %s has\nbase %v, want %v,\nview %v, want %v", id, r.base, m.base[id], r.view, want)
			}
			if r.proof != nil && !bytes.Equal(r.proof, proofOf(record.EncodeState(r.proven()))) {
				t.Fatalf("the proof of %s is not over what it proves", id)
			}
			if err := m.checkColumns(t, tx, r); err != nil {
				return err
			}
		}
		var stored int
		if err := tx.sql.QueryRowContext(tx.ctx, `SELECT count(*) FROM records`).Scan(&stored); err != nil {
			return err
		}
		if stored != rows {
			t.Fatalf("%d records are stored, and %d have something to show", stored, rows)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (m *machine) checkColumns(t *rapid.T, tx *Tx, r *held) error {
	if r.isNew {
		return nil
	}
	var day int64
	var deleted, waits bool
	var changed hlc.Time
	err := tx.sql.QueryRowContext(tx.ctx, `SELECT day, deleted, waits, changed FROM records WHERE id = $1`, r.id[:]).Scan(&day, &deleted, &waits, &changed)
	shown := &recordv1.Outreach{}
	if err := proto.Unmarshal(r.view.Fields(), shown); err != nil {
		return err
	}
	draft := len(record.Missing(recordv1.Kind_KIND_OUTREACH, shown)) > 0
	if day != int64(shown.GetOccurredOn()) || deleted != shown.GetDeleted() || waits != (draft && !deleted) || changed != r.view.Newest() {
		t.Fatalf("the columns say day %d, deleted %v, waits %v of %v", day, deleted, waits, shown)
	}
	return err
}

func (m *machine) checkChain(t *rapid.T, tablet *Tablet, changes []own) {
	chain := batch.Start(tablet.Deployment, tablet.Replica)
	stamps := map[hlc.Stamp]bool{}
	var last hlc.Time
	for i, o := range changes {
		c := o.change
		if o.sequence != uint64(i)+1 {
			t.Fatalf("change %d stands at %d", o.sequence, i+1)
		}
		if o.sequence == tablet.Acknowledged+1 && chain != tablet.AcknowledgedChain {
			t.Fatalf("the chain at what is acknowledged is not that of the changes")
		}
		chain = batch.Next(chain, batch.HashOf(o.body))
		if c.Stamp.Time <= last {
			t.Fatalf("change %d is not stamped after the one before", o.sequence)
		}
		last = c.Stamp.Time
		for f, p := range c.Parents {
			if p.Compare(c.Stamp) >= 0 || (p.Replica == tablet.Replica && !stamps[p]) {
				t.Fatalf("change %d overwrites field %d as of %v, which it can't have seen", o.sequence, f, p)
			}
		}
		if p := c.DeletionSeen; p.Replica == tablet.Replica && !stamps[p] {
			t.Fatalf("change %d has seen a deletion of %v, which it can't have seen", o.sequence, p)
		}
		stamps[c.Stamp] = true
	}
	if tablet.Durable > tablet.Acknowledged || tablet.Acknowledged > tablet.Accepted || tablet.Accepted != m.accepted {
		t.Fatalf("%d durable, %d acknowledged, %d accepted, want %d", tablet.Durable, tablet.Acknowledged, tablet.Accepted, m.accepted)
	}
	if chain != tablet.Chain || uint64(len(changes)) != tablet.Sequence || tablet.Time < last {
		t.Fatalf("the tablet is at change %d, %v; its changes end at %d, %v", tablet.Sequence, tablet.Time, len(changes), last)
	}
}

func TestForks(t *testing.T) {
	m := &machine{db: newDB(t), now: start, entropy: rand.NewChaCha8([32]byte{}), base: map[hlc.ID]record.Registers{}, verdicts: map[hlc.ID]string{}}
	rapid.Check(t, func(rt *rapid.T) {
		m.write(rt, func(tx *Tx, tablet *Tablet) error {
			m.logs(rt, tx, tablet, true, &recordv1.Outreach{Needs: proto.String("水")})
			for name, a := range map[string]Acknowledgement{
				"more than there are": {Have: tablet.Sequence + 1, Chain: tablet.Chain[:batch.ShortChain]},
				"another chain":       {Have: tablet.Sequence, Chain: make([]byte, batch.ShortChain)},
				"an older chain":      {Have: tablet.Sequence - 1, Chain: tablet.Chain[:batch.ShortChain]},
				"no chain":            {Have: tablet.Sequence},
			} {
				before := *tablet
				if err := tx.Acknowledge(tablet, a); !errors.Is(err, ErrForked) || tablet.Acknowledged != before.Acknowledged {
					rt.Errorf("%s: %v", name, err)
				}
			}
			return nil
		})
	})
}

func TestMarksAreThinnedWithAge(t *testing.T) {
	db := newDB(t)
	rng := rand.New(rand.NewPCG(1, 1))
	position := uint64(0)
	for range 2000 {
		position += 1 + rng.Uint64N(50)
		err := db.Write(t.Context(), func(tx *Tx) error {
			return errors.Join(tx.SeeMark(Mark{position, []byte(fmt.Sprint(position))}), tx.SeeMark(Mark{}))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var marks []Mark
	if err := db.Read(t.Context(), func(tx *Tx) (err error) { marks, err = tx.Marks(); return err }); err != nil {
		t.Fatal(err)
	}
	if len(marks) < recentMarks+5 || len(marks) > recentMarks+30 {
		t.Errorf("%d marks are kept", len(marks))
	}
	for i, m := range marks {
		if string(m.Chain) != fmt.Sprint(m.Position) || (i == 0 && m.Position != position) {
			t.Errorf("mark %d is %d with chain %s", i, m.Position, m.Chain)
		}
		// Going back to any place in history, a mark lies within twice the distance.
		if i > 0 && i+1 < len(marks) && (position-marks[i+1].Position) > 4*(position-m.Position)+2000 {
			t.Errorf("between %d and %d there is no mark", m.Position, marks[i+1].Position)
		}
	}
}

// What a commit promises rests on these, and that what was deleted or sorted lies nowhere.
func TestCommitsAreDurable(t *testing.T) {
	db := newDB(t)
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "secure_delete": "1", "temp_store": "2"} { // 2: FULL, and memory
		var got string
		if err := db.write.QueryRowContext(t.Context(), `PRAGMA `+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s, want %s; %v", pragma, got, want, err)
		}
	}
	err := db.Read(t.Context(), func(tx *Tx) error { return tx.exec(`DELETE FROM tablet`) })
	if err == nil {
		t.Error("a read could write")
	}
}

// A full disk refuses what does not fit, whole, and lets everything else go on.
func TestFullDisk(t *testing.T) {
	db := newDB(t)
	pages := func(limit string) {
		t.Helper()
		if _, err := db.write.ExecContext(t.Context(), `PRAGMA max_page_count = `+limit); err != nil {
			t.Fatal(err)
		}
	}
	entropy := rand.NewChaCha8([32]byte{})
	logOne := func() error {
		return db.Write(t.Context(), func(tx *Tx) error {
			tablet, err := tx.Tablet()
			if err != nil {
				return err
			}
			stamp := hlc.Stamp{Time: tablet.Clock(func() time.Time { return start }).Now(), Replica: tablet.Replica}
			id, err := hlc.NewID(stamp.Time, entropy)
			if err != nil {
				return err
			}
			fields, err := proto.Marshal(&recordv1.Outreach{Needs: proto.String(string(bytes.Repeat([]byte("水"), 500)))})
			if err != nil {
				return err
			}
			c, err := record.Edit(id, id, recordv1.Kind_KIND_OUTREACH, stamp, nil, fields, nil)
			if err != nil {
				return err
			}
			return tx.Append(tablet, c)
		})
	}
	counts := func() (changes uint64, records int) {
		t.Helper()
		err := db.Read(t.Context(), func(tx *Tx) error {
			tablet, err := tx.Tablet()
			if err != nil {
				return err
			}
			counts, err := tx.Counts(tablet)
			changes, records = tablet.Sequence, counts.Records
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return changes, records
	}

	pages("60")
	kept := 0
	err := logOne()
	for ; err == nil; err = logOne() {
		kept++
	}
	if !errors.Is(err, ErrFull) || kept == 0 {
		t.Fatalf("after %d records: %v", kept, err)
	}
	if changes, records := counts(); changes != uint64(kept) || records != kept {
		t.Errorf("%d changes and %d records of %d are there", changes, records, kept)
	}
	pages("100000")
	if err := logOne(); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if changes, records := counts(); changes != uint64(kept)+1 || records != kept+1 {
		t.Errorf("%d changes and %d records are there", changes, records)
	}
}
