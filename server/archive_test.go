package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"levee/server"
	"levee/server/internal/servertest"
	"levee/server/internal/webtest"
	"levee/syncproto/certificate"
)

// archived is the archive of a database with one case in it, and the certificate of it.
func archived(t *testing.T) (d *servertest.Deployment, file string, issued []byte) {
	t.Helper()
	d = recounted(t)
	d.Close() // the text of the case is in the database by now
	d.Open()
	issued = d.Issue(d.Certify(1))
	keys, err := json.Marshal(map[string][]byte{"signing_key": d.Keys.Signing.Seed(), "proof_key": d.Keys.ProofKey})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.Path()+".keys", keys, 0o600); err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "henan.levee")
	made, err := server.Archive(context.Background(), d.Path(), file, server.ArchiveOptions{Wall: d.Wall})
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || made.Edition != 1 || made.Deployment != d.ID || info.Size() <= made.Bytes || info.Mode().Perm() != 0o600 {
		t.Errorf("%+v, %v", made, err)
	}
	return d, file, issued
}

func TestAnArchiveVerifiesAndIsRecounted(t *testing.T) {
	d, file, issued := archived(t)
	alone := filepath.Join(t.TempDir(), "certificate.json")
	if err := os.WriteFile(alone, issued, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{file, alone} {
		for key, ok := range map[string]bool{"": true, certificate.Fingerprint(d.Keys.PublicKey()): true, "0000-0000": false} {
			found, err := server.VerifyFile(context.Background(), name, key)
			if err != nil || found.OK != ok {
				t.Errorf("%s by %q: %+v, %v", name, key, found, err)
				continue
			}
			var b bytes.Buffer
			if err := found.Print(&b, "zh_CN.UTF-8"); err != nil || strings.HasSuffix(b.String(), "\nok\n") != ok || !strings.Contains(b.String(), "个案：1") {
				t.Errorf("%s, %v", b.String(), err)
			}
		}
	}
	equal, out := recount(t, file, false)
	if !equal || !strings.Contains(out, "reported  cases") {
		t.Errorf("recount of the archive: %s", out)
	}
	var refused *server.Refusal
	if _, err := server.Archive(context.Background(), d.Path(), filepath.Join(t.TempDir(), "other"), server.ArchiveOptions{Deployment: "x"}); !errors.As(err, &refused) || refused.Code != server.DeploymentUnclear {
		t.Errorf("of no deployment: %v", err)
	}
}

// Whoever takes an archive for a database finds it as it was, with nothing beside it.
func TestNothingIsDoneToAnArchive(t *testing.T) {
	d, file, _ := archived(t)
	ctx := context.Background()
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, do := range map[string]func() error{
		"a server":         func() error { _, err := server.New(ctx, server.Config{DB: file}); return err },
		"a restore":        func() error { _, err := server.Restore(ctx, d.Path(), file, server.RestoreOptions{}); return err },
		"accepting a time": func() error { _, err := server.AcceptTime(ctx, file); return err },
	} {
		var refused *server.Refusal
		if err := do(); !errors.As(err, &refused) || refused.Code != server.DatabaseArchive {
			t.Errorf("%s: %v", name, err)
		}
		now, err := os.ReadFile(file)
		if err != nil || !bytes.Equal(now, whole) {
			t.Errorf("%s: the archive is another one, %v", name, err)
		}
		if there, err := filepath.Glob(filepath.Join(filepath.Dir(file), "*")); err != nil || len(there) != 1 {
			t.Errorf("%s leaves %v, %v", name, there, err)
		}
	}
}

func TestADeploymentWithoutACertificateIsNotArchived(t *testing.T) {
	d := recounted(t)
	keys, err := json.Marshal(map[string][]byte{"signing_key": d.Keys.Signing.Seed(), "proof_key": d.Keys.ProofKey})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.Path()+".keys", keys, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = server.Archive(context.Background(), d.Path(), filepath.Join(t.TempDir(), "early"), server.ArchiveOptions{Wall: d.Wall})
	var refused *server.Refusal
	if !errors.As(err, &refused) || refused.Code != server.NotClosed {
		t.Errorf("%v", err)
	}
}

// Whoever opens an archive reads its pages, and can't change anything: not in it, and not in what is shown.
func TestAnArchiveIsReadInABrowser(t *testing.T) {
	d, file, _ := archived(t)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	a, err := server.OpenArchive(context.Background(), file, "https://archive.example", "zh_CN.UTF-8", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewTLSServer(a.Handler())
	defer s.Close()
	_, entrance, _ := strings.Cut(a.Link, "https://archive.example")
	b := webtest.New(t, s.URL, s.Client(), "zh")
	in := "/deployments/" + d.ID.String()
	b.Open(in).Sees("登录")
	b.Open(entrance).Is(http.StatusOK).Sees("这是行动档案：第 1 版", "个案")
	for _, page := range []string{in, in + "/figures/cases", in + "/figures/cases/records?by=whole&basis=reported", in + "/people", in + "/search", in + "/tablets", in + "/reports", in + "/closeout/certificates/1", in + "/closeout/report/1", "/account"} {
		b.Open(page).Is(http.StatusOK).Sees("这是行动档案", "只能查阅")
	}
	b.Open(in+"/figures/cases/records?by=whole&basis=reported").Follow("个案 HN-0007").Is(http.StatusOK).Sees("HN-0007", "anna")
	b.Do(http.MethodPost, in+"/search", url.Values{"q": {"HN-0007"}})
	b.Is(http.StatusOK).Sees("HN-0007")
	for _, deed := range []string{in + "/set-up/deployment", in + "/people/new", in + "/exports", in + "/tablets/codes", "/account", "/deployments/new", "/api/enrolment-codes", "/levee.sync.v1.SyncService/Sync"} {
		b.Do(http.MethodPost, deed, url.Values{"name": {"x"}})
		b.Is(http.StatusForbidden)
		if !strings.HasPrefix(deed, "/api/") && !strings.HasPrefix(deed, "/levee.") {
			b.Sees("这是行动档案，只能查阅，不能改动。")
		}
	}
	other := webtest.New(t, s.URL, s.Client(), "en")
	other.Open(entrance)
	if other.Status == http.StatusOK && strings.Contains(other.Text, "HN-0007") || other.At.Path == in {
		t.Error("the link was good twice")
	}
	var said bytes.Buffer
	if err := a.Welcome(&said, "zh"); err != nil || !strings.Contains(said.String(), a.Link) {
		t.Errorf("%s, %v", said.String(), err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	now, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(now, whole) {
		t.Errorf("the archive was written to, %v", err)
	}
	for _, beside := range []string{"-wal", "-journal", ".keys", ".journal", ".lock"} {
		if _, err := os.Stat(file + beside); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("beside it stands %s: %v", beside, err)
		}
	}
	var refused *server.Refusal
	whole[5000] ^= 1
	if err := os.WriteFile(file, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := server.OpenArchive(context.Background(), file, "", "", slog.New(slog.DiscardHandler)); !errors.As(err, &refused) || refused.Code != server.ArchiveNotSound {
		t.Errorf("a changed one: %v", err)
	}
}
