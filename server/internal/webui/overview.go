package webui

import "levee/server/internal/access"

func overviewRoutes(r *router) {
	r.page(pathIn, access.SeeSetUp, (*visit).overview)
	r.section(pathIn, "nav_overview", access.SeeSetUp)
}

// overview is the first page of a deployment.
func (v *visit) overview() error {
	d := v.within.Syncing.SetUp().Deployment
	return v.show("overview", &page{Title: d.GetName(), Body: struct{ Dates string }{v.dates(d)}})
}
