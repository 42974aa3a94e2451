package finalreport

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/server/internal/progress"
	"levee/server/internal/report"
	"levee/server/internal/syncing"
	"levee/syncproto/certificate"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
	"levee/syncproto/words"
)

// maker makes a report in one language.
type maker struct {
	*words.Words
	*certificate.Certificate
	totals
	counted     *counted
	hash        string
	fingerprint string
	setUp       *syncing.SetUp
	figures     []progress.Figure
}

// report is the report without its sections.
func (m *maker) report() *Report {
	c := m.Certificate
	return &Report{Lang: m.Lang(), Title: m.Say(reportTitle), Deployment: c.Deployment.Name, Author: c.Issued.Name, Issued: c.Issued.At.UTC(), Facts: []Fact{
		{m.Say(daysWord), m.Say(fromTo, m.Date(m.start()), m.Date(m.end()))},
		{m.Say(editionWord), m.Say(editionNumber, c.Edition)},
		{m.Say(issuedWord), m.instant(c.Issued.At)},
		{m.Say(issuerWord), c.Issued.Name},
	}}
}

// start and end are the days of the deployment, both counted; the last one is that of the certificate's totals.
func (m *maker) start() record.Date { return dayOf(m.Deployment.StartOn) }
func (m *maker) end() record.Date   { return dayOf(m.Deployment.EndOn) }

// dayOf is a day of a certificate. What is none can't have been signed.
func dayOf(text string) record.Date {
	day, _ := record.ParseDate(text)
	return max(day, 1_01_01)
}

// instant is a time as it was where the deployment is, by its certificate: the zone may have been set anew since.
func (m *maker) instant(t time.Time) string {
	zone, err := time.LoadLocation(m.Deployment.TimeZone)
	if err != nil {
		zone = m.setUp.Location
	}
	return m.Instant(t.In(zone))
}

// other speaks the other language, for headings that are in both.
func (m *maker) other() *words.Words { return words.In(m.Either("zh", "en")) }

func (m *maker) column(name string, label words.Message) Column {
	return Column{Name: name, Label: m.Say(label), Other: m.other().Say(label)}
}

func (m *maker) numbers(name string, label words.Message) Column {
	c := m.column(name, label)
	c.Number = true
	return c
}

func (m *maker) row(label string, numbers ...int64) Row {
	r := Row{Cells: []Cell{{Text: label}}}
	for _, n := range numbers {
		r.Cells = append(r.Cells, m.number(n))
	}
	return r
}

func (m *maker) sum(numbers ...int64) Row {
	r := m.row(m.label(tally.Whole, ""), numbers...)
	r.Sum = true
	return r
}

// summary begins with the sentence that is published.
func (m *maker) summary() []Block {
	persons := m.figure(progress.Beneficiaries).Label.In(m.Lang())
	blocks := []Block{
		{Lead: m.published().Sentence(m.Words, m.figures)},
		{Text: m.Say(summaryRule, m.Date(m.start()), m.Date(m.end()), persons, m.figure("persons").Label.In(m.Lang()))},
	}
	if m.Edition > 1 {
		blocks = append(blocks, Block{Text: m.Say(laterEdition, m.Edition, m.Edition-1)})
	}
	t := &Table{Name: "figures", Title: m.Say(figuresTitle), Columns: []Column{m.column("figure", figureWord), m.numbers("reported", reportedWord), m.numbers("verified", verifiedWord)}}
	for _, f := range m.figures {
		if !f.OnCalendar() {
			t.Rows = append(t.Rows, m.row(f.Label.In(m.Lang()), m.whole(f.Name), m.value(tally.Verified, f.Name, tally.Whole, "")))
		}
	}
	return append(blocks, Block{Table: t}, Block{Note: m.Say(basesNote)})
}

// method says the rule of each figure, and how much of persons is known by number or estimated only.
func (m *maker) method() []Block {
	var rules []string
	for _, f := range m.figures {
		rules = append(rules, m.Labelled(f.Label.In(m.Lang()), f.Rule.In(m.Lang())))
	}
	return []Block{
		{List: rules},
		{Text: m.Say(personsAre, m.text(m.whole("persons")), m.text(m.whole("persons_by_number")), m.text(m.whole("persons_estimated")))},
		{Text: m.Say(countedBesides, m.counted.position)},
		{Text: m.Say(fewRule, report.Small)},
	}
}

func (m *maker) completeness() []Block {
	c := m.Completeness
	t := &Table{Name: "checks", Title: m.Say(checksTitle), Columns: []Column{m.column("check", checkWord), m.numbers("open", stillOpenWord), m.numbers("waived", waivedWord)}}
	for _, check := range m.Checks {
		t.Rows = append(t.Rows, m.row(m.check(check.Check), int64(check.Open), int64(check.Waived)))
	}
	blocks := []Block{
		{Text: m.Say(tabletsLine, m.instant(m.Issued.At), c.Devices, c.HeardFrom, c.WithBacklog, c.Outstanding)},
		{Text: m.Say(heldLine, c.Held, c.Conflicts)},
		{Text: m.Say(logLine, m.Log.Position, m.Log.Records, m.Log.Changes)},
	}
	if m.Log.Erased > 0 {
		blocks = append(blocks, Block{Text: m.Say(erasedLine, m.Log.Erased)})
	}
	if len(t.Rows) > 0 {
		blocks = append(blocks, Block{Table: t})
	}
	return blocks
}

// check is what an item of the checklist is called; its name where only a newer server knows it.
func (m *maker) check(name string) string {
	label := name
	each(recordv1.CloseOutCheck(0), func(v protoreflect.EnumValueDescriptor) {
		if words.ChoiceName(v) == name {
			label = m.Choice(v)
		}
	})
	return label
}

// aboutTablets are the checks whose subjects are tablets. Those of others are records about clients, and are not told of.
var aboutTablets = map[string]bool{"backlog": true, "unheard": true}

func (m *maker) waivers() []Block {
	if len(m.Waivers) == 0 {
		return []Block{{Text: m.Say(nothingWaived)}}
	}
	t := &Table{Name: "waivers", Title: m.Say(waiversTitle), Columns: []Column{m.column("check", checkWord), m.column("subject", tabletWord), m.numbers("count", countWord), m.column("reason", reasonWord),
		m.column("by", byWord), m.column("at", atWord)}}
	for _, w := range m.Waivers {
		subject := Cell{}
		if aboutTablets[w.Check] {
			subject.Text = w.Name
		}
		t.Rows = append(t.Rows, Row{Cells: []Cell{{Text: m.check(w.Check)}, subject, m.number(int64(max(w.Count, 1))), {Text: oneLine(w.Reason)}, {Text: w.By}, {Text: m.instant(w.At)}}})
	}
	return []Block{{Table: t}}
}

// oneLine is what people wrote without the ends of its lines.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// editions says what this one changed. Lines that are about few people stand in the certificate alone.
func (m *maker) editions() []Block {
	if m.Previous == nil {
		return []Block{{Text: m.Say(firstEdition)}}
	}
	blocks := []Block{{Text: m.Say(previousEdition, m.Edition, m.Previous.Edition, m.Previous.SHA256)}}
	if len(m.Addenda) > 0 {
		t := &Table{Name: "addenda", Title: m.Say(addendaTitle), Columns: []Column{m.column("tablet", tabletWord), m.column("received", receivedWord), m.numbers("accepted", acceptedWord), m.numbers("declined", declinedWord), m.column("reason", reasonWord)}}
		for _, a := range m.Addenda {
			t.Rows = append(t.Rows, Row{Cells: []Cell{{Text: a.Name}, {Text: m.instant(a.Received)}, m.number(int64(a.Accepted)), m.number(int64(a.Declined)), {Text: oneLine(strings.Join(a.Reasons, m.Either("; ", "；")))}}})
		}
		blocks = append(blocks, Block{Table: t})
	}
	t := &Table{Name: "differences", Title: m.Say(differencesTitle, m.Previous.Edition), Columns: []Column{m.column("basis", basisWord), m.column("by", divisionWord), m.column("key", partWord), m.column("figure", figureWord),
		m.numbers("before", beforeWord), m.numbers("after", afterWord), m.numbers("difference", differenceWord)}}
	divides := func(d certificate.Difference) bool { return d.By != tally.Whole.String() }
	whole, parts := slices.DeleteFunc(slices.Clone(m.Differences), divides), slices.DeleteFunc(slices.Clone(m.Differences), func(d certificate.Difference) bool { return !divides(d) })
	for _, d := range append(whole, parts...) {
		if by, ok := toldBy(d.Line); ok {
			t.Rows = append(t.Rows, Row{Cells: []Cell{{Text: m.Either(d.Basis, m.Say(basisWords[d.Basis]))}, {Text: m.Say(dimensionWords[by])}, {Text: m.label(by, d.Key)}, {Text: m.figure(d.Figure).Label.In(m.Lang())},
				m.number(d.Before), m.number(d.After), m.number(d.After - d.Before)}})
		}
	}
	if len(t.Rows) == 0 {
		return append(blocks, Block{Text: m.Say(noDifference)})
	}
	return append(blocks, Block{Table: t}, Block{Note: m.Say(differencesNote)})
}

// toldBy is by which dimension a line divides, and whether a report tells it: not what divides by sex, age, disability, village or worker.
func toldBy(l certificate.Line) (tally.Dimension, bool) {
	by, err := tally.ParseDimension(l.By)
	switch {
	case err != nil: // of a newer server
		return 0, false
	case by == tally.Place:
		return by, len(l.Key) <= progress.TownDigits
	default:
		return by, by == tally.Whole || by == tally.Day || by == tally.Site || by == tally.Team || by == tally.ServiceArea
	}
}

func (m *maker) certificate() []Block {
	return []Block{
		{Text: m.Say(certificateLine, m.instant(m.Issued.At), m.Issued.Name, m.Edition)},
		{List: []string{m.Labelled("SHA-256", m.hash), m.Labelled(m.Say(keyWord), m.fingerprint), m.Labelled(m.Say(chainWord), m.Log.Chain)}},
		{Text: m.Say(verifyLine)},
		{QR: m.code()},
	}
}

// code is what the QR code says: what tells one certificate from all others, so that paper can be held against the file.
func (m *maker) code() string {
	b, _ := json.Marshal(struct { // of texts and a number, which always can
		Deployment string `json:"levee_deployment"`
		Edition    int    `json:"edition"`
		SHA256     string `json:"sha256"`
		Key        string `json:"key"`
	}{m.Deployment.ID.String(), m.Edition, m.hash, m.fingerprint})
	return string(b)
}
