package localdb

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// secret stands in everything that is logged here.
const secret = "赵小妹的秘密"

// logSecrets logs records that a server takes, proves and loses again, and some that stay unsent.
func logSecrets(t *testing.T, db *DB, n int) {
	t.Helper()
	entropy := rand.NewChaCha8([32]byte{7})
	for i := range n {
		err := db.Write(t.Context(), func(tx *Tx) error {
			tablet, err := tx.Tablet()
			if err != nil {
				return err
			}
			stamp := hlc.Stamp{Time: tablet.Clock(func() time.Time { return start }).Now(), Replica: tablet.Replica}
			id, err := hlc.NewID(stamp.Time, entropy)
			if err != nil {
				return err
			}
			fields, err := proto.Marshal(&recordv1.Outreach{Needs: proto.String(secret + strings.Repeat("水", i%40))})
			if err != nil {
				return err
			}
			c, err := record.Edit(id, id, recordv1.Kind_KIND_OUTREACH, stamp, nil, fields, nil)
			if err != nil {
				return err
			}
			if err := tx.Append(tablet, c); err != nil || i%2 == 0 {
				return err
			}
			state := record.EncodeState(c.Registers())
			_, err = tx.Pull(tablet, []Pulled{{id, recordv1.Kind_KIND_OUTREACH, uint64(i + 1), state, proofOf(state)}}, true)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	err := db.Write(t.Context(), func(tx *Tx) error {
		tablet, err := tx.Tablet()
		if err != nil {
			return err
		}
		if err := tx.BeginEnrolment("levee1."+secret, tablet.Key, 9); err != nil {
			return err
		}
		return tx.LoseHistory(tablet, Mark{Position: 2, Chain: []byte("chain")})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// contents are what a file holds, opened.
func contents(t *testing.T, path string, key Key) string {
	t.Helper()
	u, err := Unseal(path, Options{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	c, err := u.Inspect(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// holds says which of the files that begin with a path hold any of some texts.
func holds(t *testing.T, path string, texts ...string) (found []string) {
	t.Helper()
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range texts {
			if bytes.Contains(content, []byte(text)) {
				found = append(found, filepath.Base(name)+": "+text)
			}
		}
	}
	return found
}

// difference is where two texts part.
func difference(got, want string) string {
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	from := max(0, at-100)
	return fmt.Sprintf("it holds\n…%.300s, and held\n…%.300s", got[from:], want[from:])
}

// asOlder makes a file what the program before there was sealing would have left.
func asOlder(t *testing.T, db *DB) string {
	t.Helper()
	err := db.Write(t.Context(), func(tx *Tx) error {
		for _, v := range []struct {
			column       column
			read, change string
		}{
			{recordBase, `SELECT id, base FROM records WHERE base IS NOT NULL`, `UPDATE records SET base = $1 WHERE id = $2`},
			{recordView, `SELECT id, view FROM records`, `UPDATE records SET view = $1 WHERE id = $2`},
			{recordSent, `SELECT id, sent FROM records WHERE sent IS NOT NULL`, `UPDATE records SET sent = $1 WHERE id = $2`},
			{returnState, `SELECT CAST(record || proof AS BLOB), state FROM returns`, `UPDATE returns SET state = $1 WHERE hex(record) || hex(proof) = hex($2)`},
			{changeBody, `SELECT id, body FROM changes`, `UPDATE changes SET body = $1 WHERE id = $2`},
			{tabletKey, `SELECT x'', private_key FROM tablet`, `UPDATE tablet SET private_key = $1 WHERE $2 = x''`},
			{enrolmentKey, `SELECT CAST(code AS BLOB), private_key FROM enrolments`, `UPDATE enrolments SET private_key = $1, code = 'levee1.` + secret + `' WHERE code = CAST($2 AS TEXT)`},
		} {
			values := map[string][]byte{}
			err := tx.each(func(r row) error {
				var key, sealed []byte
				if err := r.Scan(&key, &sealed); err != nil {
					return err
				}
				var err error
				values[string(key)], err = tx.seal.open(v.column, key, sealed)
				return err
			}, v.read)
			if err != nil {
				return fmt.Errorf("%s: %w", v.column, err)
			}
			if len(values) == 0 {
				return fmt.Errorf("there is nothing in %s: the test proves nothing", v.column)
			}
			for key, value := range values {
				if err := tx.exec(v.change, value, []byte(key)); err != nil {
					return fmt.Errorf("%s: %w", v.column, err)
				}
			}
		}
		var errs []error
		for _, later := range []string{ // all that came after sealing, the newest first
			`DROP INDEX changes_late`, `ALTER TABLE changes DROP COLUMN late`,
			`DROP INDEX records_without_person`, `DROP INDEX records_by_person`, `ALTER TABLE records DROP COLUMN person`,
			`DROP INDEX records_by_day`, `DROP INDEX records_deleted`, `DROP INDEX records_changed`, `DROP INDEX records_waiting`,
			`ALTER TABLE records DROP COLUMN changed`, `ALTER TABLE records DROP COLUMN waits`,
			`DROP TABLE logged_forms`, `DROP TABLE forms`, `DROP TABLE erased_changes`, `DROP TABLE erased_records`,
			`ALTER TABLE tablet DROP COLUMN revoked`, `ALTER TABLE tablet DROP COLUMN pin`,
			`DROP TABLE sealing`, `DELETE FROM goose_db_version WHERE version_id >= 3`,
		} {
			errs = append(errs, tx.exec(later))
		}
		return errors.Join(errs...)
	})
	if err == nil {
		err = errors.Join(db.Close(), os.Remove(keyPath(db.path)))
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(holds(t, db.path, secret)) == 0 {
		t.Fatal("nothing can be read in the older file: the test proves nothing")
	}
	return db.path
}

// sentSomewhere gives a record a state that the server proved and that its base is more than.
func sentSomewhere(t *testing.T, db *DB) {
	t.Helper()
	err := db.Write(t.Context(), func(tx *Tx) error {
		all, err := tx.All()
		if err != nil {
			return err
		}
		for _, one := range all {
			r, err := tx.load(one.ID, 0)
			if err != nil {
				return err
			}
			if len(r.proof) > 0 {
				r.sent = r.base
				return tx.store(r)
			}
		}
		return errors.New("no record is proved")
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What an older program left is sealed when it is opened, and nothing of it can be read or is lost afterwards.
func TestOlderFileIsSealed(t *testing.T) {
	db := newDB(t)
	logSecrets(t, db, 120)
	sentSomewhere(t, db)
	before := contents(t, db.path, testKey)
	path := asOlder(t, db)

	if _, err := Open(t.Context(), path, Options{}); !errors.Is(err, ErrKeyNeeded) || len(holds(t, path, secret)) == 0 {
		t.Fatalf("without a key: %v", err)
	}
	again, err := Open(t.Context(), path, Options{Key: testKey})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = again.Close() }()
	if found := holds(t, path, secret); len(found) > 0 {
		t.Errorf("still to be read: %v", found)
	}
	if after := contents(t, path, testKey); after != before {
		t.Error(difference(after, before))
	}
	err = again.Read(t.Context(), func(tx *Tx) error {
		tablet, err := tx.Tablet()
		if err != nil {
			return err
		}
		key, nonce, ok, err := tx.Enrolment("levee1." + secret)
		if err != nil || !ok || nonce != 9 || !key.Equal(tablet.Key) {
			t.Errorf("the enrolment that was begun: %v, %d; %v", ok, nonce, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The power fails while an older file is being sealed: at whatever place, what it holds is there.
func TestPowerFailsWhileAnOlderFileIsSealed(t *testing.T) {
	db := newDB(t)
	logSecrets(t, db, 60)
	sentSomewhere(t, db)
	want := contents(t, db.path, testKey)
	path := asOlder(t, db)
	older, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// A program that reads keeps the log from being taken over into the file, so that it can be cut.
	reader, err := sql.Open("sqlite", dsn(path, "_pragma=query_only(1)"))
	if err != nil {
		t.Fatal(err)
	}
	reader.SetMaxOpenConns(1)
	tx, err := reader.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := tx.QueryRowContext(t.Context(), `SELECT count(*) FROM changes`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	again, err := Open(t.Context(), path, Options{Key: testKey})
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(path + "-wal")
	if err != nil || len(log) < 20*pageSize {
		t.Fatalf("the log has %d bytes: %v", len(log), err)
	}
	if err := errors.Join(tx.Rollback(), reader.Close(), again.Close()); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	cuts := []int{0, len(log)}
	for range 12 {
		cuts = append(cuts, rng.IntN(len(log)))
	}
	for _, cut := range cuts {
		copied := filepath.Join(t.TempDir(), "tablet.db")
		key, err := os.ReadFile(keyPath(path))
		if err != nil {
			t.Fatal(err)
		}
		for name, content := range map[string][]byte{copied: older, copied + "-wal": log[:cut], keyPath(copied): key} {
			if err := os.WriteFile(name, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		db, err := Open(t.Context(), copied, Options{Key: testKey})
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if found := holds(t, copied, secret); len(found) > 0 {
			t.Errorf("cut at %d: %v", cut, found)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if got := contents(t, copied, testKey); got != want {
			t.Errorf("cut at %d: %s", cut, difference(got, want))
		}
	}
}

// A value that is put in another's place, or changed, is no value.
func TestSealedValuesStayInTheirPlace(t *testing.T) {
	for name, change := range map[string]string{
		"view as base":         `UPDATE records SET base = view`,
		"another record's":     `UPDATE records SET view = (SELECT view FROM records r WHERE r.id <> records.id LIMIT 1)`,
		"a bit":                `UPDATE records SET view = substr(view, 1, 30) || x'00' || substr(view, 32)`,
		"not sealed":           `UPDATE records SET view = x'0102'`,
		"another change":       `UPDATE changes SET body = (SELECT body FROM changes c WHERE c.id <> changes.id LIMIT 1)`,
		"a change as a tablet": `UPDATE tablet SET private_key = (SELECT body FROM changes LIMIT 1)`,
		"another form's":       `UPDATE forms SET body = (SELECT body FROM forms f WHERE f.id <> forms.id LIMIT 1)`,
		"a form as logged":     `INSERT INTO logged_forms (id, made) SELECT id, body FROM forms`,
	} {
		db := newDB(t)
		logSecrets(t, db, 6)
		err := db.Write(t.Context(), func(tx *Tx) error {
			return errors.Join(tx.SaveForm(Form{ID: hlc.ID{1}}), tx.SaveForm(Form{ID: hlc.ID{2}}), tx.exec(change))
		})
		if err != nil {
			t.Fatal(err)
		}
		err = db.Read(t.Context(), func(tx *Tx) error {
			all, err := tx.All()
			for _, r := range all {
				if _, lerr := tx.load(r.ID, 0); lerr != nil {
					err = lerr
				}
			}
			_, cerr := tx.allChanges(`1`)
			_, terr := tx.Tablet()
			_, ferr := tx.Forms()
			_, lerr := tx.LoggedForms()
			return errors.Join(err, cerr, terr, ferr, lerr)
		})
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A key destroyed is gone for whoever has the file open, and for whoever opens it.
func TestDestroy(t *testing.T) {
	db := newDB(t)
	logSecrets(t, db, 4)
	if err := db.SetLabel(t.Context(), Label{"李娜", "演练"}); err != nil {
		t.Fatal(err)
	}
	was, err := os.ReadFile(keyPath(db.path))
	if err != nil {
		t.Fatal(err)
	}
	// Its place on the disk, also when the name stands for another file.
	place := filepath.Join(t.TempDir(), "place")
	if err := os.Link(keyPath(db.path), place); err != nil {
		t.Skip("the file system has no links")
	}
	for range 2 {
		if err := db.Destroy(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if left, err := os.ReadFile(place); err != nil || len(bytes.Trim(left, "\x00")) > 0 {
		t.Errorf("the key was replaced and not overwritten: %v", err)
	}
	if err := db.Read(t.Context(), func(*Tx) error { return nil }); !errors.Is(err, ErrKeyDestroyed) {
		t.Errorf("reading: %v", err)
	}
	if err := db.ChangeKey(t.Context(), testKey, PIN("735194")); !errors.Is(err, ErrKeyDestroyed) {
		t.Errorf("changing the key: %v", err)
	}
	for _, key := range []Key{testKey, PIN("735194"), {}} {
		if _, err := Open(t.Context(), db.path, Options{Key: key}); !errors.Is(err, ErrKeyDestroyed) {
			t.Errorf("opening: %v", err)
		}
	}
	k, err := parseKeyFile(was)
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Dir(db.path) + "/*")
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if encoded, _ := json.Marshal(k.Wrapped); bytes.Contains(content, encoded) || bytes.Contains(content, k.Wrapped) {
			t.Errorf("the wrapped key is still in %s", name)
		}
	}
	// Cut short behind the overwriting, it says so as well.
	next, err := os.ReadFile(keyPath(db.path))
	if err == nil {
		err = errors.Join(os.WriteFile(keyPath(db.path)+".new", next, 0o600), os.WriteFile(keyPath(db.path), make([]byte, len(was)), 0o600))
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), db.path, Options{Key: testKey}); !errors.Is(err, ErrKeyDestroyed) {
		t.Errorf("opening after a destruction that was cut short: %v", err)
	}
}

// A program that is trying a PIN notes the outcome in the key's file. It does not bring back a key that is destroyed meanwhile.
func TestDestroyedKeysStayDestroyed(t *testing.T) {
	db := newDB(t)
	other, err := Open(t.Context(), db.path, Options{Key: testKey})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	destroyed := make(chan error, 1)
	err = other.Write(t.Context(), func(*Tx) error {
		k, err := readKeyFile(db.path)
		if err != nil {
			return err
		}
		go func() { destroyed <- db.Destroy(context.Background()) }()
		for range 5000 { // it has time enough, were it not to wait
			if _, err := readKeyFile(db.path); errors.Is(err, ErrKeyDestroyed) {
				t.Log("the key was destroyed while it was in use")
				break
			}
			runtime.Gosched()
		}
		return k.write(db.path)
	})
	if err := errors.Join(err, <-destroyed); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), db.path, Options{Key: testKey}); !errors.Is(err, ErrKeyDestroyed) {
		t.Errorf("opening: %v", err)
	}
}

// The key of a damaged file is destroyed too.
func TestDestroyOfADamagedFile(t *testing.T) {
	db := newDB(t)
	if err := db.Read(t.Context(), func(*Tx) error { return nil }); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"", "-wal"} {
		if err := os.WriteFile(db.path+part, []byte(strings.Repeat("not a database ", 1000)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Destroy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := readKeyFile(db.path); !errors.Is(err, ErrKeyDestroyed) {
		t.Errorf("its key: %v", err)
	}
}
