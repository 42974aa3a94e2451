package record

import (
	"slices"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"pgregory.net/rapid"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

func TestWhatARegisterHolds(t *testing.T) {
	a, b := hlc.ID{1}, hlc.ID{2}
	field := func(of ...[]byte) (v []byte) {
		for _, content := range of {
			v = protowire.AppendBytes(protowire.AppendTag(v, 16, protowire.BytesType), content)
		}
		return v
	}
	one, two, short := Register{Value: field(a[:])}, Register{Value: field(a[:], b[:])}, Register{Value: field(a[:3])}
	if one.ID() != a || !slices.Equal(one.IDs(), []hlc.ID{a}) || !slices.Equal(two.IDs(), []hlc.ID{a, b}) {
		t.Errorf("ids %v, %v, %v", one.ID(), one.IDs(), two.IDs())
	}
	if two.ID() != (hlc.ID{}) || short.ID() != (hlc.ID{}) || short.IDs() != nil || (Register{}).ID() != (hlc.ID{}) {
		t.Error("an id where there is not one")
	}
	number := Register{Value: protowire.AppendVarint(protowire.AppendTag(nil, 4, protowire.VarintType), 20210923)}
	if number.Number() != 20210923 || one.Number() != 0 || (Register{}).Number() != 0 || number.ID() != (hlc.ID{}) {
		t.Error("numbers")
	}
	session := Registers{{Field: 16, Value: field(a[:])}}
	if session.Owner(recordv1.Kind_KIND_CASE_SESSION) != a || session.Owner(recordv1.Kind_KIND_CASE) != (hlc.ID{}) {
		t.Error("owners")
	}
}

func TestWhatARegisterHoldsIsReadWithoutPanic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Register{Value: rapid.SliceOf(rapid.Byte()).Draw(t, "value")}
		_, _, _ = r.ID(), r.IDs(), r.Number()
	})
}
