package progress

import (
	"context"
	"slices"
	"time"

	"levee/syncproto/hlc"
)

// Completeness says how much of what was done the totals can know.
type Completeness struct {
	// At is when that was so, by the server's clock, and Position how long the log was.
	At       time.Time
	Position uint64
	// Since is from when on a contact makes a tablet one that was heard from.
	Since time.Time
	DeviceSums
	// Held changes were received and count for nothing; Conflicts are those that nobody has settled.
	Held, Conflicts uint64
}

// heardWithin is how long a tablet may be silent and is still one that was heard from, when nobody says otherwise.
const heardWithin = 24 * time.Hour

// Completeness says how complete the totals are now. A tablet was heard from if it had a contact since an instant; the
// zero time stands for a day ago.
func (s *Service) Completeness(ctx context.Context, since time.Time) (c Completeness, err error) {
	err = s.Store.Look(ctx, func(tx Reading) error {
		c, err = s.CompletenessIn(tx, since, nil)
		return err
	})
	return c, err
}

// CompletenessIn is the completeness in one snapshot: that of the tablets of some teams; of all without any.
func (s *Service) CompletenessIn(tx Reading, since time.Time, teams []hlc.ID) (Completeness, error) {
	c := Completeness{At: s.Wall(), Since: since}
	if since.IsZero() {
		c.Since = c.At.Add(-heardWithin)
	}
	head, err := tx.Head()
	if err != nil {
		return c, err
	}
	c.Position = head.Position
	if len(teams) == 0 {
		if c.DeviceSums, err = tx.DeviceSums(c.Since.UnixMilli()); err != nil {
			return c, err
		}
		c.Held, err = tx.HeldCount()
	} else {
		err = s.ofTeams(tx, &c, teams)
	}
	if err != nil {
		return c, err
	}
	return c, tx.UnsettledBy(func(audience hlc.ID, n uint64) error {
		if len(teams) == 0 || slices.Contains(teams, audience) {
			c.Conflicts += n
		}
		return nil
	})
}

// ofTeams sums up the tablets of those who are in some teams now.
func (s *Service) ofTeams(tx Reading, c *Completeness, teams []hlc.ID) error {
	setUp := s.SetUp()
	in := func(worker hlc.ID) bool { return slices.Contains(teams, teamOf(setUp, worker).ID) }
	err := tx.EachContact(func(d DeviceContact) error {
		if in(d.Worker) {
			c.add(d)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return tx.HeldBy(func(worker hlc.ID, n uint64) error {
		if in(worker) {
			c.Held += n
		}
		return nil
	})
}

// add adds one device.
func (c *Completeness) add(d DeviceContact) {
	c.Enrolled++
	c.Outstanding += d.Unsent
	if d.Unsent > 0 {
		c.WithBacklog++
	}
	c.NewestContact = max(c.NewestContact, d.Last)
	if d.Revoked {
		c.Revoked++
		return
	}
	if d.Last >= c.Since.UnixMilli() {
		c.HeardFrom++
	}
	if c.OldestContact == 0 || d.Last < c.OldestContact {
		c.OldestContact = d.Last
	}
}
