package finalreport_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/xuri/excelize/v2"

	"levee/server/internal/finalreport"
	"levee/syncproto/certificate"
	"levee/syncproto/testneed"
)

// poppler runs a program of poppler on a file, and gives what it says.
func poppler(t *testing.T, name string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		testneed.Missing(t, "there is no %s here (Debian: apt-get install poppler-utils)", name)
	}
	out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %s", err, out)
	}
	return string(out)
}

func pdfOf(t *testing.T, r *finalreport.Report) (b []byte, path string) {
	t.Helper()
	var out bytes.Buffer
	if err := r.WritePDF(&out); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "report.pdf")
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), path
}

// solid is a text without what divides it into lines and cells.
func solid(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, text)
}

// long makes a report whose tables take several pages, and whose names do not fit into one line.
func long(c *certificate.Certificate) {
	second(c)
	c.Deployment.Name = "河南特大暴雨灾后社会工作服务行动（浚县、卫辉市等地，含心理疏导、文化重建和资源链接），第一阶段"
	waiver := c.Waivers[0]
	waiver.Reason = strings.Repeat("在洪水中丢失，已报警；", 9) + "https://example.org/a/very/long/address/that/can/not/be/divided/at/any/space/whatever/it/takes 𠮷"
	for range 20 {
		c.Waivers = append(c.Waivers, waiver)
	}
	waiver.Reason = strings.Repeat("由镇里跟进，", 400) // which is higher than a page
	c.Waivers = append(c.Waivers, waiver)
}

// Every text of the report can be read again, in whichever lines and on whichever pages it stands.
func TestWhatIsInThePDFIsInTheReport(t *testing.T) {
	d := closed(t)
	for _, lang := range []string{"zh", "en"} {
		r := made(t, d, finalreport.Query{File: signed(t, d, long), Lang: lang, Foreword: strings.Repeat("2021年7月，“河南”遭遇特大暴雨。", 40)})
		_, path := pdfOf(t, r)
		footer := solid(r.Deployment + " · " + r.Title)
		var text strings.Builder
		for n, page := range strings.Split(strings.TrimSuffix(poppler(t, "pdftotext", "-raw", path, "-"), "\f"), "\f") {
			page, foot := solid(page), footer // which is drawn first, as much of it as has room
			for foot != "" && page != "" && page[0] == foot[0] {
				page, foot = page[1:], foot[1:]
			}
			text.WriteString(strings.TrimPrefix(page, strconv.Itoa(n+1)))
		}
		for _, want := range textsOf(r) {
			if strings.HasPrefix(want, `{"levee_deployment"`) { // which is drawn
				continue
			}
			want = solid(strings.ReplaceAll(want, "𠮷", "〓"))
			if strings.HasPrefix(want, "由镇里跟进，由") { // on several pages, with the head of the table between them
				if n := strings.Count(text.String(), "跟"); n < 401 {
					t.Errorf("%s: the long reason is there %d times", lang, n)
				}
			} else if !strings.Contains(text.String(), want) {
				t.Errorf("%s: %s is not in the PDF", lang, want)
			}
		}
	}
}

func TestWhatIsQuotedStandsInOneLine(t *testing.T) {
	r := made(t, closed(t), finalreport.Query{File: signed(t, closed(t), asItIs), Lang: "zh"})
	_, path := pdfOf(t, r)
	text := poppler(t, "pdftotext", path, "-")
	for _, want := range append([]string{r.Sections[0].Blocks[0].Lead}, r.Sections[1].Blocks[0].List...) {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in one line of\n%s", want, text)
		}
	}
	if lines := poppler(t, "pdftotext", "-layout", path, "-"); !strings.Contains(strings.Join(strings.Fields(lines), " "), "上乐村镇 1 0 0 1 0 65 61 0") {
		t.Errorf("a town's row is not in one line of\n%s", lines)
	}
	for line := range strings.Lines(poppler(t, "pdffonts", path)) {
		if fields := strings.Fields(line); fields[0] != "name" && !strings.HasPrefix(line, "-") && fields[4] != "yes" {
			t.Errorf("a font is not embedded: %s", line)
		}
	}
	if info := poppler(t, "pdfinfo", path); !strings.Contains(info, "河南特大暴雨社会工作服务 · 收队报告") || !strings.Contains(info, "周协调") || !strings.Contains(info, "A4") {
		t.Error(info)
	}
}

func TestAPDFIsTheSameEachTime(t *testing.T) {
	d := closed(t)
	file := signed(t, d, second)
	for lang, says := range map[string]string{"zh": "/Lang (zh-CN)", "en": "/Lang (en)"} {
		r := made(t, d, finalreport.Query{File: file, Lang: lang})
		first, _ := pdfOf(t, r)
		again, _ := pdfOf(t, made(t, d, finalreport.Query{File: file, Lang: lang}))
		if !bytes.Equal(first, again) {
			t.Errorf("%s: it is another file", lang)
		}
		if dates := bytes.Count(first, []byte("(D:20211208093000")); dates != 2 { // made and changed
			t.Errorf("%s: it was not made when the certificate was issued", lang)
		}
		if bookmarks := bytes.Count(first, []byte("/Dest [")); bookmarks != len(r.Sections) || !bytes.Contains(first, []byte(says)) {
			t.Errorf("%s: %d bookmarks for %d sections", lang, bookmarks, len(r.Sections))
		}
		if len(first) > 200_000 {
			t.Errorf("%s: %d bytes, so that the font can't be a subset", lang, len(first))
		}
	}
}

func TestTheWorkbook(t *testing.T) {
	d := closed(t)
	for _, lang := range []string{"zh", "en"} {
		r := made(t, d, finalreport.Query{File: signed(t, d, second), Lang: lang})
		var out bytes.Buffer
		if err := r.WriteXLSX(&out); err != nil {
			t.Fatal(err)
		}
		f, err := excelize.OpenReader(&out)
		if err != nil {
			t.Fatal(err)
		}
		sheets := f.GetSheetList()
		for _, s := range r.Sections {
			for _, b := range s.Blocks {
				if b.Table != nil {
					check(t, f, sheets[1], b.Table)
					sheets = append(sheets[:1], sheets[2:]...)
				}
			}
		}
		if len(sheets) != 1 {
			t.Errorf("%s: there are sheets besides: %v", lang, sheets)
		}
		if rows, err := f.GetRows(r.Title); err != nil || rows[0][0] != r.Deployment || !strings.Contains(solid(strings.Join(flat(rows), "")), solid(r.Sections[0].Blocks[0].Lead)) {
			t.Errorf("%s: %v, %v", lang, rows, err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

func flat(rows [][]string) (cells []string) {
	for _, row := range rows {
		cells = append(cells, row...)
	}
	return cells
}

// check holds a sheet against its table: two frozen rows of headings, then numbers as such, and no formula.
func check(t *testing.T, f *excelize.File, sheet string, table *finalreport.Table) {
	t.Helper()
	panes, err := f.GetPanes(sheet)
	if err != nil || !panes.Freeze || panes.YSplit != 2 || sheet != table.Title {
		t.Errorf("%s: %+v, %v", sheet, panes, err)
	}
	cell := func(column, row int) (value string, kind excelize.CellType) {
		at, err := excelize.CoordinatesToCellName(column+1, row+1)
		if err == nil {
			value, err = f.GetCellValue(sheet, at)
		}
		if err == nil {
			kind, err = f.GetCellType(sheet, at)
		}
		if err != nil {
			t.Fatal(err)
		}
		return value, kind
	}
	for i, c := range table.Columns {
		label, _ := cell(i, 0)
		other, _ := cell(i, 1)
		if label != c.Label || other != c.Other || label == other {
			t.Errorf("%s: a column is called %q and %q", sheet, label, other)
		}
	}
	for n, row := range table.Rows {
		for i, c := range row.Cells {
			value, kind := cell(i, n+2)
			switch {
			case c.Number != nil:
				if value != strconv.FormatInt(*c.Number, 10) || kind != excelize.CellTypeUnset { // which is a number
					t.Errorf("%s: %s of type %v, want %d", sheet, value, kind, *c.Number)
				}
			case strings.HasPrefix(c.Text, "="):
				if value != "'"+c.Text {
					t.Errorf("%s: a formula: %s", sheet, value)
				}
			case value != c.Text:
				t.Errorf("%s: %q, want %q", sheet, value, c.Text)
			}
		}
	}
}
