package batch_test

import (
	"bytes"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/syncproto/batch"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
)

// FuzzOpen: any bytes are refused with a code or are what the device signed; whichever byte of a sealed batch changes on
// its way, what opens says the same.
func FuzzOpen(f *testing.F) {
	for _, b := range []*syncv1.Batch{seal(), seal([]byte("a"), []byte("b")), {Entries: make([]*syncv1.Entry, batch.MaxChanges+1)}, {First: 1 << 63, Chain: make([]byte, 32)}} {
		encoded, err := proto.Marshal(b)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(encoded, byte(2), uint16(20), byte(1))
	}
	f.Fuzz(func(t *testing.T, bytesOfBatch []byte, parts byte, at uint16, flip byte) {
		sent := &syncv1.Batch{}
		if proto.Unmarshal(bytesOfBatch, sent) == nil {
			hashes, err := batch.Open(public, deployment, sent)
			codes := []problem.Code{problem.BatchTooLarge, problem.Malformed, problem.ReplicaNotYours, problem.SignatureInvalid}
			if (err == nil && len(hashes) != len(sent.GetEntries())) || (err != nil && !slices.Contains(codes, problem.CodeOf(err))) {
				t.Fatalf("%v opens with %d hashes, %v", sent, len(hashes), err)
			}
		}

		var changes [][]byte // the same bytes, cut into changes
		for piece := range slices.Chunk(bytesOfBatch, len(bytesOfBatch)/(int(parts)+1)+1) {
			changes = append(changes, piece)
		}
		sealed := seal(changes...)
		hashes, err := batch.Open(public, deployment, sealed)
		if err != nil || len(hashes) != len(changes) {
			t.Fatalf("what was sealed opens with %d hashes, %v", len(hashes), err)
		}
		for i, c := range changes {
			if hashes[i] != batch.HashOf(c) {
				t.Fatalf("change %x has hash %x", c, hashes[i])
			}
		}
		encoded, err := proto.Marshal(sealed)
		if err != nil {
			t.Fatal(err)
		}
		encoded[int(at)%len(encoded)] ^= flip
		changed := &syncv1.Batch{}
		if proto.Unmarshal(encoded, changed) != nil {
			return
		}
		if again, err := batch.Open(public, deployment, changed); err == nil && (!slices.Equal(again, hashes) || changed.GetFirst() != sealed.GetFirst() ||
			changed.GetReplica() != sealed.GetReplica() || !bytes.Equal(changed.GetChain(), sealed.GetChain())) {
			t.Fatalf("%v was sealed, and %v opens", sealed, changed)
		}
	})
}
