package recordjson

import (
	"context"

	"levee/clientlib"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// CloseOut is how far a deployment has come on its way to its end.
type CloseOut struct {
	// State is active, closing, closed or archived, since the day Since, which is absent while it is not known.
	State string `json:"state,omitempty"`
	Since string `json:"since,omitempty"`
	// LastDay is the deployment's last day, and DaysLeft how many days there are until it: 0 on that day, negative after it. Both are absent
	// while none is set.
	LastDay  string `json:"last_day,omitempty"`
	DaysLeft *int   `json:"days_left,omitempty"`
	Owed     *Owed  `json:"owed,omitempty"`
	// Addendum is absent where nothing came after the deployment was closed, Certificate while there is none.
	Addendum    *Addendum    `json:"addendum,omitempty"`
	Certificate *Certificate `json:"certificate,omitempty"`
}

// Owed is what this tablet still owes before the deployment can be closed: changes that the server lacks or does not apply, records that a
// review returned or that lack a field, forms that were not logged, fields filled in differently, and cases neither closed nor referred.
type Owed struct {
	Unsent    int `json:"unsent"`
	Held      int `json:"held"`
	Returned  int `json:"returned"`
	Drafts    int `json:"drafts"`
	Forms     int `json:"forms"`
	Conflicts int `json:"conflicts"`
	OpenCases int `json:"open_cases"`
}

// Addendum is how many of this tablet's changes came after the deployment was closed, by what became of them.
type Addendum struct {
	Waiting  int `json:"waiting"`
	Accepted int `json:"accepted"`
	Declined int `json:"declined"`
	// Reasons are why some were declined, each once, as far as the decisions reached this tablet.
	Reasons []string `json:"reasons"`
}

// Certificate is the newest certificate of the deployment's totals.
type Certificate struct {
	Edition  int    `json:"edition"`
	IssuedOn string `json:"issued_on"`
}

func closeOutOf(ctx context.Context, s *clientlib.Store, st clientlib.Status, t *words.Terms) (CloseOut, error) {
	out := CloseOut{State: t.OptionOf(st.State.Descriptor(), st.State.Number()).Name, Since: dayOrNothing(st.Since), LastDay: dayOrNothing(st.LastDay)}
	if st.LastDay != 0 {
		out.DaysLeft = &st.DaysLeft
	}
	owed, err := s.Owed(ctx)
	if err != nil {
		return out, err
	}
	out.Owed = &Owed{
		Unsent: owed.Unsent, Held: owed.Held, Returned: owed.Returned, Drafts: owed.Drafts, Forms: owed.Forms, Conflicts: owed.Conflicts, OpenCases: owed.OpenCases,
	}
	if st.Edition > 0 {
		out.Certificate = &Certificate{Edition: st.Edition, IssuedOn: dayOrNothing(st.CertifiedOn)}
	}
	if st.State < recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSED || !st.Addendum.Any() { // opened again, all of it is applied
		return out, nil
	}
	out.Addendum = &Addendum{Waiting: st.Addendum.Waiting, Accepted: st.Addendum.Accepted, Declined: st.Addendum.Declined, Reasons: []string{}}
	held, err := s.Held(ctx)
	said := map[string]bool{}
	for _, h := range held {
		if h.Discarded() && h.Late && h.Reason != "" && !said[h.Reason] {
			said[h.Reason] = true
			out.Addendum.Reasons = append(out.Addendum.Reasons, h.Reason)
		}
	}
	return out, err
}

// dayOrNothing is a day as JSON has it; "" where there is none.
func dayOrNothing(d record.Date) string {
	if d == 0 {
		return ""
	}
	return d.String()
}
