package importing_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"levee/server/internal/importing"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/words"
)

// zipped is a ZIP file.
func zipped(t tb, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range files {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// book is a workbook with one sheet.
func book(t tb, sheet string, fill func(f *excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	if err := f.SetSheetName("Sheet1", sheet); err != nil {
		t.Fatal(err)
	}
	fill(f)
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestEachBadCellIsNamed with its row, column and heading, and nothing is imported of a file with one.
func TestEachBadCellIsNamed(t *testing.T) {
	o := newOne(t)
	o.log(t)
	before := o.position(t)
	var activity, group string
	for id := range o.ids(t, recordv1.Kind_KIND_COMMUNITY_ACTIVITY) {
		activity = id.String()
	}
	for id := range o.ids(t, recordv1.Kind_KIND_GROUP) {
		group = id.String()
	}
	unknown := o.NewID().String()
	const heads = "id,team,author,occurred_on,service_area,households"
	for _, tt := range []struct {
		kind  string
		lines []string
		want  []string
	}{
		{"outreach", []string{heads, ",one,anna,2021-02-30,心理疏导,3"}, []string{" 2 D occurred_on: date: There is no such day."}},
		{"outreach", []string{heads, ",one,anna,2021-09-01,心理疏导,3"}, []string{" 2 D occurred_on: "}},
		{"outreach", []string{heads, ",one,anna,2021-10-09,心理疏导,3"}, []string{" 2 D occurred_on: "}},
		{"outreach", []string{heads, ",one,anna,2021-09-28,风水,3"}, []string{" 2 E service_area: service area: choose one of the values"}},
		{"outreach", []string{heads, ",one,anna,2021-09-28,心理疏导,三"}, []string{" 2 F households: households: write a whole number"}},
		{"outreach", []string{heads, "", ",one,anna,2021-09-28,心理疏导,", ",one,王芳,,心理疏导,2"}, []string{" 3 F households: This is needed.", " 4 C author: recorded by: the deployment has nothing of that name", " 4 D occurred_on: This is needed."}},
		{"outreach", []string{heads, ",三队,anna,2021-09-28,心理疏导,3"}, []string{" 2 B team: team: the deployment has nothing of that name"}},
		{"outreach", []string{heads, "," + unknown + ",anna,2021-09-28,心理疏导,3"}, []string{" 2 B team: team: the deployment has nothing of that name"}},
		{"outreach", []string{heads, unknown + ",one,anna,2021-09-28,心理疏导,3", unknown + ",one,anna,2021-09-28,心理疏导,4"}, []string{" 3  : The row 2 has the same id."}},
		{"outreach", []string{heads, activity + ",one,anna,2021-09-28,心理疏导,3"}, []string{" 2  : A record of another kind has this id."}},
		{"outreach", []string{"team,team,households", "one,one,3"}, []string{" 0  : The table has no column “date”", " 0  : The table has no column “service area”", " 1 B team: Two columns say the same."}},
		{"outreach", []string{"a,b", "1,2"}, []string{" 1  : None of the headings is one of this table."}},
		{"outreach", []string{heads, ",one,anna,2021-09-28,心理疏导,\"3"}, []string{" 2  : A quotation mark is out of place."}},
		{"outreach", []string{"duplicate_of," + heads, activity + ",,one,anna,2021-09-28,心理疏导,3"}, []string{" 2 A duplicate_of: No record of the same kind"}},
		{"headcount", []string{"activity,counter,zone,method,occurred_on,service_area", unknown + ",anna,东,清点,2021-09-28,心理疏导", "甲,anna,东,清点,2021-09-28,心理疏导", group + ",anna,东,清点,2021-09-28,心理疏导"},
			[]string{" 2 A activity: Nothing that this could belong to", " 3 A activity: Nothing that this could belong to", " 4 A activity: Nothing that this could belong to"}},
		{"headcount", []string{"activity,counter,zone,method,occurred_on,cells", activity + ",anna,东,清点,2021-09-28,女 18-59: 3", activity + ",anna,东,清点,2021-09-28,sex=女，first_time=3；sex=女，first_time=4"},
			[]string{" 2 F cells: people by sex and age: write each part", " 3 F cells: Something stands in the list twice."}},
		{"community_activity", []string{"name,minutes,register_used,occurred_on,service_area,team,feedback_asked,feedback_satisfied,place_code", "讲座,6000,也许,2021-09-28,心理疏导,one,3,4,999999"},
			[]string{" 2 C register_used: ", " 2 I place_code: ", " 2 B minutes: The number cannot be right.", " 2 H feedback_satisfied: Two numbers disagree"}},
	} {
		f := text(tt.kind, tt.lines...)
		p := o.check(t, "coordinator", f)
		got := said(p)
		if len(got) != len(tt.want) || p.Wrong != len(got) {
			t.Errorf("%v:\n%s", tt.lines, strings.Join(got, "\n"))
			continue
		}
		for i, want := range tt.want {
			if !strings.HasPrefix(got[i], want) {
				t.Errorf("%v: %q, and not %q", tt.lines, got[i], want)
			}
			if zh := p.Faults[i].Message(words.In("zh")); strings.ContainsAny(zh, "?!") || !strings.ContainsFunc(zh, func(r rune) bool { return r > 0x4e00 }) {
				t.Errorf("in Chinese: %q", zh)
			}
		}
		if _, err := o.imports.Import(t.Context(), o.by("coordinator"), f, p.Digest); err == nil {
			t.Errorf("%v is imported", tt.lines)
		}
	}
	if o.position(t) != before || len(o.noted) > 0 {
		t.Error("something was written")
	}
}

// TestFaultsAreCountedBeyondThoseNamed: the page of a file that is wrong all over stays short.
func TestFaultsAreCountedBeyondThoseNamed(t *testing.T) {
	lines := []string{"team,occurred_on,service_area,households"}
	for range 2000 {
		lines = append(lines, "one,gestern,心理疏导,viele")
	}
	p := newOne(t).check(t, "coordinator", text("outreach", lines...))
	if p.Wrong != 4000 || len(p.Faults) != 300 {
		t.Errorf("%d faults, %d of them named", p.Wrong, len(p.Faults))
	}
}

// TestHostileFiles are refused with a sentence, and cost little.
func TestHostileFiles(t *testing.T) {
	o := newOne(t)
	wide := func(f *excelize.File) {
		for _, cell := range []string{"A1", "XFD1"} {
			if err := f.SetCellValue("outreach", cell, "team"); err != nil {
				t.Fatal(err)
			}
		}
	}
	formula := func(f *excelize.File) {
		for cell, value := range map[string]string{"A1": "team", "B1": "households", "A2": "one"} {
			if err := f.SetCellValue("outreach", cell, value); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.SetCellFormula("outreach", "B2", "1+2"); err != nil {
			t.Fatal(err)
		}
	}
	sheet := func(text string) []byte {
		return rezipped(t, book(t, "outreach", wide), "xl/worksheets/sheet1.xml", text)
	}
	bomb := strings.Repeat("0", 40<<20)
	many := map[string]string{}
	for n := range 101 {
		many[fmt.Sprint(n, ".csv")] = "a"
	}
	for name, tt := range map[string]struct {
		file importing.File
		want string
	}{
		"large":             {text("outreach", strings.Repeat("x", 4<<20+1)), " 0  : The file is larger than 4 MiB."},
		"a bomb":            {importing.File{Name: "x.zip", Content: zipped(t, map[string]string{"outreach.csv": bomb})}, "outreach.csv 0  : Unpacked, the file is larger than 32 MiB."},
		"a bomb in parts":   {importing.File{Name: "x.zip", Content: zipped(t, map[string]string{"outreach.csv": "team\n\n" + bomb[:20<<20], "case.csv": "team\n" + bomb[:20<<20]})}, " 0  : "},
		"a bomb of a book":  {importing.File{Name: "x.xlsx", Content: sheet(bomb)}, "xl/worksheets/sheet1.xml 0  : Unpacked, the file is larger than 32 MiB."},
		"tags":              {importing.File{Name: "x.xlsx", Content: sheet(strings.Repeat("<c/>", 2_000_001))}, " 0  : The file has more than 10,000 rows, or too many cells."},
		"no such part":      {importing.File{Name: "x.xlsx", Content: rezipped(t, book(t, "outreach", wide), "xl/_rels/workbook.xml.rels", "<Relationships/>")}, " 0  : This can't be read."},
		"wide":              {text("outreach", strings.Repeat(",", 1_000_000)+"x"), " 1  : The row has more than 200 cells."},
		"a wide book":       {importing.File{Name: "x.xlsx", Content: book(t, "outreach", wide)}, "outreach 1  : The row has more than 200 cells."},
		"long":              {text("outreach", "team"+strings.Repeat("\none", 10_002)), " 0  : The file has more than 10,000 rows"},
		"many files":        {importing.File{Name: "x.zip", Content: zipped(t, many)}, " 0  : There are more than 100 files or sheets"},
		"a formula":         {importing.File{Name: "x.xlsx", Content: book(t, "outreach", formula)}, "outreach 2 B : There is a formula in the cell."},
		"cut":               {importing.File{Name: "x.xlsx", Content: book(t, "outreach", wide)[:900]}, " 0  : This can't be read."},
		"no XML":            {importing.File{Name: "x.xlsx", Content: sheet("<worksheet><sheetData><row")}, "outreach 0  : This can't be read."},
		"no text":           {text("outreach", "\x00\x01\xff"), " 0  : This is no text file."},
		"empty":             {text("outreach", ""), " 0  : The file has no row that can be imported."},
		"headings alone":    {text("outreach", "team"), " 0  : The file has no row that can be imported."},
		"of no kind":        {text("历史", "team\none"), " 0  : What is in the file?"},
		"confidential":      {text("case_identity", "case\nx"), " 0  : What is in the file?"},
		"confidential, too": {importing.File{Name: "x.zip", Content: zipped(t, map[string]string{"case_note.csv": "process\nx"})}, " 0  : The file has no row that can be imported."},
	} {
		p := o.check(t, "coordinator", tt.file)
		if got := said(p); len(got) != 1 || !strings.Contains(got[0], tt.want) && !strings.HasPrefix(got[0], tt.want) {
			t.Errorf("%s: %q, and not %q", name, got, tt.want)
		}
	}
}

// unzipped are the files of a ZIP file.
func unzipped(t tb, file []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, part := range z.File {
		r, err := part.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[part.Name] = string(b)
	}
	return files
}

// rezipped is a ZIP file with another text in one of its files.
func rezipped(t tb, file []byte, name, text string) []byte {
	t.Helper()
	files := unzipped(t, file)
	files[name] = text
	return zipped(t, files)
}

// TestFilesAsPeopleSaveThem: in GBK, with semicolons, saved twice, with rows and lines between, of a kind that is chosen.
func TestFilesAsPeopleSaveThem(t *testing.T) {
	o := newOne(t)
	gbk, err := simplifiedchinese.GBK.NewEncoder().String("服务队;发生日期;服务领域;户数;需求\none;2021-09-28;心理疏导;3;\"棉被\n药品\"\n\none;2021-09-28;心理疏导;x;\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []importing.File{{Name: "走访 (1).csv", Content: []byte(gbk)}, {Name: "历史.csv", Kind: recordv1.Kind_KIND_OUTREACH, Content: []byte(gbk)}, {Name: `C:\Outreach（2）.CSV`, Content: []byte(gbk)}} {
		if got := said(o.check(t, "coordinator", f)); !slices.Equal(got, []string{" 4 D 户数: households: write a whole number"}) {
			t.Errorf("%s: %q", f.Name, got)
		}
	}
	tokenless := o.check(t, "coordinator", importing.File{Name: "x.zip", Content: zipped(t, map[string]string{"participant.csv": "village\n东街\n", "outreach.csv": "team,occurred_on,service_area,households\none,2021-09-28,心理疏导,3\n"})})
	if tokenless.Wrong > 0 || tokenless.Made() != 1 || !slices.Equal(tokenless.Tokenless, []string{"participant.csv"}) {
		t.Errorf("%v %v", said(tokenless), tokenless.Tokenless)
	}
}
