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

type wholeRecordView struct {
	ID      string      `json:"id"`
	Kind    string      `json:"kind" example:"case_note"`
	Root    string      `json:"root" doc:"Id of the case, group or activity that it belongs to; its own when it belongs to none."`
	Team    namedView   `json:"team" doc:"Whose it is; absent for what the whole deployment sees."`
	Deleted bool        `json:"deleted"`
	Fields  []fieldView `json:"fields" nullable:"false" doc:"Those that are set."`
}

type fieldView struct {
	Name  string    `json:"name" example:"occurred_on" doc:"The field's number where only a newer program knows it."`
	Value any       `json:"value" doc:"Text, a number, true, a list or an object. Ids are UUIDs, dates as in 2021-09-23, choices by name. Of fields that tell people apart it is how many there are."`
	By    namedView `json:"by" doc:"Whose tablet set it; absent for the server."`
	At    time.Time `json:"at" doc:"When it was set, by that tablet's corrected clock."`
}

type recordBody struct {
	wholeRecordView
	History []eventView `json:"history" nullable:"false" doc:"What happened to it, as it came to the server; the newest 200."`
}

type eventView struct {
	What     string     `json:"what" enum:"made,edited,deleted,restored,given_back,held,discarded,erased"`
	Code     string     `json:"code,omitempty" doc:"Why it is held."`
	Message  string     `json:"message,omitempty" doc:"The same, as a person reads it."`
	By       namedView  `json:"by" doc:"Whose tablet it came from; absent for the server, and for what was given back."`
	At       *time.Time `json:"at,omitempty" doc:"When it was done, by that tablet's corrected clock; absent where that is not kept."`
	Received time.Time  `json:"received"`
	Fields   []string   `json:"fields" nullable:"false" doc:"Names of the fields that were set or emptied."`
}

type confidentialBody struct {
	Records []wholeRecordView `json:"records" nullable:"false" doc:"By kind, the oldest first. A supervisor from outside gets no identities and no consents."`
}

// OfRecord names one record.
type OfRecord struct {
	Scope
	ID string `path:"id" format:"uuid" doc:"Id of the record."`
}

func (a *api) record(ctx context.Context, in *OfRecord) (*answer[recordBody], error) {
	return read(ctx, a, in, func(s *casefile.Service, by casefile.Reader, id uuid.UUID, lang string) (recordBody, error) {
		r, err := s.Record(ctx, by, id)
		body := recordBody{viewWhole(r), []eventView{}}
		for _, e := range r.History {
			view := eventView{What: e.What, Code: string(e.Code), By: viewNamed(e.By), Received: e.Received, Fields: append([]string{}, e.Fields...)}
			if e.Code != "" {
				view.Message = record.Message(e.Code, lang)
			}
			if !e.At.IsZero() {
				view.At = &e.At
			}
			body.History = append(body.History, view)
		}
		return body, err
	})
}

func (a *api) confidential(ctx context.Context, in *OfRecord) (*answer[confidentialBody], error) {
	return read(ctx, a, in, func(s *casefile.Service, by casefile.Reader, id uuid.UUID, _ string) (confidentialBody, error) {
		if !by.May(access.SeeConfidential) {
			return confidentialBody{}, problem.New(problem.NotAllowed) // the token is not for this, whoever it acts as
		}
		records, err := s.Confidential(ctx, by, id)
		body := confidentialBody{[]wholeRecordView{}}
		for _, r := range records {
			body.Records = append(body.Records, viewWhole(r))
		}
		return body, err
	})
}

// read answers a request for records of which each reading is noted, so that nobody is told that they have the answer
// already.
func read[B any](ctx context.Context, a *api, in *OfRecord, fn func(*casefile.Service, casefile.Reader, uuid.UUID, string) (B, error)) (*answer[B], error) {
	lang := languageOf(in.AcceptLanguage)
	fail := func(err error) (*answer[B], error) { return nil, bodyOf(a.toProblem(err), lang) }
	// Who may see no more than records may work on a case: that is judged where the case is known.
	d, err := a.enterFor(ctx, in.Deployment, access.SeeRecords)
	if err != nil {
		return fail(err)
	}
	who := callerOf(ctx)
	id, _ := uuid.Parse(in.ID) // validated
	by := casefile.Reader{Person: who.Person(d), Actor: who.Actor(d.Syncing.Deployment()),
		May: func(action access.Action) bool { return who.Token == nil || who.Token.May(scopeOf(action)) }}
	body, err := fn(d.Casefile, by, id, lang)
	if err != nil {
		return fail(err)
	}
	return &answer[B]{Status: http.StatusOK, Language: lang, Body: body}, nil
}

func viewWhole(r casefile.Record) wholeRecordView {
	view := wholeRecordView{r.ID.String(), kindText(r.Kind), r.Root.String(), viewNamed(r.Team), r.Deleted, []fieldView{}}
	for _, f := range r.Fields {
		view.Fields = append(view.Fields, fieldView{f.Name, f.Value, viewNamed(f.By), f.At})
	}
	return view
}
