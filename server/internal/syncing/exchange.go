package syncing

import (
	"context"
	"time"
	"unicode/utf8"

	"levee/server/internal/access"
	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
	"levee/syncproto/wire"
)

// Arrival is what is known of a request besides its message.
type Arrival struct {
	// Began is the server's clock when the headers were there. A long upload must not look like a wrong clock.
	Began time.Time
	// TokenExpires is when the verified token ends.
	TokenExpires time.Time
}

// Sync answers one request of a device whose token was verified. The disk has all that the answer tells.
func (s *Service) Sync(ctx context.Context, device Device, arrival Arrival, request *syncv1.SyncRequest) (*syncv1.SyncResponse, error) {
	response, err := s.sync(ctx, device, arrival, request)
	if err != nil {
		return nil, err
	}
	return response, s.config.Store.Durable() // it may have read what another request had just committed
}

func (s *Service) sync(ctx context.Context, device Device, arrival Arrival, request *syncv1.SyncRequest) (*syncv1.SyncResponse, error) {
	now := s.config.Wall()
	if request.GetProtocol() != Protocol {
		return nil, problem.New(problem.ProtocolUnsupported)
	}
	if skew := time.UnixMilli(request.GetClock()).Sub(arrival.Began); skew > MaxSkew || skew < -MaxSkew {
		return nil, &problem.Problem{Code: problem.ClockSkew, ServerTime: now}
	}
	if arrival.TokenExpires.Before(arrival.Began.Add(-MaxSkew)) {
		return nil, problem.New(problem.Unauthenticated)
	}
	if len(request.GetApp()) > maxAppName || !utf8.ValidString(request.GetApp()) || request.GetUnsent() > maxUnsent {
		return nil, problem.New(problem.Malformed)
	}
	if err := checkGiven(request.GetGiveBack()); err != nil {
		return nil, err
	}
	var lost bool
	if err := s.look(ctx, func(tx Reading) (err error) {
		var there bool
		if device, there, err = tx.Device(device.ID); err != nil {
			return err
		}
		if !there { // it was, when its token was verified
			s.devices.drop(device.ID)
			return problem.New(problem.DeviceUnknown)
		}
		if request.GetPull() != nil {
			lost, err = lostHistory(tx, request.GetPull())
		}
		return err
	}); err != nil {
		return nil, err
	}
	if device = s.self.asNoted(device); device.RevokedAt != 0 {
		return s.takeLast(ctx, device, request, now)
	}
	if s.self.erasedWhole() && !s.self.carriedOut.Load() {
		if err := s.carryOut(ctx); err != nil {
			return nil, err
		}
	}
	response := &syncv1.SyncResponse{Protocol: Protocol, Unconfirmed: device.AdmittedAt != 0}
	if err := s.takeJournal(ctx, request); err != nil {
		return nil, err
	}
	// What a tablet edits may be what the server has lost: it comes back first, and then what was done to it. A device that
	// is not confirmed gets no page, by which it would learn of that; what it sends is held.
	lost = lost && !response.GetUnconfirmed()
	if len(request.GetGiveBack()) > 0 && !lost {
		var err error
		if response.Given, err = s.give(ctx, device.Worker, request.GetGiveBack()); err != nil {
			return nil, err
		}
	}
	if request.GetPush() != nil {
		var err error
		if response.Acknowledgement, err = s.push(ctx, device, request, now, lost); err != nil {
			return nil, err
		}
	}
	s.heard(device, request, now)
	if s.self.asNoted(device).RevokedAt != 0 { // meanwhile
		return s.takeLast(ctx, device, request, now)
	}
	if request.GetPull() != nil && !response.GetAcknowledgement().GetForked() && !response.GetUnconfirmed() {
		var err error
		if response.Page, err = s.pull(ctx, device, request, response.GetAcknowledgement()); err != nil {
			return nil, err
		}
	}
	var err error
	if response.Certificate, err = s.renew(device, request, now); err != nil {
		return nil, err
	}
	s.tellJournal(request, response) // last: what the push brought may have been erased before
	response.Time = s.config.Wall().UnixMilli()
	if request.GetPull().GetCompact() {
		wire.CompactAnswer(response)
	}
	return response, nil
}

// push takes the batch of a request in, or, when there is nothing in it to take, as in one that was sent again, or nothing of it may be
// taken, only says how far the server is: that waits for nobody who writes.
func (s *Service) push(ctx context.Context, device Device, request *syncv1.SyncRequest, now time.Time, lost bool) (*syncv1.Acknowledgement, error) {
	future := futureAt(now, hlc.Time(s.self.ahead.Load()))
	setUp := s.SetUp()
	p, err := openPush(s.config.Deployment, device, request)
	if err != nil {
		return nil, err
	}
	var ack *syncv1.Acknowledgement
	err = s.config.Store.Read(ctx, func(tx Reading) error {
		r, err := tx.Replica(p.replica)
		if nothing := len(p.arrivals) == 0 || p.last() <= r.Have || lost || askedOnly(request); err != nil || !nothing {
			return err
		}
		ack, err = howFar(tx, s.config.Deployment, p, r)
		return err
	})
	if err != nil || ack != nil {
		return s.durably(ack), err
	}
	if err := p.read(setUp.Rules, now, future); err != nil {
		return nil, err
	}
	err = s.write(ctx, func(g *group) (err error) {
		if changed := s.SetUp(); changed != setUp { // meanwhile, here or by another server
			if err := p.read(changed.Rules, now, future); err != nil {
				return err
			}
		}
		if err := g.bring(p); err != nil {
			return err
		}
		ack, err = g.push(p)
		return err
	})
	return s.durably(ack), err
}

// durably says of what is acknowledged how much is durable: without copies of the database, all of it.
func (s *Service) durably(ack *syncv1.Acknowledgement) *syncv1.Acknowledgement {
	if ack != nil && !s.config.Copies {
		ack.Durable = ack.GetHave()
	}
	return ack
}

// heard notes what a device said about itself. It comes after its push: what a refused one holds is still unsent.
func (s *Service) heard(device Device, request *syncv1.SyncRequest, now time.Time) {
	s.writer.note(Contact{Device: device.ID, At: now.UnixMilli(), Unsent: request.GetUnsent(), App: request.GetApp()})
}

func (s *Service) give(ctx context.Context, worker hlc.ID, records []*syncv1.GivenRecord) (outcomes []*syncv1.GivenRecordOutcome, err error) {
	err = s.write(ctx, func(g *group) (err error) {
		ids := make([]hlc.ID, 0, len(records))
		for _, r := range records {
			ids = append(ids, hlc.ID(r.GetId()))
		}
		if err := g.load(ids); err != nil {
			return err
		}
		outcomes, err = g.give(worker, records)
		return err
	})
	return outcomes, err
}

func (s *Service) pull(ctx context.Context, device Device, request *syncv1.SyncRequest, ack *syncv1.Acknowledgement) (page *syncv1.Page, err error) {
	err = s.config.Store.Read(ctx, func(tx Reading) (err error) {
		// Posted as in this snapshot: a tablet that learns of its move from this page must not have been served as before it.
		person, err := personIn(tx, device.Worker)
		if err != nil {
			return err
		}
		p := &puller{store: tx, keys: s.config.Keys, self: s.self, device: device.ID, person: person, roots: map[hlc.ID]*Record{}}
		// Another request of the same replica may have come in between: what this answer does not acknowledge the tablet
		// can't take for what the server has, so it gets everything whole. So does one of whose changes the server has lost
		// some: its base has them still.
		r, err := tx.Replica(hlc.Replica(request.GetPush().GetReplica()))
		if err != nil {
			return err
		}
		if r.Have == ack.GetHave() && request.GetPush().GetFirst() <= r.Have+1 && request.GetAccepted() <= r.Have {
			p.replica = r.Number
		}
		setUp, err := s.setUpIn(tx)
		if err != nil {
			return err
		}
		page, err = p.pull(access.Audiences(person, setUp.teams()), request.GetPull())
		return err
	})
	return page, err
}
