// Package places knows the administrative places of China by the codes of the statistics bureau: provinces, cities,
// counties and towns. It needs no network.
//
// The list in places.tsv.gz is that of the National Bureau of Statistics, 统计用区划代码 (codes of administrative divisions
// for statistics) as of 2022-10-31, down to towns: lines of "code<TAB>name", ascending by code.
package places

import (
	"bytes"
	"cmp"
	"compress/gzip"
	_ "embed" // the list
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"
	"sync"
)

// Edition is the year of the list. Codes change from year to year.
const Edition = 2022

// Place is one place: its code of 2 (province), 4 (city), 6 (county) or 9 (town) digits, and its name in Chinese.
type Place struct{ Code, Name string }

//go:embed places.tsv.gz
var compressed []byte

// list is the whole text, and where each line begins. The end of the text is there too.
type list struct {
	text   string
	starts []uint32
}

// all reads the list when it is first asked for.
var all = sync.OnceValue(func() *list {
	l, err := read(compressed)
	if err != nil {
		panic(fmt.Sprintf("places.tsv.gz, which is part of the program: %v", err))
	}
	return l
})

func read(compressed []byte) (*list, error) {
	r, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	text.Grow(1 << 20)
	if _, err := io.Copy(&text, r); err != nil { //nolint:gosec // its size is known: it is part of the program
		return nil, err
	}
	l := &list{text: text.String(), starts: make([]uint32, 0, 45000)}
	for at := 0; at < len(l.text); {
		l.starts = append(l.starts, uint32(at))
		end := strings.IndexByte(l.text[at:], '\n')
		if end < 0 {
			return nil, io.ErrUnexpectedEOF
		}
		at += end + 1
	}
	l.starts = append(l.starts, uint32(len(l.text))) //nolint:gosec // about a million bytes
	return l, nil
}

func (l *list) count() int { return len(l.starts) - 1 }

func (l *list) at(i int) Place {
	code, name, _ := strings.Cut(l.text[l.starts[i]:l.starts[i+1]-1], "\t")
	return Place{code, name}
}

// from is the number of the first place whose code is not below one.
func (l *list) from(code string) int {
	return sort.Search(l.count(), func(i int) bool { return l.at(i).Code >= code })
}

// after is the number of the first place that is neither the one of a code nor within it.
func (l *list) after(code string) int { return l.from(code + ":") } // ":" comes after the digits

func (l *list) find(code string) (Place, bool) {
	if i := l.from(code); i < l.count() {
		p := l.at(i)
		return p, p.Code == code
	}
	return Place{}, false
}

// Name is what the place of a code is called; empty when the list has none.
func Name(code string) string {
	p, _ := all().find(code)
	if p.Code != code {
		return ""
	}
	return p.Name
}

// Path leads to a place: its province, city, county and town, as far as the code goes and the list knows them. Of a
// village it leads to the town.
func Path(code string) []Place {
	var path []Place
	for _, digits := range []int{2, 4, 6, 9} {
		if len(code) < digits {
			break
		}
		if p, ok := all().find(code[:digits]); ok {
			path = append(path, p)
		}
	}
	return path
}

// Children are the places right within one, ascending by code: the provinces for the empty code.
func Children(code string) []Place {
	l := all()
	var children []Place
	i, end := 0, l.count()
	if code != "" {
		if _, ok := l.find(code); !ok {
			return nil
		}
		i, end = l.from(code)+1, l.after(code)
	}
	for i < end {
		p := l.at(i)
		children = append(children, p)
		i = l.after(p.Code)
	}
	return children
}

// MaxFound is how many places Find gives at most.
const MaxFound = 100

// Find looks for places by the beginning of their code, or by parts of the names on their path with spaces between them
// ("浚县 小河"), the last of which is in the place's own name. Places whose own name is what was asked for come first, then
// those whose name begins with it; wider places before those within.
func Find(text string, limit int) []Place {
	words := strings.Fields(text)
	limit = min(limit, MaxFound)
	if len(words) == 0 || limit <= 0 {
		return nil
	}
	if len(words) == 1 && strings.Trim(words[0], "0123456789") == "" {
		return withCode(words[0], limit)
	}
	own, around := words[len(words)-1], words[:len(words)-1]
	type hit struct {
		Place
		rank int
	}
	var hits []hit
	l := all()
	for at := 0; ; {
		next := strings.Index(l.text[at:], own)
		if next < 0 {
			break
		}
		at += next
		i := sort.Search(l.count(), func(i int) bool { return int(l.starts[i+1]) > at })
		at = int(l.starts[i+1])
		p := l.at(i)
		rank := 2
		switch {
		case !strings.Contains(p.Name, own):
			continue // digits of a code
		case p.Name == own:
			rank = 0
		case strings.HasPrefix(p.Name, own):
			rank = 1
		}
		if within(p.Code, around) {
			hits = append(hits, hit{p, rank})
		}
	}
	slices.SortFunc(hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(len(a.Code), len(b.Code)), cmp.Compare(a.Code, b.Code))
	})
	found := make([]Place, 0, min(limit, len(hits)))
	for _, h := range hits[:min(limit, len(hits))] {
		found = append(found, h.Place)
	}
	return found
}

func withCode(code string, limit int) []Place {
	l := all()
	var found []Place
	for i, end := l.from(code), l.after(code); i < end && len(found) < limit; i++ {
		found = append(found, l.at(i))
	}
	return found
}

// within reports whether each of some words is in the name of a place around the one of a code.
func within(code string, words []string) bool {
	if len(words) == 0 {
		return true
	}
	path := Path(code)
	path = path[:len(path)-1]
	for _, w := range words {
		if !slices.ContainsFunc(path, func(p Place) bool { return strings.Contains(p.Name, w) }) {
			return false
		}
	}
	return true
}
