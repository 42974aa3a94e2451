package tabletui

import (
	"cmp"
	"net/http"
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

// count is a count on its way through a request.
type count struct {
	*form
	activity hlc.ID
}

func (c *count) heads() heads { return heads{c.values} }

// countAsked is the count that the address names: what was kept of it, or a fresh one.
func (v *visit) countAsked() (*count, error) {
	f, err := v.formAsked()
	if err != nil {
		return nil, err
	}
	if f.of != recordv1.Kind_KIND_HEADCOUNT {
		return nil, errNoPage
	}
	c := &count{form: f}
	switch {
	case !f.kept.Saved.IsZero():
	case f.standing.Message != nil:
		f.around.write(f.values, f.of, f.standing.Message)
	default:
		f.values.Set("activity", v.r.FormValue("activity"))
		f.values.Set("method", "counted")
	}
	if c.activity, err = parseID(f.values.Get("activity")); err != nil {
		return nil, err
	}
	if f.kept.Saved.IsZero() && f.values.Get("zone") == "" {
		zone, err := c.likelyZone()
		if err != nil {
			return nil, err
		}
		f.values.Set("zone", zone)
	}
	return c, nil
}

// likelyZone is the zone in which this worker counted last that day, else the whole place. Who has counted at the activity already now counts in
// another zone, which only she knows.
func (c *count) likelyZone() (string, error) {
	sum, err := c.apart(c.activity, hlc.ID{})
	if err != nil || len(sum.Mine) > 0 {
		return "", err
	}
	r, err := c.store().Record(c.context(), c.activity)
	if err != nil {
		return "", err
	}
	day := record.Date(r.Message.GetOccurredOn())
	last, err := c.store().List(c.context(), clientlib.Query{Kinds: []record.Kind{recordv1.Kind_KIND_HEADCOUNT}, From: day, To: day, Limit: 100})
	if err != nil {
		return "", err
	}
	for _, r := range last.Records {
		m, ok := r.Message.(*recordv1.Headcount)
		if counter, _ := idOf(m.GetCounter()); ok && counter == c.around.me && m.GetZone() != "" {
			return m.GetZone(), nil
		}
	}
	return c.T("whole_place"), nil
}

// change changes what is kept of the count, with nobody in between: two pages may count at a time.
func (c *count) change(do func() error) error {
	return c.store().ChangeForm(c.context(), c.kept.ID, func(at *clientlib.Form) error {
		if at.Saved.IsZero() {
			at.Kind, at.Record = c.of, c.kept.Record
		} else {
			values, err := url.ParseQuery(string(at.Values))
			if err != nil {
				return err
			}
			c.values = values
		}
		if err := do(); err != nil {
			return err
		}
		at.Values = []byte(c.values.Encode())
		return nil
	})
}

// padPage shows the pad.
func (v *visit) padPage() error {
	c, err := v.countAsked()
	switch {
	case clientlib.Code(err) == clientlib.CodeFormDone: // one went back to it
		return v.toCounted()
	case err != nil:
		return err
	}
	return c.showPad(http.StatusOK, &padBody{})
}

// toCounted leads from a count that is done to the counts of its activity.
func (v *visit) toCounted() error {
	form, err := v.id("form")
	if err != nil {
		return err
	}
	made, err := v.store().FormMade(v.context(), form)
	if err != nil {
		return err
	}
	r, err := v.store().Record(v.context(), made[0])
	if err != nil {
		return err
	}
	activity, ok := r.Owner()
	if !ok {
		return v.done(pathToday, "counted")
	}
	return v.done(pathCounter+"?activity="+activity.String(), "counted")
}

// tap counts one head more: it is on the disk before the page shows it.
func (v *visit) tap() error {
	return v.step(func(c *count) error {
		sex, band, _ := strings.Cut(v.r.PostFormValue("cell"), ".")
		at, ok := parseCell(sex, band, v.r.PostFormValue("visit"))
		if !ok || int(at.band) >= len(c.around.terms.AgeBands()) {
			return errNoPage
		}
		if h := c.heads(); h.new(v.r.PostFormValue("tap")) {
			h.Set(valueVisit, at.visit)
			h.do(counted{at, 1})
		}
		return nil
	})
}

// undo takes the last tap back.
func (v *visit) undo() error {
	return v.step(func(c *count) error {
		if h := c.heads(); h.new(v.r.PostFormValue("tap")) {
			h.undo()
		}
		return nil
	})
}

// step changes a count by a tap, and shows what it has come to.
func (v *visit) step(do func(*count) error) error {
	c, err := v.countAsked()
	if err == nil && !isTapID(v.r.PostFormValue("tap")) {
		err = errNoPage
	}
	if err == nil {
		err = c.change(func() error { return do(c) })
	}
	switch {
	case clientlib.Code(err) == clientlib.CodeFormDone: // on another page
		return v.toCounted()
	case err == nil && !v.partial():
		return v.to(pathCounter + "/" + c.kept.ID.String())
	case err == nil:
		return v.part("pad", "tapped", map[string]any{"v": v, "b": c.pad(&padBody{})})
	case v.partial():
		_, text := v.explain(err)
		v.w.Header().Set("HX-Retarget", "#untold")
		v.w.Header().Set("HX-Reswap", "innerHTML")
		return v.part("pad", "untold", text)
	default:
		return err
	}
}

// padBody is what the pad shows.
type padBody struct {
	ID       hlc.ID
	Activity item
	Hidden   []choice
	// Tap tells this page's taps from all others.
	Tap     string
	Visits  []choice
	Columns []string
	Rows    []padRow
	Heads   int
	// Numbers is where whole numbers are written.
	Numbers string
	// Last is what undo takes back; empty when there is nothing.
	Last string
	// Totals says what was written without a breakdown; Both that there is a breakdown, too, so that it would not count.
	Totals string
	Both   bool
	apart
	First, More []control
	Open        bool
	Kept        time.Time
	Error       string
	Missing     []string
	Similar     []item
}

type padRow struct {
	Label string
	Cells []padCell
}

// padCell is one button of the pad.
type padCell struct{ Value, ID, Label, Heads string }

// sexes are the columns of the pad.
var sexes = []recordv1.Sex{recordv1.Sex_SEX_FEMALE, recordv1.Sex_SEX_MALE, recordv1.Sex_SEX_UNKNOWN}

// pad fills in what every tap changes.
func (c *count) pad(b *padBody) *padBody {
	h := c.heads()
	b.ID, b.Heads = c.kept.ID, h.all()
	bands := len(c.around.terms.AgeBands())
	for _, sex := range sexes {
		b.Columns = append(b.Columns, c.sex(sex))
	}
	for i := range bands {
		band := uint32((i + 1) % bands) //nolint:gosec // unknown goes last
		row := padRow{Label: c.around.terms.AgeBand(uint64(band))}
		for _, sex := range sexes {
			n := 0
			for _, visit := range visits {
				n += h.in(cell{sex, band, visit})
			}
			at := strconv.Itoa(int(sex)) + "." + strconv.Itoa(int(band))
			row.Cells = append(row.Cells, padCell{
				Value: at, ID: "n-" + strings.ReplaceAll(at, ".", "-"), Label: c.List([]string{c.sex(sex), row.Label}), Heads: strconv.Itoa(n),
			})
		}
		b.Rows = append(b.Rows, row)
	}
	switch last := h.last(); len(last) {
	case 0:
	case 1:
		b.Last = c.List([]string{c.sex(last[0].sex), c.around.terms.AgeBand(uint64(last[0].band)), c.visitLabel(last[0].visit)})
	default:
		b.Last = c.T("typed_numbers")
	}
	if h.inTotals() > 0 {
		var parts []string
		for _, visit := range visits {
			if n := h.number(visit); n > 0 {
				parts = append(parts, c.T("label_and_number", c.visitLabel(visit), n))
			}
		}
		b.Totals, b.Both = c.List(parts), h.inCells() > 0
	}
	return b
}

func (c *count) sex(sex recordv1.Sex) string {
	return c.around.terms.OptionOf(sex.Descriptor(), sex.Number()).Label
}

// visitLabel is the word for a sort of visit.
func (c *count) visitLabel(visit string) string {
	return c.around.terms.Field((&recordv1.HeadcountCell{}).ProtoReflect().Descriptor().Fields().ByName(protoreflect.Name(visit)))
}

// hidden are what the forms of the pad carry, for a count of which nothing was kept yet.
func (c *count) hidden() []choice {
	all := []choice{{Value: words.KindName(c.of), Label: valueKind}, {Value: c.activity.String(), Label: "activity"}}
	if c.kept.Record != (hlc.ID{}) {
		all = append(all, choice{Value: c.kept.Record.String(), Label: valueRecord})
	}
	return all
}

// showPad answers with the page of the pad.
func (c *count) showPad(status int, b *padBody) error {
	r, err := c.store().Record(c.context(), c.activity)
	if err != nil {
		return err
	}
	b.Activity, b.Hidden, b.Kept = c.item(r), c.hidden(), c.kept.Saved
	b.Numbers = pathCounter + "/" + c.kept.ID.String() + "/numbers"
	if c.kept.Saved.IsZero() {
		b.Numbers += query(c.r.URL.RawQuery)
	}
	if b.Tap, err = c.secret(); err != nil {
		return err
	}
	b.Tap = b.Tap[:16]
	if b.apart, err = c.apart(c.activity, c.kept.Record); err != nil {
		return err
	}
	chosen := cmp.Or(c.values.Get(valueVisit), "unsure") // who was served before is asked, and not taken for granted
	for _, visit := range visits {
		b.Visits = append(b.Visits, choice{Value: visit, Label: c.visitLabel(visit), Chosen: visit == chosen})
	}
	if b.First, err = c.controls(c.of, names{"zone", "method"}, requiredOf(c.of)); err != nil {
		return err
	}
	if b.More, err = c.controls(c.of, names{"disability_asked", "disability_yes"}, nil); err != nil {
		return err
	}
	b.Open = slices.ContainsFunc(b.More, func(f control) bool { return f.Error != "" || f.Value != "" })
	if len(c.wrong) > 0 && b.Error == "" {
		b.Error = c.T("form_wrong")
	}
	return c.showAs(status, "pad", &page{Title: c.headline(r), Here: pathNew, Back: pathCounter, Body: c.pad(b)})
}

// asideFields are what is asked beside the pad.
var asideFields = []string{"zone", "method", "disability_asked", "disability_yes"}

// takeAside keeps what was written beside the pad.
func (c *count) takeAside() error {
	sent := c.sent()
	return c.change(func() error {
		replace(c.values, sent, asideFields)
		return nil
	})
}

// replace takes what was sent for some names into values.
func replace(values, sent url.Values, names []string) {
	for _, name := range names {
		if all, ok := sent[name]; ok {
			values[name] = all
		} else {
			values.Del(name)
		}
	}
}

// countKept keeps what is written beside the pad, as it is written.
func (v *visit) countKept() error {
	c, err := v.countAsked()
	if err == nil {
		err = c.takeAside()
	}
	if err != nil {
		return v.notKept(err)
	}
	return v.part("pad", "kept", map[string]any{"v": v, "Kept": v.wall(), "Error": ""})
}

// countDone logs a count.
func (v *visit) countDone() error {
	c, err := v.countAsked()
	if err == nil {
		err = c.takeAside()
	}
	switch {
	case clientlib.Code(err) == clientlib.CodeFormDone: // a double tap
		return v.toCounted()
	case err != nil:
		return err
	}
	return c.log(v.r.PostFormValue(valueDo))
}

// log logs the count, or changes the one that is gone on with.
func (c *count) log(do string) error {
	read := c.read(c.of)
	m := read.message.(*recordv1.Headcount)
	b := &padBody{}
	switch h := c.heads(); {
	case h.all() == 0 && len(c.wrong) == 0:
		b.Error = c.T("nobody_counted")
	case h.inCells() > 0 && h.inTotals() > 0:
		b.Error = c.T("counted_both")
	}
	if same, ok := strings.CutPrefix(do, doSame); ok {
		id, err := parseID(same)
		if err != nil {
			return err
		}
		setReference(m, "duplicate_of", id)
	}
	setReference(m, "activity", c.activity)
	full, missing, err := c.store().Draft(c.context(), m)
	if wrong := c.noteWrong(c.of, err); wrong != nil {
		return wrong
	}
	body := &formBody{}
	c.noteMissing(c.of, missing, do, body)
	b.Missing = body.Missing
	if len(c.wrong) > 0 || b.Error != "" {
		return c.showPad(http.StatusUnprocessableEntity, b)
	}
	if do == doLog && c.standing.Message == nil {
		similar, err := c.store().Similar(c.context(), full)
		if err != nil {
			return err
		}
		if len(similar) > 0 {
			b.Similar = c.items(similar)
			return c.showPad(http.StatusUnprocessableEntity, b)
		}
	}
	if c.standing.Message != nil {
		has := c.standing.Message.ProtoReflect()
		emptied := slices.DeleteFunc(read.emptied, func(name string) bool {
			return !has.Has(has.Descriptor().Fields().ByName(protoreflect.Name(name)))
		})
		m.Activity = nil // it stays where it is
		err = c.store().UpdateForm(c.context(), c.kept.ID, c.standing.ID, m, emptied...)
	} else {
		_, err = c.store().LogForm(c.context(), c.kept.ID, clientlib.Family{Record: m})
	}
	if wrong := c.noteWrong(c.of, err); wrong != nil {
		return wrong
	}
	if len(c.wrong) > 0 {
		return c.showPad(http.StatusUnprocessableEntity, b)
	}
	c.desk.syncer.Wake(false)
	return c.done(pathCounter+"?activity="+c.activity.String(), "counted")
}
