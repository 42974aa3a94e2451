package webui

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"levee/server/internal/closeout"
	"levee/server/internal/finalreport"
	"levee/server/internal/progress"
	"levee/syncproto/certificate"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// plain is a number as the published sentence has it: in Chinese without its thousands apart.
func (v *visit) plain(n int64) string { return v.Either(v.Number(n), strconv.FormatInt(n, 10)) }

// figureLabel is what the deployment calls a figure.
func (v *visit) figureNamedBy(name string) string {
	all := v.within.Progress.Figures()
	i := slices.IndexFunc(all, func(f progress.Figure) bool { return f.Name == name })
	if i < 0 {
		return name
	}
	return all[i].Label.In(v.Lang())
}

// sentenceOf tells the five figures as they are published.
func (v *visit) sentenceOf(p finalreport.Published) string {
	return p.Sentence(v.Words, v.within.Progress.Figures())
}

// cellsOf are the five figures with what they are called.
func (v *visit) cellsOf(p finalreport.Published) (cells []cell) {
	for _, one := range []struct {
		name string
		n    int64
	}{{progress.ServiceDays, p.Days}, {"cases", p.Cases}, {"group_sessions", p.GroupSessions}, {"community_activities", p.Activities}, {progress.Beneficiaries, p.Persons}} {
		cells = append(cells, cell{Head: v.figureNamedBy(one.name), Text: v.Number(one.n)})
	}
	return cells
}

func (v *visit) toEdition(n int, further ...string) string {
	return v.toCloseout(append([]string{"certificates", strconv.Itoa(n)}, further...)...)
}

// editionFound is the edition that the address names.
func (v *visit) editionFound() (*closeout.Edition, error) {
	editions, err := v.within.Closeout.Editions(v.context())
	if err != nil {
		return nil, err
	}
	asked := v.editionAsked()
	i := slices.IndexFunc(editions, func(e closeout.Edition) bool { return e.Edition == asked })
	if i < 0 {
		return nil, problem.New(problem.NotFound)
	}
	return &editions[i], nil
}

// editionBody is what the page of one edition of the certificate shows.
type editionBody struct {
	Says, Sentence string
	Figures        []cell
	Facts          []fact
	Totals         []totalRow
	Complete       []string
	Checks         []checkedRow
	Waivers        []waivedRow
	Previous       link
	Changed        string
	// Differences are of the whole deployment; Parts of its parts, of which More says how many are not shown.
	Differences, Parts []differenceRow
	More               string
	Addenda            []addedRow
	Image, File        string
	Report             link
	ReportFiles        []link
	Back               string
}

// fact is something with the word for it; Code is told digit by digit.
type fact struct {
	Name, Text string
	Code       bool
}

type (
	totalRow      struct{ Name, Reported, Verified string }
	checkedRow    struct{ Name, Open, Waived string }
	waivedRow     struct{ What, Reason, By, At string }
	differenceRow struct{ Figure, Basis, Of, Before, After, By string }
	addedRow      struct{ Name, At, Accepted, Declined, Reasons string }
)

// mostDifferences is how many lines the page has; the file has all.
const mostDifferences = 500

// edition shows one edition of the certificate.
func (v *visit) edition() error {
	e, err := v.editionFound()
	if err != nil {
		return err
	}
	five := finalreport.PublishedIn(e.Certificate)
	body := editionBody{Says: v.T("edition_says", e.Deployment.Name, v.Time(e.Issued.At), e.Issued.Name), Sentence: v.sentenceOf(five), Figures: v.cellsOf(five), Totals: v.totalRows(e.Certificate),
		Facts: []fact{
			{v.T("edition_days"), v.datesOf(e.Deployment), false},
			{v.T("edition_log"), v.T("edition_log_says", e.Log.Records, e.Log.Changes, e.Log.Position), false},
			{v.T("edition_chain"), e.Log.Chain, true},
			{"SHA-256", certificate.Hash(e.File), true},
			{v.T("edition_key"), certificate.Fingerprint(e.Key), true},
		},
		Complete: v.completeIn(&e.Completeness), Image: v.To(v.toEdition(e.Edition, "image")), File: v.To(v.toEdition(e.Edition, "file")), Back: v.To(v.toCloseout())}
	body.Report, body.ReportFiles = v.closingReportLinks(e.Edition)
	for _, c := range e.Checks {
		body.Checks = append(body.Checks, checkedRow{v.checkTitle(c.Check), v.Number(int64(c.Open)), v.Number(int64(c.Waived))})
	}
	for _, w := range e.Waivers {
		what := v.checkTitle(w.Check)
		switch {
		case w.Name != "":
			what = v.Labelled(what, w.Name)
		case w.Subject == (hlc.ID{}):
			what = v.Labelled(what, v.N("waived_all", int64(w.Count)))
		}
		body.Waivers = append(body.Waivers, waivedRow{what, w.Reason, w.By, v.Time(w.At)})
	}
	v.fillChanges(&body, e.Certificate)
	return v.show("edition", &page{Title: v.T("title_edition", e.Edition), Body: body})
}

// datesOf says from when to when a deployment was, as its certificate has it.
func (v *visit) datesOf(d certificate.Deployment) string {
	start, err := record.ParseDate(d.StartOn)
	end, eerr := record.ParseDate(d.EndOn)
	if err != nil || eerr != nil {
		return d.StartOn
	}
	return v.T("dates_between", v.Date(start), v.Date(end))
}

// totalRows are the figures of the whole, on both bases.
func (v *visit) totalRows(c *certificate.Certificate) (rows []totalRow) {
	values := map[[2]string]int64{}
	for _, t := range c.Totals {
		if t.By == tally.Whole.String() {
			values[[2]string{t.Basis, t.Figure}] = t.Value
		}
	}
	for _, f := range v.within.Progress.Figures() {
		if f.OnCalendar() || f.Name == progress.Beneficiaries { // which is persons by its published name
			continue
		}
		row := totalRow{Name: f.Label.In(v.Lang())}
		row.Reported, row.Verified = v.Number(values[[2]string{tally.Reported.String(), f.Name}]), v.Number(values[[2]string{tally.Verified.String(), f.Name}])
		rows = append(rows, row)
	}
	return rows
}

func (v *visit) completeIn(c *certificate.Completeness) []string {
	return []string{v.T("edition_tablets", c.Devices, c.HeardFrom, c.WithBacklog), v.N("overview_outstanding", int64(c.Outstanding)), v.T("overview_waiting", c.Held, c.Conflicts)}
}

func (v *visit) checkTitle(name string) string {
	check, ok := closeout.CheckNamed(name)
	if !ok { // of a newer server
		return name
	}
	return v.T(checkSaid[check].title)
}

// byNames are the names of the messages for what totals are divided by.
var byNames = map[tally.Dimension]string{tally.Day: "by_day", tally.Place: "by_place", tally.Site: "by_site", tally.Team: "by_team", tally.Worker: "by_worker",
	tally.ServiceArea: "by_service_area", tally.Sex: "by_sex", tally.AgeBand: "by_age_band", tally.Disability: "by_disability"}

// fillChanges says in what an edition differs from the one before, and what came of addenda.
func (v *visit) fillChanges(body *editionBody, c *certificate.Certificate) {
	for _, a := range c.Addenda {
		if a.Name == "" {
			a.Name = v.T("tablet_unnamed")
		}
		body.Addenda = append(body.Addenda, addedRow{a.Name, v.Time(a.Received), v.Number(int64(a.Accepted)), v.Number(int64(a.Declined)), v.List(a.Reasons)})
	}
	if c.Previous == nil {
		return
	}
	body.Previous = link{To: v.To(v.toEdition(c.Previous.Edition)), Name: v.T("edition_number", c.Previous.Edition)}
	body.Changed = v.N("edition_differs", int64(len(c.Differences)))
	for _, d := range c.Differences[:min(len(c.Differences), mostDifferences)] {
		row := differenceRow{v.figureNamedBy(d.Figure), v.basisNamed(d.Basis), v.lineOf(d.Line), v.Number(d.Before), v.Number(d.After), fmt.Sprintf("%+d", d.After-d.Before)}
		if d.By == tally.Whole.String() {
			body.Differences = append(body.Differences, row)
		} else {
			body.Parts = append(body.Parts, row)
		}
	}
	if rest := len(c.Differences) - mostDifferences; rest > 0 {
		body.More = v.N("edition_more", int64(rest))
	}
}

func (v *visit) basisNamed(name string) string {
	if name == tally.Verified.String() {
		return v.T("basis_verified")
	}
	return v.T("basis_reported")
}

// lineOf is what a line of totals is of: the whole, or a day, a place, a team and so on.
func (v *visit) lineOf(l certificate.Line) string {
	by, err := tally.ParseDimension(l.By)
	if err != nil {
		return l.By + " " + l.Key
	}
	if by == tally.Whole {
		return v.T("edition_whole")
	}
	name := l.Name
	if day, err := record.ParseDate(l.Key); name == "" && by == tally.Day && err == nil {
		name = v.Date(day)
	}
	if name == "" {
		name = progress.LabelOf(v.within.Syncing.SetUp(), by, l.Key).In(v.Lang())
	}
	return v.Labelled(v.T(byNames[by]), name)
}

// editionFile sends the file as it was signed.
func (v *visit) editionFile() error {
	e, err := v.editionFound()
	if err != nil {
		return err
	}
	return v.sendFile(fmt.Sprintf("levee-certificate-%s-%d.json", e.Deployment.ID, e.Edition), "application/json", e.File)
}

// editionImage is a QR code with what tells one certificate from all others, so that paper can be held against the file.
func (v *visit) editionImage() error {
	e, err := v.editionFound()
	if err != nil {
		return err
	}
	text, err := json.Marshal(struct {
		Deployment string `json:"levee_deployment"`
		Edition    int    `json:"edition"`
		SHA256     string `json:"sha256"`
		Key        string `json:"key"`
	}{e.Deployment.ID.String(), e.Edition, certificate.Hash(e.File), certificate.Fingerprint(e.Key)})
	if err != nil {
		return err
	}
	return v.image(string(text))
}
