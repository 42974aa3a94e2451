package syncing

import (
	"slices"

	"levee/server/internal/access"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// sender is whose changes are judged.
type sender struct {
	worker hlc.ID
	// others: the device has written under another number too.
	others bool
	// unconfirmed: the server knows the device by its certificate alone.
	unconfirmed bool
	// revoked: the device was revoked.
	revoked bool
}

func (g *group) sender(device hlc.ID, replica hlc.Replica) (sender, error) {
	d, _, err := g.store.Device(device)
	if err != nil {
		return sender{}, err
	}
	d = g.self.asNoted(d)
	others, err := g.store.OtherReplicas(device, replica)
	return sender{worker: d.Worker, others: others, unconfirmed: d.AdmittedAt != 0, revoked: d.RevokedAt != 0}, err
}

// submission is a change to be judged.
type submission struct {
	*arrival
	sender
	// again is the position of a change that was held and is judged again; 0 for one that has just come.
	again uint64
	// by is who wants it applied; nil for its author.
	by *access.Person
}

// verdict is what becomes of a change.
type verdict struct {
	// outcome is Applied, Known, Erased, or the code why it is held.
	outcome string
	// waitsFor is the record without which it can't be applied, when that may still come.
	waitsFor hlc.ID
	// idle: the record has all of it already, so that nothing moves.
	idle bool
}

func held(code record.Code) verdict { return verdict{outcome: string(code)} }

// judge decides what becomes of a change.
func (g *group) judge(s submission) (verdict, error) {
	if s.change == nil {
		return verdict{outcome: s.code}, nil
	}
	c := s.change
	e, err := g.get(c.Record)
	if err != nil {
		return verdict{}, err
	}
	if gone, err := g.erased(c.Record, c.Kind, func() record.Registers { return e.with(s.set) }); err != nil || gone {
		return verdict{outcome: Erased}, err
	}
	if e.there && c.Makes() {
		return verdict{outcome: Known}, nil // the record is there, so what made it is
	}
	late, err := g.late(s)
	if err != nil {
		return verdict{}, err
	}
	// Only a tablet that went on under a new number sends edits again; all others need not be looked for.
	if s.others || s.again != 0 || (!e.there && !c.Makes()) {
		past, err := g.past(c.Record)
		if err != nil {
			return verdict{}, err
		}
		past = slices.DeleteFunc(past, func(was LogEntry) bool { return was.Position == s.again })
		for _, was := range past {
			switch {
			case was.Change != c.ID:
			case was.Outcome == Applied, was.Outcome == Known && s.again == 0:
				return verdict{outcome: Known}, nil
			case s.again == 0: // held under the other number, so it is here
				return verdict{outcome: was.Outcome, waitsFor: was.WaitsFor}, nil
			}
		}
		if !e.there && !c.Makes() && !s.barred() {
			if late && !access.AfterClosing(c.Kind) {
				return held(record.CodeDeploymentClosed), nil // decided on together with what made its record
			}
			if len(past) > 0 {
				return verdict{outcome: string(record.CodeRecordHeld), waitsFor: c.Record}, nil
			}
			return verdict{outcome: string(record.CodeRecordMissing), waitsFor: c.Record}, nil
		}
	}
	switch {
	case s.accepted && e.there && e.Kind == c.Kind && e.registers.Covers(s.set):
		// Sent again to a server that lost it, after somebody had given the record back: it was judged when it first came.
		return verdict{idle: true}, nil
	case s.barred():
		return held(record.CodeDeviceRevoked), nil
	case s.unconfirmed && !s.released():
		return held(record.CodeUnconfirmed), nil
	case s.future && !s.released():
		return held(record.CodeStampInFuture), nil
	case s.code != "" && (!s.released() || !record.Code(s.code).Mended()):
		return verdict{outcome: s.code}, nil
	case e.there && e.Kind != c.Kind:
		return held(record.CodeKindMismatch), nil
	}
	return g.judgeAccess(s, e, late)
}

// released reports whether somebody decided that the change is to be applied.
func (s submission) released() bool { return s.by != nil }

// barred reports whether the change is held because its tablet was revoked, whatever else is to be said of it.
func (s submission) barred() bool { return s.revoked && !s.released() }

// judgeAccess asks whether the author, or who releases the change, might do this, posted as they were at that time.
func (g *group) judgeAccess(s submission, e *entry, late bool) (verdict, error) {
	c := s.change
	merged := e.with(s.set)
	if tooLarge(merged) {
		return held(record.CodeTooLarge), nil
	}
	if late && !access.AfterClosing(c.Kind) {
		return held(record.CodeDeploymentClosed), nil // whether or not that is here to which it belongs
	}
	root, audience, code, err := g.place(c.Kind, c.Record, merged)
	if err != nil {
		return verdict{}, err
	}
	if code != "" {
		v := held(code)
		if owner, err := g.get(merged.Owner(c.Kind)); err != nil {
			return verdict{}, err
		} else if !owner.there {
			v.waitsFor = owner.ID
		}
		return v, nil
	}
	if c.Kind == recordv1.Kind_KIND_HELD_DECISION && merged.Get(record.AuthorField).ID() != s.worker {
		return held(record.CodeNotAllowed), nil // by whom it is decides what it may decide
	}
	person := s.by
	if person == nil {
		p, err := g.person(s.worker, c.Stamp.Time)
		if err != nil {
			return verdict{}, err
		}
		person = &p
	}
	frozen, err := g.freezes(c.Kind, e.registers, merged)
	if err != nil {
		return verdict{}, err
	}
	if frozen {
		return held(record.CodeNotAllowed), nil
	}
	before := audience
	if e.there {
		before = e.Audience
	}
	return held(access.Write(*person, c.Kind, access.Scope{
		Makes: !e.there, Root: root == c.Record, Before: before, After: audience, Reserved: touchesReserved(c.Kind, s.set),
		Closed: late,
	})), nil
}
