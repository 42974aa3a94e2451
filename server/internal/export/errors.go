package export

import (
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// Code says what is wrong with a cell, for ever. Besides those below there are codes of package record, such as
// invalid_date.
type Code string

// What can't be read from a cell.
const (
	// CodeNothing: there is only space in it.
	CodeNothing Code = "nothing"
	// CodeNotANumber: a whole number belongs there.
	CodeNotANumber Code = "not_a_number"
	// CodeNotYesOrNo: yes or no belongs there.
	CodeNotYesOrNo Code = "not_yes_or_no"
	// CodeUnknownChoice: it is none of the choices, by name or word.
	CodeUnknownChoice Code = "unknown_choice"
	// CodeInvalidTime: a day and the time of day belong there.
	CodeInvalidTime Code = "invalid_time"
	// CodeUnknownName: the deployment has no site, team or worker of that name.
	CodeUnknownName Code = "unknown_name"
	// CodeAmbiguousName: it has several.
	CodeAmbiguousName Code = "ambiguous_name"
	// CodeUnknownPart: a part of a value has no name, or an unknown one.
	CodeUnknownPart Code = "unknown_part"
)

var sentences = map[Code]words.Message{
	CodeNothing:       {EN: "there is only space in the cell; leave it empty, or write something", ZH: "单元格里只有空格；请留空或填写内容"},
	CodeNotANumber:    {EN: "write a whole number", ZH: "请填写整数"},
	CodeNotYesOrNo:    {EN: "write yes or no", ZH: "请填写“是”或“否”"},
	CodeUnknownChoice: {EN: "choose one of the values that the field has", ZH: "请填写该项已有的选项"},
	CodeInvalidTime:   {EN: "write a day and the time of day, as in 2021-10-13 08:30", ZH: "请填写日期和时间，例如 2021-10-13 08:30"},
	CodeUnknownName:   {EN: "the deployment has nothing of that name; correct it, or set it up first", ZH: "本次行动没有这个名称；请改正，或先设立"},
	CodeAmbiguousName: {EN: "several have that name; write the # and four characters of the one meant behind it, or its id", ZH: "有多个同名的；请在名称后加上 # 和所指那一个的四位编号，或填写其完整编号"},
	CodeUnknownPart:   {EN: "write each part as name=value, with commas between them, as in sex=female, first_time=3", ZH: "请按“名称=内容”填写各部分，中间用逗号分开，例如 性别=女，首次=3"},
}

// CellError says what is wrong with a cell.
type CellError struct {
	Code   Code
	column Column
}

func (e *CellError) Error() string { return e.column.Name + ": " + string(e.Code) }

// Column is the stable name of the cell's column.
func (e *CellError) Column() string { return e.column.Name }

// Message is a sentence for people, with the word for the column before it. What was written is not in it.
func (e *CellError) Message(w *words.Words) string {
	text := record.Message(record.Code(e.Code), w.Lang())
	if m, ok := sentences[e.Code]; ok {
		text = w.Say(m)
	}
	return w.Labelled(e.column.labelIn(w), text)
}
