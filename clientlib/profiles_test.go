package clientlib_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"levee/clientlib"
	recordv1 "levee/syncproto/levee/record/v1"
)

// profileOf opens a worker's file among several in a folder.
func profileOf(t *testing.T, s *fakeServer, folder, name string, key clientlib.Key) *tablet {
	t.Helper()
	path, err := clientlib.ProfilePath(folder, name)
	if err != nil {
		t.Fatal(err)
	}
	store, err := clientlib.Open(t.Context(), path, clientlib.Options{
		Key: key, Wall: func() time.Time { return start }, Transport: &network{server: s.http}, App: "levee-test/1", Entropy: rand.NewChaCha8([32]byte([]byte(name + strings.Repeat("0", 32))[:32])),
	})
	if err != nil {
		t.Fatal(err)
	}
	tab := &tablet{Store: store, t: t, path: path, now: start}
	t.Cleanup(func() { _ = store.Close() })
	return tab
}

// filesOf are a profile's files, as they lie on the disk.
func filesOf(t testing.TB, path string) map[string]string {
	t.Helper()
	names, err := filepath.Glob(path + "*")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(name)] = string(content)
	}
	return files
}

// Two workers share a tablet. Whatever one does with theirs, the other's unsent work stays as it lies, and unreadable.
func TestWorkersWhoShareATabletDoNotHarmEachOther(t *testing.T) {
	s := newServer(t)
	ctx := t.Context()
	folder := t.TempDir()
	keys := []clientlib.Key{clientlib.HostKey([32]byte{1}), clientlib.HostKey([32]byte{2})}
	li := profileOf(t, s, folder, "李伟", keys[0])
	li.must(li.Enrol(ctx, s.code("http://levee.test", "li-wei")))
	id, err := li.LogCommunityActivity(ctx, activity("李伟的活动"))
	li.must(err)
	li.must(li.Close())
	before := filesOf(t, li.path)

	chen := profileOf(t, s, folder, "chen", keys[1])
	chen.must(chen.Enrol(ctx, s.code("http://levee.test", "chen-jie")))
	_, err = chen.LogCommunityActivity(ctx, activity("陈洁的活动"))
	chen.must(err)
	chen.sync()
	chen.must(chen.ChangeKey(ctx, keys[1], clientlib.HostKey([32]byte{3})))
	if _, err := clientlib.Open(ctx, li.path, clientlib.Options{Key: keys[1], Wall: func() time.Time { return start }}); clientlib.Code(err) != clientlib.CodeKeyWrong {
		t.Errorf("the other's key: %v", err)
	}
	found, err := clientlib.Profiles(folder)
	chen.must(err)
	if len(found) != 2 || found[0].Name != "chen" || found[0].Path != chen.path || found[1].Name != "李伟" || found[1].Code != "" {
		t.Fatalf("Profiles = %+v", found)
	}
	if found[0].Worker == "" || found[0].Worker == found[1].Worker || found[0].Deployment == "" || found[0].Deployment != found[1].Deployment {
		t.Errorf("whose they are: %+v", found)
	}
	chen.must(chen.Close())
	damaged, err := os.ReadFile(chen.path)
	chen.must(err)
	chen.must(os.WriteFile(chen.path, damaged[:len(damaged)-2*4096], 0o600))
	_, err = clientlib.Rescue(ctx, chen.path, clientlib.Options{Key: clientlib.HostKey([32]byte{3})})
	chen.must(err)
	if after := filesOf(t, li.path); len(after) != len(before) {
		t.Errorf("the other's files are %d, and were %d", len(after), len(before))
	} else {
		for name, content := range before {
			if after[name] != content {
				t.Errorf("%s was touched", name)
			}
		}
	}

	// A key that is gone, or no key, is that profile's alone.
	chen.must(os.WriteFile(chen.path+".key", []byte("{"), 0o600))
	found, err = clientlib.Profiles(folder)
	chen.must(err)
	if len(found) != 2 || found[0].Code != clientlib.CodeKeyDamaged || found[1].Code != "" {
		t.Errorf("with a damaged key: %+v", found)
	}
	chen.must(os.Remove(chen.path + ".key"))
	if found, err = clientlib.Profiles(folder); err != nil || len(found) != 2 || found[0].Code != clientlib.CodeKeyMissing || found[1].Code != "" {
		t.Errorf("with a lost key: %+v, %v", found, err)
	}

	li = profileOf(t, s, folder, "李伟", keys[0])
	if got := li.record(id).Message.(*recordv1.CommunityActivity).GetName(); got != "李伟的活动" || li.status().Unsent != 1 {
		t.Errorf("the other's work: %q, %+v", got, li.status())
	}
	if result, err := li.Sync(ctx, nil); err != nil || result.Sent != 1 {
		t.Errorf("and when it is sent: %+v, %v", result, err)
	}
	for name, content := range filesOf(t, li.path) {
		if bytes.Contains([]byte(content), []byte("陈洁的活动")) {
			t.Errorf("%s has what the other wrote", name)
		}
	}
}

func TestProfilesHaveNamesThatAreFiles(t *testing.T) {
	folder := t.TempDir()
	for name, ok := range map[string]bool{
		"李伟": true, "li-wei_2": true, "Li Wei": true, "": false, ".": false, "..": false, "../li": false, "a/b": false, `a\b`: false, "a.db": false, " li": false,
		"li\n": false, "\xff": false, strings.Repeat("伟", 41): false,
	} {
		path, err := clientlib.ProfilePath(folder, name)
		if (err == nil) != ok || (ok && filepath.Dir(path) != folder) || (!ok && clientlib.Code(err) != clientlib.CodeProfileName) {
			t.Errorf("%q: %q, %v", name, path, err)
		}
	}
	// What is none of them stands in the same folder.
	for _, name := range []string{"notes.txt", "tablet.db.damaged-1", "tablet.db-wal"} {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(folder, "folder.db"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, in := range []string{folder, filepath.Join(folder, "not there")} {
		if found, err := clientlib.Profiles(in); err != nil || len(found) != 0 {
			t.Errorf("%s: %+v, %v", in, found, err)
		}
	}
}
