package recordjson

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/clientlib"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/tally"
	"levee/syncproto/words"
)

// Figures are the figures of the whole or of a part.
type Figures struct {
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

// Totals are a tablet's totals, by the rules of RECORDS.md.
type Totals struct {
	AsOf        string `json:"as_of"`
	ServiceDays int    `json:"service_days"`
	Figures
	BySite        []SiteTotals `json:"by_site"`
	ByServiceArea []AreaTotals `json:"by_service_area"`
	// Verified are the figures of what a supervisor approved and nobody changed since.
	Verified     Figures      `json:"verified"`
	Completeness Completeness `json:"completeness"`
}

// SiteTotals are the figures of a site.
type SiteTotals struct {
	// Site is an id; empty where records name no site.
	Site string `json:"site"`
	Code string `json:"code"`
	Name string `json:"name"`
	Figures
}

// AreaTotals are the figures of a service area.
type AreaTotals struct {
	ServiceArea string `json:"service_area"`
	Name        string `json:"name"`
	Figures
}

// Completeness says what the totals rest on. Scope is always "this_tablet": only the server can tell for all.
type Completeness struct {
	Scope       string     `json:"scope"`
	Unsent      int        `json:"unsent"`
	Held        int        `json:"held"`
	Conflicts   int        `json:"conflicts"`
	LastContact *time.Time `json:"last_contact,omitempty"`
}

func figuresOf(t clientlib.Totals, basis tally.Basis, cut tally.Cut) Figures {
	value := func(f tally.Figure) int64 { return t.Value(tally.Cell{Basis: basis, Figure: f, Cut: cut}) }
	return Figures{
		Cases: value(tally.Cases), CaseSessions: value(tally.CaseSessions), GroupSessions: value(tally.GroupSessions),
		CommunityActivities: value(tally.CommunityActivities), OutreachRounds: value(tally.OutreachRounds), Beneficiaries: value(tally.Persons),
		Persons: value(tally.Persons), PersonsEstimated: value(tally.PersonsEstimated), Contacts: value(tally.Contacts),
	}
}

// keysOf are all keys of a dimension under which anything is reported.
func keysOf(t clientlib.Totals, d tally.Dimension) []string {
	found := map[string]bool{}
	for _, f := range tally.Figures() {
		for key := range t.By(tally.Reported, f, d) {
			found[key] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// TotalsOf puts totals of a store into their JSON form.
func TotalsOf(ctx context.Context, s *clientlib.Store, t *words.Terms, found clientlib.Totals) (*Totals, error) {
	out := &Totals{
		AsOf: found.AsOf.String(), ServiceDays: found.ServiceDays, Figures: figuresOf(found, tally.Reported, tally.Everything()),
		BySite: []SiteTotals{}, ByServiceArea: []AreaTotals{}, Verified: figuresOf(found, tally.Verified, tally.Everything()),
		Completeness: Completeness{Scope: "this_tablet", Unsent: found.Unsent, Held: found.Held, Conflicts: found.Conflicts},
	}
	if !found.LastContact.IsZero() {
		contact := found.LastContact.In(t.Zone())
		out.Completeness.LastContact = &contact
	}
	sites, err := s.Sites(ctx)
	if err != nil {
		return nil, err
	}
	for _, key := range keysOf(found, tally.Site) {
		one := SiteTotals{Site: key, Name: t.Say(withoutSite), Figures: figuresOf(found, tally.Reported, tally.Cut{Dimension: tally.Site, Key: key})}
		for _, site := range sites {
			if site.ID.String() == key {
				one.Name, one.Code = site.Message.GetName(), site.Message.GetPlace().GetCode()
			}
		}
		out.BySite = append(out.BySite, one)
	}
	slices.SortStableFunc(out.BySite, func(a, b SiteTotals) int { return cmp.Compare(a.Code, b.Code) })
	for _, key := range keysOf(found, tally.ServiceArea) {
		one := AreaTotals{Figures: figuresOf(found, tally.Reported, tally.Cut{Dimension: tally.ServiceArea, Key: key})}
		if number, err := strconv.Atoi(key); err == nil {
			area := t.OptionOf(recordv1.ServiceArea(0).Descriptor(), protoreflect.EnumNumber(number)) //nolint:gosec // keys are numbers of the enumeration
			one.ServiceArea, one.Name = area.Name, area.Label
		}
		out.ByServiceArea = append(out.ByServiceArea, one)
	}
	return out, nil
}

// withoutSite stands for the site of records that name none.
var withoutSite = words.Message{EN: "(no site)", ZH: "（未填服务点）"}
