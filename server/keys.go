package server

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"levee/server/internal/syncing"
)

// keyFile is the server's secrets as they stand in a file beside the database, for its owner alone.
type keyFile struct {
	// Signing is an Ed25519 seed.
	Signing []byte `json:"signing_key"`
	// Proof is the key of the proofs on what tablets pull.
	Proof []byte `json:"proof_key"`
	// APIToken is the SHA-256 of the token that may read the JSON API.
	APIToken []byte `json:"api_token_sha256"`
}

const proofKeyBytes = 32

// loadKeys reads the key file, or makes it. token is the API token when it was made now: it is shown once and nowhere
// kept.
func loadKeys(path string, entropy io.Reader) (keys *syncing.Keys, apiToken [32]byte, token string, err error) {
	b, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if errors.Is(err, fs.ErrNotExist) {
		b, token, err = makeKeys(path, entropy)
	}
	if err != nil {
		return nil, apiToken, "", fmt.Errorf("the server's keys: %w", err)
	}
	var k keyFile
	if err := json.Unmarshal(b, &k); err != nil || len(k.Signing) != ed25519.SeedSize || len(k.Proof) != proofKeyBytes || len(k.APIToken) != sha256.Size {
		return nil, apiToken, "", fmt.Errorf("the server's keys: %s is damaged; put it back from its backup", path)
	}
	return &syncing.Keys{Signing: ed25519.NewKeyFromSeed(k.Signing), ProofKey: k.Proof}, [32]byte(k.APIToken), token, nil
}

func makeKeys(path string, entropy io.Reader) (encoded []byte, token string, err error) {
	if entropy == nil {
		entropy = rand.Reader
	}
	k := keyFile{Signing: make([]byte, ed25519.SeedSize), Proof: make([]byte, proofKeyBytes)}
	secret := make([]byte, 24)
	for _, b := range [][]byte{k.Signing, k.Proof, secret} {
		if _, err := io.ReadFull(entropy, b); err != nil {
			return nil, "", err
		}
	}
	token = base64.RawURLEncoding.EncodeToString(secret)
	hash := sha256.Sum256([]byte(token))
	k.APIToken = hash[:]
	if encoded, err = json.MarshalIndent(k, "", "  "); err != nil { //nolint:gosec // what is written is the token's hash
		return nil, "", err
	}
	// Written whole before it has its name: a crash leaves no half a key.
	f, err := os.CreateTemp(filepath.Dir(path), ".keys-*")
	if err != nil {
		return nil, "", err
	}
	_, werr := f.Write(encoded)
	if err := errors.Join(werr, f.Sync(), f.Close()); err != nil {
		return nil, "", errors.Join(err, os.Remove(f.Name()))
	}
	return encoded, token, os.Rename(f.Name(), path)
}
