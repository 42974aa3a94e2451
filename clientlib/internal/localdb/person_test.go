package localdb

import (
	"bytes"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// logOne logs a record as the tablet does.
func logOne(t *testing.T, db *DB, id hlc.ID, m record.Common) {
	t.Helper()
	err := db.Write(t.Context(), func(tx *Tx) error {
		tablet, err := tx.Tablet()
		if err != nil {
			return err
		}
		fields, err := proto.Marshal(m)
		if err != nil {
			return err
		}
		c, err := record.Edit(id, id, record.KindOf(m), hlc.Stamp{Time: tablet.Time + 1, Replica: tablet.Replica}, nil, fields, nil)
		if err != nil {
			return err
		}
		return tx.Append(tablet, c)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A file from before people were found by their tokens finds them once it is opened, each by its own. Without the key nobody
// finds anybody.
func TestPeopleAreFound(t *testing.T) {
	db := newDB(t)
	anna, ben, festival := bytes.Repeat([]byte{7}, 16), bytes.Repeat([]byte{8}, 16), hlc.ID{14}
	logOne(t, db, hlc.ID{1, 1}, &recordv1.Participant{Token: anna})
	logOne(t, db, hlc.ID{1, 2}, &recordv1.Participant{Token: anna})
	logOne(t, db, hlc.ID{1, 3}, &recordv1.Participant{Token: ben})
	logOne(t, db, hlc.ID{1, 4}, &recordv1.Participant{Village: proto.String("王庄")}) // a draft
	logOne(t, db, hlc.ID{1, 5}, &recordv1.Attendance{Activity: festival[:], Token: anna})
	logOne(t, db, hlc.ID{1, 6}, &recordv1.Attendance{Activity: bytes.Repeat([]byte{15}, 16), Token: anna})
	logOne(t, db, hlc.ID{1, 7}, &recordv1.Outreach{Needs: proto.String("药")})
	find := func(when string, db *DB) {
		t.Helper()
		err := db.Read(t.Context(), func(tx *Tx) error {
			for _, c := range []struct {
				token []byte
				want  hlc.ID
			}{{anna, hlc.ID{1, 1}}, {ben, hlc.ID{1, 3}}, {bytes.Repeat([]byte{9}, 16), hlc.ID{}}, {make([]byte, 16), hlc.ID{}}} {
				if r, ok, err := tx.Participant(c.token); err != nil || r.ID != c.want || ok != (c.want != hlc.ID{}) {
					t.Errorf("%s: participant %x is %v, %v; %v", when, c.token, r.ID, ok, err)
				}
			}
			if r, ok, err := tx.Attendance(festival, anna); err != nil || !ok || r.ID != (hlc.ID{1, 5}) {
				t.Errorf("%s: attendance %v, %v; %v", when, r.ID, ok, err)
			}
			if r, ok, err := tx.Attendance(festival, ben); err != nil || ok {
				t.Errorf("%s: ben attends by %v; %v", when, r.ID, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	find("as they are logged", db)
	var different, all int
	if err := db.write.QueryRowContext(t.Context(), `SELECT count(DISTINCT person), count(person) FROM records WHERE kind = 17`).Scan(&different, &all); err != nil || different != 2 || all != 2 {
		t.Errorf("%d of %d attendances of one person have different names; %v", different, all, err)
	}
	if found := holds(t, db.path, string(anna), string(ben)); len(found) > 0 {
		t.Errorf("tokens lie in the open: %v", found)
	}

	if _, err := db.write.ExecContext(t.Context(), `UPDATE records SET person = NULL`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(t.Context(), db.path, Options{Key: testKey})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = again.Close() }()
	find("in an older file", again)
	for query, index := range map[string]string{withoutPerson: "records_without_person", selectRecords + strings.ReplaceAll(recordsByPerson, "$1", "x'07'"): "records_by_person"} {
		var plan string
		err := again.Read(t.Context(), func(tx *Tx) (err error) {
			plan, err = tx.plan(query)
			return err
		})
		if err != nil || !strings.Contains(plan, index) {
			t.Errorf("%s goes by\n%s%v", query, plan, err)
		}
	}
}
