package clientlib_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf16"

	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	recordv1 "levee/syncproto/levee/record/v1"
)

// What is written about people in the test below, in fields of many kinds.
var written = []string{"赵小妹", "13812345678", "哭了一整夜", "丈夫在洪水中失踪", "王庄镇小学义诊", "需要被褥三床"}

// about logs all of it.
func (tab *tablet) about() {
	tab.t.Helper()
	ctx := tab.t.Context()
	theCase, err := tab.LogCase(ctx, aCase("W-77"))
	tab.must(err)
	_, err = tab.LogCaseIdentity(ctx, &recordv1.CaseIdentity{Case: theCase[:], Name: proto.String(written[0]), Phone: proto.String(written[1])})
	tab.must(err)
	session, err := tab.LogCaseSession(ctx, aSession(theCase))
	tab.must(err)
	_, err = tab.LogCaseNote(ctx, &recordv1.CaseNote{Session: session[:], Process: proto.String(written[2]), Assessment: proto.String(written[3])})
	tab.must(err)
	id, err := tab.LogCommunityActivity(ctx, activity(written[4]))
	tab.must(err)
	visit, err := tab.LogOutreach(ctx, &recordv1.Outreach{Needs: proto.String(written[5])})
	tab.must(err)
	tab.must(tab.Update(ctx, id, &recordv1.CommunityActivity{Minutes: proto.Uint32(90)}))
	tab.must(tab.Delete(ctx, visit))
}

// lookInside searches all files of the tablet's folder, in the encodings that a program may write.
func (tab *tablet) lookInside(when string) {
	tab.t.Helper()
	err := filepath.WalkDir(filepath.Dir(tab.path), func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		for _, text := range written {
			var wide []byte
			for _, unit := range utf16.Encode([]rune(text)) {
				wide = append(wide, byte(unit), byte(unit>>8))
			}
			if bytes.Contains(content, []byte(text)) || bytes.Contains(content, wide) || bytes.Contains(content, fmt.Appendf(nil, "%+q", text)) {
				tab.t.Errorf("%s: %q stands in %s", when, text, filepath.Base(path))
			}
		}
		return err
	})
	tab.must(err)
}

// Whoever finds a tablet finds nothing in its files: not while its program runs, nor when it was killed, nor after syncs and
// a rescue.
func TestNothingCanBeReadInTheFiles(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	tab.about()
	tab.lookInside("logged")
	for i := range 40 {
		_, err := tab.LogOutreach(t.Context(), &recordv1.Outreach{Needs: proto.String(fmt.Sprint(written[5], i))})
		tab.must(err)
	}
	tab.net.fault = func() fault { return answerLost }
	if _, err := tab.Sync(t.Context(), nil); clientlib.Code(err) != "unavailable" {
		t.Fatal(err)
	}
	tab.net.fault = nil
	tab.lookInside("sent")
	killed := tab.restart(tab.image()) // with the log that was not taken over
	killed.lookInside("killed")
	tab.must(killed.Close())

	tab.sync()
	tab.about()
	tab.lookInside("synced")
	tab.must(tab.Close())
	tab.lookInside("closed")

	content, err := os.ReadFile(tab.path)
	tab.must(err)
	tab.must(os.WriteFile(tab.path, content[:len(content)-2*4096], 0o600))
	if !damaged(t, tab) {
		t.Fatal("nobody noticed")
	}
	done, err := tab.rescue()
	tab.must(err)
	if saved, err := os.Stat(done.Saved); err != nil || saved.Size() == 0 {
		t.Errorf("nothing was saved: %v", err)
	}
	tab.open()
	tab.lookInside("rescued")
	tab.sync()
	tab.lookInside("synced after a rescue")
	tab.must(tab.ChangeKey(t.Context(), testKey, clientlib.PIN("735194")))
	tab.lookInside("under another key")
	if _, err := tab.LogOutreach(t.Context(), &recordv1.Outreach{Needs: proto.String(written[5])}); err != nil {
		t.Errorf("after the change of the key: %v", err)
	}
}

// A rescue asks for the key as opening does, and does nothing without it.
func TestRescueNeedsTheKey(t *testing.T) {
	tab, _ := unsentWork(t, newServer(t))
	content, err := os.ReadFile(tab.path)
	tab.must(err)
	tab.must(os.WriteFile(tab.path, content[:len(content)*2/3], 0o600))
	for want, key := range map[string]clientlib.Key{clientlib.CodeKeyNeeded: {}, clientlib.CodeKeyWrong: clientlib.HostKey([32]byte{9})} {
		if _, err := clientlib.Rescue(t.Context(), tab.path, clientlib.Options{Key: key}); clientlib.Code(err) != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	for _, left := range []string{".rescue*", ".damaged*"} {
		if files, err := filepath.Glob(tab.path + left); err != nil || len(files) > 0 {
			t.Errorf("it left %v", files)
		}
	}
	if _, err := tab.rescue(); err != nil {
		t.Error(err)
	}
}

// Two workers share a tablet: whatever one does, the other's unsent work is there, and closed to the first.
func TestProfiles(t *testing.T) {
	s := newServer(t)
	folder := t.TempDir()
	keys := map[string]clientlib.Key{"li": clientlib.HostKey([32]byte{1}), "zhang": clientlib.HostKey([32]byte{2})}
	open := func(name string) *tablet {
		t.Helper()
		path, err := clientlib.ProfilePath(folder, name)
		if err != nil {
			t.Fatal(err)
		}
		net := &network{server: s.http}
		store, err := clientlib.Open(t.Context(), path, clientlib.Options{Key: keys[name], Transport: net, App: "levee-test/1"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		return &tablet{Store: store, t: t, path: path, net: net, now: start}
	}
	li := open("li")
	li.must(li.Enrol(t.Context(), s.code("http://levee.test", "li-wei")))
	li.about()
	unsent := li.status().Unsent
	li.must(li.Close())
	before, err := os.ReadFile(li.path)
	li.must(err)

	zhang := open("zhang")
	if st := zhang.status(); st.Enrolled {
		t.Errorf("a new profile is %+v", st)
	}
	zhang.must(zhang.Enrol(t.Context(), s.code("http://levee.test", "zhang-min")))
	zhang.about()
	zhang.sync()
	zhang.must(zhang.ChangeKey(t.Context(), keys["zhang"], clientlib.HostKey([32]byte{3})))
	zhang.must(zhang.Close())

	found, err := clientlib.Profiles(folder)
	if err != nil || len(found) != 2 || found[0].Name != "li" || found[0].Worker == "" || found[1].Worker == "" || found[0].Worker == found[1].Worker || found[0].Deployment == "" || found[0].Code != "" {
		t.Errorf("Profiles: %+v, %v", found, err)
	}
	if _, err := clientlib.Open(t.Context(), li.path, clientlib.Options{Key: clientlib.HostKey([32]byte{3})}); clientlib.Code(err) != clientlib.CodeKeyWrong {
		t.Errorf("with the other's key: %v", err)
	}
	if after, err := os.ReadFile(li.path); err != nil || !bytes.Equal(before, after) {
		t.Error("the other's file was touched")
	}
	li = open("li")
	if got := li.status().Unsent; got != unsent {
		t.Errorf("%d changes are unsent, and were %d", got, unsent)
	}
	li.sync()
	for _, name := range []string{"", ".", "../x", "a/b", " a", "a.db", string([]byte{0xff})} {
		if _, err := clientlib.ProfilePath(folder, name); clientlib.Code(err) != clientlib.CodeProfileName {
			t.Errorf("a profile %q: %v", name, err)
		}
	}
}
