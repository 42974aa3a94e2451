package server

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/audit"
	"levee/server/internal/live"
	"levee/server/internal/pgtest"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
)

// camp is what a deployment is made from.
func camp(name, worker string) *SetUp {
	return &SetUp{Name: name, Start: "2021-09-23", Sites: []SetUpSite{{Name: "王庄镇", Code: "410621108"}}, Teams: []SetUpTeam{{Name: "one", Site: "王庄镇"}},
		Workers: []SetUpWorker{{Name: worker, Team: "one"}}}
}

// beside starts one more server on a database, with the keys of another one and files of its own.
func beside(t *testing.T, at, keys string, setUp *SetUp) *Server {
	t.Helper()
	own := filepath.Join(t.TempDir(), "levee.keys")
	if keys != "" {
		b, err := os.ReadFile(keys)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(own, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := New(t.Context(), Config{DB: at, Keys: own, SetUp: setUp, URL: "http://levee.test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestServersHearOfEachOther: an open page of one server is told of what another one has changed, and a deployment that one makes is
// served by all.
func TestServersHearOfEachOther(t *testing.T) {
	at := pgtest.Bare(t)
	one := beside(t, at, "", camp("浚县", "安娜"))
	two := beside(t, at, one.config.Keys, camp("another", "nobody"))
	if two.Made != nil || len(two.deployments.All()) != 1 {
		t.Fatalf("the second server made %+v", two.Made)
	}
	id := one.deployments.All()[0].Syncing.Deployment()
	told := watch(t, two, id)
	rename(t, one, id, "renamed")
	told("renamed")

	made, err := one.NewDeployment(t.Context(), audit.Actor{}, camp("卫辉", "本"))
	if err != nil {
		t.Fatal(err)
	}
	// Whoever asks for it before the second server has heard of it finds it too.
	if d, err := two.deployments.Enter(t.Context(), made); err != nil || d.Syncing.SetUp().Deployment.GetName() != "卫辉" {
		t.Fatalf("entered: %v", err)
	}
	if _, err := two.deployments.Enter(t.Context(), hlc.ID{9}); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("one that is not there: %v", err)
	}
	told = watch(t, one, made)
	rename(t, two, made, "renamed too")
	told("renamed too")

	// A connection that is lost is made again, and then everybody looks.
	db := pgtest.Open(t, at)
	if _, err := db.ExecContext(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN levee'`); err != nil {
		t.Fatal(err)
	}
	told = watch(t, two, id)
	rename(t, one, id, "renamed again")
	told("renamed again")
}

// TestServersThatStartTogetherMakeOneDeployment: whoever comes first.
func TestServersThatStartTogetherMakeOneDeployment(t *testing.T) {
	at, dir := pgtest.Bare(t), t.TempDir()
	keys := filepath.Join(dir, "keys")
	first, err := New(t.Context(), Config{DB: at, Keys: keys}) // makes the keys and the tables
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	started, errs := make(chan *Server, 4), make(chan error, 4)
	for n := range 4 {
		go func() {
			s, err := New(context.WithoutCancel(t.Context()), Config{DB: at, Keys: keys, Journal: filepath.Join(dir, string(rune('a'+n))), SetUp: camp("浚县", "安娜"), URL: "http://levee.test"})
			started <- s
			errs <- err
		}()
	}
	made := 0
	for range 4 {
		s, err := <-started, <-errs
		if err != nil {
			t.Error(err)
			continue
		}
		if s.Made != nil {
			made++
		}
		if n := len(s.deployments.All()); n != 1 {
			t.Errorf("a server has %d deployments", n)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if made != 1 {
		t.Errorf("%d servers made a deployment", made)
	}
}

// TestAServerWithOtherKeysIsRefused: what it would sign, no tablet would believe.
func TestAServerWithOtherKeysIsRefused(t *testing.T) {
	at := pgtest.Bare(t)
	one := beside(t, at, "", camp("浚县", "安娜"))
	d := one.deployments.All()[0].Syncing
	device := hlc.ID{1}
	if err := d.Admit(t.Context(), syncing.Device{ID: device, Worker: d.SetUp().WorkerIDs()[0], PublicKey: make([]byte, 32)}); err != nil {
		t.Fatal(err)
	}
	if err := d.Revoke(t.Context(), device); err != nil {
		t.Fatal(err)
	}
	other, err := New(t.Context(), Config{DB: pgtest.Bare(t), Keys: filepath.Join(t.TempDir(), "keys")})
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = New(t.Context(), Config{DB: at, Keys: other.config.Keys, Journal: filepath.Join(t.TempDir(), "journal")})
	var refused *Refusal
	if !errors.As(err, &refused) || refused.Code != JournalDamaged {
		t.Errorf("started: %v", err)
	}
}

// watch watches a deployment as an open page does; the function returns once that is told that something has changed, and the
// deployment has a name.
func watch(t *testing.T, s *Server, deployment hlc.ID) (told func(name string)) {
	t.Helper()
	w, err := s.live.Watch(deployment, hlc.ID{1}, s.live.State(deployment))
	if err != nil {
		t.Fatal(err)
	}
	return func(name string) {
		t.Helper()
		defer w.Stop()
		for {
			switch event := w.Next(t.Context()); event {
			case live.Changed:
				if d := s.deployments.Get(deployment); d != nil && d.Syncing.SetUp().Deployment.GetName() == name {
					return
				}
			case live.Still:
			default:
				t.Fatalf("the page is told %v", event)
			}
		}
	}
}

func rename(t *testing.T, s *Server, deployment hlc.ID, name string) {
	t.Helper()
	change := syncing.SetUpChange{SetUpRecord: syncing.SetUpRecord{ID: deployment, Message: &recordv1.Deployment{Name: proto.String(name)}}}
	if err := s.deployments.Get(deployment).Syncing.ChangeSetUp(t.Context(), hlc.ID{}, change); err != nil {
		t.Fatal(err)
	}
}
