package webui

import (
	"strconv"
	"time"

	"levee/server/internal/access"
	"levee/server/internal/accounts"
	"levee/server/internal/audit"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
)

func auditRoutes(r *router) {
	r.page(pathIn+"/audit", access.SeeAudit, (*visit).auditIn)
	r.section(pathIn+"/audit", "nav_audit", access.SeeAudit)
	r.page("/audit", access.SeeServerAudit, (*visit).auditOfServer)
}

type entryRow struct {
	Number                      string
	At                          time.Time
	Who, Through, What, Subject string
	// File is what an export wrote; empty for everything else.
	File string
}

const entriesOfPage = 100

func (v *visit) auditOfServer() error { return v.audit(hlc.ID{}, "/audit") }

func (v *visit) auditIn() error {
	id := v.within.Syncing.Deployment()
	return v.audit(id, to(id, "audit"))
}

// audit shows a page of an audit log, the newest entry first.
func (v *visit) audit(deployment hlc.ID, path string) error {
	var before uint64
	if text := v.QueryParam("before"); text != "" {
		var err error
		if before, err = strconv.ParseUint(text, 10, 62); err != nil {
			return problem.New(problem.NotFound)
		}
	}
	entries, following, err := v.Audit.Page(v.context(), deployment, before, entriesOfPage)
	if err != nil {
		return err
	}
	all, err := v.Accounts.Accounts(v.context())
	if err != nil {
		return err
	}
	names := map[hlc.ID]accounts.Account{}
	for _, a := range all {
		names[a.ID] = a
	}
	rows := make([]entryRow, 0, len(entries))
	for _, e := range entries {
		row := entryRow{Number: strconv.FormatUint(e.Number, 10), At: e.At, What: v.actionName(e.Action), Who: v.nameOf(names, audit.OfAccount, e.Actor.Account)}
		switch {
		case e.Actor == audit.Actor{}:
			row.Who = v.T("actor_command_line")
		case e.Actor.Account == hlc.ID{}:
			row.Who = v.nameOf(names, audit.OfWorker, e.Actor.Worker)
		}
		switch {
		case e.Actor.Token != hlc.ID{}:
			row.Through = v.T("through_token")
		case e.Actor.Device != hlc.ID{}:
			row.Through = v.T("through_tablet")
		}
		if e.Subject.ID != (hlc.ID{}) {
			row.Subject = v.T("subject", v.kindName(e.Subject.Kind), v.nameOf(names, e.Subject.Kind, e.Subject.ID))
		}
		if e.File != (audit.File{}) {
			row.File = v.T("exported_as", v.formatName(e.File.Format), v.Number(int64(e.File.Position))) //nolint:gosec // a position is below 63 bits
		}
		rows = append(rows, row)
	}
	next := ""
	if following != 0 {
		next = v.To(path + "?before=" + strconv.FormatUint(following, 10))
	}
	return v.show("audit", &page{Title: v.T("title_audit"), Body: struct {
		Entries []entryRow
		Next    string
	}{rows, next}})
}

// nameOf is what people call what an id names. The log has ids alone: names are those of now, and who is no longer there is
// known by the id.
func (v *visit) nameOf(names map[hlc.ID]accounts.Account, kind audit.Kind, id hlc.ID) string {
	switch kind {
	case audit.OfAccount:
		if a, ok := names[id]; ok {
			return a.Name
		}
	case audit.OfDeployment:
		if name := v.deploymentName(id); name != "" {
			return name
		}
	case audit.OfWorker, audit.OfRecord:
		if v.within == nil {
			break
		}
		setUp := v.within.Syncing.SetUp()
		for _, name := range []string{setUp.Workers[id].GetName(), setUp.Teams[id].GetName(), setUp.Sites[id].GetName()} {
			if name != "" {
				return name
			}
		}
	}
	return id.String()[:8] + "…" + id.String()[32:]
}

// actionName is what people call an action; its own name where this version has none.
func (v *visit) actionName(a audit.Action) string {
	if _, ok := messages["action_"+string(a)]; ok {
		return v.T("action_" + string(a))
	}
	return string(a)
}

// formatName is what people call the format of an export; its own name where this version has none.
func (v *visit) formatName(name string) string {
	if names, ok := formatNames[name]; ok {
		return v.T(names[0])
	}
	return name
}

func (v *visit) kindName(k audit.Kind) string {
	if _, ok := messages["kind_"+string(k)]; ok {
		return v.T("kind_" + string(k))
	}
	return string(k)
}
