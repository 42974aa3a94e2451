package e2e

import (
	"bytes"
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	"levee/server"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

var (
	convergeSeeds = flag.Int("converge.seeds", 8, "how many worlds TestEverybodyEndsWithTheSameRecords plays")
	convergeFirst = flag.Uint64("converge.seed", 1, "the first of them")
)

// Two teams log, edit, delete, move and review over bad links, by clocks that are wrong. When all is quiet, every tablet
// has exactly what the server has for it, every change was taken once, and all totals agree. A world is drawn from its
// seed; which of the syncs that run at the same time comes first is not.
func TestEverybodyEndsWithTheSameRecords(t *testing.T) {
	outcomes := map[string]int{}
	for seed := *convergeFirst; seed < *convergeFirst+uint64(*convergeSeeds); seed++ {
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) {
			newMeadow(t, seed).play(outcomes)
		}) {
			t.Fatalf("play it again: go test ./server/e2e -run TestEverybodyEndsWithTheSameRecords -converge.seeds 1 -converge.seed %d", seed)
		}
	}
	t.Logf("outcomes: %v", outcomes)
	if *convergeSeeds < 5 {
		return
	}
	// What never happens is not tested.
	for _, outcome := range []string{"", "not_your_team", "not_allowed", "record_held", "audience", "conflicts", "clock corrected", "faults", "deleted"} {
		if outcomes[outcome] == 0 {
			t.Errorf("no world had outcome %q", outcome)
		}
	}
}

// meadow is a deployment: its server, its tablets, and the time.
type meadow struct {
	t       *testing.T
	ctx     context.Context
	rand    *rand.Rand
	now     atomic.Int64 // milliseconds
	server  *server.Server
	db      string
	stop    func()
	tablets []*handheld
	// ids are the records that were logged, in the order of their making.
	ids []hlc.ID
}

// handheld is a tablet: a file that two programs may have open.
type handheld struct {
	name   string
	role   recordv1.Role
	path   string
	stores []*clientlib.Store
	net    *badlink
	off    atomic.Int64 // of its clock, milliseconds

	mu        sync.Mutex
	corrected int
}

func newMeadow(t *testing.T, seed uint64) *meadow {
	t.Helper()
	random := func(part uint64) *rand.Rand {
		return rand.New(rand.NewPCG(seed, part))
	}
	entropy := func(part uint64) io.Reader {
		var s [32]byte
		binary.LittleEndian.PutUint64(s[:], seed)
		binary.LittleEndian.PutUint64(s[8:], part)
		return rand.NewChaCha8(s)
	}
	dir := t.TempDir()
	w := &meadow{t: t, ctx: context.Background(), rand: random(0), db: filepath.Join(dir, "server.db")}
	w.now.Store(time.Date(2021, 10, 1, 2, 0, 0, 0, time.UTC).UnixMilli())
	hs := httptest.NewUnstartedServer(nil)
	var err error
	w.server, err = server.New(w.ctx, server.Config{
		DB: w.db, Unlimited: true, URL: "http://" + hs.Listener.Addr().String(), Wall: func() time.Time { return time.UnixMilli(w.now.Load()) }, Entropy: entropy(1), Log: slog.New(slog.DiscardHandler),
		SetUp: &server.SetUp{
			Name: "converge", Start: "2021-09-23",
			Sites: []server.SetUpSite{{Name: "王庄镇", Code: "410621108"}, {Name: "上乐村镇", Code: "410781106"}},
			Teams: []server.SetUpTeam{{Name: "one", Site: "王庄镇"}, {Name: "two", Site: "上乐村镇"}},
			Workers: []server.SetUpWorker{
				{Name: "anna", Team: "one"}, {Name: "ben", Team: "one"}, {Name: "lena", Team: "one", Role: "team_lead"},
				{Name: "carl", Team: "two"}, {Name: "sven", Team: "two", Role: "supervisor"}, {Name: "cora", Role: "coordinator"},
			},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.server.Begin(w.ctx); err != nil {
		t.Fatal(err)
	}
	hs.Config.Handler = w.server.Handler()
	hs.Start()
	transport := &http.Transport{MaxIdleConnsPerHost: 12}
	w.stop = sync.OnceFunc(func() {
		for _, h := range w.tablets {
			for _, s := range h.stores {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
		}
		transport.CloseIdleConnections()
		hs.Close()
		if err := w.server.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(w.stop)
	roles := []recordv1.Role{recordv1.Role_ROLE_FIELD_WORKER, recordv1.Role_ROLE_FIELD_WORKER, recordv1.Role_ROLE_TEAM_LEAD, recordv1.Role_ROLE_FIELD_WORKER, recordv1.Role_ROLE_SUPERVISOR, recordv1.Role_ROLE_COORDINATOR}
	for i, e := range w.server.Made.Enrolments {
		n := uint64(i)
		h := &handheld{name: e.Worker, role: roles[i], path: filepath.Join(dir, e.Worker+".db"), net: &badlink{next: transport, rand: random(10 + n)}}
		h.off.Store(w.rand.Int64N(8*60_000) - 4*60_000)
		handles := 1
		if i == 0 {
			handles = 2
		}
		for j := range handles {
			s, err := clientlib.Open(w.ctx, h.path, clientlib.Options{Key: tabletKey,
				Wall: func() time.Time { return time.UnixMilli(w.now.Load() + h.off.Load()) }, Transport: h.net, Entropy: entropy(100 + 10*n + uint64(j)), Name: h.name, App: "converge"})
			if err != nil {
				t.Fatal(err)
			}
			h.stores = append(h.stores, s)
		}
		w.tablets = append(w.tablets, h)
		if err := h.stores[0].Enrol(w.ctx, e.Code); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func (w *meadow) play(outcomes map[string]int) {
	quality := []int{0, 15, 40}[w.rand.IntN(3)]
	for _, h := range w.tablets {
		h.net.faulty = quality
	}
	w.syncAll(w.tablets, false)
	// One tablet's clock is hours off.
	wrong := oneOf(w, w.tablets)
	wrong.off.Add((w.rand.Int64N(40*60) - 20*60) * 60_000)
	for range 250 + w.rand.IntN(150) {
		w.now.Add(w.rand.Int64N(90_000))
		switch dice := w.rand.IntN(100); {
		case dice < 80:
			w.act(oneOf(w, w.tablets))
		case dice < 90:
			w.syncAll([]*handheld{oneOf(w, w.tablets)}, false)
		case dice < 98:
			some := slices.Clone(w.tablets)
			w.rand.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
			w.syncAll(some[:2+w.rand.IntN(len(some)-1)], true)
		case dice < 99:
			w.now.Add(w.rand.Int64N(6 * 3600_000))
		default:
			wrong.off.Add((w.rand.Int64N(6*60) - 3*60) * 60_000)
		}
	}
	w.settle()
	w.check(outcomes)
	for _, h := range w.tablets {
		outcomes["faults"] += h.net.faults
		outcomes["clock corrected"] += h.corrected
	}
}

// syncAll lets tablets sync at the same time, and meanwhile somebody may log.
func (w *meadow) syncAll(tablets []*handheld, log bool) {
	var group sync.WaitGroup
	for _, h := range tablets {
		for _, s := range h.stores {
			group.Go(func() { w.sync(h, s) })
		}
	}
	for log && w.rand.IntN(3) > 0 {
		w.act(oneOf(w, w.tablets))
	}
	group.Wait()
}

// sync tries once, and tells whether anything moved.
func (w *meadow) sync(h *handheld, s *clientlib.Store) (moved bool) {
	result, err := s.Sync(w.ctx, nil)
	if result.ClockCorrected != 0 {
		h.mu.Lock()
		h.corrected++
		h.mu.Unlock()
	}
	if result.Unreadable > 0 {
		w.t.Errorf("%s could not read %d records", h.name, result.Unreadable)
	}
	if err != nil && !slices.Contains([]string{"unavailable", "malformed"}, clientlib.Code(err)) {
		w.t.Errorf("sync of %s: %v", h.name, err)
	}
	return err != nil || result.Sent > 0 || result.Received > 0
}

// settle mends the links, lets what is late arrive, and syncs until nothing moves any more.
func (w *meadow) settle() {
	for _, h := range w.tablets {
		h.net.mend()
	}
	for round := 0; ; round++ {
		moved := false
		for _, h := range w.tablets {
			for _, s := range h.stores {
				moved = w.sync(h, s) || moved
			}
		}
		if !moved {
			return
		}
		if round == 10 {
			w.t.Fatal("it does not come to rest")
		}
	}
}

func oneOf[T any](w *meadow, list []T) T { return list[w.rand.IntN(len(list))] }

// anyOf is a record of one of some kinds that the tablet shows, the newer ones more often; false when it finds none.
func (w *meadow) anyOf(s *clientlib.Store, kinds ...record.Kind) (clientlib.AnyRecord, bool) {
	for range 30 {
		if len(w.ids) == 0 {
			break
		}
		from := max(0, len(w.ids)-oneOf(w, []int{3, 12, len(w.ids), len(w.ids)}))
		r, err := s.Record(w.ctx, w.ids[from+w.rand.IntN(len(w.ids)-from)])
		if err == nil && (len(kinds) == 0 || slices.Contains(kinds, r.Kind)) {
			return r, true
		}
	}
	return clientlib.AnyRecord{}, false
}

const (
	kCase     = recordv1.Kind_KIND_CASE
	kSession  = recordv1.Kind_KIND_CASE_SESSION
	kActivity = recordv1.Kind_KIND_COMMUNITY_ACTIVITY
	kOutreach = recordv1.Kind_KIND_OUTREACH
	kMeeting  = recordv1.Kind_KIND_GROUP_SESSION
	kGroup    = recordv1.Kind_KIND_GROUP
	kCount    = recordv1.Kind_KIND_HEADCOUNT
	kReview   = recordv1.Kind_KIND_REVIEW
)

// act lets a worker do one thing. What the tablet itself refuses, because of what it has, is no fault.
func (w *meadow) act(h *handheld) {
	s := oneOf(w, h.stores)
	var err error
	switch dice := w.rand.IntN(100); {
	case dice < 40:
		err = w.log(s)
	case dice < 70:
		err = w.edit(s)
	case dice < 76:
		if r, ok := w.anyOf(s); ok {
			err = s.Delete(w.ctx, r.ID)
		}
	case dice < 82:
		if r, ok := w.anyOf(s); ok {
			err = s.Restore(w.ctx, r.ID)
		}
	case dice < 90:
		err = w.join(s)
	case dice < 96:
		err = w.reown(s)
	default:
		err = w.move(s)
	}
	if err != nil && !slices.Contains([]string{"record_missing", "record_deleted", "owner_missing", "owner_deleted"}, clientlib.Code(err)) {
		w.t.Errorf("%s: %v", h.name, err)
	}
}

func (w *meadow) made(id hlc.ID, err error) error {
	if err == nil {
		w.ids = append(w.ids, id)
	}
	return err
}

func (w *meadow) number(most int) *uint32 { return proto.Uint32(uint32(w.rand.IntN(most) + 1)) }

func (w *meadow) text() *string {
	return proto.String([]string{"棉被", "药品", "下周入户", "情绪平稳", strings.Repeat("长", 40)}[w.rand.IntN(5)])
}

// story is so long that a few of them fill a page.
func (w *meadow) story() *string {
	return proto.String(strings.Repeat("谈到房屋。", 1+w.rand.IntN(1300)))
}

func (w *meadow) token() []byte { return bytes.Repeat([]byte{byte(1 + w.rand.IntN(9))}, 16) }

func (w *meadow) worker() []byte {
	return w.workers()[oneOf(w, []string{"anna", "ben", "lena", "carl", "sven"})]
}

// workers and teams are their ids by name.
func (w *meadow) workers() map[string][]byte {
	return named(w, w.tablets[0].stores[0].Workers)
}

func (w *meadow) teams() map[string][]byte {
	return named(w, w.tablets[0].stores[0].Teams)
}

func named[M interface {
	record.Common
	GetName() string
}](w *meadow, list func(context.Context) ([]clientlib.Record[M], error)) map[string][]byte {
	w.t.Helper()
	found, err := list(w.ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	ids := map[string][]byte{}
	for _, r := range found {
		ids[r.Message.GetName()] = r.ID[:]
	}
	return ids
}

// log logs a record of some kind, about one that the tablet has where it needs one.
func (w *meadow) log(s *clientlib.Store) error {
	area := recordv1.ServiceArea(1 + w.rand.IntN(3)).Enum()
	about := func(kinds ...record.Kind) []byte {
		if r, ok := w.anyOf(s, kinds...); ok {
			return r.ID[:]
		}
		return bytes.Repeat([]byte{7}, 16) // nothing: the tablet refuses it
	}
	switch w.rand.IntN(23) {
	case 0, 1, 2:
		m := &recordv1.Case{CaseNo: w.text(), OpenedOn: proto.Int32(20210930), ClientCount: w.number(3), ServiceArea: area, Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum()}
		if w.rand.IntN(2) == 0 {
			m.ClientTokens = [][]byte{w.token()}
		}
		if w.rand.IntN(3) == 0 { // into another team: the server holds it, but a coordinator's
			m.Team = w.teams()[oneOf(w, []string{"one", "two"})]
		}
		return w.made(s.LogCase(w.ctx, m))
	case 3:
		return w.made(s.LogCaseIdentity(w.ctx, &recordv1.CaseIdentity{Case: about(kCase), Name: w.text()}))
	case 4:
		return w.made(s.LogConsent(w.ctx, &recordv1.Consent{Subject: about(kCase, recordv1.Kind_KIND_PARTICIPANT), GivenOn: proto.Int32(20211001)}))
	case 5, 6:
		return w.made(s.LogCaseSession(w.ctx, &recordv1.CaseSession{Case: about(kCase), Stage: recordv1.CaseStage_CASE_STAGE_INTERVENTION.Enum(), Mode: recordv1.SessionMode(1).Enum(),
			Minutes: w.number(90), Attendees: w.number(3), RiskSeen: recordv1.RiskSeen_RISK_SEEN_NO.Enum()}))
	case 7, 20:
		return w.made(s.LogCaseNote(w.ctx, &recordv1.CaseNote{Session: about(kSession), Process: w.story()}))
	case 8, 9:
		return w.made(s.LogOutreach(w.ctx, &recordv1.Outreach{Households: w.number(20), ServiceArea: area}))
	case 10:
		return w.made(s.LogGroup(w.ctx, &recordv1.Group{Name: w.text(), ServiceArea: area}))
	case 11:
		return w.made(s.LogGroupSession(w.ctx, &recordv1.GroupSession{Group: about(kGroup), Number: w.number(9), Theme: w.text(), Minutes: w.number(90)}))
	case 12:
		return w.made(s.LogGroupNote(w.ctx, &recordv1.GroupNote{Session: about(kMeeting), Process: w.story()}))
	case 13, 14:
		status := oneOf(w, []recordv1.Status{recordv1.Status_STATUS_HELD, recordv1.Status_STATUS_PLANNED})
		return w.made(s.LogCommunityActivity(w.ctx, &recordv1.CommunityActivity{Name: w.text(), Minutes: w.number(90), RegisterUsed: proto.Bool(true), ServiceArea: area, Status: status.Enum()}))
	case 15, 16:
		return w.made(s.Count(w.ctx, &recordv1.Headcount{Activity: about(kActivity, kOutreach, kMeeting), Zone: w.text(), Method: recordv1.CountMethod_COUNT_METHOD_COUNTED.Enum(), FirstTime: w.number(40), Returning: w.number(9)}))
	case 17:
		return w.made(s.LogParticipant(w.ctx, &recordv1.Participant{Token: w.token(), Basis: recordv1.TokenBasis_TOKEN_BASIS_PHONE.Enum()}))
	case 18:
		return w.made(s.LogAttendance(w.ctx, &recordv1.Attendance{Activity: about(kActivity, kOutreach, kMeeting), Participant: about(recordv1.Kind_KIND_PARTICIPANT)}))
	case 19:
		m := &recordv1.RiskAlert{Type: recordv1.RiskType(1).Enum(), Done: w.text()}
		if w.rand.IntN(2) == 0 {
			m.Subject = about(kCase)
		}
		return w.made(s.LogRiskAlert(w.ctx, m))
	case 21: // by whoever: of a field worker the server holds it
		kinds := []record.Kind{kCase, kSession, kActivity, kCount, kOutreach}
		if w.rand.IntN(5) == 0 {
			kinds = append(kinds, kReview, recordv1.Kind_KIND_CASE_NOTE)
		}
		return w.made(s.LogReview(w.ctx, &recordv1.Review{Target: about(kinds...), Outcome: recordv1.ReviewOutcome(1 + w.rand.IntN(2)).Enum()}))
	default:
		m := &recordv1.ResourceLink{Need: w.text(), Quantity: w.number(90)}
		if w.rand.IntN(2) == 0 {
			m.RecipientCase = about(kCase)
		}
		return w.made(s.LogResourceLink(w.ctx, m))
	}
}

// edit sets or empties a field or two of a record. The fields are few, so that people meet in them.
func (w *meadow) edit(s *clientlib.Store) error {
	r, ok := w.anyOf(s)
	if conflicts, err := s.Conflicts(w.ctx); err == nil && len(conflicts) > 0 && w.rand.IntN(8) == 0 {
		return s.Update(w.ctx, oneOf(w, conflicts).ID, &recordv1.Conflict{Settled: proto.Bool(true)})
	}
	if !ok {
		return nil
	}
	clears := w.rand.IntN(4) == 0
	pick := func(m proto.Message, optional string) error {
		if clears {
			m = record.New(r.Kind)
			return s.Update(w.ctx, r.ID, m, optional)
		}
		return s.Update(w.ctx, r.ID, m)
	}
	switch r.Kind {
	case kCase:
		switch w.rand.IntN(4) {
		case 0:
			return pick(&recordv1.Case{Lead: w.worker()}, "lead")
		case 1:
			return pick(&recordv1.Case{Workers: [][]byte{w.worker()}}, "workers")
		case 2:
			return pick(&recordv1.Case{ClientCount: w.number(4), ClientTokens: [][]byte{w.token()}}, "client_tokens")
		default:
			return pick(&recordv1.Case{OpenedOn: proto.Int32(20210925 + w.rand.Int32N(5)), Risk: recordv1.RiskDegree(w.rand.Int32N(3)).Enum()}, "opened_on")
		}
	case recordv1.Kind_KIND_CASE_IDENTITY:
		return pick(&recordv1.CaseIdentity{Phone: w.text()}, "phone")
	case recordv1.Kind_KIND_CONSENT:
		return pick(&recordv1.Consent{GivenOn: proto.Int32(20210925 + w.rand.Int32N(5))}, "given_on")
	case kSession:
		return pick(&recordv1.CaseSession{Minutes: w.number(90), Attendees: w.number(4)}, "attendees")
	case recordv1.Kind_KIND_CASE_NOTE:
		return pick(&recordv1.CaseNote{Plan: w.story()}, "plan")
	case kOutreach:
		return pick(&recordv1.Outreach{Households: w.number(20), Needs: w.text()}, "needs")
	case kGroup:
		return pick(&recordv1.Group{Leader: w.worker()}, "leader")
	case kMeeting:
		return pick(&recordv1.GroupSession{Theme: w.text(), OccurredOn: proto.Int32(20210925 + w.rand.Int32N(5))}, "theme")
	case recordv1.Kind_KIND_GROUP_NOTE:
		return pick(&recordv1.GroupNote{Process: w.story()}, "process")
	case kActivity:
		return pick(&recordv1.CommunityActivity{Status: recordv1.Status(1 + w.rand.Int32N(3)).Enum(), Summary: w.text()}, "summary")
	case kCount:
		return pick(&recordv1.Headcount{FirstTime: w.number(40)}, "returning")
	case recordv1.Kind_KIND_PARTICIPANT:
		return pick(&recordv1.Participant{Village: w.text()}, "village")
	case recordv1.Kind_KIND_ATTENDANCE:
		return pick(&recordv1.Attendance{Token: w.token()}, "token")
	case recordv1.Kind_KIND_RISK_ALERT:
		return pick(&recordv1.RiskAlert{ReportedTo: w.text()}, "reported_to")
	case kReview:
		return pick(&recordv1.Review{Outcome: recordv1.ReviewOutcome(1 + w.rand.Int32N(2)).Enum()}, "comment")
	case recordv1.Kind_KIND_RESOURCE_LINK:
		return pick(&recordv1.ResourceLink{Quantity: w.number(90)}, "recipient_case")
	default:
		return nil
	}
}

// join says that a record is another one, or takes that back.
func (w *meadow) join(s *clientlib.Store) error {
	r, ok := w.anyOf(s, kCase, kActivity, kOutreach, kCount, kSession)
	if !ok {
		return nil
	}
	m := record.New(r.Kind)
	if w.rand.IntN(3) == 0 {
		return s.Update(w.ctx, r.ID, m, "duplicate_of")
	}
	other, ok := w.anyOf(s, r.Kind)
	if !ok || other.ID == r.ID {
		return nil
	}
	set(m, "duplicate_of", other.ID[:])
	return s.Update(w.ctx, r.ID, m)
}

// reown moves a record to another owner.
func (w *meadow) reown(s *clientlib.Store) error {
	r, ok := w.anyOf(s, kCount, kSession, recordv1.Kind_KIND_ATTENDANCE, kMeeting, recordv1.Kind_KIND_CASE_NOTE, recordv1.Kind_KIND_RESOURCE_LINK, recordv1.Kind_KIND_CONSENT, kReview)
	if !ok {
		return nil
	}
	owner, ok := w.anyOf(s)
	for try := 0; ok && !record.MayOwn(owner.Kind, r.Kind) && try < 20; try++ {
		owner, ok = w.anyOf(s)
	}
	if !ok || !record.MayOwn(owner.Kind, r.Kind) {
		return nil
	}
	m := record.New(r.Kind)
	m.ProtoReflect().Set(m.ProtoReflect().Descriptor().Fields().ByNumber(record.OwnerField(r.Kind)), valueOf(owner.ID))
	return s.Update(w.ctx, r.ID, m)
}

// move gives a root to a team, or to everybody. Only a coordinator may.
func (w *meadow) move(s *clientlib.Store) error {
	if w.rand.IntN(4) > 0 {
		s = w.tablets[len(w.tablets)-1].stores[0]
	}
	r, ok := w.anyOf(s, kCase, kCase, kActivity, kGroup, kOutreach, recordv1.Kind_KIND_PARTICIPANT, kCount)
	if !ok {
		return nil
	}
	m := record.New(r.Kind)
	if w.rand.IntN(5) == 0 {
		return s.Update(w.ctx, r.ID, m, "team")
	}
	set(m, "team", w.teams()[oneOf(w, []string{"one", "two"})])
	return s.Update(w.ctx, r.ID, m)
}
