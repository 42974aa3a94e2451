package httpapi

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"
	"golang.org/x/text/language"

	"levee/syncproto/problem"
)

const problemType = "application/problem+json"

// ProblemBody is a problem as RFC 9457 has it; what embeds it tells more. Its type is always "about:blank", which need not be said: Code tells
// problems apart.
type ProblemBody struct {
	Title    string `json:"title" doc:"What a person reads, in the language of Accept-Language: 中文 or English."`
	Status   int    `json:"status" doc:"The HTTP status."`
	Code     string `json:"code" doc:"Stable name of the problem." example:"invalid_argument"`
	Detail   string `json:"detail,omitempty" doc:"With invalid_argument: each parameter that is wrong, and why, in English." example:"Wrong parameters: limit: expected number <= 200"`
	Request  string `json:"request,omitempty" doc:"Number of the request, as in the header X-Request-Id and the server's log."`
	Incident string `json:"incident,omitempty" doc:"With internal: the number under which the server's log has the cause."`
}

// Error and GetStatus let a handler return it as its error.
func (b *ProblemBody) Error() string { return b.Code }

// GetStatus implements huma.StatusError.
func (b *ProblemBody) GetStatus() int { return b.Status }

// number gives the problem the number of its request.
func (b *ProblemBody) number(request string) { b.Request = request }

// ContentType implements huma.ContentTypeFilter.
func (b *ProblemBody) ContentType(string) string { return problemType }

var wrongParameters = map[string]string{"zh": "参数不正确：", "en": "Wrong parameters: "}

// bodyOf is a problem in a language. Of details only those on arguments are shown: others may tell of the inside.
func bodyOf(p *problem.Problem, lang string) *ProblemBody {
	b := &ProblemBody{Title: problem.Message(p.Code, lang), Status: problem.HTTPStatus(p.Code), Code: string(p.Code), Incident: p.Incident}
	if p.Code == problem.InvalidArgument {
		b.Detail = wrongParameters[lang] + p.Detail
	}
	return b
}

var languages = language.NewMatcher([]language.Tag{language.English, language.Chinese})

// languageOf is the language to answer in: "zh" or "en".
func languageOf(acceptLanguage string) string {
	tag, _ := language.MatchStrings(languages, acceptLanguage)
	base, _ := tag.Base()
	return base.String()
}

// writeProblem answers with a problem.
func writeProblem(w http.ResponseWriter, p *problem.Problem, acceptLanguage string) error {
	lang := languageOf(acceptLanguage)
	b := bodyOf(p, lang)
	h := w.Header()
	b.Request = h.Get(requestID)
	h.Set(echo.HeaderContentType, problemType)
	h.Set("Content-Language", lang)
	h.Set(echo.HeaderCacheControl, "no-store")
	if p.Code == problem.Unauthenticated {
		h.Set(echo.HeaderWWWAuthenticate, "Bearer")
	}
	if p.RetryAfter > 0 {
		h.Set(echo.HeaderRetryAfter, strconv.FormatFloat(math.Ceil(p.RetryAfter.Seconds()), 'f', 0, 64))
	}
	w.WriteHeader(b.Status)
	return json.NewEncoder(w).Encode(b)
}
