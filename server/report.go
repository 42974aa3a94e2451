package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"levee/server/internal/progress"
	"levee/server/internal/report"
	"levee/server/internal/store"
	"levee/server/internal/store/sqlite"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	"levee/syncproto/record"
)

// ReportOptions say what is reported of.
type ReportOptions struct {
	// Period is day, week, month or whole, and Date a day in it, as "2021-10-08"; the last one when empty.
	Period, Date string
	// Deployment is which one; it may be left out where there is only one.
	Deployment string
	// Wall tells the time: hlc.Wall when nil.
	Wall func() time.Time
}

// Reported is a report as a command prints it.
type Reported struct {
	*report.Report
	zone *time.Location
}

// Print writes the text for a group chat, in Chinese for a tag "zh…", else in English.
func (r *Reported) Print(w io.Writer, lang string) error {
	if chinese(lang) {
		lang = "zh"
	}
	_, err := fmt.Fprintln(w, r.Text(lang, r.zone))
	return err
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
	db, err := sqlite.OpenToRead(ctx, path)
	if err != nil {
		return nil, refusedAt(path, err)
	}
	made, err := reportFrom(ctx, db, day, o)
	return made, errors.Join(err, db.Close())
}

func reportFrom(ctx context.Context, db *store.DB, day record.Date, o ReportOptions) (*Reported, error) {
	id, err := deploymentNamed(ctx, db, o.Deployment)
	if err != nil {
		return nil, err
	}
	var setUp *syncing.SetUp
	if err := db.Deployment(id).Read(ctx, func(tx syncing.Reading) (err error) {
		setUp, err = syncing.SetUpIn(tx)
		return err
	}); err != nil {
		return nil, err
	}
	wall := o.Wall
	if wall == nil {
		wall = hlc.Wall
	}
	p := progress.New(progress.Config{Store: db.Deployment(id), SetUp: func() *syncing.SetUp { return setUp }, Wall: wall})
	r, err := report.New(report.Config{Deployment: id, Store: db.Deployment(id), Progress: p}).Report(ctx, report.Period(o.Period), day, nil)
	return &Reported{r, setUp.Location}, err
}
