package syncing_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
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

// setName gives a record of the set-up a name, as people do on the web of a server.
func setName(t *testing.T, at *servertest.Deployment, id hlc.ID, m proto.Message) {
	t.Helper()
	change := syncing.SetUpChange{SetUpRecord: syncing.SetUpRecord{ID: id, Message: m}}
	if err := at.Service.ChangeSetUp(t.Context(), at.Workers["coordinator"], change); err != nil {
		t.Fatal(err)
	}
}

func TestATabletTalksToAnyServer(t *testing.T) {
	one := servertest.New(t)
	two := one.Beside()
	anna, ben := one.Enrol("anna"), two.Enrol("ben")
	ben.At(one)
	ben.Pull()
	made := anna.Make(aCase())
	anna.At(two)
	anna.Push(made)
	anna.At(one)
	anna.Push(anna.Edit(made.Record, &recordv1.Case{Risk: recordv1.RiskDegree_RISK_DEGREE_HIGH.Enum()}))
	if r := states(ben.Pull())[made.Record]; r == nil {
		t.Fatal("the team mate got nothing")
	}
	ben.At(two)
	if answer := syncs(t, ben, asks(ben)); len(answer.GetPage().GetRecords()) > 0 || answer.GetPage().GetSendMarks() {
		t.Errorf("the other server answers %v", answer)
	}
	// Sent again elsewhere it is there already.
	again := batch.Seal(anna.Key, anna.ID, anna.Replica, anna.Nonce, 1, batch.Start(anna.ID, anna.Replica), anna.Sent)
	anna.At(two)
	if answer := syncs(t, anna, anna.Request(again)); answer.GetAcknowledgement().GetHave() != 2 || answer.GetAcknowledgement().GetForked() {
		t.Errorf("sent again: %v", answer.GetAcknowledgement())
	}
}

// What a server writes comes after what another has written, though its clock lies behind.
func TestServersStampInTheOrderInWhichTheyWrite(t *testing.T) {
	one := servertest.New(t)
	two := one.Beside()
	two.Pass(-time.Minute)
	setName(t, one, one.Teams[0], &recordv1.Team{Name: proto.String("first")})
	setName(t, two, one.Teams[0], &recordv1.Team{Name: proto.String("second")})
	for i, at := range []*servertest.Deployment{one, two} {
		if err := at.Service.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if name := at.Service.SetUp().Teams[one.Teams[0]].GetName(); name != "second" {
			t.Errorf("server %d: the team is called %q", i+1, name)
		}
	}
}

// Who is moved or let go on one server is so on all others, from the next request on.
func TestASetUpThatChangedElsewhereHolds(t *testing.T) {
	one := servertest.New(t)
	two := one.Beside()
	anna, carl, coordinator := one.Enrol("anna"), one.Enrol("carl"), one.Enrol("coordinator")
	coordinator.At(two)
	coordinator.Pull()
	first := anna.Make(aCase())
	anna.Push(first)

	team := one.NewID()
	setName(t, one, team, &recordv1.Team{Name: proto.String("three"), Site: one.Sites[0][:]})
	setName(t, one, one.Workers["carl"], &recordv1.Worker{Team: team[:]})
	carl.Team = team
	for _, at := range []*servertest.Deployment{one, two} {
		at.Pass(time.Second)
	}
	made := carl.Make(aCase())
	carl.At(two)
	if codes := held(carl.Push(made)); len(codes) > 0 {
		t.Errorf("held in the new team: %v", codes)
	}
	if page := coordinator.Pull(); states(page)[made.Record] == nil || states(page)[first.Record] == nil {
		t.Error("who sees all teams does not see the new one")
	}
	if got := two.Service.Person(one.Workers["carl"]).Team; got != team {
		t.Errorf("the other server has carl in team %v", got)
	}
	setName(t, one, one.Workers["carl"], &recordv1.Worker{Team: one.Teams[0][:]})
	carl.Cursor = &syncv1.Mark{} // as a tablet whose team is another one
	if r := states(carl.Pull())[first.Record]; r == nil {
		t.Error("carl does not get the records of the team to which he was moved")
	}
	setName(t, one, one.Workers["super"], &recordv1.Worker{Deleted: proto.Bool(true)})
	reviewer := one.Workers["super"]
	review := syncing.Deed{ID: one.NewID(), Message: &recordv1.Review{Author: reviewer[:], OccurredOn: proto.Int32(20211001), Target: first.Record[:], Outcome: recordv1.ReviewOutcome_REVIEW_OUTCOME_APPROVED.Enum()},
		Seen: 1000}
	if err := two.Service.Act(t.Context(), one.Workers["super"], review); problem.CodeOf(err) != problem.NotAllowed {
		t.Errorf("a supervisor who was let go elsewhere: %v", err)
	}
}

// A page that ends behind a commit shows all that the reader may see up to there: also who comes to see it by that commit.
func TestAPageNeverPassesWhatItsReaderHasComeToSee(t *testing.T) {
	one := servertest.New(t)
	two := one.Beside()
	coordinator := one.Enrol("coordinator")
	coordinator.At(two)
	coordinator.Pull()
	request := coordinator.Request(coordinator.BatchOf())
	team := one.NewID()
	setName(t, one, team, &recordv1.Team{Name: proto.String("three"), Site: one.Sites[0][:]})
	setName(t, one, one.Workers["carl"], &recordv1.Worker{Team: team[:]})
	one.Pass(time.Second)
	carl := one.Enrol("carl")
	made := carl.Make(aCase())
	carl.Push(made)
	// The other server has looked at what others did a moment before.
	page, err := two.Service.PullAfter(t.Context(), coordinator.Device, request, nil)
	if err != nil {
		t.Fatal(err)
	}
	if states(page)[made.Record] == nil {
		t.Errorf("the page up to position %d lacks the case at the new team", page.GetCursor().GetPosition())
	}
}

func TestACodeLetsOneTabletInWhicheverServerIsAsked(t *testing.T) {
	one := servertest.New(t)
	two := one.Beside()
	secret, err := one.Service.NewEnrolmentCode(t.Context(), one.Workers["anna"], hlc.ID{}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	enrol := func(at *servertest.Deployment, key byte) (*syncv1.EnrolResponse, error) {
		return at.Service.Enrol(t.Context(), &syncv1.EnrolRequest{Protocol: 1, Secret: secret, PublicKey: bytes.Repeat([]byte{key}, 32)})
	}
	first, err := enrol(one, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := enrol(two, 2); problem.CodeOf(err) != problem.EnrolmentCodeUsed {
		t.Errorf("another tablet at the other server: %v", err)
	}
	again, err := enrol(two, 1)
	if err != nil || !bytes.Equal(again.GetDevice(), first.GetDevice()) {
		t.Errorf("the same tablet at the other server: %v, %v", again, err)
	}
}

func TestARevocationHoldsAtOnceOnAllServers(t *testing.T) {
	one := servertest.New(t)
	two := one.Beside()
	anna := one.Enrol("anna")
	anna.At(two)
	anna.Pull()
	if err := one.Service.Revoke(t.Context(), anna.Device.ID); err != nil {
		t.Fatal(err)
	}
	made := anna.Make(aCase())
	answer, err := anna.Sync(anna.Request(anna.Batch(made)))
	if err != nil || answer.GetRevocation() == nil || answer.GetPage() != nil || held(answer)[1] != string(record.CodeDeviceRevoked) {
		t.Errorf("the other server answers %v, %v", answer, err)
	}
	// Its file has it as well, for the day on which the database is set back.
	two.Close()
	one.Exec(`DELETE FROM journal`)
	two.Open()
	if answer, err := anna.Sync(asks(anna)); err != nil || answer.GetRevocation() == nil {
		t.Errorf("after the database has forgotten it: %v, %v", answer, err)
	}
}

// Tablets are told the journal in one order, so that none is sent anew because they ask another server.
func TestServersTellOneJournal(t *testing.T) {
	one := servertest.New(t)
	two := one.Beside()
	anna, ben := one.Enrol("anna"), two.Enrol("ben")
	if err := two.Service.Revoke(t.Context(), ben.Device.ID); err != nil {
		t.Fatal(err)
	}
	first := syncs(t, anna, asks(anna))
	if len(first.GetJournalEntries()) != 3 {
		t.Fatalf("entries %v", first.GetJournalEntries())
	}
	anna.At(two)
	if answer := syncs(t, anna, asks(anna)); answer.GetSendJournal() || len(answer.GetJournalEntries()) > 0 {
		t.Errorf("the other server tells %v", answer)
	}
}

func TestALastContactDoesNotGoBack(t *testing.T) {
	one := servertest.New(t)
	two := one.Beside()
	anna := one.Enrol("anna")
	anna.At(two)
	anna.Pull() // which waits for a commit of the second server
	one.Pass(time.Minute)
	anna.At(one)
	request := asks(anna)
	request.Unsent = 7
	syncs(t, anna, request)
	for _, at := range []*servertest.Deployment{one, two} {
		if err := at.Service.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	d, err := one.Service.Device(t.Context(), anna.Device.ID)
	if err != nil || d.LastContact != one.Wall().UnixMilli() || d.Unsent != 7 {
		t.Errorf("the device is %+v, %v", d, err)
	}
	// What a clock noted that ran ahead by far does not stay.
	one.Pass(-time.Hour)
	syncs(t, anna, asks(anna))
	if err := one.Service.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d, err = one.Service.Device(t.Context(), anna.Device.ID); err != nil || d.LastContact != one.Wall().UnixMilli() {
		t.Errorf("after the clock was set right it is %+v, %v", d, err)
	}
}

// An erasure is carried out once, and holds everywhere.
func TestAnErasureHoldsOnAllServers(t *testing.T) {
	c := newClient(t)
	two := c.Beside()
	before := c.totals(t)
	c.erase(t)
	c.anna.At(two)
	request := asks(c.anna)
	request.Pull, request.GiveBack = nil, []*syncv1.GivenRecord{back(c.anna, c.identity.Record)}
	if answer := syncs(t, c.anna, request); answer.GetGiven()[0].GetCode() != syncing.Erased {
		t.Errorf("given back to the other server: %v", answer.GetGiven())
	}
	if done, err := two.Service.Erase(t.Context(), c.file.Record); err != nil || done.Records > 0 {
		t.Errorf("erased again: %+v, %v", done, err)
	}
	if after := c.totals(t); !slices.Equal(before, after) {
		t.Errorf("totals moved:\n%v\n%v", before, after)
	}
}

// An erasure that a server noted and did not come to is carried out by the next one that hears of it.
func TestAnErasureOfAServerThatDiedIsCarriedOut(t *testing.T) {
	c := newClient(t)
	two := c.Beside()
	c.anna.At(two)
	syncs(t, c.anna, asks(c.anna))
	e := &syncv1.JournalEntry{Sort: wire.JournalClientErased, Subject: c.file.Record[:], At: 7}
	wire.SealJournalEntry(c.Keys.Signing, c.ID, e)
	if err := c.DB.Deployment(c.ID).Write(t.Context(), func(tx syncing.Writing) error {
		number, chain, err := tx.JournalEnd(c.ID)
		if err != nil {
			return err
		}
		return tx.SaveJournal(c.ID, number, []*syncv1.JournalEntry{e}, []batch.Hash{wire.NextJournal(chain, c.ID, e)})
	}); err != nil {
		t.Fatal(err)
	}
	syncs(t, c.anna, asks(c.anna))
	for _, id := range c.personal() {
		if stands(t, c.Deployment, id).State != nil {
			t.Errorf("record %v is there still", id)
		}
	}
}

// A standby is promoted that had not had everything yet, and the servers go on: they find out by themselves, and are as after a start.
func TestServersGoOnWhenTheDatabaseIsSetBackBeneathThem(t *testing.T) {
	one := servertest.New(t)
	two := one.Beside()
	anna, ben := one.Enrol("anna"), one.Enrol("ben")
	kept := anna.Make(aCase())
	anna.Push(kept)
	ben.Pull()
	standby := servertest.NewStanding(one)

	lost := anna.Make(aCase())
	anna.At(two)
	anna.Push(lost)
	marks := []*syncv1.Mark{ben.Pull().GetCursor()}
	setName(t, one, one.Teams[0], &recordv1.Team{Name: proto.String("lost")})
	setName(t, two, one.Teams[1], &recordv1.Team{Name: proto.String("lost too")})
	late := one.Enrol("carl")
	if err := one.Service.Revoke(t.Context(), anna.Device.ID); err != nil {
		t.Fatal(err)
	}
	before := authors(t, one, one.Teams)
	standby.Promote()

	ben.At(two)
	request := asks(ben)
	request.Pull.Marks = marks
	if answer := syncs(t, ben, request); !answer.GetPage().GetSendMarks() {
		t.Fatalf("the server does not see that history was lost: %v", answer.GetPage())
	}
	ben.Cursor = &syncv1.Mark{}
	request = asks(ben)
	request.GiveBack = []*syncv1.GivenRecord{back(ben, lost.Record)}
	if answer := syncs(t, ben, request); answer.GetGiven()[0].GetCode() != "" {
		t.Errorf("given back: %v", answer.GetGiven())
	}
	for i, at := range []*servertest.Deployment{one, two} {
		anna.At(at)
		answer, err := anna.Sync(asks(anna))
		if err != nil || answer.GetRevocation() == nil {
			t.Errorf("server %d has forgotten a revocation: %v, %v", i+1, answer, err)
		}
		if name := at.Service.SetUp().Teams[one.Teams[0]].GetName(); name != "one" {
			t.Errorf("server %d takes the team for %q", i+1, name)
		}
		late.At(at)
		if _, err := late.Sync(asks(late)); problem.CodeOf(err) != problem.DeviceUnknown {
			t.Errorf("server %d lets a tablet in that the database does not know: %v", i+1, err)
		}
	}
	if d, err := one.Service.Device(t.Context(), anna.Device.ID); err != nil || d.RevokedAt == 0 {
		t.Errorf("the list of tablets has %+v, %v", d, err)
	}
	// What the servers write now has numbers that nobody has seen.
	setName(t, one, one.Teams[0], &recordv1.Team{Name: proto.String("new")})
	setName(t, two, one.Teams[1], &recordv1.Team{Name: proto.String("new too")})
	now := authors(t, one, one.Teams)
	if now[0] == now[1] || slices.Contains(before, now[0]) || slices.Contains(before, now[1]) {
		t.Errorf("the servers wrote as %v, and go on as %v", before, now)
	}
}

// authors are the replicas that changed records last.
func authors(t *testing.T, d *servertest.Deployment, ids []hlc.ID) (all []hlc.Replica) {
	t.Helper()
	if err := d.DB.Deployment(d.ID).Read(t.Context(), func(tx syncing.Reading) error {
		for _, id := range ids {
			entries, err := tx.History(id)
			if err != nil {
				return err
			}
			all = append(all, entries[len(entries)-1].Replica)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// Whatever is done wherever: every cursor gets everything, and the totals are those of the records.
func TestAnyServerAtAnyTime(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 9))
			one := servertest.New(t)
			servers := []*servertest.Deployment{one, one.Beside(), one.Beside()}
			some := func() *servertest.Deployment { return servers[r.IntN(len(servers))] }
			coordinator := one.Enrol("coordinator") // who only reads
			devices := []*servertest.Device{one.Enrol("anna"), one.Enrol("ben"), one.Enrol("carl"), coordinator}
			var made []hlc.ID
			for range 80 {
				v := devices[r.IntN(len(devices))]
				v.At(some())
				switch n := r.IntN(10); {
				case n < 4 && v != coordinator:
					c := v.Make(aCase())
					v.Push(c)
					made = append(made, c.Record)
				case n < 6 && v != coordinator && len(made) > 0:
					if id := made[r.IntN(len(made))]; v.Seen[id] != nil {
						v.Push(v.Edit(id, &recordv1.Case{Age: proto.Uint32(r.Uint32N(90))}))
					}
				case n < 7:
					setName(t, some(), one.Teams[r.IntN(2)], &recordv1.Team{Name: proto.String(fmt.Sprint("team ", r.IntN(1000)))})
				case n < 8:
					some().Pass(time.Duration(r.IntN(20)) * time.Second)
				default:
					v.Pull()
				}
			}
			coordinator.At(some())
			coordinator.Pull()
			for _, stored := range one.Records() {
				if got := coordinator.Seen[stored.ID]; !bytes.Equal(record.EncodeState(got), record.EncodeState(stored.Registers)) {
					t.Errorf("who sees everything has the record %v as %v; it is %v", stored.ID, got, stored.Registers)
				}
			}
			if len(made) < 10 {
				t.Errorf("only %d records were made", len(made))
			}
			if counted, err := progress.Recount(t.Context(), one.DB.Deployment(one.ID), one.ID); err != nil || !counted.Equal() || len(counted.Faults) > 0 {
				t.Errorf("recount: %v, %+v", err, counted)
			}
		})
	}
}
