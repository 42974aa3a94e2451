package server

import (
	"context"

	"levee/server/internal/accounts"
	"levee/server/internal/audit"
	"levee/server/internal/httpapi"
)

// Accounts are those who may sign in on the web.
func (s *Server) Accounts() *accounts.Service { return s.accounts }

// Deployments are those that are served now.
func (s *Server) Deployments() *httpapi.Deployments { return s.deployments }

// Audit is the log of who did what.
func (s *Server) Audit() *audit.Log { return s.audit }

// NewArchives is how a server keeps archives for its pages.
func NewArchives(c Config) (*archives, error) { return newArchives(c) }

// LooksAtStandby looks at what a standby has, once each time it is called.
func LooksAtStandby(s *Server) func(context.Context) error {
	var waits *committed
	return func(ctx context.Context) (err error) {
		waits, err = s.noteOnStandby(ctx, waits)
		return err
	}
}
