package archive

import (
	"context"
	"crypto/ed25519"
	"os"
)

// Forge changes an archive, and signs it anew.
func Forge(ctx context.Context, path string, key ed25519.PrivateKey, change func() error, forge func(*Manifest)) error {
	m, err := Look(path)
	if err != nil {
		return err
	}
	if err := os.Truncate(path, m.Database.Bytes); err != nil {
		return err
	}
	if err := change(); err != nil {
		return err
	}
	m.Tables, m.Blocks = nil, nil
	if err := measure(ctx, path, m); err != nil {
		return err
	}
	forge(m)
	text, err := m.sign(key)
	if err != nil {
		return err
	}
	return attach(path, text)
}
