package webui

import (
	"errors"
	"io"
	"net/http"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/server/internal/audit"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// sheetOrder are the sorts of files in the order in which they are best imported: each names what came before.
var sheetOrder = []string{"sites", "teams", "workers"}

// importedFile is a file that was sent and not imported yet.
type importedFile struct {
	deployment hlc.ID
	sort, name string
	table      *table
}

// chooseImport takes a file and leads to what it comes to. Nothing is changed by it.
func (v *visit) chooseImport() error {
	var sorts []option
	for _, s := range sheetOrder {
		sorts = append(sorts, option{s, v.T(s)})
	}
	f := v.form("submit_preview").add(
		&field{Name: "sort", Sort: "radio", Required: true, Value: sheetOrder[0], Options: sorts},
		&field{Name: "file", Sort: "file"})
	f.Files = true
	show := func() error {
		p := &page{Title: v.T("import_file"), Lead: []string{v.T("import_lead"), v.T("import_cells")}, Form: f}
		for _, s := range sheetOrder {
			p.Links = append(p.Links, link{To: v.To(v.toSetUp(), "/import/templates/", s), Name: v.T("import_template", v.T(s)), File: true})
		}
		p.Links = append(p.Links, link{To: v.To(v.toSetUp()), Name: v.T("go_back")})
		return v.show("form", p)
	}
	if !v.posted() {
		return show()
	}
	file, name, ok := v.uploaded(f, maxTableBytes)
	if !ok {
		return show()
	}
	t, fault := readTable(file)
	if fault == nil {
		_, fault = v.planImport(f.value("sort"), t)
	}
	if fault != nil {
		f.wrong("file", v.T(fault.message, fault.args...))
		return show()
	}
	kept := v.files.keep(v.Wall(), v.session.Account.ID, importedFile{v.within.Syncing.Deployment(), f.value("sort"), name, t})
	return v.Redirect(http.StatusSeeOther, v.To(v.toSetUp(), "/import/", kept))
}

// uploaded is the file that was sent with a form, of so many bytes at most. false when there is none, or something is wrong with the
// form, which it then says.
func (v *visit) uploaded(f *form, most int) (file []byte, name string, ok bool) {
	// What else is in the form is small.
	v.Request().Body = http.MaxBytesReader(v.Response(), v.Request().Body, int64(most)+1<<16)
	file, name, err := v.fileSent("file")
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) || len(file) > most {
		f.wrong("file", v.T("wrong_file_large", most>>20))
		return nil, "", false // the rest of the form can't be read any more
	}
	if filled := v.filled(f); len(file) == 0 {
		f.wrong("file", v.T("wrong_file_missing"))
	} else if !filled {
		return nil, "", false
	}
	return file, name, f.ok()
}

// fileSent is a file of the form; nothing when none was sent.
func (v *visit) fileSent(name string) (content []byte, called string, err error) {
	header, err := v.FormFile(name)
	if err != nil {
		return nil, "", err
	}
	file, err := header.Open()
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = file.Close() }() // it was only read
	content, err = io.ReadAll(file)
	return content, header.Filename, err
}

// importTemplate is a file with nothing but the headings of a sort.
func (v *visit) importTemplate() error {
	s, ok := sheets[v.Param("sort")]
	if !ok {
		return problem.New(problem.NotFound)
	}
	headings := make([]string, 0, len(s.columns))
	for _, c := range s.columns {
		headings = append(headings, c.shown(v.wording))
	}
	return v.headings(v.Param("sort"), headings)
}

// previewRow is a row of a file as its preview shows it.
type previewRow struct {
	Number     int
	Name       string
	State, Tag string
	// Lines are what is wrong, or what would change.
	Lines []string
}

type previewBody struct {
	File    string
	Unknown string
	Rows    []previewRow
	// More is how many rows are not shown.
	More string
	Back string
}

// mostPreviewed is how many rows are shown with which nothing is wrong.
const mostPreviewed = 200

// previewImport shows what a file comes to, and does it once one agrees.
func (v *visit) previewImport() error {
	file, ok := kept[importedFile](v.files, v.Wall(), v.session.Account.ID, v.Param("shown"))
	if !ok || file.deployment != v.within.Syncing.Deployment() {
		return problem.New(problem.NotFound)
	}
	p, fault := v.planImport(file.sort, file.table)
	if fault != nil { // it was planned when it was sent
		return problem.New(problem.NotFound)
	}
	wrong, made, changed := p.counts()
	f := v.form("submit_import").add(&field{Name: "plan", Label: "-", Sort: "hidden", Value: p.digest()})
	show := func() error {
		lead := []string{v.T("preview_lead", v.N("rows", int64(made)), v.N("rows", int64(changed)), v.N("rows", int64(len(p.rows)-wrong-made-changed)))}
		switch {
		case wrong > 0:
			lead = []string{v.N("rows_wrong", int64(wrong))}
			f = nil
		case made+changed == 0:
			f = nil
		}
		return v.show("import", &page{Title: v.T("title_import_preview", v.T(file.sort)), Lead: lead, Form: f, Body: v.previewBody(file, p)})
	}
	if !v.filled(f) || wrong > 0 {
		return show()
	}
	if f.value("plan") != p.digest() {
		f.Error = v.T("wrong_plan")
		f.field("plan").Value = p.digest()
		return show()
	}
	if err := v.carryOut(p); err != nil {
		return v.refused(err, f, nil, show)
	}
	if err := v.note(audit.SetUpChanged, audit.OfDeployment, file.deployment); err != nil {
		return err
	}
	to := v.toSetUp()
	if file.sort == "workers" {
		to = v.toPeople()
	}
	return v.done(to, "imported")
}

func (v *visit) previewBody(file importedFile, p *importPlan) previewBody {
	body := previewBody{File: file.name, Back: v.To(v.toSetUp(), "/import")}
	if len(p.unknown) > 0 {
		body.Unknown = v.List(p.unknown)
	}
	shown, more := 0, 0
	for _, bad := range []bool{true, false} { // what is wrong stands first
		for _, r := range p.rows {
			switch {
			case (len(r.wrong) > 0) != bad:
			case !bad && shown == mostPreviewed:
				more++
			default:
				body.Rows = append(body.Rows, v.previewRow(p, r))
				if !bad {
					shown++
				}
			}
		}
	}
	if more > 0 {
		body.More = v.N("rows_more", int64(more))
	}
	return body
}

func (v *visit) previewRow(p *importPlan, r importRow) previewRow {
	row := previewRow{Number: r.number, Name: r.name}
	switch {
	case len(r.wrong) > 0:
		row.State, row.Tag = v.T("row_wrong"), "bad"
		for _, w := range r.wrong {
			typed := v.T("quoted", w.typed)
			if w.typed == "" {
				typed = v.T("cell_empty")
			}
			row.Lines = append(row.Lines, v.T("cell_wrong", w.column, typed, w.text))
		}
	case r.made:
		row.State, row.Tag = v.T("row_made"), "good"
	case len(r.fields) > 0:
		row.State, row.Tag = v.T("row_changed"), "warn"
		for _, field := range r.fields {
			row.Lines = append(row.Lines, v.fieldChanged(p, r, field))
		}
	default:
		row.State, row.Tag = v.T("row_same"), "off"
	}
	return row
}

// fieldChanged says what a field says and would say.
func (v *visit) fieldChanged(p *importPlan, r importRow, number protowire.Number) string {
	i := planning{setUp: v.within.Syncing.SetUp(), sheet: p.sheet}
	now, will := i.standing(r.change.ID), r.change.Message
	field := will.ProtoReflect().Descriptor().Fields().ByNumber(number)
	return v.T("field_changes", v.Field(field), v.said(now.ProtoReflect(), field), v.said(will.ProtoReflect(), field))
}

// said is what a field of the set-up says.
func (v *visit) said(m protoreflect.Message, field protoreflect.FieldDescriptor) string {
	if !m.Has(field) {
		return v.T("cell_empty")
	}
	switch field.Number() {
	case siteLatitude, siteLongitude:
		if _, ok := m.Interface().(interface{ GetLatitudeE6() int32 }); ok {
			millionths := int32(m.Get(field).Int()) //nolint:gosec // the field has 32 bits
			return degrees(&millionths)
		}
	}
	if words.FormOf(field) == words.Date {
		return v.Date(record.Date(m.Get(field).Int())) //nolint:gosec // the field has 32 bits
	}
	return v.value(v.terms(), field, m.Get(field), v.nameInSetUp)
}

// nameInSetUp is what a site, team or worker is called.
func (v *visit) nameInSetUp(id []byte) string {
	setUp := v.within.Syncing.SetUp()
	switch one := idOf(id); {
	case setUp.Sites[one] != nil:
		return setUp.Sites[one].GetName()
	case setUp.Teams[one] != nil:
		return setUp.Teams[one].GetName()
	default:
		return setUp.Workers[one].GetName()
	}
}
