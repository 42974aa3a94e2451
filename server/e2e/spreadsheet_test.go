package e2e

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"levee/syncproto/testneed"
)

// sheets are the tables of an export by kind, and their rows by the stable names of the columns.
type sheets map[string][]map[string]string

// TestTheDemoInASpreadsheet: what rows of the demo's exports add up to, by rules that are written here a second time, is what
// recount finds: as CSV, and as a workbook that LibreOffice opens.
func TestTheDemoInASpreadsheet(t *testing.T) {
	office, err := exec.LookPath("soffice")
	if err != nil {
		testneed.Missing(t, "there is no LibreOffice here (Debian: apt-get install libreoffice-calc-nogui)")
	}
	o := &operator{t: t, dir: t.TempDir(), lang: "en_US.UTF-8"}
	o.want(0, "", "demo", "--keep", "demo")
	db := filepath.Join("demo", "server.db")
	out, _, _ := o.run("recount", "--db", db, "--json")
	var recount struct {
		Equal       bool
		Deployments []struct {
			Totals []struct {
				Basis, Figure, By string
				Stored, Counted   int64
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &recount); err != nil || !recount.Equal || len(recount.Deployments) != 1 {
		t.Fatalf("%.300s, %v", out, err)
	}
	want := map[string]int64{}
	for _, line := range recount.Deployments[0].Totals {
		if line.Basis == "reported" && line.By == "whole" {
			want[line.Figure] = line.Counted
		}
	}
	o.want(0, "records", "export", "--db", db, "--format", "csv", "--out", "csv")
	o.want(0, "records", "export", "--db", db, "--format", "xlsx", "--lang", "en", "--out", "book.xlsx")
	convert := exec.Command(office, "-env:UserInstallation=file://"+filepath.Join(o.dir, "profile"), "--headless",
		"--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1", "--outdir", filepath.Join(o.dir, "book"), filepath.Join(o.dir, "book.xlsx"))
	if said, err := convert.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v", said, err)
	}
	for name, got := range map[string]sheets{"csv": sheetsIn(t, filepath.Join(o.dir, "csv"), "", 0), "xlsx": sheetsIn(t, filepath.Join(o.dir, "book"), "book-", 1)} {
		sums, totals := got.sums(), got.totals()
		for _, figure := range []string{"cases", "case_sessions", "group_sessions", "community_activities", "outreach_rounds", "contacts"} {
			if want[figure] == 0 || sums[figure] != want[figure] {
				t.Errorf("%s: the rows have %d %s, recount has %d", name, sums[figure], figure, want[figure])
			}
			if totals[figure] != want[figure] {
				t.Errorf("%s: the totals have %d %s, recount has %d", name, totals[figure], figure, want[figure])
			}
		}
	}
}

// sheetsIn reads the files of a folder, whose names begin alike; names says which row has the names of the columns.
func sheetsIn(t *testing.T, folder, prefix string, names int) sheets {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, prefix+"*.csv"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there is nothing in %s: %v", folder, err)
	}
	all := sheets{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(content, []byte("\ufeff"))))
		r.FieldsPerRecord = -1
		cells, err := r.ReadAll()
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		kind := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), prefix), ".csv")
		if kind == "about" {
			continue
		}
		kind = strings.ReplaceAll(kind, " ", "_")
		for _, line := range cells[names+1:] {
			row := map[string]string{}
			for i, cell := range line {
				row[cells[names][i]] = cell
			}
			all[kind] = append(all[kind], row)
		}
	}
	return all
}

var heads = regexp.MustCompile(`(?:first[-_]time|returning|unsure)=(\d+)`)

// sums add up what RECORDS counts: what was held, is not deleted and no duplicate; heads count also where their activity is one.
func (s sheets) sums() map[string]int64 {
	sums := map[string]int64{}
	stands := func(row map[string]string) bool {
		return row["duplicate_of"] == "" && (row["deleted"] == "" || row["deleted"] == "no" || row["deleted"] == "FALSE")
	}
	number := func(text string) int64 { n, _ := strconv.ParseInt(text, 10, 64); return n }
	activities, sameAs := map[string]bool{}, map[string]string{}
	for kind, figure := range map[string]string{"case_session": "case_sessions", "group_session": "group_sessions", "community_activity": "community_activities", "outreach": "outreach_rounds"} {
		for _, row := range s[kind] {
			sameAs[row["id"]] = row["duplicate_of"]
			if row["status"] == "held" && stands(row) {
				activities[row["id"]] = true
				sums[figure]++
				sums["contacts"] += number(row["attendees"])
			}
		}
	}
	for _, row := range s["case"] {
		if row["opened_on"] != "" && stands(row) {
			sums["cases"]++
		}
	}
	counts := func(row map[string]string) bool {
		at := row["activity"]
		for sameAs[at] != "" {
			at = sameAs[at]
		}
		return stands(row) && row["status"] != "planned" && row["status"] != "cancelled" && activities[at]
	}
	for _, row := range s["headcount"] {
		if !counts(row) {
			continue
		}
		for _, found := range heads.FindAllStringSubmatch(row["cells"], -1) {
			sums["contacts"] += number(found[1])
		}
		if row["cells"] == "" {
			sums["contacts"] += number(row["first_time"]) + number(row["returning"]) + number(row["unsure"])
		}
	}
	for _, row := range s["attendance"] {
		if counts(row) {
			sums["contacts"]++
		}
	}
	return sums
}

// totals are those reported of the whole that the export itself has.
func (s sheets) totals() map[string]int64 {
	totals := map[string]int64{}
	for _, row := range s["totals"] {
		if row["basis"] == "reported" && row["dimension"] == "whole" {
			totals[strings.ReplaceAll(row["figure"], " ", "_")], _ = strconv.ParseInt(row["value"], 10, 64)
		}
	}
	return totals
}
