package httpapi

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"strings"
)

// AdminConfig is what the admin address needs.
type AdminConfig struct {
	// Ready reports why the server can't serve now; nil when it can.
	Ready    func(context.Context) error
	Measures *Measures
	Log      *slog.Logger
}

// NewAdmin is the handler of the admin address: measures, profiles of the running program, and whether it is well. It answers
// programs on this machine alone, by whatever way a request came.
func NewAdmin(c AdminConfig) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", c.Measures.handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { well(w) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := c.Ready(r.Context()); err != nil {
			c.Log.Error("not ready", "error", err)
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
		well(w)
	})
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A page in a browser on this machine may have a name of its own point here; it can't change what it asks for by.
		if !(origin{}).local(r) || !loopbackName(r.Host) {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
		mux.ServeHTTP(w, r)
	})
}

func well(w http.ResponseWriter) { _, _ = io.WriteString(w, "ok\n") } // the caller is gone if this fails

// loopbackName reports whether a Host names this machine to itself.
func loopbackName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && addr.IsLoopback()
}
