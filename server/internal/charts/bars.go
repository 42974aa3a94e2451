package charts

import (
	"slices"

	"github.com/go-analyze/charts"
)

// MaxBars is how many bars a chart has room for; the table beside it has the others too.
const MaxBars = 40

// Bars draws a bar for each row, one below the other: places, teams, service areas, ages. Above each bar stand its label
// and its numbers.
func Bars(t Table, s Style) ([]byte, error) {
	if len(t.Rows) > MaxBars {
		t.Rows = t.Rows[:MaxBars]
	}
	const slot, bar = 76, 22
	keys := t.keys()
	top := legendHeight(keys)
	width, height := s.width(), top+len(t.Rows)*slot+2*margin
	p := newPainter(width, height)
	if len(t.Rows) == 0 || len(t.Columns) == 0 {
		return finish(p, t.Title)
	}
	o := t.bars(t.highest())
	o.Horizontal, o.BarSize = true, float64(bar)/slot
	// The bar stands in the middle of its slot, and so the chart as a whole is a little lower than its text.
	o.Padding = charts.NewBox(margin, top+margin+12, margin, margin-12)
	// The library counts from below.
	for _, values := range o.SeriesList {
		slices.Reverse(values.Values)
	}
	if err := p.BarChart(o); err != nil {
		return nil, err
	}
	legend(p, keys)
	for i, r := range t.Rows {
		y := top + margin + i*slot + slot/2 - bar/2 + 2
		numbers := t.numbers(r, s)
		label := cut(r.Label, squares(width-2*margin-textSize-widthOf(numbers)))
		p.Text(label, margin, y, 0, letter)
		p.Text(numbers, margin+widthOf(label)+textSize, y, 0, small)
	}
	return finish(p, t.Title)
}

// numbers are those of a row, such as "120 · 80".
func (t *Table) numbers(r Row, s Style) string {
	text := ""
	for i := range min(len(t.Columns), len(r.Values)) {
		if i > 0 {
			text += " · "
		}
		text += s.Number(max(0, r.Values[i]))
	}
	return text
}
