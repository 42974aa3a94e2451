package clientlib_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/levee/sync/v1/syncv1connect"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/wire"
)

// fakeServer is the server's side of the protocol as tablets meet it, in memory: it checks what they say, keeps it, and hands out
// what others said. It knows no teams: everybody may see everything.
type fakeServer struct {
	t    failer
	http http.Handler

	mu         sync.Mutex
	now        time.Time
	deployment hlc.ID
	key        ed25519.PrivateKey
	secrets    map[string]hlc.ID // of enrolment codes, and their workers
	devices    map[hlc.ID]*device
	replicas   map[uint64]*replica
	records    map[hlc.ID]*served
	log        []batch.Hash // the log's chain, by position
	seen       map[hlc.ID]bool
	pageSize   int
	// durable says that what is acknowledged is durable.
	durable bool
	// hold says why a change is held; "" applies it.
	hold func(*record.Change) string
	// refuse answers a request with a problem.
	refuse func(*syncv1.SyncRequest) *problem.Problem
	// asked are the requests that got through.
	asked []*syncv1.SyncRequest
	// renew says for whom a new certificate is sent with each answer.
	renew func(*device) *device
	// answer may spoil an answer.
	answer func(*syncv1.SyncResponse)
	// dropped and settled are handed out once.
	dropped [][]byte
	settled []*syncv1.SettledChange
	// unconfirmed are devices that the server knows by their certificate alone.
	unconfirmed map[hlc.ID]bool
	// revoked are devices that are out of use, with the word that they are.
	revoked map[hlc.ID]*syncv1.JournalEntry
	journal []*syncv1.JournalEntry
	// refuseGiven says why a record given back is held; "" merges it.
	refuseGiven func(*syncv1.GivenRecord) string
}

// failer is what the server needs of a test.
type failer interface {
	Errorf(format string, args ...any)
	Error(args ...any)
	Fatal(args ...any)
}

type device struct {
	id, worker hlc.ID
	key        ed25519.PublicKey
}

type replica struct {
	chains  []batch.Hash // by sequence number
	changes []*record.Change
	held    map[uint64]string
	known   map[uint64]bool
}

type served struct {
	kind      record.Kind
	registers record.Registers
	position  uint64
	// origin is the replica whose change gave it that position, if that tablet has all of it.
	origin uint64
}

// The deployment that all tests work in.
var (
	start      = time.Date(2021, 9, 23, 1, 0, 0, 0, time.UTC) // 09:00 in Henan
	wangzhuang = testID(2, 1)
	xiaohe     = testID(2, 2)
	teamA      = testID(3, 1)
	teamB      = testID(3, 2)
	liWei      = testID(4, 1)
	zhangMin   = testID(4, 2)
	chenJie    = testID(4, 3)
	// typedSecret is one that can be typed.
	typedSecret = "ABCDEFGHJKMNPQRSTVWX"
	enrolSecret = map[string]hlc.ID{"li-wei": liWei, "li-wei-2": liWei, typedSecret: liWei, "zhang-min": zhangMin, "chen-jie": chenJie}
)

func testID(kind, n byte) hlc.ID { return hlc.ID{0: kind, 6: 0x70, 8: 0x80, 15: n} }

func newServer(t failer) *fakeServer {
	s := &fakeServer{
		t: t, now: start, deployment: testID(1, 1), key: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, ed25519.SeedSize)),
		secrets: enrolSecret, devices: map[hlc.ID]*device{}, replicas: map[uint64]*replica{}, records: map[hlc.ID]*served{},
		seen: map[hlc.ID]bool{}, pageSize: 100, durable: true, unconfirmed: map[hlc.ID]bool{}, revoked: map[hlc.ID]*syncv1.JournalEntry{},
	}
	s.log = []batch.Hash{batch.LogStart(s.deployment)}
	place := func(code string) *recordv1.Place { return &recordv1.Place{Code: &code, Edition: proto.Int32(2023)} }
	s.set(s.deployment, &recordv1.Deployment{Name: proto.String("河南"), StartOn: proto.Int32(20210923), TimeZone: proto.String("Asia/Shanghai")})
	s.set(wangzhuang, &recordv1.Site{Name: proto.String("王庄镇"), Place: place("410621108")})
	s.set(xiaohe, &recordv1.Site{Name: proto.String("小河镇"), Place: place("410621105")})
	s.set(teamA, &recordv1.Team{Name: proto.String("一队"), Site: wangzhuang[:]})
	s.set(teamB, &recordv1.Team{Name: proto.String("二队"), Site: xiaohe[:]})
	s.set(liWei, &recordv1.Worker{Name: proto.String("李伟"), Team: teamA[:]})
	s.set(zhangMin, &recordv1.Worker{Name: proto.String("张敏"), Team: teamA[:]})
	s.set(chenJie, &recordv1.Worker{Name: proto.String("陈洁"), Team: teamB[:]})

	mux := http.NewServeMux()
	path, rpc := syncv1connect.NewSyncServiceHandler(s, wire.HandlerOptions()...)
	mux.Handle(path, s.authenticated(rpc))
	s.http = mux
	return s
}

// code is an enrolment code for a server at a URL.
func (s *fakeServer) code(url, secret string) string {
	return wire.EnrolmentCode{ServerURL: url, Deployment: s.deployment, Worker: s.secrets[secret], Secret: secret}.String()
}

// set writes fields of a record as the server's own replica does.
func (s *fakeServer) set(id hlc.ID, m record.Common) {
	s.mu.Lock()
	defer s.mu.Unlock()
	encoded, err := proto.Marshal(m)
	if err != nil {
		s.t.Fatal(err)
	}
	fields, err := record.Canonical(record.KindOf(m), encoded)
	if err != nil {
		s.t.Fatal(err)
	}
	r := s.record(id, record.KindOf(m))
	c, err := record.Edit(id, id, r.kind, hlc.Stamp{Time: hlc.TimeOf(s.now) + hlc.Time(len(s.log)), Replica: 1}, r.registers, fields, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	s.apply(c, 0, 0)
}

// backup keeps the server's database as it is; the function that it returns puts it back, and nobody is told.
func (s *fakeServer) backup() (restore func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	log, seen, devices := slices.Clone(s.log), maps.Clone(s.seen), maps.Clone(s.devices)
	replicas, records := map[uint64]replica{}, map[hlc.ID]served{}
	for number, r := range s.replicas {
		replicas[number] = replica{slices.Clone(r.chains), slices.Clone(r.changes), maps.Clone(r.held), maps.Clone(r.known)}
	}
	for id, r := range s.records {
		records[id] = *r
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.log, s.seen, s.devices = slices.Clone(log), maps.Clone(seen), maps.Clone(devices)
		s.replicas, s.records = map[uint64]*replica{}, map[hlc.ID]*served{}
		for number, r := range replicas {
			s.replicas[number] = &replica{slices.Clone(r.chains), slices.Clone(r.changes), maps.Clone(r.held), maps.Clone(r.known)}
		}
		for id, r := range records {
			s.records[id] = &r
		}
	}
}

func (s *fakeServer) record(id hlc.ID, kind record.Kind) *served {
	if s.records[id] == nil {
		s.records[id] = &served{kind: kind}
	}
	return s.records[id]
}

// apply merges a change and gives its record the next position. The replica that sent it has all of the record if nobody
// else had changed it behind the cursor of that request.
func (s *fakeServer) apply(c *record.Change, by, cursor uint64) {
	r := s.record(c.Record, c.Kind)
	r.registers = record.Merge(r.registers, c.Registers())
	if r.origin != by && r.position > cursor {
		by = 0
	}
	position := uint64(len(s.log))
	s.log = append(s.log, batch.NextLog(s.log[position-1], position, c.Stamp.Replica, 0, batch.HashOf(c.Encode())))
	r.position, r.origin = position, by
}

func (s *fakeServer) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			http.Error(w, "cut", http.StatusBadRequest)
			return
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
		ctx := req.Context()
		if token, ok := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer "); ok {
			ctx = context.WithValue(ctx, deviceKey{}, s.deviceOf(token, body))
		}
		next.ServeHTTP(w, req.WithContext(ctx))
	})
}

type deviceKey struct{}

func (s *fakeServer) deviceOf(token string, body []byte) *device {
	_, id, err := wire.TokenOwner(token)
	if err != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.devices[id]
	if d == nil {
		return &device{} // known to nobody
	}
	if _, err := wire.VerifyToken(token, d.key, s.deployment, id, body); err != nil {
		return nil
	}
	return d
}

func (s *fakeServer) Enrol(_ context.Context, req *connect.Request[syncv1.EnrolRequest]) (*connect.Response[syncv1.EnrolResponse], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	worker, ok := s.secrets[req.Msg.GetSecret()]
	if !ok || (len(req.Msg.GetDeployment()) > 0 && !bytes.Equal(req.Msg.GetDeployment(), s.deployment[:])) {
		return nil, problem.ToConnect(problem.New(problem.EnrolmentCodeInvalid))
	}
	var id hlc.ID
	digest := sha256.Sum256([]byte(req.Msg.GetSecret()))
	copy(id[:], digest[:])
	if d := s.devices[id]; d != nil && !d.key.Equal(ed25519.PublicKey(req.Msg.GetPublicKey())) {
		return nil, problem.ToConnect(problem.New(problem.EnrolmentCodeUsed))
	}
	s.devices[id] = &device{id, worker, req.Msg.GetPublicKey()}
	res := &syncv1.EnrolResponse{
		Deployment: s.deployment[:], Device: id[:], Worker: worker[:], ServerKey: s.key.Public().(ed25519.PublicKey), Time: s.now.UnixMilli(),
		Certificate: s.certificate(s.devices[id]),
	}
	for rid, r := range s.records {
		if record.SetUp(r.kind) {
			res.SetUp = append(res.SetUp, s.pulled(rid, r, true))
		}
	}
	return connect.NewResponse(res), nil
}

func (s *fakeServer) certificate(d *device) *syncv1.Certificate {
	c, err := wire.SealCertificate(s.key, &syncv1.CertificateBody{
		Deployment: s.deployment[:], Device: d.id[:], PublicKey: d.key, Worker: d.worker[:],
		NotBefore: s.now.UnixMilli(), NotAfter: s.now.Add(30 * 24 * time.Hour).UnixMilli(),
	})
	if err != nil {
		s.t.Error(err)
	}
	return c
}

const tolerance = 5 * time.Minute

func (s *fakeServer) Sync(ctx context.Context, req *connect.Request[syncv1.SyncRequest]) (*connect.Response[syncv1.SyncResponse], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, req.Msg)
	d, ok := ctx.Value(deviceKey{}).(*device)
	if !ok || d == nil {
		return nil, problem.ToConnect(problem.New(problem.Unauthenticated))
	}
	if d.key == nil {
		if d = s.admit(req.Msg.GetCertificate()); d == nil {
			return nil, problem.ToConnect(problem.New(problem.DeviceUnknown))
		}
	}
	if b := req.Msg.GetPush(); b.GetReplica() == 0 && b != nil { // what tests look at
		b.Replica = uint64(hlc.ReplicaOf(d.key, b.GetNonce()))
	}
	if s.refuse != nil {
		if p := s.refuse(req.Msg); p != nil {
			return nil, problem.ToConnect(p)
		}
	}
	push := req.Msg.GetPush()
	hashes, err := batch.OpenVouched(d.key, s.deployment, push)
	if err != nil {
		var p *problem.Problem
		errors.As(err, &p)
		return nil, problem.ToConnect(p)
	}
	changes, err := s.decode(push)
	skewed := time.UnixMilli(req.Msg.GetClock()).Sub(s.now).Abs() > tolerance || slices.ContainsFunc(changes, func(c *record.Change) bool {
		return c.Stamp.Time > hlc.TimeOf(s.now.Add(tolerance))
	})
	switch {
	case err != nil:
		return nil, problem.ToConnect(problem.New(problem.Malformed))
	case skewed:
		return nil, problem.ToConnect(&problem.Problem{Code: problem.ClockSkew, ServerTime: s.now})
	}
	res := &syncv1.SyncResponse{Time: s.now.UnixMilli(), Protocol: 1}
	cursor := req.Msg.GetPull().GetCursor()
	marks := req.Msg.GetPull().GetMarks()
	lost := (!s.has(cursor) || (len(marks) > 0 && !s.has(marks[0]))) && !s.unconfirmed[d.id]
	revoked := s.revoked[d.id] != nil
	takes := (!lost || revoked) && len(req.Msg.GetChains()) == 0
	if takes && !revoked {
		res.Given = s.giveBack(req.Msg.GetGiveBack())
	}
	res.Acknowledgement = s.push(d, req.Msg, hashes, changes, takes)
	switch {
	case revoked:
		res.Unconfirmed, res.Revocation = true, s.revoked[d.id]
		return connect.NewResponse(res), nil
	case s.unconfirmed[d.id]:
		res.Unconfirmed = true
	case lost && len(marks) < 2:
		res.Page = &syncv1.Page{SendMarks: true, Cursor: cursor, Head: s.mark(uint64(len(s.log) - 1))}
	case lost:
		common := s.common(marks)
		if cursor.GetPosition() > common.GetPosition() {
			cursor = common
		}
		res.Page = s.page(req.Msg.GetPush().GetReplica(), cursor)
		res.Page.Common = common
	default:
		res.Page = s.page(req.Msg.GetPush().GetReplica(), cursor)
	}
	s.tellJournal(req.Msg, res)
	if req.Msg.GetCertificate() != nil {
		res.Certificate = s.certificate(d)
	}
	if s.renew != nil {
		res.Certificate = s.certificate(s.renew(d))
	}
	if s.answer != nil {
		s.answer(res)
	}
	return connect.NewResponse(res), nil
}

func (s *fakeServer) decode(push *syncv1.Batch) ([]*record.Change, error) {
	var changes []*record.Change
	for _, e := range push.GetEntries() {
		c, err := record.DecodeChange(e.GetChange(), hlc.Replica(push.GetReplica()))
		if err != nil {
			return nil, err
		}
		changes = append(changes, c)
	}
	return changes, nil
}

// admit takes in a device by its certificate; nil when it has none.
func (s *fakeServer) admit(c *syncv1.Certificate) *device {
	body, err := wire.OpenCertificate(s.key.Public().(ed25519.PublicKey), c)
	if err != nil {
		return nil
	}
	d := &device{hlc.ID(body.GetDevice()), hlc.ID(body.GetWorker()), body.GetPublicKey()}
	s.devices[d.id], s.unconfirmed[d.id] = d, true
	return d
}

// confirm is what a coordinator does: what the device's changes were held for is over.
func (s *fakeServer) confirm() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unconfirmed = map[hlc.ID]bool{}
	for _, r := range s.replicas {
		for sequence, c := range r.changes {
			if r.held[uint64(sequence)+1] == "unconfirmed" {
				delete(r.held, uint64(sequence)+1)
				s.apply(c, 0, 0)
				s.settled = append(s.settled, &syncv1.SettledChange{Change: c.ID[:]})
			}
		}
	}
}

// revoke puts a tablet out of use.
func (s *fakeServer) revoke(device hlc.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := &syncv1.JournalEntry{Sort: wire.JournalRevoked, Subject: device[:], At: s.now.UnixMilli()}
	wire.SealJournalEntry(s.key, s.deployment, e)
	s.revoked[device] = e
}

// has reports whether a mark is a place of the log.
func (s *fakeServer) has(m *syncv1.Mark) bool {
	return m.GetPosition() == 0 || (m.GetPosition() < uint64(len(s.log)) && batch.Same(m.GetChain(), s.log[m.GetPosition()]))
}

func (s *fakeServer) common(marks []*syncv1.Mark) *syncv1.Mark {
	for _, m := range marks {
		if s.has(m) {
			return m
		}
	}
	return &syncv1.Mark{}
}

func (s *fakeServer) mark(position uint64) *syncv1.Mark {
	if position == 0 {
		return &syncv1.Mark{}
	}
	return &syncv1.Mark{Position: position, Chain: s.log[position][:batch.ShortChain]}
}

// giveBack merges the records that this server once sent.
func (s *fakeServer) giveBack(given []*syncv1.GivenRecord) (outcomes []*syncv1.GivenRecordOutcome) {
	for _, g := range given {
		outcome := &syncv1.GivenRecordOutcome{Id: g.GetId()}
		outcomes = append(outcomes, outcome)
		state, err := record.DecodeState(g.GetState())
		if err != nil || !bytes.Equal(g.GetProof(), proofOf(g.GetId(), g.GetState())) {
			outcome.Code = "unproven"
			s.t.Errorf("record %x was given back without proof", g.GetId())
			continue
		}
		if s.refuseGiven != nil {
			if outcome.Code = s.refuseGiven(g); outcome.Code != "" {
				continue
			}
		}
		r := s.record(hlc.ID(g.GetId()), record.Kind(g.GetKind()))
		merged := record.Merge(r.registers, state)
		if bytes.Equal(record.EncodeState(merged), record.EncodeState(r.registers)) {
			continue
		}
		r.registers, r.origin, r.position = merged, 0, uint64(len(s.log))
		s.log = append(s.log, batch.NextLog(s.log[r.position-1], r.position, 0, 0, batch.HashOf(g.GetState())))
	}
	return outcomes
}

func (s *fakeServer) push(d *device, req *syncv1.SyncRequest, hashes []batch.Hash, changes []*record.Change, takes bool) *syncv1.Acknowledgement {
	push := req.GetPush()
	r := s.replicas[push.GetReplica()]
	if r == nil {
		r = &replica{chains: []batch.Hash{batch.Start(s.deployment, hlc.Replica(push.GetReplica()))}, held: map[uint64]string{}, known: map[uint64]bool{}}
		s.replicas[push.GetReplica()] = r
	}
	have := uint64(len(r.changes))
	first := push.GetFirst()
	forked, matched := first-1+uint64(len(changes))+req.GetUnsent() < have, uint64(0) // more than the tablet itself has
	tell := func(sequence uint64, chain []byte) {
		switch same := sequence <= have && bytes.HasPrefix(r.chains[sequence][:], chain); {
		case same:
			matched = max(matched, sequence)
		case sequence <= have:
			forked = true
		}
	}
	chain := batch.Hash(push.GetChain())
	tell(first-1, chain[:])
	for i := range changes {
		chain = batch.Next(chain, hashes[i])
		tell(first+uint64(i), chain[:])
	}
	for _, c := range req.GetChains() {
		tell(c.GetSequence(), c.GetChain())
	}
	for i, c := range changes {
		sequence := first + uint64(i)
		if forked || !takes || sequence != uint64(len(r.changes))+1 {
			continue
		}
		r.changes = append(r.changes, c)
		r.chains = append(r.chains, batch.Next(r.chains[sequence-1], hashes[i]))
		if s.seen[c.ID] {
			r.known[sequence] = true
			continue
		}
		s.seen[c.ID] = true
		code := ""
		switch {
		case s.revoked[d.id] != nil:
			code = "device_revoked"
		case s.unconfirmed[d.id]:
			code = "unconfirmed"
		case sequence <= req.GetAccepted() && coveredBy(s.records[c.Record], c): // it was given back
		case s.hold != nil:
			code = s.hold(c)
		}
		if code != "" {
			r.held[sequence] = code
			continue
		}
		s.apply(c, push.GetReplica(), req.GetPull().GetCursor().GetPosition())
	}
	have = uint64(len(r.changes))
	a := &syncv1.Acknowledgement{Have: have, HaveChain: r.chains[have][:batch.ShortChain], Forked: forked}
	if forked {
		a.Matched = matched
	}
	if s.durable {
		a.Durable = have
	}
	for sequence := first; sequence <= have; sequence++ {
		if code := r.held[sequence]; code != "" {
			a.Held = append(a.Held, &syncv1.HeldChange{Sequence: sequence, Change: r.changes[sequence-1].ID[:], Code: code})
		}
		if r.known[sequence] {
			a.Known = append(a.Known, sequence)
		}
	}
	return a
}

// coveredBy reports whether a record has everything of a change.
func coveredBy(r *served, c *record.Change) bool {
	return r != nil && bytes.Equal(record.EncodeState(record.Merge(r.registers, c.Registers())), record.EncodeState(r.registers))
}

// tellJournal sends what the tablet lacks, or asks for what it holds.
func (s *fakeServer) tellJournal(req *syncv1.SyncRequest, res *syncv1.SyncResponse) {
	at := uint64(0)
	for _, e := range req.GetJournalEntries() {
		if !slices.ContainsFunc(s.journal, func(have *syncv1.JournalEntry) bool { return proto.Equal(have, e) }) {
			s.journal = append(s.journal, e)
		}
	}
	chains := []batch.Hash{wire.JournalStart(s.deployment)}
	for _, e := range s.journal {
		chains = append(chains, wire.NextJournal(chains[len(chains)-1], s.deployment, e))
	}
	if at = req.GetJournal().GetPosition(); at > 0 && (at >= uint64(len(chains)) || !batch.Same(req.GetJournal().GetChain(), chains[at])) {
		res.SendJournal = true
		return
	}
	if res.JournalEntries = s.journal[at:]; len(res.GetJournalEntries()) > 0 {
		res.Journal = &syncv1.Mark{Position: uint64(len(s.journal)), Chain: chains[len(s.journal)][:batch.ShortChain]}
	}
}

func (s *fakeServer) page(to uint64, cursor *syncv1.Mark) *syncv1.Page {
	after := cursor.GetPosition()
	var ids []hlc.ID
	for id, r := range s.records {
		if r.position > after {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b hlc.ID) int { return cmp.Compare(s.records[a].position, s.records[b].position) })
	head := uint64(len(s.log) - 1)
	p := &syncv1.Page{Cursor: s.mark(head), Head: s.mark(head), Dropped: s.dropped, Settled: s.settled}
	s.dropped, s.settled = nil, nil
	if len(ids) > s.pageSize {
		p.Remaining = uint64(len(ids) - s.pageSize)
		ids = ids[:s.pageSize]
		p.Cursor = s.mark(s.records[ids[len(ids)-1]].position)
	}
	for _, id := range ids {
		r := s.records[id]
		p.Records = append(p.Records, s.pulled(id, r, r.origin != to || after == 0))
	}
	return p
}

func (s *fakeServer) pulled(id hlc.ID, r *served, withState bool) *syncv1.PulledRecord {
	state := record.EncodeState(r.registers)
	out := &syncv1.PulledRecord{Id: id[:], Kind: uint32(r.kind), Position: r.position, Proof: proofOf(id[:], state)}
	if withState {
		out.State = state
	}
	return out
}

func proofOf(id, state []byte) []byte {
	proof := sha256.Sum256(append(append([]byte("kept apart"), id...), state...))
	return proof[:8]
}

// network carries requests to a server in memory, and does to them what networks do.
type network struct {
	server http.Handler
	// fault says what happens to the next request; nothing happens when it is nil.
	fault func() fault
	// after is called when the server has answered, before the answer arrives.
	after func()
	down  bool
	// under is how many requests are under way, most the most that ever were.
	under, most atomic.Int32
}

type fault int

const (
	fine fault = iota
	requestLost
	answerLost
	requestTwice
	requestCut
	answerCut
	portal // a hotspot answers in the server's place
	faults
	hangs // until the caller gives up, and a little longer: for bubbles of synctest, whose time costs nothing
)

var errLost = errors.New("connection lost")

func (n *network) RoundTrip(req *http.Request) (*http.Response, error) {
	if under := n.under.Add(1); under > n.most.Load() {
		n.most.Store(under)
	}
	defer n.under.Add(-1)
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	what := fine
	if n.fault != nil {
		what = n.fault()
	}
	deliver := func(b []byte) *http.Response {
		r := httptest.NewRequestWithContext(req.Context(), req.Method, req.URL.String(), bytes.NewReader(b))
		r.Header = req.Header.Clone()
		w := httptest.NewRecorder()
		n.server.ServeHTTP(w, r)
		return w.Result()
	}
	switch {
	case n.down, what == requestLost:
		return nil, errLost
	case what == hangs:
		<-req.Context().Done()
		time.Sleep(time.Second)
		return nil, req.Context().Err()
	case what == answerLost:
		deliver(body)
		return nil, errLost
	case what == requestTwice:
		deliver(body)
		return deliver(body), nil
	case what == requestCut:
		deliver(body[:len(body)/2])
		return nil, errLost
	case what == answerCut:
		res := deliver(body)
		b, _ := io.ReadAll(res.Body)
		res.Body = io.NopCloser(io.MultiReader(bytes.NewReader(b[:len(b)*2/3]), errReader{}))
		return res, nil
	case what == portal:
		return &http.Response{StatusCode: http.StatusOK, Proto: "HTTP/1.1", Request: req, Header: http.Header{"Content-Type": {"text/html"}},
			Body: io.NopCloser(strings.NewReader("<html>Welcome! Please sign in</html>"))}, nil
	default:
		res := deliver(body)
		if n.after != nil {
			n.after()
		}
		return res, nil
	}
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// tablet is a store of a test, with its own clock and network.
type tablet struct {
	*clientlib.Store
	t    testing.TB
	path string
	net  *network
	now  time.Time
	seed uint64
	// maxBytes is how much its disk has room for; 0 for any amount.
	maxBytes int64
}

// testKey opens the files of tests.
var testKey = clientlib.HostKey([32]byte{1})

// newTablet is a store in a file of its own, not enrolled.
func newTablet(t testing.TB, s *fakeServer, seed uint64) *tablet {
	t.Helper()
	tab := &tablet{t: t, path: t.TempDir() + "/tablet.db", net: &network{server: s.http}, now: start, seed: seed}
	tab.open()
	t.Cleanup(func() { _ = tab.Close() })
	return tab
}

func (tab *tablet) open() {
	tab.t.Helper()
	tab.seed += 1000
	store, err := clientlib.Open(tab.t.Context(), tab.path, clientlib.Options{
		Key:  testKey,
		Wall: func() time.Time { return tab.now }, Transport: tab.net, Name: "test tablet", App: "levee-test/1", MaxBytes: tab.maxBytes, Entropy: rand.NewChaCha8([32]byte{byte(tab.seed), byte(tab.seed >> 8)}),
	})
	if err != nil {
		tab.t.Fatal(err)
	}
	tab.Store = store
}

// reopen closes the file and opens it again.
func (tab *tablet) reopen() {
	tab.t.Helper()
	if err := tab.Close(); err != nil {
		tab.t.Fatal(err)
	}
	tab.open()
}

// enrolled is a store that is a worker's tablet.
func enrolled(t testing.TB, s *fakeServer, secret string) *tablet {
	t.Helper()
	tab := newTablet(t, s, uint64(secret[0]))
	tab.must(tab.Enrol(t.Context(), s.code("http://levee.test", secret)))
	return tab
}

func (tab *tablet) must(err error) {
	tab.t.Helper()
	if err != nil {
		tab.t.Fatal(err)
	}
}

func (tab *tablet) sync() clientlib.SyncResult {
	tab.t.Helper()
	r, err := tab.Sync(tab.t.Context(), nil)
	tab.must(err)
	return r
}

func (tab *tablet) status() clientlib.Status {
	tab.t.Helper()
	st, err := tab.Status(tab.t.Context())
	tab.must(err)
	return st
}

// record is a record that must be there.
func (tab *tablet) record(id hlc.ID) clientlib.AnyRecord {
	tab.t.Helper()
	r, err := tab.Record(tab.t.Context(), id)
	tab.must(err)
	return r
}

// activity is a community activity with all that it needs to count.
func activity(name string) *recordv1.CommunityActivity {
	return &recordv1.CommunityActivity{
		Name: &name, Minutes: proto.Uint32(60), RegisterUsed: proto.Bool(false),
		ServiceArea: recordv1.ServiceArea_SERVICE_AREA_CULTURAL_REBUILDING.Enum(),
	}
}

func aCase(number string) *recordv1.Case {
	return &recordv1.Case{
		CaseNo: &number, ClientCount: proto.Uint32(1), Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(), OpenedOn: proto.Int32(20210923),
		ServiceArea: recordv1.ServiceArea_SERVICE_AREA_PSYCHOLOGICAL_SUPPORT.Enum(),
	}
}

func aSession(of hlc.ID) *recordv1.CaseSession {
	return &recordv1.CaseSession{
		Case: of[:], Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(), Mode: recordv1.SessionMode_SESSION_MODE_HOME_VISIT.Enum(),
		Minutes: proto.Uint32(45), Attendees: proto.Uint32(2), RiskSeen: recordv1.RiskSeen_RISK_SEEN_NO.Enum(),
	}
}

// sameAs checks that the tablet shows all that the server has, and nothing else.
func (tab *tablet) sameAs(s *fakeServer) {
	tab.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	alive := 0
	for id, there := range s.records {
		here := tab.record(id)
		want := record.New(there.kind)
		tab.must(proto.Unmarshal(there.registers.Fields(), want))
		if !proto.Equal(here.Message, want) {
			tab.t.Errorf("%v %s is\n%v here and\n%v at the server", there.kind, id, here.Message, want)
		}
		if !there.registers.Deleted() {
			alive++
		}
	}
	if st := tab.status(); st.Records != alive || st.Unsent != 0 {
		tab.t.Errorf("%d records are here and %d at the server; %d changes are unsent", st.Records, alive, st.Unsent)
	}
}
