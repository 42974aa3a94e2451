package clientlib

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"google.golang.org/protobuf/proto"

	"levee/clientlib/internal/localdb"
	"levee/syncproto/batch"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
	"levee/syncproto/wire"
)

// What one request gives back at most, and how many chains it tells while it is sought where two copies parted.
const (
	giveRecords = 200
	giveBytes   = 256 << 10
	searchWidth = 64
)

// journalPage is how many entries of the journal one answer has at most.
const journalPage = 200

// What one sync goes through before it gives up. A server that is set back once has the tablet begin again twice at
// most; one that is always another (two servers behind one name) would never come to an end.
const (
	mostSetBacks = 6
	mostForks    = 2
)

// recovery is what one sync has found out of which the next requests must take care. None of it is kept: the next sync
// finds it out again.
type recovery struct {
	// clocks is how often the clock was corrected, setBacks how often the server had less than before, forks how often a
	// new number was taken.
	clocks, setBacks, forks int
	// ahead: what was seen has stamps in the future, from a time when the server's own clock ran ahead, and what follows it
	// can't be lower. The server is told so, and holds it until somebody decides.
	ahead bool
	// showCertificate: the server does not know the device.
	showCertificate bool
	// sendMarks: the server's log is not the one that the cursor names.
	sendMarks bool
	// sendJournal: the server's journal is not the one held here; journalSent, that all of it was sent.
	sendJournal, journalSent bool
	// over: the tablet was revoked, and the server has all that it wrote.
	over bool
	// search is where the chains of this tablet and the server may part; nil while they do not.
	search *search
}

// search closes in on the last own change that the server has as it is here: the chains agree at low, and no more at high.
type search struct{ low, high uint64 }

// busy reports whether a request carries no changes, because something else comes first: what a server lost must be
// there again before changes that hang on it, and where chains part is sought with nothing added to them.
func (r *run) busy(a *asked) bool { return len(a.give) > 0 || r.sendMarks || r.search != nil }

// recover adds to a request what recovery needs.
func (r *run) recover(tx *localdb.Tx, t *localdb.Tablet, a *asked) error {
	req := a.request
	switch {
	case r.ahead:
		req.Accepted = t.Sequence
	case t.Accepted > t.Acknowledged:
		req.Accepted = t.Accepted
	}
	var err error
	if req.Certificate, err = certificateToShow(t, r.now(), r.showCertificate || t.Unconfirmed); err != nil {
		return err
	}
	switch {
	case r.sendMarks:
		marks, err := tx.Marks()
		if err != nil {
			return err
		}
		for _, m := range marks {
			req.Pull.Marks = append(req.Pull.Marks, &syncv1.Mark{Position: m.Position, Chain: m.Chain})
		}
		// All logs are the same at their beginning. One mark alone would be taken for the one to compare.
		req.Pull.Marks = append(req.Pull.Marks, &syncv1.Mark{}, &syncv1.Mark{})
	case r.search != nil:
		if req.Chains, err = r.search.chains(tx, t); err != nil {
			return err
		}
	case !t.Unconfirmed && !t.Revoked: // else a server takes nothing back
		if a.give, a.toGive, err = tx.ToGive(giveRecords, giveBytes); err != nil {
			return err
		}
		for _, g := range a.give {
			req.GiveBack = append(req.GiveBack, &syncv1.GivenRecord{Id: g.Record[:], Kind: uint32(g.Kind), State: g.State, Proof: g.Proof}) //nolint:gosec // kinds are positive
		}
	}
	if t.Recheck.Position > 0 && !r.sendMarks {
		req.Pull.Marks = []*syncv1.Mark{{Position: t.Recheck.Position, Chain: t.Recheck.Chain}}
	}
	return r.tellJournal(tx, t, req)
}

// tellJournal says up to where the journal is held, or sends all of it when the server asked for it.
func (r *run) tellJournal(tx *localdb.Tx, t *localdb.Tablet, req *syncv1.SyncRequest) error {
	if !r.sendJournal {
		if t.Journal.Position > 0 {
			req.Journal = &syncv1.Mark{Position: t.Journal.Position, Chain: t.Journal.Chain}
		}
		return nil
	}
	entries, err := tx.Journal()
	if err != nil {
		return err
	}
	for _, encoded := range entries {
		entry := &syncv1.JournalEntry{}
		if err := proto.Unmarshal(encoded, entry); err != nil {
			return fmt.Errorf("reading the journal: %w: %w", localdb.ErrDamaged, err)
		}
		req.JournalEntries = append(req.JournalEntries, entry)
	}
	r.journalSent = true
	return nil
}

// keepJournal keeps the entries that came. Should one not be the server's, none of them is kept, and nothing else waits
// for it.
func (r *run) keepJournal(tx *localdb.Tx, t *localdb.Tablet, a *asked, answer *syncv1.SyncResponse, s *step) error {
	r.sendJournal = answer.GetSendJournal() && !r.journalSent
	s.more, s.moved = s.more || r.sendJournal, s.moved || r.sendJournal
	if answer.GetJournal() == nil || t.Journal.Position != a.journal.Position || !bytes.Equal(t.Journal.Chain, a.journal.Chain) {
		return nil
	}
	entries := make([][]byte, 0, len(answer.GetJournalEntries()))
	for _, entry := range answer.GetJournalEntries() {
		if wire.CheckJournalEntry(t.ServerKey, t.Deployment, entry) != nil {
			return nil //nolint:nilerr // nothing else of the answer waits for it
		}
		encoded, err := proto.Marshal(entry)
		if err != nil {
			return fmt.Errorf("encoding an entry of the journal: %w", err)
		}
		entries = append(entries, encoded)
	}
	if len(entries) >= journalPage {
		s.more, s.moved = true, true
	}
	var err error
	s.again, err = tx.KeepJournal(t, entries, mark(answer.GetJournal()), a.request.GetJournal() == nil)
	return err
}

// lose goes back to the newest mark that the server and this tablet share, when the server lost history.
func (r *run) lose(tx *localdb.Tx, t *localdb.Tablet, a *asked, page *syncv1.Page) (bool, error) {
	common := page.GetCommon()
	if common == nil {
		return false, nil
	}
	if newest := max(a.cursor.Position, t.Recheck.Position); common.GetPosition() >= newest {
		return false, problem.Newf(problem.Malformed, "a log that parts before position %d and has a mark at %d", newest, common.GetPosition())
	}
	if t.Cursor.Position != a.cursor.Position {
		return false, nil // another process has gone back meanwhile
	}
	r.setBacks++
	return true, tx.LoseHistory(t, mark(common))
}

// given keeps what the server took back.
func given(tx *localdb.Tx, a *asked, answer *syncv1.SyncResponse, result *SyncResult) error {
	codes := map[string]string{}
	for _, outcome := range answer.GetGiven() {
		codes[string(outcome.GetId())] = outcome.GetCode()
	}
	for _, g := range a.give {
		code, ok := codes[string(g.Record[:])]
		if !ok {
			continue
		}
		if err := tx.Given(g, answer.GetPage().GetHead().GetPosition(), code, answer.GetPage().GetRemaining() == 0); err != nil {
			return err
		}
		result.GivenBack++
	}
	return nil
}

// moveOn takes over where the next pull goes on. was is how the worker was posted before the page.
func moveOn(tx *localdb.Tx, t *localdb.Tablet, a *asked, page *syncv1.Page, was localdb.Posting, lost bool, s *step) error {
	now, err := tx.PostingOf(t.Worker)
	if err != nil {
		return err
	}
	switch {
	case now != was && t.Cursor.Position > 0:
		s.more, s.moved = true, true
		return tx.PullAgain(t) // what the new team or role may see lies behind the cursor
	case !lost && (t.Cursor.Position != a.cursor.Position || !bytes.Equal(t.Cursor.Chain, a.cursor.Chain)):
		s.more = s.more || t.Cursor.Position < a.cursor.Position // another process went on, or back
		return nil
	}
	if err := tx.NotShown(t.Cursor.Position, page.GetCursor().GetPosition()); err != nil {
		return err
	}
	t.Cursor = mark(page.GetCursor())
	if t.Cursor.Position >= t.Recheck.Position {
		t.Recheck = localdb.Mark{} // from here on the cursor tells
	}
	return tx.SeeMark(t.Cursor)
}

// parts reports whether what the server has under this tablet's number is not what the tablet wrote, or more.
func parts(tx *localdb.Tx, t *localdb.Tablet, got *syncv1.Acknowledgement) (bool, error) {
	if got.GetForked() || got.GetHave() > t.Sequence {
		return true, nil
	}
	chain, err := tx.ChainAt(t, got.GetHave())
	return !batch.Same(got.GetHaveChain(), chain), err
}

// part closes in on where the chains of this tablet and the server part, and once that is found goes on under a new
// number from there.
func (r *run) part(tx *localdb.Tx, t *localdb.Tablet, a *asked, answer *syncv1.SyncResponse, result *SyncResult) error {
	if t.Acknowledged != a.after {
		return tx.Save(t) // another process has been told more
	}
	was := r.search
	r.search = narrowed(was, t, a, answer.GetAcknowledgement())
	switch {
	case r.search == nil: // the server is another than the one that was asked before
		r.setBacks++
		return tx.Save(t)
	case r.search.low+1 < r.search.high:
		if was != nil && *was == *r.search {
			return problem.Newf(problem.Unavailable, "the server does not say where the chains part")
		}
		return tx.Save(t)
	}
	if r.forks++; r.forks > mostForks {
		return localdb.ErrForked
	}
	var nonce [8]byte
	if _, err := io.ReadFull(r.store.entropy, nonce[:]); err != nil {
		return fmt.Errorf("making a replica number: %w", err)
	}
	ack := acknowledgementOf(a, answer)
	ack.Have = r.search.low
	r.search = nil
	result.NewReplica = true
	_, err := tx.Fork(t, ack, binary.BigEndian.Uint64(nonce[:]))
	return err
}

// narrowed is what is left to search after an answer; nil when it contradicts those before.
func narrowed(s *search, t *localdb.Tablet, a *asked, got *syncv1.Acknowledgement) *search {
	next := search{high: min(got.GetHave(), t.Sequence) + 1}
	if s != nil {
		next.low, next.high = s.low, min(s.high, next.high)
	}
	told := []uint64{a.after}
	for i := range a.request.GetPush().GetEntries() {
		told = append(told, a.after+uint64(i)+1)
	}
	for _, c := range a.request.GetChains() {
		told = append(told, c.GetSequence())
		if !got.GetForked() && c.GetSequence() <= got.GetHave() {
			next.low = max(next.low, c.GetSequence()) // of those that it was told none differs
		}
	}
	switch {
	case got.GetForked():
		next.low = max(next.low, got.GetMatched())
		for _, n := range told {
			if n > next.low {
				next.high = min(next.high, n)
			}
		}
	case got.GetHave() <= t.Sequence: // at have itself they differ
		next.high = min(next.high, got.GetHave())
	}
	if next.low >= next.high {
		return nil
	}
	return &next
}

// chains are the own chain at numbers spread over what is left to search.
func (s *search) chains(tx *localdb.Tx, t *localdb.Tablet) ([]*syncv1.ReplicaMark, error) {
	n := min(searchWidth, s.high-s.low-1)
	at := make([]uint64, 0, n)
	for i := uint64(1); i <= n; i++ {
		at = append(at, s.low+i*(s.high-s.low)/(n+1))
	}
	chains, err := tx.ChainsAt(t, at)
	if err != nil {
		return nil, err
	}
	marks := make([]*syncv1.ReplicaMark, 0, n)
	for i, chain := range chains {
		marks = append(marks, &syncv1.ReplicaMark{Sequence: at[i], Chain: chain[:batch.ShortChain]})
	}
	return marks, nil
}
