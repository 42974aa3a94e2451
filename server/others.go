package server

import (
	"context"
	"errors"
	"slices"
	"sync"

	"levee/server/internal/httpapi"
	"levee/server/internal/store"
	"levee/syncproto/hlc"
)

// hearing is what this server hears of others on the same database, and has not taken in yet.
type hearing struct {
	stop context.CancelFunc
	done sync.WaitGroup

	mu    sync.Mutex
	heard map[hlc.ID]store.Told
	woken chan struct{}
}

// listen takes in what other servers on the database tell, until the server is closed. What it rests on for being right it looks up
// at each request; by this it knows at once what its open pages show, and whom it must tell of an alert.
func (s *Server) listen(ctx context.Context) {
	h := &s.hearing
	h.heard, h.woken = map[hlc.ID]store.Told{}, make(chan struct{}, 1)
	ctx, h.stop = context.WithCancel(ctx)
	h.done.Go(func() {
		s.db.Listen(ctx, h.hear, func(err error) { s.config.Log.Warn("other servers can't be heard", "error", err) })
	})
	h.done.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-h.woken:
			}
			for _, told := range h.take() {
				if err := s.takeIn(ctx, told); err != nil && ctx.Err() == nil {
					s.config.Log.Error("taking in what another server has done", "error", err)
				}
			}
		}
	})
}

// hear keeps what was told until it is taken in. However often something changes meanwhile, it is looked at once.
func (h *hearing) hear(told store.Told) {
	h.mu.Lock()
	defer h.mu.Unlock()
	was := h.heard[told.Deployment]
	told.Alerts, told.Anything = told.Alerts || was.Alerts, told.Anything || was.Anything
	h.heard[told.Deployment] = told
	select {
	case h.woken <- struct{}{}:
	default:
	}
}

func (h *hearing) take() map[hlc.ID]store.Told {
	h.mu.Lock()
	defer h.mu.Unlock()
	taken := h.heard
	h.heard = map[hlc.ID]store.Told{}
	return taken
}

func (h *hearing) close() {
	if h.stop != nil {
		h.stop()
		h.done.Wait()
	}
}

func (s *Server) takeIn(ctx context.Context, told store.Told) error {
	switch {
	case told.Anything:
		ids, err := s.db.Deployments(ctx)
		errs := []error{err, s.accounts.Refresh(ctx)}
		for _, id := range ids {
			errs = append(errs, s.takeInOf(ctx, id, true))
		}
		return errors.Join(errs...)
	case told.Deployment == hlc.ID{}:
		return s.accounts.Refresh(ctx)
	default:
		return s.takeInOf(ctx, told.Deployment, told.Alerts)
	}
}

func (s *Server) takeInOf(ctx context.Context, deployment hlc.ID, alerts bool) error {
	d, err := s.deployments.Find(ctx, deployment)
	if err != nil || d == nil {
		return err
	}
	err = d.Syncing.Refresh(ctx)
	if alerts {
		d.Alerting.Recheck()
	}
	d.Indexing.Hear()
	s.live.Publish(deployment)
	return err
}

// otherDeployment serves a deployment that another server has made; nil when there is none by the id.
func (s *Server) otherDeployment(ctx context.Context, id hlc.ID) (*httpapi.Deployment, error) {
	ids, err := s.db.Deployments(ctx)
	if err != nil || !slices.Contains(ids, id) {
		return nil, err
	}
	s.making.Lock()
	defer s.making.Unlock()
	if d := s.deployments.Get(id); d != nil {
		return d, nil
	}
	d, err := s.start(ctx, id)
	if err == nil {
		s.deployments.Add(d)
	}
	return d, err
}
