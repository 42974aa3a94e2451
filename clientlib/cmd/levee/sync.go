package main

import (
	"context"
	"fmt"
	"io"

	"github.com/schollz/progressbar/v3"

	"levee/clientlib"
	"levee/clientlib/recordjson"
)

// syncCmd syncs with the server.
type syncCmd struct{}

// stoppedSync is a sync that did not come to its end, with what it did until then.
type stoppedSync struct {
	cause error
	done  recordjson.Synced
}

func (e *stoppedSync) Error() string { return "sync stopped: " + e.cause.Error() }

func (e *stoppedSync) Unwrap() error { return e.cause }

// Run syncs. What one request brought stays when a later one fails or Ctrl-C is pressed.
func (c *syncCmd) Run(s *session) error {
	progress := s.progress()
	result, err := s.store.Sync(s.ctx, progress.report)
	progress.end()
	done := recordjson.SyncedOf(context.WithoutCancel(s.ctx), s.store, result)
	done.Complete = err == nil
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
