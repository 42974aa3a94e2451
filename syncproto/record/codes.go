package record

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// Code says what is wrong with a change. Codes are stable: they stand in answers, in databases and in reports.
type Code string

// What can be wrong with how a change is encoded. People cannot mend these: the program that wrote the change is at
// fault, and whoever looks after the tablets should be told.
const (
	// CodeMalformed: the bytes are not an encoded message: cut short, or random.
	CodeMalformed Code = "malformed"
	// CodeTooLarge: the fields are more than MaxFieldsBytes together.
	CodeTooLarge Code = "too_large"
	// CodeGroupEncoded: a field is encoded as a group, which no kind uses.
	CodeGroupEncoded Code = "group_encoded"
	// CodeWrongWireType: a field has another wire type than its kind says.
	CodeWrongWireType Code = "wrong_wire_type"
	// CodeInvalidUTF8: a text is not UTF-8.
	CodeInvalidUTF8 Code = "invalid_utf8"
	// CodeNotCanonical: the same fields have another, canonical encoding. See Canonical.
	CodeNotCanonical Code = "not_canonical"
)

// What can be wrong with the fields themselves. The worker who wrote the change can mend these.
const (
	// CodeTextTooLong: shorten the text.
	CodeTextTooLong Code = "text_too_long"
	// CodeControlCharacter: write the text again without characters that cannot be seen; line breaks are fine.
	CodeControlCharacter Code = "control_character"
	// CodeListTooLong: take some out of the list.
	CodeListTooLong Code = "list_too_long"
	// CodeDuplicateItem: take out what stands in the list twice.
	CodeDuplicateItem Code = "duplicate_item"
	// CodeNotOrdered: put the list in the order that its kind asks for.
	CodeNotOrdered Code = "not_ordered"
	// CodeNumberOutOfRange: correct the number, which is below or above what can be.
	CodeNumberOutOfRange Code = "number_out_of_range"
	// CodeNumbersDisagree: correct one of two numbers of which one is a part of the other, and greater.
	CodeNumbersDisagree Code = "numbers_disagree"
	// CodeInvalidID: choose again the record or person meant; an id is 16 bytes, not all of them zero.
	CodeInvalidID Code = "invalid_id"
	// CodeInvalidToken: register the person again; a token is 16 bytes, not all of them zero.
	CodeInvalidToken Code = "invalid_token"
	// CodeInvalidKey: a linkage key is 32 bytes, not all of them zero, and the server makes it.
	CodeInvalidKey Code = "invalid_key"
	// CodeInvalidDate: choose a day that exists.
	CodeInvalidDate Code = "invalid_date"
	// CodeDateOutsideDeployment: choose a day from the deployment's start to its end.
	CodeDateOutsideDeployment Code = "date_outside_deployment"
	// CodeDateInFuture: choose a day that has come, or mark the work as planned.
	CodeDateInFuture Code = "date_in_future"
	// CodeDateOutOfRange: correct the year.
	CodeDateOutOfRange Code = "date_out_of_range"
	// CodeDatesDisagree: correct one of two days of which the later one comes first.
	CodeDatesDisagree Code = "dates_disagree"
	// CodeTimeOutOfRange: correct the time, which lies before the deployment or in the future.
	CodeTimeOutOfRange Code = "time_out_of_range"
	// CodeInvalidPlace: choose the place from the list; a code has 2, 4, 6, 9 or 12 digits.
	CodeInvalidPlace Code = "invalid_place"
	// CodeUnknownPlace: choose a place where the deployment has a site, or have the site set up.
	CodeUnknownPlace Code = "unknown_place"
	// CodeUnknownServiceArea: choose one of the deployment's service areas, or have it set up.
	CodeUnknownServiceArea Code = "unknown_service_area"
	// CodeUnknownAgeBand: choose one of the deployment's age bands.
	CodeUnknownAgeBand Code = "unknown_age_band"
	// CodeUnknownTimeZone: choose an IANA time zone, such as Asia/Shanghai.
	CodeUnknownTimeZone Code = "unknown_time_zone"
)

// Why a server holds a change that is sound in itself: what it was allowed to do, and what must be there before it.
const (
	// CodeUnknownKind: the change names no kind of record. Kinds that are only newer than the server are passed on.
	CodeUnknownKind Code = "unknown_kind"
	// CodeKindMismatch: the record is of another kind.
	CodeKindMismatch Code = "kind_mismatch"
	// CodeNotYourTeam: the record belongs to another team.
	CodeNotYourTeam Code = "not_your_team"
	// CodeNotAllowed: the author's role may not do this.
	CodeNotAllowed Code = "not_allowed"
	// CodeRecordMissing: the change edits a record that the server does not have.
	CodeRecordMissing Code = "record_missing"
	// CodeRecordHeld: the change edits a record whose making is held.
	CodeRecordHeld Code = "record_held"
	// CodeOwnerMissing: the record belongs to a case, group or activity that the server does not have, or to one that
	// can't own it.
	CodeOwnerMissing Code = "owner_missing"
	// CodeUnproven: the record was given back, without proof that this server had ever sent it.
	CodeUnproven Code = "unproven"
	// CodeUnconfirmed: the change comes from a tablet that the server knows by its certificate alone, or the record is the
	// deployment's own, given back: a coordinator confirms either.
	CodeUnconfirmed Code = "unconfirmed"
	// CodeDeviceRevoked: the change comes from a tablet that was revoked before it sent this.
	CodeDeviceRevoked Code = "device_revoked"
	// CodeStampInFuture: the change, or the record given back, has a stamp that lies in the future.
	CodeStampInFuture Code = "stamp_in_future"
	// CodeDeploymentClosed: it came after the deployment had been closed. It belongs to an addendum.
	CodeDeploymentClosed Code = "deployment_closed"
	// CodeDiscarded: somebody decided that the change is not to be applied.
	CodeDiscarded Code = "discarded"
)

// Mended reports whether people can do something about a code: by another edit, or by deciding that the change is to be
// applied all the same. Of the others the program that wrote the change is at fault.
func (c Code) Mended() bool {
	switch c {
	case CodeMalformed, CodeTooLarge, CodeGroupEncoded, CodeWrongWireType, CodeInvalidUTF8, CodeNotCanonical, CodeInvalidID, CodeInvalidToken, CodeInvalidKey, CodeUnknownKind, CodeKindMismatch:
		return false
	default:
		return true
	}
}

// Problem is one thing that is wrong with a change. As an error it is a *Problem.
type Problem struct {
	Code Code
	// Field is the number of the field in its kind; 0 when the change as a whole is meant.
	Field protowire.Number
	// Cause is for the log. It is never shown to people and may be nil.
	Cause error
}

func (p *Problem) Error() string {
	text := string(p.Code)
	if p.Field != 0 {
		text = fmt.Sprintf("%s in field %d", text, p.Field)
	}
	if p.Cause != nil {
		text += ": " + p.Cause.Error()
	}
	return text
}

// Unwrap is the cause.
func (p *Problem) Unwrap() error { return p.Cause }

// text is what people read.
type text struct{ zh, en string }

// Message tells a person what to do about a code: in 简体中文 when lang is a tag of Chinese such as "zh" or "zh-CN",
// else in English. A code that this version does not know gives the advice that fits any held change.
func Message(code Code, lang string) string {
	t, ok := messages[code]
	if !ok {
		t = text{
			"这条更改待处理，原因本版本不认识。内容已保留，请告诉督导。",
			"This change is held for a reason that this version does not know. Nothing is lost; please tell your supervisor.",
		}
	}
	if base, _, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(lang, "_", "-")), "-"); base == "zh" {
		return t.zh
	}
	return t.en
}

var (
	programAtFault = text{
		"这条更改的格式有误，待处理。内容已保留，请把平板交给管理平板的人更新程序。",
		"This change is not encoded as it should be and is held. Nothing is lost; please have the program on the tablet updated.",
	}
	messages = map[Code]text{
		CodeMalformed:     programAtFault,
		CodeGroupEncoded:  programAtFault,
		CodeWrongWireType: programAtFault,
		CodeInvalidUTF8:   programAtFault,
		CodeNotCanonical:  programAtFault,
		CodeTooLarge: {
			"这条更改的内容太多，待处理。请缩短文字或分成几条填写。",
			"This change is too large and is held. Please shorten its texts or enter it in several parts.",
		},
		CodeTextTooLong:      {"文字太长，请缩短。", "The text is too long. Please shorten it."},
		CodeControlCharacter: {"文字里有看不见的字符，请重新输入。", "The text has characters that cannot be seen. Please type it again."},
		CodeListTooLong:      {"选项太多，请删去一些。", "The list is too long. Please take some out."},
		CodeDuplicateItem:    {"有重复的项，请删去重复的。", "Something stands in the list twice. Please take one of them out."},
		CodeNotOrdered:       {"各项的顺序不对，请按从小到大重新填写。", "The list is not in order. Please enter it again from lowest to highest."},
		CodeNumberOutOfRange: {"数字不合理，请核对后改正。", "The number cannot be right. Please check and correct it."},
		CodeNumbersDisagree:  {"两个数字互相矛盾：其中一部分大于总数，请改正。", "Two numbers disagree: a part is greater than the whole. Please correct them."},
		CodeInvalidID:        {"所选的记录或人员无效，请重新选择。", "What was chosen is not a record or a person. Please choose again."},
		CodeInvalidToken:     {"这位参与者的登记无效，请重新登记。", "This person's registration is not valid. Please register the person again."},
		CodeInvalidKey:       programAtFault,
		CodeInvalidDate:      {"没有这一天，请重新选择日期。", "There is no such day. Please choose the date again."},
		CodeDateOutsideDeployment: {
			"日期不在本次行动期间，请改正日期。",
			"The date lies outside the deployment. Please correct it.",
		},
		CodeDateInFuture: {
			"日期还没有到。请改正日期；如果是计划，请把状态改为计划。",
			"The date has not come yet. Please correct it, or mark the work as planned.",
		},
		CodeDateOutOfRange: {"日期的年份不合理，请改正。", "The year of the date cannot be right. Please correct it."},
		CodeDatesDisagree:  {"结束日期早于开始日期，请改正。", "The end lies before the start. Please correct one of the dates."},
		CodeTimeOutOfRange: {"时间不合理，请改正。", "The time cannot be right. Please correct it."},
		CodeInvalidPlace:   {"区划代码不对，请从列表中选择地点。", "This is not a place code. Please choose the place from the list."},
		CodeUnknownPlace: {
			"本次行动在这个地点没有服务点。请重新选择地点，或请协调员设立服务点。",
			"The deployment has no site at this place. Please choose another, or ask the coordinator to set up a site.",
		},
		CodeUnknownServiceArea: {
			"本次行动没有这个服务领域。请重新选择，或请协调员设立。",
			"The deployment has no such service area. Please choose another, or ask the coordinator to set it up.",
		},
		CodeUnknownAgeBand: {"本次行动没有这个年龄段，请重新选择。", "The deployment has no such age band. Please choose another."},
		CodeUnknownKind:    programAtFault,
		CodeKindMismatch:   programAtFault,
		CodeNotYourTeam: {
			"这条记录属于另一支服务队，更改待处理。请告诉督导。",
			"This record belongs to another team, so the change is held. Please tell your supervisor.",
		},
		CodeNotAllowed: {
			"您的角色不能做这项更改，更改待处理。请告诉督导。",
			"Your role does not allow this change, so it is held. Please tell your supervisor.",
		},
		CodeRecordMissing: {
			"服务器还没有这条记录，更改待处理。内容已保留，请告诉督导。",
			"The server does not have this record yet, so the change is held. Nothing is lost; please tell your supervisor.",
		},
		CodeRecordHeld: {
			"这条记录本身待处理，所以这项更改也待处理。",
			"The record itself is held, so this change is held with it.",
		},
		CodeOwnerMissing: {
			"服务器还没有它所属的个案、小组或活动，更改待处理。请告诉督导。",
			"The server does not have the case, group or activity that this belongs to, so the change is held. Please tell your supervisor.",
		},
		CodeUnproven: {
			"这条记录由平板交回，服务器无法确认来源，待协调员确认。",
			"A tablet gave this record back and the server cannot tell that it had it. It waits for the coordinator.",
		},
		CodeUnconfirmed: {
			"服务器从备份恢复过，这项更改要等协调员确认。内容已保留。",
			"The server was restored from a backup, and this waits until a coordinator confirms it. Nothing is lost.",
		},
		CodeDeviceRevoked: {
			"这项更改来自已停用的平板，待协调员处理。内容已保留。",
			"This came from a tablet that was revoked before. It waits for the coordinator; nothing is lost.",
		},
		CodeStampInFuture: {
			"填写时的时钟超前，更改待协调员处理。内容已保留。",
			"This was written by a clock that ran ahead. It waits for the coordinator; nothing is lost.",
		},
		CodeDeploymentClosed: {
			"收到时行动已收队，作为补报待协调员处理。内容已保留。",
			"The deployment was closed before this came. It waits for the coordinator as an addendum; nothing is lost.",
		},
		CodeDiscarded: {
			"已决定不采用这项更改；原文仍保留在记录里。",
			"It was decided not to apply this change. What was written is still kept.",
		},
		CodeUnknownTimeZone: {"不认识这个时区，请从列表中选择。", "This time zone is not known. Please choose one from the list."},
	}
)
