package finalreport

import (
	"bytes"
	"fmt"
	"io"
	"strconv"

	"codeberg.org/go-pdf/fpdf"

	"levee/server/internal/qr"
	"levee/syncproto/words"
)

// Lengths in millimetres, and sizes of type in points.
const (
	pageWidth, pageHeight = 210.0, 297.0
	margin                = 20.0
	bottom                = pageHeight - 22
	textWidth             = pageWidth - 2*margin

	titleSize, headingSize, tableTitleSize  = 26.0, 15.0, 10.5
	leadSize, textSize, tableSize, noteSize = 13.0, 10.0, 8.5, 8.5
	// leading is how far lines are apart, as a multiple of their size.
	leading = 1.55
	point   = 25.4 / 72
)

// colour is red, green and blue. They are those of the charts on pages.
type colour [3]int

var (
	ink    = colour{0x17, 0x24, 0x2b}
	quiet  = colour{0x4f, 0x60, 0x69}
	strong = colour{0x0b, 0x5c, 0x74}
	rule   = colour{0xd5, 0xdd, 0xe1}
	tint   = colour{0xed, 0xf3, 0xf5}
	paper  = colour{255, 255, 255}
)

// WritePDF writes the report as a PDF: A4, with the font that it needs in it, and a bookmark for each section. The same report
// gives the same bytes.
func (r *Report) WritePDF(w io.Writer) error {
	p := &printer{Fpdf: fpdf.New("P", "mm", "A4", ""), report: r}
	p.SetCatalogSort(true)
	p.SetCreationDate(r.Issued)
	p.SetModificationDate(r.Issued)
	p.SetTitle(printable(r.Deployment+" · "+r.Title), true)
	p.SetAuthor(printable(r.Author), true)
	p.SetProducer("Levee", true)
	p.SetCreator("Levee", true)
	p.SetLang(words.In(r.Lang).Either("en", "zh-CN"))
	p.SetAutoPageBreak(false, 0)
	p.SetMargins(0, 0, 0)
	p.SetCellMargin(0)
	p.AddUTF8FontFromBytes("text", "", fontFile())
	p.SetFont("text", "", textSize)
	p.page()
	p.title()
	for _, s := range r.Sections {
		p.section(s)
	}
	if err := p.Output(w); err != nil {
		return fmt.Errorf("writing the report as a PDF: %w", err)
	}
	return nil
}

// printer sets a report. Its Y is how far down the page is full.
type printer struct {
	*fpdf.Fpdf
	report *Report
}

// page begins the next page, with what stands below its text.
func (p *printer) page() {
	p.AddPage()
	p.line(pageWidth-margin, pageHeight-16, rule)
	name := p.lines(p.report.Deployment+" · "+p.report.Title, noteSize, textWidth-20)[0]
	p.text(margin, pageHeight-11, name, noteSize, quiet)
	number := strconv.Itoa(p.PageNo())
	p.text(pageWidth-margin-p.width(number, noteSize), pageHeight-11, number, noteSize, quiet)
	p.SetY(margin)
}

// room sees to it that there is room for a height on this page or else the next one.
func (p *printer) room(height float64) (turned bool) {
	if p.GetY()+height <= bottom {
		return false
	}
	p.page()
	return true
}

// text sets one line; y is where its letters stand.
func (p *printer) text(x, y float64, text string, size float64, c colour) {
	p.SetFontSize(size)
	p.SetTextColor(c[0], c[1], c[2])
	p.Text(x, y, printable(text))
}

// bold sets one line in bold, which is made from the one weight of the font by drawing its outlines too.
func (p *printer) bold(x, y float64, text string, size float64, c colour) {
	p.SetDrawColor(c[0], c[1], c[2])
	p.SetLineWidth(size * point / 40)
	p.SetTextRenderingMode(2)
	p.text(x, y, text, size, c)
	p.SetTextRenderingMode(0)
}

func (p *printer) width(text string, size float64) float64 {
	p.SetFontSize(size)
	return p.GetStringWidth(printable(text))
}

func (p *printer) lines(text string, size, width float64) []string {
	return linesOf(text, width, func(s string) float64 { return p.width(s, size) })
}

// line draws a line from the margin to x.
func (p *printer) line(x, y float64, c colour) {
	p.SetDrawColor(c[0], c[1], c[2])
	p.SetLineWidth(0.2)
	p.Line(margin, y, x, y)
}

func (p *printer) fill(x, y, width, height float64, c colour) {
	p.SetFillColor(c[0], c[1], c[2])
	p.Rect(x, y, width, height, "F")
}

// lineHeight is how high a line of a size is, and baseline how far below its top its letters stand.
func lineHeight(size float64) float64 { return size * point * leading }
func baseline(size float64) float64   { return lineHeight(size)/2 + size*point*0.36 }

// paragraph sets lines one below the other.
func (p *printer) paragraph(x, width float64, text string, size float64, c colour) {
	for _, line := range p.lines(text, size, width) {
		p.room(lineHeight(size))
		p.text(x, p.GetY()+baseline(size), line, size, c)
		p.SetY(p.GetY() + lineHeight(size))
	}
}

// title is the block at the top of the first page.
func (p *printer) title() {
	const inner = margin + 8
	names := p.lines(p.report.Deployment, leadSize+1, textWidth-16)
	height := 16 + lineHeight(titleSize) + float64(len(names))*lineHeight(leadSize+1)
	p.fill(margin, margin, textWidth, height, strong)
	y := margin + 7.0
	for _, name := range names {
		p.text(inner, y+baseline(leadSize+1), name, leadSize+1, paper)
		y += lineHeight(leadSize + 1)
	}
	p.bold(inner, y+2+baseline(titleSize), p.report.Title, titleSize, paper)
	y = margin + height
	p.SetY(y + 4)
	label := 0.0
	for _, f := range p.report.Facts {
		label = max(label, p.width(f.Label, textSize))
	}
	for _, f := range p.report.Facts {
		p.text(inner, p.GetY()+baseline(textSize), f.Label, textSize, quiet)
		p.paragraph(inner+label+6, textWidth-label-22, f.Value, textSize, ink)
	}
	p.SetY(p.GetY() + 3)
	p.line(pageWidth-margin, p.GetY(), strong)
}

func (p *printer) section(s Section) {
	p.SetY(p.GetY() + 9)
	needs := 45.0 // so that a heading stands with what it is about, and a code with what it says
	if len(s.Blocks) > 0 && s.Blocks[0].Table != nil {
		needs, _, _ = p.measure(s.Blocks[0].Table)
		needs += lineHeight(headingSize) + 3
	} else if len(s.Blocks) > 0 && s.Blocks[len(s.Blocks)-1].QR != "" {
		needs = 100
	}
	p.room(needs)
	p.SetFontSize(headingSize)
	p.Bookmark(printable(s.Title), 0, p.GetY())
	p.fill(margin, p.GetY()+1.6, 1.4, lineHeight(headingSize)-3.2, strong)
	p.bold(margin+4.5, p.GetY()+baseline(headingSize), s.Title, headingSize, strong)
	p.SetY(p.GetY() + lineHeight(headingSize) + 2)
	for _, b := range s.Blocks {
		p.block(b, s.Title)
	}
}

func (p *printer) block(b Block, heading string) {
	switch {
	case b.Lead != "":
		p.lead(b.Lead)
	case b.Text != "":
		p.paragraph(margin, textWidth, b.Text, textSize, ink)
	case b.Note != "":
		p.paragraph(margin, textWidth, b.Note, noteSize, quiet)
	case len(b.List) > 0:
		for _, item := range b.List {
			p.room(lineHeight(textSize))
			p.fill(margin+1.2, p.GetY()+lineHeight(textSize)/2-0.6, 1.2, 1.2, strong)
			p.paragraph(margin+5, textWidth-5, item, textSize, ink)
		}
	case b.Table != nil:
		p.table(b.Table, heading)
	case b.Chart != nil:
		p.chart(b.Chart)
	case b.QR != "":
		p.qr(b.QR)
	}
	p.SetY(p.GetY() + 2.5)
}

// lead is a sentence on a ground of its own: in one line, if that can be, so that it is found as it is quoted.
func (p *printer) lead(text string) {
	size := leadSize
	for size > textSize && p.width(text, size) > textWidth-14 {
		size -= 0.25
	}
	lines := p.lines(text, size, textWidth-14)
	height := float64(len(lines))*lineHeight(size) + 8
	p.room(height)
	p.fill(margin, p.GetY(), textWidth, height, tint)
	y := p.GetY() + 4
	for _, line := range lines {
		p.bold(margin+7, y+baseline(size), line, size, strong)
		y += lineHeight(size)
	}
	p.SetY(y + 4 + 1)
}

// qr draws a code as an image; the library takes it once for each name.
func (p *printer) qr(says string) {
	const side = 38.0
	image, err := qr.PNG(says)
	if err != nil {
		p.SetError(err)
		return
	}
	p.room(side)
	options := fpdf.ImageOptions{ImageType: "PNG"}
	p.RegisterImageOptionsReader(says, options, bytes.NewReader(image))
	p.ImageOptions(says, margin, p.GetY(), side, side, false, options, 0, "")
	p.SetY(p.GetY() + side)
}
