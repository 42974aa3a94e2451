package webui_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"levee/server/internal/httpapi"
	"levee/server/internal/webtest"
)

// The page of the API has each route and each type of the document, in the frame of both languages, and each place to which it leads.
func TestThePageOfTheAPIHasAllOfTheDocument(t *testing.T) {
	s := newSite(t)
	text, err := httpapi.Document()
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Paths      map[string]map[string]struct{ OperationID string }
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	for language, title := range map[string]string{"en": "The JSON API", "zh": "JSON 接口"} {
		b := s.browser(language).Open("/api").Is(http.StatusOK).Sees(title)
		var ids []string
		for _, name := range []string{"h2", "h3"} {
			for _, heading := range webtest.Find(b.Page, name) {
				ids = append(ids, webtest.Attribute(heading, "id"))
			}
		}
		for path, methods := range document.Paths {
			b.Sees(path)
			for _, o := range methods {
				if !slices.Contains(ids, o.OperationID) {
					t.Errorf("%s: no %s", language, o.OperationID)
				}
			}
		}
		for name := range document.Components.Schemas {
			if !slices.Contains(ids, "type-"+name) {
				t.Errorf("%s: no type %s", language, name)
			}
		}
		for _, a := range webtest.Find(b.Page, "a") {
			if to, within := strings.CutPrefix(webtest.Attribute(a, "href"), "#"); within && to != "main" && !slices.Contains(ids, to) {
				t.Errorf("%s: nothing is at #%s", language, to)
			}
		}
		slices.Sort(ids)
		if len(slices.Compact(slices.Clone(ids))) != len(ids) {
			t.Errorf("%s: two places of one name among %v", language, ids)
		}
	}
}
