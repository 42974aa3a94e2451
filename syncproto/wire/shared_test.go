package wire_test

import (
	"bytes"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/wire"
)

// A message with what is shared behind it is the whole message, in each coding, however small or large both are.
func TestWhatIsSharedStandsBehindAMessage(t *testing.T) {
	for _, records := range []int{0, 1, 20, 1000} {
		rest := &syncv1.EnrolResponse{}
		for i := range records {
			rest.SetUp = append(rest.SetUp, &syncv1.PulledRecord{Id: bytes.Repeat([]byte{byte(i), 1}, 8), Kind: 4, State: bytes.Repeat([]byte("王庄镇"), 1+i%7)})
		}
		shared, err := wire.Share(rest)
		if err != nil {
			t.Fatal(err)
		}
		if shared.Large() != (proto.Size(rest) >= 4<<10) {
			t.Errorf("%d bytes are large: %v", proto.Size(rest), shared.Large())
		}
		for _, name := range []string{"anna", string(bytes.Repeat([]byte("x"), 5000))} {
			own := &syncv1.EnrolResponse{Worker: []byte(name), Time: 7}
			encoded, err := proto.Marshal(own)
			if err != nil {
				t.Fatal(err)
			}
			whole := proto.CloneOf(own)
			whole.SetUp = rest.SetUp
			for coding, c := range map[string]connect.Compressor{"": nil, wire.Zstd: wire.NewCompressor(), wire.Levee1: wire.NewLevee1Compressor()} {
				body := bytes.NewBuffer(nil)
				if c == nil {
					body.Write(encoded)
				} else {
					c.Reset(body)
					if _, err := c.Write(encoded); err != nil {
						t.Fatal(err)
					}
					if err := c.Close(); err != nil {
						t.Fatal(err)
					}
				}
				body.Write(shared.In(coding))
				got := &syncv1.EnrolResponse{}
				if plain, err := wire.Decompress(coding, body.Bytes()); err != nil || proto.Unmarshal(plain, got) != nil || !proto.Equal(got, whole) {
					t.Errorf("%d records behind %d bytes in %q: %d come, %v", records, len(encoded), coding, len(got.GetSetUp()), err)
				}
			}
			if err := shared.AddTo(own); err != nil || !proto.Equal(own, whole) {
				t.Errorf("%d records added: %d are there, %v", records, len(own.GetSetUp()), err)
			}
		}
	}
}
