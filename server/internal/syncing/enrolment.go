package syncing

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"time"
	"unicode/utf8"

	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
	"levee/syncproto/wire"
)

// NewEnrolmentCode makes a code for a worker: its secret, of which the store keeps the hash alone. The device that it
// replaces is revoked once the code is used; the zero id replaces none. Problem not_found when there is no such worker or
// device; invalid_argument when the device is another worker's, or was revoked.
func (s *Service) NewEnrolmentCode(ctx context.Context, worker, replaces hlc.ID, life time.Duration) (secret string, err error) {
	if s.SetUp().Workers[worker] == nil {
		return "", problem.New(problem.NotFound)
	}
	if replaces != (hlc.ID{}) {
		switch old, err := s.known(ctx, replaces); {
		case err != nil:
			return "", err
		case old.Worker != worker:
			return "", problem.Newf(problem.InvalidArgument, "the tablet is another worker's")
		case old.RevokedAt != 0:
			return "", problem.Newf(problem.InvalidArgument, "the tablet was revoked")
		}
	}
	secret, err = wire.NewSecret(s.config.Entropy)
	if err != nil {
		return "", err
	}
	hash := sha256.Sum256([]byte(secret))
	err = s.write(ctx, func(g *group) error {
		return g.store.SaveEnrolment(Enrolment{SecretHash: hash[:], Worker: worker, Replaces: replaces, ExpiresAt: s.config.Wall().Add(life).UnixMilli()})
	})
	return secret, err
}

// KnowsCode reports whether a code is one of this deployment's, used or not: who types a code does not say the deployment.
func (s *Service) KnowsCode(ctx context.Context, secret string) (known bool, err error) {
	hash := sha256.Sum256([]byte(secret))
	if s.config.Journal.Find(wire.JournalCodeUsed, hash[:]) != nil {
		return true, nil
	}
	err = s.config.Store.Read(ctx, func(tx Reading) (err error) {
		_, known, err = tx.Enrolment(hash[:])
		return err
	})
	return known, err
}

// Enrol lets a tablet in. The same secret and key get the same answer again, since the first may have been lost.
func (s *Service) Enrol(ctx context.Context, request *syncv1.EnrolRequest) (*syncv1.EnrolResponse, error) {
	response, setUp, err := s.EnrolApart(ctx, request)
	if err != nil {
		return nil, err
	}
	return response, setUp.AddTo(response)
}

// EnrolApart does as Enrol, but keeps the set-up apart from the rest of the answer. All tablets that come until it changes get the same one,
// so that letting in a whole herd does not cost the square of it.
func (s *Service) EnrolApart(ctx context.Context, request *syncv1.EnrolRequest) (response *syncv1.EnrolResponse, setUp *wire.Shared, err error) {
	now := s.config.Wall()
	switch {
	case request.GetProtocol() != Protocol:
		return nil, nil, problem.New(problem.ProtocolUnsupported)
	case len(request.GetPublicKey()) != ed25519.PublicKeySize,
		len(request.GetName()) > maxDeviceName || !utf8.ValidString(request.GetName()),
		len(request.GetApp()) > maxAppName || !utf8.ValidString(request.GetApp()):
		return nil, nil, problem.New(problem.Malformed)
	}
	hash := sha256.Sum256([]byte(request.GetSecret()))
	var device Device
	err = s.write(ctx, func(g *group) (err error) {
		device, err = g.enrol(hash[:], request, now, device.ID) // it may be done again, and what was noted of it stands
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	if s.self.asNoted(device).RevokedAt != 0 {
		return nil, nil, problem.New(problem.DeviceRevoked) // it asks for the answer again that it had long ago
	}
	certificate, err := s.certify(device, now)
	if err != nil {
		return nil, nil, err
	}
	if setUp, err = s.SetUp().forNew(); err != nil {
		return nil, nil, err
	}
	if err := s.config.Store.Durable(); err != nil { // the set-up may be newer than the device
		return nil, nil, err
	}
	return &syncv1.EnrolResponse{
		Deployment: s.self.deployment[:], Device: device.ID[:], Worker: device.Worker[:], Certificate: certificate,
		ServerKey: s.config.Keys.PublicKey(), Time: now.UnixMilli(),
	}, setUp, nil
}

// forNew is the set-up as tablets get it that are let in, in an answer with nothing else.
func (s *Service) forNew(setUp *SetUp) (*wire.Shared, error) {
	p := &puller{keys: s.config.Keys, self: s.self}
	m := &syncv1.EnrolResponse{}
	for _, r := range setUp.records {
		m.SetUp = append(m.SetUp, p.pulled(r))
	}
	return wire.Share(m)
}

// enrol makes the device that a code lets in, or finds it when it is there already. The one whose place it takes is revoked. id is what the
// device is to be called, unless it is zero.
func (g *group) enrol(secretHash []byte, request *syncv1.EnrolRequest, now time.Time, id hlc.ID) (d Device, err error) {
	code, ok, err := g.store.Enrolment(secretHash)
	if err != nil {
		return d, err
	}
	// The database may have been set back to before the code was used: the journal was not.
	used := g.self.journal.Find(wire.JournalCodeUsed, secretHash)
	if used != nil && !bytes.Equal(used.GetDetail(), request.GetPublicKey()) {
		return d, problem.New(problem.EnrolmentCodeUsed)
	}
	if !ok {
		return d, problem.New(problem.EnrolmentCodeInvalid)
	}
	if code.UsedBy != (hlc.ID{}) {
		d, _, err = g.store.Device(code.UsedBy)
		if err == nil && !bytes.Equal(d.PublicKey, request.GetPublicKey()) {
			err = problem.New(problem.EnrolmentCodeUsed)
		}
		return d, err
	}
	if used == nil && now.UnixMilli() > code.ExpiresAt {
		return d, problem.New(problem.EnrolmentCodeExpired)
	}
	if _, ok, err := g.store.DeviceByKey(request.GetPublicKey()); err != nil || ok {
		if ok {
			err = problem.Newf(problem.EnrolmentCodeUsed, "this device came in with another code")
		}
		return d, err
	}
	if id == (hlc.ID{}) {
		if id, err = hlc.NewID(g.self.clock.Now(), g.self.entropy); err != nil {
			return d, err
		}
	}
	d = Device{ID: id, Worker: code.Worker, PublicKey: request.GetPublicKey(), Name: request.GetName(), App: request.GetApp(),
		EnrolledAt: now.UnixMilli(), LastContact: now.UnixMilli()}
	if err := g.store.SaveDevice(d); err != nil {
		return d, err
	}
	code.UsedBy = id
	if err := g.note(wire.JournalCodeUsed, secretHash, request.GetPublicKey()); err != nil {
		return d, err
	}
	if code.Replaces != (hlc.ID{}) {
		if err := g.note(wire.JournalRevoked, code.Replaces[:], id[:]); err != nil {
			return d, err
		}
		if err := g.revoke(code.Replaces); err != nil {
			return d, err
		}
	}
	return d, g.store.SaveEnrolment(code)
}
