package record

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	recordv1 "levee/syncproto/levee/record/v1"
)

// Deployment is what validation must know of the deployment that a change was made in.
type Deployment struct {
	// Start and End are its first and last day; End is 0 while it goes on, Start before it is set up.
	Start, End Date
	// Location is its time zone; UTC when nil.
	Location *time.Location
	// Places are the place codes of its sites.
	Places []string
	// ServiceAreas are the areas of 16 and up that it has named.
	ServiceAreas []recordv1.ServiceArea
	// AgeBands is how many age bands it has.
	AgeBands int
	// Now is the time of the change's stamp.
	Now time.Time
}

// DeploymentOf gathers what validation must know from the deployment's own record and the sites where work may be
// logged. Now is left for each change to set. It fails with CodeUnknownTimeZone when this machine does not know the zone.
func DeploymentOf(m *recordv1.Deployment, sites []*recordv1.Site) (Deployment, error) {
	in, err := time.LoadLocation(m.GetTimeZone())
	if err != nil {
		return Deployment{}, &Problem{Code: CodeUnknownTimeZone, Cause: fmt.Errorf("time zone of the deployment: %w", err)}
	}
	d := Deployment{
		Start: Date(m.GetStartOn()), End: Date(m.GetEndOn()), Location: in, AgeBands: len(AgeBands(m)) + 1,
	}
	for _, s := range sites {
		if code := s.GetPlace().GetCode(); code != "" {
			d.Places = append(d.Places, code)
		}
	}
	for _, a := range m.GetServiceAreas() {
		if a.GetNumber() >= firstOwnArea {
			d.ServiceAreas = append(d.ServiceAreas, a.GetNumber())
		}
	}
	return d, nil
}

// Validate judges the fields that a change sets: a partial message of kind k in canonical form. It sees only what is
// there, never what is missing (see Missing) and nothing of the record as it stands. A field has at most one problem
// of a code. No problems means that the change may be applied.
//
// Fields and kinds that this version does not know are no problem, nor are numbers of an enumeration that it does not
// know: a newer tablet may have written them. Problems with the encoding are found for all kinds, known or not, and
// stand alone. Validate never panics.
func Validate(k Kind, fields []byte, d Deployment) []Problem {
	canonical, problem := isCanonical(k, fields)
	switch {
	case problem != nil:
		return []Problem{*problem}
	case !canonical:
		return []Problem{{Code: CodeNotCanonical}}
	case !Known(k):
		return nil
	}
	if d.Location == nil {
		d.Location = time.UTC
	}
	j := &judge{
		deployment: d, kind: k, fields: fields,
		tomorrow: DateOf(d.Now, d.Location).AddDays(1),
	}
	j.message(layouts[k], fields)
	return j.problems
}

// isCanonical reports whether fields are what Canonical gives for them.
func isCanonical(k Kind, fields []byte) (bool, *Problem) {
	scratch := scratches.Get().(*[]byte)
	defer scratches.Put(scratch)
	canonical, problem := canonicalFields(k, (*scratch)[:0], fields)
	if problem == nil {
		*scratch = canonical // it may have grown
	}
	return problem == nil && bytes.Equal(canonical, fields), problem
}

// scratches are for what is only compared. None grows beyond MaxFieldsBytes by much.
var scratches = sync.Pool{New: func() any { return new([]byte) }}

// judge is one validation under way.
type judge struct {
	deployment Deployment
	kind       Kind
	fields     []byte
	// tomorrow is the day after that of the change: a tablet that is a day ahead is let pass.
	tomorrow Date

	field    protowire.Number // of the kind, that is judged now
	problems []Problem
}

// value is one value of a field.
type value struct {
	number int64 // of numbers, enumerations, yes-or-no
	bytes  []byte
}

// rule judges one value; "" means that it is fine.
type rule func(j *judge, v value) Code

// listRule judges a list as a whole.
type listRule func(values []value) Code

func (j *judge) found(c Code) {
	p := Problem{Code: c, Field: j.field}
	if c != "" && !slices.Contains(j.problems, p) {
		j.problems = append(j.problems, p)
	}
}

// message judges the fields of a message in canonical form.
func (j *judge) message(l *layout, b []byte) {
	outer := j.field
	var list []value
	for rest := b; len(rest) > 0; {
		number, typ, tag := protowire.ConsumeTag(rest)
		size := protowire.ConsumeFieldValue(number, typ, rest[tag:])
		encoded := rest[tag : tag+size]
		rest = rest[tag+size:]
		f := l.field(number)
		if f == nil {
			continue
		}
		if outer == 0 {
			j.field = number
		}
		list = f.values(list, encoded)
		if f.list && !f.packs() && startsWith(rest, number) {
			continue
		}
		j.values(f, list)
		list = list[:0]
	}
	for _, p := range l.pairs {
		low, ok := numberIn(b, p.low)
		high, both := numberIn(b, p.high)
		if ok && both && low > high {
			if outer == 0 {
				j.field = p.low
			}
			j.found(p.code)
		}
	}
	j.field = outer
}

// values judges all that a field holds.
func (j *judge) values(f *field, values []value) {
	if len(values) > MaxItems {
		j.found(CodeListTooLong)
		return
	}
	for _, v := range values {
		j.found(f.check(j, v))
		if f.message != nil {
			j.message(f.message, v.bytes)
		}
	}
	if f.whole != nil {
		j.found(f.whole(values))
	}
}

// values appends what one encoded field holds: of a packed list several values, else one.
func (f *field) values(to []value, encoded []byte) []value {
	if f.packs() {
		packed, _ := protowire.ConsumeBytes(encoded)
		for len(packed) > 0 {
			size := protowire.ConsumeFieldValue(f.number, f.wireType(), packed)
			to = append(to, f.value(packed[:size]))
			packed = packed[size:]
		}
		return to
	}
	return append(to, f.value(encoded))
}

// value reads one encoded value, without its tag.
func (f *field) value(encoded []byte) value {
	switch f.wireType() {
	case protowire.BytesType:
		b, _ := protowire.ConsumeBytes(encoded)
		return value{bytes: b}
	case protowire.Fixed32Type:
		v, _ := protowire.ConsumeFixed32(encoded)
		return value{number: int64(v)}
	case protowire.Fixed64Type:
		v, _ := protowire.ConsumeFixed64(encoded)
		return value{number: int64(v)} //nolint:gosec // beyond 63 bits it is negative, and no rule allows that
	}
	v, _ := protowire.ConsumeVarint(encoded)
	if f.kind == protoreflect.Sint32Kind || f.kind == protoreflect.Sint64Kind {
		return value{number: protowire.DecodeZigZag(v)}
	}
	return value{number: int64(v)} //nolint:gosec // negative numbers are encoded with 64 bits
}

// startsWith reports whether the first field of b has the number.
func startsWith(b []byte, number protowire.Number) bool {
	n, _, size := protowire.ConsumeTag(b)
	return size > 0 && n == number
}

// numberIn finds a number in an encoded message; false when it is not there. It reads the kinds of fields that are
// varints without zigzag, or fixed64.
func numberIn(b []byte, number protowire.Number) (int64, bool) {
	for len(b) > 0 {
		n, typ, tag := protowire.ConsumeTag(b)
		size := protowire.ConsumeFieldValue(n, typ, b[tag:])
		switch {
		case n != number:
		case typ == protowire.VarintType:
			v, _ := protowire.ConsumeVarint(b[tag:])
			return int64(v), true //nolint:gosec // negative numbers are encoded with 64 bits
		case typ == protowire.Fixed64Type:
			v, _ := protowire.ConsumeFixed64(b[tag:])
			return int64(v), true //nolint:gosec // only compared
		}
		b = b[tag+size:]
	}
	return 0, false
}
