package record_test

import (
	"bytes"
	"slices"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"pgregory.net/rapid"

	"levee/syncproto/hlc"
	"levee/syncproto/oracle"
	"levee/syncproto/record"
)

func same(a, b record.Registers) bool {
	return slices.EqualFunc(a, b, func(x, y record.Register) bool {
		return x.Field == y.Field && bytes.Equal(x.Value, y.Value) && x.Stamp == y.Stamp && x.Parent == y.Parent
	})
}

func TestMergeCommutes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := oracle.Registers(t), oracle.Registers(t)
		if ab, ba := record.Merge(a, b), record.Merge(b, a); !same(ab, ba) {
			t.Fatalf("%v and %v", ab, ba)
		}
	})
}

func TestMergeAssociates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := oracle.Registers(t), oracle.Registers(t), oracle.Registers(t)
		if left, right := record.Merge(record.Merge(a, b), c), record.Merge(a, record.Merge(b, c)); !same(left, right) {
			t.Fatalf("%v and %v", left, right)
		}
	})
}

func TestMergeIsIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := oracle.Registers(t), oracle.Registers(t)
		if again := record.Merge(a, a); !same(again, a) {
			t.Fatalf("%v with itself gives %v", a, again)
		}
		ab := record.Merge(a, b)
		if again := record.Merge(ab, b); !same(again, ab) {
			t.Fatalf("%v comes twice and gives %v after %v", b, again, ab)
		}
	})
}

func TestMergeEqualsTheOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := oracle.Registers(t), oracle.Registers(t)
		if got, want := record.Merge(a, b), oracle.Merge(a, b); !same(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
	})
}

func TestMergeKeepsEveryFieldAndChangesNoArgument(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := oracle.Registers(t), oracle.Registers(t)
		wasA, wasB := record.EncodeState(a), record.EncodeState(b)
		merged := record.Merge(a, b)
		for _, r := range slices.Concat(a, b) {
			m := merged.Get(r.Field)
			if m.Field != r.Field || (!bytes.Equal(m.Value, a.Get(r.Field).Value) && !bytes.Equal(m.Value, b.Get(r.Field).Value)) {
				t.Fatalf("field %d is lost or made up: %v", r.Field, merged)
			}
		}
		for i := range merged { // nothing that is done to the result may reach what it came from
			merged[i].Stamp = hlc.Stamp{Time: 99}
			_ = append(merged[i].Value, "!!!"...)
		}
		if !bytes.Equal(record.EncodeState(a), wasA) || !bytes.Equal(record.EncodeState(b), wasB) {
			t.Fatal("Merge changed an argument")
		}
	})
}

// Any order, any number of deliveries, any path gives the same bytes on every replica.
func TestAllPathsLeadToTheSameRecords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := oracle.NewWorld(t)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			w.Step(t)
		}
		states := map[hlc.ID][]record.Registers{}
		for _, c := range w.Changes {
			states[c.Record] = append(states[c.Record], c.Registers())
		}
		for _, c := range w.Changes {
			all := states[c.Record]
			if len(all) < 2 || c.Makes() {
				continue
			}
			want := record.EncodeState(oracle.Merge(all...))
			// Two replicas hear of some each, some of them twice, and tell each other by states.
			var a, b record.Registers
			for _, rs := range rapid.Permutation(slices.Concat(all, all)).Draw(t, "deliveries") {
				if rapid.Bool().Draw(t, "to") {
					a = record.Merge(a, rs)
				} else {
					b = record.Merge(rs, b)
				}
			}
			if got := record.EncodeState(record.Merge(a, b)); !bytes.Equal(got, want) {
				t.Fatalf("a record of %v became %x, want %x", c.Kind, got, want)
			}
		}
	})
}

func text(field protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(nil, field, protowire.BytesType), s)
}

func flag(field protowire.Number, b bool) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, field, protowire.VarintType), protowire.EncodeBool(b))
}

func TestTheHigherStampWins(t *testing.T) {
	at := func(time hlc.Time, replica hlc.Replica, value []byte) record.Registers {
		return record.Registers{{Field: 16, Value: value, Stamp: hlc.Stamp{Time: time, Replica: replica}}}
	}
	early, late := text(16, "早"), text(16, "晚")
	for _, c := range []struct {
		what string
		a, b record.Registers
		want []byte
	}{
		{"later time", at(1, 9, early), at(2, 1, late), late},
		{"same time, higher replica", at(1, 2, early), at(1, 1, late), early},
		{"one stamp, greater value", at(1, 1, early), at(1, 1, late), max2(early, late)},
		{"emptied later", at(1, 1, early), at(2, 1, nil), nil},
		{"emptied earlier", at(2, 1, early), at(1, 1, nil), early},
		{"emptied with one stamp: something is greater than nothing", at(1, 1, early), at(1, 1, nil), early},
	} {
		for _, got := range []record.Registers{record.Merge(c.a, c.b), record.Merge(c.b, c.a)} {
			if len(got) != 1 || !bytes.Equal(got[0].Value, c.want) {
				t.Errorf("%s: %v", c.what, got)
			}
		}
	}
}

func max2(a, b []byte) []byte {
	if bytes.Compare(a, b) > 0 {
		return a
	}
	return b
}

func TestADeletedRecordKeepsWhatItHeldAndComesBack(t *testing.T) {
	made := record.Registers{{Field: 16, Value: text(16, "中秋晚会"), Stamp: hlc.Stamp{Time: 1, Replica: 1}}}
	deleted := record.Merge(made, record.Registers{{Field: record.DeletedField, Value: flag(record.DeletedField, true), Stamp: hlc.Stamp{Time: 2, Replica: 2}}})
	if !deleted.Deleted() || !bytes.Equal(deleted.Get(16).Value, made[0].Value) {
		t.Errorf("deleted: %v", deleted)
	}
	restored := record.Merge(deleted, record.Registers{{Field: record.DeletedField, Value: flag(record.DeletedField, false), Stamp: hlc.Stamp{Time: 3, Replica: 1}}})
	if restored.Deleted() || !bytes.Equal(restored.Get(16).Value, made[0].Value) {
		t.Errorf("restored: %v", restored)
	}
}
