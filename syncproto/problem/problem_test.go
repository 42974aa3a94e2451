package problem_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"connectrpc.com/connect"

	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/levee/sync/v1/syncv1connect"
	"levee/syncproto/problem"
)

var codes = []problem.Code{
	problem.Malformed, problem.ProtocolUnsupported, problem.BodyTooLarge, problem.BatchTooLarge, problem.ReplicaNotYours, problem.SignatureInvalid,
	problem.Unauthenticated, problem.DeviceUnknown, problem.DeviceRevoked, problem.ClockSkew, problem.EnrolmentCodeInvalid, problem.EnrolmentCodeExpired,
	problem.EnrolmentCodeUsed, problem.NotFound, problem.InvalidArgument, problem.Busy, problem.TooManyRequests, problem.Unavailable, problem.StorageFull, problem.Internal,
}

// answering is a server that answers every sync with an error.
type answering struct {
	syncv1connect.UnimplementedSyncServiceHandler
	err error
}

func (a answering) Sync(context.Context, *connect.Request[syncv1.SyncRequest]) (*connect.Response[syncv1.SyncResponse], error) {
	return nil, a.err
}

// overTheWire is what a tablet makes of an error that a server answers with.
func overTheWire(t *testing.T, err error) *problem.Problem {
	t.Helper()
	path, handler := syncv1connect.NewSyncServiceHandler(answering{err: err})
	mux := http.NewServeMux()
	mux.Handle(path, handler)
	server := httptest.NewServer(mux)
	defer server.Close()
	_, got := syncv1connect.NewSyncServiceClient(http.DefaultClient, server.URL).Sync(context.Background(), connect.NewRequest(&syncv1.SyncRequest{}))
	if got == nil {
		t.Fatal("no error came")
	}
	return problem.FromConnect(got)
}

func TestEveryProblemComesBackAsItWent(t *testing.T) {
	now := time.UnixMilli(1632384000000)
	for _, code := range codes {
		went := &problem.Problem{Code: code, Incident: "i", ServerTime: now, RetryAfter: 3 * time.Second}
		got := overTheWire(t, problem.ToConnect(went))
		if got.Code != code || got.Incident != "i" || !got.ServerTime.Equal(now) || got.RetryAfter != 3*time.Second {
			t.Errorf("%s came back as %+v", code, got)
		}
		if !problem.Known(code) || problem.HTTPStatus(code) < 400 || problem.Message(code, "zh-CN") == problem.Message(code, "en") {
			t.Errorf("%s: status %d, %q, %q", code, problem.HTTPStatus(code), problem.Message(code, "zh-CN"), problem.Message(code, "en"))
		}
		if !errors.Is(went, problem.New(code)) || problem.CodeOf(went) != code {
			t.Errorf("%s is not itself", code)
		}
	}
}

func TestWhatIsNotInTheTableIsInternal(t *testing.T) {
	if got := overTheWire(t, problem.ToConnect(&problem.Problem{Code: "secret", Detail: "a table name"})); got.Code != problem.Internal || got.Detail != "" {
		t.Errorf("came as %+v", got)
	}
	if problem.CodeOf(errors.New("x")) != problem.Internal || problem.HTTPStatus("secret") != http.StatusInternalServerError || problem.Message("secret", "en") != problem.Message(problem.Internal, "en") {
		t.Error("an unknown code is not internal")
	}
}

func TestAnErrorWithoutAProblemIsOnlyBelievedIfTheServerSaidIt(t *testing.T) {
	for err, want := range map[*connect.Error]problem.Code{
		connect.NewError(connect.CodeResourceExhausted, errors.New("x")): problem.BodyTooLarge,
		connect.NewError(connect.CodeInvalidArgument, errors.New("x")):   problem.Malformed,
		connect.NewError(connect.CodeUnknown, errors.New("x")):           problem.Unavailable,
	} {
		if got := overTheWire(t, err); got.Code != want {
			t.Errorf("%v from the server is %s", err, got.Code)
		}
		// The same made on the tablet, such as an answer that is too large: the server may have stored everything.
		if got := problem.FromConnect(err); got.Code != problem.Unavailable {
			t.Errorf("%v made on the tablet is %s", err, got.Code)
		}
	}
}
