package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"google.golang.org/protobuf/proto"

	"levee/server"
	recordv1 "levee/syncproto/levee/record/v1"
)

// Case files go to a station, beside the running server, and only its key opens them.
func TestCaseFilesAreHandedOver(t *testing.T) {
	c := newCamp(t, nil)
	anna := c.tablets[0]
	file, err := anna.LogCase(c.ctx, &recordv1.Case{CaseNo: proto.String("WZ-1"), OpenedOn: proto.Int32(20260102), ClientCount: proto.Uint32(1), Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(),
		ServiceArea: recordv1.ServiceArea_SERVICE_AREA_PSYCHOLOGICAL_SUPPORT.Enum()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := anna.LogCaseIdentity(c.ctx, &recordv1.CaseIdentity{Case: file[:], Name: &clientTraces[0], Phone: &clientTraces[2]}); err != nil {
		t.Fatal(err)
	}
	c.syncAll()
	private, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	o := &operator{t: t, dir: t.TempDir(), lang: "zh_CN.UTF-8"}
	keys, phrase, short := filepath.Join(o.dir, "station.key"), filepath.Join(o.dir, "phrase"), filepath.Join(o.dir, "short")
	for path, text := range map[string]string{keys: "# a station\n" + private.String() + "\n", phrase: "三更灯火五更鸡，正是男儿读书时\n黑发\n", short: "123456\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	to := []string{"hand-over", "--db", c.config.DB, "--to", private.Recipient().String()}
	o.want(1, "没有这样的个案：WZ-2", append(to, "--case", "WZ-1", "--case", "WZ-2", "--out", "a.zip.age")...)
	o.want(1, "不是 age 公钥", "hand-over", "--db", c.config.DB, "--to", "age1x", "--all", "--out", "a.zip.age")
	o.want(1, "口令至少", "hand-over", "--db", c.config.DB, "--passphrase-file", short, "--all", "--out", "a.zip.age")
	o.want(0, "以下个案没有“转介提供”的同意：WZ-1", append(to, "--case", "WZ-1", "--out", "a.zip.age")...)
	o.want(1, "已存在", append(to, "--all", "--out", "a.zip.age")...)
	o.lang = "en_US.UTF-8"
	o.want(0, "Tell the passphrase another way", "hand-over", "--db", c.config.DB, "--passphrase-file", phrase, "--all", "--out", "b.zip.age")
	if in := found(t, o.dir); len(in) > 0 {
		t.Errorf("found in the open in %v", in)
	}
	o.want(1, "can't be opened", "open-hand-over", "b.zip.age", "--identity", keys, "--out", "opened")
	o.want(0, "2 files, in the open", "open-hand-over", "b.zip.age", "--passphrase-file", phrase, "--out", "opened")
	out, errs, exit := o.run("open-hand-over", "--json", "a.zip.age", "--identity", keys, "--out", "station")
	var opened server.Opened
	if err := json.Unmarshal([]byte(out), &opened); err != nil || exit != 0 || len(opened.Files) != 2 {
		t.Fatalf("exit %d, %v\n%s%s", exit, err, out, errs)
	}
	if page, err := os.ReadFile(filepath.Join(o.dir, "station", "WZ-1.html")); err != nil || !strings.Contains(string(page), clientTraces[0]) {
		t.Errorf("%v\n%s", err, page)
	}
	if _, answer := c.ask("/api/audit"); strings.Count(answer, `"case_handed_over"`) != 2 || strings.Count(answer, `"case_handed_over_to"`) != 2 {
		t.Errorf("the audit log says %s", answer)
	}
	c.sound()
}
