package wire_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"levee/syncproto/hlc"
	"levee/syncproto/problem"
	"levee/syncproto/wire"
)

func code() wire.EnrolmentCode {
	return wire.EnrolmentCode{ServerURL: "https://levee.example.org/henan", Deployment: hlc.ID{1, 2, 3}, Worker: hlc.ID{4, 5, 6}, Secret: "7WQK-M2PD"}
}

func TestEnrolmentCodeSurvivesCopying(t *testing.T) {
	text := code().String()
	if !strings.HasPrefix(text, "levee1.") || strings.Trim(text[7:], "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		t.Fatalf("%q is not levee1. and base64url", text)
	}
	for _, copied := range []string{text, " " + text + "\n", text[:20] + "\r\n  " + text[20:40] + "\u200b" + text[40:], "\ufeff" + text} {
		if got, err := wire.ParseEnrolmentCode(copied); err != nil || got != code() {
			t.Errorf("ParseEnrolmentCode(%q) = %+v, %v", copied, got, err)
		}
	}
}

func TestEnrolmentCodeNoticesSlips(t *testing.T) {
	text := code().String()
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.IntRange(0, len(text)-1).Draw(t, "at")
		other := rapid.SampledFrom([]rune("AbC9_-x.é ")).Filter(func(r rune) bool { return string(r) != text[at:at+1] }).Draw(t, "other")
		slip := text[:at] + string(other) + text[at+1:]
		if _, err := wire.ParseEnrolmentCode(slip); !errors.Is(err, problem.New(problem.EnrolmentCodeInvalid)) {
			t.Fatalf("%q was taken: %v", slip, err)
		}
	})
}

func TestEnrolmentCodeRefuses(t *testing.T) {
	sealed := func(m []byte) string {
		check := sha256.Sum256(m)
		return "levee1." + base64.RawURLEncoding.EncodeToString(append(m, check[:4]...))
	}
	message, err := base64.RawURLEncoding.DecodeString(code().String()[7:])
	if err != nil {
		t.Fatal(err)
	}
	message = message[:len(message)-4]
	if sealed(message) != code().String() {
		t.Fatal("codes are sealed in another way than here")
	}
	deployment := code().Deployment
	short := bytes.Replace(message, append([]byte{2<<3 | 2, 16}, deployment[:]...), append([]byte{2<<3 | 2, 15}, deployment[:15]...), 1)
	noServer, noSecret, noWorker, file := code(), code(), code(), code()
	noServer.ServerURL, noSecret.Secret, noWorker.Worker, file.ServerURL = "", "", hlc.ID{}, "file:///etc/passwd"
	for _, text := range []string{
		"", "levee1.", "levee1.AAAAAA", "levee2." + code().String()[7:], strings.Repeat("x", 5000),
		sealed(short), sealed(message[:len(message)-1]), sealed([]byte{0x08, 0x01}),
		noServer.String(), noSecret.String(), noWorker.String(), file.String(),
	} {
		if _, err := wire.ParseEnrolmentCode(text); !errors.Is(err, problem.New(problem.EnrolmentCodeInvalid)) {
			t.Errorf("%q was taken: %v", text, err)
		}
	}
	rapid.Check(t, func(t *rapid.T) { _, _ = wire.ParseEnrolmentCode("levee1." + rapid.String().Draw(t, "text")) })
}
