package charts

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Position is where a row of a table lies.
type Position struct {
	// Latitude and Longitude are in 1e-6 degrees, north and east positive. A row at 0, 0 has no position.
	Latitude, Longitude int32
	// Area is what the row lies in, such as its county: what lies in one area has an outline around it.
	Area string
}

func (p Position) known() bool { return p.Latitude != 0 || p.Longitude != 0 }

// MaxSites is how many sites a map has room for; the table beside it has the others too.
const MaxSites = 500

const (
	metresPerDegree = 111320.0
	// smallest is the least that a map shows, in metres: sites that lie beside each other are not blown up beyond it.
	smallest = 2000.0
	edge     = 110 // around the outermost sites
)

// Map draws sites where they lie: larger by their first number, with their names where there is room, an outline around
// those of each area, a scale and north. at has the position of each row. It is nil when no row has a position.
func Map(t Table, at []Position, s Style) []byte {
	width, height := s.width(), 800
	sites := t.spots(at)
	if len(sites) == 0 {
		return nil
	}
	scale := project(sites, width, height)
	out := opening(width, height, t.Title, 300*len(sites))
	fmt.Fprintf(out, `<rect width="%d" height="%d" fill="#f4f7f8"/>`, width, height)
	outlines(out, sites)
	slices.SortStableFunc(sites, func(a, b spot) int { return cmp.Compare(b.n, a.n) })
	var taken []box
	for _, p := range sites { // the small ones lie above the large ones
		fmt.Fprintf(out, `<circle cx="%d" cy="%d" r="%d" fill="#0b5c74" stroke="#fff" stroke-width="3"/>`, p.x, p.y, p.r)
		taken = append(taken, box{p.x - p.r, p.y - p.r, p.x + p.r, p.y + p.r})
	}
	frame := box{margin, margin, width - margin, height - margin}
	taken = append(taken, scaleBar(out, scale, height), north(out, width))
	for _, p := range sites {
		if b, ok := p.room(frame, taken); ok {
			fmt.Fprintf(out, `<text x="%d" y="%d" font-size="%d" fill="#17242b" stroke="#f4f7f8" stroke-width="6" paint-order="stroke">`, b.left, b.bottom-7, textSize)
			write(out, p.label)
			out.WriteString("</text>")
			taken = append(taken, b)
		}
	}
	out.WriteString("</svg>")
	return out.Bytes()
}

// spot is a site on the map.
type spot struct {
	Position
	label   string
	n       int64
	x, y, r int
}

type box struct{ left, top, right, bottom int }

func (b box) meets(o box) bool {
	return b.left < o.right && o.left < b.right && b.top < o.bottom && o.top < b.bottom
}

// spots are the rows that have a position, as many as have room.
func (t *Table) spots(at []Position) []spot {
	var sites []spot
	most := t.highest()
	for i, r := range t.Rows {
		if i >= len(at) || !at[i].known() || len(sites) == MaxSites {
			continue
		}
		p := spot{Position: at[i], label: cut(r.Label, 12), r: 10}
		if len(r.Values) > 0 {
			p.n = max(0, r.Values[0])
			p.r += int(30 * math.Sqrt(float64(p.n)/most))
		}
		sites = append(sites, p)
	}
	return sites
}

// project puts sites on the map and returns how many metres a unit is. Within a deployment the earth is flat enough.
func project(sites []spot, width, height int) (metres float64) {
	south, north, west, east := math.MaxInt32, math.MinInt32, math.MaxInt32, math.MinInt32
	for _, p := range sites {
		south, north = min(south, int(p.Latitude)), max(north, int(p.Latitude))
		west, east = min(west, int(p.Longitude)), max(east, int(p.Longitude))
	}
	middle := float64(south+north) / 2
	perY := metresPerDegree / 1e6 // metres
	perX := perY * max(0.01, math.Cos(middle/1e6*math.Pi/180))
	metres = max(float64(east-west)*perX/float64(width-2*edge), float64(north-south)*perY/float64(height-2*edge), smallest/float64(width-2*edge))
	for i := range sites {
		p := &sites[i]
		p.x = width/2 + int(math.Round((float64(p.Longitude)-float64(west+east)/2)*perX/metres))
		p.y = height/2 - int(math.Round((float64(p.Latitude)-middle)*perY/metres))
	}
	return metres
}

// outlines draws around the sites of each area: the smallest shape without hollows that has them all, and some room.
func outlines(out *bytes.Buffer, sites []spot) {
	areas := map[string][]spot{}
	var names []string
	for _, p := range sites {
		if areas[p.Area] == nil {
			names = append(names, p.Area)
		}
		areas[p.Area] = append(areas[p.Area], p)
	}
	slices.Sort(names)
	// The edge of all, and then all of them filled: where areas meet, neither hides the other's sites.
	for _, drawn := range []struct {
		colour string
		room   int
	}{{"#75858e", 116}, {"#e3f0f4", 112}} {
		for _, name := range names {
			out.WriteString(`<path d="`)
			for i, p := range hull(areas[name]) {
				fmt.Fprintf(out, "%s%d %d", map[bool]string{true: "M", false: "L"}[i == 0], p.x, p.y)
			}
			fmt.Fprintf(out, `Z" fill="%s" stroke="%s" stroke-width="%d" stroke-linejoin="round" stroke-linecap="round"/>`, drawn.colour, drawn.colour, drawn.room)
		}
	}
}

// hull are the corners of the smallest shape without hollows around some sites, by Andrew's monotone chain.
func hull(sites []spot) []spot {
	sorted := slices.Clone(sites)
	slices.SortFunc(sorted, func(a, b spot) int { return cmp.Or(cmp.Compare(a.x, b.x), cmp.Compare(a.y, b.y)) })
	sorted = slices.CompactFunc(sorted, func(a, b spot) bool { return a.x == b.x && a.y == b.y })
	if len(sorted) < 3 {
		return sorted
	}
	half := func(of []spot) []spot {
		var chain []spot
		for _, p := range of {
			for len(chain) >= 2 {
				a, b := chain[len(chain)-2], chain[len(chain)-1]
				if (b.x-a.x)*(p.y-a.y)-(b.y-a.y)*(p.x-a.x) > 0 {
					break
				}
				chain = chain[:len(chain)-1]
			}
			chain = append(chain, p)
		}
		return chain[:len(chain)-1]
	}
	lower := half(sorted)
	slices.Reverse(sorted)
	return append(lower, half(sorted)...)
}

// room finds where the name of a site stands without covering anything: right, left, below or above it.
func (p *spot) room(frame box, taken []box) (box, bool) {
	w, h, gap := widthOf(p.label), textSize+8, p.r+6
	for _, b := range []box{
		{p.x + gap, p.y - h/2, p.x + gap + w, p.y + h - h/2},
		{p.x - gap - w, p.y - h/2, p.x - gap, p.y + h - h/2},
		{p.x - w/2, p.y + gap, p.x + w - w/2, p.y + gap + h},
		{p.x - w/2, p.y - gap - h, p.x + w - w/2, p.y - gap},
	} {
		inside := b.left >= frame.left && b.right <= frame.right && b.top >= frame.top && b.bottom <= frame.bottom
		if inside && !slices.ContainsFunc(taken, b.meets) {
			return b, true
		}
	}
	return box{}, false
}

// scaleBar draws a length of 1, 2 or 5 kilometres and zeros, or of some hundred metres.
func scaleBar(out *bytes.Buffer, metres float64, height int) box {
	long := 100.0
	for i := 0; long*[]float64{2, 2.5, 2}[i%3] < 220*metres; i++ {
		long *= []float64{2, 2.5, 2}[i%3]
	}
	text := fmt.Sprintf("%.0f m", long)
	if long >= 1000 {
		text = fmt.Sprintf("%.0f km", long/1000)
	}
	x, y, w := 2*margin, height-2*margin, int(long/metres)
	fmt.Fprintf(out, `<path d="M%d %dv12h%dv-12" fill="none" stroke="#17242b" stroke-width="4"/>`, x, y-12, w)
	fmt.Fprintf(out, `<text x="%d" y="%d" font-size="%d" fill="#17242b">%s</text>`, x+w+10, y, textSize, text)
	return box{x, y - textSize, x + w + 10 + widthOf(text), y + 4}
}

// north draws an arrow that points there.
func north(out *bytes.Buffer, width int) box {
	x := width - 3*margin
	fmt.Fprintf(out, `<path d="M%d %dl16 44l-16 -10l-16 10z" fill="#17242b"/>`, x, margin)
	fmt.Fprintf(out, `<text x="%d" y="%d" font-size="%d" fill="#17242b" text-anchor="middle">N</text>`, x, margin+44+textSize, textSize)
	return box{x - 20, margin, x + 20, margin + 44 + textSize}
}
