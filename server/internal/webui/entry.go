package webui

import (
	"net/http"

	"levee/server/internal/access"
	"levee/server/internal/accounts"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
)

// Paths that others lead to.
const (
	pathSignIn     = "/sign-in"
	pathSetUp      = "/set-up"
	pathInvitation = "/invitation"
	pathReset      = "/reset"
)

func entryRoutes(r *router) {
	r.form(pathSetUp, anyone, (*visit).setUp)
	r.form(pathSignIn, anyone, (*visit).signIn)
	r.deed("/sign-out", anyone, (*visit).signOut)
	r.form(pathInvitation, anyone, (*visit).invitation)
	r.deed("/invitation/join", access.OwnAccount, (*visit).join)
	r.form(pathReset, anyone, (*visit).reset)
}

// codeScript is the script that reads the code behind the "#" of a link.
const codeScript = "code.js"

// newAccount are the fields of somebody who gets an account.
func (v *visit) newAccount(f *form) *form {
	return f.add(
		&field{Name: "code", Required: true, Focus: true},
		&field{Name: "name", Required: true, Fill: "name"},
		&field{Name: "login", Hint: v.T("hint_new_login"), Required: true, Fill: "username"},
		&field{Name: "password", Label: v.T("field_new_password"), Sort: "password", Required: true, Fill: "new-password"},
		&field{Name: "again", Sort: "password", Required: true, Fill: "new-password"},
		&field{Name: "language", Sort: "select", Required: true, Value: v.Lang(), Options: []option{{"zh", "简体中文"}, {"en", "English"}}},
	)
}

// same checks that a new password was typed twice the same.
func (f *form) same() bool {
	if f.value("password") != f.value("again") {
		f.wrong("again", f.T("wrong_again"))
	}
	return f.ok()
}

func (f *form) account() accounts.NewAccount {
	return accounts.NewAccount{Login: f.value("login"), Name: f.value("name"), Password: f.value("password"), Language: f.value("language")}
}

// atFields says at which field problems with an account are told.
var atFields = map[problem.Code]string{
	problem.LinkInvalid: "code", problem.LoginTaken: "login", problem.PasswordWeak: "password", problem.InvalidArgument: "login",
}

// setUp makes the first account.
func (v *visit) setUp() error {
	needed, err := v.Accounts.NeedsSetUp(v.context())
	if err != nil {
		return err
	}
	if !needed {
		return problem.New(problem.NotFound)
	}
	f := v.newAccount(v.form("submit_set_up"))
	show := func() error {
		return v.show("form", &page{Title: v.T("title_set_up"), Lead: []string{v.T("set_up_lead"), v.T("set_up_lead_code")}, Form: f, Script: codeScript})
	}
	if !v.filled(f) || !f.same() {
		return show()
	}
	n := f.account()
	if _, err := v.Accounts.SetUp(v.context(), f.value("code"), n); err != nil {
		return v.refused(err, f, atFields, show)
	}
	return v.begin(n)
}

// begin signs in who just got an account.
func (v *visit) begin(n accounts.NewAccount) error {
	value, _, err := v.Accounts.SignIn(v.context(), accounts.SignIn{Login: n.Login, Password: n.Password, Address: v.RealIP()})
	if err != nil {
		return err
	}
	v.SetCookie(Cookie(value))
	return v.done("/", "account_made")
}

// invitation makes an account for who was invited, or adds to the one that is signed in.
func (v *visit) invitation() error {
	if v.session != nil {
		return v.join()
	}
	f := v.newAccount(v.form("submit_invitation"))
	show := func() error {
		return v.show("form", &page{Title: v.T("title_invitation"), Lead: []string{v.T("invitation_lead")}, Form: f, Script: codeScript,
			Links: []link{{To: v.To(pathSignIn + "?next=" + pathInvitation), Name: v.T("invitation_sign_in")}}})
	}
	if !v.filled(f) || !f.same() {
		return show()
	}
	n := f.account()
	if _, err := v.Accounts.AcceptInvitation(v.context(), f.value("code"), n); err != nil {
		return v.refused(err, f, atFields, show)
	}
	return v.begin(n)
}

// join adds what an invitation promises to the account that is signed in.
func (v *visit) join() error {
	f := v.form("submit_join").add(&field{Name: "code", Required: true, Focus: true})
	f.Action = v.To("/invitation/join")
	show := func() error {
		return v.show("form", &page{Title: v.T("title_invitation"), Lead: []string{v.T("join_lead", v.session.Account.Login)}, Form: f, Script: codeScript})
	}
	if !v.filled(f) {
		return show()
	}
	if err := v.Accounts.JoinInvitation(v.context(), f.value("code"), *v.session); err != nil {
		return v.refused(err, f, atFields, show)
	}
	return v.done("/", "joined")
}

// reset sets a new password with a link.
func (v *visit) reset() error {
	f := v.form("submit_reset").add(
		&field{Name: "code", Required: true, Focus: true},
		&field{Name: "password", Label: v.T("field_new_password"), Sort: "password", Required: true, Fill: "new-password"},
		&field{Name: "again", Sort: "password", Required: true, Fill: "new-password"})
	show := func() error {
		return v.show("form", &page{Title: v.T("title_reset"), Lead: []string{v.T("reset_lead")}, Form: f, Script: codeScript})
	}
	if !v.filled(f) || !f.same() {
		return show()
	}
	if err := v.Accounts.Reset(v.context(), f.value("code"), f.value("password")); err != nil {
		return v.refused(err, f, atFields, show)
	}
	return v.done(pathSignIn, "reset")
}

// half is a sign-in that lacks the time code.
type half struct{ login, password string }

// signIn begins a session: first login and password, then the time code, if the account has one.
func (v *visit) signIn() error {
	next := local(v.QueryParam("next"))
	if v.session != nil && !v.posted() {
		return v.Redirect(http.StatusSeeOther, v.To(next))
	}
	needed, err := v.Accounts.NeedsSetUp(v.context())
	if err != nil {
		return err
	}
	if needed {
		return v.Redirect(http.StatusSeeOther, v.To(pathSetUp))
	}
	first := v.form("submit_sign_in").add(
		&field{Name: "login", Required: true, Fill: "username", Focus: true},
		&field{Name: "password", Sort: "password", Required: true, Fill: "current-password"})
	second := v.form("submit_sign_in").add(
		&field{Name: "half", Sort: "hidden"},
		&field{Name: "time_code", Required: true, Fill: "one-time-code", Mode: "numeric", Focus: true})
	f := first
	if v.posted() && v.FormValue("half") != "" {
		f = second
	}
	show := func() error {
		p := &page{Title: v.T("title_sign_in"), Form: f}
		if f == second {
			p.Lead = []string{v.T("time_code_lead")}
		} else {
			p.Links = []link{{To: v.To(pathInvitation), Name: v.T("to_invitation")}}
		}
		return v.show("form", p)
	}
	if !v.filled(f) {
		return show()
	}
	var typed half
	var code string
	if f == second {
		var ok bool
		if typed, ok = kept[half](v.once, v.Wall(), hlc.ID{}, f.value("half")); !ok {
			f = first
			f.Error = v.T("wrong_half")
			return show()
		}
		code = f.value("time_code")
	} else {
		typed = half{f.value("login"), f.value("password")}
	}
	value, _, err := v.Accounts.SignIn(v.context(), accounts.SignIn{Login: typed.login, Password: typed.password, TOTP: code, Address: v.RealIP()})
	switch {
	case problem.CodeOf(err) == problem.TimeCodeNeeded:
		// The password is kept here for the minutes that this takes: it goes into no page.
		second.field("half").Value = v.once.keep(v.Wall(), hlc.ID{}, typed)
		f = second
		return show()
	case err != nil:
		return v.refused(err, f, nil, show)
	}
	v.SetCookie(Cookie(value))
	return v.Redirect(http.StatusSeeOther, v.To(next))
}

// signOut ends the session.
func (v *visit) signOut() error {
	if v.session != nil {
		if err := v.Accounts.SignOut(v.context(), *v.session); err != nil {
			return err
		}
	}
	v.SetCookie(Cookie(""))
	return v.done(pathSignIn, "signed_out")
}
