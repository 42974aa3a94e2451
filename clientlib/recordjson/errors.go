package recordjson

import (
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/syncproto/record"
	"levee/syncproto/words"
)

// The codes of what can be wrong with a record in JSON. Besides them, there are those of package record: malformed (it is no object, or has a name twice),
// invalid_utf8, unknown_kind, number_out_of_range, invalid_date, time_out_of_range, invalid_id, invalid_token, unknown_age_band.
const (
	// CodeUnknownField: the kind has no such field, or people do not set it.
	CodeUnknownField = "unknown_field"
	// CodeWrongType: the value is of another type than the field's, such as a text for a number.
	CodeWrongType = "wrong_type"
	// CodeUnknownChoice: the field has no such choice.
	CodeUnknownChoice = "unknown_choice"
	// CodeInvalidTime: the text is no instant such as 2021-09-23T14:05:00+08:00.
	CodeInvalidTime = "invalid_time"
)

var (
	sentences = map[string]words.Message{
		CodeUnknownField:  {EN: "There is no such field. Update the app.", ZH: "没有这一项，请更新应用。"},
		CodeWrongType:     {EN: "The value is of the wrong type. Update the app.", ZH: "填写的内容类型不对，请更新应用。"},
		CodeUnknownChoice: {EN: "There is no such choice.", ZH: "没有这个选项。"},
		CodeInvalidTime:   {EN: "Write day and time, such as 2021-09-23T14:05:00+08:00.", ZH: "请写日期和时间，如 2021-09-23T14:05:00+08:00。"},
	}
	titleAndName = words.Message{EN: "%s (%s)", ZH: "%s（%s）"}
)

// Error says what is wrong with a record in JSON.
type Error struct {
	Code string
	// Field is the name of the field, such as "minutes"; that of a part stands behind it, as in "place.code". It is "" when the whole is meant.
	Field string
	field protoreflect.FieldDescriptor
}

func (e *Error) Error() string {
	if e.Field == "" {
		return e.Code
	}
	return e.Field + ": " + e.Code
}

// Message is a sentence for people, with the word for the field. What was written is not in it.
func (e *Error) Message(w *words.Words) string {
	text := record.Message(record.Code(e.Code), w.Lang())
	if m, ok := sentences[e.Code]; ok {
		text = w.Say(m)
	}
	switch {
	case e.Field == "":
		return text
	case e.field == nil:
		return w.Labelled(e.Field, text)
	default:
		return w.Labelled(w.Say(titleAndName, w.Field(e.field), e.Field), text)
	}
}
