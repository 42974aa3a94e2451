package localdb

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/crypto/nacl/box"

	"levee/syncproto/hlc"
)

// Beside a file lie what a tablet shows before anybody has unlocked it, its emergency card, and the risk alerts that were
// taken meanwhile, sealed to a key that only the file's key opens.

// alertKeys are the pair to whose public half alerts are sealed.
type alertKeys struct{ private, public [32]byte }

// alertKeysOf are those of a data key. They follow from it, so that nothing else needs to be kept.
func alertKeysOf(key dataKey) (pair alertKeys, err error) {
	secret, err := hkdf.Key(sha256.New, key[:], nil, "levee alerts", len(pair.private))
	if err != nil {
		return pair, fmt.Errorf("preparing the key of alerts: %w", err)
	}
	private, err := ecdh.X25519().NewPrivateKey(secret)
	if err != nil {
		return pair, fmt.Errorf("preparing the key of alerts: %w", err)
	}
	copy(pair.private[:], secret)
	copy(pair.public[:], private.PublicKey().Bytes())
	return pair, nil
}

// AlertKey is what SealAlert takes.
func (db *DB) AlertKey() ([32]byte, error) {
	k := db.seal.keys.Load()
	if k == nil {
		return [32]byte{}, ErrKeyDestroyed
	}
	return k.alerts.public, nil
}

// SealAlert seals what only a tablet with the key to that public one can open.
func SealAlert(content []byte, to [32]byte) ([]byte, error) {
	sealed, err := box.SealAnonymous(nil, content, &to, rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("sealing an alert: %w", err)
	}
	return sealed, nil
}

// OpenAlert opens what SealAlert sealed to this file's key; ok is false for anything else.
func (db *DB) OpenAlert(sealed []byte) (content []byte, ok bool) {
	k := db.seal.keys.Load()
	if k == nil {
		return nil, false
	}
	return box.OpenAnonymous(nil, sealed, &k.alerts.public, &k.alerts.private)
}

func cardPath(path string) string { return path + ".emergency" }

// Card is the emergency card beside a file; nil when there is none.
func Card(path string) ([]byte, error) {
	content, err := os.ReadFile(filepath.Clean(cardPath(path)))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the emergency card: %w", err)
	}
	return content, nil
}

// WriteCard puts beside the file the card that is made of it as it stands, unless that is there already.
func (db *DB) WriteCard(ctx context.Context, card func(*Tx) ([]byte, error)) error {
	stands := func(tx *Tx) (next []byte, err error) {
		if next, err = card(tx); err != nil {
			return nil, err
		}
		if now, err := Card(db.path); err != nil || bytes.Equal(now, next) {
			return nil, err
		}
		return next, nil
	}
	var next []byte
	err := db.Read(ctx, func(tx *Tx) (err error) {
		next, err = stands(tx)
		return err
	})
	if err != nil || next == nil {
		return err
	}
	return db.Write(ctx, func(tx *Tx) error { // for its lock: of several programs none puts an older card in the place of a newer one
		if _, err := readKeyFile(db.path); err != nil { // another program has just destroyed it, and the card
			return err
		}
		next, err := stands(tx)
		if err != nil || next == nil {
			return err
		}
		return writeWhole(cardPath(db.path), next)
	})
}

// Endings of alerts that wait beside a file: of NAME, NAME.alert-ID, and NAME.alert-ID.unread-N of one that nobody could read.
const (
	alertInfix  = ".alert-"
	unreadInfix = ".unread-"
)

// WaitingAlert is an alert that was taken while nobody had the file's key.
type WaitingAlert struct {
	ID      hlc.ID
	Content []byte
	// Unread says that it could not be read when the file was opened, and was put aside.
	Unread bool
}

// WaitingAlerts are the alerts that wait beside a file, by their names.
func WaitingAlerts(path string) ([]WaitingAlert, error) {
	names, err := alertFiles(path)
	if err != nil {
		return nil, err
	}
	var waiting []WaitingAlert
	for _, name := range names {
		text, number, unread := strings.Cut(strings.TrimPrefix(name, filepath.Base(path)+alertInfix), unreadInfix)
		var id hlc.ID
		if b, err := hex.DecodeString(text); err != nil || copy(id[:], b) != len(id) || len(b) != len(id) {
			continue // a write that was cut short
		}
		if _, err := strconv.Atoi(number); unread && err != nil {
			continue
		}
		content, err := os.ReadFile(filepath.Clean(filepath.Join(filepath.Dir(path), name)))
		switch {
		case errors.Is(err, fs.ErrNotExist): // another program has logged it just now
			continue
		case err != nil:
			return nil, fmt.Errorf("reading an alert: %w", err)
		}
		waiting = append(waiting, WaitingAlert{id, content, unread})
	}
	return waiting, nil
}

// alertFiles are the names of all files of alerts beside a file.
func alertFiles(path string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("looking for alerts: %w", err)
	}
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), filepath.Base(path)+alertInfix) && e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

func alertPath(path string, id hlc.ID) string { return path + alertInfix + hex.EncodeToString(id[:]) }

// alertWrites is held while an alert is written: a double tap writes one twice.
var alertWrites sync.Mutex

// KeepAlert keeps an alert beside a file, on the disk before it returns, in the place of an earlier one of this id.
func KeepAlert(path string, id hlc.ID, content []byte) error {
	alertWrites.Lock()
	defer alertWrites.Unlock()
	return writeWhole(alertPath(path, id), content)
}

// RemoveAlert removes an alert that was logged, unless another was put in its place meanwhile.
func RemoveAlert(path string, logged WaitingAlert) error {
	alertWrites.Lock()
	defer alertWrites.Unlock()
	name := alertPath(path, logged.ID)
	if now, err := os.ReadFile(filepath.Clean(name)); err != nil || !bytes.Equal(now, logged.Content) {
		return err
	}
	if err := os.Remove(name); err != nil {
		return fmt.Errorf("removing an alert: %w", err)
	}
	return syncFolder(filepath.Dir(path))
}

// PutAlertAside keeps under another name an alert that can't be read, in the place of no other.
func PutAlertAside(path string, id hlc.ID) error {
	alertWrites.Lock()
	defer alertWrites.Unlock()
	name := alertPath(path, id)
	for n := 1; ; n++ {
		aside := name + unreadInfix + strconv.Itoa(n)
		if _, err := os.Lstat(aside); errors.Is(err, fs.ErrNotExist) {
			return replace(name, aside)
		}
	}
}

// forget removes what lies beside a file whose key is destroyed. Nobody could read the alerts any more.
func forget(path string) error {
	names, err := alertFiles(path)
	errs := []error{err}
	for _, name := range names {
		errs = append(errs, os.Remove(filepath.Join(filepath.Dir(path), name)))
	}
	if err := os.Remove(cardPath(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		errs = append(errs, err)
	}
	return errors.Join(append(errs, syncFolder(filepath.Dir(path)))...)
}

// writeWhole writes a file that only its owner may read, whole or not at all, and on the disk before it returns.
func writeWhole(name string, content []byte) error {
	if err := WriteSynced(name+".new", content); err != nil {
		return err
	}
	return replace(name+".new", name)
}
