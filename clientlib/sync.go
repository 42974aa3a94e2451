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

// learnTime corrects the clock of a tablet that has logged nothing yet by the server's.
func (s *Store) learnTime(t *localdb.Tablet, server time.Time) {
	if off := server.Sub(s.wall()).Round(time.Millisecond); off.Abs() > clockTolerance {
		t.Offset = off
	}
	t.LastContact = s.wall().Add(t.Offset)
}
