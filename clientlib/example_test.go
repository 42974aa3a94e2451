package clientlib_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/tally"
)

// A worker enrols a tablet, logs an activity and counts its heads without any network, and syncs when there is one.
func Example() {
	code, stop := exampleServer()
	defer stop()
	dir, err := os.MkdirTemp("", "levee")
	check(err)
	defer func() { _ = os.RemoveAll(dir) }()

	ctx := context.Background()
	store, err := clientlib.Open(ctx, filepath.Join(dir, "tablet.db"), clientlib.Options{Key: clientlib.PIN("735194"), Wall: exampleClock, App: "example/1"})
	check(err)
	defer func() { _ = store.Close() }()
	check(store.Enrol(ctx, code))

	activity, err := store.LogCommunityActivity(ctx, &recordv1.CommunityActivity{
		Name:         proto.String("中秋联欢"),
		Minutes:      proto.Uint32(120),
		RegisterUsed: proto.Bool(false),
		ServiceArea:  recordv1.ServiceArea_SERVICE_AREA_CULTURAL_REBUILDING.Enum(),
	})
	check(err)
	_, err = store.Count(ctx, &recordv1.Headcount{
		Zone:      proto.String("东区"),
		Activity:  activity[:],
		Method:    recordv1.CountMethod_COUNT_METHOD_COUNTED.Enum(),
		FirstTime: proto.Uint32(86),
		Returning: proto.Uint32(14),
	})
	check(err)
	_, err = store.Count(ctx, &recordv1.Headcount{Activity: activity[:], FirstTime: proto.Uint32(1_000_000)})
	fmt.Println(clientlib.Code(err), "-", clientlib.Message(err, "en"))

	totals, err := store.Totals(ctx, 0)
	check(err)
	persons := tally.Cell{Basis: tally.Reported, Figure: tally.Persons, Cut: tally.Everything()}
	fmt.Printf("%d persons on %v, %d changes unsent\n", totals.Value(persons), totals.AsOf, totals.Unsent)

	result, err := store.Sync(ctx, func(p clientlib.Progress) { fmt.Printf("%s: %d of %d sent\n", p.Phase, p.Sent, p.ToSend) })
	check(err)
	status, err := store.Status(ctx)
	check(err)
	fmt.Printf("%d changes in %d request, %d unsent\n", result.Sent, result.Requests, status.Unsent)

	// Output:
	// number_out_of_range - first_time: The number cannot be right. Please check and correct it.
	// 86 persons on 2021-09-23, 2 changes unsent
	// sending: 0 of 2 sent
	// done: 2 of 2 sent
	// 2 changes in 1 request, 0 unsent
}

// check ends the example with the sentence that a person would read.
func check(err error) {
	if err != nil {
		panic(clientlib.Message(err, "en"))
	}
}

func exampleClock() time.Time { return start }

// exampleServer is a server, and an enrolment code for one of its workers.
func exampleServer() (code string, stop func()) {
	s := newServer(exampleFailer{})
	server := httptest.NewServer(s.http)
	return s.code(server.URL, "li-wei"), server.Close
}

// exampleFailer stands in for a test, which examples have not got.
type exampleFailer struct{}

func (exampleFailer) Fatal(args ...any)                 { panic(fmt.Sprint(args...)) }
func (exampleFailer) Error(args ...any)                 { panic(fmt.Sprint(args...)) }
func (exampleFailer) Errorf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
