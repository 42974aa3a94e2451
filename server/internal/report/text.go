package report

import (
	"slices"
	"strings"
	"time"

	"levee/server/internal/progress"
	"levee/syncproto/words"
)

// titles are what reports are called.
var titles = map[Period]words.Message{
	Day:   {EN: "[Daily report] %s · %s", ZH: "【日报】%s %s"},
	Week:  {EN: "[Weekly report] %s · %s", ZH: "【周报】%s %s"},
	Month: {EN: "[Monthly report] %s · %s", ZH: "【月报】%s %s"},
	Whole: {EN: "[Report] %s · %s", ZH: "【总报】%s %s"},
}

// within is how a period is called in its own report.
var within = map[Period]words.Message{
	Day:   {EN: "On the day: %s.", ZH: "当日：%s。"},
	Week:  {EN: "In the week: %s.", ZH: "本周：%s。"},
	Month: {EN: "In the month: %s.", ZH: "本月：%s。"},
	Whole: {EN: "In all: %s.", ZH: "全程：%s。"},
}

// things are the figures of what was held, in the order in which people read them, with the Chinese measure word.
var things = []struct {
	figure string
	count  words.Counted
	own    words.Message // with the deployment's own word
}{
	{"cases", words.Counted{One: "%d case", Other: "%d cases", ZH: "个案%d个"}, words.Message{EN: "%[2]d %[1]s", ZH: "%s%d个"}},
	{"case_sessions", words.Counted{One: "%d case session", Other: "%d case sessions", ZH: "个案服务%d次"}, words.Message{EN: "%[2]d %[1]s", ZH: "%s%d次"}},
	{"group_sessions", words.Counted{One: "%d group session", Other: "%d group sessions", ZH: "小组活动%d节"}, words.Message{EN: "%[2]d %[1]s", ZH: "%s%d节"}},
	{"community_activities", words.Counted{One: "%d community activity", Other: "%d community activities", ZH: "团体活动%d场"}, words.Message{EN: "%[2]d %[1]s", ZH: "%s%d场"}},
	{"outreach_rounds", words.Counted{One: "%d outreach round", Other: "%d outreach rounds", ZH: "走访%d次"}, words.Message{EN: "%[2]d %[1]s", ZH: "%s%d次"}},
}

var (
	dates        = words.Message{EN: "%s to %s", ZH: "%s至%s"}
	nothing      = words.Message{EN: "nothing was logged", ZH: "无服务记录"}
	newCases     = words.Message{EN: "%s newly opened", ZH: "新开%s"}
	total        = words.Message{EN: "To date (%s, day %d): %s.", ZH: "累计（截至%s，第%d天）：%s。"}
	people       = words.Message{EN: "%s, %s", ZH: "服务%s、%s"}
	contacts     = words.Counted{One: "%d contact", Other: "%d contacts", ZH: "%d人次"}
	persons      = words.Counted{One: "%d person", Other: "%d persons", ZH: "%d人"}
	fresh        = words.Counted{One: "%d of them new", Other: "%d of them new", ZH: "其中新增%d人"}
	estimated    = words.Counted{One: "%d estimated", Other: "%d estimated", ZH: "估算%d人"}
	remark       = words.Message{EN: "%s (%s)", ZH: "%s（%s）"}
	byTown       = words.Message{EN: "By town: %s.", ZH: "分镇：%s。"}
	townServed   = words.Message{EN: "%s %s, %s", ZH: "%s%s、%s"}
	fewServed    = words.Message{EN: "%s not told apart, where there were few", ZH: "%s人数较少，不单列"}
	worked       = words.Message{EN: "Staff: %s.", ZH: "出勤：%s。"}
	workers      = words.Message{EN: "%s: %d, %s", ZH: "%s%d人、%s"}
	workedDays   = words.Counted{One: "%d day", Other: "%d days", ZH: "%d人天"}
	goodsLine    = words.Message{EN: "Goods: %s.", ZH: "物资：%s。"}
	goodsAsked   = words.Message{EN: "asked for %s", ZH: "登记%s"}
	goodsMatched = words.Message{EN: "matched %s", ZH: "对接中%s"}
	goodsCame    = words.Message{EN: "delivered %s", ZH: "落实%s"}
	goodsYuan    = words.Message{EN: "%s worth %d yuan", ZH: "%s（价值%d元）"}
	links        = words.Counted{One: "%d item", Other: "%d items", ZH: "%d项"}
	open         = words.Message{EN: "Now open: %s; risk alerts sent: %d, not acknowledged: %d.", ZH: "目前在办%s；风险上报%d起，未确认%d起。"}
	openCases    = words.Counted{One: "%d case", Other: "%d cases", ZH: "个案%d个"}
	complete     = words.Message{EN: "As reported up to %s: %d of %d tablets heard from since %s, %s.", ZH: "数据为上报数，统计至%[1]s：%[3]d台平板中%[2]d台自%[4]s以来有联系，%[5]s。"}
	outstanding  = words.Counted{One: "%d change still outstanding", Other: "%d changes still outstanding", ZH: "尚有%d条未上传"}
)

// Small is the number under which people of a part are not told of outside (see Text).
const Small = 5

// Text tells the report in a few lines for a group chat, in "zh" or else English; instants are told in a place. Where people are
// divided, a part with less than Small persons is told without a number, and so that nobody takes the others off the whole, at
// least two parts are when one is.
func (r *Report) Text(lang string, zone *time.Location) string {
	w := teller{Words: words.In(lang), report: r}
	lines := []string{w.title(), w.Say(within[r.Period], w.done())}
	if r.Period != Whole {
		lines = append(lines, w.Say(total, w.DayAndMonth(r.To.Date), r.ServiceDays, w.total()))
	}
	for _, line := range []string{w.towns(), w.staff(), w.goods()} {
		if line != "" {
			lines = append(lines, line)
		}
	}
	c := r.Completeness
	return strings.Join(append(lines, w.Say(open, w.Count(openCases, r.OpenCases.Count), r.Alerts.Sent, r.Alerts.Open),
		w.Say(complete, w.Instant(c.At.In(zone)), c.HeardFrom, c.Tablets, w.Instant(c.Since.In(zone)), w.Count(outstanding, c.Outstanding))), "\n")
}

// teller tells a report in one language.
type teller struct {
	*words.Words
	report *Report
}

func (w teller) title() string {
	day := w.DayAndMonth(w.report.To.Date)
	if w.report.From != w.report.To {
		day = w.Say(dates, w.DayAndMonth(w.report.From.Date), day)
	}
	return w.Say(titles[w.report.Period], day, w.report.Name)
}

// done is what was done in the period.
func (w teller) done() string {
	row := w.report.Done
	parts := w.things(row, w.report.Period != Whole)
	if served := w.people(row); served != "" {
		parts = append(parts, served)
	}
	if len(parts) == 0 {
		return w.Say(nothing)
	}
	return strings.Join(parts, w.Either("; ", "；"))
}

// total is what was done since the start.
func (w teller) total() string {
	row := w.report.Total
	parts := w.things(row, false)
	parts = append(parts, w.Say(people, w.Count(contacts, row.Reported["contacts"]), w.Count(persons, row.Reported["persons"])))
	return strings.Join(parts, w.Either("; ", "；"))
}

// things are the figures of what was held that are not zero, as one part; fresh says that cases are those opened in the period.
func (w teller) things(row Row, fresh bool) []string {
	var all []string
	for _, t := range things {
		n := row.Reported[t.figure]
		if n == 0 {
			continue
		}
		text := w.Count(t.count, n)
		if own := w.own(t.figure); own != "" {
			text = w.Say(t.own, own, n)
		}
		if fresh && t.figure == "cases" {
			text = w.Say(newCases, text)
		}
		all = append(all, text)
	}
	if len(all) == 0 {
		return nil
	}
	return []string{strings.Join(all, w.Either(", ", "，"))}
}

// own is the deployment's own word for a figure; empty where it uses the common one.
func (w teller) own(figure string) string {
	common, _ := progress.FigureNamed(figure)
	i := slices.IndexFunc(w.report.Figures, func(f Figure) bool { return f.Name == figure })
	if label := w.report.Figures[i].Label; label != Label(common.Label) {
		return w.Either(label.En, label.Zh)
	}
	return ""
}

// people are contacts and persons, with how many of these are new and estimated; empty when there was nobody.
func (w teller) people(row Row) string {
	if row.Reported["contacts"] == 0 && row.Reported["persons"] == 0 {
		return ""
	}
	served := w.Count(persons, row.Reported["persons"])
	var remarks []string
	if n := row.Reported[progress.NewPersons]; n > 0 && w.report.Period != Whole {
		remarks = append(remarks, w.Count(fresh, n))
	}
	if n := row.Reported["persons_estimated"]; n > 0 {
		remarks = append(remarks, w.Count(estimated, n))
	}
	if len(remarks) > 0 {
		served = w.Say(remark, served, w.List(remarks))
	}
	return w.Say(people, w.Count(contacts, row.Reported["contacts"]), served)
}

// towns divides people over the towns where there were any; empty when that divides nothing.
func (w teller) towns() string {
	var served []Row
	for _, row := range w.report.Towns {
		if row.Reported["contacts"] > 0 || row.Reported["persons"] > 0 {
			served = append(served, row)
		}
	}
	if len(served) < 2 {
		return ""
	}
	hidden := few(served)
	var parts, rest []string
	for _, row := range served {
		name := w.Either(row.Label.En, row.Label.Zh)
		if hidden[row.Key] {
			rest = append(rest, name)
		} else {
			parts = append(parts, w.Say(townServed, name, w.Count(contacts, row.Reported["contacts"]), w.Count(persons, row.Reported["persons"])))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	if len(rest) > 0 {
		parts = append(parts, w.Say(fewServed, w.List(rest)))
	}
	return w.Say(byTown, strings.Join(parts, w.Either("; ", "；")))
}

// few are the keys of rows whose people are not told of: those with less than Small, and one more where it is one alone.
func few(rows []Row) map[string]bool {
	least := func(r Row) int64 { return min(r.Reported["contacts"], r.Reported["persons"]) }
	bySize := slices.SortedFunc(slices.Values(rows), func(a, b Row) int { return int(least(a) - least(b)) })
	hidden := map[string]bool{}
	for _, r := range bySize {
		if least(r) < Small || len(hidden) == 1 {
			hidden[r.Key] = true
		}
	}
	return hidden
}

// staff tells by their types how many worked, and on how many days each taken together; empty when nobody did.
func (w teller) staff() string {
	var parts []string
	for _, group := range w.report.Apart() {
		days := int64(0)
		for _, one := range group {
			days += int64(one.Days)
		}
		parts = append(parts, w.Say(workers, TypeLabel(group[0].Type, w.Lang()), len(group), w.Count(workedDays, days)))
	}
	if len(parts) == 0 {
		return ""
	}
	return w.Say(worked, strings.Join(parts, w.Either("; ", "；")))
}

// goods sums goods of all units up; empty when there are none.
func (w teller) goods() string {
	var asked, matched, delivered Quantity
	for _, g := range w.report.Goods {
		for _, one := range []struct {
			of  *Quantity
			add Quantity
		}{{&asked, g.AskedFor}, {&matched, g.Matched}, {&delivered, g.Delivered}} {
			one.of.Links += one.add.Links
			one.of.Yuan += one.add.Yuan
		}
	}
	var parts []string
	for _, one := range []struct {
		says words.Message
		q    Quantity
	}{{goodsAsked, asked}, {goodsMatched, matched}, {goodsCame, delivered}} {
		if one.q.Links == 0 {
			continue
		}
		text := w.Count(links, one.q.Links)
		if one.q.Yuan > 0 {
			text = w.Say(goodsYuan, text, one.q.Yuan)
		}
		parts = append(parts, w.Say(one.says, text))
	}
	if len(parts) == 0 {
		return ""
	}
	return w.Say(goodsLine, strings.Join(parts, w.Either("; ", "；")))
}
