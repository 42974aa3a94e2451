package server

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"levee/server/internal/accounts"
	"levee/server/internal/audit"
	"levee/server/internal/store/sqlite"
	"levee/server/internal/syncing"
)

// keyFile is the server's secrets as they stand in a file beside the database, for its owner alone.
type keyFile struct {
	// Signing is an Ed25519 seed.
	Signing []byte `json:"signing_key"`
	// Proof is the key of the proofs on what tablets pull.
	Proof []byte `json:"proof_key"`
	// Sessions are the keys of sessions on the web, the one in use first. They are rotated; the keys above never are, since
	// tablets know them.
	Sessions []sessionKey `json:"session_keys,omitempty"`
	// Seal is the key that the secrets of time codes are sealed with.
	Seal []byte `json:"seal_key,omitempty"`
}

type sessionKey struct {
	ID   string `json:"id"`
	Seed []byte `json:"seed"`
	// Since is when it came into use.
	Since time.Time `json:"since"`
}

const (
	proofKeyBytes = 32
	sealKeyBytes  = 32
)

// sound reports whether all is there that every version writes.
func (k *keyFile) sound() bool {
	for _, s := range k.Sessions {
		if len(s.Seed) != ed25519.SeedSize || s.ID == "" {
			return false
		}
	}
	return len(k.Signing) == ed25519.SeedSize && len(k.Proof) == proofKeyBytes && (len(k.Seal) == 0 || len(k.Seal) == sealKeyBytes)
}

// complete makes what is not there: everything in a new file, and in one of an older version what that did not know.
func (k *keyFile) complete(entropy io.Reader, now time.Time) (changed bool, err error) {
	for _, part := range []struct {
		key *[]byte
		n   int
	}{{&k.Signing, ed25519.SeedSize}, {&k.Proof, proofKeyBytes}, {&k.Seal, sealKeyBytes}} {
		if len(*part.key) > 0 {
			continue
		}
		*part.key = make([]byte, part.n)
		if _, err := io.ReadFull(entropy, *part.key); err != nil {
			return false, err
		}
		changed = true
	}
	if len(k.Sessions) > 0 {
		return changed, nil
	}
	return true, k.newSessionKey(entropy, now)
}

// newSessionKey puts a new key in front.
func (k *keyFile) newSessionKey(entropy io.Reader, now time.Time) error {
	b := make([]byte, 8+ed25519.SeedSize)
	if _, err := io.ReadFull(entropy, b); err != nil {
		return err
	}
	k.Sessions = append([]sessionKey{{ID: hex.EncodeToString(b[:8]), Seed: b[8:], Since: now.UTC().Truncate(time.Second)}}, k.Sessions...)
	return nil
}

// readKeys reads a key file, and changes nothing.
func readKeys(path string) (*keyFile, error) {
	b, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("the server's keys: %w", err)
	}
	var k keyFile
	if err := json.Unmarshal(b, &k); err != nil || !k.sound() {
		return nil, fmt.Errorf("the server's keys: %s is damaged; put it back from its backup", path)
	}
	return &k, nil
}

// write writes the file whole before it has its name: a crash leaves no half a key.
func (k *keyFile) write(path string) error {
	encoded, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".keys-*")
	if err != nil {
		return fmt.Errorf("the server's keys: %w", err)
	}
	_, werr := f.Write(encoded)
	err = errors.Join(werr, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("the server's keys: %w", err), os.Remove(f.Name()))
	}
	return sqlite.Sync(path)
}

// syncing are the keys that tablets know.
func (k *keyFile) syncing() *syncing.Keys {
	return &syncing.Keys{Signing: ed25519.NewKeyFromSeed(k.Signing), ProofKey: k.Proof}
}

// keyring is a key file in use. What leveed rotate-keys changes in it is noticed by itself.
type keyring struct {
	path string
	log  *slog.Logger

	mu       sync.Mutex
	file     *keyFile
	sessions []accounts.SessionKey
	// read is the file as it was read: another one has its place once the keys were rotated.
	read fs.FileInfo
}

// openKeys reads the key file, or makes it.
func openKeys(path string, entropy io.Reader, now time.Time, log *slog.Logger) (*keyring, error) {
	file, err := readKeys(path)
	if errors.Is(err, fs.ErrNotExist) {
		file, err = &keyFile{}, nil
	}
	if err != nil {
		return nil, err
	}
	changed, err := file.complete(entropy, now)
	if err == nil && changed {
		err = file.write(path)
	}
	if err != nil {
		return nil, err
	}
	r := &keyring{path: path, log: log}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("the server's keys: %w", err)
	}
	r.take(file, info)
	return r, nil
}

func (r *keyring) take(file *keyFile, info fs.FileInfo) {
	r.file, r.read, r.sessions = file, info, nil
	for _, k := range file.Sessions {
		r.sessions = append(r.sessions, accounts.SessionKey{ID: k.ID, Key: ed25519.NewKeyFromSeed(k.Seed)})
	}
}

// refresh reads the file again if it is another one than was read. If that can't be, what was read goes on.
func (r *keyring) refresh() {
	info, err := os.Stat(r.path)
	if err != nil || os.SameFile(info, r.read) && info.ModTime().Equal(r.read.ModTime()) {
		return
	}
	file, err := readKeys(r.path)
	if err != nil || len(file.Sessions) == 0 {
		r.log.Error("the keys have changed and can't be read; those from before go on", "error", err)
		r.read = info // said once
		return
	}
	file.Signing, file.Proof, file.Seal = r.file.Signing, r.file.Proof, r.file.Seal // these never change in a running server
	r.take(file, info)
}

// SessionKeys implements accounts.Keys.
func (r *keyring) SessionKeys() []accounts.SessionKey {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refresh()
	return r.sessions
}

// SealKey implements accounts.Keys.
func (r *keyring) SealKey() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.file.Seal
}

// Rotated says what a rotation of keys did.
type Rotated struct {
	// Key names the new one, Kept how many older ones are still good.
	Key  string
	Kept int
	// Until is when the sessions that were signed with the newest of those have been signed anew, or have ended.
	Until time.Time
}

// RotateKeys puts a new key for sessions on the web in use, and drops those of which no session is left. A running server
// takes it up at once. Nobody is signed out.
func (s *Server) RotateKeys(ctx context.Context) (*Rotated, error) {
	k, err := readKeys(s.config.Keys)
	if err != nil {
		return nil, err
	}
	now := s.config.Wall()
	// Each key was in use until the one before it in the list came; what it signed is dead after that time.
	for i := 1; i < len(k.Sessions); i++ {
		if now.Sub(k.Sessions[i-1].Since) > accounts.SessionIdle {
			k.Sessions = k.Sessions[:i]
		}
	}
	if err := k.newSessionKey(s.config.Entropy, now); err != nil {
		return nil, err
	}
	if err := s.audit.Write(ctx, audit.Entry{Action: audit.KeysRotated, Subject: audit.Subject{Kind: audit.OfServer}}); err != nil {
		return nil, err
	}
	return &Rotated{Key: k.Sessions[0].ID, Kept: len(k.Sessions) - 1, Until: now.Add(accounts.SessionIdle)}, k.write(s.config.Keys)
}
