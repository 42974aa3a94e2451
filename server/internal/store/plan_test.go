package store_test

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/accounts"
	"levee/server/internal/alerting"
	"levee/server/internal/audit"
	"levee/server/internal/progress"
	"levee/server/internal/servertest"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/tally"
)

// whole are the statements that may walk a whole table, or seem to: a recount, what there are only few of, and the end of
// a log.
var whole = []string{"FROM deployments", "FROM devices", "FROM replicas WHERE deployment = $1 GROUP BY device",
	"FROM accounts ORDER BY login", "FROM audit ORDER BY", "FROM audit WHERE deployment = $1 ORDER BY number DESC LIMIT 1", "FROM api_tokens WHERE deployment = $1",
	// Erasing a client looks for tokens in the whole log, and is rare.
	"FROM log WHERE deployment = $1 AND body IS NOT NULL", "UPDATE erasures"}

// walks is a step that looks at all rows of a table, or at all of a deployment.
var walks = regexp.MustCompile(`^SCAN [a-z]+|USING (PRIMARY KEY|INDEX \w+|COVERING INDEX \w+) \(deployment=\?\)$`)

// TestNoStatementWalksATable: what is done for one request takes an index, however large the deployment is.
func TestNoStatementWalksATable(t *testing.T) {
	d := servertest.New(t)
	work(t, d)
	statements := d.DB.Statements()
	for _, s := range statements {
		if slices.ContainsFunc(whole, func(part string) bool { return strings.Contains(s, part) }) {
			continue
		}
		plan, err := d.DB.Plan(context.Background(), s)
		if err != nil {
			t.Fatal(s, err)
		}
		for _, step := range plan {
			if walks.MatchString(step) && !strings.Contains(step, "log_held") && !strings.Contains(step, "log_kept") && !strings.Contains(step, "erasures_unpurged") && !strings.Contains(step, "records_by_duplicate") { // only what they hold is walked
				t.Errorf("%s\n\t%s", step, s)
			}
		}
	}
	if len(statements) < 30 {
		t.Errorf("only %d statements were met", len(statements))
	}
}

// work lets people do what gives every statement of a server a use.
func work(t *testing.T, d *servertest.Deployment) {
	t.Helper()
	ctx := context.Background()
	anna, ben := d.Enrol("anna"), d.Enrol("ben")
	c := anna.Make(&recordv1.Case{CaseNo: proto.String("1"), OpenedOn: proto.Int32(20211001), ClientCount: proto.Uint32(1), ClientTokens: [][]byte{[]byte("a token of 16 by")}})
	c2 := anna.Make(&recordv1.Case{CaseNo: proto.String("2")})
	anna.Push(c, c2)
	ben.Pull()
	d.Now = d.Now.Add(time.Minute)
	anna.Push(anna.Edit(c.Record, &recordv1.Case{DuplicateOf: c2.Record[:]}), anna.Edit(c.Record, &recordv1.Case{CaseNo: proto.String("3")}))
	anna.Renumber()
	anna.Push(anna.Edit(c.Record, &recordv1.Case{CaseNo: proto.String("4")}))
	ben.Push(ben.Edit(c.Record, &recordv1.Case{CaseNo: proto.String("5")}))
	ben.Pull()

	if _, err := d.Service.Erase(ctx, c2.Record); err != nil {
		t.Fatal(err)
	}

	// What is held, decided, dropped and given back.
	carl, coordinator := d.Enrol("carl"), d.Enrol("coordinator")
	carl.Seen[c.Record] = c.Registers()
	held := carl.Edit(c.Record, &recordv1.Case{CaseNo: proto.String("6")})
	carl.Push(held)
	if err := d.Service.Decide(ctx, held.ID, recordv1.Decision_DECISION_RELEASE, d.Workers["coordinator"], ""); err != nil {
		t.Fatal(err)
	}
	coordinator.Pull()
	coordinator.Push(coordinator.Edit(d.Workers["ben"], &recordv1.Worker{Team: d.Teams[1][:]}))
	request := ben.Request(ben.BatchOf())
	request.GiveBack = []*syncv1.GivenRecord{{Id: bytes.Repeat([]byte{7}, 16), Kind: 5, State: []byte{1}}}
	if _, err := ben.Sync(request); err != nil {
		t.Fatal(err)
	}

	if err := errors.Join(useAccounts(ctx, d), useAlerts(ctx, d, c.Record)); err != nil {
		t.Fatal(err)
	}
	p := progress.New(progress.Config{Store: d.DB.Deployment(d.ID), SetUp: d.Service.SetUp, Wall: d.Wall})
	_, err := p.Totals(ctx, progress.TotalsQuery{Bases: []tally.Basis{tally.Reported}, By: tally.Place})
	if err == nil {
		_, err = p.Behind(ctx, progress.BehindQuery{Basis: tally.Reported, Figure: "persons", Cut: tally.Everything()})
	}
	if err == nil {
		_, _, err = p.Held(ctx, progress.Page[uint64]{Limit: 1})
	}
	if err == nil {
		_, _, err = p.Tablets(ctx, progress.Page[hlc.ID]{After: ben.Device.ID, Limit: 1})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// useAlerts lets somebody be told of an alert.
func useAlerts(ctx context.Context, d *servertest.Deployment, alert hlc.ID) error {
	store := d.DB.Deployment(d.ID)
	return errors.Join(store.SaveNotices(ctx, []alerting.Notice{{Alert: alert, Step: 1, Worker: d.Workers["super"], Channel: alerting.SMS, At: d.Now, Outcome: alerting.Waiting}}),
		store.ReadAlerts(ctx, func(tx alerting.Reading) error {
			_, err := tx.FirstReceived(alert)
			notices, nerr := tx.Notices([]hlc.ID{alert})
			if len(notices) != 1 {
				nerr = errors.New("the notice is not there")
			}
			return errors.Join(err, nerr)
		}))
}

// useAccounts lets somebody be invited, sign in, and sign out everywhere.
func useAccounts(ctx context.Context, d *servertest.Deployment) error {
	m := accounts.Membership{Deployment: d.ID, Worker: d.Workers["lead"]}
	return d.DB.WriteAccounts(ctx, func(tx accounts.Writing) error {
		a := accounts.Stored{Account: accounts.Account{ID: d.NewID(), Login: "lead"}}
		link := accounts.Link{Hash: []byte("link")}
		session := accounts.StoredSession{ID: d.NewID(), Hash: []byte("session"), Account: a.ID}
		token := accounts.StoredToken{Token: accounts.Token{ID: d.NewID(), Account: a.ID, Membership: m}, Hash: []byte("token")}
		errs := []error{tx.SaveAccount(a), tx.SaveMembership(a.ID, m, 1), tx.SaveLink(link), tx.SaveSession(session), tx.SaveToken(token),
			audit.Append(tx, d.Now, audit.Entry{Deployment: d.ID, Action: audit.SignedIn})}
		note := func(err error) { errs = append(errs, err) }
		_, _, err := tx.Account(a.ID)
		note(err)
		_, _, err = tx.AccountByLogin("lead")
		note(err)
		_, _, err = tx.MemberAccount(m)
		note(err)
		_, _, err = tx.Link(link.Hash)
		note(err)
		_, _, err = tx.Session(session.Hash)
		note(err)
		_, err = tx.Sessions(a.ID)
		note(err)
		_, _, err = tx.TokenByHash(token.Hash)
		note(err)
		_, err = tx.Tokens(a.ID)
		note(err)
		_, err = tx.TokensOf(d.ID)
		note(err)
		_, err = tx.Accounts()
		note(err)
		return errors.Join(append(errs, tx.DropMembership(a.ID, d.ID), tx.DropStale(1))...)
	})
}
