package httpapi

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"levee/server/internal/access"
	"levee/server/internal/casefile"
	"levee/server/internal/importing"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/words"
)

// mountImporting adds the route by which records come in from paper and spreadsheets.
func (a *api) mountImporting(h huma.API) {
	wrong := &huma.Response{Description: problem.Message(problem.FileWrong, "en"), Content: map[string]*huma.MediaType{problemType: {Schema: h.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[faultyFile](), true, "FaultyFile")}}}
	huma.Register(h, huma.Operation{
		OperationID: "import", Method: http.MethodPost, Path: "/api/imports", DefaultStatus: http.StatusOK,
		Summary:      "Make records from a file in the columns of an export: a workbook, a CSV file, or a ZIP file of CSV files. It is checked as a whole, and refused as file_wrong while anything is wrong with it. The same file again makes nothing",
		MaxBodyBytes: importing.MaxBytes, BodyReadTimeout: 2 * time.Minute, Metadata: map[string]any{actionOf: access.ImportRecords}, Responses: map[string]*huma.Response{"422": wrong},
	}, a.imports)
}

type importIn struct {
	Scope
	Name    string `query:"name" maxLength:"200" example:"outreach.csv" doc:"What the file is called. Of a CSV file it tells the kind of its records, unless kind does."`
	Kind    string `query:"kind" maxLength:"50" example:"outreach" doc:"The kind of the records, of a file with one table; by default as files and sheets are called."`
	Check   bool   `query:"check" doc:"Only say what the file comes to, and what is wrong with it: nothing is made."`
	RawBody []byte `contentType:"application/octet-stream"`
}

type importBody struct {
	Made     int           `json:"made" doc:"How many records were made."`
	Tables   []importTable `json:"tables" nullable:"false" doc:"What is in the file, a kind each, in the order in which it is made."`
	Wrong    int           `json:"wrong" doc:"How many things are wrong with the file, by a check. With any, it would be refused."`
	Faults   []importFault `json:"faults" nullable:"false" doc:"The first of them."`
	Unknown  []importNote  `json:"unknown" nullable:"false" doc:"Columns that say nothing here."`
	LeftOut  []string      `json:"left_out" nullable:"false" doc:"Files and sheets of which nothing is imported."`
	NoTokens []string      `json:"no_tokens" nullable:"false" doc:"Tables of registered people that are left out, since the file does not have their tokens."`
}

// faultyFile is the problem with a file of which nothing was made.
type faultyFile struct {
	ProblemBody
	Wrong  int           `json:"wrong,omitempty" doc:"With file_wrong: how many things are wrong with the file."`
	Faults []importFault `json:"faults,omitempty" doc:"With file_wrong: the first 300 of them."`
}

type importTable struct {
	Kind      string `json:"kind" example:"outreach"`
	ToMake    int    `json:"to_make" doc:"Records that were not there when the file was checked."`
	Same      int    `json:"same" doc:"Records that are there already."`
	Differing int    `json:"differing" doc:"Records that are there already and say something else: they are left as they are."`
}

type importFault struct {
	Table   string `json:"table,omitempty" doc:"The file or sheet."`
	Row     int    `json:"row,omitempty" doc:"As spreadsheets count, from 1; absent when the whole table is meant."`
	Column  string `json:"column,omitempty" example:"C" doc:"The letter of the column."`
	Heading string `json:"heading,omitempty" doc:"What stands above it."`
	Message string `json:"message" doc:"What is wrong, in the language of Accept-Language."`
}

type importNote struct {
	Table   string `json:"table,omitempty"`
	Heading string `json:"heading"`
}

func (a *api) imports(ctx context.Context, in *importIn) (*given[importBody], error) {
	var found importBody // what the file comes to
	out, err := ask(ctx, a, in.Scope, func(d *Deployment, by casefile.Reader) (importBody, error) {
		f := importing.File{Name: in.Name, Content: in.RawBody}
		if in.Kind != "" {
			if f.Kind, _ = words.KindNamed(in.Kind); f.Kind == recordv1.Kind_KIND_UNKNOWN {
				return importBody{}, problem.Newf(problem.InvalidArgument, "kind: there is none of that name")
			}
		}
		p, err := d.Importing.Check(ctx, by, f)
		if err != nil {
			return importBody{}, err
		}
		if found = viewPlan(p, words.In(languageOf(in.AcceptLanguage))); !in.Check {
			found.Made, err = d.Importing.Import(ctx, by, f, p.Digest)
		}
		return found, err
	})
	var refused *ProblemBody
	if errors.As(err, &refused) && refused.Code == string(problem.FileWrong) {
		return nil, &faultyFile{*refused, found.Wrong, found.Faults}
	}
	return out, err
}

func viewPlan(p *importing.Plan, w *words.Words) importBody {
	body := importBody{Tables: []importTable{}, Wrong: p.Wrong, Faults: []importFault{}, Unknown: []importNote{}, LeftOut: append([]string{}, p.LeftOut...), NoTokens: append([]string{}, p.Tokenless...)}
	for _, t := range p.Tables {
		body.Tables = append(body.Tables, importTable{words.KindName(t.Kind), t.Made, t.Same, t.Differing})
	}
	for _, f := range p.Faults {
		body.Faults = append(body.Faults, importFault{f.Table, f.Row, f.Column, f.Heading, f.Message(w)})
	}
	for _, c := range p.Unknown {
		body.Unknown = append(body.Unknown, importNote(c))
	}
	return body
}
