package httpapi

import (
	"context"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/danielgtaylor/huma/v2"

	"levee/server/internal/access"
	"levee/server/internal/audit"
	"levee/server/internal/casefile"
	"levee/server/internal/indexing"
	"levee/server/internal/progress"
	"levee/server/internal/syncing"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// mountSearch adds the routes by which records are found. What is looked for may be somebody's name: it is sent, and stands in no address.
func (a *api) mountSearch(h huma.API) {
	give(h, http.StatusOK, access.SeeRecords, "search", "/api/search", "Find records by words, numbers and names in them, and workers, teams and sites by name. That something confidential was found is noted as a reading", a.search)
	routeAt(h, access.SeeRecords, "arrival", "/api/arrivals/{position}", "The batch that brought a change, and the tablet that sent it", a.arrival)
}

type searchIn struct {
	Scope
	Body struct {
		Text  string `json:"text" minLength:"1" maxLength:"200" doc:"Words, numbers and runs of Chinese characters: a record must have all of them. Case and width make no difference. A single Chinese character finds what begins with it." example:"王庄 卫生院"`
		Kind  string `json:"kind,omitempty" maxLength:"64" doc:"Only records of this kind." example:"outreach"`
		After int64  `json:"after,omitempty" minimum:"0" doc:"The next of the page before; absent for the first page."`
		Limit int    `json:"limit,omitempty" minimum:"1" maximum:"200" default:"50" doc:"How many rows to give at most."`
	}
}

type searchBody struct {
	Names    []calledView `json:"names" nullable:"false" doc:"Workers, teams and sites, at most 20; on the first page alone, and without a kind."`
	Hits     []hitView    `json:"hits" nullable:"false" doc:"What came last to the server first."`
	Unsorted uint64       `json:"unsorted" doc:"Changes that can't be found yet; 0 when all can."`
	Next     uint64       `json:"next,omitempty" doc:"To be given as after for the next page; absent on the last one. A page may have no hits, and yet a next one."`
}

type calledView struct {
	ID   string `json:"id" format:"uuid"`
	Kind string `json:"kind" enum:"worker,team,site"`
	Name string `json:"name"`
}

type hitView struct {
	ID           string    `json:"id" format:"uuid"`
	Kind         string    `json:"kind" example:"outreach"`
	Name         string    `json:"name,omitempty"`
	Day          string    `json:"day,omitempty" format:"date"`
	Team         namedView `json:"team"`
	Confidential bool      `json:"confidential" doc:"That it was shown is noted as a reading."`
	Field        string    `json:"field" doc:"Where it stands." example:"needs"`
	Snippet      []piece   `json:"snippet" nullable:"false" doc:"What stands there, around it."`
}

type piece struct {
	Text  string `json:"text"`
	Found bool   `json:"found" doc:"It is what was looked for."`
}

const (
	// namesAtOnce is how many workers, teams and sites are named.
	namesAtOnce = 20
	// snippetLength is how many characters of a text are shown.
	snippetLength = 160
)

func (a *api) search(ctx context.Context, in *searchIn) (*given[searchBody], error) {
	return ask(ctx, a, in.Scope, func(d *Deployment, by casefile.Reader) (searchBody, error) {
		body := searchBody{Names: []calledView{}, Hits: []hitView{}}
		q, err := searchOf(ctx, d, by, in)
		if err != nil {
			return body, err
		}
		if body.Unsorted, err = d.Indexing.Behind(ctx); err != nil {
			return body, err
		}
		found, err := d.Indexing.Search(ctx, q)
		if err != nil {
			return body, err
		}
		body.Next = found.Next
		if q.After == 0 && q.Kinds == nil {
			called := d.Syncing.SetUp().Called(in.Body.Text)
			for _, c := range called[:min(namesAtOnce, len(called))] {
				body.Names = append(body.Names, calledView{c.ID.String(), kindText(c.Kind), c.Name})
			}
		}
		body.Hits, err = a.hits(ctx, d, by, in.Body.Text, found.Hits)
		return body, err
	})
}

func searchOf(ctx context.Context, d *Deployment, by casefile.Reader, in *searchIn) (q indexing.SearchQuery, err error) {
	if !strings.ContainsFunc(in.Body.Text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
		return q, problem.Newf(problem.InvalidArgument, "text: there is nothing to look for")
	}
	q = indexing.SearchQuery{Text: in.Body.Text, Confidential: by.May(access.SeeConfidential), Sees: seesRecord(by), After: uint64(in.Body.After), Limit: in.Body.Limit} //nolint:gosec // not negative
	if in.Body.Kind != "" {
		kind, ok := words.KindNamed(in.Body.Kind)
		if !ok {
			return q, problem.Newf(problem.InvalidArgument, "kind: there is none of this name")
		}
		q.Kinds = []record.Kind{kind}
	}
	q.Teams, err = within(ctx, d, "")
	return q, err
}

// hits are records as the answer has them. That somebody read what is confidential of them is noted before.
func (a *api) hits(ctx context.Context, d *Deployment, by casefile.Reader, looked string, found []indexing.Hit) ([]hitView, error) {
	views, id := []hitView{}, d.Syncing.Deployment()
	var read []audit.Entry
	for _, hit := range found {
		r := hit.Record
		if record.SetUp(r.Kind) {
			continue // they are among the names
		}
		m, err := hit.Message()
		if err != nil {
			return views, err
		}
		view := hitView{ID: r.ID.String(), Kind: kindText(r.Kind), Name: record.Name(r.Kind, m), Day: dateText(record.Date(m.GetOccurredOn())), Team: teamIn(d.Syncing.SetUp(), r.Audience),
			Confidential: record.Confidential(hit.Circle.Shows), Field: fieldText(r.Kind, hit.Field), Snippet: []piece{}}
		for _, p := range indexing.Snippet(hit.Text, looked, snippetLength) {
			view.Snippet = append(view.Snippet, piece(p))
		}
		if view.Confidential {
			read = append(read, audit.Entry{Deployment: id, Actor: by.Actor, Action: audit.ConfidentialRead, Subject: audit.Subject{Kind: audit.OfRecord, ID: r.ID}})
		}
		views = append(views, view)
	}
	return views, a.Audit.WriteAll(ctx, read)
}

type arrivalBody struct {
	Device   namedView     `json:"device" doc:"Empty for what the server itself made."`
	Worker   namedView     `json:"worker" doc:"Whose tablet it is."`
	Team     namedView     `json:"team" doc:"The worker's, as it is now."`
	Received time.Time     `json:"received"`
	Changes  []arrivedView `json:"changes" nullable:"false" doc:"What came together, without what is hidden from the caller and what the changes say."`
}

type arrivedView struct {
	Position uint64    `json:"position" doc:"In the log."`
	Sequence uint64    `json:"sequence" doc:"The tablet's own number of it."`
	Record   string    `json:"record,omitempty" format:"uuid"`
	There    bool      `json:"there" doc:"Whether the record is there."`
	Kind     string    `json:"kind" example:"case_session"`
	By       namedView `json:"by" doc:"For whom the server made it on the web."`
	What     string    `json:"what,omitempty" enum:"made,edited,deleted,restored" doc:"Absent where that is erased."`
	Outcome  string    `json:"outcome" enum:"applied,known,erased,discarded,held"`
	Code     string    `json:"code,omitempty" doc:"Why it is held."`
	Message  string    `json:"message,omitempty" doc:"The same, as a person reads it."`
}

func (a *api) arrival(ctx context.Context, in *struct {
	Scope
	Position int64 `path:"position" minimum:"1" doc:"Position of a change in the log."`
}) (*answer[arrivalBody], error) {
	return reply(ctx, a, in.Scope, func(d *Deployment, lang string) (arrivalBody, error) {
		position := uint64(in.Position) //nolint:gosec // not negative
		came, err := d.Progress.Arrival(ctx, position)
		if err != nil {
			return arrivalBody{}, err
		}
		body := arrivalBody{viewNamed(came.Device), viewNamed(came.Worker), viewNamed(came.Team), came.Received.UTC(), []arrivedView{}}
		asked, by := false, reader(ctx, d)
		for _, c := range came.Changes {
			if !seesArrived(d.Syncing.SetUp(), by, c) {
				continue
			}
			asked = asked || c.Position == position
			view := arrivedView{Position: c.Position, Sequence: c.Sequence, Record: idText(c.Record), There: c.There, Kind: kindText(c.Kind), By: viewNamed(c.By), What: c.What, Outcome: c.Outcome, Code: string(c.Code)}
			if c.Code != "" {
				view.Message = record.Message(c.Code, lang)
			}
			body.Changes = append(body.Changes, view)
		}
		if !asked {
			return arrivalBody{}, problem.New(problem.NotFound)
		}
		return body, nil
	})
}

// seesArrived reports whether somebody sees that a change came. Of a record that is not there nobody knows whose it is.
func seesArrived(s *syncing.SetUp, by casefile.Reader, c progress.ArrivedChange) bool {
	action := access.Seeing(c.Kind)
	if !by.May(action) {
		return false
	}
	if !c.There {
		all, _ := access.Teams(by.Person, action)
		return all
	}
	return access.May(by.Person, action, access.Where{Team: c.Audience, Closed: s.Closed()}) == access.Yes
}
