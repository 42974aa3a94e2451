// Package batch is how changes travel and stay provable: each replica's changes form a hash chain, and a device signs
// every run of them that it sends. A body can be erased later; its hash stays, and the chain still verifies.
package batch

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"

	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
)

// Bounds on what a batch may hold. A batch beyond them is refused whole; tablets keep within them when they log.
const (
	MaxChanges     = 500
	MaxChangeBytes = 64 << 10
	MaxBytes       = 2 << 20
)

// Hash is SHA-256.
type Hash = [sha256.Size]byte

// ShortChain is how much of a chain travels where it is only compared: its first 16 bytes.
const ShortChain = 16

// HashOf is the hash of an encoded change.
func HashOf(change []byte) Hash { return sha256.Sum256(change) }

// Start is the chain of a replica before its first change: SHA-256("levee replica v1" ‖ deployment ‖ replica).
func Start(deployment hlc.ID, replica hlc.Replica) Hash {
	b := append([]byte("levee replica v1"), deployment[:]...)
	return sha256.Sum256(binary.BigEndian.AppendUint64(b, uint64(replica)))
}

// Next is a chain after one more change: SHA-256(chain ‖ hash).
func Next(chain, hash Hash) Hash {
	var b [2 * sha256.Size]byte
	copy(b[:], chain[:])
	copy(b[sha256.Size:], hash[:])
	return sha256.Sum256(b[:])
}

// LogStart is the chain of a deployment's log at position 0: SHA-256("levee log v1" ‖ deployment).
func LogStart(deployment hlc.ID) Hash {
	return sha256.Sum256(append([]byte("levee log v1"), deployment[:]...))
}

// NextLog is the log's chain after one more position:
// SHA-256(chain ‖ position ‖ replica ‖ sequence ‖ hash), numbers in 8 bytes, big endian. A position that no change
// took, but a record whose audience changed, has replica and sequence 0 and for hash the SHA-256 of the record's id.
func NextLog(chain Hash, position uint64, replica hlc.Replica, sequence uint64, hash Hash) Hash {
	b := make([]byte, 0, 2*sha256.Size+24)
	b = append(b, chain[:]...)
	b = binary.BigEndian.AppendUint64(b, position)
	b = binary.BigEndian.AppendUint64(b, uint64(replica))
	b = binary.BigEndian.AppendUint64(b, sequence)
	return sha256.Sum256(append(b, hash[:]...))
}

// Seal makes the batch of a run of encoded changes, signed with the device's key. chain is the replica's chain before
// the first of them.
func Seal(key ed25519.PrivateKey, deployment hlc.ID, replica hlc.Replica, nonce, first uint64, chain Hash, changes [][]byte) *syncv1.Batch {
	entries := make([]*syncv1.Entry, 0, len(changes))
	for _, c := range changes {
		entries = append(entries, &syncv1.Entry{Change: c})
	}
	return SealEntries(key, deployment, replica, nonce, first, chain, entries)
}

// SealEntries is Seal for changes of which some are erased: their entries have the hash, of 32 bytes, in place of the change.
func SealEntries(key ed25519.PrivateKey, deployment hlc.ID, replica hlc.Replica, nonce, first uint64, chain Hash, entries []*syncv1.Entry) *syncv1.Batch {
	b := &syncv1.Batch{Replica: uint64(replica), Nonce: nonce, First: first, Chain: chain[:], Entries: entries}
	hashes := make([]Hash, len(entries))
	for i, e := range entries {
		if len(e.GetHash()) == sha256.Size {
			hashes[i] = Hash(e.GetHash())
		} else {
			hashes[i] = HashOf(e.GetChange())
		}
	}
	b.Signature = ed25519.Sign(key, signed(deployment, b, hashes))
	return b
}

// Open checks that a batch is within bounds, well framed, of a replica that belongs to the key, and signed with it. It
// returns the hashes of its changes, and fills in the replica's number where that was left to the key and the nonce. Errors are
// *problem.Problem: batch_too_large, malformed, replica_not_yours, signature_invalid.
func Open(key ed25519.PublicKey, deployment hlc.ID, b *syncv1.Batch) ([]Hash, error) {
	hashes, err := OpenVouched(key, deployment, b)
	if err == nil && len(b.GetSignature()) == 0 {
		return nil, problem.New(problem.SignatureInvalid)
	}
	return hashes, err
}

// OpenVouched does as Open with a batch in a request whose token was verified with the key. The token signs the whole of the
// request, so that the batch needs no signature of its own; one that is there must hold.
func OpenVouched(key ed25519.PublicKey, deployment hlc.ID, b *syncv1.Batch) ([]Hash, error) {
	if len(b.GetEntries()) > MaxChanges {
		return nil, problem.New(problem.BatchTooLarge)
	}
	if len(b.GetChain()) != sha256.Size || b.GetFirst() == 0 || b.GetFirst() > 1<<62 {
		return nil, problem.New(problem.Malformed)
	}
	replica := hlc.ReplicaOf(key, b.GetNonce())
	if b.GetReplica() == 0 {
		b.Replica = uint64(replica)
	}
	if hlc.Replica(b.GetReplica()) != replica {
		return nil, problem.New(problem.ReplicaNotYours)
	}
	hashes := make([]Hash, len(b.GetEntries()))
	total := 0
	for i, e := range b.GetEntries() {
		total += len(e.GetChange())
		switch {
		case len(e.GetChange()) > MaxChangeBytes || total > MaxBytes:
			return nil, problem.New(problem.BatchTooLarge)
		case len(e.GetChange()) > 0 && len(e.GetHash()) == 0:
			hashes[i] = HashOf(e.GetChange())
		case len(e.GetChange()) == 0 && len(e.GetHash()) == sha256.Size:
			hashes[i] = Hash(e.GetHash())
		default:
			return nil, problem.New(problem.Malformed)
		}
	}
	if len(b.GetSignature()) > 0 && !ed25519.Verify(key, signed(deployment, b, hashes), b.GetSignature()) {
		return nil, problem.New(problem.SignatureInvalid)
	}
	return hashes, nil
}

// shortest is how much of a chain must travel at least. Chains are compared to find accidents, not attacks.
const shortest = 8

// Shorter is a chain as it travelled, cut to what it must have at least.
func Shorter(short []byte) []byte { return short[:min(shortest, len(short))] }

// Same reports whether what travelled is the start of a chain.
func Same(short []byte, chain Hash) bool {
	return len(short) >= shortest && bytes.HasPrefix(chain[:], short)
}

func signed(deployment hlc.ID, b *syncv1.Batch, hashes []Hash) []byte {
	m := append([]byte("levee batch v1"), deployment[:]...)
	m = binary.BigEndian.AppendUint64(m, b.GetReplica())
	m = binary.BigEndian.AppendUint64(m, b.GetFirst())
	m = binary.BigEndian.AppendUint64(m, uint64(len(hashes)))
	m = append(m, b.GetChain()...)
	for _, h := range hashes {
		m = append(m, h[:]...)
	}
	return m
}
