package remote_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/clientlib/internal/remote"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
	"levee/syncproto/wire"
)

// FuzzReply: whatever comes in a server's place is an answer, or a problem with a code; and only what decodes and calls
// itself an answer is one.
func FuzzReply(f *testing.F) {
	skewed := []byte(`{"code":"failed_precondition","message":"x","details":[{"type":"levee.sync.v1.Problem","value":"CgpjbG9ja19za2V3EIC1qoHBLw"}]}`)
	patient, err := proto.Marshal(&syncv1.Problem{Code: string(problem.Busy), RetryAfter: 1<<63 - 1, Time: -1 << 63})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(429, "application/json", "", fmt.Appendf(nil, `{"code":"unavailable","details":[{"type":"levee.sync.v1.Problem","value":%q}]}`, base64.RawStdEncoding.EncodeToString(patient)))
	for _, r := range []struct {
		status                int
		contentType, encoding string
		body                  []byte
	}{
		{200, "application/proto", "", []byte{8, 5}}, {200, "application/proto", wire.Levee1, []byte{0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0x11, 0, 0, 8, 5}}, {200, "application/proto", wire.Zstd, []byte{8, 5}}, {200, "text/html", "", []byte("<html>Welcome</html>")},
		{200, "application/json", "", []byte(`{"time":"5"}`)}, {204, "", "", nil}, {307, "", "", nil}, {409, "application/json", "", skewed}, {409, "application/json", "gzip", skewed},
		{500, "application/json", wire.Zstd, []byte(`{"code":"internal"}`)}, {400, "application/json", "", []byte(`{"code":16,"details":[{"type":"x","value":"!"}]}`)}, {599, "application/proto", "br", []byte{0}},
		{429, "application/json", "", []byte(`{"code":"resource_exhausted"}`)}, {100, "application/proto", "identity", nil},
	} {
		f.Add(r.status, r.contentType, r.encoding, r.body)
	}
	f.Fuzz(func(t *testing.T, status int, contentType, encoding string, body []byte) {
		transport := roundTrip(func(req *http.Request) (*http.Response, error) {
			header := http.Header{}
			header.Set("Content-Type", contentType)
			header.Set("Content-Encoding", encoding)
			header.Set("Location", contentType)
			return &http.Response{StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req, Header: header, Body: io.NopCloser(bytes.NewReader(body))}, nil
		})
		answer, err := remote.NewSigned("http://levee.test", transport, device).Sync(t.Context(), &syncv1.SyncRequest{})
		if err != nil {
			var p *problem.Problem
			if !errors.As(err, &p) || !problem.Known(p.Code) || p.RetryAfter < 0 || p.RetryAfter%time.Millisecond != 0 {
				t.Fatalf("%#v", err)
			}
			return
		}
		if status != http.StatusOK || contentType != "application/proto" {
			t.Fatalf("a %d of %q is taken for %v", status, contentType, answer)
		}
		if plain := (&syncv1.SyncResponse{}); encoding == "" && (proto.Unmarshal(body, plain) != nil || !proto.Equal(plain, answer)) {
			t.Fatalf("%x is taken for %v", body, answer)
		}
	})
}
