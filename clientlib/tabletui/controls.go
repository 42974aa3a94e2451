package tabletui

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/clientlib"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// control is one thing to fill in.
type control struct {
	// Name is that in the form, ID that in the page.
	Name, ID    string
	Label, Hint string
	Error       string
	// Sort is text, tel, area, number, date, instant, one (of few), some (of many), list (one of many), parts or cells.
	Sort     string
	Value    string
	Options  []choice
	Parts    []control
	Cells    *cellTable
	Required bool
}

// choice is one of the things to choose from.
type choice struct {
	Value, Label string
	Chosen       bool
}

// cellTable is the table of a headcount: a row for each age band of each sex.
type cellTable struct {
	Columns []string
	Rows    []cellRow
}

type cellRow struct {
	Label string
	Cells []control
}

// fewOptions is how many options are shown all at once, to be hit with a thumb; more are a list.
const fewOptions = 8

// longTexts are what takes more than a line.
var longTexts = names{
	"needs", "process", "assessment", "response", "plan", "reflection", "handover", "goals", "evaluation", "summary", "done", "reason", "tasks", "advice", "comment", "partners", "address",
}

// controls are the controls of some fields of a kind, filled with values.
func (r *reading) controls(k record.Kind, fields []protoreflect.Name, required []string) ([]control, error) {
	var all []control
	for _, name := range fields {
		f := fieldOf(k, name)
		c, shown, err := r.control(k, name, f)
		if err != nil {
			return nil, err
		}
		if !shown {
			continue
		}
		c.Required = slices.Contains(required, string(f.Name())) && name != villageName
		all = append(all, c)
	}
	return all, nil
}

// control is one control; not shown where there is nothing to choose.
func (r *reading) control(k record.Kind, field protoreflect.Name, f protoreflect.FieldDescriptor) (control, bool, error) {
	name := prefixed(k, r.of, field)
	c := r.plain(name, f)
	if field == villageName && f.Name() == "place" {
		c.Sort, c.Label = "text", r.around.label(f.Message().Fields().ByName(villageName))
		return c, true, nil
	}
	if hint, ok := messages["hint_"+words.KindName(k)+"_"+string(field)]; ok {
		c.Hint = r.Say(hint)
	} else if hint, ok := messages["hint_"+string(field)]; ok {
		c.Hint = r.Say(hint)
	}
	switch words.FormOf(f) {
	case words.Reference:
		options, err := r.records(k, f)
		if err != nil || len(options) == 0 {
			return c, false, err
		}
		c.Options, c.Sort = options, "list"
		if f.IsList() {
			c.Sort = "some"
		} else if f.Name() == "site" && len(options) == 1 {
			return c, false, nil
		}
		c.choose(r.values[name])
	case words.Compound:
		if f.Name() == "cells" {
			c.Sort, c.Cells = "cells", r.cellTable()
			return c, true, nil
		}
		c.Sort = "parts"
		for _, p := range words.Fields(f.Message()) {
			part := r.plain(name+"."+string(p.Name()), p)
			c.Parts = append(c.Parts, part)
		}
	}
	return c, true, nil
}

// plain is a control for a field that refers to nothing.
func (r *reading) plain(name string, f protoreflect.FieldDescriptor) control {
	c := control{
		Name: name, ID: "f-" + strings.ReplaceAll(name, ".", "-"), Label: r.around.label(f), Error: r.wrong[name], Value: r.values.Get(name),
	}
	switch words.FormOf(f) {
	case words.Number:
		c.Sort = "number"
	case words.Date:
		c.Sort = "date"
	case words.Instant:
		c.Sort = "instant"
	case words.YesOrNo:
		c.Sort, c.Options = "one", []choice{{Value: "yes", Label: r.T("yes")}, {Value: "no", Label: r.T("no")}}
	case words.AgeBand:
		c.Sort = "list"
		for i := range r.around.terms.AgeBands() {
			c.Options = append(c.Options, choice{Value: strconv.Itoa(i), Label: r.around.terms.AgeBand(uint64(i))})
		}
	case words.Choice:
		c.Options = r.options(f)
		c.Sort = "one"
		if f.IsList() {
			c.Sort = "some"
		} else if len(c.Options) > fewOptions {
			c.Sort = "list"
		}
	default:
		c.Sort = "text"
		if f.Name() == "phone" {
			c.Sort = "tel"
		} else if slices.Contains(longTexts, f.Name()) || f.Parent().Name() == "CaseNote" {
			c.Sort = "area"
		}
	}
	c.choose(r.values[name])
	return c
}

// choose marks what was chosen.
func (c *control) choose(chosen []string) {
	for i := range c.Options {
		c.Options[i].Chosen = slices.Contains(chosen, c.Options[i].Value)
	}
}

// options are the values of an enumeration, unknown last.
func (r *reading) options(f protoreflect.FieldDescriptor) []choice {
	var all []choice
	for _, o := range r.around.terms.Options(f.Enum()) {
		all = append(all, choice{Value: o.Name, Label: o.Label})
	}
	return append(all[1:], all[0])
}

// records are what a reference may name.
func (r *reading) records(k record.Kind, f protoreflect.FieldDescriptor) ([]choice, error) {
	switch f.Name() {
	case "site":
		return named(r.around.sites), nil
	case "consent":
		return r.consents()
	case "present", "absent": // members are known by codes alone, which nobody tells apart on a tablet
		return nil, nil
	case "supervisor":
		return named(r.around.workers), nil
	}
	if f.Number() == record.OwnerField(k) {
		return r.owners(k)
	}
	return r.around.colleagues(), nil
}

// owners are the records to which a new one may belong, the ones of late first.
func (r *reading) owners(k record.Kind) ([]choice, error) {
	var kinds []record.Kind
	for _, owner := range record.Kinds() {
		if record.MayOwn(owner, k) && !record.SetUp(owner) && owner != recordv1.Kind_KIND_CONFLICT {
			kinds = append(kinds, owner)
		}
	}
	page, err := r.store().List(r.context(), clientlib.Query{Kinds: kinds, Limit: 100})
	if err != nil {
		return nil, err
	}
	var all []choice
	for _, one := range page.Records {
		all = append(all, choice{Value: one.ID.String(), Label: r.headline(one)})
	}
	return all, nil
}

// consents are those of the case that a referral is about.
func (r *reading) consents() ([]choice, error) {
	id, err := parseID(r.values.Get("case"))
	if err != nil {
		return nil, nil //nolint:nilerr // none is chosen yet
	}
	file, err := r.store().Case(r.context(), id)
	if err != nil {
		return nil, err
	}
	var all []choice
	for _, c := range file.Consents {
		all = append(all, choice{Value: c.ID.String(), Label: r.Date(record.Date(c.Message.GetOccurredOn()))})
	}
	return all, nil
}

// colleagues are the workers of the own team, oneself among them.
func (a *around) colleagues() []choice {
	mates := map[hlc.ID]*recordv1.Worker{}
	mine := a.workers[a.me].GetTeam()
	for id, w := range a.workers {
		if string(w.GetTeam()) == string(mine) {
			mates[id] = w
		}
	}
	return named(mates)
}

// named are records with their names, by name.
func named[M interface{ GetName() string }](all map[hlc.ID]M) []choice {
	choices := make([]choice, 0, len(all))
	for id, m := range all {
		choices = append(choices, choice{Value: id.String(), Label: m.GetName()})
	}
	slices.SortFunc(choices, func(x, y choice) int { return cmp.Or(cmp.Compare(x.Label, y.Label), cmp.Compare(x.Value, y.Value)) })
	return choices
}

// cellTable is the table of a headcount with what was written.
func (r *reading) cellTable() *cellTable {
	t := &cellTable{}
	for _, visit := range visits {
		t.Columns = append(t.Columns, r.around.label((&recordv1.HeadcountCell{}).ProtoReflect().Descriptor().Fields().ByName(protoreflect.Name(visit))))
	}
	sexes := r.around.terms.Options(recordv1.Sex(0).Descriptor())
	for _, sex := range append(sexes[1:], sexes[0]) {
		for i := range r.around.terms.AgeBands() {
			band := uint32((i + 1) % len(r.around.terms.AgeBands())) //nolint:gosec // unknown goes last
			row := cellRow{Label: r.List([]string{sex.Label, r.around.terms.AgeBand(uint64(band))})}
			for v, visit := range visits {
				name := cellName(recordv1.Sex(sex.Number), band, visit)
				row.Cells = append(row.Cells, control{
					Name: name, ID: "f-" + strings.ReplaceAll(name, ".", "-"), Label: row.Label + ": " + t.Columns[v], Value: r.values.Get(name),
				})
			}
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}

// fresh are the values that a new form begins with: what the library would fill in.
func (r *reading) fresh(m record.Common, now time.Time) error {
	k := record.KindOf(m)
	filled, _, err := r.store().Draft(r.context(), m)
	switch {
	case err == nil:
		r.around.write(r.values, r.of, filled)
	case clientlib.Code(err) == clientlib.CodeOwnerMissing: // to be chosen in the form
		r.around.write(r.values, r.of, m)
	default:
		return err
	}
	for _, name := range []string{"author", "place", "entry", "deleted", "team"} {
		r.values.Del(prefixed(k, r.of, protoreflect.Name(name)))
	}
	if k == recordv1.Kind_KIND_RISK_ALERT {
		r.values.Set("seen_at", now.In(r.around.terms.Zone()).Format(instantLayout))
	}
	return nil
}

// cloneValues are values that may be changed.
func cloneValues(values url.Values) url.Values {
	out := url.Values{}
	for name, all := range values {
		out[name] = slices.Clone(all)
	}
	return out
}
