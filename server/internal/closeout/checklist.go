package closeout

import (
	"cmp"
	"context"
	"slices"
	"time"

	"levee/server/internal/access"
	"levee/server/internal/indexing"
	"levee/server/internal/progress"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// MaxItems is how many items of a check are told one by one. More than that are waived all together, or brought in order.
const MaxItems = 200

// Item is one thing that stands in the way. What is zero is not known, or not of its kind.
type Item struct {
	// Subject is what a Waiver names: a device, a case, an alert, a conflict, a held change, the later of two records.
	Subject hlc.ID
	// Name is what people know it by: a tablet's name, a case's number.
	Name string
	// Kind is that of the record, of which Name may be a field.
	Kind record.Kind
	Team hlc.ID
	// Worker is whose tablet it is, who leads the case, or who wrote it; Phone is to call them.
	Worker progress.Named
	Phone  string
	// Since is the last contact of a tablet, Count what it holds still.
	Since time.Time
	Count int64
	// Other is the earlier record of a likely pair.
	Other hlc.ID
	// Referrals are those of a case that nobody has accepted.
	Referrals []hlc.ID
	Waiver    *Waiver
}

// Check is one check of the list.
type Check struct {
	Check recordv1.CloseOutCheck
	// Open is how many items there are, Waived how many of them a coordinator let pass.
	Open, Waived int
	// Items are the first MaxItems of them. Of what is only counted there are none.
	Items []Item
	// Waiver is that for all of them, nil where there is none. It holds for as many as there were then.
	Waiver *Waiver
}

// Blocks reports whether the check stands in the way.
func (c Check) Blocks() bool { return c.Open > c.Waived }

// shownTo is what one must be allowed, in an item's team, to see the item.
var shownTo = map[recordv1.CloseOutCheck]access.Action{
	recordv1.CloseOutCheck_CLOSE_OUT_CHECK_BACKLOG:    access.SeeDevices,
	recordv1.CloseOutCheck_CLOSE_OUT_CHECK_UNHEARD:    access.SeeDevices,
	recordv1.CloseOutCheck_CLOSE_OUT_CHECK_OPEN_CASE:  access.SeeRecords,
	recordv1.CloseOutCheck_CLOSE_OUT_CHECK_OPEN_ALERT: access.SeeConfidential,
	recordv1.CloseOutCheck_CLOSE_OUT_CHECK_DUPLICATE:  access.ReviewRecords,
	recordv1.CloseOutCheck_CLOSE_OUT_CHECK_CONFLICT:   access.SeeConflicts,
	recordv1.CloseOutCheck_CLOSE_OUT_CHECK_HELD:       access.SeeHeld,
	recordv1.CloseOutCheck_CLOSE_OUT_CHECK_UNREVIEWED: access.ReviewRecords,
	recordv1.CloseOutCheck_CLOSE_OUT_CHECK_CONSENT:    access.SeeRecords,
	recordv1.CloseOutCheck_CLOSE_OUT_CHECK_REFERRAL:   access.SeeRecords,
}

// ShownTo is what one must be allowed, in an item's team, to see an item of a check; for what has no items, to close the deployment.
func ShownTo(check recordv1.CloseOutCheck) access.Action {
	if action, ok := shownTo[check]; ok {
		return action
	}
	return access.CloseDeployment
}

// Checklist is what must be in order before the deployment is closed.
type Checklist struct {
	At time.Time
	// Position is how long the log was.
	Position uint64
	Checks   []Check
}

// Blocked is how many checks stand in the way.
func (l *Checklist) Blocked() (n int) {
	for _, c := range l.Checks {
		if c.Blocks() {
			n++
		}
	}
	return n
}

// Checklist is the list as it stands. Of a deployment that is not announced to close it says the same, as of today.
// The totals are not recounted: Close does that, and Recount.
func (s *Service) Checklist(ctx context.Context) (*Checklist, error) {
	return s.checklist(ctx, nil)
}

// Recount is the checklist after a recount of all totals.
func (s *Service) Recount(ctx context.Context) (*Checklist, error) {
	recounted, err := progress.Recount(ctx, s.Store, s.Syncing.Deployment())
	if err != nil {
		return nil, err
	}
	return s.checklist(ctx, recounted)
}

// ready is the problem that not everything is in order.
func (s *Service) ready(ctx context.Context, recount bool) error {
	list, err := s.Checklist(ctx)
	if recount && err == nil && list.Blocked() == 0 {
		list, err = s.Recount(ctx)
	}
	if err != nil {
		return err
	}
	for _, c := range list.Checks {
		if c.Blocks() {
			return problem.Newf(problem.NotReady, "%v", c.Check)
		}
	}
	return nil
}

func (s *Service) checklist(ctx context.Context, recounted *progress.Recounted) (*Checklist, error) {
	version, err := s.Progress.Version(ctx)
	if err != nil {
		return nil, err
	}
	// What was sorted in by now is what the checks read: cases, pairs, reviews.
	if err := s.Indexing.CatchUp(ctx); err != nil {
		return nil, err
	}
	list := &Checklist{At: s.Wall(), Position: version.Position}
	waivers, err := s.Waivers(ctx)
	if err != nil {
		return nil, err
	}
	for _, check := range []func(context.Context) ([]Check, error){s.tablets, s.cases, s.alerts, s.duplicates, s.waiting, s.unreviewed, s.papersMissing, s.backup} {
		found, err := check(ctx)
		if err != nil {
			return nil, err
		}
		list.Checks = append(list.Checks, found...)
	}
	if recounted != nil {
		list.Checks = append(list.Checks, counted(recordv1.CloseOutCheck_CLOSE_OUT_CHECK_RECOUNT, boolCount(!recounted.Equal())))
	}
	slices.SortStableFunc(list.Checks, func(a, b Check) int { return cmp.Compare(a.Check, b.Check) })
	for i := range list.Checks {
		list.Checks[i].waive(waivers)
	}
	return list, nil
}

func counted(check recordv1.CloseOutCheck, open int) Check { return Check{Check: check, Open: open} }

func boolCount(b bool) int {
	if b {
		return 1
	}
	return 0
}

// itemised is a check of some items, of which the first are told.
func itemised(check recordv1.CloseOutCheck, items []Item) Check {
	return Check{Check: check, Open: len(items), Items: items[:min(len(items), MaxItems)]}
}

// waive puts the waivers to what they are of.
func (c *Check) waive(waivers []Waiver) {
	for i, w := range waivers {
		if w.Check != c.Check {
			continue
		}
		if w.Subject == (hlc.ID{}) {
			c.Waiver = &waivers[i]
			continue
		}
		for j := range c.Items {
			if c.Items[j].Subject == w.Subject {
				c.Items[j].Waiver = &waivers[i]
			}
		}
	}
	for _, item := range c.Items {
		c.Waived += boolCount(item.Waiver != nil)
	}
	if c.Waiver != nil && c.Waiver.Count >= c.Open {
		c.Waived = c.Open
	}
}

// heardSince is from when on a contact makes a tablet one that was heard from: when the last day of work was over. Until then it is the
// beginning of today.
func (s *Service) heardSince() time.Time {
	setUp := s.Syncing.SetUp()
	today := s.today()
	if end := record.Date(setUp.Deployment.GetEndOn()); end.Valid() && end < today {
		return end.AddDays(1).Start(setUp.Location)
	}
	return today.Start(setUp.Location)
}

// tablets are those that hold something still, and those not heard from since the end: whom to call. One that was revoked is expected
// to bring nothing.
func (s *Service) tablets(ctx context.Context) ([]Check, error) {
	var backlog, unheard []Item
	setUp, since := s.Syncing.SetUp(), s.heardSince()
	for after, more := (hlc.ID{}), true; more; {
		page, next, err := s.Progress.Tablets(ctx, progress.Page[hlc.ID]{After: after, Limit: MaxItems})
		if err != nil {
			return nil, err
		}
		for _, t := range page {
			if t.RevokedAt != 0 {
				continue
			}
			item := Item{Subject: t.ID, Name: t.Name, Team: t.Team.ID, Worker: t.Owner, Phone: setUp.Workers[t.Device.Worker].GetPhone(),
				Since: time.UnixMilli(t.LastContact).UTC(), Count: int64(t.Unsent)} //nolint:gosec // what a tablet can hold
			if t.Unsent > 0 {
				backlog = append(backlog, item)
			}
			if item.Since.Before(since) {
				unheard = append(unheard, item)
			}
		}
		after, more = next, next != hlc.ID{}
	}
	return []Check{itemised(recordv1.CloseOutCheck_CLOSE_OUT_CHECK_BACKLOG, backlog), itemised(recordv1.CloseOutCheck_CLOSE_OUT_CHECK_UNHEARD, unheard)}, nil
}

// cases are the open ones that were not handed over to anybody.
func (s *Service) cases(ctx context.Context) ([]Check, error) {
	papers, err := s.papersNow(ctx)
	if err != nil {
		return nil, err
	}
	setUp := s.Syncing.SetUp()
	var items []Item
	for after, more := (indexing.CasePlace{}), true; more; {
		page, err := s.Indexing.Cases(ctx, indexing.CasesQuery{List: indexing.OpenCases, After: after, Limit: indexing.MaxPage})
		if err != nil {
			return nil, err
		}
		for _, c := range page {
			if papers.referred[c.Record] {
				continue
			}
			items = append(items, Item{Subject: c.Record, Kind: recordv1.Kind_KIND_CASE, Name: c.Number, Team: c.Audience, Worker: workerNamed(setUp, c.Lead), Phone: setUp.Workers[c.Lead].GetPhone()})
		}
		if more = len(page) == indexing.MaxPage; more {
			after = page[len(page)-1].Place()
		}
	}
	return []Check{itemised(recordv1.CloseOutCheck_CLOSE_OUT_CHECK_OPEN_CASE, items)}, nil
}

func workerNamed(setUp *syncing.SetUp, id hlc.ID) progress.Named {
	return progress.Named{ID: id, Name: setUp.Workers[id].GetName()}
}

// alerts are those that nobody acknowledged, and those of which nobody said that the danger is over.
func (s *Service) alerts(ctx context.Context) ([]Check, error) {
	var items []Item
	setUp := s.Syncing.SetUp()
	err := s.Store.Read(ctx, func(tx syncing.Reading) error {
		alerts, err := messagesOf[*recordv1.RiskAlert](tx, recordv1.Kind_KIND_RISK_ALERT)
		if err != nil {
			return err
		}
		for id, a := range alerts {
			if a.GetClosedOn() == 0 {
				author := hlc.IDOf(a.GetAuthor())
				items = append(items, Item{Subject: id, Kind: recordv1.Kind_KIND_RISK_ALERT, Team: hlc.IDOf(a.GetTeam()), Worker: workerNamed(setUp, author), Phone: setUp.Workers[author].GetPhone(), Since: time.UnixMilli(a.GetSeenAt()).UTC()})
			}
		}
		return nil
	})
	slices.SortFunc(items, func(a, b Item) int { return hlc.CompareIDs(a.Subject, b.Subject) })
	return []Check{itemised(recordv1.CloseOutCheck_CLOSE_OUT_CHECK_OPEN_ALERT, items)}, err
}

// duplicates are the records that are likely of one thing.
func (s *Service) duplicates(ctx context.Context) ([]Check, error) {
	var items []Item
	for after, more := (indexing.PairPlace{}), true; more; {
		page, err := s.Indexing.Likely(ctx, indexing.LikelyQuery{After: after, Limit: indexing.MaxPage})
		if err != nil {
			return nil, err
		}
		for _, p := range page {
			items = append(items, Item{Subject: p.Later, Kind: p.Kind, Other: p.Earlier, Team: p.Audience})
		}
		if more = len(page) == indexing.MaxPage; more {
			after = page[len(page)-1].Place()
		}
	}
	return []Check{itemised(recordv1.CloseOutCheck_CLOSE_OUT_CHECK_DUPLICATE, items)}, nil
}

// waiting are the open conflicts and the held changes. What is held because it came after the closing is an addendum, which does not
// stand in the way of a certificate.
func (s *Service) waiting(ctx context.Context) ([]Check, error) {
	var conflicts, held []Item
	for after, more := (hlc.ID{}), true; more; {
		page, next, err := s.Progress.Conflicts(ctx, progress.Page[hlc.ID]{After: after, Limit: MaxItems})
		if err != nil {
			return nil, err
		}
		for _, c := range page {
			conflicts = append(conflicts, Item{Subject: c.ID, Kind: c.TargetKind, Name: c.Field, Team: c.Team.ID, Other: c.Target})
		}
		after, more = next, next != hlc.ID{}
	}
	for after, more := uint64(0), true; more; {
		page, next, err := s.Progress.Held(ctx, progress.Page[uint64]{After: after, Limit: MaxItems})
		if err != nil {
			return nil, err
		}
		for _, h := range page {
			if h.Code != record.CodeDeploymentClosed {
				held = append(held, Item{Subject: h.Change, Kind: h.Kind, Name: string(h.Code), Team: h.Team.ID, Worker: h.Worker, Phone: s.Syncing.SetUp().Workers[h.Worker.ID].GetPhone(), Since: h.Received})
			}
		}
		after, more = next, next != 0
	}
	return []Check{itemised(recordv1.CloseOutCheck_CLOSE_OUT_CHECK_CONFLICT, conflicts), itemised(recordv1.CloseOutCheck_CLOSE_OUT_CHECK_HELD, held)}, nil
}

// unreviewed are the records that count and that nobody approved as they stand.
func (s *Service) unreviewed(ctx context.Context) ([]Check, error) {
	counts, err := s.Indexing.ReviewCounts(ctx, nil)
	open := 0
	for _, c := range counts {
		if c.Standing != tally.Approved {
			open += int(c.Count)
		}
	}
	return []Check{counted(recordv1.CloseOutCheck_CLOSE_OUT_CHECK_UNREVIEWED, open)}, err
}

// backup is whether a copy of the database holds all that tablets brought: a backup, or a standby.
func (s *Service) backup(ctx context.Context) ([]Check, error) {
	missing := !s.Backups && !s.Standby
	err := s.Store.Look(ctx, func(tx progress.Reading) error {
		return tx.EachReplica(func(r syncing.Replica) error {
			missing = missing || (r.Device != hlc.ID{} && r.Durable < r.Have)
			return nil
		})
	})
	return []Check{counted(recordv1.CloseOutCheck_CLOSE_OUT_CHECK_BACKUP, boolCount(missing))}, err
}
