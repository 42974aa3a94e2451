package indexing

import (
	"context"

	"levee/syncproto/hlc"
)

// LikelyOf are the pairs in which a record is.
func (s *Service) LikelyOf(ctx context.Context, id hlc.ID) (pairs []Pair, err error) {
	err = s.Store.LookUp(ctx, func(tx Reading) error {
		pairs, err = tx.Pairs([]hlc.ID{id})
		return err
	})
	return pairs, err
}

// Position is the one up to which the tables hold everything: 0 until the first transaction after Start.
func (s *Service) Position() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.position
}
