package server

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/httpapi"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// SetUp is what a deployment is made from at the first start.
type SetUp struct {
	Name string `yaml:"name"`
	// Start and End are dates such as 2021-09-23; End may be empty while the deployment goes on.
	Start string `yaml:"start"`
	End   string `yaml:"end"`
	// TimeZone is an IANA name; Asia/Shanghai when empty.
	TimeZone string        `yaml:"time_zone"`
	Sites    []SetUpSite   `yaml:"sites"`
	Teams    []SetUpTeam   `yaml:"teams"`
	Workers  []SetUpWorker `yaml:"workers"`
	// SamePeople is a deployment of this server that counts the same people: it shares its linkage key. The zero id is for none.
	SamePeople hlc.ID `yaml:"-"`
}

// SetUpSite is a place where teams work.
type SetUpSite struct {
	Name string `yaml:"name"`
	// Code is the statistics bureau's: 2, 4, 6, 9 or 12 digits, of the edition of a year.
	Code    string `yaml:"code"`
	Edition int32  `yaml:"edition"`
}

// SetUpTeam is a team and the site it works at.
type SetUpTeam struct {
	Name string `yaml:"name"`
	// Site is the name of one of the sites; it may be empty.
	Site string `yaml:"site"`
}

// SetUpWorker is someone who works in the deployment.
type SetUpWorker struct {
	Name string `yaml:"name"`
	// Team is the name of one of the teams; supervisors and coordinators may have none.
	Team string `yaml:"team"`
	// Role is field_worker, team_lead, supervisor or coordinator; field_worker when empty.
	Role string `yaml:"role"`
	// Supervises are the names of the teams given to a supervisor, besides Team.
	Supervises []string `yaml:"supervises"`
	// External: a supervisor from outside, who sees cases without identities.
	External bool `yaml:"external"`
	// Type is social_worker, counsellor, volunteer, expert or local_helper; volunteer when empty.
	Type string `yaml:"type"`
}

// ReadSetUp reads a set-up from YAML. Words that it does not know are an error, and so is what can't be a deployment.
func ReadSetUp(r io.Reader) (*SetUp, error) {
	b, err := io.ReadAll(io.LimitReader(r, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("reading the set-up: %w", err)
	}
	var s SetUp
	if err := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict()).Decode(&s); err != nil {
		return nil, fmt.Errorf("reading the set-up: %w", err)
	}
	return &s, nil
}

const defaultEdition = 2023

// records are the set-up records that s describes, in the order in which they depend on each other.
func (s *SetUp) records(newID func() (hlc.ID, error)) ([]syncing.SetUpRecord, error) {
	if strings.TrimSpace(s.Name) == "" || s.Start == "" {
		return nil, fmt.Errorf("a deployment needs a name and a start, such as 2021-09-23")
	}
	deployment := &recordv1.Deployment{Name: &s.Name, TimeZone: proto.String(orElse(s.TimeZone, "Asia/Shanghai"))}
	if _, err := time.LoadLocation(deployment.GetTimeZone()); err != nil {
		return nil, fmt.Errorf("time zone %q is not known: use an IANA name such as Asia/Shanghai", s.TimeZone)
	}
	for _, day := range []struct {
		text  string
		field **int32
	}{{s.Start, &deployment.StartOn}, {s.End, &deployment.EndOn}} {
		if day.text == "" {
			continue
		}
		date, err := record.ParseDate(day.text)
		if err != nil {
			return nil, err
		}
		*day.field = proto.Int32(int32(date))
	}
	var all []syncing.SetUpRecord
	add := func(m proto.Message) ([]byte, error) {
		id, err := newID()
		all = append(all, syncing.SetUpRecord{ID: id, Message: m})
		return id[:], err
	}
	if _, err := add(deployment); err != nil {
		return nil, err
	}
	sites, teams := map[string][]byte{}, map[string][]byte{}
	places := map[string]*recordv1.Place{}
	for _, site := range s.Sites {
		edition := site.Edition
		if edition == 0 {
			edition = defaultEdition
		}
		place := &recordv1.Place{Code: &site.Code, Edition: &edition}
		id, err := add(&recordv1.Site{Name: &site.Name, Place: place})
		if err != nil {
			return nil, err
		}
		if err := once(sites, "site", site.Name, id); err != nil {
			return nil, err
		}
		places[site.Name] = place
	}
	for _, team := range s.Teams {
		m := &recordv1.Team{Name: &team.Name}
		if team.Site != "" {
			at, ok := sites[team.Site]
			if !ok {
				return nil, unknown("site", team.Site, sites)
			}
			m.Site, m.Place = at, places[team.Site]
		}
		id, err := add(m)
		if err != nil {
			return nil, err
		}
		if err := once(teams, "team", team.Name, id); err != nil {
			return nil, err
		}
	}
	workers := map[string][]byte{}
	for _, worker := range s.Workers {
		m, err := worker.message(teams)
		if err != nil {
			return nil, err
		}
		id, err := add(m)
		if err != nil {
			return nil, err
		}
		if err := once(workers, "worker", worker.Name, id); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (w *SetUpWorker) message(teams map[string][]byte) (*recordv1.Worker, error) {
	role, err := enumByName(recordv1.Role_value, "ROLE_", orElse(w.Role, "field_worker"))
	if err != nil {
		return nil, fmt.Errorf("role of %s: %w", w.Name, err)
	}
	training, err := enumByName(recordv1.WorkerType_value, "WORKER_TYPE_", orElse(w.Type, "volunteer"))
	if err != nil {
		return nil, fmt.Errorf("type of %s: %w", w.Name, err)
	}
	m := &recordv1.Worker{Name: &w.Name, Role: recordv1.Role(role).Enum(), Type: recordv1.WorkerType(training).Enum()}
	for _, name := range w.Supervises {
		team, ok := teams[name]
		if !ok {
			return nil, unknown("team", name, teams)
		}
		m.Supervises = append(m.Supervises, team)
	}
	if w.External {
		m.External = &w.External
	}
	if (len(w.Supervises) > 0 || w.External) && m.GetRole() != recordv1.Role_ROLE_SUPERVISOR {
		return nil, fmt.Errorf("%s is no supervisor: only one has teams in supervises, or is external", w.Name)
	}
	if w.Team == "" {
		if m.GetRole() == recordv1.Role_ROLE_FIELD_WORKER || m.GetRole() == recordv1.Role_ROLE_TEAM_LEAD {
			return nil, fmt.Errorf("%s needs a team", w.Name)
		}
		return m, nil
	}
	team, ok := teams[w.Team]
	if !ok {
		return nil, unknown("team", w.Team, teams)
	}
	m.Team = team
	return m, nil
}

func once(named map[string][]byte, what, name string, id []byte) error {
	if strings.TrimSpace(name) == "" {
		return fmt.Errorf("a %s needs a name", what)
	}
	if _, ok := named[name]; ok {
		return fmt.Errorf("two %ss are called %q: give each its own name", what, name)
	}
	named[name] = id
	return nil
}

func unknown[V any](what, name string, known map[string]V) error {
	return fmt.Errorf("there is no %s %q; known: %s", what, name, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
}

func enumByName(values map[string]int32, prefix, name string) (int32, error) {
	if v, ok := values[prefix+strings.ToUpper(name)]; ok {
		return v, nil
	}
	names := make(map[string]bool)
	for n := range values {
		names[strings.ToLower(strings.TrimPrefix(n, prefix))] = true
	}
	return 0, unknown("value", name, names)
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// validate judges the records as changes of tablets are judged, so that no deployment starts with what none could send.
func validate(records []syncing.SetUpRecord, now time.Time) error {
	var deployment *recordv1.Deployment
	var sites []*recordv1.Site
	for _, r := range records {
		switch m := r.Message.(type) {
		case *recordv1.Deployment:
			deployment = m
		case *recordv1.Site:
			sites = append(sites, m)
		}
	}
	rules, err := record.DeploymentOf(deployment, sites)
	if err != nil {
		return err
	}
	rules.Now = now
	for _, r := range records {
		kind := record.KindOf(r.Message)
		encoded, err := proto.Marshal(r.Message)
		if err != nil {
			return fmt.Errorf("the set-up: %w", err)
		}
		fields, err := record.Canonical(kind, encoded)
		if err != nil {
			return fmt.Errorf("the set-up: %w", err)
		}
		for _, p := range record.Validate(kind, fields, rules) {
			m := r.Message.ProtoReflect()
			return fmt.Errorf("the set-up: %s %q, %s: %s", m.Descriptor().Name(), nameOf(r.Message),
				m.Descriptor().Fields().ByNumber(p.Field).Name(), record.Message(p.Code, "en"))
		}
	}
	return nil
}

func nameOf(m proto.Message) string {
	if named, ok := m.(interface{ GetName() string }); ok {
		return named.GetName()
	}
	return ""
}

// setUp makes a deployment. It is served once it is added to the others.
func (s *Server) setUp(ctx context.Context, from *SetUp) (*httpapi.Deployment, error) {
	now := s.config.Wall()
	clock := hlc.NewClock(s.config.Wall, 0)
	newID := func() (hlc.ID, error) { return hlc.NewID(clock.Now(), s.config.Entropy) }
	records, err := from.records(newID)
	if err != nil {
		return nil, err
	}
	if err := validate(records, now); err != nil {
		return nil, err
	}
	// The deployment's record carries the deployment's own id.
	d, err := s.start(ctx, records[0].ID)
	if err != nil {
		return nil, err
	}
	if err := s.addRecords(ctx, d.Syncing, records, from.SamePeople); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// addRecords gives a deployment what it is set up with, and the linkage key of another one that counts the same people, if there is
// one. Problem invalid_argument when that is not here.
func (s *Server) addRecords(ctx context.Context, to *syncing.Service, records []syncing.SetUpRecord, samePeople hlc.ID) error {
	if samePeople == (hlc.ID{}) {
		return to.Add(ctx, records)
	}
	other := s.deployments.Get(samePeople)
	if other == nil {
		return problem.Newf(problem.InvalidArgument, "there is no deployment %v", samePeople)
	}
	return to.AddLinked(ctx, records, other.Syncing)
}
