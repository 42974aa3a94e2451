package handover

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"slices"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/server/internal/casefile"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// parts are the kinds that the file of a case has, in its order, and what belongs to each. Advice of supervisors is for those whom it was
// given, and stays.
var parts = []struct{ kind, note record.Kind }{
	{kind: recordv1.Kind_KIND_CASE},
	{kind: recordv1.Kind_KIND_CASE_IDENTITY},
	{kind: recordv1.Kind_KIND_CONSENT},
	{recordv1.Kind_KIND_CASE_SESSION, recordv1.Kind_KIND_CASE_NOTE},
	{recordv1.Kind_KIND_REFERRAL, recordv1.Kind_KIND_REFERRAL_NOTE},
}

// left are fields that tell a receiver nothing: what a record belongs to stands above it.
var left = []protoreflect.Name{"team", "site", "duplicate_of", "deleted", "entry", "case", "session", "referral", "subject"}

// file is the file of one case.
type file struct {
	of      *Case
	at      time.Time
	setUp   *syncing.SetUp
	records []member
	zh, en  *words.Terms
	day     record.Date
}

// fileOf reads the file of a case.
func (s *Service) fileOf(tx casefile.Reading, c *Case, at time.Time) (*file, error) {
	family, err := familyOf(tx, c.ID)
	if err != nil {
		return nil, err
	}
	setUp := s.SetUp()
	f := &file{of: c, at: at, setUp: setUp, zh: words.In("zh").For(setUp.Deployment), en: words.In("en").For(setUp.Deployment), day: record.DateOf(at, setUp.Location)}
	for _, part := range parts {
		for _, m := range family {
			if m.Kind != part.kind {
				continue
			}
			f.records = append(f.records, m)
			for _, note := range family {
				if note.Kind == part.note && note.owner == m.ID {
					f.records = append(f.records, note)
				}
			}
		}
	}
	return f, nil
}

// mayShare reports whether a consent to being passed on is there that was not withdrawn.
func (f *file) mayShare() bool {
	return slices.ContainsFunc(f.records, func(m member) bool { return m.agrees() })
}

// named is what a worker, or another record of the set-up, is called; empty for any other record.
func (f *file) named(id []byte) string {
	of := hlc.IDOf(id)
	if w := f.setUp.Workers[of]; w != nil {
		return w.GetName()
	}
	return ""
}

// each hands on the fields that are told of a record, with their values.
func (f *file) each(m member, fn func(protoreflect.FieldDescriptor, protoreflect.Value)) {
	message := m.message.ProtoReflect()
	for _, field := range words.Fields(message.Descriptor()) {
		if !message.Has(field) || slices.Contains(left, field.Name()) || words.FormOf(field) == words.Code {
			continue
		}
		fn(field, message.Get(field))
	}
}

//go:embed casefile.html referral.html
var templates embed.FS

var pages = template.Must(template.ParseFS(templates, "casefile.html", "referral.html"))

// line is a field in both languages; values that are the same in both stand once.
type line struct{ Label, Value string }

type section struct {
	Title string
	// Under: it belongs to the one before it.
	Under bool
	Lines []line
}

func both(zh, en string) string {
	if zh == en || en == "" {
		return zh
	}
	return zh + " / " + en
}

// writePage writes the file as one page with all that it needs, to read or to print.
func (f *file) writePage(w io.Writer) error {
	var sections []section
	for _, m := range f.records {
		s := section{Title: both(f.zh.KindLabel(m.Kind), f.en.KindLabel(m.Kind)), Under: m.Kind == recordv1.Kind_KIND_CASE_NOTE || m.Kind == recordv1.Kind_KIND_REFERRAL_NOTE}
		f.each(m, func(field protoreflect.FieldDescriptor, v protoreflect.Value) {
			if value := both(f.zh.Value(field, v, f.named), f.en.Value(field, v, f.named)); value != "" {
				s.Lines = append(s.Lines, line{both(f.zh.Field(field), f.en.Field(field)), value})
			}
		})
		sections = append(sections, s)
	}
	var page bytes.Buffer
	err := pages.ExecuteTemplate(&page, "casefile.html", struct {
		No, Deployment, Day string
		Sections            []section
	}{f.of.No, f.setUp.Deployment.GetName(), both(f.zh.Date(f.day), f.en.Date(f.day)), sections})
	if err != nil {
		return fmt.Errorf("the file of case %v: %w", f.of.ID, err)
	}
	_, err = w.Write(page.Bytes())
	return err
}

// fileJSON is the file of a case as programs read it.
type fileJSON struct {
	// Format names this form of it, and its version.
	Format     string       `json:"format"`
	Deployment string       `json:"deployment"`
	Case       hlc.ID       `json:"case"`
	CaseNo     string       `json:"case_no"`
	MadeAt     time.Time    `json:"made_at"`
	Records    []recordJSON `json:"records"`
}

type recordJSON struct {
	ID   hlc.ID `json:"id"`
	Kind string `json:"kind"`
	// Of is the record that it belongs to; the case's own has none.
	Of *hlc.ID `json:"of,omitempty"`
	// Fields are by their stable names: text, numbers, truth values, lists of them, or objects. Workers stand by their names.
	Fields map[string]any `json:"fields"`
}

func (f *file) writeJSON(w io.Writer) error {
	out := fileJSON{Format: "levee case file 1", Deployment: f.setUp.Deployment.GetName(), Case: f.of.ID, CaseNo: f.of.No, MadeAt: f.at.UTC(), Records: []recordJSON{}}
	for _, m := range f.records {
		one := recordJSON{ID: m.ID, Kind: words.KindName(m.Kind), Fields: map[string]any{}}
		if m.owner != (hlc.ID{}) {
			one.Of = &m.owner
		}
		f.each(m, func(field protoreflect.FieldDescriptor, v protoreflect.Value) {
			if words.FormOf(field) == words.Reference {
				one.Fields[string(field.Name())] = f.namesIn(field, v)
				return
			}
			one.Fields[string(field.Name())] = casefile.ValueOf(field, v)
		})
		out.Records = append(out.Records, one)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(out)
}

// namesIn are the workers that a field names; the ids of other records.
func (f *file) namesIn(field protoreflect.FieldDescriptor, v protoreflect.Value) any {
	one := func(v protoreflect.Value) string {
		if name := f.named(v.Bytes()); name != "" {
			return name
		}
		return hlc.IDOf(v.Bytes()).String()
	}
	if !field.IsList() {
		return one(v)
	}
	all := make([]string, v.List().Len())
	for i := range all {
		all[i] = one(v.List().Get(i))
	}
	return all
}
