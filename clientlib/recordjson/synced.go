package recordjson

import (
	"context"

	"levee/clientlib"
)

// Synced is what a sync did, whether it came to its end or not.
type Synced struct {
	// Complete says that nothing is left on either side.
	Complete bool `json:"complete"`
	// Sent is how many changes the server acknowledged, Held how many of them it does not apply, Unsent how many are left.
	Sent   int `json:"sent"`
	Held   int `json:"held"`
	Unsent int `json:"unsent"`
	// Received is how many records came, Unreadable how many of them only a newer program can read.
	Received   int   `json:"received"`
	Unreadable int   `json:"unreadable"`
	Requests   int   `json:"requests"`
	BytesUp    int64 `json:"bytes_up"`
	BytesDown  int64 `json:"bytes_down"`
	// ClockCorrected is in milliseconds.
	ClockCorrected int64 `json:"clock_corrected_ms"`
	// GivenBack is how many records a server that had lost them took back.
	GivenBack int `json:"given_back"`
	// NewReplica says that another copy of this tablet is in use, and that this one goes on under a number of its own.
	NewReplica bool `json:"new_replica"`
	// Unconfirmed says that the server waits for a coordinator to confirm this tablet.
	Unconfirmed bool `json:"unconfirmed"`
}

// SyncedOf is the JSON form of what a sync did. Whether it came to its end is for the caller to say.
func SyncedOf(ctx context.Context, s *clientlib.Store, r clientlib.SyncResult) Synced {
	out := Synced{
		Sent: r.Sent, Held: r.Held, Received: r.Received, Unreadable: r.Unreadable, Requests: r.Requests, BytesUp: r.BytesUp, BytesDown: r.BytesDown,
		ClockCorrected: r.ClockCorrected.Milliseconds(), GivenBack: r.GivenBack, NewReplica: r.NewReplica, Unconfirmed: r.Unconfirmed,
	}
	if st, err := s.Status(ctx); err == nil {
		out.Unsent = st.Unsent
	}
	return out
}
