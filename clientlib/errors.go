package clientlib

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"levee/clientlib/internal/localdb"
	"levee/clientlib/internal/remote"
	"levee/migrations"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// The codes of what can go wrong on the tablet itself. With those of packages problem (a request to the server) and
// record (what was to be logged), they are all that Code gives.
const (
	// CodeNotEnrolled: enrol the tablet first.
	CodeNotEnrolled = "not_enrolled"
	// CodeAlreadyEnrolled: the tablet belongs to a deployment; another enrolment needs another file.
	CodeAlreadyEnrolled = "already_enrolled"
	// CodeClosed: the store was closed.
	CodeClosed = "closed"
	// CodeCancelled: the caller gave up, by its context. What had been done stays done.
	CodeCancelled = "cancelled"
	// CodeRecordMissing: no record with this id is on the tablet, or its making is held.
	CodeRecordMissing = "record_missing"
	// CodeRecordDeleted: restore the record before changing it.
	CodeRecordDeleted = "record_deleted"
	// CodeKindMismatch: the change is for another kind than the record's, or of a kind that tablets do not make.
	CodeKindMismatch = "kind_mismatch"
	// CodeOwnerMissing: name the case, group, activity … that the record belongs to. The one named is none, or is not
	// on this tablet.
	CodeOwnerMissing = "owner_missing"
	// CodeOwnerDeleted: the case, group, activity … that the record belongs to is deleted.
	CodeOwnerDeleted = "owner_deleted"
	// CodeDeploymentArchived: the deployment is over and its personal data erased; nothing but a risk alert is logged any more.
	CodeDeploymentArchived = "deployment_archived"
	// CodeAlertDamaged: a risk alert that was taken while nobody was signed in can't be read. It is kept as it is.
	CodeAlertDamaged = "alert_damaged"
	// CodeFormMissing: no unfinished form with this id is on the tablet.
	CodeFormMissing = "form_missing"
	// CodeFormDone: the form was logged meanwhile, from another page or before the program was stopped.
	CodeFormDone = "form_done"
	// CodeFormTooLarge: the form holds more than MaxFormBytes. What was saved of it before is still there.
	CodeFormTooLarge = "form_too_large"
	// CodeUnsafeChanges: something is on this tablet alone, or would be lost with the server's disk, or a form is unfinished.
	CodeUnsafeChanges = "unsafe_changes"
	// CodeForked: two copies of this tablet wrote under one number. Nothing is lost; syncing stops until that is settled.
	CodeForked = "forked"
	// CodeDatabaseNewer: a newer version of the program made the file. It was not touched.
	CodeDatabaseNewer = "database_newer"
	// CodeDatabaseBusy: another program holds the file.
	CodeDatabaseBusy = "database_busy"
	// CodeDatabaseDamaged: the file is damaged, or is no database of a tablet. Rescue makes it anew.
	CodeDatabaseDamaged = "database_damaged"
	// CodeNotDamaged: there is nothing to rescue.
	CodeNotDamaged = "not_damaged"
	// CodeServerNotTrusted: whoever answered is not the server that the tablet enrolled with. Nothing was sent.
	CodeServerNotTrusted = "server_not_trusted"
	// CodeKeyNeeded: the file is sealed; hand in its key, or a first one for a new file.
	CodeKeyNeeded = "key_needed"
	// CodeKeyWeak: the key to set is too short or too easy to guess.
	CodeKeyWeak = "key_weak"
	// CodeKeyWrong: the key is not the file's. KeyWait says how long to wait.
	CodeKeyWrong = "key_wrong"
	// CodeKeyWait: after wrong keys the next may not be tried yet, for as long as KeyWait says. This one was not tried.
	CodeKeyWait = "key_wait"
	// CodeKeyMissing: the file beside the database that holds its key is not there, or is another's.
	CodeKeyMissing = "key_missing"
	// CodeKeyDamaged: the file that holds the key is damaged.
	CodeKeyDamaged = "key_damaged"
	// CodeKeyDestroyed: the tablet was revoked, or its worker left it, and its key is no more.
	CodeKeyDestroyed = "key_destroyed"
	// CodeProfileName: a profile can't have this name.
	CodeProfileName = "profile_name"
	// CodeLinkageKeyMissing: sync first; without the deployment's linkage key nobody can be registered.
	CodeLinkageKeyMissing = "linkage_key_missing"
	// CodePersonInvalid: say by what the person is to be told apart.
	CodePersonInvalid = "person_invalid"
	// CodePhoneInvalid: the phone number is missing, or digits of it are, or are too many.
	CodePhoneInvalid = "phone_invalid"
	// CodeNameInvalid: the name is missing.
	CodeNameInvalid = "name_invalid"
	// CodeBirthMonthInvalid: the month of birth is missing, there is no such month, or it has not come.
	CodeBirthMonthInvalid = "birth_month_invalid"
	// CodeVillageInvalid: the village is missing.
	CodeVillageInvalid = "village_invalid"
	// CodeIDNumberInvalid: the id number has not 18 or 15 digits, or its check digit or its date are wrong.
	CodeIDNumberInvalid = "id_number_invalid"
	// CodeIdentityLost: not even who the tablet is can be read of a damaged file.
	CodeIdentityLost = "identity_lost"
)

// sentence is what people read.
type sentence struct{ zh, en string }

var sentences = map[string]sentence{
	CodeNotEnrolled:     {"本机尚未登记，请先输入登记码。", "This tablet is not enrolled yet. Enter an enrolment code first."},
	CodeAlreadyEnrolled: {"本机已登记，不能再次登记。", "This tablet is enrolled already."},
	CodeClosed:          {"程序正在退出。", "The program is closing."},
	CodeCancelled:       {"已中止。已保存的内容不受影响。", "Stopped. What was saved is safe."},
	CodeRecordMissing:   {"本机没有这条记录。", "This record is not on this tablet."},
	CodeRecordDeleted:   {"这条记录已删除，请先恢复再修改。", "This record is deleted. Restore it before changing it."},
	CodeKindMismatch:    {"这类记录不能这样修改。", "A record of this kind can't be changed like this."},
	CodeOwnerMissing: {"请选择它所属的个案、小组或活动；所选的不在本机，或类别不对。",
		"Choose the case, group or activity that this belongs to. The one given is not on this tablet, or is of another kind."},
	CodeOwnerDeleted: {"它所属的个案、小组或活动已删除，请先恢复。", "The case, group or activity that this belongs to is deleted. Restore it first."},
	CodeDeploymentArchived: {"本次行动已归档，个人信息已清除，不能再填写记录。平板可以交还。有危险请先打电话。",
		"This deployment is archived and its personal data is erased. Nothing can be logged any more, and the tablet can be handed back. In danger, phone first."},
	CodeAlertDamaged: {"登录前填写的一条风险上报无法读取。请立即打电话告知督导，并重新填写。",
		"A risk alert that was filled in before signing in can't be read. Phone the supervisor now, and fill it in again."},
	CodeFormMissing:  {"本机没有这份未完成的表单，可能已删除。", "This unfinished form is not on this tablet. It may have been dropped."},
	CodeFormDone:     {"这份表单已经保存为记录，没有重复保存。", "This form was logged already. Nothing was logged twice."},
	CodeFormTooLarge: {"这份表单内容太长，无法暂存。请分成几份填写。", "This form holds too much to be kept. Fill it in as several."},
	CodeUnsafeChanges: {"本机还有没有安全保存到服务器的内容，或未完成的表单。请先同步，并完成或删除表单。",
		"Something is not safe at the server yet, or a form is unfinished. Sync, and finish or drop the forms, before leaving."},
	CodeForked: {"有两台平板在用同一个身份写入。记录仍在本机，请联系协调员。",
		"Two copies of this tablet are in use. Records are safe here; ask your coordinator."},
	CodeDatabaseNewer: {"数据文件由更新版本的程序建立，请更新程序后再打开。",
		"The file was made by a newer version of this program. Update the program to open it."},
	CodeDatabaseBusy: {"另一个程序正在使用数据文件，请稍后再试。", "Another program is using the file. Try again in a moment."},
	CodeDatabaseDamaged: {"数据文件已损坏或不是本程序的文件，请勿删除。请运行：levee rescue，它会保存未发送的内容并重建文件。",
		"The file is damaged, or is not one of this program. Keep it, and run: levee rescue. It saves what is unsent and makes the file anew."},
	CodeServerNotTrusted: {"连到的不是本行动的服务器（证书不符），没有发送任何内容。可能是这个网络拦截了连接：请换一个网络再试；仍不行，请联系协调员。",
		"What answered is not this deployment's server: its certificate is another. Nothing was sent. The network may be in the way: try another one; if that does not help, ask your coordinator."},
	CodeNotDamaged: {"数据文件没有损坏，无需修复。", "The file is not damaged. There is nothing to rescue."},
	CodeKeyNeeded:  {"数据已加密，请输入 PIN。", "The file is locked. Enter the PIN."},
	CodeKeyWeak: {"PIN 太容易猜到：至少 6 位数字，不能全部相同或连续；或用至少 8 个字符的口令。",
		"The PIN is too easy to guess. Take at least 6 digits that are not all alike or in a row, or a passphrase of at least 8 characters."},
	CodeKeyWrong: {"PIN 不对。", "The PIN is wrong."},
	CodeKeyWait:  {"PIN 多次输错，请稍后再试。", "Wrong PINs were entered. Wait before the next."},
	CodeKeyMissing: {"找不到这个数据文件的密钥文件（同名，以 .key 结尾）。没有它，数据无法打开。请勿删除任何文件，联系协调员。",
		"The key's file, which ends in .key and lies beside this file, is not there or is another's. Without it nothing can be opened. Delete nothing, and ask your coordinator."},
	CodeKeyDamaged: {"密钥文件（以 .key 结尾）已损坏，数据无法打开。请勿删除任何文件，联系协调员。",
		"The key's file, which ends in .key, is damaged, and nothing can be opened. Delete nothing, and ask your coordinator."},
	CodeKeyDestroyed: {"本机已停用，或工作人员已退出本机；密钥已销毁，其中的数据无法再打开。",
		"This tablet was revoked, or its worker left it, and its key destroyed. What is in the file can't be opened any more."},
	CodeProfileName: {"名称只能用文字、数字、-、_ 和中间的空格，最多 40 个字符。",
		"A name may have letters, digits, -, _ and spaces within, and at most 40 characters."},
	CodeLinkageKeyMissing: {"本机还没有收到登记参与者所需的设置，请先同步。", "This tablet has not got yet what it needs to register people. Sync first."},
	CodePersonInvalid: {"请选择登记依据：电话，姓名、出生年月和村，或身份证号码。",
		"Choose what to register the person by: the phone; name, birth month and village; or the id number."},
	CodePhoneInvalid:      {"电话号码不完整或不对，请核对。", "The phone number is incomplete or wrong. Please check it."},
	CodeNameInvalid:       {"请填写姓名。", "Enter the name."},
	CodeBirthMonthInvalid: {"请填写出生年月，例如 1958 年 3 月。", "Enter the month of birth, such as March 1958."},
	CodeVillageInvalid:    {"请填写所在的村。", "Enter the village."},
	CodeIDNumberInvalid:   {"身份证号码不对，请逐位核对。", "The id number is wrong. Please check each digit."},
	CodeIdentityLost: {"数据文件损坏严重，连本机的登记信息也读不出。请勿删除任何文件，向协调员索取新的登记码，用新文件登记，并把旧文件交给协调员。",
		"The file is damaged so badly that not even who this tablet is can be read. Delete nothing. Ask your coordinator for a new code, enrol with a new file, and hand the old files over."},
}

// Error is something that went wrong on the tablet itself.
type Error struct {
	Code string
	// Cause is for the log. It may be nil.
	Cause error
}

func (e *Error) Error() string {
	if e.Cause != nil {
		return e.Code + ": " + e.Cause.Error()
	}
	return e.Code
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Cause }

func fail(code, format string, args ...any) error {
	return &Error{code, fmt.Errorf(format, args...)}
}

// InvalidError says all that is wrong with the fields of what was to be logged. Nothing of it was kept.
type InvalidError struct {
	Kind     record.Kind
	Problems []record.Problem
}

func (e *InvalidError) Error() string {
	texts := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		texts[i] = string(p.Code)
		if name := fieldName(e.Kind, p.Field); name != "" {
			texts[i] = name + ": " + texts[i]
		}
	}
	return strings.Join(texts, ", ")
}

// Unwrap are the problems, as *record.Problem.
func (e *InvalidError) Unwrap() []error {
	problems := make([]error, len(e.Problems))
	for i := range e.Problems {
		problems[i] = &e.Problems[i]
	}
	return problems
}

// FieldName is the name, as in the protos, of the field that a problem is about; "" when the whole is meant.
func (e *InvalidError) FieldName(p record.Problem) string { return fieldName(e.Kind, p.Field) }

func fieldName(k record.Kind, number protowire.Number) string {
	m := record.New(k)
	if m == nil || number == 0 {
		return ""
	}
	if f := m.ProtoReflect().Descriptor().Fields().ByNumber(number); f != nil {
		return string(f.Name())
	}
	return ""
}

// Code is the stable code of an error that this package returned; "" for nil and "internal" when it has none.
func Code(err error) string {
	var own *Error
	var request *problem.Problem
	var invalid *record.Problem
	switch {
	case err == nil:
		return ""
	case errors.As(err, &own):
		return own.Code
	case errors.As(err, &request):
		return string(request.Code)
	case errors.As(err, &invalid):
		return string(invalid.Code)
	default:
		return string(problem.Internal)
	}
}

// Message is a sentence for people, in 简体中文 when lang is a tag of Chinese such as "zh-CN", else in English. Where
// several fields are wrong, each has its line.
func Message(err error, lang string) string {
	var own *Error
	var invalid *InvalidError
	chinese := len(lang) >= 2 && strings.EqualFold(lang[:2], "zh")
	switch {
	case err == nil:
		return ""
	case errors.As(err, &own):
		if chinese {
			return sentences[own.Code].zh + waitZH(KeyWait(err))
		}
		return sentences[own.Code].en + waitEN(KeyWait(err))
	case errors.As(err, &invalid):
		lines := make([]string, len(invalid.Problems))
		for i, p := range invalid.Problems {
			lines[i] = record.Message(p.Code, lang)
			if name := invalid.FieldName(p); name != "" {
				lines[i] = name + ": " + lines[i]
			}
		}
		return strings.Join(lines, "\n")
	default:
		return problem.Message(problem.Code(Code(err)), lang)
	}
}

// waitZH and waitEN say how long to wait before the next key.
func waitZH(wait time.Duration) string {
	switch {
	case wait <= 0:
		return ""
	case wait <= 2*time.Minute:
		return fmt.Sprintf("请等 %d 秒后再试。", roundUp(wait, time.Second))
	default:
		return fmt.Sprintf("请等 %d 分钟后再试。", roundUp(wait, time.Minute))
	}
}

func waitEN(wait time.Duration) string {
	switch {
	case wait <= 0:
		return ""
	case wait <= time.Second:
		return " Try again in a second."
	case wait <= 2*time.Minute:
		return fmt.Sprintf(" Try again in %d seconds.", roundUp(wait, time.Second))
	default:
		return fmt.Sprintf(" Try again in %d minutes.", roundUp(wait, time.Minute))
	}
}

func roundUp(d, unit time.Duration) int64 { return int64((d + unit - 1) / unit) }

// known gives what comes from below its code.
func known(err error) error {
	if err == nil || Code(err) != string(problem.Internal) {
		return err
	}
	var wrong *localdb.WrongKeyError
	switch {
	case errors.As(err, &wrong) && wrong.Early:
		return &Error{CodeKeyWait, err}
	case errors.As(err, &wrong):
		return &Error{CodeKeyWrong, err}
	case errors.Is(err, localdb.ErrKeyNeeded):
		return &Error{CodeKeyNeeded, err}
	case errors.Is(err, localdb.ErrKeyWeak):
		return &Error{CodeKeyWeak, err}
	case errors.Is(err, localdb.ErrKeyMissing):
		return &Error{CodeKeyMissing, err}
	case errors.Is(err, localdb.ErrKeyDamaged):
		return &Error{CodeKeyDamaged, err}
	case errors.Is(err, localdb.ErrKeyDestroyed):
		return &Error{CodeKeyDestroyed, err}
	case errors.Is(err, localdb.ErrNotEnrolled):
		return &Error{CodeNotEnrolled, nil}
	case errors.Is(err, remote.ErrNotTrusted):
		return &Error{CodeServerNotTrusted, err}
	case errors.Is(err, localdb.ErrForked):
		return &Error{CodeForked, err}
	case errors.Is(err, migrations.ErrNewer):
		return &Error{CodeDatabaseNewer, err}
	case errors.Is(err, localdb.ErrFull):
		return fmt.Errorf("%w: %w", problem.New(problem.StorageFull), err)
	case errors.Is(err, localdb.ErrBusy):
		return &Error{CodeDatabaseBusy, err}
	case errors.Is(err, localdb.ErrDamaged):
		return &Error{CodeDatabaseDamaged, err}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return &Error{CodeCancelled, err}
	default:
		return err
	}
}
