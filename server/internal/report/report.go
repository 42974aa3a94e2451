// Package report tells of a day, a week or a month of a deployment (日报, 周报, 月报): its figures beside those since the start,
// who worked for how long, goods, and what is open. It counts nothing itself: the figures are those of package progress. It
// declares the Store that it needs.
package report

import (
	"context"
	"time"

	"levee/server/internal/progress"
	"levee/syncproto/hlc"
	"levee/syncproto/record"
	"levee/syncproto/tally"
	"levee/syncproto/words"
)

// Config is what a Service needs.
type Config struct {
	Deployment hlc.ID
	Store      Store
	Progress   *progress.Service
}

// Service reports of one deployment.
type Service struct{ Config }

// New is a service over a store.
func New(c Config) *Service { return &Service{c} }

// Report is what is told of a period. Its names in JSON are stable.
type Report struct {
	Deployment hlc.ID `json:"deployment"`
	Name       string `json:"name"`
	Period     Period `json:"period"`
	// From and To are the first and the last day, both counted. ServiceDays are the calendar days from the deployment's start
	// to To.
	From        Date `json:"from"`
	To          Date `json:"to"`
	ServiceDays int  `json:"service_days"`
	// Whole is false where the report is of some teams alone.
	Whole   bool     `json:"whole"`
	Figures []Figure `json:"figures"`
	// Done are the figures of the period, Total those of all days up to its last one.
	Done         Row       `json:"done"`
	Total        Row       `json:"total"`
	Towns        []Row     `json:"towns"`
	Sites        []Row     `json:"sites"`
	Teams        []Row     `json:"teams"`
	ServiceAreas []Row     `json:"service_areas"`
	Workers      []Worker  `json:"workers"`
	Goods        []Goods   `json:"goods"`
	Alerts       Alerts    `json:"alerts"`
	OpenCases    OpenCases `json:"open_cases"`
	// Completeness says how much of what was done the report can know.
	Completeness Completeness `json:"completeness"`
}

// Date is a day that JSON has as "2021-10-08".
type Date struct{ record.Date }

// MarshalText implements encoding.TextMarshaler.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Date) UnmarshalText(text []byte) (err error) {
	d.Date, err = record.ParseDate(string(text))
	return err
}

// Label is what something is called in each language.
type Label struct {
	Zh string `json:"zh"`
	En string `json:"en"`
}

// Figure is what is counted, with its rule.
type Figure struct {
	Name  string `json:"name"`
	Label Label  `json:"label"`
	Rule  Label  `json:"rule"`
}

// Row is the figures of the whole or of a part of it. Persons (人数) are distinct within the row, so that rows don't add up;
// persons_new are those of them who were met on no day before the period.
type Row struct {
	Key   string `json:"key"`
	Label Label  `json:"label"`
	// Place is the code of a town or of a site's place.
	Place    string           `json:"place,omitempty"`
	Reported map[string]int64 `json:"reported"`
	Verified map[string]int64 `json:"verified"`
}

// Worker is how long somebody worked in the period, wherever they did; progress.WorkTime says what that is.
type Worker struct {
	ID   hlc.ID `json:"id"`
	Name string `json:"name"`
	// Type is the stable name of the worker's type, such as "volunteer".
	Type string `json:"type"`
	Team string `json:"team,omitempty"`
	// Days is on how many days, the first on From and the last on To.
	Days int  `json:"days"`
	From Date `json:"from"`
	To   Date `json:"to"`
	// Held is how many sessions, activities and rounds of visits, by their figures, and Minutes how long these took.
	Held    map[string]int64 `json:"held"`
	Minutes int64            `json:"minutes"`
}

// Completeness is how complete the figures were when the report was made.
type Completeness struct {
	At       time.Time `json:"at"`
	Position uint64    `json:"position"`
	// Tablets are those in use, and HeardFrom those of them with a contact since Since.
	Tablets   int64     `json:"tablets"`
	HeardFrom int64     `json:"heard_from"`
	Since     time.Time `json:"since"`
	// Outstanding are changes that tablets said to hold still, Held those that were received and count for nothing, Conflicts
	// those that nobody has settled.
	Outstanding int64  `json:"outstanding"`
	Held        uint64 `json:"held"`
	Conflicts   uint64 `json:"conflicts"`
}

// Dates are the days that can be reported of.
func (s *Service) Dates() Dates {
	setUp := s.Progress.SetUp()
	return DatesOf(setUp.Deployment, record.DateOf(s.Progress.Wall(), setUp.Location))
}

// Report tells of the period in which a day lies; of the last day without one (0). With teams it is of these alone, else (nil) of
// the whole deployment. Problem invalid_argument when there is no such period or day, not_found when teams are empty.
func (s *Service) Report(ctx context.Context, period Period, day record.Date, teams []hlc.ID) (*Report, error) {
	from, to, err := period.Span(day, s.Dates())
	if err != nil {
		return nil, err
	}
	p, err := s.Progress.Period(ctx, progress.PeriodQuery{From: from, To: to, Whole: teams == nil, Teams: teams})
	if err != nil {
		return nil, err
	}
	setUp := s.Progress.SetUp()
	r := &Report{Deployment: s.Deployment, Name: setUp.Deployment.GetName(), Period: period, From: Date{from}, To: Date{to}, Whole: teams == nil,
		Done: rowOf(p.Done), Total: rowOf(p.Total), Towns: rowsOf(p.Towns), Sites: rowsOf(p.Sites), Teams: rowsOf(p.Teams), ServiceAreas: rowsOf(p.ServiceAreas),
		Workers: []Worker{}, Goods: []Goods{}, Completeness: completenessOf(p.Completeness)}
	if start := record.Date(setUp.Deployment.GetStartOn()); start.Valid() {
		r.ServiceDays = tally.ServiceDays(start, to)
	}
	for _, f := range p.Figures {
		r.Figures = append(r.Figures, Figure{f.Name, Label(f.Label), Label(f.Rule)})
	}
	for _, w := range p.Workers {
		r.Workers = append(r.Workers, Worker{ID: w.Worker.ID, Name: w.Worker.Name, Type: words.ChoiceName(w.Type.Descriptor().Values().ByNumber(w.Type.Number())), Team: w.Team.Name,
			Days: w.Days, From: Date{w.From}, To: Date{w.To}, Held: w.Held, Minutes: w.Minutes})
	}
	return r, s.Store.ReadReport(ctx, func(tx Reading) error { return r.read(tx, setUp.Location, teams) })
}

func rowOf(r progress.Row) Row {
	row := Row{Key: r.Key, Label: Label(r.Label), Place: r.Place, Reported: r.Values[tally.Reported], Verified: r.Values[tally.Verified]}
	for _, values := range []*map[string]int64{&row.Reported, &row.Verified} {
		if *values == nil {
			*values = map[string]int64{}
		}
	}
	return row
}

func rowsOf(all []progress.Row) []Row {
	rows := make([]Row, 0, len(all))
	for _, r := range all {
		rows = append(rows, rowOf(r))
	}
	return rows
}

func completenessOf(c progress.Completeness) Completeness {
	return Completeness{At: c.At.UTC(), Position: c.Position, Tablets: c.Enrolled - c.Revoked, HeardFrom: c.HeardFrom, Since: c.Since.UTC(),
		Outstanding: c.Outstanding, Held: c.Held, Conflicts: c.Conflicts}
}
