// Package webui is the pages of the server: plain HTML in both languages, made from templates, that work without any
// script. Each route says who may open it; what a page shows and offers is asked of package access, and what it does is
// done by others.
package webui

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/server/internal/access"
	"levee/server/internal/accounts"
	"levee/server/internal/audit"
	"levee/server/internal/closeout"
	"levee/server/internal/export"
	"levee/server/internal/httpapi"
	"levee/server/internal/live"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/wire"
	"levee/syncproto/words"
)

// Config is what the pages need.
type Config struct {
	Accounts *accounts.Service
	Audit    *audit.Log
	// Deployments are those that this server serves.
	Deployments *httpapi.Deployments
	// Exports makes files of what a deployment holds.
	Exports *export.Desk
	// Live tells open pages that their deployment has changed.
	Live *live.Hub
	// NewDeployment makes a deployment with its first sites, teams and coordinator. by is noted as its maker. The error is a
	// problem with code invalid_argument when there can be no such deployment.
	NewDeployment func(ctx context.Context, by audit.Actor, n NewDeployment) (deployment, coordinator hlc.ID, err error)
	// BackUp makes a backup now; nil where the server makes none.
	BackUp func(context.Context) error
	// Archives makes archives of closed deployments; nil where none are made.
	Archives Archives
	// Erase erases all personal data of a closed deployment; now: though its day has not come, which the pages ask about. by is noted,
	// and tell told how much of the change log is looked through.
	Erase func(ctx context.Context, deployment hlc.ID, by audit.Actor, now bool, tell closeout.Tell) error
	// URL is where people and tablets reach this server, and Pin how tablets know it; empty when an authority vouches for it.
	URL  string
	Pin  wire.Pin
	Wall func() time.Time
	// Archive is what is shown, where it is an archive; nil where it is not.
	Archive *Archive
}

// Archive is an archive of a deployment that is opened to be read.
type Archive struct {
	// Edition is that of its newest certificate, and Made when it was made.
	Edition int
	Made    time.Time
}

// Archives makes the archive of a closed deployment, and keeps the newest one of each for a while.
type Archives interface {
	// Make makes one. The error is the problem uncertified when the deployment is not as its newest certificate says.
	Make(ctx context.Context, deployment hlc.ID, tell closeout.Tell) error
	// Open opens the one that is kept, and the caller closes it; problem not_found when there is none. Kept says what it is.
	Open(deployment hlc.ID) (*os.File, error)
	Kept(deployment hlc.ID) (KeptArchive, bool)
}

// KeptArchive is an archive that was made: of which edition, how large it is in bytes, and until when it is kept.
type KeptArchive struct {
	Edition int
	Size    int64
	Until   time.Time
}

// NewDeployment is what a deployment is made from.
type NewDeployment struct {
	Name, Start, TimeZone string
	Sites                 []NewSite
	// Coordinator is the name of the first coordinator.
	Coordinator string
	// SamePeople is a deployment that counts the same people; the zero id is for none.
	SamePeople hlc.ID
}

// NewSite is a site, and the team that works there; the team's name may be empty.
type NewSite struct{ Name, Code, Team string }

//go:embed pages assets
var embedded embed.FS

// Pages are the pages of one server.
type Pages struct {
	Config
	templates map[string]*template.Template
	assets    map[string][]byte
	version   string
	once      *once
	files     *once
	glances   *glances
	// document is that of the JSON API, as its page shows it.
	document *apiBody
	*router
}

// New reads the pages that are in the program.
func New(c Config) (*Pages, error) {
	p := &Pages{Config: c, templates: map[string]*template.Template{}, assets: map[string][]byte{}, once: newOnce(onceMost), files: newOnce(onceFiles), glances: &glances{}, router: newRouter()}
	return p, p.load()
}

// Mount adds the pages' routes; one of them shows the document of the JSON API. What goes wrong in them is to be answered with Answer.
func (p *Pages) Mount(e *echo.Echo, document []byte) (err error) {
	if p.document, err = readAPI(document); err != nil {
		return err
	}
	e.GET("/assets/:name", p.asset)
	for _, r := range p.routes {
		e.Add(r.method, r.path, p.handle(r))
	}
	return nil
}

// Answer answers a request with a page that says what is wrong.
func (p *Pages) Answer(c echo.Context, wrong *problem.Problem) error {
	v, ok := c.Get(visitKey).(*visit)
	if !ok { // it came to no page
		v = &visit{Pages: p, wording: wordingFor(c.Request(), ""), Context: c}
	}
	return v.problem(wrong)
}

// visitKey is under what echo keeps who visits, for Answer.
const visitKey = "levee visit"

// load reads what is embedded.
func (p *Pages) load() error {
	layout, err := template.ParseFS(embedded, "pages/layout.html", "pages/parts/*.html")
	if err != nil {
		return fmt.Errorf("the pages' layout: %w", err)
	}
	names, err := fs.Glob(embedded, "pages/*.html")
	if err != nil {
		return fmt.Errorf("the pages: %w", err)
	}
	for _, name := range names {
		if name == "pages/layout.html" {
			continue
		}
		one, err := template.Must(layout.Clone()).ParseFS(embedded, name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		p.templates[strings.TrimSuffix(path.Base(name), ".html")] = one
	}
	names, err = fs.Glob(embedded, "assets/*")
	if err != nil {
		return fmt.Errorf("the assets: %w", err)
	}
	all := sha256.New()
	for _, name := range names {
		if assetTypes[path.Ext(name)] == "" { // where htmx comes from is for its readers, not for browsers
			continue
		}
		b, err := embedded.ReadFile(name)
		if err != nil {
			return fmt.Errorf("the assets: %w", err)
		}
		p.assets[path.Base(name)] = b
		_, _ = all.Write(b) // a hash takes everything
	}
	p.version = hex.EncodeToString(all.Sum(nil))[:12]
	return nil
}

var assetTypes = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

// asset answers with a stylesheet, script or picture. Links to them carry a version, so that browsers may keep them.
func (p *Pages) asset(c echo.Context) error {
	b, ok := p.assets[c.Param("name")]
	if !ok {
		return problem.New(problem.NotFound)
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "public, max-age=31536000, immutable")
	return c.Blob(http.StatusOK, assetTypes[path.Ext(c.Param("name"))], b)
}

// page is what a template is filled with.
type page struct {
	*wording
	Title string
	// Lead are sentences at the beginning.
	Lead    []string
	Account *accounts.Account
	// Deployment is what the page stands in; nil when in none.
	Deployment *standing
	// Archive says that it is a page of an archive, and of which; empty when it is none.
	Archive string
	// Done says what was done just now.
	Done  string
	Form  *form
	Links []link
	Body  any
	// Script is the one script of the page; empty for none.
	Script string
	Assets string
	// Switch leads to the same page in the other language; empty where that would send a form again.
	Switch string
	// Live keeps the page up to date while it is open; nil when it stays as it is.
	Live *liveness
	// Still: it is the frame of an open page, which stays as it is.
	Still bool
}

type link struct {
	To, Name string
	// Here: it leads to where one is.
	Here bool
	// Count is how much waits there; 0 for nothing.
	Count int64
	// File: it leads to a file to keep, and to no page.
	File bool
}

// Wrong reports whether something is wrong with what was filled in.
func (p *page) Wrong() bool { return p.Form != nil && !p.Form.ok() }

// visit is one request for a page.
type visit struct {
	*Pages
	*wording
	echo.Context
	// session is nil while nobody is signed in.
	session *accounts.Session
	// within is the deployment that the address names, and person as whom the visitor acts in it.
	within *httpapi.Deployment
	person access.Person
	route  route
	// spoken are terms, once somebody has asked for them: when it was found out who visits what.
	spoken *words.Terms
	// known is the number of the deployment's state before anything of it was read.
	known uint64
}

// terms are the words of the deployment that the address names, if it names one: its own labels, service areas, age bands
// and time zone.
func (v *visit) terms() *words.Terms {
	if v.spoken == nil {
		d := &recordv1.Deployment{}
		if v.within != nil {
			d = v.within.Syncing.SetUp().Deployment
		}
		v.spoken = v.For(d)
	}
	return v.spoken
}

// choice is the word for a value of an enumeration.
func choice(t *words.Terms, value protoreflect.Enum) string {
	return t.OptionOf(value.Descriptor(), value.Number()).Label
}

func (v *visit) context() context.Context { return v.Request().Context() }

// posted reports whether a form was sent.
func (v *visit) posted() bool { return v.Request().Method == http.MethodPost }

// filled takes what was sent into a form and reports whether all is well with it so far; false when nothing was sent.
func (v *visit) filled(f *form) bool {
	if !v.posted() {
		return false
	}
	sent, err := v.FormParams()
	if err != nil {
		f.Error = v.T("wrong_form")
		return false
	}
	return f.read(sent)
}

// form is an empty form that is sent to the page's own address.
func (v *visit) form(submit string) *form {
	to := v.Request().URL.Path
	if next := v.QueryParam("next"); next != "" && v.route.path == pathSignIn {
		to += "?next=" + template.URLQueryEscaper(local(next))
	}
	return &form{wording: v.wording, Action: v.To(to), Submit: submit}
}

// show answers with a page.
func (v *visit) show(name string, p *page) error {
	status := http.StatusOK
	if p.Wrong() {
		status = http.StatusUnprocessableEntity
	}
	return v.showAs(status, name, p)
}

func (v *visit) showAs(status int, name string, p *page) (err error) {
	p.wording, p.Assets = v.wording, v.version
	if v.session != nil {
		p.Account = &v.session.Account
	}
	if v.Archive != nil {
		p.Archive = v.T("archive_banner", v.Archive.Edition, v.Date(record.DateOf(v.Archive.Made, v.zone)))
	}
	if v.within != nil {
		if p.Deployment, err = v.standing(); err != nil {
			return err
		}
		if !p.Still {
			p.Live = v.liveness()
		}
	}
	if done := v.QueryParam("done"); p.Done == "" && done != "" {
		if _, ok := messages["done_"+done]; ok {
			p.Done = v.T("done_" + done)
		}
	}
	if !v.posted() {
		query := v.Request().URL.Query()
		query.Set("lang", v.Other())
		query.Del("done")
		p.Switch = v.Request().URL.Path + "?" + query.Encode()
	}
	var b bytes.Buffer
	if err := v.templates[name].ExecuteTemplate(&b, "layout", p); err != nil {
		return fmt.Errorf("making a page: %w", err)
	}
	v.Response().Header().Set("Content-Language", v.Tag())
	v.Response().Header().Set(echo.HeaderVary, "Accept-Language, Cookie")
	return v.HTMLBlob(status, b.Bytes())
}

// done leads on to another page, which says what was done.
func (v *visit) done(to, what string) error {
	if what != "" {
		to += "?done=" + what
	}
	return v.Redirect(http.StatusSeeOther, v.To(to))
}

// refused shows a form again with what is wrong with it; other errors are returned. fields says at which field a code is
// told; codes that it does not have are told above the form.
func (v *visit) refused(err error, f *form, fields map[problem.Code]string, show func() error) error {
	var p *problem.Problem
	if !errors.As(err, &p) || problem.HTTPStatus(p.Code) >= http.StatusInternalServerError || p.Code == problem.NotFound {
		return err
	}
	text := problem.Message(p.Code, v.Lang())
	if p.RetryAfter > 0 {
		text = v.N("wait", int64((p.RetryAfter+time.Second-1)/time.Second))
	}
	if name, ok := fields[p.Code]; ok && f.has(name) {
		f.wrong(name, text)
	} else {
		f.Error = text
	}
	return show()
}

// problem answers with a page that says what is wrong.
func (v *visit) problem(p *problem.Problem) error {
	title := "title_problem"
	switch p.Code {
	case problem.NotFound:
		title = "title_not_found"
	case problem.NotAllowed:
		title = "title_not_allowed"
	}
	v.within = nil // not even its name
	if p.RetryAfter > 0 {
		v.Response().Header().Set(echo.HeaderRetryAfter, strconv.FormatInt(int64((p.RetryAfter+time.Second-1)/time.Second), 10))
	}
	return v.showAs(problem.HTTPStatus(p.Code), "problem", &page{Title: v.T(title), Lead: []string{problem.Message(p.Code, v.Lang())}, Body: struct{ Incident string }{p.Incident}})
}

// id is the id that a part of the address has; not found when there is none.
func (v *visit) id(name string) (hlc.ID, error) {
	id, err := uuid.Parse(v.Param(name))
	if err != nil {
		return hlc.ID{}, problem.New(problem.NotFound)
	}
	return id, nil
}

// local is a path of this server, "/" when it is something else: whoever makes a link must not lead people away with it.
func local(to string) string {
	if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n\t") {
		return "/"
	}
	return to
}
