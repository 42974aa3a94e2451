package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"levee/server/internal/httpapi"
)

// Limits on connections of the admin address. Whoever measures the program has it write for minutes.
const (
	adminWriteTimeout = 10 * time.Minute
	// adminGrace is how long a request may still take after the server was told to stop: nobody waits for a profile.
	adminGrace = time.Second
)

// ServeAdmin answers on a listener, until ctx is done, what operators ask of the running program: measures, profiles, and whether
// it is well. It asks nobody who they are, so it refuses to listen where other machines reach it.
func (s *Server) ServeAdmin(ctx context.Context, l net.Listener) error {
	if err := CheckAdmin(l.Addr()); err != nil {
		return errors.Join(err, l.Close())
	}
	hs := &http.Server{Handler: httpapi.NewAdmin(httpapi.AdminConfig{Ready: s.db.Ping, Measures: s.measures, Log: s.config.Log}),
		ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readHeaderTimeout, WriteTimeout: adminWriteTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeaderBytes, ErrorLog: slog.NewLogLogger(s.config.Log.Handler(), slog.LevelWarn)}
	served := make(chan error, 1)
	go func() { served <- hs.Serve(l) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), adminGrace)
	defer cancel()
	err := hs.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		err = hs.Close()
	}
	if serr := <-served; !errors.Is(serr, http.ErrServerClosed) {
		err = errors.Join(err, serr)
	}
	return err
}

// CheckAdmin refuses an admin address that other machines can reach.
func CheckAdmin(addr net.Addr) error {
	if tcp, ok := addr.(*net.TCPAddr); ok && tcp.IP.IsLoopback() {
		return nil
	}
	return refuse(AdminReachable, nil, addr)
}
