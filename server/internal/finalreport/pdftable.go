package finalreport

import (
	"levee/server/internal/charts"
)

// Space within tables and charts.
const (
	padding  = 1.6 // beside the text of a cell
	rowSpace = 1.0 // above and below it
	indent   = 3.2 // of a row that is within another one
	// together is up to which height a table or a chart stands on one page.
	together = 110.0
)

// table draws a table over as many pages as it takes, with its head on each. A title that the heading of the section says is left out.
func (p *printer) table(t *Table, heading string) {
	needs, widths, rows := p.measure(t)
	head := rows[0]
	p.SetY(p.GetY() + 1)
	p.room(needs)
	if t.Title != heading {
		p.bold(margin, p.GetY()+baseline(tableTitleSize), t.Title, tableTitleSize, ink)
		p.SetY(p.GetY() + lineHeight(tableTitleSize) + 0.8)
	}
	p.draw(t, head, widths)
	for _, row := range rows[1:] {
		for _, piece := range row.pieces(bottom - margin - head.height) {
			if p.room(piece.height) {
				p.draw(t, head, widths)
			}
			p.draw(t, piece, widths)
		}
	}
	p.line(margin+sum(widths), p.GetY(), quiet)
	p.SetY(p.GetY() + 1)
}

// measure is the height that there must be for a table on its page, how wide its columns are, and its rows, the head first.
func (p *printer) measure(t *Table) (needs float64, widths []float64, rows []setRow) {
	widths = p.columns(t)
	rows = []setRow{p.head(t, widths)}
	needs = lineHeight(tableTitleSize) + rows[0].height + 2
	first := needs + 2*(lineHeight(tableSize)+2*rowSpace)
	for _, r := range t.Rows {
		row := p.set(r, widths)
		rows = append(rows, row)
		needs += row.height
	}
	if needs > together {
		needs = first
	}
	return needs, widths, rows
}

// setRow is a row whose cells are divided into lines.
type setRow struct {
	cells  [][]string
	height float64
	depth  int
	// head and sum are how it is drawn.
	head, sum bool
}

func (p *printer) set(r Row, widths []float64) setRow {
	s := setRow{depth: r.Depth, sum: r.Sum}
	for i, c := range r.Cells {
		width := widths[i] - 2*padding
		if i == 0 {
			width -= float64(r.Depth) * indent
		}
		s.add(p.lines(c.Text, tableSize, width))
	}
	return s
}

// pieces are a row that is higher than a page, divided into such as are not: somebody gave a long reason.
func (s setRow) pieces(height float64) []setRow {
	if s.height <= height {
		return []setRow{s}
	}
	most := int((height - 2*rowSpace) / lineHeight(tableSize))
	var all []setRow
	for more := true; more; {
		piece := setRow{depth: s.depth, sum: s.sum}
		more = false
		for i, lines := range s.cells {
			n := min(most, len(lines))
			piece.add(lines[:n])
			s.cells[i] = lines[n:]
			more = more || n < len(lines)
		}
		all = append(all, piece)
	}
	return all
}

func (p *printer) head(t *Table, widths []float64) setRow {
	s := setRow{head: true}
	for i, c := range t.Columns {
		s.add(p.lines(c.Label, tableSize, widths[i]-2*padding))
	}
	return s
}

func (s *setRow) add(lines []string) {
	s.cells = append(s.cells, lines)
	s.height = max(s.height, float64(len(lines))*lineHeight(tableSize)+2*rowSpace)
}

// draw draws a row at Y: text to the left, numbers to the right.
func (p *printer) draw(t *Table, s setRow, widths []float64) {
	x, y := margin, p.GetY()
	if s.head || s.sum {
		p.fill(margin, y, sum(widths), s.height, tint)
	}
	set := p.text
	c := ink
	if s.head {
		c = strong
	}
	if s.head || s.sum {
		set = p.bold
	}
	for i, lines := range s.cells {
		for n, line := range lines {
			at := x + padding
			switch {
			case t.Columns[i].Number:
				at = x + widths[i] - padding - p.width(line, tableSize)
			case i == 0:
				at += float64(s.depth) * indent
			}
			set(at, y+rowSpace+float64(n)*lineHeight(tableSize)+baseline(tableSize), line, tableSize, c)
		}
		x += widths[i]
	}
	p.line(margin+sum(widths), y+s.height, rule)
	p.SetY(y + s.height)
}

// columns are how wide the columns of a table are: as wide as they like, and what is left over goes to the first one. Where there is
// not enough the widest texts give way; numbers are not divided.
func (p *printer) columns(t *Table) []float64 {
	at := func(s string) float64 { return p.width(s, tableSize) }
	wanted, least := make([]float64, len(t.Columns)), make([]float64, len(t.Columns))
	for i, c := range t.Columns {
		wanted[i] = max(narrowest(c.Label, at), min(at(c.Label), 16), 10)
		least[i] = wanted[i]
		if i == 0 {
			least[i] = max(least[i], 24)
		}
		for _, r := range t.Rows {
			width := at(r.Cells[i].Text)
			if i == 0 {
				width += float64(r.Depth) * indent
			}
			wanted[i] = max(wanted[i], width)
		}
		if c.Number {
			least[i] = wanted[i]
		}
		wanted[i], least[i] = wanted[i]+2*padding+0.1, min(least[i], wanted[i])+2*padding+0.1
	}
	for most := textWidth; sum(wanted) > textWidth && most > 10; most -= 0.5 {
		for i := range wanted {
			wanted[i] = max(min(wanted[i], most), least[i])
		}
	}
	wanted[0] += min(max(0, textWidth-sum(wanted)), max(0, 56-wanted[0]))
	return wanted
}

func sum(widths []float64) (all float64) {
	for _, w := range widths {
		all += w
	}
	return all
}

// chart draws a bar for each row, with its label before it and its number behind it.
func (p *printer) chart(t *charts.Table) {
	const barHeight, rowHeight, labelWidth = 3.4, 6.2, 44.0
	if len(t.Rows) == 0 {
		return
	}
	p.SetY(p.GetY() + 1)
	if whole := lineHeight(tableTitleSize) + float64(len(t.Rows))*rowHeight; whole <= together {
		p.room(whole)
	} else {
		p.room(lineHeight(tableTitleSize) + 3*rowHeight)
	}
	p.bold(margin, p.GetY()+baseline(tableTitleSize), t.Title, tableTitleSize, ink)
	p.SetY(p.GetY() + lineHeight(tableTitleSize) + 0.8)
	most := int64(1)
	for _, r := range t.Rows {
		most = max(most, r.Values[0])
	}
	for _, r := range t.Rows {
		lines := p.lines(r.Label, tableSize, labelWidth-padding)
		height := max(rowHeight, float64(len(lines))*lineHeight(tableSize)+rowSpace)
		p.room(height)
		y := p.GetY()
		for n, line := range lines {
			p.text(margin, y+(height-float64(len(lines))*lineHeight(tableSize))/2+float64(n)*lineHeight(tableSize)+baseline(tableSize), line, tableSize, ink)
		}
		length := (textWidth - labelWidth - 18) * float64(r.Values[0]) / float64(most)
		p.fill(margin+labelWidth, y+(height-barHeight)/2, max(length, 0.3), barHeight, strong)
		number := p.report.number(r.Values[0])
		p.text(margin+labelWidth+length+2, y+(height-lineHeight(tableSize))/2+baseline(tableSize), number, tableSize, quiet)
		p.SetY(y + height)
	}
}
