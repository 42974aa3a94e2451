package alerting_test

import (
	"testing"
	"time"

	"levee/server/internal/alerting"
	"levee/server/internal/syncing"
	recordv1 "levee/syncproto/levee/record/v1"
)

// beside sees to the alerts of a desk on another server.
func (d *desk) beside(t *testing.T) *alerting.Service {
	t.Helper()
	two := d.Beside()
	config := d.config
	config.Store, config.SetUp = two.DB.Deployment(two.ID), func() *syncing.SetUp { return two.Service.SetUp() }
	other := alerting.New(config)
	if err := other.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	return other
}

// Each step is begun, and each message sent, by one of several servers, whichever comes first.
func TestServersTellEverybodyOnce(t *testing.T) {
	sms, senders := phones()
	d := newDesk(t, senders, "super", "lead")
	other := d.beside(t)
	id := d.raise("anna", recordv1.RiskLevel_RISK_LEVEL_RED)
	other.Recheck()
	other.Look(t.Context())
	d.look(t) // which knows of no message yet
	wants(t, sms.to, "phone of super")
	d.Pass(10 * time.Minute)
	other.Look(t.Context())
	d.look(t)
	other.Look(t.Context())
	wants(t, sms.to, "phone of super", "phone of lead")
	wants(t, d.told(t, id), "1 super mail off", "1 super sms sent", "2 lead mail off", "2 lead sms sent")
	d.confirm("super", id)
	d.Pass(10 * time.Minute)
	other.Look(t.Context()) // has not heard of it
	wants(t, sms.to, "phone of super", "phone of lead")
	if other.Count() != 0 {
		t.Errorf("%d are open on the other server", other.Count())
	}
}

// A message that a server was about to send when it died is sent by another one, once it is sure that nothing came of it.
func TestAMessageOfAServerThatDiedIsSent(t *testing.T) {
	sms, senders := phones()
	d := newDesk(t, senders, "super")
	id := d.raise("anna", recordv1.RiskLevel_RISK_LEVEL_RED)
	begun := alerting.Notice{Alert: id, Step: 1, Worker: d.Workers["super"], Channel: alerting.SMS, At: d.Wall(), Outcome: alerting.Waiting, Attempts: 1, Tried: d.Wall()}
	if err := d.config.Store.WriteNotices(t.Context(), func(tx alerting.Writing) error { return tx.SaveNotices([]alerting.Notice{begun}) }); err != nil {
		t.Fatal(err)
	}
	d.restart(t)
	d.pass(t, alerting.ClaimTime-time.Second)
	wants(t, sms.to)
	d.pass(t, time.Second)
	wants(t, sms.to, "phone of super")
}
