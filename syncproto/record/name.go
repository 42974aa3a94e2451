package record

import "google.golang.org/protobuf/reflect/protoreflect"

// nameFields are the fields that name a record, in the order of preference. Who a client is stands in none of them but
// CaseIdentity's, which is left out.
var nameFields = []protoreflect.Name{"name", "case_no", "theme", "need", "to_organisation"}

// Name is what a record is called; empty when its kind gives it no name, and for confidential ones, whose names are not for lists.
func Name(k Kind, m Common) string {
	if m == nil || Confidential(k) {
		return ""
	}
	r := m.ProtoReflect()
	for _, name := range nameFields {
		if f := r.Descriptor().Fields().ByName(name); f != nil && r.Get(f).String() != "" {
			return r.Get(f).String()
		}
	}
	return ""
}
