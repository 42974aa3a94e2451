package webui

import (
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"levee/server/internal/access"
	"levee/server/internal/charts"
	"levee/server/internal/progress"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

func overviewRoutes(r *router) {
	r.page(pathIn, access.SeeSetUp, (*visit).overview)
	r.section(pathIn, "nav_overview", access.SeeSetUp)
	r.page(pathIn+"/charts/:chart", access.SeeTotals, (*visit).chart)
}

// overviewBody is what the first page of a deployment shows.
type overviewBody struct {
	Dates string
	// Shown is false for who sees no totals: administrators, and who is in no team.
	Shown        bool
	Cards        []figureCard
	AsOf         string
	Completeness []string
	Divisions    []division
}

// figureCard is one figure, and the rule by which it is counted.
type figureCard struct {
	Label, Rule, Reported string
	// Verified is empty for what is counted on the calendar.
	Verified string
	// To leads to the page of the figure.
	To string
}

// division is how a figure is divided: an image, and the table that it was drawn from.
type division struct {
	ID string
	charts.Table
	// Image is where the image is, ImageNarrow the one for phones; empty when there is nothing to draw.
	Image, ImageNarrow string
	// Missing are the rows that are not in the image, as sites without coordinates.
	Missing []string
	draw    func(charts.Style) ([]byte, error)
}

// overview is the first page of a deployment: what was done, how complete that is, and where and when.
func (v *visit) overview() error {
	d := v.within.Syncing.SetUp().Deployment
	body := overviewBody{Dates: v.dates(d)}
	o, ok, err := v.glance()
	if err != nil {
		return err
	}
	if ok {
		body.Shown = true
		body.Cards, body.Completeness, body.Divisions = v.figureCards(&o), v.completeness(&o.Completeness), v.divisions(&o)
		body.AsOf = v.T("overview_as_of", v.Date(o.AsOf))
	}
	return v.show("overview", &page{Title: d.GetName(), Body: body})
}

// glance is the deployment as the visitor sees it; false for who sees no totals of it.
func (v *visit) glance() (progress.Overview, bool, error) {
	q := progress.OverviewQuery{Below: v.QueryParam("below")}
	q.Whole, q.Teams = access.Teams(v.person, access.SeeTotals)
	if !q.Whole && len(q.Teams) == 0 {
		return progress.Overview{}, false, nil
	}
	o, err := v.within.Progress.Overview(v.context(), q)
	return o, true, err
}

func (v *visit) figureCards(o *progress.Overview) []figureCard {
	cards := make([]figureCard, 0, len(o.Figures))
	for _, f := range o.Figures {
		card := figureCard{Label: f.Label.In(v.Lang()), Rule: f.Rule.In(v.Lang()), To: v.To(to(v.within.Syncing.Deployment(), "figures", f.Name))}
		if f.OnCalendar() {
			card.Reported = v.Number(int64(o.ServiceDays))
		} else {
			card.Reported = v.Number(o.Whole.Values[tally.Reported][f.Name])
			card.Verified = v.T("overview_verified", o.Whole.Values[tally.Verified][f.Name])
		}
		cards = append(cards, card)
	}
	return cards
}

// completeness are sentences about how much of what was done the figures can know.
func (v *visit) completeness(c *progress.Completeness) []string {
	return []string{
		v.T("overview_heard", c.HeardFrom, c.Enrolled-c.Revoked, v.Time(c.Since)),
		v.N("overview_outstanding", c.Outstanding),
		v.T("overview_waiting", c.Held, c.Conflicts),
	}
}

// divisions divide contacts. Of some teams the teams alone are known.
func (v *visit) divisions(o *progress.Overview) []division {
	var sites []progress.Row
	var at []charts.Position
	var missing []string
	for _, site := range o.Sites {
		sites = append(sites, site.Row)
		p := charts.Position{Latitude: site.Latitude, Longitude: site.Longitude, Area: site.County}
		if p.Latitude == 0 && p.Longitude == 0 {
			missing = append(missing, site.Label.In(v.Lang()))
		}
		at = append(at, p)
	}
	var all []division
	add := func(id, title string, rows []progress.Row, draw func(charts.Table, charts.Style) ([]byte, error)) {
		if len(rows) == 0 {
			return
		}
		d := division{ID: id, Table: v.table(title, id, rows)}
		d.draw = func(s charts.Style) ([]byte, error) { return draw(d.Table, s) }
		image := to(v.within.Syncing.Deployment(), "charts", id) + "?at=" + strconv.FormatUint(o.Completeness.Position, 10)
		d.Image, d.ImageNarrow = v.To(image), v.To(image+"&narrow=1")
		all = append(all, d)
	}
	add("day", v.T("overview_by_day"), o.Days, charts.Days)
	add("place", v.T("overview_by_place"), o.Places, charts.Bars)
	add("site", v.T("overview_by_site"), sites, func(t charts.Table, s charts.Style) ([]byte, error) { return charts.Map(t, at, s), nil })
	if n := len(all); n > 0 && all[n-1].ID == "site" {
		if all[n-1].Missing = missing; len(missing) == len(sites) {
			all[n-1].Image = "" // none is on the map
		}
	}
	add("team", v.T("overview_by_team"), o.Teams, charts.Bars)
	add("service_area", v.T("overview_by_service_area"), o.ServiceAreas, charts.Bars)
	add("sex", v.T("overview_by_sex"), o.Sexes, charts.Bars)
	add("age_band", v.T("overview_by_age_band"), o.AgeBands, charts.Bars)
	return all
}

// table is contacts by row, as image and table have them.
func (v *visit) table(title, id string, rows []progress.Row) charts.Table {
	t := charts.Table{Title: title, Columns: []string{v.T("overview_column_reported"), v.T("overview_column_verified")}, Rest: v.T("overview_rest")}
	for _, r := range rows {
		row := charts.Row{Label: r.Label.In(v.Lang()), Values: []int64{r.Values[tally.Reported]["contacts"], r.Values[tally.Verified]["contacts"]}}
		if day, err := record.ParseDate(r.Key); id == "day" && err == nil {
			row.Label, row.Short = v.Date(day), day.Start(time.UTC).Format(v.Either("2 Jan", "1月2日"))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// chart answers with one of the overview's images.
func (v *visit) chart() error {
	o, ok, err := v.glance()
	if err != nil {
		return err
	}
	if !ok {
		return problem.New(problem.NotFound)
	}
	for _, d := range v.divisions(&o) {
		if d.ID != v.Param("chart") || d.Image == "" {
			continue
		}
		svg, err := d.draw(charts.Style{Narrow: v.QueryParam("narrow") != "", Number: v.Number})
		if err != nil {
			return err
		}
		v.Response().Header().Set(echo.HeaderVary, "Accept-Language, Cookie")
		return v.Blob(http.StatusOK, "image/svg+xml", svg)
	}
	return problem.New(problem.NotFound)
}
