package oracle

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// Cell names one total: each by its name, and the key as text.
type Cell struct{ Basis, Figure, Dimension, Key string }

// Tally counts records as the text of package tally says it, up to the as-of day if there is one (else 0). It leaves
// zeros out.
func Tally(records []Record, asOf record.Date) map[Cell]int64 {
	b := book(records)
	totals := map[Cell]int64{}
	persons := map[Cell]map[string]bool{}
	for _, r := range records {
		if !figured[r.Kind] || !b.stillStands(r) || (asOf != 0 && b.day(r) > asOf) {
			continue
		}
		bases := []string{"reported"}
		if b.verified(r) {
			bases = append(bases, "verified")
		}
		for _, basis := range bases {
			for _, g := range b.gives(r) {
				totals[Cell{basis, g.figure, g.dimension, g.key}] += g.n
			}
			for _, g := range b.names(r) {
				c := Cell{basis, "persons", g.dimension, g.key}
				if persons[c] == nil {
					persons[c] = map[string]bool{}
				}
				persons[c][g.token] = true
			}
		}
	}
	for c, n := range totals {
		if c.Figure == "persons_by_number" {
			totals[Cell{c.Basis, "persons", c.Dimension, c.Key}] += n
		}
	}
	for c, tokens := range persons {
		totals[c] += int64(len(tokens))
	}
	for c, n := range totals {
		if n == 0 {
			delete(totals, c)
		}
	}
	return totals
}

var figured = map[record.Kind]bool{
	recordv1.Kind_KIND_CASE: true, recordv1.Kind_KIND_CASE_SESSION: true, recordv1.Kind_KIND_GROUP_SESSION: true,
	recordv1.Kind_KIND_COMMUNITY_ACTIVITY: true, recordv1.Kind_KIND_OUTREACH: true,
	recordv1.Kind_KIND_HEADCOUNT: true, recordv1.Kind_KIND_ATTENDANCE: true,
}

// book is all the records there are.
type book []Record

func (b book) find(id []byte) (Record, bool) {
	i := slices.IndexFunc(b, func(r Record) bool { return string(r.ID[:]) == string(id) })
	if i < 0 {
		return Record{}, false
	}
	return b[i], true
}

// read parses a record.
func read(r Record) protoreflect.Message {
	m := record.New(r.Kind)
	if m == nil {
		m = &recordv1.Site{} // of a kind that is not known nothing is read but common fields
	}
	if err := proto.Unmarshal(r.Registers.Fields(), m); err != nil {
		return (&recordv1.Site{}).ProtoReflect()
	}
	return m.ProtoReflect()
}

func get(m protoreflect.Message, field protoreflect.Name) protoreflect.Value {
	return m.Get(m.Descriptor().Fields().ByName(field))
}

func bytesOf(r Record, field protoreflect.Name) []byte { return get(read(r), field).Bytes() }
func numberOf(m protoreflect.Message, field protoreflect.Name) int64 {
	return int64(get(m, field).Uint()) //nolint:gosec // counts are small
}
func choiceOf(m protoreflect.Message, field protoreflect.Name) protoreflect.EnumNumber {
	return get(m, field).Enum()
}

func sound(r Record) bool {
	return record.Known(r.Kind) && !get(read(r), "deleted").Bool() && len(record.Missing(r.Kind, read(r).Interface())) == 0
}

// owner is the record that r belongs to, if it is there and may own r.
func (b book) owner(r Record) (Record, bool) {
	field := record.OwnerField(r.Kind)
	if field == 0 {
		return Record{}, false
	}
	o, ok := b.find(read(r).Get(read(r).Descriptor().Fields().ByNumber(field)).Bytes())
	return o, ok && record.MayOwn(o.Kind, r.Kind)
}

// counts reports whether r would count if there were no duplicates of it.
func (b book) counts(r Record) bool {
	if !sound(r) {
		return false
	}
	status := choiceOf(read(r), "status")
	switch r.Kind {
	case recordv1.Kind_KIND_GROUP:
		return true
	case recordv1.Kind_KIND_CASE:
		return status != 1 && status != 3 && b.day(r).Valid()
	case recordv1.Kind_KIND_CASE_SESSION, recordv1.Kind_KIND_GROUP_SESSION:
		_, ok := b.frame(r)
		return status == 2 && b.day(r).Valid() && ok
	case recordv1.Kind_KIND_COMMUNITY_ACTIVITY, recordv1.Kind_KIND_OUTREACH:
		return status == 2 && b.day(r).Valid()
	case recordv1.Kind_KIND_HEADCOUNT, recordv1.Kind_KIND_ATTENDANCE:
		_, ok := b.activity(r)
		return status != 1 && status != 3 && ok
	}
	return false
}

// standsFor is the record that counts in r's place: the last one that counts on the way from one duplicate to the next;
// where the way runs in a circle, the lowest id that counts in the circle, if any does.
func (b book) standsFor(r Record) (Record, bool) {
	var way []Record
	circle := -1
	for next, ok := r, true; ok && !get(read(next), "deleted").Bool() && next.Kind == r.Kind; next, ok = b.find(bytesOf(next, "duplicate_of")) {
		if circle = slices.IndexFunc(way, func(w Record) bool { return w.ID == next.ID }); circle >= 0 {
			break
		}
		way = append(way, next)
	}
	if circle >= 0 {
		round := slices.Clone(way[circle:])
		slices.SortFunc(round, func(x, y Record) int { return compareIDs(y.ID, x.ID) }) // so that the lowest comes last
		way = append(way[:circle], round...)
	}
	for _, w := range slices.Backward(way) {
		if b.counts(w) {
			return w, true
		}
	}
	return Record{}, false
}

func compareIDs(a, b hlc.ID) int {
	switch {
	case string(a[:]) < string(b[:]):
		return -1
	case a == b:
		return 0
	default:
		return 1
	}
}

func (b book) stillStands(r Record) bool {
	s, ok := b.standsFor(r)
	return ok && s.ID == r.ID && b.counts(r)
}

// activity is where a headcount or attendance counts.
func (b book) activity(r Record) (Record, bool) {
	o, ok := b.owner(r)
	if !ok {
		return Record{}, false
	}
	return b.standsFor(o)
}

// frame is the case or group of a session.
func (b book) frame(r Record) (Record, bool) {
	o, ok := b.owner(r)
	if !ok {
		return Record{}, false
	}
	if s, ok := b.standsFor(o); ok {
		return s, true
	}
	return o, sound(o)
}

// where is the record that says day and place of r: its activity or itself.
func (b book) where(r Record) Record {
	if r.Kind == recordv1.Kind_KIND_HEADCOUNT || r.Kind == recordv1.Kind_KIND_ATTENDANCE {
		r, _ = b.activity(r)
	}
	return r
}

func (b book) day(r Record) record.Date {
	if r.Kind == recordv1.Kind_KIND_CASE {
		return record.Date(get(read(r), "opened_on").Int()) //nolint:gosec // a date
	}
	return record.Date(get(read(b.where(r)), "occurred_on").Int()) //nolint:gosec // a date
}

// verified asks for the newest review of r, and of its activity.
func (b book) verified(r Record) bool {
	return b.approved(r) && b.approved(b.where(r))
}

func (b book) reviews(r Record) []Record {
	return slices.DeleteFunc(slices.Clone(b), func(review Record) bool {
		target, ok := b.owner(review)
		return review.Kind != recordv1.Kind_KIND_REVIEW || !ok || target.ID != r.ID
	})
}

func (b book) approved(r Record) bool {
	outcome := (&recordv1.Review{}).ProtoReflect().Descriptor().Fields().ByName("outcome").Number()
	reviews := slices.DeleteFunc(b.reviews(r), func(review Record) bool { return !sound(review) })
	if len(reviews) == 0 {
		return false
	}
	newest := slices.MaxFunc(reviews, func(x, y Record) int {
		if c := x.Registers.Get(outcome).Stamp.Compare(y.Registers.Get(outcome).Stamp); c != 0 {
			return c
		}
		return compareIDs(x.ID, y.ID)
	})
	if choiceOf(read(newest), "outcome") != 1 {
		return false
	}
	listed := map[int64]hlc.Stamp{}
	reviewed := get(read(newest), "reviewed").List()
	for i := range reviewed.Len() {
		f := reviewed.Get(i).Message()
		listed[numberOf(f, "field")] = hlc.Stamp{Time: hlc.Time(numberOf(f, "time")), Replica: hlc.Replica(numberOf(f, "replica"))} //nolint:gosec // stamps have 63 bits
	}
	for _, name := range counted[r.Kind] {
		field := read(r).Descriptor().Fields().ByName(name).Number()
		if r.Registers.Get(field).Stamp != listed[int64(field)] {
			return false
		}
	}
	return true
}

// counted are the fields that what a record gives depends on.
var counted = map[record.Kind][]protoreflect.Name{
	recordv1.Kind_KIND_CASE: {"site", "team", "place", "status", "service_area", "duplicate_of", "opened_on", "client_count",
		"client_tokens", "sex", "age_band", "lead"},
	recordv1.Kind_KIND_CASE_SESSION: {"site", "team", "author", "occurred_on", "place", "status", "service_area", "duplicate_of",
		"case", "attendees"},
	recordv1.Kind_KIND_GROUP_SESSION: {"site", "team", "author", "occurred_on", "place", "status", "service_area", "duplicate_of",
		"group"},
	recordv1.Kind_KIND_COMMUNITY_ACTIVITY: {"site", "team", "author", "occurred_on", "place", "status", "service_area", "duplicate_of"},
	recordv1.Kind_KIND_OUTREACH:           {"site", "team", "author", "occurred_on", "place", "status", "service_area", "duplicate_of"},
	recordv1.Kind_KIND_HEADCOUNT: {"status", "duplicate_of", "activity", "counter", "method", "cells", "first_time", "returning",
		"unsure", "disability_asked", "disability_yes"},
	recordv1.Kind_KIND_ATTENDANCE: {"author", "status", "duplicate_of", "activity", "token", "sex", "age_band", "disability"},
}

// given is so much of a figure under one key.
type given struct {
	figure, dimension, key string
	n                      int64
}

// named is one person under one key.
type named struct{ token, dimension, key string }

type key struct{ dimension, key string }

// keys are the cuts under which everything that r gives counts.
func (b book) keys(r Record) []key {
	m := read(b.where(r))
	text := func(name protoreflect.Name) string {
		id := get(m, name).Bytes()
		if len(id) == 0 {
			if frame, ok := b.frame(b.where(r)); ok {
				id = bytesOf(frame, name)
			}
		}
		return idText(id)
	}
	code := get(get(m, "place").Message(), "code").String()
	if frame, ok := b.frame(b.where(r)); code == "" && ok {
		code = get(get(read(frame), "place").Message(), "code").String()
	}
	worker := map[record.Kind]protoreflect.Name{recordv1.Kind_KIND_CASE: "lead", recordv1.Kind_KIND_HEADCOUNT: "counter"}[r.Kind]
	if worker == "" {
		worker = "author"
	}
	day := b.day(r)
	keys := []key{
		{"whole", ""},
		{"day", fmt.Sprintf("%04d-%02d-%02d", day/10000, day/100%100, day%100)},
		{"site", text("site")},
		{"team", text("team")},
		{"worker", idText(bytesOf(r, worker))},
		{"service_area", fmt.Sprint(int32(choiceOf(m, "service_area")))},
	}
	levels := 0
	for digits := range len(code) + 1 {
		if slices.Contains([]int{2, 4, 6, 9, 12}, digits) {
			keys = append(keys, key{"place", code[:digits]})
			levels++
		}
	}
	if levels == 0 {
		keys = append(keys, key{"place", ""})
	}
	return keys
}

func idText(id []byte) string {
	if len(id) != 16 {
		return ""
	}
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[0:4], id[4:6], id[6:8], id[8:10], id[10:16])
}

// word is the text for a number, or the number itself where there is none.
func word(number protoreflect.EnumNumber, words ...string) string {
	if int(number) < len(words) {
		return words[number]
	}
	return fmt.Sprint(number)
}

func sexText(m protoreflect.Message) string {
	return word(choiceOf(m, "sex"), "unknown", "male", "female")
}

func bandText(m protoreflect.Message) string { return fmt.Sprint(numberOf(m, "age_band")) }

// gives is all that r adds, one figure and key after the other.
func (b book) gives(r Record) []given {
	var all []given
	m := read(r)
	give := func(figure string, n int64) {
		for _, k := range b.keys(r) {
			all = append(all, given{figure, k.dimension, k.key, n})
		}
	}
	divide := func(figure, dimension, key string, n int64) { all = append(all, given{figure, dimension, key, n}) }
	nobodyKnown := func(figure string, n int64) {
		divide(figure, "sex", "unknown", n)
		divide(figure, "age_band", "0", n)
		divide(figure, "disability", "not_asked", n)
	}
	switch r.Kind {
	case recordv1.Kind_KIND_CASE:
		give("cases", 1)
		without := numberOf(m, "client_count") - int64(len(tokensOf(m, "client_tokens")))
		if without > 0 {
			give("persons_by_number", without)
			if numberOf(m, "client_count") == 1 {
				divide("persons_by_number", "sex", sexText(m), 1)
				divide("persons_by_number", "age_band", bandText(m), 1)
				divide("persons_by_number", "disability", "not_asked", 1)
			} else {
				nobodyKnown("persons_by_number", without)
			}
		}
	case recordv1.Kind_KIND_CASE_SESSION:
		give("case_sessions", 1)
		give("contacts", numberOf(m, "attendees"))
		nobodyKnown("contacts", numberOf(m, "attendees"))
	case recordv1.Kind_KIND_GROUP_SESSION:
		give("group_sessions", 1)
	case recordv1.Kind_KIND_COMMUNITY_ACTIVITY:
		give("community_activities", 1)
	case recordv1.Kind_KIND_OUTREACH:
		give("outreach_rounds", 1)
	case recordv1.Kind_KIND_ATTENDANCE:
		give("contacts", 1)
		divide("contacts", "sex", sexText(m), 1)
		divide("contacts", "age_band", bandText(m), 1)
		divide("contacts", "disability", disabilityText(m), 1)
	case recordv1.Kind_KIND_HEADCOUNT:
		heads, first := int64(0), int64(0)
		cells := get(m, "cells").List()
		for i := range cells.Len() {
			c := cells.Get(i).Message()
			f := numberOf(c, "first_time")
			h := f + numberOf(c, "returning") + numberOf(c, "unsure")
			divide("contacts", "sex", sexText(c), h)
			divide("contacts", "age_band", bandText(c), h)
			divide("persons_by_number", "sex", sexText(c), f)
			divide("persons_by_number", "age_band", bandText(c), f)
			heads, first = heads+h, first+f
		}
		if cells.Len() == 0 {
			first = numberOf(m, "first_time")
			heads = first + numberOf(m, "returning") + numberOf(m, "unsure")
			divide("contacts", "sex", "unknown", heads)
			divide("contacts", "age_band", "0", heads)
			divide("persons_by_number", "sex", "unknown", first)
			divide("persons_by_number", "age_band", "0", first)
		}
		give("contacts", heads)
		give("persons_by_number", first)
		asked := numberOf(m, "disability_asked")
		if asked > heads {
			asked = heads
		}
		with := numberOf(m, "disability_yes")
		if with > asked {
			with = asked
		}
		divide("contacts", "disability", "yes", with)
		divide("contacts", "disability", "no", asked-with)
		divide("contacts", "disability", "not_asked", heads-asked)
		switch {
		case first == heads:
			divide("persons_by_number", "disability", "yes", with)
			divide("persons_by_number", "disability", "no", asked-with)
			divide("persons_by_number", "disability", "not_asked", heads-asked)
		case with == heads:
			divide("persons_by_number", "disability", "yes", first)
		case asked == heads && with == 0:
			divide("persons_by_number", "disability", "no", first)
		case asked == 0:
			divide("persons_by_number", "disability", "not_asked", first)
		default:
			divide("persons_by_number", "disability", "unknown", first)
		}
		if choiceOf(m, "method") == 3 {
			for _, g := range all {
				if g.figure == "persons_by_number" {
					divide("persons_estimated", g.dimension, g.key, g.n)
				}
			}
		}
	}
	return all
}

func disabilityText(m protoreflect.Message) string {
	if !m.Has(m.Descriptor().Fields().ByName("disability")) {
		return "not_asked"
	}
	return word(choiceOf(m, "disability"), "unknown", "yes", "no", "not_asked")
}

func tokensOf(m protoreflect.Message, field protoreflect.Name) map[string]bool {
	tokens := map[string]bool{}
	list := get(m, field).List()
	for i := range list.Len() {
		if len(list.Get(i).Bytes()) == 16 {
			tokens[string(list.Get(i).Bytes())] = true
		}
	}
	return tokens
}

// names is every person that r names, under every key.
func (b book) names(r Record) []named {
	m := read(r)
	tokens, keys := map[string]bool{}, b.keys(r)
	switch r.Kind {
	case recordv1.Kind_KIND_CASE:
		tokens = tokensOf(m, "client_tokens")
		if numberOf(m, "client_count") == 1 {
			keys = append(keys, key{"sex", sexText(m)}, key{"age_band", bandText(m)}, key{"disability", "not_asked"})
		} else {
			keys = append(keys, key{"sex", "unknown"}, key{"age_band", "0"}, key{"disability", "not_asked"})
		}
	case recordv1.Kind_KIND_ATTENDANCE:
		if token := get(m, "token").Bytes(); len(token) == 16 {
			tokens[string(token)] = true
		}
		keys = append(keys, key{"sex", sexText(m)}, key{"age_band", bandText(m)}, key{"disability", disabilityText(m)})
	}
	var all []named
	for token := range tokens {
		for _, k := range keys {
			all = append(all, named{token, k.dimension, k.key})
		}
	}
	return all
}
