package syncing

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/wire"
)

// SetUp is what a deployment was set up with: its own record, sites, teams and workers. It is read anew after each
// change of one of them, and shared by all requests in between.
type SetUp struct {
	Deployment *recordv1.Deployment
	Location   *time.Location
	Sites      map[hlc.ID]*recordv1.Site
	Teams      map[hlc.ID]*recordv1.Team
	Workers    map[hlc.ID]*recordv1.Worker
	// Rules are what changes are validated by.
	Rules record.Deployment

	records []Record
	// keyed: the deployment has a linkage key, or had one. The key itself is in records alone, for tablets.
	keyed bool
	// version tells this set-up apart from any other of the deployment: see Head.SetUp.
	version batch.Hash
	// forNew is what tablets get of it that are let in: made for the first of them, and kept for all others.
	forNew func() (*wire.Shared, error)
}

// setUpKinds are read in this order, which is also the one in which a new tablet gets them.
var setUpKinds = []record.Kind{recordv1.Kind_KIND_DEPLOYMENT, recordv1.Kind_KIND_SITE, recordv1.Kind_KIND_TEAM, recordv1.Kind_KIND_WORKER}

func readSetUpIn(tx Reading) (*SetUp, error) {
	head, err := tx.Head()
	if err != nil {
		return nil, err
	}
	s, err := SetUpIn(tx)
	if err == nil {
		s.version = head.SetUp
	}
	return s, err
}

// SetUpIn is the set-up in one snapshot.
func SetUpIn(tx interface {
	OfKind(kind recordv1.Kind) ([]Record, error)
}) (*SetUp, error) {
	s := &SetUp{Deployment: &recordv1.Deployment{}, Location: time.UTC, Sites: map[hlc.ID]*recordv1.Site{}, Teams: map[hlc.ID]*recordv1.Team{}, Workers: map[hlc.ID]*recordv1.Worker{}}
	for _, kind := range setUpKinds {
		records, err := tx.OfKind(kind)
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			if err := s.add(r); err != nil {
				return nil, err
			}
		}
	}
	if s.Deployment.GetTimeZone() == "" {
		return s, nil
	}
	sites := make([]*recordv1.Site, 0, len(s.Sites))
	for _, site := range s.Sites {
		sites = append(sites, site)
	}
	var err error
	if s.Rules, err = record.DeploymentOf(s.Deployment, sites); err != nil {
		return nil, err
	}
	s.Location = s.Rules.Location
	return s, nil
}

func (s *SetUp) add(r Record) error {
	s.records = append(s.records, r)
	registers, err := record.DecodeState(r.State)
	if err != nil {
		return fmt.Errorf("state of record %v: %w", r.ID, err)
	}
	if registers.Deleted() {
		return nil
	}
	m := record.New(r.Kind)
	if err := proto.Unmarshal(registers.Fields(), m); err != nil {
		return fmt.Errorf("fields of record %v: %w", r.ID, err)
	}
	switch m := m.(type) {
	case *recordv1.Deployment:
		record.Conceal(m)
		s.Deployment, s.keyed = m, registers.Get(record.LinkageKeyField).Field != 0
	case *recordv1.Site:
		s.Sites[r.ID] = m
	case *recordv1.Team:
		s.Teams[r.ID] = m
	case *recordv1.Worker:
		s.Workers[r.ID] = m
	}
	return nil
}

// WorkerIDs are the ids of all workers, in the order in which they were set up.
func (s *SetUp) WorkerIDs() []hlc.ID {
	ids := make([]hlc.ID, 0, len(s.Workers))
	for _, r := range s.records {
		if _, ok := s.Workers[r.ID]; ok {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// teams are the ids of all teams, in the order of their ids.
func (s *SetUp) teams() []hlc.ID { return inOrder(s.Teams) }
