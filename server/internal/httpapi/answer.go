package httpapi

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"levee/server/internal/progress"
	"levee/syncproto/hlc"
)

// answer is what is sent; with status 304 it has no body.
type answer[B any] struct {
	Status   int
	ETag     string `header:"ETag" doc:"Changes whenever this answer may have changed."`
	Language string `header:"Content-Language"`
	Body     B
}

// Asked is what every request may say.
type Asked struct {
	AcceptLanguage string `header:"Accept-Language" doc:"中文 or English; English when absent." example:"zh-CN"`
	IfNoneMatch    string `header:"If-None-Match" doc:"ETag of the answer that the caller has."`
}

// Scope is the deployment that a request is about.
type Scope struct {
	Asked
	Deployment string `query:"deployment" format:"uuid" doc:"Id of the deployment. It may be left out by who sees only one."`
}

// Paging says which part of a list is wanted.
type Paging struct {
	After string `query:"after" format:"uuid" doc:"The next of the page before; absent for the first page."`
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many rows to give at most."`
}

func (p Paging) page() progress.Page[hlc.ID] {
	after, _ := uuid.Parse(p.After) // validated; empty is the zero id
	return progress.Page[hlc.ID]{After: after, Limit: p.Limit}
}

// refusal is an error as it is answered.
func (a *api) refusal(err error, asked Asked) error {
	return bodyOf(a.toProblem(err), languageOf(asked.AcceptLanguage))
}

// reply answers a request about a deployment, unless the caller has the answer already. The version is read before what
// it stands for, so that an ETag can be too old and never too new.
func reply[B any](ctx context.Context, a *api, s Scope, read func(d *Deployment, lang string) (B, error)) (*answer[B], error) {
	return replyAt(ctx, a, s, func(*Deployment) (uint64, error) { return 0, nil }, read)
}

// replySorted is reply for what is read from the tables of package indexing: how far these are behind belongs to the version.
func replySorted[B any](ctx context.Context, a *api, s Scope, read func(d *Deployment, lang string) (B, error)) (*answer[B], error) {
	return replyAt(ctx, a, s, func(d *Deployment) (uint64, error) { return d.Indexing.Behind(ctx) }, read)
}

func replyAt[B any](ctx context.Context, a *api, s Scope, behind func(*Deployment) (uint64, error), read func(d *Deployment, lang string) (B, error)) (*answer[B], error) {
	lang := languageOf(s.AcceptLanguage)
	d, err := a.enter(ctx, s.Deployment)
	if err != nil {
		return nil, a.refusal(err, s.Asked)
	}
	version, err := d.Progress.Version(ctx)
	if err != nil {
		return nil, a.refusal(err, s.Asked)
	}
	unsorted, err := behind(d)
	if err != nil {
		return nil, a.refusal(err, s.Asked)
	}
	out := &answer[B]{Language: lang, ETag: fmt.Sprintf(`W/"%x-%x-%x-%x-%s"`, version.Position, version.Contact, int32(version.Day), unsorted, lang)}
	if matches(s.IfNoneMatch, out.ETag) {
		out.Status = http.StatusNotModified
		return out, nil
	}
	out.Status = http.StatusOK
	if out.Body, err = read(d, lang); err != nil {
		return nil, a.refusal(err, s.Asked)
	}
	return out, nil
}

// replyWhole is reply for what changes without the log's growing: the ETag is the digest of the answer.
func replyWhole[B any](ctx context.Context, a *api, s Scope, read func(d *Deployment, lang string) (B, error)) (*answer[B], error) {
	out := &answer[B]{Status: http.StatusOK, Language: languageOf(s.AcceptLanguage)}
	d, err := a.enter(ctx, s.Deployment)
	if err != nil {
		return nil, a.refusal(err, s.Asked)
	}
	if out.Body, err = read(d, out.Language); err != nil {
		return nil, a.refusal(err, s.Asked)
	}
	encoded, err := json.Marshal(out.Body)
	if err != nil {
		return nil, a.refusal(err, s.Asked)
	}
	digest := sha256.Sum256(encoded)
	if out.ETag = fmt.Sprintf(`W/"%x-%s"`, digest[:12], out.Language); matches(s.IfNoneMatch, out.ETag) {
		var none B
		out.Status, out.Body = http.StatusNotModified, none
	}
	return out, nil
}

// matches reports whether a list of ETags has one, compared weakly.
func matches(list, etag string) bool {
	for one := range strings.SplitSeq(list, ",") {
		if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == strings.TrimPrefix(etag, "W/") {
			return true
		}
	}
	return false
}
