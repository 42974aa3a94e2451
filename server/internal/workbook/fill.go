package workbook

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"levee/server/internal/report"
	"levee/syncproto/problem"
)

// What a file may come to when it is unpacked: a small one may hide a very large one.
const (
	maxUnpacked = 64 << 20
	maxPart     = 16 << 20
)

// macros is the part of a file that holds programs, which no report is poured into: who opens it trusts where it came from.
const macros = "xl/vbaProject.bin"

// Fault is what is wrong with the naming of a cell.
type Fault string

// The faults.
const (
	NoSheet    Fault = "no_sheet"
	NoCell     Fault = "no_cell"
	HasFormula Fault = "has_formula"
	Twice      Fault = "twice"
)

// open reads a file. The problem is invalid_argument when it is no workbook, or one with programs in it.
func open(file []byte) (*excelize.File, error) {
	if len(file) > MaxBytes {
		return nil, problem.New(problem.BodyTooLarge)
	}
	f, err := excelize.OpenReader(bytes.NewReader(file), excelize.Options{UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: maxPart})
	if err != nil {
		return nil, problem.Newf(problem.InvalidArgument, "no workbook: %v", err)
	}
	if _, ok := f.Pkg.Load(macros); ok {
		return nil, errors.Join(problem.Newf(problem.InvalidArgument, "a workbook with programs in it"), f.Close())
	}
	return f, nil
}

// Sheets are the names of a file's sheets, in their order. The problem is invalid_argument when it is no workbook.
func Sheets(file []byte) ([]string, error) {
	f, err := open(file)
	if err != nil {
		return nil, err
	}
	return f.GetSheetList(), f.Close()
}

// Check looks at which cells are named, and gives what is wrong by their indexes. It gives each the form that Fill takes: in capitals,
// and for a cell that is merged with others the first of them.
func Check(file []byte, cells []Cell) (map[int]Fault, error) {
	f, err := open(file)
	if err != nil {
		return nil, err
	}
	faults := map[int]Fault{}
	for i := range cells {
		c := &cells[i]
		if fault, err := place(f, c); err != nil {
			return nil, errors.Join(err, f.Close())
		} else if fault != "" {
			faults[i] = fault
		} else if slices.ContainsFunc(cells[:i], func(o Cell) bool { return o.Sheet == c.Sheet && o.Ref == c.Ref }) {
			faults[i] = Twice
		}
	}
	return faults, f.Close()
}

// place finds the cell that is meant.
func place(f *excelize.File, c *Cell) (Fault, error) {
	if !slices.Contains(f.GetSheetList(), c.Sheet) {
		return NoSheet, nil
	}
	column, row, ok := coordinates(strings.ToUpper(c.Ref))
	if !ok {
		return NoCell, nil
	}
	var err error
	if c.Ref, err = excelize.CoordinatesToCellName(column, row); err != nil {
		return "", fmt.Errorf("cell: %w", err)
	}
	merged, err := f.GetMergeCells(c.Sheet, true)
	if err != nil {
		return "", fmt.Errorf("merged cells: %w", err)
	}
	for _, m := range merged {
		if within(m, column, row) {
			c.Ref = m.GetStartAxis()
		}
	}
	formula, err := f.GetCellFormula(c.Sheet, c.Ref)
	if err != nil {
		return "", fmt.Errorf("formula: %w", err)
	}
	if formula != "" {
		return HasFormula, nil
	}
	return "", nil
}

// coordinates are where a cell is, counted from 1; false when it is no cell.
func coordinates(ref string) (column, row int, ok bool) {
	column, row, err := excelize.CellNameToCoordinates(ref)
	return column, row, err == nil
}

func within(m excelize.MergeCell, column, row int) bool {
	fromColumn, fromRow, from := coordinates(m.GetStartAxis())
	toColumn, toRow, to := coordinates(m.GetEndAxis())
	return from && to && fromColumn <= column && column <= toColumn && fromRow <= row && row <= toRow
}

// Fill writes the file with a report poured into its named cells. Formulas and styles stay; what formulas give is left to be
// calculated by the program that opens it. It is not calculated here: excelize keeps a result only as a text, and has no bound on what
// it takes to calculate one (a sum over 13 million empty cells takes two minutes and 15 GB). Words are in "zh" or else English, instants are told in a place.
func (w *Workbook) Fill(out io.Writer, r *report.Report, lang string, zone *time.Location) (err error) {
	f, err := open(w.File)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for _, c := range w.Cells {
		if fault, err := place(f, &c); err != nil || fault != "" {
			return errors.Join(err, fmt.Errorf("cell %s of %s: %s", c.Ref, c.Sheet, fault))
		}
		if err := f.SetCellValue(c.Sheet, c.Ref, valueOf(r, c, lang, zone)); err != nil {
			return fmt.Errorf("filling in: %w", err)
		}
	}
	if err := f.UpdateLinkedValue(); err != nil {
		return fmt.Errorf("what formulas gave: %w", err)
	}
	anew := true
	if err := f.SetCalcProps(&excelize.CalcPropsOptions{FullCalcOnLoad: &anew}); err != nil {
		return fmt.Errorf("calculating anew: %w", err)
	}
	if err := f.Write(out); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	return nil
}

// valueOf is what a cell gets: a number, a day or a text; nil, which empties it, for a figure that is there no more.
func valueOf(r *report.Report, c Cell, lang string, zone *time.Location) any {
	if part, figure, ok := figureOf(c.Value); ok {
		if !slices.ContainsFunc(r.Figures, func(f report.Figure) bool { return f.Name == figure }) {
			return nil
		}
		return valuesOf(r, part, c.Town)[figure] // 0 where there was none
	}
	switch c.Value {
	case Deployment:
		return r.Name
	case From:
		return r.From.Start(time.UTC)
	case To:
		return r.To.Start(time.UTC)
	case ServiceDays:
		return r.ServiceDays
	case Text:
		return r.Text(lang, zone)
	case Tablets:
		return r.Completeness.Tablets
	case HeardFrom:
		return r.Completeness.HeardFrom
	case Outstanding:
		return r.Completeness.Outstanding
	default:
		return nil
	}
}

// valuesOf are the figures of a part: of a town where one is given, which has only those of the period.
func valuesOf(r *report.Report, part Part, town string) map[string]int64 {
	row := r.Done
	switch {
	case town != "":
		i := slices.IndexFunc(r.Towns, func(row report.Row) bool { return row.Key == town })
		if i < 0 {
			return nil
		}
		row = r.Towns[i]
	case part == Total || part == TotalVerified:
		row = r.Total
	}
	if part == DoneVerified || part == TotalVerified {
		return row.Verified
	}
	return row.Reported
}
