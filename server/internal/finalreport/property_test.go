package finalreport_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"levee/server/internal/finalreport"
	"levee/server/internal/progress"
	"levee/server/internal/report"
	"levee/server/internal/servertest"
	"levee/syncproto/oracle"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// TestAReportSaysWhatRecordsGive: whatever tablets sent, the tables are what a naive count of the records gives, whether they come from
// the certificate or from the records; and what package progress tells of a week is what the report does.
func TestAReportSaysWhatRecordsGive(t *testing.T) {
	if servertest.Raced {
		t.Skip("it takes minutes under the race detector, and has one goroutine")
	}
	rapid.Check(t, func(rt *rapid.T) {
		d := servertest.New(t)
		defer d.Close()
		servertest.Grow(rt, d, func() {})
		r := made(t, d, finalreport.Query{File: signed(t, d, asItIs), Lang: "zh"})
		var plain []oracle.Record
		for _, one := range d.Records() {
			plain = append(plain, oracle.Record(one))
		}
		counted := oracle.Tally(plain, 0)
		places := 0
		for c := range counted {
			if c.Basis == "reported" && c.Dimension == "place" && len(c.Key) == progress.TownDigits {
				places++
			}
		}
		holds := func(name string, row, column int, want int64) {
			t.Helper()
			table, rows := tableOf(t, r, name)
			cell := table.Rows[row].Cells[column]
			if cell.Number == nil || *cell.Number != want || cell.Text != fmt.Sprint(want) {
				rt.Errorf("%s: %s in %q, want %d", name, table.Columns[column].Name, rows[row], want)
			}
		}
		figures, _ := tableOf(t, r, "figures")
		for i, name := range []string{"cases", "case_sessions", "group_sessions", "community_activities", "outreach_rounds", "contacts", "persons", "persons", "persons_by_number", "persons_estimated"} {
			holds("figures", i, 1, counted[oracle.Cell{Basis: "reported", Figure: name, Dimension: "whole"}])
			holds("figures", i, 2, counted[oracle.Cell{Basis: "verified", Figure: name, Dimension: "whole"}])
		}
		if len(figures.Rows) != 10 {
			rt.Errorf("%d figures", len(figures.Rows))
		}
		holds("outcomes", len(tableRows(t, r, "outcomes"))-1, 1, counted[oracle.Cell{Basis: "reported", Figure: "cases", Dimension: "whole"}])
		sums(rt, tableRows(t, r, "stages"), 1)
		sums(rt, tableRows(t, r, "outcomes"), 1)
		for _, column := range []int{1, 2, 3, 4, 5, 6} {
			sums(rt, tableRows(t, r, "weeks"), column)
			sums(rt, tableRows(t, r, "service_areas"), column)
		}
		if places > 0 {
			for i, row := range tableRows(t, r, "towns") {
				if !row.Sum {
					holds("towns", i, 7, townPersons(counted, row.Cells[0].Text, d))
				}
			}
		}
		weeksAgree(rt, t, d, r)
		nothingSmall(rt, r)
	})
}

// nothingSmall checks that no few people are told of where they are divided by what tells something of them.
func nothingSmall(t *rapid.T, r *finalreport.Report) {
	for _, s := range r.Sections {
		for _, b := range s.Blocks {
			if b.Table == nil || !slices.Contains([]string{"sex", "age_band", "villages"}, b.Table.Name) {
				continue
			}
			for _, row := range b.Table.Rows {
				for i, c := range row.Cells {
					if people := b.Table.Columns[i].Name; (people == "contacts" || people == "persons") && !row.Sum && c.Number != nil && *c.Number > 0 && *c.Number < report.Small {
						t.Errorf("%s: %d %s are told of", b.Table.Name, *c.Number, people)
					}
				}
			}
		}
	}
}

func tableRows(t testing.TB, r *finalreport.Report, name string) []finalreport.Row {
	t.Helper()
	table, _ := tableOf(t, r, name)
	return table.Rows
}

// sums checks that a column adds up to its sum.
func sums(t *rapid.T, rows []finalreport.Row, column int) {
	var sum int64
	for _, row := range rows[:len(rows)-1] {
		sum += *row.Cells[column].Number
	}
	if whole := *rows[len(rows)-1].Cells[column].Number; sum != whole {
		t.Errorf("column %d adds up to %d, and its sum is %d", column, sum, whole)
	}
}

// townPersons are the persons of the towns that are called so: a site may have the name of a town.
func townPersons(counted map[oracle.Cell]int64, label string, d *servertest.Deployment) int64 {
	for c, n := range counted {
		if c.Basis == "reported" && c.Figure == "persons" && c.Dimension == "place" && len(c.Key) == progress.TownDigits && progress.LabelOf(d.Service.SetUp(), tally.Place, c.Key).Zh == label {
			return n
		}
	}
	return 0
}

// weeksAgree holds the persons of each week against what package progress counts of its days.
func weeksAgree(rt *rapid.T, t *testing.T, d *servertest.Deployment, r *finalreport.Report) {
	from := record.Date(20210923)
	for _, row := range tableRows(t, r, "weeks") {
		if row.Sum || !strings.HasPrefix(row.Cells[0].Text, fmt.Sprintf("%d月%d日", from/100%100, from%100)) {
			continue // a day before the start counts, so that the weeks are others
		}
		to := min(from.Monday().AddDays(6), 20211206)
		p, err := progressOf(d).Period(context.Background(), progress.PeriodQuery{From: from, To: to, Whole: true})
		if err != nil {
			rt.Fatal(err)
		}
		if got, want := *row.Cells[7].Number, p.Done.Values[tally.Reported]["persons"]; got != want {
			rt.Errorf("%s: %d persons, package progress has %d", row.Cells[0].Text, got, want)
		}
		from = to.AddDays(1)
	}
}
