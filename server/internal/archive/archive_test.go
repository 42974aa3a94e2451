package archive_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"levee/server/internal/archive"
	"levee/server/internal/database"
	"levee/server/internal/progress"
	"levee/server/internal/servertest"
	"levee/server/internal/store"
	"levee/server/internal/store/sqlite"
	"levee/server/internal/syncing"
	"levee/syncproto/certificate"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/testneed"
)

// What must not be in an archive.
const (
	clientName  = "张桂花"
	clientPhone = "13800001234"
	clientNote  = "夜里睡不好"
	clientToken = "a token of 16 by"
	workerPhone = "13911112222"
)

var secrets = []string{clientName, clientPhone, clientNote, clientToken, workerPhone}

// worked is a deployment with a case of everything, and what others did.
func worked(t testing.TB) *servertest.Deployment {
	t.Helper()
	d := servertest.New(t)
	anna, carl := d.Enrol("anna"), d.Enrol("carl")
	file := anna.Make(&recordv1.Case{Site: d.Sites[0][:], CaseNo: proto.String("HN-0007"), OpenedOn: proto.Int32(20211001), ClientCount: proto.Uint32(1), ClientTokens: [][]byte{[]byte(clientToken)},
		Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(), Lead: anna.Worker[:], Place: &recordv1.Place{Code: proto.String("410621108"), Edition: proto.Int32(2023)}})
	session := anna.Make(&recordv1.CaseSession{Case: file.Record[:], Number: proto.Uint32(1), Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(), Mode: recordv1.SessionMode_SESSION_MODE_INTERVIEW.Enum(),
		Minutes: proto.Uint32(50), Attendees: proto.Uint32(1)})
	identity := anna.Make(&recordv1.CaseIdentity{Case: file.Record[:], Name: proto.String(clientName), Phone: proto.String(clientPhone)})
	note := anna.Make(&recordv1.CaseNote{Session: session.Record[:], Process: proto.String(clientNote)})
	talk := anna.Make(&recordv1.CommunityActivity{Site: d.Sites[0][:], Name: proto.String("=防汛讲座"), Minutes: proto.Uint32(60), RegisterUsed: proto.Bool(false), Status: recordv1.Status_STATUS_HELD.Enum()})
	anna.Push(file, session, identity, note, talk)
	other := carl.Make(&recordv1.Case{Site: d.Sites[1][:], CaseNo: proto.String("HN-0008"), OpenedOn: proto.Int32(20211001), ClientCount: proto.Uint32(3), Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(), Lead: carl.Worker[:]})
	carl.Push(other)
	phone := syncing.SetUpRecord{ID: d.Workers["anna"], Message: &recordv1.Worker{Phone: proto.String(workerPhone)}}
	if err := d.Service.ChangeSetUp(context.Background(), hlc.ID{}, syncing.SetUpChange{SetUpRecord: phone}); err != nil {
		t.Fatal(err)
	}
	return d
}

func configOf(d *servertest.Deployment) archive.Config {
	return archive.Config{Extract: database.At(d.Address()).Extract, Deployment: d.ID, Key: d.Keys.Signing, Wall: d.Wall, Entropy: bytes.NewReader(bytes.Repeat([]byte{5, 6, 7, 8}, 1<<16))}
}

func write(t testing.TB, d *servertest.Deployment) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "henan.levee")
	if _, err := archive.Write(context.Background(), configOf(d), path); err != nil {
		t.Fatal(err)
	}
	return path
}

func verify(t testing.TB, path string) *archive.Result {
	t.Helper()
	r, err := archive.Verify(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAnArchiveHoldsWhatWasCertifiedAndNobodysData(t *testing.T) {
	d := worked(t)
	file := d.Issue(d.Certify(1))
	d.Another(false, "410621108", "410781106") // whose rows stay behind
	for _, secret := range secrets {
		if !strings.Contains(string(read(t, d.Path()))+string(read(t, d.Path()+"-wal")), secret) {
			t.Fatalf("the database has no %q", secret)
		}
	}
	path := write(t, d)
	b := read(t, path)
	for _, secret := range append(secrets, string(d.LinkageKey())) {
		if at := servertest.Shows(string(b), []byte(secret + strings.Repeat("\x00", 16))[:max(16, len(secret))]); at != "" || bytes.Contains(b, []byte(secret)) {
			t.Errorf("the archive has %q %s", secret, at)
		}
	}
	r := verify(t, path)
	if !r.OK || r.Sort != archive.SortArchive || r.Edition != 1 || r.Deployment.ID != d.ID || r.Key != certificate.Fingerprint(d.Keys.PublicKey()) || r.SHA256 != certificate.Hash(b) {
		t.Errorf("%+v", r)
	}
	if want := []archive.Figure{{"service_days", 75, 75}, {"cases", 2, 0}, {"group_sessions", 0, 0}, {"community_activities", 1, 0}, {"persons", 4, 0}}; !slices.Equal(r.Figures, want) {
		t.Errorf("figures: %+v", r.Figures)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	hidden, herr := filepath.Glob(filepath.Join(filepath.Dir(path), ".*"))
	if err != nil || herr != nil || len(left)+len(hidden) != 1 {
		t.Errorf("beside it stand %v %v", left, hidden)
	}
	// Any SQLite tool reads it, whatever stands behind the last page, and finds the certificate as it was issued.
	query := func(statement string) string {
		t.Helper()
		out, err := exec.Command("sqlite3", "file:"+path+"?mode=ro", statement).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", statement, err, out)
		}
		return strings.TrimSuffix(string(out), "\n")
	}
	if _, err := exec.LookPath("sqlite3"); err != nil {
		testneed.Missing(t, "there is no sqlite3 here (Debian: apt-get install sqlite3)")
	}
	for statement, want := range map[string]string{
		"PRAGMA integrity_check": "ok", "PRAGMA journal_mode": "delete", "PRAGMA user_version": "1", "PRAGMA page_size": "4096", "PRAGMA freelist_count": "0",
		"SELECT value FROM plain_total WHERE basis = 'reported' AND figure = 'persons' AND dimension = 'whole'": "4",
		"SELECT case_no, stage FROM plain_case ORDER BY case_no":                                                "HN-0007|intake\nHN-0008|intake",
		"SELECT name, typeof(minutes), minutes FROM plain_community_activity":                                   "=防汛讲座|integer|60",
		"SELECT code, level, name_zh FROM plain_place WHERE level = 'town'":                                     "410621108|town|王庄镇",
		"SELECT label_zh FROM plain_column WHERE table_name = 'plain_case' AND column_name = 'case_no'":         "个案编号",
		"SELECT sha256 FROM plain_certificate":                                                                  certificate.Hash(file),
		"SELECT reason FROM plain_waiver":                                                                       "在洪水中丢失",
		"SELECT count(*) FROM deployments":                                                                      "1",
		"SELECT count(*) FROM accounts":                                                                         "0",
		"SELECT count(*) FROM journal":                                                                          "0",
		"SELECT count(*) FROM tokens WHERE token = CAST('" + clientToken + "' AS BLOB)":                         "0",
		"SELECT count(*) > 0 FROM tokens":                                                                       "1",
		"SELECT count(*) FROM sqlite_schema WHERE name IN ('plain_case_identity', 'plain_case_note')":           "0",
		"SELECT count(*), count(chain) FROM plain_log":                                                          query("SELECT position || '|' || position FROM deployments"),
	} {
		if got := query(statement); got != want {
			t.Errorf("%s: %q, want %q", statement, got, want)
		}
	}
	if got := query("SELECT document FROM plain_certificate"); got != string(file) {
		t.Error("the certificate in it is another one")
	}
}

// Whatever byte is changed, it is noticed, and said where.
func TestWhateverByteIsChangedIsNamed(t *testing.T) {
	if servertest.Raced {
		t.Skip("one goroutine, and long: the run without the race detector plays it")
	}
	d := worked(t)
	certificateFile := d.Issue(d.Certify(1))
	path := write(t, d)
	whole := read(t, path)
	manifest := bytes.LastIndex(whole, []byte("{\n\"levee_archive\""))
	var offsets []int
	for at := 0; at < manifest; at += 4096 { // in each page: those of every table and index, and nothing is free
		offsets = append(offsets, at, at+1234)
	}
	offsets = append(offsets, 16, 18, 24, 28, 44, 60, 68, 92, 96, 99, manifest-1) // the header of the database
	line := manifest
	for l := range bytes.Lines(whole[manifest:]) { // each line of the manifest, its seals and signature, and the end
		offsets = append(offsets, line, line+len(l)/2, line+len(l)-1)
		line += len(l)
	}
	if line != len(whole) || len(offsets) < 200 {
		t.Fatalf("%d offsets, to %d of %d", len(offsets), line, len(whole))
	}
	changed := filepath.Join(t.TempDir(), "changed")
	damaged := func(b []byte) *archive.Result {
		t.Helper()
		if err := os.WriteFile(changed, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return verify(t, changed)
	}
	for _, at := range offsets {
		for _, bits := range []byte{1, 0x80} {
			b := bytes.Clone(whole)
			b[at] ^= bits
			r := damaged(b)
			if r.OK || len(r.Faults) == 0 || r.Sort != archive.SortArchive {
				t.Fatalf("byte %d of %d changed: %+v", at, len(b), r)
			}
			want := archive.ManifestChanged
			switch {
			case at < manifest:
				want = archive.BlockChanged
				if where := fmt.Sprintf("bytes %d to ", at/(64<<10)*(64<<10)); !strings.HasPrefix(r.Faults[0].Detail, where) || !strings.Contains(r.Faults[0].Detail, ": ") {
					t.Errorf("byte %d changed: %s", at, r.Faults[0].Detail)
				}
			case at >= len(whole)-37:
				want = archive.TrailerChanged
			}
			if r.Faults[0].Code != want || len(r.Faults) != 1 {
				t.Errorf("byte %d changed: %+v", at, r.Faults)
			}
		}
	}
	for name, b := range map[string][]byte{"cut": whole[:len(whole)-1], "longer": append(bytes.Clone(whole), 'x'), "half": whole[:len(whole)/2], "without its manifest": whole[:manifest],
		"with something between": slices.Concat(whole[:manifest], []byte{0}, whole[manifest:]), "nothing": {}} {
		if r := damaged(b); r.OK {
			t.Errorf("%s: it is ok", name)
		}
	}
	for _, at := range []int{0, 3, 30, len(certificateFile) / 2, len(certificateFile) - 1} {
		b := bytes.Clone(certificateFile)
		b[at] ^= 1
		if r := damaged(b); r.OK || r.Sort != archive.SortCertificate {
			t.Errorf("byte %d of the certificate changed: %+v", at, r)
		}
	}
	if r := damaged(certificateFile); !r.OK || r.Figures[1].Reported != 2 {
		t.Errorf("the certificate: %+v", r)
	}
}

// What is signed and does not hold together is found too: whoever has the key can't make totals up.
func TestWhatIsSignedIsCountedAgain(t *testing.T) {
	for name, tt := range map[string]struct {
		falsify func(*certificate.Certificate)
		detail  string
	}{
		"a total": {func(c *certificate.Certificate) {
			i := slices.IndexFunc(c.Totals, func(l certificate.Total) bool {
				return l.Figure == "persons" && l.By == "whole" && l.Basis == "reported"
			})
			c.Totals[i].Value = 4130
		}, "total_differs: reported persons whole: the certificate has 4130, the archive 4"},
		"the chain":    {func(c *certificate.Certificate) { c.Log.Chain = strings.Repeat("0", 64) }, "log_differs: edition 1"},
		"the position": {func(c *certificate.Certificate) { c.Log.Position-- }, "log_differs: edition 1"},
		"a replica":    {func(c *certificate.Certificate) { c.Replicas[0].Chain = strings.Repeat("0", 64) }, "replica_differs: edition 1"},
		"one left out": {func(c *certificate.Certificate) { c.Replicas = c.Replicas[1:] }, "replica_differs: edition 1: change 1 of"},
	} {
		d := worked(t)
		c := d.Certify(1)
		tt.falsify(c)
		d.Issue(c)
		_, err := archive.Write(context.Background(), configOf(d), filepath.Join(t.TempDir(), "false"))
		if !errors.Is(err, archive.ErrNotCertified) || !strings.Contains(err.Error(), tt.detail) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestADeploymentThatIsNotClosedIsNotArchived(t *testing.T) {
	d := worked(t)
	path := filepath.Join(t.TempDir(), "early")
	if _, err := archive.Write(context.Background(), configOf(d), path); !errors.Is(err, archive.ErrNoCertificate) {
		t.Errorf("%v", err)
	}
	c := d.Certify(1)
	anna := d.Enrol("anna")
	anna.Push(anna.Make(&recordv1.Case{CaseNo: proto.String("HN-0009"), OpenedOn: proto.Int32(20211001), ClientCount: proto.Uint32(1), Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(), Lead: anna.Worker[:]}))
	d.Issue(c)
	if _, err := archive.Write(context.Background(), configOf(d), path); !errors.Is(err, archive.ErrNotCertified) {
		t.Errorf("%v", err)
	}
	stopped, stop := context.WithCancel(context.Background())
	config := configOf(d)
	config.Progress = func(s archive.Step, _, _ uint64) {
		if s == archive.Tables {
			stop()
		}
	}
	if _, err := archive.Write(stopped, config, path); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// Whoever waits is told of each step, in its order, and of the records of the tables.
func TestWritingIsToldStepByStep(t *testing.T) {
	d := worked(t)
	d.Issue(d.Certify(1))
	config := configOf(d)
	var told []string
	written := uint64(0)
	config.Progress = func(s archive.Step, done, of uint64) {
		at, steps := s.Place()
		if name := fmt.Sprintf("%d/%d %s, %s", at, steps, s.Said().ZH, s.Said().EN); !slices.Contains(told, name) {
			told = append(told, name)
		}
		if s == archive.Tables && done == of {
			written = done
		}
	}
	if _, err := archive.Write(context.Background(), config, filepath.Join(t.TempDir(), "henan.levee")); err != nil {
		t.Fatal(err)
	}
	want := []string{"1/5 复制行动数据, copying the deployment", "2/5 清除副本中的个人信息, taking personal data out of the copy", "3/5 生成数据表, writing the plain tables", "4/5 压缩整理, packing", "5/5 签名并核验, signing and verifying"}
	if !slices.Equal(told, want) || written == 0 {
		t.Errorf("told %q, and of %d records", told, written)
	}
}

// A later edition takes the place of the archive before, and has both certificates.
func TestALaterEditionReplacesTheArchive(t *testing.T) {
	d := worked(t)
	first := d.Issue(d.Certify(1))
	path := write(t, d)
	ben := d.Enrol("ben")
	ben.Push(ben.Make(&recordv1.Case{CaseNo: proto.String("HN-0009"), OpenedOn: proto.Int32(20211001), ClientCount: proto.Uint32(1), Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(), Lead: ben.Worker[:]}))
	c := d.Certify(2)
	c.Previous = &certificate.Previous{Edition: 1, SHA256: certificate.Hash(first)}
	second := d.Issue(c)
	if _, err := archive.Write(context.Background(), configOf(d), path); err != nil {
		t.Fatal(err)
	}
	m, err := archive.Look(path)
	if err != nil || m.Edition != 2 || !slices.Equal(m.Certificates, []archive.Edition{{Edition: 1, SHA256: certificate.Hash(first)}, {Edition: 2, SHA256: certificate.Hash(second)}}) {
		t.Errorf("%+v, %v", m, err)
	}
	if r := verify(t, path); !r.OK || r.Edition != 2 || r.Figures[1].Reported != 3 {
		t.Errorf("%+v", r)
	}
}

// What a server would write to an archive would leave it without its signature.
func TestAServerDoesNotOpenAnArchive(t *testing.T) {
	d := worked(t)
	d.Issue(d.Certify(1))
	path := write(t, d)
	whole := read(t, path)
	if _, err := sqlite.Open(context.Background(), path); !errors.Is(err, store.ErrArchive) {
		t.Errorf("%v", err)
	}
	copied := filepath.Join(t.TempDir(), "copy")
	if err := archive.Unpack(context.Background(), path, copied); err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.Open(context.Background(), copied)
	if err != nil {
		t.Fatal(err)
	}
	counted, err := progress.Recount(context.Background(), db.Deployment(d.ID), d.ID)
	if err != nil || !counted.Equal() || counted.Records == 0 {
		t.Errorf("%+v, %v", counted, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read(t, path), whole) {
		t.Error("the archive was written to")
	}
	if _, err := os.Stat(path + "-wal"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("beside it: %v", err)
	}
}

// Each fault has its sentence, in both languages.
func TestWhatIsFoundIsSaidInBothLanguages(t *testing.T) {
	d := worked(t)
	d.Issue(d.Certify(1))
	path := write(t, d)
	r := verify(t, path)
	for lang, want := range map[string][]string{"zh": {"行动档案", "个案：2", "服务天数：75", "\nok\n"}, "en": {"archive", "Cases: 2", "Service days: 75", "\nok\n"}} {
		var b bytes.Buffer
		if err := r.Print(&b, lang); err != nil {
			t.Fatal(err)
		}
		for _, words := range want {
			if !strings.Contains(b.String(), words) {
				t.Errorf("%s: no %q in %s", lang, words, b.String())
			}
		}
	}
	r.Expect(strings.ToUpper(certificate.Fingerprint(d.Keys.PublicKey())))
	if !r.OK {
		t.Errorf("its own key: %+v", r.Faults)
	}
	r.Expect("0000-0000")
	if r.OK || r.Faults[0].Code != archive.OtherKey {
		t.Errorf("another key: %+v", r.Faults)
	}
	for _, code := range []archive.FaultCode{archive.NotAnArchive, archive.TrailerChanged, archive.ManifestChanged, archive.BlockChanged, archive.DatabaseDamaged, archive.TableChanged,
		archive.CertificateMissing, archive.CertificateChanged, archive.OtherKey, archive.TotalDiffers, archive.RecountDiffers, archive.LogDiffers, archive.ReplicaDiffers, archive.Unreadable,
		archive.FaultCode(certificate.NotACertificate), archive.FaultCode(certificate.LineChanged), archive.FaultCode(certificate.SignatureInvalid),
		archive.FaultCode(progress.LogGap), archive.FaultCode(progress.LogChain), archive.FaultCode(progress.LogEntry), archive.FaultCode(progress.ReplicaChain),
		archive.FaultCode(progress.RecordDiffers), archive.FaultCode(progress.RecordLost), archive.FaultCode(progress.TokenCounts), archive.FaultCode(progress.DayCounts)} {
		bad := archive.Result{File: "x", Faults: []archive.Fault{{Code: code, Line: 3, Detail: "there"}}}
		var zh, en bytes.Buffer
		if err := errors.Join(bad.Print(&zh, "zh"), bad.Print(&en, "en")); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(zh.String(), "\n 第 3 行") || strings.Contains(en.String(), "\n Line 3") || strings.Contains(en.String(), "\n Line 3") || strings.Contains(en.String(), "ok\n") {
			t.Errorf("%s has no sentence: %s%s", code, zh.String(), en.String())
		}
	}
}

// Every table and column that an archive has is documented, and nothing else is.
func TestTheSchemaIsDocumented(t *testing.T) {
	d := worked(t)
	d.Issue(d.Certify(1))
	db, err := sqlite.OpenToVerify(write(t, d))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	text := string(read(t, "README.md"))
	documented := map[string]string{} // the columns of each table, as they stand in its row
	for line := range strings.Lines(text) {
		if name, rest, ok := strings.Cut(strings.TrimPrefix(line, "| `"), "` |"); ok && strings.HasPrefix(name, sqlite.PlainPrefix) {
			documented[name] = rest[strings.LastIndex(strings.TrimSuffix(rest, " |\n"), "|")+1:]
		}
	}
	_, common, _ := strings.Cut(text, "Each has the common columns:")
	common, _, _ = strings.Cut(common, "Its own follow")
	names, err := db.PlainTables(context.Background())
	if err != nil || len(names) != len(documented) {
		t.Errorf("%d tables, %d documented, %v", len(names), len(documented), err)
	}
	comments := map[string]int{}
	for _, name := range names {
		columns := 0
		err := db.EachPlain(context.Background(), name, func(all []string) error {
			for _, column := range all {
				own, shared := strings.Contains(documented[name], "`"+column+"`"), strings.Contains(common, "`"+column+"`") && all[0] == "id"
				if own == shared {
					t.Errorf("%s.%s: documented %v, common %v", name, column, own, shared)
				}
			}
			columns = len(all)
			if all[0] == "id" {
				columns -= strings.Count(common, "`") / 2
			}
			return nil
		}, func(values []any) error {
			if name == "plain_column" {
				comments[fmt.Sprint(values[0])]++
			}
			return nil
		})
		if err != nil || strings.Count(documented[name], "`")/2 != columns {
			t.Errorf("%s has %d columns of its own, documented %d, %v", name, columns, strings.Count(documented[name], "`")/2, err)
		}
	}
	if len(comments) != len(names) {
		t.Errorf("plain_column tells of %d tables of %d", len(comments), len(names))
	}
	for _, code := range []archive.FaultCode{archive.TrailerChanged, archive.BlockChanged, archive.TableChanged, archive.TotalDiffers, archive.RecountDiffers, archive.LogDiffers, archive.ReplicaDiffers} {
		if !strings.Contains(text, "`"+string(code)+"`") {
			t.Errorf("%s is not documented", code)
		}
	}
}

// What somebody with the key signs, and does not hold together, is found all the same.
func TestASignedArchiveMustHoldTogether(t *testing.T) {
	d := worked(t)
	d.Issue(d.Certify(1))
	path := write(t, d)
	whole := read(t, path)
	same := func(*archive.Manifest) {}
	for name, tt := range map[string]struct {
		statement string
		forge     func(*archive.Manifest)
		want      string
	}{
		"nothing":       {"SELECT 1", same, ""},
		"a plain table": {"UPDATE plain_total SET value = value + 1", func(m *archive.Manifest) { m.Tables[0].Rows++ }, "table_changed: plain_about"},
		"a table more": {"CREATE TABLE plain_more (a TEXT PRIMARY KEY) WITHOUT ROWID", func(m *archive.Manifest) {
			m.Tables = slices.DeleteFunc(m.Tables, func(t archive.Table) bool { return t.Table == "plain_more" })
		}, "table_changed: plain_more"},
		"a table less":     {"DROP TABLE plain_case", func(m *archive.Manifest) { m.Tables = append(m.Tables, archive.Table{Table: "plain_case"}) }, "table_changed: plain_case"},
		"a stored total":   {"UPDATE totals SET value = 4130 WHERE basis = 'reported' AND figure = 'cases' AND dimension = 'whole'", same, "total_differs: reported cases whole: the certificate has 2, the archive 4130"},
		"a record":         {"DELETE FROM records WHERE kind = 4", same, "record_lost"},
		"a body":           {"UPDATE log SET body = x'00' WHERE position = 3", same, "log_chain: at position 3"},
		"the chain":        {"UPDATE log SET chain = zeroblob(32) WHERE position = (SELECT position FROM deployments)", same, "log_chain"},
		"an entry less":    {"DELETE FROM log WHERE position = 5", same, "log_gap"},
		"the certificate":  {"DELETE FROM records WHERE kind = 29", same, "certificate_missing"},
		"the edition":      {"SELECT 1", func(m *archive.Manifest) { m.Edition = 2 }, "certificate_missing"},
		"its hash":         {"SELECT 1", func(m *archive.Manifest) { m.Certificates[0].SHA256 = "00" }, "certificate_changed: edition 1"},
		"the deployment":   {"SELECT 1", func(m *archive.Manifest) { m.Deployment.Name = "another" }, "manifest_changed: deployment"},
		"the log's end":    {"SELECT 1", func(m *archive.Manifest) { m.Log.Changes++ }, "log_differs: manifest"},
		"a block":          {"SELECT 1", func(m *archive.Manifest) { m.Blocks = m.Blocks[1:] }, "manifest_changed"},
		"the persons":      {"UPDATE tokens SET count = 5", same, "token_counts"},
		"the journal mode": {"PRAGMA journal_mode = WAL", same, ""},
	} {
		changed := filepath.Join(t.TempDir(), "changed")
		if err := os.WriteFile(changed, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		err := archive.Forge(context.Background(), changed, d.Keys.Signing, func() error {
			db, err := sql.Open("sqlite", changed)
			if err != nil {
				return err
			}
			_, err = db.Exec(tt.statement)
			return errors.Join(err, db.Close())
		}, tt.forge)
		if err != nil {
			t.Fatal(name, err)
		}
		r := verify(t, changed)
		if tt.want == "" {
			if !r.OK {
				t.Errorf("%s: %+v", name, r.Faults)
			}
			continue
		}
		if r.OK || !slices.ContainsFunc(r.Faults, func(f archive.Fault) bool { return strings.HasPrefix(f.Error(), tt.want) }) {
			t.Errorf("%s: %+v, want %s", name, r.Faults, tt.want)
		}
	}
	other := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, ed25519.SeedSize))
	if err := archive.Forge(context.Background(), path, other, func() error { return nil }, same); err != nil {
		t.Fatal(err)
	}
	if r := verify(t, path); r.OK || r.Faults[0].Code != archive.OtherKey {
		t.Errorf("by another key: %+v", r.Faults)
	}
}

// Whatever people did, what was held and what was erased: the archive holds together, and nothing confidential is in it.
func TestEveryDeploymentIsArchived(t *testing.T) {
	if servertest.Raced {
		t.Skip("one goroutine, and long: the run without the race detector plays it")
	}
	checks := flag.Lookup("rapid.checks").Value
	was := checks.String()
	if err := checks.Set("12"); err != nil { // each is a deployment, an archive and a recount
		t.Fatal(err)
	}
	defer func() { _ = checks.Set(was) }()
	rapid.Check(t, func(rt *rapid.T) {
		d := servertest.New(t)
		defer d.Close()
		servertest.Grow(rt, d, func() {})
		if rapid.Bool().Draw(rt, "erased before") {
			if _, err := d.Service.EraseAll(context.Background()); err != nil {
				rt.Fatal(err)
			}
		}
		d.Issue(d.Certify(1))
		path := write(t, d)
		if r := verify(t, path); !r.OK {
			rt.Fatalf("%+v", r.Faults)
		}
		copied := filepath.Join(t.TempDir(), "copy")
		if err := archive.Unpack(context.Background(), path, copied); err != nil {
			rt.Fatal(err)
		}
		db, err := sqlite.OpenToRead(context.Background(), copied)
		if err != nil {
			rt.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		err = db.Deployment(d.ID).Look(context.Background(), func(tx progress.Reading) error {
			return errors.Join(tx.EachRecord(func(r syncing.Record) error {
				if record.Confidential(r.Kind) {
					rt.Errorf("record %v, a %v, is there", r.ID, r.Kind)
				}
				return nil
			}), tx.EachEntry(func(e syncing.LogEntry) error {
				if kind, _, ok := syncing.ContentOf(e); ok && record.Confidential(kind) {
					rt.Errorf("position %d says something of a %v", e.Position, kind)
				}
				return nil
			}))
		})
		if err != nil {
			rt.Fatal(err)
		}
	})
}
