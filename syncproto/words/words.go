// Package words is what both sides say, in 简体中文 and in English: the words for kinds, fields and choices, as the protos and
// RECORDS.md have them, and numbers, dates and plurals as each language writes them. Sentences stay with the programs that say them.
package words

import (
	"strings"
	"time"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	printing "golang.org/x/text/message"

	"levee/syncproto/record"
)

// Message is a format in both languages: English, 简体中文.
type Message struct{ EN, ZH string }

// Counted is a message about a number, its first argument: English for one and for other numbers, 简体中文.
type Counted struct{ One, Other, ZH string }

// Words speaks one language: its sentences, numbers, plurals and dates. It may be used by several goroutines.
type Words struct {
	chinese bool
	tag     language.Tag
	printer *printing.Printer
}

// In speaks "zh", or else English.
func In(lang string) *Words {
	w := &Words{chinese: lang == "zh", tag: language.English}
	if w.chinese {
		w.tag = language.SimplifiedChinese
	}
	w.printer = printing.NewPrinter(w.tag)
	return w
}

// Lang is "zh" or "en".
func (w *Words) Lang() string { return w.Either("en", "zh") }

// Either is the one or the other, by the language.
func (w *Words) Either(en, zh string) string {
	if w.chinese {
		return zh
	}
	return en
}

// Say is a message with its arguments; numbers are written as the language does.
func (w *Words) Say(m Message, args ...any) string {
	return w.printer.Sprintf(w.Either(m.EN, m.ZH), args...)
}

// Count is a message about n.
func (w *Words) Count(c Counted, n int64) string {
	format := c.ZH
	if !w.chinese {
		format = c.Other
		if plural.Cardinal.MatchPlural(w.tag, int(n), 0, 0, 0, 0) == plural.One {
			format = c.One
		}
	}
	return w.printer.Sprintf(format, n)
}

// Number is a number with its thousands apart.
func (w *Words) Number(n int64) string { return w.printer.Sprintf("%d", n) }

// List joins items.
func (w *Words) List(items []string) string { return strings.Join(items, w.Either(", ", "、")) }

var labelled = Message{"%s: %s", "%s：%s"}

// Labelled is a value with the word for it before it.
func (w *Words) Labelled(label, value string) string { return w.Say(labelled, label, value) }

// Date is a day, such as 23 Sep 2021 or 2021年9月23日.
func (w *Words) Date(d record.Date) string {
	return d.Start(time.UTC).Format(w.Either("2 Jan 2006", "2006年1月2日"))
}

// DayAndMonth is a day where the year is plain, such as 23 Sep or 9月23日.
func (w *Words) DayAndMonth(d record.Date) string {
	return d.Start(time.UTC).Format(w.Either("2 Jan", "1月2日"))
}

// Instant is a day and the time of day.
func (w *Words) Instant(t time.Time) string {
	return t.Format(w.Either("2 Jan 2006 15:04", "2006年1月2日 15:04"))
}

// Duration is a span of time to the second, such as 1h2m3s or 1小时2分3秒.
func (w *Words) Duration(d time.Duration) string {
	text := d.Round(time.Second).String()
	if w.chinese {
		text = strings.NewReplacer("h", "小时", "m", "分", "s", "秒").Replace(text)
	}
	return text
}
