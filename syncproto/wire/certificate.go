package wire

import (
	"crypto/ed25519"
	"fmt"

	"google.golang.org/protobuf/proto"

	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
)

// certificateContext keeps a certificate's signature from being taken for anything else that the server signs.
const certificateContext = "levee certificate v1"

// SealCertificate makes a certificate, signed with the server's key.
func SealCertificate(key ed25519.PrivateKey, body *syncv1.CertificateBody) (*syncv1.Certificate, error) {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encoding a certificate: %w", err)
	}
	return &syncv1.Certificate{Body: b, Signature: ed25519.Sign(key, append([]byte(certificateContext), b...))}, nil
}

// OpenCertificate reads what a certificate says after checking that the server signed it. Whether it has run out is
// left to the caller. The error is a *problem.Problem with code signature_invalid or malformed.
func OpenCertificate(key ed25519.PublicKey, c *syncv1.Certificate) (*syncv1.CertificateBody, error) {
	if len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, append([]byte(certificateContext), c.GetBody()...), c.GetSignature()) {
		return nil, problem.Newf(problem.SignatureInvalid, "certificate")
	}
	body := &syncv1.CertificateBody{}
	if err := proto.Unmarshal(c.GetBody(), body); err != nil {
		return nil, problem.Newf(problem.Malformed, "certificate: %v", err)
	}
	return body, nil
}
