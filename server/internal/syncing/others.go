package syncing

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
	"levee/syncproto/wire"
)

// Other servers may work on the same store. What this one keeps in memory is true as long as they have changed nothing, so
// each request and each commit compares it first: by what stands at the end of the log and of the journal, whatever there
// is behind it.

// place is a place of the log that this server has seen.
type place struct {
	position uint64
	chain    batch.Hash
}

// errHistoryLost says that the log is not the one that this server has seen: the store was set back beneath it.
var errHistoryLost = errors.New("the log is not the one that was seen before")

// leadsTo checks that a log goes on from a place that was seen before that was read.
func (p *place) leadsTo(tx LogReading, head Head) error {
	if p.position == head.Position && p.chain == head.Chain {
		return nil
	}
	chain, ok, err := tx.ChainAt(p.position)
	if err == nil && (!ok || chain != p.chain) {
		err = errHistoryLost
	}
	return err
}

// saw notes how far the log is. A snapshot may be older than another one that was noted already.
func (s *self) saw(head Head) {
	now := &place{head.Position, head.Chain}
	for {
		was := s.seen.Load()
		if was.position >= now.position || s.seen.CompareAndSwap(was, now) {
			return
		}
	}
}

// newReplica gives the server a replica number that no server had: what it wrote under another one may be lost.
func (s *self) newReplica() error {
	nonce := make([]byte, 8)
	if _, err := io.ReadFull(s.entropy, nonce); err != nil {
		return fmt.Errorf("making a replica number: %w", err)
	}
	s.replica.Store(uint64(hlc.ReplicaOf(s.keys.PublicKey(), binary.BigEndian.Uint64(nonce))))
	return nil
}

// Refresh takes in what other servers on the same store have done. Whoever answers a request begins with it.
func (s *Service) Refresh(ctx context.Context) error {
	return s.look(ctx, func(Reading) error { return nil })
}

// look runs fn over one snapshot, and takes in what other servers have done by then.
func (s *Service) look(ctx context.Context, fn func(Reading) error) error {
	if !s.caughtUp.Load() {
		if err := s.recover(ctx); err != nil {
			return err
		}
	}
	seen := s.self.seen.Load()
	var head Head
	var news, lacking bool
	err := s.config.Store.Read(ctx, func(tx Reading) (err error) {
		if head, err = tx.Head(); err != nil {
			return err
		}
		if err := seen.leadsTo(tx, head); err != nil {
			return err
		}
		if news, lacking, err = s.config.Journal.Refresh(tx); err != nil {
			return err
		}
		return fn(tx)
	})
	if errors.Is(err, errHistoryLost) {
		if err := s.recover(ctx); err != nil {
			return err
		}
		return s.config.Store.Read(ctx, fn)
	}
	if err != nil {
		return err
	}
	s.self.saw(head)
	s.self.ahead.Store(uint64(head.Ahead))
	if head.SetUp != s.SetUp().version {
		if err := s.readSetUp(ctx); err != nil {
			return err
		}
	}
	if lacking { // each commit mends it; while the disk is full there is none, and who only reads is answered all the same
		if err := s.Flush(ctx); err != nil && problem.CodeOf(err) != problem.StorageFull {
			return err
		}
	}
	if news && (s.config.Journal.Any(wire.JournalClientErased) || s.self.erasedWhole()) {
		err = s.carryOut(ctx) // unless the server that says so has done it
	}
	return err
}

// write runs a job of the writer, which is done when it returns.
func (s *Service) write(ctx context.Context, run func(*group) error) error {
	err := s.writer.do(ctx, run)
	if errors.Is(err, errHistoryLost) && s.caughtUp.Load() {
		if err := s.recover(ctx); err != nil {
			return err
		}
		err = s.writer.do(ctx, run)
	}
	if errors.Is(err, errHistoryLost) {
		err = problem.Newf(problem.Busy, "%v", err)
	}
	return err
}

// recover lets the server be as after a start, since the store was set back beneath it: a standby was promoted that had not
// had everything yet. The tablets give back what they have seen.
func (s *Service) recover(ctx context.Context) error {
	s.recovering.Lock()
	defer s.recovering.Unlock()
	seen := s.self.seen.Load()
	var head Head
	err := s.config.Store.Read(ctx, func(tx Reading) (err error) {
		if head, err = tx.Head(); err != nil {
			return err
		}
		return seen.leadsTo(tx, head)
	})
	switch {
	case err == nil && s.caughtUp.Load(): // another request came first
		return nil
	case err != nil && !errors.Is(err, errHistoryLost):
		return err
	}
	s.caughtUp.Store(false)
	if err := s.self.newReplica(); err != nil {
		return err
	}
	s.self.seen.Store(&place{head.Position, head.Chain})
	s.self.carriedOut.Store(false)
	if err := s.readSetUp(ctx); err != nil {
		return err
	}
	if err := s.catchUp(ctx); err != nil {
		return err
	}
	s.caughtUp.Store(true)
	return nil
}

// setUpIn is the set-up in a snapshot.
func (s *Service) setUpIn(tx Reading) (*SetUp, error) {
	head, err := tx.Head()
	if setUp := s.SetUp(); err != nil || setUp.version == head.SetUp {
		return setUp, err
	}
	return readSetUpIn(tx)
}
