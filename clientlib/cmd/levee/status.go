package main

import (
	"time"

	"levee/clientlib/recordjson"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/words"
)

// statusCmd says how things stand with this tablet.
type statusCmd struct{}

// siteCmd chooses where the worker logs.
type siteCmd struct {
	Site string `arg:"" optional:"" help:"${site_argument}"`
	Own  bool   `help:"${own_flag}"`
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
		s.closeOut(row, st)
		row(titleServer, st.Server)
		row(titleChanges, s.Say(changesAre, s.Count(unsentCount, int64(st.Unsent)), s.Count(sentCount, int64(st.Sent)), s.Count(safeCount, int64(st.Durable))))
		if n := st.Owed.Held; n > 0 { // of what waits in an addendum another row tells
			row(titleHeld, s.Say(seeHeld, s.Count(changesCount, int64(n))))
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
		if st.Erased {
			s.line(isErased)
		}
		if st.UnconfirmedAlerts > 0 {
			s.line(alertsUnconfirmed, s.Count(alertsCount, int64(st.UnconfirmedAlerts)))
			s.advise()
		}
	})
}

func (s *session) workerLine(st *recordjson.Status) string {
	worker := nameOrNothing(st.Worker)
	if st.Team != nil {
		return s.Say(workerOfTeam, worker, st.Team.Name)
	}
	return worker
}

func nameOrNothing(n *recordjson.Name) string {
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

// status is how things stand, as JSON has it.
func (s *session) status() (*recordjson.Status, error) {
	return recordjson.StatusOf(s.ctx, s.store, s.terms())
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
	out, err := recordjson.SitesOf(s.ctx, s.store)
	if err != nil {
		return err
	}
	return s.answer(out, func() {
		var rows [][]string
		for _, site := range out.Sites {
			mark := ""
			if site.Chosen {
				mark = s.Say(chosenSite)
			}
			rows = append(rows, []string{site.ID[len(site.ID)-8:], site.Name.Name, site.Code, mark})
		}
		s.rows(rows)
	})
}
