package export

import (
	"archive/zip"
	"io"

	"levee/server/internal/progress"
	"levee/syncproto/words"
)

// Names of the sheets besides those of the kinds, which have the word for the kind.
var (
	aboutSheet  = words.Message{EN: "about", ZH: "说明"}
	totalsSheet = words.Message{EN: "totals", ZH: "统计数字"}
)

// XLSX writes a workbook with a sheet a kind, the totals, and a text about them, in the language of the query: numbers, days
// and times as such, and two frozen rows above them, the words and the stable names.
func XLSX(c *Content, w io.Writer) error { return xlsx(c, w, maxRows, maxHeld) }

// maxHeld keeps the rows that excelize holds well below what it would put into a file of its own.
const maxHeld = 2 << 20

func xlsx(c *Content, w io.Writer, rows, bytes int) error {
	b := &workbook{zip: zip.NewWriter(w), rows: rows, bytes: bytes}
	err := b.sheet(c.Terms.Say(aboutSheet), nil, func(put func([]any) error) error {
		for _, line := range About(c, c.Terms.Words) {
			if err := put([]any{Neutral(line)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := totals(c, b); err != nil {
		return err
	}
	for _, k := range c.Tables() {
		columns := c.Columns(k)
		headings, cells := make([]heading, len(columns)), make([]any, len(columns))
		for i, column := range columns {
			headings[i] = heading{column.Label(), column.Name, column.width()}
		}
		err := b.sheet(c.Terms.Kind(k), headings, func(put func([]any) error) error {
			return c.Each(k, func(r Row) error {
				for i, column := range columns {
					cells[i] = column.Cell(r)
				}
				return put(cells)
			})
		})
		if err != nil {
			return err
		}
	}
	return b.close()
}

// totals writes their sheet.
func totals(c *Content, b *workbook) error {
	var headings []heading
	for _, name := range totalColumns {
		headings = append(headings, heading{c.Terms.Say(totalLabels[name]), name, 18})
	}
	return b.sheet(c.Terms.Say(totalsSheet), headings, func(put func([]any) error) error {
		return c.EachTotal(func(t Total) error {
			figure := t.Figure
			if f, ok := progress.FigureNamed(figure); ok {
				figure = f.Label.In(c.Terms.Lang())
			}
			return put([]any{c.Terms.Say(basisWords[t.Basis]), figure, c.Terms.Say(dimensionWords[t.Dimension]), Neutral(t.Key), Neutral(lines(t.Name)), t.Value})
		})
	})
}

// width is how wide a column is, in characters.
func (c Column) width() float64 {
	f := c.field
	if c.part != nil {
		f = c.part
	}
	switch {
	case f == nil:
		return 38
	case f.IsList():
		return 30
	}
	switch words.FormOf(f) {
	case words.Number, words.YesOrNo, words.AgeBand:
		return 10
	case words.Date:
		return 12
	case words.Instant, words.Text:
		return 24
	default:
		return 16
	}
}
