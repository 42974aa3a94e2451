package alerting_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"mime"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"levee/server/internal/alerting"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// mailServer is a mail server on this machine.
type mailServer struct {
	*smtp.Server
	address string
	roots   *x509.CertPool

	mu sync.Mutex
	// open asks for no password.
	open bool
	// refuse is the answer to each message.
	refuse error
	// letters are what arrived, as it came, and to whom.
	letters []string
	to      []string
	// inClear counts passwords that came unencrypted.
	inClear int
}

const (
	mailUser     = "levee"
	mailPassword = "correct horse"
)

// certificateFor is a self-made certificate for a name, and who vouches for it.
func certificateFor(t *testing.T, name string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

// serveMail is a mail server that asks for a password. It offers STARTTLS, or with implicit begins with TLS.
func serveMail(t *testing.T, startTLS, implicit bool) *mailServer {
	t.Helper()
	s := &mailServer{}
	certificate, roots := certificateFor(t, "mail.example.org")
	s.roots = roots
	s.Server = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &mailSession{server: s, conn: c}, nil }))
	s.Domain, s.AllowInsecureAuth, s.ErrorLog = "mail.example.org", true, quietLog{}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = listener.Addr().String()
	config := &tls.Config{Certificates: []tls.Certificate{certificate}}
	if startTLS {
		s.TLSConfig = config
	}
	if implicit {
		listener = tls.NewListener(listener, config)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(listener) }()
	t.Cleanup(func() {
		_ = s.Close()
		if err := <-served; err != nil {
			t.Error("the mail server:", err)
		}
	})
	return s
}

type quietLog struct{}

func (quietLog) Printf(string, ...any) {}
func (quietLog) Println(...any)        {}

// mailSession is one connection.
type mailSession struct {
	server *mailServer
	conn   *smtp.Conn
	signed bool
	to     []string
}

func (s *mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if _, encrypted := s.conn.TLSConnectionState(); !encrypted {
			s.server.mu.Lock()
			s.server.inClear++
			s.server.mu.Unlock()
		}
		if s.signed = user == mailUser && password == mailPassword; !s.signed {
			return smtp.ErrAuthFailed
		}
		return nil
	}), nil
}

func (s *mailSession) Mail(string, *smtp.MailOptions) error {
	if !s.signed && !s.server.open {
		return smtp.ErrAuthRequired
	}
	return nil
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return nil
}

func (s *mailSession) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	if s.server.refuse != nil {
		return s.server.refuse
	}
	s.server.letters, s.server.to = append(s.server.letters, string(b)), append(s.server.to, s.to...)
	return nil
}

func (s *mailSession) Reset()        { s.to = nil }
func (s *mailSession) Logout() error { return nil }

// read is a letter: its header, with its subject in the clear, and its text.
func read(t *testing.T, letter string) (mail.Header, string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(letter))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	m.Header["Subject"] = []string{subject}
	body, err := io.ReadAll(decoded(m))
	if err != nil {
		t.Fatal(err)
	}
	return m.Header, string(body)
}

// by is a sender by a mail server that goes by a name.
func (s *mailServer) by(t *testing.T, name string, change func(*alerting.MailServer)) alerting.Sender {
	t.Helper()
	_, port, _ := net.SplitHostPort(s.address)
	c := alerting.MailServer{Address: net.JoinHostPort(name, port), From: "Levee <alerts@levee.example.org>", User: mailUser, Password: mailPassword, Roots: s.roots}
	if change != nil {
		change(&c)
	}
	sender, err := alerting.NewMailerBy(c, func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.address) // wherever the name leads
	})
	if err != nil {
		t.Fatal(err)
	}
	return sender
}

var aMessage = alerting.Message{ID: "0123456789abcdef", At: time.Date(2021, 10, 1, 4, 0, 0, 0, time.UTC), Subject: "风险上报未确认", Body: "请先救人\nhttps://levee.example.org/x\n", Short: "风险上报"}

func TestMailIsSentEncrypted(t *testing.T) {
	s := serveMail(t, true, false)
	if err := s.by(t, "mail.example.org", nil).Send(t.Context(), "super@example.org", aMessage); err != nil {
		t.Fatal(err)
	}
	wants(t, s.to, "super@example.org")
	header, body := read(t, s.letters[0])
	for name, want := range map[string]string{"From": `"Levee" <alerts@levee.example.org>`, "To": "<super@example.org>", "Subject": aMessage.Subject, "Auto-Submitted": "auto-generated",
		"Message-Id": "<0123456789abcdef@levee.example.org>", "Date": "Fri, 01 Oct 2021 04:00:00 +0000", "X-Mailer": "", "User-Agent": ""} {
		if got := header.Get(name); got != want {
			t.Errorf("%s is %q, not %q", name, got, want)
		}
	}
	if strings.ReplaceAll(body, "\r\n", "\n") != aMessage.Body || s.inClear != 0 {
		t.Errorf("the text is %q; %d passwords in the clear", body, s.inClear)
	}
}

func TestMailIsSentOverTLSFromTheBeginning(t *testing.T) {
	s := serveMail(t, false, true)
	sender, err := alerting.NewMailer(alerting.MailServer{Address: s.address, From: "alerts@levee.example.org", User: mailUser, Password: mailPassword, Implicit: true, Roots: s.roots})
	if err != nil {
		t.Fatal(err)
	}
	if err := sender.Send(t.Context(), "super@example.org", aMessage); err != nil {
		t.Fatal(err)
	}
	wants(t, s.to, "super@example.org")
	if s.inClear != 0 {
		t.Error("a password came in the clear")
	}
}

// A server on this machine, such as a relay, may do without.
func TestAMailServerOnThisMachineMayBePlain(t *testing.T) {
	s := serveMail(t, false, false)
	if err := s.by(t, "127.0.0.1", nil).Send(t.Context(), "super@example.org", aMessage); err != nil {
		t.Fatal(err)
	}
	wants(t, s.to, "super@example.org")
}

func TestNoMailLeavesWithoutEncryption(t *testing.T) {
	plain, encrypted := serveMail(t, false, false), serveMail(t, true, false)
	plain.open = true
	for name, sender := range map[string]alerting.Sender{
		"without STARTTLS":        plain.by(t, "mail.example.org", nil),
		"without a password":      plain.by(t, "mail.example.org", func(c *alerting.MailServer) { c.User = "" }),
		"under another name":      encrypted.by(t, "other.example.org", nil),
		"with nobody's word":      encrypted.by(t, "mail.example.org", func(c *alerting.MailServer) { c.Roots = x509.NewCertPool() }),
		"with the wrong password": encrypted.by(t, "mail.example.org", func(c *alerting.MailServer) { c.Password = "wrong secret" }),
	} {
		err := sender.Send(t.Context(), "super@example.org", aMessage)
		if err == nil {
			t.Errorf("%s: sent", name)
		} else if strings.Contains(err.Error(), "super@") || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), mailPassword) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(plain.letters) + len(encrypted.letters) + plain.inClear; n != 0 {
		t.Errorf("%d letters or passwords arrived", n)
	}
}

func TestWhatAMailServerRepeatsIsNotLogged(t *testing.T) {
	s := serveMail(t, true, false)
	s.refuse = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "super@example.org is not here: 风险"}
	err := s.by(t, "mail.example.org", nil).Send(t.Context(), "super@example.org", aMessage)
	if err == nil || err.Error() != "the mail server answered 550" {
		t.Errorf("the error is %v", err)
	}
	if err := s.by(t, "mail.example.org", nil).Send(t.Context(), "super\r\nBcc: all@example.org", aMessage); err == nil || strings.Contains(err.Error(), "super") {
		t.Errorf("an address that is none: %v", err)
	}
}

func TestMailServersThatCantBe(t *testing.T) {
	for _, c := range []alerting.MailServer{
		{Address: "mail.example.org", From: "a@example.org"}, {Address: ":25", From: "a@example.org"}, {Address: "mail.example.org:smtp?", From: "a@example.org"},
		{Address: "mail.example.org:0", From: "a@example.org"}, {Address: "mail.example.org:587", From: "nobody"}, {Address: "mail.example.org:587"},
	} {
		if _, err := alerting.NewMailer(c); err == nil {
			t.Errorf("%+v was taken", c)
		}
	}
}

// What arrives by real servers, on both channels, in step.
func TestEscalationByMailAndSMS(t *testing.T) {
	s, g := serveMail(t, true, false), serveSMS(t)
	d := newDesk(t, map[alerting.Channel]alerting.Sender{alerting.Mail: s.by(t, "mail.example.org", nil), alerting.SMS: g.by(t)}, "super", "lead")
	s.refuse = errors.New("try later")
	id := d.raise("anna", recordv1.RiskLevel_RISK_LEVEL_RED)
	d.look(t)
	wants(t, d.told(t, id), "1 super mail failed", "1 super sms sent")
	s.refuse = nil
	d.pass(t, alerting.FirstBackOff)
	wants(t, d.told(t, id), "1 super mail sent", "1 super sms sent")
	d.pass(t, 10*time.Minute)
	d.confirm("lead", id)
	d.pass(t, time.Hour)
	wants(t, s.to, "super@example.org", "lead@example.org")
	wants(t, g.to, "phone of super", "phone of lead")
}

// What travels over other people's servers says what and where, and never who or what somebody wrote.
func TestMessagesTellNoIdentities(t *testing.T) {
	s, g := serveMail(t, true, false), serveSMS(t)
	d := newDesk(t, map[alerting.Channel]alerting.Sender{alerting.Mail: s.by(t, "mail.example.org", nil), alerting.SMS: g.by(t)}, "super")
	english := false
	d.config.Language = func(context.Context, hlc.ID) string { return map[bool]string{true: "en", false: "zh"}[english] }
	d.restart(t)
	anna := d.tablet("anna")
	raise := func() hlc.ID {
		client := anna.Make(&recordv1.Case{CaseNo: ptr("CASE-4711")})
		identity := anna.Make(&recordv1.CaseIdentity{Case: client.Record[:], Name: ptr("张桂兰"), Phone: ptr("13900001111")})
		alert := anna.Make(&recordv1.RiskAlert{Subject: client.Record[:], Site: d.Sites[0][:], Type: recordv1.RiskType_RISK_TYPE_DOMESTIC_VIOLENCE.Enum(), Level: recordv1.RiskLevel_RISK_LEVEL_RED.Enum(),
			SeenAt: ptr(d.Wall().Add(-5 * time.Minute).UnixMilli()), Done: ptr("已陪张桂兰离开"), ReportedTo: ptr("王庄派出所")})
		anna.Push(client, identity, alert)
		return alert.Record
	}
	var ids []hlc.ID
	for range 2 {
		ids = append(ids, raise())
		d.look(t)
		english = true
	}
	if len(s.letters) != 2 || len(g.texts) != 2 {
		t.Fatalf("%d letters, %d texts", len(s.letters), len(g.texts))
	}
	for i, says := range [][]string{{"家暴", "红色", "王庄镇", "one", "2021年10月1日 11:55"}, {"domestic violence", "red", "王庄镇", "one", "1 Oct 2021 11:55"}} {
		header, body := read(t, s.letters[i])
		for name, text := range map[string]string{"letter": header.Get("Subject") + "\n" + body, "SMS": g.texts[i]} {
			for _, want := range append(says, "https://levee.example.org/deployments/"+d.ID.String()+"/alerts/"+ids[i].String()) {
				if !strings.Contains(text, want) {
					t.Errorf("the %s does not say %s: %s", name, want, text)
				}
			}
		}
		for _, secret := range []string{"张桂兰", "13900001111", "CASE-4711", "离开", "派出所", "anna"} {
			if strings.Contains(s.letters[i]+header.Get("Subject")+body+g.texts[i], secret) {
				t.Errorf("message %d has %s", i, secret)
			}
		}
	}
}

func TestNamesBreakNoHeader(t *testing.T) {
	s, g := serveMail(t, true, false), serveSMS(t)
	d := newDesk(t, map[alerting.Channel]alerting.Sender{alerting.Mail: s.by(t, "mail.example.org", nil), alerting.SMS: g.by(t)}, "super")
	d.edit(t, d.Sites[0], &recordv1.Site{Name: ptr("王庄镇\r\nBcc: all@example.org\r\n\r\nhttps://evil.example.org")})
	d.raise("anna", recordv1.RiskLevel_RISK_LEVEL_RED)
	d.look(t)
	wants(t, s.to, "super@example.org")
	header, body := read(t, s.letters[0])
	if header.Get("Bcc") != "" || strings.ContainsAny(header.Get("Subject")+g.texts[0], "\r\n") || strings.Contains(body, "\nBcc") {
		t.Errorf("%v\n%s\n%s", header, body, g.texts[0])
	}
}
