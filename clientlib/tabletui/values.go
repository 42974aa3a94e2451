package tabletui

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// instantLayout is how browsers write a day with a time of day.
const instantLayout = "2006-01-02T15:04"

// prefixed is the name in a form of a field of a kind that is asked in the form of another: "case_note.process".
func prefixed(k record.Kind, of record.Kind, name protoreflect.Name) string {
	if k == of {
		return string(name)
	}
	return words.KindName(k) + "." + string(name)
}

// write puts what a message has into values, as the form of kind of writes it.
func (a *around) write(values url.Values, of record.Kind, m record.Common) {
	k := record.KindOf(m)
	m.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		a.writeField(values, prefixed(k, of, f.Name()), f, v)
		return true
	})
	if village := m.GetPlace().GetVillage(); village != "" {
		values.Set(prefixed(k, of, villageName), village)
	}
}

func (a *around) writeField(values url.Values, name string, f protoreflect.FieldDescriptor, v protoreflect.Value) {
	switch {
	case f.Name() == "cells":
		for i := range v.List().Len() {
			writeCell(values, v.List().Get(i).Message().Interface().(*recordv1.HeadcountCell))
		}
	case f.IsList() && words.FormOf(f) == words.Text:
		var lines []string
		for i := range v.List().Len() {
			lines = append(lines, v.List().Get(i).String())
		}
		values.Set(name, strings.Join(lines, "\n"))
	case f.IsList():
		for i := range v.List().Len() {
			if text, ok := a.text(f, v.List().Get(i)); ok {
				values.Add(name, text)
			}
		}
	case words.FormOf(f) == words.Compound:
		for _, part := range words.Fields(f.Message()) {
			if v.Message().Has(part) {
				a.writeField(values, name+"."+string(part.Name()), part, v.Message().Get(part))
			}
		}
	default:
		if text, ok := a.text(f, v); ok {
			values.Set(name, text)
		}
	}
}

// text is one value as a form has it; not ok for what no form asks.
func (a *around) text(f protoreflect.FieldDescriptor, v protoreflect.Value) (string, bool) {
	switch words.FormOf(f) {
	case words.Number:
		return strconv.FormatInt(words.Integer(v), 10), true
	case words.Date:
		return record.Date(v.Int()).String(), true //nolint:gosec // the field has 32 bits
	case words.Instant:
		return time.UnixMilli(v.Int()).In(a.terms.Zone()).Format(instantLayout), true
	case words.YesOrNo:
		if v.Bool() {
			return "yes", true
		}
		return "no", true
	case words.Choice:
		return a.terms.OptionOf(f.Enum(), v.Enum()).Name, true
	case words.AgeBand:
		return strconv.FormatUint(v.Uint(), 10), true
	case words.Reference:
		id, ok := idOf(v.Bytes())
		return id.String(), ok
	case words.Text:
		return v.String(), true
	default:
		return "", false
	}
}

// filled is what was written in a form.
type filled struct {
	message record.Common
	// emptied are the fields that the form asks and that were left empty, by their names in the protos.
	emptied []string
}

// reading reads a form.
type reading struct {
	*visit
	around *around
	values url.Values
	of     record.Kind // the form's
	// wrong is what is wrong with what was written, by the name in the form.
	wrong map[string]string
}

// read reads the fields that a sheet asks of a kind into a message.
func (r *reading) read(k record.Kind) filled {
	m := record.New(k)
	out := filled{message: m}
	for _, f := range sheets[k].fieldsOf(k) {
		name := prefixed(k, r.of, f.Name())
		if f.Name() == "place" { // its code comes with the site
			continue
		}
		if !r.readField(m.ProtoReflect(), name, f) {
			out.emptied = append(out.emptied, string(f.Name()))
		}
	}
	return out
}

// readField reads one field and reports whether anything was written for it.
func (r *reading) readField(m protoreflect.Message, name string, f protoreflect.FieldDescriptor) bool {
	written := slices.DeleteFunc(slices.Clone(r.values[name]), func(s string) bool { return strings.TrimSpace(s) == "" })
	switch {
	case f.Name() == "cells":
		return r.readCells(name, m.Interface().(*recordv1.Headcount))
	case f.IsList() && words.FormOf(f) == words.Text:
		list := m.Mutable(f).List()
		for line := range strings.Lines(strings.Join(written, "\n")) {
			if line = strings.TrimSpace(line); line != "" {
				list.Append(protoreflect.ValueOfString(line))
			}
		}
		return list.Len() > 0
	case f.IsList():
		list := m.Mutable(f).List()
		for _, text := range written {
			if v, ok := r.value(name, f, text); ok {
				list.Append(v)
			}
		}
		return list.Len() > 0
	case words.FormOf(f) == words.Compound:
		some := false
		part := m.NewField(f)
		for _, p := range words.Fields(f.Message()) {
			some = r.readField(part.Message(), name+"."+string(p.Name()), p) || some
		}
		if some {
			m.Set(f, part)
		}
		return some
	case len(written) == 0:
		return false
	default:
		if v, ok := r.value(name, f, written[0]); ok {
			m.Set(f, v)
		}
		return true
	}
}

// value reads one value; what is wrong with it is noted.
func (r *reading) value(name string, f protoreflect.FieldDescriptor, text string) (protoreflect.Value, bool) {
	text = strings.TrimSpace(text)
	wrong := func(message string) (protoreflect.Value, bool) {
		r.wrong[name] = r.T(message)
		return protoreflect.Value{}, false
	}
	switch words.FormOf(f) {
	case words.Number, words.AgeBand:
		n, err := strconv.ParseUint(narrow(text), 10, 31)
		if err != nil {
			return wrong("wrong_number")
		}
		return protoreflect.ValueOfUint32(uint32(n)), true
	case words.Date:
		d, err := record.ParseDate(narrow(text))
		if err != nil {
			return wrong("wrong_date")
		}
		return protoreflect.ValueOfInt32(int32(d)), true
	case words.Instant:
		t, err := time.ParseInLocation(instantLayout, text, r.around.terms.Zone())
		if err != nil {
			return wrong("wrong_time")
		}
		return protoreflect.ValueOfInt64(t.UnixMilli()), true
	case words.YesOrNo:
		return protoreflect.ValueOfBool(text == "yes"), true
	case words.Choice:
		for _, o := range r.around.terms.Options(f.Enum()) {
			if o.Name == text {
				return protoreflect.ValueOfEnum(o.Number), true
			}
		}
		return wrong("wrong_choice")
	case words.Reference:
		id, err := parseID(text)
		if err != nil {
			return wrong("wrong_choice")
		}
		return protoreflect.ValueOfBytes(id[:]), true
	default:
		// What a browser sends has the line ends of a web form.
		return protoreflect.ValueOfString(strings.ReplaceAll(text, "\r\n", "\n")), true
	}
}

// narrow turns the full-width digits that a Chinese keyboard types into plain ones.
func narrow(text string) string {
	return strings.Map(func(c rune) rune {
		if c >= '０' && c <= '９' {
			return c - '０' + '0'
		}
		return c
	}, text)
}

// place is where something happened: what the site lends, and the village that was written.
func (r *reading) place(k record.Kind, lent *recordv1.Place) *recordv1.Place {
	village := strings.TrimSpace(r.values.Get(prefixed(k, r.of, villageName)))
	if village == lent.GetVillage() {
		return nil
	}
	p := &recordv1.Place{}
	if lent != nil {
		p = proto.CloneOf(lent)
	}
	if p.Village = nil; village != "" {
		p.Village = &village
	}
	return p
}

// cellName is the name in a form of the count of one sex, age band and sort of visit.
func cellName(sex recordv1.Sex, band uint32, visit string) string {
	return "cells." + strconv.Itoa(int(sex)) + "." + strconv.Itoa(int(band)) + "." + visit
}

// The sorts of visit: whether somebody was served by this deployment before.
var visits = []string{"first_time", "returning", "unsure"}

func writeCell(values url.Values, c *recordv1.HeadcountCell) {
	for i, n := range []uint32{c.GetFirstTime(), c.GetReturning(), c.GetUnsure()} {
		if n > 0 {
			values.Set(cellName(c.GetSex(), c.GetAgeBand(), visits[i]), strconv.Itoa(int(n)))
		}
	}
}

// readCells reads the table of a headcount, which has a name of its own.
func (r *reading) readCells(table string, m *recordv1.Headcount) bool {
	for name := range r.values {
		parts := strings.Split(name, ".")
		if len(parts) != 4 || parts[0] != "cells" || strings.TrimSpace(r.values.Get(name)) == "" {
			continue
		}
		sex, err1 := strconv.ParseUint(parts[1], 10, 8)
		band, err2 := strconv.ParseUint(parts[2], 10, 8)
		n, err3 := strconv.ParseUint(narrow(strings.TrimSpace(r.values.Get(name))), 10, 31)
		if err1 != nil || err2 != nil || err3 != nil {
			r.wrong[table] = r.T("wrong_number")
			continue
		}
		if n > 0 {
			addToCell(m, recordv1.Sex(sex), uint32(band), parts[3], uint32(n))
		}
	}
	slices.SortFunc(m.Cells, func(x, y *recordv1.HeadcountCell) int {
		return cmp.Or(cmp.Compare(x.GetSex(), y.GetSex()), cmp.Compare(x.GetAgeBand(), y.GetAgeBand()))
	})
	return len(m.Cells) > 0
}

// addToCell adds heads to a cell, which is made where there is none.
func addToCell(m *recordv1.Headcount, sex recordv1.Sex, band uint32, visit string, n uint32) {
	i := slices.IndexFunc(m.Cells, func(c *recordv1.HeadcountCell) bool { return c.GetSex() == sex && c.GetAgeBand() == band })
	if i < 0 {
		i = len(m.Cells)
		m.Cells = append(m.Cells, &recordv1.HeadcountCell{Sex: sex.Enum(), AgeBand: &band})
	}
	c := m.Cells[i]
	switch visit {
	case "first_time":
		c.FirstTime = proto.Uint32(c.GetFirstTime() + n)
	case "returning":
		c.Returning = proto.Uint32(c.GetReturning() + n)
	case "unsure":
		c.Unsure = proto.Uint32(c.GetUnsure() + n)
	}
}
