package server_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"levee/server"
	"levee/syncproto/hlc"
	"levee/syncproto/wire"
)

var oneWorker = &server.SetUp{Name: "test", Start: "2021-09-23", Sites: []server.SetUpSite{{Name: "a", Code: "410621108"}}, Teams: []server.SetUpTeam{{Name: "one", Site: "a"}},
	Workers: []server.SetUpWorker{{Name: "anna", Team: "one"}}}

// serves runs a server until the test ends, and says where it listens.
func serves(t *testing.T, c server.Config) (*server.Server, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c.URL = c.TLS.URLOf(l)
	s, err := server.New(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error)
	go func() { served <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-served, s.Close()); err != nil {
			t.Error(err)
		}
	})
	return s, l.Addr().String()
}

// shows is the certificate that a server shows to whoever asks for a name.
func shows(t *testing.T, at, name string) (*x509.Certificate, tls.ConnectionState, error) {
	t.Helper()
	d := tls.Dialer{Config: &tls.Config{ServerName: name, InsecureSkipVerify: true, NextProtos: []string{"h2", "http/1.1"}}}
	conn, err := d.DialContext(t.Context(), "tcp", at)
	if err != nil {
		return nil, tls.ConnectionState{}, err
	}
	defer func() { _ = conn.Close() }()
	state := conn.(*tls.Conn).ConnectionState()
	return state.PeerCertificates[0], state, nil
}

// pair writes a certificate and its key as PEM files.
func pair(t *testing.T, dir, name string, serial int64) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), DNSNames: []string{name}, NotBefore: hlc.Wall().Add(-time.Hour), NotAfter: hlc.Wall().Add(1000 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "EC PRIVATE KEY", Bytes: encoded}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// lines are what a server logs.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// The certificate follows from the keys: it is the same at every start. Another server's is another.
func TestASelfSignedServerKeepsItsPin(t *testing.T) {
	dir := t.TempDir()
	config := server.Config{DB: filepath.Join(dir, "levee.db"), SetUp: oneWorker, TLS: server.TLS{SelfSigned: true}}
	s, at := serves(t, config)
	certificate, state, err := shows(t, at, "")
	if err != nil {
		t.Fatal(err)
	}
	if state.NegotiatedProtocol != "h2" || state.Version != tls.VersionTLS13 {
		t.Errorf("it speaks %q, version %x", state.NegotiatedProtocol, state.Version)
	}
	code, err := wire.ParseEnrolmentCode(s.Made.Enrolments[0].Code)
	if err != nil || !strings.HasPrefix(code.ServerURL, "https://") || code.Pin != wire.PinOf(certificate.RawSubjectPublicKeyInfo) {
		t.Errorf("the code is %+v, %v", code, err)
	}
	e := s.Made.Enrolments[0]
	if typed, err := wire.ParseTyped(e.Address, e.Typed); err != nil || !typed.Pin.Matches(certificate.RawSubjectPublicKeyInfo) || typed.Secret != code.Secret || typed.ServerURL != code.ServerURL {
		t.Errorf("typed it is %+v, %v", typed, err)
	}
	if err := certificate.CheckSignature(certificate.SignatureAlgorithm, certificate.RawTBSCertificate, certificate.Signature); err != nil {
		t.Errorf("it is not signed by itself: %v", err)
	}
	for _, name := range []string{"localhost", "127.0.0.1"} {
		if err := certificate.VerifyHostname(name); err != nil {
			t.Error(err)
		}
	}
	for _, c := range []struct {
		dir  string
		same bool
	}{{dir, true}, {t.TempDir(), false}} {
		config.DB = filepath.Join(c.dir, "levee.db")
		_, at := serves(t, config)
		again, _, err := shows(t, at, "levee.example")
		if err != nil {
			t.Fatal(err)
		}
		if same := bytes.Equal(again.Raw, certificate.Raw); same != c.same {
			t.Errorf("the same certificate: %v, want %v", same, c.same)
		}
	}
}

func TestACertificateInFilesIsReadAgainWhenItChanges(t *testing.T) {
	dir := t.TempDir()
	cert, key := pair(t, dir, "levee.example", 1)
	var log lines
	s, at := serves(t, server.Config{DB: filepath.Join(dir, "levee.db"), SetUp: oneWorker, TLS: server.TLS{CertFile: cert, KeyFile: key}, Log: slog.New(slog.NewTextHandler(&log, nil))})
	serial := func() int64 {
		certificate, _, err := shows(t, at, "levee.example")
		if err != nil {
			t.Fatal(err)
		}
		return certificate.SerialNumber.Int64()
	}
	if code, err := wire.ParseEnrolmentCode(s.Made.Enrolments[0].Code); err != nil || code.Pin != "" {
		t.Errorf("the code is %+v, %v", code, err)
	}
	if got := serial(); got != 1 {
		t.Errorf("certificate %d", got)
	}
	old, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	later := func(n int) {
		for _, path := range []string{cert, key} {
			at := hlc.Wall().Add(time.Duration(n) * time.Hour)
			if err := os.Chtimes(path, at, at); err != nil {
				t.Fatal(err)
			}
		}
	}
	pair(t, dir, "levee.example", 2)
	renewed, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	// The key is there, the certificate not yet.
	if err := os.WriteFile(cert, old, 0o600); err != nil {
		t.Fatal(err)
	}
	later(1)
	if got := serial(); got != 1 {
		t.Errorf("with half of the new one it shows %d", got)
	}
	serial()
	if got := strings.Count(log.String(), "reading the certificate again"); got != 1 {
		t.Errorf("it is said %d times: %s", got, log.String())
	}
	if err := os.WriteFile(cert, renewed, 0o600); err != nil {
		t.Fatal(err)
	}
	later(2)
	if got := serial(); got != 2 {
		t.Errorf("renewed, it shows %d", got)
	}
}

func TestFilesThatAreNoCertificateAreRefused(t *testing.T) {
	dir := t.TempDir()
	cert, key := pair(t, dir, "levee.example", 1)
	other, _ := pair(t, t.TempDir(), "levee.example", 1)
	for _, c := range [][2]string{{cert, cert}, {other, key}, {filepath.Join(dir, "none"), key}} {
		_, err := server.New(t.Context(), server.Config{DB: filepath.Join(t.TempDir(), "levee.db"), SetUp: oneWorker, TLS: server.TLS{CertFile: c[0], KeyFile: c[1]}})
		var refused *server.Refusal
		if !errors.As(err, &refused) || refused.Code != server.CertificateUnusable || refused.In("zh") == refused.In("en") {
			t.Errorf("%v: %v", c, err)
		}
	}
}

// A certificate that was got before is shown without asking anybody; for a name that is not the server's none is asked for.
func TestACMEKeepsItsCertificatesAndKnowsItsNames(t *testing.T) {
	dir := t.TempDir()
	cert, key := pair(t, t.TempDir(), "levee.example", 7)
	var kept []byte
	for _, path := range []string{key, cert} {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, b...)
	}
	folder := filepath.Join(dir, "levee.db.keys.acme")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "levee.example"), kept, 0o600); err != nil {
		t.Fatal(err)
	}
	_, at := serves(t, server.Config{DB: filepath.Join(dir, "levee.db"), SetUp: oneWorker, TLS: server.TLS{ACMEDomains: []string{"levee.example"}}})
	certificate, _, err := shows(t, at, "levee.example")
	if err != nil || certificate.SerialNumber.Int64() != 7 {
		t.Errorf("it shows %v, %v", certificate, err)
	}
	for _, name := range []string{"", "evil.example", "127.0.0.1"} {
		if certificate, _, err := shows(t, at, name); err == nil {
			t.Errorf("for %q it shows %v", name, certificate)
		}
	}
}

func TestPlainHTTPStaysOnTheMachineUnlessAskedFor(t *testing.T) {
	camp := &net.TCPAddr{IP: net.IPv4(10, 0, 0, 5), Port: 8410}
	for _, c := range []struct {
		tls     server.TLS
		at      net.Addr
		refused bool
	}{
		{server.TLS{}, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, false},
		{server.TLS{}, &net.TCPAddr{IP: net.IPv6loopback}, false},
		{server.TLS{}, camp, true},
		{server.TLS{}, &net.TCPAddr{IP: net.IPv4zero}, true},
		{server.TLS{}, &net.TCPAddr{IP: net.IPv6unspecified}, true},
		{server.TLS{}, &net.TCPAddr{}, true},
		{server.TLS{Plain: true}, camp, false},
		{server.TLS{SelfSigned: true}, camp, false},
		{server.TLS{ACMEDomains: []string{"levee.example"}}, camp, false},
		{server.TLS{CertFile: "x", KeyFile: "y"}, camp, false},
	} {
		err := c.tls.Check(c.at)
		var refused *server.Refusal
		if errors.As(err, &refused) != c.refused || (c.refused && (refused.Code != server.PlainHTTP || refused.In("zh") == refused.In("en"))) {
			t.Errorf("%+v at %v: %v", c.tls, c.at, err)
		}
	}
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	s, err := open(t, t.TempDir(), oneWorker)
	if err != nil {
		t.Fatal(err)
	}
	var refused *server.Refusal
	if err := s.Serve(t.Context(), l); !errors.As(err, &refused) {
		t.Errorf("it serves: %v", err)
	}
}
