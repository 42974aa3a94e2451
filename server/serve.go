package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"levee/server/internal/httpapi"
)

func (s *Server) limits() httpapi.Limits {
	if s.config.Unlimited {
		return httpapi.Unlimited
	}
	return httpapi.DefaultLimits
}

// Handler answers requests, wherever they come from.
func (s *Server) Handler() http.Handler { return s.handler }

// Limits on connections. A body of 4 MB over a link of 64 kbit/s takes nine minutes: who sends that slowly sends less.
const (
	readHeaderTimeout = 20 * time.Second
	readTimeout       = 5 * time.Minute
	writeTimeout      = 5 * time.Minute
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 16 << 10
	// graceTime is how long running requests may take after the server was told to stop.
	graceTime = 10 * time.Second
)

// Serve answers on a listener until ctx is done; then it lets running requests finish. An address that other machines can
// reach is refused where nothing encrypts: see TLS.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	if err := s.config.TLS.Check(l.Addr()); err != nil {
		return errors.Join(err, l.Close())
	}
	if err := s.Begin(context.WithoutCancel(ctx)); err != nil { // who is told to stop by now stops below
		return errors.Join(err, l.Close())
	}
	hs := &http.Server{Handler: s.handler, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout,
		WriteTimeout:   readTimeout + writeTimeout, // it begins with the body, and whoever sends that slowly must get an answer too
		MaxHeaderBytes: maxHeaderBytes, ErrorLog: slog.NewLogLogger(s.config.Log.Handler(), slog.LevelWarn)}
	hs.RegisterOnShutdown(s.live.Close) // pages listen without end, and come again to the next server
	served := make(chan error, 1)
	go func() {
		if s.tls == nil {
			served <- hs.Serve(l)
			return
		}
		hs.TLSConfig = s.tls
		served <- hs.ServeTLS(l, "", "")
	}()
	if s.config.DurableOnStandby {
		following, stop := context.WithCancel(ctx)
		var follows sync.WaitGroup
		follows.Go(func() { s.followStandby(following) })
		defer func() { stop(); follows.Wait() }()
	}
	if s.config.Backups.Dir != "" {
		backing, stop := context.WithCancel(ctx)
		var backups sync.WaitGroup
		backups.Go(func() { s.keepBackedUp(backing) })
		defer func() { stop(); backups.Wait() }()
	}
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.config.Grace)
	defer cancel()
	err := hs.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		err = hs.Close() // who still sends after the grace time sends again to the next server
	}
	if serr := <-served; !errors.Is(serr, http.ErrServerClosed) {
		err = errors.Join(err, serr)
	}
	return err
}

// URLOf is where tablets reach a listener that does not encrypt, when the operator does not say.
func URLOf(l net.Listener) string { return TLS{}.URLOf(l) }
