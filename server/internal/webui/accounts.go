package webui

import (
	"levee/server/internal/access"
	"levee/server/internal/accounts"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
)

func accountsRoutes(r *router) {
	r.page("/accounts", access.SeeAccounts, (*visit).accounts)
	r.deed("/accounts/invitation", access.ManageAccounts, (*visit).inviteAdministrator)
	r.page("/accounts/:account/sessions", access.SeeAccounts, (*visit).sessionsOf)
	r.deed("/accounts/:account/sessions/end", access.ManageAccounts, (*visit).endSessionsOf)
	r.deed("/accounts/:account/sessions/:session/end", access.ManageAccounts, (*visit).endSessionOf)
	r.deed("/accounts/:account/reset", access.ManageAccounts, (*visit).resetAccount)
	r.deed("/accounts/:account/disabled", access.ManageAccounts, (*visit).disable)
	r.deed("/accounts/:account/enabled", access.ManageAccounts, (*visit).enable)
}

type accountRow struct {
	Name, Login    string
	Does           []string
	Disabled, TOTP bool
	// Where one does what; empty where it makes no sense.
	Reset, Disable, Enable, Sessions string
}

// accounts lists all accounts, for administrators.
func (v *visit) accounts() error {
	all, err := v.Accounts.Accounts(v.context())
	if err != nil {
		return err
	}
	var rows []accountRow
	terms := v.terms()
	for _, a := range all {
		row := accountRow{Name: a.Name, Login: a.Login, Disabled: a.Disabled, TOTP: a.TOTP}
		if a.Administrator {
			row.Does = append(row.Does, v.T("role_administrator"))
		}
		for _, m := range a.Memberships {
			if d := v.Deployments.Get(m.Deployment); d != nil {
				setUp := d.Syncing.SetUp()
				row.Does = append(row.Does, v.T("does_in", choice(terms, setUp.Workers[m.Worker].GetRole()), setUp.Deployment.GetName()))
			}
		}
		at := "/accounts/" + a.ID.String()
		row.Sessions = v.To(at, "/sessions")
		switch {
		case a.Disabled:
			row.Enable = v.To(at, "/enabled")
		case a.ID != v.session.Account.ID:
			row.Disable, row.Reset = v.To(at, "/disabled"), v.To(at, "/reset")
		}
		rows = append(rows, row)
	}
	return v.show("accounts", &page{Title: v.T("title_accounts"), Body: struct{ Accounts []accountRow }{rows}})
}

// sessionOfRow is a sign-in of somebody's account.
type sessionOfRow struct {
	accounts.Session
	Here bool
	End  string
}

// sessionsOf lists where somebody is signed in, for administrators.
func (v *visit) sessionsOf() error {
	a, err := v.accountNamed()
	if err != nil {
		return err
	}
	all, err := v.Accounts.Sessions(v.context(), a.ID)
	if err != nil {
		return err
	}
	at := "/accounts/" + a.ID.String() + "/sessions"
	body := struct {
		Sessions  []sessionOfRow
		All, Back string
	}{All: v.To(at, "/end"), Back: v.To("/accounts")}
	for _, s := range all {
		body.Sessions = append(body.Sessions, sessionOfRow{s, s.ID == v.session.ID, v.To(at, "/", s.ID.String(), "/end")})
	}
	return v.show("sessions", &page{Title: v.T("title_sessions", a.Name), Body: body})
}

// endSessionOf ends one sign-in of somebody's account.
func (v *visit) endSessionOf() error {
	a, err := v.accountNamed()
	if err != nil {
		return err
	}
	id, err := v.id("session")
	if err != nil {
		return err
	}
	if err := v.Accounts.EndSessionOf(v.context(), v.session.Actor(hlc.ID{}), a.ID, id); err != nil {
		return err
	}
	return v.done("/accounts/"+a.ID.String()+"/sessions", "session_ended")
}

// endSessionsOf ends all sign-ins of somebody's account.
func (v *visit) endSessionsOf() error {
	a, err := v.accountNamed()
	if err != nil {
		return err
	}
	if err := v.Accounts.EndSessionsOf(v.context(), v.session.Actor(hlc.ID{}), a.ID); err != nil {
		return err
	}
	return v.done("/accounts/"+a.ID.String()+"/sessions", "sessions_ended")
}

// inviteAdministrator makes the link with which somebody becomes an administrator.
func (v *visit) inviteAdministrator() error {
	code, err := v.Accounts.Invite(v.context(), v.session.Actor(hlc.ID{}), accounts.Invitation{Administrator: true})
	if err != nil {
		return err
	}
	return v.reveal(secret{"title_invited", "invited_administrator_lead", "", v.URL + pathInvitation + "#" + code, "/accounts"})
}

// resetAccount makes the link with which somebody who forgot their password sets a new one.
func (v *visit) resetAccount() error {
	a, err := v.accountNamed()
	if err != nil {
		return err
	}
	code, err := v.Accounts.ResetCode(v.context(), v.session.Actor(hlc.ID{}), a.ID)
	if err != nil {
		return err
	}
	return v.reveal(secret{"title_reset_link", "reset_link_lead", a.Name, v.URL + pathReset + "#" + code, "/accounts"})
}

// disable refuses an account from now on.
func (v *visit) disable() error {
	a, err := v.accountNamed()
	if err != nil {
		return err
	}
	if a.ID == v.session.Account.ID {
		return problem.New(problem.NotAllowed) // nobody locks themselves out
	}
	if err := v.Accounts.Disable(v.context(), v.session.Actor(hlc.ID{}), a.ID); err != nil {
		return err
	}
	return v.done("/accounts", "disabled")
}

// enable undoes disable.
func (v *visit) enable() error {
	a, err := v.accountNamed()
	if err != nil {
		return err
	}
	if err := v.Accounts.Enable(v.context(), v.session.Actor(hlc.ID{}), a.ID); err != nil {
		return err
	}
	return v.done("/accounts", "enabled")
}

func (v *visit) accountNamed() (accounts.Account, error) {
	id, err := v.id("account")
	if err != nil {
		return accounts.Account{}, err
	}
	return v.Accounts.Account(v.context(), id)
}
