package clientlib_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/levee/sync/v1/syncv1connect"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/wire"
)

// A server that answers whatever it likes. What the tablet asks is kept.
type hostile struct {
	t      testing.TB
	answer func() (status int, contentType string, body []byte)
	asked  []*syncv1.SyncRequest
}

// answers is how many answers one sync gets before the line is lost: an endless server is the caller's to stop.
const answers = 4

func (h *hostile) RoundTrip(req *http.Request) (*http.Response, error) {
	if len(h.asked) == answers {
		return nil, errLost
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	body = unzip(h.t, req.Header, body)
	asked := &syncv1.SyncRequest{}
	if err := proto.Unmarshal(body, asked); err != nil && req.URL.Path == syncv1connect.SyncServiceSyncProcedure {
		h.t.Fatalf("the tablet sent %x: %v", body, err)
	}
	h.asked = append(h.asked, asked)
	status, contentType, answer := h.answer()
	header := http.Header{"Content-Type": {contentType}}
	if status == http.StatusOK {
		header.Set("Content-Encoding", wire.Levee1)
		answer = zip(h.t, answer)
	}
	return &http.Response{StatusCode: status, Proto: "HTTP/1.1", Request: req, Header: header, Body: io.NopCloser(bytes.NewReader(answer))}, nil
}

func badGateway() (int, string, []byte) { return http.StatusBadGateway, "text/html", nil }

func zip(t testing.TB, plain []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	c := wire.NewLevee1Compressor()
	c.Reset(&b)
	if _, err := c.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func unzip(t testing.TB, h http.Header, b []byte) []byte {
	t.Helper()
	plain, err := wire.Decompress(h.Get("Content-Encoding"), b)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// openWith opens a tablet's file, with another way to the server.
func openWith(t testing.TB, path string, net http.RoundTripper) *clientlib.Store {
	t.Helper()
	store, err := clientlib.Open(t.Context(), path, clientlib.Options{
		Key:  testKey,
		Wall: func() time.Time { return start }, Transport: net, App: "levee-test/1", Entropy: rand.NewChaCha8([32]byte{1}),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() }) // again is fine
	return store
}

// refusal is the body of a Connect error that carries an encoded Problem.
func refusal(t testing.TB, encoded []byte) []byte {
	t.Helper()
	b, err := json.Marshal(map[string]any{"code": "failed_precondition", "details": []any{
		map[string]string{"type": "levee.sync.v1.Problem", "value": base64.RawStdEncoding.EncodeToString(encoded)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// How a fuzzed answer is mended, so that a tablet takes more of it.
const (
	mendAck     = 1 << iota // it acknowledges some changes, by their chain
	mendPage                // it has a page
	asRefusal               // it is the Problem of an error instead
	differently             // the answers after the first are another
)

// FuzzAnswer: whatever a server answers, the tablet keeps what it logged, counts as acknowledged what the chain in the
// answer proves and nothing else, and goes on from there.
func FuzzAnswer(f *testing.F) {
	s := newServer(f)
	li := enrolled(f, s, "li-wei")
	li.sync()
	first, err := li.LogCase(f.Context(), aCase("W-01"))
	li.must(err)
	_, err = li.LogCaseSession(f.Context(), aSession(first))
	li.must(err)
	_, err = li.LogCommunityActivity(f.Context(), activity("中秋晚会"))
	li.must(err)
	li.must(li.Delete(f.Context(), first))
	const logged = 4
	li.must(li.Close())
	file, err := os.ReadFile(li.path)
	li.must(err)

	copied := func(t testing.TB) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), "tablet.db")
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		copyKey(t, li.path, path)
		return path
	}
	// What the tablet sends, and what an honest server answers.
	var sent *syncv1.Batch
	{
		h := &hostile{t: f, answer: badGateway}
		store := openWith(f, copied(f), h)
		if _, err := store.Sync(f.Context(), nil); err == nil || len(h.asked[0].GetPush().GetEntries()) != logged {
			f.Fatalf("asked %v: %v", h.asked, err)
		}
		sent = h.asked[0].GetPush()
		li.must(store.Close())
	}
	chains := []batch.Hash{batch.Hash(sent.GetChain())}
	for i, e := range sent.GetEntries() {
		chains = append(chains, batch.Next(chains[i], batch.HashOf(e.GetChange())))
	}
	li.open()
	s.answer = func(honest *syncv1.SyncResponse) {
		c, err := record.DecodeChange(sent.GetEntries()[0].GetChange(), hlc.Replica(sent.GetReplica()))
		li.must(err)
		state := record.EncodeState(c.Registers())
		whole, other := proto.CloneOf(honest), proto.CloneOf(honest)
		whole.Page.Records = append(whole.Page.Records, &syncv1.PulledRecord{Id: first[:], Kind: 5, Position: 99, State: state, Proof: make([]byte, 8)})
		other.Acknowledgement.Held = []*syncv1.HeldChange{{Sequence: 1, Change: first[:], Code: "not_allowed"}, {Sequence: 1 << 63}}
		other.Acknowledgement.Known = []uint64{2, 2, 1 << 63}
		other.Page = &syncv1.Page{Cursor: &syncv1.Mark{Position: 1<<63 - 1}, Head: &syncv1.Mark{Position: 7, Chain: []byte{1}}, Remaining: 1 << 63, Dropped: [][]byte{first[:], {1}},
			Settled: []*syncv1.SettledChange{{Change: first[:], Code: "discarded"}, {}}}
		lost := &syncv1.SyncResponse{Acknowledgement: &syncv1.Acknowledgement{}, Page: &syncv1.Page{SendMarks: true, Common: &syncv1.Mark{}}, SendJournal: true, Unconfirmed: true,
			Given: []*syncv1.GivenRecordOutcome{{Id: first[:], Code: "unproven"}}, JournalEntries: []*syncv1.JournalEntry{{Sort: "x"}}, Journal: &syncv1.Mark{Position: 3}}
		forked := &syncv1.SyncResponse{Acknowledgement: &syncv1.Acknowledgement{Have: 9, HaveChain: make([]byte, batch.ShortChain), Forked: true, Matched: 2}, Page: honest.GetPage()}
		ahead := &syncv1.SyncResponse{Acknowledgement: &syncv1.Acknowledgement{Have: 1 << 63, HaveChain: make([]byte, batch.ShortChain), Forked: true, Matched: 1<<64 - 1, Known: []uint64{1}}, Page: &syncv1.Page{}}
		for _, answer := range []*syncv1.SyncResponse{honest, whole, other, lost, forked, ahead} {
			b, err := proto.Marshal(answer)
			li.must(err)
			for _, how := range []byte{0, mendAck, mendAck | mendPage, differently} {
				f.Add(b, byte(3), how)
			}
		}
	}
	li.sync()
	for _, p := range []*syncv1.Problem{{Code: "clock_skew", Time: start.UnixMilli() + 1e9}, {Code: "clock_skew", Time: -1 << 63}, {Code: "clock_skew", Time: 1<<63 - 1}, {Code: "body_too_large"}, {Code: "device_unknown"}} {
		b, err := proto.Marshal(p)
		li.must(err)
		f.Add(b, byte(0), byte(asRefusal))
	}

	f.Fuzz(func(t *testing.T, raw []byte, have, how byte) {
		answer := &syncv1.SyncResponse{}
		readable := proto.Unmarshal(raw, answer) == nil
		body := raw
		if readable && how&(mendAck|mendPage) != 0 {
			if how&mendAck != 0 {
				have := uint64(have) % (logged + 1)
				if answer.Acknowledgement == nil {
					answer.Acknowledgement = &syncv1.Acknowledgement{}
				}
				answer.Acknowledgement.Have, answer.Acknowledgement.HaveChain, answer.Acknowledgement.Forked = have, chains[have][:batch.ShortChain], false
			}
			if how&mendPage != 0 && answer.Page == nil {
				answer.Page = &syncv1.Page{}
			}
			var err error
			if body, err = proto.Marshal(answer); err != nil {
				t.Fatal(err)
			}
		}
		proven := uint64(0)
		if ack := answer.GetAcknowledgement(); readable && how&asRefusal == 0 && ack.GetHave() <= logged && batch.Same(ack.GetHaveChain(), chains[ack.GetHave()]) {
			proven = ack.GetHave()
		}
		if ack := answer.GetAcknowledgement(); readable && how&asRefusal == 0 && ack.GetForked() {
			proven = max(proven, min(ack.GetMatched(), logged)) // up to where two copies are alike, only the server can tell
		}
		h := &hostile{t: t}
		h.answer = func() (int, string, []byte) {
			switch {
			case how&asRefusal != 0:
				return http.StatusConflict, "application/json", refusal(t, body)
			case how&differently != 0 && len(h.asked) > 1:
				return http.StatusOK, "application/proto", nil
			}
			return http.StatusOK, "application/proto", body
		}
		store := openWith(t, copied(t), h)
		_, err := store.Sync(t.Context(), nil)
		if code := clientlib.Code(err); code == clientlib.CodeDatabaseDamaged || code == string(problem.Internal) && how&asRefusal == 0 {
			t.Fatalf("%v makes a fault of the tablet's own: %v", answer, err)
		}
		st, err := store.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if unsent := uint64(st.Unsent); unsent > logged || unsent < logged-proven {
			t.Fatalf("%v proves %d of %d changes, and %d are unsent", answer, proven, logged, unsent)
		}
		if _, err := store.List(t.Context(), clientlib.Query{}); err != nil {
			t.Fatal(err)
		}

		// The next sync asks for the rest to be taken.
		h.asked, h.answer = nil, badGateway
		if _, err := store.Sync(t.Context(), nil); err == nil || len(h.asked) != 1 {
			t.Fatalf("after %v it asked %d times: %v", answer, len(h.asked), err)
		}
		push := h.asked[0].GetPush()
		if rest := uint64(len(push.GetEntries())) + h.asked[0].GetUnsent(); rest != uint64(st.Unsent) {
			t.Fatalf("%d changes are unsent, and it says that %d are", st.Unsent, rest)
		}
		if push.GetReplica() == sent.GetReplica() && push.GetFirst() > proven+1 {
			t.Fatalf("%v proves %d of %d changes, and it goes on from %d", answer, proven, logged, push.GetFirst())
		}
	})
}

// FuzzEnrolAnswer: whatever answers an enrolment, the tablet is enrolled as its code says or not at all, and then the
// same code still lets it in.
func FuzzEnrolAnswer(f *testing.F) {
	s := newServer(f)
	code := s.code("http://levee.test", "li-wei")
	path := filepath.Join(f.TempDir(), "tablet.db")
	store := openWith(f, path, &hostile{t: f, answer: badGateway})
	if err := store.Enrol(f.Context(), code); clientlib.Code(err) != string(problem.Unavailable) {
		f.Fatal(err)
	}
	if err := store.Close(); err != nil {
		f.Fatal(err)
	}
	file, err := os.ReadFile(path) // its key is kept: the same answer fits each time
	if err != nil {
		f.Fatal(err)
	}
	var honest *syncv1.EnrolResponse
	overheard := func(req *http.Request) (*http.Response, error) {
		res, err := (&network{server: s.http}).RoundTrip(req)
		if err != nil {
			return nil, err
		}
		b, err := io.ReadAll(res.Body)
		if err != nil {
			return nil, err
		}
		res.Body = io.NopCloser(bytes.NewReader(b))
		honest = &syncv1.EnrolResponse{}
		return res, proto.Unmarshal(unzip(f, res.Header, b), honest)
	}
	store = openWith(f, path, roundTrip(overheard))
	if err := store.Enrol(f.Context(), code); err != nil {
		f.Fatal(err)
	}
	forged := proto.CloneOf(honest)
	forged.ServerKey, forged.Certificate.Signature = []byte{1}, nil
	odd := proto.CloneOf(honest)
	odd.Time, odd.SetUp = -1<<63, append(odd.SetUp, &syncv1.PulledRecord{Id: liWei[:], Kind: 1<<32 - 1, Position: 1<<64 - 1, State: []byte{1}}, &syncv1.PulledRecord{})
	for _, answer := range []*syncv1.EnrolResponse{honest, forged, odd, {}} {
		b, err := proto.Marshal(answer)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, false)
		f.Add(b, true)
	}

	f.Fuzz(func(t *testing.T, raw []byte, signed bool) {
		answer := &syncv1.EnrolResponse{}
		body := raw
		if proto.Unmarshal(raw, answer) == nil && signed {
			answer.Deployment, answer.Device, answer.Worker, answer.ServerKey, answer.Certificate = honest.GetDeployment(), honest.GetDevice(), honest.GetWorker(), honest.GetServerKey(), honest.GetCertificate()
			var err error
			if body, err = proto.Marshal(answer); err != nil {
				t.Fatal(err)
			}
		}
		copied := filepath.Join(t.TempDir(), "tablet.db")
		if err := os.WriteFile(copied, file, 0o600); err != nil {
			t.Fatal(err)
		}
		copyKey(t, path, copied)
		var net roundTrip = (&hostile{t: t, answer: func() (int, string, []byte) { return http.StatusOK, "application/proto", body }}).RoundTrip
		store := openWith(t, copied, roundTrip(func(req *http.Request) (*http.Response, error) { return net(req) }))
		if err := store.Enrol(t.Context(), code); err != nil {
			if clientlib.Code(err) == string(problem.Internal) {
				t.Fatalf("%v has no code: %v", answer, err)
			}
			net = (&network{server: s.http}).RoundTrip
			if err := store.Enrol(t.Context(), code); err != nil {
				t.Fatalf("after %v the right answer is refused: %v", answer, err)
			}
		}
		st, err := store.Status(t.Context())
		if err != nil || !st.Enrolled || st.Worker != liWei {
			t.Fatalf("enrolled by %v as %+v: %v", answer, st, err)
		}
		if _, err := store.LogCommunityActivity(t.Context(), activity("中秋晚会")); clientlib.Code(err) == string(problem.Internal) {
			t.Fatalf("enrolled by %v, it can't log: %v", answer, err)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (r roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return r(req) }
