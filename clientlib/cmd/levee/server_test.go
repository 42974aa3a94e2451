package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/levee/sync/v1/syncv1connect"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/wire"
)

// server is as much of a server as a tablet's commands need: it keeps what tablets send, and hands it to all of them.
type server struct {
	http.Handler
	t          testing.TB
	wall       func() time.Time
	deployment hlc.ID
	key        ed25519.PrivateKey
	devices    map[hlc.ID]ed25519.PublicKey
	workers    map[string]hlc.ID // by the secrets of their codes
	chains     map[uint64][]batch.Hash
	log        []position
	// hold says why a change is held; "" applies it.
	hold func(*record.Change) string
	// pageSize is how many records a page has.
	pageSize int
	// down makes every request fail; meanwhile runs in each.
	down      bool
	meanwhile func()
	// revoked says that all tablets are out of use.
	revoked bool
}

// position is one place of the server's log: the record as it was then.
type position struct {
	id    hlc.ID
	kind  record.Kind
	state record.Registers
}

// The deployment of all tests.
var (
	wangzhuang = testID(2, 1)
	xiaohe     = testID(2, 2)
	teamA      = testID(3, 1)
	wangFang   = testID(4, 1)
	liLei      = testID(4, 2)
	zhaoMin    = testID(4, 3)
)

// typedSecret is of a code that can be typed.
const typedSecret = "ABCDEFGHJKMNPQRSTVWX"

// testID is an id whose last digits tell it apart.
func testID(kind, n byte) hlc.ID { return hlc.ID{0: kind, 6: 0x70, 8: 0x80, 12: kind, 15: n} }

func newServer(t testing.TB, wall func() time.Time) *server {
	s := &server{
		t: t, wall: wall, deployment: testID(1, 1), key: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, ed25519.SeedSize)),
		devices: map[hlc.ID]ed25519.PublicKey{}, workers: map[string]hlc.ID{"wang-fang": wangFang, "li-lei": liLei, typedSecret: wangFang},
		chains: map[uint64][]batch.Hash{}, log: []position{{}}, pageSize: 100,
	}
	place := func(code string) *recordv1.Place { return &recordv1.Place{Code: &code, Edition: proto.Int32(2023)} }
	worker := func(name string, role recordv1.Role) *recordv1.Worker {
		return &recordv1.Worker{Name: &name, Role: &role, Team: teamA[:], Site: wangzhuang[:]}
	}
	s.set(s.deployment, &recordv1.Deployment{
		Name: proto.String("河南水灾社工服务"), StartOn: proto.Int32(20210923), TimeZone: proto.String("Asia/Shanghai"),
		ServiceAreas: []*recordv1.ServiceAreaName{{
			Number: recordv1.ServiceArea(16).Enum(), LabelZh: proto.String("环境整治"), LabelEn: proto.String("clean-up")}},
		EmergencyNumbers: []*recordv1.EmergencyNumber{{LabelZh: proto.String("急救"), LabelEn: proto.String("ambulance"), Number: proto.String("120")}},
	})
	s.set(wangzhuang, &recordv1.Site{Name: proto.String("王庄镇"), Place: place("410621108")})
	s.set(xiaohe, &recordv1.Site{Name: proto.String("小河镇"), Place: place("410621105")})
	s.set(teamA, &recordv1.Team{Name: proto.String("一队"), Site: wangzhuang[:]})
	s.set(wangFang, worker("王芳", recordv1.Role_ROLE_FIELD_WORKER))
	s.set(liLei, worker("李雷", recordv1.Role_ROLE_TEAM_LEAD))
	s.set(zhaoMin, worker("赵敏", recordv1.Role_ROLE_SUPERVISOR))

	mux := http.NewServeMux()
	mux.Handle(syncv1connect.NewSyncServiceHandler(s, wire.HandlerOptions()...))
	s.Handler = mux
	return s
}

// RoundTrip carries a tablet's request.
func (s *server) RoundTrip(req *http.Request) (*http.Response, error) {
	if s.meanwhile != nil {
		s.meanwhile()
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	if s.down {
		return nil, errors.New("no network")
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, req)
	return w.Result(), nil
}

// code is an enrolment code.
func (s *server) code(secret string) string {
	return wire.EnrolmentCode{ServerURL: "http://levee.test", Deployment: s.deployment, Worker: s.workers[secret], Secret: secret}.String()
}

// set writes a record as the server itself does.
func (s *server) set(id hlc.ID, m record.Common) {
	encoded, err := proto.Marshal(m)
	if err != nil {
		s.t.Fatal(err)
	}
	fields, err := record.Canonical(record.KindOf(m), encoded)
	if err != nil {
		s.t.Fatal(err)
	}
	stamp := hlc.Stamp{Time: hlc.TimeOf(s.wall()) + hlc.Time(len(s.log)), Replica: 1}
	c, err := record.Edit(id, id, record.KindOf(m), stamp, s.state(id), fields, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	s.apply(c)
}

func (s *server) state(id hlc.ID) record.Registers {
	for _, p := range slices.Backward(s.log) {
		if p.id == id {
			return p.state
		}
	}
	return nil
}

func (s *server) apply(c *record.Change) {
	s.log = append(s.log, position{c.Record, c.Kind, record.Merge(s.state(c.Record), c.Registers())})
}

// mark is a place of the log.
func (s *server) mark(at int) *syncv1.Mark {
	if at == 0 {
		return &syncv1.Mark{}
	}
	chain := sha256.Sum256([]byte{byte(at >> 8), byte(at)})
	return &syncv1.Mark{Position: uint64(at), Chain: chain[:batch.ShortChain]}
}

// newest are the records behind a place of the log, each once, in the order of their positions.
func (s *server) newest(after int) []*syncv1.PulledRecord {
	byID := map[hlc.ID]*syncv1.PulledRecord{}
	for at := after + 1; at < len(s.log); at++ {
		p := s.log[at]
		byID[p.id] = &syncv1.PulledRecord{
			Id: p.id[:], Kind: uint32(p.kind), Position: uint64(at), State: record.EncodeState(p.state), Proof: make([]byte, 8),
		}
	}
	var all []*syncv1.PulledRecord
	for _, p := range byID {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *syncv1.PulledRecord) int { return cmp.Compare(a.GetPosition(), b.GetPosition()) })
	return all
}

func (s *server) Enrol(_ context.Context, req *connect.Request[syncv1.EnrolRequest]) (*connect.Response[syncv1.EnrolResponse], error) {
	worker, ok := s.workers[req.Msg.GetSecret()]
	if !ok {
		return nil, problem.ToConnect(problem.New(problem.EnrolmentCodeInvalid))
	}
	device := testID(5, worker[15])
	s.devices[device] = req.Msg.GetPublicKey()
	certificate, err := wire.SealCertificate(s.key, &syncv1.CertificateBody{
		Deployment: s.deployment[:], Device: device[:], PublicKey: req.Msg.GetPublicKey(), Worker: worker[:],
	})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&syncv1.EnrolResponse{
		Deployment: s.deployment[:], Device: device[:], Worker: worker[:], Certificate: certificate,
		ServerKey: s.key.Public().(ed25519.PublicKey), Time: s.wall().UnixMilli(), SetUp: s.newest(0),
	}), nil
}

func (s *server) Sync(_ context.Context, req *connect.Request[syncv1.SyncRequest]) (*connect.Response[syncv1.SyncResponse], error) {
	token, _ := strings.CutPrefix(req.Header().Get("Authorization"), "Bearer ")
	_, device, err := wire.TokenOwner(token)
	if err != nil {
		return nil, problem.ToConnect(problem.New(problem.Unauthenticated))
	}
	if off := time.UnixMilli(req.Msg.GetClock()).Sub(s.wall()); off.Abs() > 5*time.Minute {
		return nil, problem.ToConnect(&problem.Problem{Code: problem.ClockSkew, ServerTime: s.wall()})
	}
	push := req.Msg.GetPush()
	hashes, err := batch.Open(s.devices[device], s.deployment, push)
	if err != nil {
		s.t.Error(err)
		return nil, problem.ToConnect(problem.New(problem.Malformed))
	}
	replica := push.GetReplica()
	if s.chains[replica] == nil {
		s.chains[replica] = []batch.Hash{batch.Start(s.deployment, hlc.Replica(replica))}
	}
	ack := &syncv1.Acknowledgement{}
	for i, e := range push.GetEntries() {
		c, err := record.DecodeChange(e.GetChange(), hlc.Replica(replica))
		if err != nil {
			s.t.Error(err)
			return nil, problem.ToConnect(problem.New(problem.Malformed))
		}
		chain := s.chains[replica]
		s.chains[replica] = append(chain, batch.Next(chain[len(chain)-1], hashes[i]))
		if s.hold != nil && s.hold(c) != "" {
			ack.Held = append(ack.Held, &syncv1.HeldChange{Sequence: uint64(len(chain)), Change: c.ID[:], Code: s.hold(c)})
			continue
		}
		s.apply(c)
	}
	have := len(s.chains[replica]) - 1
	ack.Have, ack.HaveChain, ack.Durable = uint64(have), s.chains[replica][have][:batch.ShortChain], uint64(have)

	after := int(req.Msg.GetPull().GetCursor().GetPosition())
	records := s.newest(after)
	page := &syncv1.Page{Records: records, Cursor: s.mark(len(s.log) - 1), Head: s.mark(len(s.log) - 1)}
	if len(records) > s.pageSize {
		page.Records, page.Remaining = records[:s.pageSize], uint64(len(records)-s.pageSize)
		page.Cursor = s.mark(int(records[s.pageSize-1].GetPosition()))
	}
	answer := &syncv1.SyncResponse{Time: s.wall().UnixMilli(), Protocol: 1, Acknowledgement: ack, Page: page}
	if s.revoked {
		answer.Page, answer.Revocation = nil, &syncv1.JournalEntry{Sort: wire.JournalRevoked, Subject: device[:], At: s.wall().UnixMilli()}
		wire.SealJournalEntry(s.key, s.deployment, answer.Revocation)
	}
	return connect.NewResponse(answer), nil
}
