package syncing_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

func aCase() *recordv1.Case {
	return &recordv1.Case{CaseNo: proto.String("1"), OpenedOn: proto.Int32(20211001), ClientCount: proto.Uint32(2), Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(), Lead: make16(9)}
}

func make16(b byte) []byte { return bytes.Repeat([]byte{b}, 16) }

func session(c hlc.ID) *recordv1.CaseSession {
	return &recordv1.CaseSession{Case: c[:], Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(), Mode: recordv1.SessionMode_SESSION_MODE_HOME_VISIT.Enum(),
		Minutes: proto.Uint32(50), Attendees: proto.Uint32(1), RiskSeen: recordv1.RiskSeen_RISK_SEEN_NO.Enum()}
}

// held are the codes by sequence number.
func held(a *syncv1.SyncResponse) map[uint64]string {
	codes := map[uint64]string{}
	for _, h := range a.GetAcknowledgement().GetHeld() {
		codes[h.GetSequence()] = h.GetCode()
	}
	return codes
}

func states(page *syncv1.Page) map[hlc.ID]*syncv1.PulledRecord {
	all := map[hlc.ID]*syncv1.PulledRecord{}
	for _, r := range page.GetRecords() {
		all[hlc.ID(r.GetId())] = r
	}
	return all
}

func TestATeamMateGetsWhatWasLoggedAndAnotherTeamDoesNot(t *testing.T) {
	d := servertest.New(t)
	anna, ben, carl := d.Enrol("anna"), d.Enrol("ben"), d.Enrol("carl")
	ben.Pull()
	made := anna.Make(aCase())
	anna.Push(made)
	if r := states(ben.Pull())[made.Record]; r == nil || r.GetState() == nil || len(r.GetProof()) != 8 {
		t.Fatalf("the team mate got %v", r)
	}
	if r := states(carl.Pull())[made.Record]; r != nil {
		t.Fatal("another team got the case")
	}
	if page := ben.Pull(); len(page.GetRecords()) != 0 || page.GetRemaining() != 0 {
		t.Fatal("a second pull brings it again")
	}
}

func TestOwnRecordsComeWithoutTheirBody(t *testing.T) {
	d := servertest.New(t)
	anna, ben := d.Enrol("anna"), d.Enrol("ben")
	anna.Pull()
	made := anna.Make(aCase())
	if r := states(anna.Push(made).GetPage())[made.Record]; r == nil || r.GetState() != nil || len(r.GetProof()) != 8 {
		t.Fatalf("own record came back as %v", r)
	}
	// Ben changes it before Anna pulls; then Anna edits again. What she has not seen comes whole.
	ben.Pull()
	ben.Push(ben.Edit(made.Record, &recordv1.Case{Risk: recordv1.RiskDegree_RISK_DEGREE_HIGH.Enum()}))
	anna.Seen[made.Record] = made.Registers()
	if r := states(anna.Push(anna.Edit(made.Record, &recordv1.Case{Age: proto.Uint32(70)})).GetPage())[made.Record]; r == nil || r.GetState() == nil {
		t.Fatal("what a team mate set in between did not come")
	}
}

func TestResendingIsFreeAndSilent(t *testing.T) {
	d := servertest.New(t)
	anna, ben := d.Enrol("anna"), d.Enrol("ben")
	made := anna.Make(aCase())
	first := anna.Batch(made)
	anna.Push(made)
	ben.Pull()
	var jobs atomic.Int64
	d.Observe(func(c syncing.Commit) { jobs.Add(int64(c.Jobs)) })
	answer, err := anna.Sync(anna.Request(first))
	if err != nil || answer.GetAcknowledgement().GetHave() != 1 || answer.GetAcknowledgement().GetForked() {
		t.Fatalf("sent again: %v, %v", answer, err)
	}
	if jobs.Load() != 0 {
		t.Error("what was sent again was written again")
	}
	if page := ben.Pull(); len(page.GetRecords()) != 0 {
		t.Fatal("sending again made a team mate pull again")
	}
}

func TestOverlapIsSkippedAndAGapIsAnsweredWithHave(t *testing.T) {
	d := servertest.New(t)
	anna := d.Enrol("anna")
	one, two, three := anna.Make(aCase()), anna.Make(aCase()), anna.Make(aCase())
	both := anna.Batch(one, two)
	anna.Push(one)
	answer, err := anna.Sync(anna.Request(both))
	if err != nil || answer.GetAcknowledgement().GetHave() != 2 {
		t.Fatalf("overlap: %v, %v", answer, err)
	}
	gap := batch.Seal(anna.Key, anna.ID, anna.Replica, anna.Nonce, 9, anna.Chain, [][]byte{three.Encode()})
	answer, err = anna.Sync(anna.Request(gap))
	if err != nil || answer.GetAcknowledgement().GetHave() != 2 || answer.GetAcknowledgement().GetForked() {
		t.Fatalf("gap: %v, %v", answer, err)
	}
}

func TestAnotherHistoryUnderOneNumberIsAFork(t *testing.T) {
	d := servertest.New(t)
	anna := d.Enrol("anna")
	anna.Push(anna.Make(aCase()), anna.Make(aCase()))
	for name, request := range map[string]*syncv1.SyncRequest{
		"other changes":       anna.Request(batch.Seal(anna.Key, anna.ID, anna.Replica, anna.Nonce, 1, batch.Start(anna.ID, anna.Replica), [][]byte{anna.Make(aCase()).Encode(), anna.Make(aCase()).Encode()})),
		"fewer changes":       anna.Request(batch.Seal(anna.Key, anna.ID, anna.Replica, anna.Nonce, 1, batch.Start(anna.ID, anna.Replica), nil)),
		"another chain, none": anna.Request(batch.Seal(anna.Key, anna.ID, anna.Replica, anna.Nonce, 3, batch.Hash{1}, nil)),
	} {
		answer, err := anna.Sync(request)
		if err != nil || !answer.GetAcknowledgement().GetForked() || answer.GetAcknowledgement().GetHave() != 2 || answer.GetPage() != nil {
			t.Errorf("%s: %v, %v", name, answer, err)
		}
	}
}

// rejected is what refuses a request whole: nothing is stored, and the tablet keeps it.
func TestWhatIsNotFramedOrSignedIsRefusedWhole(t *testing.T) {
	d := servertest.New(t)
	anna, ben := d.Enrol("anna"), d.Enrol("ben")
	seal := func(change []byte) *syncv1.Batch { return anna.BatchOf(change) }
	good := anna.Make(aCase()).Encode()
	forged := seal(good)
	forged.Signature[5] ^= 1
	foreign := batch.Seal(anna.Key, anna.ID, ben.Replica, ben.Nonce, 1, batch.Start(anna.ID, ben.Replica), [][]byte{good})
	tooMany := make([][]byte, batch.MaxChanges+1)
	for i := range tooMany {
		tooMany[i] = good
	}
	future := anna.Make(aCase())
	future.Stamp.Time = hlc.TimeOf(d.Wall().Add(6 * time.Minute))
	shortChain := seal(good)
	shortChain.Chain = shortChain.Chain[:31]
	clockOff := anna.Request(seal(good))
	clockOff.Clock += (6 * time.Minute).Milliseconds()
	version := anna.Request(seal(good))
	version.Protocol = 2
	for name, c := range map[string]struct {
		request *syncv1.SyncRequest
		want    problem.Code
	}{
		"wrong signature":          {anna.Request(forged), problem.SignatureInvalid},
		"another device's replica": {anna.Request(foreign), problem.ReplicaNotYours},
		"too many changes":         {anna.Request(anna.BatchOf(tooMany...)), problem.BatchTooLarge},
		"a change too large":       {anna.Request(seal(make([]byte, batch.MaxChangeBytes+1))), problem.BatchTooLarge},
		"a stamp in the future":    {anna.Request(seal(future.Encode())), problem.ClockSkew},
		"a clock that is off":      {clockOff, problem.ClockSkew},
		"a short chain":            {anna.Request(shortChain), problem.Malformed},
		"another protocol":         {version, problem.ProtocolUnsupported},
	} {
		_, err := anna.Sync(c.request)
		if got := problem.CodeOf(err); got != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	if _, err := anna.Sync(clockOff); true {
		var p *problem.Problem
		if !errors.As(err, &p) || !p.ServerTime.Equal(d.Wall()) {
			t.Error("clock_skew does not say what time it is")
		}
	}
	if answer := anna.Push(anna.Make(aCase())); answer.GetAcknowledgement().GetHave() != 1 {
		t.Error("something of what was refused was stored")
	}
}

// What is framed, signed and within bounds enters the chain: held with a code when it can't be applied, and what comes
// after it goes on.
func TestABadChangeIsHeldAndBlocksNothing(t *testing.T) {
	d := servertest.New(t)
	anna, carl := d.Enrol("anna"), d.Enrol("carl")
	theirs := carl.Make(aCase())
	carl.Push(theirs)

	raw := func(mend func(*syncv1.Change)) []byte {
		m := &syncv1.Change{}
		if err := proto.Unmarshal(anna.Make(aCase()).Encode(), m); err != nil {
			t.Fatal(err)
		}
		mend(m)
		b, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	long := aCase()
	long.CaseNo = proto.String(string(bytes.Repeat([]byte("案"), 1000)))
	count := aCase()
	count.ClientCount = proto.Uint32(1 << 31)
	before := aCase()
	before.OccurredOn = proto.Int32(20210101)
	place := aCase()
	place.Place = &recordv1.Place{Code: proto.String("999999999")}
	foreign := aCase()
	foreign.Team = d.Teams[1][:]
	everyone := anna.Make(aCase())
	everyone.Fields = without(t, everyone.Fields, 2)
	elsewhere := anna.Make(session(theirs.Record))
	orphan := anna.Make(session(anna.NewID()))
	missing := anna.Edit(anna.NewID(), &recordv1.Case{Age: proto.Uint32(3)})
	otherKind := anna.Edit(theirs.Record, &recordv1.Group{Name: proto.String("x")})
	theirsEdited := anna.Edit(theirs.Record, &recordv1.Case{Age: proto.Uint32(3)})
	setUp := anna.Make(&recordv1.Site{Name: proto.String("x")})
	review := anna.Make(&recordv1.Review{Target: theirs.Record[:]})

	cases := []struct {
		name string
		body []byte
		want record.Code
	}{
		{"random bytes", []byte("\xff\xfe no change"), record.CodeMalformed},
		{"cut short", anna.Make(aCase()).Encode()[:10], record.CodeMalformed},
		{"no kind", raw(func(m *syncv1.Change) { m.Kind = 0 }), record.CodeUnknownKind},
		{"text too long", anna.Make(long).Encode(), record.CodeTextTooLong},
		{"an absurd number", anna.Make(count).Encode(), record.CodeNumberOutOfRange},
		{"before the deployment", anna.Make(before).Encode(), record.CodeDateOutsideDeployment},
		{"a place that is no site's", anna.Make(place).Encode(), record.CodeUnknownPlace},
		{"invalid UTF-8", raw(func(m *syncv1.Change) { m.Fields = bytes.Replace(m.Fields, []byte("\x011"), []byte("\x01\xff"), 1) }), record.CodeInvalidUTF8},
		{"wrong wire type", raw(func(m *syncv1.Change) {
			m.Fields = append(protowire.AppendVarint(protowire.AppendTag(nil, 2, protowire.VarintType), 1), m.Fields...)
		}), ""},
		{"another team's record made", anna.Make(foreign).Encode(), record.CodeNotYourTeam},
		{"a record for everyone", everyone.Encode(), record.CodeNotAllowed},
		{"a session of another team's case", elsewhere.Encode(), record.CodeNotYourTeam},
		{"a session of no case", orphan.Encode(), record.CodeOwnerMissing},
		{"a record that is not there", missing.Encode(), record.CodeRecordMissing},
		{"another kind", otherKind.Encode(), record.CodeKindMismatch},
		{"another team's record edited", theirsEdited.Encode(), record.CodeNotYourTeam},
		{"a set-up kind", setUp.Encode(), record.CodeNotAllowed},
		{"a review by a field worker", review.Encode(), record.CodeNotAllowed},
	}
	good := anna.Make(aCase())
	var bodies [][]byte
	for _, c := range cases {
		bodies = append(bodies, c.body)
	}
	answer := anna.PushBodies(append(bodies, good.Encode())...)
	codes := held(answer)
	for i, c := range cases {
		got := codes[uint64(i)+1]
		if c.want == "" { // more than one code fits: some code must stand
			if got == "" {
				t.Errorf("%s: not held", c.name)
			}
			continue
		}
		if got != string(c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if states(anna.Pull())[good.Record] == nil && states(answer.GetPage())[good.Record] == nil {
		t.Error("the good change behind the bad ones was not applied")
	}
	if _, seen := anna.Seen[theirs.Record]; seen {
		t.Error("another team's record leaked")
	}

	// A change to a record whose making is held is held with it.
	after := anna.Edit(hlc.ID(firstID(t, bodies[3])), &recordv1.Case{Age: proto.Uint32(3)})
	if got := held(anna.Push(after)); got[uint64(len(anna.Sent))] != string(record.CodeRecordHeld) {
		t.Errorf("edit of a held record: %v", got)
	}
	// The answer that said so may be lost: asked again, it is said again.
	answer, err := anna.Sync(anna.Request(batch.Seal(anna.Key, anna.ID, anna.Replica, anna.Nonce, 1, batch.Start(anna.ID, anna.Replica), anna.Sent)))
	if err != nil || len(answer.GetAcknowledgement().GetHeld()) != len(cases)+1 {
		t.Errorf("told again: %v, %v", answer.GetAcknowledgement(), err)
	}
}

func firstID(t *testing.T, body []byte) []byte {
	m := &syncv1.Change{}
	if err := proto.Unmarshal(body, m); err != nil {
		t.Fatal(err)
	}
	return m.GetId()
}

func without(t *testing.T, fields []byte, number protowire.Number) []byte {
	var kept []byte
	for len(fields) > 0 {
		n, _, size := protowire.ConsumeField(fields)
		if size < 0 {
			t.Fatal("bad fields")
		}
		if n != number {
			kept = append(kept, fields[:size]...)
		}
		fields = fields[size:]
	}
	return kept
}

func TestANewerKindIsKeptAndPassedOn(t *testing.T) {
	d := servertest.New(t)
	anna, ben := d.Enrol("anna"), d.Enrol("ben")
	made := anna.Make(aCase())
	made.Kind = 99
	if codes := held(anna.Push(made)); len(codes) != 0 {
		t.Fatalf("held: %v", codes)
	}
	if r := states(ben.Pull())[made.Record]; r == nil || r.GetKind() != 99 {
		t.Fatalf("passed on as %v", r)
	}
}

func TestTwoWhoDidNotSeeEachOtherConflictAndBothValuesAreKept(t *testing.T) {
	d := servertest.New(t)
	anna, ben := d.Enrol("anna"), d.Enrol("ben")
	made := anna.Make(aCase())
	anna.Push(made)
	anna.Seen[made.Record] = made.Registers()
	ben.Pull()
	fromBen := ben.Edit(made.Record, &recordv1.Case{Age: proto.Uint32(70), Sex: recordv1.Sex_SEX_MALE.Enum()})
	fromAnna := anna.Edit(made.Record, &recordv1.Case{Age: proto.Uint32(71), Sex: recordv1.Sex_SEX_MALE.Enum()})
	anna.Push(fromAnna)
	ben.Push(fromBen)
	conflicts := conflictsIn(t, ben)
	if len(conflicts) != 1 {
		t.Fatalf("%d conflicts, want one: equal values do not conflict", len(conflicts))
	}
	c := conflicts[0]
	if c.GetField() != 23 || len(c.GetSides()) != 2 || !bytes.Equal(c.GetTarget(), made.Record[:]) {
		t.Fatalf("conflict %v", c)
	}
	authors := [][]byte{c.GetSides()[0].GetAuthor(), c.GetSides()[1].GetAuthor()}
	if !slices.ContainsFunc(authors, func(b []byte) bool { return bytes.Equal(b, anna.Worker[:]) }) || !slices.ContainsFunc(authors, func(b []byte) bool { return bytes.Equal(b, ben.Worker[:]) }) {
		t.Fatalf("authors %x", authors)
	}
	// The winner is the later stamp, whichever came first.
	ben.Pull()
	later := fromAnna.Stamp
	if fromBen.Stamp.Compare(later) > 0 {
		later = fromBen.Stamp
	}
	if got := ben.Seen[made.Record].Get(23).Stamp; got != later {
		t.Fatalf("won by %v, not by %v", got, later)
	}
}

func conflictsIn(t *testing.T, v *servertest.Device) []*recordv1.Conflict {
	t.Helper()
	var all []*recordv1.Conflict
	err := v.DB.Deployment(v.ID).Read(context.Background(), func(tx syncing.Reading) error {
		found, err := tx.OfKind(recordv1.Kind_KIND_CONFLICT)
		if err != nil {
			return err
		}
		for _, r := range found {
			registers, err := record.DecodeState(r.State)
			if err != nil {
				return err
			}
			c := &recordv1.Conflict{}
			if err := proto.Unmarshal(registers.Fields(), c); err != nil {
				return err
			}
			all = append(all, c)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestWhatCameLateButWasSeenIsNoConflict(t *testing.T) {
	d := servertest.New(t)
	anna := d.Enrol("anna")
	made := anna.Make(aCase())
	anna.Push(made)
	anna.Seen[made.Record] = made.Registers()
	for age := range uint32(5) { // each edit knows the one before
		c := anna.Edit(made.Record, &recordv1.Case{Age: proto.Uint32(age)})
		anna.Seen[made.Record] = record.Merge(anna.Seen[made.Record], c.Registers())
		anna.Push(c)
	}
	if c := conflictsIn(t, anna); len(c) != 0 {
		t.Fatalf("conflicts of one author with herself: %v", c)
	}
}

func TestADeleteThatDidNotSeeAnEditIsAConflictAndNoSilentLoss(t *testing.T) {
	d := servertest.New(t)
	anna, ben := d.Enrol("anna"), d.Enrol("ben")
	made := anna.Make(aCase())
	anna.Push(made)
	anna.Seen[made.Record] = made.Registers()
	ben.Pull()
	remove := ben.Edit(made.Record, &recordv1.Case{Deleted: proto.Bool(true)})
	anna.Push(anna.Edit(made.Record, &recordv1.Case{Age: proto.Uint32(71)}))
	ben.Push(remove)
	if c := conflictsIn(t, ben); len(c) != 1 || c[0].GetField() != uint32(record.DeletedField) {
		t.Fatalf("conflicts %v", c)
	}
	// And an edit by someone who did not know of the delete.
	other := anna.Make(aCase())
	anna.Push(other)
	anna.Seen[other.Record] = other.Registers()
	ben.Pull()
	edit := ben.Edit(other.Record, &recordv1.Case{Age: proto.Uint32(5)})
	anna.Push(anna.Edit(other.Record, &recordv1.Case{Deleted: proto.Bool(true)}))
	ben.Push(edit)
	if c := conflictsIn(t, ben); len(c) != 2 {
		t.Fatalf("%d conflicts, want 2", len(c))
	}
	// A delete that saw everything is none.
	third := anna.Make(aCase())
	anna.Push(third)
	anna.Seen[third.Record] = third.Registers()
	anna.Push(anna.Edit(third.Record, &recordv1.Case{Deleted: proto.Bool(true)}))
	if c := conflictsIn(t, ben); len(c) != 2 {
		t.Fatalf("a delete that saw everything made a conflict")
	}
}

func TestConfidentialRecordsReachThoseWhoWorkOnTheCase(t *testing.T) {
	d := servertest.New(t)
	anna, ben, super := d.Enrol("anna"), d.Enrol("ben"), d.Enrol("super")
	mine := aCase()
	mine.Lead = anna.Worker[:]
	made := anna.Make(mine)
	identity := anna.Make(&recordv1.CaseIdentity{Case: made.Record[:], Name: proto.String("某某")})
	anna.Push(made, identity)
	if states(ben.Pull())[identity.Record] != nil {
		t.Fatal("a team mate who is not on the case got the identity")
	}
	if states(super.Pull())[identity.Record] == nil {
		t.Fatal("the supervisor did not get the identity")
	}
	// Ben joins the case: the identity comes with his next pull, though its position lies behind his cursor.
	anna.Seen[made.Record] = made.Registers()
	anna.Push(anna.Edit(made.Record, &recordv1.Case{Workers: [][]byte{ben.Worker[:]}}))
	if states(ben.Pull())[identity.Record] == nil {
		t.Fatal("a newly assigned worker did not get the identity")
	}
}

func TestAMovedCaseTakesItsRecordsToTheOtherTeam(t *testing.T) {
	d := servertest.New(t)
	anna, carl, coordinator := d.Enrol("anna"), d.Enrol("carl"), d.Enrol("coordinator")
	made := anna.Make(aCase())
	visit := anna.Make(session(made.Record))
	anna.Push(made, visit)
	carl.Pull()
	coordinator.Pull()
	if codes := held(coordinator.Push(coordinator.Edit(made.Record, &recordv1.Case{Team: d.Teams[1][:]}))); len(codes) > 0 {
		t.Fatalf("held: %v", codes)
	}
	got := states(carl.Pull())
	if got[made.Record] == nil || got[visit.Record] == nil {
		t.Fatal("the case or its session did not reach the other team")
	}
	if held(anna.Push(anna.Make(session(made.Record))))[3] != string(record.CodeNotYourTeam) {
		t.Fatal("the former team still writes")
	}
}

func TestWhatWasAllowedIsJudgedByTheStamp(t *testing.T) {
	d := servertest.New(t)
	anna := d.Enrol("anna")
	before := anna.Make(aCase()) // logged offline, before the move
	d.Pass(time.Minute)
	if err := d.Service.Add(context.Background(), []syncing.SetUpRecord{{ID: anna.Worker, Message: &recordv1.Worker{Team: d.Teams[1][:]}}}); err != nil {
		t.Fatal(err)
	}
	d.Pass(time.Minute)
	after := anna.Make(aCase()) // still names the old team
	codes := held(anna.Push(before, after))
	if codes[1] != "" || codes[2] != string(record.CodeNotYourTeam) {
		t.Fatalf("held: %v", codes)
	}
}

func TestAllIsStillThereAfterARestart(t *testing.T) {
	d := servertest.New(t)
	anna, ben := d.Enrol("anna"), d.Enrol("ben")
	made := anna.Make(aCase())
	anna.Push(made)
	d.Close()
	d.Open()
	if states(ben.Pull())[made.Record] == nil {
		t.Fatal("gone after a restart")
	}
	if answer := anna.Push(anna.Make(aCase())); answer.GetAcknowledgement().GetHave() != 2 {
		t.Fatal("the chain did not go on")
	}
}

func TestAServerWhoseClockLiesBehindItsLogDoesNotStart(t *testing.T) {
	d := servertest.New(t)
	anna := d.Enrol("anna")
	anna.Push(anna.Make(aCase()))
	d.Close()
	db := d.Wall()
	d.Pass(-time.Hour)
	if _, err := d.TryStart(); err == nil {
		t.Fatal("started with a clock an hour behind")
	}
	d.SetWall(db)
	d.Open()
}

func TestBatchesThatArriveTogetherAreAllTaken(t *testing.T) {
	d := servertest.New(t)
	var devices []*servertest.Device
	for range 8 {
		devices = append(devices, d.Enrol("anna"))
	}
	var requests []*syncv1.SyncRequest
	for _, v := range devices {
		var changes []*record.Change
		for range 20 {
			changes = append(changes, v.Make(aCase()))
		}
		requests = append(requests, v.Request(v.Batch(changes...)))
	}
	var wg sync.WaitGroup
	for i, v := range devices {
		wg.Go(func() {
			answer, err := v.Service.Sync(context.Background(), v.Device, v.Arrival(), requests[i])
			if err != nil || answer.GetAcknowledgement().GetHave() != 20 {
				t.Errorf("device %d: %v, %v", i, answer.GetAcknowledgement(), err)
			}
		})
	}
	wg.Wait()
}

// What the set-up costs is paid once, not by each tablet that is let in.
func TestEnrollingCostsNoMoreInALargeDeployment(t *testing.T) {
	d := servertest.New(t)
	secret, err := d.Service.NewEnrolmentCode(t.Context(), d.Workers["anna"], hlc.ID{}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	enrolling := func() float64 {
		return testing.AllocsPerRun(20, func() {
			if _, _, err := d.Service.EnrolApart(context.Background(), &syncv1.EnrolRequest{Protocol: 1, Secret: secret, PublicKey: make([]byte, 32)}); err != nil {
				t.Error(err)
			}
		})
	}
	few := enrolling()
	const more = 1000
	workers := make([]syncing.SetUpRecord, more)
	for i := range workers {
		workers[i] = syncing.SetUpRecord{ID: d.NewID(), Message: &recordv1.Worker{Name: proto.String("worker"), Role: recordv1.Role_ROLE_FIELD_WORKER.Enum()}}
	}
	if err := d.Service.Add(t.Context(), workers); err != nil {
		t.Fatal(err)
	}
	if many := enrolling(); many > few+more/10 {
		t.Errorf("with %d more workers it takes %v allocations, not %v", more, many, few)
	}
}

func TestEnrolment(t *testing.T) {
	d := servertest.New(t)
	ctx := context.Background()
	secret, err := d.Service.NewEnrolmentCode(ctx, d.Workers["anna"], hlc.ID{}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	request := &syncv1.EnrolRequest{Protocol: 1, Secret: secret, PublicKey: make([]byte, 32), Name: "x"}
	first, err := d.Service.Enrol(ctx, request)
	if err != nil || len(first.GetSetUp()) != 1+2+2+6 {
		t.Fatalf("%v, %d set-up records", err, len(first.GetSetUp()))
	}
	again, err := d.Service.Enrol(ctx, request)
	if err != nil || !bytes.Equal(again.GetDevice(), first.GetDevice()) {
		t.Fatalf("sent again: %v, %v", again, err)
	}
	other := proto.CloneOf(request)
	other.PublicKey[0] = 1
	if _, err := d.Service.Enrol(ctx, other); problem.CodeOf(err) != problem.EnrolmentCodeUsed {
		t.Errorf("used by another tablet: %v", err)
	}
	wrong := proto.CloneOf(request)
	wrong.Secret = "WRONG"
	if _, err := d.Service.Enrol(ctx, wrong); problem.CodeOf(err) != problem.EnrolmentCodeInvalid {
		t.Errorf("wrong: %v", err)
	}
	second, err := d.Service.NewEnrolmentCode(ctx, d.Workers["ben"], hlc.ID{}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	same := proto.CloneOf(request)
	same.Secret = second
	if _, err := d.Service.Enrol(ctx, same); problem.CodeOf(err) != problem.EnrolmentCodeUsed {
		t.Errorf("a second code for one key: %v", err)
	}
	late, err := d.Service.NewEnrolmentCode(ctx, d.Workers["anna"], hlc.ID{}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	d.Pass(2 * time.Hour)
	expired := proto.CloneOf(other)
	expired.Secret = late
	if _, err := d.Service.Enrol(ctx, expired); problem.CodeOf(err) != problem.EnrolmentCodeExpired {
		t.Errorf("expired: %v", err)
	}
}
