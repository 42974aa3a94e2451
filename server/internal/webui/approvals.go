package webui

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"levee/server/internal/progress"
	"levee/server/internal/review"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// shownAs names a record as somebody was shown it, and shownOf finds it again; false when it is no such name.
func shownAs(id hlc.ID, position uint64) string {
	return id.String() + "." + strconv.FormatUint(position, 10)
}

func shownOf(text string) (id hlc.ID, position uint64, ok bool) {
	name, at, _ := strings.Cut(text, ".")
	position, err := strconv.ParseUint(at, 10, 62)
	id = parsed(name)
	return id, position, err == nil && id != (hlc.ID{})
}

// chosen are the records that were chosen in the queue, as they were shown: those that are ticked, or all of the page.
func (v *visit) chosen() (ids []hlc.ID, seen map[hlc.ID]uint64, err error) {
	sent, err := v.FormParams()
	if err != nil {
		return nil, nil, problem.New(problem.InvalidArgument)
	}
	names := sent["chosen"]
	if sent.Has("all") {
		names = sent["row"]
	}
	seen = map[hlc.ID]uint64{}
	for _, name := range names {
		id, position, ok := shownOf(name)
		if _, again := seen[id]; !ok || again || len(ids) == progress.MaxPage {
			continue
		}
		ids, seen[id] = append(ids, id), position
	}
	return ids, seen, nil
}

// approvalBody is what the page shows that says what an approval of many would do.
type approvalBody struct {
	Count    string
	Rows     []queueRow
	Verified []string
	Action   string
	Back     string
}

// previewApproval says what approving the chosen records would verify. It changes nothing.
func (v *visit) previewApproval() error {
	ids, seen, err := v.chosen()
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		return v.Redirect(http.StatusSeeOther, withDone(v.inReview(v.filter().query()), "nothing_chosen"))
	}
	would, err := v.within.Review.Preview(v.context(), v.reader(), ids)
	if err != nil {
		return err
	}
	giving, err := v.within.Progress.Giving(v.context(), slices.DeleteFunc(ids, func(id hlc.ID) bool { return slices.Contains(would.Missing, id) }))
	if err != nil {
		return err
	}
	b := approvalBody{Action: v.inReview(v.filter().query(), "approvals"), Back: v.inReview(v.filter().query())}
	for _, g := range giving {
		row := v.queueRow(g)
		row.Value = shownAs(g.ID, seen[g.ID]) // as it was chosen: what changed since is left out when it is done
		b.Rows = append(b.Rows, row)
	}
	b.Count = v.N("records_chosen", int64(len(b.Rows)))
	verified := map[string]int64{}
	for figure, n := range would.Figures {
		verified[figure.String()] = n
	}
	for _, f := range v.within.Progress.Figures() {
		if n := verified[f.Name]; n != 0 && slices.Contains(reviewFigures, f.Name) {
			b.Verified = append(b.Verified, v.Labelled(f.Label.In(v.Lang()), "+"+v.Number(n)))
		}
	}
	return v.show("preview", &page{Title: v.T("title_approval"), Body: b})
}

// approvalRow is what became of the approval of one record.
type approvalRow struct {
	What              link
	By, Outcome, Look string
}

type approvalsBody struct {
	Rows []approvalRow
	Back string
}

// approveMany approves the records that were chosen, each as it was shown, and leaves out those that changed meanwhile.
func (v *visit) approveMany() error {
	ids, positions, err := v.chosen()
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		return v.Redirect(http.StatusSeeOther, withDone(v.inReview(v.filter().query()), "nothing_chosen"))
	}
	targets := make([]review.Seen, len(ids))
	for i, id := range ids {
		targets[i] = review.Seen{ID: id, Position: positions[id]}
	}
	outcomes, err := v.within.Review.ApproveMany(v.context(), v.reader(), targets)
	if err != nil {
		return err
	}
	for _, outcome := range outcomes {
		if _, told := v.leftOut(outcome); outcome != nil && !told {
			return outcome
		}
	}
	v.sorted()
	name := v.once.keep(v.Wall(), v.session.Account.ID, approvalsDone{v.within.Syncing.Deployment(), v.filter(), ids, outcomes})
	return v.Redirect(http.StatusSeeOther, v.inReview(nil, "approvals", name))
}

// approvalsDone is what became of an approval of many: of each record the problem for which it was left out, or nil.
type approvalsDone struct {
	deployment hlc.ID
	filter     filter
	ids        []hlc.ID
	outcomes   []error
}

// leftOut is why a record was left out; false when the error is none that people are told.
func (v *visit) leftOut(outcome error) (why string, told bool) {
	var p *problem.Problem
	var of *record.Problem
	switch {
	case errors.As(outcome, &p) && problem.HTTPStatus(p.Code) < http.StatusInternalServerError:
		return problem.Message(p.Code, v.Lang()), true
	case errors.As(outcome, &of):
		return record.Message(of.Code, v.Lang()), true
	default:
		return "", false
	}
}

// approvals shows what became of an approval of many.
func (v *visit) approvals() error {
	done, ok := kept[approvalsDone](v.once, v.Wall(), v.session.Account.ID, v.Param("shown"))
	if !ok || done.deployment != v.within.Syncing.Deployment() {
		return problem.New(problem.NotFound)
	}
	giving, err := v.within.Progress.Giving(v.context(), done.ids)
	if err != nil {
		return err
	}
	of := map[hlc.ID]progress.Giving{}
	for _, g := range giving {
		of[g.ID] = g
	}
	b := approvalsBody{Back: v.inReview(done.filter.query())}
	for i, outcome := range done.outcomes {
		row := approvalRow{What: link{Name: v.T("record_hidden")}, Outcome: v.T("outcome_approved"), Look: "good"}
		if outcome != nil {
			why, _ := v.leftOut(outcome)
			row.Outcome, row.Look = v.T("outcome_left_out", why), "warn"
		}
		hidden := problem.CodeOf(outcome) == problem.NotFound || problem.CodeOf(outcome) == problem.NotAllowed // not even what it is
		if g, ok := of[done.ids[i]]; ok && !hidden {
			shown := v.queueRow(g)
			row.What, row.By = link{To: shown.To, Name: shown.What}, shown.By
		}
		b.Rows = append(b.Rows, row)
	}
	return v.show("approvals", &page{Title: v.T("title_approvals"), Body: b})
}
