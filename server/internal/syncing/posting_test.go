package syncing_test

import (
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	"levee/syncproto/certificate"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// stateField is the number of the field that says how far a deployment has come.
const stateField = 26

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

// closes says how far the deployment has come, as the close-out does for a coordinator.
func closes(t *testing.T, coordinator *servertest.Device, state recordv1.DeploymentState) {
	t.Helper()
	coordinator.Pass(time.Minute)
	if err := coordinator.Service.ChangeSetUp(t.Context(), coordinator.Worker, changeOf(coordinator.ID, &recordv1.Deployment{State: state.Enum()})); err != nil {
		t.Fatalf("state %v: %v", state, err)
	}
	coordinator.Pass(time.Minute)
}

// The checklist stands before the end of a deployment: not even a coordinator's tablet gets past it, there or back, nor by another record
// in the place of the deployment's.
func TestNoTabletMovesTheState(t *testing.T) {
	d := servertest.New(t)
	coordinator := d.Enrol("coordinator")
	of := func(state recordv1.DeploymentState) *recordv1.Deployment {
		return &recordv1.Deployment{State: state.Enum()}
	}
	for _, was := range []recordv1.DeploymentState{recordv1.DeploymentState_DEPLOYMENT_STATE_ACTIVE, recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSED} {
		closes(t, coordinator, was)
		coordinator.Pull()
		d.Pass(time.Minute)
		var moves []*record.Change
		for _, state := range []recordv1.DeploymentState{
			recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSING, recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSED, recordv1.DeploymentState_DEPLOYMENT_STATE_ARCHIVED,
			recordv1.DeploymentState_DEPLOYMENT_STATE_ACTIVE, recordv1.DeploymentState_DEPLOYMENT_STATE_UNKNOWN,
		} {
			if state != was {
				moves = append(moves, coordinator.Edit(d.ID, of(state)))
			}
		}
		moves = append(moves, coordinator.Edit(d.ID, &recordv1.Deployment{}, stateField), coordinator.Edit(d.ID, &recordv1.Deployment{Deleted: proto.Bool(true)}), coordinator.Make(&recordv1.Deployment{Name: proto.String("another")}))
		codes := held(coordinator.Push(append(moves, coordinator.Edit(d.ID, &recordv1.Deployment{Name: proto.String(was.String())}))...))
		if len(codes) != len(moves) {
			t.Errorf("while it is %v: %v of %d", was, codes, len(moves))
		}
		for _, code := range codes {
			if code != "not_allowed" {
				t.Errorf("while it is %v: %v", was, codes)
			}
		}
		if err := d.Service.Decide(t.Context(), moves[0].ID, recordv1.Decision_DECISION_RELEASE, coordinator.Worker, ""); problem.CodeOf(err) != problem.InvalidArgument {
			t.Errorf("while it is %v, released: %v", was, err)
		}
		if err := d.Service.Act(t.Context(), coordinator.Worker, syncing.Deed{ID: d.ID, Message: of(recordv1.DeploymentState_DEPLOYMENT_STATE_ARCHIVED), Seen: stands(t, d, d.ID).Position}); problem.CodeOf(err) != problem.NotAllowed {
			t.Errorf("while it is %v, on the web: %v", was, err)
		}
		if now := d.Service.SetUp().Deployment; now.GetState() != was || now.GetName() != was.String() {
			t.Errorf("it was %v, and is %v, named %s", was, now.GetState(), now.GetName())
		}
	}
}

// The coordinator closes the deployment. Whatever comes afterwards waits for her, no matter when it was written, an edit together with
// what it edits; but calls for help wait for nobody. Once she opens the deployment again, it is applied.
func TestWhatComesAfterTheCloseWaits(t *testing.T) {
	d := servertest.New(t)
	anna, ben, coordinator := d.Enrol("anna"), d.Enrol("ben"), d.Enrol("coordinator")
	there := ben.Make(numbered("there"))
	ben.Push(there)
	before := anna.Make(numbered("before"))
	edit := anna.Edit(before.Record, &recordv1.Case{Stage: recordv1.CaseStage_CASE_STAGE_CLOSURE.Enum()})
	closes(t, coordinator, recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSED)
	after := ben.Make(numbered("after"))
	if codes := held(anna.Push(before, edit)); codes[1] != "deployment_closed" || codes[2] != "deployment_closed" {
		t.Errorf("written before the close: %v", codes)
	}
	alert := ben.Make(&recordv1.RiskAlert{Type: recordv1.RiskType_RISK_TYPE_MISSING.Enum(), SeenAt: proto.Int64(d.Wall().UnixMilli()), Done: proto.String("已报警")})
	if codes := held(ben.Push(after, ben.Edit(there.Record, numbered("other")), alert)); codes[2] != "deployment_closed" || codes[3] != "deployment_closed" || codes[4] != "" {
		t.Errorf("written after it: %v", codes)
	}
	if codes := held(coordinator.Push(coordinator.Make(numbered("hers")))); len(codes) != 1 {
		t.Errorf("casework of the coordinator after the close: %v", codes)
	}
	waiver := &recordv1.Waiver{Check: recordv1.CloseOutCheck_CLOSE_OUT_CHECK_HELD.Enum(), Reason: proto.String("已电话核对")}
	if codes := held(coordinator.Push(coordinator.Make(waiver))); len(codes) > 0 {
		t.Errorf("what she waives: %v", codes)
	}
	if codes := held(coordinator.Push(coordinator.Make(&recordv1.Certificate{Edition: proto.Uint32(1), Document: []byte{1}, Part: proto.Uint32(1), Parts: proto.Uint32(1)}))); len(codes) != 1 {
		t.Errorf("a certificate that she makes herself: %v", codes)
	}
	closes(t, coordinator, recordv1.DeploymentState_DEPLOYMENT_STATE_ACTIVE)
	if settled := ben.Pull().GetSettled(); len(settled) != 2 || settled[0].GetCode() != "" || settled[1].GetCode() != "" {
		t.Errorf("once it is open again: %v", settled)
	}
	addsUp(t, d)
}

// She accepts some of an addendum and declines the rest: what she accepts is applied as if it had come in time.
func TestAnAddendumIsDecidedOnChangeByChange(t *testing.T) {
	d := servertest.New(t)
	anna, coordinator := d.Enrol("anna"), d.Enrol("coordinator")
	one, two := anna.Make(numbered("one")), anna.Make(numbered("two"))
	edit := anna.Edit(one.Record, numbered("one, mended"))
	closes(t, coordinator, recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSED)
	anna.Push(one, two, edit)
	decide := func(change hlc.ID, decision recordv1.Decision) {
		t.Helper()
		if err := d.Service.Decide(t.Context(), change, decision, coordinator.Worker, "已核对"); err != nil {
			t.Fatal(err)
		}
	}
	decide(one.ID, recordv1.Decision_DECISION_RELEASE)
	if got := outcomes(t, d, one.Record); !slices.Equal(got, []string{syncing.Applied, "deployment_closed"}) {
		t.Errorf("what was accepted, and its edit: %v", got)
	}
	decide(edit.ID, recordv1.Decision_DECISION_RELEASE)
	decide(two.ID, recordv1.Decision_DECISION_DISCARD)
	if got, declined := outcomes(t, d, one.Record), outcomes(t, d, two.Record); !slices.Equal(got, []string{syncing.Applied, syncing.Applied}) || !slices.Equal(declined, []string{syncing.Discarded}) {
		t.Errorf("accepted %v, declined %v", got, declined)
	}
	addsUp(t, d)
}

// A server that was set back to a copy from before has what the certificate says was within put where it was, and the rest waits.
func TestWhatTheCertificateCoversIsNoAddendum(t *testing.T) {
	d := servertest.New(t)
	anna, coordinator := d.Enrol("anna"), d.Enrol("coordinator")
	one, two := anna.Make(numbered("one")), anna.Make(numbered("two"))
	c := &certificate.Certificate{Edition: 1, Replicas: []certificate.Replica{{Replica: anna.Replica, Sequence: 1}}}
	file, err := certificate.Sign(d.Keys.Signing, c)
	if err != nil {
		t.Fatal(err)
	}
	parts, err := certificate.Records(1, file)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Service.ChangeSetUp(t.Context(), coordinator.Worker, syncing.SetUpChange{SetUpRecord: syncing.SetUpRecord{ID: d.NewID(), Message: parts[0]}}); err != nil {
		t.Fatal(err)
	}
	closes(t, coordinator, recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSED)
	request := anna.Request(anna.Batch(one, two))
	request.Accepted = 2 // a server had both
	response, err := anna.Sync(request)
	if err != nil {
		t.Fatal(err)
	}
	if codes := held(response); codes[1] != "" || codes[2] != "deployment_closed" {
		t.Errorf("sent again: %v", codes)
	}
	addsUp(t, d)
}
