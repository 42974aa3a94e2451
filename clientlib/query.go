package clientlib

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/clientlib/internal/localdb"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// Record is a record as this tablet shows it: what the server has, and what this tablet has done since.
type Record[M record.Common] struct {
	ID   hlc.ID
	Kind record.Kind
	// Message is the record, without what is for programs alone (record.Secret); nil when its kind is newer than this program.
	Message M
	Deleted bool
	// Missing are the required fields that the record lacks, by their names in the protos. With any, it is a draft and
	// does not count.
	Missing []string
	// Sending is how far this tablet's own changes to the record have got.
	Sending Sending
	// Held are the codes of this tablet's changes to the record that the server holds, oldest first. They are not in
	// Message. See Store.Held.
	Held []string
	// Changed is when the record was last changed by anyone, by that tablet's clock.
	Changed time.Time
}

// Late reports whether changes of this tablet to the record wait since they came when the deployment was closed already 补报.
func (r Record[M]) Late() bool { return slices.Contains(r.Held, string(record.CodeDeploymentClosed)) }

// HeldOtherwise reports whether some are held for another reason.
func (r Record[M]) HeldOtherwise() bool {
	return slices.ContainsFunc(r.Held, func(code string) bool { return code != string(record.CodeDeploymentClosed) })
}

// Sending is how far the own changes to a record have got; the newest of them tells.
type Sending string

// How far changes get.
const (
	// Received: the record came from the server, and this tablet has no change to it.
	Received Sending = "received"
	// Unsent: on this tablet alone, as far as it knows.
	Unsent Sending = "unsent"
	// Sent: the server has it.
	Sent Sending = "sent"
	// Durable: and it survives the loss of the server's disk.
	Durable Sending = "durable"
)

// AnyRecord is a record of whatever kind.
type AnyRecord = Record[record.Common]

// Record is one record, deleted or not. Code of errors: record_missing.
func (s *Store) Record(ctx context.Context, id hlc.ID) (AnyRecord, error) {
	var found AnyRecord
	err := s.look(ctx, func(l *look) error {
		r, ok, err := l.tx.Record(id)
		if err != nil {
			return err
		}
		if !ok {
			return fail(CodeRecordMissing, "record %s", id)
		}
		found, err = shown[record.Common](l, r)
		return err
	})
	return found, err
}

// Belongings are the records that belong to a record, by kind, day and making. Deleted ones are left out, and reviews and
// conflicts, which are about it.
func (s *Store) Belongings(ctx context.Context, id hlc.ID) ([]AnyRecord, error) {
	var list []AnyRecord
	err := s.look(ctx, func(l *look) error {
		found, err := l.tx.OwnedBy(id)
		if err != nil {
			return err
		}
		found = slices.DeleteFunc(found, func(r localdb.Record) bool {
			return r.View.Deleted() || r.Kind == recordv1.Kind_KIND_REVIEW || r.Kind == recordv1.Kind_KIND_CONFLICT
		})
		list, err = allShown[record.Common](l, found)
		return err
	})
	return list, err
}

// Query says which records List gives.
type Query struct {
	// Kinds are the kinds wanted; none means all but those of the deployment's set-up.
	Kinds []record.Kind
	// From and To are the first and the last day; 0 leaves that end open.
	From, To record.Date
	// Deleted includes deleted records.
	Deleted bool
	// Mine leaves out what others than the tablet's worker logged. A page may then have fewer records than Limit, even none, with
	// others after it: it ends where mostRead records were read.
	Mine bool
	// Limit is the most records that a page has; 50 when 0, and at most 500.
	Limit int
	// After is the Next of the page before; empty for the first page.
	After string
}

// Page is one page of a list.
type Page struct {
	Records []AnyRecord
	// Next is handed to the query for the next page; empty when this is the last one.
	Next string
}

// List gives records, the newest day first, and of one day the last made first. Code of errors: invalid_argument, for an
// After that no page gave.
func (s *Store) List(ctx context.Context, q Query) (Page, error) {
	f := localdb.Filter{Kinds: q.Kinds, From: q.From, To: q.To, Deleted: q.Deleted, BeforeDay: -1, Limit: 50}
	if q.Limit > 0 {
		f.Limit = min(q.Limit, 500)
	}
	if len(f.Kinds) == 0 {
		f.Not = slices.DeleteFunc(record.Kinds(), func(k record.Kind) bool { return !record.SetUp(k) })
	}
	if q.After != "" {
		var err error
		if f.BeforeDay, f.BeforeID, err = parsePlace(q.After); err != nil {
			return Page{}, err
		}
	}
	limit := f.Limit
	f.Limit++ // one more tells whether there is another page
	var page Page
	err := s.look(ctx, func(l *look) error {
		wanted := func(localdb.Record) bool { return true }
		if q.Mine {
			f.Limit = max(f.Limit, readAtOnce)
			wanted = func(r localdb.Record) bool { return r.View.Get(fieldAuthor).ID() == l.tablet.Worker }
		}
		found, next, err := l.page(f, limit, wanted)
		if err != nil {
			return err
		}
		page.Next = next
		page.Records, err = allShown[record.Common](l, found)
		return err
	})
	return page, err
}

// mostRead is how many records a page reads of which it wants none, and readAtOnce how many at a time.
const mostRead, readAtOnce = 5000, 500

// page are limit records of a filter that are wanted, and where they end; "" where no other follows.
func (l *look) page(f localdb.Filter, limit int, wanted func(localdb.Record) bool) ([]localdb.Record, string, error) {
	var page []localdb.Record
	for read := 0; ; {
		found, err := l.tx.List(f)
		if err != nil {
			return nil, "", err
		}
		for _, r := range found {
			if !wanted(r) {
				continue
			}
			if len(page) == limit {
				return page, place(page[limit-1]), nil
			}
			page = append(page, r)
		}
		if len(found) < f.Limit {
			return page, "", nil
		}
		last := found[len(found)-1]
		if read += len(found); read >= mostRead {
			return page, place(last), nil
		}
		f.BeforeDay, f.BeforeID = last.Day, last.ID
	}
}

// place is where a page ended, as text that callers hand back.
func place(r localdb.Record) string {
	b := binary.BigEndian.AppendUint32(nil, uint32(r.Day)) //nolint:gosec // days are positive
	return base64.RawURLEncoding.EncodeToString(append(b, r.ID[:]...))
}

func parsePlace(text string) (record.Date, hlc.ID, error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) != 4+len(hlc.ID{}) || b[0] > 0x7f {
		return 0, hlc.ID{}, problem.Newf(problem.InvalidArgument, "no page ended at %q", text)
	}
	return record.Date(binary.BigEndian.Uint32(b)), hlc.ID(b[4:]), nil //nolint:gosec // 31 bits
}

// MyCases are the cases that the tablet's worker leads or works on, in the order in which they were made. Deleted ones
// are left out.
func (s *Store) MyCases(ctx context.Context) ([]Record[*recordv1.Case], error) {
	var mine []Record[*recordv1.Case]
	err := s.look(ctx, func(l *look) error {
		found, err := l.cases(true)
		if err != nil {
			return err
		}
		mine, err = allShown[*recordv1.Case](l, found)
		return err
	})
	return mine, err
}

// Activity is a group session, community activity or outreach, with the counts and attendances at it. Deleted ones are
// left out.
type Activity struct {
	AnyRecord
	Headcounts  []Record[*recordv1.Headcount]
	Attendances []Record[*recordv1.Attendance]
}

// Activities are the group sessions, community activities and outreaches of a day, planned ones among them, in the order
// in which they were made.
func (s *Store) Activities(ctx context.Context, day record.Date) ([]Activity, error) {
	var activities []Activity
	err := s.look(ctx, func(l *look) error {
		found, err := l.tx.List(localdb.Filter{
			Kinds: []record.Kind{recordv1.Kind_KIND_GROUP_SESSION, recordv1.Kind_KIND_COMMUNITY_ACTIVITY, recordv1.Kind_KIND_OUTREACH},
			From:  day, To: day, BeforeDay: -1, Limit: -1,
		})
		if err != nil {
			return err
		}
		ids := make([]hlc.ID, len(found))
		for i, r := range found {
			ids[i] = r.ID
		}
		owned, err := l.tx.OwnedByEach(ids)
		if err != nil {
			return err
		}
		for _, r := range slices.Backward(found) {
			var a Activity
			if a.AnyRecord, err = shown[record.Common](l, r); err != nil {
				return err
			}
			if a.Headcounts, err = pick[*recordv1.Headcount](l, owned[r.ID]); err != nil {
				return err
			}
			if a.Attendances, err = pick[*recordv1.Attendance](l, owned[r.ID]); err != nil {
				return err
			}
			activities = append(activities, a)
		}
		return nil
	})
	return activities, err
}

// Deployment is the deployment's own record. Code of errors: record_missing, while the server has sent none.
func (s *Store) Deployment(ctx context.Context) (Record[*recordv1.Deployment], error) {
	found, err := listKind[*recordv1.Deployment](ctx, s)
	if err == nil && len(found) == 0 {
		err = fail(CodeRecordMissing, "no deployment")
	}
	if err != nil {
		return Record[*recordv1.Deployment]{}, err
	}
	return found[0], nil
}

// Sites are the deployment's sites.
func (s *Store) Sites(ctx context.Context) ([]Record[*recordv1.Site], error) {
	return listKind[*recordv1.Site](ctx, s)
}

// Teams are the deployment's teams.
func (s *Store) Teams(ctx context.Context) ([]Record[*recordv1.Team], error) {
	return listKind[*recordv1.Team](ctx, s)
}

// Workers are all who work in the deployment.
func (s *Store) Workers(ctx context.Context) ([]Record[*recordv1.Worker], error) {
	return listKind[*recordv1.Worker](ctx, s)
}

// TeamMates are the workers of the tablet's worker's team, that worker included.
func (s *Store) TeamMates(ctx context.Context) ([]Record[*recordv1.Worker], error) {
	var mates []Record[*recordv1.Worker]
	err := s.look(ctx, func(l *look) error {
		found, err := l.ofKind(recordv1.Kind_KIND_WORKER)
		if err != nil {
			return err
		}
		workers, err := allShown[*recordv1.Worker](l, found)
		me := slices.IndexFunc(workers, func(w Record[*recordv1.Worker]) bool { return w.ID == l.tablet.Worker })
		for _, w := range workers {
			if me >= 0 && bytes.Equal(w.Message.GetTeam(), workers[me].Message.GetTeam()) {
				mates = append(mates, w)
			}
		}
		return err
	})
	return mates, err
}

// look is one snapshot, with what is needed to say how far each record has got.
type look struct {
	tx     *localdb.Tx
	tablet *localdb.Tablet
	held   map[hlc.ID][]string
}

func (s *Store) look(ctx context.Context, f func(*look) error) error {
	return s.read(ctx, func(tx *localdb.Tx, t *localdb.Tablet) error {
		held, err := tx.HeldCodes()
		if err != nil {
			return err
		}
		return f(&look{tx, t, held})
	})
}

func (l *look) ofKind(k record.Kind) ([]localdb.Record, error) { return l.tx.OfKind(k) }

// shown is a row as callers see it; M must be the message of its kind, or record.Common.
func shown[M record.Common](l *look, r localdb.Record) (Record[M], error) {
	out := Record[M]{
		ID: r.ID, Kind: r.Kind, Deleted: r.View.Deleted(), Held: l.held[r.ID], Changed: r.View.Newest().Wall(), Sending: Received,
	}
	switch {
	case r.Newest > l.tablet.Acknowledged:
		out.Sending = Unsent
	case r.Newest > l.tablet.Durable:
		out.Sending = Sent
	case r.Newest > 0, r.Earlier == localdb.EarlierDurable:
		out.Sending = Durable
	case r.Earlier == localdb.EarlierSent:
		out.Sending = Sent
	}
	m, err := message(r.Kind, r.View.Fields())
	if err != nil || m == nil {
		return out, err
	}
	record.Conceal(m)
	typed, ok := m.(M)
	if !ok {
		return out, fmt.Errorf("record %s is a %v", r.ID, r.Kind)
	}
	out.Message = typed
	for _, f := range record.Missing(r.Kind, m) {
		out.Missing = append(out.Missing, fieldName(r.Kind, f))
	}
	return out, nil
}

func allShown[M record.Common](l *look, found []localdb.Record) ([]Record[M], error) {
	list := make([]Record[M], 0, len(found))
	for _, r := range found {
		one, err := shown[M](l, r)
		if err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, nil
}

// pick are the records of M's kind that are not deleted.
func pick[M record.Common](l *look, found []localdb.Record) ([]Record[M], error) {
	var m M
	k := record.KindOf(m)
	return allShown[M](l, slices.DeleteFunc(slices.Clone(found), func(r localdb.Record) bool { return r.Kind != k || r.View.Deleted() }))
}

func ownedBy[M record.Common](l *look, owner hlc.ID) ([]Record[M], error) {
	found, err := l.tx.OwnedBy(owner)
	if err != nil {
		return nil, err
	}
	return pick[M](l, found)
}

func listKind[M record.Common](ctx context.Context, s *Store) ([]Record[M], error) {
	var m M
	var list []Record[M]
	err := s.look(ctx, func(l *look) error {
		found, err := l.ofKind(record.KindOf(m))
		if err != nil {
			return err
		}
		list, err = allShown[M](l, found)
		return err
	})
	return list, err
}

// message reads the fields of a record or change; nil when its kind is not known.
func message(k record.Kind, fields []byte) (record.Common, error) {
	m := record.New(k)
	if m == nil {
		return nil, nil
	}
	if err := proto.Unmarshal(fields, m); err != nil {
		return nil, fmt.Errorf("reading a record of %v: %w", k, err)
	}
	return m, nil
}

// numberOf is a field number that came as a plain number; 0 when it can't be one.
func numberOf(n uint32) protowire.Number {
	if n > uint32(protowire.MaxValidNumber) {
		return 0
	}
	return protowire.Number(n)
}
