package webui

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"levee/server/internal/access"
	"levee/server/internal/casefile"
	"levee/server/internal/indexing"
	"levee/server/internal/review"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// decisionBody is what the page shows on which somebody decides about a record.
type decisionBody struct {
	Record recordBody
	// Approve is where an approval is sent, empty while the record is approved or deleted. Seen is which state of it is shown.
	Approve, Seen string
	Gives         []string
	Queue, Next   link
}

// toBeReviewed shows a record beside its history, to be decided about.
func (v *visit) toBeReviewed() error {
	return v.decide(v.returnForm(), http.StatusOK)
}

// returnForm is what one fills in to return a record.
func (v *visit) returnForm() *form {
	f := &form{wording: v.wording, Action: v.inReview(v.place(), v.Param("record"), "return"), Submit: "submit_return"}
	reasons := &field{Name: "reasons", Sort: "checks"}
	for _, o := range v.terms().Options(recordv1.ReviewReason(0).Descriptor()) {
		if o.Number != 0 {
			reasons.Options = append(reasons.Options, option{o.Name, o.Label})
		}
	}
	return f.add(reasons, &field{Name: "comment", Sort: "area"}, &field{Name: "seen", Sort: "hidden"})
}

// decide shows the page on which one decides about a record.
func (v *visit) decide(f *form, status int) error {
	id, err := v.id("record")
	if err != nil {
		return err
	}
	file, err := v.within.Casefile.File(v.context(), v.reader(), id)
	if err != nil {
		return err
	}
	if err := v.must(access.ReviewRecords, file.Team.ID); err != nil {
		return err
	}
	terms := v.terms()
	b := decisionBody{Record: v.recordBody(terms, file), Queue: link{To: v.inReview(v.filter().query()), Name: v.T("to_queue")}}
	giving, err := v.within.Progress.Giving(v.context(), []hlc.ID{id})
	if err != nil {
		return err
	}
	for _, g := range giving {
		b.Gives = v.queueRow(g).Gives
		b.Seen = strconv.FormatUint(g.Position, 10)
	}
	if !file.Deleted && !approved(file) {
		b.Approve = v.inReview(v.place(), id.String(), "approval")
	}
	if f.field("seen").Value = b.Seen; file.Deleted {
		f = nil
	}
	if next, ok, err := v.following(id); err != nil {
		return err
	} else if ok {
		b.Next = link{To: next, Name: v.T("next_in_queue")}
	}
	return v.showAs(status, "decision", &page{Title: v.entryName(terms, file.Self), Form: f, Body: b})
}

// approved reports whether a record is approved as it stands.
func approved(f casefile.File) bool {
	return len(f.Reviews) > 0 && f.Reviews[0].Outcome == recordv1.ReviewOutcome_REVIEW_OUTCOME_APPROVED && !lapsed(f.Reviews[0])
}

// following is where the next record of the queue is, after one; false when that was the last.
func (v *visit) following(id hlc.ID) (to string, ok bool, err error) {
	f := v.filter()
	q := v.queueOf(f)
	q.Limit = 2
	if day, err := record.ParseDate(v.QueryParam("day")); err == nil && day.Valid() {
		q.After = indexing.QueuePlace{Day: day, Record: id}
	}
	found, err := v.within.Indexing.Queue(v.context(), q)
	found = slices.DeleteFunc(found, func(r indexing.Reviewed) bool { return r.Record == id })
	if err != nil || len(found) == 0 {
		return "", false, err
	}
	query := f.query()
	query.Set("day", found[0].Day.String())
	return v.inReview(query, found[0].Record.String()), true, nil
}

// sorted waits until the queue knows what was done just now, or not much longer: it catches up by itself, and the next page
// says how far it is.
func (v *visit) sorted() {
	ctx, stop := context.WithTimeout(v.context(), sortingTime)
	defer stop()
	_ = v.within.Indexing.CatchUp(ctx)
}

const sortingTime = 3 * time.Second

// approve approves a record as it was shown.
func (v *visit) approve() error {
	return v.decided(v.returnForm(), "approved", func(id hlc.ID, seen uint64) error {
		return v.within.Review.Approve(v.context(), v.reader(), review.Seen{ID: id, Position: seen})
	})
}

// returnRecord returns a record with reasons.
func (v *visit) returnRecord() error {
	f := v.returnForm()
	if v.filled(f); f.ok() && len(f.field("reasons").Values) == 0 && f.value("comment") == "" {
		f.wrong("reasons", v.T("wrong_reasons"))
	}
	if !f.ok() {
		return v.decide(f, http.StatusUnprocessableEntity)
	}
	var reasons []recordv1.ReviewReason
	for _, o := range v.terms().Options(recordv1.ReviewReason(0).Descriptor()) {
		if slices.Contains(f.field("reasons").Values, o.Name) {
			reasons = append(reasons, recordv1.ReviewReason(o.Number))
		}
	}
	return v.decided(f, "returned", func(id hlc.ID, seen uint64) error {
		return v.within.Review.Return(v.context(), v.reader(), review.Seen{ID: id, Position: seen}, reasons, f.value("comment"))
	})
}

// decided does what was decided about a record as it was shown, and goes on to the next one.
func (v *visit) decided(f *form, done string, do func(id hlc.ID, seen uint64) error) error {
	id, err := v.id("record")
	if err != nil {
		return err
	}
	seen, err := strconv.ParseUint(v.FormValue("seen"), 10, 62)
	if err != nil {
		f.Error = v.T("wrong_form")
		return v.decide(f, http.StatusUnprocessableEntity)
	}
	if err := do(id, seen); err != nil {
		return v.refusedRecord(err, f, nil, func() error { return v.decide(f, http.StatusUnprocessableEntity) })
	}
	v.sorted()
	next, ok, err := v.following(id)
	if err != nil {
		return err
	}
	if !ok {
		next = v.inReview(v.filter().query())
	}
	return v.Redirect(http.StatusSeeOther, withDone(next, done))
}

// withDone is an address whose page says what was done.
func withDone(to, what string) string {
	if strings.Contains(to, "?") {
		return to + "&done=" + what
	}
	return to + "?done=" + what
}
