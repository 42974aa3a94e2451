package httpapi_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/levee/sync/v1/syncv1connect"
	"levee/syncproto/wire"
)

// Whoever enrols gets the whole set-up as it stands then, in whatever form and coding they asked for it: a small one, which is answered in one,
// and a large one, which is kept ready.
func TestEveryTabletGetsTheSetUp(t *testing.T) {
	d := servertest.New(t)
	s := serve(t, d)
	clients := map[string]syncv1connect.SyncServiceClient{
		"as tablets do":  wire.NewClient(http.DefaultClient, s.url),
		"as they did":    syncv1connect.NewSyncServiceClient(http.DefaultClient, s.url, wire.ClientOptions()...),
		"not compressed": syncv1connect.NewSyncServiceClient(http.DefaultClient, s.url, connect.WithAcceptCompression("gzip", nil, nil)),
		"JSON":           syncv1connect.NewSyncServiceClient(http.DefaultClient, s.url, connect.WithProtoJSON()),
		"gRPC-Web":       syncv1connect.NewSyncServiceClient(http.DefaultClient, s.url, connect.WithGRPCWeb()),
	}
	request := func() *syncv1.EnrolRequest {
		secret, err := d.Service.NewEnrolmentCode(t.Context(), d.Workers["anna"], hlc.ID{}, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		key := make([]byte, 32)
		_, _ = rand.Read(key)
		return &syncv1.EnrolRequest{Protocol: 1, Deployment: d.ID[:], Secret: secret, PublicKey: key}
	}
	allGet := func(workers int, newest string) {
		t.Helper()
		want, err := d.Service.Enrol(t.Context(), request())
		if err != nil || len(want.GetSetUp()) != 1+2+2+workers || !strings.Contains(fmt.Sprintf("%q", want.GetSetUp()), newest) {
			t.Fatalf("%d set-up records, %v", len(want.GetSetUp()), err)
		}
		for name, client := range clients {
			answer, err := client.Enrol(t.Context(), connect.NewRequest(request()))
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			got := proto.CloneOf(answer.Msg)
			got.Device, got.Certificate, got.Time = want.GetDevice(), want.GetCertificate(), want.GetTime()
			if !proto.Equal(got, want) {
				t.Errorf("%s, with %d workers: it gets %d of %d records, or others", name, workers, len(got.GetSetUp()), len(want.GetSetUp()))
			}
		}
	}
	add := func(id hlc.ID, name string) {
		t.Helper()
		if err := d.Service.Add(t.Context(), []syncing.SetUpRecord{{ID: id, Message: &recordv1.Worker{Name: proto.String(name), Role: recordv1.Role_ROLE_FIELD_WORKER.Enum()}}}); err != nil {
			t.Fatal(err)
		}
	}

	few := len(d.Workers)
	allGet(few, "anna")
	const more = 60
	for i := range more {
		add(d.NewID(), fmt.Sprintf("worker %d", i))
	}
	allGet(few+more, "worker 59")
	add(d.Workers["ben"], "benedict")
	allGet(few+more, "benedict")
}
