package webui

import (
	"context"
	"slices"

	"levee/server/internal/access"
	"levee/server/internal/audit"
	"levee/server/internal/export"
	"levee/server/internal/httpapi"
	"levee/syncproto/problem"
)

const pathExports = pathIn + "/exports"

func exportsRoutes(r *router) {
	r.form(pathExports, access.Export, (*visit).exports)
	r.form(pathExports+"/confidential", access.Export, (*visit).exportConfidential)
	r.page(pathExports+"/:export/file", access.Export, (*visit).exportFile)
	r.deed(pathExports+"/:export/removal", access.Export, (*visit).removeExport)
	r.section(pathExports, "nav_exports", access.Export)
}

func (v *visit) toExports(further ...string) string {
	return to(v.within.Syncing.Deployment(), append([]string{"exports"}, further...)...)
}

// exportsBody is what the page of exports shows.
type exportsBody struct {
	Ordered []orderedRow
	// Again is where the page is loaded anew while something is running; empty while nothing is.
	Again string
	// Whose says of which teams the files are.
	Whose string
	// Confidential is where one orders what is confidential; empty for who may not.
	Confidential string
}

// orderedRow is an export that the visitor ordered.
type orderedRow struct {
	Name, At, State, StateTag string
	Confidential, Running     bool
	// Done of Of records are read, as numbers and in words.
	Done, Of uint64
	Progress string
	// File is where it is taken from; empty until it is there. Size and Until say how large it is, and until when it is kept.
	File, Size, Until string
	Remove            string
}

// exports shows what the visitor ordered and how far that is, and takes orders.
func (v *visit) exports() error {
	f := v.form("submit_export").add(&field{Name: "format", Sort: "radio", Required: true, Value: "xlsx", Options: v.formats(export.Formats)})
	show := func() error {
		return v.show("exports", &page{Title: v.T("title_exports"), Form: f, Body: v.exportsBody()})
	}
	if !v.filled(f) {
		return show()
	}
	if err := v.order(export.FormatNamed(f.value("format")), false); err != nil {
		return v.refusedOrder(err, f, show)
	}
	return v.done(v.toExports(), "")
}

// exportConfidential takes an order of what is confidential, once one has read what that means.
func (v *visit) exportConfidential() error {
	if !export.Allowed(v.person, v.Lang(), true).Confidential {
		return problem.New(problem.NotFound)
	}
	inside := slices.DeleteFunc(slices.Clone(export.Formats), func(f *export.Format) bool { return f.Outside })
	f := v.form("submit_export_confidential").add(&field{Name: "format", Sort: "radio", Required: true, Value: "xlsx", Options: v.formats(inside)})
	f.Danger = true
	body := struct {
		Consequences []string
		Back         string
	}{[]string{v.T("confidential_what"), v.T("confidential_noted"), v.T("confidential_keep")}, v.To(v.toExports())}
	show := func() error {
		return v.show("confirm", &page{Title: v.T("title_export_confidential"), Form: f, Body: body})
	}
	if !v.filled(f) {
		return show()
	}
	if err := v.order(export.FormatNamed(f.value("format")), true); err != nil {
		return v.refusedOrder(err, f, show)
	}
	return v.done(v.toExports(), "")
}

func (v *visit) refusedOrder(err error, f *form, show func() error) error {
	if problem.CodeOf(err) == problem.TooManyRequests {
		f.Error = v.T("wrong_export_running")
		return show()
	}
	return v.refused(err, f, nil, show)
}

// formatNames are the names of the messages for what formats are called, and what they hold.
var formatNames = map[string][2]string{
	"csv": {"format_csv", "format_csv_holds"}, "geojson": {"format_geojson", "format_geojson_holds"}, "hxl": {"format_hxl", "format_hxl_holds"}, "xlsx": {"format_xlsx", "format_xlsx_holds"},
}

// formats are what one chooses from, each with what it holds.
func (v *visit) formats(of []*export.Format) (all []option) {
	for _, f := range of {
		all = append(all, option{f.Name, v.Labelled(v.T(formatNames[f.Name][0]), v.T(formatNames[f.Name][1]))})
	}
	return all
}

// order begins an export, and notes it.
func (v *visit) order(f *export.Format, confidential bool) error {
	action, id := audit.Exported, v.within.Syncing.Deployment()
	if confidential {
		action = audit.ConfidentialExported
	}
	log, entry := v.Audit, audit.Entry{Deployment: id, Actor: v.session.Actor(id), Action: action, Subject: audit.Subject{Kind: audit.OfDeployment, ID: id}, File: audit.File{Format: f.Name}}
	_, err := v.Exports.Start(export.Order{Account: v.session.Account.ID, Deployment: id, Format: f, Query: export.Allowed(v.person, v.Lang(), confidential),
		Note: func(ctx context.Context, position uint64) error {
			entry.File.Position = position
			return log.Write(ctx, entry)
		}})
	return err
}

func (v *visit) exportsBody() exportsBody {
	body, q := exportsBody{Whose: v.T("exports_whole")}, export.Allowed(v.person, v.Lang(), true)
	if !q.Whole {
		names := make([]string, len(q.Teams))
		for i, team := range q.Teams {
			names[i] = v.within.Syncing.SetUp().Teams[team].GetName()
		}
		body.Whose = v.T("exports_teams", v.List(names))
	}
	if q.Confidential {
		body.Confidential = v.To(v.toExports("confidential"))
	}
	for _, o := range v.Exports.Of(v.session.Account.ID, v.within.Syncing.Deployment()) {
		if !o.MayTake(v.person) {
			continue
		}
		row := v.orderedRow(o)
		if body.Ordered = append(body.Ordered, row); row.Running {
			body.Again = v.To(v.toExports())
		}
	}
	return body
}

var exportStates = map[export.State]struct{ name, tag string }{
	export.Running: {"export_running", "warn"}, export.Ready: {"export_ready", "good"}, export.Failed: {"export_failed", "bad"}, export.TooLarge: {"export_too_large", "bad"},
}

func (v *visit) orderedRow(o export.Ordered) orderedRow {
	state := exportStates[o.State]
	row := orderedRow{Name: v.T(formatNames[o.Format.Name][0]), At: v.Time(o.Ordered), State: v.T(state.name), StateTag: state.tag, Confidential: o.Query.Confidential, Running: o.State == export.Running,
		Done: o.Done, Of: o.Of, Remove: v.To(v.toExports(o.ID, "removal"))}
	switch o.State {
	case export.Running:
		row.Progress = v.T("export_progress", v.Number(int64(o.Done)), v.Number(int64(o.Of))) //nolint:gosec // counts of records
	case export.Ready:
		row.File, row.Size, row.Until = v.To(v.toExports(o.ID, "file")), v.T("export_size", (o.Size+1023)/1024), v.T("export_until", v.Time(o.Until))
	}
	return row
}

// exportFile sends a file that is ready.
func (v *visit) exportFile() error {
	account, deployment := v.session.Account.ID, v.within.Syncing.Deployment()
	o, err := v.Exports.Get(account, deployment, v.Param("export"))
	if err != nil {
		return err
	}
	if !o.MayTake(v.person) {
		return problem.New(problem.NotFound)
	}
	return httpapi.SendExport(v.Response(), v.Request(), v.Exports, o, v.zone)
}

// removeExport breaks off an export, or removes the file.
func (v *visit) removeExport() error {
	if err := v.Exports.Drop(v.session.Account.ID, v.within.Syncing.Deployment(), v.Param("export")); err != nil {
		return err
	}
	return v.done(v.toExports(), "export_removed")
}
