// Package webtest reads pages and fills in their forms as a person does: by what links and buttons say.
package webtest

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// Browser is somebody who reads pages and fills in forms.
type Browser struct {
	t      testing.TB
	base   string
	Client *http.Client
	// Lang is what the browser asks for.
	Lang string
	// From is what the browser says of the page that a request comes from.
	From string

	// At is where it is, with what Status it was answered, and the Page with its Text.
	At     *url.URL
	Status int
	Text   string
	Page   *html.Node
}

// New is a browser at a server, with no cookies yet.
func New(t testing.TB, base string, through *http.Client, lang string) *Browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := *through
	client.Jar = jar
	return &Browser{t: t, base: base, Client: &client, Lang: lang}
}

// Do sends a request, whatever the page offers.
func (b *Browser) Do(method, to string, sent url.Values) {
	b.t.Helper()
	sort := ""
	if method == http.MethodPost {
		sort = "application/x-www-form-urlencoded"
	}
	b.do(method, to, sort, strings.NewReader(sent.Encode()))
}

func (b *Browser) do(method, to, sort string, body io.Reader) {
	b.t.Helper()
	base, err := url.Parse(b.base)
	if err != nil {
		b.t.Fatal(err)
	}
	if b.At != nil {
		base = b.At
	}
	target, err := base.Parse(to)
	if err != nil {
		b.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, target.String(), body)
	if err != nil {
		b.t.Fatal(err)
	}
	if sort != "" {
		r.Header.Set("Content-Type", sort)
	}
	r.Header.Set("Accept-Language", b.Lang)
	r.Header.Set("Accept", "text/html")
	if b.From != "" {
		r.Header.Set("Sec-Fetch-Site", b.From)
	}
	response, err := b.Client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	b.At, b.Status = response.Request.URL, response.StatusCode
	if strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") {
		b.Page, b.Text = nil, "" // it has no end to wait for
		return
	}
	if b.Page, err = html.Parse(response.Body); err != nil {
		b.t.Fatal(err)
	}
	b.Text = TextOf(b.Page)
	if strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") && b.Text != "" && b.Status/100 != 3 {
		for _, fault := range faults(b.Page) {
			b.t.Errorf("%s: %s", b.At, fault)
		}
	}
	if b.Status >= 500 {
		b.t.Fatalf("%s %s: %d %s", method, to, b.Status, b.Text)
	}
}

// Open opens an address.
func (b *Browser) Open(to string) *Browser {
	b.t.Helper()
	b.Do(http.MethodGet, to, nil)
	return b
}

// Attribute is an attribute of a node; empty when it has none.
func Attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

// Find are the nodes below one that are of a tag.
func Find(n *html.Node, tags ...string) (all []*html.Node) {
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && slices.Contains(tags, d.Data) {
			all = append(all, d)
		}
	}
	return all
}

// TextOf is what a node says.
func TextOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode && d.Parent.Data != "script" {
			b.WriteString(d.Data)
			b.WriteByte(' ')
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// Follow follows the link with a text.
func (b *Browser) Follow(text string) *Browser {
	b.t.Helper()
	for _, a := range Find(b.Page, "a") {
		if TextOf(a) == text {
			return b.Open(Attribute(a, "href"))
		}
	}
	b.t.Fatalf("%s has no link %q: %s", b.At, text, b.Text)
	return b
}

// Send presses the button with a text, in the form that has it, after filling in what is given by the names of fields.
// What is not given goes as it stands in the page. within, if given, is a text that stands in the form's row.
func (b *Browser) Send(button string, typed url.Values, within ...string) *Browser {
	b.t.Helper()
	form, sent := b.filledIn(button, typed, within)
	b.Do(http.MethodPost, Attribute(form, "action"), sent)
	return b
}

// Upload does what Send does in a form that has a field for a file, with a file of a name and content.
func (b *Browser) Upload(button string, typed url.Values, field, name string, content []byte) *Browser {
	b.t.Helper()
	form, sent := b.filledIn(button, typed, nil)
	if sort := Attribute(form, "enctype"); sort != "multipart/form-data" {
		b.t.Fatalf("%s: the form %q sends no files: %q", b.At, button, sort)
	}
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, values := range sent {
		for _, value := range values {
			if err := w.WriteField(name, value); err != nil {
				b.t.Fatal(err)
			}
		}
	}
	part, err := w.CreateFormFile(field, name)
	if err == nil {
		_, err = part.Write(content)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		b.t.Fatal(err)
	}
	b.do(http.MethodPost, Attribute(form, "action"), w.FormDataContentType(), &body)
	return b
}

// filledIn is the form that has a button, and what a browser sends of it when the button is pressed.
func (b *Browser) filledIn(button string, typed url.Values, within []string) (*html.Node, url.Values) {
	b.t.Helper()
	for _, form := range Find(b.Page, "form") {
		buttons := Find(form, "button")
		i := slices.IndexFunc(buttons, func(n *html.Node) bool { return TextOf(n) == button })
		if i < 0 || !inRow(form, within) {
			continue
		}
		sent := StandingIn(form)
		if pressed := Find(form, "button")[i]; Attribute(pressed, "name") != "" {
			sent.Set(Attribute(pressed, "name"), Attribute(pressed, "value"))
		}
		for name, values := range typed {
			if _, ok := sent[name]; !ok && !b.fieldIn(form, name) {
				b.t.Fatalf("%s: the form %q has no field %q", b.At, button, name)
			}
			sent[name] = values
		}
		return form, sent
	}
	b.t.Fatalf("%s has no form with the button %q: %s", b.At, button, b.Text)
	return nil, nil
}

func inRow(form *html.Node, texts []string) bool {
	for _, text := range texts {
		row := form
		for row != nil && row.Data != "tr" {
			row = row.Parent
		}
		if row == nil || !strings.Contains(TextOf(row), text) {
			return false
		}
	}
	return true
}

func (*Browser) fieldIn(form *html.Node, name string) bool {
	return slices.ContainsFunc(Find(form, "input", "select", "textarea"), func(n *html.Node) bool { return Attribute(n, "name") == name })
}

// StandingIn is what a browser sends of a form in which nothing was changed.
func StandingIn(form *html.Node) url.Values {
	sent := url.Values{}
	for _, n := range Find(form, "input") {
		sort := Attribute(n, "type")
		if (sort == "checkbox" || sort == "radio") && !has(n, "checked") || sort == "file" {
			continue
		}
		sent.Add(Attribute(n, "name"), Attribute(n, "value"))
	}
	for _, n := range Find(form, "textarea") {
		sent.Add(Attribute(n, "name"), typedIn(n))
	}
	for _, n := range Find(form, "select") {
		options := Find(n, "option")
		i := max(0, slices.IndexFunc(options, func(o *html.Node) bool { return has(o, "selected") }))
		if len(options) > 0 {
			sent.Add(Attribute(n, "name"), Attribute(options[i], "value"))
		}
	}
	return sent
}

// typedIn is what stands in a field of several lines.
func typedIn(area *html.Node) string {
	if area.FirstChild == nil {
		return ""
	}
	return area.FirstChild.Data
}

// Option is the value of an option with a text.
func (b *Browser) Option(text string) string {
	b.t.Helper()
	for _, o := range Find(b.Page, "option") {
		if TextOf(o) == text {
			return Attribute(o, "value")
		}
	}
	b.t.Fatalf("%s offers no %q", b.At, text)
	return ""
}

// Sees fails unless the page says all of some texts.
func (b *Browser) Sees(texts ...string) *Browser {
	b.t.Helper()
	for _, text := range texts {
		if !strings.Contains(b.Text, text) {
			b.t.Fatalf("%s (%d) does not say %q: %s", b.At, b.Status, text, b.Text)
		}
	}
	return b
}

// Is fails unless the page came with a status.
func (b *Browser) Is(status int) *Browser {
	b.t.Helper()
	if b.Status != status {
		b.t.Fatalf("%s: %d, want %d: %s", b.At, b.Status, status, b.Text)
	}
	return b
}

// Choice is the value of a box with a text.
func (b *Browser) Choice(text string) string {
	b.t.Helper()
	for _, l := range Find(b.Page, "label") {
		for _, n := range Find(b.Page, "input") {
			if TextOf(l) == text && Attribute(n, "id") == Attribute(l, "for") {
				return Attribute(n, "value")
			}
		}
	}
	b.t.Fatalf("%s offers no %q", b.At, text)
	return ""
}

// Button is the text of the page's main button.
func (b *Browser) Button() string {
	b.t.Helper()
	main := Find(b.Page, "main")[0]
	buttons := Find(main, "button")
	if len(buttons) == 0 {
		b.t.Fatalf("%s has no button: %s", b.At, b.Text)
	}
	return TextOf(buttons[len(buttons)-1])
}

// Values are names and values in turn.
func Values(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return v
}

// faults are what keeps people from using a page by keyboard, with a screen reader, or at all: fields without a label, pictures
// without words, a page without its language, title or one heading, and what points to nothing.
func faults(page *html.Node) (all []string) {
	ids := map[string]int{}
	labelled := map[string]bool{}
	for n := range page.Descendants() {
		if id := Attribute(n, "id"); id != "" {
			ids[id]++
		}
		if n.Data == "label" && TextOf(n) != "" {
			labelled[Attribute(n, "for")] = true
		}
	}
	for id, times := range ids {
		if times > 1 {
			all = append(all, "the id "+id+" is there twice")
		}
	}
	for _, tag := range []string{"html", "title", "h1", "main"} {
		if n := len(Find(page, tag)); n != 1 {
			all = append(all, "there is not one "+tag)
		}
	}
	for _, n := range Find(page, "html") {
		if Attribute(n, "lang") == "" {
			all = append(all, "no language is given")
		}
	}
	for n := range page.Descendants() {
		switch n.Data {
		case "input", "select", "textarea":
			if Attribute(n, "type") != "hidden" && !labelled[Attribute(n, "id")] {
				all = append(all, "the field "+Attribute(n, "name")+" has no label")
			}
		case "img":
			if Attribute(n, "alt") == "" {
				all = append(all, "a picture has no words")
			}
		case "button", "a", "th", "legend":
			if n.Type == html.ElementNode && TextOf(n) == "" {
				all = append(all, "a "+n.Data+" has no text")
			}
		}
		for _, name := range []string{"aria-describedby", "aria-labelledby"} {
			for id := range strings.FieldsSeq(Attribute(n, name)) {
				if ids[id] == 0 {
					all = append(all, name+" points to "+id+", which is not there")
				}
			}
		}
		if to := Attribute(n, "href"); strings.HasPrefix(to, "#") && ids[to[1:]] == 0 {
			all = append(all, "a link leads to "+to+", which is not there")
		}
	}
	return all
}
