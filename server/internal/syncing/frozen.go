package syncing

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

const ageBandsField protowire.Number = 21 // of Deployment

// banded are the kinds whose records say age bands, by the bands' numbers: with other bands they would say something else.
var banded = []record.Kind{recordv1.Kind_KIND_CASE, recordv1.Kind_KIND_PARTICIPANT, recordv1.Kind_KIND_HEADCOUNT, recordv1.Kind_KIND_ATTENDANCE}

// freezes reports whether a change would give the deployment other age bands though something was counted by those that it
// has.
func (g *group) freezes(kind record.Kind, standing, merged record.Registers) (bool, error) {
	if kind != recordv1.Kind_KIND_DEPLOYMENT || len(standing) == 0 {
		return false, nil
	}
	was, err := bandsOf(standing)
	if err != nil {
		return false, err
	}
	will, err := bandsOf(merged)
	if err != nil || slices.Equal(was, will) {
		return false, err
	}
	for _, e := range g.records { // not stored yet
		if e.there && slices.Contains(banded, e.Kind) {
			return true, nil
		}
	}
	return g.store.AnyOfKinds(banded)
}

// bandsOf are the age bands of a deployment as its record says.
func bandsOf(registers record.Registers) ([]uint32, error) {
	var d recordv1.Deployment
	if err := proto.Unmarshal(registers.Get(ageBandsField).Value, &d); err != nil {
		return nil, fmt.Errorf("age bands of the deployment: %w", err)
	}
	return record.AgeBands(&d), nil
}

// BandsFrozen reports whether the deployment's age bands can't be changed any more, since something was counted by them.
func (s *Service) BandsFrozen(ctx context.Context) (frozen bool, err error) {
	err = s.config.Store.Read(ctx, func(tx Reading) (err error) {
		frozen, err = tx.AnyOfKinds(banded)
		return err
	})
	return frozen, err
}
