package postgres_test

import (
	"path/filepath"
	"reflect"
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/pgtest"
	"levee/server/internal/progress"
	"levee/server/internal/servertest"
	"levee/server/internal/store"
	"levee/server/internal/store/sqlite"
	recordv1 "levee/syncproto/levee/record/v1"
)

// TestADeploymentIsCopiedFromEngineToEngine: it is the same afterwards, whichever way it went.
func TestADeploymentIsCopiedFromEngineToEngine(t *testing.T) {
	d := servertest.New(t)
	anna, carl := d.Enrol("anna"), d.Enrol("carl")
	for range 3 {
		anna.Push(anna.Make(&recordv1.Case{CaseNo: proto.String("个案"), OpenedOn: proto.Int32(20211001), ClientCount: proto.Uint32(1), ClientTokens: [][]byte{[]byte("a token of 16 by")}}))
	}
	carl.Push(carl.Edit(d.Sites[0], &recordv1.Site{Name: proto.String("not carl's to name")}))
	was := counted(t, d.DB, d)
	tables := append(append([]string{}, store.Copied...), store.ByDay...)

	there := open(t, pgtest.New(t))
	if err := store.Copy(t.Context(), d.DB, there, d.ID, tables); err != nil {
		t.Fatal(err)
	}
	if got := counted(t, there, d); !reflect.DeepEqual(got, was) {
		t.Errorf("there:\n%+v\n%+v", got, was)
	}
	if err := store.Copy(t.Context(), d.DB, there, d.ID, tables); err == nil {
		t.Error("copied over what is there")
	}

	back, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "back.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = back.Close() }()
	if err := store.Copy(t.Context(), there, back, d.ID, tables); err != nil {
		t.Fatal(err)
	}
	if got := counted(t, back, d); !reflect.DeepEqual(got, was) {
		t.Errorf("back:\n%+v\n%+v", got, was)
	}
}

func counted(t *testing.T, db *store.DB, d *servertest.Deployment) *progress.Recounted {
	t.Helper()
	c, err := progress.Recount(t.Context(), db.Deployment(d.ID), d.ID)
	if err != nil || !c.Equal() || c.Changes < 10 {
		t.Fatalf("recount: %v, %+v", err, c)
	}
	return c
}
