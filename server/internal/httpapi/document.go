package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"levee/server/internal/access"
	"levee/server/internal/accounts"
	"levee/syncproto/problem"
)

// describe is what the document says of the API as a whole. The library's own documents and hooks, which would add links to each answer,
// are left out: the document is served in one form.
func describe() huma.Config {
	of := huma.DefaultConfig("Levee", "1")
	of.Info.Description = "What the pages of a deployment show, and what people decide on them: totals and how complete they are, the records behind them, reviews, conflicts, alerts, teams, tablets and the set-up. " +
		"Answers say their ETag; lists come in pages; what is wrong is a problem (RFC 9457) with a stable code and a sentence in the language of Accept-Language. " +
		"A deed says up to which position its author had seen a record: what changed since is not overwritten, and answered as changed_meanwhile."
	of.OpenAPIPath, of.DocsPath, of.SchemasPath = "", "", ""
	of.CreateHooks = nil
	of.RejectUnknownQueryParameters = true
	of.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer", Description: "An API token, made on the page of one's account or by leveed token. It acts as its worker, within its scopes and until it expires."},
		"session": {Type: "apiKey", In: "cookie", Name: accounts.CookieName, Description: "The session of somebody who is signed in on the web."}}
	of.Security = []map[string][]string{{"token": {}}, {"session": {}}}
	return of
}

// tags divide the routes, in the order in which the document lists them, by parts of their paths: the last one that stands here counts.
var tags = []struct{ name, description, parts string }{
	{"Set-up", "Deployments, what they are set up with, and who works in them.", "deployments set-up workers"},
	{"Figures", "What is counted, by which rule, and how much it is.", "figures totals rollup teams work report"},
	{"Records", "Records, what belongs to them, what is confidential of a case, and how they are found.", "records cases confidential erasure search arrivals"},
	{"Reviews", "What supervisors approve and return.", "review preview approvals approval return"},
	{"To be settled", "Fields that two people filled in differently, records that are likely of one thing, and changes that are held.", "conflicts duplicates held separation"},
	{"Alerts", "Risk alerts, until somebody sees to them.", "alerts"},
	{"Supervision and plans", "Supervision sessions, and activities that are to be held.", "supervision planned"},
	{"Tablets", "Tablets and their backlog; how they come and go.", "devices enrolment-codes"},
	{"Files", "Records and totals as files, out and in; reports in bureaus' own Excel files.", "exports imports workbooks"},
	{"Close-out", "How a deployment ends: the checklist, the certificate and its editions, and what came too late.", "close-out"},
	{"Audit log", "Who did what to what.", "audit"},
}

// tagOf is the tag of a path; empty for none.
func tagOf(path string) (found string) {
	for part := range strings.SplitSeq(path, "/") {
		for _, t := range tags {
			if part != "" && strings.Contains(" "+t.parts+" ", " "+part+" ") {
				found = t.name
			}
		}
	}
	return found
}

// refusals are the problems that the document lists by their status; whatever else is wrong is its default. Those of deeds alone come last.
var refusals = []problem.Code{problem.Unauthenticated, problem.NotAllowed, problem.NotFound, problem.InvalidArgument, problem.TooManyRequests, problem.ChangedMeanwhile}

// complete adds to the document what all routes have in common. The error names a route that does not say who may use it, or of which
// nobody knows where it belongs.
func complete(of *huma.OpenAPI) error {
	schemas := of.Components.Schemas
	body := schemas.Schema(reflect.TypeFor[ProblemBody](), true, "Problem")
	of.Components.Responses = map[string]*huma.Response{"problem": {Description: "What is wrong, as RFC 9457 has it.", Content: map[string]*huma.MediaType{problemType: {Schema: body}}}}
	for _, code := range refusals {
		example := func(lang string) *huma.Example { return &huma.Example{Value: bodyOf(problem.New(code), lang)} }
		of.Components.Responses[string(code)] = &huma.Response{Description: problem.Message(code, "en"),
			Content: map[string]*huma.MediaType{problemType: {Schema: body, Examples: map[string]*huma.Example{"English": example("en"), "中文": example("zh")}}}}
	}
	for _, t := range tags {
		of.Tags = append(of.Tags, &huma.Tag{Name: t.name, Description: t.description})
	}
	for path, item := range of.Paths {
		for _, o := range []*huma.Operation{item.Get, item.Put, item.Post, item.Delete, item.Patch} {
			if o == nil {
				continue
			}
			action, ok := o.Metadata[actionOf].(access.Action)
			tag := tagOf(path)
			if !ok || tag == "" {
				return fmt.Errorf("the route %s %s does not say who may use it, or has no tag", o.Method, path)
			}
			o.Tags = []string{tag}
			o.Description = fmt.Sprintf("%s.\n\nAn API token needs the scope `%s`.", o.Summary, scopeOf(action))
			o.Summary, _, _ = strings.Cut(o.Summary, ". ")
			respond(o)
			exemplify(o, schemas)
		}
	}
	for _, unused := range []string{"ErrorModel", "ErrorDetail"} { // the library's own form of a problem is never sent
		delete(schemas.Map(), unused)
	}
	return nil
}

// respond lists what may be wrong with a request.
func respond(o *huma.Operation) {
	for _, code := range refusals {
		if code == problem.ChangedMeanwhile && o.Method == http.MethodGet {
			continue
		}
		if status := strconv.Itoa(problem.HTTPStatus(code)); o.Responses[status] == nil { // a route may tell more
			o.Responses[status] = &huma.Response{Ref: "#/components/responses/" + string(code)}
		}
	}
	o.Responses["default"] = &huma.Response{Ref: "#/components/responses/problem"}
}

// exemplify adds an example of what is sent and of what is answered, made of the examples of the fields.
func exemplify(o *huma.Operation, schemas huma.Registry) {
	bodies := []map[string]*huma.MediaType{}
	if o.RequestBody != nil {
		bodies = append(bodies, o.RequestBody.Content)
	}
	for _, r := range o.Responses {
		bodies = append(bodies, r.Content)
	}
	for _, content := range bodies {
		if media := content["application/json"]; media != nil {
			media.Example = exampleOf(media.Schema, schemas)
		}
	}
}

// Examples of what has none of its own.
var exampleOfFormat = map[string]any{"uuid": "017c3f5e-8a40-7cc2-9d1b-3f1f6c2b7a10", "date": "2021-10-01", "date-time": "2021-10-01T08:30:00Z", "double": 1.5}

func exampleOf(s *huma.Schema, schemas huma.Registry) any {
	if s.Ref != "" {
		s = schemas.SchemaFromRef(s.Ref)
	}
	switch {
	case len(s.Examples) > 0:
		return s.Examples[0]
	case len(s.Enum) > 0:
		return s.Enum[len(s.Enum)-1] // the first one is often that something is unknown
	case exampleOfFormat[s.Format] != nil:
		return exampleOfFormat[s.Format]
	}
	switch s.Type {
	case huma.TypeObject:
		fields := map[string]any{}
		for name, field := range s.Properties {
			fields[name] = exampleOf(field, schemas)
		}
		if of, ok := s.AdditionalProperties.(*huma.Schema); ok { // figures by their names
			fields["contacts"] = exampleOf(of, schemas)
		}
		return fields
	case huma.TypeArray:
		return []any{exampleOf(s.Items, schemas)}
	case huma.TypeInteger:
		return 36
	case huma.TypeBoolean:
		return false
	default:
		return "…"
	}
}

// documentOf is a document as it is served.
func documentOf(of *huma.OpenAPI) ([]byte, error) {
	if err := complete(of); err != nil {
		return nil, err
	}
	document, err := json.Marshal(of)
	if err != nil {
		return nil, fmt.Errorf("describing the API: %w", err)
	}
	return document, nil
}
