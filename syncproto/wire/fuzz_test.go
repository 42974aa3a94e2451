package wire_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/problem"
	"levee/syncproto/wire"
)

var (
	deviceKey  = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
	public     = deviceKey.Public().(ed25519.PublicKey)
	deployment = hlc.ID{1: 1, 15: 1}
	device     = hlc.ID{1: 2, 15: 1}
	noon       = time.Date(2021, 10, 1, 4, 0, 0, 0, time.UTC)
)

// FuzzToken: a token holds for its device, deployment and body alone, and nothing but the device's key makes one.
func FuzzToken(f *testing.F) {
	body := []byte("the body as it goes over the wire")
	good, err := wire.SignToken(deviceKey, deployment, device, body, noon)
	if err != nil {
		f.Fatal(err)
	}
	parts := strings.Split(good, ".")
	header, claims := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }, parts[1]
	f.Add(good, body, uint16(0), byte(0))
	f.Add(header(`{"alg":"none"}`)+"."+claims+".", body, uint16(40), byte(1))
	f.Add(header(`{"alg":"HS256","typ":"JWT"}`)+"."+claims+"."+parts[2], body, uint16(90), byte(2))
	f.Add(parts[0]+"."+header(`{"sub":"","aud":[[[]]],"exp":1e999,"bh":null}`)+"."+parts[2], []byte(nil), uint16(3), byte(4))
	f.Add("..", []byte("x"), uint16(9), byte(32))
	f.Fuzz(func(t *testing.T, token string, body []byte, at uint16, flip byte) {
		if _, _, err := wire.TokenOwner(token); err != nil && problem.CodeOf(err) != problem.Unauthenticated {
			t.Fatalf("TokenOwner: %v", err)
		}
		// The key is known to this test alone: what it did not sign is never taken.
		stranger := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, ed25519.SeedSize)).Public().(ed25519.PublicKey)
		if _, err := wire.VerifyToken(token, stranger, deployment, device, body); problem.CodeOf(err) != problem.Unauthenticated {
			t.Fatalf("what nobody signed is taken: %v", err)
		}

		signed, err := wire.SignToken(deviceKey, deployment, device, body, noon)
		if err != nil {
			t.Fatal(err)
		}
		of, by, err := wire.TokenOwner(signed)
		expires, verr := wire.VerifyToken(signed, public, deployment, device, body)
		if err != nil || verr != nil || of != deployment || by != device || !expires.Equal(noon.Add(10*time.Minute)) {
			t.Fatalf("what was signed is %v of %v until %v: %v, %v", by, of, expires, err, verr)
		}
		if _, err := wire.VerifyToken(signed, public, deployment, device, append(bytes.Clone(body), 0)); err == nil {
			t.Fatal("it holds for another body")
		}
		if _, err := wire.VerifyToken(signed, public, device, deployment, body); err == nil {
			t.Fatal("it holds for another device")
		}
		changed := []byte(signed)
		changed[int(at)%len(changed)] ^= flip
		// The last characters of a part have bits that mean nothing: what holds means the same.
		if again, err := wire.VerifyToken(string(changed), public, deployment, device, body); err == nil && !again.Equal(expires) {
			t.Fatalf("%s holds until %v", changed, again)
		}
	})
}

// FuzzEnrolmentCode: a text is refused, or a whole code, which is written and read again as the same.
func FuzzEnrolmentCode(f *testing.F) {
	f.Add(code().String(), []byte(code().ServerURL))
	f.Add(" levee1.\u200bAAAAAA \n", []byte("http://[::1]:80/%zz"))
	f.Add("levee1.ChZodHRwczovL2xldmVlLmV4YW1wbGUvEhABfBArhOBwAIEBAQEBAQEBGhABfBAuRABwAIQEBAQEBAQEIhRBQkNERUZHSEpLTU5QUVJTVFZXWCPm-pg", []byte("https://levee.example/"))
	if message, err := base64.RawURLEncoding.DecodeString(code().String()[7:]); err == nil {
		f.Add("", message[:len(message)-4])
	}
	f.Fuzz(func(t *testing.T, text string, message []byte) {
		check := sha256.Sum256(message)
		sealed := "levee1." + base64.RawURLEncoding.EncodeToString(append(bytes.Clone(message), check[:4]...))
		for _, text := range []string{text, sealed} {
			c, err := wire.ParseEnrolmentCode(text)
			if err != nil {
				if !errors.Is(err, problem.New(problem.EnrolmentCodeInvalid)) {
					t.Fatalf("%q: %v", text, err)
				}
				continue
			}
			at, err := url.Parse(c.ServerURL)
			if err != nil || at.Host == "" || c.Secret == "" || c.Deployment == (hlc.ID{}) || c.Worker == (hlc.ID{}) {
				t.Fatalf("%q is not whole: %+v", text, c)
			}
			if again, err := wire.ParseEnrolmentCode(c.String()); err != nil || again != c {
				t.Fatalf("%+v is read again as %+v, %v", c, again, err)
			}
		}
		whole := code()
		whole.Secret += string(message)
		if got, err := wire.ParseEnrolmentCode(whole.String()); len(whole.String()) <= 2048 && (err != nil || got != whole) {
			t.Fatalf("%+v is read as %+v, %v", whole, got, err)
		}
	})
}

// FuzzSignedByServer: certificates and entries of the journal hold as the server signed them, and in no other way.
func FuzzSignedByServer(f *testing.F) {
	body, err := proto.Marshal(&syncv1.CertificateBody{Deployment: deployment[:], Device: device[:], PublicKey: public, Role: 2, NotAfter: 5})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(wire.JournalCodeUsed, []byte("subject"), body, int64(1), uint16(0), byte(0))
	f.Add(wire.JournalRevoked, device[:], []byte(nil), int64(-1), uint16(70), byte(1))
	f.Add("", []byte("\x0a\x03abc"), bytes.Repeat([]byte{0x0b}, 100), int64(1<<62), uint16(9), byte(4))
	f.Fuzz(func(t *testing.T, sort string, subject, detail []byte, at int64, where uint16, flip byte) {
		e := &syncv1.JournalEntry{Sort: sort, Subject: subject, Detail: detail, At: at}
		wire.SealJournalEntry(deviceKey, deployment, e)
		bounded := sort != "" && len(sort) <= 40 && len(subject) <= 2048 && len(detail) <= 2048
		switch err := wire.CheckJournalEntry(public, deployment, e); {
		case bounded && err != nil, !bounded && problem.CodeOf(err) != problem.Malformed:
			t.Fatalf("what was sealed: %v", err)
		case problem.CodeOf(wire.CheckJournalEntry(public, device, e)) == problem.Internal:
			t.Fatal("it holds in another deployment")
		}
		start := wire.JournalStart(deployment)
		spoiled := &syncv1.JournalEntry{}
		if flipped(t, e, spoiled, where, flip) {
			err := wire.CheckJournalEntry(public, deployment, spoiled)
			if says := sameEntry(e, spoiled); err == nil && !says {
				t.Fatalf("%v was signed, and %v holds", e, spoiled)
			} else if says != (wire.NextJournal(start, deployment, e) == wire.NextJournal(start, deployment, spoiled)) {
				t.Fatalf("%v and %v: one chain for two entries, or two for one", e, spoiled)
			}
		}

		// The same bytes as what a certificate says.
		sealed := &syncv1.Certificate{Body: detail, Signature: ed25519.Sign(deviceKey, append([]byte("levee certificate v1"), detail...))}
		says, err := wire.OpenCertificate(public, sealed)
		if err != nil && problem.CodeOf(err) != problem.Malformed {
			t.Fatalf("what was sealed: %v", err)
		}
		if err == nil {
			again, err := wire.SealCertificate(deviceKey, says)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := wire.OpenCertificate(public, again); err != nil || !proto.Equal(got, says) {
				t.Fatalf("%v comes back as %v, %v", says, got, err)
			}
		}
		other := &syncv1.Certificate{}
		if flipped(t, sealed, other, where, flip) && !bytes.Equal(other.GetBody(), detail) {
			if _, err := wire.OpenCertificate(public, other); problem.CodeOf(err) != problem.SignatureInvalid {
				t.Fatalf("%v was signed, and %v holds: %v", sealed, other, err)
			}
		}
		if _, err := wire.OpenCertificate(public, &syncv1.Certificate{Body: detail, Signature: e.GetSignature()}); err == nil {
			t.Fatal("an entry's signature makes a certificate")
		}
	})
}

// flipped reads a message in which one byte of its encoding was changed; false when that can't be read.
func flipped(t *testing.T, m, into proto.Message, where uint16, flip byte) bool {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil { // a text that is not UTF-8 is never sent
		return false
	}
	b[int(where)%len(b)] ^= flip
	return proto.Unmarshal(b, into) == nil
}

func sameEntry(a, b *syncv1.JournalEntry) bool {
	return a.GetSort() == b.GetSort() && bytes.Equal(a.GetSubject(), b.GetSubject()) && bytes.Equal(a.GetDetail(), b.GetDetail()) && a.GetAt() == b.GetAt()
}
