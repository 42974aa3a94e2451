package clientlib

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"levee/clientlib/internal/localdb"
	"levee/syncproto/hlc"
)

// Rescued is what Rescue did.
type Rescued struct {
	// Queued is how many changes are in the outbox again: all that could be read and that no server is known to have.
	Queued int
	// Lost is how many changes the outbox had that could not be read.
	Lost int
	// Damaged is where the damaged file lies now, Saved where what was read of it lies, sealed like the file. Neither is ever
	// deleted.
	Damaged, Saved string
}

// Rescue makes a tablet's file anew that is damaged (code database_damaged), while nobody has it open. What can be read of
// the tablet's own changes is saved aside first, in a file beside it. The new file has the same identity, but a new
// replica number: what no server is known to have is sent under that, and everything else comes with the next sync.
// The damaged file is kept. A call that was interrupted may be repeated.
//
// Codes of errors: not_damaged, when the whole file can be read; identity_lost, when not even who the tablet is can be
// read: then nothing was moved, and what could be read lies beside the file; storage_full, database_busy; and those of
// the key, as for Open.
func Rescue(ctx context.Context, path string, o Options) (Rescued, error) {
	r, err := rescue(ctx, path, o)
	return r, known(err)
}

func rescue(ctx context.Context, path string, o Options) (Rescued, error) {
	if o.Entropy == nil {
		o.Entropy = rand.Reader
	}
	if _, err := os.Stat(path); err != nil {
		return Rescued{}, fmt.Errorf("looking at the file: %w", err)
	}
	unsealer, isNew, err := localdb.OpenDamaged(ctx, path, o.below())
	if err != nil {
		return Rescued{}, err
	}
	begun := path + ".rescue"
	salvage, err := savedSalvage(begun, unsealer)
	if err != nil {
		return Rescued{}, err
	}
	healthy, err := localdb.Healthy(ctx, path)
	if err == nil && healthy && salvage.Tablet != nil {
		// An earlier call was interrupted: before the damaged file was exchanged, whose damage may have been in its
		// write-ahead log, or after.
		healthy, err = exchanged(ctx, path, salvage, unsealer)
	}
	switch {
	case err != nil:
		return Rescued{}, err
	case healthy && salvage.Tablet == nil:
		return Rescued{}, &Error{CodeNotDamaged, nil}
	case !healthy:
		if err := salvage.Read(ctx, path, unsealer); err != nil {
			return Rescued{}, err
		}
		if isNew {
			if salvage.Tablet == nil && len(salvage.Changes) == 0 { // it may be sealed, and its key be found yet
				return Rescued{}, fail(CodeIdentityLost, "nothing was read")
			}
			if unsealer, err = localdb.MakeKey(path, o.below()); err != nil {
				return Rescued{}, err
			}
		}
		if err := save(begun, salvage, unsealer); err != nil {
			return Rescued{}, err
		}
	}
	if salvage.Tablet == nil {
		return Rescued{Saved: begun}, fail(CodeIdentityLost, "%d changes were read and lie in %s", len(salvage.Changes), begun)
	}
	out := Rescued{Lost: lost(salvage)}
	out.Damaged, out.Saved = asideNames(path)
	if !healthy {
		var nonce [8]byte
		if _, err := io.ReadFull(o.Entropy, nonce[:]); err != nil {
			return Rescued{}, fmt.Errorf("making a replica number: %w", err)
		}
		if out.Queued, err = localdb.Rebuild(ctx, path+".rescued", salvage, binary.BigEndian.Uint64(nonce[:]), unsealer); err != nil {
			return Rescued{}, err
		}
		if err := exchange(path, out.Damaged); err != nil {
			return Rescued{}, err
		}
	}
	if err := os.Rename(begun, out.Saved); err != nil {
		return Rescued{}, fmt.Errorf("keeping what was saved: %w", err)
	}
	return out, nil
}

// savedSalvage is what an earlier call that was interrupted had read.
func savedSalvage(name string, u *localdb.Unsealer) (*localdb.Salvage, error) {
	s := &localdb.Salvage{Bases: map[hlc.ID][]byte{}}
	sealed, err := os.ReadFile(filepath.Clean(name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s, nil
	case err != nil:
		return nil, fmt.Errorf("reading what was saved: %w", err)
	}
	encoded, err := u.Open(sealed)
	if err != nil {
		return nil, fmt.Errorf("reading what was saved in %s: %w", name, err)
	}
	if err := json.Unmarshal(encoded, s); err != nil {
		return nil, fmt.Errorf("reading what was saved in %s: %w", name, err)
	}
	return s, nil
}

// save keeps what was read, whole or not at all, and sealed: it has the tablet's key and all that was logged.
func save(name string, s *localdb.Salvage, u *localdb.Unsealer) error {
	encoded, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("saving what was read: %w", err)
	}
	sealed, err := u.Seal(encoded)
	if err != nil {
		return err
	}
	if err := localdb.WriteSynced(name+".new", sealed); err != nil {
		return fmt.Errorf("saving what was read: %w", err)
	}
	return os.Rename(name+".new", name)
}

// lost is how many changes of the outbox are missing.
func lost(s *localdb.Salvage) int {
	here := map[uint64]bool{}
	for _, c := range s.Changes {
		if c.Replica == s.Tablet.Replica {
			here[c.Sequence] = true
		}
	}
	missing := 0
	for n := s.Tablet.Acknowledged + 1; n <= s.Tablet.Sequence; n++ {
		if !here[n] {
			missing++
		}
	}
	return missing
}

// asideNames are names for what is kept that nothing has yet.
func asideNames(path string) (damaged, saved string) {
	for n := 1; ; n++ {
		damaged, saved = fmt.Sprintf("%s.damaged-%d", path, n), fmt.Sprintf("%s.damaged-%d.rescued", path, n)
		_, derr := os.Lstat(damaged)
		_, serr := os.Lstat(saved)
		if derr != nil && serr != nil {
			return damaged, saved
		}
	}
}

// exchange puts the new file in the place of the damaged one. The write-ahead log goes with the file that it belongs to,
// and first: beside the new file it would damage that. There is a file at path all the time, or a program that is
// started meanwhile would make an empty one.
func exchange(path, damaged string) error {
	for _, part := range []string{"-wal", "-shm"} {
		if err := os.Rename(path+part, damaged+part); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("putting the damaged file aside: %w", err)
		}
	}
	if err := os.Link(path, damaged); err != nil {
		// A file system without links, such as those of memory cards.
		if err := os.Rename(path, damaged); err != nil {
			return fmt.Errorf("putting the damaged file aside: %w", err)
		}
	}
	if err := os.Rename(path+".rescued", path); err != nil {
		return fmt.Errorf("putting the new file in its place: %w", err)
	}
	return nil
}

// exchanged reports whether the file is the one that was made of a salvage: it has another replica number.
func exchanged(ctx context.Context, path string, s *localdb.Salvage, u *localdb.Unsealer) (bool, error) {
	now, err := u.Inspect(ctx, path)
	if err != nil {
		return false, err
	}
	return now.Tablet.Replica != s.Tablet.Replica, nil
}
