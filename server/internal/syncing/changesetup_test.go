package syncing_test

import (
	"errors"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

func changeOf(id hlc.ID, m proto.Message, cleared ...protowire.Number) syncing.SetUpChange {
	return syncing.SetUpChange{SetUpRecord: syncing.SetUpRecord{ID: id, Message: m}, Cleared: cleared}
}

// TestChangeSetUp makes, edits and empties as a form on the web does, and reads what the service answers from.
func TestChangeSetUp(t *testing.T) {
	d := servertest.New(t)
	anna, site, one := d.Workers["anna"], d.Sites[1], d.Teams[0]
	if err := d.Service.ChangeSetUp(t.Context(), d.Workers["coordinator"], changeOf(anna, &recordv1.Worker{Name: proto.String("安娜"), Team: d.Teams[1][:]})); err != nil {
		t.Fatal(err)
	}
	if w := d.Service.SetUp().Workers[anna]; w.GetName() != "安娜" || hlc.ID(w.GetTeam()) != d.Teams[1] || w.GetRole() != recordv1.Role_ROLE_FIELD_WORKER {
		t.Errorf("the worker is now %v", w)
	}
	made := d.NewID()
	const teamSite = 1
	if err := d.Service.ChangeSetUp(t.Context(), d.Workers["coordinator"],
		changeOf(made, &recordv1.Team{Name: proto.String("three"), Site: site[:]}),
		changeOf(one, &recordv1.Team{}, teamSite)); err != nil {
		t.Fatal(err)
	}
	if teams := d.Service.SetUp().Teams; hlc.ID(teams[made].GetSite()) != site || len(teams[one].GetSite()) != 0 || teams[one].GetName() != "one" {
		t.Errorf("the teams are now %v and %v", teams[made], teams[one])
	}
}

func TestChangeSetUpRefuses(t *testing.T) {
	d := servertest.New(t)
	good := changeOf(d.Workers["anna"], &recordv1.Worker{Name: proto.String("changed")})
	var wrong *record.Problem
	err := d.Service.ChangeSetUp(t.Context(), d.Workers["coordinator"], good, changeOf(d.Sites[0], &recordv1.Site{Place: &recordv1.Place{Code: proto.String("41062")}}))
	if !errors.As(err, &wrong) {
		t.Errorf("a place code of five digits: %v", err)
	}
	for name, c := range map[string]syncing.SetUpChange{
		"the id of another kind": changeOf(d.Sites[0], &recordv1.Team{Name: proto.String("x")}),
		"no part of the set-up":  changeOf(d.NewID(), &recordv1.Case{}),
		"not UTF-8":              changeOf(d.Sites[0], &recordv1.Site{Name: proto.String("\xff")}),
	} {
		if err := d.Service.ChangeSetUp(t.Context(), d.Workers["coordinator"], good, c); problem.CodeOf(err) != problem.InvalidArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
	if name := d.Service.SetUp().Workers[d.Workers["anna"]].GetName(); name != "anna" {
		t.Errorf("a change beside a refused one was made: %q", name)
	}
}

// TestChangeSetUpAsSeen: what somebody else changed meanwhile is not overwritten, and nothing beside it is changed.
func TestChangeSetUpAsSeen(t *testing.T) {
	const dutyList = 23
	d := servertest.New(t)
	lead, super := d.Workers["lead"], d.Workers["super"]
	seen := syncing.SeenIn(d.Service.SetUp().Deployment, dutyList)
	first := changeOf(d.ID, &recordv1.Deployment{DutyList: [][]byte{lead[:]}})
	first.Seen = seen
	if err := d.Service.ChangeSetUp(t.Context(), d.Workers["coordinator"], first); err != nil {
		t.Fatal(err)
	}
	late := changeOf(d.ID, &recordv1.Deployment{DutyList: [][]byte{super[:]}, Name: proto.String("late")})
	late.Seen = seen
	if err := d.Service.ChangeSetUp(t.Context(), d.Workers["coordinator"], late); problem.CodeOf(err) != problem.ChangedMeanwhile {
		t.Errorf("a change of what was seen before: %v", err)
	}
	if now := d.Service.SetUp().Deployment; len(now.GetDutyList()) != 1 || hlc.ID(now.GetDutyList()[0]) != lead || now.GetName() != "test" {
		t.Errorf("the deployment is now %v", now)
	}
	late.Seen = syncing.SeenIn(d.Service.SetUp().Deployment, dutyList)
	if err := d.Service.ChangeSetUp(t.Context(), d.Workers["coordinator"], late); err != nil {
		t.Errorf("a change of what is there: %v", err)
	}
}

// TestAgeBandsFreeze: they may be changed until something is counted by them, by nobody after that.
func TestAgeBandsFreeze(t *testing.T) {
	d := servertest.New(t)
	ours := changeOf(d.ID, &recordv1.Deployment{AgeBands: []uint32{17, 59}})
	if err := d.Service.ChangeSetUp(t.Context(), d.Workers["coordinator"], ours); err != nil {
		t.Fatal(err)
	}
	if frozen, err := d.Service.BandsFrozen(t.Context()); frozen || err != nil {
		t.Errorf("before anything was counted: %v, %v", frozen, err)
	}
	anna, coordinator := d.Enrol("anna"), d.Enrol("coordinator")
	anna.Push(anna.Make(&recordv1.Case{CaseNo: proto.String("1")}))
	if frozen, err := d.Service.BandsFrozen(t.Context()); !frozen || err != nil {
		t.Errorf("after something was counted: %v, %v", frozen, err)
	}
	if err := d.Service.ChangeSetUp(t.Context(), d.Workers["coordinator"], changeOf(d.ID, &recordv1.Deployment{AgeBands: []uint32{17}})); problem.CodeOf(err) != problem.Frozen {
		t.Errorf("other bands: %v", err)
	}
	const ageBands = 21
	if err := d.Service.ChangeSetUp(t.Context(), d.Workers["coordinator"], changeOf(d.ID, &recordv1.Deployment{}, ageBands)); problem.CodeOf(err) != problem.Frozen {
		t.Errorf("the common bands instead: %v", err)
	}
	if err := d.Service.ChangeSetUp(t.Context(), d.Workers["coordinator"], ours, changeOf(d.ID, &recordv1.Deployment{Name: proto.String("renamed")})); err != nil {
		t.Errorf("the same bands, and another name: %v", err)
	}
	coordinator.Pull()
	c := coordinator.Edit(d.ID, &recordv1.Deployment{AgeBands: []uint32{17}})
	if codes := held(coordinator.Push(c)); codes[1] != "not_allowed" {
		t.Errorf("other bands from a tablet: %v", codes)
	}
	if bands := d.Service.SetUp().Deployment.GetAgeBands(); len(bands) != 2 {
		t.Errorf("the bands are now %v", bands)
	}
}
