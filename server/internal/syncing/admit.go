package syncing

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
	"levee/syncproto/wire"
)

// Caller is a device as it was when it first asked this server: its key and its worker never change, and Sync looks for all
// else. Problem device_unknown when there is none.
func (s *Service) Caller(ctx context.Context, id hlc.ID) (Device, error) {
	if d, ok := s.devices.get(id); ok {
		return s.self.asNoted(d), nil
	}
	d, err := s.Device(ctx, id)
	if err == nil {
		s.devices.put(d)
	}
	return d, err
}

// Device is a device as it is now; problem device_unknown when there is none.
func (s *Service) Device(ctx context.Context, id hlc.ID) (Device, error) {
	var d Device
	err := s.config.Store.Read(ctx, func(tx Reading) (err error) {
		var ok bool
		if d, ok, err = tx.Device(id); err == nil && !ok {
			err = problem.New(problem.DeviceUnknown)
		}
		return err
	})
	return s.self.asNoted(d), err
}

// asNoted is a device as the journal has it, which knows what a store that was set back does not.
func (s *self) asNoted(d Device) Device {
	if e := s.journal.Find(wire.JournalRevoked, d.ID[:]); e != nil && d.RevokedAt == 0 {
		d.RevokedAt = e.GetAt()
		if len(e.GetDetail()) == len(d.ReplacedBy) {
			d.ReplacedBy = hlc.ID(e.GetDetail())
		}
	}
	if d.AdmittedAt != 0 && s.journal.Find(wire.JournalConfirmed, d.ID[:]) != nil {
		d.AdmittedAt = 0
	}
	return d
}

// Introduced is the device that a certificate of this server speaks of, which the store does not know: it was enrolled
// after the copy was made that the store was set back to. Nothing is kept of it before Admit. The certificate may have run
// out: a tablet may come after months, and what it sends is held anyway.
func (s *Service) Introduced(id hlc.ID, c *syncv1.Certificate) (Device, error) {
	if c == nil {
		return Device{}, problem.New(problem.DeviceUnknown)
	}
	body, err := wire.OpenCertificate(s.config.Keys.PublicKey(), c)
	if err != nil {
		return Device{}, problem.Newf(problem.DeviceUnknown, "%v", err)
	}
	if !slices.Equal(body.GetDevice(), id[:]) || len(body.GetWorker()) != len(hlc.ID{}) || !slices.Equal(body.GetDeployment(), s.self.deployment[:]) {
		return Device{}, problem.Newf(problem.DeviceUnknown, "the certificate is another device's")
	}
	now := s.config.Wall().UnixMilli()
	return s.self.asNoted(Device{ID: id, Worker: hlc.ID(body.GetWorker()), PublicKey: body.GetPublicKey(), EnrolledAt: body.GetNotBefore(), LastContact: now, AdmittedAt: now}), nil
}

// Admit lets a device in that was introduced by its certificate and has proved its key.
func (s *Service) Admit(ctx context.Context, d Device) error {
	return s.write(ctx, func(g *group) error {
		switch had, ok, err := g.store.DeviceByKey(d.PublicKey); {
		case err != nil:
			return err
		case ok && had.ID != d.ID:
			return problem.Newf(problem.DeviceUnknown, "its key came in as another device")
		case ok: // another request of it came first
			return nil
		}
		return g.store.SaveDevice(d)
	})
}

// Confirm says, for a coordinator, that a device which came in by its certificate may sync as others do. What it sent so
// far is judged anew. A revoked one stays as it is: problem invalid_argument.
func (s *Service) Confirm(ctx context.Context, id hlc.ID) error {
	d, err := s.Device(ctx, id)
	if err != nil || d.AdmittedAt == 0 {
		return err
	}
	if d.RevokedAt != 0 {
		return problem.Newf(problem.InvalidArgument, "the tablet was revoked")
	}
	certificate, err := s.certify(d, s.config.Wall())
	if err != nil {
		return err
	}
	detail, err := proto.Marshal(certificate)
	if err != nil {
		return fmt.Errorf("encoding a certificate: %w", err)
	}
	return s.write(ctx, func(g *group) error {
		if err := g.note(wire.JournalConfirmed, id[:], detail); err != nil {
			return err
		}
		return g.confirm(id)
	})
}

// settleConfirmed carries out a confirmation of the journal.
func (s *Service) settleConfirmed(ctx context.Context, id hlc.ID) error {
	return s.write(ctx, func(g *group) error { return g.confirm(id) })
}

// confirm lets a device be as others are, and judges its held changes anew.
func (g *group) confirm(id hlc.ID) error {
	d, ok, err := g.store.Device(id)
	if err != nil || !ok || d.AdmittedAt == 0 {
		return err
	}
	d.AdmittedAt = 0
	if err := g.store.SaveDevice(d); err != nil {
		return err
	}
	entries, err := g.store.HeldOf(id)
	if err != nil {
		return err
	}
	if err := g.retry(entries, nil); err != nil {
		return err
	}
	return g.follow()
}
