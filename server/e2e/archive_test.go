package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/servertest"
	"levee/syncproto/certificate"
	recordv1 "levee/syncproto/levee/record/v1"
)

// A closed deployment is archived, verified and read with the program alone, in a real browser; one byte less, and it is not.
func TestAnArchiveIsWrittenVerifiedAndRead(t *testing.T) {
	d := servertest.New(t)
	anna := d.Enrol("anna")
	anna.Push(anna.Make(&recordv1.Case{Site: d.Sites[0][:], CaseNo: proto.String("HN-0007"), OpenedOn: proto.Int32(20211001), ClientCount: proto.Uint32(2),
		Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(), Lead: anna.Worker[:]}))
	issued := d.Issue(d.Certify(1))
	keys, err := json.Marshal(map[string][]byte{"signing_key": d.Keys.Signing.Seed(), "proof_key": d.Keys.ProofKey})
	if err != nil {
		t.Fatal(err)
	}
	o := &operator{t: t, dir: t.TempDir(), lang: "zh_CN.UTF-8"}
	path := func(name string) string { return filepath.Join(o.dir, name) }
	write := func(name string, b []byte) {
		t.Helper()
		if err := os.WriteFile(path(name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("keys", keys)
	write("certificate.json", issued)
	o.want(0, "第 1 版", "archive", "--db", d.Path(), "--keys", path("keys"), "henan.levee")
	o.want(0, "个案：1", "verify", "henan.levee")
	o.want(0, "Cases: 1", "verify", "--lang", "en", "henan.levee")
	o.want(0, "\nok\n", "verify", "certificate.json", "--key", certificate.Fingerprint(d.Keys.PublicKey()))
	o.want(1, "密钥不是预期的", "verify", "henan.levee", "--key", "0000")
	o.want(0, `"ok":true`, "verify", "--json", "henan.levee")
	o.want(0, "All equal.", "recount", "--db", "henan.levee")
	whole, err := os.ReadFile(path("henan.levee"))
	if err != nil {
		t.Fatal(err)
	}
	write("copy.levee", whole) // a server leaves the file beside it by which it holds a database
	o.want(1, "leveed open-archive", "serve", "--db", "copy.levee", "--listen", "127.0.0.1:0")
	for name, of := range map[string][]byte{"archive": whole, "certificate": issued} {
		b := bytes.Clone(of)
		b[len(b)/3] ^= 4
		write("changed", b)
		o.want(1, map[string]string{"archive": "block_changed", "certificate": "第 "}[name], "verify", "changed")
	}
	o.want(1, "没有通过核验", "open-archive", "changed")

	command := exec.Command(program(t, "leveed"), "open-archive", path("henan.levee"))
	command.Env = append(os.Environ(), "LC_ALL=zh_CN.UTF-8")
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill() })
	link := ""
	for lines := bufio.NewScanner(out); link == "" && lines.Scan(); {
		if line := strings.TrimSpace(lines.Text()); strings.HasPrefix(line, "http://127.0.0.1:") {
			link = line
		}
	}
	if link == "" {
		t.Fatal("it printed no link")
	}
	base, _, _ := strings.Cut(link, "/open/")
	b := openBrowser(t, laptop, "zh-CN")
	b.open(link).sees("这是行动档案：第 1 版", "个案").accessible()
	b.follow("人员").sees("anna", "只能查阅")
	b.fill("搜索", "HN-0007").tap("搜索").sees("个案 HN-0007")
	b.open(base + "/account").tap("修改密码").sees("这是行动档案，只能查阅，不能改动。")
	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := command.Wait(); err != nil {
		t.Errorf("it did not stop well: %v", err)
	}
	now, err := os.ReadFile(path("henan.levee"))
	beside, gerr := filepath.Glob(path("henan.levee?*"))
	if err != nil || gerr != nil || !bytes.Equal(now, whole) || len(beside) > 0 {
		t.Errorf("the archive was written to, or beside it: %v, %v", beside, err)
	}
}
