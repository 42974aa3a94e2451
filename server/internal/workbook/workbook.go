// Package workbook pours the figures of a report into a county bureau's own Excel file: a coordinator sends it once and says which
// cell gets what. Everything else in the file stays as it was. It declares the Store that it needs.
package workbook

import (
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"levee/server/internal/progress"
	"levee/server/internal/report"
	"levee/syncproto/hlc"
)

// Limits.
const (
	// Most is how many workbooks a deployment has.
	Most = 10
	// MaxBytes is how large a file is, and MaxCells how many of its cells get something.
	MaxBytes = 2 << 20
	MaxCells = 200
	// MaxName is how long a name is, in characters.
	MaxName = 60
)

// Type is the media type of a file.
const Type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// Workbook is a bureau's file.
type Workbook struct {
	ID   hlc.ID
	Name string
	// File is the .xlsx as it was sent; nil in a list.
	File  []byte
	Cells []Cell
}

// Nameable reports whether a text can be a workbook's name: it is one line, also on a terminal.
func Nameable(name string) bool {
	return name != "" && strings.TrimSpace(name) == name && utf8.RuneCountInString(name) <= MaxName && !strings.ContainsFunc(name, unicode.IsControl)
}

// Filled is what the file is called with a report in it.
func (w *Workbook) Filled(r *report.Report) string { return w.Name + " " + r.To.String() + ".xlsx" }

// Cell says what one cell gets.
type Cell struct {
	Sheet string `json:"sheet"`
	// Ref is its place, such as "B3".
	Ref string `json:"ref"`
	// Value is the stable name of what it gets; see Values.
	Value string `json:"value"`
	// Town is the code of the town whose figure it is, of the period; empty for the whole.
	Town string `json:"town,omitempty"`
}

// Store keeps the workbooks of one deployment.
type Store interface {
	// Workbooks are all, by name, without their files.
	Workbooks(ctx context.Context) ([]Workbook, error)
	// Workbook is one with its file; false when there is none by that id.
	Workbook(ctx context.Context, id hlc.ID) (Workbook, bool, error)
	// KeepWorkbook writes one, unless there would then be more than Most: then it says false.
	KeepWorkbook(ctx context.Context, w Workbook) (bool, error)
	// RemoveWorkbook takes one away; nothing happens when there is none.
	RemoveWorkbook(ctx context.Context, id hlc.ID) error
}

// The values that are no figures.
const (
	Deployment  = "deployment"
	From        = "from"
	To          = "to"
	ServiceDays = "service_days"
	Text        = "text"
	Tablets     = "tablets"
	HeardFrom   = "heard_from"
	Outstanding = "outstanding"
)

// Facts are the values that are no figures, in the order in which people choose from them.
var Facts = []string{Deployment, From, To, ServiceDays, Text, Tablets, HeardFrom, Outstanding}

// Part is of which days a figure is, and on which basis.
type Part string

// The parts. A value is the name of a part, a point and the name of a figure: done.contacts.
const (
	Done          Part = "done"
	DoneVerified  Part = "done_verified"
	Total         Part = "total"
	TotalVerified Part = "total_verified"
)

// Parts are all.
var Parts = []Part{Done, DoneVerified, Total, TotalVerified}

// Of is the value for a figure of a part.
func (p Part) Of(figure string) string { return string(p) + "." + figure }

// Figures are those that a cell can get.
func Figures(all []progress.Figure) []progress.Figure {
	return slices.DeleteFunc(slices.Clone(all), progress.Figure.OnCalendar)
}

// Values are the stable names of all that a cell can get, of some figures.
func Values(figures []progress.Figure) []string {
	all := slices.Clone(Facts)
	for _, part := range Parts {
		for _, f := range figures {
			all = append(all, part.Of(f.Name))
		}
	}
	return all
}

// OfTown reports whether a value can be that of a town: a figure of the period.
func OfTown(value string) bool {
	part, _, ok := figureOf(value)
	return ok && (part == Done || part == DoneVerified)
}

// figureOf takes a value apart; false for one that is no figure.
func figureOf(value string) (p Part, figure string, ok bool) {
	part, figure, ok := strings.Cut(value, ".")
	return Part(part), figure, ok && slices.Contains(Parts, Part(part))
}
