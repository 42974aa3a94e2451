package syncing_test

import (
	"bytes"
	"context"
	"database/sql"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/progress"
	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/wire"
)

// What a client's file holds in these tests, and must not be found any more.
const (
	clientName = "赵桂兰"
	clientNote = "她梦见水漫进屋里"
	oldToken   = "a token of 16 by"
)

// client is a case with all that hangs on it, logged by anna, and seen by lead.
type client struct {
	*servertest.Deployment
	anna, lead                              *servertest.Device
	file, identity, consent, session, note  *record.Change
	alert, referral, handover, about, other *record.Change
	attendance                              *record.Change
}

func newClient(t *testing.T) *client {
	d := servertest.New(t)
	c := &client{Deployment: d, anna: d.Enrol("anna"), lead: d.Enrol("lead")}
	a := c.anna
	c.file = a.Make(&recordv1.Case{CaseNo: proto.String("WZ-1"), OpenedOn: proto.Int32(20211001), ClientCount: proto.Uint32(1), Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(),
		Lead: a.Worker[:], Workers: [][]byte{c.lead.Worker[:]}, ClientTokens: [][]byte{[]byte(oldToken)}})
	c.identity = a.Make(&recordv1.CaseIdentity{Case: c.file.Record[:], Name: proto.String(clientName), Phone: proto.String("13800000000")})
	c.consent = a.Make(&recordv1.Consent{Subject: c.file.Record[:]})
	c.session = a.Make(&recordv1.CaseSession{Case: c.file.Record[:], Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(), Mode: recordv1.SessionMode_SESSION_MODE_INTERVIEW.Enum(), Minutes: proto.Uint32(50), Attendees: proto.Uint32(2), RiskSeen: recordv1.RiskSeen_RISK_SEEN_NO.Enum()})
	c.note = a.Make(&recordv1.CaseNote{Session: c.session.Record[:], Process: proto.String(clientNote)})
	c.alert = a.Make(&recordv1.RiskAlert{Subject: c.file.Record[:], Type: recordv1.RiskType_RISK_TYPE_MEDICAL_EMERGENCY.Enum(), Done: proto.String(clientName + "已送医")})
	c.referral = a.Make(&recordv1.Referral{Case: c.file.Record[:], ToOrganisation: proto.String("县医院")})
	c.handover = a.Make(&recordv1.ReferralNote{Referral: c.referral.Record[:], Handover: proto.String(clientNote)})
	c.other = a.Make(&recordv1.CommunityActivity{Name: proto.String("电影放映"), Minutes: proto.Uint32(90), RegisterUsed: proto.Bool(true), Status: recordv1.Status_STATUS_HELD.Enum()})
	person := a.Make(&recordv1.Participant{Token: []byte(oldToken)})
	c.attendance = a.Make(&recordv1.Attendance{Activity: c.other.Record[:], Participant: person.Record[:], Token: []byte(oldToken)})
	a.Push(c.file, c.identity, c.consent, c.session, c.note, c.alert, c.referral, c.handover, c.other, person, c.attendance)
	a.Pull()
	c.lead.Pull()
	// Two people who wrote the phone down, which makes a conflict that shows both, and a review that says something of a note.
	mine, theirs := a.Edit(c.identity.Record, &recordv1.CaseIdentity{Address: proto.String(clientName + "家")}), c.lead.Edit(c.identity.Record, &recordv1.CaseIdentity{Address: proto.String(clientName + "的旧家")})
	a.Push(mine)
	stamps := []*recordv1.ReviewedField{}
	for _, r := range c.lead.Seen[c.file.Record] {
		stamps = append(stamps, &recordv1.ReviewedField{Field: proto.Uint32(uint32(r.Field)), Time: proto.Uint64(uint64(r.Stamp.Time)), Replica: proto.Uint64(uint64(r.Stamp.Replica))})
	}
	c.about = c.lead.Make(&recordv1.Review{Target: c.note.Record[:], Outcome: recordv1.ReviewOutcome_REVIEW_OUTCOME_RETURNED.Enum(), Comment: proto.String(clientNote + "？")})
	c.lead.Push(theirs, c.about, c.lead.Make(&recordv1.Review{Target: c.file.Record[:], Outcome: recordv1.ReviewOutcome_REVIEW_OUTCOME_APPROVED.Enum(), Reviewed: stamps}))
	a.Pull()
	c.lead.Pull()
	c.traces(t, true)
	return c
}

// personal are the records that go with the client.
func (c *client) personal() []hlc.ID {
	return []hlc.ID{c.identity.Record, c.consent.Record, c.note.Record, c.alert.Record, c.handover.Record, c.about.Record}
}

// traces looks for what is known of the client in the files of the server's database.
func (c *client) traces(t *testing.T, want bool) {
	t.Helper()
	files := c.Stored()
	for _, text := range []string{clientName, clientNote, "13800000000", oldToken} {
		if bytes.Contains(files, []byte(text)) != want {
			t.Errorf("%q in the files: %v, want %v", text, !want, want)
		}
	}
}

// totals are all that is counted.
func (c *client) totals(t *testing.T) []progress.TotalRow {
	t.Helper()
	counted, err := progress.Recount(context.Background(), c.DB.Deployment(c.ID), c.ID)
	if err != nil || !counted.Equal() {
		t.Fatalf("recount: %v, %+v", err, counted)
	}
	rows := make([]progress.TotalRow, 0, len(counted.Totals))
	for _, l := range counted.Totals {
		if l.Value != l.Counted {
			t.Errorf("%+v", l)
		}
		rows = append(rows, l.TotalRow)
	}
	return rows
}

func (c *client) erase(t *testing.T) syncing.Erasures {
	t.Helper()
	done, err := c.Service.Erase(context.Background(), c.file.Record)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// said reports whether a journal has an entry, as a device gets it.
func said(answer *syncv1.SyncResponse, sort string, subject []byte) bool {
	return slices.ContainsFunc(answer.GetJournalEntries(), func(e *syncv1.JournalEntry) bool { return e.GetSort() == sort && bytes.Equal(e.GetSubject(), subject) })
}

func TestAnErasedClientIsNowhereInTheStore(t *testing.T) {
	c := newClient(t)
	before := c.totals(t)
	if done := c.erase(t); done.Records != 7 || done.TokensIn != 3 { // a conflict besides
		t.Errorf("erased %+v", done)
	}
	c.traces(t, false)
	for _, id := range c.personal() {
		if stands(t, c.Deployment, id).State != nil {
			t.Errorf("record %v is there", id)
		}
	}
	for _, kept := range []*record.Change{c.file, c.session, c.referral, c.other, c.attendance} {
		if stands(t, c.Deployment, kept.Record).State == nil {
			t.Errorf("record %v is gone", kept.Record)
		}
	}
	if after := c.totals(t); !slices.Equal(before, after) {
		t.Errorf("totals moved:\n%v\n%v", before, after)
	}
	// The alert that is gone is told of no more, and days have the new tokens.
	addsUp(t, c.Deployment)
	// One token for one person still.
	file, err := record.DecodeState(stands(t, c.Deployment, c.file.Record).State)
	if err != nil {
		t.Fatal(err)
	}
	attendance, err := record.DecodeState(stands(t, c.Deployment, c.attendance.Record).State)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := file.Get(21).ID(), attendance.Get(18).ID(); a != b || a == hlc.ID([]byte(oldToken)) || a == (hlc.ID{}) {
		t.Errorf("tokens %v and %v", a, b)
	}
	// The tablets hear of it, and get what changed anew.
	answer := syncs(t, c.lead, asks(c.lead))
	for _, id := range c.personal() {
		if !said(answer, wire.JournalErased, id[:]) {
			t.Errorf("the journal says nothing of record %v", id)
		}
	}
	if !said(answer, wire.JournalTokensIn, c.file.Record[:]) {
		t.Error("the journal does not say that tokens were replaced")
	}
	if !slices.ContainsFunc(answer.GetPage().GetDropped(), func(id []byte) bool { return bytes.Equal(id, c.file.Record[:]) }) {
		t.Error("a tablet may keep the old token")
	}
	if at := c.lead.Seen[c.file.Record].Get(21).ID(); at != file.Get(21).ID() {
		t.Errorf("the tablet has the token %v", at)
	}
	// Again nothing happens, and a case that is not there is not found.
	if done := c.erase(t); done != (syncing.Erasures{}) {
		t.Errorf("again erased %+v", done)
	}
	if _, err := c.Service.Erase(context.Background(), c.session.Record); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("a session is erased as a case: %v", err)
	}
}

// A tablet that was away sends what it wrote meanwhile: it enters the chain, and nothing of it is kept.
func TestWhatComesLateForAnErasedClientIsNotKept(t *testing.T) {
	c := newClient(t)
	later := c.anna.Edit(c.note.Record, &recordv1.CaseNote{Reflection: proto.String(clientNote)})
	another := c.anna.Make(&recordv1.CaseNote{Session: c.session.Record[:], Process: proto.String(clientNote)})
	session := c.anna.Make(&recordv1.CaseSession{Case: c.file.Record[:], Stage: recordv1.CaseStage_CASE_STAGE_PLANNING.Enum(), Mode: recordv1.SessionMode_SESSION_MODE_PHONE.Enum(), Minutes: proto.Uint32(10), Attendees: proto.Uint32(1), RiskSeen: recordv1.RiskSeen_RISK_SEEN_NO.Enum()})
	more := c.anna.Make(&recordv1.CaseIdentity{Case: c.file.Record[:], Name: proto.String(clientName)})
	met := c.anna.Make(&recordv1.Attendance{Activity: c.other.Record[:], Participant: c.other.Record[:], Token: []byte(oldToken)})
	// Nobody can have something else erased by claiming that it is of the erased client.
	file2 := c.anna.Make(&recordv1.Case{CaseNo: proto.String("WZ-2")})
	session2 := c.anna.Make(&recordv1.CaseSession{Case: file2.Record[:], Minutes: proto.Uint32(5)})
	note2 := c.anna.Make(&recordv1.CaseNote{Session: session2.Record[:], Plan: proto.String("下周")})
	c.anna.Push(file2, session2, note2)
	c.anna.Pull()
	moved := c.anna.Edit(note2.Record, &recordv1.CaseNote{Session: c.session.Record[:]})
	claimed := *moved
	claimed.ID, claimed.Record, claimed.Stamp = c.NewID(), session2.Record, c.anna.Stamp()
	persons := func() int64 {
		for _, r := range c.totals(t) {
			if r.Basis == "reported" && r.Figure == "persons" && r.Dimension == "whole" {
				return r.Value
			}
		}
		return 0
	}
	before := persons()
	c.erase(t)
	answer := c.anna.Push(later, another, session, more, met)
	c.totals(t)
	if held := answer.GetAcknowledgement().GetHeld(); len(held) != 0 {
		t.Errorf("held: %v", held)
	}
	for _, gone := range []*record.Change{later, another, more} {
		if stands(t, c.Deployment, gone.Record).State != nil {
			t.Errorf("record %v is there", gone.Record)
		}
		if !said(answer, wire.JournalErased, gone.Record[:]) {
			t.Errorf("the tablet is not told to drop record %v", gone.Record)
		}
	}
	if stands(t, c.Deployment, session.Record).State == nil {
		t.Error("the session was not taken")
	}
	if n := persons(); n != before {
		t.Errorf("%d persons, there were %d", n, before)
	}
	answer2 := c.anna.Push(moved, &claimed)
	for _, kept := range []*record.Change{note2, session2} {
		if said(answer2, wire.JournalErased, kept.Record[:]) || stands(t, c.Deployment, kept.Record).State == nil {
			t.Errorf("record %v of another client is gone", kept.Record)
		}
	}
	c.totals(t)
	// The tablet takes the server's version of what it wrote with the old token.
	if known := answer.GetAcknowledgement().GetKnown(); len(known) != 1 || c.anna.Seen[met.Record].Get(18).ID() == hlc.ID([]byte(oldToken)) {
		t.Errorf("known %v, token %v", known, c.anna.Seen[met.Record].Get(18).ID())
	}
	if !said(answer, wire.JournalTokensIn, met.Record[:]) {
		t.Error("the tablet is not told to drop its own change with the old token")
	}
	c.purge(t)
	c.traces(t, false)
	// As hashes alone, as the tablet sends them once it knows.
	hash := batch.HashOf(another.Encode())
	c.lead.Pull()
	if _, err := c.lead.Sync(c.lead.Request(hashesAlone(c.lead, hash))); err != nil {
		t.Errorf("a change without its body: %v", err)
	}
}

// purge has the store write its file anew, as at a start: changes that never were in it leave no trace to purge, and the
// WAL must be moved into the file to look.
func (c *client) purge(t *testing.T) {
	t.Helper()
	c.Close()
	c.Open()
}

func hashesAlone(v *servertest.Device, hash batch.Hash) *syncv1.Batch {
	return batch.SealEntries(v.Key, v.ID, v.Replica, v.Nonce, uint64(len(v.Sent))+1, v.Chain, []*syncv1.Entry{{Hash: hash[:]}})
}

// Held changes have bodies too.
func TestWhatIsHeldOfAnErasedClientGoesToo(t *testing.T) {
	c := newClient(t)
	carl := c.Enrol("carl") // of another team: may not
	carl.Seen[c.file.Record], carl.Seen[c.note.Record] = c.file.Registers(), c.note.Registers()
	identity := carl.Make(&recordv1.CaseIdentity{Case: c.file.Record[:], Name: proto.String(clientName)})
	session := carl.Make(&recordv1.CaseSession{Case: c.file.Record[:], Minutes: proto.Uint32(1)})
	note := carl.Make(&recordv1.CaseNote{Session: session.Record[:], Process: proto.String(clientNote)})
	edit := carl.Edit(c.note.Record, &recordv1.CaseNote{Plan: proto.String(clientNote)})
	tokens := carl.Edit(c.file.Record, &recordv1.Case{ClientTokens: [][]byte{[]byte(oldToken), bytes.Repeat([]byte{9}, 16)}})
	answer := carl.Push(identity, session, note, edit, tokens)
	if n := len(answer.GetAcknowledgement().GetHeld()); n != 5 {
		t.Fatalf("%d held: %v", n, answer.GetAcknowledgement().GetHeld())
	}
	before := c.totals(t)
	c.erase(t)
	c.traces(t, false)
	if after := c.totals(t); !slices.Equal(before, after) {
		t.Error("totals moved")
	}
	// What is not personal can be released still: with the other token.
	if err := c.Service.Decide(context.Background(), tokens.ID, recordv1.Decision_DECISION_RELEASE, c.Workers["coordinator"], ""); err != nil {
		t.Fatal(err)
	}
	c.totals(t)
	c.traces(t, false)
	if err := c.Service.Decide(context.Background(), identity.ID, recordv1.Decision_DECISION_RELEASE, c.Workers["coordinator"], ""); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("what is erased is released: %v", err)
	}
}

// An older copy of the database holds the client again: not once the server serves.
func TestARestoreForgetsNoErasure(t *testing.T) {
	c := newClient(t)
	older := c.Copy()
	c.Pass(time.Minute)
	before := c.totals(t)
	c.erase(t)
	kept := syncs(t, c.lead, asks(c.lead)).GetJournalEntries()
	file := back(c.lead, c.file.Record)
	c.SetBack(older)
	c.traces(t, false)
	if after := c.totals(t); !slices.Equal(before, after) {
		t.Errorf("totals moved:\n%v\n%v", before, after)
	}
	for _, id := range c.personal() {
		if stands(t, c.Deployment, id).State != nil {
			t.Errorf("record %v is there again", id)
		}
	}
	// A tablet that has not heard of it gives back what it has seen.
	request := asks(c.anna)
	request.Pull = nil
	request.GiveBack = []*syncv1.GivenRecord{back(c.anna, c.identity.Record), back(c.anna, c.file.Record), file}
	answer := syncs(t, c.anna, request)
	if codes := answer.GetGiven(); len(codes) != 3 || codes[0].GetCode() != syncing.Erased || codes[1].GetCode() != "" || codes[2].GetCode() != "" {
		t.Errorf("given: %v", codes)
	}
	c.totals(t)
	c.purge(t)
	c.traces(t, false)

	// With its journal lost too, the server hears of it from the first tablet that comes.
	c.LoseJournal()
	c.SetBack(older)
	c.traces(t, true)
	request = asks(c.lead)
	request.Journal, request.JournalEntries = nil, kept
	syncs(t, c.lead, request)
	c.traces(t, false)
	if after := c.totals(t); !slices.Equal(before, after) {
		t.Errorf("totals moved:\n%v\n%v", before, after)
	}
}

// A page that is no longer in use may hold what was written there once: by an older program that overwrote nothing, or
// since rows were moved to other pages.
func TestNothingIsLeftInPagesThatAreNotInUse(t *testing.T) {
	c := newClient(t)
	c.Close()
	db, err := sql.Open("sqlite", c.Path())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{`PRAGMA secure_delete=OFF`, `CREATE TABLE old (text TEXT)`, `INSERT INTO old VALUES ('` + strings.Repeat(clientName, 2000) + `')`, `DROP TABLE old`} {
		if _, err := db.Exec(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	c.Open()
	c.erase(t)
	c.traces(t, false)
}
