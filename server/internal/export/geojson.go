package export

import (
	"encoding/json"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"levee/server/internal/places"
	"levee/server/internal/progress"
	"levee/server/internal/report"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/tally"
)

// sitesOnMap are the sites as a FeatureCollection of RFC 7946. What GeoJSON does not know stands beside its own members, as it
// allows.
type sitesOnMap struct {
	Type         string       `json:"type"`
	Name         string       `json:"name"`
	AsOf         time.Time    `json:"as_of"`
	Position     uint64       `json:"position"`
	Completeness completeness `json:"completeness"`
	// ToldFrom is the least number of people that is told; null stands for what is left out.
	ToldFrom int         `json:"told_from"`
	Features []siteOnMap `json:"features"`
}

type completeness struct {
	Tablets     int64  `json:"tablets"`
	HeardFrom   int64  `json:"heard_from"`
	Outstanding int64  `json:"outstanding"`
	Held        uint64 `json:"held"`
	Conflicts   uint64 `json:"conflicts"`
}

// siteOnMap is one site with its totals; the last one is what was done at none.
type siteOnMap struct {
	Type string `json:"type"`
	ID   string `json:"id,omitempty"`
	// Geometry is null where the coordinates are not known.
	Geometry   *point         `json:"geometry"`
	Properties siteProperties `json:"properties"`
}

// point has longitude and then latitude, in degrees, as they were entered.
type point struct {
	Type        string     `json:"type"`
	Coordinates [2]float64 `json:"coordinates"`
}

type siteProperties struct {
	Name    string `json:"name"`
	Planned bool   `json:"planned"`
	// PlaceCode is that of the statistics bureau, Places are the names on the way to it.
	PlaceCode string            `json:"place_code"`
	Places    []string          `json:"places"`
	Reported  map[string]*int64 `json:"reported"`
	Verified  map[string]*int64 `json:"verified"`
}

// GeoJSON writes the sites with their totals. Numbers of people and of cases are left out where they are few (see Untold): each is
// a part of that of all sites.
func GeoJSON(c *Content, w io.Writer) error {
	totals, err := c.siteTotals()
	if err != nil {
		return err
	}
	t := c.Completeness
	all := sitesOnMap{Type: "FeatureCollection", Name: c.SetUp.Deployment.GetName(), AsOf: c.At.UTC(), Position: c.Position, ToldFrom: report.Small,
		Completeness: completeness{t.Enrolled - t.Revoked, t.HeardFrom, t.Outstanding, t.Held, t.Conflicts}, Features: []siteOnMap{}}
	sites := map[string]bool{}
	for id := range c.SetUp.Sites {
		sites[id.String()] = true
	}
	for _, of := range totals {
		for key := range of {
			sites[key] = true
		}
	}
	for _, key := range slices.Backward(slices.Sorted(maps.Keys(sites))) {
		all.Features = append(all.Features, c.siteOnMap(key))
	}
	for cell, of := range totals {
		out := map[string]bool{}
		if !slices.Contains(openFigures, cell.Figure) {
			out = untoldOf(of)
		}
		for i := range all.Features {
			p := &all.Features[i].Properties
			n := of[all.Features[i].ID]
			into := p.Reported
			if cell.Basis == tally.Verified {
				into = p.Verified
			}
			if into[cell.Figure.String()] = &n; out[all.Features[i].ID] {
				into[cell.Figure.String()] = nil
			}
		}
	}
	return json.NewEncoder(w).Encode(all)
}

// toldFigures are those that are told: of persons not how many have no token, which would tell how many have one.
var toldFigures = slices.DeleteFunc(tally.Figures(), func(f tally.Figure) bool { return f == tally.PersonsByNumber })

// openFigures count no people, and nothing that is about few of them.
var openFigures = []tally.Figure{tally.GroupSessions, tally.CommunityActivities, tally.OutreachRounds}

// siteOnMap is the site of a key of totals, without them.
func (c *Content) siteOnMap(key string) siteOnMap {
	id, _ := uuid.Parse(key)
	site := c.SetUp.Sites[id]
	if site == nil {
		site = &recordv1.Site{}
	}
	s := siteOnMap{Type: "Feature", ID: key, Properties: siteProperties{Name: c.names.plain[id], Planned: site.GetPlanned(), PlaceCode: site.GetPlace().GetCode(), Places: []string{},
		Reported: map[string]*int64{}, Verified: map[string]*int64{}}}
	if key == "" {
		s.Properties.Name = progress.LabelOf(c.SetUp, tally.Site, key).In(c.Lang)
	}
	if site.LatitudeE6 != nil && site.LongitudeE6 != nil {
		s.Geometry = &point{"Point", [2]float64{float64(site.GetLongitudeE6()) / 1e6, float64(site.GetLatitudeE6()) / 1e6}}
	}
	for _, p := range places.Path(site.GetPlace().GetCode()) {
		s.Properties.Places = append(s.Properties.Places, p.Name)
	}
	return s
}

// siteFigure is a figure on a basis.
type siteFigure struct {
	Basis  tally.Basis
	Figure tally.Figure
}

// siteTotals are all figures by site. Of the whole they are stored; of some teams they are counted, for which whoever these met is
// held in memory.
func (c *Content) siteTotals() (map[siteFigure]map[string]int64, error) {
	var counted *tally.Totals
	if !c.Whole {
		var err error
		counted = tally.OfFacts(func(yield func(tally.Fact) bool) {
			err = c.eachGiven(func(g progress.Given) error {
				f := g.Fact
				f.Cuts, f.Split, f.TokenCuts = slices.DeleteFunc(f.Cuts, func(cut tally.Cut) bool { return cut.Dimension != tally.Site }), nil, nil
				yield(f) // it never has enough
				return nil
			})
		})
		if err != nil {
			return nil, err
		}
	}
	totals := map[siteFigure]map[string]int64{}
	for _, basis := range []tally.Basis{tally.Reported, tally.Verified} {
		for _, figure := range toldFigures {
			of := map[string]int64{}
			totals[siteFigure{basis, figure}] = of
			if counted != nil {
				maps.Copy(of, counted.By(basis, figure, tally.Site))
				continue
			}
			if err := c.storedBySite(basis, figure, of); err != nil {
				return nil, err
			}
		}
	}
	if c.Whole && c.Progress != nil {
		c.Progress(c.of, c.of)
	}
	return totals, nil
}

func (c *Content) storedBySite(basis tally.Basis, figure tally.Figure, into map[string]int64) error {
	q := progress.TotalsRange{Basis: basis, Figure: figure, Dimension: tally.Site, Limit: progress.MaxRows}
	for {
		n := 0
		err := c.tx.Totals(q, func(key string, value int64) error {
			into[key] = value
			q.After = key
			n++
			return nil
		})
		if err != nil || n < q.Limit {
			return err
		}
	}
}
