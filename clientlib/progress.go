package clientlib

import "time"

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
