package tabletui

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

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
