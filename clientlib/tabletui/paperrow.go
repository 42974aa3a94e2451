package tabletui

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/clientlib"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// paperRow is one thing that the paper has: a form, whose values are those of the row, without its name.
type paperRow struct {
	*form
	name    string
	missing []string
	similar []item
}

type paperRowBody struct {
	Name, Kind, Title string
	Gone              bool
	First, Heads      []control
	Breakdown, More   []control
	Broken, Open      bool
	Missing           []string
	// Similar are what the row may be the same as, Same what was said of it.
	Similar []choice
	Same    string
	Note    string
}

// rowNames are the names of the rows, in the order in which they were added.
func (p *paper) rowNames() []string {
	var numbers []int
	for name := range p.values {
		row, isKind := strings.CutSuffix(name, "."+valueKind)
		if n, err := strconv.Atoi(strings.TrimPrefix(row, "r")); isKind && err == nil && n > 0 && row == "r"+strconv.Itoa(n) {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	rows := make([]string, len(numbers))
	for i, n := range numbers {
		rows[i] = "r" + strconv.Itoa(n)
	}
	return rows
}

// freshRow are the values that a row of a kind begins with.
func (p *paper) freshRow(k record.Kind) (url.Values, error) {
	f := &form{reading: reading{visit: p.visit, around: p.around, values: url.Values{}, of: k, wrong: map[string]string{}}}
	m := record.New(k)
	if err := f.fresh(m, p.wall()); err != nil {
		return nil, err
	}
	f.suggest(m)
	f.values.Del("occurred_on") // the day of the whole
	f.values.Del("status")
	if counts(k) {
		f.values.Set("headcount.zone", p.T("whole_place"))
		f.values.Set("headcount.method", "estimated")
	}
	f.values.Set(valueKind, words.KindName(k))
	return f.values, nil
}

// unsure reports whether a record may be the same as the row, and nobody has said whether it is.
func (r *paperRow) unsure() bool { return len(r.similar) > 0 && r.values.Get(valueSame) == "" }

// gone reports whether a row was taken out.
func (r *paperRow) gone() bool { return r.values.Get(valueGone) != "" }

// family reads what a row comes to, and notes what is wrong with it.
func (r *paperRow) family(do string) (clientlib.Family, error) {
	r.takeStage()
	family := clientlib.Family{Record: r.read(r.of).message}
	r.readOwner(family.Record)
	same := r.values.Get(valueSame)
	full, missing, err := r.store().Draft(r.context(), family.Record)
	if other := r.noteWrong(r.of, err); other != nil {
		return family, other
	}
	body := &formBody{}
	if full != nil {
		if place := r.place(r.of, full.GetPlace()); place != nil {
			setPlace(family.Record, place)
		}
		r.noteMissing(r.of, missing, do, body)
	}
	if counts(r.of) {
		if m := r.headcount(do, body); m != nil {
			family.Belongings = append(family.Belongings, m)
		}
	}
	// The library gives clocks a day's grace, but a paper of tomorrow is a slip.
	if day := record.Date(family.Record.GetOccurredOn()); day > r.around.day(r.visit) && r.wrong["occurred_on"] == "" {
		r.wrong["occurred_on"] = record.Message(record.CodeDateInFuture, r.Lang())
	}
	r.missing = body.Missing
	if full != nil && len(r.wrong) == 0 {
		similar, err := r.store().Similar(r.context(), full)
		if err != nil {
			return family, err
		}
		r.similar = r.items(similar)
	}
	if id, err := parseID(same); err == nil { // what says so is similar to nothing
		setReference(family.Record, "duplicate_of", id)
	}
	return family, nil
}

// takeStage gives a case session the stage of its case, where the paper does not say.
func (r *paperRow) takeStage() {
	id, err := parseID(r.values.Get("case"))
	if r.of != recordv1.Kind_KIND_CASE_SESSION || err != nil || r.values.Get("stage") != "" {
		return
	}
	if of, err := r.store().Record(r.context(), id); err == nil {
		if c, ok := of.Message.(*recordv1.Case); ok && c.Stage != nil {
			r.values.Set("stage", r.around.terms.OptionOf(recordv1.CaseStage(0).Descriptor(), c.GetStage().Number()).Name)
		}
	}
}

// headcount is the count of a row; nil when the paper has none.
func (r *paperRow) headcount(do string, body *formBody) *recordv1.Headcount {
	const k = recordv1.Kind_KIND_HEADCOUNT
	m := r.read(k).message.(*recordv1.Headcount)
	if rest := proto.CloneOf(m); rest != nil {
		rest.Zone, rest.Method = nil, nil // they are there from the beginning
		if isEmpty(rest) {
			return nil
		}
	}
	if m.Counter == nil {
		m.Counter = r.around.me[:]
	}
	if len(m.GetCells()) > 0 && (m.FirstTime != nil || m.Returning != nil || m.Unsure != nil) {
		r.wrong[prefixed(k, r.of, "first_time")] = r.T("counted_both")
	}
	r.noteMissing(k, ownMissing(k, m), do, body)
	return m
}

// body is what the page shows of a row.
func (r *paperRow) body() (paperRowBody, error) {
	b := paperRowBody{Name: r.name, Kind: words.KindName(r.of), Title: r.around.kindLabel(r.of), Gone: r.gone(), Missing: r.missing, Same: r.values.Get(valueSame)}
	if b.Gone {
		return b, nil
	}
	s := sheets[r.of]
	more := slices.DeleteFunc(slices.Clone(s.more), func(n protoreflect.Name) bool { return n == "occurred_on" || n == "status" })
	var err error
	if owner := record.New(r.of).ProtoReflect().Descriptor().Fields().ByNumber(record.OwnerField(r.of)); owner != nil {
		c, shown, err := r.control(r.of, owner.Name(), owner)
		if err != nil {
			return b, err
		}
		if !shown {
			b.Note = r.T("paper_no_owner")
		} else {
			c.Sort, c.Required = "list", true
			b.First = append(b.First, c)
		}
	}
	of := func(k record.Kind, fields names) (all []control) {
		if err == nil {
			all, err = r.controls(k, fields, requiredOf(k))
		}
		return all
	}
	b.First = append(b.First, of(r.of, s.first)...)
	b.More = of(r.of, more)
	if counts(r.of) {
		b.Heads = of(recordv1.Kind_KIND_HEADCOUNT, names{"first_time", "returning", "unsure", "method", "zone"})
		b.Breakdown = of(recordv1.Kind_KIND_HEADCOUNT, names{"cells", "disability_asked", "disability_yes"})
	}
	if err != nil {
		return b, err
	}
	isWrong := func(c control) bool { return c.Error != "" }
	b.Open, b.Broken = slices.ContainsFunc(b.More, isWrong), slices.ContainsFunc(b.Breakdown, isWrong)
	for _, controls := range [][]control{b.First, b.Heads, b.Breakdown, b.More} {
		for i := range controls {
			controls[i].within(r.name)
		}
	}
	if len(r.similar) > 0 {
		for _, one := range r.similar {
			b.Similar = append(b.Similar, choice{Value: one.ID, Label: r.T("paper_same", one.Title)})
		}
		b.Similar = append(b.Similar, choice{Value: valueOther, Label: r.T("paper_other")})
		for i := range b.Similar {
			b.Similar[i].Chosen = b.Similar[i].Value == b.Same
		}
	}
	return b, nil
}

// within puts the name of a row before that of a control.
func (c *control) within(row string) {
	c.Name, c.ID = row+"."+c.Name, row+"-"+c.ID
	for i := range c.Parts {
		c.Parts[i].within(row)
	}
	if c.Cells == nil {
		return
	}
	for _, r := range c.Cells.Rows {
		for i := range r.Cells {
			r.Cells[i].within(row)
		}
	}
}
