package export_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/export"
	"levee/server/internal/progress"
	"levee/server/internal/servertest"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

const token = "a token of 16 by"

// worked is a deployment in which two teams have logged something of most sorts, and what must not leave it by accident.
type worked struct {
	*servertest.Deployment
	records      map[string]hlc.ID
	confidential []string
}

func work(t *testing.T) *worked {
	t.Helper()
	d := &worked{Deployment: servertest.New(t), records: map[string]hlc.ID{}, confidential: []string{"李某某", "13800000001", "绝不外传", hex.EncodeToString([]byte(token))}}
	anna, carl, coordinator := d.Enrol("anna"), d.Enrol("carl"), d.Enrol("coordinator")
	log := func(v *servertest.Device, name string, m record.Common) []byte {
		c := v.Make(m)
		v.Push(c)
		d.records[name] = c.Record
		return c.Record[:]
	}
	held := recordv1.Status_STATUS_HELD.Enum()
	talk := func(name string, duplicateOf []byte) *recordv1.CommunityActivity {
		return &recordv1.CommunityActivity{Name: &name, Site: d.Sites[0][:], Place: &recordv1.Place{Code: new("410621108"), Edition: new(int32(2023)), Village: new("东街")}, Status: held,
			Minutes: new(uint32(60)), RegisterUsed: new(false), Partners: []string{"村委会", "=1+1; x"}, DuplicateOf: duplicateOf}
	}
	activity := log(anna, "activity", talk("=HYPERLINK(\"http://example.org\")", nil))
	log(anna, "duplicate", talk("中秋", activity))
	deleted := log(anna, "deleted", talk("写错了", nil))
	log(anna, "count", &recordv1.Headcount{Activity: activity, Counter: anna.Worker[:], Zone: new("东"), Method: recordv1.CountMethod_COUNT_METHOD_COUNTED.Enum(), Status: held,
		Cells: []*recordv1.HeadcountCell{{Sex: recordv1.Sex_SEX_FEMALE.Enum(), AgeBand: new(uint32(2)), FirstTime: new(uint32(7)), Returning: new(uint32(1))}}})
	file := log(anna, "case", &recordv1.Case{CaseNo: new("HN-01"), OpenedOn: new(int32(20211001)), ClientCount: new(uint32(1)), ClientTokens: [][]byte{[]byte(token)},
		Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(), Lead: anna.Worker[:], AgeBand: new(uint32(2))})
	log(anna, "identity", &recordv1.CaseIdentity{Case: file, Name: new("李某某"), Phone: new("13800000001"), BirthDate: new(int32(19490101))})
	log(anna, "consent", &recordv1.Consent{Subject: file})
	session := log(anna, "session", &recordv1.CaseSession{Case: file, Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(), Mode: recordv1.SessionMode_SESSION_MODE_PHONE.Enum(),
		Minutes: new(uint32(45)), Attendees: new(uint32(2)), RiskSeen: recordv1.RiskSeen_RISK_SEEN_NO.Enum(), Status: held})
	log(anna, "note", &recordv1.CaseNote{Session: session, Process: new("绝不外传")})
	log(anna, "alert", &recordv1.RiskAlert{Type: recordv1.RiskType_RISK_TYPE_MISSING.Enum(), SeenAt: new(d.Wall().UnixMilli() - 1234), Done: new("绝不外传")})
	log(carl, "other team's", &recordv1.Outreach{Status: held, Households: new(uint32(3)), Needs: new("棉被\r\n药品")})
	planned := coordinator.Make(&recordv1.CommunityActivity{Name: new("全体活动"), Minutes: new(uint32(60)), RegisterUsed: new(false), Status: recordv1.Status_STATUS_PLANNED.Enum()})
	coordinator.Push(planned)
	d.records["everybody's"] = planned.Record
	anna.Pull()
	anna.Push(anna.Edit(hlc.ID(deleted), &recordv1.CommunityActivity{Deleted: new(true)}))
	for name, id := range d.records {
		if !slices.ContainsFunc(d.stored(t), func(r hlc.ID) bool { return r == id }) {
			t.Fatalf("%s is held", name)
		}
	}
	return d
}

// stored are the ids of all records.
func (d *worked) stored(t *testing.T) (ids []hlc.ID) {
	t.Helper()
	err := d.look(export.Query{Whole: true, Confidential: true, Identities: true}, func(c *export.Content) error {
		for _, k := range c.Tables() {
			if err := c.Each(k, func(r export.Row) error { ids = append(ids, r.ID); return nil }); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func (d *worked) look(q export.Query, fn func(*export.Content) error) error {
	return export.Look(context.Background(), d.DB.Deployment(d.ID), d.Wall, q, fn)
}

// files are those of a CSV export, by name.
func (d *worked) files(t *testing.T, q export.Query) map[string]string {
	t.Helper()
	files := map[string]*bytes.Buffer{}
	err := d.look(q, func(c *export.Content) error {
		return export.CSV(c, func(name string) (io.WriteCloser, error) {
			files[name] = &bytes.Buffer{}
			return struct {
				io.Writer
				io.Closer
			}{files[name], io.NopCloser(nil)}, nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for name, b := range files {
		texts[name] = b.String()
	}
	return texts
}

// table is a CSV file as rows by column, in the order of the file.
func table(t *testing.T, text string) (rows []map[string]string) {
	t.Helper()
	all, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, cells := range all[1:] {
		row := map[string]string{}
		for i, cell := range cells {
			row[all[0][i]] = cell
		}
		rows = append(rows, row)
	}
	return rows
}

func TestCSV(t *testing.T) {
	d := work(t)
	files := d.files(t, export.Query{Whole: true, Teams: d.Teams[1:], Lang: "zh"})
	want := []string{"README.txt", "attendance.csv", "case.csv", "case_session.csv", "community_activity.csv", "deployment.csv", "group_session.csv", "headcount.csv", "outreach.csv",
		"resource_link.csv", "site.csv", "team.csv", "totals.csv", "worker.csv"}
	if got := slices.Sorted(maps.Keys(files)); !slices.Equal(got, want) {
		t.Errorf("files %v", got)
	}
	for name, text := range files {
		if !strings.HasPrefix(text, "\ufeff") || strings.Count(text, "\n") != strings.Count(text, "\r\n") || !utf8.ValidString(text) {
			t.Errorf("%s is not written as Excel takes it", name)
		}
	}
	activities := map[string]map[string]string{}
	for _, row := range table(t, files["community_activity.csv"]) {
		activities[row["id"]] = row
	}
	plain := activities[d.records["activity"].String()]
	for column, want := range map[string]string{
		"name": `'=HYPERLINK("http://example.org")`, "site": "王庄镇", "team": "one", "author": "anna", "occurred_on": "2021-10-01", "place_code": "410621108", "place_edition": "2023",
		"place_village": "东街", "status": "held", "service_area": "psychological_support", "minutes": "60", "register_used": "no", "partners": `村委会; \=1+1\; x`, "deleted": "", "duplicate_of": "", "form": "",
	} {
		if plain[column] != want {
			t.Errorf("%s is %q", column, plain[column])
		}
	}
	if row := activities[d.records["duplicate"].String()]; row["duplicate_of"] != d.records["activity"].String() {
		t.Errorf("the duplicate: %v", row)
	}
	if row := activities[d.records["deleted"].String()]; row["deleted"] != "yes" {
		t.Errorf("the deleted one: %v", row)
	}
	if len(activities) != 4 {
		t.Errorf("%d activities", len(activities))
	}
	if row := table(t, files["outreach.csv"]); len(row) != 1 || row[0]["needs"] != "棉被\n药品" || row[0]["author"] != "carl" {
		t.Errorf("%v", row)
	}
	if row := table(t, files["headcount.csv"])[0]; row["cells"] != "sex=female, age_band=6–13, first_time=7, returning=1" {
		t.Errorf("%v", row)
	}
	if row := table(t, files["case.csv"])[0]; row["age_band"] != "6–13" { // a day of June, if it were written otherwise
		t.Errorf("%v", row)
	}
	for _, said := range []string{"待处理：0 条", "Of all teams.", "Tablets: 3 in use", "community_activity: community activity, rows: 4", "position "} {
		if !strings.Contains(files["README.txt"], said) {
			t.Errorf("the text does not say %q: %s", said, files["README.txt"])
		}
	}
}

// The totals are those that a recount finds stored, line by line.
func TestTotalsAreThoseOfARecount(t *testing.T) {
	d := work(t)
	r, err := progress.Recount(context.Background(), d.DB.Deployment(d.ID), d.ID)
	if err != nil || !r.Equal() {
		t.Fatal(err, r)
	}
	want := map[string]bool{}
	for _, l := range r.Totals {
		want[fmt.Sprint(l.Basis, " ", l.Figure, " ", l.Dimension, " ", l.Key, " ", l.Value)] = true
	}
	rows := table(t, d.files(t, export.Query{Whole: true})["totals.csv"])
	for _, row := range rows {
		line := row["basis"] + " " + row["figure"] + " " + row["dimension"] + " " + row["key"] + " " + row["value"]
		if !want[line] {
			t.Errorf("no recount finds %s", line)
		}
		delete(want, line)
		if row["name"] == "" {
			t.Errorf("%s has no name", line)
		}
	}
	if len(want) > 0 || len(rows) < 50 {
		t.Errorf("of %d, there are not: %v", len(rows), want)
	}
}

// Who a person is leaves in no form, in no file, unless it is asked for; what is for programs alone never does.
func TestWhatIsConfidentialLeavesOnlyWhenAsked(t *testing.T) {
	d := work(t)
	all := func(q export.Query) string {
		var b strings.Builder
		for name, text := range d.files(t, q) {
			b.WriteString(name + text)
		}
		book := d.book(t, q, 1000, 3000)
		for _, name := range book.GetSheetList() {
			rows, err := book.GetRows(name)
			if err != nil {
				t.Fatal(err)
			}
			b.WriteString(name + fmt.Sprint(rows))
		}
		return b.String()
	}
	public := all(export.Query{Whole: true, Lang: "zh"})
	for _, secret := range d.confidential {
		if strings.Contains(public, secret) {
			t.Errorf("%q is in what is not confidential", secret)
		}
	}
	for _, name := range []string{"identity", "consent", "alert", "note"} {
		if strings.Contains(public, d.records[name].String()) {
			t.Errorf("the %s is in what is not confidential", name)
		}
	}
	sealed := all(export.Query{Whole: true, Lang: "zh", Confidential: true, Identities: true})
	for _, secret := range append(d.confidential, d.records["consent"].String()) {
		if !strings.Contains(sealed, secret) {
			t.Errorf("%q is not there though it was asked for", secret)
		}
	}
	if form := servertest.Shows(public+sealed, d.LinkageKey()); form != "" {
		t.Errorf("the linkage key is there %s", form)
	}
	external := all(export.Query{Whole: true, Lang: "zh", Confidential: true}) // as supervisors from outside see cases
	if strings.Contains(external, "李某某") || strings.Contains(external, d.records["consent"].String()) || !strings.Contains(external, "绝不外传") {
		t.Error("what is confidential without the identities is not that")
	}
}

func TestOnlyOwnTeamsAndWhatEverybodyHas(t *testing.T) {
	d := work(t)
	has := func(q export.Query) string {
		var there []string
		text := fmt.Sprint(d.files(t, q))
		for name, id := range d.records {
			if strings.Contains(text, "\n"+id.String()) {
				there = append(there, name)
			}
		}
		slices.Sort(there)
		return strings.Join(there, ", ")
	}
	own := export.Query{Teams: d.Teams[:1], Confidential: true, Identities: true}
	if got := has(own); got != "activity, alert, case, consent, count, deleted, duplicate, everybody's, identity, note, session" {
		t.Errorf("of one team: %s", got)
	}
	if got := has(export.Query{Teams: d.Teams[1:]}); got != "everybody's, other team's" {
		t.Errorf("of the other team: %s", got)
	}
	if got := has(export.Query{Confidential: true, Identities: true}); got != "everybody's" {
		t.Errorf("of no team: %s", got)
	}
	rows := table(t, d.files(t, own)["totals.csv"])
	for _, row := range rows {
		if row["dimension"] != "team" || row["key"] != d.Teams[0].String() || row["name"] != "one" {
			t.Errorf("who sees one team gets %v", row)
		}
	}
	if len(rows) == 0 || len(table(t, d.files(t, export.Query{})["totals.csv"])) != 0 {
		t.Errorf("%d totals of one team, and some of none", len(rows))
	}
	if text := d.files(t, own)["README.txt"]; !strings.Contains(text, "Of these teams alone, and of what all have: one.") {
		t.Error(text)
	}
}

func TestKindsThatHaveNoTable(t *testing.T) {
	d := work(t)
	files := d.files(t, export.Query{Whole: true, Kinds: []record.Kind{recordv1.Kind_KIND_CASE, recordv1.Kind_KIND_REFERRAL}})
	if got := slices.Sorted(maps.Keys(files)); !slices.Equal(got, []string{"README.txt", "case.csv", "totals.csv"}) {
		t.Errorf("%v", got)
	}
	for _, k := range []record.Kind{recordv1.Kind_KIND_CASE_IDENTITY, recordv1.Kind_KIND_CONFLICT, recordv1.Kind_KIND_UNKNOWN} {
		err := d.look(export.Query{Whole: true, Kinds: []record.Kind{k}}, func(*export.Content) error { t.Error("it was looked at"); return nil })
		if problem.CodeOf(err) != problem.InvalidArgument {
			t.Errorf("%v: %v", k, err)
		}
	}
}

// Somebody is told how far it is, and it stops when nobody waits for it any more.
func TestProgressAndTheEndOfPatience(t *testing.T) {
	d := work(t)
	var done, of uint64
	q := export.Query{Whole: true, Progress: func(d, o uint64) { done, of = d, o }}
	d.files(t, q)
	var records uint64
	err := d.look(q, func(c *export.Content) error { records = c.Records(); return nil })
	if err != nil || records < 10 || done != records || of != records {
		t.Errorf("told %d of %d, there are %d; %v", done, of, records, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	rows := 0
	err = export.Look(ctx, d.DB.Deployment(d.ID), d.Wall, export.Query{Whole: true}, func(c *export.Content) error {
		return c.Each(recordv1.Kind_KIND_COMMUNITY_ACTIVITY, func(export.Row) error { cancel(); rows++; return nil })
	})
	if !errors.Is(err, context.Canceled) || rows != 1 {
		t.Errorf("%d more rows, %v", rows, err)
	}
}

// All of an export is of one moment, though tablets send meanwhile.
func TestAllOfOneMoment(t *testing.T) {
	d := work(t)
	anna := d.Enrol("anna")
	anna.Pull()
	err := d.look(export.Query{Whole: true}, func(c *export.Content) error {
		before := c.Position
		anna.Push(anna.Make(&recordv1.Outreach{Status: recordv1.Status_STATUS_HELD.Enum(), Households: new(uint32(1))}))
		rows, total := 0, int64(0)
		err := errors.Join(c.Each(recordv1.Kind_KIND_OUTREACH, func(export.Row) error { rows++; return nil }), c.EachTotal(func(t export.Total) error {
			if t.Basis == "reported" && t.Figure == "outreach_rounds" && t.Dimension == "whole" {
				total = t.Value
			}
			return nil
		}))
		if rows != 1 || total != 1 || c.Position != before {
			t.Errorf("%d rows, total %d, position %d", rows, total, c.Position)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestZIPHasTheSameFiles(t *testing.T) {
	d := work(t)
	q := export.Query{Whole: true, Lang: "en"}
	var b bytes.Buffer
	if err := d.look(q, func(c *export.Content) error { return export.ZIP(c, &b) }); err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	files := d.files(t, q)
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil || string(text) != files[f.Name] {
			t.Errorf("%s differs, %v", f.Name, err)
		}
		delete(files, f.Name)
	}
	if len(files) > 0 {
		t.Errorf("not there: %v", slices.Collect(maps.Keys(files)))
	}
}

// book is a workbook as it is read again, of sheets of so many rows, written after about so many bytes.
func (d *worked) book(t *testing.T, q export.Query, rows, bytes int) *excelize.File {
	t.Helper()
	var b strings.Builder
	if err := d.look(q, func(c *export.Content) error { return export.XLSXOf(c, &b, rows, bytes) }); err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// What a workbook says is what the records hold, in either language, and also where a kind takes several sheets.
func TestXLSXIsReadAsItWasWritten(t *testing.T) {
	d := work(t)
	for _, lang := range []string{"en", "zh"} {
		q := export.Query{Whole: true, Confidential: true, Identities: true, Lang: lang}
		f := d.book(t, q, 4, 1) // two rows below the head, each written by itself
		err := d.look(q, func(c *export.Content) error {
			for _, k := range c.Tables() {
				columns := c.Columns(k)
				title, sheet, below := words.In(lang).Kind(k), "", [][]string(nil)
				next := 1
				err := c.Each(k, func(r export.Row) error {
					if len(below) == 0 {
						if sheet = title; next > 1 {
							sheet = fmt.Sprintf("%s %d", title, next)
						}
						next++
						rows, err := f.GetRows(sheet, excelize.Options{RawCellValue: true})
						if err != nil {
							return err
						}
						for i, column := range columns {
							if rows[0][i] != column.Label() || rows[1][i] != column.Name {
								t.Errorf("%s: above column %d stand %q and %q", sheet, i, rows[0][i], rows[1][i])
							}
						}
						below = rows[2:]
					}
					got := export.Row{Message: record.New(k)}
					if err := c.Read(columns, below[0], &got); err != nil {
						return err
					}
					want := export.Row{Message: record.New(k)}
					for _, column := range columns {
						if err := column.Parse(column.Text(r), &want); err != nil {
							return err
						}
					}
					if below = below[1:]; got.ID != r.ID || !proto.Equal(got.Message, want.Message) {
						t.Errorf("%s: %v is read as %v", sheet, want.Message, got.Message)
					}
					return nil
				})
				if err != nil || len(below) > 0 {
					return fmt.Errorf("%s: %d rows more, %w", sheet, len(below), err)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		if got := len(f.GetSheetList()); got < 25 {
			t.Errorf("%d sheets", got)
		}
	}
}

// Numbers, days and times are such, texts are no formulas, and the head stays when one scrolls.
func TestXLSXHasRealTypes(t *testing.T) {
	d := work(t)
	f := d.book(t, export.Query{Whole: true, Confidential: true, Lang: "zh"}, 1000, 1)
	for _, tt := range []struct {
		sheet, column string
		as            excelize.CellType
		raw, shown    string
	}{
		{"团体活动", "minutes", excelize.CellTypeUnset, "60", "60"}, // unset is a number
		{"团体活动", "occurred_on", excelize.CellTypeUnset, "44470", "2021-10-01"},
		{"团体活动", "register_used", excelize.CellTypeBool, "0", "FALSE"},
		{"团体活动", "name", excelize.CellTypeInlineString, `'=HYPERLINK("http://example.org")`, `'=HYPERLINK("http://example.org")`},
		{"团体活动", "status", excelize.CellTypeInlineString, "已开展", "已开展"},
		{"团体活动", "place_code", excelize.CellTypeInlineString, "410621108", "410621108"},
		{"风险上报", "seen_at", excelize.CellTypeUnset, "44470.4999857175", "2021-10-01 11:59:59.000"},
	} {
		rows, err := f.GetRows(tt.sheet)
		if err != nil {
			t.Fatal(err)
		}
		at, err := excelize.CoordinatesToCellName(1+slices.Index(rows[1], tt.column), 3)
		if err != nil {
			t.Fatal(err)
		}
		as, err := f.GetCellType(tt.sheet, at)
		raw, rerr := f.GetCellValue(tt.sheet, at, excelize.Options{RawCellValue: true})
		shown, serr := f.GetCellValue(tt.sheet, at)
		formula, ferr := f.GetCellFormula(tt.sheet, at)
		if err := errors.Join(err, rerr, serr, ferr); err != nil || as != tt.as || raw != tt.raw || shown != tt.shown || formula != "" {
			t.Errorf("%s: type %d, %q shown as %q, formula %q, %v", tt.column, as, raw, shown, formula, err)
		}
	}
	for i, sheet := range f.GetSheetList() {
		panes, err := f.GetPanes(sheet)
		if err != nil || i > 0 && (!panes.Freeze || panes.YSplit != 2 || panes.TopLeftCell != "A3") {
			t.Errorf("%s: %+v, %v", sheet, panes, err)
		}
	}
	if width, err := f.GetColWidth("团体活动", "A"); err != nil || width < 36 {
		t.Errorf("the ids have a width of %v, %v", width, err)
	}
	rows, err := f.GetRows("统计数字")
	if err != nil || !slices.ContainsFunc(rows, func(r []string) bool {
		return slices.Equal(r, []string{"已上报", "人次", "服务点", d.Sites[0].String(), "王庄镇", "8"})
	}) {
		t.Errorf("%v, %v", rows, err)
	}
	if rows, err := f.GetRows("说明"); err != nil || len(rows) < 20 || !strings.Contains(rows[0][0], "堤的导出数据") {
		t.Errorf("%v, %v", rows, err)
	}
}

// What a cell can't take is cut, and says so.
func TestXLSXCutsWhatACellCannotTake(t *testing.T) {
	d := work(t)
	anna := d.Enrol("anna")
	partners := make([]string, 500)
	for i := range partners {
		partners[i] = strconv.Itoa(i) + strings.Repeat("v", 80)
	}
	partners[0] = strings.Repeat("𠀀", 40)
	anna.Push(anna.Make(&recordv1.CommunityActivity{Name: new("大会"), Minutes: new(uint32(60)), RegisterUsed: new(false), Partners: partners}))
	q := export.Query{Whole: true, Kinds: []record.Kind{recordv1.Kind_KIND_COMMUNITY_ACTIVITY}}
	if files := d.files(t, q); !strings.Contains(files["community_activity.csv"], partners[499]) {
		t.Error("it is cut where there is room")
	}
	rows, err := d.book(t, q, 1000, 3000).GetRows("community activity")
	if err != nil {
		t.Fatal(err)
	}
	last := rows[len(rows)-1]
	cell := last[slices.Index(rows[1], "partners")]
	if units := len(utf16.Encode([]rune(cell))); units != excelize.TotalCellChars || !strings.HasSuffix(cell, "v…") {
		t.Errorf("%d characters, at the end %q", units, cell[len(cell)-20:])
	}
}
