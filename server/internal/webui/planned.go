package webui

import (
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/access"
	"levee/server/internal/progress"
	"levee/server/internal/review"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

func plannedRoutes(r *router) {
	r.page(pathIn+"/planned", access.SeeRecords, (*visit).planned)
	r.section(pathIn+"/planned", "nav_planned", access.SeeRecords)
	r.form(pathIn+"/planned/:activity", access.ReviewRecords, (*visit).plan)
	r.form(pathIn+"/planned/:activity/cancellation", access.ReviewRecords, (*visit).cancelPlanned)
}

func (v *visit) toPlanned() string { return to(v.within.Syncing.Deployment(), "planned") }

// How far back and ahead the list of what is planned goes, in days: what was planned and not held yet is seen for a while.
const (
	plannedBack  = 14
	plannedAhead = 366
)

// plannedDay is what is planned for one day.
type plannedDay struct {
	Day  string
	Past bool
	Rows []plannedRow
}

type plannedRow struct {
	Name, Form, Site, Team string
	// Where one edits and cancels it; empty where the visitor may not.
	Edit, Cancel string
}

// planned lists the planned activities that the visitor's teams have, by day.
func (v *visit) planned() error {
	today := record.DateOf(v.Wall(), v.zone)
	all, truncated, err := v.within.Progress.Planned(v.context(), today.AddDays(-plannedBack), today.AddDays(plannedAhead), v.teamsOf(access.SeeRecords))
	if err != nil {
		return err
	}
	body := struct {
		New       string
		Days      []plannedDay
		Truncated bool
	}{Truncated: truncated}
	if v.may(access.ReviewRecords, access.Everyone) {
		body.New = v.To(v.toPlanned(), "/new")
	}
	terms, setUp := v.terms(), v.within.Syncing.SetUp()
	for _, p := range all {
		day := record.Date(p.Activity.GetOccurredOn())
		if n := len(body.Days); n == 0 || body.Days[n-1].Day != v.Date(day) {
			body.Days = append(body.Days, plannedDay{Day: v.Date(day), Past: day < today})
		}
		row := plannedRow{Name: p.Activity.GetName(), Site: setUp.Sites[idOf(p.Activity.GetSite())].GetName(), Team: v.T("all_teams")}
		if p.Activity.Form != nil {
			row.Form = choice(terms, p.Activity.GetForm())
		}
		if p.Team != access.Everyone {
			row.Team = setUp.Teams[p.Team].GetName()
		}
		if v.mayPlan(p.Team) == nil {
			row.Edit, row.Cancel = v.To(v.toPlanned(), "/", p.ID.String()), v.To(v.toPlanned(), "/", p.ID.String(), "/cancellation")
		}
		last := &body.Days[len(body.Days)-1]
		last.Rows = append(last.Rows, row)
	}
	return v.show("planned", &page{Title: v.T("title_planned"), Lead: []string{v.T("planned_lead")}, Body: body})
}

// mayPlan is the problem that the visitor has who may not plan for a team; for all teams coordinators alone may.
func (v *visit) mayPlan(team hlc.ID) error {
	if err := v.must(access.ReviewRecords, team); err != nil {
		return err
	}
	if team == access.Everyone && v.person.Role != recordv1.Role_ROLE_COORDINATOR {
		return problem.New(problem.NotAllowed)
	}
	return nil
}

// plannedNamed is the planned activity of the address that the visitor may change.
func (v *visit) plannedNamed() (progress.Planned, error) {
	id, err := v.id("activity")
	if err != nil {
		return progress.Planned{}, err
	}
	p, ok, err := v.within.Progress.PlannedActivity(v.context(), id)
	if err != nil {
		return p, err
	}
	if !ok || !v.may(access.SeeRecords, p.Team) {
		return p, problem.New(problem.NotFound)
	}
	return p, v.mayPlan(p.Team)
}

// Numbers of the fields of a planned activity.
const (
	commonDay     protowire.Number = 4
	commonArea    protowire.Number = 7
	activityForm  protowire.Number = 17
	activityShare protowire.Number = 19
)

// plan makes or edits a planned activity.
func (v *visit) plan() error {
	p := progress.Planned{Activity: &recordv1.CommunityActivity{}}
	made := v.Param("activity") == "new"
	if !made {
		var err error
		if p, err = v.plannedNamed(); err != nil {
			return err
		}
	}
	f := v.planForm(p, made)
	show := func() error {
		return v.show("form", &page{Title: v.titleOf("planned", made), Lead: []string{v.T("planned_lead")}, Form: f, Links: []link{{To: v.To(v.toPlanned()), Name: v.T("go_back")}}})
	}
	if !v.filled(f) {
		return show()
	}
	seen, err := strconv.ParseUint(f.value("seen"), 10, 64)
	if err != nil && !made {
		f.Error = v.T("wrong_form")
		return show()
	}
	m, cleared := v.planFilled(f)
	if !f.ok() {
		return show()
	}
	if made {
		_, err = v.within.Review.Plan(v.context(), v.reader(), m)
	} else {
		err = v.within.Review.Replan(v.context(), v.reader(), review.Seen{ID: p.ID, Position: seen}, m, cleared)
	}
	if err != nil {
		return v.refusedRecord(err, f, map[protowire.Number]string{namedName: "name", commonDay: "day", commonArea: "area", commonPlace: "site"}, show)
	}
	return v.done(v.toPlanned(), "saved")
}

// planForm is the form of a planned activity.
func (v *visit) planForm(p progress.Planned, made bool) *form {
	setUp, terms, a := v.within.Syncing.SetUp(), v.terms(), p.Activity
	teams := v.teamOptions(access.ReviewRecords)
	if v.person.Role == recordv1.Role_ROLE_COORDINATOR {
		teams = append([]option{{"all", v.T("all_teams")}}, teams...)
	}
	team := "all"
	if p.Team != access.Everyone {
		team = p.Team.String()
	}
	areas := recordv1.ServiceArea(0).Descriptor()
	return v.form("submit_save").add(
		&field{Name: "seen", Label: "-", Sort: "hidden", Value: strconv.FormatUint(p.Position, 10)},
		&field{Name: "name", Label: v.T("field_activity_name"), Required: true, Value: a.GetName(), Focus: made},
		&field{Name: "day", Sort: "date", Required: true, Value: day(a.GetOccurredOn())},
		&field{Name: "team", Label: v.T("field_planned_team"), Sort: "select", Required: true, Value: team, Options: teams},
		&field{Name: "site", Sort: "select", Value: chosen(a.GetSite()), Options: options(setUp.Sites)},
		&field{Name: "form", Sort: "select", Value: terms.OptionOf(a.GetForm().Descriptor(), a.GetForm().Number()).Name, Options: choices(terms, a.GetForm().Descriptor())},
		&field{Name: "area", Sort: "select", Required: true, Value: terms.OptionOf(areas, a.GetServiceArea().Number()).Name, Options: choices(terms, areas)},
		&field{Name: "whom", Value: a.GetAudience()})
}

// planFilled is what the form says, and which fields it empties.
func (v *visit) planFilled(f *form) (m *recordv1.CommunityActivity, cleared []protowire.Number) {
	setUp := v.within.Syncing.SetUp()
	m = &recordv1.CommunityActivity{Name: proto.String(f.value("name")), OccurredOn: v.dayOf(f, "day"), Audience: ifAny(f.value("whom"))}
	for _, o := range v.terms().Options(recordv1.ServiceArea(0).Descriptor()) {
		if o.Name == f.value("area") {
			m.ServiceArea = recordv1.ServiceArea(o.Number).Enum()
		}
	}
	if team := parsed(f.value("team")); team != (hlc.ID{}) {
		m.Team = team[:]
	} else {
		cleared = append(cleared, commonTeam)
	}
	if site := parsed(f.value("site")); site != (hlc.ID{}) {
		m.Site, m.Place = site[:], setUp.Sites[site].GetPlace()
	} else {
		cleared = append(cleared, commonSite, commonPlace)
	}
	if named := f.value("form"); named != "" {
		m.Form = recordv1.ActivityForm(recordv1.ActivityForm_value["ACTIVITY_FORM_"+strings.ToUpper(named)]).Enum()
	} else {
		cleared = append(cleared, activityForm)
	}
	if m.Audience == nil {
		cleared = append(cleared, activityShare)
	}
	return m, cleared
}

// cancelPlanned says of a planned activity that it is not held.
func (v *visit) cancelPlanned() error {
	p, err := v.plannedNamed()
	if err != nil {
		return err
	}
	f := v.form("submit_cancel").add(&field{Name: "seen", Label: "-", Sort: "hidden", Value: strconv.FormatUint(p.Position, 10)})
	f.Danger = true
	name := p.Activity.GetName()
	return v.sure(v.T("title_cancel_planned", name), []string{v.T("cancel_planned_tablets"), v.T("cancel_planned_counted")}, v.toPlanned(), f, func() error {
		seen, err := strconv.ParseUint(f.value("seen"), 10, 64)
		if err != nil {
			return problem.New(problem.Malformed)
		}
		if err := v.within.Review.CancelPlanned(v.context(), v.reader(), review.Seen{ID: p.ID, Position: seen}); err != nil {
			return err
		}
		return v.done(v.toPlanned(), "planned_cancelled")
	})
}
