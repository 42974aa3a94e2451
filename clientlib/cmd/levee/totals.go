package main

import (
	"fmt"

	"levee/clientlib"
	"levee/clientlib/recordjson"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// totalsCmd shows what this tablet's records add up to.
type totalsCmd struct {
	AsOf string `placeholder:"${word_date}" help:"${as_of_flag}"`
}

// Run counts.
func (c *totalsCmd) Run(s *session) error {
	var asOf record.Date
	if c.AsOf != "" {
		var err error
		if asOf, err = s.day("as-of", c.AsOf); err != nil {
			return err
		}
	}
	t, err := s.store.Totals(s.ctx, asOf)
	if err != nil {
		return err
	}
	out, err := recordjson.TotalsOf(s.ctx, s.store, s.terms(), t)
	if err != nil {
		return err
	}
	return s.answer(out, func() { s.totals(t, out) })
}

// totals prints the figures as reports publish them, then by site and service area, then how complete they are.
func (s *session) totals(t clientlib.Totals, out *recordjson.Totals) {
	s.line(totalsAre, s.Date(t.AsOf), s.Count(daysCount, int64(t.ServiceDays)))
	s.line(publishedFigures, s.Count(casesCount, out.Cases), s.Count(groupSessionsCount, out.GroupSessions),
		s.Count(activitiesCount, out.CommunityActivities), s.kindLabel(recordv1.Kind_KIND_COMMUNITY_ACTIVITY), s.Count(personsCount, out.Persons))
	s.line(otherFigures, s.Count(contactsCount, out.Contacts), s.Count(caseSessionsCount, out.CaseSessions), s.Count(outreachCount, out.OutreachRounds))
	if out.PersonsEstimated > 0 {
		s.line(someEstimated, s.Count(personsCount, out.PersonsEstimated))
	}
	var sites, areas [][]string
	var persons int64
	for _, site := range out.BySite {
		sites = append(sites, s.figureRow(site.Name, site.Figures))
		persons += site.Persons
	}
	for _, area := range out.ByServiceArea {
		areas = append(areas, s.figureRow(area.Name, area.Figures))
	}
	s.figureTable(titleBySite, sites)
	s.figureTable(titleByArea, areas)
	if persons > out.Persons {
		s.line(personsOverlap)
	}
	fmt.Fprintln(&s.out)
	s.line(completeAsFar, s.Count(unsentCount, int64(t.Unsent)), s.Count(heldCount, int64(t.Held)), s.Count(conflictCount, int64(t.Conflicts)), s.contact(t.LastContact))
	s.line(onlyThisTablet)
}

func (s *session) figureRow(name string, f recordjson.Figures) []string {
	return []string{name, s.Number(f.Cases), s.Number(f.GroupSessions), s.Number(f.CommunityActivities), s.Number(f.Persons), s.Number(f.Contacts)}
}

func (s *session) figureTable(title words.Message, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintln(&s.out)
	heading := []string{
		s.Say(title), s.kindLabel(recordv1.Kind_KIND_CASE), s.kindLabel(recordv1.Kind_KIND_GROUP_SESSION),
		s.kindLabel(recordv1.Kind_KIND_COMMUNITY_ACTIVITY), s.Say(titlePersons), s.Say(titleContacts),
	}
	s.numbers(append([][]string{heading}, rows...))
}
