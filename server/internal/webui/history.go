package webui

import (
	"encoding/csv"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"levee/server/internal/access"
	"levee/server/internal/importing"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
	"levee/syncproto/words"
)

const pathHistory = pathIn + "/import"

// historyRoutes are those of the import of records from paper and spreadsheets.
func historyRoutes(r *router) {
	r.form(pathHistory, access.ImportRecords, (*visit).chooseHistory)
	r.page(pathHistory+"/templates/:kind", access.ImportRecords, (*visit).historyTemplate)
	r.form(pathHistory+"/:shown", access.ImportRecords, (*visit).previewHistory)
	r.section(pathHistory, "nav_history", access.ImportRecords)
}

func (v *visit) toHistory() string { return to(v.within.Syncing.Deployment(), "import") }

// historyFile is a file of records that was sent and not imported yet.
type historyFile struct {
	deployment hlc.ID
	file       importing.File
}

// chooseHistory takes a file and leads to what it comes to. Nothing is changed by it.
func (v *visit) chooseHistory() error {
	var kinds []option
	for _, k := range importing.Templates() {
		kinds = append(kinds, option{words.KindName(k), v.terms().KindLabel(k)})
	}
	f := v.form("submit_preview").add(
		&field{Name: "file", Sort: "file", Hint: v.T("history_file", importing.MaxBytes>>20, v.Number(importing.MaxRows))},
		&field{Name: "rows_of", Sort: "select", Options: kinds})
	f.Files = true
	show := func() error {
		p := &page{Title: v.T("title_history"), Lead: []string{v.T("history_lead"), v.T("history_columns"), v.T("history_ids"), v.T("history_again")}, Form: f}
		for _, k := range importing.Templates() {
			p.Links = append(p.Links, link{To: v.To(v.toHistory(), "/templates/", words.KindName(k)), Name: v.T("import_template", v.terms().KindLabel(k)), File: true})
		}
		return v.show("form", p)
	}
	if !v.posted() {
		return show()
	}
	content, name, ok := v.uploaded(f, importing.MaxBytes)
	if !ok {
		return show()
	}
	kind, _ := words.KindNamed(f.value("rows_of"))
	file := importing.File{Name: name, Content: content, Kind: kind}
	kept := v.files.keep(v.Wall(), v.session.Account.ID, historyFile{v.within.Syncing.Deployment(), file})
	return v.Redirect(http.StatusSeeOther, v.To(v.toHistory(), "/", kept))
}

// historyTemplate is a file with nothing but the headings of a kind's table, in the language of the page.
func (v *visit) historyTemplate() error {
	kind, ok := words.KindNamed(v.Param("kind"))
	if !ok || !slices.Contains(importing.Templates(), kind) {
		return problem.New(problem.NotFound)
	}
	return v.headings(words.KindName(kind), importing.Headings(v.terms(), kind))
}

// headings answers with a file that has nothing but these.
func (v *visit) headings(name string, headings []string) error {
	var text strings.Builder
	text.WriteRune('\ufeff') // else Excel takes it for another encoding
	w := csv.NewWriter(&text)
	w.UseCRLF = true
	_ = w.Write(headings) // a Builder takes everything
	w.Flush()
	v.Response().Header().Set("Content-Disposition", `attachment; filename="`+name+`.csv"`)
	return v.Blob(http.StatusOK, "text/csv; charset=utf-8", []byte(text.String()))
}

// historyBody is what the preview of a file of records shows.
type historyBody struct {
	File   string
	Tables []historyTable
	Faults []historyFault
	// Notes say what is left out, and More how much is wrong besides.
	Notes []string
	More  string
	Back  string
}

// historyTable is what a file has of one kind.
type historyTable struct {
	Kind                  string
	Made, Same, Differing string
}

// historyFault is one thing that is wrong, and where: in which file or sheet, which row, and which column.
type historyFault struct{ Table, Row, Column, What string }

// previewHistory shows what a file comes to, and imports it once one agrees.
func (v *visit) previewHistory() error {
	sent, ok := kept[historyFile](v.files, v.Wall(), v.session.Account.ID, v.Param("shown"))
	if !ok || sent.deployment != v.within.Syncing.Deployment() {
		return problem.New(problem.NotFound)
	}
	f := v.form("submit_import").add(&field{Name: "plan", Label: "-", Sort: "hidden"})
	show := func() error {
		p, err := v.within.Importing.Check(v.context(), v.reader(), sent.file)
		if err != nil {
			return err
		}
		f.field("plan").Value = p.Digest
		shown := &page{Title: v.T("title_history_preview"), Form: f, Body: v.historyBody(sent.file, p)}
		switch {
		case p.Wrong > 0:
			shown.Lead, shown.Form = []string{v.N("history_wrong", int64(p.Wrong))}, nil
		case p.Made() == 0:
			shown.Lead, shown.Form = []string{v.T("history_nothing")}, nil
		default:
			shown.Lead = []string{v.T("history_preview", v.N("records", int64(p.Made())))}
		}
		return v.show("history", shown)
	}
	if !v.filled(f) {
		return show()
	}
	_, err := v.within.Importing.Import(v.context(), v.reader(), sent.file, f.value("plan"))
	switch {
	case problem.CodeOf(err) == problem.ChangedMeanwhile, problem.CodeOf(err) == problem.FileWrong:
		f.Error = v.T("wrong_history_plan")
		return show()
	case err != nil:
		return v.refused(err, f, nil, show)
	}
	return v.done(v.toHistory(), "history")
}

func (v *visit) historyBody(file importing.File, p *importing.Plan) historyBody {
	body := historyBody{File: file.Name, Back: v.To(v.toHistory())}
	for _, t := range p.Tables {
		body.Tables = append(body.Tables, historyTable{v.terms().KindLabel(t.Kind), v.Number(int64(t.Made)), v.Number(int64(t.Same)), v.Number(int64(t.Differing))})
	}
	for _, f := range p.Faults {
		row := historyFault{Table: f.Table, What: f.Message(v.Words)}
		if f.Row > 0 {
			row.Row = strconv.Itoa(f.Row)
		}
		if row.Column = f.Column; f.Heading != "" {
			row.Column = v.T("history_column", f.Column, f.Heading)
		}
		body.Faults = append(body.Faults, row)
	}
	if more := p.Wrong - len(p.Faults); more > 0 {
		body.More = v.N("history_more", int64(more))
	}
	if len(p.Unknown) > 0 {
		var unknown []string
		for _, c := range p.Unknown {
			unknown = append(unknown, strings.TrimSpace(c.Table+" "+v.T("quoted", c.Heading)))
		}
		body.Notes = append(body.Notes, v.T("import_unknown", v.List(unknown)))
	}
	if len(p.LeftOut) > 0 {
		body.Notes = append(body.Notes, v.T("history_left_out", v.List(p.LeftOut)))
	}
	if len(p.Tokenless) > 0 {
		body.Notes = append(body.Notes, v.T("history_unregistered", v.List(p.Tokenless)))
	}
	if slices.ContainsFunc(p.Tables, func(t importing.Table) bool { return t.Differing > 0 }) {
		body.Notes = append(body.Notes, v.T("history_differing"))
	}
	return body
}
