package indexing_test

import (
	"bytes"
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/indexing"
	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// head is the end of the log.
func head(t testing.TB, d *servertest.Deployment) (position uint64) {
	t.Helper()
	err := d.DB.Deployment(d.ID).Read(ctx, func(tx syncing.Reading) error {
		head, err := tx.Head()
		position = head.Position
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return position
}

// A server that is stopped in the middle goes on from there.
func TestFollowingGoesOnWhereItWasCut(t *testing.T) {
	d := servertest.New(t)
	anna := d.Enrol("anna")
	for range 3 {
		var changes []*record.Change
		for range 400 {
			changes = append(changes, anna.Make(talk("讲座")))
		}
		anna.Push(changes...)
	}
	cut, cancel := context.WithCancel(ctx)
	config := indexing.Config{Store: d.DB.Deployment(d.ID), SetUp: d.Service.SetUp, Wall: d.Wall}
	var told []uint64
	config.Indexed = func(position uint64) {
		told = append(told, position)
		cancel()
	}
	s := indexing.New(config)
	if err := s.Follow(cut); err == nil {
		t.Error("nobody cut it")
	}
	behind, err := s.Behind(ctx)
	if err != nil || len(told) != 1 || s.Position() != told[0] || behind != head(t, d)-told[0] || behind == 0 {
		t.Fatalf("told %v, at %d, %d behind, %v", told, s.Position(), behind, err)
	}
	d.Close()
	d.Open()
	s = follow(t, d)
	if s.Position() != head(t, d) {
		t.Errorf("at %d of %d", s.Position(), head(t, d))
	}
}

// While tablets keep the server busy the tables wait, but not for ever; and not at all for whoever waits for them.
func TestTabletsGoFirst(t *testing.T) {
	d := servertest.New(t)
	anna := d.Enrol("anna")
	anna.Push(anna.Make(talk("讲座")))
	start := func(after func(time.Duration) <-chan time.Time, busy bool) (s *indexing.Service, indexed chan uint64) {
		indexed = make(chan uint64, 8)
		s = indexing.New(indexing.Config{Store: d.DB.Deployment(d.ID), SetUp: d.Service.SetUp, Wall: d.Wall, After: after,
			Busy: func() bool { return busy }, Failed: func(err error) { t.Error(err) }, Indexed: func(position uint64) { indexed <- position }})
		s.Start()
		t.Cleanup(s.Close)
		return s, indexed
	}
	passed := make(chan time.Time)
	close(passed)
	for _, c := range []struct {
		busy bool
		want time.Duration
	}{{false, 50 * time.Millisecond}, {true, time.Second}} {
		var waited atomic.Int64
		_, indexed := start(func(d time.Duration) <-chan time.Time { waited.Add(int64(d)); return passed }, c.busy)
		if <-indexed; time.Duration(waited.Load()) != c.want {
			t.Errorf("busy %v: it waited %v, want %v", c.busy, time.Duration(waited.Load()), c.want)
		}
	}
	s, _ := start(func(time.Duration) <-chan time.Time { return nil }, true)
	if err := s.CatchUp(ctx); err != nil {
		t.Error(err)
	}
}

// While tablets wait, each transaction is short; while none does, it takes more.
func TestTransactionsAreShortWhileTabletsWait(t *testing.T) {
	d := servertest.New(t)
	anna := d.Enrol("anna")
	var changes []*record.Change
	for range 1500 {
		changes = append(changes, anna.Make(talk("讲座")))
	}
	for batch := range slices.Chunk(changes, 500) {
		anna.Push(batch...)
	}
	busy := true
	var told []uint64
	s := indexing.New(indexing.Config{Store: d.DB.Deployment(d.ID), SetUp: d.Service.SetUp, Wall: d.Wall, Busy: func() bool { return busy },
		Indexed: func(position uint64) { told, busy = append(told, position), false }})
	if err := s.Follow(ctx); err != nil {
		t.Fatal(err)
	}
	if end := head(t, d); !slices.Equal(told, []uint64{200, 1200, end}) {
		t.Errorf("told of %v, up to %d", told, end)
	}
}

func TestAPageWaitsForWhatWasJustDone(t *testing.T) {
	d := servertest.New(t)
	anna := d.Enrol("anna")
	config := indexing.Config{Store: d.DB.Deployment(d.ID), SetUp: d.Service.SetUp, Wall: d.Wall, Failed: func(err error) { t.Error(err) }}
	s := indexing.New(config)
	s.Start()
	defer s.Close()
	for range 3 {
		anna.Push(anna.Make(talk("讲座")))
		s.Notice()
		if err := s.Wait(ctx, head(t, d)); err != nil {
			t.Fatal(err)
		}
	}
	if got := queue(t, s, indexing.QueueQuery{}); len(got) != 3 {
		t.Errorf("%d in the queue", len(got))
	}
	ended, end := context.WithCancel(ctx)
	end()
	if err := s.Wait(ended, head(t, d)+1); problem.CodeOf(err) != problem.Busy {
		t.Errorf("waited for what is not there: %v", err)
	}
}

// failing is a store that fails a few times.
type failing struct {
	indexing.Store
	times int
}

func (f *failing) Index(ctx context.Context, fn func(indexing.Writing) error) error {
	if f.times--; f.times >= 0 {
		return problem.New(problem.StorageFull)
	}
	return f.Store.Index(ctx, fn)
}

func TestAFollowerThatFailedTriesAgain(t *testing.T) {
	d := servertest.New(t)
	failed := 0
	s := indexing.New(indexing.Config{Store: &failing{d.DB.Deployment(d.ID), 2}, SetUp: d.Service.SetUp, Wall: d.Wall, Failed: func(error) { failed++ },
		After: func(time.Duration) <-chan time.Time {
			passed := make(chan time.Time, 1)
			passed <- d.Wall()
			return passed
		}})
	s.Start()
	if err := s.Wait(ctx, head(t, d)); err != nil {
		t.Error(err)
	}
	s.Close()
	if failed != 2 {
		t.Errorf("failed %d times", failed)
	}
}

// Tables that other rules made, with whatever in them is not so by these, are made anew.
func TestTablesOfAnotherVersionAreMadeAnew(t *testing.T) {
	d := servertest.New(t)
	anna := d.Enrol("anna")
	made, draft := anna.Make(talk("讲座")), anna.Make(&recordv1.CommunityActivity{Name: proto.String("草稿")})
	anna.Push(made, draft)
	follow(t, d)
	wrong := indexing.Reviewed{Record: draft.Record, Audience: d.Teams[0], Kind: draft.Kind, Standing: tally.Approved, Day: 20211001}
	store := d.DB.Deployment(d.ID)
	err := store.Index(ctx, func(tx indexing.Writing) error {
		at, err := tx.Cursor()
		if err != nil {
			return err
		}
		at.Version = 0
		return tx.SaveIndex(indexing.Changes{Cursor: at, Reviewing: indexing.Rows[indexing.Reviewed, hlc.ID]{Put: []indexing.Reviewed{wrong}, Drop: []hlc.ID{made.Record}},
			Counts: []indexing.ReviewCount{{Audience: d.Teams[0], Kind: draft.Kind, Standing: tally.Approved, Count: 1}, {Audience: d.Teams[0], Kind: made.Kind, Standing: tally.Waiting, Count: -1}}})
	})
	if err != nil {
		t.Fatal(err)
	}
	s := serviceOf(d)
	if behind, err := s.Behind(ctx); err != nil || behind != head(t, d) {
		t.Errorf("%d behind, %v", behind, err)
	}
	wantIDs(t, "before", queue(t, s, indexing.QueueQuery{Standing: tally.Approved}), draft.Record)
	s = follow(t, d)
	wantIDs(t, "after", queue(t, s, indexing.QueueQuery{}), made.Record)
	wantIDs(t, "after", queue(t, s, indexing.QueueQuery{Standing: tally.Approved}))
}

// An erased client is found no more from that moment on, and no word of theirs is left in the file.
func TestAnErasedClientIsInNoTable(t *testing.T) {
	d := servertest.New(t)
	anna := d.Enrol("anna")
	file := anna.Make(&recordv1.Case{CaseNo: proto.String("WZ-1"), OpenedOn: proto.Int32(20211001), ClientCount: proto.Uint32(1), Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(), Lead: anna.Worker[:]})
	identity := anna.Make(&recordv1.CaseIdentity{Case: file.Record[:], Name: proto.String("赵桂兰"), Phone: proto.String("13800000000")})
	session := anna.Make(&recordv1.CaseSession{Case: file.Record[:]})
	note := anna.Make(&recordv1.CaseNote{Session: session.Record[:], Process: proto.String("她梦见水漫进屋里")})
	anna.Push(file, identity, session, note)
	s := follow(t, d)
	finds := func(text string) bool {
		return len(search(t, s, indexing.SearchQuery{Text: text, Confidential: true})) > 0
	}
	for _, text := range []string{"赵桂兰", "13800000000", "水漫"} {
		if !finds(text) {
			t.Errorf("%s is not found before", text)
		}
	}
	edit(d, identity.Record, &recordv1.CaseIdentity{Phone: proto.String("13900000000")})
	follow(t, d)
	if _, err := d.Service.Erase(ctx, file.Record); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"赵桂兰", "13800000000", "13900000000", "水漫"} {
		if finds(text) {
			t.Errorf("%s is found after", text)
		}
	}
	stored := d.Stored()
	for _, word := range []string{"桂兰", "3800000000", "3900000000", "梦见"} { // an index keeps the beginning of a word once for several
		if bytes.Contains(stored, []byte(word)) {
			t.Errorf("%s is in the file", word)
		}
	}
	s = follow(t, d)
	wantIDs(t, "the case stays", search(t, s, indexing.SearchQuery{Text: "wz"}), file.Record)
}
