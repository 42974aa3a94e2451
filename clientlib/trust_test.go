package clientlib_test

import (
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"math/big"
	"math/rand/v2"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"levee/clientlib"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/wire"
)

// selfSigned serves over TLS with a certificate that no authority knows.
func selfSigned(t *testing.T, s *fakeServer) (*httptest.Server, wire.Pin) {
	t.Helper()
	server := httptest.NewUnstartedServer(s.http)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // refused handshakes
	server.StartTLS()
	t.Cleanup(server.Close)
	return server, wire.PinOf(server.Certificate().RawSubjectPublicKeyInfo)
}

// online is a tablet in a file of its own, with connections of its own.
func online(t *testing.T) *tablet {
	t.Helper()
	tab := &tablet{t: t, path: t.TempDir() + "/tablet.db", now: start}
	tab.goOnline()
	return tab
}

// goOnline opens the file of a tablet with connections of its own.
func (tab *tablet) goOnline() {
	tab.t.Helper()
	store, err := clientlib.Open(tab.t.Context(), tab.path, clientlib.Options{Key: testKey, Wall: func() time.Time { return tab.now }, Name: "test tablet"})
	tab.must(err)
	tab.Store = store
	tab.t.Cleanup(func() { _ = store.Close() })
}

func TestATypedCodeEnrols(t *testing.T) {
	s := newServer(t)
	tab := newTablet(t, s, 1)
	typed := wire.EnrolmentCode{Secret: typedSecret}.Typed()
	for _, slip := range []string{"", typed[1:], strings.Replace(typed, "A", "B", 1)} {
		if err := tab.EnrolTyped(t.Context(), "http://levee.test", slip); clientlib.Code(err) != "enrolment_code_invalid" {
			t.Errorf("%q: %v", slip, err)
		}
	}
	if len(s.devices) > 0 || len(s.asked) > 0 {
		t.Error("the server was asked with a slip")
	}
	// An answer is lost: the same code enrols the same device, also when it is scanned this time.
	tab.net.fault = func() fault { return answerLost }
	if err := tab.EnrolTyped(t.Context(), "http://levee.test", typed); clientlib.Code(err) != "unavailable" {
		t.Fatalf("Enrol: %v", err)
	}
	tab.reopen()
	tab.net.fault = nil
	tab.must(tab.Enrol(t.Context(), s.code("http://levee.test", typedSecret)))
	if st := tab.status(); len(s.devices) != 1 || st.Worker != liWei || st.Deployment != s.deployment {
		t.Errorf("%d devices, %+v", len(s.devices), st)
	}

	another := newTablet(t, newServer(t), 2)
	another.must(another.EnrolTyped(t.Context(), "http://levee.test/", strings.ToLower(strings.ReplaceAll(typed, "-", " "))))
	if st := another.status(); st.Worker != liWei || st.Deployment == (hlc.ID{}) {
		t.Errorf("%+v", st)
	}
	_, err := another.LogCommunityActivity(t.Context(), activity("讲座"))
	another.must(err)
	if got := another.sync(); got.Sent != 1 || got.Held != 0 {
		t.Errorf("Sync = %+v", got)
	}
}

// A camp without internet has a server that signed its own certificate: the tablet knows it by the pin, and nobody else
// gets anything from it.
func TestAPinnedServerAndNoOther(t *testing.T) {
	for _, typed := range []bool{false, true} {
		s := newServer(t)
		server, pin := selfSigned(t, s)
		tab := online(t)
		code := wire.EnrolmentCode{ServerURL: server.URL, Deployment: s.deployment, Worker: liWei, Secret: typedSecret, Pin: pin}
		enrol := func(code wire.EnrolmentCode) error {
			if typed {
				return tab.EnrolTyped(t.Context(), code.ServerURL, code.Typed())
			}
			return tab.Enrol(t.Context(), code.String())
		}
		wrong, without := code, code
		wrong.Pin, without.Pin = wire.PinOf([]byte("another key")), ""
		for _, c := range []wire.EnrolmentCode{wrong, without} {
			err := enrol(c)
			if clientlib.Code(err) != clientlib.CodeServerNotTrusted || len(s.devices) > 0 {
				t.Errorf("with pin %x: %v, %d devices", c.Pin, err, len(s.devices))
			}
			if clientlib.Message(err, "zh") == "" || clientlib.Message(err, "en") == "" {
				t.Error("it is not said in both languages")
			}
		}
		tab.must(enrol(code))
		_, err := tab.LogCommunityActivity(t.Context(), &recordv1.CommunityActivity{})
		tab.must(err)
		if got := tab.sync(); got.Sent != 1 {
			t.Errorf("Sync = %+v", got)
		}
		// The pin is kept, and another server at the same address, even with all the same keys, is none of the tablet's.
		tab.must(tab.Close())
		tab.goOnline()
		tab.sync()
		tab.must(tab.Close()) // with its open connections
		tab.goOnline()
		asked := len(s.asked)
		imposter(t, server, s)
		if _, err := tab.Sync(t.Context(), nil); clientlib.Code(err) != clientlib.CodeServerNotTrusted || len(s.asked) != asked {
			t.Errorf("an imposter got %d requests: %v", len(s.asked)-asked, err)
		}
	}
}

// imposter takes a server's address, with a certificate of its own.
func imposter(t *testing.T, server *httptest.Server, s *fakeServer) {
	t.Helper()
	at := server.Listener.Addr().String()
	server.Close()
	public, key, err := ed25519.GenerateKey(rand.NewChaCha8([32]byte{5}))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: hlc.Wall().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(nil, template, template, public, key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	other := httptest.NewUnstartedServer(s.http)
	_ = other.Listener.Close()
	other.Listener, other.TLS = l, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	other.Config.ErrorLog = log.New(io.Discard, "", 0)
	other.StartTLS()
	t.Cleanup(other.Close)
}
