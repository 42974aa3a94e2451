package tabletui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/text/language"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/clientlib"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// route is one page, or one thing that a page does.
type route struct {
	method, path string
	do           func(*visit) error
	// open: nobody need have signed in.
	open bool
	// logs: it is for logging something, or changing it.
	logs bool
	// quiet: the pages ask for it by themselves, so that it is no sign that somebody is there.
	quiet bool
}

// What can be wrong with a request.
var (
	errNoPage        = errors.New("there is no such page")
	errNotUnderstood = errors.New("what was sent is no form")
)

// visit is one request.
type visit struct {
	*UI
	*words.Words
	w http.ResponseWriter
	r *http.Request
	// desk is whose pages are shown; nil while they are locked.
	desk *desk
	// logs says that the page is for logging something.
	logs bool
	// around is read when a page asks for it.
	read     *around
	settings settings
}

// page is what a template is filled with.
type page struct {
	*visit
	Title string
	// Here is the path of the entry of the menu that the page belongs to.
	Here string
	// Back leads to where one came from; empty on the pages of the menu.
	Back string
	// Done says what was done just now.
	Done string
	// Wrong is what could not be done.
	Wrong string
	Body  any
}

func (u *UI) handle(r route) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		v := u.visit(w, req, r.quiet)
		v.logs = r.logs
		err := error(nil)
		var tooMuch *http.MaxBytesError
		switch perr := req.ParseForm(); { // before anything asks for a value, which would not say that something is wrong
		case errors.As(perr, &tooMuch):
			err = perr
		case perr != nil:
			err = errNotUnderstood
		case v.desk == nil && !r.open:
			err = v.toSignIn(r)
		default:
			if r.logs {
				err = v.mayLog()
			}
			if err == nil {
				err = r.do(v)
			}
		}
		if err != nil {
			v.fail(err)
		}
	}
}

func (u *UI) visit(w http.ResponseWriter, r *http.Request, quiet bool) *visit {
	v := &visit{UI: u, w: w, r: r}
	if quiet {
		v.desk = u.desks.peek(u.wall())
	} else {
		v.desk = u.desks.at(u.wall())
	}
	if v.desk != nil {
		v.settings = v.desk.wants()
	} else {
		v.settings = lastSettings(u.Folder)
	}
	v.Words = words.In(v.language())
	return v
}

var languages = language.NewMatcher([]language.Tag{language.English, language.Chinese})

// language is the one that the worker chose, else that which the program was started with, else the browser's.
func (v *visit) language() string {
	choices := []string{v.settings.Language, v.Language}
	if spoken := v.spoken.Load(); spoken != nil && v.desk == nil {
		choices = append([]string{*spoken}, choices...)
	}
	for _, chosen := range choices {
		if chosen == "zh" || chosen == "en" {
			return chosen
		}
	}
	tag, _ := language.MatchStrings(languages, v.r.Header.Get("Accept-Language"))
	base, _ := tag.Base()
	return base.String()
}

func (v *visit) context() context.Context { return v.r.Context() }

func (v *visit) store() *clientlib.Store { return v.desk.store }

// around is the deployment's words and people.
func (v *visit) around() (*around, error) {
	if v.read != nil {
		return v.read, nil
	}
	a, err := v.desk.look(v.context(), v.Words)
	v.read = a
	return a, err
}

// toSignIn leads to where one signs in, and from there back. What asks by itself is told to do so with the whole page.
func (v *visit) toSignIn(r route) error {
	to := pathSignIn
	if v.r.Method == http.MethodGet && !r.quiet && !v.partial() {
		to += "?next=" + url.QueryEscape(v.r.URL.RequestURI())
	}
	return v.to(to)
}

// partial reports whether a script asked, for a part of the page.
func (v *visit) partial() bool { return v.r.Header.Get("HX-Request") == "true" }

// to leads on to another page.
func (v *visit) to(path string) error {
	if v.partial() { // a script follows a redirect unseen, and would put the page into the part
		v.w.Header().Set("HX-Redirect", path)
		v.w.WriteHeader(http.StatusOK)
		return nil
	}
	http.Redirect(v.w, v.r, path, http.StatusSeeOther) //nolint:gosec // a page of our own: see next
	return nil
}

// done leads on to another page, which says what was done: the message done_WHAT.
func (v *visit) done(path, what string) error {
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	return v.to(path + separator + "done=" + what)
}

// show answers with a page.
func (v *visit) show(name string, p *page) error { return v.showAs(http.StatusOK, name, p) }

func (v *visit) showAs(status int, name string, p *page) error {
	p.visit = v
	if done := v.r.URL.Query().Get("done"); p.Done == "" && done != "" && v.r.Method == http.MethodGet {
		if m, ok := messages["done_"+done]; ok {
			p.Done = v.Say(m)
		}
	}
	return v.render(status, name, "layout", p)
}

// part answers with a part of a page.
func (v *visit) part(name, part string, data any) error {
	return v.render(http.StatusOK, name, part, data)
}

func (v *visit) render(status int, name, part string, data any) error {
	var b bytes.Buffer
	if err := v.templates[name].ExecuteTemplate(&b, part, data); err != nil {
		return fmt.Errorf("making a page: %w", err)
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.Header().Set("Content-Language", v.Tag())
	v.w.WriteHeader(status)
	_, _ = v.w.Write(b.Bytes()) // a browser that has gone needs no answer
	return nil
}

// fail answers with a page that says what went wrong and what to do.
func (v *visit) fail(err error) {
	status, text := v.explain(err)
	if status == http.StatusInternalServerError {
		v.Log.Error("a page could not be made", "page", v.r.Pattern, "code", clientlib.Code(err), "error", err)
	}
	p := &page{Title: v.T("title_problem"), Wrong: text}
	if status == http.StatusNotFound {
		p.Title = v.T("title_not_found")
	}
	if err := v.showAs(status, "problem", p); err != nil {
		http.Error(v.w, text, status)
	}
}

// explain puts an error into words, and says which status goes with it.
func (v *visit) explain(err error) (status int, text string) {
	code := clientlib.Code(err)
	var tooMuch *http.MaxBytesError
	var invalid *clientlib.InvalidError
	switch {
	case errors.Is(err, errNoPage):
		return http.StatusNotFound, v.T("no_page")
	case errors.Is(err, errNotUnderstood):
		return http.StatusBadRequest, v.T("not_understood")
	case errors.As(err, &tooMuch):
		return http.StatusRequestEntityTooLarge, v.T("too_much")
	case errors.As(err, &invalid):
		return http.StatusUnprocessableEntity, clientlib.Message(err, v.Lang())
	case code == clientlib.CodeRecordMissing, code == clientlib.CodeFormMissing:
		return http.StatusNotFound, clientlib.Message(err, v.Lang())
	case code == string(problem.Internal):
		return http.StatusInternalServerError, v.T("own_fault")
	default:
		return http.StatusConflict, clientlib.Message(err, v.Lang())
	}
}

// refuse answers who is not let through at all.
func (u *UI) refuse(w http.ResponseWriter, r *http.Request, why reason) {
	v := &visit{UI: u, w: w, r: r, settings: lastSettings(u.Folder)}
	v.Words = words.In(v.language())
	name := map[reason]string{otherHost: "refused_host", otherOrigin: "refused_origin", notThisBrowser: "refused_browser"}[why]
	if err := v.showAs(http.StatusForbidden, "problem", &page{Title: v.T("title_refused"), Wrong: v.T(name)}); err != nil {
		http.Error(w, v.T(name), http.StatusForbidden)
	}
}

// id is the id that a part of the address has.
func (v *visit) id(name string) (hlc.ID, error) { return parseID(v.r.PathValue(name)) }

// asked is the id that the query has; zero where there is none.
func (v *visit) asked(name string) (hlc.ID, error) {
	text := v.r.FormValue(name)
	if text == "" {
		return hlc.ID{}, nil
	}
	return parseID(text)
}

func parseID(text string) (hlc.ID, error) {
	id, err := uuid.Parse(text)
	if err != nil {
		return hlc.ID{}, errNoPage
	}
	return id, nil
}

// sent is the form that was sent.
func (v *visit) sent() url.Values { return v.r.PostForm }

// next is where one wanted to go, a page of this program.
func (v *visit) next() string { return v.local("next") }

// local is the page of this program that a value of a request names; the first page where it names none.
func (v *visit) local(name string) string {
	to := v.r.FormValue(name)
	if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n\t") {
		return pathToday
	}
	return to
}

// capital begins a label with a capital letter, where it stands by itself. Chinese has none.
func capital(label string) string {
	first, size := utf8.DecodeRuneInString(label)
	return string(unicode.ToUpper(first)) + label[size:]
}

// label is the word for a field, as it stands by itself.
func (a *around) label(f protoreflect.FieldDescriptor) string { return capital(a.terms.Field(f)) }

// kindLabel is the deployment's word for a kind, as it stands by itself.
func (a *around) kindLabel(k record.Kind) string { return capital(a.terms.KindLabel(k)) }

// The methods below are for the templates.

// T is the message of a name with its arguments.
func (v *visit) T(name string, args ...any) string {
	m, ok := messages[name]
	if !ok {
		return name // a test finds every name that pages use
	}
	if len(args) == 0 {
		return v.Either(m.EN, m.ZH)
	}
	return v.Say(m, args...)
}

// N is the message of a name about a number.
func (v *visit) N(name string, n int) string { return v.Count(numbers[name], int64(n)) }

// Tag is the language as HTML has it.
func (v *visit) Tag() string { return v.Either("en", "zh-Hans") }

// OtherLang, OtherTag and OtherName are of the language that is not spoken: its name here, in HTML, and what it calls itself.
func (v *visit) OtherLang() string { return v.Either("zh", "en") }

// OtherTag is the other language as HTML has it.
func (v *visit) OtherTag() string { return v.Either("zh-Hans", "en") }

// OtherName is what the other language calls itself.
func (v *visit) OtherName() string { return v.Either("简体中文", "English") }

// Settings are what the worker wants the pages to be like.
func (v *visit) Settings() settings { return v.settings }

// SignedIn reports whether a worker's pages are shown.
func (v *visit) SignedIn() bool { return v.desk != nil }

// Path is the address of the page, for going on there.
func (v *visit) Path() string { return v.r.URL.RequestURI() }

// Clock is the time of day, where the deployment is.
func (v *visit) Clock(t time.Time) string {
	if a, err := v.zoned(); err == nil {
		t = t.In(a.terms.Zone())
	}
	return t.Format("15:04")
}

// At is a day and the time of day, where the deployment is.
func (v *visit) At(t time.Time) string {
	if a, err := v.zoned(); err == nil {
		t = t.In(a.terms.Zone())
	}
	return v.Instant(t)
}

func (v *visit) zoned() (*around, error) {
	if v.desk == nil {
		return nil, errNoPage
	}
	return v.around()
}

// functions are what templates need besides.
var functions = template.FuncMap{
	"dict": func(pairs ...any) map[string]any {
		m := map[string]any{}
		for i := 0; i+1 < len(pairs); i += 2 {
			m[pairs[i].(string)] = pairs[i+1]
		}
		return m
	},
	// smslink lets addresses of phones and texts through, which are ours; html/template knows only those of the web.
	"smslink": func(to string) template.URL { return template.URL(to) }, //nolint:gosec // of digits and escaped text
	"capital": capital,
	"idtext":  func(id hlc.ID) string { return id.String() },
	"itoa":    strconv.Itoa,
}
