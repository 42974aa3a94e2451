package main

import (
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
	tag     language.Tag
	printer *printing.Printer
}

// wordsIn speaks "zh", or else English.
func wordsIn(lang string) *words {
	w := &words{chinese: lang == "zh", tag: language.English}
	if w.chinese {
		w.tag = language.SimplifiedChinese
	}
	w.printer = printing.NewPrinter(w.tag)
	return w
}

// lang is "zh" or "en".
func (w *words) lang() string { return w.either("en", "zh") }

// either is the one or the other, by the language.
func (w *words) either(en, zh string) string {
	if w.chinese {
		return zh
	}
	return en
}

// say is a message with its arguments; numbers are written as the language does.
func (w *words) say(m message, args ...any) string {
	return w.printer.Sprintf(w.either(m.en, m.zh), args...)
}

// count is a message about n.
func (w *words) count(c counted, n int64) string {
	format := c.zh
	if !w.chinese {
		format = c.other
		if plural.Cardinal.MatchPlural(w.tag, int(n), 0, 0, 0, 0) == plural.One {
			format = c.one
		}
	}
	return w.printer.Sprintf(format, n)
}

// number is a number with its thousands apart.
func (w *words) number(n int64) string { return w.printer.Sprintf("%d", n) }

// list joins items.
func (w *words) list(items []string) string { return strings.Join(items, w.either(", ", "、")) }

// date is a day, such as 23 Sep 2021 or 2021年9月23日.
func (w *words) date(d record.Date) string {
	return d.Start(time.UTC).Format(w.either("2 Jan 2006", "2006年1月2日"))
}

// instant is a day and the time of day.
func (w *words) instant(t time.Time) string {
	return t.Format(w.either("2 Jan 2006 15:04", "2006年1月2日 15:04"))
}

// duration is a span of time to the second, such as 1h2m3s or 1小时2分3秒.
func (w *words) duration(d time.Duration) string {
	text := d.Round(time.Second).String()
	if w.chinese {
		text = strings.NewReplacer("h", "小时", "m", "分", "s", "秒").Replace(text)
	}
	return text
}

// languageOf is the language that the arguments ask for, else that of the locale. It is needed before the arguments
// are parsed: what is wrong with them must be said in it.
func languageOf(args []string, env func(string) string) string {
	asked := ""
	for i, arg := range args {
		if arg == "--" {
			break
		}
		if value, ok := strings.CutPrefix(arg, "--lang="); ok {
			asked = value
		}
		if arg == "--lang" && i+1 < len(args) {
			asked = args[i+1]
		}
	}
	if asked != "" {
		return asked
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if locale := env(name); locale != "" {
			if strings.HasPrefix(strings.ToLower(locale), "zh") {
				return "zh"
			}
			break
		}
	}
	return "en"
}
