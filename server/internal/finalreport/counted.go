package finalreport

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/server/internal/progress"
	"levee/server/internal/report"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
	"levee/syncproto/words"
)

// counted is what no certificate holds, from one snapshot of the records.
type counted struct {
	// position is how long the log was.
	position uint64
	// cases are those that count; by the stage at which they stand, and by how they were closed. Those that are open are in no
	// outcome.
	cases, open int64
	stages      choices
	outcomes    choices
	// persons are the distinct ones of each week, by its Monday.
	persons map[record.Date]int64
	// referrals are those to each organisation. handedOver are the cases that somebody took over, each once.
	referrals  map[string]*referrals
	handedOver map[hlc.ID]bool
	// supervision is how often and how long there was supervision of each form.
	supervision struct{ sessions, minutes choices }
}

// choices are how many there are of each value of an enumeration.
type choices map[protoreflect.EnumNumber]int64

// add counts n of a value. One that only a newer tablet knows is unknown here.
func (c choices) add(value protoreflect.Enum, n int64) {
	number := value.Number()
	if value.Descriptor().Values().ByNumber(number) == nil {
		number = 0
	}
	c[number] += n
}

// each hands out the values of an enumeration, the one that says unknown last.
func each(of protoreflect.Enum, one func(protoreflect.EnumValueDescriptor)) {
	values := of.Descriptor().Values()
	for i := range values.Len() {
		one(values.Get((i + 1) % values.Len()))
	}
}

// referrals are those to one organisation.
type referrals struct {
	byProgress choices
	// handedOver are the cases that it took over, each once.
	handedOver map[hlc.ID]bool
}

// allDays are all that there can be.
const allDays = record.Date(99999999)

func (c *counted) read(tx Reading) error {
	*c = counted{stages: choices{}, outcomes: choices{}, persons: map[record.Date]int64{}, referrals: map[string]*referrals{}, handedOver: map[hlc.ID]bool{}}
	c.supervision.sessions, c.supervision.minutes = choices{}, choices{}
	head, err := tx.Head()
	if err != nil {
		return err
	}
	c.position = head.Position
	if err := c.readFacts(tx); err != nil {
		return err
	}
	everybody := func(hlc.ID) bool { return true }
	err = report.Each(tx, recordv1.Kind_KIND_REFERRAL, allDays, everybody, func(_ record.Date, r *recordv1.Referral) { c.addReferral(r) })
	if err != nil {
		return err
	}
	return report.Each(tx, recordv1.Kind_KIND_SUPERVISION, allDays, everybody, func(_ record.Date, s *recordv1.Supervision) {
		if len(s.GetSupervisor()) > 0 && s.GetMinutes() > 0 { // or it is a draft
			c.supervision.sessions.add(s.GetForm(), 1)
			c.supervision.minutes.add(s.GetForm(), int64(s.GetMinutes()))
		}
	})
}

// readFacts goes through all that counts. Of each fact it keeps what tells persons of the whole apart.
func (c *counted) readFacts(tx Reading) error {
	whole := []tally.Cut{tally.Everything()}
	weeks := map[record.Date][]tally.Fact{}
	err := progress.EachGiven(tx, func(syncing.Record) error { return nil }, func(g progress.Given) error {
		monday := g.Day.Monday()
		weeks[monday] = append(weeks[monday], tally.Fact{Cuts: whole, Amounts: g.Amounts, Tokens: g.Tokens})
		if g.At(tally.Cell{Basis: tally.Reported, Figure: tally.Cases, Cut: tally.Everything()}) == 0 {
			return nil
		}
		file := &recordv1.Case{}
		if err := proto.Unmarshal(g.Of.Registers.Fields(), file); err != nil {
			return fmt.Errorf("fields of record %v: %w", g.Record, err)
		}
		c.addCase(file)
		return nil
	})
	for monday, facts := range weeks {
		c.persons[monday] = tally.OfFacts(slices.Values(facts)).Value(tally.Cell{Basis: tally.Reported, Figure: tally.Persons, Cut: tally.Everything()})
	}
	return err
}

func (c *counted) addCase(file *recordv1.Case) {
	c.cases++
	c.stages.add(file.GetStage(), 1)
	if file.GetClosedOn() == 0 && file.GetStage() != recordv1.CaseStage_CASE_STAGE_CLOSURE { // as package indexing has it
		c.open++
	} else {
		c.outcomes.add(file.GetClosure(), 1)
	}
}

func (c *counted) addReferral(r *recordv1.Referral) {
	name := strings.TrimSpace(r.GetToOrganisation())
	if name == "" {
		return // a draft
	}
	of := c.referrals[name]
	if of == nil {
		of = &referrals{choices{}, map[hlc.ID]bool{}}
		c.referrals[name] = of
	}
	of.byProgress.add(r.GetProgress(), 1)
	switch r.GetProgress() {
	case recordv1.ReferralProgress_REFERRAL_PROGRESS_ACCEPTED, recordv1.ReferralProgress_REFERRAL_PROGRESS_FOLLOWED_UP:
		of.handedOver[hlc.IDOf(r.GetCase())], c.handedOver[hlc.IDOf(r.GetCase())] = true, true
	}
}

// casework is by stage and by outcome, of the whole deployment alone: divided further, it would tell of single people.
func (m *maker) casework() []Block {
	stages := m.caseTable("stages", m.Say(stagesTitle), m.column("stage", stageWord), recordv1.CaseStage(0), m.counted.stages)
	outcomes := m.caseTable("outcomes", m.Say(outcomesTitle), m.column("closure", closureWord), recordv1.CaseClosure(0), m.counted.outcomes)
	outcomes.Rows = append(outcomes.Rows, m.row(m.Say(openWord), m.counted.open))
	for _, t := range []*Table{stages, outcomes} {
		t.Rows = append(t.Rows, m.sum(m.counted.cases))
	}
	blocks := append(withChart(stages, "cases"), withChart(outcomes, "cases")...)
	if signed := m.whole("cases"); signed != m.counted.cases {
		blocks = append(blocks, Block{Note: m.Say(casesDiffer, m.text(m.counted.cases), m.text(signed))})
	}
	return blocks
}

// caseTable is how many cases there are of each choice; one of which there is none has no row.
func (m *maker) caseTable(name, title string, of Column, choice protoreflect.Enum, counts choices) *Table {
	t := &Table{Name: name, Title: title, Columns: []Column{of, m.figureColumn("cases")}}
	each(choice, func(v protoreflect.EnumValueDescriptor) {
		if n := counts[v.Number()]; n > 0 {
			t.Rows = append(t.Rows, m.row(m.Choice(v), n))
		}
	})
	return t
}

func (m *maker) referrals() []Block {
	if len(m.counted.referrals) == 0 {
		return []Block{{Text: m.Say(noReferral)}}
	}
	t := &Table{Name: "referrals", Title: m.Say(referralsTitle), Columns: []Column{m.column("organisation", organisationWord), m.numbers("referrals", referralWord)}}
	each(recordv1.ReferralProgress(0), func(v protoreflect.EnumValueDescriptor) {
		t.Columns = append(t.Columns, Column{Name: words.ChoiceName(v), Label: m.Choice(v), Other: m.other().Choice(v), Number: true})
	})
	t.Columns = append(t.Columns, m.numbers("handed_over", handedOverWord))
	sums := make([]int64, len(t.Columns)-1)
	names := slices.SortedFunc(maps.Keys(m.counted.referrals), func(a, b string) int {
		return cmp.Or(cmp.Compare(m.counted.referrals[b].all(), m.counted.referrals[a].all()), cmp.Compare(a, b))
	})
	for _, name := range names {
		of := m.counted.referrals[name]
		numbers := []int64{of.all()}
		each(recordv1.ReferralProgress(0), func(v protoreflect.EnumValueDescriptor) { numbers = append(numbers, of.byProgress[v.Number()]) })
		numbers = append(numbers, int64(len(of.handedOver)))
		for i, n := range numbers {
			sums[i] += n
		}
		t.Rows = append(t.Rows, m.row(name, numbers...))
	}
	sums[len(sums)-1] = int64(len(m.counted.handedOver)) // a case that two took over is one
	t.Rows = append(t.Rows, m.sum(sums...))
	return []Block{{Text: m.Say(referralsLine, m.text(sums[0]), m.text(int64(len(names))), m.text(int64(len(m.counted.handedOver))))}, {Table: t}, {Note: m.Say(handedOverNote)}}
}

func (r *referrals) all() (n int64) {
	for _, of := range r.byProgress {
		n += of
	}
	return n
}

func (m *maker) supervision() []Block {
	t := &Table{Name: "supervision", Title: m.Say(supervisionTitle), Columns: []Column{m.column("form", formWord), m.numbers("sessions", sessionsWord), m.numbers("minutes", minutesWord)}}
	var sessions, minutes int64
	each(recordv1.SupervisionForm(0), func(v protoreflect.EnumValueDescriptor) {
		if n := m.counted.supervision.sessions[v.Number()]; n > 0 {
			t.Rows = append(t.Rows, m.row(m.Choice(v), n, m.counted.supervision.minutes[v.Number()]))
			sessions, minutes = sessions+n, minutes+m.counted.supervision.minutes[v.Number()]
		}
	})
	if sessions == 0 {
		return []Block{{Text: m.Say(noSupervision)}}
	}
	t.Rows = append(t.Rows, m.sum(sessions, minutes))
	return []Block{{Text: m.Say(supervisionLine, m.text(sessions), m.text(minutes/60), minutes%60)}, {Table: t}}
}
