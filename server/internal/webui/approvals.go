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
	b := approvalsBody{Back: v.inReview(v.filter().query())}
	if b.Rows, err = v.approvalRows(ids, outcomes); err != nil {
		return err
	}
	v.sorted()
	name := v.once.keep(v.Wall(), v.session.Account.ID, b)
	return v.Redirect(http.StatusSeeOther, v.inReview(nil, "approvals", name))
}

// approvalRows say what became of the approval of each of some records.
func (v *visit) approvalRows(ids []hlc.ID, outcomes []error) ([]approvalRow, error) {
	giving, err := v.within.Progress.Giving(v.context(), ids)
	if err != nil {
		return nil, err
	}
	rows := make([]approvalRow, len(ids))
	for i, outcome := range outcomes {
		rows[i] = approvalRow{What: link{Name: v.T("record_hidden")}, Outcome: v.T("outcome_approved"), Look: "good"}
		var p *problem.Problem
		var of *record.Problem
		switch {
		case outcome == nil:
		case errors.As(outcome, &p) && problem.HTTPStatus(p.Code) < http.StatusInternalServerError:
			rows[i].Outcome, rows[i].Look = v.T("outcome_left_out", problem.Message(p.Code, v.Lang())), "warn"
			if p.Code == problem.NotFound || p.Code == problem.NotAllowed {
				continue // not even what it is
			}
		case errors.As(outcome, &of):
			rows[i].Outcome, rows[i].Look = v.T("outcome_left_out", record.Message(of.Code, v.Lang())), "warn"
		default:
			return nil, outcome
		}
		for _, g := range giving {
			if g.ID == ids[i] {
				row := v.queueRow(g)
				rows[i].What, rows[i].By = link{To: row.To, Name: row.What}, row.By
			}
		}
	}
	return rows, nil
}

// approvals shows what became of an approval of many.
func (v *visit) approvals() error {
	b, ok := kept[approvalsBody](v.once, v.Wall(), v.session.Account.ID, v.Param("shown"))
	if !ok {
		return problem.New(problem.NotFound)
	}
	return v.show("approvals", &page{Title: v.T("title_approvals"), Body: b})
}
