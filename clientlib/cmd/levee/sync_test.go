package main

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"

	"levee/clientlib/internal/fakeserver"
)

// log many drafts, so that a sync takes several requests.
func (tab *tablet) drafts(n int) {
	tab.t.Helper()
	for i := range n {
		tab.must("log", "case", "--draft", "--case-no", fmt.Sprintf("W-%02d", i+1))
	}
}

func TestASyncSaysWhatItDid(t *testing.T) {
	t.Parallel()
	tab, s := enrolledTablet(t)
	tab.drafts(3)
	s.PageSize = 4
	done := tab.object(0, "sync")
	if done["complete"] != true || done["sent"] != 3.0 || done["received"] != 10.0 || done["held"] != 0.0 || done["unsent"] != 0.0 {
		t.Errorf("did %v", done)
	}
	if done["requests"] != 3.0 || done["bytes_up"].(float64) < 1000 || done["bytes_down"].(float64) < 500 {
		t.Errorf("cost %v", done)
	}
	again := tab.object(0, "sync")
	if again["requests"] != 1.0 || again["sent"] != 0.0 || again["received"] != 0.0 {
		t.Errorf("with nothing new: %v", again)
	}
}

// On a terminal a bar moves, and is gone in the end. How much there is to receive is not made up.
func TestABarOnATerminal(t *testing.T) {
	t.Parallel()
	tab, s := enrolledTablet(t)
	tab.drafts(2)
	s.PageSize = 6
	tab.terminal = true
	stdout, stderr, exit := tab.run("sync")
	if exit != 0 {
		t.Fatal(stderr)
	}
	for _, want := range []string{"sending 0 of 2, receiving 0 of not yet known", "sending 2 of 2, receiving 6 of 9  72%"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("the bar never says %q:\n%q", want, stderr)
		}
	}
	if strings.Contains(stderr, "%") && strings.Index(stderr, "%") < strings.Index(stderr, "receiving 6 of 9") {
		t.Errorf("a share is shown before the whole is known:\n%q", stderr)
	}
	if strings.Contains(stderr, "\n") || !strings.Contains(stdout, "9 records received") {
		t.Errorf("printed %q, and %q", stdout, stderr)
	}
}

// Ctrl-C cancels the context. What came stays, what was logged is still there, and the next sync goes on from there.
func TestCtrlCLosesNothing(t *testing.T) {
	t.Parallel()
	tab, s := enrolledTablet(t)
	tab.drafts(2)
	s.PageSize = 3
	requests := 0
	ctx, stop := context.WithCancel(t.Context())
	s.Meanwhile = func() {
		if requests++; requests == 3 {
			stop()
		}
	}
	tab.ctx = ctx
	stopped := tab.object(1, "sync")
	if code := stopped["error"].(map[string]any)["code"]; code != "cancelled" {
		t.Errorf("code %v", code)
	}
	if done := stopped["sync"].(map[string]any); done["complete"] != false || done["sent"] != 2.0 || done["received"] != 6.0 {
		t.Errorf("until then: %v", done)
	}
	tab.ctx, s.Meanwhile = nil, nil
	tab.must("log", "case", "--draft", "--case-no", "W-09")
	if done := tab.object(0, "sync"); done["complete"] != true || done["sent"] != 1.0 || done["received"] != 4.0 {
		t.Errorf("afterwards: %v", done)
	}
	if records := tab.object(0, "list", "case")["records"].([]any); len(records) != 3 {
		t.Errorf("%d cases", len(records))
	}
}

func TestAWrongClockIsSaid(t *testing.T) {
	t.Parallel()
	tab, _ := enrolledTablet(t)
	wall := tab.options.Wall
	tab.options.Wall = func() time.Time { return wall().Add(-3 * time.Hour) }
	tab.drafts(1)
	out := tab.must("sync")
	if !strings.Contains(out, "clock was corrected by 2h59m5") {
		t.Errorf("printed %s", out)
	}
	if out := tab.must("status"); !strings.Contains(out, "corrected by 2h59m5") {
		t.Errorf("status %s", out)
	}
}

// Fields that two people filled in differently are shown with who wrote what, and which value stands.
func TestConflictsAreShown(t *testing.T) {
	t.Parallel()
	tab, s := enrolledTablet(t)
	id := fakeserver.TestID(6, 1)
	tab.must("log", "case", "--draft", "--case-no", "W-01", "--next-due-on", "2021-10-20")
	tab.must("sync")
	caseID := tab.object(0, "show", "W-01")["id"].(string)
	target, err := uuid.Parse(caseID)
	if err != nil {
		t.Fatal(err)
	}
	side := func(day int32, minutes int, author []byte) *recordv1.ConflictSide {
		value, err := proto.Marshal(&recordv1.Case{NextDueOn: &day})
		if err != nil {
			t.Fatal(err)
		}
		at := uint64(time.Date(2021, 10, 14, 2, minutes, 0, 0, time.UTC).UnixMilli()) << 16
		return &recordv1.ConflictSide{Value: value, Time: &at, Replica: proto.Uint64(uint64(minutes)), Author: author}
	}
	s.Set(id, &recordv1.Conflict{
		Target: target[:], TargetKind: recordv1.Kind_KIND_CASE.Enum(), Field: proto.Uint32(31),
		Sides: []*recordv1.ConflictSide{side(20211020, 1, fakeserver.WangFang[:]), side(20211028, 2, fakeserver.LiLei[:])},
	})
	tab.must("sync")
	short := caseID[28:]
	for lang, want := range map[string]string{
		"en": "1 field filled in differently by two people. A supervisor settles it.\n\n" +
			"1. case “W-01” (" + short + "), next due on\n" +
			"   王芳, 14 Oct 2021 10:01: 20 Oct 2021\n" +
			"   李雷, 14 Oct 2021 10:02: 28 Oct 2021 (stands now)\n",
		"zh": "两处填写不一致：1 处，由督导处理。\n\n" +
			"1. 个案“W-01”（" + short + "），下次服务日期\n" +
			"   王芳，2021年10月14日 10:01：2021年10月20日\n" +
			"   李雷，2021年10月14日 10:02：2021年10月28日（现在采用）\n",
	} {
		tab.lang = lang
		if got := tab.must("conflicts"); got != want {
			t.Errorf("in %s:\n%swant\n%s", lang, got, want)
		}
	}
	one := tab.object(0, "conflicts")["conflicts"].([]any)[0].(map[string]any)
	sides := one["sides"].([]any)
	if one["record"] != caseID || one["field"] != "next_due_on" || sides[0].(map[string]any)["value"] != "2021-10-20" || sides[1].(map[string]any)["name"] != "李雷" {
		t.Errorf("as JSON %v", one)
	}
	if st := tab.object(0, "status"); st["conflicts"] != 1.0 {
		t.Errorf("status %v", st)
	}
}

// What is wrong with the file itself is said too.
func TestFilesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	tab, _ := enrolledTablet(t)
	if err := os.WriteFile(tab.file, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if e := tab.object(1, "status")["error"].(map[string]any); e["code"] != "database_damaged" {
		t.Errorf("garbage: %v", e)
	}
	tab.file += "/below/tablet.db"
	if e := tab.object(1, "status")["error"].(map[string]any); e["code"] != "no_store" {
		t.Errorf("below a file: %v", e)
	}
	tab.file = ""
	if e := tab.object(1, "status")["error"].(map[string]any); e["code"] != "no_store" {
		t.Errorf("nowhere: %v", e)
	}
}

// Pages of a list join without a gap.
func TestListsHavePages(t *testing.T) {
	t.Parallel()
	tab, _ := enrolledTablet(t)
	tab.drafts(5)
	var names []string
	after := ""
	for {
		args := []string{"list", "个案", "--limit", "2"}
		if after != "" {
			args = append(args, "--after", after)
		}
		page := tab.object(0, args...)
		for _, r := range page["records"].([]any) {
			names = append(names, r.(map[string]any)["fields"].(map[string]any)["case_no"].(string))
		}
		if after = page["next"].(string); after == "" {
			break
		}
	}
	if got := strings.Join(names, " "); got != "W-05 W-04 W-03 W-02 W-01" {
		t.Errorf("listed %s", got)
	}
	if out := tab.must("list", "--limit", "2"); !strings.Contains(out, "There is more: --after ") {
		t.Errorf("printed %s", out)
	}
	if out := tab.must("list", "--from", "2021-10-15"); out != "Nothing here.\n" {
		t.Errorf("of days to come: %s", out)
	}
}

// The deployment's linkage key is shown by no command, in text or as JSON.
func TestTheLinkageKeyIsNeverShown(t *testing.T) {
	t.Parallel()
	tab, s := enrolledTablet(t)
	key := []byte("a linkage key that is of 32 byte")
	s.Set(s.Deployment, &recordv1.Deployment{LinkageKey: key})
	value, err := proto.Marshal(&recordv1.Deployment{LinkageKey: key})
	if err != nil {
		t.Fatal(err)
	}
	conflict := fakeserver.TestID(25, 1)
	s.Set(conflict, &recordv1.Conflict{Target: s.Deployment[:], TargetKind: recordv1.Kind_KIND_DEPLOYMENT.Enum(), Field: proto.Uint32(uint32(record.LinkageKeyField)),
		Sides: []*recordv1.ConflictSide{{Value: value, Time: proto.Uint64(1), Replica: proto.Uint64(1)}}})
	tab.must("sync")
	for _, command := range [][]string{{"show", s.Deployment.String()}, {"show", conflict.String()}, {"list", "deployment"}, {"conflicts"}, {"held"}, {"status"}, {"totals"}} {
		for _, args := range [][]string{command, append([]string{"--json"}, command...)} {
			stdout, stderr, exit := tab.run(args...)
			shown := strings.ToLower(stdout + stderr)
			for _, form := range []string{string(key), hex.EncodeToString(key), strings.ToLower(base64.StdEncoding.EncodeToString(key)), strings.ToLower(base64.RawURLEncoding.EncodeToString(key))} {
				if strings.Contains(shown, form) {
					t.Errorf("%q shows it: %s", args, shown)
				}
			}
			if command[0] == "show" && exit != 0 {
				t.Errorf("%q: exit %d, which shows nothing: %s", args, exit, shown)
			}
		}
	}
}
