package webui

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"levee/server/internal/access"
	"levee/server/internal/audit"
	"levee/server/internal/casefile"
	"levee/server/internal/indexing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

const pathSearch = pathIn + "/search"

// What is looked for may be somebody's name. So it is sent, and stands in no address.
func searchRoutes(r *router) {
	r.search = pathSearch
	r.form(pathSearch, access.SeeRecords, (*visit).find)
}

const (
	hitsOfPage = 20
	// namesOfPage is how many workers, teams and sites are named.
	namesOfPage = 20
	// snippetLength is how many characters of a text are shown.
	snippetLength = 160
)

// searchBody is what the page of the search shows.
type searchBody struct {
	// Searched: something was looked for, and what was found is shown.
	Searched bool
	Names    []nameRow
	Hits     []hitRow
	// Notes say how much can be found.
	Notes []string
	// Further looks on from where the page ends; nil at the end.
	Further *form
}

// nameRow is a worker, team or site. To is its page; empty where there is none for the visitor.
type nameRow struct{ Kind, Name, Of, To string }

// hitRow is a record that was found.
type hitRow struct {
	To, Name, Team, Day string
	// Confidential: it is for few, and that it was shown is noted.
	Confidential bool
	// Field is where it stands, Snippet what stands there.
	Field   string
	Snippet []indexing.Piece
}

// find looks through the records that the visitor may see, and the names of the set-up.
func (v *visit) find() error {
	f := v.form("nav_search").add(
		&field{Name: "q", Label: v.T("field_q"), Hint: v.T("hint_q"), Sort: "search", Required: true, Focus: !v.posted()},
		&field{Name: "of_kind", Sort: "select", Options: v.kindOptions()})
	body := searchBody{}
	show := func() error { return v.show("search", &page{Title: v.T("title_search"), Form: f, Body: &body}) }
	if !v.filled(f) {
		return show()
	}
	looked := f.value("q")
	if !strings.ContainsFunc(looked, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
		f.wrong("q", v.T("wrong_search"))
		return show()
	}
	after, _ := strconv.ParseUint(v.FormValue("after"), 10, 63) // what is no number begins at the beginning
	q := indexing.SearchQuery{Text: looked, Teams: v.cut(access.SeeRecords), Confidential: true, Sees: v.seesRecord, After: after, Limit: hitsOfPage}
	if k, ok := words.KindNamed(f.value("of_kind")); ok {
		q.Kinds = []record.Kind{k}
	}
	found, err := v.within.Indexing.Search(v.context(), q)
	if problem.CodeOf(err) == problem.InvalidArgument {
		f.wrong("q", v.T("wrong_search_long"))
		return show()
	}
	if err != nil {
		return err
	}
	body.Searched = true
	if after == 0 && q.Kinds == nil {
		body.Names = v.namesWith(looked)
	}
	if body.Hits, err = v.hitRows(looked, found.Hits); err != nil {
		return err
	}
	if body.Notes, err = v.searchNotes(looked); err != nil {
		return err
	}
	if found.Next != 0 {
		body.Further = (&form{wording: v.wording, Action: f.Action, Submit: "further"}).add(&field{Name: "q", Sort: "hidden", Value: looked},
			&field{Name: "of_kind", Sort: "hidden", Value: f.value("of_kind")}, &field{Name: "after", Sort: "hidden", Value: strconv.FormatUint(found.Next, 10)})
	}
	return show()
}

// kindOptions are the kinds of records, but those of the set-up.
func (v *visit) kindOptions() (options []option) {
	terms := v.terms()
	for _, k := range record.Kinds() {
		if !record.SetUp(k) {
			options = append(options, option{words.KindName(k), terms.KindLabel(k)})
		}
	}
	return options
}

// searchNotes say what a search does not find.
func (v *visit) searchNotes(looked string) (notes []string, err error) {
	if utf8.RuneCountInString(looked) == 1 {
		notes = append(notes, v.T("search_first"))
	}
	sorting, err := v.sorting()
	if sorting > 0 {
		notes = append(notes, v.N("being_sorted_in", sorting))
	}
	return notes, err
}

// namesWith are the workers, teams and sites whose names have a text.
func (v *visit) namesWith(text string) (rows []nameRow) {
	setUp, terms := v.within.Syncing.SetUp(), v.terms()
	page := func(what string, id hlc.ID, may bool) string {
		if !may {
			return ""
		}
		return v.To(to(v.within.Syncing.Deployment(), what, id.String()))
	}
	found := setUp.Called(text)
	for _, c := range found[:min(namesOfPage, len(found))] {
		row := nameRow{Kind: terms.KindLabel(c.Kind), Name: c.Name}
		switch c.Kind {
		case recordv1.Kind_KIND_WORKER:
			row.Of, row.To = setUp.Teams[c.Of].GetName(), page("workers", c.ID, v.maySeeWorker(c.ID))
		case recordv1.Kind_KIND_TEAM:
			row.Of, row.To = setUp.Sites[c.Of].GetName(), page("teams", c.ID, v.may(access.SeeTotals, c.ID))
		}
		rows = append(rows, row)
	}
	return rows
}

// hitRows are records as the page shows them. That somebody read what is confidential of them is noted before.
func (v *visit) hitRows(looked string, hits []indexing.Hit) (rows []hitRow, err error) {
	terms := v.terms()
	var read []hlc.ID
	for _, hit := range hits {
		r := hit.Record
		if record.SetUp(r.Kind) {
			continue // they are among the names
		}
		m, err := hit.Message()
		if err != nil {
			return nil, err
		}
		e := casefile.Entry{ID: r.ID, Kind: r.Kind, Name: record.Name(r.Kind, m), Day: record.Date(m.GetOccurredOn())}
		row := hitRow{To: v.To(v.toRecord(r.ID)), Name: v.entryName(terms, e), Team: v.within.Syncing.SetUp().Teams[r.Audience].GetName(), Confidential: record.Confidential(hit.Circle.Shows),
			Field: v.nameOfField(terms, r.Kind, hit.Field), Snippet: indexing.Snippet(hit.Text, looked, snippetLength)}
		if e.Name != "" && e.Day.Valid() {
			row.Day = v.Date(e.Day)
		}
		if r.Kind == recordv1.Kind_KIND_RISK_ALERT {
			row.To = v.To(v.toAlert(r.ID))
		}
		if row.Confidential {
			read = append(read, r.ID)
		}
		rows = append(rows, row)
	}
	return rows, v.note(audit.ConfidentialRead, audit.OfRecord, read...)
}

// nameOfField is what people call a field, given its number.
func (v *visit) nameOfField(t *words.Terms, k record.Kind, number protowire.Number) string {
	if f := record.New(k).ProtoReflect().Descriptor().Fields().ByNumber(number); f != nil {
		return v.fieldName(t, k, string(f.Name()))
	}
	return ""
}
