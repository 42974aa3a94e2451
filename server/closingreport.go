package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"levee/server/internal/database"
	"levee/server/internal/finalreport"
	"levee/server/internal/progress"
	"levee/server/internal/store"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
)

// ClosingReportOptions say which closing report is made, and as what.
type ClosingReportOptions struct {
	// Deployment is which one; it may be left out where there is only one.
	Deployment string
	// Edition is that of the certificate; the newest one when 0.
	Edition int
	// Lang is Chinese for a tag "zh…", else English.
	Lang string
	// Format is pdf or xlsx.
	Format string
	// Out is the file to make. It must not be there yet.
	Out string
	// Wall tells the time: hlc.Wall when nil.
	Wall func() time.Time
}

// ClosingReported is a closing report that was made.
type ClosingReported struct {
	Out        string `json:"out"`
	Deployment hlc.ID `json:"deployment"`
	Edition    int    `json:"edition"`
}

// ClosingReport writes the closing report of a closed deployment, with the foreword that its record has and without the sections that
// it leaves out. It reads only, and may run beside a server. The error is ErrNoEdition when there is no such certificate.
func ClosingReport(ctx context.Context, path string, o ClosingReportOptions) (*ClosingReported, error) {
	db, err := database.At(path).OpenToRead(ctx)
	if err != nil {
		return nil, refusedAt(database.At(path), err)
	}
	made, err := closingReportFrom(ctx, db, o)
	return made, errors.Join(err, db.Close())
}

func closingReportFrom(ctx context.Context, db *store.DB, o ClosingReportOptions) (*ClosingReported, error) {
	id, err := deploymentNamed(ctx, db, o.Deployment)
	if err != nil {
		return nil, err
	}
	found, err := editionFrom(ctx, db, id, o.Edition)
	if err != nil {
		return nil, err
	}
	setUp, err := setUpOf(ctx, db.Deployment(id))
	if err != nil {
		return nil, err
	}
	if o.Wall == nil {
		o.Wall = hlc.Wall
	}
	figures := progress.New(progress.Config{Store: db.Deployment(id), SetUp: func() *syncing.SetUp { return setUp }, Wall: o.Wall})
	report, err := finalreport.New(finalreport.Config{Deployment: id, Store: db.Deployment(id), Progress: figures}).MakeAsSet(ctx, found.File, wordsOf(o.Lang))
	if err != nil {
		return nil, err
	}
	var drawn bytes.Buffer
	switch o.Format {
	case "pdf":
		err = report.WritePDF(&drawn)
	case "xlsx":
		err = report.WriteXLSX(&drawn)
	default:
		err = fmt.Errorf("a closing report is pdf or xlsx, not %q", o.Format)
	}
	if err != nil {
		return nil, err
	}
	return &ClosingReported{o.Out, id, found.Edition}, newFile(o.Out, &drawn)
}

// newFile makes a file of what is in memory. Nothing is written over.
func newFile(path string, content *bytes.Buffer) error {
	err := exportFile(path, func(w io.Writer) error {
		_, err := content.WriteTo(w)
		return err
	})
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrExist):
		return refuse(ExportThere, err, path)
	default: // the disk is full, say: a part of a file is none
		return errors.Join(err, os.Remove(path))
	}
}

// Print tells what was made, in Chinese for a tag "zh…", else in English.
func (r *ClosingReported) Print(w io.Writer, lang string) error {
	text := "%s: the closing report, edition %d.\n"
	if chinese(lang) {
		text = "%s：收队报告，第 %d 版。\n"
	}
	_, err := fmt.Fprintf(w, text, r.Out, r.Edition)
	return err
}
