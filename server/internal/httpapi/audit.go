package httpapi

import (
	"context"
	"net/http"
	"time"

	"levee/server/internal/access"
	"levee/server/internal/audit"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
)

type auditBody struct {
	Entries []auditView `json:"entries" nullable:"false" doc:"The newest first."`
	Next    uint64      `json:"next,omitempty" doc:"To be given as before for the next page; absent on the last one."`
}

type auditView struct {
	Number  uint64    `json:"number" doc:"Counts from 1, without gaps."`
	At      time.Time `json:"at"`
	Action  string    `json:"action" example:"device_revoked"`
	Account string    `json:"account,omitempty" doc:"Absent, with all the others, for what was done at the server's command line."`
	Worker  string    `json:"worker,omitempty" doc:"As whom."`
	Device  string    `json:"device,omitempty" doc:"The tablet that it came from."`
	Session string    `json:"session,omitempty" doc:"The session on the web."`
	Token   string    `json:"token,omitempty" doc:"The API token."`
	Kind    string    `json:"subject_kind" example:"device"`
	Subject string    `json:"subject,omitempty" doc:"Id of what it was done to."`
	Format  string    `json:"format,omitempty" example:"xlsx" doc:"Of an export: its format."`
	Of      uint64    `json:"position,omitempty" doc:"Of an export: how long the change log was at the moment that all of it is of."`
}

// auditLog answers with a deployment's part of the log, or with the server's own.
func (a *api) auditLog(ctx context.Context, in *struct {
	Scope
	Server bool  `query:"server" doc:"The server's own part instead: accounts, sessions and keys. For administrators."`
	Before int64 `query:"before" minimum:"0" doc:"The next of the page before; absent for the first page."`
	Limit  int   `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many rows to give at most."`
}) (*answer[auditBody], error) {
	lang := languageOf(in.AcceptLanguage)
	of, err := a.auditOf(ctx, in.Server, in.Deployment)
	var entries []audit.Entry
	out := &answer[auditBody]{Status: http.StatusOK, Language: lang, Body: auditBody{Entries: []auditView{}}}
	if err == nil {
		entries, out.Body.Next, err = a.Audit.Page(ctx, of, uint64(in.Before), in.Limit) //nolint:gosec // not negative
	}
	if err != nil {
		return nil, a.refusal(err, in.Asked)
	}
	for _, e := range entries {
		out.Body.Entries = append(out.Body.Entries, auditView{e.Number, e.At, string(e.Action), idText(e.Actor.Account), idText(e.Actor.Worker),
			idText(e.Actor.Device), idText(e.Actor.Session), idText(e.Actor.Token), string(e.Subject.Kind), idText(e.Subject.ID), e.File.Format, e.File.Position})
	}
	return out, nil
}

// auditOf is whose log is asked for, if the caller may see it.
func (a *api) auditOf(ctx context.Context, server bool, deployment string) (hlc.ID, error) {
	if !server {
		d, err := a.enter(ctx, deployment)
		if err != nil {
			return hlc.ID{}, err
		}
		return d.Syncing.Deployment(), nil
	}
	who := callerOf(ctx)
	if who.Session == nil || access.May(access.Person{Administrator: who.Session.Account.Administrator}, access.SeeServerAudit, access.Where{}) != access.Yes {
		return hlc.ID{}, problem.New(problem.NotFound)
	}
	return hlc.ID{}, nil
}
