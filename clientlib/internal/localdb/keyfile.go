package localdb

import (
	"bytes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"

	"levee/migrations"
)

// What can be wrong with the key of a file.
var (
	ErrKeyNeeded    = errors.New("the file is sealed and no key was given")
	ErrKeyWeak      = errors.New("the key is too easy to guess")
	ErrKeyMissing   = errors.New("the file that holds the wrapped key is not there")
	ErrKeyDamaged   = errors.New("the file that holds the wrapped key is damaged")
	ErrKeyDestroyed = errors.New("the key was destroyed")
)

// WrongKeyError says that a key is wrong, or came too early after wrong ones.
type WrongKeyError struct {
	// Early says that the key was not tried.
	Early bool
	// Wait is how long to wait before the next try; 0 when it may be made at once.
	Wait time.Duration
}

func (e *WrongKeyError) Error() string {
	if e.Early {
		return fmt.Sprintf("wrong keys were given: the next may be tried in %v", e.Wait)
	}
	return "the key is wrong"
}

// Label is whose file it is, for those who choose among several before any is open.
type Label struct {
	Worker     string `json:"worker"`
	Deployment string `json:"deployment"`
}

// keyFile is what lies beside a file: its data key, wrapped.
type keyFile struct {
	Version int `json:"version"`
	// Destroyed says that there is no key any more.
	Destroyed bool `json:"destroyed,omitempty"`
	// Wrap is how the data key is wrapped: under a PIN by argon2id with the parameters that follow, or under a host key.
	Wrap    string `json:"wrap,omitempty"`
	Memory  uint32 `json:"memory_kib,omitempty"`
	Time    uint32 `json:"time,omitempty"`
	Threads uint8  `json:"threads,omitempty"`
	Salt    []byte `json:"salt,omitempty"`
	Wrapped []byte `json:"wrapped,omitempty"`
	// Tries is how many wrong keys were given since the last right one, Tried when the last was, in milliseconds.
	Tries int   `json:"tries"`
	Tried int64 `json:"tried"`
	Label Label `json:"label"`
	// Sum is over all the rest, so that damage is told apart from a wrong key.
	Sum []byte `json:"sum,omitempty"`
}

const (
	keyFileVersion = 1
	byPIN          = "argon2id"
	byHost         = "host"
	saltSize       = 16
)

// RFC 9106, the second recommended choice, on one core: an old tablet bears 64 MiB, and about a second.
const (
	argonMemory  = 64 << 10 // KiB
	argonTime    = 3
	argonThreads = 1
	// What a file may ask for at most.
	mostMemory = 1 << 20 // KiB
	mostTime   = 100
)

func keyPath(path string) string { return path + ".key" }

var errNoKeyFile = errors.New("there is no key file")

// readKeyFile reads what lies beside a file: errNoKeyFile when nothing does, ErrKeyDestroyed when the key is no more.
func readKeyFile(path string) (*keyFile, error) {
	encoded, err := os.ReadFile(filepath.Clean(keyPath(path)))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errNoKeyFile
	case err != nil:
		return nil, fmt.Errorf("reading the key: %w", err)
	}
	k, err := parseKeyFile(encoded)
	if errors.Is(err, ErrKeyDamaged) {
		// A destruction that was cut short has overwritten it, and left beside it what was to take its place.
		next, nerr := os.ReadFile(filepath.Clean(keyPath(path) + ".new"))
		if n, perr := parseKeyFile(next); nerr == nil && perr == nil && n.Destroyed {
			return nil, ErrKeyDestroyed
		}
	}
	if err == nil && k.Destroyed {
		return nil, ErrKeyDestroyed
	}
	return k, err
}

func parseKeyFile(encoded []byte) (*keyFile, error) {
	k := &keyFile{}
	if err := json.Unmarshal(encoded, k); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeyDamaged, err)
	}
	if k.Version > keyFileVersion {
		return nil, fmt.Errorf("the key's format is %d: %w", k.Version, migrations.ErrNewer)
	}
	sum := k.Sum
	want, err := k.sum()
	switch {
	case err != nil:
		return nil, err
	case !bytes.Equal(sum, want):
		return nil, fmt.Errorf("%w: its sum is wrong", ErrKeyDamaged)
	case k.Destroyed:
		return k, nil
	case k.Wrap != byPIN && k.Wrap != byHost, len(k.Salt) != saltSize,
		len(k.Wrapped) != chacha20poly1305.NonceSizeX+len(dataKey{})+chacha20poly1305.Overhead,
		k.Wrap == byPIN && (k.Memory == 0 || k.Memory > mostMemory || k.Time == 0 || k.Time > mostTime || k.Threads == 0):
		return nil, fmt.Errorf("%w: it says what none can", ErrKeyDamaged)
	}
	return k, nil
}

func (k *keyFile) sum() ([]byte, error) {
	without := *k
	without.Sum = nil
	encoded, err := json.Marshal(without)
	if err != nil {
		return nil, fmt.Errorf("writing the key: %w", err)
	}
	h := sha256.Sum256(encoded)
	return h[:], nil
}

// write puts the key file beside a file, whole or not at all, and on the disk before it returns.
func (k *keyFile) write(path string) error {
	name := keyPath(path)
	if err := k.writeTo(name + ".new"); err != nil {
		return err
	}
	return replace(name+".new", name)
}

func (k *keyFile) writeTo(name string) (err error) {
	if k.Sum, err = k.sum(); err != nil {
		return err
	}
	encoded, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the key: %w", err)
	}
	return WriteSynced(name, append(encoded, '\n'))
}

// WriteSynced writes a file that only its owner may read, down to the disk.
func WriteSynced(name string, content []byte) error {
	f, err := os.OpenFile(filepath.Clean(name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Base(name), ofDisk(err))
	}
	_, err = f.Write(content)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Base(name), ofDisk(err))
	}
	return nil
}

// replace puts a file in the place of another, on the disk before it returns.
func replace(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Base(to), err)
	}
	return syncFolder(filepath.Dir(to))
}

func syncFolder(folder string) error {
	if runtime.GOOS == "windows" { // its folders can't be synced, and need not be
		return nil
	}
	d, err := os.Open(filepath.Clean(folder))
	if err != nil {
		return fmt.Errorf("syncing %s: %w", folder, err)
	}
	return errors.Join(d.Sync(), d.Close())
}

// wrap wraps a data key under a key, anew.
func (k *keyFile) wrap(data dataKey, under Key, entropy io.Reader) error {
	if !under.strong() {
		return under.unfit()
	}
	random := make([]byte, saltSize+chacha20poly1305.NonceSizeX)
	if _, err := io.ReadFull(entropy, random); err != nil {
		return fmt.Errorf("wrapping the key: %w", err)
	}
	k.Version, k.Wrap, k.Salt, k.Tries, k.Tried = keyFileVersion, byHost, random[:saltSize], 0, 0
	k.Memory, k.Time, k.Threads = 0, 0, 0
	if !under.host {
		k.Wrap, k.Memory, k.Time, k.Threads = byPIN, argonMemory, argonTime, argonThreads
	}
	box, err := k.box(under)
	if err != nil {
		return err
	}
	nonce := random[saltSize:]
	k.Wrapped = box.Seal(nonce, nonce, data[:], k.bound())
	return nil
}

// unwrap opens the data key; ok is false when the key is wrong.
func (k *keyFile) unwrap(under Key) (data dataKey, ok bool, err error) {
	if under.host != (k.Wrap == byHost) {
		return data, false, nil
	}
	box, err := k.box(under)
	if err != nil {
		return data, false, err
	}
	const nonce = chacha20poly1305.NonceSizeX
	opened, err := box.Open(nil, k.Wrapped[:nonce], k.Wrapped[nonce:], k.bound())
	return data, err == nil && copy(data[:], opened) == len(data), nil
}

// box is what the data key lies in.
func (k *keyFile) box(under Key) (cipher.AEAD, error) {
	var secret []byte
	if under.host {
		mac := hmac.New(sha256.New, under.secret)
		mac.Write([]byte("levee host key"))
		mac.Write(k.Salt)
		secret = mac.Sum(nil)
	} else {
		secret = argon2.IDKey(under.secret, k.Salt, k.Time, k.Memory, k.Threads, chacha20poly1305.KeySize)
	}
	return chacha20poly1305.NewX(secret)
}

func (k *keyFile) bound() []byte {
	return fmt.Appendf(nil, "levee data key\x00%d\x00%s\x00%d\x00%d\x00%d", k.Version, k.Wrap, k.Memory, k.Time, k.Threads)
}

// freeTries is how many wrong keys may follow each other without a wait.
const freeTries = 3

// longestWait is the longest between two tries.
const longestWait = time.Hour

// wait is how long to wait after so many wrong keys: 1 s after the fourth, and twice as long after each further one.
func wait(tries int) time.Duration {
	if tries <= freeTries {
		return 0
	}
	if doublings := tries - freeTries - 1; doublings < 12 {
		return min(time.Second<<doublings, longestWait)
	}
	return longestWait
}

// left is how much of the wait is left. A clock that was set back begins the wait anew.
func (k *keyFile) left(now time.Time) (left time.Duration, setBack bool) {
	whole := wait(k.Tries)
	since := now.UnixMilli() - k.Tried // of clocks that are years off, a Duration would run over
	if since < 0 {
		return whole, whole > 0
	}
	return max(0, whole-time.Duration(min(since, whole.Milliseconds()))*time.Millisecond), false
}

// unlock opens the data key. A PIN that is tried counts as wrong, on the disk, until it was found to be right.
func (k *keyFile) unlock(path string, under Key, now time.Time) (data dataKey, err error) {
	if under.IsZero() {
		return data, ErrKeyNeeded
	}
	counted := k.Wrap == byPIN // nobody guesses 32 random bytes
	if counted {
		left, setBack := k.left(now)
		if setBack {
			k.Tried = now.UnixMilli()
			if err := k.write(path); err != nil {
				return data, err
			}
		}
		if left > 0 {
			return data, &WrongKeyError{Early: true, Wait: left}
		}
		k.Tries++
		k.Tried = now.UnixMilli()
		if err := k.write(path); err != nil {
			return data, err
		}
	}
	data, ok, err := k.unwrap(under)
	switch {
	case err != nil:
		return data, err
	case !ok:
		return data, &WrongKeyError{Wait: wait(k.Tries)}
	case counted:
		k.Tries, k.Tried = 0, 0
		err = k.write(path)
	}
	return data, err
}

// newKeyFile makes a data key, and puts it beside a file.
func newKeyFile(path string, under Key, entropy io.Reader) (data dataKey, err error) {
	if !under.strong() {
		return data, under.unfit()
	}
	if _, err := io.ReadFull(entropy, data[:]); err != nil {
		return data, fmt.Errorf("making a key: %w", err)
	}
	k := &keyFile{}
	if err := k.wrap(data, under, entropy); err != nil {
		return data, err
	}
	return data, k.write(path)
}

// LabelOf is whose file it is, for which no key is needed.
func LabelOf(path string) (Label, error) {
	k, err := readKeyFile(path)
	if err != nil {
		if errors.Is(err, errNoKeyFile) {
			err = ErrKeyMissing
		}
		return Label{}, err
	}
	return k.Label, nil
}

// destroy leaves of a key nothing but the word that it was destroyed. A file without any key file is left so too.
func destroy(path string) error {
	name := keyPath(path)
	gone := &keyFile{Version: keyFileVersion, Destroyed: true}
	if old, err := parseKeyFileAt(name); err == nil {
		gone.Label = old.Label
	}
	beside := gone.writeTo(name + ".new")
	// What is replaced by its name alone may stay on the disk. Flash may keep what is overwritten, too: that is why the key
	// is wrapped.
	if info, err := os.Stat(name); err == nil {
		if err := overwrite(name, info.Size()); err != nil {
			return err
		}
	}
	if beside != nil { // a full disk must not keep a key alive: the word fits where the key was
		return errors.Join(gone.writeTo(name), os.Remove(name+".new"))
	}
	return replace(name+".new", name)
}

func parseKeyFileAt(name string) (*keyFile, error) {
	encoded, err := os.ReadFile(filepath.Clean(name))
	if err != nil {
		return nil, err
	}
	return parseKeyFile(encoded)
}

func overwrite(name string, size int64) error {
	f, err := os.OpenFile(filepath.Clean(name), os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("overwriting the key: %w", err)
	}
	_, err = f.Write(make([]byte, size))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("overwriting the key: %w", err)
	}
	return nil
}

// ofDisk says of an error whether the disk is full.
func ofDisk(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}
