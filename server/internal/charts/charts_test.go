package charts

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-analyze/charts"
)

var update = flag.Bool("update", false, "write testdata anew")

func number(n int64) string { return strconv.FormatInt(n, 10) }

// fortnight is made up.
func fortnight() Table {
	t := Table{Title: "每日人次", Columns: []string{"上报", "已核实"}, Rest: "尚未核实"}
	start := time.Date(2021, 9, 23, 0, 0, 0, 0, time.UTC)
	for i := range int64(14) {
		day := start.AddDate(0, 0, int(i))
		t.Rows = append(t.Rows, Row{Label: day.Format("2006年1月2日"), Short: day.Format("1月2日"), Values: []int64{i * 37 % 90, i * 37 % 90 / 2}})
	}
	return t
}

func towns() (Table, []Position) {
	return Table{Title: "Contacts by site", Columns: []string{"contacts"}, Rows: []Row{
			{Label: "王庄镇", Values: []int64{1200}}, {Label: "小河镇", Values: []int64{300}}, {Label: "上乐村镇", Values: []int64{900}},
			{Label: "not on the map", Values: []int64{7}}, {Label: "<浚县> & \"临时\" 安置点", Values: []int64{0}}}},
		[]Position{{35700000, 114400000, "浚县"}, {35560000, 114350000, "浚县"}, {35480000, 114150000, "卫辉市"}, {}, {35600000, 114530000, "浚县"}}
}

// images are all that the package draws, by the names of their files.
func images(t *testing.T, s Table, at []Position) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	add := func(name string, svg []byte, err error) {
		if err != nil {
			t.Fatalf("%s of %+v: %v", name, s, err)
		}
		all[name] = svg
	}
	for _, narrow := range []bool{false, true} {
		style := Style{Narrow: narrow, Number: number}
		size := map[bool]string{false: "wide", true: "narrow"}[narrow]
		svg, err := Days(s, style)
		add("days_"+size, svg, err)
		svg, err = Bars(s, style)
		add("bars_"+size, svg, err)
		if svg := Map(s, at, style); svg != nil {
			add("map_"+size, svg, nil)
		}
	}
	return all
}

func TestImagesAreAsSeen(t *testing.T) {
	all := images(t, fortnight(), nil)
	sites, at := towns()
	for name, svg := range images(t, sites, at) {
		if strings.HasPrefix(name, "map") || strings.HasPrefix(name, "bars") {
			all["sites_"+name] = svg
		}
	}
	for name, svg := range all {
		path := filepath.Join("testdata", name+".svg")
		if *update {
			if err := os.WriteFile(path, svg, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(svg, want) {
			t.Errorf("%s is drawn otherwise; look at it, and run the test with -update", name)
		}
	}
}

// texts reads an image, which must be well-formed and hold nothing but shapes and text.
func texts(t *testing.T, name string, svg []byte) []string {
	t.Helper()
	var all []string
	decoder := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, svg)
		}
		switch token := token.(type) {
		case xml.CharData:
			all = append(all, string(token))
		case xml.StartElement:
			if !slices.Contains([]string{"svg", "title", "path", "rect", "circle", "text"}, token.Name.Local) {
				t.Errorf("%s has an element %s", name, token.Name.Local)
			}
			for _, a := range token.Attr {
				if a.Name.Local == "style" || a.Name.Local == "href" || strings.HasPrefix(a.Name.Local, "on") || strings.Contains(a.Value, "url(") || strings.Contains(a.Value, "NaN") {
					t.Errorf("%s has an attribute %s=%q", name, a.Name.Local, a.Value)
				}
				if token.Name.Local == "svg" && (a.Name.Local == "width" || a.Name.Local == "height") {
					t.Errorf("%s has a fixed %s", name, a.Name.Local)
				}
			}
		}
	}
}

// TestAnyTableCanBeDrawn: whatever people call things, and however many there are.
func TestAnyTableCanBeDrawn(t *testing.T) {
	tables := map[string]Table{"nothing": {}, "no rows": {Columns: []string{"a"}}, "no columns": {Rows: []Row{{Label: "a"}}}}
	for _, label := range []string{"", "</text><script>alert(1)</script>", `" onload="x`, "&amp;]]>", "a\x00b\x1b\xff\uFFFE", strings.Repeat("很", 5000), "\u202eabc\u2066", "style=\"x\"", "🏥🏥", "a\nb\tc"} {
		s := Table{Title: label, Columns: []string{label, label}, Rest: label}
		for _, n := range []int64{0, 1, -5, 7, math.MaxInt32, math.MaxInt64} {
			s.Rows = append(s.Rows, Row{Label: label, Short: label, Values: []int64{n, n / 2}}, Row{Label: label, Values: []int64{n}}, Row{})
		}
		tables[fmt.Sprintf("labels %.20q", label)] = s
	}
	for _, n := range []int{1, 2, 75, 2000} {
		s := Table{Columns: []string{"a"}}
		for i := range n {
			s.Rows = append(s.Rows, Row{Label: strconv.Itoa(i), Values: []int64{int64(i)}})
		}
		tables[fmt.Sprintf("%d rows", n)] = s
	}
	for name, s := range tables {
		var at []Position
		for i := range s.Rows {
			at = append(at, Position{Latitude: int32(i * 7919 % 90_000_000), Longitude: int32(i * 104729 % 180_000_000), Area: []string{"a", "b"}[i%2]})
		}
		first, second := images(t, s, at), images(t, s, at)
		for image, svg := range first {
			texts(t, name+", "+image, svg)
			if !bytes.Equal(svg, second[image]) {
				t.Errorf("%s, %s: drawn twice, it differs", name, image)
			}
			if len(svg) > 400_000 {
				t.Errorf("%s, %s: %d bytes", name, image, len(svg))
			}
		}
	}
}

// TestAChartSaysWhatItsTableSays: each bar has its label and its numbers, and the names of what is on the map stand there.
func TestAChartSaysWhatItsTableSays(t *testing.T) {
	sites, at := towns()
	all := images(t, sites, at)
	for image, want := range map[string][]string{
		"bars_wide":   {"Contacts by site", "王庄镇", "1200", "小河镇", "300", "not on the map", "7", `<浚县> & "临时" 安置点`, "0"},
		"bars_narrow": {"王庄镇", "1200"},
		"map_wide":    {"王庄镇", "小河镇", "上乐村镇", `<浚县> & "临时" 安置点`, "5 km", "N"},
		"map_narrow":  {"王庄镇", "10 km"},
	} {
		got := texts(t, image, all[image])
		for _, text := range want {
			if !slices.Contains(got, text) {
				t.Errorf("%s does not say %q: %q", image, text, got)
			}
		}
	}
	if slices.Contains(texts(t, "map", all["map_wide"]), "not on the map") {
		t.Error("what has no position is on the map")
	}
	days := texts(t, "days", images(t, fortnight(), nil)["days_wide"])
	for _, text := range []string{"每日人次", "已核实", "尚未核实", "9月23日", "100", "0"} {
		if !slices.Contains(days, text) {
			t.Errorf("days do not say %q: %q", text, days)
		}
	}
	if Map(sites, nil, Style{Number: number}) != nil {
		t.Error("a map without positions")
	}
}

// TestColoursAreTold: text has a contrast of 4.5 to the paper, and what is filled in one of 3.
func TestColoursAreTold(t *testing.T) {
	luminance := func(c charts.Color) float64 {
		part := func(v uint8) float64 {
			x := float64(v) / 255
			if x <= 0.03928 {
				return x / 12.92
			}
			return math.Pow((x+0.055)/1.055, 2.4)
		}
		return 0.2126*part(c.R) + 0.7152*part(c.G) + 0.0722*part(c.B)
	}
	for name, c := range map[string]struct {
		colour charts.Color
		least  float64
	}{"ink": {ink, 4.5}, "quiet": {quiet, 4.5}, "whole": {whole, 3}, "rest": {rest, 3}} {
		if contrast := 1.05 / (luminance(c.colour) + 0.05); contrast < c.least {
			t.Errorf("%s has a contrast of %.1f", name, contrast)
		}
	}
}

func TestTicks(t *testing.T) {
	for most, want := range map[float64]string{1: "1 2", 2: "1 2", 5: "1 5", 6: "2 3", 11: "5 3", 26: "10 3", 1880: "500 4", 4130: "1000 5", 100001: "50000 3"} {
		step, steps := ticks(most)
		if got := fmt.Sprintf("%.0f %d", step, steps); got != want || step*float64(steps) < most {
			t.Errorf("up to %.0f: %s, want %s", most, got, want)
		}
	}
}

func TestOutlines(t *testing.T) {
	var sites []spot
	for _, p := range [][2]int{{0, 0}, {10, 0}, {10, 10}, {0, 10}, {5, 5}, {5, 0}, {0, 0}} {
		sites = append(sites, spot{x: p[0], y: p[1]})
	}
	if corners := hull(sites); len(corners) != 4 || slices.ContainsFunc(corners, func(p spot) bool { return p.x == 5 }) {
		t.Errorf("corners %+v", corners)
	}
}

func BenchmarkImages(b *testing.B) {
	days := fortnight()
	for len(days.Rows) < 75 {
		days.Rows = append(days.Rows, days.Rows...)
	}
	days.Rows = days.Rows[:75]
	sites, at := towns()
	for name, draw := range map[string]func() ([]byte, error){
		"days": func() ([]byte, error) { return Days(days, Style{Number: number}) },
		"bars": func() ([]byte, error) { return Bars(sites, Style{Number: number}) },
		"map":  func() ([]byte, error) { return Map(sites, at, Style{Number: number}), nil },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := draw(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
