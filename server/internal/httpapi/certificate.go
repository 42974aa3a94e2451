package httpapi

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"

	"levee/server/internal/access"
	"levee/server/internal/casefile"
	"levee/server/internal/closeout"
	"levee/syncproto/certificate"
	"levee/syncproto/problem"
)

// mountCertificates adds the routes of the editions of the certificate, and of what is told of each.
func (a *api) mountCertificates(h huma.API) {
	routeAt(h, access.SeeTotals, "certificates", "/api/close-out/certificates", "The editions of the certificate, the first one first", a.certificates)
	give(h, http.StatusAccepted, access.CloseDeployment, "issue", "/api/close-out/certificates", "Issue the next edition in the background, once it is decided on addenda", a.issue)
	file := huma.Operation{OperationID: "get-certificate", Method: http.MethodGet, Path: "/api/close-out/certificates/{edition}", Summary: "The file of one edition, byte by byte as it was signed", DefaultStatus: http.StatusOK,
		Metadata: map[string]any{actionOf: access.SeeTotals}, Responses: map[string]*huma.Response{"200": {Description: "The file.", Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Type: huma.TypeObject}}}}}}
	huma.Register(h, file, a.certificateFile)
	report := huma.Operation{OperationID: "get-closing-report", Method: http.MethodGet, Path: "/api/close-out/certificates/{edition}/report.pdf", Summary: "The closing report of one edition as a PDF, in the language asked for, for who sees all totals", DefaultStatus: http.StatusOK,
		Metadata: map[string]any{actionOf: access.SeeTotals}, Responses: map[string]*huma.Response{"200": {Description: "The file.", Content: map[string]*huma.MediaType{"application/pdf": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}}}
	huma.Register(h, report, a.closingReport)
}

type certificatesBody struct {
	Certificates []editionView `json:"certificates" nullable:"false"`
}

type editionView struct {
	Edition     int       `json:"edition" example:"1"`
	IssuedAt    time.Time `json:"issued_at"`
	IssuedBy    namedView `json:"issued_by"`
	SHA256      string    `json:"sha256" doc:"Of its file, in hexadecimal digits."`
	Key         string    `json:"key" doc:"Fingerprint of the key that signed it."`
	Differences int       `json:"differences" doc:"Lines in which it differs from the edition before."`
}

func (a *api) certificates(ctx context.Context, in *struct{ Scope }) (*answer[certificatesBody], error) {
	return reply(ctx, a, in.Scope, func(d *Deployment, _ string) (certificatesBody, error) {
		body := certificatesBody{Certificates: []editionView{}}
		editions, err := d.Closeout.Editions(ctx)
		for _, e := range editions {
			body.Certificates = append(body.Certificates, editionView{e.Edition, e.Issued.At, namedView{idText(e.Issued.Worker), e.Issued.Name}, certificate.Hash(e.File), certificate.Fingerprint(e.Key), len(e.Differences)})
		}
		return body, err
	})
}

func (a *api) issue(ctx context.Context, in *struct{ Scope }) (*given[workView], error) {
	return a.begun(ctx, in.Scope, func(d *Deployment, by casefile.Reader) error { return d.Closeout.BeginIssuing(by) })
}

type editionIn struct {
	Scope
	Edition int `path:"edition" minimum:"1" doc:"Which one, from 1."`
}

func (a *api) certificateFile(ctx context.Context, in *editionIn) (*huma.StreamResponse, error) {
	_, e, err := a.edition(ctx, in)
	if err != nil {
		return nil, a.refusal(err, in.Asked)
	}
	return a.blob("application/json", e.File), nil
}

// closingReport is the report of an edition. It has all totals: whoever sees those of some teams alone finds none.
func (a *api) closingReport(ctx context.Context, in *editionIn) (*huma.StreamResponse, error) {
	d, e, err := a.edition(ctx, in)
	if err != nil {
		return nil, a.refusal(err, in.Asked)
	}
	if whole, _ := sight(ctx, d); !whole {
		return nil, a.refusal(problem.New(problem.NotFound), in.Asked)
	}
	r, err := d.Final.MakeAsSet(ctx, e.File, languageOf(in.AcceptLanguage))
	if err != nil {
		return nil, a.refusal(err, in.Asked)
	}
	var drawn bytes.Buffer
	if err := r.WritePDF(&drawn); err != nil {
		return nil, a.refusal(err, in.Asked)
	}
	return a.blob("application/pdf", drawn.Bytes()), nil
}

// edition is the edition of a deployment's certificate that a request names.
func (a *api) edition(ctx context.Context, in *editionIn) (*Deployment, *closeout.Edition, error) {
	d, err := a.enter(ctx, in.Deployment)
	if err != nil {
		return nil, nil, err
	}
	editions, err := d.Closeout.Editions(ctx)
	if err != nil {
		return nil, nil, err
	}
	i := slices.IndexFunc(editions, func(e closeout.Edition) bool { return e.Edition == in.Edition })
	if i < 0 {
		return nil, nil, problem.New(problem.NotFound)
	}
	return d, &editions[i], nil
}

// blob is an answer that is a file.
func (a *api) blob(contentType string, content []byte) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		c := humaecho.Unwrap(ctx)
		if err := c.Blob(http.StatusOK, contentType, content); err != nil {
			a.answerError(err, c)
		}
	}}
}
