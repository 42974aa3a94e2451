package webui

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"levee/server/internal/access"
	"levee/server/internal/accounts"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// homeRow is a deployment on the first page.
type homeRow struct{ To, Name, Dates, As string }

func homeRoutes(r *router) {
	r.page("/", access.OwnAccount, (*visit).home)
	r.form("/deployments/new", access.MakeDeployment, (*visit).newDeployment)
}

// home lists the deployments in which the visitor has a part.
func (v *visit) home() error {
	var rows []homeRow
	terms := v.terms()
	for _, d := range v.Deployments.All() {
		p, setUp := v.personIn(d), d.Syncing.SetUp()
		if access.May(p, access.SeeSetUp, access.Where{Foreign: p.Worker == hlc.ID{}}) != access.Yes {
			continue
		}
		row := homeRow{To: v.To(to(d.Syncing.Deployment())), Name: setUp.Deployment.GetName(), Dates: v.dates(setUp.Deployment)}
		if w := setUp.Workers[p.Worker]; w != nil {
			row.As = v.T("as_worker", w.GetName(), choice(terms, w.GetRole()))
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b homeRow) int { return cmp.Compare(a.Name, b.Name) })
	body := struct {
		Deployments []homeRow
		// Together leads to the figures of several deployments; empty for who sees no more than one's.
		Together string
	}{Deployments: rows}
	if len(v.Deployments.Together(v.personIn)) > 0 {
		body.Together = v.To(pathRollUp)
	}
	return v.show("home", &page{Title: v.T("title_home"), Body: body})
}

// dates says from when to when a deployment is.
func (w *wording) dates(d *recordv1.Deployment) string {
	start, end := w.Date(record.Date(d.GetStartOn())), w.Date(record.Date(d.GetEndOn()))
	if d.GetEndOn() == 0 {
		return w.T("dates_since", start)
	}
	return w.T("dates_between", start, end)
}

// to is a path within a deployment.
func to(deployment hlc.ID, parts ...string) string {
	path := "/deployments/" + deployment.String()
	for _, part := range parts {
		path += "/" + part
	}
	return path
}

// firstSites is how many sites the form of a new deployment has room for. More are added later.
const firstSites = 3

// zones are offered first; any IANA name may be typed.
const usualZone = "Asia/Shanghai"

// newDeployment makes a deployment with its first sites, teams and coordinator.
func (v *visit) newDeployment() error {
	f := v.form("submit_deployment").add(
		&field{Name: "name", Label: v.T("field_deployment_name"), Required: true, Focus: true},
		&field{Name: "start", Sort: "date", Required: true},
		&field{Name: "time_zone", Required: true, Value: usualZone})
	for i := range firstSites {
		n := strconv.Itoa(i + 1)
		f.add(&field{Name: "site_" + n, Label: v.T("field_site_n", i+1)},
			&field{Name: "code_" + n, Label: v.T("field_code_n", i+1), Mode: "numeric"},
			&field{Name: "team_" + n, Label: v.T("field_team_n", i+1)})
	}
	f.add(&field{Name: "coordinator", Sort: "radio", Required: true, Value: "me", Options: []option{{"me", v.T("coordinator_me", v.session.Account.Name)}, {"other", v.T("coordinator_other")}}},
		&field{Name: "coordinator_name", Label: v.T("field_coordinator_name")})
	if known := v.linkable(); len(known) > 0 {
		f.add(&field{Name: "same_people", Sort: "select", Options: known})
	}
	show := func() error {
		return v.show("form", &page{Title: v.T("new_deployment"), Lead: []string{v.T("new_deployment_lead")}, Form: f})
	}
	if !v.filled(f) || !v.checkDeployment(f) {
		return show()
	}
	n := NewDeployment{Name: f.value("name"), Start: f.value("start"), TimeZone: f.value("time_zone"), Coordinator: f.value("coordinator_name")}
	if f.has("same_people") {
		n.SamePeople = parsed(f.value("same_people"))
	}
	mine := f.value("coordinator") == "me"
	if mine {
		n.Coordinator = v.session.Account.Name
	}
	for i := range firstSites {
		k := strconv.Itoa(i + 1)
		if name := f.value("site_" + k); name != "" {
			n.Sites = append(n.Sites, NewSite{Name: name, Code: f.value("code_" + k), Team: f.value("team_" + k)})
		}
	}
	id, coordinator, err := v.NewDeployment(v.context(), v.session.Actor(hlc.ID{}), n)
	if err != nil {
		return v.refused(err, f, nil, show)
	}
	m := accounts.Membership{Deployment: id, Worker: coordinator}
	if mine {
		if err := v.Accounts.AddMembership(v.context(), v.session.Actor(id), v.session.Account.ID, m); err != nil {
			return err
		}
		return v.done(to(id, "people"), "deployment_made")
	}
	return v.inviteAs(m, n.Coordinator, "/")
}

// linkable are the deployments of which whoever makes a new one may say that both count the same people: all that still know how
// people are told apart.
func (v *visit) linkable() (list []option) {
	for _, d := range v.Deployments.All() {
		if made := d.Syncing.SetUp().Deployment; made.GetState() != recordv1.DeploymentState_DEPLOYMENT_STATE_ARCHIVED {
			list = append(list, option{d.Syncing.Deployment().String(), made.GetName()})
		}
	}
	return list
}

// checkDeployment checks what the form of a new deployment alone can know.
func (v *visit) checkDeployment(f *form) bool {
	if day, err := record.ParseDate(f.value("start")); err != nil || day == 0 {
		f.wrong("start", v.T("wrong_date"))
	}
	if !zoneKnown(f.value("time_zone")) {
		f.wrong("time_zone", v.T("wrong_zone"))
	}
	names, teams := map[string]bool{}, map[string]bool{}
	for i := range firstSites {
		k := strconv.Itoa(i + 1)
		site, code, team := f.value("site_"+k), f.value("code_"+k), f.value("team_"+k)
		if site == "" && (code != "" || team != "") {
			f.wrong("site_"+k, v.T("wrong_missing"))
		}
		if site != "" && !placeCode(code) {
			f.wrong("code_"+k, v.T("wrong_place"))
		}
		if site != "" && names[site] {
			f.wrong("site_"+k, v.T("wrong_twice"))
		}
		if team != "" && teams[team] {
			f.wrong("team_"+k, v.T("wrong_twice"))
		}
		names[site], teams[team] = true, true
	}
	if f.value("coordinator") == "other" && f.value("coordinator_name") == "" {
		f.wrong("coordinator_name", v.T("wrong_missing"))
	}
	return f.ok()
}

func zoneKnown(name string) bool {
	_, err := time.LoadLocation(name)
	return err == nil && name != "" && name != "Local"
}

// placeCode reports whether text looks like a code of the statistics bureau.
func placeCode(code string) bool {
	for _, c := range code {
		if c < '0' || c > '9' {
			return false
		}
	}
	switch len(code) {
	case 2, 4, 6, 9, 12:
		return true
	default:
		return false
	}
}
