package words

import (
	"cmp"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// Terms are the words of one deployment: its own names for kinds and service areas, its age bands and its time zone. They may be used by several
// goroutines.
type Terms struct {
	*Words
	deployment *recordv1.Deployment
	zone       *time.Location
	ageBands   []string
}

// For are the words of a deployment, given its record as it stands; an empty one where there is none yet.
func (w *Words) For(d *recordv1.Deployment) *Terms {
	t := &Terms{Words: w, deployment: d, zone: time.UTC, ageBands: []string{"unknown"}}
	if known, err := record.DeploymentOf(d, nil); err == nil && known.Location != nil {
		t.zone = known.Location
	}
	low := uint32(0)
	for _, high := range record.AgeBands(d) {
		t.ageBands = append(t.ageBands, strconv.Itoa(int(low))+"-"+strconv.Itoa(int(high)))
		low = high + 1
	}
	t.ageBands = append(t.ageBands, strconv.Itoa(int(low))+"+")
	return t
}

// Zone is the deployment's time zone; UTC where this machine does not know it.
func (t *Terms) Zone() *time.Location { return t.zone }

// KindLabel is the word for a kind: the deployment's own, if it has one.
func (t *Terms) KindLabel(k record.Kind) string {
	for _, l := range t.deployment.GetLabels() {
		if own := t.Either(l.GetLabelEn(), l.GetLabelZh()); l.GetKey() == KindName(k) && own != "" {
			return own
		}
	}
	return t.Kind(k)
}

// Option is a value of an enumeration.
type Option struct {
	Number protoreflect.EnumNumber
	// Name is stable, such as "not_asked"; that of a service area of the deployment's own is its number.
	Name string
	// EN and ZH are the words for it in each language, Label in that of the Terms.
	EN, ZH string
	Label  string
}

// Options are the values of an enumeration in the order of the proto, unknown first, with the deployment's own service areas among them.
func (t *Terms) Options(e protoreflect.EnumDescriptor) []Option {
	var all []Option
	for i := range e.Values().Len() {
		v := e.Values().Get(i)
		o := Option{Number: v.Number(), Name: ChoiceName(v), EN: In("en").Choice(v), ZH: In("zh").Choice(v)}
		o.Label = t.Either(o.EN, o.ZH)
		all = append(all, o)
	}
	if e.Name() != "ServiceArea" {
		return all
	}
	for _, named := range t.deployment.GetServiceAreas() {
		o := Option{
			Number: named.GetNumber().Number(), Name: strconv.Itoa(int(named.GetNumber())), EN: named.GetLabelEn(), ZH: named.GetLabelZh(),
			Label: t.Either(named.GetLabelEn(), named.GetLabelZh()),
		}
		if o.Label == "" {
			o.Label = cmp.Or(o.ZH, o.EN, o.Name)
		}
		if i := slices.IndexFunc(all, func(other Option) bool { return other.Number == o.Number }); i >= 0 {
			o.Name = all[i].Name
			all[i] = o
		} else {
			all = append(all, o)
		}
	}
	return all
}

// OptionOf is a value of an enumeration; its number where only a newer program has a name for it.
func (t *Terms) OptionOf(e protoreflect.EnumDescriptor, n protoreflect.EnumNumber) Option {
	for _, o := range t.Options(e) {
		if o.Number == n {
			return o
		}
	}
	plain := strconv.Itoa(int(n))
	return Option{Number: n, Name: plain, Label: plain}
}

// AgeBands are the deployment's age bands as people write them, by their numbers, such as "18-59" and "80+"; number 0 is "unknown".
func (t *Terms) AgeBands() []string { return slices.Clone(t.ageBands) }

var (
	yes        = Message{"yes", "是"}
	no         = Message{"no", "否"}
	unknownAge = Message{"unknown age", "年龄不详"}
)

// AgeBand is an age band as people read it, given its number; the number itself where the deployment has no such band.
func (t *Terms) AgeBand(n uint64) string {
	switch {
	case n == 0:
		return t.Say(unknownAge)
	case n < uint64(len(t.ageBands)):
		return strings.Replace(t.ageBands[n], "-", "–", 1)
	default:
		return strconv.FormatUint(n, 10)
	}
}

// Value is the value of a field as people read it; named says what a record is called that a reference names.
func (t *Terms) Value(f protoreflect.FieldDescriptor, v protoreflect.Value, named func(id []byte) string) string {
	if !f.IsList() {
		return t.item(f, v, named)
	}
	var items []string
	for i := range v.List().Len() {
		items = append(items, t.item(f, v.List().Get(i), named))
	}
	if FormOf(f) == Compound {
		return strings.Join(items, t.Either("; ", "；"))
	}
	return t.List(items)
}

func (t *Terms) item(f protoreflect.FieldDescriptor, v protoreflect.Value, named func(id []byte) string) string {
	switch FormOf(f) {
	case Number:
		if f.Name() == "edition" { // a year has no thousands
			return strconv.FormatInt(Integer(v), 10)
		}
		return t.Number(Integer(v))
	case Date:
		return t.Date(record.Date(v.Int())) //nolint:gosec // the field has 32 bits
	case Instant:
		return t.Instant(time.UnixMilli(v.Int()).In(t.zone))
	case YesOrNo:
		if v.Bool() {
			return t.Say(yes)
		}
		return t.Say(no)
	case Choice:
		return t.OptionOf(f.Enum(), v.Enum()).Label
	case AgeBand:
		return t.AgeBand(v.Uint())
	case Reference:
		return named(v.Bytes())
	case Code:
		return hex.EncodeToString(v.Bytes())
	case Compound:
		var parts []string
		for _, part := range Fields(f.Message()) {
			if v.Message().Has(part) {
				parts = append(parts, t.Labelled(t.Field(part), t.Value(part, v.Message().Get(part), named)))
			}
		}
		return t.List(parts)
	default:
		return v.String()
	}
}

// Integer is the number in a value of a field whose form is Number.
func Integer(v protoreflect.Value) int64 {
	switch n := v.Interface().(type) {
	case uint32:
		return int64(n)
	case int32:
		return int64(n)
	default:
		return v.Int()
	}
}
