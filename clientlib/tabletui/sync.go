package tabletui

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"levee/clientlib"
)

// badge says how far this tablet's own work has got: on this tablet only, sent, safe.
type badge struct {
	// Sort is unsent, sent, safe, or wrong where somebody has to do something.
	Sort, Text string
}

// Badge is the badge of the page.
func (v *visit) Badge() badge { return v.badgeOf(v.desk.syncer.State()) }

func (v *visit) badgeOf(s clientlib.SyncState) badge {
	st := s.Status
	switch {
	case !st.Enrolled:
		return badge{"wrong", v.T("badge_not_enrolled")}
	case st.Revoked:
		return badge{"wrong", v.T("badge_revoked")}
	case st.Unsent > 0 && s.Doing == clientlib.SyncRunning:
		return badge{"unsent", v.T("badge_sending", v.N("unsent_count", st.Unsent), percent(s.Fraction))}
	case st.Unsent > 0:
		return badge{"unsent", v.N("unsent_count", st.Unsent)}
	case st.Sent > 0:
		return badge{"sent", v.N("sent_count", st.Sent)}
	default:
		return badge{"safe", v.T("badge_safe")}
	}
}

// percent is a fraction in whole percent, rounded down, so that 100 is said only when it is done.
func percent(fraction float64) int { return int(fraction * 100) }

func (v *visit) badge() error { return v.part("problem", "badge", v.Badge()) }

// syncBody is what the page of the sync shows.
type syncBody struct {
	Badge badge
	// Counts are the own changes by how far they have got.
	Unsent, Sent, Safe string
	Records            string
	Running            bool
	// Percent and Amount tell how far a sync under way is; Amount in records and bytes.
	Percent int
	Amount  string
	// Lines say how it stands, in sentences.
	Lines []string
	// Wrong is what went wrong last, with what to do.
	Wrong   string
	Ending  *ending
	Waiting []choice
}

func (v *visit) syncBody() (*syncBody, error) {
	s := v.desk.syncer.State()
	st := s.Status
	b := &syncBody{
		Badge: v.badgeOf(s), Unsent: v.Number(int64(st.Unsent)), Sent: v.Number(int64(st.Sent)), Safe: v.Number(int64(st.Durable)), Records: v.N("records_here", st.Records),
		Running: s.Doing == clientlib.SyncRunning, Percent: percent(s.Fraction),
	}
	p := s.Progress
	switch {
	case b.Running && p.ToReceive == 0 && p.ToSend == 0:
		b.Amount = v.T("sync_asking")
	case b.Running:
		b.Amount = v.T("sync_amount", p.Sent, p.ToSend, p.Received, p.ToReceive, v.bytes(p.BytesUp+p.BytesDown))
	}
	if s.Err != nil {
		b.Wrong = clientlib.Message(s.Err, v.Lang())
	}
	switch s.Doing {
	case clientlib.SyncWaiting:
		if !s.Next.IsZero() && s.Err != nil {
			b.Lines = append(b.Lines, v.T("sync_next", v.Clock(s.Next)))
		}
	case clientlib.SyncPaused:
		b.Lines = append(b.Lines, v.T("sync_paused"))
	}
	switch {
	case !s.Last.IsZero():
		b.Lines = append(b.Lines, v.T("sync_last", v.At(s.Last)))
	case st.LastContact.IsZero():
		b.Lines = append(b.Lines, v.T("sync_never"))
	default:
		b.Lines = append(b.Lines, v.T("sync_contact", v.At(st.LastContact)))
	}
	if st.Unconfirmed {
		b.Lines = append(b.Lines, v.T("sync_unconfirmed"))
	}
	if st.Erased {
		b.Lines = append(b.Lines, v.T("sync_erased"))
	}
	if s.Result.NewReplica {
		b.Lines = append(b.Lines, v.T("sync_copied"))
	}
	if st.Sent > 0 && st.Unsent == 0 {
		b.Lines = append(b.Lines, v.T("sync_not_safe_yet"))
	}
	if st.ClockOffset.Abs() > time.Minute {
		b.Lines = append(b.Lines, v.T("sync_clock", v.Duration(st.ClockOffset.Abs())))
	}
	var err error
	if b.Ending, err = v.ending(); err != nil {
		return nil, err
	}
	b.Waiting, err = v.waiting(b.Ending)
	return b, err
}

// bytes is a number of bytes as people read it.
func (v *visit) bytes(n int64) string {
	switch {
	case n < 1000:
		return v.T("bytes", n)
	case n < 1000*1000:
		return v.T("kilobytes", n/1000)
	default:
		return v.T("megabytes", strconv.FormatFloat(float64(n)/1e6, 'f', 1, 64))
	}
}

func (v *visit) syncPage() error {
	body, err := v.syncBody()
	if err != nil {
		return err
	}
	return v.show("sync", &page{Title: v.T("nav_sync"), Back: pathMore, Body: body})
}

// syncState is the part of the page that moves.
func (v *visit) syncState() error {
	body, err := v.syncBody()
	if err != nil {
		return err
	}
	return v.part("sync", "state", &page{visit: v, Body: body})
}

func (v *visit) syncNow() error {
	v.desk.syncer.Now()
	return v.to(pathSync)
}

func (v *visit) syncStop() error {
	v.desk.syncer.Stop()
	return v.to(pathSync)
}

// network is told by the browser, which alone knows: whether what goes through the network is paid for, and that there is one again.
func (v *visit) network() error {
	if v.r.PostFormValue("online") == "true" {
		v.desk.syncer.Wake(false)
	}
	if metered := v.r.PostFormValue("metered"); metered != "" {
		v.desk.metered(metered == "true")
	}
	v.w.WriteHeader(http.StatusNoContent)
	return nil
}

// metered notes whether what goes through the network is paid for.
func (d *desk) metered(is bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.paid = is
	d.syncer.SetMetered(is, d.settings.Metered)
}

// events tells the page whenever something about the sync has changed, until the page goes (server-sent events).
func (v *visit) events() error {
	flusher := http.NewResponseController(v.w)
	v.w.Header().Set("Content-Type", "text/event-stream")
	v.w.WriteHeader(http.StatusOK)
	changes, stop := v.desk.syncer.Watch()
	defer stop()
	for {
		// Once at first: something may have changed since the page was made, before it listened.
		if _, err := fmt.Fprint(v.w, "event: changed\ndata:\n\n"); err != nil {
			return nil // the browser has gone
		}
		if err := flusher.Flush(); err != nil {
			return nil // as above
		}
		select {
		case <-changes:
		case <-v.context().Done():
			return nil
		case <-v.life.Done():
			return nil
		}
	}
}
