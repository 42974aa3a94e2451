package wire_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/klauspost/compress/zstd"

	"levee/syncproto/cputime"
	"levee/syncproto/levee/sync/v1/syncv1connect"
	"levee/syncproto/wire"
)

// frame is the beginning of a zstd frame (RFC 8878, 3.1.1) with a window of a size that is a power of two.
func frame(windowLog byte) []byte { return []byte{0x28, 0xb5, 0x2f, 0xfd, 0, (windowLog - 10) << 3} }

// block is a block (3.1.1.2) that repeats a byte.
func block(last bool, size uint32) []byte {
	header := size<<3 | 1<<1
	if last {
		header |= 1
	}
	return append(binary.LittleEndian.AppendUint32(nil, header)[:3], 'x')
}

// bomb is a message of 4 MiB that is 128 GiB in the end.
func bomb() []byte {
	blocks := (wire.MaxMessageBytes - 10) / 4
	b := append(frame(20), bytes.Repeat(block(false, 128<<10), blocks-1)...)
	return append(b, block(true, 128<<10)...)
}

// hostile are bodies that say that they are zstd.
func hostile(t testing.TB) map[string][]byte {
	compressed := compress(t, bytes.Repeat([]byte("王庄镇"), 1000))
	skippable := []byte{0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4}
	empty := append(frame(10), 1, 0, 0)
	return map[string][]byte{
		"a bomb":                  bomb(),
		"many small bombs":        bytes.Repeat(append(frame(20), block(true, 128<<10)...), wire.MaxMessageBytes/10),
		"a window of 2 GiB":       append(frame(31), block(true, 5)...),
		"a window of 16 MiB":      append(frame(24), block(true, 5)...),
		"cut":                     compressed[:len(compressed)/2],
		"cut before the checksum": compressed[:len(compressed)-4],
		"trailing bytes":          append(bytes.Clone(compressed), "more"...),
		"a flipped bit":           append(bytes.Clone(compressed[:len(compressed)-1]), compressed[len(compressed)-1]^1),
		"a block that is too big": append(frame(20), block(true, 1<<20)...),
		"skipped frames alone":    bytes.Repeat(skippable, wire.MaxMessageBytes/len(skippable)),
		"empty frames alone":      bytes.Repeat(empty, wire.MaxMessageBytes/len(empty)),
	}
}

func compress(t testing.TB, plain []byte) []byte {
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

// A body is refused, or is nothing: in little time and memory, and the next one is read as if it had not been there.
func TestHostileCompression(t *testing.T) {
	const muchTime, muchMemory = 5 * time.Second, 64 << 20
	_, handler := syncv1connect.NewSyncServiceHandler(syncv1connect.UnimplementedSyncServiceHandler{}, wire.HandlerOptions()...)
	post := func(body []byte) string {
		r := httptest.NewRequestWithContext(t.Context(), "POST", syncv1connect.SyncServiceSyncProcedure, bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/proto")
		r.Header.Set("Content-Encoding", wire.Zstd)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Body.String()
	}
	for name, body := range hostile(t) {
		t.Run(name, func(t *testing.T) {
			want := "invalid_argument"
			switch name {
			case "a bomb", "many small bombs":
				want = "resource_exhausted"
			case "skipped frames alone", "empty frames alone":
				want = "unimplemented" // an empty message: it gets as far as the service
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			var got string
			took := cputime.Of(func() { got = post(body) })
			runtime.ReadMemStats(&after)
			if took > muchTime && !raced {
				t.Errorf("it took %v", took)
			}
			if allocated := after.TotalAlloc - before.TotalAlloc; allocated > muchMemory && !raced {
				t.Errorf("it took %d MiB", allocated>>20)
			}
			if !strings.Contains(got, `"code":"`+want+`"`) {
				t.Errorf("%.200s, want %s", got, want)
			}
			if got := post(compress(t, []byte{})); !strings.Contains(got, "unimplemented") {
				t.Errorf("the next body: %.200s", got)
			}
		})
	}
}

// decompress reads a body as Connect does.
func decompress(d connect.Decompressor, body []byte) ([]byte, error) {
	if err := d.Reset(bytes.NewReader(body)); err != nil {
		return nil, err
	}
	plain, err := io.ReadAll(d)
	return plain, errors.Join(err, d.Close())
}

// FuzzDecompress: whatever comes, no more than a message comes out of it, and what was compressed comes back as it was
// or not at all, whichever byte of it changed.
func FuzzDecompress(f *testing.F) {
	for _, b := range hostile(f) {
		f.Add(b[:min(len(b), 200)], uint16(0), byte(0))
	}
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderCRC(false), zstd.WithEncoderLevel(zstd.SpeedBestCompression))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(encoder.EncodeAll([]byte("小河镇上乐村镇王庄镇小河镇上乐村镇"), nil), uint16(4), byte(0x20))
	f.Add(encoder.EncodeAll([]byte("levee levee levee 1 2 3 levee levee 1 2"), nil), uint16(9), byte(1))
	f.Fuzz(func(t *testing.T, b []byte, at uint16, flip byte) {
		d := wire.NewDecompressor()
		if plain, _ := decompress(d, b); len(plain) > wire.MaxMessageBytes+1 {
			t.Fatalf("%d bytes", len(plain))
		}
		sent := compress(t, b)
		if plain, err := decompress(d, sent); err != nil || !bytes.Equal(plain, b) {
			t.Fatalf("%x comes back as %x, %v", b, plain, err)
		}
		sent[int(at)%len(sent)] ^= flip
		if plain, err := decompress(d, sent); err == nil && !bytes.Equal(plain, b) {
			t.Fatalf("%x comes back as %x", b, plain)
		}
	})
}
