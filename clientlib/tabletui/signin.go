package tabletui

import (
	"net/http"
	"net/url"
	"strings"

	"levee/clientlib"
	"levee/syncproto/problem"
)

// pathUnlock asks for the PIN again, before identities are shown.
const pathUnlock = "/unlock"

// entry is what the pages before signing in show.
type entry struct {
	// Profiles are whose files there are; one is chosen where there are several.
	Profiles []profile
	Profile  string
	// New: the file will be made, with a PIN to choose.
	New  bool
	Next string
	// Back is where one goes on without the PIN.
	Back  string
	Error string
}

// profile is a worker's file on this tablet.
type profile struct {
	Name, Label string
	// Wrong says why it can't be opened.
	Wrong string
}

// enterPage takes the code out of the link.
func (v *visit) enterPage() error {
	if v.gate.known(v.r) {
		return v.to(pathToday)
	}
	return v.show("enter", &page{Title: v.T("title_enter")})
}

// enter lets in the browser that has the link.
func (v *visit) enter() error {
	if !v.gate.known(v.r) && !v.gate.take(strings.TrimSpace(v.r.PostFormValue("code"))) {
		return v.showAs(http.StatusForbidden, "enter", &page{Title: v.T("title_enter"), Wrong: v.T("link_used")})
	}
	v.gate.admit(v.w)
	return v.to(pathToday)
}

// profiles are whose files are on this tablet.
func (v *visit) profiles() ([]profile, error) {
	found, err := clientlib.Profiles(v.Folder)
	if err != nil {
		return nil, err
	}
	var all []profile
	for _, p := range found {
		if v.Profile != "" && p.Name != v.Profile {
			continue
		}
		one := profile{Name: p.Name, Label: p.Name}
		if p.Worker != "" {
			one.Label = v.T("worker_in", p.Worker, p.Deployment)
		}
		if p.Code != "" {
			one.Wrong = clientlib.Message(&clientlib.Error{Code: p.Code}, v.Lang())
		}
		all = append(all, one)
	}
	return all, nil
}

func (v *visit) signInPage() error {
	return v.askPIN(http.StatusOK, &entry{Profile: v.r.FormValue("profile")})
}

func (v *visit) askPIN(status int, e *entry) error {
	var err error
	if e.Profiles, err = v.profiles(); err != nil {
		return err
	}
	if len(e.Profiles) == 0 {
		return v.to(pathEnrol)
	}
	if e.Profile == "" {
		e.Profile = e.Profiles[0].Name
	}
	e.Next = v.next()
	return v.showAs(status, "signin", &page{Title: v.T("title_sign_in"), Body: e})
}

// signedIn opens the file of a worker with the PIN.
func (v *visit) signedIn() error {
	name := v.r.PostFormValue("profile")
	path, err := v.pathOf(name)
	if err != nil {
		return err
	}
	if !clientlib.HasKey(path) {
		return v.to(pathEnrol)
	}
	d, err := v.signIn(v.context(), path, clientlib.PIN(v.r.PostFormValue("pin")))
	if err != nil {
		return v.refusedPIN(err, func(text string) error {
			return v.askPIN(http.StatusUnprocessableEntity, &entry{Profile: name, Error: text})
		})
	}
	status, err := d.store.Status(v.context())
	if err != nil {
		return err
	}
	if !status.Enrolled {
		return v.to(pathEnrol)
	}
	return v.to(v.next())
}

// refusedPIN shows what is wrong with a PIN where it was asked for; other errors are returned.
func (v *visit) refusedPIN(err error, again func(text string) error) error {
	switch clientlib.Code(err) {
	case clientlib.CodeKeyWrong, clientlib.CodeKeyWait, clientlib.CodeKeyWeak, clientlib.CodeKeyNeeded, clientlib.CodeProfileName:
		return again(clientlib.Message(err, v.Lang()))
	default:
		return err
	}
}

// pathOf is the file of a profile.
func (v *visit) pathOf(name string) (string, error) {
	if v.Profile != "" && name != v.Profile {
		return "", errNoPage
	}
	return clientlib.ProfilePath(v.Folder, name)
}

func (v *visit) lockPages() error {
	v.desks.lock()
	return v.to(pathSignIn)
}

// unlockPage asks for the PIN before identities are shown.
func (v *visit) unlockPage() error { return v.askAgain(http.StatusOK, "") }

func (v *visit) askAgain(status int, wrong string) error {
	body := &entry{Next: v.next(), Back: v.local("back"), Error: wrong}
	return v.showAs(status, "unlock", &page{Title: v.T("title_unlock"), Back: body.Back, Body: body})
}

func (v *visit) unlock() error {
	err := v.store().Verify(v.context(), clientlib.PIN(v.r.PostFormValue("pin")))
	if err != nil {
		return v.refusedPIN(err, func(text string) error { return v.askAgain(http.StatusUnprocessableEntity, text) })
	}
	v.desk.showIdentity(v.wall())
	return v.to(v.next())
}

// enrolPage makes a worker's file, or enrols one that was made and could not be enrolled yet.
func (v *visit) enrolPage() error { return v.askCode(http.StatusOK, &entry{}) }

func (v *visit) askCode(status int, e *entry) error {
	e.New = v.desk == nil
	if e.New && e.Profile == "" {
		e.Profile = v.Profile
	}
	return v.showAs(status, "enrol", &page{Title: v.T("title_enrol"), Body: e})
}

// enrolled enrols the tablet for a worker. The file is made first, so that a code whose answer was lost works again.
func (v *visit) enrolled() error {
	name := strings.TrimSpace(v.r.PostFormValue("profile"))
	again := func(text string) error {
		return v.askCode(http.StatusUnprocessableEntity, &entry{Profile: name, Error: text})
	}
	d := v.desk
	if d == nil {
		pin := v.r.PostFormValue("pin")
		if pin != v.r.PostFormValue("again") {
			return again(v.T("pins_differ"))
		}
		path, err := v.pathOf(name)
		if err != nil {
			return v.refusedPIN(err, again)
		}
		if d, err = v.signIn(v.context(), path, clientlib.PIN(pin)); err != nil {
			return v.refusedPIN(err, again)
		}
		v.desk = d
	}
	code, address := strings.TrimSpace(v.r.PostFormValue("code")), strings.TrimSpace(v.r.PostFormValue("address"))
	err := error(nil)
	if address == "" {
		err = d.store.Enrol(v.context(), code)
	} else {
		err = d.store.EnrolTyped(v.context(), address, code)
	}
	switch {
	case clientlib.Code(err) == clientlib.CodeAlreadyEnrolled:
		return v.to(pathToday)
	case err != nil && clientlib.Code(err) == string(problem.Internal):
		return err
	case err != nil: // the code, the network or the server: she can try again
		return again(clientlib.Message(err, v.Lang()))
	}
	d.syncer.Wake(false)
	return v.done(pathSync, "enrolled")
}

// speak chooses the language.
func (v *visit) speak() error {
	language := "en"
	if v.r.PostFormValue("language") == "zh" {
		language = "zh"
	}
	if v.desk != nil {
		if err := v.desk.set(func(s *settings) { s.Language = language }); err != nil {
			return err
		}
		return v.to(v.next())
	}
	v.speakFirst(language)
	return v.to(v.next())
}

func pathEscape(to string) string { return url.QueryEscape(to) }

// query is the query of an address, with its mark.
func query(raw string) string {
	if raw == "" {
		return ""
	}
	return "?" + raw
}
