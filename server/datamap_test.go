package server_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/migrations"
	"levee/syncproto/record"
)

// personalFields are those of other types than text that tell something of a person.
var personalFields = map[protoreflect.Name]bool{"birth_date": true, "sex": true, "age": true, "age_band": true, "token": true, "client_tokens": true, "linkage_key": true, "guardian": true, "emergency_contact": true, "sides": true}

// Every text of every kind, every field of a confidential one, and every table is in the data map: whoever adds one must
// say there who sees it and for how long.
func TestTheDataMapHasEveryFieldAndTable(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, dataMap, _ := strings.Cut(string(text), "### Data map")
	dataMap, _, ok := strings.Cut(dataMap, "### Erasure")
	if !ok {
		t.Fatal("the README has no data map")
	}
	lines := strings.FieldsFunc(dataMap, func(r rune) bool { return r == '\n' || r == ';' })
	has := func(kind, field string) bool {
		for _, line := range lines {
			of, fields, ok := strings.Cut(line, "`"+kind+"`:")
			if ok && !strings.Contains(of, "`:") && strings.Contains(fields, "`"+field+"`") {
				return true
			}
		}
		return false
	}
	for _, k := range record.Kinds() {
		m := record.New(k).ProtoReflect().Descriptor()
		for i := range m.Fields().Len() {
			f := m.Fields().Get(i)
			own := f.Number() > 15
			if own && (record.Confidential(k) || f.Kind() == protoreflect.StringKind || personalFields[f.Name()] || f.Name() == "phone") && !has(string(m.Name()), string(f.Name())) {
				t.Errorf("the data map has no %s of %s", f.Name(), m.Name())
			}
		}
	}
	for engine, schema := range map[string]migrations.Schema{"server": migrations.SQLite, "tablet": migrations.Client} {
		db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), engine))
		if err != nil {
			t.Fatal(err)
		}
		if err := migrations.Up(t.Context(), db, schema); err != nil {
			t.Fatal(err)
		}
		rows, err := db.Query(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'goose_db_version'`)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(dataMap, "`"+name+"`") {
				t.Errorf("the data map has no table %s of a %s", name, engine)
			}
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil { //nolint:sqlclosecheck // in a loop
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
