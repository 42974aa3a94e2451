package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"levee/server/internal/access"
	"levee/server/internal/casefile"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// WholeRecordView is a record with its fields.
type WholeRecordView struct {
	ID      string      `json:"id"`
	Kind    string      `json:"kind" example:"case_note"`
	Root    string      `json:"root" doc:"Id of the case, group or activity that it belongs to; its own when it belongs to none."`
	Team    namedView   `json:"team" doc:"Whose it is; absent for what the whole deployment sees."`
	Seen    uint64      `json:"seen" doc:"Position of its newest change in the log: what a deed about the record says it was shown with."`
	Deleted bool        `json:"deleted"`
	Fields  []fieldView `json:"fields" nullable:"false" doc:"Those that are set."`
}

type fieldView struct {
	Name     string    `json:"name" example:"occurred_on" doc:"The field's number where only a newer program knows it."`
	Value    any       `json:"value" doc:"Text, a number, true, a list or an object. Ids are UUIDs, dates as in 2021-09-23, choices by name. Of fields that tell people apart it is how many there are."`
	By       namedView `json:"by" doc:"Whose tablet set it; absent for the server."`
	From     namedView `json:"from" doc:"That tablet."`
	At       time.Time `json:"at" doc:"When it was set, by that tablet's corrected clock."`
	Position uint64    `json:"position,omitempty" doc:"Of the change that set it, in the log: /api/arrivals tells how it came. Absent where that is not known, and in lists of records."`
}

type recordBody struct {
	WholeRecordView
	Name    string       `json:"name,omitempty" doc:"What it is called."`
	Missing []string     `json:"missing" nullable:"false" doc:"Names of the fields without which it is a draft, and does not count."`
	Above   []entryView  `json:"above" nullable:"false" doc:"Records to which it belongs, the nearest first; without what is hidden from the caller."`
	Below   []entryView  `json:"below" nullable:"false" doc:"Records that belong to it, by kind and day, at most 200; without what is hidden from the caller."`
	Further int          `json:"further" doc:"How many more belong to it."`
	Reviews []reviewView `json:"reviews" nullable:"false" doc:"The newest first, which holds."`
	History []eventView  `json:"history" nullable:"false" doc:"What happened to it, as it came to the server; the newest 200."`
}

// entryView is a record as lists name it.
type entryView struct {
	ID      string    `json:"id" format:"uuid"`
	Kind    string    `json:"kind" example:"headcount"`
	Name    string    `json:"name,omitempty"`
	Day     string    `json:"day,omitempty" format:"date"`
	Author  namedView `json:"author"`
	Deleted bool      `json:"deleted"`
}

type reviewView struct {
	ID      string    `json:"id" format:"uuid"`
	Outcome string    `json:"outcome" enum:"unknown,approved,returned"`
	Reasons []string  `json:"reasons" nullable:"false"`
	Comment string    `json:"comment,omitempty"`
	By      namedView `json:"by"`
	At      time.Time `json:"at"`
	Changed []string  `json:"changed" nullable:"false" doc:"Names of the counted fields that are not as they were reviewed: with any, an approval has lapsed."`
}

type eventView struct {
	What     string     `json:"what" enum:"made,edited,deleted,restored,given_back,held,discarded,erased"`
	Code     string     `json:"code,omitempty" doc:"Why it is held."`
	Message  string     `json:"message,omitempty" doc:"The same, as a person reads it."`
	By       namedView  `json:"by" doc:"Whose tablet it came from; absent for the server, and for what was given back."`
	From     namedView  `json:"from" doc:"That tablet."`
	Position uint64     `json:"position" doc:"Of the change, in the log: /api/arrivals tells how it came."`
	At       *time.Time `json:"at,omitempty" doc:"When it was done, by that tablet's corrected clock; absent where that is not kept."`
	Received time.Time  `json:"received"`
	Fields   []string   `json:"fields" nullable:"false" doc:"Names of the fields that were set or emptied."`
}

type confidentialBody struct {
	Records []WholeRecordView `json:"records" nullable:"false" doc:"By kind, the oldest first. A supervisor from outside gets no identities and no consents."`
}

// OfRecord names one record.
type OfRecord struct {
	Scope
	ID string `path:"id" format:"uuid" doc:"Id of the record."`
}

func (a *api) record(ctx context.Context, in *OfRecord) (*answer[recordBody], error) {
	return read(ctx, a, in, func(s *casefile.Service, by casefile.Reader, id uuid.UUID, lang string) (recordBody, error) {
		f, err := s.File(ctx, by, id)
		return viewFile(f, lang), err
	})
}

func viewFile(f casefile.File, lang string) recordBody {
	body := recordBody{WholeRecordView: viewWhole(f.Record), Name: f.Self.Name, Missing: append([]string{}, f.Missing...), Above: viewEntries(f.Above), Below: viewEntries(f.Below), Further: f.Further,
		Reviews: []reviewView{}, History: []eventView{}}
	for _, r := range f.Reviews {
		view := reviewView{r.ID.String(), choiceText(r.Outcome), []string{}, r.Comment, viewNamed(r.By), r.At.UTC(), append([]string{}, r.Changed...)}
		for _, reason := range r.Reasons {
			view.Reasons = append(view.Reasons, choiceText(reason))
		}
		body.Reviews = append(body.Reviews, view)
	}
	for _, e := range f.History {
		view := eventView{What: e.What, Code: string(e.Code), By: viewNamed(e.By), From: viewNamed(e.From), Position: e.Position, At: known(e.At), Received: e.Received, Fields: append([]string{}, e.Fields...)}
		if e.Code != "" {
			view.Message = record.Message(e.Code, lang)
		}
		body.History = append(body.History, view)
	}
	return body
}

func viewEntries(entries []casefile.Entry) []entryView {
	views := []entryView{}
	for _, e := range entries {
		views = append(views, entryView{e.ID.String(), kindText(e.Kind), e.Name, dateText(e.Day), viewNamed(e.Author), e.Deleted})
	}
	return views
}

func (a *api) confidential(ctx context.Context, in *OfRecord) (*answer[confidentialBody], error) {
	return read(ctx, a, in, func(s *casefile.Service, by casefile.Reader, id uuid.UUID, _ string) (confidentialBody, error) {
		if !by.May(access.SeeConfidential) {
			return confidentialBody{}, problem.New(problem.NotAllowed) // the token is not for this, whoever it acts as
		}
		records, err := s.Confidential(ctx, by, id)
		body := confidentialBody{[]WholeRecordView{}}
		for _, r := range records {
			body.Records = append(body.Records, viewWhole(r))
		}
		return body, err
	})
}

// read answers a request for records of which each reading is noted, so that nobody is told that they have the answer
// already.
func read[B any](ctx context.Context, a *api, in *OfRecord, fn func(*casefile.Service, casefile.Reader, uuid.UUID, string) (B, error)) (*answer[B], error) {
	// Who may see no more than records may work on a case: that is judged where the case is known.
	d, err := a.enterFor(ctx, in.Deployment, access.SeeRecords)
	if err != nil {
		return nil, a.refusal(err, in.Asked)
	}
	id, _ := uuid.Parse(in.ID) // validated
	lang := languageOf(in.AcceptLanguage)
	body, err := fn(d.Casefile, reader(ctx, d), id, lang)
	if err != nil {
		return nil, a.refusal(err, in.Asked)
	}
	return &answer[B]{Status: http.StatusOK, Language: lang, Body: body}, nil
}

func viewWhole(r casefile.Record) WholeRecordView {
	view := WholeRecordView{r.ID.String(), kindText(r.Kind), r.Root.String(), viewNamed(r.Team), r.Position, r.Deleted, []fieldView{}}
	for _, f := range r.Fields {
		view.Fields = append(view.Fields, fieldView{f.Name, f.Value, viewNamed(f.By), viewNamed(f.From), f.At, f.Position})
	}
	return view
}
