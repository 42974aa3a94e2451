package wire_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"levee/syncproto/problem"
	"levee/syncproto/wire"
)

const letters = "ABCDEFGHJKMNPQRSTVWXYZ23456789"

func typedCode(pinned bool) wire.EnrolmentCode {
	c := wire.EnrolmentCode{ServerURL: "https://10.0.0.5:8410", Secret: "ABCDEFGHJKMNPQRSTVWX"}
	if pinned {
		c.Pin = wire.PinOf([]byte("a public key"))[:16]
	}
	return c
}

func TestTypedCodeSurvivesTyping(t *testing.T) {
	for _, pinned := range []bool{false, true} {
		want := typedCode(pinned)
		typed := want.Typed()
		if groups := strings.Split(typed, "-"); len(groups[0]) != 5 || strings.Trim(strings.Join(groups, ""), letters) != "" {
			t.Errorf("%q is not in groups of five", typed)
		}
		for _, as := range []string{typed, strings.ToLower(typed), strings.ReplaceAll(typed, "-", " "), strings.ReplaceAll(typed, "-", ""), " " + strings.ReplaceAll(typed, "-", "\u2013") + "\n"} {
			for _, address := range []string{"10.0.0.5:8410", " 10.0.0.5:8410 ", "https://10.0.0.5:8410"} {
				if got, err := wire.ParseTyped(address, as); err != nil || got != want {
					t.Errorf("ParseTyped(%q, %q) = %+v, %v", address, as, got, err)
				}
			}
		}
	}
	whole := typedCode(false)
	whole.Pin = wire.PinOf([]byte("a public key"))
	if whole.Typed() != typedCode(true).Typed() {
		t.Error("the typed form has another pin than the whole one")
	}
	if got, err := wire.ParseTyped("http://localhost:8410", typedCode(false).Typed()); err != nil || got.ServerURL != "http://localhost:8410" {
		t.Errorf("http was read as %+v, %v", got, err)
	}
}

// Every single wrong letter, and every two letters in each other's place, are noticed, wherever they stand.
func TestTypedCodeNoticesEverySlip(t *testing.T) {
	for _, pinned := range []bool{false, true} {
		typed := strings.ReplaceAll(typedCode(pinned).Typed(), "-", "")
		refused := func(slip string) {
			t.Helper()
			if slip == typed {
				return
			}
			if _, err := wire.ParseTyped("localhost", slip); !errors.Is(err, problem.New(problem.EnrolmentCodeInvalid)) {
				t.Errorf("%q was taken for %q: %v", slip, typed, err)
			}
		}
		for i := range typed {
			for _, letter := range letters + "0O1IL" {
				refused(typed[:i] + string(letter) + typed[i+1:])
			}
			for j := range i {
				swapped := []byte(typed)
				swapped[i], swapped[j] = swapped[j], swapped[i]
				refused(string(swapped))
			}
			refused(typed[:i] + typed[i+1:])
			refused(typed[:i] + "A" + typed[i:])
		}
	}
}

func TestTypedCodeRefuses(t *testing.T) {
	good, pinned := typedCode(false).Typed(), typedCode(true).Typed()
	for _, c := range [][2]string{
		{"", good}, {"://", good}, {"ftp://levee.example", good}, {"https://", good}, {"http://levee.example", pinned},
		{"levee.example", ""}, {"levee.example", "-"}, {"levee.example", strings.Repeat("A", 3000)}, {strings.Repeat("a", 3000), good},
	} {
		if _, err := wire.ParseTyped(c[0], c[1]); !errors.Is(err, problem.New(problem.EnrolmentCodeInvalid)) {
			t.Errorf("%q at %q was taken: %v", c[1], c[0], err)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		_, _ = wire.ParseTyped(rapid.String().Draw(t, "address"), rapid.StringOf(rapid.SampledFrom([]rune(letters))).Draw(t, "typed"))
	})
}

func TestEnrolmentCodeCarriesAPin(t *testing.T) {
	pinned := code()
	pinned.Pin = wire.PinOf([]byte("a public key"))
	if got, err := wire.ParseEnrolmentCode(pinned.String()); err != nil || got != pinned {
		t.Errorf("read as %+v, %v", got, err)
	}
	short, open := pinned, pinned
	short.Pin, open.ServerURL = short.Pin[:16], "http://levee.example.org"
	for _, c := range []wire.EnrolmentCode{short, open} {
		if _, err := wire.ParseEnrolmentCode(c.String()); !errors.Is(err, problem.New(problem.EnrolmentCodeInvalid)) {
			t.Errorf("%+v was taken: %v", c, err)
		}
	}
}

func TestPinMatches(t *testing.T) {
	pin := wire.PinOf([]byte("a public key"))
	for _, p := range []wire.Pin{pin, pin[:16]} {
		if !p.Matches([]byte("a public key")) || p.Matches([]byte("another")) {
			t.Errorf("a pin of %d bytes does not tell keys apart", len(p))
		}
	}
	if wire.Pin("").Matches([]byte("a public key")) || pin[:15].Matches([]byte("a public key")) {
		t.Error("a pin too short to tell matches")
	}
}

func TestNewSecretIsMadeOfItsLetters(t *testing.T) {
	source := rand.NewChaCha8([32]byte{1})
	seen := map[string]bool{}
	for range 200 {
		secret, err := wire.NewSecret(source)
		if err != nil || len(secret) != 20 || strings.Trim(secret, letters) != "" || seen[secret] {
			t.Fatalf("%q, %v", secret, err)
		}
		seen[secret] = true
	}
	if _, err := wire.NewSecret(bytes.NewReader(nil)); err == nil {
		t.Error("a secret was made of nothing")
	}
}
