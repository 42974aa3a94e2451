package main

import (
	"context"
	"fmt"
	"io"

	"github.com/schollz/progressbar/v3"

	"levee/clientlib"
)

// syncCmd syncs with the server.
type syncCmd struct{}

// syncJSON is what a sync did, as JSON has it.
type syncJSON struct {
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

// stoppedSync is a sync that did not come to its end, with what it did until then.
type stoppedSync struct {
	cause error
	done  syncJSON
}

func (e *stoppedSync) Error() string { return "sync stopped: " + e.cause.Error() }

func (e *stoppedSync) Unwrap() error { return e.cause }

// Run syncs. What one request brought stays when a later one fails or Ctrl-C is pressed.
func (c *syncCmd) Run(s *session) error {
	progress := s.progress()
	result, err := s.store.Sync(s.ctx, progress.report)
	progress.end()
	done := syncJSON{
		Complete: err == nil, Sent: result.Sent, Held: result.Held, Received: result.Received, Unreadable: result.Unreadable,
		Requests: result.Requests, BytesUp: result.BytesUp, BytesDown: result.BytesDown, ClockCorrected: result.ClockCorrected.Milliseconds(),
		GivenBack: result.GivenBack, NewReplica: result.NewReplica, Unconfirmed: result.Unconfirmed,
	}
	if st, serr := s.store.Status(context.WithoutCancel(s.ctx)); serr == nil {
		done.Unsent = st.Unsent
	}
	if err != nil {
		if !s.json && result.Requests > 0 {
			fmt.Fprintln(s.err, s.Say(syncStopped, s.Count(changesCount, int64(done.Sent)), s.Count(recordsCount, int64(done.Received)),
				s.Count(changesCount, int64(done.Unsent))))
		}
		return &stoppedSync{err, done}
	}
	return s.answer(done, func() {
		s.line(syncDone, s.Count(changesCount, int64(done.Sent)), s.Count(recordsCount, int64(done.Received)))
		s.line(syncCost, s.Count(requestsCount, int64(done.Requests)), s.Count(bytesCount, done.BytesUp), s.Count(bytesCount, done.BytesDown))
		if done.Held > 0 {
			s.line(syncHeld, s.Count(changesCount, int64(done.Held)))
		}
		if done.Unreadable > 0 {
			s.line(syncUnreadable, s.Count(recordsCount, int64(done.Unreadable)))
		}
		if done.GivenBack > 0 {
			s.line(syncGaveBack, s.Count(recordsCount, int64(done.GivenBack)))
		}
		if done.NewReplica {
			s.line(syncNewReplica)
		}
		if done.Unconfirmed {
			s.line(isUnconfirmed)
		}
		if result.ClockCorrected != 0 {
			s.line(clockCorrected, s.Duration(result.ClockCorrected))
		}
	})
}

// progress shows how far a sync has come: a bar on a terminal, else a line for each answer, and nothing with --json.
type progress struct {
	*session
	w io.Writer
	// bar is nil where there is no terminal.
	bar *progressbar.ProgressBar
	// answered says that the server has said how much there is to receive.
	answered bool
}

func (s *session) progress() *progress {
	p := &progress{session: s, w: s.err}
	switch {
	case s.json:
		p.w = io.Discard
	case s.terminal:
		p.bar = progressbar.NewOptions(-1, progressbar.OptionSetWriter(s.err), progressbar.OptionSetWidth(20),
			progressbar.OptionSetElapsedTime(false), progressbar.OptionSetPredictTime(false), progressbar.OptionClearOnFinish(),
			progressbar.OptionSetSpinnerChangeInterval(0))
	}
	return p
}

// report is called before the first request, and after each answer.
func (p *progress) report(now clientlib.Progress) {
	toReceive := p.Say(howManyUnknown)
	if p.answered {
		toReceive = p.Number(int64(now.ToReceive))
	}
	text := p.Say(progressIs, p.Number(int64(now.Sent)), p.Number(int64(now.ToSend)), p.Number(int64(now.Received)), toReceive)
	switch {
	case p.bar == nil:
		fmt.Fprintln(p.w, text)
	case now.Phase != clientlib.PhaseDone: // then it is taken away
		p.bar.Describe(text)
		if p.answered {
			p.bar.ChangeMax(max(1, now.ToSend+now.ToReceive))
		}
		_ = p.bar.Set(now.Sent + now.Received) // nothing is lost with a bar that can't be drawn
	}
	p.answered = true
}

// end takes the bar away, so that what follows has the line for itself.
func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Clear() // as above
	}
}
