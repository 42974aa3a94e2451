package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/accounts"
	"levee/server/internal/alerting"
	"levee/server/internal/audit"
	"levee/server/internal/export"
	"levee/server/internal/indexing"
	"levee/server/internal/pgtest"
	"levee/server/internal/progress"
	"levee/server/internal/report"
	"levee/server/internal/servertest"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// whole are the statements that may walk a whole table, or seem to: a recount, what there are only few of, and the end of
// a log.
var whole = []string{"FROM deployments", "FROM devices", "FROM replicas WHERE deployment = $1 GROUP BY device",
	"FROM accounts ORDER BY login", "FROM audit ORDER BY", "FROM audit WHERE deployment = $1 ORDER BY number DESC LIMIT 1", "FROM journal WHERE deployment = $1 ORDER BY number DESC LIMIT 1", "FROM api_tokens WHERE deployment = $1",
	"FROM indexed", "FROM review_counts", "FROM open_cases",
	// What is purged is little.
	"UPDATE erasures"}

// looksUp is a step that finds a word, or a document by its number, in the index of words, or looks at the few rows of a part of a query.
var looksUp = regexp.MustCompile(`^SCAN (words VIRTUAL TABLE INDEX \d+:(M1|=)|earlier$|later$|dates$)`)

// walks is a step that looks at all rows of a table, or at all of a deployment.
var walks = regexp.MustCompile(`^SCAN [a-z]+|USING (PRIMARY KEY|INDEX \w+|COVERING INDEX \w+) \(deployment=\?\)$`)

// TestNoStatementWalksATable: what is done for one request takes an index, however large the deployment is.
func TestNoStatementWalksATable(t *testing.T) {
	if servertest.OnPostgres {
		t.Skip("this is about how SQLite carries statements out")
	}
	d := servertest.New(t)
	work(t, d)
	if _, err := d.Service.EraseAll(t.Context()); err != nil {
		t.Fatal(err)
	}
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
			if walks.MatchString(step) && !looksUp.MatchString(step) && !strings.Contains(step, "log_held") && !strings.Contains(step, "log_kept") && !strings.Contains(step, "erasures_unpurged") && !strings.Contains(step, "records_by_duplicate") && !strings.Contains(step, "records_unsettled") { // only what they hold is walked
				t.Errorf("%s\n\t%s", step, s)
			}
		}
	}
	if len(statements) < 30 {
		t.Errorf("only %d statements were met", len(statements))
	}
}

// TestNoStatementWalksATableOnPostgreSQL: nor do the same statements there, once a table holds something.
func TestNoStatementWalksATableOnPostgreSQL(t *testing.T) {
	if servertest.OnPostgres {
		t.Skip("statements are noted where SQLite runs them")
	}
	db := pgtest.Open(t, pgtest.New(t))
	d := servertest.New(t)
	work(t, d)
	if _, err := d.Service.EraseAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	run := func(query string) {
		t.Helper()
		if _, err := conn.ExecContext(t.Context(), query); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	run(filling)
	run(`ANALYZE`)
	run(`SET plan_cache_mode = force_generic_plan`)
	looked := 0
	for _, s := range d.DB.Statements() {
		if slices.ContainsFunc(append([]string{"FROM alert_days"}, whole...), func(part string) bool { return strings.Contains(s, part) }) || strings.Contains(s, "words") {
			continue // how words are found is each engine's own; of alerts there is a row for each day and team
		}
		looked++
		run(`PREPARE looked AS ` + s)
		n := 0
		for strings.Contains(s, "$"+strconv.Itoa(n+1)) {
			n++
		}
		execute := `EXPLAIN EXECUTE looked`
		if n > 0 {
			execute += `(` + strings.TrimSuffix(strings.Repeat("NULL,", n), ",") + `)`
		}
		plan, err := planOf(t.Context(), conn, execute)
		if err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		for _, step := range walksDeployment.FindAllStringSubmatch(plan, -1) {
			if !slices.Contains(ofFew, step[1]) {
				t.Errorf("%s\n%s", s, plan)
			}
		}
		run(`DEALLOCATE looked`)
	}
	if looked < 100 {
		t.Errorf("only %d statements were looked at", looked)
	}
}

// filling gives each table 3,000 rows of one deployment, which differ in all else.
const filling = `DO $$
DECLARE t name; c text; v text;
BEGIN
	FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename NOT IN ('goose_db_version', 'words', 'deployments', 'indexed') LOOP
		SELECT string_agg(quote_ident(a.attname), ', '), string_agg(CASE
				WHEN a.attname = 'deployment' THEN '''d''::bytea'
				WHEN a.attname = 'outcome' THEN ''''''
				WHEN a.attname = 'unsettled' THEN '0'
				WHEN a.attname = 'purged' THEN '1'
				WHEN a.atttypid = 'bytea'::regtype THEN 'int8send(g)'
				WHEN a.atttypid = 'bigint'::regtype THEN 'g'
				ELSE '''t'' || g' END, ', ')
			INTO c, v FROM pg_attribute a WHERE a.attrelid = t::regclass AND a.attnum > 0 AND a.attnotnull;
		EXECUTE format('INSERT INTO %I (%s) SELECT %s FROM generate_series(1, 3000) g', t, c, v);
	END LOOP;
END $$`

// walksDeployment is a step that looks at all rows of a table, or at all of a deployment by some index.
var walksDeployment = regexp.MustCompile(`Seq Scan on \w+|(?:using|Bitmap Index Scan on) (\w+)[^\n]*\n *Index Cond: \(\(?(?:\w+\.)?deployment = \$1\)+\n`)

// ofFew are indexes that hold little of a deployment.
var ofFew = []string{"log_held", "log_kept", "log_waiting", "records_by_duplicate", "records_orphaned", "records_unsettled", "records_unsettled_by_team", "erasures_unpurged"}

func planOf(ctx context.Context, conn *sql.Conn, explain string) (string, error) {
	rows, err := conn.QueryContext(ctx, explain)
	if err != nil {
		return "", err
	}
	defer func() { _ = rows.Close() }()
	var plan strings.Builder
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return "", err
		}
		plan.WriteString(line + "\n")
	}
	return plan.String(), rows.Err()
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
	d.Pass(time.Minute)
	anna.Push(anna.Edit(c.Record, &recordv1.Case{DuplicateOf: c2.Record[:]}), anna.Edit(c.Record, &recordv1.Case{CaseNo: proto.String("3")}))
	anna.Renumber()
	anna.Push(anna.Edit(c.Record, &recordv1.Case{CaseNo: proto.String("4")}))
	ben.Push(ben.Edit(c.Record, &recordv1.Case{CaseNo: proto.String("5")}))
	ben.Pull()

	if err := useDesk(ctx, d); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Service.Erase(ctx, c2.Record); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Service.BandsFrozen(ctx); err != nil {
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
	for _, cut := range []tally.Cut{tally.Everything(), tally.OnDay(20211001), tally.OfTeam(d.Teams[0])} {
		after := hlc.ID{}
		for err == nil {
			var b progress.Behind
			b, err = p.Behind(ctx, progress.BehindQuery{Basis: tally.Reported, Figure: "persons", Cut: cut, Page: progress.Page[hlc.ID]{Limit: 1, After: after}})
			if after = b.Next; after == (hlc.ID{}) {
				break
			}
		}
	}
	for _, q := range []progress.OverviewQuery{{Whole: true}, {Teams: d.Teams}} {
		if err == nil {
			_, err = p.Overview(ctx, q)
		}
	}
	if err == nil {
		err = export.Look(ctx, d.DB.Deployment(d.ID), d.Wall, export.Query{Whole: true}, func(c *export.Content) error {
			return c.Each(recordv1.Kind_KIND_CASE, func(export.Row) error { return nil })
		})
	}
	if err == nil {
		_, err = p.Work(ctx, d.Teams[0], 20210930, 20211002)
	}
	if err == nil {
		_, err = report.New(report.Config{Deployment: d.ID, Store: d.DB.Deployment(d.ID), Progress: p}).Report(ctx, report.Week, 20211001, nil)
	}
	if err == nil {
		_, err = d.DB.Deployment(d.ID).TokensOf(ctx, tally.Reported, tally.Everything(), nil, 1)
	}
	if err == nil {
		_, err = p.Arrival(ctx, 1)
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

// useDesk lets records be indexed, with what goes from the tables again, and looks at every list.
func useDesk(ctx context.Context, d *servertest.Deployment) error {
	anna, ben := d.Enrol("anna"), d.Enrol("ben")
	s := indexing.New(indexing.Config{Store: d.DB.Deployment(d.ID), SetUp: d.Service.SetUp, Wall: d.Wall})
	talk := func(v *servertest.Device) *record.Change {
		return v.Make(&recordv1.CommunityActivity{Name: proto.String("讲座"), Minutes: proto.Uint32(60), RegisterUsed: proto.Bool(false), Status: recordv1.Status_STATUS_HELD.Enum()})
	}
	a, b := talk(anna), talk(ben)
	said := anna.Make(&recordv1.Distinction{Record: a.Record[:], Other: b.Record[:]})
	file := anna.Make(&recordv1.Case{CaseNo: proto.String("7"), OpenedOn: proto.Int32(20211001), ClientCount: proto.Uint32(1), Lead: anna.Worker[:], Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum()})
	anna.Push(a, file)
	ben.Push(b)
	errs := []error{s.Follow(ctx)}
	anna.Push(said)
	errs = append(errs, s.Follow(ctx))
	lead := d.Enrol("lead")
	lead.Pull()
	gone := &recordv1.Case{Deleted: proto.Bool(true)}
	lead.Push(lead.Edit(said.Record, &recordv1.Distinction{Deleted: proto.Bool(true)}), lead.Edit(file.Record, gone), lead.Edit(a.Record, &recordv1.CommunityActivity{Deleted: proto.Bool(true)}))
	errs = append(errs, s.Follow(ctx))
	kinds := []record.Kind{recordv1.Kind_KIND_COMMUNITY_ACTIVITY}
	for _, teams := range [][]hlc.ID{nil, d.Teams} {
		_, err := s.Queue(ctx, indexing.QueueQuery{Standing: tally.Waiting, Teams: teams, After: indexing.QueuePlace{Day: 20211002}, Limit: 1})
		errs = append(errs, err)
		_, err = s.Queue(ctx, indexing.QueueQuery{Standing: tally.Waiting, Teams: teams, Kinds: kinds, Limit: 1})
		errs = append(errs, err)
		for _, after := range []indexing.PairPlace{{}, {Day: 20211002}} {
			_, err = s.Likely(ctx, indexing.LikelyQuery{Teams: teams, After: after, Limit: 1})
			errs = append(errs, err)
		}
		for _, lead := range []hlc.ID{{}, anna.Worker} {
			for _, after := range []indexing.CasePlace{{}, {Day: 20211001}} {
				_, err = s.Cases(ctx, indexing.CasesQuery{List: indexing.OpenCases, Teams: teams, Lead: lead, After: after, Limit: 1})
				errs = append(errs, err)
			}
		}
		found, err := s.Search(ctx, indexing.SearchQuery{Text: "讲座", Teams: teams, Kinds: kinds, Limit: 1})
		if len(found.Hits) != 1 {
			errs = append(errs, errors.New("nothing is found"))
		}
		errs = append(errs, err)
	}
	_, err := s.CaseCounts(ctx, indexing.OpenCases, 0, indexing.ByTeam)
	errs = append(errs, err)
	_, err = s.CaseCounts(ctx, indexing.OpenCases, 0, indexing.ByLead)
	return errors.Join(append(errs, err)...)
}

// useAlerts lets somebody be told of an alert.
func useAlerts(ctx context.Context, d *servertest.Deployment, alert hlc.ID) error {
	store := d.DB.Deployment(d.ID)
	notice := alerting.Notice{Alert: alert, Step: 1, Worker: d.Workers["super"], Channel: alerting.SMS, At: d.Wall(), Outcome: alerting.Waiting}
	return errors.Join(store.WriteNotices(ctx, func(tx alerting.Writing) error { return tx.SaveNotices([]alerting.Notice{notice}) }),
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
			audit.Append(tx, d.Wall(), audit.Entry{Deployment: d.ID, Action: audit.SignedIn})}
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
