package export

import (
	"cmp"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"levee/server/internal/places"
	"levee/server/internal/progress"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
	"levee/syncproto/words"
)

// HXL writes who did what, where and when (the 4W table) as humanitarian partners exchange it: a CSV file with a row of labels in
// the language of the query, a row of hashtags of HXL 1.1 (hxlstandard.org/standard/1-1final), and a row for each team, site, place,
// service area, kind of work and month. Numbers are those that were reported. It holds no more than these rows.
func HXL(c *Content, w io.Writer) error {
	t := &table4W{Content: c, groups: peopleGroups(record.AgeBands(c.SetUp.Deployment)), rows: map[workKey]*workRow{}}
	if err := c.eachGiven(func(g progress.Given) error { t.add(&g); return nil }); err != nil {
		return err
	}
	rows := t.sorted()
	leaveOut(rows)
	columns := t.columns()
	cells := make([]string, len(columns))
	if _, err := io.WriteString(w, byteOrderMark); err != nil {
		return err
	}
	labels, tags := make([]string, len(columns)), make([]string, len(columns))
	for i, column := range columns {
		labels[i], tags[i] = column.label, column.tag
	}
	return table(w, labels, func(put func([]string) error) error {
		if err := put(tags); err != nil {
			return err
		}
		for _, r := range rows {
			for i, column := range columns {
				cells[i] = column.cell(r)
			}
			if err := put(cells); err != nil {
				return err
			}
		}
		return nil
	})
}

// workKey is what a row of the table is of: keys of totals, the kind of work, and the first day of the month.
type workKey struct {
	team, site, place, area string
	kind                    record.Kind
	month                   record.Date
}

// workRow is how much was done, and for how many.
type workRow struct {
	workKey
	// held is how much work there was, contacts whom it reached; people are these by group, and behind them those of no group.
	held, contacts int64
	people         []int64
	// What is not told: see leaveOut.
	heldUntold, contactsUntold bool
	peopleUntold               []bool
}

type table4W struct {
	*Content
	groups []peopleGroup
	rows   map[workKey]*workRow
}

// heldFigures are what says how much of a kind of work there was.
var heldFigures = map[record.Kind]tally.Figure{
	recordv1.Kind_KIND_CASE: tally.Cases, recordv1.Kind_KIND_CASE_SESSION: tally.CaseSessions, recordv1.Kind_KIND_GROUP_SESSION: tally.GroupSessions,
	recordv1.Kind_KIND_COMMUNITY_ACTIVITY: tally.CommunityActivities, recordv1.Kind_KIND_OUTREACH: tally.OutreachRounds,
}

// villageDigits is how long the code of a village is.
const villageDigits = 12

// aboutFew reports whether work of a kind is about few people each time: how much there was of it, and in which village, says
// something of them.
func aboutFew(kind record.Kind) bool {
	return kind == recordv1.Kind_KIND_CASE || kind == recordv1.Kind_KIND_CASE_SESSION
}

// add adds what a record gives to its row.
func (t *table4W) add(g *progress.Given) {
	key := workKey{team: keyOf(g, tally.Team), site: keyOf(g, tally.Site), place: keyOf(g, tally.Place), area: keyOf(g, tally.ServiceArea), kind: g.Where, month: g.Day/100*100 + 1}
	if aboutFew(key.kind) {
		key.place = key.place[:min(progress.TownDigits, len(key.place))]
	}
	r := t.rows[key]
	if r == nil {
		r = &workRow{workKey: key, people: make([]int64, len(t.groups)+1)}
		t.rows[key] = r
	}
	r.held += g.At(tally.Cell{Basis: tally.Reported, Figure: heldFigures[key.kind], Cut: tally.Everything()})
	r.contacts += g.At(tally.Cell{Basis: tally.Reported, Figure: tally.Contacts, Cut: tally.Everything()})
	tally.ContactsOf(&g.Of, func(sex recordv1.Sex, ageBand uint32, n int64) {
		at := slices.IndexFunc(t.groups, func(p peopleGroup) bool { return p.has(sex, ageBand) })
		if at < 0 {
			at = len(t.groups)
		}
		r.people[at] += n
	})
}

// sorted are the rows by month, team, site, place, area and kind.
func (t *table4W) sorted() []*workRow {
	return slices.SortedFunc(maps.Values(t.rows), func(a, b *workRow) int {
		return cmp.Or(cmp.Compare(a.month, b.month), cmp.Compare(a.team, b.team), cmp.Compare(a.site, b.site), cmp.Compare(a.place, b.place), cmp.Compare(a.area, b.area), cmp.Compare(a.kind, b.kind))
	})
}

// leaveOut leaves out numbers of few people, as said above Untold. Contacts are parts of those of their site, which GeoJSON tells,
// and sites are parts of the whole; so are cases, and so are their sessions. The groups of people are parts of their row, and where
// that is not told of, neither are they.
func leaveOut(rows []*workRow) {
	leaveOutOf(rows, func(r *workRow) int64 { return r.contacts }, func(r *workRow) { r.contactsUntold = true })
	for _, kind := range []record.Kind{recordv1.Kind_KIND_CASE, recordv1.Kind_KIND_CASE_SESSION} {
		of := slices.DeleteFunc(slices.Clone(rows), func(r *workRow) bool { return r.kind != kind })
		leaveOutOf(of, func(r *workRow) int64 { return r.held }, func(r *workRow) { r.heldUntold = true })
	}
	for _, r := range rows {
		r.peopleUntold = Untold(r.people)
		if r.contactsUntold {
			for i := range r.peopleUntold {
				r.peopleUntold[i] = true
			}
		}
	}
}

// leaveOutOf leaves out numbers of rows that are parts of their sites, the sites being parts of the whole.
func leaveOutOf(rows []*workRow, number func(*workRow) int64, leave func(*workRow)) {
	sites := map[string][]*workRow{}
	for _, r := range rows {
		sites[r.site] = append(sites[r.site], r)
	}
	sums := map[string]int64{}
	for key, of := range sites {
		for _, r := range of {
			sums[key] += number(r)
		}
	}
	untoldSites := untoldOf(sums)
	for key, of := range sites {
		numbers := make([]int64, len(of))
		for i, r := range of {
			numbers[i] = number(r)
		}
		for i, out := range Untold(numbers) {
			if numbers[i] > 0 && (out || untoldSites[key]) {
				leave(of[i])
			}
		}
	}
}

// untoldOf says of parts, by their keys, which are left out.
func untoldOf(parts map[string]int64) map[string]bool {
	keys := slices.Sorted(maps.Keys(parts))
	numbers := make([]int64, len(keys))
	for i, key := range keys {
		numbers[i] = parts[key]
	}
	out := map[string]bool{}
	for i, is := range Untold(numbers) {
		out[keys[i]] = is
	}
	return out
}

// column4W is one column of the table.
type column4W struct {
	tag, label string
	cell       func(*workRow) string
}

// levels are those of places, and how long their codes are.
var levels = []struct {
	digits int
	name   words.Message
}{
	{2, words.Message{EN: "province", ZH: "省"}},
	{4, words.Message{EN: "city", ZH: "市"}},
	{6, words.Message{EN: "county", ZH: "县"}},
	{progress.TownDigits, words.Message{EN: "town", ZH: "乡镇"}},
	{villageDigits, words.Message{EN: "village", ZH: "村"}},
}

var codeOf = words.Message{EN: "%s (code)", ZH: "%s（代码）"}

// columns are those of the table. Each has a hashtag but the last one: HXL has no attribute that says of people that more is not
// known of them.
func (t *table4W) columns() []column4W {
	w := t.Terms.Words
	number := func(tag string, label words.Message, cell func(*workRow) string) column4W {
		return column4W{tag, w.Say(label), cell}
	}
	text := func(tag string, label words.Message, cell func(*workRow) string) column4W {
		return number(tag, label, func(r *workRow) string { return Neutral(lines(cell(r))) })
	}
	all := []column4W{
		text("#org+prog+name", words.Message{EN: "deployment", ZH: "行动"}, func(*workRow) string { return t.SetUp.Deployment.GetName() }),
		text("#org+impl+name", words.Message{EN: "team", ZH: "服务队"}, func(r *workRow) string { return t.nameOf(recordv1.Kind_KIND_TEAM, r.team) }),
		text("#sector+name", words.Message{EN: "service area", ZH: "服务领域"}, func(r *workRow) string { return progress.LabelOf(t.SetUp, tally.ServiceArea, r.area).In(w.Lang()) }),
		text("#activity+type", words.Message{EN: "kind of work", ZH: "服务类型"}, func(r *workRow) string { return w.Kind(r.kind) }),
		number("#output+num", words.Message{EN: "how many (of cases and their sessions: 5 or more)", ZH: "数量（个案及个案服务少于5的不列出）"}, func(r *workRow) string { return told(r.held, r.heldUntold) }),
	}
	for i, level := range levels {
		tag := "#adm" + strconv.Itoa(i+1)
		all = append(all,
			column4W{tag + "+code", w.Say(codeOf, w.Say(level.name)), func(r *workRow) string { return cut(r.place, level.digits) }},
			text(tag+"+name", level.name, func(r *workRow) string { return t.placeName(r, level.digits) }))
	}
	all = append(all,
		text("#loc+name", words.Message{EN: "site", ZH: "服务点"}, func(r *workRow) string { return t.nameOf(recordv1.Kind_KIND_SITE, r.site) }),
		number("#geo+lat", words.Message{EN: "latitude of the site", ZH: "服务点纬度"}, func(r *workRow) string { return degrees(t.site(r).LatitudeE6, t.site(r).LongitudeE6) }),
		number("#geo+lon", words.Message{EN: "longitude of the site", ZH: "服务点经度"}, func(r *workRow) string { return degrees(t.site(r).LongitudeE6, t.site(r).LatitudeE6) }),
		text("#date+start", words.Message{EN: "from", ZH: "起始日期"}, func(r *workRow) string { return r.month.String() }),
		text("#date+end", words.Message{EN: "to", ZH: "截止日期"}, func(r *workRow) string { return t.lastDay(r).String() }),
		number("#reached+ind", words.Message{EN: "contacts (reported; 5 or more)", ZH: "人次（已上报，少于5的不列出）"}, func(r *workRow) string { return told(r.contacts, r.contactsUntold) }))
	for i, g := range t.groups {
		all = append(all, column4W{g.tag(), g.label(w), func(r *workRow) string { return told(r.people[i], r.peopleUntold[i]) }})
	}
	last := len(t.groups)
	return append(all, number("", words.Message{EN: "of unknown sex or age", ZH: "性别或年龄不详"}, func(r *workRow) string { return told(r.people[last], r.peopleUntold[last]) }))
}

// told is a number, unless it is left out.
func told(n int64, out bool) string {
	if out {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// cut is a code up to a level of places; empty where it does not go so far.
func cut(code string, digits int) string {
	if len(code) < digits {
		return ""
	}
	return code[:digits]
}

// nameOf is what a site or team is called by the key of a total.
func (t *table4W) nameOf(kind record.Kind, key string) string {
	id, err := uuid.Parse(key)
	if err != nil {
		return ""
	}
	return t.names.text(kind, id[:])
}

// site is where a row's work was done; an empty one when that is not known.
func (t *table4W) site(r *workRow) *recordv1.Site {
	id, _ := uuid.Parse(r.site)
	if site := t.SetUp.Sites[id]; site != nil {
		return site
	}
	return &recordv1.Site{}
}

// placeName is the name of a row's place at a level. Villages are known by the sites that are there alone.
func (t *table4W) placeName(r *workRow, digits int) string {
	code := cut(r.place, digits)
	if digits == villageDigits && code != "" && t.site(r).GetPlace().GetCode() == code {
		return t.site(r).GetPlace().GetVillage()
	}
	return places.Name(code)
}

// lastDay is the last day of a row's month; of the present month it is today.
func (t *table4W) lastDay(r *workRow) record.Date {
	last := (r.month.AddDays(31)/100*100 + 1).AddDays(-1)
	if today := record.DateOf(t.At, t.SetUp.Location); r.month <= today {
		return min(last, today)
	}
	return last
}

// degrees are a coordinate, where the other one is known as well.
func degrees(millionths, other *int32) string {
	if millionths == nil || other == nil {
		return ""
	}
	return strconv.FormatFloat(float64(*millionths)/1e6, 'f', -1, 64)
}

// peopleGroup is people of one sex and of some age bands.
type peopleGroup struct {
	sex recordv1.Sex
	// from and to are the first and last band; all ages when to is 0.
	from, to uint32
	// age is the attribute of HXL; empty for all ages. years is what people call it.
	age   string
	years words.Message
}

// The last years of age of those whom HXL calls children and adults: it leaves that to its users.
const (
	lastOfChildren = 17
	lastOfAdults   = 59
)

// peopleGroups are those that can be told apart by the age bands of a deployment: without a band that ends with the last year of
// children no ages are; without one that ends with the last year of adults the elderly are among these.
func peopleGroups(bands []uint32) (groups []peopleGroup) {
	children, adults := slices.Index(bands, lastOfChildren)+1, slices.Index(bands, lastOfAdults)+1
	last := len(bands) + 1
	for _, sex := range []recordv1.Sex{recordv1.Sex_SEX_FEMALE, recordv1.Sex_SEX_MALE} {
		group := func(from, to int, age string, years words.Message) {
			groups = append(groups, peopleGroup{sex, uint32(from), uint32(to), age, years}) //nolint:gosec // there are few bands
		}
		switch {
		case children == 0:
			group(0, 0, "", words.Message{EN: "any age", ZH: "各年龄"})
		case adults == 0:
			group(1, children, "children", words.Message{EN: "under 18", ZH: "18岁以下"})
			group(children+1, last, "adults", words.Message{EN: "18 and over", ZH: "18岁及以上"})
		default:
			group(1, children, "children", words.Message{EN: "under 18", ZH: "18岁以下"})
			group(children+1, adults, "adults", words.Message{EN: "18 to 59", ZH: "18至59岁"})
			group(adults+1, last, "elderly", words.Message{EN: "60 and over", ZH: "60岁及以上"})
		}
	}
	return groups
}

func (p peopleGroup) has(sex recordv1.Sex, ageBand uint32) bool {
	return p.sex == sex && (p.to == 0 || p.from <= ageBand && ageBand <= p.to)
}

// tag is the hashtag of the group's column.
func (p peopleGroup) tag() string {
	tag := "#reached+f"
	if p.sex == recordv1.Sex_SEX_MALE {
		tag = "#reached+m"
	}
	if p.age != "" {
		tag += "+" + p.age
	}
	return tag + "+ind"
}

var sexLabels = map[recordv1.Sex]words.Message{recordv1.Sex_SEX_FEMALE: {EN: "female", ZH: "女"}, recordv1.Sex_SEX_MALE: {EN: "male", ZH: "男"}}

func (p peopleGroup) label(w *words.Words) string {
	return w.Labelled(w.Say(sexLabels[p.sex]), w.Say(p.years))
}
