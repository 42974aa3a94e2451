package tabletui

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/clientlib"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// kindPaper is that of a form that is a whole day from paper, which comes to records of several kinds.
const kindPaper = recordv1.Kind_KIND_UNKNOWN

// paperKinds are what a day's paper has, in the order in which it is offered.
var paperKinds = []record.Kind{
	recordv1.Kind_KIND_OUTREACH, recordv1.Kind_KIND_CASE_SESSION, recordv1.Kind_KIND_GROUP_SESSION, recordv1.Kind_KIND_COMMUNITY_ACTIVITY,
}

// The names in the form of a day from paper. A field of a row has the name that it has in a form of its own, behind that of
// the row: "r2.minutes".
const (
	valueDay  = "day"
	valueGone = "_gone" // of a row that was taken out, and can be put back
	valueSame = "_same" // of a row that may be the same as a record: that record, or valueOther
)

// valueOther says that a row is another thing than the records that are similar to it.
const valueOther = "other"

// What the buttons ask for besides.
const (
	doAdd    = "add:"
	doRemove = "remove:"
	doBack   = "back:"
)

// paper is a day from paper on its way through a request.
type paper struct {
	*visit
	around *around
	kept   clientlib.Form
	values url.Values
	rows   []*paperRow
}

// paperRow is one thing that the paper has: a form, whose values are those of the row, without its name.
type paperRow struct {
	*form
	name    string
	missing []string
	similar []item
}

// paperBody is what the page of a day from paper shows.
type paperBody struct {
	ID                 hlc.ID
	Day, Min, Max      string
	DayError           string
	Rows               []paperRowBody
	Add                []choice
	Kept               time.Time
	Error              string
	Incomplete, Unsure bool
	// Look leads to the rows at which something is to be done.
	Look []choice
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

// beginPaper leads to the day that was begun, or to a new one.
func (v *visit) beginPaper() error {
	if !v.r.URL.Query().Has("new") {
		forms, err := v.store().Forms(v.context())
		if err != nil {
			return err
		}
		for _, f := range forms {
			if f.Kind == kindPaper {
				return v.to(pathPaper + "/" + f.ID.String())
			}
		}
	}
	id, err := v.store().NewFormID()
	if err != nil {
		return err
	}
	return v.to(pathPaper + "/" + id.String())
}

// paperAsked is the day that the address names: what was kept of it, or a fresh one.
func (v *visit) paperAsked() (*paper, error) {
	id, err := v.id("form")
	if err != nil {
		return nil, err
	}
	a, err := v.around()
	if err != nil {
		return nil, err
	}
	p := &paper{visit: v, around: a, values: url.Values{}}
	p.kept, err = v.store().Form(v.context(), id)
	switch {
	case err == nil && p.kept.Kind != kindPaper:
		return nil, errNoPage
	case err == nil:
		if p.values, err = url.ParseQuery(string(p.kept.Values)); err != nil {
			return nil, err
		}
	case clientlib.Code(err) == clientlib.CodeFormMissing:
		p.kept = clientlib.Form{ID: id, Kind: kindPaper}
		yesterday := a.day(v).AddDays(-1)
		p.values.Set(valueDay, max(yesterday, record.Date(a.deployment.GetStartOn())).String())
	default:
		return nil, err
	}
	p.split()
	return p, nil
}

// split makes the rows of the values.
func (p *paper) split() {
	p.rows = nil
	for _, name := range p.rowNames() {
		k, ok := kindNamed(p.values.Get(name + "." + valueKind))
		if !ok || !slices.Contains(paperKinds, k) {
			continue
		}
		values := url.Values{}
		for full, all := range p.values {
			if field, ok := strings.CutPrefix(full, name+"."); ok {
				values[field] = all
			}
		}
		values.Set("occurred_on", p.values.Get(valueDay))
		p.rows = append(p.rows, &paperRow{
			form: &form{reading: reading{visit: p.visit, around: p.around, values: values, of: k, wrong: map[string]string{}}, kept: p.kept}, name: name,
		})
	}
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

// take keeps what was sent, with a change to it. A row that was not sent stays: the page that was left sends what it had
// after a row was added.
func (p *paper) take(change func() error) error {
	sent := p.sent()
	err := p.store().ChangeForm(p.context(), p.kept.ID, func(at *clientlib.Form) error {
		if !at.Saved.IsZero() {
			values, err := url.ParseQuery(string(at.Values))
			if err != nil {
				return err
			}
			p.values = values
		}
		p.merge(sent)
		if err := change(); err != nil {
			return err
		}
		at.Kind, at.Values = kindPaper, []byte(p.values.Encode())
		return nil
	})
	p.split()
	return err
}

func (p *paper) merge(sent url.Values) {
	rows := p.rowNames()
	for name := range p.values { // what is not chosen is not sent
		row, field, _ := strings.Cut(name, ".")
		if slices.Contains(rows, row) && sent.Has(row+"."+valueKind) && field != valueGone && field != valueKind {
			p.values.Del(name)
		}
	}
	for name, all := range sent {
		row, field, _ := strings.Cut(name, ".")
		if name == valueDay || (slices.Contains(rows, row) && field != valueGone && field != valueKind) {
			p.values[name] = all
		}
	}
}

// add adds an empty row of a kind, with what is likely, and returns its name.
func (p *paper) add(fresh url.Values) string {
	n := 1
	for _, name := range p.rowNames() {
		last, _ := strconv.Atoi(name[1:])
		n = last + 1
	}
	row := "r" + strconv.Itoa(n)
	for name, all := range fresh {
		p.values[row+"."+name] = all
	}
	return row
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

func (v *visit) paperPage() error {
	p, err := v.paperAsked()
	switch {
	case clientlib.Code(err) == clientlib.CodeFormDone:
		return v.paperSaved()
	case err != nil:
		return err
	}
	return p.show(http.StatusOK, &paperBody{})
}

// paperKept keeps what is typed, as it is typed.
func (v *visit) paperKept() error {
	p, err := v.paperAsked()
	if err == nil {
		err = p.take(func() error { return nil })
	}
	if err != nil {
		return v.notKept(err)
	}
	return v.part("paper", "kept", map[string]any{"v": v, "Kept": v.wall(), "Error": ""})
}

// paperSent keeps what was sent, and does what the button says.
func (v *visit) paperSent() error {
	p, err := v.paperAsked()
	switch {
	case clientlib.Code(err) == clientlib.CodeFormDone: // a double tap
		return v.to(v.r.URL.Path)
	case err != nil:
		return err
	}
	do := v.r.PostFormValue(valueDo)
	switch {
	case strings.HasPrefix(do, doAdd):
		return p.added(strings.TrimPrefix(do, doAdd))
	case strings.HasPrefix(do, doRemove):
		row := strings.TrimPrefix(do, doRemove)
		return p.moved(row, func() { p.values.Set(row+"."+valueGone, "yes") })
	case strings.HasPrefix(do, doBack):
		row := strings.TrimPrefix(do, doBack)
		return p.moved(row, func() { p.values.Del(row + "." + valueGone) })
	}
	if err := p.take(func() error { return nil }); err != nil {
		return err
	}
	if do == doKeep {
		return v.done(pathToday, "kept")
	}
	return p.log(do)
}

// added adds a row, and leads to it.
func (p *paper) added(kind string) error {
	k, ok := kindNamed(kind)
	if !ok || !slices.Contains(paperKinds, k) {
		return errNoPage
	}
	fresh, err := p.freshRow(k)
	if err != nil {
		return err
	}
	var row string
	err = p.take(func() error {
		row = p.add(fresh)
		return nil
	})
	if err != nil {
		return err
	}
	return p.to(p.r.URL.Path + "#" + row)
}

// moved takes a row out or puts it back.
func (p *paper) moved(row string, move func()) error {
	err := p.take(func() error {
		if !slices.Contains(p.rowNames(), row) {
			return errNoPage
		}
		move()
		return nil
	})
	if err != nil {
		return err
	}
	return p.to(p.r.URL.Path + "#" + row)
}

// unsure reports whether a record may be the same as the row, and nobody has said whether it is.
func (r *paperRow) unsure() bool { return len(r.similar) > 0 && r.values.Get(valueSame) == "" }

// gone reports whether a row was taken out.
func (r *paperRow) gone() bool { return r.values.Get(valueGone) != "" }

// log logs all rows together.
func (p *paper) log(do string) error {
	var families []clientlib.Family
	var logged []*paperRow
	body := &paperBody{}
	for _, row := range p.rows {
		if row.gone() {
			continue
		}
		family, err := row.family(do)
		if err != nil {
			return err
		}
		families, logged = append(families, family), append(logged, row)
		body.Unsure = body.Unsure || row.unsure()
	}
	if len(families) == 0 {
		body.Error = p.T("paper_empty")
		return p.show(http.StatusUnprocessableEntity, body)
	}
	if !p.wrong() && !body.Unsure {
		_, err := p.store().LogForm(p.context(), p.kept.ID, families...)
		var of *clientlib.FamilyError
		switch {
		case err == nil:
			p.desk.syncer.Wake(false)
			return p.to(p.r.URL.Path)
		case !errors.As(err, &of):
			return err
		}
		if other := logged[of.Family].noteWrong(logged[of.Family].of, of.Err); other != nil {
			return other
		}
	}
	return p.show(http.StatusUnprocessableEntity, body)
}

// wrong reports whether something is wrong with a row.
func (p *paper) wrong() bool {
	return slices.ContainsFunc(p.rows, func(r *paperRow) bool { return len(r.wrong) > 0 })
}

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

// show answers with the page.
func (p *paper) show(status int, body *paperBody) error {
	body.ID, body.Day, body.Kept = p.kept.ID, p.values.Get(valueDay), p.kept.Saved
	body.Max = p.around.day(p.visit).String()
	if start := record.Date(p.around.deployment.GetStartOn()); start.Valid() {
		body.Min = start.String()
	}
	number := 0
	for _, row := range p.rows {
		shown, err := row.body()
		if err != nil {
			return err
		}
		if !shown.Gone {
			number++
			shown.Title = p.T("paper_row", number, shown.Title)
		}
		if wrong := row.wrong["occurred_on"]; wrong != "" {
			body.DayError = wrong
		}
		body.Incomplete = body.Incomplete || len(row.missing) > 0
		if len(row.wrong) > 0 || row.unsure() {
			body.Look = append(body.Look, choice{Value: "#" + row.name, Label: shown.Title})
		}
		body.Rows = append(body.Rows, shown)
	}
	if p.wrong() {
		body.Error = p.T("form_wrong")
	}
	for _, k := range paperKinds {
		body.Add = append(body.Add, choice{Value: doAdd + words.KindName(k), Label: p.around.kindLabel(k)})
	}
	return p.showAs(status, "paper", &page{Title: p.T("nav_paper"), Here: pathMore, Back: pathMore, Body: body})
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

// savedBody is what a day from paper came to.
type savedBody struct {
	Saved []item
	// Risks lead to the reports of risks that were seen.
	Risks []choice
}

// paperSaved shows what a day from paper came to.
func (v *visit) paperSaved() error {
	form, err := v.id("form")
	if err != nil {
		return err
	}
	made, err := v.store().FormMade(v.context(), form)
	if err != nil {
		return err
	}
	var body savedBody
	for _, id := range made {
		r, err := v.store().Record(v.context(), id)
		if err != nil {
			return err
		}
		body.Saved = append(body.Saved, v.item(r))
		if session, ok := r.Message.(*recordv1.CaseSession); ok && risky(session) {
			if of, ok := idOf(session.GetCase()); ok {
				body.Risks = append(body.Risks, choice{Value: pathEmergency + "?subject=" + of.String(), Label: v.T("paper_risk", v.headline(r))})
			}
		}
		belongings, err := v.belongings(id)
		if err != nil {
			return err
		}
		body.Saved = append(body.Saved, belongings...)
	}
	return v.show("papersaved", &page{Title: v.T("title_paper_saved"), Here: pathMore, Back: pathToday, Done: v.T("done_saved"), Body: body})
}
