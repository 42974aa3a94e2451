package report

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/indexing"
	"levee/server/internal/progress"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// Store keeps one deployment.
type Store interface {
	// ReadReport runs fn over one snapshot. It never waits for a writer.
	ReadReport(ctx context.Context, fn func(Reading) error) error
}

// Reading looks up what no totals are kept of.
type Reading interface {
	ByDay
	// OpenCases is how many cases are open, by team and stage.
	OpenCases() ([]indexing.StageCount, error)
	// GoodsOfDays adds up the goods of the days from one to another, and AlertsOfDays the alerts: Sent are those of the days, and
	// Open those of all days.
	GoodsOfDays(from, to record.Date, row func(GoodsCount)) error
	AlertsOfDays(from, to record.Date, row func(AlertCount)) error
}

// ByDay reads records by the day on which they occurred.
type ByDay interface {
	// Audiences are those that have records of a kind, ascending.
	Audiences(kind record.Kind) ([]hlc.ID, error)
	// RecordsByDay are records of one kind and audience, the latest day and then the highest id first.
	RecordsByDay(progress.DayRange) ([]syncing.Record, error)
}

// GoodsCount is how much goods of a unit a team has that stand somewhere.
type GoodsCount struct {
	Audience hlc.ID
	What     syncing.GoodsStanding
	Unit     string
	syncing.GoodsSums
}

// AlertCount is how many alerts a team has.
type AlertCount struct {
	Audience hlc.ID
	syncing.AlertSums
}

// Alerts are how many risk alerts there are; what they say is confidential.
type Alerts struct {
	// Sent are those of the period, Open all that nobody has acknowledged by now.
	Sent int64 `json:"sent"`
	Open int64 `json:"open"`
}

// OpenCases are how many cases are open now.
type OpenCases struct {
	Count int64 `json:"count"`
	// Stages divides them; a stage at which there is none is left out.
	Stages []Stage `json:"stages"`
}

// Stage is how many cases stand at one.
type Stage struct {
	// Name is stable, such as "assessment".
	Name  string `json:"name"`
	Label Label  `json:"label"`
	Count int64  `json:"count"`
}

// read fills in what is read from records.
func (r *Report) read(tx Reading, zone *time.Location, teams []hlc.ID) error {
	has := func(audience hlc.ID) bool { return teams == nil || slices.Contains(teams, audience) }
	return errors.Join(r.readOpenCases(tx, has), r.readAlerts(tx, zone, has), r.readGoods(tx, has))
}

func (r *Report) readOpenCases(tx Reading, has func(hlc.ID) bool) error {
	counts, err := tx.OpenCases()
	byStage := map[recordv1.CaseStage]int64{}
	for _, c := range counts {
		if has(c.Audience) {
			r.OpenCases.Count += c.Count
			byStage[c.Stage] += c.Count
		}
	}
	r.OpenCases.Stages = []Stage{}
	stages := recordv1.CaseStage(0).Descriptor().Values()
	for i := range stages.Len() {
		v := stages.Get(i)
		if n := byStage[recordv1.CaseStage(v.Number())]; n != 0 {
			r.OpenCases.Stages = append(r.OpenCases.Stages, Stage{words.ChoiceName(v), Label{words.In("zh").Choice(v), words.In("en").Choice(v)}, n})
		}
	}
	return err
}

func (r *Report) readAlerts(tx Reading, zone *time.Location, has func(hlc.ID) bool) error {
	err := tx.AlertsOfDays(r.From.Date, r.To.Date, func(c AlertCount) {
		if has(c.Audience) {
			r.Alerts.Sent += c.Sent
			r.Alerts.Open += c.Open
		}
	})
	// An alert that says no day, as hardly any does, is of the day on which it was seen in the deployment's time zone, which may be another
	// one tomorrow.
	return errors.Join(err, Each(tx, recordv1.Kind_KIND_RISK_ALERT, 0, has, func(_ record.Date, a *recordv1.RiskAlert) {
		if day := record.DateOf(time.UnixMilli(a.GetSeenAt()), zone); r.From.Date <= day && day <= r.To.Date {
			r.Alerts.Sent++
		}
	}))
}

// Each hands out the records of a kind up to a day that stand: not those that were deleted or cancelled, or say that they are the
// same as another.
func Each[M any, P interface {
	*M
	record.Common
}](tx ByDay, kind record.Kind, until record.Date, has func(hlc.ID) bool, one func(record.Date, P)) error {
	audiences, err := tx.Audiences(kind)
	if err != nil {
		return err
	}
	for _, audience := range audiences {
		if !has(audience) {
			continue
		}
		run := progress.DayRange{Kind: kind, Audience: audience, To: until, Limit: 500}
		for more := true; more; {
			chunk, err := tx.RecordsByDay(run)
			if err != nil {
				return err
			}
			for _, found := range chunk {
				m := P(new(M))
				if stands, err := read(found, m); err != nil {
					return err
				} else if stands {
					one(record.Date(found.Day), m)
				}
			}
			if more = len(chunk) == run.Limit; more {
				run.Before = &chunk[len(chunk)-1]
			}
		}
	}
	return nil
}

// read reads a record, and reports whether it stands.
func read(r syncing.Record, into record.Common) (stands bool, err error) {
	registers, err := record.DecodeState(r.State)
	if err == nil && !registers.Deleted() {
		err = proto.Unmarshal(registers.Fields(), into)
		stands = r.DuplicateOf == hlc.ID{} && into.GetStatus() != recordv1.Status_STATUS_CANCELLED
	}
	if err != nil {
		return false, fmt.Errorf("record %v: %w", r.ID, err)
	}
	return stands, nil
}
