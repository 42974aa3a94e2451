package clientlib

import (
	"context"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"levee/clientlib/internal/localdb"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// Addendum is how many of this tablet's changes the server took when the deployment was closed already 补报, by what became of them: a
// coordinator accepts them into another edition of the certificate, or declines them. Store.Held has those that wait or were
// declined, with the reason where the coordinator's decision reached this tablet.
type Addendum struct{ Waiting, Accepted, Declined int }

// Any reports whether there are any.
func (a Addendum) Any() bool { return a.Waiting+a.Accepted+a.Declined > 0 }

// Owed is what a tablet still owes before its deployment can be closed.
type Owed struct {
	// Unsent are own changes that the server has not acknowledged, Forms what was begun and not logged.
	Unsent, Forms int
	// Held are own changes that the server does not apply; without those that wait since the deployment was closed, which are
	// the coordinator's to decide about.
	Held int
	// Returned are records of this worker that a review returned, Drafts those that lack a required field; see Store.Returned and
	// Store.Drafts.
	Returned, Drafts int
	// Conflicts are all that are on this tablet and not settled, others' among them.
	Conflicts int
	// OpenCases are those that this worker leads and that are neither closed nor referred: no referral of theirs was sent that was
	// not declined.
	OpenCases int
}

// Nothing reports whether nothing is owed.
func (o Owed) Nothing() bool { return o == Owed{} }

// Owed tells what is still to be done on this tablet. What is on it and waits for nobody is not read: indexes alone tell how many cases
// are open, and Returned and Drafts cost what they cost by themselves.
func (s *Store) Owed(ctx context.Context) (Owed, error) {
	var o Owed
	err := s.look(ctx, func(l *look) error {
		counts, err := l.tx.Counts(l.tablet)
		if err != nil {
			return err
		}
		returned, err := l.returned()
		if err != nil {
			return err
		}
		drafts, err := l.drafts()
		if err != nil {
			return err
		}
		conflicts, err := l.tx.Waiting(recordv1.Kind_KIND_CONFLICT)
		if err != nil {
			return err
		}
		o = Owed{
			Unsent: int(l.tablet.Sequence - l.tablet.Acknowledged), //nolint:gosec // a count of what is on this disk
			Held:   counts.Held - counts.LateWaiting, Returned: len(returned), Drafts: len(drafts),
		}
		for _, c := range conflicts {
			if !isSettled(c.View) {
				o.Conflicts++
			}
		}
		if o.OpenCases, err = l.tx.OpenCases(); err != nil {
			return err
		}
		o.Forms, err = l.tx.UnfinishedForms()
		return err
	})
	return o, err
}

// Numbers of the fields by which it is told how a deployment is closed.
const (
	fieldDeploymentState    protowire.Number = 26
	fieldConflictSettled    protowire.Number = 20
	fieldCertificateEdition protowire.Number = 16
)

func isSettled(conflict record.Registers) bool {
	return conflict.Get(fieldConflictSettled).Number() != 0
}

// tellState tells how far the deployment has come.
func (s *Store) tellState(tx *localdb.Tx, t *localdb.Tablet, st *Status) error {
	found, err := tx.OfKind(recordv1.Kind_KIND_DEPLOYMENT)
	if err != nil || len(found) == 0 {
		return err
	}
	m, err := message(found[0].Kind, found[0].View.Fields())
	if err != nil {
		return err
	}
	deployment := m.(*recordv1.Deployment)
	zone, err := time.LoadLocation(deployment.GetTimeZone())
	if err != nil { // whoever logs is told
		zone = time.UTC
	}
	st.State = stateOf(deployment)
	if set := found[0].View.Get(fieldDeploymentState); set.Field != 0 {
		st.Since = record.DateOf(set.Stamp.Time.Wall(), zone)
	}
	if st.LastDay = record.Date(deployment.GetEndOn()); st.LastDay != 0 {
		now, _ := s.now(t)
		st.DaysLeft = record.DateOf(now, zone).DaysUntil(st.LastDay)
	}
	certificates, err := tx.Newest(recordv1.Kind_KIND_CERTIFICATE) // of which the newest edition is one
	for _, c := range certificates {
		if edition := int(c.View.Get(fieldCertificateEdition).Number()); edition > st.Edition {
			st.Edition, st.CertifiedOn = edition, c.Day
		}
	}
	return err
}

// stateOf is how far a deployment has come.
func stateOf(m *recordv1.Deployment) recordv1.DeploymentState {
	if m.GetState() == recordv1.DeploymentState_DEPLOYMENT_STATE_UNKNOWN {
		return recordv1.DeploymentState_DEPLOYMENT_STATE_ACTIVE
	}
	return m.GetState()
}
