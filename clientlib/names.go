package clientlib

import (
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/syncproto/hlc"
	"levee/syncproto/record"
)

// nameFields are the fields that name a record, in the order of preference. Who a client is stands in none of them but
// CaseIdentity's, which is left out.
var nameFields = []protoreflect.Name{"name", "case_no", "theme", "need", "to_organisation"}

// Name is what a record is called; empty when its kind gives it no name, and for confidential ones, whose names are not for lists.
func (r Record[M]) Name() string {
	if record.Common(r.Message) == nil || record.Confidential(r.Kind) {
		return ""
	}
	m := r.Message.ProtoReflect()
	for _, name := range nameFields {
		if f := m.Descriptor().Fields().ByName(name); f != nil && m.Get(f).String() != "" {
			return m.Get(f).String()
		}
	}
	return ""
}

// Owner is the record that a record belongs to, if it belongs to one.
func (r Record[M]) Owner() (hlc.ID, bool) {
	number := record.OwnerField(r.Kind)
	if number == 0 || record.Common(r.Message) == nil {
		return hlc.ID{}, false
	}
	m := r.Message.ProtoReflect()
	id := m.Get(m.Descriptor().Fields().ByNumber(number)).Bytes()
	if len(id) != len(hlc.ID{}) {
		return hlc.ID{}, false
	}
	return hlc.ID(id), true
}
