package webui

import (
	"net/url"
	"slices"
	"strings"

	"levee/server/internal/access"
	"levee/server/internal/casefile"
	"levee/server/internal/indexing"
	"levee/server/internal/progress"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
	"levee/syncproto/words"
)

const pathReview = pathIn + "/review"

func reviewRoutes(r *router) {
	r.page(pathReview, access.ReviewRecords, (*visit).queue)
	r.waiting(pathReview, "nav_review", access.ReviewRecords, (*visit).awaitingReview)
	r.page(pathReview+"/:record", access.ReviewRecords, reads((*visit).toBeReviewed))
	r.deed(pathReview+"/:record/approval", access.ReviewRecords, (*visit).approve)
	r.deed(pathReview+"/:record/return", access.ReviewRecords, (*visit).returnRecord)
	r.deed(pathReview+"/preview", access.ReviewRecords, (*visit).previewApproval)
	r.deed(pathReview+"/approvals", access.ReviewRecords, (*visit).approveMany)
	r.page(pathReview+"/approvals/:shown", access.ReviewRecords, (*visit).approvals)
}

// standings are where records stand with their reviews, by the names that addresses have, and the names of their messages.
var standings = []struct {
	standing    tally.Standing
	name, label string
}{{tally.Waiting, "waiting", "standing_waiting"}, {tally.Returned, "returned", "standing_returned"}, {tally.Approved, "approved", "standing_approved"}}

// filter is which part of the queue somebody looks at.
type filter struct {
	standing tally.Standing
	team     hlc.ID
	kind     record.Kind
	from, to record.Date
}

// filter is that of the address; what is no filter is none.
func (v *visit) filter() filter {
	f := filter{standing: tally.Waiting, team: parsed(v.QueryParam("team"))}
	for _, one := range standings {
		if one.name == v.QueryParam("standing") {
			f.standing = one.standing
		}
	}
	if kind, ok := words.KindNamed(v.QueryParam("kind")); ok {
		f.kind = kind
	}
	for name, day := range map[string]*record.Date{"from": &f.from, "to": &f.to} {
		if d, err := record.ParseDate(v.QueryParam(name)); err == nil && d.Valid() {
			*day = d
		}
	}
	return f
}

// query is the filter as an address has it.
func (f filter) query() url.Values {
	q := url.Values{}
	for _, one := range standings {
		if one.standing == f.standing && f.standing != tally.Waiting {
			q.Set("standing", one.name)
		}
	}
	if f.team != access.Everyone {
		q.Set("team", f.team.String())
	}
	if f.kind != 0 {
		q.Set("kind", words.KindName(f.kind))
	}
	if f.from != 0 {
		q.Set("from", f.from.String())
	}
	if f.to != 0 {
		q.Set("to", f.to.String())
	}
	return q
}

// inReview is an address in the review with a query, in the language that is asked for.
func (v *visit) inReview(q url.Values, parts ...string) string {
	path := to(v.within.Syncing.Deployment(), append([]string{"review"}, parts...)...)
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	return v.To(path)
}

// queueOf is what the queue is asked by a filter.
func (v *visit) queueOf(f filter) indexing.QueueQuery {
	q := indexing.QueueQuery{Standing: f.standing, Teams: v.cut(access.ReviewRecords), From: f.from, To: f.to}
	if f.team != access.Everyone && (q.Teams == nil || slices.Contains(q.Teams, f.team)) {
		q.Teams = []hlc.ID{f.team}
	}
	if f.kind != 0 {
		q.Kinds = []record.Kind{f.kind}
	}
	return q
}

// place is the filter of the address, and where in the queue the record stands that it names.
func (v *visit) place() url.Values {
	q := v.filter().query()
	if day := v.QueryParam("day"); day != "" {
		q.Set("day", day)
	}
	return q
}

// placeText is where a page of the queue ends, as an address has it.
func placeText(p indexing.QueuePlace) string { return p.Day.String() + "." + p.Record.String() }

func placeOf(text string) indexing.QueuePlace {
	day, id, _ := strings.Cut(text, ".")
	d, err := record.ParseDate(day)
	if err != nil || parsed(id) == (hlc.ID{}) {
		return indexing.QueuePlace{}
	}
	return indexing.QueuePlace{Day: d, Record: parsed(id)}
}

// awaitingReview is how many records wait for a review of the visitor's.
func (v *visit) awaitingReview() (n int64, err error) {
	counts, err := v.within.Indexing.ReviewCounts(v.context(), v.queueOf(filter{}).Teams)
	for _, c := range counts {
		if c.Standing == tally.Waiting {
			n += c.Count
		}
	}
	return n, err
}

// queueBody is what the page of the queue shows.
type queueBody struct {
	narrowing
	Standings []link
	Lead      string
	Sorting   string
	Rows      []queueRow
	Empty     string
	// Preview is where rows are sent that were chosen; empty where there is nothing to approve.
	Preview string
	Next    string
	Totals  []totalsOf
}

// queueRow is a record in the queue.
type queueRow struct {
	// Value names the record as it was shown, in forms.
	Value, ID             string
	To, What, Day, By, Of string
	Gives                 []string
	// Note is what a reviewer wrote, and when.
	Note string
}

// totalsOf are figures reported and verified, of some part of the deployment.
type totalsOf struct {
	Name string
	Rows []figureRow
}

const queueOfPage = 50

// queue lists the records that stand somewhere with their reviews.
func (v *visit) queue() error {
	f := v.filter()
	q := v.queueOf(f)
	q.Limit, q.After = queueOfPage, placeOf(v.QueryParam("after"))
	found, err := v.within.Indexing.Queue(v.context(), q)
	if err != nil {
		return err
	}
	b := queueBody{narrowing: narrowing{Action: v.inReview(nil)}, Lead: v.T("review_lead"), Empty: v.T(map[tally.Standing]string{tally.Waiting: "queue_empty", tally.Returned: "returned_empty", tally.Approved: "approved_empty"}[f.standing])}
	if b.Standings, err = v.standingLinks(f, q); err != nil {
		return err
	}
	if b.Rows, err = v.queueRows(f, found); err != nil {
		return err
	}
	if b.Totals, err = v.reviewTotals(f, q); err != nil {
		return err
	}
	if n, err := v.sorting(); err != nil {
		return err
	} else if n > 0 {
		b.Sorting = v.N("being_sorted_in", n)
	}
	if f.standing == tally.Waiting && len(b.Rows) > 0 {
		b.Preview = v.inReview(f.query(), "preview")
	}
	if len(found) == queueOfPage {
		next := f.query()
		next.Set("after", placeText(found[len(found)-1].Place()))
		b.Next = v.inReview(next)
	}
	v.filterFields(f, &b)
	return v.show("queue", &page{Title: v.T("title_review"), Body: b})
}

// sorting is how many changes are not sorted in yet.
func (v *visit) sorting() (int64, error) {
	behind, err := v.within.Indexing.Behind(v.context())
	return int64(behind), err //nolint:gosec // positions have 63 bits
}

// standingLinks lead to where records stand, with how many there are where the filter leaves no days out.
func (v *visit) standingLinks(f filter, q indexing.QueueQuery) ([]link, error) {
	counts, err := v.within.Indexing.ReviewCounts(v.context(), q.Teams)
	if err != nil {
		return nil, err
	}
	var links []link
	for _, one := range standings {
		there := f
		there.standing = one.standing
		l := link{To: v.inReview(there.query()), Name: v.T(one.label), Here: f.standing == one.standing}
		for _, c := range counts {
			if c.Standing == one.standing && (f.kind == 0 || f.kind == c.Kind) && f.from == 0 && f.to == 0 {
				l.Count += c.Count
			}
		}
		links = append(links, l)
	}
	return links, nil
}

// filterFields are what narrows the queue.
func (v *visit) filterFields(f filter, b *queueBody) {
	form := &form{wording: v.wording}
	team := &field{Name: "team", Sort: "select", Label: v.T("column_team"), Options: v.teamOptions(access.ReviewRecords)}
	if f.team != access.Everyone {
		team.Value = f.team.String()
	}
	kind, terms := &field{Name: "kind", Sort: "select", Label: v.T("column_kind")}, v.terms()
	for _, k := range record.Kinds() {
		if len(tally.CountedFields(k)) > 0 {
			kind.Options = append(kind.Options, option{words.KindName(k), terms.KindLabel(k)})
		}
	}
	if f.kind != 0 {
		kind.Value = words.KindName(f.kind)
	}
	from, until := &field{Name: "from", Sort: "date", Label: v.T("filter_from")}, &field{Name: "to", Sort: "date", Label: v.T("filter_to")}
	if f.from != 0 {
		from.Value = f.from.String()
	}
	if f.to != 0 {
		until.Value = f.to.String()
	}
	form.add(team, kind, from, until)
	b.Narrow = form.Fields
	if standing := f.query().Get("standing"); standing != "" {
		b.Kept = append(b.Kept, keptField{"standing", standing})
	}
}

// queueRows are records with what they give.
func (v *visit) queueRows(f filter, found []indexing.Reviewed) ([]queueRow, error) {
	ids, days := make([]hlc.ID, len(found)), map[hlc.ID]record.Date{}
	for i, r := range found {
		ids[i], days[r.Record] = r.Record, r.Day
	}
	giving, err := v.within.Progress.Giving(v.context(), ids)
	if err != nil {
		return nil, err
	}
	var rows []queueRow
	for _, g := range giving {
		query := f.query()
		query.Set("day", days[g.ID].String())
		row := v.queueRow(g)
		row.To = v.inReview(query, g.ID.String())
		if f.standing == tally.Waiting && row.Note != "" {
			row.Note = v.List([]string{row.Note, v.T("changed_after")})
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// queueRow is a record with what it gives.
func (v *visit) queueRow(g progress.Giving) queueRow {
	terms := v.terms()
	row := queueRow{Value: shownAs(g.ID, g.Position), ID: g.ID.String(), What: v.entryName(terms, casefile.Entry{Kind: g.Kind, Name: g.Name}), Day: v.day(g.Day), By: g.Author.Name, Of: g.Team.Name,
		To: v.To(v.toRecord(g.ID))}
	for _, f := range v.within.Progress.Figures() {
		if n := g.Values[f.Name]; n != 0 && slices.Contains(reviewFigures, f.Name) {
			row.Gives = append(row.Gives, v.Labelled(f.Label.In(v.Lang()), v.Number(n)))
		}
	}
	switch g.Outcome {
	case recordv1.ReviewOutcome_REVIEW_OUTCOME_APPROVED:
		row.Note = v.T("approved_on", v.Time(g.Judged))
	case recordv1.ReviewOutcome_REVIEW_OUTCOME_RETURNED:
		row.Note = v.T("returned_on", v.Time(g.Judged))
		if g.Comment != "" {
			row.Note = v.Labelled(row.Note, g.Comment)
		}
	}
	return row
}

// reviewFigures are those that the review tells.
var reviewFigures = []string{"cases", "case_sessions", "group_sessions", "community_activities", "outreach_rounds", "contacts", "persons"}

// maxTotals bounds of how many teams figures stand beside the queue.
const maxTotals = 6

// reviewTotals are the figures reported and verified of the part of the deployment that a filter is about, as they are kept:
// of a team, of a day, of the whole. Nobody keeps those of one team on one day, so both stand there.
func (v *visit) reviewTotals(f filter, q indexing.QueueQuery) (all []totalsOf, err error) {
	whole, _ := v.sight()
	add := func(by tally.Dimension, keys []string, name func(progress.Row) string) error {
		t, err := v.within.Progress.Totals(v.context(), progress.TotalsQuery{Bases: bothBases, Figures: reviewFigures, By: by})
		if err != nil {
			return err
		}
		for _, row := range t.Rows {
			if !slices.Contains(keys, row.Key) || len(all) == maxTotals {
				continue
			}
			one := totalsOf{Name: name(row)}
			for _, figure := range t.Figures {
				r := v.figureRow(figure, by, row)
				r.Label, r.Into = figure.Label.In(v.Lang()), ""
				one.Rows = append(one.Rows, r)
			}
			all = append(all, one)
		}
		return nil
	}
	if q.Teams != nil {
		var keys []string
		for _, team := range q.Teams {
			keys = append(keys, team.String())
		}
		err = add(tally.Team, keys, func(row progress.Row) string { return v.T("totals_of_team", row.Label.In(v.Lang())) })
	}
	if err == nil && whole && f.from != 0 && f.from == f.to {
		err = add(tally.Day, []string{f.from.String()}, func(progress.Row) string { return v.T("totals_of_day", v.Date(f.from)) })
	}
	if err == nil && whole && len(all) == 0 {
		err = add(tally.Whole, []string{""}, func(progress.Row) string { return v.T("totals_of_all") })
	}
	return all, err
}
