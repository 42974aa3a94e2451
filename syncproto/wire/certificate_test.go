package wire_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"testing"

	"google.golang.org/protobuf/proto"

	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
	"levee/syncproto/wire"
)

func TestCertificate(t *testing.T) {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	other := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, ed25519.SeedSize))
	says := &syncv1.CertificateBody{Device: bytes.Repeat([]byte{1}, 16), Role: 2, NotAfter: 5}
	c, err := wire.SealCertificate(key, says)
	if err != nil {
		t.Fatal(err)
	}
	public := key.Public().(ed25519.PublicKey)
	if got, err := wire.OpenCertificate(public, c); err != nil || !proto.Equal(got, says) {
		t.Fatalf("OpenCertificate = %v, %v", got, err)
	}

	invalid := problem.New(problem.SignatureInvalid)
	if _, err := wire.OpenCertificate(other.Public().(ed25519.PublicKey), c); !errors.Is(err, invalid) {
		t.Errorf("another server's key: %v", err)
	}
	if _, err := wire.OpenCertificate(nil, c); !errors.Is(err, invalid) {
		t.Errorf("no key: %v", err)
	}
	if _, err := wire.OpenCertificate(public, nil); !errors.Is(err, invalid) {
		t.Errorf("no certificate: %v", err)
	}
	c.Body[len(c.Body)-1]++
	if _, err := wire.OpenCertificate(public, c); !errors.Is(err, invalid) {
		t.Errorf("changed body: %v", err)
	}
}
