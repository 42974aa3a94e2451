package server

import (
	"context"

	"levee/server/internal/accounts"
	"levee/server/internal/alerting"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
)

// Alerts says how people are told of risk alerts that nobody has confirmed, besides on the pages.
type Alerts struct {
	// Mail sends e-mail; nobody gets any while its Address is empty.
	Mail alerting.MailServer
	// SMS sends text messages; nobody gets any while its URL is empty.
	SMS alerting.SMSGateway
}

// Validate says what can't work, without trying it.
func (a Alerts) Validate() error {
	_, err := a.senders()
	return err
}

// senders are the channels that are configured.
func (a Alerts) senders() (map[alerting.Channel]alerting.Sender, error) {
	senders := map[alerting.Channel]alerting.Sender{}
	if a.Mail.Address != "" {
		mailer, err := alerting.NewMailer(a.Mail)
		if err != nil {
			return nil, err
		}
		senders[alerting.Mail] = mailer
	}
	if a.SMS.URL != "" {
		texter, err := alerting.NewTexter(a.SMS)
		if err != nil {
			return nil, err
		}
		senders[alerting.SMS] = texter
	}
	return senders, nil
}

// alerting sees to the risk alerts of a deployment, once it is started.
func (s *Server) alerting(id hlc.ID, setUp func() *syncing.SetUp, failed func(error)) *alerting.Service {
	return alerting.New(alerting.Config{Deployment: id, Store: s.db.Deployment(id), SetUp: setUp, Senders: s.senders, URL: s.config.URL,
		Language: func(ctx context.Context, worker hlc.ID) string {
			account, ok, err := s.accounts.AccountOf(ctx, accounts.Membership{Deployment: id, Worker: worker})
			if err != nil {
				failed(err)
			}
			if !ok {
				return "zh" // as most of those who have no account
			}
			return account.Language
		},
		Wall: s.config.Wall, After: s.config.After, Changed: func() { s.live.Publish(id) }, Tried: s.measures.AlertMessage, Failed: failed})
}
