package clientlib

import (
	"context"

	"levee/clientlib/internal/localdb"
	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
)

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
	// again: everything is to be pulled again, and what the answer's page has is passed over.
	again bool
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
	if s.again {
		s.more, s.moved = true, true // the page may be from before the deployment was erased
	} else {
		if err := takePage(tx, t, answer, result); err != nil {
			return s, err
		}
		if err := moveOn(tx, t, a, page, posting, lost, &s); err != nil {
			return s, err
		}
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
