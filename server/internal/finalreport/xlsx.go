package finalreport

import (
	"io"

	"levee/server/internal/export"
)

// WriteXLSX writes the report as a workbook: its texts on the first sheet, and a sheet for each table. Above the rows of a table
// stay its headings in both languages.
func (r *Report) WriteXLSX(w io.Writer) error {
	sheets := []export.Sheet{{Name: r.Title, Rows: r.texts()}}
	for _, s := range r.Sections {
		for _, b := range s.Blocks {
			if b.Table != nil {
				sheets = append(sheets, b.Table.sheet())
			}
		}
	}
	return export.Sheets(w, sheets)
}

// texts are a row each; headings stand apart.
func (r *Report) texts() [][]any {
	rows := [][]any{{r.Deployment}, {r.Title}}
	for _, f := range r.Facts {
		rows = append(rows, []any{f.Label, f.Value})
	}
	for _, s := range r.Sections {
		rows = append(rows, nil, []any{s.Title})
		for _, b := range s.Blocks {
			for _, text := range append([]string{b.Lead, b.Text, b.Note}, b.List...) {
				if text != "" {
					rows = append(rows, []any{text})
				}
			}
		}
	}
	return rows
}

func (t *Table) sheet() export.Sheet {
	s := export.Sheet{Name: t.Title}
	for _, c := range t.Columns {
		width := 14.0
		if !c.Number {
			width = 24
		}
		s.Headings = append(s.Headings, export.Heading{Label: c.Label, Name: c.Other, Width: width})
	}
	for _, r := range t.Rows {
		cells := make([]any, len(r.Cells))
		for i, c := range r.Cells {
			cells[i] = c.Text
			if c.Number != nil {
				cells[i] = *c.Number
			}
		}
		s.Rows = append(s.Rows, cells)
	}
	return s
}
