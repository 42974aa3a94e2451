package httpapi_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/golang-jwt/jwt/v5"
	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/servertest"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/levee/sync/v1/syncv1connect"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/wire"
)

// post sends bytes to the sync route with a token, and gives the status and the code of the problem, if there is one.
func (s *surface) post(procedure string, body []byte, token string, headers ...string) (int, problem.Code) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, s.url+procedure, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/proto")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if response.StatusCode == http.StatusOK {
		return response.StatusCode, ""
	}
	var refusal struct {
		Code    string `json:"code"`
		Details []struct {
			Debug struct{ Code problem.Code }
		} `json:"details"`
	}
	if err := json.Unmarshal(answer, &refusal); err != nil {
		s.t.Fatalf("%d: %s", response.StatusCode, answer)
	}
	if len(refusal.Details) == 0 {
		return response.StatusCode, problem.Code("connect:" + refusal.Code)
	}
	return response.StatusCode, refusal.Details[0].Debug.Code
}

func sign(t testing.TB, key ed25519.PrivateKey, v *servertest.Device, body []byte) string {
	t.Helper()
	token, err := wire.SignToken(key, v.ID, v.Device.ID, body, v.Wall())
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func encode(t testing.TB, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func outreach() *recordv1.Outreach {
	return &recordv1.Outreach{Mode: recordv1.OutreachMode_OUTREACH_MODE_HOME.Enum(), Households: proto.Uint32(3), Status: recordv1.Status_STATUS_HELD.Enum()}
}

func TestOnlyADeviceWithItsOwnTokenOverItsOwnBodyIsHeard(t *testing.T) {
	d := servertest.New(t)
	s := serve(t, d)
	anna, ben := d.Enrol("anna"), d.Enrol("ben")
	body := encode(t, anna.Request(anna.Batch(anna.Make(outreach()))))
	claims := jwt.MapClaims{"sub": "x", "aud": "y", "exp": d.Wall().Add(time.Hour).Unix()}
	unsigned, err := jwt.NewWithClaims(jwt.SigningMethodNone, claims).SignedString(jwt.UnsafeAllowNoneSignatureType)
	if err != nil {
		t.Fatal(err)
	}
	good := sign(t, anna.Key, anna, body)
	parts := strings.Split(good, ".")
	none := strings.TrimRight(strings.Split(unsigned, ".")[0], "=") + "." + parts[1] + "."
	confused, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(anna.Key.Public().(ed25519.PublicKey)))
	if err != nil {
		t.Fatal(err)
	}
	confused = strings.Split(confused, ".")[0] + "." + parts[1] + "." + strings.Split(confused, ".")[2]
	stranger := *anna
	stranger.Device.ID = d.NewID()
	elsewhere := *anna
	elsewhere.Deployment = &servertest.Deployment{ID: d.NewID()}
	elsewhere.SetWall(d.Wall())
	for name, c := range map[string]struct {
		token string
		want  problem.Code
	}{
		"no token":                   {"", problem.Unauthenticated},
		"no JWT":                     {"abc", problem.Unauthenticated},
		"alg none":                   {none, problem.Unauthenticated},
		"HS256 with the public key":  {confused, problem.Unauthenticated},
		"another device's key":       {sign(t, ben.Key, anna, body), problem.Unauthenticated},
		"another body":               {sign(t, anna.Key, anna, []byte("other")), problem.Unauthenticated},
		"a device that nobody knows": {sign(t, anna.Key, &stranger, body), problem.DeviceUnknown},
		"another deployment":         {sign(t, anna.Key, &elsewhere, body), problem.DeviceUnknown},
	} {
		if _, got := s.post(syncv1connect.SyncServiceSyncProcedure, body, c.token); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	expired, err := wire.SignToken(anna.Key, anna.ID, anna.Device.ID, body, d.Wall().Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if _, got := s.post(syncv1connect.SyncServiceSyncProcedure, body, expired); got != problem.Unauthenticated {
		t.Errorf("expired: %q", got)
	}
	// A tablet whose clock is wrong signs an expired token, and has to learn the time all the same.
	slow := anna.Request(nil)
	slow.Clock = d.Wall().Add(-time.Hour).UnixMilli()
	slowBody := encode(t, slow)
	late, err := wire.SignToken(anna.Key, anna.ID, anna.Device.ID, slowBody, d.Wall().Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if _, got := s.post(syncv1connect.SyncServiceSyncProcedure, slowBody, late); got != problem.ClockSkew {
		t.Errorf("a slow clock: %q", got)
	}
	if status, _ := s.post(syncv1connect.SyncServiceSyncProcedure, body, good); status != http.StatusOK {
		t.Errorf("the good one: %d", status)
	}
}

func TestDamagedAndOversizedBodiesAreRefusedWhole(t *testing.T) {
	d := servertest.New(t)
	s := serve(t, d)
	anna := d.Enrol("anna")
	body := encode(t, anna.Request(anna.Batch(anna.Make(outreach()))))
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	bomb := encoder.EncodeAll(make([]byte, 64<<20), nil)
	huge := bytes.Repeat([]byte{0x0a}, wire.MaxMessageBytes+1)
	for name, c := range map[string]struct {
		body    []byte
		headers []string
		want    []problem.Code
	}{
		"truncated":            {body[:len(body)/2], nil, []problem.Code{"connect:invalid_argument", problem.Malformed}},
		"random":               {[]byte("\xff\xfe\xfd garbage"), nil, []problem.Code{"connect:invalid_argument"}},
		"random zstd":          {[]byte("not zstd"), []string{"Content-Encoding", wire.Zstd}, []problem.Code{"connect:invalid_argument"}},
		"too large":            {huge, nil, []problem.Code{problem.BodyTooLarge}},
		"a decompression bomb": {bomb, []string{"Content-Encoding", wire.Zstd}, []problem.Code{"connect:resource_exhausted", "connect:invalid_argument"}},
	} {
		_, got := s.post(syncv1connect.SyncServiceSyncProcedure, c.body, sign(t, anna.Key, anna, c.body), c.headers...)
		ok := false
		for _, want := range c.want {
			ok = ok || got == want
		}
		if !ok {
			t.Errorf("%s: %q, want one of %q", name, got, c.want)
		}
	}
	if answer := anna.Push(anna.Make(outreach())); answer.GetAcknowledgement().GetHave() != 1 {
		t.Error("something of what was refused was stored")
	}
}

// client is a tablet as the protocol has it: Connect, zstd, and a token over each body.
func client(t *testing.T, s *surface, v *servertest.Device) syncv1connect.SyncServiceClient {
	return syncv1connect.NewSyncServiceClient(&http.Client{Transport: signing{t, v}}, s.url, wire.ClientOptions()...)
}

type signing struct {
	t *testing.T
	v *servertest.Device
}

func (s signing) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+sign(s.t, s.v.Key, s.v, body))
	return http.DefaultTransport.RoundTrip(r)
}

func TestASyncOverHTTP(t *testing.T) {
	d := servertest.New(t)
	s := serve(t, d)
	anna, ben := d.Enrol("anna"), d.Enrol("ben")
	var changes []*record.Change
	for range 100 {
		changes = append(changes, anna.Make(outreach()))
	}
	answer, err := client(t, s, anna).Sync(context.Background(), connect.NewRequest(anna.Request(anna.Batch(changes...))))
	if err != nil || answer.Msg.GetAcknowledgement().GetHave() != 100 || answer.Msg.GetAcknowledgement().GetDurable() != 100 {
		t.Fatalf("%v, %v", answer, err)
	}
	got, err := client(t, s, ben).Sync(context.Background(), connect.NewRequest(&syncv1.SyncRequest{Protocol: 1, Clock: d.Wall().UnixMilli(), Pull: &syncv1.Pull{MaxBytes: 5000}}))
	page := got.Msg.GetPage()
	if err != nil || page.GetRemaining() == 0 || page.GetCursor().GetPosition() >= page.GetHead().GetPosition() {
		t.Fatalf("a small page: %v, %v", page, err)
	}
	seen := map[hlc.ID]bool{}
	cursor := &syncv1.Mark{}
	for {
		got, err := client(t, s, ben).Sync(context.Background(), connect.NewRequest(&syncv1.SyncRequest{Protocol: 1, Clock: d.Wall().UnixMilli(), Pull: &syncv1.Pull{Cursor: cursor, MaxBytes: 5000}}))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range got.Msg.GetPage().GetRecords() {
			seen[hlc.ID(r.GetId())] = true
		}
		cursor = got.Msg.GetPage().GetCursor()
		if got.Msg.GetPage().GetRemaining() == 0 {
			break
		}
	}
	for _, c := range changes {
		if !seen[c.Record] {
			t.Fatalf("record %v did not come in any page", c.Record)
		}
	}
	future := anna.Request(nil)
	future.Clock += time.Hour.Milliseconds()
	_, err = client(t, s, anna).Sync(context.Background(), connect.NewRequest(future))
	if p := problem.FromConnect(err); p.Code != problem.ClockSkew || !p.ServerTime.Equal(d.Wall()) {
		t.Errorf("clock_skew over the wire: %+v", p)
	}
}

func TestASyncWithNothingNewIsSmall(t *testing.T) {
	d := servertest.New(t)
	s := serve(t, d)
	anna := d.Enrol("anna")
	anna.Push(anna.Make(outreach()))
	anna.Pull()
	request := encode(t, anna.Request(anna.BatchOf()))
	var answer []byte
	response, err := http.DefaultClient.Do(func() *http.Request {
		r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, s.url+syncv1connect.SyncServiceSyncProcedure, bytes.NewReader(request))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/proto")
		r.Header.Set("Authorization", "Bearer "+sign(t, anna.Key, anna, request))
		return r
	}())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if answer, err = io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%v %s", err, answer)
	}
	if both := len(request) + len(answer); both > 350 {
		t.Errorf("bodies of %d and %d bytes", len(request), len(answer))
	}
}

func TestEnrollingOverHTTPNeedsNoToken(t *testing.T) {
	d := servertest.New(t)
	s := serve(t, d)
	enrol := func(deployment []byte, secret string) *problem.Problem {
		_, err := syncv1connect.NewSyncServiceClient(http.DefaultClient, s.url, wire.ClientOptions()...).Enrol(context.Background(),
			connect.NewRequest(&syncv1.EnrolRequest{Protocol: 1, Deployment: deployment, Secret: secret, PublicKey: make([]byte, 32)}))
		if err == nil {
			return nil
		}
		return problem.FromConnect(err)
	}
	if p := enrol(d.ID[:], "WRONG"); p == nil || p.Code != problem.EnrolmentCodeInvalid {
		t.Errorf("a wrong secret: %v", p)
	}
	if p := enrol(nil, "WRONG"); p == nil || p.Code != problem.EnrolmentCodeInvalid {
		t.Errorf("no deployment: %v", p)
	}
	secret, err := d.Service.NewEnrolmentCode(context.Background(), d.Workers["anna"], hlc.ID{}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if p := enrol(d.ID[:], secret); p != nil {
		t.Errorf("the right one: %v", p)
	}
}
