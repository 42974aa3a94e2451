package importing

import (
	"errors"
	"strings"

	"github.com/google/uuid"
	"github.com/xuri/excelize/v2"

	"levee/server/internal/export"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// maxFaults is how many things are named that are wrong with a file; the others are only counted.
const maxFaults = 300

// Fault is one thing that is wrong with a file.
type Fault struct {
	// Table is the file or sheet; empty where there is only one, or the whole is meant.
	Table string
	// Row is as spreadsheets count, from 1; 0 when the whole table is meant.
	Row int
	// Column is the letter of the column, and Heading what stands above it; both are empty when the whole row is meant.
	Column, Heading string

	text func(*words.Words) string
}

// Message says what is wrong, in the words of a language. Nothing of what stands in the cell is in it.
func (f Fault) Message(w *words.Words) string { return f.text(w) }

// saying is a message whose arguments are the same in all languages.
func saying(m words.Message, args ...any) func(*words.Words) string {
	return func(w *words.Words) string { return w.Say(m, args...) }
}

func wrongFile(table string, m words.Message, args ...any) *Fault {
	return &Fault{Table: table, text: saying(m, args...)}
}

func wrongRow(table string, row int, m words.Message, args ...any) *Fault {
	return &Fault{Table: table, Row: row, text: saying(m, args...)}
}

// sayingCode is what a code says.
func sayingCode(code record.Code) func(*words.Words) string {
	return func(w *words.Words) string { return record.Message(code, w.Lang()) }
}

// sayingOf is what an error of a cell or of a record says.
func sayingOf(err error) func(*words.Words) string {
	var cell *export.CellError
	if errors.As(err, &cell) {
		return cell.Message
	}
	var wrong *record.Problem
	if errors.As(err, &wrong) {
		return sayingCode(wrong.Code)
	}
	return saying(unreadable)
}

// letter is what spreadsheets call the column.
func (c column) letter() string {
	letter, err := excelize.ColumnNumberToName(c.at + 1)
	if err != nil {
		return "" // no table is so wide
	}
	return letter
}

// isID reports whether a cell holds an id.
func isID(cell string) bool {
	cell = strings.TrimSpace(cell)
	id, err := uuid.Parse(cell)
	return err == nil && len(cell) == len(id.String())
}
