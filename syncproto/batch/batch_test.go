package batch_test

import (
	"crypto/ed25519"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
)

var (
	key        = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	public     = key.Public().(ed25519.PublicKey)
	deployment = hlc.ID{1}
)

func seal(changes ...[]byte) *syncv1.Batch {
	replica := hlc.ReplicaOf(public, 7)
	return batch.Seal(key, deployment, replica, 7, 1, batch.Start(deployment, replica), changes)
}

func TestASealedBatchOpensAndGivesItsHashes(t *testing.T) {
	hashes, err := batch.Open(public, deployment, seal([]byte("a"), []byte("b")))
	if err != nil || len(hashes) != 2 || hashes[0] != batch.HashOf([]byte("a")) || hashes[1] != batch.HashOf([]byte("b")) {
		t.Fatalf("%x, %v", hashes, err)
	}
}

// A body can be erased: with its hash in its place the signature still holds.
func TestAnErasedBodyLeavesTheSignatureWhole(t *testing.T) {
	b := seal([]byte("a"), []byte("b"))
	hash := batch.HashOf([]byte("a"))
	b.Entries[0] = &syncv1.Entry{Hash: hash[:]}
	hashes, err := batch.Open(public, deployment, b)
	if err != nil || hashes[0] != hash {
		t.Fatalf("%x, %v", hashes, err)
	}
	b.Entries[0] = &syncv1.Entry{Hash: hash[:], Change: []byte("a")}
	if _, err := batch.Open(public, deployment, b); problem.CodeOf(err) != problem.Malformed {
		t.Errorf("a body and its hash: %v", err)
	}
}

func TestWhateverIsChangedInABatchItDoesNotOpen(t *testing.T) {
	for name, spoil := range map[string]func(*syncv1.Batch){
		"replica":        func(b *syncv1.Batch) { b.Replica++ },
		"nonce":          func(b *syncv1.Batch) { b.Nonce++ },
		"first":          func(b *syncv1.Batch) { b.First++ },
		"first of 0":     func(b *syncv1.Batch) { b.First = 0 },
		"chain":          func(b *syncv1.Batch) { b.Chain[0] ^= 1 },
		"length":         func(b *syncv1.Batch) { b.Chain = b.Chain[:16] },
		"a change":       func(b *syncv1.Batch) { b.Entries[0].Change = []byte("x") },
		"one less":       func(b *syncv1.Batch) { b.Entries = b.Entries[:1] },
		"one more":       func(b *syncv1.Batch) { b.Entries = append(b.Entries, &syncv1.Entry{Change: []byte("c")}) },
		"order":          func(b *syncv1.Batch) { b.Entries[0], b.Entries[1] = b.Entries[1], b.Entries[0] },
		"an empty entry": func(b *syncv1.Batch) { b.Entries[0] = &syncv1.Entry{} },
		"signature":      func(b *syncv1.Batch) { b.Signature[9] ^= 1 },
		"no signature":   func(b *syncv1.Batch) { b.Signature = nil },
	} {
		b := seal([]byte("a"), []byte("b"))
		spoil(b)
		if _, err := batch.Open(public, deployment, b); err == nil {
			t.Errorf("%s changed, and it opens", name)
		}
	}
	b := seal([]byte("a"), []byte("b"))
	b.Signature[9] ^= 1
	if _, err := batch.OpenVouched(public, deployment, b); problem.CodeOf(err) != problem.SignatureInvalid {
		t.Errorf("a signature that does not hold, in a request that was verified: %v", err)
	}
	if _, err := batch.Open(public, hlc.ID{2}, seal([]byte("a"))); problem.CodeOf(err) != problem.SignatureInvalid {
		t.Errorf("in another deployment: %v", err)
	}
}

// What a request leaves out follows from its token and the batch.
func TestABatchInAVerifiedRequestNeedsNoSignature(t *testing.T) {
	b := seal([]byte("a"), []byte("b"))
	want, err := batch.Open(public, deployment, b)
	if err != nil {
		t.Fatal(err)
	}
	replica := b.GetReplica()
	b.Signature, b.Replica = nil, 0
	if got, err := batch.OpenVouched(public, deployment, b); err != nil || !slices.Equal(got, want) || b.GetReplica() != replica {
		t.Errorf("it opens as %x of %d, %v", got, b.GetReplica(), err)
	}
	b.Replica++
	if _, err := batch.OpenVouched(public, deployment, b); problem.CodeOf(err) != problem.ReplicaNotYours {
		t.Errorf("another's number: %v", err)
	}
}

func TestWhatIsTooShortIsNotTheSameChain(t *testing.T) {
	chain := batch.Start(deployment, 5)
	for length, want := range map[int]bool{0: false, 7: false, 8: true, 15: true, 16: true, 32: true} {
		if got := batch.Same(chain[:length], chain); got != want {
			t.Errorf("its first %d bytes: %v", length, got)
		}
	}
	other := chain
	other[7] ^= 1
	if batch.Same(other[:8], chain) || batch.Same(append(chain[:], 0), chain) {
		t.Error("another chain is the same")
	}
	if len(batch.Shorter(chain[:batch.ShortChain])) != 8 || len(batch.Shorter(nil)) != 0 {
		t.Error("it is cut wrongly")
	}
}

func TestOpenNeverPanics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := &syncv1.Batch{}
		if err := proto.Unmarshal(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"), b); err != nil {
			b = seal(rapid.SliceOf(rapid.SliceOf(rapid.Byte())).Draw(t, "changes")...)
		}
		_, _ = batch.Open(public, deployment, b)
	})
}

func TestChainsDifferFromTheFirstDifferenceOn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		changes := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 1, 8), 1, 10).Draw(t, "changes")
		at := rapid.IntRange(0, len(changes)-1).Draw(t, "at")
		replica := hlc.ReplicaOf(public, 7)
		a, b := batch.Start(deployment, replica), batch.Start(deployment, replica)
		for i, c := range changes {
			a = batch.Next(a, batch.HashOf(c))
			if i == at {
				c = append([]byte{'x'}, c...)
			}
			b = batch.Next(b, batch.HashOf(c))
			if (a == b) != (i < at) {
				t.Fatalf("at %d of %d", i, at)
			}
		}
	})
}
