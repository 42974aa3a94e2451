package httpapi

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"levee/server/internal/access"
	"levee/server/internal/alerting"
	"levee/server/internal/casefile"
	"levee/server/internal/review"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
)

// mountAlerts adds the routes of risk alerts. They are confidential: who may see no more than records may have written one, or work on its
// case, and that is judged where the alert is known.
func (a *api) mountAlerts(h huma.API) {
	routeAt(h, access.SeeRecords, "alerts", "/api/alerts", "Risk alerts that nobody has acknowledged, the worst first; or those that somebody has. A token sees none without the scope confidential", a.alerts)
	routeAt(h, access.SeeRecords, "alert", "/api/alerts/{alert}", "One risk alert: who was told of it, and what it says. Each reading is noted in the audit log", a.alert)
	post(h, access.ReviewRecords, "acknowledge-alert", "/api/alerts/{alert}/acknowledgement", "Confirm that somebody knows of a risk alert and sees to it. Again is no error", a.acknowledgeAlert)
	post(h, access.ReviewRecords, "close-alert", "/api/alerts/{alert}/closing", "Say on which day the danger was over", a.closeAlert)
}

type alertsBody struct {
	Alerts []AlertView `json:"alerts" nullable:"false" doc:"Open ones: the worst first, and of these the oldest. Acknowledged ones: the newest day first. What they say is not shown."`
	Next   string      `json:"next,omitempty" doc:"With state=acknowledged, to be given as after for the next page; absent on the last one. A page may have no rows, and yet a next one."`
}

// AlertView is how a risk alert stands, without what it says.
type AlertView struct {
	ID             string       `json:"id" format:"uuid"`
	Seen           uint64       `json:"seen" doc:"What the closing says it was shown with."`
	Type           string       `json:"type" example:"missing"`
	Level          string       `json:"level" enum:"unknown,yellow,orange,red"`
	Team           namedView    `json:"team"`
	Site           namedView    `json:"site"`
	Author         namedView    `json:"author"`
	SeenAt         *time.Time   `json:"seen_at,omitempty" doc:"When its author saw the danger."`
	Received       time.Time    `json:"received" doc:"When the server first heard of it."`
	AcknowledgedBy namedView    `json:"acknowledged_by" doc:"Empty while it is open."`
	AcknowledgedAt *time.Time   `json:"acknowledged_at,omitempty"`
	ClosedOn       string       `json:"closed_on,omitempty" format:"date" doc:"The day on which the danger was over."`
	Told           []noticeView `json:"told" nullable:"false" doc:"Who was told, by step. Empty in lists of acknowledged ones."`
	Next           []namedView  `json:"next" nullable:"false" doc:"Whom the next step tells."`
	NextAt         *time.Time   `json:"next_at,omitempty" doc:"When."`
}

type noticeView struct {
	Step     int        `json:"step" doc:"Counts from 1."`
	Worker   namedView  `json:"worker"`
	Channel  string     `json:"channel" enum:"mail,sms"`
	At       time.Time  `json:"at" doc:"When the step began."`
	Outcome  string     `json:"outcome" enum:"waiting,sent,failed,no_address,off"`
	Attempts int        `json:"attempts"`
	Tried    *time.Time `json:"tried,omitempty" doc:"When last."`
}

// AlertsAsked says which alerts are wanted.
type AlertsAsked struct {
	Scope
	State string `query:"state" default:"open" enum:"open,acknowledged" doc:"Whether somebody has acknowledged them. All open ones are on one page."`
	Paging
}

func (a *api) alerts(ctx context.Context, in *AlertsAsked) (*answer[alertsBody], error) {
	// What comes of telling people is in no log of changes.
	return replyWhole(ctx, a, in.Scope, func(d *Deployment, _ string) (alertsBody, error) {
		body := alertsBody{Alerts: []AlertView{}}
		sees := seesRecord(reader(ctx, d))
		if in.State == "open" {
			for _, one := range d.Alerting.Open(sees) {
				body.Alerts = append(body.Alerts, viewAlert(d, &one))
			}
			return body, nil
		}
		teams, err := within(ctx, d, "")
		if err != nil {
			return body, err
		}
		page := in.page()
		past, next, err := d.Alerting.Past(ctx, alerting.PastQuery{Teams: teams, Sees: sees, After: page.After, Limit: page.Limit})
		for i := range past {
			body.Alerts = append(body.Alerts, viewAlert(d, &past[i]))
		}
		body.Next = idText(next)
		return body, err
	})
}

// seesRecord reports whether somebody sees a record.
func seesRecord(by casefile.Reader) func(syncing.Record, syncing.Circle) bool {
	return func(r syncing.Record, c syncing.Circle) bool {
		action := access.Seeing(c.Shows)
		return access.May(by.Person, action, c.Where(by.Person, r.Audience)) == access.Yes && by.May(action)
	}
}

func viewAlert(d *Deployment, one *alerting.Alert) AlertView {
	setUp := d.Syncing.SetUp()
	v := AlertView{ID: one.ID.String(), Seen: one.Position, Type: choiceText(one.Type), Level: choiceText(one.Level), Team: teamIn(setUp, one.Team), Site: siteIn(setUp, one.Site), Author: workerIn(setUp, one.Author),
		SeenAt: known(one.SeenAt), Received: one.Received.UTC(), AcknowledgedBy: workerIn(setUp, one.AcknowledgedBy), AcknowledgedAt: known(one.AcknowledgedAt), ClosedOn: dateText(one.ClosedOn), Told: []noticeView{},
		Next: []namedView{}, NextAt: known(one.NextAt)}
	for _, n := range one.Notices {
		v.Told = append(v.Told, noticeView{n.Step, workerIn(setUp, n.Worker), string(n.Channel), n.At.UTC(), string(n.Outcome), n.Attempts, known(n.Tried)})
	}
	for _, worker := range one.Next {
		v.Next = append(v.Next, workerIn(setUp, worker))
	}
	return v
}

// known is a time; nil for the zero one.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// OfAlert names one alert.
type OfAlert struct {
	Scope
	Alert string `path:"alert" format:"uuid" doc:"Id of the alert."`
}

func (in OfAlert) id() hlc.ID {
	id, _ := uuid.Parse(in.Alert) // validated
	return id
}

type alertBody struct {
	AlertView
	Record recordBody `json:"record" doc:"What it says, and what happened to it."`
}

func (a *api) alert(ctx context.Context, in *OfAlert) (*answer[alertBody], error) {
	return noted(ctx, a, in.Scope, func(d *Deployment, by casefile.Reader, lang string) (alertBody, error) {
		found, err := d.Alerting.Find(ctx, in.id(), seesRecord(by))
		if err != nil {
			return alertBody{}, err
		}
		file, err := d.Casefile.File(ctx, by, in.id())
		return alertBody{viewAlert(d, &found), viewFile(file, lang)}, err
	})
}

func (a *api) acknowledgeAlert(ctx context.Context, in *OfAlert) (*struct{}, error) {
	return a.deed(ctx, in.Scope, func(d *Deployment, by casefile.Reader) error {
		if err := d.Review.Acknowledge(ctx, by, in.id()); err != nil {
			return err
		}
		return d.Alerting.Refresh(ctx) // from now on it is open on no page
	})
}

type closeAlertIn struct {
	OfAlert
	Body struct {
		Seen     int64  `json:"seen" minimum:"1" doc:"As the alert said it. When the day was set since, the answer is changed_meanwhile."`
		ClosedOn string `json:"closed_on" format:"date" doc:"Not a day to come. Somebody must have acknowledged the alert."`
	}
}

func (a *api) closeAlert(ctx context.Context, in *closeAlertIn) (*struct{}, error) {
	return a.deed(ctx, in.Scope, func(d *Deployment, by casefile.Reader) error {
		day, err := dateOf("closed_on", in.Body.ClosedOn)
		if err != nil {
			return err
		}
		return d.Review.CloseAlert(ctx, by, review.Seen{ID: in.id(), Position: uint64(in.Body.Seen)}, day) //nolint:gosec // not negative
	})
}
