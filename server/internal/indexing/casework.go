package indexing

import (
	"cmp"
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/inorder"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// QuietDays is how many days without a session make a case quiet.
const QuietDays = 7

// CasesQuery says which cases are wanted.
type CasesQuery struct {
	List CaseList
	// Teams narrow it; all when nil. Lead does, when it is not zero.
	Teams []hlc.ID
	Lead  hlc.ID
	// AsOf is the day of which the list tells: today when 0.
	AsOf  record.Date
	After CasePlace
	// Limit is from 1 to MaxPage.
	Limit int
}

// CasePlace is where a page ended: the zero place asks for the first one.
type CasePlace struct {
	Day    record.Date
	Record hlc.ID
}

// ListedCase is a case on a list.
type ListedCase struct {
	Case
	// Number is its case_no; empty when it has none.
	Number string
	// Day is the one that matters on the list.
	Day record.Date
}

// Place is where a page ends whose last row this is.
func (c ListedCase) Place() CasePlace { return CasePlace{c.Day, c.Record} }

// until is the last day that puts a case on a list as of a day.
func (l CaseList) until(asOf record.Date) record.Date {
	switch l {
	case QuietCases:
		return asOf.AddDays(-QuietDays)
	case NextStepDue, FollowUpDue: // overdue
		return asOf.AddDays(-1)
	default:
		return asOf
	}
}

// Cases are those on a list as of a day, who waits longest first: open ones; those without a session for 7 days; those
// whose next step, or follow-up visit, is overdue; those closed without an evaluation.
func (s *Service) Cases(ctx context.Context, q CasesQuery) (page []ListedCase, err error) {
	run := CaseRun{List: q.List, Until: q.List.until(s.dayOr(q.AsOf)), After: q.After, Limit: q.Limit}
	err = s.Store.LookUp(ctx, func(tx Reading) error {
		days, err := q.days(tx, run)
		if err != nil {
			return err
		}
		page, err = listed(tx, days)
		return err
	})
	return page, err
}

// days is the page, of one run or more.
func (q CasesQuery) days(tx Listing, all CaseRun) ([]CaseDay, error) {
	if q.Teams == nil && q.Lead == (hlc.ID{}) {
		return tx.CaseDays(all)
	}
	next := func(run CaseRun) inorder.Read[CaseDay] {
		return func(last *CaseDay, limit int) ([]CaseDay, error) {
			if last != nil {
				run.After = CasePlace{last.Day, last.Record}
			}
			run.Limit = limit
			return tx.CaseDays(run)
		}
	}
	merged := inorder.Runs[CaseDay]{Ahead: readAhead, Compare: func(a, b CaseDay) int { return cmp.Or(cmp.Compare(a.Day, b.Day), hlc.CompareIDs(a.Record, b.Record)) }}
	if q.Lead != (hlc.ID{}) {
		run := all
		run.Lead = &q.Lead
		merged.Add(next(run), func(c CaseDay) bool { return sees(q.Teams, c.Audience) })
	} else {
		for _, team := range withEverybody(q.Teams) {
			run := all
			run.Team = &team
			merged.Add(next(run), nil)
		}
	}
	return merged.First(q.Limit)
}

// listed are the cases of some days, in their order.
func listed(tx Reading, days []CaseDay) ([]ListedCase, error) {
	ids := make([]hlc.ID, 0, len(days))
	for _, d := range days {
		ids = append(ids, d.Record)
	}
	rows, err := tx.Cases(ids)
	if err != nil {
		return nil, err
	}
	of := map[hlc.ID]Case{}
	for _, c := range rows {
		of[c.Record] = c
	}
	numbers, err := numbersOf(tx, ids)
	if err != nil {
		return nil, err
	}
	page := make([]ListedCase, 0, len(days))
	for _, d := range days {
		page = append(page, ListedCase{Case: of[d.Record], Number: numbers[d.Record], Day: d.Day})
	}
	return page, nil
}

// numbersOf are the numbers by which people know some cases.
func numbersOf(tx Reading, cases []hlc.ID) (map[hlc.ID]string, error) {
	records, err := tx.Records(cases)
	if err != nil {
		return nil, err
	}
	numbers := map[hlc.ID]string{}
	for _, r := range records {
		registers, err := record.DecodeState(r.State)
		if err != nil {
			return nil, fmt.Errorf("state of record %v: %w", r.ID, err)
		}
		c := &recordv1.Case{}
		if err := proto.Unmarshal(registers.Fields(), c); err != nil {
			return nil, fmt.Errorf("fields of record %v: %w", r.ID, err)
		}
		numbers[r.ID] = c.GetCaseNo()
	}
	return numbers, nil
}

// CaseCounts are how many cases are on a list as of a day (today when 0), by team or by lead. It counts what is on the
// list.
func (s *Service) CaseCounts(ctx context.Context, list CaseList, asOf record.Date, by CasesBy) (counts map[hlc.ID]int64, err error) {
	counts = map[hlc.ID]int64{}
	err = s.Store.LookUp(ctx, func(tx Reading) error {
		rows, err := tx.CaseCounts(list, list.until(s.dayOr(asOf)), by)
		for _, c := range rows {
			counts[c.Of] = c.Count
		}
		return err
	})
	return counts, err
}

func (s *Service) dayOr(asOf record.Date) record.Date {
	if asOf == 0 {
		return s.today()
	}
	return asOf
}
