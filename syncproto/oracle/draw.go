package oracle

import (
	"cmp"
	"slices"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
	"pgregory.net/rapid"

	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// drawer draws what one replica logs.
type drawer struct {
	t *rapid.T
	w *World
	r *Replica
	k record.Kind
	// target is what the record is about, if it is about one.
	target Record
}

// fields draws the fields of a whole record of a kind, in canonical form. Now and then one is a draft.
func (d *drawer) fields(k record.Kind) []byte { return encode(d.message(k)) }

func (d *drawer) message(k record.Kind) record.Common {
	if owners := d.owners(k); len(owners) > 0 {
		d.target = oneOf(d.t, "owner", owners)
	}
	return d.messageAbout(k)
}

// messageAbout draws a message that belongs to d.target.
func (d *drawer) messageAbout(k record.Kind) record.Common {
	d.k = k
	m := record.New(k)
	d.fill(m.ProtoReflect())
	return m
}

// owners are the records to which a new one of a kind may belong.
func (d *drawer) owners(k record.Kind) []Record {
	return slices.DeleteFunc(d.r.Seen(), func(r Record) bool { return !record.MayOwn(r.Kind, k) || record.SetUp(r.Kind) })
}

// fill draws fields one by one. What totals rest on is nearly always there; so are required fields.
func (d *drawer) fill(m protoreflect.Message) {
	required := record.Missing(d.k, record.New(d.k))
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		often := m.Descriptor().Name() != record.New(d.k).ProtoReflect().Descriptor().Name() || // a part of a value
			slices.Contains(required, f.Number()) || slices.Contains(counted[d.k], f.Name()) || f.Name() == "outcome"
		switch {
		case f.Name() == "duplicate_of", f.Name() == "deleted": // set by join, delete and restore
		case often && d.rarely("leave out", 40):
		case !often && !d.rarely("put in", 4):
		default:
			d.set(m, f)
		}
	}
}

func (d *drawer) set(m protoreflect.Message, f protoreflect.FieldDescriptor) {
	switch values := d.values(f); {
	case len(values) == 0:
	case f.IsList():
		list := m.Mutable(f).List()
		for _, v := range values {
			list.Append(v)
		}
	default:
		m.Set(f, values[0])
	}
}

// values draws what a field holds: one value, or those of a list. A field's name says what it means in all kinds.
func (d *drawer) values(f protoreflect.FieldDescriptor) []protoreflect.Value {
	one := func(v protoreflect.Value) []protoreflect.Value { return []protoreflect.Value{v} }
	if f.Number() == record.OwnerField(d.k) && f.Parent().Name() == record.New(d.k).ProtoReflect().Descriptor().Name() {
		return one(protoreflect.ValueOfBytes(d.target.ID[:]))
	}
	switch f.Name() {
	case "site":
		site := oneOf(d.t, "site", d.w.Sites)
		return one(protoreflect.ValueOfBytes(site.ID[:]))
	case "team":
		return one(protoreflect.ValueOfBytes(d.r.Worker.Team[:]))
	case "author":
		return one(protoreflect.ValueOfBytes(d.r.Worker.ID[:]))
	case "counter", "lead", "leader", "supervisor", "acknowledged_by":
		return one(d.worker())
	case "co_workers", "workers", "supervisees", "duty_list":
		return []protoreflect.Value{d.worker(), d.worker()}
	case "place":
		return one(protoreflect.ValueOfMessage(d.place().ProtoReflect()))
	case "participant", "consent", "change", "other":
		return one(protoreflect.ValueOfBytes(d.w.bytes(16)))
	case "present", "absent":
		return one(protoreflect.ValueOfBytes(d.w.bytes(16)))
	case "token":
		return one(d.token())
	case "linkage_key":
		return one(protoreflect.ValueOfBytes(d.w.bytes(record.LinkageKeyBytes)))
	case "client_tokens":
		return d.tokens()
	case "occurred_on":
		return one(protoreflect.ValueOfInt32(int32(d.day(start.DaysUntil(today)))))
	case "seen_at", "acknowledged_at":
		return one(protoreflect.ValueOfInt64(d.r.now.Millis()))
	case "cells":
		return d.cells()
	case "reviewed":
		return d.reviewed()
	case "sides":
		return d.sides()
	case "target_kind":
		return one(protoreflect.ValueOfEnum(d.target.Kind.Number()))
	case "service_area":
		return one(protoreflect.ValueOfEnum(oneOf(d.t, "service area", []protoreflect.EnumNumber{1, 2, 3, 4, 16, 0})))
	case "status":
		return one(protoreflect.ValueOfEnum(oneOf(d.t, "status", []protoreflect.EnumNumber{2, 2, 2, 2, 2, 2, 2, 1, 3, 0})))
	case "outcome":
		return one(protoreflect.ValueOfEnum(oneOf(d.t, "outcome", []protoreflect.EnumNumber{1, 1, 1, 2, 0})))
	}
	switch f.Kind() {
	case protoreflect.Int32Kind: // every other date
		return one(protoreflect.ValueOfInt32(int32(d.dateOf(f.Name()))))
	case protoreflect.StringKind:
		return one(protoreflect.ValueOfString(oneOf(d.t, string(f.Name()), texts[f.Name()])))
	case protoreflect.Uint32Kind:
		r := cmp.Or(ranges[f.Name()], [2]uint32{0, 12})
		return one(protoreflect.ValueOfUint32(rapid.Uint32Range(r[0], r[1]).Draw(d.t, string(f.Name()))))
	case protoreflect.BoolKind:
		return one(protoreflect.ValueOfBool(rapid.Bool().Draw(d.t, string(f.Name()))))
	case protoreflect.EnumKind:
		return one(protoreflect.ValueOfEnum(d.choice(f.Enum())))
	case protoreflect.MessageKind:
		m := newMessage(f)
		d.fill(m)
		return one(protoreflect.ValueOfMessage(m))
	default:
		panic("oracle: nothing to draw for " + string(f.FullName()))
	}
}

// rarely draws true once in so many times. rapid draws the first and the last of a range more often than the others.
func (d *drawer) rarely(label string, oneIn int) bool {
	return rapid.IntRange(0, oneIn-1).Draw(d.t, label) == oneIn/2
}

// newMessage is an empty value of a message field, or of one item of a list of messages.
func newMessage(f protoreflect.FieldDescriptor) protoreflect.Message {
	holder := record.New(kindsByName[f.Parent().Name()]).ProtoReflect()
	if f.IsList() {
		return holder.NewField(f).List().NewElement().Message()
	}
	return holder.NewField(f).Message()
}

var kindsByName = func() map[protoreflect.Name]record.Kind {
	kinds := map[protoreflect.Name]record.Kind{}
	for _, k := range record.Kinds() {
		kinds[record.New(k).ProtoReflect().Descriptor().Name()] = k
	}
	return kinds
}()

// choice draws a number of an enumeration, now and then one that only a newer program knows.
func (d *drawer) choice(e protoreflect.EnumDescriptor) protoreflect.EnumNumber {
	if d.rarely("newer", 20) {
		return 40
	}
	return e.Values().Get(rapid.IntRange(0, e.Values().Len()-1).Draw(d.t, string(e.Name()))).Number()
}

func (d *drawer) worker() protoreflect.Value {
	worker := oneOf(d.t, "worker", d.w.Workers)
	return protoreflect.ValueOfBytes(worker.ID[:])
}

// token draws one of few, so that the same people come again.
func (d *drawer) token() protoreflect.Value {
	return protoreflect.ValueOfBytes(oneOf(d.t, "token", d.w.tokens))
}

func (d *drawer) tokens() []protoreflect.Value {
	var values []protoreflect.Value
	for _, token := range rapid.SliceOfNDistinct(rapid.IntRange(0, len(d.w.tokens)-1), 0, 3, rapid.ID).Draw(d.t, "tokens") {
		values = append(values, protoreflect.ValueOfBytes(d.w.tokens[token]))
	}
	return values
}

// place draws a site's town, a village in it, or only its county.
func (d *drawer) place() *recordv1.Place {
	code := oneOf(d.t, "town", d.w.Sites).Code
	code = oneOf(d.t, "place", []string{code, code, code + "001", code + "002", code[:6]})
	edition := int32(2023)
	return &recordv1.Place{Code: &code, Edition: &edition}
}

// day draws a day of the deployment, of the first so many.
func (d *drawer) day(days int) record.Date {
	return start.AddDays(rapid.IntRange(0, days).Draw(d.t, "day"))
}

func (d *drawer) dateOf(field protoreflect.Name) record.Date {
	switch field {
	case "birth_date":
		return record.MakeDate(rapid.IntRange(1930, 2020).Draw(d.t, "year"), time.May, 4)
	case "next_on", "next_due_on", "followup_due_on":
		return today.AddDays(rapid.IntRange(1, 30).Draw(d.t, "due"))
	case "closed_on", "withdrawn_on", "delivered_on": // not before what they end
		return today
	default:
		return d.day(30)
	}
}

// cells draws some sexes and age bands, in order.
func (d *drawer) cells() []protoreflect.Value {
	var values []protoreflect.Value
	for _, i := range slices.Sorted(slices.Values(rapid.SliceOfNDistinct(rapid.IntRange(0, 3*7-1), 0, 4, rapid.ID).Draw(d.t, "cells"))) {
		heads := rapid.SliceOfN(rapid.Uint32Range(0, 20), 3, 3).Draw(d.t, "heads")
		band := uint32(i % 7) //nolint:gosec // a small number
		cell := &recordv1.HeadcountCell{
			Sex: recordv1.Sex(i / 7).Enum(), AgeBand: &band, FirstTime: &heads[0], Returning: &heads[1], Unsure: &heads[2], //nolint:gosec // a small number
		}
		values = append(values, protoreflect.ValueOfMessage(cell.ProtoReflect()))
	}
	return values
}

// reviewed lists the stamps of the target as the reviewer sees them; now and then one is forgotten.
func (d *drawer) reviewed() []protoreflect.Value {
	var values []protoreflect.Value
	forgotten := -1
	if d.rarely("forget one", 10) {
		forgotten = rapid.IntRange(0, 10).Draw(d.t, "forgotten")
	}
	for i, r := range d.target.Registers {
		if i == forgotten {
			continue
		}
		field, at, replica := uint32(r.Field), uint64(r.Stamp.Time), uint64(r.Stamp.Replica) //nolint:gosec // field numbers are positive
		values = append(values, protoreflect.ValueOfMessage((&recordv1.ReviewedField{Field: &field, Time: &at, Replica: &replica}).ProtoReflect()))
	}
	return values
}

func (d *drawer) sides() []protoreflect.Value {
	var values []protoreflect.Value
	for i := range uint64(2) {
		at, replica := uint64(d.r.now)+i, uint64(d.r.Number)
		side := &recordv1.ConflictSide{Value: protowire.AppendVarint(protowire.AppendTag(nil, 20, protowire.VarintType), i), Time: &at, Replica: &replica}
		values = append(values, protoreflect.ValueOfMessage(side.ProtoReflect()))
	}
	return values
}

// texts are what people write in a field.
var texts = map[protoreflect.Name][]string{
	"name":            {"中秋文艺晚会", "灾后心理讲座", "亲子手工坊", "平安小组"},
	"case_no":         {"HN-2021-001", "HN-2021-002", "HN-2021-017"},
	"phone":           {"13800000000"},
	"email":           {"wang.fang@example.org"},
	"figure":          {"case_sessions", "contacts"},
	"address":         {"王庄镇某村"},
	"id_number":       {"000000000000000000"},
	"dialect":         {"中原官话"},
	"relation":        {"母亲", "祖父"},
	"village":         {"王庄村", "小河村一组"},
	"zone":            {"北侧", "入口", "大棚内"},
	"theme":           {"认识彼此", "说说那一夜", "告别与展望"},
	"audience":        {"村民", "儿童与家长"},
	"partners":        {"村委会", "县妇联"},
	"summary":         {"秩序良好。", "下雨，提前结束。"},
	"evaluation":      {"组员愿意说话了。"},
	"target":          {"丧亲家庭", "独居老人"},
	"goals":           {"减轻焦虑"},
	"process":         {"谈到房屋。"},
	"assessment":      {"情绪较稳定。"},
	"response":        {"愿意再来。"},
	"plan":            {"一周后入户。"},
	"reflection":      {"多听。"},
	"needs":           {"棉被", "药品"},
	"need":            {"棉被", "助听器"},
	"organisation":    {"县慈善会"},
	"kind":            {"慈善组织"},
	"unit":            {"床", "件"},
	"to_organisation": {"县人民医院"},
	"reason":          {"需要专科治疗", "重复填写"},
	"handover":        {"已说明情况。"},
	"done":            {"陪伴，并已通知家属。"},
	"reported_to":     {"村委会", "派出所"},
	"tasks":           {"整理记录"},
	"advice":          {"放慢节奏。"},
	"comment":         {"人数与签到表不符。"},
}

// ranges are the numbers that a field may well hold; 0 to 12 where none are given.
var ranges = map[protoreflect.Name][2]uint32{
	"minutes":            {20, 180},
	"number":             {1, 12},
	"value":              {1, 40},
	"client_count":       {1, 4},
	"age":                {0, 95},
	"age_band":           {0, 6},
	"attendees":          {0, 4},
	"disability_asked":   {5, 40},
	"disability_yes":     {0, 5},
	"feedback_asked":     {10, 30},
	"feedback_satisfied": {0, 10},
	"field":              {1, 30},
	"first_time":         {0, 30},
	"returning":          {0, 30},
	"value_yuan":         {0, 5000},
}
