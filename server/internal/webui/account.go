package webui

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"levee/server/internal/access"
	"levee/server/internal/accounts"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
)

func accountRoutes(r *router) {
	r.form("/account", access.OwnAccount, (*visit).account)
	r.deed("/account/time-code", access.OwnAccount, (*visit).beginTimeCode)
	r.form("/account/time-code/:shown", access.OwnAccount, (*visit).timeCode)
	r.page("/account/time-code/:shown/image", access.OwnAccount, (*visit).timeCodeImage)
	r.deed("/account/sign-out-others", access.OwnAccount, (*visit).signOutOthers)
	r.form("/account/tokens/new", access.OwnAccount, (*visit).newToken)
	r.deed("/account/tokens/:token/revocation", access.OwnAccount, (*visit).revokeToken)
	r.page("/shown/:shown", access.OwnAccount, (*visit).shown)
}

type sessionRow struct {
	accounts.Session
	Here bool
}

type tokenRow struct{ Name, Deployment, Scopes, Expires, Used, Revoke string }

type accountBody struct {
	Sessions []sessionRow
	// Others: there are sessions besides this one.
	Others   bool
	NewToken string
	Tokens   []tokenRow
}

// account is the page of one's own account; its form changes the password.
func (v *visit) account() error {
	f := v.form("submit_password").add(
		&field{Name: "old", Sort: "password", Required: true, Fill: "current-password"},
		&field{Name: "password", Label: v.T("field_new_password"), Sort: "password", Required: true, Fill: "new-password"},
		&field{Name: "again", Sort: "password", Required: true, Fill: "new-password"})
	body, err := v.accountBody()
	if err != nil {
		return err
	}
	show := func() error { return v.show("account", &page{Title: v.session.Account.Name, Form: f, Body: body}) }
	if !v.filled(f) || !f.same() {
		return show()
	}
	if err := v.Accounts.ChangePassword(v.context(), *v.session, f.value("old"), f.value("password")); err != nil {
		return v.refused(err, f, map[problem.Code]string{problem.SignInFailed: "old", problem.PasswordWeak: "password"}, show)
	}
	return v.done("/account", "password")
}

func (v *visit) accountBody() (accountBody, error) {
	var body accountBody
	sessions, err := v.Accounts.Sessions(v.context(), v.session.Account.ID)
	if err != nil {
		return body, err
	}
	for _, s := range sessions {
		body.Sessions = append(body.Sessions, sessionRow{s, s.ID == v.session.ID})
	}
	body.Others = len(sessions) > 1
	tokens, err := v.Accounts.Tokens(v.context(), v.session.Account.ID)
	if err != nil {
		return body, err
	}
	for _, t := range tokens {
		scopes := make([]string, 0, len(t.Scopes))
		for _, s := range t.Scopes {
			scopes = append(scopes, v.T("scope_"+string(s)))
		}
		used := v.T("never")
		if !t.Used.IsZero() {
			used = v.Time(t.Used)
		}
		body.Tokens = append(body.Tokens, tokenRow{t.Name, v.deploymentName(t.Deployment), v.List(scopes), v.Time(t.Expires), used, v.To("/account/tokens/" + t.ID.String() + "/revocation")})
	}
	if len(v.session.Account.Memberships) > 0 {
		body.NewToken = v.To("/account/tokens/new")
	}
	return body, nil
}

func (v *visit) deploymentName(id hlc.ID) string {
	if d := v.Deployments.Get(id); d != nil {
		return d.Syncing.SetUp().Deployment.GetName()
	}
	return ""
}

// signOutOthers ends all other sessions.
func (v *visit) signOutOthers() error {
	if err := v.Accounts.SignOutOthers(v.context(), *v.session); err != nil {
		return err
	}
	return v.done("/account", "others_out")
}

// beginTimeCode makes the secret of a time code.
func (v *visit) beginTimeCode() error {
	t, err := v.Accounts.BeginTOTP(v.context(), *v.session)
	if err != nil {
		return err
	}
	return v.Redirect(http.StatusSeeOther, v.To("/account/time-code/"+v.once.keep(v.Wall(), v.session.Account.ID, t)))
}

// timeCode turns the time code on, or off.
func (v *visit) timeCode() error {
	if v.Param("shown") == "off" {
		return v.dropTimeCode()
	}
	t, ok := kept[accounts.TOTPSecret](v.once, v.Wall(), v.session.Account.ID, v.Param("shown"))
	if !ok {
		return problem.New(problem.NotFound)
	}
	f := v.form("submit_totp").add(&field{Name: "time_code", Required: true, Fill: "one-time-code", Mode: "numeric", Focus: true})
	show := func() error {
		return v.show("totp", &page{Title: v.T("totp_begin"), Form: f, Body: struct{ Image, Secret string }{v.To("/account/time-code/" + v.Param("shown") + "/image"), t.Text}})
	}
	if !v.filled(f) {
		return show()
	}
	if err := v.Accounts.ConfirmTOTP(v.context(), *v.session, f.value("time_code")); err != nil {
		if problem.CodeOf(err) == problem.SignInFailed {
			f.wrong("time_code", v.T("wrong_time_code"))
			return show()
		}
		return v.refused(err, f, nil, show)
	}
	return v.done("/account", "totp_on")
}

func (v *visit) dropTimeCode() error {
	f := v.form("totp_drop").add(&field{Name: "old", Sort: "password", Required: true, Fill: "current-password", Focus: true})
	f.Danger = true
	show := func() error {
		return v.show("form", &page{Title: v.T("totp_drop"), Lead: []string{v.T("totp_drop_lead")}, Form: f, Links: []link{{To: v.To("/account"), Name: v.T("go_back")}}})
	}
	if !v.filled(f) {
		return show()
	}
	if err := v.Accounts.DropTOTP(v.context(), *v.session, f.value("old")); err != nil {
		return v.refused(err, f, map[problem.Code]string{problem.SignInFailed: "old"}, show)
	}
	return v.done("/account", "totp_off")
}

// timeCodeImage is the QR code for an authenticator.
func (v *visit) timeCodeImage() error {
	t, ok := kept[accounts.TOTPSecret](v.once, v.Wall(), v.session.Account.ID, v.Param("shown"))
	if !ok {
		return problem.New(problem.NotFound)
	}
	return v.image(t.URL)
}

// tokenDays are the lives of a token to choose from, in days.
var tokenDays = []int{7, 30, 90, 365}

// newToken makes an API token.
func (v *visit) newToken() error {
	var deployments, scopes, days []option
	for _, m := range v.session.Account.Memberships {
		deployments = append(deployments, option{m.Deployment.String(), v.deploymentName(m.Deployment)})
	}
	for _, s := range accounts.Scopes() {
		scopes = append(scopes, option{string(s), v.T("scope_" + string(s))})
	}
	for _, n := range tokenDays {
		days = append(days, option{strconv.Itoa(n), v.N("days", int64(n))})
	}
	f := v.form("submit_token").add(
		&field{Name: "name", Label: v.T("field_token_name"), Hint: v.T("hint_token_name"), Required: true, Focus: true},
		&field{Name: "deployment", Sort: "select", Required: true, Options: deployments},
		&field{Name: "scopes", Sort: "checks", Values: []string{string(accounts.ScopeRead)}, Options: scopes},
		&field{Name: "days", Sort: "select", Required: true, Value: "30", Options: days})
	show := func() error {
		return v.show("form", &page{Title: v.T("new_token"), Lead: []string{v.T("tokens_lead")}, Form: f, Links: []link{{To: v.To("/account"), Name: v.T("go_back")}}})
	}
	if !v.filled(f) {
		return show()
	}
	if len(f.field("scopes").Values) == 0 {
		f.wrong("scopes", v.T("wrong_choice"))
		return show()
	}
	deployment := parsed(f.value("deployment"))
	n := accounts.NewToken{Name: f.value("name"), Account: v.session.Account.ID, Membership: accounts.Membership{Deployment: deployment, Worker: v.session.Account.In(deployment)}}
	for _, s := range accounts.Scopes() {
		if slices.Contains(f.field("scopes").Values, string(s)) {
			n.Scopes = append(n.Scopes, s)
		}
	}
	life, _ := strconv.Atoi(f.value("days")) // one of those that were offered
	n.Life = time.Duration(life) * 24 * time.Hour
	text, _, err := v.Accounts.NewToken(v.context(), v.session.Actor(deployment), n)
	if err != nil {
		return v.refused(err, f, map[problem.Code]string{problem.InvalidArgument: "name"}, show)
	}
	return v.reveal(secret{"title_token", "token_lead", n.Name, text, "/account"})
}

// revokeToken ends an API token.
func (v *visit) revokeToken() error {
	id, err := v.id("token")
	if err != nil {
		return err
	}
	if err := v.Accounts.RevokeToken(v.context(), v.session.Actor(hlc.ID{}), v.session.Account.ID, id); err != nil {
		return err
	}
	return v.done("/account", "token_revoked")
}
