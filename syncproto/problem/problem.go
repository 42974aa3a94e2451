// Package problem holds the errors that people and programs meet: a stable code, a sentence in each language, and one
// table that maps codes to Connect and HTTP in both directions. What is not in the table is never shown to anyone.
package problem

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"connectrpc.com/connect"

	syncv1 "levee/syncproto/levee/sync/v1"
)

// Code names a problem, for ever.
type Code string

// The problems of a whole request. Codes of single held changes are in package record.
const (
	Malformed            Code = "malformed"
	ProtocolUnsupported  Code = "protocol_unsupported"
	BodyTooLarge         Code = "body_too_large"
	BatchTooLarge        Code = "batch_too_large"
	ReplicaNotYours      Code = "replica_not_yours"
	SignatureInvalid     Code = "signature_invalid"
	Unauthenticated      Code = "unauthenticated"
	DeviceUnknown        Code = "device_unknown"
	DeviceRevoked        Code = "device_revoked"
	ClockSkew            Code = "clock_skew"
	EnrolmentCodeInvalid Code = "enrolment_code_invalid"
	EnrolmentCodeExpired Code = "enrolment_code_expired"
	EnrolmentCodeUsed    Code = "enrolment_code_used"
	NotFound             Code = "not_found"
	NotAllowed           Code = "not_allowed"
	InvalidArgument      Code = "invalid_argument"
	ChangedMeanwhile     Code = "changed_meanwhile"
	Busy                 Code = "busy"
	TooManyRequests      Code = "too_many_requests"
	Unavailable          Code = "unavailable"
	StorageFull          Code = "storage_full"
	SignInFailed         Code = "sign_in_failed"
	TimeCodeNeeded       Code = "time_code_needed"
	PasswordWeak         Code = "password_weak"
	LoginTaken           Code = "login_taken"
	MemberTaken          Code = "member_taken"
	LinkInvalid          Code = "link_invalid"
	LastAdministrator    Code = "last_administrator"
	Frozen               Code = "frozen"
	ReadOnly             Code = "read_only"
	NotReady             Code = "not_ready"
	WrongState           Code = "wrong_state"
	TotalsDiffer         Code = "totals_differ"
	Unchanged            Code = "unchanged"
	Uncertified          Code = "uncertified"
	FileWrong            Code = "file_wrong"
	Internal             Code = "internal"
)

// entry is all that is known of a code. Where two codes share a Connect code, the Problem detail tells them apart.
type entry struct {
	connect connect.Code
	http    int
	zh, en  string
}

var table = map[Code]entry{
	Malformed: {connect.CodeInvalidArgument, http.StatusBadRequest,
		"请求内容不完整或已损坏，请重试；若反复出现，请更新程序。", "The request is damaged. Try again; if it happens again, update the program."},
	ProtocolUnsupported: {connect.CodeFailedPrecondition, http.StatusUpgradeRequired,
		"程序版本与服务器不兼容，请更新程序。本机记录不受影响。", "This program and the server do not understand each other. Update the program; records on this tablet are safe."},
	BodyTooLarge: {connect.CodeResourceExhausted, http.StatusRequestEntityTooLarge,
		"一次发送的内容太多，请分批发送。", "Too much was sent at once. Send it in smaller parts."},
	BatchTooLarge: {connect.CodeResourceExhausted, http.StatusRequestEntityTooLarge,
		"一批更改太多或太大，请分批发送。", "Too many changes, or too large ones, were sent at once. Send them in smaller parts."},
	ReplicaNotYours: {connect.CodePermissionDenied, http.StatusForbidden,
		"这些更改不属于本机，未被接收。请联系协调员。", "These changes do not belong to this tablet and were not taken. Ask your coordinator."},
	SignatureInvalid: {connect.CodePermissionDenied, http.StatusForbidden,
		"签名无效，内容可能在途中损坏，请重试。", "The signature does not match; the content may have been damaged on its way. Try again."},
	Unauthenticated: {connect.CodeUnauthenticated, http.StatusUnauthorized,
		"无法确认身份，请重试；若反复出现，请联系协调员。", "Who is asking could not be confirmed. Try again; if it happens again, ask your coordinator."},
	DeviceUnknown: {connect.CodeUnauthenticated, http.StatusUnauthorized,
		"服务器不认识这台平板。记录仍在本机，请联系协调员。", "The server does not know this tablet. Its records are safe here; ask your coordinator."},
	DeviceRevoked: {connect.CodePermissionDenied, http.StatusForbidden,
		"这台平板已停用，请联系协调员。", "This tablet was revoked. Ask your coordinator."},
	ClockSkew: {connect.CodeFailedPrecondition, http.StatusConflict,
		"本机时间不准，已按服务器时间校正，将自动重试。", "This tablet's clock was wrong; it has been corrected and sending is tried again."},
	EnrolmentCodeInvalid: {connect.CodeNotFound, http.StatusNotFound,
		"登记码不正确，请核对后再输入。", "This enrolment code is not right. Check it and enter it again."},
	EnrolmentCodeExpired: {connect.CodeFailedPrecondition, http.StatusGone,
		"登记码已过期，请向督导或协调员索取新的。", "This enrolment code has expired. Ask a supervisor or coordinator for a new one."},
	EnrolmentCodeUsed: {connect.CodeFailedPrecondition, http.StatusConflict,
		"登记码已被另一台平板使用，请索取新的。", "Another tablet has used this enrolment code. Ask for a new one."},
	NotFound: {connect.CodeNotFound, http.StatusNotFound,
		"没有找到。", "There is nothing here by that name."},
	NotAllowed: {connect.CodePermissionDenied, http.StatusForbidden,
		"您没有进行此操作的权限。如有需要，请联系协调员。", "You may not do this. Ask your coordinator if it has to be done."},
	InvalidArgument: {connect.CodeInvalidArgument, http.StatusUnprocessableEntity,
		"参数不正确，请修改后重试。", "Something in the request is not right. Correct it and try again."},
	ChangedMeanwhile: {connect.CodeAborted, http.StatusConflict,
		"这条内容刚刚有人改过，您的操作没有保存。请重新查看后再决定。", "Somebody changed this meanwhile, and nothing was saved. Look at it again, and then decide."},
	Busy: {connect.CodeResourceExhausted, http.StatusTooManyRequests,
		"服务器正忙，稍后会自动重试。", "The server is busy; it is tried again shortly."},
	TooManyRequests: {connect.CodeResourceExhausted, http.StatusTooManyRequests,
		"请求过于频繁，请稍后再试。", "Too many requests. Wait a little and try again."},
	Unavailable: {connect.CodeUnavailable, http.StatusServiceUnavailable,
		"暂时连不上服务器。记录已保存在本机，有信号时会再发送。", "The server can't be reached now. Records are safe on this tablet and are sent when there is a signal."},
	StorageFull: {connect.CodeUnavailable, http.StatusInsufficientStorage,
		"存储空间已满，请清理空间后重试。已保存的记录不受影响。", "The disk is full. Make room and try again; what was saved is safe."},
	SignInFailed: {connect.CodeUnauthenticated, http.StatusUnauthorized,
		"用户名、密码或动态码不正确。", "Login, password or time code is not right."},
	TimeCodeNeeded: {connect.CodeUnauthenticated, http.StatusUnauthorized,
		"请再输入验证器上的动态码。", "Enter the time code of your authenticator as well."},
	PasswordWeak: {connect.CodeInvalidArgument, http.StatusUnprocessableEntity,
		"密码太容易被猜到：请用 10 到 200 个字符，不要用常见密码，也不要包含用户名。", "This password is guessed too easily: take 10 to 200 characters, no common password, and not your login."},
	LoginTaken: {connect.CodeAlreadyExists, http.StatusConflict,
		"这个用户名已被使用，请换一个。", "Somebody has this login already. Take another one."},
	MemberTaken: {connect.CodeAlreadyExists, http.StatusConflict,
		"这位工作人员已有账号，或这个账号在该行动中已对应另一位工作人员。", "This worker has an account already, or the account is another worker in this deployment."},
	LinkInvalid: {connect.CodeNotFound, http.StatusGone,
		"链接不正确、已使用或已过期，请索取新的。", "This link is not right, was used, or has expired. Ask for a new one."},
	LastAdministrator: {connect.CodeFailedPrecondition, http.StatusConflict,
		"这是最后一位管理员，请先指定另一位。", "This is the last administrator. Name another one first."},
	Frozen: {connect.CodeFailedPrecondition, http.StatusConflict,
		"已有记录按此统计，不能再修改。", "Records were counted by this already, so it can't be changed any more."},
	ReadOnly: {connect.CodeFailedPrecondition, http.StatusForbidden,
		"这是行动档案，只能查阅，不能改动。", "This is an archive: it can be read, and nothing in it can be changed."},
	NotReady: {connect.CodeFailedPrecondition, http.StatusConflict,
		"还有检查项没有处理，不能收队。请逐项处理，或说明理由后放行。", "Something is still open, so the deployment can't be closed. Bring it in order, or waive it with a reason."},
	WrongState: {connect.CodeFailedPrecondition, http.StatusConflict,
		"行动目前的状态不能这样做。请刷新后再看。", "The deployment is not in a state in which this can be done. Load the page again and look."},
	TotalsDiffer: {connect.CodeFailedPrecondition, http.StatusConflict,
		"重新统计的结果与合计不一致，不能签发数据确认书。请联系服务器管理员。", "A recount gives other totals, so no certificate can be issued. Tell the server's operator."},
	Unchanged: {connect.CodeFailedPrecondition, http.StatusConflict,
		"自上一版数据确认书以来没有变化，不需要新的版次。", "Nothing has changed since the last edition of the certificate, so there is no need for another one."},
	Uncertified: {connect.CodeFailedPrecondition, http.StatusConflict,
		"自最新一版数据确认书以来有变化。请先签发新的一版，再生成行动档案。", "Something has changed since the newest edition of the certificate. Issue the next edition, then make the archive."},
	FileWrong: {connect.CodeInvalidArgument, http.StatusUnprocessableEntity,
		"文件中有错误，没有导入任何内容。请按指出的位置修改后再试。", "Something in the file is wrong, and nothing of it was imported. Correct what is named, and try again."},
	Internal: {connect.CodeInternal, http.StatusInternalServerError,
		"服务器出错，请稍后再试；如需帮助，请告知编号。", "Something went wrong on the server. Try again later; if you ask for help, give the number."},
}

// Problem is an error that people may see.
type Problem struct {
	Code Code
	// Detail says more, in English, for programmers: which argument, which bound. Never personal data.
	Detail string
	// Incident is the number under which the server's log has the cause; with code internal only.
	Incident string
	// ServerTime is the server's clock; zero when unknown.
	ServerTime time.Time
	// RetryAfter is how long to wait before trying again; 0 leaves it to the caller.
	RetryAfter time.Duration
}

// New is a problem of a code.
func New(code Code) *Problem { return &Problem{Code: code} }

// Newf is a problem with a detail for programmers.
func Newf(code Code, format string, args ...any) *Problem {
	return &Problem{Code: code, Detail: fmt.Sprintf(format, args...)}
}

func (p *Problem) Error() string {
	if p.Detail != "" {
		return string(p.Code) + ": " + p.Detail
	}
	return string(p.Code)
}

// Is matches problems of one code, so that errors.Is(err, problem.New(problem.ClockSkew)) works.
func (p *Problem) Is(target error) bool {
	var t *Problem
	return errors.As(target, &t) && t.Code == p.Code
}

// CodeOf is the code of an error, Internal when it has none.
func CodeOf(err error) Code {
	var p *Problem
	if errors.As(err, &p) {
		return p.Code
	}
	return Internal
}

// Known reports whether a code stands in the table.
func Known(c Code) bool {
	_, ok := table[c]
	return ok
}

// HTTPStatus is the status with which the JSON API answers a code.
func HTTPStatus(c Code) int {
	if e, ok := table[c]; ok {
		return e.http
	}
	return http.StatusInternalServerError
}

// Message is what a person reads; lang is a BCP 47 tag, of which only "zh…" matters.
func Message(c Code, lang string) string {
	e, ok := table[c]
	if !ok {
		e = table[Internal]
	}
	if len(lang) >= 2 && lang[:2] == "zh" {
		return e.zh
	}
	return e.en
}

// ToConnect is the error as it goes over the wire: the code's sentence, and a Problem as detail.
func ToConnect(p *Problem) *connect.Error {
	e, ok := table[p.Code]
	if !ok {
		p, e = &Problem{Code: Internal, Incident: p.Incident, ServerTime: p.ServerTime}, table[Internal]
	}
	err := connect.NewError(e.connect, errors.New(e.en))
	m := &syncv1.Problem{Code: string(p.Code), Incident: p.Incident, RetryAfter: p.RetryAfter.Milliseconds()}
	if !p.ServerTime.IsZero() {
		m.Time = p.ServerTime.UnixMilli()
	}
	if detail, derr := connect.NewErrorDetail(m); derr == nil { // fails on unregistered messages only
		err.AddDetail(detail)
	}
	return err
}

// FromConnect is the problem that an error from the wire carries. An error without one (no network, a proxy's page, a
// time-out) is Unavailable: the tablet keeps all and tries again.
func FromConnect(err error) *Problem {
	var ce *connect.Error
	if errors.As(err, &ce) {
		for _, d := range ce.Details() {
			v, derr := d.Value()
			if m, ok := v.(*syncv1.Problem); derr == nil && ok && Known(Code(m.GetCode())) {
				p := &Problem{Code: Code(m.GetCode()), Incident: m.GetIncident(), RetryAfter: retryAfter(m.GetRetryAfter())}
				if m.GetTime() != 0 {
					p.ServerTime = time.UnixMilli(m.GetTime())
				}
				return p
			}
		}
		// What Connect itself refuses comes without a detail. Only if the server said it, nothing was stored.
		switch {
		case !connect.IsWireError(err):
		case ce.Code() == connect.CodeResourceExhausted:
			return New(BodyTooLarge)
		case ce.Code() == connect.CodeInvalidArgument, ce.Code() == connect.CodeUnimplemented:
			return New(Malformed)
		}
	}
	return Newf(Unavailable, "%v", err)
}

// maxRetryAfter is as long as anybody may be asked to wait: what goes beyond is no time that a server means.
const maxRetryAfter = 24 * time.Hour

func retryAfter(millis int64) time.Duration {
	return time.Duration(min(max(millis, 0), maxRetryAfter.Milliseconds())) * time.Millisecond
}
