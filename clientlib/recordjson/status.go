package recordjson

import (
	"context"
	"encoding/hex"
	"time"

	"levee/clientlib"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// Name is a record of the deployment's set-up.
type Name struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Status is how things stand with this tablet.
type Status struct {
	Enrolled   bool   `json:"enrolled"`
	Deployment *Name  `json:"deployment,omitempty"`
	Worker     *Name  `json:"worker,omitempty"`
	Role       string `json:"role,omitempty"`
	Team       *Name  `json:"team,omitempty"`
	// Site is where the worker logs, as chosen by the command site.
	Site   *Name  `json:"site,omitempty"`
	Server string `json:"server,omitempty"`
	// Of this tablet's changes: those that the server lacks, those that it has and would lose with its disk, and those
	// that are safe.
	Unsent  int `json:"unsent"`
	Sent    int `json:"sent"`
	Durable int `json:"durable"`
	// Held is how many of those that the server has it does not apply.
	Held int `json:"held"`
	// Unconfirmed says that the server waits for a coordinator to confirm this tablet.
	Unconfirmed bool `json:"unconfirmed"`
	// Revoked says that the tablet is out of use. Nothing else but unsent is told then.
	Revoked bool `json:"revoked"`
	// Erased says that all personal data of the deployment was erased.
	Erased    bool `json:"erased"`
	Conflicts int  `json:"conflicts"`
	// UnconfirmedAlerts are risk alerts that nobody has confirmed.
	UnconfirmedAlerts int `json:"unconfirmed_alerts"`
	Records           int `json:"records"`
	// CloseOut is how far the deployment has come, and what is left to do.
	CloseOut
	LastContact *time.Time `json:"last_contact,omitempty"`
	// ClockOffset is by how much the tablet's clock is corrected, in milliseconds.
	ClockOffset int64 `json:"clock_offset_ms"`
}

// StatusOf gathers how things stand, with the names of what the tablet belongs to. It is no error to ask before enrolment.
func StatusOf(ctx context.Context, s *clientlib.Store, t *words.Terms) (*Status, error) {
	st, err := s.Status(ctx)
	if err != nil || !st.Enrolled {
		return &Status{}, err
	}
	if st.Revoked {
		return &Status{Enrolled: true, Revoked: true, Unsent: st.Unsent}, nil
	}
	contact := st.LastContact.In(t.Zone())
	out := &Status{
		Enrolled: true, Server: st.ServerURL, Unsent: st.Unsent, Sent: st.Sent, Durable: st.Durable, Held: st.Held, Unconfirmed: st.Unconfirmed, Erased: st.Erased, Records: st.Records,
		LastContact: &contact, ClockOffset: st.ClockOffset.Milliseconds(),
		Deployment: nameOf(ctx, s, st.Deployment), Worker: nameOf(ctx, s, st.Worker),
	}
	if st.Site != (hlc.ID{}) {
		out.Site = nameOf(ctx, s, st.Site)
	}
	if r, err := s.Record(ctx, st.Worker); err == nil {
		worker, _ := r.Message.(*recordv1.Worker)
		if len(worker.GetTeam()) == len(hlc.ID{}) {
			out.Team = nameOf(ctx, s, hlc.ID(worker.GetTeam()))
		}
		if worker.GetRole() != recordv1.Role_ROLE_UNKNOWN {
			out.Role = t.OptionOf(worker.GetRole().Descriptor(), worker.GetRole().Number()).Name
		}
	}
	conflicts, err := s.Conflicts(ctx)
	if err != nil {
		return nil, err
	}
	out.Conflicts = len(conflicts)
	if out.CloseOut, err = closeOutOf(ctx, s, st, t); err != nil {
		return nil, err
	}
	q := clientlib.Query{Kinds: []record.Kind{recordv1.Kind_KIND_RISK_ALERT}, Limit: 500}
	for {
		page, err := s.List(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, r := range page.Records {
			if Unconfirmed(r) {
				out.UnconfirmedAlerts++
			}
		}
		if q.After = page.Next; q.After == "" {
			return out, nil
		}
	}
}

// Unconfirmed reports whether a record is a risk alert that nobody has confirmed.
func Unconfirmed(r clientlib.AnyRecord) bool {
	alert, ok := r.Message.(*recordv1.RiskAlert)
	return ok && !r.Deleted && len(alert.GetAcknowledgedBy()) == 0 && alert.GetClosedOn() == 0
}

// nameOf is a record of the set-up with its name; the last digits of its id where it is not on the tablet.
func nameOf(ctx context.Context, s *clientlib.Store, id hlc.ID) *Name {
	out := &Name{ID: id.String(), Name: hex.EncodeToString(id[12:])}
	if r, err := s.Record(ctx, id); err == nil {
		if named, ok := r.Message.(interface{ GetName() string }); ok && named.GetName() != "" {
			out.Name = named.GetName()
		}
	}
	return out
}

// Sites are the deployment's sites.
type Sites struct {
	Sites []Site `json:"sites"`
}

// Site is one of them.
type Site struct {
	Name
	Code string `json:"code"`
	// Chosen says that this is where the worker logs.
	Chosen bool `json:"chosen"`
}

// SitesOf lists the sites.
func SitesOf(ctx context.Context, s *clientlib.Store) (Sites, error) {
	out := Sites{Sites: []Site{}}
	st, err := s.Status(ctx)
	if err != nil {
		return out, err
	}
	sites, err := s.Sites(ctx)
	for _, r := range sites {
		out.Sites = append(out.Sites, Site{Name{r.ID.String(), r.Message.GetName()}, r.Message.GetPlace().GetCode(), r.ID == st.Site})
	}
	return out, err
}
