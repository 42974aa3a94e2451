package main

import (
	"time"

	"levee/clientlib/words"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// statusCmd says how things stand with this tablet.
type statusCmd struct{}

// siteCmd chooses where the worker logs.
type siteCmd struct {
	Site string `arg:"" optional:"" help:"${site_argument}"`
	Own  bool   `help:"${own_flag}"`
}

// nameJSON is a record of the deployment's set-up.
type nameJSON struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// statusJSON is how things stand, as JSON has it.
type statusJSON struct {
	Enrolled   bool      `json:"enrolled"`
	Deployment *nameJSON `json:"deployment,omitempty"`
	Worker     *nameJSON `json:"worker,omitempty"`
	Role       string    `json:"role,omitempty"`
	Team       *nameJSON `json:"team,omitempty"`
	// Site is where the worker logs, as chosen by the command site.
	Site   *nameJSON `json:"site,omitempty"`
	Server string    `json:"server,omitempty"`
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
	Revoked   bool `json:"revoked"`
	Conflicts int  `json:"conflicts"`
	// UnconfirmedAlerts are risk alerts that nobody has confirmed.
	UnconfirmedAlerts int        `json:"unconfirmed_alerts"`
	Records           int        `json:"records"`
	LastContact       *time.Time `json:"last_contact,omitempty"`
	// ClockOffset is by how much the tablet's clock is corrected, in milliseconds.
	ClockOffset int64 `json:"clock_offset_ms"`
}

// Run tells how things stand, also before the tablet is enrolled.
func (c *statusCmd) Run(s *session) error {
	st, err := s.status()
	if err != nil {
		return err
	}
	return s.answer(st, func() {
		if !st.Enrolled {
			s.line(notEnrolled)
			return
		}
		if st.Revoked {
			s.line(isRevoked, s.Count(changesCount, int64(st.Unsent)))
			return
		}
		var rows [][]string
		row := func(title words.Message, value string) {
			if value != "" {
				rows = append(rows, []string{s.Say(title), value})
			}
		}
		row(titleDeployment, st.Deployment.Name)
		row(titleWorker, s.workerLine(st))
		row(titleSite, nameOrNothing(st.Site))
		row(titleServer, st.Server)
		row(titleChanges, s.Say(changesAre, s.Count(unsentCount, int64(st.Unsent)), s.Count(sentCount, int64(st.Sent)), s.Count(safeCount, int64(st.Durable))))
		if st.Held > 0 {
			row(titleHeld, s.Say(seeHeld, s.Count(changesCount, int64(st.Held))))
		}
		if st.Conflicts > 0 {
			row(titleConflicts, s.Say(seeConflicts, s.Count(fieldsCount, int64(st.Conflicts))))
		}
		row(titleRecords, s.Count(recordsCount, int64(st.Records)))
		row(titleContact, s.contact(*st.LastContact))
		if st.ClockOffset != 0 {
			row(titleClock, s.Say(clockIsCorrected, s.Duration(time.Duration(st.ClockOffset)*time.Millisecond)))
		}
		s.rows(rows)
		if st.Unconfirmed {
			s.line(isUnconfirmed)
		}
		if st.UnconfirmedAlerts > 0 {
			s.line(alertsUnconfirmed, s.Count(alertsCount, int64(st.UnconfirmedAlerts)))
			s.advise()
		}
	})
}

func (s *session) workerLine(st *statusJSON) string {
	worker := nameOrNothing(st.Worker)
	if st.Team != nil {
		return s.Say(workerOfTeam, worker, st.Team.Name)
	}
	return worker
}

func nameOrNothing(n *nameJSON) string {
	if n == nil {
		return ""
	}
	return n.Name
}

// contact is when the server last answered.
func (s *session) contact(t time.Time) string {
	if t.IsZero() {
		return s.Say(never)
	}
	return s.Instant(t.In(s.zone()))
}

// status gathers how things stand, with the names of what the tablet belongs to.
func (s *session) status() (*statusJSON, error) {
	st, err := s.store.Status(s.ctx)
	if err != nil || !st.Enrolled {
		return &statusJSON{}, err
	}
	if st.Revoked {
		return &statusJSON{Enrolled: true, Revoked: true, Unsent: st.Unsent}, nil
	}
	contact := st.LastContact.In(s.zone())
	out := &statusJSON{
		Enrolled: true, Server: st.ServerURL, Unsent: st.Unsent, Sent: st.Sent, Durable: st.Durable, Held: st.Held, Unconfirmed: st.Unconfirmed, Records: st.Records,
		LastContact: &contact, ClockOffset: st.ClockOffset.Milliseconds(),
		Deployment: &nameJSON{st.Deployment.String(), s.deployment().GetName()}, Worker: &nameJSON{st.Worker.String(), s.named(st.Worker[:])},
	}
	if st.Site != (hlc.ID{}) {
		out.Site = &nameJSON{st.Site.String(), s.named(st.Site[:])}
	}
	if r, err := s.store.Record(s.ctx, st.Worker); err == nil {
		worker, _ := r.Message.(*recordv1.Worker)
		if id, ok := idOf(worker.GetTeam()); ok {
			out.Team = &nameJSON{id.String(), s.named(id[:])}
		}
		if worker.GetRole() != recordv1.Role_ROLE_UNKNOWN {
			out.Role = s.terms().OptionOf(worker.GetRole().Descriptor(), worker.GetRole().Number()).Name
		}
	}
	conflicts, err := s.store.Conflicts(s.ctx)
	if err != nil {
		return nil, err
	}
	out.Conflicts = len(conflicts)
	alerts, err := s.recordsOf(recordv1.Kind_KIND_RISK_ALERT)
	for _, r := range alerts {
		if unconfirmed(r) {
			out.UnconfirmedAlerts++
		}
	}
	return out, err
}

// sitesJSON are the deployment's sites, as JSON has them.
type sitesJSON struct {
	Sites []siteJSON `json:"sites"`
}

type siteJSON struct {
	nameJSON
	Code string `json:"code"`
	// Chosen says that this is where the worker logs.
	Chosen bool `json:"chosen"`
}

// Run chooses a site, or leaves it to the worker's own, and shows all.
func (c *siteCmd) Run(s *session) error {
	switch {
	case c.Own:
		if err := s.store.SetSite(s.ctx, hlc.ID{}); err != nil {
			return err
		}
	case c.Site != "":
		id, err := s.find(c.Site, recordv1.Kind_KIND_SITE)
		if err != nil {
			return err
		}
		if err := s.store.SetSite(s.ctx, id); err != nil {
			return err
		}
	}
	st, err := s.store.Status(s.ctx)
	if err != nil {
		return err
	}
	sites, err := s.store.Sites(s.ctx)
	if err != nil {
		return err
	}
	out := sitesJSON{Sites: []siteJSON{}}
	var rows [][]string
	for _, site := range sites {
		one := siteJSON{nameJSON{site.ID.String(), site.Message.GetName()}, site.Message.GetPlace().GetCode(), site.ID == st.Site}
		out.Sites = append(out.Sites, one)
		mark := ""
		if one.Chosen {
			mark = s.Say(chosenSite)
		}
		rows = append(rows, []string{shortID(site.ID), one.Name, one.Code, mark})
	}
	return s.answer(out, func() { s.rows(rows) })
}
