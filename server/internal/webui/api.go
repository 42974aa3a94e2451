package webui

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// pathAPI is the page of the document of the JSON API, which is served beside it.
const pathAPI = "/api"

func apiRoutes(r *router) {
	r.page(pathAPI, anyone, (*visit).api)
}

// apiDocument is what the page reads of an OpenAPI document.
type apiDocument struct {
	Info       struct{ Title, Description string }
	Tags       []struct{ Name, Description string }
	Paths      map[string]map[string]*apiOperation
	Components struct {
		Schemas         map[string]*apiSchema
		Responses       map[string]apiResponse
		SecuritySchemes map[string]struct{ Description string }
	}
}

type apiOperation struct {
	OperationID, Summary, Description string
	Tags                              []string
	Parameters                        []apiParameter
	RequestBody                       *struct{ Content map[string]apiMedia }
	Responses                         map[string]apiResponse
}

type apiParameter struct {
	Name, In, Description string
	Required              bool
	Schema                *apiSchema
}

type apiResponse struct {
	Ref         string `json:"$ref"`
	Description string
	Content     map[string]apiMedia
}

type apiMedia struct {
	Schema  *apiSchema
	Example json.RawMessage
}

// apiSchema is a part of the JSON that is sent or answered.
type apiSchema struct {
	Ref                  string `json:"$ref"`
	Type                 any    // a name, or several
	Format, Description  string
	Enum                 []any
	Default              any
	Properties           map[string]*apiSchema
	Required             []string
	Items                *apiSchema
	AdditionalProperties any
}

// apiBody is what the page of the API shows.
type apiBody struct {
	Lead  string
	Keys  []apiKey
	Parts []apiPart
	Types []apiType
}

// apiKey is a way to say who asks.
type apiKey struct{ Name, Description string }

// apiPart are routes that belong together.
type apiPart struct {
	ID, Name, Description string
	Routes                []apiRoute
}

type apiRoute struct {
	ID, Method, Path, Summary string
	Description               []string
	Parameters                []apiField
	// Sent and Answered are examples; empty for none.
	Sent, Answered string
	SentType       apiTypeName
	AnsweredType   apiTypeName
	Responses      []apiAnswer
}

type apiAnswer struct{ Status, Description string }

// apiField is a parameter, or a part of a type.
type apiField struct {
	Name, Where string
	Type        apiTypeName
	Description string
	Choices     string
	Default     string
	Required    bool
}

// apiTypeName is what a type is called; To is where it is described, empty for plain ones.
type apiTypeName struct{ Before, Name, To string }

// apiType is a type that has a name.
type apiType struct {
	ID, Name string
	Fields   []apiField
}

// readAPI makes the page out of the document.
func readAPI(document []byte) (*apiBody, error) {
	d := &apiDocument{}
	if err := json.Unmarshal(document, d); err != nil {
		return nil, fmt.Errorf("the document of the API: %w", err)
	}
	body := &apiBody{Lead: d.Info.Description}
	for _, name := range slices.Sorted(maps.Keys(d.Components.SecuritySchemes)) {
		body.Keys = append(body.Keys, apiKey{name, d.Components.SecuritySchemes[name].Description})
	}
	for _, tag := range d.Tags {
		part := apiPart{ID: "part-" + strings.ReplaceAll(strings.ToLower(tag.Name), " ", "-"), Name: tag.Name, Description: tag.Description}
		for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
			for _, method := range slices.Sorted(maps.Keys(d.Paths[path])) {
				if o := d.Paths[path][method]; slices.Contains(o.Tags, tag.Name) {
					part.Routes = append(part.Routes, d.route(strings.ToUpper(method), path, o))
				}
			}
		}
		body.Parts = append(body.Parts, part)
	}
	for _, name := range slices.Sorted(maps.Keys(d.Components.Schemas)) {
		body.Types = append(body.Types, apiType{"type-" + name, name, fieldsOfType(d.Components.Schemas[name])})
	}
	return body, nil
}

func (d *apiDocument) route(method, path string, o *apiOperation) apiRoute {
	r := apiRoute{ID: o.OperationID, Method: method, Path: path, Summary: o.Summary, Description: strings.Split(o.Description, "\n\n")}
	for _, p := range o.Parameters {
		r.Parameters = append(r.Parameters, fieldOf(p.Name, p.In, p.Description, p.Required, p.Schema))
	}
	if o.RequestBody != nil {
		r.SentType, r.Sent = mediaOf(o.RequestBody.Content)
	}
	for _, status := range slices.Sorted(maps.Keys(o.Responses)) {
		answer := o.Responses[status]
		if answer.Ref != "" {
			answer = d.Components.Responses[answer.Ref[strings.LastIndex(answer.Ref, "/")+1:]]
		}
		if strings.HasPrefix(status, "2") {
			r.AnsweredType, r.Answered = mediaOf(answer.Content)
		}
		r.Responses = append(r.Responses, apiAnswer{status, answer.Description})
	}
	return r
}

// mediaOf is what is sent or answered as JSON, with its example.
func mediaOf(content map[string]apiMedia) (of apiTypeName, example string) {
	media, ok := content["application/json"]
	if !ok {
		return of, ""
	}
	var plain any
	if json.Unmarshal(media.Example, &plain) == nil {
		if b, err := json.MarshalIndent(plain, "", "  "); err == nil {
			example = string(b)
		}
	}
	return typeName(media.Schema), example
}

func fieldsOfType(s *apiSchema) (fields []apiField) {
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		of := s.Properties[name]
		fields = append(fields, fieldOf(name, "", of.Description, slices.Contains(s.Required, name), of))
	}
	return fields
}

func fieldOf(name, where, description string, required bool, s *apiSchema) apiField {
	f := apiField{Name: name, Where: where, Description: description, Required: required, Type: typeName(s)}
	choices := s.Enum
	if s.Items != nil {
		choices = s.Items.Enum
	}
	var texts []string
	for _, one := range choices {
		texts = append(texts, fmt.Sprint(one))
	}
	f.Choices = strings.Join(texts, ", ")
	if s.Default != nil {
		f.Default = fmt.Sprint(s.Default)
	}
	return f
}

// typeName is what people call a type.
func typeName(s *apiSchema) apiTypeName {
	switch {
	case s.Ref != "":
		name := s.Ref[strings.LastIndex(s.Ref, "/")+1:]
		return apiTypeName{Name: name, To: "#type-" + name}
	case s.Items != nil:
		of := typeName(s.Items)
		of.Before = "list of " + of.Before
		return of
	case s.AdditionalProperties != nil && s.AdditionalProperties != false:
		return apiTypeName{"", "numbers by name", ""}
	case s.Type == nil:
		return apiTypeName{"", "any", ""}
	default:
		return apiTypeName{Name: cmp.Or(s.Format, fmt.Sprint(s.Type))}
	}
}

// api shows what programs can ask of the server, out of the document by which they are made.
func (v *visit) api() error {
	return v.showAs(http.StatusOK, "api", &page{Title: v.T("title_api"), Body: v.document})
}
