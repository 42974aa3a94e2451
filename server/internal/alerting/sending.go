package alerting

import (
	"context"
	"fmt"
	"slices"
	"time"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// Channel is a way in which people are told.
type Channel string

// The channels.
const (
	Mail Channel = "mail"
	SMS  Channel = "sms"
)

// Channels are all there are.
var Channels = []Channel{Mail, SMS}

// Sender sends on one channel.
type Sender interface {
	// Address is where a worker is reached; empty when nowhere.
	Address(*recordv1.Worker) string
	// Send sends a message. Its error repeats neither the address nor the message.
	Send(ctx context.Context, to string, m Message) error
}

// Bounds on sending.
const (
	// sendTime is how long an attempt may take, and closeTime how long it may go on when the server is stopping.
	sendTime  = 30 * time.Second
	closeTime = 3 * time.Second
	// claimTime is after how long an attempt of which nothing came to be known is made again: its server has died.
	claimTime = 2 * sendTime
	// firstBackOff is how long after an attempt that failed the second is made; it doubles up to maxBackOff, and ends with
	// keepTrying.
	firstBackOff = 30 * time.Second
	maxBackOff   = 15 * time.Minute
	keepTrying   = 24 * time.Hour
	// maxAnHour is how many messages a worker gets on a channel within an hour: a tablet gone mad costs no more than that.
	// The others wait.
	maxAnHour = 30
)

// send sends what is due on a channel, one after the other. It returns when something is due again.
func (s *Service) send(ctx context.Context, channel Channel) time.Time {
	for ctx.Err() == nil {
		n, next := s.unsent(channel, s.config.Wall())
		if n == nil {
			return next
		}
		if err := s.try(ctx, *n); err != nil && ctx.Err() == nil {
			s.config.Failed(fmt.Errorf("noting who is told of a risk alert: %w", err))
			return s.config.Wall().Add(again)
		}
	}
	return time.Time{}
}

// unsent is the notice that is to be sent first on a channel; nil, and when there is one, where none is due. What was tried
// least comes first, so that what can't be sent holds up nothing, and of that the worst alert.
func (s *Service) unsent(channel Channel, now time.Time) (first *Notice, next time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var of *alert
	for _, a := range s.open {
		for i := range a.notices {
			n := &a.notices[i]
			if n.Channel != channel || !a.current(i) {
				continue
			}
			switch at := s.tryAt(n); {
			case at.After(n.At.Add(keepTrying)):
			case at.After(now):
				if next.IsZero() || at.Before(next) {
					next = at
				}
			case first == nil || n.Attempts < first.Attempts || n.Attempts == first.Attempts && compare(&a.alert, &of.alert) < 0:
				first, of = n, a
			}
		}
	}
	if first != nil {
		unsent := *first
		first = &unsent
	}
	return first, next
}

// current reports whether a notice is still to be sent: no later step tells the same worker.
func (a *alert) current(i int) bool {
	n := &a.notices[i]
	if n.Outcome != Waiting && n.Outcome != Failed {
		return false
	}
	for _, later := range a.notices[i+1:] {
		if later.Worker == n.Worker && later.Channel == n.Channel {
			return false
		}
	}
	return true
}

// tryAt is when a notice may be tried next. The caller holds mu.
func (s *Service) tryAt(n *Notice) time.Time {
	at := n.At
	switch {
	case n.Attempts > 0 && n.Outcome == Waiting: // it is being made, perhaps by another server
		at = n.Tried.Add(claimTime)
	case n.Attempts > 0:
		at = n.Tried.Add(min(maxBackOff, firstBackOff<<min(n.Attempts-1, 10)))
	}
	if sent := s.sent[n.Channel][n.Worker]; len(sent) == maxAnHour && at.Before(sent[0].Add(time.Hour)) {
		at = sent[0].Add(time.Hour)
	}
	return at
}

// try makes one attempt, and notes what came of it.
func (s *Service) try(ctx context.Context, n Notice) error {
	worker, sender := s.config.SetUp().Workers[n.Worker], s.config.Senders[n.Channel]
	address := ""
	if worker != nil {
		address = sender.Address(worker)
	}
	m, open := s.message(ctx, &n)
	if !open {
		return nil
	}
	was := n
	if address == "" { // it was taken away since the step began
		n.Outcome = NoAddress
		_, err := s.claim(ctx, was, n)
		return err
	}
	n.Attempts, n.Tried, n.Outcome = n.Attempts+1, instant(s.config.Wall().UnixMilli()), Waiting
	if claimed, err := s.claim(ctx, was, n); err != nil || !claimed {
		return err
	}
	err := sending(ctx, func(ctx context.Context) error { return sender.Send(ctx, address, m) })
	switch {
	case err != nil && ctx.Err() != nil:
		n = was // it is sent after the next start, or by another server
	case err != nil:
		n.Outcome = Failed
		s.config.Failed(fmt.Errorf("telling worker %v of alert %v by %s: %w", n.Worker, n.Alert, n.Channel, err))
	default:
		n.Outcome = Sent
	}
	if n != was {
		s.config.Tried(n.Channel, err)
	}
	s.note(n)
	return s.config.Store.WriteNotices(context.WithoutCancel(ctx), func(tx Writing) error { return tx.SaveNotices([]Notice{n}) })
}

// claim notes what is about to become of a notice, before it does: of several servers one alone makes an attempt. It is false when
// the notice does not stand any more as it was, since another server was first, or the alert is confirmed.
func (s *Service) claim(ctx context.Context, was, now Notice) (claimed bool, err error) {
	var open map[hlc.ID]bool
	var stand []Notice
	err = s.config.Store.WriteNotices(ctx, func(tx Writing) (err error) {
		claimed = false
		ids := []hlc.ID{was.Alert}
		if open, err = openOf(tx, ids); err != nil {
			return err
		}
		if stand, err = tx.Notices(ids); err != nil {
			return err
		}
		i := slices.Index(stand, was)
		if i < 0 || !open[was.Alert] || !(&alert{notices: stand}).current(i) {
			return nil
		}
		claimed, stand[i] = true, now
		return tx.SaveNotices([]Notice{now})
	})
	if err == nil {
		s.adopt(open, map[hlc.ID][]Notice{was.Alert: stand})
	}
	return claimed, err
}

// sending runs fn for as long as an attempt may take.
func sending(ctx context.Context, fn func(context.Context) error) error {
	attempt, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendTime)
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(closeTime, cancel) })()
	return fn(attempt)
}

// note keeps what came of an attempt.
func (s *Service) note(n Notice) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n.Outcome == Sent {
		s.sent[n.Channel][n.Worker] = lastOf(append(s.sent[n.Channel][n.Worker], n.Tried))
	}
	a := s.open[n.Alert]
	if a == nil { // confirmed meanwhile
		return
	}
	for i := range a.notices {
		if was := &a.notices[i]; was.Step == n.Step && was.Worker == n.Worker && was.Channel == n.Channel {
			*was = n
		}
	}
	s.show()
}

// lastOf are the times that count for maxAnHour.
func lastOf(times []time.Time) []time.Time { return times[max(0, len(times)-maxAnHour):] }

// message is what a notice says; false when its alert is not open any more.
func (s *Service) message(ctx context.Context, n *Notice) (Message, bool) {
	s.mu.Lock()
	a := s.open[n.Alert]
	var about Alert
	if a != nil {
		about = a.alert
	}
	s.mu.Unlock()
	if a == nil {
		return Message{}, false
	}
	return s.write(about, n, s.config.Language(ctx, n.Worker)), true
}
