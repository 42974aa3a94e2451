package handover_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/access"
	"levee/server/internal/audit"
	"levee/server/internal/casefile"
	"levee/server/internal/handover"
	"levee/server/internal/servertest"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// noted keeps what is noted, or refuses to.
type noted struct {
	entries []audit.Entry
	full    error
}

func (n *noted) Write(_ context.Context, e audit.Entry) error {
	if n.full == nil {
		n.entries = append(n.entries, e)
	}
	return n.full
}

// desk is two cases with all that belongs to them, and somebody who hands them over.
type desk struct {
	*servertest.Deployment
	*handover.Service
	log                     *noted
	first, second, referral *record.Change
	advice                  *record.Change
}

func newDesk(t *testing.T) *desk {
	d := &desk{Deployment: servertest.New(t), log: &noted{}}
	a := d.Enrol("anna")
	d.first = a.Make(&recordv1.Case{CaseNo: proto.String("WZ/1"), OpenedOn: proto.Int32(20211001), ClientCount: proto.Uint32(1), Stage: recordv1.CaseStage_CASE_STAGE_PLANNING.Enum(),
		Lead: a.Worker[:], ClientTokens: [][]byte{[]byte("a token of 16 by")}, Categories: []recordv1.CaseCategory{recordv1.CaseCategory_CASE_CATEGORY_OLDER_PERSON_ALONE}})
	of := d.first.Record[:]
	identity := a.Make(&recordv1.CaseIdentity{Case: of, Name: proto.String("赵桂兰"), Phone: proto.String("13800000000"), Guardian: &recordv1.Contact{Name: proto.String("<赵小军>"), Relation: proto.String("子")}})
	consent := a.Make(&recordv1.Consent{Subject: of, Scopes: []recordv1.ConsentScope{recordv1.ConsentScope_CONSENT_SCOPE_SHARE}, GivenOn: proto.Int32(20211001), Form: recordv1.ConsentForm_CONSENT_FORM_THUMBPRINT.Enum()})
	session := a.Make(&recordv1.CaseSession{Case: of, Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(), Mode: recordv1.SessionMode_SESSION_MODE_HOME_VISIT.Enum(), Minutes: proto.Uint32(50), Attendees: proto.Uint32(1)})
	note := a.Make(&recordv1.CaseNote{Session: session.Record[:], Process: proto.String("她梦见水漫进屋里")})
	gone := a.Make(&recordv1.CaseNote{Session: session.Record[:], Process: proto.String("写错了")})
	d.referral = a.Make(&recordv1.Referral{Case: of, ToOrganisation: proto.String("浚县王庄镇社工站"), Reason: proto.String("需要长期陪伴"), Urgency: recordv1.Urgency_URGENCY_URGENT.Enum(), Consent: consent.Record[:]})
	told := a.Make(&recordv1.ReferralNote{Referral: d.referral.Record[:], Handover: proto.String("每周三在家")})
	d.second = a.Make(&recordv1.Case{CaseNo: proto.String("WZ/1"), OpenedOn: proto.Int32(20211001), ClientCount: proto.Uint32(1), Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(), Lead: a.Worker[:]})
	a.Push(d.first, identity, consent, session, note, gone, d.referral, told, d.second)
	a.Pull()
	a.Push(a.Edit(gone.Record, &recordv1.CaseNote{Deleted: proto.Bool(true)}))
	super := d.Enrol("super")
	meeting := super.Make(&recordv1.Supervision{Supervisor: super.Worker[:], Minutes: proto.Uint32(30)})
	d.advice = super.Make(&recordv1.SupervisionNote{Supervision: meeting.Record[:], Advice: proto.String("督导意见原文")})
	super.Push(meeting, d.advice)
	d.Service = handover.New(handover.Config{Deployment: d.ID, Store: d.DB.Deployment(d.ID), SetUp: d.Deployment.Service.SetUp, Audit: d.log, Wall: d.Deployment.Wall})
	return d
}

// by is a worker as one who reads.
func (d *desk) by(name string) casefile.Reader {
	return casefile.Reader{Person: d.Deployment.Service.Person(d.Workers[name]), Actor: audit.Actor{Worker: d.Workers[name]}, May: func(access.Action) bool { return true }}
}

func key(t *testing.T) (*age.X25519Identity, *handover.Recipient) {
	t.Helper()
	private, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	to, err := handover.ToKey(private.Recipient().String() + "\n")
	if err != nil {
		t.Fatal(err)
	}
	return private, to
}

// opened are the files in what was sealed.
func opened(t *testing.T, sealed []byte, with age.Identity) map[string]string {
	t.Helper()
	plain, err := age.Decrypt(bytes.NewReader(sealed), with)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(plain)
	if err != nil {
		t.Fatal(err)
	}
	in, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range in.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(b)
	}
	return files
}

func TestACaseIsHandedOverSealed(t *testing.T) {
	d := newDesk(t)
	private, to := key(t)
	coordinator := d.by("coordinator")
	var sealed bytes.Buffer
	made, err := d.Write(t.Context(), &sealed, &coordinator, []hlc.ID{d.first.Record, d.second.Record, d.first.Record}, to)
	if err != nil || !slices.Equal(made.Cases, []string{"WZ/1", "WZ/1"}) || !slices.Equal(made.Unconsented, []string{"WZ/1"}) {
		t.Fatalf("%+v, %v", made, err)
	}
	for _, word := range []string{"赵桂兰", "13800000000", "WZ_1"} {
		if bytes.Contains(sealed.Bytes(), []byte(word)) {
			t.Errorf("%s is in the open", word)
		}
	}
	files := opened(t, sealed.Bytes(), private)
	page, text := files["WZ_1.html"], files["WZ_1.json"]
	if len(files) != 4 || page == "" || text == "" {
		t.Fatalf("files %v", len(files))
	}
	for _, word := range []string{"赵桂兰", "13800000000", "&lt;赵小军&gt;", "她梦见水漫进屋里", "每周三在家", "浚县王庄镇社工站", "转介提供", "独居老人", "姓名 / name", "个案服务笔记", "anna"} {
		if !strings.Contains(page, word) {
			t.Errorf("the page has no %s", word)
		}
	}
	for _, word := range []string{"写错了", "督导意见原文", "<script", "http://", "https://", "a token"} {
		if strings.Contains(page+text, word) {
			t.Errorf("the files have %s", word)
		}
	}
	var read struct {
		CaseNo  string `json:"case_no"`
		Records []struct {
			Kind   string
			Of     string
			Fields map[string]any
		}
	}
	if err := json.Unmarshal([]byte(text), &read); err != nil || read.CaseNo != "WZ/1" {
		t.Fatalf("%v\n%s", err, text)
	}
	var kinds []string
	for _, r := range read.Records {
		kinds = append(kinds, r.Kind)
	}
	if want := []string{"case", "case_identity", "consent", "case_session", "case_note", "referral", "referral_note"}; !slices.Equal(kinds, want) {
		t.Errorf("kinds %v", kinds)
	}
	if read.Records[0].Fields["lead"] != "anna" || read.Records[1].Fields["name"] != "赵桂兰" || read.Records[4].Of == "" {
		t.Errorf("records %v", read.Records)
	}
	// Each case is noted, and behind it to whose key.
	if len(d.log.entries) != 4 {
		t.Fatalf("noted %+v", d.log.entries)
	}
	for i, of := range []*record.Change{d.first, d.second} {
		which, whose := d.log.entries[2*i], d.log.entries[2*i+1]
		if which.Action != audit.HandedOver || which.Subject != (audit.Subject{Kind: audit.OfRecord, ID: of.Record}) || which.Actor.Worker != d.Workers["coordinator"] ||
			whose.Action != audit.HandedOverTo || whose.Subject.Kind != audit.OfRecipient || strings.ReplaceAll(whose.Subject.ID.String(), "-", "") != to.Fingerprint() {
			t.Errorf("noted %+v and %+v", which, whose)
		}
	}
}

// Of each case it is told, before it is handed over, whether its clients agreed to that: as long as the consent stands.
func TestItIsToldWhoAgreed(t *testing.T) {
	d := newDesk(t)
	agreed := func(when string, want ...bool) {
		t.Helper()
		all, err := d.Cases(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var got []bool
		for _, c := range all {
			got = append(got, c.MayShare)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v", when, got)
		}
	}
	agreed("of two with one consent", true, false)
	anna := d.Enrol("anna")
	other := anna.Make(&recordv1.Consent{Subject: d.second.Record[:], Scopes: []recordv1.ConsentScope{recordv1.ConsentScope_CONSENT_SCOPE_SERVICE}, GivenOn: proto.Int32(20211001), Form: recordv1.ConsentForm_CONSENT_FORM_THUMBPRINT.Enum()})
	anna.Push(other)
	agreed("with one to something else", true, false)
	anna.Push(anna.Edit(other.Record, &recordv1.Consent{Scopes: []recordv1.ConsentScope{recordv1.ConsentScope_CONSENT_SCOPE_SHARE}}))
	agreed("with another one", true, true)
	anna.Push(anna.Edit(other.Record, &recordv1.Consent{WithdrawnOn: proto.Int32(20211001)}))
	agreed("withdrawn", true, false)
}

// Who may not hand over, or names what is no case, gets nothing, and nor does anybody when it can't be noted.
func TestNothingIsHandedOverToWhoMayNot(t *testing.T) {
	d := newDesk(t)
	_, to := key(t)
	cases := []hlc.ID{d.first.Record}
	narrowed := d.by("coordinator")
	narrowed.May = func(a access.Action) bool { return a != access.SeeIdentity }
	for _, c := range []struct {
		name  string
		by    casefile.Reader
		cases []hlc.ID
		want  problem.Code
	}{
		{"a field worker", d.by("anna"), cases, problem.NotAllowed},
		{"one of another team", d.by("carl"), cases, problem.NotFound},
		{"a supervisor", d.by("super"), cases, problem.NotAllowed},
		{"a token without identities", narrowed, cases, problem.NotAllowed},
		{"nothing", d.by("coordinator"), nil, problem.InvalidArgument},
		{"a referral", d.by("coordinator"), []hlc.ID{d.referral.Record}, problem.NotFound},
		{"one that is not there", d.by("coordinator"), []hlc.ID{d.first.Record, d.NewID()}, problem.NotFound},
	} {
		var out bytes.Buffer
		if _, err := d.Write(t.Context(), &out, &c.by, c.cases, to); problem.CodeOf(err) != c.want || out.Len() > 0 || len(d.log.entries) > 0 {
			t.Errorf("%s: %v, %d bytes, noted %v", c.name, err, out.Len(), d.log.entries)
		}
	}
	d.log.full = errors.New("the disk is full")
	var out bytes.Buffer
	by := d.by("coordinator")
	if _, err := d.Write(t.Context(), &out, &by, cases, to); !errors.Is(err, d.log.full) || out.Len() > 0 {
		t.Errorf("not noted: %v, %d bytes", err, out.Len())
	}
}

func TestRecipients(t *testing.T) {
	for _, wrong := range []string{"", "age1", "ssh-ed25519 AAAA", "AGE-SECRET-KEY-1", "age1xmwwc06ly3ee5rytxm9mflaz2u56jjj36s0mypdrwsvlul66mv4q47ryef x"} {
		if _, err := handover.ToKey(wrong); !errors.Is(err, handover.ErrKey) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	if _, err := handover.ToPassphrase(strings.Repeat("堤", handover.MinPassphrase-1)); !errors.Is(err, handover.ErrPassphraseShort) {
		t.Errorf("a short one: %v", err)
	}
}

// What was sealed is opened into a folder by who knows the passphrase, and by nobody else.
func TestAPassphraseOpens(t *testing.T) {
	d := newDesk(t)
	secret := strings.Repeat("堤", handover.MinPassphrase)
	to, err := handover.ToPassphrase(secret)
	if err != nil || to.Fingerprint() != "" {
		t.Fatal(err)
	}
	path, folder := filepath.Join(t.TempDir(), "cases.zip.age"), filepath.Join(t.TempDir(), "cases")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, err := d.Write(t.Context(), f, nil, []hlc.ID{d.first.Record}, to); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		passphrase string
		opens      bool
	}{{secret + "堤", false}, {secret, true}} {
		with, err := handover.WithPassphrase(c.passphrase)
		if err != nil {
			t.Fatal(err)
		}
		names, err := handover.Open(f, folder, with)
		if (err == nil) != c.opens {
			t.Fatalf("%s: %v", c.passphrase, err)
		}
		if c.opens {
			if text, err := os.ReadFile(filepath.Join(folder, "WZ_1.html")); err != nil || !slices.Equal(names, []string{"WZ_1.html", "WZ_1.json"}) || !strings.Contains(string(text), "赵桂兰") {
				t.Errorf("names %v, %v", names, err)
			}
		} else if _, err := os.Stat(folder); err == nil {
			t.Error("there is a folder")
		}
	}
}

// A file that names others, outside the folder, is not written.
func TestNothingIsWrittenOutsideTheFolder(t *testing.T) {
	private, _ := key(t)
	path := filepath.Join(t.TempDir(), "cases.zip.age")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	sealed, err := age.Encrypt(f, private.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	files := zip.NewWriter(sealed)
	out, err := files.Create("../outside")
	if err == nil {
		_, err = out.Write([]byte("x"))
	}
	if err := errors.Join(err, files.Close(), sealed.Close()); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "in", "cases")
	if err := os.Mkdir(filepath.Dir(folder), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := handover.Open(f, folder, []age.Identity{private}); err == nil {
		t.Error("it was opened")
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(folder), "outside")); err == nil {
		t.Error("it was written outside")
	}
}

func TestReferralForms(t *testing.T) {
	d := newDesk(t)
	for _, c := range []struct {
		who, lang  string
		has, lacks []string
		noted      int
	}{
		{"coordinator", "zh", []string{"转介单", "回执", "WZ/1", "浚县王庄镇社工站", "需要长期陪伴", "紧急", "赵桂兰", "13800000000", "按手印", "anna"}, []string{"她梦见", "每周三"}, 3},
		{"coordinator", "en", []string{"Referral form", "Receipt", "WZ/1", "赵桂兰", "thumbprint", "urgent"}, []string{"转介单"}, 3},
		{"ben", "zh", []string{"转介单", "WZ/1", "由社工当面告知", "已登记"}, []string{"赵桂兰", "13800000000", "按手印"}, 1},
	} {
		d.log.entries = nil
		page, err := d.ReferralForm(t.Context(), d.by(c.who), d.referral.Record, c.lang)
		if err != nil || len(d.log.entries) != c.noted {
			t.Errorf("%s: %v, noted %+v", c.who, err, d.log.entries)
		}
		for _, word := range c.has {
			if !strings.Contains(string(page), word) {
				t.Errorf("%s in %s: no %s in\n%s", c.who, c.lang, word, page)
			}
		}
		for _, word := range append(c.lacks, "%!", "<no value>") {
			if strings.Contains(string(page), word) {
				t.Errorf("%s in %s: %s in\n%s", c.who, c.lang, word, page)
			}
		}
	}
	for _, who := range []string{"carl"} {
		if _, err := d.ReferralForm(t.Context(), d.by(who), d.referral.Record, "zh"); problem.CodeOf(err) != problem.NotFound {
			t.Errorf("%s: %v", who, err)
		}
	}
	if _, err := d.ReferralForm(t.Context(), d.by("coordinator"), d.first.Record, "zh"); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("a case: %v", err)
	}
	d.log.full = errors.New("the disk is full")
	if page, err := d.ReferralForm(t.Context(), d.by("coordinator"), d.referral.Record, "zh"); err == nil || page != "" {
		t.Error("shown without being noted")
	}
}
