package httpapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/labstack/echo/v4"
	"go.opentelemetry.io/otel/attribute"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/syncing"
	"levee/server/internal/tracing"
	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/levee/sync/v1/syncv1connect"
	"levee/syncproto/problem"
	"levee/syncproto/wire"
)

// mountSync adds the route of tablets. It carries no headers of pages and no request ids: every byte crosses a bad link.
func (c *Config) mountSync(e *echo.Echo) {
	options := append(wire.HandlerOptions(), connect.WithRecover(func(ctx context.Context, _ connect.Spec, _ http.Header, v any) error {
		return c.refusal(ctx, fmt.Errorf("panic: %v\n%s", v, debug.Stack()))
	}))
	answerProblem := connect.NewErrorWriter(options...)
	path, handler := syncv1connect.NewSyncServiceHandler(&syncHandler{c}, options...)
	e.Any(path+"*", func(ctx echo.Context) error {
		c.authenticateDevice(handler, answerProblem).ServeHTTP(ctx.Response(), ctx.Request())
		c.Measures.answered.Add(float64(ctx.Response().Size))
		return nil
	})
}

// caller is the device that a request's token belongs to.
type caller struct {
	deployment *syncing.Service
	device     syncing.Device
	arrival    syncing.Arrival
}

type (
	callerKey struct{}
	visitKey  struct{}
)

// visitOf is the visit of a request of a tablet.
func visitOf(ctx context.Context) *visit {
	v, _ := ctx.Value(visitKey{}).(*visit)
	return v
}

// authenticateDevice reads the whole body, which is bounded, and checks the device's token against it. Enrolling is the one
// call without a token: its code is its proof.
func (c *Config) authenticateDevice(next http.Handler, errorWriter *connect.ErrorWriter) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := c.Wall() // the headers are here; the body may take minutes
		var body []byte
		// Whoever has sent too much that was no tablet's is not even read. A whole camp may sit behind the same address, so
		// tablets that are enrolled are.
		err := c.byAddress.look(began, c.origin.network(r))
		if err != nil && c.enrolled(r) {
			err = nil
		}
		if err == nil {
			err = c.turns.room()
		}
		if err == nil {
			body, err = readBody(w, r)
			c.Measures.received.Add(float64(len(body)))
		}
		v := &visit{enrols: r.URL.Path == syncv1connect.SyncServiceEnrolProcedure, began: time.Now()}
		r = r.WithContext(context.WithValue(r.Context(), visitKey{}, v))
		leave := func() {}
		switch {
		case err != nil:
		case v.enrols:
			err = c.byAddress.take(began, c.origin.network(r))
		default:
			r, leave, err = c.admit(r, body, began)
		}
		defer leave()
		if err != nil {
			_ = errorWriter.Write(w, r, c.refusal(r.Context(), err)) // the caller is gone if this fails
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if err := c.inTurn(w, r, len(body), next); err != nil {
			_ = errorWriter.Write(w, r, c.refusal(r.Context(), err)) // the caller is gone if this fails
			return
		}
		c.Measures.end(v, problem.Malformed) // unless its handler has said otherwise: what was sent could not be read
	})
}

// inTurn has a request worked on when it is its turn, and sends the answer when that is over.
func (c *Config) inTurn(w http.ResponseWriter, r *http.Request, body int, next http.Handler) error {
	done, err := c.turns.take(r.Context(), body)
	if err != nil {
		return err
	}
	kept := newKeeping()
	func() {
		defer done()
		next.ServeHTTP(kept, r)
		if v := visitOf(r.Context()); v.rest != nil && kept.status == http.StatusOK {
			kept.body.Write(v.rest.In(kept.header.Get(echo.HeaderContentEncoding)))
		}
	}()
	c.turns.underWay(kept.body.Len())
	defer c.turns.underWay(-kept.body.Len())
	kept.send(&terse{ResponseWriter: w})
	return nil
}

// terse answers without telling which codings there are to whom has just used one.
type terse struct{ http.ResponseWriter }

func (w *terse) WriteHeader(status int) {
	if status == http.StatusOK {
		w.Header().Del(echo.HeaderAcceptEncoding)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *terse) Write(b []byte) (int, error) {
	w.Header().Del(echo.HeaderAcceptEncoding) // it is too late for this when WriteHeader was called
	return w.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (w *terse) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// admit finds out whose tablet a request is from, and bounds how much that asks for. Only then is the body decoded, which
// takes a multiple of its size in memory.
func (c *Config) admit(r *http.Request, body []byte, began time.Time) (_ *http.Request, leave func(), err error) {
	leave = func() {}
	if r, err = c.identify(r, body, began); err != nil {
		if terr := c.byAddress.take(began, c.origin.network(r)); terr != nil {
			err = terr
		}
		return r, leave, err
	}
	from, _ := r.Context().Value(callerKey{}).(caller)
	if err := c.byDevice.take(c.Wall(), from.device.ID); err != nil {
		return r, leave, err
	}
	left, err := c.atOnce.enter(from.device.ID)
	if err != nil {
		return r, leave, err
	}
	return r, left, nil
}

// enrolled reports whether a request's token was signed by a device that is known. Whether it belongs to the body is not
// known yet.
func (c *Config) enrolled(r *http.Request) bool {
	token, _ := strings.CutPrefix(r.Header.Get(echo.HeaderAuthorization), "Bearer ")
	deployment, id, err := wire.TokenOwner(token)
	if err != nil {
		return false
	}
	d, err := c.Deployments.Find(r.Context(), deployment)
	if err != nil || d == nil {
		return false
	}
	device, err := d.Syncing.Caller(r.Context(), id)
	return err == nil && wire.SignedBy(token, device.PublicKey)
}

// atOnceBytes is how much memory a request gets before it has come: most bodies are smaller.
const atOnceBytes = 64 << 10

// readBody reads a request to its end. Whatever keeps it from that lies with the caller or the line: the body is too
// large, cut, came too slowly, or is not framed as it says.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	var read bytes.Buffer
	// As much as it says that it has, and for one read that finds its end; but who only says so must not take memory.
	read.Grow(int(min(max(r.ContentLength, 0), atOnceBytes)) + bytes.MinRead)
	_, err := read.ReadFrom(http.MaxBytesReader(w, r.Body, wire.MaxMessageBytes))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, problem.New(problem.BodyTooLarge)
	case err != nil:
		return nil, problem.Newf(problem.Malformed, "%v", err)
	}
	return read.Bytes(), nil
}

func (c *Config) identify(r *http.Request, body []byte, began time.Time) (*http.Request, error) {
	token, ok := strings.CutPrefix(r.Header.Get(echo.HeaderAuthorization), "Bearer ")
	if !ok {
		return r, problem.New(problem.Unauthenticated)
	}
	deployment, id, err := wire.TokenOwner(token)
	if err != nil {
		return r, err
	}
	d, err := c.Deployments.Find(r.Context(), deployment)
	if err != nil {
		return r, err
	}
	if d == nil {
		return r, problem.New(problem.DeviceUnknown)
	}
	device, err := d.Syncing.Caller(r.Context(), id)
	introduced := problem.CodeOf(err) == problem.DeviceUnknown
	if introduced {
		device, err = d.Syncing.Introduced(id, certificateIn(r, body))
	}
	if err != nil {
		return r, err
	}
	expires, err := wire.VerifyToken(token, device.PublicKey, deployment, id, body)
	if err == nil && introduced {
		err = d.Syncing.Admit(r.Context(), device)
	}
	if err != nil {
		return r, err
	}
	return r.WithContext(context.WithValue(r.Context(), callerKey{}, caller{d.Syncing, device, syncing.Arrival{Began: began, TokenExpires: expires}})), nil
}

// certificateIn is the certificate in a request whose device is not known: whose token it is can only be told by it. nil
// when there is none, or nothing that can be read.
func certificateIn(r *http.Request, body []byte) *syncv1.Certificate {
	body, err := wire.Decompress(r.Header.Get(echo.HeaderContentEncoding), body)
	if err != nil {
		return nil
	}
	var request syncv1.SyncRequest
	if r.Header.Get(echo.HeaderContentType) != "application/proto" || proto.Unmarshal(body, &request) != nil {
		return nil
	}
	return request.GetCertificate()
}

// refusal is an error as a tablet is answered it.
func (c *Config) refusal(ctx context.Context, err error) *connect.Error {
	p := c.toProblem(err)
	c.Measures.end(visitOf(ctx), p.Code)
	return c.toConnect(p)
}

// toConnect is a problem as a tablet gets it: every answer says what time it is.
func (c *Config) toConnect(p *problem.Problem) *connect.Error {
	timed := *p
	timed.ServerTime = c.Wall()
	return problem.ToConnect(&timed)
}

// syncHandler decodes, calls and maps errors.
type syncHandler struct{ *Config }

// Sync implements syncv1connect.SyncServiceHandler.
func (h *syncHandler) Sync(ctx context.Context, request *connect.Request[syncv1.SyncRequest]) (*connect.Response[syncv1.SyncResponse], error) {
	from, ok := ctx.Value(callerKey{}).(caller)
	if !ok {
		return nil, h.refusal(ctx, problem.New(problem.Unauthenticated))
	}
	response, err := h.sync(ctx, from, request.Msg)
	if err != nil {
		return nil, h.refusal(ctx, err)
	}
	h.Measures.end(visitOf(ctx), "")
	h.Measures.sent(response)
	return connect.NewResponse(response), nil
}

// sync has a deployment answer, in a span that tells how much came and went.
func (h *syncHandler) sync(ctx context.Context, from caller, request *syncv1.SyncRequest) (response *syncv1.SyncResponse, err error) {
	ctx, span := tracing.Start(ctx, "sync")
	defer func() { tracing.End(span, err) }()
	response, err = from.deployment.Sync(ctx, from.device, from.arrival, request)
	if span.IsRecording() {
		span.SetAttributes(attribute.String("levee.deployment", from.deployment.Deployment().String()), attribute.Int("levee.changes", len(request.GetPush().GetEntries())),
			attribute.Int("levee.given", len(request.GetGiveBack())), attribute.Int("levee.held", len(response.GetAcknowledgement().GetHeld())), attribute.Int("levee.records", len(response.GetPage().GetRecords())))
	}
	return response, err
}

// Enrol implements syncv1connect.SyncServiceHandler.
func (h *syncHandler) Enrol(ctx context.Context, request *connect.Request[syncv1.EnrolRequest]) (*connect.Response[syncv1.EnrolResponse], error) {
	d, err := h.deploymentOf(ctx, request.Msg)
	if err != nil {
		return nil, h.refusal(ctx, err)
	}
	response, setUp, err := d.Syncing.EnrolApart(ctx, request.Msg)
	if err == nil {
		if v := visitOf(ctx); setUp.Large() && request.Header().Get(echo.HeaderContentType) == "application/proto" {
			v.rest = setUp // in other forms, messages do not stand behind each other
		} else {
			err = setUp.AddTo(response)
		}
	}
	if err != nil {
		return nil, h.refusal(ctx, err)
	}
	h.Measures.end(visitOf(ctx), "")
	return connect.NewResponse(response), nil
}

// deploymentOf is the deployment that an enrolment is for: the one that the request names, or, where a code was typed, the
// one that knows its secret.
func (c *Config) deploymentOf(ctx context.Context, request *syncv1.EnrolRequest) (*Deployment, error) {
	if id := request.GetDeployment(); len(id) == len(hlc.ID{}) {
		if d, err := c.Deployments.Find(ctx, hlc.ID(id)); err != nil || d != nil {
			return d, err
		}
	} else if len(id) == 0 {
		for _, d := range c.Deployments.All() {
			if known, err := d.Syncing.KnowsCode(ctx, request.GetSecret()); err != nil || known {
				return d, err
			}
		}
	}
	return nil, problem.New(problem.EnrolmentCodeInvalid)
}

// panicked is an error that a handler panicked with.
type panicked struct{ value any }

func (p panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }
