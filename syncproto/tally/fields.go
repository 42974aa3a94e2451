package tally

import (
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/syncproto/hlc"
	"levee/syncproto/record"
)

// Totals move with every change that a server takes in, so fields are read from the registers as they are encoded,
// without making messages. Field numbers never change; a test compares these with the protos.
const (
	placeCode protowire.Number = 1

	coWorkers protowire.Number = 8

	caseOpenedOn     protowire.Number = 17
	caseClientCount  protowire.Number = 20
	caseClientTokens protowire.Number = 21
	caseSex          protowire.Number = 22
	caseAgeBand      protowire.Number = 24
	caseLead         protowire.Number = 29

	caseSessionCase      protowire.Number = 16
	caseSessionMinutes   protowire.Number = 20
	caseSessionAttendees protowire.Number = 21

	groupSessionGroup   protowire.Number = 16
	groupSessionMinutes protowire.Number = 19

	activityMinutes protowire.Number = 18

	headcountActivity        protowire.Number = 16
	headcountCounter         protowire.Number = 17
	headcountMethod          protowire.Number = 19
	headcountCells           protowire.Number = 20
	headcountFirstTime       protowire.Number = 21
	headcountReturning       protowire.Number = 22
	headcountUnsure          protowire.Number = 23
	headcountDisabilityAsked protowire.Number = 24
	headcountDisabilityYes   protowire.Number = 25

	cellSex       protowire.Number = 1
	cellAgeBand   protowire.Number = 2
	cellFirstTime protowire.Number = 3
	cellReturning protowire.Number = 4
	cellUnsure    protowire.Number = 5

	attendanceActivity   protowire.Number = 16
	attendanceToken      protowire.Number = 18
	attendanceSex        protowire.Number = 19
	attendanceAgeBand    protowire.Number = 20
	attendanceDisability protowire.Number = 21

	reviewReviewed protowire.Number = 17

	reviewedField   protowire.Number = 1
	reviewedTime    protowire.Number = 2
	reviewedReplica protowire.Number = 3
)

// Links are the ids of the record that r belongs to and of the one that it says it is a duplicate of; zero where it
// names none.
func Links(r *Record) (owner, duplicateOf hlc.ID) {
	if k := int(r.Kind); k > 0 && k < len(ownerFields) {
		owner = r.id(ownerFields[k])
	}
	return owner, r.id(record.DuplicateOfField)
}

// ownerFields and requiredFields are by kind; asking for them each time would go through the descriptors.
var ownerFields, requiredFields = func() (owner []protowire.Number, required [][]requiredField) {
	kinds := record.Kinds()
	owner, required = make([]protowire.Number, kinds[len(kinds)-1]+1), make([][]requiredField, kinds[len(kinds)-1]+1)
	for _, k := range kinds {
		owner[k] = record.OwnerField(k)
		for _, number := range record.Missing(k, record.New(k)) {
			f := record.New(k).ProtoReflect().Descriptor().Fields().ByNumber(number)
			required[k] = append(required[k], requiredField{
				number: number,
				text:   !f.IsList() && (f.Kind() == protoreflect.StringKind || f.Kind() == protoreflect.BytesKind),
			})
		}
	}
	return owner, required
}()

// requiredField is one without which a record is a draft. Text and ids must not be empty.
type requiredField struct {
	number protowire.Number
	text   bool
}

// complete reports whether r is of a kind that is known and lacks nothing, as record.Missing has it.
func (r *Record) complete() bool {
	if !record.Known(r.Kind) {
		return false
	}
	for _, f := range requiredFields[r.Kind] {
		encoded := r.Registers.Get(f.number).Value
		if len(encoded) == 0 {
			return false
		}
		if content, _ := record.CutBytes(encoded); f.text && len(content) == 0 {
			return false
		}
	}
	return true
}

// number is a number or choice; 0 when there is none.
func (r *Record) number(field protowire.Number) int64 { return number(r.Registers.Get(field).Value) }

func (r *Record) date(field protowire.Number) record.Date {
	return record.Date(r.number(field)) //nolint:gosec // dates have 32 bits
}

// bytes are a text, an id or a message, without tag and length.
func (r *Record) bytes(field protowire.Number) []byte {
	content, _ := record.CutBytes(r.Registers.Get(field).Value)
	return content
}

func (r *Record) id(field protowire.Number) hlc.ID { return r.Registers.Get(field).ID() }

func (r *Record) placeCode() string {
	code, _ := record.CutBytes(find(r.bytes(record.PlaceField), placeCode))
	return string(code)
}

// find is a field of an encoded message, with its tag; nil when it is not there.
func find(message []byte, field protowire.Number) []byte {
	for len(message) > 0 {
		n, _, size := protowire.ConsumeField(message)
		if size < 0 {
			return nil
		}
		if n == field {
			return message[:size]
		}
		message = message[size:]
	}
	return nil
}

// number reads an encoded field that holds one number.
func number(encoded []byte) int64 {
	_, typ, tag := protowire.ConsumeTag(encoded)
	if tag < 0 {
		return 0
	}
	var v uint64
	switch typ {
	case protowire.VarintType:
		v, _ = protowire.ConsumeVarint(encoded[tag:])
	case protowire.Fixed64Type:
		v, _ = protowire.ConsumeFixed64(encoded[tag:])
	}
	return int64(v)
}
