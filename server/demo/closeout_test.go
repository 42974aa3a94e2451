package demo_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"levee/server"
	"levee/server/demo"
	"levee/syncproto/testneed"
)

// closedOut is the demo after its deployment was closed, open still.
func closedOut(t *testing.T, o demo.Options) (*demo.Demo, *demo.Result) {
	t.Helper()
	o.Dir = t.TempDir()
	d, err := demo.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	r, err := d.Replay(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.ClosedOut, err = d.CloseOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d, r
}

// Certificate and archive of the demo verify, and no longer once a byte of them is another one: in every region of either file.
func TestTheDemoIsClosedWithFilesThatVerify(t *testing.T) {
	_, r := closedOut(t, demo.Options{Network: "rough", Language: "zh"})
	for _, path := range []string{r.Certificate, r.Archive} {
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if v, err := server.VerifyFile(context.Background(), path, ""); err != nil || !v.OK {
			t.Fatalf("%s: %+v, %v", path, v, err)
		}
		damaged := filepath.Join(t.TempDir(), filepath.Base(path))
		const regions = 40
		for i := range regions {
			b := bytes.Clone(whole)
			at := i*len(b)/regions + i*7%(len(b)/regions)
			b[at] ^= 1 << (i % 8)
			if err := os.WriteFile(damaged, b, 0o600); err != nil {
				t.Fatal(err)
			}
			if v, err := server.VerifyFile(context.Background(), damaged, ""); err != nil || v.OK || len(v.Faults) == 0 {
				t.Errorf("byte %d of %d of %s changed: %+v, %v", at, len(b), filepath.Base(path), v, err)
			}
		}
	}
}

// The closing report of the demo says what was published, and what each town had, as text that programs find.
func TestTheDemosClosingReportSaysWhatWasPublished(t *testing.T) {
	if _, err := exec.LookPath("pdftotext"); err != nil {
		testneed.Missing(t, "pdftotext (poppler-utils) reads the report")
	}
	_, r := closedOut(t, demo.Options{Network: "good", Language: "zh"})
	text, err := exec.CommandContext(t.Context(), "pdftotext", "-raw", r.ReportPDF, "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	const published = "累计服务 75 天，开展 10 个个案、14 次小组活动、14 次团体活动，受益人群 4130 人"
	if !strings.Contains(string(text), published) {
		t.Errorf("it does not say %s:\n%s", published, text)
	}
	for _, site := range r.BySite {
		line := regexp.MustCompile(fmt.Sprintf(`%s.*\b%d\b.*\b%d\b.*\b%d\b.*\b%d\b`, site.Name, site.Cases, site.GroupSessions, site.CommunityActivities, site.Beneficiaries))
		if !line.Match(text) {
			t.Errorf("no line has what %s had: %+v\n%s", site.Name, site.Divided, text)
		}
	}
}

// traces are who the demo's clients are and what was written about them.
var traces = []string{"演示人物1", "演示人物7", "000-0000-0001", "组员轮流分享近况"}

// found are the traces in the files of a folder, but for the keys.
func found(t *testing.T, dir string) (all []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, trace := range traces {
			if bytes.Contains(b, []byte(trace)) {
				all = append(all, filepath.Base(file)+": "+trace)
			}
		}
	}
	return all
}

// Once personal data is erased nothing of the demo's clients is left in any file, and all that was signed holds.
func TestNothingOfTheDemosClientsIsLeftOnceTheyAreErased(t *testing.T) {
	d, r := closedOut(t, demo.Options{Network: "good"})
	dir := filepath.Dir(d.Database())
	if got := found(t, dir); len(got) < len(traces) {
		t.Fatalf("before, these alone are there: %v", got)
	}
	if err := d.Erase(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := filepath.Join(dir, "after.levee")
	if _, err := server.Archive(t.Context(), d.Database(), after, server.ArchiveOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := found(t, dir); len(got) > 0 {
		t.Errorf("left: %v", got)
	}
	for _, path := range []string{r.Certificate, r.Archive, after} {
		if v, err := server.VerifyFile(t.Context(), path, ""); err != nil || !v.OK {
			t.Errorf("%s: %+v, %v", path, v, err)
		}
	}
	var out bytes.Buffer
	if equal, err := server.Recount(t.Context(), d.Database(), &out, false); err != nil || !equal {
		t.Errorf("recount: %v\n%s", err, &out)
	}
}
