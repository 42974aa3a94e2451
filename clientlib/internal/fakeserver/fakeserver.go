// Package fakeserver is as much of a server as a tablet's programs need in their tests: it keeps what tablets send, and hands it to
// all of them, without judging anything. The library's own tests have one that does wrong things, too.
package fakeserver

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

// Server is one. It carries requests by itself, as a transport, and can be served.
type Server struct {
	http.Handler
	t          testing.TB
	wall       func() time.Time
	Deployment hlc.ID
	key        ed25519.PrivateKey
	devices    map[hlc.ID]ed25519.PublicKey
	workers    map[string]hlc.ID // by the secrets of their codes
	chains     map[uint64][]batch.Hash
	log        []position
	held       map[hlc.ID]*record.Change
	settled    []*syncv1.SettledChange // told with the next answer
	// Hold says why a change is held; "" applies it.
	Hold func(*record.Change) string
	// PageSize is how many records a page has.
	PageSize int
	// Down makes every request fail; meanwhile runs in each.
	Down      bool
	Meanwhile func()
	// Revoked says that all tablets are out of use.
	Revoked bool
	// Undurable says that what is sent would be lost with the server's disk.
	Undurable bool
}

// position is one place of the server's log: the record as it was then.
type position struct {
	id    hlc.ID
	kind  record.Kind
	state record.Registers
}

// The deployment of all tests.
var (
	Wangzhuang = TestID(2, 1)
	Xiaohe     = TestID(2, 2)
	TeamA      = TestID(3, 1)
	WangFang   = TestID(4, 1)
	LiLei      = TestID(4, 2)
	ZhaoMin    = TestID(4, 3)
)

// TypedSecret is of a code that can be typed.
const TypedSecret = "ABCDEFGHJKMNPQRSTVWX"

// TestID is an id whose last digits tell it apart.
func TestID(kind, n byte) hlc.ID { return hlc.ID{0: kind, 6: 0x70, 8: 0x80, 12: kind, 15: n} }

// New is a server with one deployment.
func New(t testing.TB, wall func() time.Time) *Server {
	s := &Server{
		t: t, wall: wall, Deployment: TestID(1, 1), key: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, ed25519.SeedSize)),
		devices: map[hlc.ID]ed25519.PublicKey{}, workers: map[string]hlc.ID{"wang-fang": WangFang, "li-lei": LiLei, TypedSecret: WangFang},
		chains: map[uint64][]batch.Hash{}, held: map[hlc.ID]*record.Change{}, log: []position{{}}, PageSize: 100,
	}
	place := func(code string) *recordv1.Place { return &recordv1.Place{Code: &code, Edition: proto.Int32(2023)} }
	worker := func(name string, role recordv1.Role) *recordv1.Worker {
		return &recordv1.Worker{Name: &name, Role: &role, Team: TeamA[:], Site: Wangzhuang[:]}
	}
	s.Set(s.Deployment, &recordv1.Deployment{
		Name: proto.String("河南水灾社工服务"), StartOn: proto.Int32(20210923), TimeZone: proto.String("Asia/Shanghai"),
		ServiceAreas: []*recordv1.ServiceAreaName{{
			Number: recordv1.ServiceArea(16).Enum(), LabelZh: proto.String("环境整治"), LabelEn: proto.String("clean-up")}},
		EmergencyNumbers: []*recordv1.EmergencyNumber{{LabelZh: proto.String("急救"), LabelEn: proto.String("ambulance"), Number: proto.String("120")}},
	})
	s.Set(Wangzhuang, &recordv1.Site{Name: proto.String("王庄镇"), Place: place("410621108")})
	s.Set(Xiaohe, &recordv1.Site{Name: proto.String("小河镇"), Place: place("410621105")})
	s.Set(TeamA, &recordv1.Team{Name: proto.String("一队"), Site: Wangzhuang[:]})
	s.Set(WangFang, worker("王芳", recordv1.Role_ROLE_FIELD_WORKER))
	s.Set(LiLei, worker("李雷", recordv1.Role_ROLE_TEAM_LEAD))
	s.Set(ZhaoMin, worker("赵敏", recordv1.Role_ROLE_SUPERVISOR))

	mux := http.NewServeMux()
	mux.Handle(syncv1connect.NewSyncServiceHandler(s, wire.HandlerOptions()...))
	s.Handler = mux
	return s
}

// RoundTrip carries a tablet's request.
func (s *Server) RoundTrip(req *http.Request) (*http.Response, error) {
	if s.Meanwhile != nil {
		s.Meanwhile()
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	if s.Down {
		return nil, errors.New("no network")
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, req)
	return w.Result(), nil
}

// Code is an enrolment code.
func (s *Server) Code(secret string) string {
	return wire.EnrolmentCode{ServerURL: "http://levee.test", Deployment: s.Deployment, Worker: s.workers[secret], Secret: secret}.String()
}

// Set writes a record as the server itself does.
func (s *Server) Set(id hlc.ID, m record.Common) {
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

// Settle decides about a change that is held: it is applied, or held for another reason.
func (s *Server) Settle(change hlc.ID, code string) {
	if code == "" {
		s.apply(s.held[change])
	}
	s.settled = append(s.settled, &syncv1.SettledChange{Change: change[:], Code: code})
}

func (s *Server) state(id hlc.ID) record.Registers {
	for _, p := range slices.Backward(s.log) {
		if p.id == id {
			return p.state
		}
	}
	return nil
}

func (s *Server) apply(c *record.Change) {
	s.log = append(s.log, position{c.Record, c.Kind, record.Merge(s.state(c.Record), c.Registers())})
}

// mark is a place of the log.
func (s *Server) mark(at int) *syncv1.Mark {
	if at == 0 {
		return &syncv1.Mark{}
	}
	chain := sha256.Sum256([]byte{byte(at >> 8), byte(at)})
	return &syncv1.Mark{Position: uint64(at), Chain: chain[:batch.ShortChain]}
}

// newest are the records behind a place of the log, each once, in the order of their positions.
func (s *Server) newest(after int) []*syncv1.PulledRecord {
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

// Enrol lets a tablet in.
func (s *Server) Enrol(_ context.Context, req *connect.Request[syncv1.EnrolRequest]) (*connect.Response[syncv1.EnrolResponse], error) {
	worker, ok := s.workers[req.Msg.GetSecret()]
	if !ok {
		return nil, problem.ToConnect(problem.New(problem.EnrolmentCodeInvalid))
	}
	device := TestID(5, worker[15])
	s.devices[device] = req.Msg.GetPublicKey()
	certificate, err := wire.SealCertificate(s.key, &syncv1.CertificateBody{
		Deployment: s.Deployment[:], Device: device[:], PublicKey: req.Msg.GetPublicKey(), Worker: worker[:],
	})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&syncv1.EnrolResponse{
		Deployment: s.Deployment[:], Device: device[:], Worker: worker[:], Certificate: certificate,
		ServerKey: s.key.Public().(ed25519.PublicKey), Time: s.wall().UnixMilli(), SetUp: s.newest(0),
	}), nil
}

// Sync takes what a tablet sends, and answers with what is new.
func (s *Server) Sync(_ context.Context, req *connect.Request[syncv1.SyncRequest]) (*connect.Response[syncv1.SyncResponse], error) {
	token, _ := strings.CutPrefix(req.Header().Get("Authorization"), "Bearer ")
	_, device, err := wire.TokenOwner(token)
	if err != nil {
		return nil, problem.ToConnect(problem.New(problem.Unauthenticated))
	}
	if off := time.UnixMilli(req.Msg.GetClock()).Sub(s.wall()); off.Abs() > 5*time.Minute {
		return nil, problem.ToConnect(&problem.Problem{Code: problem.ClockSkew, ServerTime: s.wall()})
	}
	push := req.Msg.GetPush()
	hashes, err := batch.OpenVouched(s.devices[device], s.Deployment, push)
	if err != nil {
		s.t.Error(err)
		return nil, problem.ToConnect(problem.New(problem.Malformed))
	}
	replica := push.GetReplica()
	if s.chains[replica] == nil {
		s.chains[replica] = []batch.Hash{batch.Start(s.Deployment, hlc.Replica(replica))}
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
		if s.Hold != nil && s.Hold(c) != "" {
			s.held[c.ID] = c
			ack.Held = append(ack.Held, &syncv1.HeldChange{Sequence: uint64(len(chain)), Change: c.ID[:], Code: s.Hold(c)})
			continue
		}
		s.apply(c)
	}
	have := len(s.chains[replica]) - 1
	ack.Have, ack.HaveChain, ack.Durable = uint64(have), s.chains[replica][have][:batch.ShortChain], uint64(have)
	if s.Undurable {
		ack.Durable = 0
	}

	after := int(req.Msg.GetPull().GetCursor().GetPosition())
	records := s.newest(after)
	page := &syncv1.Page{Records: records, Cursor: s.mark(len(s.log) - 1), Head: s.mark(len(s.log) - 1)}
	page.Settled, s.settled = s.settled, nil
	if len(records) > s.PageSize {
		page.Records, page.Remaining = records[:s.PageSize], uint64(len(records)-s.PageSize)
		page.Cursor = s.mark(int(records[s.PageSize-1].GetPosition()))
	}
	answer := &syncv1.SyncResponse{Time: s.wall().UnixMilli(), Protocol: 1, Acknowledgement: ack, Page: page}
	if s.Revoked {
		answer.Page, answer.Revocation = nil, &syncv1.JournalEntry{Sort: wire.JournalRevoked, Subject: device[:], At: s.wall().UnixMilli()}
		wire.SealJournalEntry(s.key, s.Deployment, answer.Revocation)
	}
	return connect.NewResponse(answer), nil
}
