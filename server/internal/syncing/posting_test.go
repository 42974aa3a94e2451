package syncing_test

import (
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/servertest"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
)

// casework is a case of a worker with who the client is and what was said.
func casework(v *servertest.Device, number string) (root, identity, note hlc.ID) {
	c := numbered(number)
	c.Lead = v.Worker[:]
	made := v.Make(c)
	who := v.Make(&recordv1.CaseIdentity{Case: made.Record[:], Name: proto.String("李某")})
	met := v.Make(session(made.Record))
	said := v.Make(&recordv1.CaseNote{Session: met.Record[:], Process: proto.String("谈话")})
	v.Push(made, who, met, said)
	return made.Record, who.Record, said.Record
}

func has(page *syncv1.Page, id hlc.ID) bool { return states(page)[id].GetState() != nil }

func drops(page *syncv1.Page, id hlc.ID) bool {
	return slices.ContainsFunc(page.GetDropped(), func(b []byte) bool { return slices.Equal(b, id[:]) })
}

// The supervisor of one team is given another: she gets its records, may write there, and loses them with the team.
func TestASupervisorIsGivenATeam(t *testing.T) {
	d := servertest.New(t)
	carl, super, coordinator := d.Enrol("carl"), d.Enrol("super"), d.Enrol("coordinator")
	root, identity, note := casework(carl, "1")
	if page := super.Pull(); has(page, root) || has(page, identity) {
		t.Fatal("she sees a team that is not hers")
	}
	early := super.Edit(root, &recordv1.Case{Age: proto.Uint32(60)})
	if codes := held(super.Push(early)); codes[1] != "not_your_team" {
		t.Fatalf("an edit in it: %v", codes)
	}
	d.Pass(time.Minute)
	coordinator.Pull()
	coordinator.Push(coordinator.Edit(d.Workers["super"], &recordv1.Worker{Supervises: [][]byte{d.Teams[1][:]}}))
	super.Cursor = &syncv1.Mark{} // a tablet that is posted anew pulls from the beginning
	page := super.Pull()
	if !has(page, root) || !has(page, identity) || !has(page, note) {
		t.Fatal("she does not get the records of the team that she was given")
	}
	d.Pass(time.Minute)
	if codes := held(super.Push(super.Edit(root, &recordv1.Case{Age: proto.Uint32(70)}))); len(codes) > 0 {
		t.Fatalf("an edit in her new team: %v", codes)
	}
	d.Pass(time.Minute)
	coordinator.Pull()
	coordinator.Push(coordinator.Edit(d.Workers["super"], &recordv1.Worker{Supervises: [][]byte{d.Teams[0][:]}}))
	page = super.Pull()
	if !drops(page, root) || !drops(page, identity) || !drops(page, note) {
		t.Errorf("she keeps what she may no longer see: told to drop %d", len(page.GetDropped()))
	}
	addsUp(t, d)
}

// A supervisor from outside sees cases without identities; once she is one, her tablet drops those that it has.
func TestASupervisorFromOutsideSeesNoIdentities(t *testing.T) {
	d := servertest.New(t)
	anna, super, coordinator := d.Enrol("anna"), d.Enrol("super"), d.Enrol("coordinator")
	root, identity, note := casework(anna, "1")
	if page := super.Pull(); !has(page, root) || !has(page, identity) || !has(page, note) {
		t.Fatal("the team's own supervisor lacks something")
	}
	coordinator.Pull()
	d.Pass(time.Minute)
	coordinator.Push(coordinator.Edit(d.Workers["super"], &recordv1.Worker{External: proto.Bool(true)}))
	page := super.Pull()
	if !drops(page, identity) || drops(page, note) || drops(page, root) {
		t.Errorf("told to drop %x, which should be the identity alone", page.GetDropped())
	}
	d.Pass(time.Minute)
	_, second, _ := casework(anna, "2")
	if page := super.Pull(); has(page, second) || len(page.GetRecords()) == 0 {
		t.Error("she still gets identities, or nothing at all")
	}
	mine := super.Make(&recordv1.CaseIdentity{Case: root[:], Name: proto.String("王某")})
	if codes := held(super.Push(mine)); codes[1] != "not_allowed" {
		t.Errorf("an identity by her: %v", codes)
	}
	addsUp(t, d)
}

// Who leads a team and becomes a field worker, or was a supervisor, loses sight of what is confidential, though the team
// stays.
func TestWithAnotherRoleConfidentialRecordsGo(t *testing.T) {
	d := servertest.New(t)
	anna, super, coordinator := d.Enrol("anna"), d.Enrol("super"), d.Enrol("coordinator")
	root, identity, note := casework(anna, "1")
	super.Pull()
	coordinator.Pull()
	d.Pass(time.Minute)
	coordinator.Push(coordinator.Edit(d.Workers["super"], &recordv1.Worker{Role: recordv1.Role_ROLE_FIELD_WORKER.Enum()}))
	if page := super.Pull(); !drops(page, identity) || !drops(page, note) || drops(page, root) {
		t.Errorf("told to drop %x", page.GetDropped())
	}
}

// The coordinator closes the deployment. What was written before is applied whenever it comes; what is written after waits
// for her, and is applied once she opens the deployment again.
func TestWhatIsWrittenAfterTheCloseWaits(t *testing.T) {
	d := servertest.New(t)
	anna, ben, coordinator := d.Enrol("anna"), d.Enrol("ben"), d.Enrol("coordinator")
	before := anna.Make(numbered("before"))
	coordinator.Pull()
	d.Pass(time.Minute)
	coordinator.Push(coordinator.Edit(d.ID, &recordv1.Deployment{State: recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSED.Enum()}))
	d.Pass(time.Minute)
	after := ben.Make(numbered("after"))
	if codes := held(anna.Push(before)); len(codes) > 0 {
		t.Errorf("written before the close: %v", codes)
	}
	if codes := held(ben.Push(after)); codes[1] != "deployment_closed" {
		t.Errorf("written after it: %v", codes)
	}
	if codes := held(coordinator.Push(coordinator.Make(numbered("hers")))); len(codes) != 1 {
		t.Errorf("casework of the coordinator after the close: %v", codes)
	}
	d.Pass(time.Minute)
	coordinator.Pull()
	if codes := held(coordinator.Push(coordinator.Edit(d.ID, &recordv1.Deployment{State: recordv1.DeploymentState_DEPLOYMENT_STATE_ACTIVE.Enum()}))); len(codes) > 0 {
		t.Fatalf("opening it again: %v", codes)
	}
	if settled := ben.Pull().GetSettled(); len(settled) != 1 || settled[0].GetCode() != "" {
		t.Errorf("once it is open again: %v", settled)
	}
	addsUp(t, d)
}
