package clientlib

import (
	"context"
	"errors"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/clientlib/internal/localdb"
	"levee/syncproto/record"
)

// Key opens a tablet's file. The zero value opens nothing.
type Key = localdb.Key

// PIN is a key that a person types: digits, at least 6 and not all alike or in a row, or a passphrase of at least 8
// characters. How its characters were composed does not matter.
func PIN(text string) Key { return localdb.PIN(text) }

// HostKey is a key that the machine keeps where no other program gets it, such as Android's Keystore: 32 random bytes.
func HostKey(key [32]byte) Key { return localdb.HostKey(key) }

// KeyWait is how long to wait before the next try after an error key_wrong or key_wait; 0 when it may be made at once.
func KeyWait(err error) time.Duration {
	var wrong *localdb.WrongKeyError
	if errors.As(err, &wrong) {
		return wrong.Wait
	}
	return 0
}

// ChangeKey puts a new key in the place of the old one, at once or not at all. What is in the file stays as it is. Codes of
// errors: key_wrong, key_wait, key_weak, key_missing, key_damaged, key_destroyed.
func (s *Store) ChangeKey(ctx context.Context, old, next Key) error {
	ctx, leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	return known(s.db.ChangeKey(ctx, old, next))
}

// Verify says whether a key is the file's: nil when it is. A wrong PIN counts, and has to wait, as when the file is opened.
// Codes of errors: key_wrong, key_wait, key_needed, key_missing, key_damaged, key_destroyed.
func (s *Store) Verify(ctx context.Context, key Key) error {
	ctx, leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	return known(s.db.Verify(ctx, key))
}

// below are the options of the file.
func (o Options) below() localdb.Options {
	return localdb.Options{Key: o.Key, MaxBytes: o.MaxBytes, Wall: o.Wall, Entropy: o.Entropy}
}

// relabel keeps beside the file whose it is, once that is known. What can't be read for it now is met, and told, when it is
// needed.
func (s *Store) relabel(ctx context.Context) error {
	label, err := s.db.Label()
	if err != nil || label != (localdb.Label{}) {
		return err
	}
	err = s.db.Read(ctx, func(tx *localdb.Tx) error {
		t, err := tx.Tablet()
		if err != nil {
			return err
		}
		worker, _, err := tx.Record(t.Worker)
		if err != nil {
			return err
		}
		deployment, _, err := tx.Record(t.Deployment)
		label = localdb.Label{Worker: nameIn(worker), Deployment: nameIn(deployment)}
		return err
	})
	if err != nil || label == (localdb.Label{}) {
		return nil //nolint:nilerr // as above
	}
	return s.db.SetLabel(ctx, label)
}

// nameIn is the name that a worker or deployment has.
func nameIn(r localdb.Record) string {
	m := record.New(r.Kind)
	named, ok := m.(interface{ GetName() string })
	if !ok || proto.Unmarshal(r.View.Fields(), m) != nil {
		return ""
	}
	return named.GetName()
}
