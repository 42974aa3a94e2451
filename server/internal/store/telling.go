package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strings"
	"sync"

	"levee/syncproto/hlc"
)

// Told is what one server tells the others that it has changed. It is told with the commit, or not at all.
type Told struct {
	// Deployment is zero where the accounts have changed.
	Deployment hlc.ID
	// Alerts: risk alerts have changed, or who was told of them.
	Alerts bool
	// Anything may have changed, anywhere: for a while nothing could be heard.
	Anything bool
}

// Telling is how servers on one database tell each other what they have changed.
type Telling struct {
	// Tell is a statement that has $1 told once its transaction is committed.
	Tell string
	// Listen calls heard with what others tell, until ctx is done. Whenever it may have missed something, it calls missed.
	Listen func(ctx context.Context, heard func(text string), missed func(error))
}

// newSender is by what a server knows its own words.
func newSender() string { return rand.Text()[:12] }

const toldAlerts = "alerts"

// tell has others told of the transaction's deployment.
func (t *Tx) tell(alerts bool) { t.tellOf(hlc.ID(t.id), alerts) }

func (t *Tx) tellOf(deployment hlc.ID, alerts bool) {
	if t.told == nil {
		t.told = map[hlc.ID]bool{}
	}
	t.told[deployment] = t.told[deployment] || alerts
}

// sayTold says what the others are told. It holds ids and nothing else of anybody.
func (t *Tx) sayTold() error {
	if t.db.engine.Telling.Tell == "" {
		return nil
	}
	for deployment, alerts := range t.told {
		text := t.db.sender + " " + hex.EncodeToString(deployment[:])
		if alerts {
			text += " " + toldAlerts
		}
		if err := t.run(t.db.engine.Telling.Tell, text); err != nil {
			return err
		}
	}
	return nil
}

// Listen calls heard with what other servers on the database tell, until ctx is done; missed is told why, whenever they could not be
// heard for a while. A commit of this server's own whose answer was lost may have come through, and nobody here knows of it: then anything
// may have changed as well. Where a database has one server alone, it returns at once. heard may be called twice at a time.
func (d *DB) Listen(ctx context.Context, heard func(Told), missed func(error)) {
	if d.engine.Telling.Listen == nil {
		return
	}
	var unsure sync.WaitGroup
	defer unsure.Wait()
	unsure.Go(func() {
		for {
			select {
			case <-d.unsure:
				heard(Told{Anything: true})
			case <-ctx.Done():
				return
			}
		}
	})
	d.engine.Telling.Listen(ctx, func(text string) {
		if told, others := d.understand(text); others {
			heard(told)
		}
	}, func(err error) {
		if err != nil {
			missed(err)
		}
		heard(Told{Anything: true})
	})
}

// understand reads what was told; false when it is this server's own, or of a program that says it otherwise.
func (d *DB) understand(text string) (told Told, others bool) {
	words := strings.Fields(text)
	if len(words) < 2 || words[0] == d.sender {
		return told, false
	}
	id, err := hex.DecodeString(words[1])
	if err != nil || len(id) != len(told.Deployment) {
		return told, false
	}
	return Told{Deployment: hlc.ID(id), Alerts: len(words) > 2 && words[2] == toldAlerts}, true
}
