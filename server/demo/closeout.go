package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"levee/server"
)

// ClosedOut are the files that closing the deployment leaves beside the databases.
type ClosedOut struct {
	// Certificate is a path, as the others are: of the signed totals, edition 1.
	Certificate string `json:"certificate"`
	// ReportPDF is the closing report in the language of the demo, Archive the deployment in one file.
	ReportPDF string `json:"report_pdf"`
	Archive   string `json:"archive"`
}

// checkBody is a check of the checklist as the API tells it.
type checkBody struct {
	Check        string
	Open, Waived int
	Items        []struct{ Subject string }
}

// closeOutBody is what the API tells of the close-out.
type closeOutBody struct {
	State  string
	Checks []checkBody
	Work   *struct {
		Ended   *time.Time `json:"ended_at"`
		Problem string
	}
}

// eraseFrom is the day from which personal data is to be erased: half a year after the last one.
const eraseFrom = "2022-06-06"

// waived is why the coordinator lets pass what such a replay leaves over: nobody supervised it, and it has nowhere to go on.
var waived = map[bool]string{
	false: "A replay: there was nobody to review, and no station to go on with the cases.",
	true:  "重演：没有督导审核，也没有后续承接的服务站。",
}

// CloseOut closes the deployment the day after its last, as its coordinator does, by the JSON API: announces it, hears from every tablet,
// waives with a reason what is still open, and closes it. It leaves the certificate, the closing report and the archive beside the
// databases.
func (d *Demo) CloseOut(ctx context.Context) (*ClosedOut, error) {
	if d.temporary {
		return nil, errors.New("closing the deployment leaves files: say in which folder")
	}
	d.clock.set(Days, 12*60)
	token, err := d.server.NewToken(ctx, coordinator, []string{"read", "manage"}, tokenLife)
	if err != nil {
		return nil, err
	}
	if err := d.call(ctx, token, http.MethodPut, "/api/close-out/announcement", map[string]string{"end_on": lastDay.String(), "erase_on": eraseFrom}, nil); err != nil {
		return nil, err
	}
	if err := d.hearFromAll(ctx); err != nil {
		return nil, err
	}
	if err := d.waive(ctx, token); err != nil {
		return nil, err
	}
	if err := d.call(ctx, token, http.MethodPost, "/api/close-out/closing", nil, nil); err != nil {
		return nil, err
	}
	if err := d.closed(ctx, token); err != nil {
		return nil, err
	}
	if err := d.hearFromAll(ctx); err != nil { // so that they tell their workers
		return nil, err
	}
	return d.leave(ctx)
}

// hearFromAll has every tablet sync to the end, however bad the link.
func (d *Demo) hearFromAll(ctx context.Context) error {
	all := slices.Concat(d.teams...)
	for _, t := range all {
		t.caughtUp = false
	}
	for range maxRounds {
		left := slices.DeleteFunc(slices.Clone(all), func(t *tablet) bool { return t.caughtUp })
		if len(left) == 0 {
			return nil
		}
		if err := together(ctx, left); err != nil {
			return err
		}
		d.clock.advance(time.Second)
	}
	return fmt.Errorf("after %d rounds some tablets were not heard from", maxRounds)
}

// waive lets pass what is open, with the reason.
func (d *Demo) waive(ctx context.Context, token string) error {
	var list closeOutBody
	if err := d.call(ctx, token, http.MethodGet, "/api/close-out", nil, &list); err != nil {
		return err
	}
	reason := waived[strings.HasPrefix(d.options.Language, "zh")]
	for _, c := range list.Checks {
		if c.Open <= c.Waived {
			continue
		}
		if err := d.call(ctx, token, http.MethodPost, "/api/close-out/waivers", map[string]string{"check": c.Check, "reason": reason}, nil); err != nil {
			return err
		}
	}
	return nil
}

// closed waits until the totals are recounted and signed.
func (d *Demo) closed(ctx context.Context, token string) error {
	for {
		var list closeOutBody
		if err := d.call(ctx, token, http.MethodGet, "/api/close-out", nil, &list); err != nil {
			return err
		}
		if list.Work != nil && list.Work.Ended != nil {
			if list.Work.Problem != "" || list.State != "closed" {
				return fmt.Errorf("the deployment is %s: %s", list.State, list.Work.Problem)
			}
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// leave writes the files.
func (d *Demo) leave(ctx context.Context) (*ClosedOut, error) {
	c := &ClosedOut{Certificate: filepath.Join(d.dir, "certificate.json"), ReportPDF: filepath.Join(d.dir, "report.pdf"), Archive: filepath.Join(d.dir, "henan.levee")}
	file, err := server.Certificate(ctx, d.Database(), "", 0)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(c.Certificate, file, 0o600); err != nil {
		return nil, err
	}
	if _, err := server.ClosingReport(ctx, d.Database(), server.ClosingReportOptions{Lang: d.options.Language, Format: "pdf", Out: c.ReportPDF}); err != nil {
		return nil, err
	}
	if _, err := server.Archive(ctx, d.Database(), c.Archive, server.ArchiveOptions{Keys: d.keys(), Wall: d.clock.wall}); err != nil {
		return nil, err
	}
	return c, nil
}
