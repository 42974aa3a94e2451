package clientlib

import (
	"bytes"
	"context"

	"levee/clientlib/internal/localdb"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
	"levee/syncproto/wire"
)

// A tablet that was revoked shows and logs nothing from the moment when it learns of that, gives the server all that it
// wrote, and then destroys the key of its file.

// revoked takes over that the server put this tablet out of use, if the server signed that and it is about this tablet. news
// is true when the tablet did not know.
func (r *run) revoked(t *localdb.Tablet, e *syncv1.JournalEntry) (news bool) {
	if t.Revoked || e == nil || e.GetSort() != wire.JournalRevoked || !bytes.Equal(e.GetSubject(), t.Device[:]) ||
		wire.CheckJournalEntry(t.ServerKey, t.Deployment, e) != nil {
		return false
	}
	t.Revoked, r.sendMarks = true, false // no page comes any more that marks could be asked for
	return true
}

// over reports whether nothing is left to do for a revoked tablet but to destroy what it holds. Whether the server would lose
// what it has with its disk is not waited for: what is secret lies on a tablet that nobody trusts.
func over(t *localdb.Tablet) bool { return t.Revoked && t.Acknowledged == t.Sequence }

// destroy makes the file unreadable for ever.
func (r *run) destroy(ctx context.Context) error {
	if err := r.store.db.Destroy(ctx); err != nil {
		return err
	}
	r.store.revoked.Store(true)
	return problem.New(problem.DeviceRevoked)
}
