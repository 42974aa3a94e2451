package alerting_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"levee/server/internal/alerting"
	"levee/server/internal/servertest"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// Whatever happens, nobody gets a message of a step twice; steps follow each other in order, no sooner than they may; and
// nothing is sent once somebody has confirmed.
func TestEachStepIsSentOnce(t *testing.T) {
	if servertest.Raced {
		t.Skip("it takes minutes under the race detector, and the other tests send from as many goroutines")
	}
	sms, mail := &sender{channel: alerting.SMS}, &sender{channel: alerting.Mail}
	d := newDesk(t, map[alerting.Channel]alerting.Sender{alerting.SMS: sms, alerting.Mail: mail}, "super", "lead", "coordinator")
	rapid.Check(t, func(rt *rapid.T) {
		sms.messages, mail.messages, sms.down, mail.down = nil, nil, nil, nil
		d.restart(t)
		confirmed := map[hlc.ID]time.Time{}
		var alerts []hlc.ID
		rt.Repeat(map[string]func(*rapid.T){
			"raise": func(rt *rapid.T) {
				if len(alerts) < 3 {
					alerts = append(alerts, d.raise("anna", recordv1.RiskLevel(rapid.IntRange(0, 3).Draw(rt, "level"))))
				}
			},
			"confirm": func(rt *rapid.T) {
				if len(alerts) == 0 {
					return
				}
				id := rapid.SampledFrom(alerts).Draw(rt, "alert")
				if confirmed[id].IsZero() {
					d.confirm("super", id)
					confirmed[id] = d.Wall()
				}
			},
			"pass": func(rt *rapid.T) {
				d.Pass(time.Duration(rapid.IntRange(1, 15*60).Draw(rt, "seconds")) * time.Second)
			},
			"look":    func(*rapid.T) { d.look(t) },
			"restart": func(*rapid.T) { d.restart(t) },
			"fail": func(rt *rapid.T) {
				one := rapid.SampledFrom([]*sender{sms, mail}).Draw(rt, "channel")
				one.down = nil
				if rapid.Bool().Draw(rt, "down") {
					one.down = errors.New("down")
				}
			},
		})
		sms.down, mail.down = nil, nil
		for range 12 {
			d.pass(t, 10*time.Minute)
		}
		for _, s := range []*sender{sms, mail} {
			came := map[string]int{}
			for _, m := range s.messages {
				if came[m.ID]++; came[m.ID] > 1 {
					rt.Fatalf("%s came twice by %s", m.Subject, s.channel)
				}
			}
		}
		total := 0
		for _, id := range alerts {
			total += d.checkSteps(t, rt, id, confirmed[id])
		}
		if got := len(sms.messages) + len(mail.messages); got != total {
			rt.Fatalf("%d messages were sent, %d are noted", got, total)
		}
		for _, id := range alerts { // the next check begins without any
			if confirmed[id].IsZero() {
				d.confirm("super", id)
			}
		}
	})
}

// checkSteps looks at the notices of an alert, and says how many were sent.
func (d *desk) checkSteps(t *testing.T, rt *rapid.T, id hlc.ID, confirmed time.Time) (sent int) {
	notices, err := d.alerts.Notices(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	who := map[int]map[string]bool{}
	began := map[int]time.Time{}
	for _, n := range notices {
		if who[n.Step] == nil {
			who[n.Step] = map[string]bool{}
		}
		who[n.Step][d.name(n.Worker)], began[n.Step] = true, n.At
		if n.Outcome == alerting.Sent {
			sent++
		}
		if !confirmed.IsZero() && (n.At.After(confirmed) || n.Tried.After(confirmed)) {
			rt.Fatalf("told after it was confirmed: %+v", n)
		}
	}
	steps := 3 + alerting.MaxRounds
	if len(who) > steps || confirmed.IsZero() && len(who) != steps {
		rt.Fatalf("%d steps", len(who))
	}
	for step := 1; step <= len(who); step++ {
		want := map[string]bool{"super": true, "lead": true, "coordinator": true}
		if step <= 3 {
			want = map[string]bool{[]string{"super", "lead", "coordinator"}[step-1]: true}
		}
		if fmt.Sprint(who[step]) != fmt.Sprint(want) {
			rt.Fatalf("step %d told %v", step, who[step])
		}
		if step > 1 && began[step].Sub(began[step-1]) < 10*time.Minute {
			rt.Fatalf("step %d came after %v", step, began[step].Sub(began[step-1]))
		}
	}
	return sent
}
