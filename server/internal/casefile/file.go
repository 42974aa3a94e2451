package casefile

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/server/internal/progress"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
	"levee/syncproto/words"
)

// File is a record as its page shows it: with what stands around it, and what reviewers said.
type File struct {
	Record
	// Self is the record as lists name it.
	Self Entry
	// Missing are the names of the fields without which it is a draft and does not count.
	Missing []string
	// Above are the records to which it belongs, the nearest first, and Below those that belong to it, by kind and day, at
	// most MaxBelow of them. Both are without what is hidden from the reader. Further is how many Below leaves out.
	Above, Below []Entry
	Further      int
	// Named are the records that its fields name, by id, without what is hidden from the reader.
	Named map[hlc.ID]Entry
	// Reviews of it, the newest first. The first one holds.
	Reviews []Review
	// Late are the positions in History at which it was changed after its newest review.
	Late []uint64
}

// Entry is a record as a list names it.
type Entry struct {
	ID      hlc.ID
	Kind    record.Kind
	Name    string // as record.Name has it
	Day     record.Date
	Author  progress.Named
	Deleted bool
}

// Review is what somebody said of a record.
type Review struct {
	ID      hlc.ID
	Outcome recordv1.ReviewOutcome
	Reasons []recordv1.ReviewReason
	Comment string
	By      progress.Named
	At      time.Time
	// Changed are the names of the counted fields that are not as they were reviewed: with any, an approval has lapsed.
	Changed []string
	// Answered reports whether anything in the record was set since: what was returned is mended then, or on the way to it.
	Answered bool
}

// MaxBelow bounds how many records are shown that belong to one, and how many that its fields name.
const MaxBelow = 200

// File is one record with what stands around it. Problem not_found when there is none, or it is hidden from the reader.
func (s *Service) File(ctx context.Context, by Reader, id hlc.ID) (File, error) {
	return read(ctx, s, by, id, func(l *lens, r syncing.Record) (out File, err error) {
		if out.Record, err = l.record(r); err != nil {
			return out, err
		}
		if err := l.history(&out.Record); err != nil {
			return out, err
		}
		family, err := l.family(r)
		if err != nil {
			return out, err
		}
		if err := l.around(&out, by, family); err != nil {
			return out, err
		}
		l.reviews(&out, family)
		out.Named, err = l.namedBy(by, out.Fields)
		return out, err
	})
}

// member is a record of a family, with its message; nil where only a newer program knows its kind.
type member struct {
	syncing.Record
	registers record.Registers
	message   record.Common
	owner     hlc.ID
}

// family are the records with the same root as r, by kind, day and age; r is among them.
func (l *lens) family(r syncing.Record) ([]member, error) {
	found, err := l.tx.Families([]hlc.ID{r.Root})
	if err != nil {
		return nil, err
	}
	members := make([]member, len(found))
	for i, one := range found {
		if members[i], err = memberOf(one); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(members, func(a, b member) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.day(), b.day()), hlc.CompareIDs(a.ID, b.ID))
	})
	return members, nil
}

func memberOf(r syncing.Record) (member, error) {
	registers, err := record.DecodeState(r.State)
	if err != nil {
		return member{}, fmt.Errorf("state of record %v: %w", r.ID, err)
	}
	m := member{Record: r, registers: registers}
	if !record.Known(r.Kind) {
		return m, nil
	}
	m.message = record.New(r.Kind)
	if err := proto.Unmarshal(registers.Fields(), m.message); err != nil {
		return member{}, fmt.Errorf("fields of record %v: %w", r.ID, err)
	}
	m.owner = registers.Owner(r.Kind)
	return m, nil
}

func (m member) day() record.Date {
	switch of := m.message.(type) {
	case nil:
		return 0
	case *recordv1.Case:
		return record.Date(of.GetOpenedOn())
	default:
		return record.Date(of.GetOccurredOn())
	}
}

func (m member) tallied() tally.Record {
	return tally.Record{ID: m.ID, Kind: m.Kind, Registers: m.registers}
}

// entry is a member as a list names it.
func (l *lens) entry(m member) Entry {
	e := Entry{ID: m.ID, Kind: m.Kind, Day: m.day(), Deleted: m.registers.Deleted()}
	if m.message == nil {
		return e
	}
	e.Name = record.Name(m.Kind, m.message)
	if author := hlc.IDOf(m.message.GetAuthor()); author != (hlc.ID{}) {
		e.Author = l.named(author)
	}
	return e
}

// around fills in what r belongs to and what belongs to it.
func (l *lens) around(out *File, by Reader, family []member) error {
	at := map[hlc.ID]int{}
	for i, m := range family {
		at[m.ID] = i
	}
	root, there := at[out.Root]
	sees := func(m member) (bool, error) {
		var of *syncing.Record
		if there {
			of = &family[root].Record
		}
		circle, err := syncing.CircleOf(m.Record, of)
		return err == nil && by.Sees(m.Record, circle), err
	}
	self := family[at[out.ID]]
	out.Self = l.entry(self)
	for _, number := range record.Missing(self.Kind, self.message) {
		out.Missing = append(out.Missing, record.FieldName(self.Kind, number))
	}
	for i, ok := at[self.owner]; ok && len(out.Above) < len(family); i, ok = at[family[i].owner] {
		visible, err := sees(family[i])
		if err != nil {
			return err
		}
		if !visible {
			break
		}
		out.Above = append(out.Above, l.entry(family[i]))
	}
	for _, m := range family {
		if m.owner != out.ID || m.Kind == recordv1.Kind_KIND_REVIEW {
			continue
		}
		visible, err := sees(m)
		switch {
		case err != nil:
			return err
		case !visible:
		case len(out.Below) == MaxBelow:
			out.Further++
		default:
			out.Below = append(out.Below, l.entry(m))
		}
	}
	return nil
}

// reviews fills in what reviewers said, and what changed after that.
func (l *lens) reviews(out *File, family []member) {
	var target tally.Record
	var reviews []tally.Record
	messages := map[hlc.ID]*recordv1.Review{}
	for _, m := range family {
		if m.ID == out.ID {
			target = m.tallied()
		}
		if of, ok := m.message.(*recordv1.Review); ok && m.owner == out.ID {
			messages[m.ID] = of
			reviews = append(reviews, m.tallied())
		}
	}
	for newest := tally.NewestReview(out.Kind, reviews); newest != nil; newest = tally.NewestReview(out.Kind, reviews) {
		of, judged := messages[newest.ID], newest.Registers.Get(record.ReviewOutcomeField).Stamp
		one := Review{ID: newest.ID, Outcome: of.GetOutcome(), Reasons: of.GetReasons(), Comment: of.GetComment(), By: l.named(hlc.IDOf(of.GetAuthor())),
			At: judged.Time.Wall().UTC()}
		for _, number := range tally.ChangedSince(&target, newest) {
			one.Changed = append(one.Changed, record.FieldName(out.Kind, number))
		}
		one.Answered = tally.Answered(target.Registers, judged)
		if len(out.Reviews) == 0 {
			for _, e := range out.History {
				if e.stamp.Compare(judged) > 0 {
					out.Late = append(out.Late, e.Position)
				}
			}
		}
		out.Reviews = append(out.Reviews, one)
		reviews = slices.DeleteFunc(reviews, func(r tally.Record) bool { return r.ID == one.ID })
	}
}

// namedBy are the records that fields name, without what is hidden from a reader.
func (l *lens) namedBy(by Reader, fields []Field) (map[hlc.ID]Entry, error) {
	var ids []hlc.ID
	for _, f := range fields {
		if f.Of == nil || !f.Plain.IsValid() || words.FormOf(f.Of) != words.Reference {
			continue
		}
		take := func(v protoreflect.Value) {
			if b := v.Bytes(); len(b) == len(hlc.ID{}) && len(ids) < MaxBelow {
				ids = append(ids, hlc.ID(b))
			}
		}
		if !f.Of.IsList() {
			take(f.Plain)
			continue
		}
		for i := range f.Plain.List().Len() {
			take(f.Plain.List().Get(i))
		}
	}
	found, err := l.tx.Records(ids)
	if err != nil {
		return nil, err
	}
	roots, err := syncing.RootsOf(l.tx, found...)
	if err != nil {
		return nil, err
	}
	named := map[hlc.ID]Entry{}
	for _, r := range found {
		circle, err := roots.CircleOf(r)
		if err != nil {
			return nil, err
		}
		if !by.Sees(r, circle) {
			continue
		}
		m, err := memberOf(r)
		if err != nil {
			return nil, err
		}
		named[r.ID] = l.entry(m)
	}
	return named, nil
}
