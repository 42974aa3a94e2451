package wire

import (
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"
	"unicode"

	"google.golang.org/protobuf/encoding/protowire"

	"levee/syncproto/hlc"
	"levee/syncproto/problem"
)

// EnrolmentCode is what a coordinator hands to a worker, as text or as a QR code, so that a tablet becomes theirs.
type EnrolmentCode struct {
	// ServerURL is where the tablet syncs: http or https, with a path or without.
	ServerURL  string
	Deployment hlc.ID
	Worker     hlc.ID
	// Secret is what the server knows the code by. It is used once.
	Secret string
	// Pin is by what the tablet knows a server whose certificate no authority signed; empty when one did.
	Pin Pin
}

// An enrolment code is written as "levee1." and the unpadded base64url of a protobuf message (1 server URL, 2 deployment,
// 3 worker, 4 secret, 5 pin if there is one) with a check behind it: the first 4 bytes of the message's SHA-256, so that a
// slip in copying is noticed before anything is sent.
const (
	// EnrolmentPrefix is how every code begins that is not in the typed form.
	EnrolmentPrefix = "levee1."
	enrolmentCheck  = 4
	// maxEnrolmentText is more than any code needs that a server makes.
	maxEnrolmentText = 2048
)

const (
	enrolmentServerURL protowire.Number = iota + 1
	enrolmentDeployment
	enrolmentWorker
	enrolmentSecret
	enrolmentPin
)

func (c EnrolmentCode) String() string {
	var b []byte
	b = appendBytes(b, enrolmentServerURL, []byte(c.ServerURL))
	b = appendBytes(b, enrolmentDeployment, c.Deployment[:])
	b = appendBytes(b, enrolmentWorker, c.Worker[:])
	b = appendBytes(b, enrolmentSecret, []byte(c.Secret))
	if c.Pin != "" {
		b = appendBytes(b, enrolmentPin, []byte(c.Pin))
	}
	check := sha256.Sum256(b)
	return EnrolmentPrefix + base64.RawURLEncoding.EncodeToString(append(b, check[:enrolmentCheck]...))
}

// ParseEnrolmentCode reads a code, with white space anywhere in it: codes are copied from chats that break lines. The
// error is a *problem.Problem with code enrolment_code_invalid.
func ParseEnrolmentCode(text string) (EnrolmentCode, error) {
	invalid := func(why string) (EnrolmentCode, error) {
		return EnrolmentCode{}, problem.Newf(problem.EnrolmentCodeInvalid, "%s", why)
	}
	if len(text) > maxEnrolmentText {
		return invalid("too long")
	}
	text = strings.Map(visible, text)
	encoded, ok := strings.CutPrefix(text, EnrolmentPrefix)
	if !ok {
		return invalid("does not start with " + EnrolmentPrefix)
	}
	b, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil || len(b) < enrolmentCheck {
		return invalid("not base64url")
	}
	b, sum := b[:len(b)-enrolmentCheck], b[len(b)-enrolmentCheck:]
	if check := sha256.Sum256(b); string(check[:enrolmentCheck]) != string(sum) {
		return invalid("copied wrongly")
	}
	var c EnrolmentCode
	for len(b) > 0 {
		field, typ, tag := protowire.ConsumeTag(b)
		if tag < 0 || typ != protowire.BytesType {
			return invalid("not a message")
		}
		value, size := protowire.ConsumeBytes(b[tag:])
		if size < 0 {
			return invalid("not a message")
		}
		b = b[tag+size:]
		switch field {
		case enrolmentServerURL:
			c.ServerURL = string(value)
		case enrolmentDeployment, enrolmentWorker:
			if len(value) != len(hlc.ID{}) {
				return invalid("an id is not 16 bytes")
			}
			if field == enrolmentDeployment {
				c.Deployment = hlc.ID(value)
			} else {
				c.Worker = hlc.ID(value)
			}
		case enrolmentSecret:
			c.Secret = string(value)
		case enrolmentPin:
			if len(value) != pinLength {
				return invalid("a pin is not 32 bytes")
			}
			c.Pin = Pin(value)
		}
	}
	if why := c.lacksServer(); why != "" {
		return invalid(why)
	}
	if c.Secret == "" || c.Deployment == (hlc.ID{}) || c.Worker == (hlc.ID{}) {
		return invalid("not complete")
	}
	return c, nil
}

// lacksServer says why a code does not lead to a server; empty when it does.
func (c EnrolmentCode) lacksServer() string {
	at, err := url.Parse(c.ServerURL)
	switch {
	case err != nil, at.Host == "", at.Scheme != "http" && at.Scheme != "https":
		return "names no server"
	case c.Pin != "" && at.Scheme != "https":
		return "has a pin for a server without TLS"
	default:
		return ""
	}
}

// visible takes white space and zero-width characters (Cf) out of what was copied.
func visible(r rune) rune {
	if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) {
		return -1
	}
	return r
}

func appendBytes(b []byte, field protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), value)
}
