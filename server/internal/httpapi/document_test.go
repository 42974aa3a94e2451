package httpapi_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/errors"

	"levee/server/internal/httpapi"
)

// contract is the document as programs read it.
type contract struct{ validator.Validator }

func newContract(t testing.TB) *contract {
	t.Helper()
	b, err := httpapi.Document()
	if err != nil {
		t.Fatal(err)
	}
	document, err := libopenapi.NewDocument(b)
	if err != nil {
		t.Fatal(err)
	}
	v, wrong := validator.NewValidator(document)
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	return &contract{v}
}

// told are the faults of a document, request or answer, each with its place.
func told(t testing.TB, faults []*errors.ValidationError) {
	t.Helper()
	for _, f := range faults {
		t.Errorf("%s: %s", f.Message, f.Reason)
		for _, one := range f.SchemaValidationErrors {
			t.Errorf("  %s: %s", one.FieldPath, one.Reason)
		}
	}
}

// kept reports what in an answer is not as the document says.
func (c *contract) kept(t testing.TB, request *http.Request, response *http.Response, body []byte) {
	t.Helper()
	copied := *response
	copied.Body = io.NopCloser(bytes.NewReader(body))
	if ok, faults := c.ValidateHttpResponse(request, &copied); !ok {
		t.Errorf("%s %s is answered %d %s", request.Method, request.URL.Path, response.StatusCode, body)
		told(t, faults)
	}
}

// TestTheDocumentIsValid: it is what OpenAPI 3.1 says a document is.
func TestTheDocumentIsValid(t *testing.T) {
	if ok, faults := newContract(t).ValidateDocument(); !ok {
		told(t, faults)
	}
}
