package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMedianIsOfEachFigure(t *testing.T) {
	runs := make([]result, 3)
	for i, n := range []float64{5, 1, 3} {
		for k, f := range runs[i].figures() {
			*f = n + float64(10*k)
		}
	}
	three, two := median(runs), median(runs[:2])
	for k := range runs[0].figures() {
		if got := *three.figures()[k]; got != 3+float64(10*k) {
			t.Errorf("of three, figure %d: %v", k, got)
		}
		if got := *two.figures()[k]; got != 3+float64(10*k) {
			t.Errorf("of two, figure %d: %v", k, got)
		}
	}
	if *runs[0].figures()[0] != 5 {
		t.Error("the median changed what it was taken of")
	}
}

func TestTableComparesWithLevee(t *testing.T) {
	levee, floor, err := readBench([]byte(`{"push_per_s": 60000, "pull_per_s": 120000, "floor_rows_per_s": 30000.4, "bytes_up": 170.6, "peak_rss_mb": 60, "again_per_s": 400000, "again_moved": 0, "other": {"a": [1]}}`))
	if err != nil {
		t.Fatal(err)
	}
	peer := result{Name: "other", Synced: "nothing", Push: 1500, Pull: 240000, Again: 1600, Moved: 20000, BytesUp: 1234567}
	rows := strings.Split(table([]result{levee, floor, peer}), "\n")
	for i, want := range map[int]string{
		2: "| Levee | 60,000 | 120,000 | 400,000; moves 0 | 171 (–) | – | – / – | 60 | each transaction, before it is acknowledged (SQLite, WAL) |",
		3: "| floor: the same rows by the SQLite driver alone | 30,000 (Levee 2 ×) | – | – | – (–) | – | – / – | – | each transaction, before it is acknowledged (SQLite, WAL) |",
		4: "| other | 1,500 (Levee 40 ×) | 240,000 (Levee 0.5 ×) | 1,600 (Levee 250 ×); moves 20,000 | 1,234,567 (–) | – | – / – | – | nothing |",
	} {
		if rows[i] != want {
			t.Errorf("got  %s\nwant %s", rows[i], want)
		}
	}
	if columns := strings.Count(rows[0], "|"); columns != strings.Count(rows[1], "|") || columns != strings.Count(rows[2], "|") {
		t.Error("the table's head has other columns than its rows")
	}
}

func TestProgramsGetTheRatiosToo(t *testing.T) {
	got, err := json.Marshal(compareAll([]result{{Name: "Levee", Push: 60, Pull: 120, Again: 30}, {Name: "other", Push: 1.5, Pull: 240}})[1])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"name":"other"`, `"push_per_s":1.5`, `"levee_push_times":40`, `"levee_pull_times":0.5`, `"levee_again_times":0`} {
		if !strings.Contains(string(got), want) {
			t.Errorf("%s is not in %s", want, got)
		}
	}
}

func TestWriteChangesOnlyItsPlace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "README.md")
	for _, before := range []string{"# Head\n" + begin + end + "tail\n", "# Head\n" + begin + "\nold\n\n" + end + "tail\n"} {
		if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := write(path, "new\n"); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != "# Head\n"+begin+"\nnew\n\n"+end+"tail\n" {
			t.Errorf("%v: %q", err, got)
		}
	}
	if err := os.WriteFile(path, []byte("# Head\n"+begin), 0o600); err != nil {
		t.Fatal(err)
	}
	if write(path, "new\n") == nil {
		t.Error("a README without a place for the table was written")
	}
}
