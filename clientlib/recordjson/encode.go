// Package recordjson is the JSON form of records and of what a tablet tells about them, for programs: what levee --json prints, and
// what apps hand in and get by package mobile.
//
// The fields of a record are one object, by their names in the protos. A day is "2021-09-23"; an instant RFC 3339, to the
// millisecond; a choice its stable name, such as "not_asked", or the number of a service area of the deployment's own, such as
// "16"; an age band as written, such as "18-59", "80+" or "unknown"; a reference a UUID; a code, which stands for a name,
// 32 hexadecimal digits; a field of several parts an object; a list an array. A field that is absent is empty.
package recordjson

import (
	"encoding/hex"
	"slices"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/clientlib"
	"levee/syncproto/hlc"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// Record is a record as this tablet shows it.
type Record struct {
	ID string `json:"id"`
	// Kind is its stable name, such as "case_session".
	Kind    string `json:"kind"`
	Deleted bool   `json:"deleted"`
	// Missing are the required fields that it lacks. With any, it is a draft and does not count.
	Missing []string `json:"missing"`
	// Sending is "unsent", "sent", "durable", or "received" where this tablet changed nothing.
	Sending string `json:"sending"`
	// Held are the codes of this tablet's changes to it that the server holds.
	Held    []string       `json:"held"`
	Changed time.Time      `json:"changed"`
	Fields  map[string]any `json:"fields"`
	// Belongings are the records that belong to it, where they are shown.
	Belongings []Record `json:"belongings,omitempty"`
}

// Of is the JSON form of a record. Its fields are left out when only a newer program can read them.
func Of(t *words.Terms, r clientlib.AnyRecord) Record {
	out := Record{
		ID: r.ID.String(), Kind: words.KindName(r.Kind), Deleted: r.Deleted, Missing: append([]string{}, r.Missing...), Sending: string(r.Sending),
		Held: append([]string{}, r.Held...), Changed: r.Changed.In(t.Zone()), Fields: map[string]any{},
	}
	if r.Message != nil {
		out.Fields = Fields(t, r.Message.ProtoReflect())
	}
	return out
}

// Any is a record of one kind as one of whatever kind.
func Any[M record.Common](r clientlib.Record[M]) clientlib.AnyRecord {
	return clientlib.AnyRecord{
		ID: r.ID, Kind: r.Kind, Message: r.Message, Deleted: r.Deleted, Missing: r.Missing, Sending: r.Sending, Held: r.Held, Changed: r.Changed,
	}
}

// Page is a page of a list.
type Page struct {
	Records []Record `json:"records"`
	// Next is handed in for the next page; empty when there is none.
	Next string `json:"next"`
}

// PageOf is the JSON form of a page.
func PageOf(t *words.Terms, p clientlib.Page) Page {
	out := Page{Records: []Record{}, Next: p.Next}
	for _, r := range p.Records {
		out.Records = append(out.Records, Of(t, r))
	}
	return out
}

// CaseOf is the JSON form of a case, with all that belongs to it.
func CaseOf(t *words.Terms, c clientlib.CaseFile) Record {
	out := Of(t, Any(c.Case))
	out.Belongings = slices.Concat(each(t, c.Identities), each(t, c.Consents))
	for _, s := range c.Sessions {
		one := Of(t, Any(s.Record))
		one.Belongings = each(t, s.Notes)
		out.Belongings = append(out.Belongings, one)
	}
	for _, r := range c.Referrals {
		one := Of(t, Any(r.Record))
		one.Belongings = each(t, r.Notes)
		out.Belongings = append(out.Belongings, one)
	}
	out.Belongings = slices.Concat(out.Belongings, each(t, c.ResourceLinks), each(t, c.RiskAlerts))
	return out
}

func each[M record.Common](t *words.Terms, records []clientlib.Record[M]) []Record {
	var all []Record
	for _, r := range records {
		all = append(all, Of(t, Any(r)))
	}
	return all
}

// Fields is the JSON form of the fields of a message, without those that people do not set.
func Fields(t *words.Terms, m protoreflect.Message) map[string]any {
	values := map[string]any{}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if !hidden(f) {
			values[string(f.Name())] = Value(t, f, v)
		}
		return true
	})
	return values
}

// hidden reports whether a field is not set by people: a delete has a call of its own, and what a review judged is filled in.
func hidden(f protoreflect.FieldDescriptor) bool {
	return f.Name() == "deleted" || f.Name() == "reviewed"
}

// Value is the JSON form of the value of a field.
func Value(t *words.Terms, f protoreflect.FieldDescriptor, v protoreflect.Value) any {
	if !f.IsList() {
		return item(t, f, v)
	}
	items := []any{}
	for i := range v.List().Len() {
		items = append(items, item(t, f, v.List().Get(i)))
	}
	return items
}

func item(t *words.Terms, f protoreflect.FieldDescriptor, v protoreflect.Value) any {
	switch words.FormOf(f) {
	case words.Number:
		return words.Integer(v)
	case words.Date:
		return record.Date(v.Int()).String() //nolint:gosec // the field has 32 bits
	case words.Instant:
		return time.UnixMilli(v.Int()).In(t.Zone()).Format(time.RFC3339Nano)
	case words.YesOrNo:
		return v.Bool()
	case words.Choice:
		return t.OptionOf(f.Enum(), v.Enum()).Name
	case words.AgeBand:
		if bands := t.AgeBands(); v.Uint() < uint64(len(bands)) {
			return bands[v.Uint()]
		}
		return v.Uint()
	case words.Reference:
		if len(v.Bytes()) == len(hlc.ID{}) {
			return hlc.ID(v.Bytes()).String()
		}
		return hex.EncodeToString(v.Bytes())
	case words.Code:
		return hex.EncodeToString(v.Bytes())
	case words.Compound:
		return Fields(t, v.Message())
	default:
		return v.String()
	}
}
