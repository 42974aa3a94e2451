package wire_test

import (
	"slices"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"levee/syncproto/batch"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/wire"
)

func TestARequestLeavesOutWhatTheServerCanTell(t *testing.T) {
	n := newNotebook(t, 1)
	n.visit(n.note())
	s, _, client := n.line(wire.HandlerOptions()...)
	whole := n.request(n.changes...)
	before := proto.CloneOf(whole)
	if _, err := client.Sync(t.Context(), connect.NewRequest(whole)); err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(whole, before) {
		t.Error("the caller's request was changed")
	}
	push := s.asked.GetPush()
	if len(push.GetSignature()) > 0 || push.GetReplica() != 0 || len(s.asked.GetPull().GetCursor().GetChain()) != 8 || len(s.asked.GetJournal().GetChain()) != 8 || !s.asked.GetPull().GetCompact() {
		t.Errorf("it asked %v", s.asked)
	}
	if _, err := batch.OpenVouched(n.public(), n.deployment, push); err != nil || push.GetReplica() != uint64(n.replica) {
		t.Errorf("the batch of %d is opened as of %d, %v", n.replica, push.GetReplica(), err)
	}
}

// A server that knows neither the dictionary nor what may be left out gets everything, in a coding that it knows. It is not
// asked twice again.
func TestAServerFromBeforeTheDictionary(t *testing.T) {
	n := newNotebook(t, 1)
	n.visit(n.note())
	options := append(wire.HandlerOptions(), connect.WithCompression(wire.Levee1, nil, nil))
	s, b, client := n.line(options...)
	for calls, want := range []int{2, 1} {
		b.requests = 0
		whole := n.request(n.changes...)
		answer, err := client.Sync(t.Context(), connect.NewRequest(whole))
		if err != nil || len(answer.Msg.GetPage().GetRecords()) != 1 {
			t.Fatalf("%v, %v", answer, err)
		}
		if b.requests != want {
			t.Errorf("call %d made %d requests", calls, b.requests)
		}
		if !proto.Equal(s.asked, whole) {
			t.Errorf("it was asked %v, not %v", s.asked, whole)
		}
	}
}

func TestCompactPagesComeBack(t *testing.T) {
	n := newNotebook(t, 3)
	for range 6 {
		n.visit(n.note())
	}
	other := newNotebook(t, 4)
	other.visit(other.note())
	records := slices.Concat(n.records, other.records)
	records[1].State = nil                       // kept away: the tablet has it
	records[2].Position += 5                     // others lie between
	records[3].Kind = 9                          //
	records[4].Id = []byte("no id")              // of another program
	records[5].State = []byte{10, 2, 8, 1, 0x3a} // nothing that can be read
	page := &syncv1.Page{Records: records}
	want, sent := proto.CloneOf(page), proto.CloneOf(page)
	wire.Compact(sent)
	if was, is := proto.Size(page), proto.Size(sent); is+40 > was {
		t.Errorf("%d of %d bytes are left", is, was)
	}
	wire.Expand(sent)
	if !proto.Equal(sent, want) {
		t.Errorf("it comes back as %v, not as %v", sent, want)
	}
	if wire.Expand(page); !proto.Equal(page, want) {
		t.Error("a page that was whole did not stay as it was")
	}
	wire.Compact(nil)
	wire.Expand(nil)
}
