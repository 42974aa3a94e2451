package audit_test

import (
	"encoding/hex"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"levee/server/internal/audit"
	"levee/server/internal/servertest"
	"levee/server/internal/store"
	"levee/syncproto/hlc"
)

func id(b byte) hlc.ID { return hlc.ID{15: b} }

func open(t *testing.T) (at string, db *store.DB, log *audit.Log) {
	t.Helper()
	at = servertest.NewStore(t, filepath.Join(t.TempDir(), "server.db"))
	db, err := servertest.OpenStore(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return at, db, audit.New(db, func() time.Time { return time.UnixMilli(1_700_000_000_123) })
}

func write(t *testing.T, log *audit.Log, deployment hlc.ID, actions ...audit.Action) {
	t.Helper()
	for _, a := range actions {
		e := audit.Entry{Deployment: deployment, Actor: audit.Actor{Account: id(1), Worker: id(2), Device: id(3), Session: id(4), Token: id(5)}, Action: a, Subject: audit.Subject{Kind: audit.OfRecord, ID: id(6)}}
		if a == audit.Exported {
			e.File = audit.File{Format: "xlsx", Position: 7}
		}
		if err := log.Write(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
}

func verify(t *testing.T, db *store.DB) (faults []audit.Fault) {
	t.Helper()
	if err := db.ReadAudit(t.Context(), func(tx audit.Reading) (err error) {
		faults, err = audit.Verify(tx)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return faults
}

func TestPages(t *testing.T) {
	_, db, log := open(t)
	write(t, log, id(9), audit.CodeMade, audit.DeviceRevoked, audit.DeviceRenamed)
	write(t, log, hlc.ID{}, audit.SignedIn)
	page, next, err := log.Page(t.Context(), id(9), 0, 2)
	if err != nil || len(page) != 2 || next != 2 || page[0].Action != audit.DeviceRenamed || page[0].Number != 3 || page[1].Action != audit.DeviceRevoked {
		t.Fatal(page, next, err)
	}
	if e := page[0]; e.Actor != (audit.Actor{Account: id(1), Worker: id(2), Device: id(3), Session: id(4), Token: id(5)}) || e.Subject != (audit.Subject{Kind: audit.OfRecord, ID: id(6)}) ||
		e.At.UnixMilli() != 1_700_000_000_123 || e.Deployment != id(9) {
		t.Errorf("%+v", e)
	}
	if page, next, err = log.Page(t.Context(), id(9), next, 2); err != nil || len(page) != 1 || next != 0 || page[0].Number != 1 {
		t.Fatal(page, next, err)
	}
	if page, _, err = log.Page(t.Context(), hlc.ID{}, 0, 10); err != nil || len(page) != 1 || page[0].Number != 1 {
		t.Fatal("the server's own part", page, err)
	}
	if faults := verify(t, db); len(faults) != 0 {
		t.Error(faults)
	}
	if err := log.Write(t.Context(), audit.Entry{}); err == nil {
		t.Error("an entry that says nothing was taken")
	}
	write(t, log, id(9), audit.Exported)
	if page, _, err = log.Page(t.Context(), id(9), 0, 1); err != nil || len(page) != 1 || page[0].File != (audit.File{Format: "xlsx", Position: 7}) {
		t.Errorf("an export: %+v, %v", page, err)
	}
}

// TestTheChainStays: an entry of a log that older versions wrote has the chain that they gave it.
func TestTheChainStays(t *testing.T) {
	_, _, log := open(t)
	write(t, log, id(9), audit.CodeMade)
	page, _, err := log.Page(t.Context(), id(9), 0, 1)
	if err != nil || hex.EncodeToString(page[0].Chain[:]) != "ec5d9128610ea4ba4980201e303ec952a367b802e4cff3bbf0fb953810678513" {
		t.Errorf("%x, %v", page[0].Chain, err)
	}
}

// bytes are some as SQL has them, given in hexadecimal digits.
func bytes(digits string) string {
	if servertest.OnPostgres {
		return `'\x` + digits + `'::bytea`
	}
	return "x'" + digits + "'"
}

// TestAppendOnly: the database itself refuses, and who takes that away is found out.
func TestAppendOnly(t *testing.T) {
	at, db, log := open(t)
	write(t, log, id(9), audit.CodeMade, audit.Exported, audit.DeviceRenamed, audit.CodeMade)
	write(t, log, id(10), audit.CodeMade)
	raw := servertest.RawStore(t, at)
	for _, statement := range []string{`UPDATE audit SET action = 'x'`, `DELETE FROM audit WHERE number = 2`} {
		if _, err := raw.Exec(statement); err == nil || !strings.Contains(err.Error(), "never changed") {
			t.Errorf("%s: %v", statement, err)
		}
	}
	of := ""
	if servertest.OnPostgres {
		of = " ON audit"
	}
	for _, trigger := range []string{"audit_never_changes", "audit_never_shrinks"} {
		if _, err := raw.Exec(`DROP TRIGGER ` + trigger + of); err != nil {
			t.Fatal(err)
		}
	}
	for _, column := range []string{"at", "account", "worker", "device", "session", "token", "action", "subject_kind", "subject", "chain", "format", "position"} {
		value := map[string]string{"at": "1", "action": "'x'", "subject_kind": "'x'", "format": "'csv'", "position": "8"}[column]
		if value == "" {
			value = bytes("000102030405060708090a0b0c0d0e0f")
		}
		if column == "chain" {
			value = bytes(strings.Repeat("00", 32))
		}
		tx, err := raw.Begin()
		if err != nil {
			t.Fatal(err)
		}
		var was any
		if err := tx.QueryRow(`SELECT ` + column + ` FROM audit WHERE number = 2`).Scan(&was); err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(`UPDATE audit SET ` + column + ` = ` + value + ` WHERE number = 2`); err != nil {
			t.Fatal(err)
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		if faults := verify(t, db); len(faults) == 0 || faults[0].Number != 2 && faults[0].Number != 3 {
			t.Errorf("%s: %v", column, faults)
		}
		if _, err := raw.Exec(`UPDATE audit SET `+column+` = $1 WHERE number = 2`, was); err != nil {
			t.Fatal(err)
		}
	}
	if faults := verify(t, db); len(faults) != 0 {
		t.Fatal("put back as it was", faults)
	}
	if _, err := raw.Exec(`DELETE FROM audit WHERE number = 2`); err != nil {
		t.Fatal(err)
	}
	if faults := verify(t, db); len(faults) != 1 && len(faults) != 2 || faults[0].Number != 3 {
		t.Error("an entry taken out", faults)
	}
}
