package syncing_test

import (
	"bytes"
	"context"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/progress"
	"levee/server/internal/servertest"
	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// How a fuzzed request is mended, so that it comes further than the checks at the door.
const (
	mendClock  = 1 << iota // protocol and clock are right
	mendPush               // the push is sealed over the changes of the input
	mendCursor             // the cursor is where the tablet stands
	mendFields             // the second change sets the fields of the input in a record that the server has
)

// FuzzSync: an enrolled device may send what it likes. It is refused with a code or taken, the same whether it comes once
// or twice; nothing that it sends keeps a team mate from working, and log, records and totals stay what they say to be.
func FuzzSync(f *testing.F) {
	d := servertest.New(f)
	anna, ben := d.Enrol("anna"), d.Enrol("ben")
	made, held := anna.Make(aCase()), anna.Make(session(d.NewID()))
	anna.Push(made, held)
	anna.Pull()
	ben.Pull()
	edit := anna.Edit(made.Record, &recordv1.Case{ClientCount: proto.Uint32(3)})
	head := &recordv1.Headcount{Activity: made.Record[:], Counter: anna.Worker[:], FirstTime: proto.Uint32(5)}
	for _, r := range []*syncv1.SyncRequest{
		anna.Request(anna.Batch(edit, anna.Make(session(made.Record)), anna.Make(head))),
		anna.Request(anna.BatchOf([]byte("no change"), edit.Encode()[:20])),
		{Protocol: 1, Clock: d.Wall().UnixMilli(), Unsent: 1 << 31, Push: anna.BatchOf(), Pull: &syncv1.Pull{Cursor: &syncv1.Mark{Position: 1 << 63, Chain: []byte{1}}, Marks: []*syncv1.Mark{{Position: 3}, nil}, MaxBytes: 1 << 31}},
		{Protocol: 1, Clock: d.Wall().UnixMilli(), Push: anna.BatchOf(), Accepted: 1 << 63, Chains: []*syncv1.ReplicaMark{{Sequence: 1, Chain: anna.Chain[:16]}, {}, {Sequence: 1 << 63}}},
		{Protocol: 1, Clock: d.Wall().UnixMilli(), Push: anna.BatchOf(), Pull: &syncv1.Pull{}, GiveBack: []*syncv1.GivenRecord{{Id: made.Record[:], Kind: 5, State: record.EncodeState(anna.Seen[made.Record]), Proof: make([]byte, 8)}, {}},
			Certificate: &syncv1.Certificate{}, Journal: &syncv1.Mark{Position: 9}, JournalEntries: []*syncv1.JournalEntry{{Sort: "x"}}},
	} {
		b, err := proto.Marshal(r)
		if err != nil {
			f.Fatal(err)
		}
		for _, how := range []byte{0, mendClock, mendClock | mendPush | mendCursor, mendClock | mendPush | mendCursor | mendFields} {
			f.Add(b, edit.Encode(), edit.Fields, how)
		}
	}
	f.Add([]byte(nil), record.EncodeState(anna.Seen[made.Record]), []byte{0x78, 1}, byte(mendClock|mendPush|mendFields))
	template := servertest.NewTemplate(d, anna, ben)

	f.Fuzz(func(t *testing.T, raw, body, fields []byte, how byte) {
		request := &syncv1.SyncRequest{}
		if proto.Unmarshal(raw, request) != nil {
			request = &syncv1.SyncRequest{}
		}
		d, devices := template.Open(t)
		anna, ben := devices[0], devices[1]
		if how&mendClock != 0 {
			request.Protocol, request.Clock = 1, d.Wall().UnixMilli()
		}
		var bodies [][]byte
		if how&mendPush != 0 {
			bodies = append(bodies, bytes.Clone(body))
			if len(body) == 0 {
				bodies[0] = []byte{0}
			}
			if how&mendFields != 0 {
				bodies = append(bodies, settingFields(d, made.Record, fields))
			}
			request.Push = anna.BatchOf(bodies...)
			request.Accepted, request.Chains = 0, nil
		}
		if how&mendCursor != 0 {
			request.Pull = &syncv1.Pull{Cursor: anna.Cursor}
		}
		first := sendTwice(t, anna, request)
		// Of a tablet whose cursor is of another log nothing is taken before it has given back.
		lost := first.GetPage().GetSendMarks() || first.GetPage().GetCommon() != nil
		if ack := first.GetAcknowledgement(); how&(mendClock|mendPush) == mendClock|mendPush && ack != nil && !ack.GetForked() && !lost {
			anna.Remember(bodies...)
			if ack.GetHave() != uint64(len(anna.Sent)) || !batch.Same(ack.GetHaveChain(), anna.Chain) {
				t.Fatalf("of %d changes the server has %v", len(anna.Sent), ack)
			}
		}

		// Another tablet works on as if nothing had been.
		if answer := ben.Push(ben.Make(aCase())); len(answer.GetAcknowledgement().GetHeld()) > 0 {
			t.Fatalf("a good change is held: %v", answer.GetAcknowledgement())
		}
		ben.Pull()
		counted, err := progress.Recount(context.Background(), d.DB.Deployment(d.ID), d.ID)
		if err != nil || !counted.Equal() {
			t.Fatalf("the recount: %+v, %v", counted, err)
		}
	})
}

// settingFields is a change that sets any bytes in a record, canonical or not.
func settingFields(d *servertest.Deployment, rec hlc.ID, fields []byte) []byte {
	id := d.NewID()
	m := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), id[:])
	m = protowire.AppendBytes(protowire.AppendTag(m, 2, protowire.BytesType), rec[:])
	m = protowire.AppendVarint(protowire.AppendTag(m, 3, protowire.VarintType), uint64(recordv1.Kind_KIND_CASE))
	return protowire.AppendBytes(protowire.AppendTag(m, 5, protowire.BytesType), fields)
}

// sendTwice sends a request as a line does that loses the answer. It returns the first answer, nil when it was refused.
func sendTwice(t *testing.T, v *servertest.Device, request *syncv1.SyncRequest) *syncv1.SyncResponse {
	t.Helper()
	first, err := v.Service.Sync(context.Background(), v.Device, v.Arrival(), request)
	again, aerr := v.Service.Sync(context.Background(), v.Device, v.Arrival(), request)
	if err != nil {
		if problem.CodeOf(err) == problem.Internal || problem.CodeOf(aerr) != problem.CodeOf(err) {
			t.Fatalf("%v is refused: %v, and again: %v", request, err, aerr)
		}
		return nil
	}
	if aerr != nil || !proto.Equal(first.GetAcknowledgement(), again.GetAcknowledgement()) || !proto.Equal(first.GetPage().GetHead(), again.GetPage().GetHead()) {
		t.Fatalf("%v is answered with %v, and then with %v, %v", request, first, again, aerr)
	}
	for _, h := range first.GetAcknowledgement().GetHeld() {
		if h.GetCode() == "" || h.GetCode() == string(problem.Internal) {
			t.Fatalf("a change is held without a reason: %v", h)
		}
	}
	for _, r := range first.GetPage().GetRecords() {
		if _, err := record.DecodeState(r.GetState()); err != nil {
			t.Fatalf("record %x can't be read: %v", r.GetId(), err)
		}
	}
	return first
}
