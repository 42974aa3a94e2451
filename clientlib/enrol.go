package clientlib

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/clientlib/internal/localdb"
	"levee/clientlib/internal/remote"
	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/wire"
)

// Enrol makes this tablet that of the worker for whom a code was made: the text of the code, as copied or scanned. See also
// EnrolTyped. It needs the server once; from then on the
// tablet works without it. The tablet's key is on the disk before the server is asked, so a call whose answer was lost
// may be repeated with the same code.
//
// Codes of errors: already_enrolled, enrolment_code_invalid, enrolment_code_expired, enrolment_code_used, unavailable
// when the server can't be reached, server_not_trusted, and those of any request.
func (s *Store) Enrol(ctx context.Context, code string) error {
	parsed, err := wire.ParseEnrolmentCode(code)
	if err != nil {
		return err
	}
	return s.enrolBy(ctx, parsed)
}

// EnrolTyped does what Enrol does with the form of a code that is typed by hand, and the server's address beside it: a host
// with a port or without, or a URL; https unless it says http. A slip in typing is noticed before anything is sent.
func (s *Store) EnrolTyped(ctx context.Context, address, code string) error {
	parsed, err := wire.ParseTyped(address, code)
	if err != nil {
		return err
	}
	return s.enrolBy(ctx, parsed)
}

func (s *Store) enrolBy(ctx context.Context, code wire.EnrolmentCode) error {
	ctx, leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	return known(s.enrol(ctx, code))
}

func (s *Store) enrol(ctx context.Context, code wire.EnrolmentCode) error {
	t := &localdb.Tablet{Deployment: code.Deployment, Worker: code.Worker, ServerURL: code.ServerURL, Pin: code.Pin, App: s.app}
	err := s.db.Write(ctx, func(tx *localdb.Tx) error { return s.beginEnrolment(tx, code.Secret, t) })
	if err != nil {
		return err
	}
	request := &syncv1.EnrolRequest{Protocol: protocol, Secret: code.Secret, PublicKey: t.Key.Public().(ed25519.PublicKey), Name: s.name, App: s.app}
	if t.Deployment != (hlc.ID{}) {
		request.Deployment = t.Deployment[:]
	}
	answer, err := remote.New(t.ServerURL, s.way(t.Pin)).Enrol(ctx, request)
	if err != nil {
		return err
	}
	if err := admit(t, answer); err != nil {
		return err
	}
	s.learnTime(t, time.UnixMilli(answer.GetTime()))
	err = s.db.Write(ctx, func(tx *localdb.Tx) error {
		if err := mustNotBeEnrolled(tx); err != nil {
			return err
		}
		if err := tx.SetTablet(t); err != nil {
			return err
		}
		setUp, _ := pulled(answer.GetSetUp())
		_, err := tx.Pull(t, setUp, true)
		return err
	})
	if err != nil {
		return err
	}
	_ = s.relabel(ctx) // or when the file is opened next: the tablet is enrolled
	s.renewCard(ctx)
	return nil
}

// beginEnrolment gives the tablet the key and replica number that were kept for a code, by its secret, or new ones that it
// keeps.
func (s *Store) beginEnrolment(tx *localdb.Tx, secret string, t *localdb.Tablet) error {
	if err := mustNotBeEnrolled(tx); err != nil {
		return err
	}
	key, nonce, begun, err := tx.Enrolment(secret)
	if err != nil {
		return err
	}
	if !begun {
		var random [ed25519.SeedSize + 8]byte
		if _, err := io.ReadFull(s.entropy, random[:]); err != nil {
			return fmt.Errorf("making a key: %w", err)
		}
		key, nonce = ed25519.NewKeyFromSeed(random[:ed25519.SeedSize]), binary.BigEndian.Uint64(random[ed25519.SeedSize:])
		if err := tx.BeginEnrolment(secret, key, nonce); err != nil {
			return err
		}
	}
	t.Key, t.Nonce = key, nonce
	t.Replica = hlc.ReplicaOf(key.Public().(ed25519.PublicKey), nonce)
	return nil
}

func mustNotBeEnrolled(tx *localdb.Tx) error {
	enrolled, err := tx.Enrolled()
	if err == nil && enrolled {
		err = &Error{CodeAlreadyEnrolled, nil}
	}
	return err
}

// admit takes over what the server answered, if it is about this tablet. Who typed a code learns from the answer whose it is.
func admit(t *localdb.Tablet, a *syncv1.EnrolResponse) error {
	if t.Deployment == (hlc.ID{}) && len(a.GetDeployment()) == len(t.Deployment) && len(a.GetWorker()) == len(t.Worker) {
		t.Deployment, t.Worker = hlc.ID(a.GetDeployment()), hlc.ID(a.GetWorker())
	}
	t.Chain = batch.Start(t.Deployment, t.Replica)
	t.AcknowledgedChain = t.Chain
	if !bytes.Equal(a.GetDeployment(), t.Deployment[:]) || !bytes.Equal(a.GetWorker(), t.Worker[:]) || len(a.GetDevice()) != len(t.Device) {
		return problem.Newf(problem.Malformed, "the answer is not about this enrolment")
	}
	t.Device, t.ServerKey = hlc.ID(a.GetDevice()), a.GetServerKey()
	return certify(t, a.GetCertificate())
}

// certify takes over a certificate, if it is this tablet's.
func certify(t *localdb.Tablet, c *syncv1.Certificate) error {
	body, err := wire.OpenCertificate(t.ServerKey, c)
	if err != nil {
		return err
	}
	if !bytes.Equal(body.GetDevice(), t.Device[:]) || !bytes.Equal(body.GetDeployment(), t.Deployment[:]) ||
		!bytes.Equal(body.GetWorker(), t.Worker[:]) || !bytes.Equal(body.GetPublicKey(), t.Key.Public().(ed25519.PublicKey)) {
		return problem.Newf(problem.Malformed, "the certificate is another tablet's")
	}
	t.Certificate, err = proto.Marshal(c)
	return err
}

// certificateToShow is the certificate where the server asks for it, or once half of its time is over, for a new one; nil
// else.
func certificateToShow(t *localdb.Tablet, now time.Time, asked bool) (*syncv1.Certificate, error) {
	c := &syncv1.Certificate{}
	if err := proto.Unmarshal(t.Certificate, c); err != nil {
		return nil, fmt.Errorf("reading the certificate: %w", err)
	}
	if asked {
		return c, nil
	}
	body, err := wire.OpenCertificate(t.ServerKey, c)
	if err != nil {
		return nil, err
	}
	if now.UnixMilli() < body.GetNotBefore()+(body.GetNotAfter()-body.GetNotBefore())/2 {
		return nil, nil
	}
	return c, nil
}

// pulled are records as they came, and how many of them could not be read.
func pulled(records []*syncv1.PulledRecord) (readable []localdb.Pulled, unreadable int) {
	for _, r := range records {
		if len(r.GetId()) != len(hlc.ID{}) || r.GetKind() == 0 || r.GetKind() > 1<<31-1 || r.GetPosition() > 1<<63-1 {
			unreadable++
			continue
		}
		readable = append(readable, localdb.Pulled{
			ID: hlc.ID(r.GetId()), Kind: record.Kind(r.GetKind()), //nolint:gosec // checked above
			Position: r.GetPosition(), State: r.GetState(), Proof: r.GetProof(),
		})
	}
	return readable, unreadable
}
