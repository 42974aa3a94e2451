package syncing

import (
	"context"
	"maps"
	"slices"

	"levee/syncproto/hlc"
)

// Durable notes how many changes of each replica a verified backup holds. Tablets hear of it with their next answers.
func (s *Service) Durable(ctx context.Context, have map[hlc.Replica]uint64) error {
	return s.write(ctx, func(g *group) error {
		for _, number := range slices.Sorted(maps.Keys(have)) {
			r, err := g.replica(number, hlc.ID{})
			if err != nil {
				return err
			}
			r.Durable = max(r.Durable, min(have[number], r.Have))
		}
		return nil
	})
}
