package closeout

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/audit"
	"levee/server/internal/casefile"
	"levee/server/internal/progress"
	"levee/server/internal/syncing"
	"levee/syncproto/certificate"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// Edition is one edition of the certificate: what it says, and its file.
type Edition struct {
	*certificate.Certificate
	File []byte
	Key  ed25519.PublicKey
}

// Editions are all that were issued, the first one first.
func (s *Service) Editions(ctx context.Context) (all []Edition, err error) {
	err = s.Store.Read(ctx, func(tx syncing.Reading) (err error) {
		all, err = editionsIn(tx)
		return err
	})
	return all, err
}

func editionsIn(tx syncing.Reading) ([]Edition, error) {
	files, err := syncing.Certificates(tx)
	if err != nil {
		return nil, err
	}
	all := make([]Edition, 0, len(files))
	for _, file := range files {
		c, key, err := certificate.Open(file)
		if err != nil {
			return nil, err
		}
		all = append(all, Edition{c, file, key})
	}
	slices.SortFunc(all, func(a, b Edition) int { return cmp.Compare(a.Edition, b.Edition) })
	return all, nil
}

// issue issues the next edition.
func (s *Service) issue(ctx context.Context, by casefile.Reader) (*Edition, error) {
	list, err := s.Checklist(ctx)
	if err != nil {
		return nil, err
	}
	c, err := s.draft(ctx, by, list)
	if err != nil {
		return nil, err
	}
	file, err := certificate.Sign(s.Key, c)
	if err != nil {
		return nil, err
	}
	parts, err := certificate.Records(c.Edition, file)
	if err != nil {
		return nil, err
	}
	changes := make([]syncing.SetUpChange, len(parts))
	for i, part := range parts {
		id, err := s.Syncing.NewID()
		if err != nil {
			return nil, err
		}
		part.Author, part.OccurredOn = by.Worker[:], proto.Int32(int32(s.today()))
		changes[i] = syncing.SetUpChange{SetUpRecord: syncing.SetUpRecord{ID: id, Message: part}}
	}
	next := func(tx syncing.Reading) error {
		if !s.Syncing.SetUp().Closed() {
			return problem.New(problem.WrongState)
		}
		editions, err := editionsIn(tx)
		if err == nil && len(editions)+1 != c.Edition { // another server has issued it
			err = problem.New(problem.Busy)
		}
		return err
	}
	if err := s.Syncing.ChangeSetUpWhile(ctx, by.Worker, next, changes...); err != nil {
		return nil, err
	}
	issued := audit.Subject{Kind: audit.OfRecord, ID: changes[0].ID}
	return &Edition{c, file, s.Key.Public().(ed25519.PublicKey)}, s.note(ctx, by, audit.CertificateIssued, issued) //nolint:forcetypeassert // what an Ed25519 key has
}

// draft is the next edition, all of it as of one snapshot.
func (s *Service) draft(ctx context.Context, by casefile.Reader, list *Checklist) (*certificate.Certificate, error) {
	setUp := s.Syncing.SetUp()
	d := setUp.Deployment
	editions, err := s.Editions(ctx)
	if err != nil {
		return nil, err
	}
	c := &certificate.Certificate{
		Deployment: certificate.Deployment{ID: s.Syncing.Deployment(), Name: d.GetName(), StartOn: record.Date(d.GetStartOn()).String(),
			EndOn: record.Date(d.GetEndOn()).String(), TimeZone: d.GetTimeZone()},
		Edition: len(editions) + 1,
		Issued:  certificate.Issued{At: s.Wall().UTC().Truncate(time.Millisecond), Worker: by.Worker, Name: setUp.Workers[by.Worker].GetName()},
		Checks:  checksOf(list),
	}
	if c.Waivers, err = s.waivers(ctx, list); err != nil {
		return nil, err
	}
	err = s.Store.Look(ctx, func(tx progress.Reading) error {
		recounted, err := progress.Recount(ctx, oneSnapshot{tx}, s.Syncing.Deployment())
		if err != nil {
			return err
		}
		if !recounted.Equal() {
			return problem.New(problem.TotalsDiffer)
		}
		if c.Completeness, err = s.completeness(tx); err != nil {
			return err
		}
		return fill(c, recounted, tx)
	})
	if err != nil || len(editions) == 0 {
		return c, err
	}
	before := editions[len(editions)-1]
	c.Previous = &certificate.Previous{Edition: before.Edition, SHA256: certificate.Hash(before.File)}
	c.Sort()
	c.Differences = certificate.Differ(before.Totals, c.Totals)
	if c.Addenda, err = s.decidedSince(ctx, before.Log.Position, c.Log.Position); err != nil {
		return nil, err
	}
	if len(c.Differences)+len(c.Addenda) == 0 && before.Deployment == c.Deployment {
		return nil, problem.New(problem.Unchanged)
	}
	return c, nil
}

// oneSnapshot has what reads a store read one snapshot of it.
type oneSnapshot struct{ tx progress.Reading }

func (o oneSnapshot) Look(_ context.Context, fn func(progress.Reading) error) error { return fn(o.tx) }

// fill fills in what was counted.
func fill(c *certificate.Certificate, recounted *progress.Recounted, tx progress.Reading) error {
	c.Log = certificate.Log{Position: recounted.Position, Chain: hex.EncodeToString(recounted.Chain[:]), Records: recounted.Records, Changes: recounted.Changes, Erased: recounted.Erased}
	for _, l := range recounted.Totals {
		if l.Value == 0 {
			continue
		}
		line := certificate.Line{Basis: l.Basis, Figure: l.Figure, By: l.Dimension, Key: l.Key}
		if l.Dimension != tally.Worker.String() {
			line.Name = l.Name
		}
		c.Totals = append(c.Totals, certificate.Total{Line: line, Value: l.Value})
	}
	return tx.EachReplica(func(r syncing.Replica) error {
		c.Replicas = append(c.Replicas, certificate.Replica{Replica: r.Number, Device: r.Device, Sequence: r.Have, Chain: hex.EncodeToString(r.Chain[:])})
		return nil
	})
}

func (s *Service) completeness(tx progress.Reading) (certificate.Completeness, error) {
	now, err := s.Progress.CompletenessIn(tx, s.heardSince(), nil)
	return certificate.Completeness{Devices: int(now.Enrolled - now.Revoked), HeardFrom: int(now.HeardFrom), WithBacklog: int(now.WithBacklog), Outstanding: int(now.Outstanding),
		Held: int(now.Held), Conflicts: int(now.Conflicts)}, err //nolint:gosec // counts
}

func checksOf(list *Checklist) []certificate.Check {
	all := make([]certificate.Check, 0, len(list.Checks))
	for _, c := range list.Checks {
		all = append(all, certificate.Check{Check: CheckName(c.Check), Open: c.Open, Waived: c.Waived})
	}
	return all
}

// waivers are those that let something pass that is open, as the certificate has them.
func (s *Service) waivers(ctx context.Context, list *Checklist) ([]certificate.Waiver, error) {
	standing, err := s.Waivers(ctx)
	if err != nil {
		return nil, err
	}
	names := map[hlc.ID]string{}
	for _, c := range list.Checks {
		for _, item := range c.Items {
			names[item.Subject] = item.Name
		}
	}
	all := make([]certificate.Waiver, 0, len(standing))
	for _, w := range standing {
		i := slices.IndexFunc(list.Checks, func(c Check) bool { return c.Check == w.Check })
		if i < 0 || list.Checks[i].Open == 0 {
			continue // it was brought in order after all
		}
		if _, open := names[w.Subject]; !open && w.Subject != (hlc.ID{}) {
			continue
		}
		all = append(all, certificate.Waiver{Check: CheckName(w.Check), Subject: w.Subject, Name: names[w.Subject], Count: w.Count, Reason: w.Reason, By: w.By.Name, At: w.At})
	}
	return all, nil
}
