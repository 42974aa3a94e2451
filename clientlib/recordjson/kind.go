package recordjson

import (
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/syncproto/record"
	"levee/syncproto/words"
)

// Kind says what a form for a kind has to ask for.
type Kind struct {
	Kind   string  `json:"kind"`
	Label  string  `json:"label"`
	Fields []Field `json:"fields"`
}

// Field is one of its fields.
type Field struct {
	Name  string `json:"name"`
	Label string `json:"label"`
	// Form is how its values are written; see words.Form.
	Form string `json:"form"`
	// List says that it takes several values.
	List     bool `json:"list"`
	Required bool `json:"required"`
	// Options are what may be chosen from, where it is a choice or an age band; unknown is the first.
	Options []Option `json:"options,omitempty"`
	// Parts are the fields of a compound.
	Parts []Field `json:"parts,omitempty"`
}

// Option is what may be chosen.
type Option struct {
	Name  string `json:"name"`
	Label string `json:"label"`
}

// KindOf describes a known kind, in the words of a deployment.
func KindOf(t *words.Terms, k record.Kind) Kind {
	required := record.Missing(k, record.New(k))
	out := Kind{Kind: words.KindName(k), Label: t.KindLabel(k)}
	for _, f := range words.Settable(k) {
		field := fieldOf(t, f)
		field.Required = slices.Contains(required, f.Number())
		out.Fields = append(out.Fields, field)
	}
	return out
}

func fieldOf(t *words.Terms, f protoreflect.FieldDescriptor) Field {
	form := words.FormOf(f)
	out := Field{Name: string(f.Name()), Label: t.Field(f), Form: form.String(), List: f.IsList()}
	switch form {
	case words.Choice:
		for _, o := range t.Options(f.Enum()) {
			out.Options = append(out.Options, Option{o.Name, o.Label})
		}
	case words.AgeBand:
		for i, name := range t.AgeBands() {
			out.Options = append(out.Options, Option{name, t.AgeBand(uint64(i))})
		}
	case words.Compound:
		for _, part := range words.Fields(f.Message()) {
			out.Parts = append(out.Parts, fieldOf(t, part))
		}
	}
	return out
}
