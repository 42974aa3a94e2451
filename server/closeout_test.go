package server_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"levee/server"
	"levee/server/internal/access"
	"levee/server/internal/audit"
	"levee/server/internal/casefile"
	"levee/syncproto/certificate"
	"levee/syncproto/hlc"
)

// What the commands tell of a close-out: the checklist in both languages, then the edition, and its file.
func TestTheCloseOutIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "server.db")
	s, err := server.New(t.Context(), server.Config{DB: path, SetUp: &server.SetUp{Name: "演练", Start: "2021-09-23", TimeZone: "Asia/Shanghai", Workers: []server.SetUpWorker{{Name: "周协调", Role: "coordinator"}}}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	d := s.Deployments().All()[0]
	by := casefile.Reader{May: func(access.Action) bool { return true }}
	for id := range d.Syncing.SetUp().Workers {
		by.Person, by.Actor = d.Syncing.Person(id), audit.Actor{Worker: id}
	}
	told := func(lang string) string {
		t.Helper()
		status, err := s.CloseOut(t.Context(), "")
		var out bytes.Buffer
		if err := errors.Join(err, status.Print(&out, lang)); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String(), "%!") {
			t.Error(out.String())
		}
		return out.String()
	}
	if err := d.Closeout.Announce(t.Context(), by, 20211206, 20220606); err != nil {
		t.Fatal(err)
	}
	if zh, en := told("zh_CN.UTF-8"), told("en"); !strings.Contains(zh, "演练：收队中。\n最后一天：2021-12-06。\n") || !strings.Contains(zh, "[未通过] 没有备份：1 项未了结，0 项说明后放行") || !strings.Contains(en, "演练: closing.\nLast day: 2021-12-06.") {
		t.Errorf("%s\n%s", zh, en)
	}
	if _, err := server.Certificate(t.Context(), path, "", 0); !errors.Is(err, server.ErrNoEdition) {
		t.Errorf("before it is closed: %v", err)
	}
	list, err := d.Closeout.Checklist(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list.Checks {
		if c.Blocks() {
			err = errors.Join(err, d.Closeout.Waive(t.Context(), by, c.Check, hlc.ID{}, "备份另存"))
		}
	}
	edition, cerr := d.Closeout.Close(t.Context(), by)
	if err := errors.Join(err, cerr); err != nil {
		t.Fatal(err)
	}
	if zh := told("zh"); !strings.Contains(zh, "演练：已收队。") || !strings.Contains(zh, "数据确认书第 1 版") || !strings.Contains(zh, certificate.Hash(edition.File)) || strings.Contains(zh, "没有备份") {
		t.Error(zh)
	}
	for _, n := range []int{0, 1} {
		if file, err := server.Certificate(t.Context(), path, "", n); err != nil || !bytes.Equal(file, edition.File) {
			t.Errorf("edition %d: %v", n, err)
		}
	}
	if _, err := server.Certificate(t.Context(), path, "", 2); !errors.Is(err, server.ErrNoEdition) {
		t.Errorf("edition 2: %v", err)
	}
}
