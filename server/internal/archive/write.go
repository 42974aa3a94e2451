package archive

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"levee/server/internal/journal"
	"levee/server/internal/store/sqlite"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
)

// Config says what is archived.
type Config struct {
	// Extract copies what the server has of a deployment to a SQLite database in a new file: see database.At.
	Extract    func(ctx context.Context, to string, deployment hlc.ID) error
	Deployment hlc.ID
	// Key is the server's, with which it signed the certificates.
	Key ed25519.PrivateKey
	// Wall is the server's clock, Entropy what ids and secrets are made from.
	Wall    func() time.Time
	Entropy io.Reader
	// Progress is told of each step, and within some how much of it is done, of how much; nil for nobody.
	Progress func(step Step, done, of uint64)
}

func (c *Config) public() ed25519.PublicKey {
	return c.Key.Public().(ed25519.PublicKey) //nolint:forcetypeassert // what an Ed25519 key has
}

// What keeps a deployment from being archived.
var (
	// ErrNoCertificate: it was not closed yet.
	ErrNoCertificate = errors.New("the deployment has no certificate")
	// ErrNotCertified: what it holds is not what its newest certificate says; the error says what differs.
	ErrNotCertified = errors.New("the deployment is not as its newest certificate says")
)

// Write writes the archive of a deployment, without personal data of clients, whatever the database has of it still. The file has its name
// once it is whole, on the disk and verified but for the recount; one that is there is replaced. When ctx ends, nothing is left.
//
// Memory does not grow with the records. Only one may be written to a path at a time.
func Write(ctx context.Context, c Config, path string) (_ *Manifest, err error) {
	if c.Progress == nil {
		c.Progress = func(Step, uint64, uint64) {}
	}
	// Beside the file, so that it can be given its name, and for its owner alone: the copy holds personal data until it is erased.
	folder := path + ".part"
	if err := errors.Join(os.RemoveAll(folder), os.Mkdir(folder, 0o700)); err != nil { // there is one after a crash
		return nil, fmt.Errorf("writing the archive: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	defer func() {
		if err != nil && ctx.Err() != nil {
			err = ctx.Err() // what was under way then fails in ways of its own
		}
	}()
	copied, packed := filepath.Join(folder, "copy"), filepath.Join(folder, "archive")
	c.Progress(Copying, 0, 0)
	if err := c.Extract(ctx, copied, c.Deployment); err != nil {
		return nil, fmt.Errorf("copying the deployment: %w", err)
	}
	c.Progress(Erasing, 0, 0)
	if err := c.erase(ctx, copied, filepath.Join(folder, "journal")); err != nil {
		return nil, fmt.Errorf("erasing personal data in the copy: %w", err)
	}
	// What was kept by day tells of people by the codes that they had before.
	if err := sqlite.Refill(ctx, copied); err != nil {
		return nil, fmt.Errorf("erasing personal data in the copy: %w", err)
	}
	m := &Manifest{Version: Version, Made: c.Wall().UTC().Truncate(time.Second)}
	if err := c.addTables(ctx, copied, m); err != nil {
		return nil, fmt.Errorf("writing the plain tables: %w", err)
	}
	c.Progress(Packing, 0, 0)
	if err := sqlite.Compact(ctx, copied, packed, Version); err != nil {
		return nil, fmt.Errorf("packing the archive: %w", err)
	}
	c.Progress(Signing, 0, 0)
	if err := c.seal(ctx, packed, m); err != nil {
		return nil, fmt.Errorf("signing the archive: %w", err)
	}
	found, err := verifyArchive(ctx, packed, false)
	if err != nil {
		return nil, err
	}
	if !found.OK {
		return nil, fmt.Errorf("%w: %w", ErrNotCertified, &found.Faults[0])
	}
	if err := os.Rename(packed, path); err != nil {
		return nil, err
	}
	return m, sqlite.Sync(path)
}

// erase takes all personal data out of the copy. It has a journal and keys of its own, which are gone afterwards: by nothing that is kept
// can anybody follow the tokens in the archive back to those that the tablets made.
func (c *Config) erase(ctx context.Context, copied, kept string) (err error) {
	secrets := make([]byte, ed25519.SeedSize+32)
	if _, err := io.ReadFull(c.Entropy, secrets); err != nil {
		return err
	}
	keys := &syncing.Keys{Signing: ed25519.NewKeyFromSeed(secrets[:ed25519.SeedSize]), ProofKey: secrets[ed25519.SeedSize:]}
	noted, err := journal.Open(kept, keys.PublicKey())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, noted.Close()) }()
	db, err := sqlite.OpenScratch(ctx, copied)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	service, err := syncing.Start(ctx, syncing.Config{Deployment: c.Deployment, Store: db.Deployment(c.Deployment), Keys: keys, Journal: noted.Deployment(c.Deployment), Wall: c.Wall, Entropy: c.Entropy})
	if err != nil {
		return err
	}
	told := service.TellErasing(func(done, of uint64) { c.Progress(Erasing, done, of) })
	_, err = service.EraseAll(ctx)
	told()
	service.Close()
	if err != nil {
		return err
	}
	return db.Deployment(c.Deployment).ForgetJournal(ctx)
}

// seal writes the manifest behind the packed database.
func (c *Config) seal(ctx context.Context, packed string, m *Manifest) (err error) {
	if err := measure(ctx, packed, m); err != nil {
		return err
	}
	text, err := m.sign(c.Key)
	if err != nil {
		return err
	}
	return attach(packed, text)
}

// attach puts a manifest behind a database.
func attach(path string, manifest []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0) //nolint:gosec // in a folder that was made for it
	if err != nil {
		return err
	}
	_, err = f.Write(append(manifest, fmt.Sprintf(trailerForm, len(manifest))...))
	return errors.Join(err, f.Sync(), f.Close())
}

// measure hashes what a packed database holds.
func measure(ctx context.Context, packed string, m *Manifest) (err error) {
	db, err := sqlite.OpenToVerify(packed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	names, err := db.PlainTables(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		t, err := hashTable(ctx, db, name)
		if err != nil {
			return err
		}
		m.Tables = append(m.Tables, t)
	}
	f, err := os.Open(packed) //nolint:gosec // in a folder that was made for it
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was read only
	info, err := f.Stat()
	if err != nil {
		return err
	}
	m.Database = Database{Bytes: info.Size(), BlockBytes: blockBytes}
	if m.Blocks, err = hashBlocks(ctx, f, info.Size()); err != nil {
		return err
	}
	return nameBlocks(ctx, db, m.Blocks)
}

// hashBlocks hashes the first bytes of a file, block by block.
func hashBlocks(ctx context.Context, f io.ReaderAt, bytes int64) ([]Block, error) {
	var blocks []Block
	b := make([]byte, blockBytes)
	for at := int64(0); at < bytes; at += blockBytes {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		part := b[:min(blockBytes, bytes-at)]
		if _, err := f.ReadAt(part, at); err != nil {
			return nil, err
		}
		hash := sha256.Sum256(part)
		blocks = append(blocks, Block{At: at, SHA256: hex.EncodeToString(hash[:])})
	}
	return blocks, nil
}

// nameBlocks says of each block what it has pages of.
func nameBlocks(ctx context.Context, db *sqlite.Still, blocks []Block) error {
	holds := make([]map[string]bool, len(blocks))
	err := db.EachPage(ctx, func(at int64, of string) error {
		block := at / blockBytes
		if holds[block] == nil {
			holds[block] = map[string]bool{}
		}
		holds[block][of] = true
		return nil
	})
	for i := range blocks {
		blocks[i].Holds = slices.Sorted(maps.Keys(holds[i]))
	}
	return err
}
