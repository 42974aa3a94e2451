package main

import (
	"fmt"
	"slices"

	"levee/clientlib"
	"levee/clientlib/recordjson"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// showCmd shows a record with all that belongs to it.
type showCmd struct {
	ID string `arg:"" help:"${id_argument}"`
}

// Run shows the record.
func (c *showCmd) Run(s *session) error {
	r, err := s.record(c.ID)
	if err != nil {
		return err
	}
	if r.Message == nil {
		return s.fail(clientlib.CodeKindMismatch, newerRecord)
	}
	family, err := s.family(r, deepest)
	if err != nil {
		return err
	}
	return s.answer(s.familyJSON(family), func() {
		s.shown(r)
		if len(family.below) > 0 {
			fmt.Fprintln(&s.out)
			s.line(belongingsAre)
			s.rows(s.familyRows(family, ""))
		}
	})
}

// shown prints all fields of a record, and what else should be known of it.
func (s *session) shown(r clientlib.AnyRecord) {
	s.line(titleAndID, s.headline(r), shortID(r.ID))
	var rows [][]string
	for _, f := range words.Settable(r.Kind) {
		if m := r.Message.ProtoReflect(); m.Has(f) {
			rows = append(rows, []string{"  " + s.Field(f), s.shownText(f, m.Get(f))})
		}
	}
	s.rows(rows)
	if marks := s.marks(r); len(marks) > 0 {
		s.line(marksAre, s.List(marks))
	}
	if len(r.Missing) > 0 {
		s.line(isDraft, s.List(s.missingLabels(r)))
	}
	for _, code := range r.Held {
		s.because(code)
	}
	if recordjson.Unconfirmed(r) {
		s.advise()
	}
}

// family is a record with what belongs to it.
type family struct {
	clientlib.AnyRecord
	below []family
}

// deepest is how far down what belongs to a record is followed: a review of a note of a session of a case.
const deepest = 4

// family finds what belongs to a record, oldest first, without what is deleted.
func (s *session) family(r clientlib.AnyRecord, depth int) (family, error) {
	found := family{AnyRecord: r}
	if depth == 0 {
		return found, nil
	}
	for _, k := range tabletKinds {
		if !record.MayOwn(r.Kind, k) {
			continue
		}
		all, err := s.recordsOf(k)
		if err != nil {
			return found, err
		}
		for _, below := range slices.Backward(all) { // they come newest first
			if owner, ok := below.Owner(); !ok || owner != r.ID || below.Deleted {
				continue
			}
			one, err := s.family(below, depth-1)
			if err != nil {
				return found, err
			}
			found.below = append(found.below, one)
		}
	}
	return found, nil
}

// familyRows are the records below one, each level further in.
func (s *session) familyRows(f family, indent string) [][]string {
	var rows [][]string
	indent += "  "
	for _, b := range f.below {
		day := ""
		if d := b.Message.GetOccurredOn(); d != 0 {
			day = s.Date(record.Date(d))
		}
		rows = append(rows, []string{indent + s.kindLabel(b.Kind), shortID(b.ID), day, shorten(s.gist(b.AnyRecord), 50), s.List(s.marks(b.AnyRecord))})
		rows = append(rows, s.familyRows(b, indent)...)
	}
	return rows
}

func (s *session) familyJSON(f family) recordjson.Record {
	out := s.recordJSON(f.AnyRecord)
	for _, b := range f.below {
		out.Belongings = append(out.Belongings, s.familyJSON(b))
	}
	return out
}

// gist is what a record of its kind is mainly about: its own first fields, without the one that names its owner.
func (s *session) gist(r clientlib.AnyRecord) string {
	var parts []string
	m := r.Message.ProtoReflect()
	for _, f := range words.Settable(r.Kind) {
		if !words.IsCommon(f) && f.Number() != record.OwnerField(r.Kind) && m.Has(f) && len(parts) < 3 {
			parts = append(parts, s.shownText(f, m.Get(f)))
		}
	}
	return s.List(parts)
}
