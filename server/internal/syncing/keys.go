package syncing

import (
	"crypto/ed25519"
	"time"

	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/wire"
)

// Keys are the server's secrets. They are kept apart from the database: who has a copy of one can't forge what the
// other proves.
type Keys struct {
	// Signing signs certificates and the journal.
	Signing ed25519.PrivateKey
	// ProofKey proves that a record given back was once sent by this server.
	ProofKey []byte
}

// certificateLife is how long a certificate holds; it is renewed at half of it.
const certificateLife = 30 * 24 * time.Hour

// Certify signs whose tablet a key belongs to.
func (k *Keys) Certify(deployment hlc.ID, d Device, team hlc.ID, role uint32, now time.Time) (*syncv1.Certificate, error) {
	return wire.SealCertificate(k.Signing, &syncv1.CertificateBody{
		Deployment: deployment[:], Device: d.ID[:], PublicKey: d.PublicKey, Worker: d.Worker[:], Team: team[:], Role: role,
		NotBefore: now.UnixMilli(), NotAfter: now.Add(certificateLife).UnixMilli(),
	})
}

// PublicKey is the key by which certificates are checked.
func (k *Keys) PublicKey() ed25519.PublicKey { return k.Signing.Public().(ed25519.PublicKey) }
