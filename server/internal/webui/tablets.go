package webui

import (
	"net/http"
	"strings"
	"time"

	"levee/server/internal/access"
	"levee/server/internal/audit"
	"levee/server/internal/progress"
	"levee/server/internal/qr"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
	"levee/syncproto/wire"
)

func tabletsRoutes(r *router) {
	r.page(pathIn+"/tablets", access.SeeDevices, (*visit).tablets)
	r.section(pathIn+"/tablets", "nav_tablets", access.SeeDevices)
	r.form(pathIn+"/tablets/:device/name", access.SeeDevices, (*visit).renameTablet)
	r.form(pathIn+"/tablets/:device/replacement", access.SeeDevices, (*visit).replaceTablet)
	r.form(pathIn+"/tablets/:device/revocation", access.SeeDevices, (*visit).revokeTablet)
	r.deed(pathIn+"/tablets/:device/confirmation", access.ConfirmTablet, (*visit).confirmTablet)
	r.deed(pathIn+"/workers/:worker/code", access.SeeSetUp, (*visit).makeCode)
	r.page(pathIn+"/codes/:shown", access.SeeSetUp, (*visit).code)
	r.page(pathIn+"/codes/:shown/image", access.SeeSetUp, (*visit).codeImage)
}

// codeLife is how long an enrolment code may be used.
const codeLife = 14 * 24 * time.Hour

// madeCode is an enrolment code that was made just now.
type madeCode struct {
	code    wire.EnrolmentCode
	worker  string
	expires time.Time
	// before are the worker's tablets from before, by which it is seen that the code was used.
	before map[hlc.ID]bool
}

// makeCode makes an enrolment code for a worker.
func (v *visit) makeCode() error {
	id, err := v.id("worker")
	if err != nil {
		return err
	}
	return v.newCode(id, hlc.ID{})
}

// mayTablet is the problem that the visitor has who may not do something about the tablets of a worker.
func (v *visit) mayTablet(a access.Action, worker hlc.ID) error {
	return refusal(access.MayTablet(v.person, a, v.within.Syncing.Person(worker), v.where(access.Everyone)))
}

// newCode makes a code for a worker, and leads to the page that shows it.
func (v *visit) newCode(worker, replaces hlc.ID) error {
	w := v.within.Syncing.SetUp().Workers[worker]
	if w == nil {
		return problem.New(problem.NotFound)
	}
	if err := v.mayTablet(access.EnrolTablet, worker); err != nil {
		return err
	}
	tablets, err := v.allTablets()
	if err != nil {
		return err
	}
	before := map[hlc.ID]bool{}
	for _, t := range tablets {
		before[t.ID] = true
	}
	secret, err := v.within.Syncing.NewEnrolmentCode(v.context(), worker, replaces, codeLife)
	if err != nil {
		return err
	}
	if err := v.note(audit.CodeMade, audit.OfWorker, worker); err != nil {
		return err
	}
	deployment := v.within.Syncing.Deployment()
	name := v.once.keep(v.Wall(), v.session.Account.ID, madeCode{
		code:   wire.EnrolmentCode{ServerURL: v.URL, Deployment: deployment, Worker: worker, Secret: secret, Pin: v.Pin},
		worker: w.GetName(), expires: v.Wall().Add(codeLife), before: before})
	return v.Redirect(http.StatusSeeOther, v.To(to(deployment, "codes", name)))
}

func (v *visit) keptCode() (madeCode, error) {
	m, ok := kept[madeCode](v.once, v.Wall(), v.session.Account.ID, v.Param("shown"))
	if !ok || m.code.Deployment != v.within.Syncing.Deployment() {
		return m, problem.New(problem.NotFound)
	}
	return m, nil
}

// codeBody is what the page of a code shows.
type codeBody struct {
	Expires, State, StateTag string
	// Image is where the QR code is; empty once the code was used.
	Image               string
	Server, Typed, Text string
	Again, Back         string
}

// code shows an enrolment code, and whether it was used.
func (v *visit) code() error {
	m, err := v.keptCode()
	if err != nil {
		return err
	}
	here := v.To(to(m.code.Deployment, "codes", v.Param("shown")))
	server := strings.TrimPrefix(m.code.ServerURL, "https://")
	body := codeBody{Expires: v.T("code_expires", v.Time(m.expires)), State: v.T("code_open"), Image: v.To(to(m.code.Deployment, "codes", v.Param("shown"), "image")),
		Server: server, Typed: m.code.Typed(), Text: m.code.String(), Again: here, Back: v.To(v.toPeople())}
	tablets, err := v.allTablets()
	if err != nil {
		return err
	}
	for _, t := range tablets {
		if t.Worker == m.code.Worker && !m.before[t.ID] {
			body.State, body.StateTag, body.Image = v.T("code_used"), "good", ""
		}
	}
	return v.show("code", &page{Title: v.T("title_code", m.worker), Body: body})
}

// codeImage is the QR code of an enrolment code.
func (v *visit) codeImage() error {
	m, err := v.keptCode()
	if err != nil {
		return err
	}
	return v.image(m.code.String())
}

// image answers with a QR code.
func (v *visit) image(text string) error {
	b, err := qr.PNG(text)
	if err != nil {
		return err
	}
	return v.Blob(http.StatusOK, "image/png", b)
}

type tabletRow struct {
	Name, Worker, Team, State, StateTag, Contact, ContactMachine, Backlog, Held, App, Copies string
	// Where one does what; empty where the visitor may not.
	Confirm, Rename, Replace, Revoke string
}

// tablets lists the tablets that the visitor may see.
func (v *visit) tablets() error {
	all, err := v.allTablets()
	if err != nil {
		return err
	}
	rows := make([]tabletRow, 0, len(all))
	for _, t := range all {
		rows = append(rows, v.tabletRow(t))
	}
	return v.show("tablets", &page{Title: v.T("title_tablets"), Body: struct{ Tablets []tabletRow }{rows}})
}

func (v *visit) tabletRow(t progress.Tablet) tabletRow {
	id := v.within.Syncing.Deployment()
	at := func(what string) string { return v.To(to(id, "tablets", t.ID.String(), what)) }
	contact := time.UnixMilli(t.LastContact)
	row := tabletRow{Name: t.Name, Worker: t.Owner.Name, Team: t.Team.Name, App: t.App, Backlog: v.N("changes", int64(t.Unsent)), //nolint:gosec // bounded when it arrived
		Contact: v.Time(contact), ContactMachine: v.Machine(contact)}
	if row.Name == "" {
		row.Name = v.T("tablet_unnamed")
	}
	if t.Held > 0 {
		row.Held = v.N("held", int64(t.Held)) //nolint:gosec // at most as many as there are changes
	}
	if t.Copies > 1 {
		row.Copies = v.N("copies", int64(t.Copies)) //nolint:gosec // a few
	}
	switch {
	case t.ReplacedBy != hlc.ID{}:
		row.State, row.StateTag = v.T("state_replaced"), "off"
	case t.RevokedAt != 0:
		row.State, row.StateTag = v.T("state_revoked"), "bad"
	case t.AdmittedAt != 0:
		row.State, row.StateTag = v.T("state_unconfirmed"), "warn"
	default:
		row.State, row.StateTag = v.T("state_active"), "good"
	}
	if v.mayTablet(access.RenameTablet, t.Worker) == nil {
		row.Rename = at("name")
	}
	if t.RevokedAt != 0 {
		return row
	}
	if t.AdmittedAt != 0 && v.may(access.ConfirmTablet, t.Team.ID) {
		row.Confirm = at("confirmation")
	}
	if v.mayTablet(access.EnrolTablet, t.Worker) == nil {
		row.Replace = at("replacement")
	}
	if v.mayTablet(access.RevokeTablet, t.Worker) == nil {
		row.Revoke = at("revocation")
	}
	return row
}

// tablet is the tablet of the address, if the visitor may do something to it.
func (v *visit) tablet(a access.Action) (progress.Tablet, error) {
	id, err := v.id("device")
	if err != nil {
		return progress.Tablet{}, err
	}
	all, err := v.allTablets()
	if err != nil {
		return progress.Tablet{}, err
	}
	for _, t := range all {
		if t.ID == id {
			return t, v.mayTablet(a, t.Worker)
		}
	}
	return progress.Tablet{}, problem.New(problem.NotFound)
}

// renameTablet gives a tablet another name.
func (v *visit) renameTablet() error {
	t, err := v.tablet(access.RenameTablet)
	if err != nil {
		return err
	}
	f := v.form("submit_save").add(&field{Name: "tablet", Required: true, Value: t.Name, Focus: true})
	show := func() error { return v.show("form", &page{Title: v.T("title_rename", t.Owner.Name), Form: f}) }
	if !v.filled(f) {
		return show()
	}
	if err := v.within.Syncing.Rename(v.context(), t.ID, f.value("tablet")); err != nil {
		return v.refused(err, f, map[problem.Code]string{problem.InvalidArgument: "tablet"}, show)
	}
	if err := v.note(audit.DeviceRenamed, audit.OfDevice, t.ID); err != nil {
		return err
	}
	return v.done(v.toTablets(), "saved")
}

func (v *visit) toTablets() string { return to(v.within.Syncing.Deployment(), "tablets") }

// sure is a page that says what will happen, and does it once one agrees.
func (v *visit) sure(title string, consequences []string, back string, f *form, do func() error) error {
	body := struct {
		Consequences []string
		Back         string
	}{consequences, v.To(back)}
	if !v.filled(f) {
		return v.show("confirm", &page{Title: title, Form: f, Body: body})
	}
	return do()
}

// revokeTablet puts a tablet out of use.
func (v *visit) revokeTablet() error {
	t, err := v.tablet(access.RevokeTablet)
	if err != nil {
		return err
	}
	f := v.form("submit_revoke")
	f.Danger = true
	return v.sure(v.T("title_revoke", t.Name, t.Owner.Name), []string{v.T("revoke_next"), v.T("revoke_unsent", v.N("changes", int64(t.Unsent))), v.T("revoke_unreadable"), v.T("revoke_for_ever")}, v.toTablets(), f, func() error { //nolint:gosec // bounded when it arrived
		if err := v.within.Syncing.Revoke(v.context(), t.ID); err != nil {
			return err
		}
		if err := v.note(audit.DeviceRevoked, audit.OfDevice, t.ID); err != nil {
			return err
		}
		return v.done(v.toTablets(), "revoked")
	})
}

// replaceTablet makes a code with which a new tablet takes another's place.
func (v *visit) replaceTablet() error {
	t, err := v.tablet(access.SeeDevices)
	if err != nil {
		return err
	}
	if err := v.mayTablet(access.EnrolTablet, t.Worker); err != nil {
		return err
	}
	return v.sure(v.T("title_replace", t.Name, t.Owner.Name), []string{v.T("replace_code"), v.T("replace_then"), v.T("revoke_unsent", v.N("changes", int64(t.Unsent)))}, v.toTablets(), v.form("submit_replace"), func() error { //nolint:gosec // bounded when it arrived
		return v.newCode(t.Worker, t.ID)
	})
}

// confirmTablet lets a tablet sync again that is known by its certificate alone.
func (v *visit) confirmTablet() error {
	t, err := v.tablet(access.ConfirmTablet)
	if err != nil {
		return err
	}
	if err := v.within.Syncing.Confirm(v.context(), t.ID); err != nil {
		return err
	}
	if err := v.note(audit.DeviceConfirmed, audit.OfDevice, t.ID); err != nil {
		return err
	}
	return v.done(v.toTablets(), "confirmed")
}
