package webui

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	printing "golang.org/x/text/message"

	"levee/syncproto/record"
)

// message is a format in both languages: English, 简体中文.
type message struct{ en, zh string }

// counted is a message about a number, its first argument: English for one and for other numbers, 简体中文.
type counted struct{ one, other, zh string }

// words speaks one language: its sentences, numbers, plurals and dates.
type words struct {
	chinese bool
	// asked: the address says the language, so that links go on in it.
	asked   bool
	printer *printing.Printer
	// zone is where times are told: that of the deployment, or UTC where there is none.
	zone *time.Location
}

var languages = language.NewMatcher([]language.Tag{language.English, language.Chinese})

// wordsFor are in the language that a request asks for: by its address, else that of the account, else that of the browser.
func wordsFor(r *http.Request, ofAccount string) *words {
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
	w := wordsIn(lang)
	w.asked = asked
	return w
}

// wordsIn speaks "zh", or else English.
func wordsIn(lang string) *words {
	w := &words{chinese: lang == "zh", zone: time.UTC}
	tag := language.English
	if w.chinese {
		tag = language.SimplifiedChinese
	}
	w.printer = printing.NewPrinter(tag)
	return w
}

// either is the one or the other, by the language.
func (w *words) either(en, zh string) string {
	if w.chinese {
		return zh
	}
	return en
}

// Lang is "zh" or "en".
func (w *words) Lang() string { return w.either("en", "zh") }

// Tag is the language as HTML has it.
func (w *words) Tag() string { return w.either("en", "zh-Hans") }

// Other is the language that is not spoken, and OtherName what it calls itself.
func (w *words) Other() string { return w.either("zh", "en") }

// OtherName is what the language that is not spoken calls itself.
func (w *words) OtherName() string { return w.either("简体中文", "English") }

// OtherTag is the language that is not spoken, as HTML has it.
func (w *words) OtherTag() string { return w.either("zh-Hans", "en") }

// T is the message of a name with its arguments; numbers are written as the language does.
func (w *words) T(name string, args ...any) string {
	m, ok := messages[name]
	if !ok {
		return name // a test finds every name that pages use
	}
	format := w.either(m.en, m.zh)
	if len(args) == 0 {
		return format
	}
	return w.printer.Sprintf(format, args...)
}

// N is the message of a name about n.
func (w *words) N(name string, n int64) string {
	c := numbers[name]
	format := c.zh
	if !w.chinese {
		format = c.other
		if plural.Cardinal.MatchPlural(language.English, int(n), 0, 0, 0, 0) == plural.One {
			format = c.one
		}
	}
	return w.printer.Sprintf(format, n)
}

// List joins items.
func (w *words) List(items []string) string { return strings.Join(items, w.either(", ", "、")) }

// Date is a day, such as 23 Sep 2021 or 2021年9月23日.
func (w *words) Date(day int32) string {
	if day == 0 {
		return ""
	}
	return record.Date(day).Start(time.UTC).Format(w.either("2 Jan 2006", "2006年1月2日"))
}

// Time is a day and the time of day, where the deployment is.
func (w *words) Time(t time.Time) string {
	text := t.In(w.zone).Format(w.either("2 Jan 2006 15:04", "2006年1月2日 15:04"))
	if w.zone == time.UTC {
		text += " UTC"
	}
	return text
}

// Machine is a time for programs.
func (w *words) Machine(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// To is a link to a path of this server, made of parts. It goes on in the language that the address asked for.
func (w *words) To(parts ...string) string {
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
