package clientlib

import (
	"levee/syncproto/hlc"
	"levee/syncproto/record"
)

// Name is what a record is called; empty when its kind gives it no name, and for confidential ones, whose names are not for lists.
func (r Record[M]) Name() string { return record.Name(r.Kind, r.Message) }

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
