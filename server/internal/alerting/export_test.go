package alerting

import (
	"context"
	"time"

	gomail "github.com/wneessen/go-mail"

	"levee/syncproto/hlc"
)

// Resume reads what is open, as Start does.
func (s *Service) Resume(ctx context.Context) error { return s.read(ctx) }

// Notices are who was told of an alert, be it open or not.
func (s *Service) Notices(ctx context.Context, alert hlc.ID) ([]Notice, error) {
	a, err := s.Find(ctx, alert, nil)
	return a.Notices, err
}

// Look does once what the loops do, and returns when something is due again: a step, and a message.
func (s *Service) Look(ctx context.Context) (step, message time.Time) {
	step = s.watch(ctx)
	for _, channel := range Channels {
		if s.config.Senders[channel] == nil {
			continue
		}
		if next := s.send(ctx, channel); message.IsZero() || !next.IsZero() && next.Before(message) {
			message = next
		}
	}
	return step, message
}

// NewMailerBy sends by a server to which connections are made in another way.
func NewMailerBy(c MailServer, dial gomail.DialContextFunc) (Sender, error) {
	return newMailer(c, gomail.WithDialContextFunc(dial))
}

// Bounds on sending.
const (
	MaxAnHour    = maxAnHour
	FirstBackOff = firstBackOff
	ClaimTime    = claimTime
	MaxAnswer    = maxAnswer
)
