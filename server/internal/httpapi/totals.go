package httpapi

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"levee/server/internal/access"
	"levee/server/internal/progress"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// TotalsAsked says which totals are wanted.
type TotalsAsked struct {
	Scope
	By         string    `query:"by" default:"whole" enum:"whole,day,site,place,team,worker,service_area,sex,age_band,disability" doc:"What the totals are divided by. By sex, age_band and disability there are only figures of people."`
	Basis      string    `query:"basis" default:"both" enum:"reported,verified,both" doc:"reported counts everything; verified counts what a supervisor approved and what has not changed since in a counted field."`
	Figure     []string  `query:"figure" enum:"cases,case_sessions,group_sessions,community_activities,outreach_rounds,contacts,persons,beneficiaries,persons_by_number,persons_estimated" doc:"Only these, with commas between them."`
	Level      string    `query:"level" enum:"province,city,county,town,village" doc:"With by=place: the level of the places; the one right below below, or province, when absent. What was logged without a place of that level is in no row."`
	Below      string    `query:"below" pattern:"^([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{9})$" doc:"With by=place: only places within the one with this code."`
	AsOf       string    `query:"as_of" format:"date" doc:"The last day that counts, in the deployment's time zone; when absent, all there is counts."`
	HeardSince time.Time `query:"heard_since" doc:"A tablet with a contact since then was heard from; a day ago when absent."`
}

func (a *api) totals(ctx context.Context, in *TotalsAsked) (*answer[totalsBody], error) {
	return reply(ctx, a, in.Scope, func(d *Deployment, _ string) (totalsBody, error) {
		q := progress.TotalsQuery{Figures: in.Figure, Level: in.Level, Below: in.Below, HeardSince: in.HeardSince}
		var err error
		if q.By, err = tally.ParseDimension(in.By); err != nil {
			return totalsBody{}, err
		}
		if q.AsOf, err = dateOf("as_of", in.AsOf); err != nil {
			return totalsBody{}, err
		}
		for _, basis := range []tally.Basis{tally.Reported, tally.Verified} {
			if in.Basis == basis.String() || in.Basis == "both" {
				q.Bases = append(q.Bases, basis)
			}
		}
		whole, sees := sight(ctx, d)
		if !whole && q.By != tally.Team && q.By != tally.Worker {
			return totalsBody{}, problem.New(problem.NotAllowed)
		}
		t, err := d.Progress.Totals(ctx, q)
		if !whole {
			t.Rows = slices.DeleteFunc(t.Rows, func(row progress.Row) bool { return !seesRow(d, sees, q.By, row.Key) })
		}
		return viewTotals(q, t), err
	})
}

// RecordsAsked says which total the records are behind.
type RecordsAsked struct {
	Scope
	Figure string `query:"figure" required:"true" enum:"cases,case_sessions,group_sessions,community_activities,outreach_rounds,contacts,persons,beneficiaries,persons_by_number,persons_estimated" doc:"The figure."`
	Basis  string `query:"basis" default:"reported" enum:"reported,verified" doc:"The basis."`
	By     string `query:"by" default:"whole" enum:"whole,day,site,place,team,worker,service_area,sex,age_band,disability" doc:"What the total is divided by."`
	Key    string `query:"key" maxLength:"64" doc:"The row, by its key; empty for the whole and for what was not stated."`
	AsOf   string `query:"as_of" format:"date" doc:"The last day that counts, as in totals."`
	Paging
}

func (a *api) records(ctx context.Context, in *RecordsAsked) (*answer[recordsBody], error) {
	return reply(ctx, a, in.Scope, func(d *Deployment, _ string) (recordsBody, error) {
		q := progress.BehindQuery{Figure: in.Figure, Page: in.page()}
		var err error
		if q.Basis, err = tally.ParseBasis(in.Basis); err != nil {
			return recordsBody{}, err
		}
		if q.Cut.Dimension, err = tally.ParseDimension(in.By); err != nil {
			return recordsBody{}, err
		}
		if q.AsOf, err = dateOf("as_of", in.AsOf); err != nil {
			return recordsBody{}, err
		}
		q.Cut.Key = in.Key
		if whole, sees := sight(ctx, d); !whole {
			if q.Cut.Dimension != tally.Team && q.Cut.Dimension != tally.Worker {
				return recordsBody{}, problem.New(problem.NotAllowed)
			}
			if !seesRow(d, sees, q.Cut.Dimension, q.Cut.Key) {
				return recordsBody{}, problem.New(problem.NotFound)
			}
		}
		b, err := d.Progress.Behind(ctx, q)
		return viewRecords(b), err
	})
}

// seesRow reports whether who sees some teams sees a row of totals by team or worker.
func seesRow(d *Deployment, sees func(hlc.ID) bool, by tally.Dimension, key string) bool {
	id, err := uuid.Parse(key)
	if err != nil {
		return false
	}
	if by == tally.Worker {
		id = d.Syncing.Person(id).Team
	}
	return id != access.Everyone && sees(id)
}

// dateOf reads a date that may be absent, of the parameter of a name.
func dateOf(name, text string) (record.Date, error) {
	if text == "" {
		return 0, nil
	}
	day, err := record.ParseDate(text)
	if err != nil {
		return 0, problem.Newf(problem.InvalidArgument, "%s: %v", name, err)
	}
	return day, nil
}
