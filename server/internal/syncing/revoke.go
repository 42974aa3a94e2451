package syncing

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
	"levee/syncproto/wire"
)

// Revoke puts a device out of use for ever, from its next request on. It is in the journal before anything else, so that no
// restore forgets it. What the device holds unsent is still taken, and held. Problem not_found when there is no such device;
// revoking again does nothing.
func (s *Service) Revoke(ctx context.Context, id hlc.ID) error {
	if _, err := s.known(ctx, id); err != nil {
		return err
	}
	return s.write(ctx, func(g *group) error {
		if err := g.note(wire.JournalRevoked, id[:], nil); err != nil {
			return err
		}
		return g.revoke(id)
	})
}

// settleRevoked carries a revocation of the journal out in the store, from which the devices are listed.
func (s *Service) settleRevoked(ctx context.Context, id hlc.ID) error {
	return s.write(ctx, func(g *group) error { return g.revoke(id) })
}

// revoke notes in the store what the journal says of a device, if the store knows it and has it not noted.
func (g *group) revoke(id hlc.ID) error {
	d, ok, err := g.store.Device(id)
	if err != nil || !ok || d.RevokedAt != 0 {
		return err
	}
	return g.store.SaveDevice(g.self.asNoted(d))
}

// Rename gives a device another name for people. Problem not_found when there is no such device; invalid_argument when the
// name is empty, too long or not UTF-8.
func (s *Service) Rename(ctx context.Context, id hlc.ID, name string) error {
	if strings.TrimSpace(name) == "" || len(name) > maxDeviceName || !utf8.ValidString(name) {
		return problem.Newf(problem.InvalidArgument, "a name has 1 to %d bytes", maxDeviceName)
	}
	if _, err := s.known(ctx, id); err != nil {
		return err
	}
	return s.write(ctx, func(g *group) error {
		d, ok, err := g.store.Device(id)
		if err != nil || !ok {
			return err
		}
		d.Name = name
		return g.store.SaveDevice(d)
	})
}

// known is a device that people name.
func (s *Service) known(ctx context.Context, id hlc.ID) (Device, error) {
	d, err := s.Device(ctx, id)
	if problem.CodeOf(err) == problem.DeviceUnknown {
		err = problem.New(problem.NotFound)
	}
	return d, err
}

// takeLast answers a revoked device: what it pushes is taken and held, so that nothing is lost of what it wrote, and it
// learns of the revocation by the journal's entry. It gets nothing else, and nothing that it gives back is taken.
func (s *Service) takeLast(ctx context.Context, device Device, request *syncv1.SyncRequest, now time.Time) (*syncv1.SyncResponse, error) {
	response := &syncv1.SyncResponse{Protocol: Protocol, Unconfirmed: true}
	if request.GetPush() != nil {
		var err error
		// Whether the server lost history makes no difference to changes that it does not apply.
		if response.Acknowledgement, err = s.push(ctx, device, request, now, false); err != nil {
			return nil, err
		}
	}
	s.heard(device, request, now)
	if response.Revocation = s.config.Journal.Find(wire.JournalRevoked, device.ID[:]); response.Revocation == nil {
		// The journal was lost, and the store was not.
		if err := s.write(ctx, func(g *group) error { return g.note(wire.JournalRevoked, device.ID[:], nil) }); err != nil {
			return nil, err
		}
		response.Revocation = s.config.Journal.Find(wire.JournalRevoked, device.ID[:])
	}
	response.Time = s.config.Wall().UnixMilli()
	return response, nil
}
