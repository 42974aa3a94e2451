package webui

import (
	"errors"
	"strconv"

	"levee/server/internal/access"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

func settleRoutes(r *router) {
	r.section(pathIn+"/conflicts", "nav_settle", access.SeeConflicts, pathIn+"/duplicates", pathIn+"/held")
	r.page(pathIn+"/conflicts", access.SeeConflicts, (*visit).conflicts)
	r.form(pathIn+"/conflicts/:conflict", access.SeeConflicts, reads((*visit).conflict))
	r.page(pathIn+"/duplicates", access.ReviewRecords, (*visit).duplicates)
	r.form(pathIn+"/duplicates/:earlier/:later", access.ReviewRecords, reads((*visit).duplicate))
	r.form(pathIn+"/duplicates/:earlier/:later/separation", access.ReviewRecords, reads((*visit).separatePair))
	r.page(pathIn+"/held", access.SeeHeld, (*visit).heldChanges)
	r.form(pathIn+"/held/:change", access.SeeHeld, reads((*visit).heldChange))
}

// toIn is a path within the deployment.
func (v *visit) toIn(parts ...string) string { return to(v.within.Syncing.Deployment(), parts...) }

// settleTabs lead to the lists of what is to be settled.
func (v *visit) settleTabs() []link {
	var tabs []link
	for _, one := range []struct {
		path, name string
		rule       rule
	}{{"conflicts", v.T("nav_conflicts"), access.SeeConflicts}, {"duplicates", v.T("nav_duplicates"), access.ReviewRecords}, {"held", v.T("nav_held"), access.SeeHeld}} {
		if v.may(one.rule, access.Everyone) {
			tabs = append(tabs, link{To: v.To(v.toIn(one.path)), Name: one.name, Here: v.route.path == pathIn+"/"+one.path})
		}
	}
	return tabs
}

// waitingRow is one thing that waits to be settled.
type waitingRow struct{ To, Name, What, Team, Who, When string }

// waitingList is a page of them.
type waitingList struct {
	Lead, Nothing string
	Rows          []waitingRow
	// More is where the next page is; empty on the last one.
	More string
}

// settlePage is how many rows a page has.
const settlePage = 50

func (v *visit) settleList(title string, body waitingList) error {
	return v.show("waiting", &page{Title: title, Links: v.settleTabs(), Body: body})
}

// workerName is what a worker is called.
func (v *visit) workerName(id hlc.ID) string {
	if w := v.within.Syncing.SetUp().Workers[id]; w != nil {
		return w.GetName()
	}
	return v.T("somebody")
}

// whyNot is what people are told of an error that a form may show; the error itself when it may not.
func (v *visit) whyNot(err error) (string, error) {
	var invalid *record.Problem
	if errors.As(err, &invalid) {
		return record.Message(invalid.Code, v.Lang()), nil
	}
	if code := problem.CodeOf(err); code == problem.InvalidArgument || code == problem.ChangedMeanwhile {
		return problem.Message(code, v.Lang()), nil
	}
	return "", err
}

func seenIn(f *form, name string) uint64 {
	n, _ := strconv.ParseUint(f.value(name), 10, 64) // 0 is refused as not shown
	return n
}

func position(name string, n uint64) *field {
	return &field{Name: name, Label: name, Sort: "hidden", Value: strconv.FormatUint(n, 10)}
}
