package export

import (
	"archive/zip"
	"io"
)

// Sheet is one of a workbook: rows of texts and int64 numbers, below headings that stay when one scrolls; without headings there
// is no such part.
type Sheet struct {
	Name     string
	Headings []Heading
	Rows     [][]any
}

// Heading stands above a column: two names for it, one below the other, and how wide it is, in characters.
type Heading struct {
	Label, Name string
	Width       float64
}

// Sheets writes a workbook. A text that a spreadsheet would take for a formula is neutralised.
func Sheets(w io.Writer, sheets []Sheet) error {
	b := &workbook{zip: zip.NewWriter(w), rows: maxRows, bytes: maxHeld}
	for _, s := range sheets {
		var headings []heading
		for _, h := range s.Headings {
			headings = append(headings, heading{h.Label, h.Name, h.Width})
		}
		err := b.sheet(s.Name, headings, func(put func([]any) error) error {
			for _, row := range s.Rows {
				cells := make([]any, len(row))
				for i, c := range row {
					if text, ok := c.(string); ok {
						c = Neutral(lines(text))
					}
					cells[i] = c
				}
				if err := put(cells); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return b.close()
}
