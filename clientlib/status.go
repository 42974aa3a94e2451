package clientlib

import (
	"context"
	"errors"
	"time"

	"levee/clientlib/internal/localdb"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// Status is how things stand with this tablet.
type Status struct {
	// Enrolled says that the tablet belongs to a deployment; all else is zero while it does not.
	Enrolled   bool
	Deployment hlc.ID
	Device     hlc.ID
	Worker     hlc.ID
	ServerURL  string
	// Site is where the worker logs, as chosen by SetSite; zero when not chosen.
	Site hlc.ID
	// Of this tablet's own changes: how many the server has not acknowledged; how many it has, but would lose with its
	// disk; and how many it has for good. The three are all there are.
	Unsent, Sent, Durable int
	// Held is how many of those that the server has it does not apply; see Store.Held. Discarded ones are left out.
	Held int
	// Unconfirmed says that the server knows this tablet by its certificate alone: it takes and holds what the tablet
	// sends, and sends nothing, until a coordinator has confirmed the tablet.
	Unconfirmed bool
	// Revoked says that the server has put this tablet out of use: nothing can be read or logged any more. What is unsent is
	// still sent by Sync, which then destroys what the file holds; from then on Unsent and all else is zero.
	Revoked bool
	// Erased says that all personal data of the deployment was erased: nothing confidential is on this tablet any more, and what is
	// confidential and logged from now on stays here only until it is sent.
	Erased bool
	// State is how far the deployment has come, active while nothing else is known, and Since the day on which it came there; 0 while
	// that is not known.
	State recordv1.DeploymentState
	Since record.Date
	// LastDay is the deployment's last day, 0 while none is set, and DaysLeft how many days there are until it, counted in its time
	// zone: 0 on that day itself, and negative after it. See Store.Owed for what is to be done until then.
	LastDay  record.Date
	DaysLeft int
	// Addendum is what came after the deployment was closed.
	Addendum Addendum
	// Edition is that of the newest certificate, issued on CertifiedOn; both are 0 while there is none.
	Edition     int
	CertifiedOn record.Date
	// Records is how many records are on this tablet, deleted ones left out.
	Records int
	// LastContact is when the server last answered; enrolment counts.
	LastContact time.Time
	// ClockOffset is by how much the tablet's clock is corrected: positive when it is slow.
	ClockOffset time.Duration
}

// Status tells how things stand. It is no error to ask before enrolment.
func (s *Store) Status(ctx context.Context) (Status, error) {
	var st Status
	err := s.even(ctx, s.db.Read, func(tx *localdb.Tx, t *localdb.Tablet) error {
		counts, err := tx.Counts(t)
		if err != nil {
			return err
		}
		st = Status{
			Enrolled: true, Deployment: t.Deployment, Device: t.Device, Worker: t.Worker, ServerURL: t.ServerURL, Site: t.Site,
			Unsent: int(t.Sequence - t.Acknowledged),                                                                    //nolint:gosec // counts of what is on this disk
			Sent:   int(t.Acknowledged-t.Durable) + counts.EarlierSent, Durable: int(t.Durable) + counts.EarlierDurable, //nolint:gosec // as above
			Held: counts.Held, Records: counts.Records, Unconfirmed: t.Unconfirmed, Revoked: t.Revoked, LastContact: t.LastContact, ClockOffset: t.Offset,
			State:    recordv1.DeploymentState_DEPLOYMENT_STATE_ACTIVE,
			Addendum: Addendum{Waiting: counts.LateWaiting, Accepted: counts.LateApplied, Declined: counts.LateDiscarded},
		}
		if st.Erased, err = tx.Erased(t); err != nil {
			return err
		}
		if t.Revoked {
			return nil
		}
		return s.tellState(tx, t, &st)
	})
	var e *Error
	if errors.As(err, &e) && e.Code == CodeNotEnrolled {
		return Status{}, nil
	}
	if s.revoked.Load() {
		return Status{Enrolled: true, Revoked: true}, nil
	}
	return st, err
}
