package record

import (
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Numbers of fields that every kind has, also those that this version does not know.
const (
	SiteField        protowire.Number = 1
	TeamField        protowire.Number = 2
	AuthorField      protowire.Number = 3
	OccurredOnField  protowire.Number = 4
	PlaceField       protowire.Number = 5
	StatusField      protowire.Number = 6
	ServiceAreaField protowire.Number = 7
	DuplicateOfField protowire.Number = 10
	// DeletedField is a register like any other: deleting and restoring set it.
	DeletedField protowire.Number = 15
)

// ReviewOutcomeField is the number of the field outcome of a Review: its stamp is that of the review.
const ReviewOutcomeField protowire.Number = 18

// FieldOf is a field of a kind; nil where this version does not know it.
func FieldOf(k Kind, number protowire.Number) protoreflect.FieldDescriptor {
	if !Known(k) {
		return nil
	}
	return New(k).ProtoReflect().Descriptor().Fields().ByNumber(number)
}

// FieldName is the name of a field of a kind, or its number where this version does not know it.
func FieldName(k Kind, number protowire.Number) string {
	if f := FieldOf(k, number); f != nil {
		return string(f.Name())
	}
	return strconv.Itoa(int(number))
}
