package webui

import (
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/server/internal/places"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/words"
)

// placePath is a place with all around it, as far as the list of places knows them.
func placePath(p *recordv1.Place) string {
	var names []string
	for _, around := range places.Path(p.GetCode()) {
		names = append(names, around.Name)
	}
	if village := p.GetVillage(); village != "" {
		names = append(names, village)
	}
	return strings.Join(names, " › ")
}

// placeNamed is a place as people read it: where it is, and its code with the year of the list that has it.
func (v *visit) placeNamed(p *recordv1.Place) string {
	var by []string
	if p.GetCode() != "" {
		by = append(by, p.GetCode())
	}
	if p.GetEdition() != 0 {
		by = append(by, v.T("place_edition", strconv.Itoa(int(p.GetEdition())))) // a year has no thousands
	}
	where, code := placePath(p), v.List(by)
	switch {
	case where == "":
		return code
	case code == "":
		return where
	default:
		return v.T("place_coded", where, code)
	}
}

// value is the value of a field as people read it, as Value of the terms has it, but for places: those have names here.
func (v *visit) value(t *words.Terms, f protoreflect.FieldDescriptor, value protoreflect.Value, named func(id []byte) string) string {
	if words.FormOf(f) == words.Compound && !f.IsList() {
		if p, ok := value.Message().Interface().(*recordv1.Place); ok {
			return v.placeNamed(p)
		}
	}
	return t.Value(f, value, named)
}
