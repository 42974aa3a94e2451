package oracle

import (
	"math/rand/v2"
	"slices"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"pgregory.net/rapid"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// World is a deployment on its 40th day: a server, and tablets that log, edit, delete, restore and review records,
// each by what it has seen so far, and meet now and then. All that its drawn changes set is valid by record.Validate.
type World struct {
	Start   record.Date
	Sites   []Site
	Teams   []hlc.ID
	Workers []Worker
	// Replicas are the server's, which made the set-up records, and then the tablets'. Two tablets share one replica
	// number: one is a copy of the other.
	Replicas []*Replica
	// Changes are all that were made, in the order of their making, the set-up first.
	Changes []*record.Change

	tokens  [][]byte
	entropy *rand.ChaCha8
}

// Site is where teams work.
type Site struct {
	ID         hlc.ID
	Name, Code string
}

// Worker is who uses a tablet.
type Worker struct {
	ID, Team hlc.ID
}

// Replica is a store that makes changes, and what it has seen.
type Replica struct {
	Number hlc.Replica
	Worker Worker

	now  hlc.Time
	ids  []hlc.ID // in the order of being seen
	seen map[hlc.ID]*Record
}

// Seen are the records as the replica sees them, in the order of being seen first.
func (r *Replica) Seen() []Record {
	records := make([]Record, 0, len(r.ids))
	for _, id := range r.ids {
		records = append(records, *r.seen[id])
	}
	return records
}

func (r *Replica) see(id hlc.ID, k record.Kind, rs record.Registers) {
	if r.seen[id] == nil {
		r.ids = append(r.ids, id)
		r.seen[id] = &Record{ID: id, Kind: k}
	}
	r.seen[id].Registers = record.Merge(r.seen[id].Registers, rs)
}

const (
	start   record.Date = 2021_09_23
	today   record.Date = 2021_11_01
	lastDay record.Date = 2021_12_06
)

// Deployment is what record.Validate must know of the world, at the time of a change.
func (w *World) Deployment(c *record.Change) record.Deployment {
	d := record.Deployment{
		Start: w.Start, End: lastDay, Location: time.FixedZone("CST", 8*60*60),
		ServiceAreas: []recordv1.ServiceArea{16}, AgeBands: len(record.AgeBands(&recordv1.Deployment{})) + 1, Now: c.Stamp.Time.Wall(),
	}
	for _, s := range w.Sites {
		d.Places = append(d.Places, s.Code)
	}
	return d
}

// NewWorld draws a world in which only the set-up records are there, seen by all.
func NewWorld(t *rapid.T) *World {
	w := &World{Start: start, entropy: rand.NewChaCha8([32]byte{'l', 'e', 'v', 'e', 'e'})}
	w.Sites = []Site{{Name: "王庄镇", Code: "410621108"}, {Name: "小河镇", Code: "410621105"}, {Name: "上乐村镇", Code: "410781106"}}
	for range 8 {
		w.tokens = append(w.tokens, w.bytes(16))
	}
	server := &Replica{Number: 1 << 40, now: hlc.TimeOf(start.Start(time.UTC)), seen: map[hlc.ID]*Record{}}
	w.Replicas = []*Replica{server}
	w.setUp(server, &recordv1.Deployment{
		Name: proto.String("鹤壁、新乡灾后社会工作服务"), StartOn: proto.Int32(int32(start)), EndOn: proto.Int32(int32(lastDay)),
		TimeZone:     proto.String("Asia/Shanghai"),
		ServiceAreas: []*recordv1.ServiceAreaName{{Number: recordv1.ServiceArea(16).Enum(), LabelZh: proto.String("妇女儿童")}},
	})
	for i := range w.Sites {
		s := &w.Sites[i]
		s.ID = w.setUp(server, &recordv1.Site{Name: proto.String(s.Name),
			Place: &recordv1.Place{Code: proto.String(s.Code), Edition: proto.Int32(2023)}})
	}
	for _, name := range []string{"一队", "二队"} {
		team := w.setUp(server, &recordv1.Team{Name: proto.String(name)})
		w.Teams = append(w.Teams, team)
		for _, worker := range []string{"张敏", "李强"} {
			id := w.setUp(server, &recordv1.Worker{Name: proto.String(worker), Team: team[:], Role: recordv1.Role_ROLE_FIELD_WORKER.Enum()})
			w.Workers = append(w.Workers, Worker{ID: id, Team: team})
		}
	}
	server.Worker = w.Workers[0]
	server.now = hlc.TimeOf(today.Start(time.UTC))
	for i := range rapid.IntRange(1, 4).Draw(t, "tablets") {
		number := hlc.Replica(2 + i)
		if i == 3 {
			number = 2 // a copy of the first tablet
		}
		tablet := &Replica{Number: number, Worker: w.Workers[i], now: server.now, seen: map[hlc.ID]*Record{}}
		meet(server, tablet)
		w.Replicas = append(w.Replicas, tablet)
	}
	return w
}

func (w *World) bytes(n int) []byte {
	b := make([]byte, n)
	_, _ = w.entropy.Read(b) // never fails
	return b
}

func (w *World) id(at hlc.Time) hlc.ID {
	id, err := hlc.NewID(at, w.entropy)
	if err != nil {
		panic(err) // the entropy never fails
	}
	return id
}

func (w *World) setUp(server *Replica, m record.Common) hlc.ID {
	server.now++
	id := w.id(server.now)
	m.ProtoReflect().Set(m.ProtoReflect().Descriptor().Fields().ByName("occurred_on"), protoreflect.ValueOfInt32(int32(start)))
	w.make(server, id, id, record.KindOf(m), encode(m), nil)
	return id
}

func encode(m proto.Message) []byte {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		panic(err) // only invalid UTF-8 fails
	}
	canonical, err := record.Canonical(record.KindOf(m), b)
	if err != nil {
		panic(err) // what was just encoded is sound
	}
	return canonical
}

// make has r make a change; nil when it would change nothing.
func (w *World) make(r *Replica, id, rec hlc.ID, k record.Kind, fields []byte, cleared []protowire.Number) *record.Change {
	var seen record.Registers
	if known := r.seen[rec]; known != nil {
		seen = known.Registers
	}
	c, err := record.Edit(id, rec, k, hlc.Stamp{Time: r.now, Replica: r.Number}, seen, fields, cleared)
	if err != nil {
		panic(err) // fields are canonical
	}
	if c == nil {
		return nil
	}
	r.see(rec, k, c.Registers())
	w.Changes = append(w.Changes, c)
	return c
}

// meet lets two replicas see what the other has seen.
func meet(a, b *Replica) {
	for _, pair := range [][2]*Replica{{a, b}, {b, a}} {
		for _, id := range pair[0].ids {
			pair[1].see(id, pair[0].seen[id].Kind, pair[0].seen[id].Registers)
		}
	}
	a.now = max(a.now, b.now)
	b.now = a.now
}

// Records are all records as merged from all changes, in the order of their making.
func (w *World) Records() []Record {
	all := &Replica{seen: map[hlc.ID]*Record{}}
	for _, c := range w.Changes {
		all.see(c.Record, c.Kind, c.Registers())
	}
	return all.Seen()
}

// Step draws what happens next. It returns the change that was made, nil when none was: two replicas met, or somebody
// saved a form without changing it.
func (w *World) Step(t *rapid.T) *record.Change {
	r := oneOf(t, "replica", w.Replicas)
	// Clocks tie often: between replicas, and within what copies of one tablet make.
	r.now += hlc.Time(oneOf(t, "later", []uint64{1, 0, 1 << 16, 1 << 36}))
	d := &drawer{t: t, w: w, r: r}
	switch oneOf(t, "act", acts) {
	case "meet":
		if other := oneOf(t, "whom", w.Replicas); other != r {
			meet(r, other)
		}
		return nil
	case "edit":
		return d.edit()
	case "move":
		return d.move()
	case "delete":
		return d.setDeleted(true)
	case "restore":
		return d.setDeleted(false)
	case "review":
		return d.review()
	case "join":
		return d.join()
	case "split":
		return d.split()
	case "newer program":
		return d.newerProgram()
	default:
		return d.newRecord(d.kind())
	}
}

// acts are what replicas do, each as often as it stands here; rapid draws the first ones more often than the last.
var acts = []string{
	"log", "review", "log", "meet", "log", "review", "log", "join", "log", "review", "log", "edit", "log", "meet", "log", "move",
	"log", "review", "log", "join", "log", "delete", "log", "edit", "log", "split", "log", "newer program", "log", "meet", "restore",
}

// logged are the kinds that tablets log, each as often as it stands here.
var logged = func() []record.Kind {
	often := []record.Kind{
		recordv1.Kind_KIND_COMMUNITY_ACTIVITY, recordv1.Kind_KIND_HEADCOUNT, recordv1.Kind_KIND_ATTENDANCE,
		recordv1.Kind_KIND_CASE, recordv1.Kind_KIND_CASE_SESSION, recordv1.Kind_KIND_GROUP, recordv1.Kind_KIND_GROUP_SESSION,
		recordv1.Kind_KIND_OUTREACH,
	}
	kinds := slices.Concat(often, often, often, often)
	for _, k := range record.Kinds() {
		if !record.SetUp(k) {
			kinds = append(kinds, k)
		}
	}
	return kinds
}()

// kind draws a kind to log; one that belongs to another record only when there is such a record.
func (d *drawer) kind() record.Kind {
	k := oneOf(d.t, "kind", logged)
	for record.OwnerField(k) != 0 && len(d.owners(k)) == 0 {
		k = map[record.Kind]record.Kind{
			recordv1.Kind_KIND_HEADCOUNT: recordv1.Kind_KIND_COMMUNITY_ACTIVITY, recordv1.Kind_KIND_ATTENDANCE: recordv1.Kind_KIND_OUTREACH,
			recordv1.Kind_KIND_GROUP_NOTE: recordv1.Kind_KIND_GROUP_SESSION, recordv1.Kind_KIND_GROUP_SESSION: recordv1.Kind_KIND_GROUP,
			recordv1.Kind_KIND_CASE_NOTE: recordv1.Kind_KIND_CASE_SESSION, recordv1.Kind_KIND_REFERRAL_NOTE: recordv1.Kind_KIND_REFERRAL,
			recordv1.Kind_KIND_SUPERVISION_NOTE: recordv1.Kind_KIND_SUPERVISION,
		}[k]
		if k == 0 {
			k = recordv1.Kind_KIND_CASE
		}
	}
	return k
}

func (d *drawer) newRecord(k record.Kind) *record.Change {
	if len(d.owners(k)) == 0 && record.OwnerField(k) != 0 {
		return nil
	}
	id := d.w.id(d.r.now)
	return d.w.make(d.r, id, id, k, d.fields(k), nil)
}

// review judges a record: mostly one that gives figures, and before that its activity, since both must be approved.
func (d *drawer) review() *record.Change {
	target, ok := d.pick(func(r Record) bool { return figured[r.Kind] })
	if !ok || d.rarely("any kind", 8) {
		return d.newRecord(recordv1.Kind_KIND_REVIEW)
	}
	d.target = target
	seen := book(d.r.Seen())
	if owner, found := seen.owner(target); found && len(seen.reviews(owner)) == 0 {
		d.target = owner
	}
	id := d.w.id(d.r.now)
	return d.w.make(d.r, id, id, recordv1.Kind_KIND_REVIEW, encode(d.messageAbout(recordv1.Kind_KIND_REVIEW)), nil)
}

// edit sets some fields of a record anew, or empties one.
func (d *drawer) edit() *record.Change {
	rec, ok := d.pick(func(r Record) bool { return record.Known(r.Kind) && !record.SetUp(r.Kind) })
	if !ok {
		return nil
	}
	m := d.message(rec.Kind)
	var set []protoreflect.FieldDescriptor
	m.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		set = append(set, f)
		return true
	})
	slices.SortFunc(set, func(a, b protoreflect.FieldDescriptor) int { return int(a.Number() - b.Number()) })
	field := oneOf(d.t, "field", set)
	if d.rarely("empty", 4) {
		return d.change(rec, nil, field.Number())
	}
	for _, f := range set {
		if f != field && !d.rarely("set too", 8) {
			m.ProtoReflect().Clear(f)
		}
	}
	return d.change(rec, encode(m))
}

// move gives a record to another owner.
func (d *drawer) move() *record.Change {
	rec, ok := d.pick(func(r Record) bool { return record.OwnerField(r.Kind) != 0 && len(d.owners(r.Kind)) > 0 })
	if !ok {
		return nil
	}
	owner := oneOf(d.t, "owner", d.owners(rec.Kind))
	return d.change(rec, idField(record.OwnerField(rec.Kind), owner.ID))
}

func (d *drawer) setDeleted(deleted bool) *record.Change {
	rec, ok := d.pick(func(r Record) bool { return !record.SetUp(r.Kind) && r.Registers.Deleted() != deleted })
	if !ok {
		return nil
	}
	b := protowire.AppendTag(nil, record.DeletedField, protowire.VarintType)
	return d.change(rec, protowire.AppendVarint(b, protowire.EncodeBool(deleted)))
}

// join says of a record that it is a duplicate of another of its kind: now and then of itself, of one of another kind,
// or of one that nobody has.
func (d *drawer) join() *record.Change {
	rec, ok := d.pick(func(r Record) bool { return isFigured(r.Kind) })
	if !ok {
		return nil
	}
	other := d.w.id(d.r.now)
	if !d.rarely("astray", 12) {
		itself := d.rarely("itself", 12)
		like, _ := d.pick(func(r Record) bool { return r.Kind == rec.Kind && (r.ID == rec.ID) == itself })
		if like.Kind == 0 {
			like, _ = d.pick(func(Record) bool { return true })
		}
		other = like.ID
	}
	return d.change(rec, idField(duplicateOf, other))
}

const duplicateOf protowire.Number = 10

func isFigured(k record.Kind) bool { return figured[k] || k == recordv1.Kind_KIND_GROUP }

// split takes back that a record is a duplicate.
func (d *drawer) split() *record.Change {
	rec, ok := d.pick(func(r Record) bool { return len(r.Registers.Get(duplicateOf).Value) > 0 })
	if !ok {
		return nil
	}
	return d.change(rec, nil, duplicateOf)
}

// newerProgram sets a field, or makes a record of a kind, that this version does not know.
func (d *drawer) newerProgram() *record.Change {
	field := protowire.Number(rapid.IntRange(500, 503).Draw(d.t, "unknown field")) //nolint:gosec // a small number
	fields := protowire.AppendTag(nil, field, protowire.BytesType)
	fields = protowire.AppendBytes(fields, d.w.bytes(rapid.IntRange(0, 5).Draw(d.t, "size")))
	rec, ok := d.pick(func(r Record) bool { return !record.SetUp(r.Kind) })
	if !ok || rapid.Bool().Draw(d.t, "unknown kind") {
		id := d.w.id(d.r.now)
		return d.w.make(d.r, id, id, 77, fields, nil)
	}
	return d.change(rec, fields)
}

// pick draws one of the records that the replica sees.
func (d *drawer) pick(fit func(Record) bool) (Record, bool) {
	fitting := slices.DeleteFunc(d.r.Seen(), func(r Record) bool { return !fit(r) })
	if len(fitting) == 0 {
		return Record{}, false
	}
	return oneOf(d.t, "record", fitting), true
}

func (d *drawer) change(rec Record, fields []byte, cleared ...protowire.Number) *record.Change {
	return d.w.make(d.r, d.w.id(d.r.now), rec.ID, rec.Kind, fields, cleared)
}

func idField(field protowire.Number, id hlc.ID) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), id[:])
}

// oneOf draws by place, so that a failing test prints a number and not a whole replica.
func oneOf[T any](t *rapid.T, label string, from []T) T {
	return from[rapid.IntRange(0, len(from)-1).Draw(t, label)]
}
