package syncing

import (
	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
)

// maxChains bounds at how many sequence numbers a request may tell its chain.
const maxChains = 64

// forks reports whether what the server has of a replica is not what the tablet wrote, as far as the batch tells: the
// tablet was cloned, or set back to an older copy, and another went on under its number.
func forks(in sequences, p *push, r Replica) (bool, error) {
	if p.first > r.Have+1 {
		return false, nil
	}
	last := p.first - 1 + uint64(len(p.arrivals))
	if last+p.unsent < r.Have {
		return true, nil // the server has more of it than the tablet itself
	}
	had := r.Have - (p.first - 1) // of the batch's changes
	if had <= uint64(len(p.arrivals)) {
		chain := p.chain
		for _, a := range p.arrivals[:had] {
			chain = batch.Next(chain, a.hash)
		}
		return chain != r.Chain, nil
	}
	// The server has more than the batch: an old request that comes late.
	entries, err := in.sequences(p.replica, p.first, last, every)
	if err != nil {
		return false, err
	}
	for i, e := range entries {
		if hashOf(e) != p.arrivals[i].hash {
			return true, nil
		}
	}
	return false, nil
}

// matched is the last sequence number at which the chains of tablet and server are the same, of those that the request
// tells of. differs reports whether one of them is not the same. It walks all that the server has of the replica: a tablet
// asks for it once in its life, if ever.
func matched(in sequences, deployment hlc.ID, p *push, r Replica) (last uint64, differs bool, err error) {
	told := map[uint64][]byte{p.first - 1: p.chain[:batch.ShortChain]}
	chain := p.chain
	for i, a := range p.arrivals {
		chain = batch.Next(chain, a.hash)
		told[p.first+uint64(i)] = shortOf(chain)
	}
	for _, c := range p.chains {
		told[c.GetSequence()] = c.GetChain()
	}
	entries, err := in.sequences(r.Number, 1, r.Have, every)
	if err != nil {
		return 0, false, err
	}
	at := batch.Start(deployment, r.Number)
	compare := func(sequence uint64) {
		switch short, ok := told[sequence]; {
		case !ok:
		case batch.Same(short, at):
			last = sequence
		default:
			differs = true
		}
	}
	compare(0)
	for _, e := range entries {
		at = batch.Next(at, hashOf(e))
		compare(e.Sequence)
	}
	return last, differs, nil
}

func shortOf(chain batch.Hash) []byte { return chain[:batch.ShortChain] }

// askedOnly reports whether a request is only to find where chains part: nothing of its batch is taken.
func askedOnly(request *syncv1.SyncRequest) bool { return len(request.GetChains()) > 0 }
