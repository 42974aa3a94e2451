package mobile

import (
	"context"

	"levee/clientlib"
	"levee/clientlib/recordjson"
	"levee/syncproto/record"
)

// SyncListener is told how far a sync has come.
type SyncListener interface {
	// OnProgress is called before the first request and after each answer, while Sync has not returned, and not on the thread that draws. It must not call
	// Sync or Close.
	OnProgress(p *Progress)
}

// Progress is how far a sync has come. The numbers to send and to receive grow when more turns up meanwhile.
type Progress struct {
	// Phase is "sending" (and receiving meanwhile), "receiving", or "done".
	Phase string
	// Sent of ToSend changes are acknowledged.
	Sent, ToSend int64
	// Received of ToReceive records are here. ToReceive is 0 before the server has answered.
	Received, ToReceive int64
	// BytesUp and BytesDown are what the sync has cost so far.
	BytesUp, BytesDown int64
	// Fraction is how much is done, from 0 to 1. It never goes back, and is 1 only at the end.
	Fraction float64
}

// Sync sends what is unsent and receives what is new, until nothing is left on either side, and says what it did:
//
//	{"complete": true, "sent": 3, "held": 0, "unsent": 0, "received": 12, "unreadable": 0, "requests": 2, "bytes_up": 2048, "bytes_down": 4096,
//	 "clock_corrected_ms": 0, "given_back": 0, "new_replica": false, "unconfirmed": false}
//
// held are changes that the server keeps, but does not apply. unconfirmed says that a coordinator has to confirm this tablet first. What one answer
// brought stays when a later request fails, and the next sync goes on from there. Logging goes on meanwhile. One sync runs at a time: a second call
// waits for the first. listener may be null.
//
// Codes of errors: cancelled (by StopSync), unavailable (no network, or no server), server_not_trusted, clock_skew, forked, and those that
// the server gives.
func (t *Tablet) Sync(listener SyncListener) (string, error) {
	t.mu.Lock()
	ctx := t.syncs
	t.mu.Unlock()
	furthest := 0.0
	result, err := t.store.Sync(ctx, func(p clientlib.Progress) {
		furthest = max(furthest, p.Fraction())
		if listener != nil {
			listener.OnProgress(&Progress{
				Phase: string(p.Phase), Sent: int64(p.Sent), ToSend: int64(p.ToSend), Received: int64(p.Received), ToReceive: int64(p.ToReceive),
				BytesUp: p.BytesUp, BytesDown: p.BytesDown, Fraction: furthest,
			})
		}
	})
	if err != nil {
		return "", t.fail(err)
	}
	out := recordjson.SyncedOf(context.Background(), t.store, result)
	out.Complete = true
	return t.written(out, nil)
}

// StopSync ends all syncs that are under way, which fail with code cancelled. It does not wait for them.
func (t *Tablet) StopSync() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stop()
	t.syncs, t.stop = context.WithCancel(context.Background())
}

// Status is how things stand with this tablet. It is no error to ask before enrolment: then "enrolled" is false.
//
//	{"enrolled": true, "deployment": {"id": "0192…", "name": "…"}, "worker": {…}, "role": "field_worker", "team": {…}, "site": {…},
//	 "server": "https://…", "unsent": 3, "sent": 0, "durable": 41, "held": 0, "unconfirmed": false, "revoked": false, "conflicts": 0,
//	 "unconfirmed_alerts": 0, "records": 120, "state": "closing", "since": "2021-12-01", "last_day": "2021-12-06", "days_left": 5,
//	 "owed": {"unsent": 3, "held": 0, "returned": 1, "drafts": 2, "forms": 0, "conflicts": 0, "open_cases": 1},
//	 "addendum": {"waiting": 1, "accepted": 0, "declined": 1, "reasons": ["…"]}, "certificate": {"edition": 1, "issued_on": "2021-12-07"},
//	 "last_contact": "2021-10-13T08:30:00+08:00", "clock_offset_ms": 0}
//
// unsent are changes on this tablet alone, sent those that the server has, durable those that are safe even from the loss of the server's disk.
// state is "active", "closing", "closed" or "archived"; days_left is 0 on the last day and negative after it, and both are left out while no last
// day is set. owed is what is still to be done on this tablet before the deployment is closed. addendum are its changes that came after that, and
// certificate is the newest; each is left out while there is none.
func (t *Tablet) Status() (string, error) {
	ctx := context.Background()
	terms, err := t.terms(ctx)
	if err != nil { // not enrolled, or revoked: there is no deployment to read
		terms = t.words.Load().For(nil)
	}
	status, err := recordjson.StatusOf(ctx, t.store, terms)
	return t.written(status, err)
}

// Totals are what the records on this tablet add up to, up to a day, or up to today for "":
//
//	{"as_of": "2021-10-13", "service_days": 21, "cases": 3, "case_sessions": 9, "group_sessions": 1, "community_activities": 2, "outreach_rounds": 1,
//	 "beneficiaries": 40, "persons": 40, "persons_estimated": 0, "contacts": 52, "by_site": [{"site": "0192…", "code": "410621108", "name": "…", …}],
//	 "by_service_area": [{"service_area": "counselling", "name": "…", …}], "verified": {…},
//	 "completeness": {"scope": "this_tablet", "unsent": 3, "held": 0, "conflicts": 0, "last_contact": "2021-10-13T08:30:00+08:00"}}
//
// persons are people, contacts how often they came: never add or compare the two. Show completeness beside them. Code of errors: invalid_date.
func (t *Tablet) Totals(asOf string) (string, error) {
	ctx := context.Background()
	terms, err := t.terms(ctx)
	if err != nil {
		return "", t.fail(err)
	}
	var day record.Date
	if day, err = dayOf(asOf, "as_of"); err != nil {
		return "", t.fail(err)
	}
	found, err := t.store.Totals(ctx, day)
	if err != nil {
		return "", t.fail(err)
	}
	totals, err := recordjson.TotalsOf(ctx, t.store, terms, found)
	return t.written(totals, err)
}

// Sites are the deployment's sites, and which one is filled into what is logged:
//
//	{"sites": [{"id": "0192…", "name": "…", "code": "410621108", "chosen": true}]}
func (t *Tablet) Sites() (string, error) {
	sites, err := recordjson.SitesOf(context.Background(), t.store)
	return t.written(sites, err)
}

// ChooseSite says at which site the worker logs from now on; "" leaves it to the worker's own. Codes of errors: invalid_id, not_found.
func (t *Tablet) ChooseSite(id string) error {
	var site [16]byte
	if id != "" {
		found, err := idOf(id)
		if err != nil {
			return t.fail(err)
		}
		site = found
	}
	return t.fail(t.store.SetSite(context.Background(), site))
}
