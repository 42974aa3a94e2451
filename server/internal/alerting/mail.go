package alerting

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/textproto"
	"strconv"
	"strings"

	gomail "github.com/wneessen/go-mail"

	recordv1 "levee/syncproto/levee/record/v1"
)

// implicitPort is the port on which a mail server encrypts from the first byte (RFC 8314). On others it is asked to.
const implicitPort = 465

// MailServer is the server by which e-mail is sent.
type MailServer struct {
	// Address is host:port. At port 465 the connection is encrypted from its beginning; elsewhere STARTTLS must succeed, but
	// for a server on this machine that does not offer it.
	Address string
	// From is the sender: an address, with a name or without.
	From string
	// User and Password are empty for a server that asks for none.
	User, Password string
	// Implicit has the connection encrypted from its beginning at any port.
	Implicit bool
	// Roots are the authorities that vouch for the server; the system's when nil.
	Roots *x509.CertPool
}

// mailer sends e-mail.
type mailer struct {
	client *gomail.Client
	from   string
	// domain is that of the sender's address.
	domain string
}

// NewMailer sends by a server. It connects when there is something to send.
func NewMailer(c MailServer) (Sender, error) { return newMailer(c) }

func newMailer(c MailServer, options ...gomail.Option) (*mailer, error) {
	host, portText, err := net.SplitHostPort(c.Address)
	if err != nil || host == "" {
		return nil, fmt.Errorf("%q is no address of a mail server: host:port", c.Address)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil || port == 0 {
		return nil, fmt.Errorf("%q has no port", c.Address)
	}
	from, err := mail.ParseAddress(c.From)
	if err != nil {
		return nil, fmt.Errorf("%q is no e-mail address of a sender", c.From)
	}
	m := &mailer{from: c.From, domain: from.Address[strings.LastIndexByte(from.Address, '@')+1:]}
	all := []gomail.Option{gomail.WithPort(int(port)), gomail.WithHELO(m.domain), gomail.WithTimeout(sendTime), gomail.WithoutNoop(),
		gomail.WithTLSConfig(&tls.Config{ServerName: host, MinVersion: tls.VersionTLS12, RootCAs: c.Roots}), gomail.WithTLSPolicy(policy(host))}
	if c.Implicit || port == implicitPort {
		all = append(all, gomail.WithSSL())
	}
	if c.User != "" {
		all = append(all, gomail.WithSMTPAuth(signingIn(host)), gomail.WithUsername(c.User), gomail.WithPassword(c.Password))
	}
	m.client, err = gomail.NewClient(host, append(all, options...)...)
	return m, err
}

// policy is what is asked of a connection: nothing leaves this machine that is not encrypted.
func policy(host string) gomail.TLSPolicy {
	if isLoopback(host) {
		return gomail.TLSOpportunistic
	}
	return gomail.TLSMandatory
}

// signingIn is how the password is told: the best way that the server knows. On this machine it may go unencrypted.
func signingIn(host string) gomail.SMTPAuthType {
	if isLoopback(host) {
		return gomail.SMTPAuthPlain
	}
	return gomail.SMTPAuthAutoDiscover
}

// isLoopback reports whether a host is this machine.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Address implements Sender.
func (m *mailer) Address(w *recordv1.Worker) string { return strings.TrimSpace(w.GetEmail()) }

// Send implements Sender.
func (m *mailer) Send(ctx context.Context, to string, message Message) error {
	letter := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithEncoding(gomail.EncodingB64))
	if err := letter.From(m.from); err != nil {
		return errors.New("the sender is no e-mail address")
	}
	if err := letter.To(to); err != nil {
		return errors.New("the worker's e-mail address is none")
	}
	letter.Subject(message.Subject)
	letter.SetMessageIDWithValue(message.ID + "@" + m.domain)
	letter.SetDateWithValue(message.At)
	letter.SetImportance(gomail.ImportanceHigh)
	letter.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no program answers
	letter.SetBodyString(gomail.TypeTextPlain, message.Body)
	return quiet(m.client.DialAndSendWithContext(ctx, letter))
}

// quiet is an error without what the server said, which may repeat the address.
func quiet(err error) error {
	var sending *gomail.SendError
	var answer *textproto.Error
	var network net.Error
	var certificate *tls.CertificateVerificationError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &sending) && sending.ErrorCode() != 0:
		return fmt.Errorf("the mail server answered %d", sending.ErrorCode())
	case errors.As(err, &answer):
		return fmt.Errorf("the mail server answered %d", answer.Code)
	case errors.As(err, &certificate):
		return fmt.Errorf("the mail server is not who it says: %w", certificate)
	case errors.As(err, &network):
		return fmt.Errorf("reaching the mail server: %w", err)
	default:
		return errors.New("the mail server does not let us send")
	}
}
