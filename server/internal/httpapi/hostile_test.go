package httpapi_test

import (
	"bytes"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"levee/server/internal/servertest"
	"levee/syncproto/batch"
	"levee/syncproto/cputime"
	"levee/syncproto/levee/sync/v1/syncv1connect"
	"levee/syncproto/problem"
	"levee/syncproto/wire"
)

// nested is a message in a message in a message, all of one field.
func nested(field protowire.Number, depth int) []byte {
	// From the inside out, the bytes written backwards: prepending would take the square of the time.
	var backwards []byte
	for range depth {
		length := protowire.AppendVarint(nil, uint64(len(backwards)))
		tag := protowire.AppendTag(nil, field, protowire.BytesType)
		for _, b := range [][]byte{length, tag} {
			for i := range b {
				backwards = append(backwards, b[len(b)-1-i])
			}
		}
	}
	for i, j := 0, len(backwards)-1; i < j; i, j = i+1, j-1 {
		backwards[i], backwards[j] = backwards[j], backwards[i]
	}
	return backwards
}

func listOf(field protowire.Number, items int, item []byte) []byte {
	return bytes.Repeat(protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), item), items)
}

// Bodies of any shape within the size that is let in are answered soon, in bounded memory, and with a reason.
func TestHostileShapes(t *testing.T) {
	const muchTime, muchMemory = 10 * time.Second, 1 << 30
	d := servertest.New(t)
	s := serve(t, d)
	anna := d.Enrol("anna")
	request := anna.Request(anna.BatchOf())
	sound := encode(t, request)
	with := func(more ...[]byte) []byte { return append(bytes.Clone(sound), bytes.Join(more, nil)...) }
	full := func(item []byte) int {
		return (wire.MaxMessageBytes - len(sound) - 64) / (len(item) + 1 + protowire.SizeVarint(uint64(len(item))))
	}
	longVarint := append(bytes.Repeat([]byte{0xff}, 9), 1)
	huge := protowire.AppendVarint([]byte{4<<3 | 2}, 1<<63-1) // the length of push
	nonsense := slices.Repeat([][]byte{[]byte("nonsense")}, batch.MaxChanges)
	held := encode(t, anna.Request(anna.BatchOf(nonsense...)))
	const proto, json = "application/proto", "application/json"
	for _, c := range []struct {
		what, contentType string
		body              []byte
		status            int
		code              problem.Code
	}{
		{"as it should be", proto, sound, 200, ""},
		{"messages nested in an unknown field", proto, with(nested(99, 700_000)), 200, ""},
		{"messages nested in a known one", proto, with(nested(4, 800_000)), 0, ""},
		{"nested groups", proto, with(bytes.Repeat([]byte{99<<3&0x7f | 3, 0x06}, 5_000)), 400, "connect:invalid_argument"},
		{"nested groups that end", proto, with(bytes.Repeat([]byte{15<<3 | 3}, 9_000), bytes.Repeat([]byte{15<<3 | 4}, 9_000)), 200, ""},
		{"very deep groups that end", proto, with(bytes.Repeat([]byte{15<<3 | 3}, 1_000_000), bytes.Repeat([]byte{15<<3 | 4}, 1_000_000)), 400, "connect:invalid_argument"},
		{"a length near 2^63", proto, with(huge), 400, "connect:invalid_argument"},
		{"a length of 2^64-1", proto, with([]byte{4<<3 | 2}, longVarint), 400, "connect:invalid_argument"},
		{"a number of ten bytes", proto, with([]byte{3 << 3}, longVarint), 400, problem.Malformed},
		{"a number of eleven bytes", proto, with([]byte{3 << 3, 0xff}, longVarint), 400, "connect:invalid_argument"},
		{"a batch of very many entries", proto, with(protowire.AppendBytes([]byte{4<<3 | 2}, listOf(5, full(nil)-8, nil))), 429, problem.BatchTooLarge},
		{"very many batches", proto, with(listOf(4, full(nil), nil)), 200, ""},
		{"very many marks", proto, with(protowire.AppendBytes([]byte{5<<3 | 2}, listOf(2, full(nil)-8, nil))), 200, ""},
		{"very many records given back", proto, with(listOf(6, full(nil), nil)), 0, ""},
		{"very many entries of the journal", proto, with(listOf(9, full(nil), nil)), 0, ""},
		{"very many chains", proto, with(listOf(12, full(nil), nil)), 0, ""},
		{"a batch that is full of nonsense, which is held", proto, held, 200, ""},
		{"deep JSON", json, []byte(`{"x":` + strings.Repeat("[", 2_000_000) + strings.Repeat("]", 2_000_000) + `}`), 0, ""},
		{"JSON that never closes", json, []byte(strings.Repeat(`{"push":`, 400_000)), 400, "connect:invalid_argument"},
		{"a long JSON number", json, []byte(`{"clock":1` + strings.Repeat("0", 3_000_000) + `}`), 400, "connect:invalid_argument"},
		{"a long JSON exponent", json, []byte(`{"clock":1e` + strings.Repeat("9", 3_000_000) + `}`), 400, "connect:invalid_argument"},
	} {
		t.Run(c.what, func(t *testing.T) {
			if len(c.body) > wire.MaxMessageBytes {
				t.Fatalf("%d bytes do not get as far as is meant", len(c.body))
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			var status int
			var code problem.Code
			took := cputime.Of(func() {
				status, code = s.post(syncv1connect.SyncServiceSyncProcedure, c.body, sign(t, anna.Key, anna, c.body), "Content-Type", c.contentType)
			})
			runtime.ReadMemStats(&after)
			t.Logf("%d bytes: %d %q after %v and %d MiB", len(c.body), status, code, took, (after.TotalAlloc-before.TotalAlloc)>>20)
			if took > muchTime {
				t.Errorf("it took %v", took)
			}
			if allocated := after.TotalAlloc - before.TotalAlloc; allocated > muchMemory {
				t.Errorf("it took %d MiB", allocated>>20)
			}
			if status >= http.StatusInternalServerError || c.status != 0 && (status != c.status || code != c.code) {
				t.Errorf("%d %q, want %d %q", status, code, c.status, c.code)
			}
		})
	}
	if strings.Contains(s.log.String(), "internal error") {
		t.Errorf("the server is at fault: %s", s.log)
	}
	anna.Remember(nonsense...)
	anna.Push(anna.Make(outreach())) // nothing of what was refused was stored
}
