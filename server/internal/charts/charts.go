// Package charts draws what tables say as SVG images: bars by day, bars by place, team and the like, and
// the map of sites. A page shows each image with the table that it was drawn from beside it. The same table gives the same
// bytes; an image has no script, no style sheet and nothing from outside, so that the strictest policy lets it through.
package charts

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
	"unicode"

	"github.com/go-analyze/charts"
)

// Table is what a chart shows, and what the table beside it says.
type Table struct {
	Title string
	// Columns are what the numbers of each row are: one, or two where the second is a part of the first, as verified is of
	// reported.
	Columns []string
	// Rest is what is in the first column and not in the second, such as "not verified yet"; only with two columns.
	Rest string
	Rows []Row
}

// Row is a day, a place, or whatever else is counted.
type Row struct {
	Label string
	// Short stands in a chart where Label is too long; Label when empty.
	Short string
	// Values has a number for each column. No number is below 0.
	Values []int64
}

// Style is how an image is drawn.
type Style struct {
	// Narrow is for a phone: the same text on half the width. A page names both images in a picture element.
	Narrow bool
	// Number writes numbers as the language does.
	Number func(int64) string
}

// Images are drawn at twice the size at which they are usually seen, so that whole numbers place thin bars well enough.
const (
	wideWidth   = 1440
	narrowWidth = 720
	textSize    = 27 // seen at 13.5 pixels
	margin      = 16
)

func (s Style) width() int {
	if s.Narrow {
		return narrowWidth
	}
	return wideWidth
}

// Colours, with their contrast to white.
var (
	paper  = charts.Color{R: 255, G: 255, B: 255, A: 255}
	ink    = charts.Color{R: 0x17, G: 0x24, B: 0x2b, A: 255} // 15.9
	quiet  = charts.Color{R: 0x4f, G: 0x60, B: 0x69, A: 255} // 6.5
	line   = charts.Color{R: 0xd5, G: 0xdd, B: 0xe1, A: 255} // no mark: it only guides the eye
	whole  = charts.Color{R: 0x0b, G: 0x5c, B: 0x74, A: 255} // 7.5
	rest   = charts.Color{R: 0xc0, G: 0x7a, B: 0x12, A: 255} // 3.5; told from whole by those who see no colours too: it is lighter
	theme  = charts.MakeTheme(charts.ThemeOption{AxisStrokeColor: line, AxisSplitLineColor: line, BackgroundColor: paper, TextColor: quiet, SeriesColors: []charts.Color{whole, rest}})
	letter = charts.FontStyle{FontSize: textSize * 72.0 / 96, FontColor: ink}
	small  = charts.FontStyle{FontSize: textSize * 72.0 / 96, FontColor: quiet}
)

// series are the numbers of a table as bars that stand on each other: together as long as the first column says.
func (t *Table) series() [][]float64 {
	n := min(len(t.Columns), 2)
	values := make([][]float64, n)
	for i := range values {
		values[i] = make([]float64, len(t.Rows))
	}
	for i, r := range t.Rows {
		of := func(column int) float64 {
			if column < len(r.Values) {
				return float64(max(0, r.Values[column]))
			}
			return 0
		}
		switch n {
		case 1:
			values[0][i] = of(0)
		case 2:
			values[0][i] = min(of(1), of(0))
			values[1][i] = of(0) - values[0][i]
		}
	}
	return values
}

// highest is the largest number of the first column, and at least 1.
func (t *Table) highest() float64 {
	var most int64 = 1
	for _, r := range t.Rows {
		if len(r.Values) > 0 {
			most = max(most, r.Values[0])
		}
	}
	return float64(most)
}

// keys are what the colours of a chart say; none where one column needs no telling apart.
func (t *Table) keys() []string {
	if len(t.Columns) < 2 {
		return nil
	}
	return []string{t.Columns[1], t.Rest}
}

func newPainter(width, height int) *charts.Painter {
	return charts.NewPainter(charts.PainterOptions{OutputFormat: charts.ChartOutputSVG, Width: width, Height: height, Theme: theme})
}

// legendHeight is how much height a legend takes.
func legendHeight(keys []string) int {
	if len(keys) == 0 {
		return 0
	}
	return textSize + margin
}

// legend writes what the colours say, from the left at the top.
func legend(p *charts.Painter, keys []string) {
	x := margin
	for i, key := range keys {
		key = cut(key, 16)
		p.FilledRect(x, margin, x+textSize-5, margin+textSize-5, theme.GetSeriesColor(i), paper, 0)
		x += textSize + 6
		p.Text(key, x, margin+textSize-6, 0, letter)
		x += widthOf(key) + textSize
	}
}

// widthOf is about how wide a text is: a Chinese character is a square, a letter half of one.
func widthOf(s string) int {
	halves := 0
	for _, r := range s {
		if r >= 0x1100 {
			halves += 2
		} else {
			halves++
		}
	}
	return halves * textSize * 11 / 20
}

// squares is how many squares have room on a width.
func squares(width int) int { return max(2, width*10/(textSize*11)) }

// cut shortens a text to so many squares, and leaves out what can't be seen.
func cut(s string, most int) string {
	var out strings.Builder
	width, end := 0, 0 // end is where it ends if there is more than has room
	for _, r := range s {
		if unicode.IsSpace(r) {
			r = ' '
		}
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			continue
		}
		width += widthOf(string(r))
		if width > most*textSize*11/10 {
			return out.String()[:end] + "…"
		}
		out.WriteRune(r)
		if width <= (most-1)*textSize*11/10 {
			end = out.Len()
		}
	}
	return out.String()
}

// fonts are those that phones, tablets and desktops have, Chinese ones too.
const fonts = "system-ui,-apple-system,Roboto,PingFang SC,Microsoft YaHei,Noto Sans CJK SC,sans-serif"

// finish is the image that a painter drew.
func finish(p *charts.Painter, title string) ([]byte, error) {
	svg, err := p.Bytes()
	if err != nil {
		return nil, fmt.Errorf("drawing a chart: %w", err)
	}
	_, svg, _ = bytes.Cut(svg, []byte(">")) // the library's own first tag
	out := opening(p.Width(), p.Height(), title, len(svg))
	// What the library writes as styles becomes attributes: a policy that lets no styles through stops those.
	for {
		before, rest, ok := bytes.Cut(svg, []byte(`style="`))
		out.Write(bytes.ReplaceAll(before, []byte("\n"), []byte(" ")))
		if !ok {
			return out.Bytes(), nil
		}
		var style []byte
		style, svg, _ = bytes.Cut(rest, []byte(`"`))
		attributes(out, style)
	}
}

// attributes writes the declarations of a style as attributes, and leaves out what the whole image says.
func attributes(out *bytes.Buffer, style []byte) {
	first := true
	for declaration := range bytes.SplitSeq(style, []byte(";")) {
		name, value, ok := bytes.Cut(declaration, []byte(":"))
		if !ok || string(name) == "font-family" || string(declaration) == "stroke:none" {
			continue
		}
		if !first {
			out.WriteByte(' ')
		}
		first = false
		fmt.Fprintf(out, `%s="%s"`, name, value)
	}
}

// opening begins an image: its first tag and its title.
func opening(width, height int, title string, size int) *bytes.Buffer {
	out := bytes.NewBuffer(make([]byte, 0, size+500))
	fmt.Fprintf(out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="%s"><title>`, width, height, fonts)
	write(out, cut(title, 80))
	out.WriteString("</title>")
	return out
}

// write writes text so that it stays text.
func write(out *bytes.Buffer, text string) {
	_ = xml.EscapeText(out, []byte(text)) // a buffer takes everything
}
