package places

import (
	"slices"
	"strings"
	"testing"
)

// TestTheList: every line is a code and a name, ascending, and every place lies within others of the list.
func TestTheList(t *testing.T) {
	l := all()
	if l.count() != 44703 {
		t.Errorf("%d places", l.count())
	}
	before := ""
	for i := range l.count() {
		p := l.at(i)
		if p.Code <= before || p.Name == "" || strings.Trim(p.Code, "0123456789") != "" {
			t.Fatalf("line %d: %+v after %s", i+1, p, before)
		}
		if path := Path(p.Code); path[len(path)-1] != p || len(path) != map[int]int{2: 1, 4: 2, 6: 3, 9: 4}[len(p.Code)] {
			t.Fatalf("%+v lies at %v", p, path)
		}
		before = p.Code
	}
}

func TestNamesAndPaths(t *testing.T) {
	for code, want := range map[string]string{
		"410621108": "河南省 鹤壁市 浚县 王庄镇", "410781106": "河南省 新乡市 卫辉市 上乐村镇", "4106": "河南省 鹤壁市", "41": "河南省",
		"410621108201": "河南省 鹤壁市 浚县 王庄镇", "410621999": "河南省 鹤壁市 浚县", "99": "", "": "", "4": "",
	} {
		var names []string
		for _, p := range Path(code) {
			names = append(names, p.Name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: %q, want %q", code, got, want)
		}
	}
	for code, want := range map[string]string{"410621": "浚县", "410621105": "小河镇", "659012505": "一六五团", "": "", "0": "", "410621999": "", "999999": "", "41062": ""} {
		if got := Name(code); got != want {
			t.Errorf("%s is called %q, want %q", code, got, want)
		}
	}
}

func TestWhatLiesWithin(t *testing.T) {
	for code, want := range map[string]struct {
		count int
		first string
	}{"": {31, "北京市"}, "41": {18, "郑州市"}, "4106": {6, "鹤山区"}, "410621": {11, "卫溪街道"}, "410621108": {0, ""}, "7": {0, ""}, "41062": {0, ""}} {
		got := Children(code)
		if len(got) != want.count || len(got) > 0 && got[0].Name != want.first {
			t.Errorf("within %q: %d, %v", code, len(got), got)
		}
	}
}

func TestFinding(t *testing.T) {
	for text, want := range map[string][]string{
		"浚县":       {"410621"},
		"浚县 小河":    {"410621105"},
		"河南 浚 王庄":  {"410621108"},
		"410621":   {"410621", "410621001"},
		"卫辉":       {"410781"},
		"河南省":      {"41"},
		"河北 浚县":    nil,
		"没有这个地方":   nil,
		"":         nil,
		"4106210":  {"410621001", "410621002"},
		"\t":       nil,
		"4106x":    nil,
		"<script>": nil,
	} {
		var codes []string
		for _, p := range Find(text, 2) {
			codes = append(codes, p.Code)
		}
		if len(want) == 1 && len(codes) > 1 {
			codes = codes[:1] // others have it in their names, too
		}
		if !slices.Equal(codes, want) {
			t.Errorf("%q: %v, want %v", text, codes, want)
		}
	}
	if got := len(Find("镇", 1000000)); got != MaxFound {
		t.Errorf("%d found", got)
	}
	if got := Find("镇", 0); got != nil {
		t.Errorf("found %v", got)
	}
}

func TestADamagedListIsNoticed(t *testing.T) {
	for _, b := range [][]byte{nil, compressed[:1000], compressed[:len(compressed)-1]} {
		if _, err := read(b); err == nil {
			t.Errorf("%d bytes were read", len(b))
		}
	}
}

func BenchmarkReading(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := read(compressed); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFinding(b *testing.B) {
	for b.Loop() {
		Find("浚县 小河", 20)
	}
}

func BenchmarkNaming(b *testing.B) {
	for b.Loop() {
		Name("410621108")
	}
}
