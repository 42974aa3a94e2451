package importing_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"levee/server/internal/importing"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/words"
)

// tables are what people send: with headings in both languages, an export's, with marks, and with what is wrong.
var tables = []string{
	"team,occurred_on,service_area,households\none,2021-09-28,心理疏导,3\n",
	"服务队;发生日期;服务领域;户数;需求\none;2021-09-28;心理疏导;3;\"棉被\n药品\"\n\none;2021-09-28;心理疏导;x;\n",
	"编号\t服务队\t记录人\nid\tteam\tauthor\n甲\tone\tanna\n甲\tone\t王芳\n",
	"id,team,author,occurred_on,service_area,households,co_workers,place_code,duplicate_of\n0190c5a8-7c00-7000-8000-000000000001,one,anna #0001,2021-02-30,=1+1,'-1,anna; ben,999999999,x\n",
	"activity,counter,zone,method,occurred_on,cells\n甲,anna,东,清点,2021-09-28,\"sex=女，age_band=18–59，first_time=3；\\\"\n",
}

// FuzzFile: whatever is sent as a file, it is refused with words, or comes to a plan, which is the same each time.
func FuzzFile(f *testing.F) {
	o := newOne(f)
	for _, table := range tables {
		f.Add("outreach.csv", []byte(table))
		f.Add("计数.csv", []byte("\ufeff"+table))
	}
	f.Add("all.zip", zipped(f, map[string]string{"outreach.csv": tables[0], "headcount.csv": tables[4], "case_note.csv": "process\nx\n"}))
	f.Add("book.xlsx", workbookOf(f, tables[0]))
	f.Add(`..\..\case (1).CSV`, []byte("\xff\xfea\x00"))
	f.Fuzz(func(t *testing.T, name string, content []byte) {
		planned(t, o, importing.File{Name: name, Content: content})
	})
}

// FuzzSheet: whatever a sheet of a workbook holds, and the texts that its cells share. They are drawn before they are packed, since hardly
// any change of packed bytes can be unpacked.
func FuzzSheet(f *testing.F) {
	o := newOne(f)
	whole := unzipped(f, workbookOf(f, tables[0]))
	f.Add(whole[sheetPart], whole[stringsPart])
	f.Add(`<worksheet><sheetData><row r="1"><c r="B1" t="inlineStr"><is><t>team</t></is></c></row><row r="7"><c r="B7"><f>1+1</f><v>2</v></c></row></sheetData></worksheet>`, "")
	f.Add(`<worksheet><sheetData><row r="1048577"><c r="XFE1" t="s"><v>-1</v></c><c t="d"><v>2021</v></c></row></sheetData></worksheet>`, `<sst><si/></sst>`)
	f.Add(`<worksheet><sheetData><row r="2"><c r="A2" t="e" s="99"><v>#REF!</v></c><c r="A2" t="b"><v>7</v></c></row><row r="1"/></sheetData><mergeCells><mergeCell ref="A1:A0"/></mergeCells></worksheet>`, `<sst`)
	f.Fuzz(func(t *testing.T, sheet, texts string) {
		files := maps.Clone(whole)
		files[sheetPart], files[stringsPart] = sheet, texts
		planned(t, o, importing.File{Name: "x.xlsx", Content: zipped(t, files)})
	})
}

const (
	sheetPart   = "xl/worksheets/sheet1.xml"
	stringsPart = "xl/sharedStrings.xml"
)

// workbookOf is a workbook with one sheet, a table of outreach.
func workbookOf(t tb, table string) []byte {
	t.Helper()
	return book(t, "outreach", func(f *excelize.File) {
		for i, line := range strings.Split(strings.TrimSpace(table), "\n") {
			cells := strings.Split(line, ",")
			if err := f.SetSheetRow("outreach", "A"+string(rune('1'+i)), &cells); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// planned checks that what a file comes to holds together.
func planned(t *testing.T, o *one, f importing.File) {
	p, again := o.check(t, "coordinator", f), o.check(t, "coordinator", f)
	if p.Digest != again.Digest || p.Wrong != again.Wrong || p.Made() != again.Made() {
		t.Errorf("it comes to %+v, and then to %+v", p, again)
	}
	if len(p.Faults) != min(p.Wrong, 300) || p.Wrong == 0 && len(p.Tables)+len(p.Unknown)+len(p.LeftOut)+len(p.Tokenless) == 0 {
		t.Errorf("%d things are wrong, and %d named: %+v", p.Wrong, len(p.Faults), p)
	}
	for _, fault := range p.Faults {
		for _, lang := range []string{"en", "zh"} {
			if said := fault.Message(words.In(lang)); said == "" || strings.Contains(said, "%!") {
				t.Errorf("%+v says %q", fault, said)
			}
		}
	}
	made := 0
	for _, table := range p.Tables {
		if made += table.Made; table.Kind == recordv1.Kind_KIND_UNKNOWN {
			t.Errorf("a table of no kind: %+v", p.Tables)
		}
	}
	if made != p.Made() {
		t.Errorf("%d are to be made, and the tables have %d", p.Made(), made)
	}
}
