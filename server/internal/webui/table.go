package webui

import (
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"levee/server/internal/importing"
)

// Bounds on a file with a table.
const (
	maxTableBytes = 1 << 20
	maxTableRows  = 2000
	maxTableCells = 50 // in a row
)

// table is what somebody wrote with a spreadsheet: cells in rows, under headings.
type table struct {
	headings []string
	rows     []tableRow
}

// tableRow is a row that is not empty. number is the line of the file on which it begins: the headings are on line 1.
type tableRow struct {
	number int
	cells  []string
}

// tableFault says why a file is no table: the name of its message, and what the message takes.
type tableFault struct {
	message string
	args    []any
}

// readTable reads a table as spreadsheets save it: in UTF-8, UTF-16 or GB18030, with commas, semicolons or tabs.
func readTable(file []byte) (*table, *tableFault) {
	text, ok := importing.Text(file)
	if !ok {
		return nil, &tableFault{message: "wrong_table_text"}
	}
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.FieldsPerRecord, r.TrimLeadingSpace = importing.Separator(text), -1, true
	t := &table{}
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var wrong *csv.ParseError
		if errors.As(err, &wrong) {
			return nil, &tableFault{"wrong_table_quotes", []any{wrong.Line}}
		}
		line, _ := r.FieldPos(0)
		for i, cell := range cells {
			if cells[i] = strings.TrimSpace(cell); utf8.RuneCountInString(cells[i]) > maxTyped {
				return nil, &tableFault{"wrong_table_cell", []any{line}}
			}
		}
		empty := strings.Join(cells, "") == ""
		switch {
		case len(cells) > maxTableCells:
			return nil, &tableFault{"wrong_table_wide", []any{line, maxTableCells}}
		case empty:
		case t.headings == nil:
			t.headings = cells
		case len(t.rows) == maxTableRows:
			return nil, &tableFault{"wrong_table_long", []any{maxTableRows}}
		default:
			t.rows = append(t.rows, tableRow{line, cells})
		}
	}
	if len(t.rows) == 0 {
		return nil, &tableFault{message: "wrong_table_empty"}
	}
	return t, nil
}
