package export

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"pgregory.net/rapid"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/oracle"
	"levee/syncproto/record"
	"levee/syncproto/words"
	"levee/syncproto/words/wordstest"
)

func TestEveryMessageIsInBothLanguages(t *testing.T) { wordstest.CheckMessages(t, 9) }

func id(n byte) hlc.ID { return hlc.ID{15: n, 14: n, 0: 1} }

// writingIn is that of a deployment whose own words and names are as awkward as they can be.
func writingIn(lang string) *Writing {
	d := &recordv1.Deployment{
		TimeZone: new("Asia/Shanghai"), AgeBands: []uint32{5, 17, 59},
		ServiceAreas: []*recordv1.ServiceAreaName{
			{Number: recordv1.ServiceArea(16).Enum(), LabelZh: new("环境; 整治"), LabelEn: new("=other")},
			{Number: recordv1.ServiceArea(17).Enum(), LabelZh: new("其他"), LabelEn: new("Other")},
			{Number: recordv1.ServiceArea(18).Enum(), LabelZh: new("16"), LabelEn: new(" 16\r\n")},
			{Number: recordv1.ServiceArea(19).Enum()},
		},
	}
	names := newNames()
	names.add(recordv1.Kind_KIND_SITE, map[hlc.ID]string{id(1): "王庄镇", id(2): "=1+1"})
	names.add(recordv1.Kind_KIND_TEAM, map[hlc.ID]string{id(3): "一队", id(4): "a; b", id(5): ""})
	names.add(recordv1.Kind_KIND_WORKER, map[hlc.ID]string{id(6): "王芳", id(7): "王芳", id(8): "王芳 #0707", id(9): id(6).String(), id(10): `李\娜`})
	return NewWriting(words.In(lang).For(d), names)
}

// Whatever a record of any kind holds stands in its cells, in a text file and in a spreadsheet of either language, and is read from them again.
func TestCellsAreReadAsTheyWereWritten(t *testing.T) {
	writings := []*Writing{writingIn("en"), writingIn("zh")}
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.SampledFrom(Kinds()).Draw(t, "kind")
		m := record.New(k)
		for _, f := range words.Fields(m.ProtoReflect().Descriptor()) {
			if f.Name() != "reviewed" && !record.Secret(k, f.Number()) {
				values.Draw(t, m.ProtoReflect(), f)
			}
		}
		wrote := Row{ID: id(rapid.Byte().Draw(t, "id")), Message: m}
		for _, by := range writings {
			for _, in := range writings { // who reads may have chosen another language
				text, cells := Row{Message: record.New(k)}, Row{Message: record.New(k)}
				for i, c := range by.Columns(k, true) {
					reads := in.Columns(k, true)[i]
					if err := reads.Parse(c.Text(wrote), &text); err != nil {
						t.Fatalf("%q: %v", c.Text(wrote), err)
					}
					if strings.ContainsAny(c.Text(wrote), "\r\x00") {
						t.Errorf("%q in %s", c.Text(wrote), c.Name)
					}
					if err := reads.Parse(kept(c.Cell(wrote)), &cells); err != nil {
						t.Fatalf("%v (%q): %v", c.Cell(wrote), kept(c.Cell(wrote)), err)
					}
				}
				for form, got := range map[string]Row{"text": text, "cells": cells} {
					if got.ID != wrote.ID || !proto.Equal(got.Message, plain(m)) {
						t.Fatalf("in %s, %v\nis read as %v", form, m, got.Message)
					}
				}
			}
		}
	})
}

// plain is a message without what cells do not tell from nothing: empty texts and values without parts. Lines end in one way.
func plain(m record.Common) record.Common {
	m = proto.CloneOf(m)
	var clean func(protoreflect.Message)
	clean = func(m protoreflect.Message) {
		m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
			switch {
			case f.IsList() && f.Kind() == protoreflect.StringKind:
				for i := range v.List().Len() {
					v.List().Set(i, protoreflect.ValueOfString(lines(v.List().Get(i).String())))
				}
			case f.IsList() && f.Message() != nil: // within a list, an empty text is one
				for i := range v.List().Len() {
					item := v.List().Get(i).Message()
					item.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
						if f.Kind() == protoreflect.StringKind {
							item.Set(f, protoreflect.ValueOfString(lines(v.String())))
						}
						return true
					})
				}
			case f.Kind() == protoreflect.StringKind && v.String() == "":
				m.Clear(f)
			case f.Kind() == protoreflect.StringKind:
				m.Set(f, protoreflect.ValueOfString(lines(v.String())))
			case !f.IsList() && f.Message() != nil:
				if clean(v.Message()); proto.Size(v.Message().Interface()) == 0 {
					m.Clear(f)
				}
			}
			return true
		})
	}
	clean(m.ProtoReflect())
	return m
}

// kept is a spreadsheet's cell as the spreadsheet keeps it.
func kept(cell any) string {
	switch v := cell.(type) {
	case nil:
		return ""
	case int64:
		return strconv.FormatInt(v, 10)
	case bool:
		return map[bool]string{false: "0", true: "1"}[v]
	case record.Date:
		if v < firstSerial {
			return v.String()
		}
		return strconv.Itoa(serialZero.DaysUntil(v))
	case time.Time:
		return strconv.FormatFloat(serial(v), 'g', 15, 64) // as many digits as spreadsheets have
	default:
		return v.(string)
	}
}

// awkward are texts in which much stands that means something in a cell.
var awkward = rapid.StringOf(rapid.OneOf(rapid.SampledFrom([]rune("=+-@\t\r\n'\";；,，＝\\ s　是王")), rapid.Rune().Filter(func(r rune) bool { return r >= ' ' && r != 0x7f })))

// values draws ids that have a name of writingIn, and others.
var values = oracle.Values{Text: awkward, Reference: rapid.OneOf(oracle.Bytes, rapid.Custom(func(t *rapid.T) []byte {
	named := id(rapid.ByteRange(1, 10).Draw(t, "n"))
	return named[:]
}))}

// No cell of a text begins like a formula, and what was meant comes back.
func TestNeutral(t *testing.T) {
	for text, want := range map[string]string{"=1+1": "'=1+1", "+86 1": "'+86 1", "-1": "'-1", "@SUM": "'@SUM", "\tx": "'\tx", "'": "''", "'=": "''=", "王庄": "王庄", "": "", "a=b": "a=b"} {
		if got := Neutral(text); got != want {
			t.Errorf("%q becomes %q", text, got)
		}
	}
	if Meant("'tis") != "'tis" { // as people write, whom nobody told
		t.Error("a plain ' was taken away")
	}
	rapid.Check(t, func(t *rapid.T) {
		text := awkward.Draw(t, "text")
		if got := Neutral(text); Meant(got) != text || (got != "" && strings.ContainsRune("=+-@\t\r", rune(got[0]))) {
			t.Fatalf("%q becomes %q, read as %q", text, got, Meant(got))
		}
	})
}

// Columns are told apart by their names, and within a language by their labels.
func TestColumnsHaveNamesOfTheirOwn(t *testing.T) {
	for _, lang := range []string{"en", "zh"} {
		w := writingIn(lang)
		for _, k := range Kinds() {
			seen := map[string]bool{}
			for _, c := range w.Columns(k, true) {
				if c.Label() == "" || seen[c.Name] || seen[c.Label()] && c.Name != "state" { // a deployment's, beside the status that nobody sets there
					t.Errorf("%v, %s: %q is called %q", k, lang, c.Name, c.Label())
				}
				seen[c.Name], seen[c.Label()] = true, true
			}
		}
	}
}

// Each field whose comment says that it names a site, team or worker is written by name.
func TestNamedByIsWhatTheProtosSay(t *testing.T) {
	files, err := filepath.Glob("../../../syncproto/levee/record/v1/*.proto")
	if err != nil || len(files) == 0 {
		t.Fatalf("no protos: %v", err)
	}
	entry := regexp.MustCompile(`(?m)^  (?:repeated )?bytes (\w+) = \d+; // [^:]+: ids? of (?:the |a )?(Site|Team|Worker)s?\b`)
	found := 0
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range entry.FindAllStringSubmatch(string(text), -1) {
			found++
			if want, _ := words.KindNamed(strings.ToLower(m[2])); namedBy[protoreflect.Name(m[1])] != want {
				t.Errorf("%s: %s names a %s", name, m[1], m[2])
			}
		}
	}
	if found < 100 {
		t.Errorf("only %d fields were found", found)
	}
}

// Who the people are is in no table unless it is asked for, and what is for programs alone never.
func TestWhatIsConfidentialIsLeftOut(t *testing.T) {
	w := writingIn("en")
	has := func(k record.Kind, confidential bool, name string) bool {
		return slices.ContainsFunc(w.Columns(k, confidential), func(c Column) bool { return c.Name == name })
	}
	for _, k := range Kinds() {
		for _, f := range words.Fields(record.New(k).ProtoReflect().Descriptor()) {
			if words.FormOf(f) == words.Code && (has(k, false, string(f.Name())) || !has(k, true, string(f.Name()))) {
				t.Errorf("%v: %s", k, f.Name())
			}
			if record.Secret(k, f.Number()) && has(k, true, string(f.Name())) {
				t.Errorf("%v has %s", k, f.Name())
			}
		}
	}
	if has(recordv1.Kind_KIND_WORKER, false, "phone") || !has(recordv1.Kind_KIND_WORKER, true, "phone") {
		t.Error("phones of workers")
	}
}

func TestWhatCannotBeReadIsNamed(t *testing.T) {
	w := writingIn("zh")
	for _, tt := range []struct {
		kind         record.Kind
		column, cell string
		code         Code
	}{
		{recordv1.Kind_KIND_CASE, "id", "7", "invalid_id"},
		{recordv1.Kind_KIND_CASE, "id", "{04000000-0000-7000-8000-000004000001}", "invalid_id"},
		{recordv1.Kind_KIND_CASE_SESSION, "minutes", "五十", CodeNotANumber},
		{recordv1.Kind_KIND_CASE_SESSION, "minutes", "50.5", CodeNotANumber},
		{recordv1.Kind_KIND_CASE_SESSION, "minutes", "-1", "number_out_of_range"},
		{recordv1.Kind_KIND_CASE_SESSION, "minutes", "4294967296", "number_out_of_range"},
		{recordv1.Kind_KIND_CASE_SESSION, "minutes", " ", CodeNothing},
		{recordv1.Kind_KIND_CASE_SESSION, "occurred_on", "2021-02-29", "invalid_date"},
		{recordv1.Kind_KIND_CASE_SESSION, "occurred_on", "44470.5", "invalid_date"},
		{recordv1.Kind_KIND_CASE_SESSION, "occurred_on", "1", "invalid_date"},
		{recordv1.Kind_KIND_CASE_SESSION, "mode", "by pigeon", CodeUnknownChoice},
		{recordv1.Kind_KIND_CASE_SESSION, "mode", "2", CodeUnknownChoice},
		{recordv1.Kind_KIND_CASE_SESSION, "case", "王芳", "invalid_id"},
		{recordv1.Kind_KIND_CASE_SESSION, "author", "王芳", CodeAmbiguousName},
		{recordv1.Kind_KIND_CASE_SESSION, "author", "张三", CodeUnknownName},
		{recordv1.Kind_KIND_CASE, "workers", "张三; 李四", CodeUnknownName},
		{recordv1.Kind_KIND_CASE, "age_band", "18-60", "unknown_age_band"},
		{recordv1.Kind_KIND_CASE, "client_tokens", "0011", "invalid_token"},
		{recordv1.Kind_KIND_COMMUNITY_ACTIVITY, "register_used", "perhaps", CodeNotYesOrNo},
		{recordv1.Kind_KIND_RISK_ALERT, "seen_at", "2021-10-13", CodeInvalidTime},
		{recordv1.Kind_KIND_HEADCOUNT, "cells", "sex=female, heads=3", CodeUnknownPart},
		{recordv1.Kind_KIND_HEADCOUNT, "cells", "female 18-59: 3", CodeUnknownPart},
		{recordv1.Kind_KIND_HEADCOUNT, "cells", "sex=female, first_time=many", CodeNotANumber},
		{recordv1.Kind_KIND_HEADCOUNT, "place_edition", "new", CodeNotANumber},
	} {
		columns := w.Columns(tt.kind, true)
		i := slices.IndexFunc(columns, func(c Column) bool { return c.Name == tt.column })
		err := columns[i].Parse(tt.cell, &Row{Message: record.New(tt.kind)})
		var wrong *CellError
		if !errors.As(err, &wrong) || wrong.Code != tt.code || wrong.Column() != tt.column {
			t.Errorf("%s %q: %v, want %s", tt.column, tt.cell, err, tt.code)
			continue
		}
		for _, lang := range []string{"en", "zh"} {
			if text := wrong.Message(words.In(lang)); !strings.HasPrefix(text, columns[i].labelIn(words.In(lang))) || len(text) < len(columns[i].labelIn(words.In(lang)))+8 {
				t.Errorf("%s in %s: %q", tt.code, lang, text)
			}
		}
	}
}

// What people write by hand is read, too.
func TestWhatPeopleWriteIsRead(t *testing.T) {
	w := writingIn("zh")
	row := Row{Message: &recordv1.Headcount{}}
	for name, cell := range map[string]string{
		"occurred_on": "2021/10/1", "service_area": "心理疏导", "status": " Held ", "first_time": "12.0", "team": "一队", "co_workers": "王芳 #0606；李\\\\娜",
		"cells": "性别=女，年龄段=18–59，首次=3；sex = male, 首次=2；", "place_code": "410621108", "entry": "BACKFILLED",
	} {
		columns := w.Columns(recordv1.Kind_KIND_HEADCOUNT, true)
		i := slices.IndexFunc(columns, func(c Column) bool { return c.Name == name })
		if err := columns[i].Parse(cell, &row); err != nil {
			t.Errorf("%q: %v", cell, err)
		}
	}
	team, wang, li := id(3), id(6), id(10)
	want := &recordv1.Headcount{
		OccurredOn: new(int32(20211001)), ServiceArea: recordv1.ServiceArea_SERVICE_AREA_PSYCHOLOGICAL_SUPPORT.Enum(), Status: recordv1.Status_STATUS_HELD.Enum(),
		FirstTime: new(uint32(12)), Team: team[:], CoWorkers: [][]byte{wang[:], li[:]}, Place: &recordv1.Place{Code: new("410621108")}, Entry: recordv1.Entry_ENTRY_BACKFILLED.Enum(),
		Cells: []*recordv1.HeadcountCell{
			{Sex: recordv1.Sex_SEX_FEMALE.Enum(), AgeBand: new(uint32(3)), FirstTime: new(uint32(3))},
			{Sex: recordv1.Sex_SEX_MALE.Enum(), FirstTime: new(uint32(2))},
		},
	}
	if !proto.Equal(row.Message, want) {
		t.Errorf("%v", row.Message)
	}
}
