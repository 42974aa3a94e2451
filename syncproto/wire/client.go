package wire

import (
	"context"
	"net/http"
	"sync/atomic"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"levee/syncproto/batch"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/levee/sync/v1/syncv1connect"
)

// client speaks Levee1, and with a server that does not know that, zstd. It asks a server again with each life of a client:
// servers are brought up to date.
type client struct {
	newest, oldest syncv1connect.SyncServiceClient
	old            atomic.Bool
}

// NewClient is a tablet's end of the service. Requests leave out, and pages that are given back have again, what the other
// side can tell by itself. Every request but Enrol's must
// carry a token of the device. What carries them should Trim their headers.
func NewClient(by connect.HTTPClient, url string) syncv1connect.SyncServiceClient {
	return &client{
		newest: syncv1connect.NewSyncServiceClient(by, url, clientOptions(Levee1, NewLevee1Decompressor, NewLevee1Compressor)...),
		oldest: syncv1connect.NewSyncServiceClient(by, url, ClientOptions()...),
	}
}

// Enrol implements syncv1connect.SyncServiceClient.
func (c *client) Enrol(ctx context.Context, req *connect.Request[syncv1.EnrolRequest]) (*connect.Response[syncv1.EnrolResponse], error) {
	return call(ctx, c, req, req, syncv1connect.SyncServiceClient.Enrol)
}

// Sync implements syncv1connect.SyncServiceClient.
func (c *client) Sync(ctx context.Context, req *connect.Request[syncv1.SyncRequest]) (*connect.Response[syncv1.SyncResponse], error) {
	res, err := call(ctx, c, connect.NewRequest(lean(req.Msg)), req, syncv1connect.SyncServiceClient.Sync)
	if err == nil {
		Expand(res.Msg.GetPage())
	}
	return res, err
}

// call makes a request; as it was in the beginning, once a server has not understood what came since.
func call[Req, Res any](ctx context.Context, c *client, newest, oldest *connect.Request[Req],
	rpc func(syncv1connect.SyncServiceClient, context.Context, *connect.Request[Req]) (*connect.Response[Res], error),
) (*connect.Response[Res], error) {
	if !c.old.Load() {
		res, err := rpc(c.newest, ctx, newest)
		if connect.CodeOf(err) != connect.CodeUnimplemented { // of no error it is another one
			return res, err
		}
		c.old.Store(true)
	}
	return rpc(c.oldest, ctx, oldest)
}

// userAgent is short, since it travels with every request. Without one, some firewalls let nothing through.
const userAgent = "levee/1"

// Trim takes off a request's headers what a server of this service does without. The server's own limits hold, whatever a
// time-out says.
func Trim(h http.Header) {
	h.Set("User-Agent", userAgent)
	h.Del("Connect-Timeout-Ms")
	h.Del("Connect-Protocol-Version")
}

// lean is a request without what a server can tell by itself: the number that follows from key and nonce, the signature of
// what the token signs with the same key, and of chains more than it takes to find that they differ.
func lean(r *syncv1.SyncRequest) *syncv1.SyncRequest {
	r = shallow(r)
	if r.Push != nil {
		r.Push = shallow(r.Push)
		r.Push.Replica, r.Push.Signature = 0, nil
	}
	if r.Pull != nil {
		r.Pull = shallow(r.Pull)
		r.Pull.Cursor, r.Pull.Compact = shorter(r.Pull.Cursor), true
	}
	r.Journal = shorter(r.Journal)
	return r
}

func shorter(m *syncv1.Mark) *syncv1.Mark {
	if m == nil {
		return nil
	}
	m = shallow(m)
	m.Chain = batch.Shorter(m.Chain)
	return m
}

// shallow is a message with the same contents, of which fields can be set.
func shallow[M proto.Message](m M) M {
	out := m.ProtoReflect().New()
	for f, v := range m.ProtoReflect().Range {
		out.Set(f, v)
	}
	return out.Interface().(M) //nolint:forcetypeassert // it is new of the same type
}
