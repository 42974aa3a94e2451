package finalreport

import (
	"strconv"
	"time"

	"levee/server/internal/charts"
	"levee/syncproto/words"
)

// Report is what is drawn: a page, the PDF and the workbook draw the same. All texts are in its language, and plain.
type Report struct {
	// Lang is "zh" or "en".
	Lang string
	// Title is what it is, Deployment of which deployment it tells.
	Title, Deployment string
	// Facts stand below the title: the days, the edition, who issued it and when.
	Facts []Fact
	// Author is who issued the certificate, and Issued when.
	Author   string
	Issued   time.Time
	Sections []Section
}

// Fact is something with its label.
type Fact struct{ Label, Value string }

// Section is a part with a heading. Its name is stable.
type Section struct {
	Name, Title string
	Blocks      []Block
}

// Block is one of what it has; the others are empty.
type Block struct {
	// Lead is a sentence that says the most important, Text a paragraph, Note a remark on what stands before it.
	Lead, Text, Note string
	List             []string
	Table            *Table
	// Chart is drawn as bars, such as by charts.Bars. A table with the same numbers stands before it.
	Chart *charts.Table
	// QR is what a QR code says. The block before it says the same in words.
	QR string
}

// Table is a table. Its name is stable.
type Table struct {
	Name, Title string
	Columns     []Column
	Rows        []Row
}

// Column is a column of a table: a stable name, and what people call it in the report's language and in the other one.
type Column struct {
	Name, Label, Other string
	// Number: its cells are numbers or empty of one, and stand to the right.
	Number bool
}

// Row has a cell for each column.
type Row struct {
	Cells []Cell
	// Depth is how far within other rows it is, such as a town in a county; Sum marks the row of all.
	Depth int
	Sum   bool
}

// Cell is what it shows, and the number that it is; nil when it is none.
type Cell struct {
	Text   string
	Number *int64
}

// number is a number as the report writes it: Chinese reports of this kind don't set thousands apart.
func (r *Report) number(n int64) string { return numberIn(words.In(r.Lang), n) }

func numberIn(w *words.Words, n int64) string {
	if w.Lang() == "zh" {
		return strconv.FormatInt(n, 10)
	}
	return w.Number(n)
}
