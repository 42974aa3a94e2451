package webui

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// form is what somebody fills in. What they typed stands in it again when something is wrong, but for secrets.
type form struct {
	*wording
	// Action is where it is sent to, Submit the name of the message on its button.
	Action, Submit string
	// Danger: what it does can't be undone.
	Danger bool
	// Files: it has a file among its fields.
	Files  bool
	Fields []*field
	// Error is what is wrong with the whole of it.
	Error string
}

// field is one thing to fill in.
type field struct {
	// Name is that in the request, and the names of its messages: field_NAME, and hint_NAME if there is one.
	Name string
	// Label and Hint stand in for the messages of the name.
	Label, Hint string
	// Group is the heading under which the field stands, with those beside it of the same group; empty for none.
	Group string
	// Button is a button beside the field, which sends the form with its value as "do"; nil for none.
	Button *option
	// Sort is text, password, date, tel, email, file, hidden, select, check (one box), checks (some of many), radio or area.
	Sort string
	// Value is what was typed; of a check "on" or empty.
	Value string
	// Values are what was chosen of checks.
	Values  []string
	Options []option
	Error   string
	// Fill tells browsers what to fill in, as HTML's autocomplete has it; Mode which keyboard a phone shows.
	Fill, Mode string
	Required   bool
	// Focus: the cursor stands here first.
	Focus bool
}

// option is one of the things to choose from.
type option struct{ Value, Label string }

// maxTyped is how long one field of a request may be, in characters.
const maxTyped = 4000

// Visible are the fields that people see.
func (f *form) Visible() (all []*field) {
	for _, one := range f.Fields {
		if one.Sort != "hidden" {
			all = append(all, one)
		}
	}
	return all
}

// part is a run of fields under one heading.
type part struct {
	Name   string
	Fields []*field
}

// Parts are the fields that people see, in their groups.
func (f *form) Parts() (parts []part) {
	for _, one := range f.Visible() {
		if last := len(parts) - 1; last >= 0 && parts[last].Name == one.Group {
			parts[last].Fields = append(parts[last].Fields, one)
		} else {
			parts = append(parts, part{one.Group, []*field{one}})
		}
	}
	return parts
}

// Hidden are the fields that people do not see.
func (f *form) Hidden() (all []*field) {
	for _, one := range f.Fields {
		if one.Sort == "hidden" {
			all = append(all, one)
		}
	}
	return all
}

// Wrong are the fields with something wrong.
func (f *form) Wrong() (all []*field) {
	for _, one := range f.Fields {
		if one.Error != "" {
			all = append(all, one)
		}
	}
	return all
}

// add adds fields.
func (f *form) add(fields ...*field) *form {
	for _, one := range fields {
		if one.Label == "" {
			one.Label = f.T("field_" + one.Name)
		}
		if _, ok := messages["hint_"+one.Name]; ok && one.Hint == "" {
			one.Hint = f.T("hint_" + one.Name)
		}
		if one.Sort == "" {
			one.Sort = "text"
		}
	}
	f.Fields = append(f.Fields, fields...)
	return f
}

// field is the field of a name; it must be there.
func (f *form) field(name string) *field {
	i := slices.IndexFunc(f.Fields, func(one *field) bool { return one.Name == name })
	return f.Fields[i]
}

// has reports whether there is a field of a name.
func (f *form) has(name string) bool {
	return slices.ContainsFunc(f.Fields, func(one *field) bool { return one.Name == name })
}

// value is what was typed into a field.
func (f *form) value(name string) string { return f.field(name).Value }

// wrong says what is wrong with a field, unless something was said already.
func (f *form) wrong(name, text string) {
	if one := f.field(name); one.Error == "" {
		one.Error = text
	}
}

// read takes what was sent, and checks what can be checked of each field by itself. It reports whether all is well.
func (f *form) read(sent url.Values) bool {
	for _, one := range f.Fields {
		one.Value = sent.Get(one.Name)
		if one.Sort != "password" {
			one.Value = strings.TrimSpace(one.Value)
		}
		if one.Sort == "area" {
			one.Value = strings.ReplaceAll(one.Value, "\r\n", "\n") // as browsers send the ends of lines
		}
		if one.Sort == "checks" {
			one.Values = sent[one.Name]
		}
		switch {
		case !utf8.ValidString(one.Value) || utf8.RuneCountInString(one.Value) > maxTyped:
			one.Value, one.Error = "", f.T("wrong_text")
		case one.Required && one.Value == "" && one.Sort != "checks":
			one.Error = f.T("wrong_missing")
		case !one.offers():
			one.Value, one.Error = "", f.T("wrong_choice")
		}
	}
	return f.ok()
}

// offers reports whether what was chosen was offered.
func (f *field) offers() bool {
	chosen := f.Values
	if f.Sort == "select" || f.Sort == "radio" {
		chosen = []string{f.Value}
		if f.Value == "" && !f.Required {
			return true
		}
	}
	for _, value := range chosen {
		if !slices.ContainsFunc(f.Options, func(o option) bool { return o.Value == value }) {
			return false
		}
	}
	return true
}

// forgive takes back what was said to be wrong: the form is shown again before it is filled in.
func (f *form) forgive() {
	f.Error = ""
	for _, one := range f.Fields {
		one.Error = ""
	}
}

// ok reports whether nothing is wrong.
func (f *form) ok() bool { return f.Error == "" && len(f.Wrong()) == 0 }

// Chosen reports whether an option is chosen.
func (f *field) Chosen(o option) bool {
	if f.Sort == "checks" {
		return slices.Contains(f.Values, o.Value)
	}
	return f.Value == o.Value
}

// ID names the field within the page.
func (f *field) ID() string { return "field-" + f.Name }

// IDOf names one of its options within the page.
func (f *field) IDOf(i int) string { return f.ID() + "-" + strconv.Itoa(i) }

// Described names what describes the field within the page.
func (f *field) Described() string {
	var by []string
	if f.Hint != "" {
		by = append(by, f.ID()+"-hint")
	}
	if f.Error != "" {
		by = append(by, f.ID()+"-error")
	}
	return strings.Join(by, " ")
}

// Shown is what stands in the field: what was typed, but no secret.
func (f *field) Shown() string {
	if f.Sort == "password" {
		return ""
	}
	return f.Value
}

// First is where a link to the field leads: to its first box, where it has several.
func (f *field) First() string {
	if f.Sort == "checks" || f.Sort == "radio" {
		return f.IDOf(0)
	}
	return f.ID()
}
