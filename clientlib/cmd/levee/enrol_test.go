package main

import (
	"strings"
	"testing"

	"levee/clientlib/internal/fakeserver"
	"levee/syncproto/wire"
)

func TestACodeIsCopiedOrTyped(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := fakeserver.New(t, c.wall)
	typed := wire.EnrolmentCode{Secret: fakeserver.TypedSecret}.Typed()
	copied := s.Code("wang-fang")
	for i, args := range [][]string{
		{copied}, {copied[:20], copied[20:]}, {copied[:3], copied[3:]},
		{"http://levee.test", typed}, {"http://levee.test/", strings.ToLower(typed[:11]), typed[12:]},
		append([]string{"http://levee.test"}, strings.Split(typed, "-")...),
	} {
		tab := newTablet(t, s, c, byte(10+i))
		if got := tab.object(0, append([]string{"enrol"}, args...)...)["worker"].(map[string]any)["name"]; got != "王芳" {
			t.Errorf("%q enrols %v", args, got)
		}
	}
	tab := newTablet(t, s, c, 1)
	for code, args := range map[string][]string{
		"no_address":             {typed},
		"enrolment_code_invalid": {"http://levee.test", typed[1:]},
	} {
		if got := tab.object(1, append([]string{"enrol"}, args...)...)["error"].(map[string]any)["code"]; got != code {
			t.Errorf("%q: %v", args, got)
		}
	}
}

func TestARevokedTabletSaysSo(t *testing.T) {
	t.Parallel()
	tab, s := enrolledTablet(t)
	tab.drafts(3)
	s.Revoked = true
	stopped := tab.object(1, "sync")
	if got := stopped["error"].(map[string]any)["code"]; got != "device_revoked" {
		t.Errorf("sync: %v", stopped)
	}
	if got := stopped["sync"].(map[string]any)["sent"]; got != 3.0 {
		t.Errorf("it sent %v", got)
	}
	for _, command := range [][]string{{"list", "case"}, {"status"}, {"sync"}} {
		if got := tab.object(1, command...)["error"].(map[string]any)["code"]; got != "key_destroyed" {
			t.Errorf("%v: %v", command, got)
		}
	}
	for lang, want := range map[string]string{"zh": "本机已停用", "en": "was revoked"} {
		tab.lang = lang
		if _, got, exit := tab.run("status"); exit != 1 || !strings.Contains(got, want) {
			t.Errorf("status in %s: exit %d, %s", lang, exit, got)
		}
	}
}
