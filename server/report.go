package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"levee/server/internal/database"
	"levee/server/internal/progress"
	"levee/server/internal/report"
	"levee/server/internal/store"
	"levee/server/internal/syncing"
	"levee/server/internal/workbook"
	"levee/syncproto/hlc"
	"levee/syncproto/record"
)

// ReportOptions say what is reported of.
type ReportOptions struct {
	// Period is day, week, month or whole, and Date a day in it, as "2021-10-08"; the last one when empty.
	Period, Date string
	// Deployment is which one; it may be left out where there is only one.
	Deployment string
	// Workbook is the name or the id of a bureau's Excel file that Fill is to fill in; empty for none.
	Workbook string
	// Wall tells the time: hlc.Wall when nil.
	Wall func() time.Time
}

// Reported is a report as a command prints it.
type Reported struct {
	*report.Report
	zone     *time.Location
	workbook workbook.Workbook
}

// Print writes the text for a group chat, in Chinese for a tag "zh…", else in English.
func (r *Reported) Print(w io.Writer, lang string) error {
	_, err := fmt.Fprintln(w, r.Text(wordsOf(lang), r.zone))
	return err
}

// Fill writes the bureau's Excel file that was asked for with the report in it, in Chinese for a tag "zh…", else in English. Nothing is
// written over.
func (r *Reported) Fill(out, lang string) error {
	var filled bytes.Buffer
	if err := r.workbook.Fill(&filled, r.Report, wordsOf(lang), r.zone); err != nil {
		return err
	}
	return newFile(out, &filled)
}

// wordsOf is the language of a report's words: "zh" for a tag "zh…", else "en".
func wordsOf(lang string) string {
	if chinese(lang) {
		return "zh"
	}
	return "en"
}

// workbookNamed is a bureau's Excel file by its name or its id.
func workbookNamed(ctx context.Context, d *store.Deployment, name string) (workbook.Workbook, error) {
	all, err := d.Workbooks(ctx)
	if err != nil {
		return workbook.Workbook{}, err
	}
	var list []string
	var found []hlc.ID
	for _, w := range all {
		list = append(list, w.Name+"  "+w.ID.String())
		if w.Name == name || w.ID.String() == name {
			found = append(found, w.ID)
		}
	}
	if len(found) != 1 {
		return workbook.Workbook{}, refuse(WorkbookUnclear, nil, strings.Join(list, "\n"))
	}
	w, ok, err := d.Workbook(ctx, found[0])
	if err == nil && !ok { // removed beside us
		err = refuse(WorkbookUnclear, nil, strings.Join(list, "\n"))
	}
	return w, err
}

// Report tells of a period of a deployment. It reads only, and may run beside a server.
func Report(ctx context.Context, path string, o ReportOptions) (*Reported, error) {
	var day record.Date
	if o.Date != "" {
		var err error
		if day, err = record.ParseDate(o.Date); err != nil {
			return nil, err
		}
	}
	db, err := database.At(path).OpenToRead(ctx)
	if err != nil {
		return nil, refusedAt(database.At(path), err)
	}
	made, err := reportFrom(ctx, db, day, o)
	return made, errors.Join(err, db.Close())
}

func reportFrom(ctx context.Context, db *store.DB, day record.Date, o ReportOptions) (*Reported, error) {
	id, err := deploymentNamed(ctx, db, o.Deployment)
	if err != nil {
		return nil, err
	}
	var bureau workbook.Workbook
	if o.Workbook != "" {
		if bureau, err = workbookNamed(ctx, db.Deployment(id), o.Workbook); err != nil {
			return nil, err
		}
	}
	setUp, err := setUpOf(ctx, db.Deployment(id))
	if err != nil {
		return nil, err
	}
	wall := o.Wall
	if wall == nil {
		wall = hlc.Wall
	}
	p := progress.New(progress.Config{Store: db.Deployment(id), SetUp: func() *syncing.SetUp { return setUp }, Wall: wall})
	r, err := report.New(report.Config{Deployment: id, Store: db.Deployment(id), Progress: p}).Report(ctx, report.Period(o.Period), day, nil)
	return &Reported{r, setUp.Location, bureau}, err
}

// setUpOf is what a deployment is set up with, as the database has it.
func setUpOf(ctx context.Context, of *store.Deployment) (setUp *syncing.SetUp, err error) {
	err = of.Read(ctx, func(tx syncing.Reading) (err error) {
		setUp, err = syncing.SetUpIn(tx)
		return err
	})
	return setUp, err
}
