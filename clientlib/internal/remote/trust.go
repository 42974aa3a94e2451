package remote

import (
	"crypto/tls"
	"errors"

	"levee/syncproto/wire"
)

// ErrNotTrusted says that whoever answered is not the server: its certificate is not the pinned one, or, where none is
// pinned, no authority vouches for it. Nothing was sent.
var ErrNotTrusted = errors.New("the server's certificate is not to be trusted")

// trusting is how connections find out whether the server is the right one: by its pin alone where there is one, else as
// any program does.
func trusting(pin wire.Pin) *tls.Config {
	if pin == "" {
		return &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, //nolint:gosec // the pin takes the place of names and authorities, in VerifyConnection
		VerifyConnection: func(c tls.ConnectionState) error {
			if len(c.PeerCertificates) == 0 || !pin.Matches(c.PeerCertificates[0].RawSubjectPublicKeyInfo) {
				return ErrNotTrusted
			}
			return nil
		},
	}
}

// notTrusted reports whether a call failed because of the server's certificate.
func notTrusted(err error) bool {
	var ofAuthorities *tls.CertificateVerificationError
	return errors.Is(err, ErrNotTrusted) || errors.As(err, &ofAuthorities)
}
