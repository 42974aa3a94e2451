package httpapi_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"

	"levee/server/internal/servertest"
	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/levee/sync/v1/syncv1connect"
	"levee/syncproto/problem"
	"levee/syncproto/wire"
)

// FuzzSyncRoute: whatever bytes come under whatever headers, with a token over them or without, the answer is one of the
// service or an error that says why, and the server has no fault of its own.
func FuzzSyncRoute(f *testing.F) {
	d := servertest.New(f)
	anna := d.Enrol("anna")
	secret, err := d.Service.NewEnrolmentCode(f.Context(), d.Workers["ben"], hlc.ID{}, 1<<40)
	if err != nil {
		f.Fatal(err)
	}
	enrol := &syncv1.EnrolRequest{Protocol: 1, Deployment: d.ID[:], Secret: secret, PublicKey: make([]byte, 32)}
	sync := anna.Request(anna.Batch(anna.Make(outreach())))
	asJSON, err := protojson.Marshal(sync)
	if err != nil {
		f.Fatal(err)
	}
	const proto, plain, signed, unsigned = "application/proto", "", true, false
	f.Add(syncv1connect.SyncServiceSyncProcedure, http.MethodPost, proto, plain, encode(f, sync), signed)
	f.Add(syncv1connect.SyncServiceSyncProcedure, http.MethodPost, proto, wire.Zstd, squeeze(f, encode(f, sync)), signed)
	f.Add(syncv1connect.SyncServiceSyncProcedure, http.MethodPost, "application/json", plain, asJSON, signed)
	f.Add(syncv1connect.SyncServiceSyncProcedure, http.MethodPost, "application/json; charset=x", "gzip", asJSON, signed)
	f.Add(syncv1connect.SyncServiceSyncProcedure, http.MethodGet, proto, plain, []byte(nil), unsigned)
	f.Add(syncv1connect.SyncServiceSyncProcedure, http.MethodPost, "application/grpc", plain, []byte{0, 0, 0, 0, 1, 8}, signed)
	f.Add(syncv1connect.SyncServiceSyncProcedure, http.MethodPost, "application/grpc-web+proto", plain, []byte{1, 255, 255, 255, 255}, signed)
	f.Add(syncv1connect.SyncServiceEnrolProcedure, http.MethodPost, proto, wire.Zstd, squeeze(f, encode(f, enrol)), unsigned)
	f.Add(syncv1connect.SyncServiceEnrolProcedure, http.MethodPost, "application/json", plain, []byte(`{"deployment":"AAAA","name":"\ud800"}`), unsigned)
	f.Add("/levee.sync.v1.SyncService/Sync?connect=v1&encoding=proto&message=", http.MethodGet, plain, plain, []byte(nil), signed)
	f.Add("/levee.sync.v1.SyncService/%2e%2e/x", "BREW", "\x00", "\xff", []byte(nil), unsigned)
	template := servertest.NewTemplate(d, anna)

	f.Fuzz(func(t *testing.T, path, method, contentType, encoding string, body []byte, withToken bool) {
		at, err := url.ParseRequestURI(path)
		request, rerr := http.NewRequestWithContext(t.Context(), method, "http://levee.test/", bytes.NewReader(body))
		if err != nil || rerr != nil || at.Host != "" {
			return // net/http lets neither through
		}
		request.URL, request.RequestURI = at, path
		d, devices := template.Open(t)
		s := handle(t, d)
		request.Header.Set("Content-Type", contentType)
		request.Header.Set("Content-Encoding", encoding)
		request.Header.Set("Connect-Timeout-Ms", encoding)
		if withToken {
			request.Header.Set("Authorization", "Bearer "+sign(t, devices[0].Key, devices[0], body))
		} else if len(body) > 0 {
			request.Header.Set("Authorization", contentType)
		}
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, request)
		if w.Code >= http.StatusInternalServerError && w.Code != http.StatusNotImplemented || strings.Contains(s.log.String(), "internal error") {
			t.Fatalf("%d: %s\n%s", w.Code, w.Body, s.log)
		}
		if w.Code >= http.StatusBadRequest && strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
			var refusal struct{ Code, Message string }
			if err := json.Unmarshal(w.Body.Bytes(), &refusal); err != nil || refusal.Code == "" || refusal.Code == "internal" || refusal.Code == "unknown" {
				t.Fatalf("%d: %s", w.Code, w.Body)
			}
		}
		if answer := devices[0].Push(devices[0].Make(outreach())); answer.GetAcknowledgement().GetHave() == 0 {
			t.Fatal("the tablet can't go on")
		}
	})
}

func squeeze(t testing.TB, plain []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	c := wire.NewCompressor()
	c.Reset(&b)
	if _, err := c.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// FuzzQuery: any parameters of the JSON API are answered, or refused with what is wrong with them.
func FuzzQuery(f *testing.F) {
	d := servertest.New(f)
	anna := d.Enrol("anna")
	anna.Push(append(activity(anna, 12), anna.Make(outreach()))...)
	for path, queries := range map[string][]string{
		"totals": {"", "by=site&basis=verified&as_of=2021-10-01", "by=place&level=village&below=410621&figure=contacts,persons", "heard_since=9999-12-31T23:59:59Z&as_of=0000-01-01",
			"heard_since=0001-01-01T00:00:00%2B14:00&as_of=9999-12-31", "deployment=" + d.ID.String()},
		"records":     {"figure=contacts", "figure=persons&by=day&key=2021-10-01&limit=1&after=" + d.ID.String(), "figure=cases&by=place&key=%00%ff", "figure=contacts&by=age_band&key=99999999999999999999"},
		"devices":     {"limit=200", "limit=0", "after=x"},
		"held":        {"after=9223372036854775807", "after=-1&limit=1"},
		"conflicts":   {"after=00000000-0000-0000-0000-000000000000", "limit=1e9"},
		"figures":     {"x=y"},
		"review":      {"standing=approved&kind=outreach&from=2021-10-01&to=0000-00-00", "after=0000-00-00." + d.ID.String(), "kind=%00", "team=" + d.ID.String()},
		"duplicates":  {"limit=1&after=2021-10-01." + d.ID.String() + "." + d.ID.String()},
		"cases":       {"list=quiet&lead=" + d.ID.String(), "list=next&after=2021-10-01.------------------------------------"},
		"report":      {"period=week&date=2021-10-01", "date=0001-01-01", "period=whole&date=9999-12-31"},
		"teams":       {"week=2021-10-01", "week=0001-01-01", "week=9999-12-31", "after=" + d.ID.String()},
		"alerts":      {"state=acknowledged&limit=1", "state=acknowledged&after=" + d.ID.String()},
		"supervision": {"supervisee=" + d.ID.String(), "after=" + d.ID.String()},
		"planned":     {"from=2021-10-01&to=2021-09-01", "from=0001-01-01&to=9999-12-31"},
		"workers":     {"limit=1", "after=" + d.ID.String()},
		"set-up":      {""},
		"deployments": {"%zz=;"},
	} {
		for _, q := range queries {
			f.Add(path, q, "zh-CN,en;q=0.5", `W/"0", *`)
		}
	}
	template := servertest.NewTemplate(d)
	// Nothing is written, so one server answers all.
	opened, _ := template.Open(f)
	s := handle(f, opened)
	token := s.token("coordinator")
	f.Fuzz(func(t *testing.T, path, query, languages, etag string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://levee.test/api/"+url.PathEscape(path), nil)
		if err != nil {
			t.Fatal(err)
		}
		request.URL.RawQuery = query
		request.Header.Set("Authorization", "Bearer "+token)
		request.Header.Set("Accept-Language", languages)
		request.Header.Set("If-None-Match", etag)
		w := httptest.NewRecorder()
		s.log.Reset()
		s.handler.ServeHTTP(w, request)
		var p ProblemBody
		switch {
		case strings.Contains(s.log.String(), "level=ERROR"):
			t.Fatalf("%d: %s\n%s", w.Code, w.Body, s.log)
		case w.Code == http.StatusNotModified:
		case !json.Valid(w.Body.Bytes()), !slices.Contains([]string{"zh", "en"}, w.Header().Get("Content-Language")):
			t.Fatalf("%d %v: %s", w.Code, w.Header(), w.Body)
		case w.Code == http.StatusOK:
		case json.Unmarshal(w.Body.Bytes(), &p) != nil, p.Status != w.Code, p.Title == "",
			p.Code != string(problem.InvalidArgument) && p.Code != string(problem.NotFound):
			t.Fatalf("%d: %s", w.Code, w.Body)
		}
	})
}
