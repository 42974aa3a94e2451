package httpapi

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"levee/server/internal/access"
	"levee/server/internal/casefile"
	"levee/server/internal/indexing"
	"levee/server/internal/review"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/tally"
	"levee/syncproto/words"
)

// mountReview adds the routes by which records are reviewed. Each deed says up to which position its author has seen the record.
func (a *api) mountReview(h huma.API) {
	route(h, access.ReviewRecords, "review", "Records to be reviewed, returned or approved, the newest day first", a.queue)
	give(h, http.StatusOK, access.ReviewRecords, "preview-approvals", "/api/review/preview", "What approving some records would verify. It changes nothing", a.previewApprovals)
	give(h, http.StatusOK, access.ReviewRecords, "approve-many", "/api/review/approvals", "Approve records as they were shown, up to 200 at once. What changed since is left out, and the answer says so", a.approveMany)
	post(h, access.ReviewRecords, "approve", "/api/records/{id}/approval", "Approve a record as it was shown", a.approve)
	post(h, access.ReviewRecords, "return", "/api/records/{id}/return", "Give a record back to who logged it, with reasons or a comment, which reach their tablet", a.returnRecord)
}

// DayPaging is Paging for lists in the order of days.
type DayPaging struct {
	After string `query:"after" pattern:"^[0-9]{4}-[0-9]{2}-[0-9]{2}([.][0-9a-f-]{36}){1,2}$" doc:"The next of the page before; absent for the first page."`
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many rows to give at most."`
}

// place is where the page before ended.
func (p DayPaging) place() (day record.Date, ids [2]hlc.ID) {
	text, rest, _ := strings.Cut(p.After, ".")
	day, _ = record.ParseDate(text) // what says no day is on day 0
	for i, one := range strings.Split(rest, ".") {
		ids[i], _ = uuid.Parse(one) // what is no id is found nowhere
	}
	return day, ids
}

// placeText is where a page ends.
func placeText(day record.Date, ids ...hlc.ID) string {
	text := day.String()
	for _, id := range ids {
		text += "." + id.String()
	}
	return text
}

// QueueAsked says which part of the queue is wanted.
type QueueAsked struct {
	Scope
	Standing string `query:"standing" default:"waiting" enum:"waiting,returned,approved" doc:"Where the records stand with their reviews."`
	Team     string `query:"team" format:"uuid" doc:"Only those of this team."`
	Kind     string `query:"kind" maxLength:"64" doc:"Only those of this kind." example:"case_session"`
	From     string `query:"from" format:"date" doc:"The first day."`
	To       string `query:"to" format:"date" doc:"The last day."`
	DayPaging
}

type queueBody struct {
	Records  []givingView      `json:"records" nullable:"false" doc:"The newest day first. A record that is gone since is left out."`
	Counts   []reviewCountView `json:"counts" nullable:"false" doc:"How many stand where, by team and kind, of all that the caller reviews."`
	Unsorted uint64            `json:"unsorted" doc:"Changes that are not in the queue yet; 0 when it is up to date."`
	Next     string            `json:"next,omitempty" doc:"To be given as after for the next page; absent on the last one."`
}

// givingView is a record with what it gives to all figures.
type givingView struct {
	ID     string           `json:"id" format:"uuid"`
	Seen   uint64           `json:"seen" doc:"What a deed about the record says it was shown with."`
	Kind   string           `json:"kind" example:"case_session"`
	Name   string           `json:"name,omitempty"`
	Day    string           `json:"day,omitempty" format:"date" doc:"The day on which it counts."`
	Team   namedView        `json:"team"`
	Author namedView        `json:"author"`
	Gives  map[string]int64 `json:"gives" nullable:"false" doc:"How much it gives, by figure; nothing when it does not count."`
	Review *judgedView      `json:"review,omitempty" doc:"The newest review; absent without any."`
}

type judgedView struct {
	Outcome string    `json:"outcome" enum:"unknown,approved,returned"`
	Comment string    `json:"comment,omitempty"`
	At      time.Time `json:"at"`
}

type reviewCountView struct {
	Team     namedView `json:"team"`
	Kind     string    `json:"kind" example:"case_session"`
	Standing string    `json:"standing" enum:"waiting,returned,approved"`
	Count    int64     `json:"count"`
}

// standingNames are the names of where records stand with their reviews.
var standingNames = map[tally.Standing]string{tally.Waiting: "waiting", tally.Returned: "returned", tally.Approved: "approved"}

func (a *api) queue(ctx context.Context, in *QueueAsked) (*answer[queueBody], error) {
	return replySorted(ctx, a, in.Scope, func(d *Deployment, _ string) (queueBody, error) {
		q, err := queueOf(ctx, d, in)
		if err != nil {
			return queueBody{}, err
		}
		body := queueBody{Counts: []reviewCountView{}}
		if body.Unsorted, err = d.Indexing.Behind(ctx); err != nil {
			return body, err
		}
		found, err := d.Indexing.Queue(ctx, q)
		if err != nil {
			return body, err
		}
		if len(found) == q.Limit {
			last := found[len(found)-1]
			body.Next = placeText(last.Day, last.Record)
		}
		ids := make([]hlc.ID, len(found))
		for i, r := range found {
			ids[i] = r.Record
		}
		if body.Records, err = givings(ctx, d, ids); err != nil {
			return body, err
		}
		counts, err := d.Indexing.ReviewCounts(ctx, q.Teams)
		for _, c := range counts {
			body.Counts = append(body.Counts, reviewCountView{teamIn(d.Syncing.SetUp(), c.Audience), kindText(c.Kind), standingNames[c.Standing], c.Count})
		}
		return body, err
	})
}

func queueOf(ctx context.Context, d *Deployment, in *QueueAsked) (q indexing.QueueQuery, err error) {
	q.Limit = in.Limit
	for standing, name := range standingNames {
		if name == in.Standing {
			q.Standing = standing
		}
	}
	if in.Kind != "" {
		kind, ok := words.KindNamed(in.Kind)
		if !ok {
			return q, problem.Newf(problem.InvalidArgument, "kind: there is none of this name")
		}
		q.Kinds = []record.Kind{kind}
	}
	if q.From, err = dateOf("from", in.From); err != nil {
		return q, err
	}
	if q.To, err = dateOf("to", in.To); err != nil {
		return q, err
	}
	day, ids := in.place()
	q.After = indexing.QueuePlace{Day: day, Record: ids[0]}
	q.Teams, err = within(ctx, d, in.Team)
	return q, err
}

// givings are records with what they give.
func givings(ctx context.Context, d *Deployment, ids []hlc.ID) ([]givingView, error) {
	all, err := d.Progress.Giving(ctx, ids)
	views := make([]givingView, 0, len(all))
	for _, g := range all {
		view := givingView{ID: g.ID.String(), Seen: g.Position, Kind: kindText(g.Kind), Name: g.Name, Day: dateText(g.Day), Team: viewNamed(g.Team), Author: viewNamed(g.Author), Gives: map[string]int64{}}
		for figure, n := range g.Values {
			if n != 0 {
				view.Gives[figure] = n
			}
		}
		if g.Outcome != 0 {
			view.Review = &judgedView{choiceText(g.Outcome), g.Comment, g.Judged.UTC()}
		}
		views = append(views, view)
	}
	return views, err
}

type previewIn struct {
	Scope
	Body struct {
		Records []string `json:"records" minItems:"1" maxItems:"200" format:"uuid" nullable:"false" doc:"Ids of the records."`
	}
}

type previewBody struct {
	Verified map[string]int64 `json:"verified" nullable:"false" doc:"By how much each verified figure would rise. Persons are not among them: how many of them are new is not known before they are counted."`
	Missing  []string         `json:"missing" nullable:"false" doc:"Records that are not there, or not for the caller to review."`
}

func (a *api) previewApprovals(ctx context.Context, in *previewIn) (*given[previewBody], error) {
	return ask(ctx, a, in.Scope, func(d *Deployment, by casefile.Reader) (previewBody, error) {
		body := previewBody{map[string]int64{}, []string{}}
		ids := make([]hlc.ID, len(in.Body.Records))
		for i, text := range in.Body.Records {
			ids[i], _ = uuid.Parse(text) // what is no id is not there
		}
		would, err := d.Review.Preview(ctx, by, ids)
		for figure, n := range would.Figures {
			body.Verified[figure.String()] = n
		}
		for _, id := range would.Missing {
			body.Missing = append(body.Missing, id.String())
		}
		return body, err
	})
}

// shownRecord is a record as the caller was shown it.
type shownRecord struct {
	ID   string `json:"id" format:"uuid"`
	Seen int64  `json:"seen" minimum:"1" doc:"As the list, or the record, said it."`
}

func (r shownRecord) seen() review.Seen {
	id, _ := uuid.Parse(r.ID)                            // validated
	return review.Seen{ID: id, Position: uint64(r.Seen)} //nolint:gosec // not negative
}

type approveManyIn struct {
	Scope
	Body struct {
		Records []shownRecord `json:"records" minItems:"1" maxItems:"200" nullable:"false"`
	}
}

type approvalsBody struct {
	Outcomes []outcomeView `json:"outcomes" nullable:"false" doc:"One for each record, in their order."`
}

type outcomeView struct {
	ID       string `json:"id" format:"uuid"`
	Approved bool   `json:"approved"`
	Code     string `json:"code,omitempty" doc:"Why it was left out." example:"changed_meanwhile"`
	Message  string `json:"message,omitempty" doc:"The same, as a person reads it."`
}

func (a *api) approveMany(ctx context.Context, in *approveManyIn) (*given[approvalsBody], error) {
	return ask(ctx, a, in.Scope, func(d *Deployment, by casefile.Reader) (approvalsBody, error) {
		body := approvalsBody{[]outcomeView{}}
		targets := make([]review.Seen, len(in.Body.Records))
		for i, r := range in.Body.Records {
			targets[i] = r.seen()
		}
		outcomes, err := d.Review.ApproveMany(ctx, by, targets)
		for i, outcome := range outcomes {
			view := outcomeView{ID: targets[i].ID.String(), Approved: outcome == nil}
			var unfit *record.Problem
			var p *problem.Problem
			switch {
			case outcome == nil:
			case errors.As(outcome, &p) && p.Code != problem.Internal:
				view.Code, view.Message = string(p.Code), problem.Message(p.Code, languageOf(in.AcceptLanguage))
			case errors.As(outcome, &unfit):
				view.Code, view.Message = string(unfit.Code), record.Message(unfit.Code, languageOf(in.AcceptLanguage))
			default:
				return body, outcome
			}
			body.Outcomes = append(body.Outcomes, view)
		}
		sorted(ctx, d)
		return body, err
	})
}

type approveIn struct {
	Scope
	ID   string `path:"id" format:"uuid" doc:"Id of the record."`
	Body struct {
		Seen int64 `json:"seen" minimum:"1" doc:"As the list, or the record, said it. When a counted field was set since, the answer is changed_meanwhile."`
	}
}

func (a *api) approve(ctx context.Context, in *approveIn) (*struct{}, error) {
	return a.deed(ctx, in.Scope, func(d *Deployment, by casefile.Reader) error {
		return d.Review.Approve(ctx, by, shownRecord{in.ID, in.Body.Seen}.seen())
	})
}

type returnIn struct {
	Scope
	ID   string `path:"id" format:"uuid" doc:"Id of the record."`
	Body struct {
		Seen    int64    `json:"seen" minimum:"1" doc:"As the list, or the record, said it. When a counted field was set since, the answer is changed_meanwhile."`
		Reasons []string `json:"reasons,omitempty" enum:"missing,numbers,date,untrue,privacy" nullable:"false" doc:"One of them, or a comment, must be there."`
		Comment string   `json:"comment,omitempty" maxLength:"1000" doc:"What is to be mended. No personal data."`
	}
}

func (a *api) returnRecord(ctx context.Context, in *returnIn) (*struct{}, error) {
	return a.deed(ctx, in.Scope, func(d *Deployment, by casefile.Reader) error {
		var reasons []recordv1.ReviewReason
		for number := range recordv1.ReviewReason_name {
			if reason := recordv1.ReviewReason(number); slices.Contains(in.Body.Reasons, choiceText(reason)) {
				reasons = append(reasons, reason)
			}
		}
		slices.Sort(reasons)
		return d.Review.Return(ctx, by, shownRecord{in.ID, in.Body.Seen}.seen(), reasons, in.Body.Comment)
	})
}
