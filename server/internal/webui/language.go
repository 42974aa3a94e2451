package webui

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/text/language"

	"levee/syncproto/words"
)

// message is a format in both languages: English, 简体中文.
type message struct{ en, zh string }

// counted is a message about a number, its first argument: English for one and for other numbers, 简体中文.
type counted struct{ one, other, zh string }

// wording speaks one language to one visitor: the words of both sides, and the pages' own messages.
type wording struct {
	*words.Words
	// asked: the address says the language, so that links go on in it.
	asked bool
	// zone is where times are told: that of the deployment, or UTC where there is none.
	zone *time.Location
}

var languages = language.NewMatcher([]language.Tag{language.English, language.Chinese})

// wordingFor is in the language that a request asks for: by its address, else that of the account, else that of the browser.
func wordingFor(r *http.Request, ofAccount string) *wording {
	lang := r.URL.Query().Get("lang")
	asked := lang == "zh" || lang == "en"
	if !asked {
		lang = ofAccount
	}
	if lang != "zh" && lang != "en" {
		tag, _ := language.MatchStrings(languages, r.Header.Get("Accept-Language"))
		base, _ := tag.Base()
		lang = base.String()
	}
	return &wording{Words: words.In(lang), asked: asked, zone: time.UTC}
}

// wordingOf is in a language, "zh" or else English, whoever asks.
func wordingOf(lang string) *wording { return &wording{Words: words.In(lang), zone: time.UTC} }

// Tag is the language as HTML has it.
func (w *wording) Tag() string { return w.Either("en", "zh-Hans") }

// Other is the language that is not spoken, and OtherName what it calls itself.
func (w *wording) Other() string { return w.Either("zh", "en") }

// OtherName is what the language that is not spoken calls itself.
func (w *wording) OtherName() string { return w.Either("简体中文", "English") }

// OtherTag is the language that is not spoken, as HTML has it.
func (w *wording) OtherTag() string { return w.Either("zh-Hans", "en") }

// Asked is the language if the address says it, for forms that make an address; else empty.
func (w *wording) Asked() string {
	if !w.asked {
		return ""
	}
	return w.Lang()
}

// T is the message of a name with its arguments; numbers are written as the language does.
func (w *wording) T(name string, args ...any) string {
	m, ok := messages[name]
	if !ok {
		return name // a test finds every name that pages use
	}
	return w.Say(words.Message{EN: m.en, ZH: m.zh}, args...)
}

// N is the message of a name about n.
func (w *wording) N(name string, n int64) string {
	c := numbers[name]
	return w.Count(words.Counted{One: c.one, Other: c.other, ZH: c.zh}, n)
}

// Time is a day and the time of day, where the deployment is.
func (w *wording) Time(t time.Time) string {
	text := w.Instant(t.In(w.zone))
	if w.zone == time.UTC {
		text += " UTC"
	}
	return text
}

// Machine is a time for programs.
func (w *wording) Machine(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// To is a link to a path of this server, made of parts. It goes on in the language that the address asked for.
func (w *wording) To(parts ...string) string {
	to := strings.Join(parts, "")
	if !w.asked {
		return to
	}
	path, query, _ := strings.Cut(to, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return to
	}
	values.Set("lang", w.Lang())
	return path + "?" + values.Encode()
}
