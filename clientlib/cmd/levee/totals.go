package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/clientlib"
	"levee/clientlib/words"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// totalsCmd shows what this tablet's records add up to.
type totalsCmd struct {
	AsOf string `placeholder:"${word_date}" help:"${as_of_flag}"`
}

// figuresJSON are the figures of the whole or of a part.
type figuresJSON struct {
	Cases               int64 `json:"cases"`
	CaseSessions        int64 `json:"case_sessions"`
	GroupSessions       int64 `json:"group_sessions"`
	CommunityActivities int64 `json:"community_activities"`
	OutreachRounds      int64 `json:"outreach_rounds"`
	// Beneficiaries is the published label for Persons.
	Beneficiaries int64 `json:"beneficiaries"`
	Persons       int64 `json:"persons"`
	// PersonsEstimated is how many of Persons come from counts that were estimated.
	PersonsEstimated int64 `json:"persons_estimated"`
	Contacts         int64 `json:"contacts"`
}

// totalsJSON are a tablet's totals, as JSON has them.
type totalsJSON struct {
	AsOf        string `json:"as_of"`
	ServiceDays int    `json:"service_days"`
	figuresJSON
	BySite        []siteTotals `json:"by_site"`
	ByServiceArea []areaTotals `json:"by_service_area"`
	// Verified are the figures of what a supervisor approved and nobody changed since.
	Verified     figuresJSON      `json:"verified"`
	Completeness completenessJSON `json:"completeness"`
}

type siteTotals struct {
	// Site is an id; empty where records name no site.
	Site string `json:"site"`
	Code string `json:"code"`
	Name string `json:"name"`
	figuresJSON
}

type areaTotals struct {
	ServiceArea string `json:"service_area"`
	Name        string `json:"name"`
	figuresJSON
}

// completenessJSON says what the totals rest on. Scope is always "this_tablet": only the server can tell for all.
type completenessJSON struct {
	Scope       string     `json:"scope"`
	Unsent      int        `json:"unsent"`
	Held        int        `json:"held"`
	Conflicts   int        `json:"conflicts"`
	LastContact *time.Time `json:"last_contact,omitempty"`
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
	out, err := s.totalsJSON(t)
	if err != nil {
		return err
	}
	return s.answer(out, func() { s.totals(t, out) })
}

func figuresOf(t clientlib.Totals, basis tally.Basis, cut tally.Cut) figuresJSON {
	value := func(f tally.Figure) int64 { return t.Value(tally.Cell{Basis: basis, Figure: f, Cut: cut}) }
	return figuresJSON{
		Cases: value(tally.Cases), CaseSessions: value(tally.CaseSessions), GroupSessions: value(tally.GroupSessions),
		CommunityActivities: value(tally.CommunityActivities), OutreachRounds: value(tally.OutreachRounds), Beneficiaries: value(tally.Persons),
		Persons: value(tally.Persons), PersonsEstimated: value(tally.PersonsEstimated), Contacts: value(tally.Contacts),
	}
}

// keys are all keys of a dimension under which anything is reported.
func keys(t clientlib.Totals, d tally.Dimension) []string {
	found := map[string]bool{}
	for _, f := range tally.Figures() {
		for key := range t.By(tally.Reported, f, d) {
			found[key] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

func (s *session) totalsJSON(t clientlib.Totals) (*totalsJSON, error) {
	out := &totalsJSON{
		AsOf: t.AsOf.String(), ServiceDays: t.ServiceDays, figuresJSON: figuresOf(t, tally.Reported, tally.Everything()),
		BySite: []siteTotals{}, ByServiceArea: []areaTotals{}, Verified: figuresOf(t, tally.Verified, tally.Everything()),
		Completeness: completenessJSON{Scope: "this_tablet", Unsent: t.Unsent, Held: t.Held, Conflicts: t.Conflicts},
	}
	if !t.LastContact.IsZero() {
		contact := t.LastContact.In(s.zone())
		out.Completeness.LastContact = &contact
	}
	sites, err := s.store.Sites(s.ctx)
	if err != nil {
		return nil, err
	}
	for _, key := range keys(t, tally.Site) {
		one := siteTotals{Site: key, Name: s.Say(withoutSite), figuresJSON: figuresOf(t, tally.Reported, tally.Cut{Dimension: tally.Site, Key: key})}
		for _, site := range sites {
			if site.ID.String() == key {
				one.Name, one.Code = site.Message.GetName(), site.Message.GetPlace().GetCode()
			}
		}
		out.BySite = append(out.BySite, one)
	}
	slices.SortStableFunc(out.BySite, func(a, b siteTotals) int { return cmp.Compare(a.Code, b.Code) })
	for _, key := range keys(t, tally.ServiceArea) {
		one := areaTotals{figuresJSON: figuresOf(t, tally.Reported, tally.Cut{Dimension: tally.ServiceArea, Key: key})}
		if number, err := strconv.Atoi(key); err == nil {
			area := s.terms().OptionOf(recordv1.ServiceArea(0).Descriptor(), protoreflect.EnumNumber(number)) //nolint:gosec // keys are numbers of the enumeration
			one.ServiceArea, one.Name = area.Name, area.Label
		}
		out.ByServiceArea = append(out.ByServiceArea, one)
	}
	return out, nil
}

// totals prints the figures as reports publish them, then by site and service area, then how complete they are.
func (s *session) totals(t clientlib.Totals, out *totalsJSON) {
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
		sites = append(sites, s.figureRow(site.Name, site.figuresJSON))
		persons += site.Persons
	}
	for _, area := range out.ByServiceArea {
		areas = append(areas, s.figureRow(area.Name, area.figuresJSON))
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

func (s *session) figureRow(name string, f figuresJSON) []string {
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
