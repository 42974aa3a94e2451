package webui

import (
	"net/http"

	"github.com/google/uuid"

	"levee/server/internal/accounts"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
)

// secret is a text that is shown after a form was sent, and never again.
type secret struct {
	// Title and Lead are the names of messages; the lead's argument is about whom it is.
	Title, Lead string
	About       string
	Text, Back  string
}

// reveal leads to the page that shows a secret.
func (v *visit) reveal(s secret) error {
	name := v.once.keep(v.Wall(), v.session.Account.ID, s)
	return v.Redirect(http.StatusSeeOther, v.To("/shown/"+name))
}

// shown shows a secret that was made just now.
func (v *visit) shown() error {
	s, ok := kept[secret](v.once, v.Wall(), v.session.Account.ID, v.Param("shown"))
	if !ok {
		return problem.New(problem.NotFound)
	}
	return v.show("shown", &page{Title: v.T(s.Title), Lead: []string{v.T(s.Lead, s.About)}, Body: struct{ Text, Back string }{s.Text, v.To(s.Back)}})
}

// inviteAs makes the link with which somebody gets an account that acts as a worker.
func (v *visit) inviteAs(m accounts.Membership, name, back string) error {
	code, err := v.Accounts.Invite(v.context(), v.session.Actor(m.Deployment), accounts.Invitation{Membership: m})
	if err != nil {
		return err
	}
	return v.reveal(secret{"title_invited", "invited_lead", name, v.URL + pathInvitation + "#" + code, back})
}

// parsed is the id that a field has; zero when it has none.
func parsed(text string) hlc.ID {
	id, err := uuid.Parse(text)
	if err != nil {
		return hlc.ID{}
	}
	return id
}
