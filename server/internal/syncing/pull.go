package syncing

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"levee/server/internal/access"
	"levee/server/internal/inorder"
	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/record"
)

// How large pages are. A tablet may ask for smaller ones, not for larger ones.
const (
	pageBytes    = 512 << 10
	minPageBytes = 4 << 10
	// pageRows is how many records are read at once while a page fills.
	pageRows = 256
)

// puller fills one page from one snapshot.
type puller struct {
	store   Reading
	keys    *Keys
	self    *self
	device  hlc.ID
	person  access.Person
	replica hlc.Replica // the tablet's, when all of its changes are acknowledged to it; else 0
	cursor  uint64
	roots   Roots // that confidential records hang on; nil where there is none
}

// pull is the page after a cursor.
func (p *puller) pull(audiences []hlc.ID, request *syncv1.Pull) (*syncv1.Page, error) {
	head, err := p.store.Head()
	if err != nil {
		return nil, err
	}
	page := &syncv1.Page{Head: markOf(head.Position, head.Chain)}
	cursor := request.GetCursor().GetPosition()
	lost, err := lostHistory(p.store, request)
	switch {
	case err != nil:
		return nil, err
	case lost && len(request.GetMarks()) < 2: // one at most, to be compared
		page.SendMarks, page.Cursor = true, request.GetCursor()
		return page, nil
	case lost:
		// The newest mark of the tablet's that this log has is where both agree.
		if page.Common, err = common(p.store, request); err != nil {
			return nil, err
		}
		cursor = min(cursor, page.GetCommon().GetPosition())
	}
	p.cursor = cursor

	limit := pageBytes
	if asked := int(request.GetMaxBytes()); asked > 0 {
		limit = min(max(asked, minPageBytes), pageBytes)
	}
	last, complete, err := p.fill(page, audiences, cursor, limit)
	if err != nil {
		return nil, err
	}
	if complete {
		page.Cursor = page.Head
		return page, p.tellDecided(page, audiences)
	}
	for _, a := range audiences {
		n, err := p.store.Remaining(a, last)
		if err != nil {
			return nil, err
		}
		page.Remaining += n
	}
	at, _, err := p.store.ChainAt(last)
	page.Cursor = markOf(last, at)
	if err != nil {
		return nil, err
	}
	return page, p.tellDecided(page, audiences)
}

// tellDecided adds what else happened between the two cursors: records that the tablet may no longer have, and what became
// of its held changes.
func (p *puller) tellDecided(page *syncv1.Page, audiences []hlc.ID) error {
	to := page.GetCursor().GetPosition()
	var err error
	if page.Settled, err = settled(p.store, p.device, p.cursor, to); err != nil {
		return err
	}
	departures, err := p.store.Departures(append(slices.Clone(audiences), p.person.Worker), p.cursor, to)
	if err != nil {
		return err
	}
	told := map[hlc.ID]bool{}
	for _, d := range departures {
		if told[d.Record] {
			continue
		}
		// It may have come back since.
		stays, err := p.sees(d.Record, audiences)
		if err != nil {
			return err
		}
		if !stays || d.Reset {
			told[d.Record] = true
			page.Dropped = append(page.Dropped, slices.Clone(d.Record[:]))
		}
	}
	return nil
}

// sees reports whether the person may have a record now. One that is not there is nothing that they may not have.
func (p *puller) sees(id hlc.ID, audiences []hlc.ID) (bool, error) {
	found, err := p.store.Records([]hlc.ID{id})
	if err != nil || len(found) == 0 {
		return true, err
	}
	if !slices.Contains(audiences, found[0].Audience) {
		return false, nil
	}
	return p.mayRead(found[0])
}

// owns reports whether a mark is a place of this log.
func owns(store LogReading, m *syncv1.Mark) (bool, error) {
	chain, ok, err := store.ChainAt(m.GetPosition())
	return ok && (m.GetPosition() == 0 || batch.Same(m.GetChain(), chain)), err
}

// lostHistory reports whether this log is not the one that a tablet saw: it was restored from a backup, or is a copy, and
// nobody needs to have said so. The cursor tells; and its newest mark, while a tablet that has been further pulls everything
// again.
func lostHistory(store LogReading, pull *syncv1.Pull) (bool, error) {
	own, err := owns(store, pull.GetCursor())
	if err != nil || !own || len(pull.GetMarks()) == 0 {
		return !own, err
	}
	own, err = owns(store, pull.GetMarks()[0])
	return !own, err
}

// common is the newest of a tablet's marks that this log has; position 0 is common to all.
func common(store LogReading, pull *syncv1.Pull) (*syncv1.Mark, error) {
	best := &syncv1.Mark{}
	for _, m := range pull.GetMarks()[:min(len(pull.GetMarks()), maxMarks)] {
		if m.GetPosition() <= best.GetPosition() {
			continue
		}
		own, err := owns(store, m)
		if err != nil {
			return nil, err
		}
		if own {
			best = m
		}
	}
	return best, nil
}

// maxMarks bounds how many marks of a request are looked at.
const maxMarks = 64

// fill merges the audiences' records in the order of their positions until the page is full. last is the position of
// the last record that was looked at.
func (p *puller) fill(page *syncv1.Page, audiences []hlc.ID, after uint64, limit int) (last uint64, complete bool, err error) {
	records := inorder.Runs[Record]{Ahead: pageRows, Compare: func(a, b Record) int { return cmp.Compare(a.Position, b.Position) }}
	for _, audience := range audiences {
		records.Add(func(last *Record, limit int) ([]Record, error) {
			from := after
			if last != nil {
				from = last.Position
			}
			return p.store.Page(audience, from, limit)
		}, nil)
	}
	size := 0
	last = after
	for {
		r, ok, err := records.Next()
		if err != nil {
			return 0, false, err
		}
		if !ok {
			return last, true, nil
		}
		if size >= limit {
			return last, false, nil
		}
		last = r.Position
		may, err := p.mayRead(r)
		if err != nil {
			return 0, false, err
		}
		if may {
			pulled := p.pulled(r)
			page.Records = append(page.Records, pulled)
			size += len(pulled.State) + 48 // id, kind, position and proof with their tags
		}
	}
}

// pulled is a record as it is sent. Its body stays away when the tablet has it (see group.apply); a tablet that starts
// from the beginning gets everything.
func (p *puller) pulled(r Record) *syncv1.PulledRecord {
	m := &syncv1.PulledRecord{Id: r.ID[:], Kind: uint32(r.Kind), Position: r.Position, Proof: p.keys.Proof(p.self.deployment, r.ID, r.Kind, r.State)} //nolint:gosec // kinds are positive
	if p.replica == 0 || r.Origin != p.replica || p.cursor == 0 || p.cursor < r.OriginAfter {
		m.State = r.State
	}
	return m
}

// mayRead keeps confidential records from those who do not work on their root.
func (p *puller) mayRead(r Record) (bool, error) {
	if r.Kind != conflictKind && !record.Confidential(r.Kind) {
		return true, nil
	}
	registers, err := record.DecodeState(r.State)
	if err != nil || !confidential(r.Kind, registers) {
		return err == nil, err
	}
	if _, ok := p.roots[r.Root]; !ok {
		roots, err := RootsOf(p.store, r)
		if err != nil {
			return false, err
		}
		p.roots[r.Root] = roots[r.Root]
	}
	circle, err := p.roots.CircleOf(r)
	if err != nil {
		return false, err
	}
	// That its audience reaches them was decided before.
	return access.May(p.person, access.Seeing(circle.Shows), circle.Where(p.person, access.Everyone)) == access.Yes, nil
}

func markOf(position uint64, chain batch.Hash) *syncv1.Mark {
	if position == 0 {
		return &syncv1.Mark{}
	}
	return &syncv1.Mark{Position: position, Chain: slices.Clone(chain[:batch.ShortChain])}
}

// Proof is what a record that is given back after the server lost it is known by: the first 8 bytes of HMAC-SHA256 over
// deployment, id, kind and state.
func (k *Keys) Proof(deployment, id hlc.ID, kind record.Kind, state []byte) []byte {
	h := hmac.New(sha256.New, k.ProofKey)
	h.Write(deployment[:])
	h.Write(id[:])
	h.Write(binary.BigEndian.AppendUint32(nil, uint32(kind))) //nolint:gosec // kinds are positive
	h.Write(state)
	return h.Sum(nil)[:8]
}
