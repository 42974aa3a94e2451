package alerting

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

const alertKind = recordv1.Kind_KIND_RISK_ALERT

// Alert is a risk alert. It is open until somebody has confirmed it.
type Alert struct {
	ID hlc.ID
	// Position is that of its newest change.
	Position uint64
	Type     recordv1.RiskType
	Level    recordv1.RiskLevel
	// Team is whose it is; Site and Author are zero where the alert does not say.
	Team, Site, Author hlc.ID
	// SeenAt is when its author saw the danger, the zero time where they did not say; Received is when this server first
	// heard of it.
	SeenAt, Received time.Time
	// AcknowledgedBy is who confirmed it, at AcknowledgedAt; zero while it is open.
	AcknowledgedBy hlc.ID
	AcknowledgedAt time.Time
	// ClosedOn is the day on which the danger was over; 0 where nobody has said so.
	ClosedOn record.Date
	// Notices are who was told, by step.
	Notices []Notice
	// Next are whom the next step tells, at NextAt or as soon as possible after it; nobody when the pages alone go on
	// showing the alert.
	Next   []hlc.ID
	NextAt time.Time
}

// Open reports whether nobody has confirmed it.
func (a *Alert) Open() bool { return a.AcknowledgedBy == hlc.ID{} }

// Step is how many steps of the escalation have begun.
func (a *Alert) Step() int {
	if len(a.Notices) == 0 {
		return 0
	}
	return a.Notices[len(a.Notices)-1].Step
}

// compare puts the worst first, and of these the oldest.
func compare(a, b *Alert) int {
	return cmp.Or(cmp.Compare(b.Level, a.Level), a.Received.Compare(b.Received), hlc.CompareIDs(a.ID, b.ID))
}

// shown is an alert with what decides who may see it.
type shown struct {
	alert  Alert
	record syncing.Record
	circle syncing.Circle
}

// alert is an open alert as the service works on it.
type alert struct {
	shown
	notices []Notice
}

// read reads all alerts that are open.
func (s *Service) read(ctx context.Context) error {
	s.mu.Lock()
	s.reread = true
	s.mu.Unlock()
	return s.Refresh(ctx)
}

// Refresh returns once Open gives what was made of the alerts by all that Observe and Recheck were told of before.
func (s *Service) Refresh(ctx context.Context) error {
	s.refreshing.Lock()
	defer s.refreshing.Unlock()
	s.mu.Lock()
	touched, recheck, reread := s.touched, s.recheck, s.reread
	s.touched, s.recheck, s.reread = map[hlc.ID]bool{}, false, false
	ids := maps.Clone(touched)
	for id := range s.open {
		ids[id] = true
	}
	s.mu.Unlock()
	if len(touched) == 0 && !recheck && !reread {
		return nil
	}
	err := s.config.Store.ReadAlerts(ctx, func(tx Reading) (err error) {
		var records []syncing.Record
		if reread {
			records, err = tx.OfKind(alertKind)
		} else {
			records, err = tx.Records(slices.Collect(maps.Keys(ids)))
		}
		if err != nil {
			return err
		}
		return s.take(tx, slices.DeleteFunc(records, func(r syncing.Record) bool { return r.Kind != alertKind }))
	})
	if err != nil { // to be done again
		s.mu.Lock()
		maps.Copy(s.touched, touched)
		s.recheck, s.reread = true, s.reread || reread
		s.mu.Unlock()
	}
	return err
}

// take makes of all alerts that may be open those that are.
func (s *Service) take(tx Reading, records []syncing.Record) error {
	read, err := alertsOf(tx, records)
	if err != nil {
		return err
	}
	open, fresh := map[hlc.ID]*alert{}, []hlc.ID(nil)
	var ids []hlc.ID
	for _, one := range read {
		if !one.alert.Open() {
			continue
		}
		id := one.record.ID
		open[id], ids = &alert{shown: one}, append(ids, id)
		s.mu.Lock()
		if was := s.open[id]; was != nil {
			open[id].alert.Received = was.alert.Received
		} else {
			fresh = append(fresh, id)
		}
		s.mu.Unlock()
	}
	for _, id := range fresh {
		received, err := tx.FirstReceived(id)
		if err != nil {
			return err
		}
		open[id].alert.Received = instant(received)
	}
	notices, err := tx.Notices(ids) // another server may have told somebody
	if err != nil {
		return err
	}
	for _, n := range notices {
		open[n.Alert].notices = append(open[n.Alert].notices, n)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = open // what was noted since comes to light where it is written on: see claim
	s.show()
	return nil
}

// openOf says of some alerts whether they are open.
func openOf(tx Reading, ids []hlc.ID) (map[hlc.ID]bool, error) {
	records, err := tx.Records(ids)
	if err != nil {
		return nil, err
	}
	read, err := alertsOf(tx, records)
	open := map[hlc.ID]bool{}
	for _, id := range ids {
		open[id] = false // unless it is there
	}
	for i := range read {
		open[read[i].alert.ID] = read[i].alert.Open()
	}
	return open, err
}

// alertsOf are the alerts that some records are, in their order, without those that are deleted.
func alertsOf(tx Reading, records []syncing.Record) ([]shown, error) {
	roots, err := syncing.RootsOf(tx, records...)
	if err != nil {
		return nil, err
	}
	var alerts []shown
	for _, r := range records {
		one, deleted, err := alertOf(r, roots)
		if err != nil {
			return nil, err
		}
		if !deleted {
			alerts = append(alerts, one)
		}
	}
	return alerts, nil
}

// alertOf is an alert with its circle.
func alertOf(r syncing.Record, roots syncing.Roots) (one shown, deleted bool, err error) {
	registers, err := record.DecodeState(r.State)
	if err != nil {
		return shown{}, false, fmt.Errorf("state of record %v: %w", r.ID, err)
	}
	var m recordv1.RiskAlert
	if err := proto.Unmarshal(registers.Fields(), &m); err != nil {
		return shown{}, false, fmt.Errorf("fields of record %v: %w", r.ID, err)
	}
	circle, err := roots.CircleOf(r)
	return shown{record: r, circle: circle, alert: Alert{
		ID: r.ID, Position: r.Position, Type: m.GetType(), Level: m.GetLevel(), Team: r.Audience, Site: hlc.IDOf(m.GetSite()), Author: hlc.IDOf(m.GetAuthor()), SeenAt: instant(m.GetSeenAt()),
		AcknowledgedBy: hlc.IDOf(m.GetAcknowledgedBy()), AcknowledgedAt: instant(m.GetAcknowledgedAt()), ClosedOn: record.Date(m.GetClosedOn()),
	}}, registers.Deleted(), err
}

// instant is a time in milliseconds since 1970; the zero time for 0.
func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
