package server

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/url"
	"os"
	"sync"
	"time"

	"golang.org/x/crypto/acme/autocert"

	"levee/syncproto/wire"
)

// TLS says how connections are encrypted: by one of three ways, or not at all.
type TLS struct {
	// CertFile and KeyFile are PEM files with the certificate, those of its issuers behind it, and its key. They are read
	// again when they have changed.
	CertFile, KeyFile string
	// ACMEDomains are the names for which an authority (Let's Encrypt) is asked for certificates. It must reach this server
	// by them at port 443. Certificates are kept in the folder Keys with ".acme".
	ACMEDomains []string
	// SelfSigned has the server sign its own certificate: for a camp without internet. Tablets know it by its pin, which
	// enrolment codes carry. Certificate and pin follow from the keys, so that they stay as long as these.
	SelfSigned bool
	// Plain allows connections that nothing encrypts from other machines than this one: behind a proxy that does it.
	Plain bool
}

// encrypts reports whether connections are encrypted here.
func (c TLS) encrypts() bool { return c.CertFile != "" || len(c.ACMEDomains) > 0 || c.SelfSigned }

// Check refuses to serve at an address what anybody on the way could read.
func (c TLS) Check(at net.Addr) error {
	tcp, ok := at.(*net.TCPAddr)
	if c.encrypts() || c.Plain || (ok && tcp.IP.IsLoopback()) {
		return nil
	}
	return refuse(PlainHTTP, nil, at)
}

// config is how the server shakes hands; nil when it does not encrypt. keys is the path of the server's keys.
func (c TLS) config(keys string, signing ed25519.PrivateKey, serverURL string, log *slog.Logger) (*tls.Config, wire.Pin, error) {
	switch {
	case c.CertFile != "":
		files := &certificateFiles{cert: c.CertFile, key: c.KeyFile, log: log}
		if err := files.read(); err != nil {
			return nil, "", refuse(CertificateUnusable, err, c.CertFile, c.KeyFile, err)
		}
		return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: files.get}, "", nil
	case len(c.ACMEDomains) > 0:
		m := &autocert.Manager{Prompt: autocert.AcceptTOS, HostPolicy: autocert.HostWhitelist(c.ACMEDomains...), Cache: autocert.DirCache(keys + ".acme")}
		config := m.TLSConfig() // answers the authority too, in the handshake
		config.MinVersion = tls.VersionTLS12
		return config, "", nil
	case c.SelfSigned:
		certificate, err := selfSigned(signing, serverURL)
		if err != nil {
			return nil, "", err
		}
		return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate}}, wire.PinOf(certificate.Leaf.RawSubjectPublicKeyInfo), nil
	default:
		return nil, "", nil
	}
}

// certificateFiles are a certificate and its key in files, which something else renews.
type certificateFiles struct {
	cert, key string
	log       *slog.Logger

	mu       sync.Mutex
	now      *tls.Certificate
	changed  [2]time.Time
	reported [2]time.Time
}

// read reads both files.
func (f *certificateFiles) read() error {
	changed, err := f.times()
	if err != nil {
		return err
	}
	certificate, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err == nil {
		f.now, f.changed = &certificate, changed
	}
	return err
}

// times are when the files last changed.
func (f *certificateFiles) times() (changed [2]time.Time, err error) {
	for i, path := range []string{f.cert, f.key} {
		info, err := os.Stat(path)
		if err != nil {
			return changed, err
		}
		changed[i] = info.ModTime()
	}
	return changed, nil
}

// get is the certificate for a handshake. While new files are not whole, as when only one of them is there yet, the old
// certificate is shown.
func (f *certificateFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	changed, err := f.times()
	if err == nil && changed != f.changed {
		err = f.read()
	}
	if err != nil && f.reported != changed {
		f.reported = changed
		f.log.Error("reading the certificate again", "error", err)
	}
	return f.now, nil
}

// selfSignedFrom and selfSignedUntil are wide, so that a clock that is wrong keeps nobody out: tablets look at the pin alone.
var (
	selfSignedFrom  = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	selfSignedUntil = time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC)
)

// selfSigned is a certificate for the host of a URL that the server signs itself. Its key follows from the server's signing
// key and all else is fixed, so that it is the same one after every start, and after a restore on another machine.
func selfSigned(signing ed25519.PrivateKey, serverURL string) (tls.Certificate, error) {
	key, err := tlsKey(signing)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Levee"}, NotBefore: selfSignedFrom, NotAfter: selfSignedUntil,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	if at, err := url.Parse(serverURL); err == nil {
		if ip := net.ParseIP(at.Hostname()); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else if at.Hostname() != "" {
			template.DNSNames = append(template.DNSNames, at.Hostname())
		}
	}
	// Without randomness ECDSA signs as RFC 6979 has it: the same certificate every time.
	der, err := x509.CreateCertificate(nil, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("signing the server's certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, err
}

// tlsKey is the key of the certificate that the server signs itself. Browsers take no Ed25519 certificates, so it is one of
// P-256.
func tlsKey(signing ed25519.PrivateKey) (*ecdsa.PrivateKey, error) {
	for n := range 100 { // a scalar beyond the curve's order comes once in 2³² tries
		scalar, err := hkdf.Key(sha256.New, signing.Seed(), nil, fmt.Sprintf("levee tls v1 %d", n), 32)
		if err != nil {
			return nil, fmt.Errorf("making the key of the server's certificate: %w", err)
		}
		if key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar); err == nil {
			return key, nil
		}
	}
	return nil, errors.New("making the key of the server's certificate: no key came of it")
}
