package importing_test

import (
	"bytes"
	"encoding/csv"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"pgregory.net/rapid"

	"levee/server/internal/export"
	"levee/server/internal/importing"
	"levee/server/internal/servertest"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// world makes up records of one deployment.
type world struct {
	*one
	// made are the records by kind, this far.
	made map[record.Kind][]hlc.ID
}

// record is a valid record of a kind, which may lack anything but what it belongs to.
func (w *world) record(t *rapid.T, k record.Kind) record.Common {
	m := record.New(k)
	for _, f := range words.Fields(m.ProtoReflect().Descriptor()) {
		w.fill(t, m.ProtoReflect(), f, f.Number() == record.OwnerField(k) && k != recordv1.Kind_KIND_RESOURCE_LINK)
	}
	rules := w.service.SetUp().Rules
	rules.Now = w.Wall()
	for {
		encoded, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		fields, err := record.Canonical(k, encoded)
		if err != nil {
			t.Fatal(err)
		}
		wrong := record.Validate(k, fields, rules)
		if len(wrong) == 0 {
			return m
		}
		m.ProtoReflect().Clear(m.ProtoReflect().Descriptor().Fields().ByNumber(wrong[0].Field))
	}
}

func (w *world) fill(t *rapid.T, m protoreflect.Message, f protoreflect.FieldDescriptor, always bool) {
	if !always && rapid.Bool().Draw(t, "empty") {
		return
	}
	if !f.IsList() {
		if v := w.value(t, f, m.NewField(f)); v.IsValid() {
			m.Set(f, v)
		}
		return
	}
	list := m.NewField(f).List()
	for range rapid.IntRange(1, 3).Draw(t, "items") {
		list.Append(w.value(t, f, list.NewElement()))
	}
	m.Set(f, protoreflect.ValueOfList(list))
}

// texts are those in which much stands that means something in a cell; the first character is seen, so that none is empty.
var texts = rapid.Custom(func(t *rapid.T) string {
	return rapid.SampledFrom([]string{"=", "+", "-", "@", "'", "王", "\"", "#"}).Draw(t, "first") + rapid.StringOf(rapid.SampledFrom([]rune("=+-@\t\n'\";；,，＝\\ s　是王"))).Draw(t, "rest")
})

func (w *world) value(t *rapid.T, f protoreflect.FieldDescriptor, empty protoreflect.Value) protoreflect.Value {
	name := string(f.Name())
	switch words.FormOf(f) {
	case words.Number:
		if f.Kind() == protoreflect.Uint32Kind {
			return protoreflect.ValueOfUint32(rapid.Uint32Range(0, 30).Draw(t, name))
		}
		return protoreflect.ValueOfInt32(2023)
	case words.Date:
		return protoreflect.ValueOfInt32(int32(record.Date(20210923).AddDays(rapid.IntRange(0, 8).Draw(t, name))))
	case words.Instant:
		return protoreflect.ValueOfInt64(w.Wall().UnixMilli())
	case words.YesOrNo:
		return protoreflect.ValueOfBool(rapid.Bool().Draw(t, name))
	case words.Choice:
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(rapid.Int32Range(0, 4).Draw(t, name)))
	case words.AgeBand:
		return protoreflect.ValueOfUint32(rapid.Uint32Range(0, 6).Draw(t, name))
	case words.Code:
		return protoreflect.ValueOfBytes(append(rapid.SliceOfN(rapid.Byte(), 15, 15).Draw(t, name), 1))
	case words.Compound:
		for _, part := range words.Fields(f.Message()) {
			w.fill(t, empty.Message(), part, false)
		}
		return empty
	case words.Reference:
		return w.reference(t, f)
	default:
		if name == "code" {
			return protoreflect.ValueOfString("410621108")
		}
		return protoreflect.ValueOfString(texts.Draw(t, name))
	}
}

// reference names a record that is there; none where a record of that sort need not be there.
func (w *world) reference(t *rapid.T, f protoreflect.FieldDescriptor) protoreflect.Value {
	var of []hlc.ID
	k := record.KindOf(proto.Message(record.New(kindOf(f))))
	switch f.Name() {
	case "site":
		of = w.Sites
	case "team":
		of = w.Teams
	case "duplicate_of":
		of = w.made[k]
	case "consent":
		of = []hlc.ID{w.NewID()}
	case "participant":
		of = w.made[recordv1.Kind_KIND_PARTICIPANT]
	default:
		if f.Number() != record.OwnerField(k) {
			of = []hlc.ID{w.workers["anna"], w.workers["carl"], w.workers["coordinator"]}
			break
		}
		for _, owner := range importing.Kinds() {
			if record.MayOwn(owner, k) {
				of = append(of, w.made[owner]...)
			}
		}
	}
	if len(of) == 0 {
		return protoreflect.Value{}
	}
	id := rapid.SampledFrom(of).Draw(t, string(f.Name()))
	return protoreflect.ValueOfBytes(id[:])
}

// kindOf is the kind that has a field.
func kindOf(f protoreflect.FieldDescriptor) record.Kind {
	i := slices.IndexFunc(record.Kinds(), func(k record.Kind) bool {
		return record.New(k).ProtoReflect().Descriptor() == f.ContainingMessage()
	})
	return record.Kinds()[i]
}

// TestWhateverIsExportedIsImportedAsEqual: valid records of all kinds that are imported, drafts and deleted ones among them. Importing
// them again changes nothing.
func TestWhateverIsExportedIsImportedAsEqual(t *testing.T) {
	if servertest.Raced {
		t.Skip("it takes minutes under the race detector, and has one goroutine")
	}
	o := newOne(t)
	rapid.Check(t, func(t *rapid.T) {
		w := &world{one: o, made: map[record.Kind][]hlc.ID{}}
		want, files := map[hlc.ID]record.Common{}, map[string]string{}
		w.look(t, "en", func(c *export.Content) error {
			for _, k := range importing.Kinds() {
				columns := c.Writing.Columns(k, true)
				lines := [][]string{make([]string, len(columns))}
				for i, column := range columns {
					lines[0][i] = column.Name
				}
				for range rapid.IntRange(1, 2).Draw(t, "records") {
					row := export.Row{ID: w.NewID(), Message: w.record(t, k)}
					line := make([]string, len(columns))
					for i, column := range columns {
						line[i] = column.Text(row)
					}
					lines = append(lines, line)
					want[row.ID], w.made[k] = row.Message, append(w.made[k], row.ID)
				}
				var b bytes.Buffer
				if err := csv.NewWriter(&b).WriteAll(lines); err != nil {
					return err
				}
				files[words.KindName(k)+".csv"] = b.String()
			}
			return nil
		})
		f := importing.File{Name: "levee.zip", Content: zipped(t, files)}
		if n := w.take(t, "coordinator", f); n != len(want) {
			t.Fatalf("%d of %d were made", n, len(want))
		}
		there := w.ids(t, importing.Kinds()...)
		for id, m := range want {
			if got := there[id]; got == nil || !proto.Equal(got, plain(m)) {
				t.Fatalf("%v\nis imported as %v", m, got)
			}
		}
		before := w.position(t)
		if n := w.take(t, "coordinator", f); n != 0 || w.position(t) != before {
			t.Fatalf("again, %d were made", n)
		}
	})
}

// plain is a message without what cells do not tell from nothing: a value without parts.
func plain(m record.Common) record.Common {
	m = proto.CloneOf(m)
	m.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if f.Message() != nil && !f.IsList() && proto.Size(v.Message().Interface()) == 0 {
			m.ProtoReflect().Clear(f)
		}
		return true
	})
	return m
}
