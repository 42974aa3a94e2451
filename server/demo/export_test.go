package demo_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"levee/server"
	"levee/server/demo"
)

// exported is what was exported of a kind: rows by the stable names of the columns.
type exported func(kind string) []map[string]string

// sums counts from exported rows what RECORDS.md says, by other code than the server's. heads finds the numbers in the
// cells of a headcount: of heads that are first-time, and of all others.
func sums(rows exported, heads func(cells string) (firstTime, others int)) map[string]int {
	number := func(cell string) int { n, _ := strconv.Atoi(cell); return n }
	alive := func(r map[string]string) bool { return r["deleted"] != "yes" && r["deleted"] != "1" }
	own := func(r map[string]string) bool { return alive(r) && r["duplicate_of"] == "" }
	sum := map[string]int{}
	tokens := map[string]bool{}
	counted := map[string]bool{} // activities that count, and those that are the same as one
	for kind, figure := range map[string]string{"community_activity": "community_activities", "group_session": "group_sessions", "outreach": "outreach_rounds"} {
		for _, r := range rows(kind) {
			if own(r) && r["status"] == "held" {
				sum[figure]++
				counted[r["id"]] = true
			}
		}
		for _, r := range rows(kind) {
			if alive(r) && counted[r["duplicate_of"]] {
				counted[r["id"]] = true
			}
		}
	}
	for _, r := range rows("case") {
		if !own(r) || r["opened_on"] == "" {
			continue
		}
		sum["cases"]++
		of := strings.FieldsFunc(r["client_tokens"], func(c rune) bool { return c == ';' || c == ' ' })
		for _, token := range of {
			tokens[token] = true
		}
		sum["persons"] += number(r["client_count"]) - len(of)
	}
	for _, r := range rows("case_session") {
		if own(r) && r["status"] == "held" {
			sum["case_sessions"]++
			sum["contacts"] += number(r["attendees"])
		}
	}
	for _, r := range rows("attendance") {
		if own(r) && counted[r["activity"]] {
			sum["contacts"]++
			tokens[r["token"]] = true
		}
	}
	for _, r := range rows("headcount") {
		if !own(r) || !counted[r["activity"]] {
			continue
		}
		firstTime, others := heads(r["cells"])
		if r["cells"] == "" {
			firstTime, others = number(r["first_time"]), number(r["returning"])+number(r["unsure"])
		}
		sum["contacts"] += firstTime + others
		sum["persons"] += firstTime
	}
	sum["persons"] += len(tokens)
	return sum
}

// headsBy finds numbers in cells by the names of the parts.
func headsBy(firstTime, others string) func(string) (int, int) {
	total := func(pattern string) func(string) int {
		find := regexp.MustCompile(`(?:` + pattern + `)=(\d+)`)
		return func(cells string) (sum int) {
			for _, m := range find.FindAllStringSubmatch(cells, -1) {
				n, _ := strconv.Atoi(m[1])
				sum += n
			}
			return sum
		}
	}
	first, other := total(firstTime), total(others)
	return func(cells string) (int, int) { return first(cells), other(cells) }
}

// line is one of a recount.
type line struct {
	Basis, Figure, By, Key, Name string
	Stored                       int64
}

// recounted are the totals that a recount finds.
func recounted(t *testing.T, db string) []line {
	t.Helper()
	var out bytes.Buffer
	equal, err := server.Recount(context.Background(), db, &out, true)
	if err != nil || !equal {
		t.Fatalf("%v, %v", equal, err)
	}
	var report struct{ Deployments []struct{ Totals []line } }
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	return report.Deployments[0].Totals
}

func TestTheExportsAddUpToARecount(t *testing.T) {
	dir := t.TempDir()
	replay(t, demo.Options{Network: "good", Dir: dir})
	db := filepath.Join(dir, demo.ServerDB)
	lines := recounted(t, db)
	want := map[string]int{}
	for _, l := range lines {
		if l.Basis == "reported" && l.By == "whole" {
			want[l.Figure] = int(l.Stored)
		}
	}
	export := func(format, out string) string {
		t.Helper()
		out = filepath.Join(dir, out)
		if _, err := server.Export(context.Background(), db, server.ExportOptions{Format: format, Out: out, Confidential: true}); err != nil {
			t.Fatal(err)
		}
		return out
	}
	folder, book := export("csv", "csv"), export("xlsx", "henan.xlsx")

	of := func(name string) []map[string]string {
		text, err := os.ReadFile(filepath.Join(folder, name+".csv"))
		if err != nil {
			t.Fatal(err)
		}
		all, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff")))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		return rowsUnder(all[0], all[1:])
	}
	compare(t, "CSV", sums(of, headsBy("first_time", "returning|unsure")), want)
	compareTotals(t, of("totals"), lines)

	f, err := excelize.OpenFile(book)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}()
	compare(t, "XLSX", sums(func(kind string) []map[string]string {
		all, err := f.GetRows(strings.ReplaceAll(kind, "_", " "), excelize.Options{RawCellValue: true})
		if err != nil {
			t.Fatal(err)
		}
		return rowsUnder(all[1], all[2:])
	}, headsBy("first-time", "returning|unsure")), want)
}

func rowsUnder(header []string, all [][]string) []map[string]string {
	var rows []map[string]string
	for _, cells := range all {
		row := map[string]string{}
		for i, cell := range cells {
			row[header[i]] = cell
		}
		rows = append(rows, row)
	}
	return rows
}

func compare(t *testing.T, format string, got, want map[string]int) {
	t.Helper()
	for _, figure := range []string{"cases", "case_sessions", "group_sessions", "community_activities", "outreach_rounds", "contacts", "persons"} {
		if got[figure] != want[figure] || want[figure] == 0 {
			t.Errorf("%s: the rows give %d %s, a recount %d", format, got[figure], figure, want[figure])
		}
	}
}

// compareTotals lays the exported totals beside those of a recount, line by line.
func compareTotals(t *testing.T, rows []map[string]string, lines []line) {
	t.Helper()
	var got, want []string
	named := map[string]string{}
	for _, l := range lines {
		at := fmt.Sprint(l.Basis, " ", l.Figure, " ", l.By, " ", l.Key, " ", l.Stored)
		want, named[at] = append(want, at), l.Name
	}
	for _, r := range rows {
		at := fmt.Sprint(r["basis"], " ", r["figure"], " ", r["dimension"], " ", r["key"], " ", r["value"])
		if got = append(got, at); r["name"] == "" || named[at] != "" && r["name"] != named[at] {
			t.Errorf("%s is called %q, in the recount %q", at, r["name"], named[at])
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%d totals are exported, a recount has %d", len(got), len(want))
	}
}
