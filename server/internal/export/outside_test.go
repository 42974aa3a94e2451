package export_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"levee/server/internal/export"
	"levee/server/internal/report"
	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
)

// tester is what *testing.T and *rapid.T share.
type tester interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

func written(t tester, d *servertest.Deployment, format string, q export.Query) string {
	t.Helper()
	var b bytes.Buffer
	f := export.FormatNamed(format)
	if err := f.Look(context.Background(), d.DB.Deployment(d.ID), d.Wall, q, func(c *export.Content) error { return f.Write(c, &b) }); err != nil {
		t.Fatalf("%v", err)
	}
	return b.String()
}

// hxl is an HXL file: its labels, its hashtags, and its rows by these; what has no hashtag stands under its label.
func hxl(t tester, text string) (labels, tags []string, rows []map[string]string) {
	t.Helper()
	all, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff"))).ReadAll()
	if err != nil || len(all) < 2 {
		t.Fatalf("%v, %v", all, err)
	}
	for _, cells := range all[2:] {
		row := map[string]string{}
		for i, cell := range cells {
			if tag := all[1][i]; tag != "" {
				row[tag] = cell
			} else {
				row[all[0][i]] = cell
			}
		}
		rows = append(rows, row)
	}
	return all[0], all[1], rows
}

const unknownPeople = "of unknown sex or age"

// busy is a deployment in which nothing is small: two teams, two months, people of all sorts and at both sites.
func busy(t *testing.T) *servertest.Deployment {
	d := servertest.New(t)
	site := d.Sites[0]
	err := d.Service.Add(context.Background(), []syncing.SetUpRecord{{ID: site, Message: &recordv1.Site{LatitudeE6: new(int32(35676000)), LongitudeE6: new(int32(114550000))}}})
	if err != nil {
		t.Fatal(err)
	}
	held := recordv1.Status_STATUS_HELD.Enum()
	female, male := recordv1.Sex_SEX_FEMALE.Enum(), recordv1.Sex_SEX_MALE.Enum()
	for i, name := range []string{"anna", "carl"} {
		v := d.Enrol(name)
		for _, day := range []int32{20210928, 20210929, 20211001} {
			a := v.Make(&recordv1.CommunityActivity{Name: new("讲座"), Site: d.Sites[i][:], Place: &recordv1.Place{Code: new([]string{"410621108203", "410781106"}[i]), Edition: new(int32(2023))},
				Status: held, Minutes: new(uint32(60)), RegisterUsed: new(false), OccurredOn: new(day)})
			v.Push(a, v.Make(&recordv1.Headcount{Activity: a.Record[:], Counter: v.Worker[:], Zone: new("东"), Method: recordv1.CountMethod_COUNT_METHOD_COUNTED.Enum(), Status: held, OccurredOn: new(day),
				Cells: []*recordv1.HeadcountCell{
					{Sex: male, AgeBand: new(uint32(0)), FirstTime: new(uint32(11))}, {Sex: male, AgeBand: new(uint32(4)), FirstTime: new(uint32(8))}, {Sex: male, AgeBand: new(uint32(5)), FirstTime: new(uint32(9))},
					{Sex: male, AgeBand: new(uint32(6)), Unsure: new(uint32(10))}, {Sex: female, AgeBand: new(uint32(1)), FirstTime: new(uint32(5))}, {Sex: female, AgeBand: new(uint32(3)), Returning: new(uint32(6))},
					{Sex: female, AgeBand: new(uint32(4)), FirstTime: new(uint32(7))},
				}}))
		}
		for n := range 6 {
			v.Push(v.Make(&recordv1.Case{CaseNo: new(fmt.Sprint(name, n)), Site: d.Sites[i][:], OpenedOn: new(int32(20211001)), ClientCount: new(uint32(1)), Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(), Lead: v.Worker[:]}))
		}
	}
	return d
}

func TestHXLHasTheTagsOfItsStandard(t *testing.T) {
	list, err := os.ReadFile("testdata/hxl-1.1.txt")
	if err != nil {
		t.Fatal(err)
	}
	known := strings.Fields(string(list))
	labels, tags, rows := hxl(t, written(t, busy(t), "hxl", export.Query{Whole: true, Lang: "zh"}))
	for i, tag := range tags {
		if tag == "" && i == len(tags)-1 {
			continue
		}
		for j, part := range regexp.MustCompile(`[#+][^#+]*`).FindAllString(tag, -1) {
			if !slices.Contains(known, part) || (j == 0) != strings.HasPrefix(part, "#") {
				t.Errorf("%s of %s is none of HXL 1.1", part, tag)
			}
		}
	}
	if once := slices.Compact(slices.Sorted(slices.Values(tags))); len(once) != len(tags) {
		t.Errorf("%v", tags)
	}
	for i, label := range labels {
		if label == "" || strings.Contains(label, "%!") {
			t.Errorf("column %d is called %q", i, label)
		}
	}
	want := map[string]string{"#org+prog+name": "test", "#org+impl+name": "one", "#activity+type": "团体活动", "#output+num": "2", "#adm1+code": "41", "#adm1+name": "河南省", "#adm2+code": "4106", "#adm2+name": "鹤壁市",
		"#adm3+code": "410621", "#adm3+name": "浚县", "#adm4+code": "410621108", "#adm4+name": "王庄镇", "#adm5+code": "410621108203", "#loc+name": "王庄镇", "#geo+lat": "35.676", "#geo+lon": "114.55",
		"#date+start": "2021-09-01", "#date+end": "2021-09-30", "#reached+ind": "112", "#reached+f+children+ind": "22", "#reached+f+adults+ind": "14", "#reached+f+elderly+ind": "0",
		"#reached+m+children+ind": "0", "#reached+m+adults+ind": "16", "#reached+m+elderly+ind": "38", "性别或年龄不详": "22"}
	for column, cell := range want {
		if rows[0][column] != cell {
			t.Errorf("%s is %q, want %q", column, rows[0][column], cell)
		}
	}
	for _, row := range rows {
		if row["#activity+type"] == "个案" && (row["#output+num"] != "6" || row["#date+end"] != "2021-10-01" || row["#adm5+code"] != "") {
			t.Errorf("cases: %v", row)
		}
	}
}

// TestHXLAddsUpToTheTotals: where nothing is small, the rows are the totals, whole and by team.
func TestHXLAddsUpToTheTotals(t *testing.T) {
	d := busy(t)
	for _, q := range []export.Query{{Whole: true}, {Teams: d.Teams[:1]}} {
		_, tags, rows := hxl(t, written(t, d, "hxl", q))
		sums := map[string]int64{}
		for _, row := range rows {
			people := int64(0)
			for _, column := range append(tags[:len(tags)-1:len(tags)-1], unknownPeople) {
				n, err := strconv.ParseInt(row[column], 10, 64)
				if strings.HasPrefix(column, "#reached") || column == unknownPeople || column == "#output+num" {
					if err != nil {
						t.Errorf("%s is %q", column, row[column])
					}
					if column != "#reached+ind" && column != "#output+num" {
						people += n
					}
				}
			}
			held, _ := strconv.ParseInt(row["#output+num"], 10, 64)
			reached, _ := strconv.ParseInt(row["#reached+ind"], 10, 64)
			if sums[row["#activity+type"]] += held; people != reached {
				t.Errorf("%d contacts by sex and age, %d in all", people, reached)
			}
			sums["contacts"] += reached
		}
		want := map[string]int64{}
		err := export.Look(context.Background(), d.DB.Deployment(d.ID), d.Wall, q, func(c *export.Content) error {
			return c.EachTotal(func(total export.Total) error {
				if total.Basis == "reported" && (q.Whole && total.Dimension == "whole" || !q.Whole && total.Dimension == "team") {
					want[total.Figure] = total.Value
				}
				return nil
			})
		})
		if err != nil || sums["contacts"] != want["contacts"] || sums["community activity"] != want["community_activities"] || sums["case"] != want["cases"] || want["contacts"] == 0 {
			t.Errorf("%+v: the rows have %v, the totals are %v: %v", q, sums, want, err)
		}
	}
}

// geo is a file of GeoJSON as RFC 7946 has it, and no more than that.
type geo struct {
	Type     string
	AsOf     string `json:"as_of"`
	Position uint64
	Features []struct {
		Type     string
		ID       string
		Geometry *struct {
			Type        string
			Coordinates []float64
		}
		Properties struct {
			Name               string
			PlaceCode          string `json:"place_code"`
			Places             []string
			Reported, Verified map[string]*int64
		}
	}
}

func geojson(t tester, text string) (g geo) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &g); err != nil || g.Type != "FeatureCollection" {
		t.Fatalf("%s: %v", text, err)
	}
	for _, f := range g.Features {
		if f.Type != "Feature" || f.Geometry != nil && (f.Geometry.Type != "Point" || len(f.Geometry.Coordinates) != 2) {
			t.Errorf("%+v", f)
		}
		if !strings.Contains(text, `"geometry":null`) && f.Geometry == nil {
			t.Errorf("a feature must have a geometry, or null")
		}
	}
	return g
}

func TestGeoJSONOfSites(t *testing.T) {
	d := busy(t)
	for _, q := range []export.Query{{Whole: true}, {Teams: d.Teams}} {
		g := geojson(t, written(t, d, "geojson", q))
		if len(g.Features) != 2 || g.Position == 0 || g.AsOf != "2021-10-01T04:00:00Z" {
			t.Fatalf("%+v", g)
		}
		for _, f := range g.Features {
			if first := f.ID == d.Sites[0].String(); first != (f.Geometry != nil) || first && (f.Geometry.Coordinates[0] != 114.55 || f.Geometry.Coordinates[1] != 35.676 || !slices.Equal(f.Properties.Places, []string{"河南省", "鹤壁市", "浚县", "王庄镇"})) {
				t.Errorf("%+v", f)
			}
			if p := f.Properties; *p.Reported["contacts"] != 168 || *p.Reported["cases"] != 6 || *p.Reported["community_activities"] != 3 || *p.Reported["persons"] != 126 || *p.Verified["contacts"] != 0 {
				t.Errorf("%+v", f)
			}
		}
	}
}

// TestNothingSmallLeaves: whatever was logged, no number of few people or cases stands in what is meant for others, and the sum
// of a site less what its rows tell is that of no few either.
func TestNothingSmallLeaves(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := servertest.New(t)
		defer d.Close()
		servertest.Grow(rt, d, func() {})
		small := func(text string) bool {
			n, err := strconv.ParseInt(text, 10, 64)
			return err == nil && n > 0 && n < report.Small
		}
		_, tags, rows := hxl(rt, written(rt, d, "hxl", export.Query{Whole: true}))
		told := map[string]int64{}
		for _, row := range rows {
			for _, column := range append(tags, unknownPeople) {
				if (strings.HasPrefix(column, "#reached") || column == unknownPeople) && small(row[column]) {
					rt.Fatalf("%s is %s: %v", column, row[column], row)
				}
				if strings.HasPrefix(column, "#reached+f") && row["#reached+ind"] == "" && row[column] != "" {
					rt.Fatalf("%s is told of few: %v", column, row)
				}
			}
			if kind := row["#activity+type"]; strings.HasPrefix(kind, "case") && small(row["#output+num"]) {
				rt.Fatalf("%s of %s", row["#output+num"], kind)
			}
			n, _ := strconv.ParseInt(row["#reached+ind"], 10, 64)
			told[row["#loc+name"]] += n
		}
		for _, f := range geojson(rt, written(rt, d, "geojson", export.Query{Whole: true})).Features {
			for _, values := range []map[string]*int64{f.Properties.Reported, f.Properties.Verified} {
				for figure, n := range values {
					if n != nil && *n > 0 && *n < report.Small && !slices.Contains([]string{"group_sessions", "community_activities", "outreach_rounds"}, figure) {
						rt.Fatalf("%d %s at %s", *n, figure, f.Properties.Name)
					}
				}
			}
			if n := f.Properties.Reported["contacts"]; n != nil && f.ID != "" {
				if left := *n - told[f.Properties.Name]; left != 0 && left < report.Small {
					rt.Fatalf("of %d contacts at %s the rows tell all but %d", *n, f.Properties.Name, left)
				}
			}
		}
	})
}

// What is meant for others holds nothing confidential, and says how far it is.
func TestWhatIsMeantForOthers(t *testing.T) {
	d := work(t)
	for _, f := range export.Formats {
		err := f.Look(context.Background(), d.DB.Deployment(d.ID), d.Wall, export.Query{Whole: true, Confidential: true}, func(*export.Content) error { return nil })
		var p *problem.Problem
		if f.Outside != (errors.As(err, &p) && p.Code == problem.InvalidArgument) {
			t.Errorf("%s: %v", f.Name, err)
		}
		if !f.Outside {
			continue
		}
		for _, q := range []export.Query{{Whole: true}, {Teams: d.Teams[:1]}, {}} {
			var done, of uint64
			q.Progress = func(d, o uint64) { done, of = d, o }
			text := written(t, d.Deployment, f.Name, q)
			if done != of || q.Whole && of == 0 {
				t.Errorf("%s: told %d of %d", f.Name, done, of)
			}
			for _, secret := range d.confidential {
				if strings.Contains(text, secret) {
					t.Errorf("%s has %q", f.Name, secret)
				}
			}
		}
	}
	_, _, rows := hxl(t, written(t, d.Deployment, "hxl", export.Query{Teams: d.Teams[1:]}))
	if len(rows) != 1 || rows[0]["#org+impl+name"] != "two" || rows[0]["#activity+type"] != "outreach" || rows[0]["#output+num"] != "1" {
		t.Errorf("of one team: %v", rows)
	}
	for _, f := range export.Formats {
		if export.FormatNamed(f.Name) != f {
			t.Errorf("%s is not found", f.Name)
		}
	}
	if export.FormatNamed("pdf") != nil {
		t.Error("there is a pdf")
	}
}
