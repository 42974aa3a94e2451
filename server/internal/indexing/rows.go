package indexing

import (
	"cmp"

	"google.golang.org/protobuf/encoding/protowire"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// Numbers of the fields that rows are made of; a test compares them with the protos.
const (
	caseStage       protowire.Number = 27
	caseLead        protowire.Number = 29
	caseNextDueOn   protowire.Number = 31
	caseClosedOn    protowire.Number = 32
	caseFollowupDue protowire.Number = 34

	caseSessionStage protowire.Number = 18

	distinctionRecord protowire.Number = 16
	distinctionOther  protowire.Number = 17
)

// Case is a case that counts, and what it waits for.
type Case struct {
	Record hlc.ID
	// Audience is the team that receives it; access.Everyone for the whole deployment.
	Audience hlc.ID
	Lead     hlc.ID
	Stage    recordv1.CaseStage
	// Days are 0 where there is none. LastSessionOn is the newest one on which a session was held.
	OpenedOn, LastSessionOn, NextDueOn record.Date
	// Closed: it has a closing day or is at the stage of closure.
	Closed   bool
	ClosedOn record.Date
	// FollowupDueOn is when a follow-up visit is due; 0 also once a session was held after the closing day.
	FollowupDueOn record.Date
	// Evaluated: a session at the stage of evaluation was held.
	Evaluated bool
}

// CaseList is a list of cases that wait for something. Stores keep the numbers: they never change.
type CaseList int

// The lists, each with the day that matters there.
const (
	// OpenCases since they were opened.
	OpenCases CaseList = 1
	// QuietCases are open, since the newest day on which a session was held, or the case opened.
	QuietCases CaseList = 2
	// NextStepDue: open, and the day of the next step.
	NextStepDue CaseList = 3
	// FollowUpDue: closed, and the day of a follow-up visit that was not held yet.
	FollowUpDue CaseList = 4
	// NotEvaluated: closed on the day, without a session of evaluation.
	NotEvaluated CaseList = 5
)

// Days are the lists that a case is on, each with the day that matters there.
func (c Case) Days() map[CaseList]record.Date {
	days := map[CaseList]record.Date{}
	if !c.Closed {
		days[OpenCases], days[QuietCases] = c.OpenedOn, max(c.OpenedOn, c.LastSessionOn)
		if c.NextDueOn != 0 {
			days[NextStepDue] = c.NextDueOn
		}
		return days
	}
	if c.FollowupDueOn != 0 {
		days[FollowUpDue] = c.FollowupDueOn
	}
	if !c.Evaluated {
		days[NotEvaluated] = c.ClosedOn
	}
	return days
}

// rowsOf are the rows of records and cases that give some facts. The facts must be those of whole families.
func rowsOf(facts []tally.Fact, of func(hlc.ID) *entry) (map[hlc.ID]Reviewed, map[hlc.ID]Case) {
	standing, cases := make(map[hlc.ID]Reviewed, len(facts)), map[hlc.ID]Case{}
	for i := range facts {
		f := &facts[i]
		e := of(f.Record)
		standing[f.Record] = Reviewed{Record: f.Record, Audience: e.Audience, Kind: f.Kind, Standing: f.Standing, Day: f.Day, Author: e.registers.Get(record.AuthorField).ID()}
		if f.Kind == recordv1.Kind_KIND_CASE {
			cases[f.Record] = caseOf(e, f.Day)
		}
	}
	for i := range facts {
		f := &facts[i]
		if c, ok := cases[f.Frame]; ok && f.Kind == recordv1.Kind_KIND_CASE_SESSION {
			c.LastSessionOn = max(c.LastSessionOn, f.Day)
			c.Evaluated = c.Evaluated || of(f.Record).registers.Get(caseSessionStage).Number() == int64(recordv1.CaseStage_CASE_STAGE_EVALUATION)
			cases[f.Frame] = c
		}
	}
	for id, c := range cases {
		if c.ClosedOn != 0 && c.LastSessionOn > c.ClosedOn {
			c.FollowupDueOn = 0
			cases[id] = c
		}
	}
	return standing, cases
}

func caseOf(e *entry, openedOn record.Date) Case {
	day := func(field protowire.Number) record.Date {
		d := record.Date(e.registers.Get(field).Number()) //nolint:gosec // what does not fit is no day
		if !d.Valid() {
			return 0
		}
		return d
	}
	c := Case{Record: e.ID, Audience: e.Audience, Lead: e.registers.Get(caseLead).ID(), Stage: recordv1.CaseStage(e.registers.Get(caseStage).Number()), //nolint:gosec // choices have 32 bits
		OpenedOn: openedOn, NextDueOn: day(caseNextDueOn), ClosedOn: day(caseClosedOn), FollowupDueOn: day(caseFollowupDue)}
	c.Closed = c.ClosedOn != 0 || c.Stage == recordv1.CaseStage_CASE_STAGE_CLOSURE
	return c
}

func compareCounts(a, b ReviewCount) int {
	return cmp.Or(hlc.CompareIDs(a.Audience, b.Audience), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Standing, b.Standing))
}
