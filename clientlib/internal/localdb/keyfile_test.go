package localdb

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const goodPIN = "735194"

// locked is a file under a PIN, closed, and a clock.
func locked(t *testing.T) (path string, now *time.Time) {
	t.Helper()
	path, at := filepath.Join(t.TempDir(), "tablet.db"), start
	db, err := Open(t.Context(), path, Options{Key: PIN(goodPIN), Wall: func() time.Time { return at }})
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return path, &at
}

func try(t *testing.T, path string, now *time.Time, pin string) error {
	t.Helper()
	db, err := Open(t.Context(), path, Options{Key: PIN(pin), Wall: func() time.Time { return *now }})
	if err == nil {
		err = db.Close()
	}
	return err
}

// cheap makes a file's key one that is quickly tried: the file says how, and what is tested is not argon2id.
func cheap(t *testing.T, path string) {
	t.Helper()
	k, err := readKeyFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data, ok, err := k.unwrap(PIN(goodPIN))
	if err != nil || !ok {
		t.Fatal(err)
	}
	k.Memory, k.Time = 8, 1
	box, err := k.box(PIN(goodPIN))
	if err != nil {
		t.Fatal(err)
	}
	nonce := bytes.Repeat([]byte{1}, 24)
	k.Wrapped = box.Seal(nonce, nonce, data[:], k.bound())
	if err := k.write(path); err != nil {
		t.Fatal(err)
	}
}

// Wrong PINs wait longer and longer, also over restarts, and the right one ends it.
func TestWrongKeysWait(t *testing.T) {
	path, now := locked(t)
	cheap(t, path)
	var wrong *WrongKeyError
	waits := []time.Duration{0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600, 3600}
	for n, seconds := range waits {
		want := seconds * time.Second
		if err := try(t, path, now, "000001"); !errors.As(err, &wrong) || wrong.Early || wrong.Wait != want {
			t.Fatalf("wrong key %d: %v, want a wait of %v", n+1, err, want)
		}
		if want == 0 {
			continue
		}
		*now = now.Add(want - time.Millisecond)
		for _, pin := range []string{"000001", goodPIN} {
			if err := try(t, path, now, pin); !errors.As(err, &wrong) || !wrong.Early || wrong.Wait != time.Millisecond {
				t.Fatalf("too early after wrong key %d: %v", n+1, err)
			}
		}
		*now = now.Add(time.Millisecond)
	}
	if err := try(t, path, now, goodPIN); err != nil {
		t.Fatal(err)
	}
	for range freeTries {
		if err := try(t, path, now, "000001"); !errors.As(err, &wrong) || wrong.Early || wrong.Wait != 0 {
			t.Fatalf("after the right key: %v", err)
		}
	}
}

// A clock that is set back shortens nothing: the wait begins anew.
func TestClockSetBackShortensNoWait(t *testing.T) {
	path, now := locked(t)
	cheap(t, path)
	for n := range 6 { // after the sixth, 4 s
		*now = now.Add(time.Duration(n) * time.Hour)
		_ = try(t, path, now, "000001")
	}
	var wrong *WrongKeyError
	for _, back := range []time.Duration{1000 * time.Hour, 10 * time.Second} {
		*now = now.Add(-back)
		if err := try(t, path, now, goodPIN); !errors.As(err, &wrong) || !wrong.Early || wrong.Wait != 4*time.Second {
			t.Fatalf("with the clock set back: %v", err)
		}
		*now = now.Add(3 * time.Second)
		if err := try(t, path, now, goodPIN); !errors.As(err, &wrong) || !wrong.Early || wrong.Wait != time.Second {
			t.Fatalf("3 s later: %v", err)
		}
	}
	*now = now.Add(time.Second)
	if err := try(t, path, now, goodPIN); err != nil {
		t.Fatal(err)
	}
}

// A try counts before it is made: who cuts the power at the right moment gains nothing.
func TestTryIsCountedBeforeItIsMade(t *testing.T) {
	path, now := locked(t)
	cheap(t, path)
	k, err := readKeyFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// The folder can't be written: the try can't be counted, so it is not made.
	if err := os.Mkdir(keyPath(path)+".new", 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := k.unlock(path, PIN(goodPIN), *now); err == nil {
		t.Error("a key was tried that could not be counted")
	}
}

func TestKeysThatCanBeSet(t *testing.T) {
	for text, want := range map[string]bool{
		"735194": true, "12345": false, "123456": false, "654321": false, "000000": false, "112233": true, "": false,
		"abcdefg": false, "abcdefgh": true, "aaaaaaaa": false, "大河向东流去啊": false, "大河向东流去啊哈": true, strings.Repeat("ab", 600): false,
	} {
		if got := PIN(text).strong(); got != want {
			t.Errorf("%q: %v", text, got)
		}
		path := filepath.Join(t.TempDir(), "tablet.db")
		if _, err := Open(t.Context(), path, Options{Key: PIN(text)}); !want && !errors.Is(err, ErrKeyWeak) && !errors.Is(err, ErrKeyNeeded) {
			t.Errorf("%q was set: %v", text, err)
		}
		if files, _ := filepath.Glob(path + "*"); !want && len(files) > 0 {
			t.Errorf("%q left %v", text, files)
		}
	}
	if HostKey([32]byte{}).strong() {
		t.Error("a host key of zeros was set")
	}
	if decomposed := "cafe\u0301 noir"; string(PIN(decomposed).secret) != string(PIN("caf\u00e9 noir").secret) {
		t.Error("how a letter was composed makes another passphrase")
	}
}

// What is wrong with the key's file is told apart, and nothing is made anew in its place.
func TestKeyFilesThatAreWrong(t *testing.T) {
	path, now := locked(t)
	good, err := os.ReadFile(keyPath(path))
	if err != nil {
		t.Fatal(err)
	}
	other, _ := locked(t)
	others, err := os.ReadFile(keyPath(other))
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(good)
	flipped[bytes.Index(flipped, []byte(`"wrapped": "`))+20] ^= 1
	for name, c := range map[string]struct {
		content []byte
		want    error
	}{
		"missing":   {nil, ErrKeyMissing},
		"empty":     {[]byte{}, ErrKeyDamaged},
		"half":      {good[:len(good)/2], ErrKeyDamaged},
		"a bit":     {flipped, ErrKeyDamaged},
		"another's": {others, ErrKeyMissing},
	} {
		if err := os.Remove(keyPath(path)); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		if c.content != nil {
			if err := os.WriteFile(keyPath(path), c.content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := try(t, path, now, goodPIN); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if c.content == nil {
			if _, err := os.Stat(keyPath(path)); err == nil {
				t.Errorf("%s: another was made", name)
			}
		}
		if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, file) {
			t.Errorf("%s: the file was touched", name)
		}
	}
	if err := os.WriteFile(keyPath(path), good, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := try(t, path, now, goodPIN); err != nil {
		t.Error(err)
	}
}

// A new key opens what the old one did, and the old one no more. A change that was cut short leaves the old one.
func TestChangeKey(t *testing.T) {
	path, now := locked(t)
	cheap(t, path)
	db, err := Open(t.Context(), path, Options{Key: PIN(goodPIN), Wall: func() time.Time { return *now }})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var wrong *WrongKeyError
	if err := db.ChangeKey(t.Context(), PIN("000001"), testKey); !errors.As(err, &wrong) {
		t.Errorf("with a wrong key: %v", err)
	}
	if err := db.ChangeKey(t.Context(), PIN(goodPIN), PIN("1234")); !errors.Is(err, ErrKeyWeak) {
		t.Errorf("to a weak one: %v", err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(keyPath(path)+".new", 0o700); err != nil { // nothing can be written beside
		t.Fatal(err)
	}
	if err := db.ChangeKey(t.Context(), PIN(goodPIN), testKey); err == nil {
		t.Error("changed without being written")
	}
	if err := os.Remove(keyPath(path) + ".new"); err != nil {
		t.Fatal(err)
	}
	if err := try(t, path, now, goodPIN); err != nil {
		t.Errorf("after a change that was cut short: %v", err)
	}
	if err := db.ChangeKey(t.Context(), PIN(goodPIN), testKey); err != nil {
		t.Fatal(err)
	}
	if err := try(t, path, now, goodPIN); !errors.As(err, &wrong) {
		t.Errorf("the old key: %v", err)
	}
	again, err := Open(t.Context(), path, Options{Key: testKey})
	if err != nil {
		t.Fatalf("the new key: %v", err)
	}
	_ = again.Close()
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Error("the file was written anew")
	}
}
