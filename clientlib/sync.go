package clientlib

import (
	"context"
	"errors"
	"time"

	"levee/clientlib/internal/localdb"
	"levee/clientlib/internal/remote"
	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
)

// protocol is the version of the sync protocol that this program speaks.
const protocol = 1

// What one request carries at most. A line that often breaks gets something done with each of them.
const (
	batchChanges = 400
	batchBytes   = 256 << 10
	pageBytes    = 256 << 10
)

// clockTolerance is by how much a clock may be off before the server refuses it.
const clockTolerance = 5 * time.Minute

// clockTries is how often a sync corrects the clock and tries again.
const clockTries = 3

// Phase is what a sync is doing.
type Phase string

// The phases of a sync. While changes are sent, records are received too.
const (
	PhaseSending   Phase = "sending"
	PhaseReceiving Phase = "receiving"
	// PhaseDone: nothing is left on either side. A sync that fails or is stopped never says so.
	PhaseDone Phase = "done"
)

// Progress is how far a sync has come. The numbers to send and to receive grow when more turns up meanwhile.
type Progress struct {
	Phase Phase
	// Sent of ToSend changes are acknowledged.
	Sent, ToSend int
	// Received of ToReceive records are here. ToReceive is what the server said last; 0 before it has answered.
	Received, ToReceive int
	// GivenBack of ToGiveBack records are with a server again that had lost history.
	GivenBack, ToGiveBack int
	// BytesUp and BytesDown are what the sync has cost so far, as in SyncResult. They never go down.
	BytesUp, BytesDown int64
}

// Fraction is how much of the sync is done: from 0 to 1, which it is only at its end. It goes back when more turns up meanwhile.
func (p Progress) Fraction() float64 {
	if p.Phase == PhaseDone {
		return 1
	}
	done, all := p.Sent+p.Received+p.GivenBack, p.ToSend+p.ToReceive+p.ToGiveBack
	return min(0.99, float64(done)/float64(max(1, all)))
}

// SyncResult is what a sync did, whether it came to its end or not.
type SyncResult struct {
	// Requests is how many HTTP requests were made, BytesUp and BytesDown what they took: request and status lines,
	// headers and bodies as compressed, without what lies below HTTP (TLS, TCP). Without Options.Transport the numbers are those of
	// HTTP/1.1, whichever version was spoken.
	Requests           int
	BytesUp, BytesDown int64
	// Sent is how many changes were acknowledged, Held how many of them the server holds.
	Sent, Held int
	// Received is how many records came.
	Received int
	// Unreadable is how many records came that this program could not read. They are left as they were.
	Unreadable int
	// GivenBack is how many records a server that had lost history took back.
	GivenBack int
	// NewReplica says that another copy of this tablet wrote under its number, and that it goes on under a new one.
	NewReplica bool
	// Unconfirmed says that the server holds what is sent, and sends nothing, until a coordinator has confirmed the tablet;
	// see Status.Unconfirmed.
	Unconfirmed bool
	// ClockCorrected is by how much the tablet's clock was corrected.
	ClockCorrected time.Duration
}

// Sync sends what the server has not got, and receives what it has for this tablet, until nothing is left on either side.
// What one answer brought is kept before the next request is made, so a sync that fails or is cancelled goes on the
// next time from where it came to; a request that arrives twice, or an answer that never does, changes nothing. Logging goes on
// meanwhile, and what is logged is sent too.
//
// One sync runs at a time; a second call waits for the first. progress may be nil; it is called between requests, and
// must not call Sync or Close.
//
// A server that lost history gets back what this tablet has seen, whoever wrote it, and its own changes again. When another copy of
// this tablet writes under its number, it goes on under a new one.
//
// Codes of errors: unavailable when the server can't be reached, or its answers bring nothing forward, and those of any request;
// device_revoked (see Status.Revoked); server_not_trusted; clock_skew when the clock could not be corrected; forked when a new number did not help; not_enrolled, cancelled, closed.
func (s *Store) Sync(ctx context.Context, progress func(Progress)) (SyncResult, error) {
	if progress == nil {
		progress = func(Progress) {}
	}
	return s.sync(ctx, progress, nil)
}

// sync is Sync. arriving, which may be nil, is called with what the sync has cost so far whenever a part of an answer comes in.
func (s *Store) sync(ctx context.Context, progress func(Progress), arriving func(up, down int64)) (SyncResult, error) {
	ctx, leave, err := s.enter(ctx)
	if err != nil {
		return SyncResult{}, err
	}
	defer leave()
	select {
	case <-ctx.Done():
		return SyncResult{}, known(ctx.Err())
	case <-s.syncing:
	}
	defer func() { s.syncing <- struct{}{} }()
	if s.revoked.Load() {
		return SyncResult{}, problem.New(problem.DeviceRevoked)
	}

	s.logWaitingAlerts(ctx) // taken while this store was open already
	r := &run{store: s, report: progress, arriving: arriving}
	err = known(r.sync(ctx))
	s.renewCard(context.WithoutCancel(ctx))
	if r.client != nil {
		t := r.client.Traffic()
		r.result.Requests, r.result.BytesUp, r.result.BytesDown = t.Requests, t.BytesUp, t.BytesDown
	}
	return r.result, err
}

// run is one sync under way.
type run struct {
	store    *Store
	client   *remote.Client
	offset   time.Duration
	report   func(Progress)
	arriving func(up, down int64)
	progress Progress
	result   SyncResult
	recovery
}

func (r *run) sync(ctx context.Context) error {
	if err := r.begin(ctx); err != nil {
		return err
	}
	if r.over {
		return r.destroy(ctx)
	}
	r.tell()
	for {
		asked, err := r.prepare(ctx)
		if err != nil {
			return err
		}
		answer, err := r.client.Sync(ctx, asked.request)
		if err != nil {
			// Whether the caller has given up or not, what the refusal says must be kept.
			again, kerr := r.refused(context.WithoutCancel(ctx), asked, err)
			if kerr != nil {
				return kerr
			}
			if !again {
				return err
			}
			continue
		}
		more, err := r.keep(context.WithoutCancel(ctx), asked, answer)
		if err != nil {
			return err
		}
		switch {
		case !r.over:
		case r.store.logWaitingAlerts(context.WithoutCancel(ctx)) > 0: // taken meanwhile: handed over like the rest
			more = true
		default:
			return r.destroy(context.WithoutCancel(ctx))
		}
		if !more {
			// What of erased records is left in unused parts of the file is for the next sync to clean if it can't be done now.
			_ = r.store.db.Purge(ctx)
			r.progress.Phase = PhaseDone
			r.tell()
			return nil
		}
		r.tell()
	}
}

// tell reports how far the sync has come.
func (r *run) tell() {
	traffic := r.client.Traffic()
	r.progress.BytesUp, r.progress.BytesDown = traffic.BytesUp, traffic.BytesDown
	r.report(r.progress)
}

func (r *run) begin(ctx context.Context) error {
	return r.store.db.Read(ctx, func(tx *localdb.Tx) error {
		t, err := tx.Tablet()
		if err != nil {
			return err
		}
		r.offset, r.over = t.Offset, over(t)
		r.client = remote.NewSigned(t.ServerURL, r.store.way(t.Pin), &remote.Device{Deployment: t.Deployment, ID: t.Device, Key: t.Key, Now: r.now})
		if r.arriving != nil {
			r.client.Arriving(func() {
				traffic := r.client.Traffic()
				r.arriving(traffic.BytesUp, traffic.BytesDown)
			})
		}
		r.progress.Phase = PhaseReceiving
		if r.progress.ToSend = int(t.Sequence - t.Acknowledged); r.progress.ToSend > 0 { //nolint:gosec // a count of what is on this disk
			r.progress.Phase = PhaseSending
		}
		return nil
	})
}

// now is the corrected clock.
func (r *run) now() time.Time { return r.store.wall().Add(r.offset) }

// asked is a request, and what must be known of the tablet as it was then.
type asked struct {
	request *syncv1.SyncRequest
	replica hlc.Replica
	after   uint64 // the batch begins behind this sequence number
	newest  uint64 // Tablet.Sequence
	cursor  localdb.Mark
	journal localdb.Mark
	attempt uint64 // of requests with changes; 0 for one without
	before  uint64 // Tablet.Possible before it
	give    []localdb.Return
	toGive  int // how many there are to give back, those in give among them
}

// prepare makes the next request. That the server may get the changes in it is on the disk before they leave.
func (r *run) prepare(ctx context.Context) (*asked, error) {
	var a *asked
	err := r.store.db.Write(ctx, func(tx *localdb.Tx) error {
		t, err := tx.Tablet()
		if err != nil {
			return err
		}
		a = &asked{replica: t.Replica, after: t.Acknowledged, newest: t.Sequence, cursor: t.Cursor, journal: t.Journal, before: t.Possible}
		a.request = &syncv1.SyncRequest{
			Protocol: protocol, Clock: r.now().UnixMilli(),
			Pull: &syncv1.Pull{Cursor: &syncv1.Mark{Position: t.Cursor.Position, Chain: t.Cursor.Chain}, MaxBytes: pageBytes},
		}
		if r.store.app != t.App {
			a.request.App = r.store.app
		}
		if err := r.recover(tx, t, a); err != nil {
			return err
		}
		var entries []*syncv1.Entry
		if !r.busy(a) {
			if entries, err = tx.Outbox(t, batchChanges, batchBytes); err != nil {
				return err
			}
		}
		sending := uint64(len(entries))
		a.request.Unsent = t.Sequence - t.Acknowledged - sending
		a.request.Push = batch.SealEntries(t.Key, t.Deployment, t.Replica, t.Nonce, t.Acknowledged+1, t.AcknowledgedChain, entries)
		if sending == 0 {
			return nil
		}
		t.Attempts++
		t.Possible = max(t.Possible, t.Acknowledged+sending)
		a.attempt = t.Attempts
		return tx.Save(t)
	})
	return a, err
}

// refused keeps what an error says. again means that what was wrong with the request is mended: the clock was wrong and
// is right now, or the server wants to see the certificate.
func (r *run) refused(ctx context.Context, a *asked, refusal error) (again bool, err error) {
	var p *problem.Problem
	if !errors.As(refusal, &p) || !storedNothing(p.Code) {
		return false, nil
	}
	skew := p.Code == problem.ClockSkew && !p.ServerTime.IsZero()
	err = r.store.db.Write(ctx, func(tx *localdb.Tx) error {
		t, err := tx.Tablet()
		if err != nil {
			return err
		}
		if a.attempt != 0 && a.attempt == t.Attempts {
			t.Possible = a.before // no other request that may have got through was begun since
		}
		if !skew {
			return tx.Save(t)
		}
		shift := p.ServerTime.Sub(r.store.wall().Add(t.Offset)).Round(time.Millisecond)
		t.Offset += shift
		r.offset = t.Offset
		r.result.ClockCorrected += shift
		now := r.now()
		future := hlc.TimeOf(now.Add(clockTolerance))
		_, err = tx.Restamp(t, shift, hlc.TimeOf(now), future)
		r.ahead = t.Time > future
		return err
	})
	switch {
	case skew:
		r.clocks++
		return r.clocks <= clockTries, err
	case p.Code == problem.DeviceUnknown && a.request.GetCertificate() == nil:
		r.showCertificate = true // a server restored from before this tablet enrolled knows it by that
		return true, err
	default:
		return false, err
	}
}

// storedNothing reports whether a server that answers with a code has certainly kept nothing of the request: codes that
// it gives before it writes. body_too_large may be about the answer.
func storedNothing(c problem.Code) bool {
	switch c {
	case problem.Unavailable, problem.Internal, problem.StorageFull, problem.Busy, problem.BodyTooLarge:
		return false
	default:
		return true
	}
}

// keep takes over an answer, in one transaction. more says whether anything is left on either side.
func (r *run) keep(ctx context.Context, a *asked, answer *syncv1.SyncResponse) (more bool, err error) {
	var result SyncResult
	var unsent, remaining, toGive int
	err = r.store.db.Write(ctx, func(tx *localdb.Tx) error {
		result = r.result
		t, err := tx.Tablet()
		if err != nil {
			return err
		}
		before := *t
		got := answer.GetAcknowledgement()
		if got == nil {
			return problem.Newf(problem.Malformed, "an answer without an acknowledgement")
		}
		if t.Replica != a.replica || (got.GetForked() && t.Sequence != a.newest) {
			more = true // what another process did meanwhile: it took a new number, or logged and sent what this request did not know of
			return nil
		}
		t.LastContact = r.now()
		news := r.revoked(t, answer.GetRevocation())
		parted, err := parts(tx, t, got)
		if err != nil {
			return err
		}
		if parted {
			more = true
			return r.part(tx, t, a, answer, &result)
		}
		r.search = nil
		if err := acknowledge(tx, t, a, answer, &result); err != nil {
			return err
		}
		step := step{moved: news}
		if !t.Revoked {
			if step, err = r.receive(tx, t, a, answer, &result); err != nil {
				return err
			}
		}
		if c := answer.GetCertificate(); c != nil {
			if err := certify(t, c); err != nil {
				return err
			}
		}
		if a.request.GetApp() != "" {
			t.App = a.request.GetApp()
		}
		if t.Acknowledged < before.Acknowledged {
			r.setBacks++
		}
		unsent, remaining = int(t.Sequence-t.Acknowledged), int(answer.GetPage().GetRemaining()) //nolint:gosec // counts
		toGive = step.toGive
		more = unsent > 0 || remaining > 0 || step.more
		r.over = over(t)
		if more && !step.moved && stands(a, &before) && stands(a, t) && (remaining > 0 || len(a.request.GetPush().GetEntries()) > 0 || len(a.give) > 0) {
			return problem.Newf(problem.Unavailable, "the server's answers bring nothing forward")
		}
		return tx.Save(t)
	})
	if err != nil {
		return false, err
	}
	r.result = result
	r.progress.Sent, r.progress.ToSend = result.Sent, result.Sent+unsent
	r.progress.Received, r.progress.ToReceive = result.Received, result.Received+remaining
	r.progress.GivenBack, r.progress.ToGiveBack = result.GivenBack, result.GivenBack+toGive
	if unsent == 0 {
		r.progress.Phase = PhaseReceiving
	}
	if more && r.setBacks > mostSetBacks {
		return false, problem.Newf(problem.Unavailable, "the server loses history again and again")
	}
	return more, nil
}

// stands reports whether a tablet is where it was when it asked.
func stands(a *asked, t *localdb.Tablet) bool {
	return t.Acknowledged == a.after && t.Cursor.Position == a.cursor.Position
}

// acknowledgementOf is what an answer says of the own changes.
func acknowledgementOf(a *asked, answer *syncv1.SyncResponse) localdb.Acknowledgement {
	got := answer.GetAcknowledgement()
	ack := localdb.Acknowledgement{
		After: a.after, Have: got.GetHave(), Chain: got.GetHaveChain(), Durable: got.GetDurable(),
		Held: map[uint64]string{}, Known: map[uint64]bool{},
	}
	for _, h := range got.GetHeld() {
		ack.Held[h.GetSequence()] = h.GetCode()
	}
	for _, k := range got.GetKnown() {
		ack.Known[k] = true
	}
	return ack
}

func acknowledge(tx *localdb.Tx, t *localdb.Tablet, a *asked, answer *syncv1.SyncResponse, result *SyncResult) error {
	ack := acknowledgementOf(a, answer)
	before := t.Acknowledged
	if err := tx.Acknowledge(t, ack); err != nil {
		return err
	}
	for n := before + 1; n <= t.Acknowledged; n++ {
		result.Sent++
		if ack.Held[n] != "" {
			result.Held++
		}
	}
	return nil
}

// step is what an answer leaves to be done.
type step struct {
	// more asks for another request, moved says that the answer brought something forward that positions do not show.
	more, moved bool
	// toGive is how many records there are still to give back.
	toGive int
}

// receive takes over all of an answer but the acknowledgement: what was given back, what became of held changes, the
// page, where the next pull goes on, and where the server's log ended.
func (r *run) receive(tx *localdb.Tx, t *localdb.Tablet, a *asked, answer *syncv1.SyncResponse, result *SyncResult) (step, error) {
	var s step
	page := answer.GetPage()
	if t.Unconfirmed = answer.GetUnconfirmed(); t.Unconfirmed && page == nil {
		result.Unconfirmed = true
		return s, nil
	}
	if page == nil {
		return s, problem.Newf(problem.Malformed, "an answer without a page")
	}
	if page.GetSendMarks() {
		// Of this page nothing else is meant for a tablet that has seen another log: its head must not become a mark.
		if r.sendMarks {
			return s, problem.Newf(problem.Unavailable, "the server asks for marks that it was sent")
		}
		r.sendMarks = true
		return step{more: true, moved: true}, nil
	}
	r.sendMarks = false
	posting, err := tx.PostingOf(t.Worker)
	if err != nil {
		return s, err
	}
	lost, err := r.lose(tx, t, a, page)
	if err != nil {
		return s, err
	}
	if err := r.keepJournal(tx, t, a, answer, &s); err != nil {
		return s, err
	}
	if err := takePage(tx, t, answer, result); err != nil {
		return s, err
	}
	if err := moveOn(tx, t, a, page, posting, lost, &s); err != nil {
		return s, err
	}
	if err := given(tx, a, answer, result); err != nil {
		return s, err
	}
	if _, s.toGive, err = tx.ToGive(0, 0); err != nil {
		return s, err
	}
	s.more = s.more || s.toGive > 0
	s.moved = s.moved || lost || s.toGive < a.toGive
	return s, nil
}

// takePage merges what a page brings.
func takePage(tx *localdb.Tx, t *localdb.Tablet, answer *syncv1.SyncResponse, result *SyncResult) error {
	page := answer.GetPage()
	for _, settled := range page.GetSettled() {
		if len(settled.GetChange()) == len(hlc.ID{}) {
			if err := tx.Settle(t, hlc.ID(settled.GetChange()), settled.GetCode()); err != nil {
				return err
			}
		}
	}
	dropped := make([]hlc.ID, 0, len(page.GetDropped()))
	for _, id := range page.GetDropped() {
		if len(id) == len(hlc.ID{}) {
			dropped = append(dropped, hlc.ID(id))
		}
	}
	if err := tx.Drop(t, dropped); err != nil {
		return err
	}
	records, unreadable := pulled(page.GetRecords())
	more, err := tx.Pull(t, records, answer.GetAcknowledgement().GetHave() == t.Acknowledged)
	result.Received += len(page.GetRecords())
	result.Unreadable += unreadable + more
	return err
}

func mark(m *syncv1.Mark) localdb.Mark {
	return localdb.Mark{Position: m.GetPosition(), Chain: m.GetChain()}
}

// learnTime corrects the clock of a tablet that has logged nothing yet by the server's.
func (s *Store) learnTime(t *localdb.Tablet, server time.Time) {
	if off := server.Sub(s.wall()).Round(time.Millisecond); off.Abs() > clockTolerance {
		t.Offset = off
	}
	t.LastContact = s.wall().Add(t.Offset)
}
