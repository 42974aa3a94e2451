package progress

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// Planned is an activity that is to be held.
type Planned struct {
	ID       hlc.ID
	Activity *recordv1.CommunityActivity
	// Team is whose tablets have it; zero: everybody's.
	Team hlc.ID
	// Position is where it last changed.
	Position uint64
}

// plannedMost is how many records are looked through for what is planned.
const plannedMost = 2000

// Planned are the activities planned for a run of days that some teams' tablets have, or everybody's, by day and name. truncated says
// that there was more to look through than is done at once.
func (s *Service) Planned(ctx context.Context, from, to record.Date, teams []hlc.ID) (all []Planned, truncated bool, err error) {
	err = s.Store.Look(ctx, func(tx Reading) error {
		looked := 0
		for _, audience := range append([]hlc.ID{{}}, teams...) {
			r := DayRange{Kind: recordv1.Kind_KIND_COMMUNITY_ACTIVITY, Audience: audience, From: from, To: to, Limit: MaxPage}
			for more := true; more; {
				chunk, err := tx.RecordsByDay(r)
				if err != nil {
					return err
				}
				for _, found := range chunk {
					activity, err := plannedIn(found.State)
					if err != nil {
						return fmt.Errorf("record %v: %w", found.ID, err)
					}
					if activity != nil {
						all = append(all, Planned{found.ID, activity, found.Audience, found.Position})
					}
				}
				if more = len(chunk) == r.Limit; more {
					r.Before = &chunk[len(chunk)-1]
				}
				if looked += len(chunk); looked > plannedMost {
					truncated = true
					return nil
				}
			}
		}
		return nil
	})
	slices.SortFunc(all, func(a, b Planned) int {
		return cmp.Or(cmp.Compare(a.Activity.GetOccurredOn(), b.Activity.GetOccurredOn()), cmp.Compare(a.Activity.GetName(), b.Activity.GetName()), hlc.CompareIDs(a.ID, b.ID))
	})
	return all, truncated, err
}

// plannedIn is the activity of a record; nil when it is not planned any more.
func plannedIn(state []byte) (*recordv1.CommunityActivity, error) {
	registers, err := record.DecodeState(state)
	if err != nil || registers.Deleted() {
		return nil, err
	}
	var m recordv1.CommunityActivity
	if err := proto.Unmarshal(registers.Fields(), &m); err != nil || m.GetStatus() != recordv1.Status_STATUS_PLANNED {
		return nil, err
	}
	return &m, nil
}

// PlannedActivity is one of them; false when there is none of this id that is planned.
func (s *Service) PlannedActivity(ctx context.Context, id hlc.ID) (p Planned, ok bool, err error) {
	err = s.Store.Look(ctx, func(tx Reading) error {
		found, err := tx.Records([]hlc.ID{id})
		if err != nil || len(found) == 0 || found[0].Kind != recordv1.Kind_KIND_COMMUNITY_ACTIVITY {
			return err
		}
		activity, err := plannedIn(found[0].State)
		p, ok = Planned{id, activity, found[0].Audience, found[0].Position}, activity != nil
		return err
	})
	return p, ok, err
}
