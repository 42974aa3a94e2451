package charts

import (
	"math"

	"github.com/go-analyze/charts"
)

// MaxDays is how many days a chart has room for.
const MaxDays = 400

// Days draws a bar for each row, a day each, the oldest on the left. It has room for MaxDays, and leaves out older ones.
func Days(t Table, s Style) ([]byte, error) {
	if len(t.Rows) > MaxDays {
		t.Rows = t.Rows[len(t.Rows)-MaxDays:]
	}
	const height = 460
	width, keys := s.width(), t.keys()
	p := newPainter(width, height)
	step, steps := ticks(t.highest())
	highest := step * float64(steps)
	left := margin
	for i := range steps + 1 {
		left = max(left, margin*2+widthOf(s.Number(int64(step)*int64(i))))
	}
	plot := charts.NewBox(left, legendHeight(keys)+margin+textSize/2, width-margin, height-margin-textSize-8)
	if len(t.Rows) > 0 && len(t.Columns) > 0 {
		o := t.bars(highest)
		o.BarSize = 0.8
		o.Padding = charts.NewBox(plot.Left, plot.Top, width-plot.Right, height-plot.Bottom)
		if err := p.BarChart(o); err != nil {
			return nil, err
		}
	}
	legend(p, keys)
	for i := range steps + 1 {
		y := plot.Bottom - i*(plot.Bottom-plot.Top)/steps
		p.LineStroke([]charts.Point{{X: plot.Left, Y: y}, {X: plot.Right, Y: y}}, line, 1)
		number := s.Number(int64(step) * int64(i))
		p.Text(number, plot.Left-margin/2-widthOf(number), y+textSize/3, 0, small)
	}
	t.dates(p, plot)
	return finish(p, t.Title)
}

// dates writes the days under their bars, as many as have room.
func (t *Table) dates(p *charts.Painter, plot charts.Box) {
	if len(t.Rows) == 0 {
		return
	}
	widest := 1
	for _, r := range t.Rows {
		widest = max(widest, widthOf(r.short()))
	}
	slot := float64(plot.Right-plot.Left) / float64(len(t.Rows))
	every := 1 + int(float64(widest+textSize)/slot)
	for i := 0; i < len(t.Rows); i += every {
		text := t.Rows[i].short()
		x := plot.Left + int(slot*(float64(i)+0.5)) - widthOf(text)/2
		if x+widthOf(text) > plot.Right+margin {
			break // it would be cut off, or come too close to the one before
		}
		x = max(x, margin)
		p.Text(text, x, plot.Bottom+textSize+6, 0, small)
	}
}

// short is what stands in a chart.
func (r *Row) short() string {
	if r.Short != "" {
		return cut(r.Short, 10)
	}
	return cut(r.Label, 10)
}

// bars are the numbers of a table, with nothing around them.
func (t *Table) bars(highest float64) charts.BarChartOption {
	o := charts.NewBarChartOptionWithData(t.series())
	o.Theme, o.StackSeries, o.BarMargin = theme, charts.Ptr(true), charts.Ptr(0.0)
	o.Legend.Show, o.Title.Show = charts.Ptr(false), charts.Ptr(false)
	hidden := charts.Ptr(false)
	o.CategoryAxis = charts.CategoryAxisOption{Show: hidden, Labels: make([]string, len(t.Rows))}
	o.ValueAxis = []charts.ValueAxisOption{{Show: hidden, SplitLineShow: hidden, Min: charts.Ptr(0.0), Max: &highest}}
	return o
}

// ticks divide an axis up to at least so much into two to five steps of 1, 2 or 5 and zeros.
func ticks(most float64) (step float64, steps int) {
	step = 1
	for i := 0; step*5 < most; i++ {
		step *= []float64{2, 2.5, 2}[i%3]
	}
	return step, max(2, int(math.Ceil(most/step)))
}
