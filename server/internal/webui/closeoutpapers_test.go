package webui_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/closeout"
	"levee/server/internal/webtest"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/words"
)

// The closing report of an edition is a page in both languages and two files, for who sees all totals.
func TestTheClosingReportIsRead(t *testing.T) {
	s := newSite(t)
	e := s.ending("en")
	e.announced()
	e.dayAfter()
	e.waived()
	e.closed()
	e.b.Open(e.path).Follow("Closing report Edition 1").Is(http.StatusOK).Sees("Summary", "In 9 days of service", "By town", "已电话核对", "SHA-256", "carl")
	if strings.Contains(e.b.Text, "王-01") {
		t.Error("the report names a case")
	}
	drawn := 0
	for _, image := range webtest.Find(e.b.Page, "img") {
		for _, a := range image.Attr {
			if a.Key == "src" && strings.Contains(a.Val, "/charts/") {
				drawn++
				if svg := e.fetched(a.Val); !strings.HasPrefix(svg, "<svg") {
					t.Errorf("%.40q is no chart", svg)
				}
			}
		}
	}
	if drawn == 0 {
		t.Error("there is no chart")
	}
	for name, begins := range map[string]string{"pdf": "%PDF-", "xlsx": "PK"} {
		if file := e.fetched(e.path + "/report/1/" + name); !strings.HasPrefix(file, begins) {
			t.Errorf("the %s begins with %.10q", name, file)
		}
	}
	e.b.Open(e.path+"/report/1?lang=zh").Sees("收队报告", "累计服务 9 天", "各乡镇")
	e.b.Open(e.path + "/report/2").Is(http.StatusNotFound)
	e.b.Open(e.path+"/certificates/1").Sees("Report as PDF", "Closing report")
	super := s.as(e.d, "super", "en") // who sees the totals of one team
	super.Open(e.path + "/report/1").Is(http.StatusNotFound)
	if super.Open(e.path + "/certificates/1").Is(http.StatusOK); strings.Contains(super.Text, "Report as PDF") {
		t.Error("a supervisor is offered the report")
	}
}

// A case goes on elsewhere: its referral is printed, and its file sealed to a passphrase or a key.
func TestACaseIsHandedOverOnThePages(t *testing.T) {
	s := newSite(t)
	e := s.ending("en")
	file := e.opened(e.anna, "王-02")
	agreed := e.anna.Make(&recordv1.Consent{Subject: file.Record[:], Scopes: []recordv1.ConsentScope{recordv1.ConsentScope_CONSENT_SCOPE_SHARE}, GivenOn: proto.Int32(20211001), Form: recordv1.ConsentForm_CONSENT_FORM_THUMBPRINT.Enum()})
	referral := e.anna.Make(&recordv1.Referral{OccurredOn: proto.Int32(20211001), Case: file.Record[:], ToOrganisation: proto.String("浚县民政局"), Reason: proto.String("后续照护"), Progress: recordv1.ReferralProgress_REFERRAL_PROGRESS_SENT.Enum()})
	e.anna.Push(file, e.anna.Make(&recordv1.CaseIdentity{Case: file.Record[:], Name: proto.String("张福来")}), referral, agreed)
	e.announced()
	e.b.Open(e.path).Follow("Referral form").Sees("浚县民政局", "张福来", "Receipt", "王-02")
	s.as(e.d, "carl", "en").Open(e.path + "/referrals/" + referral.Record.String()).Is(http.StatusNotFound)

	e.b.Open(e.path).Follow("Hand case files over").Sees("王-01 — no consent to being passed on", "王-02", "In 1 case nobody has agreed to being passed on")
	if id := e.b.Choice("王-02"); id != file.Record.String() {
		t.Errorf("the case whose client agreed is %s", id)
	}
	for _, wrong := range []struct {
		says   string
		values []string
	}{
		{"Nothing was chosen.", []string{"passphrase", "a long passphrase, that is"}},
		{"either a key or a passphrase", []string{"cases", file.Record.String()}},
		{"At least 15 characters", []string{"cases", file.Record.String(), "passphrase", "short"}},
		{"no public key of age", []string{"cases", file.Record.String(), "station_key", "age1nonsense"}},
		{"either a key or a passphrase", []string{"cases", file.Record.String(), "station_key", "age1nonsense", "passphrase", "a long passphrase, that is"}},
	} {
		e.b.Send("Seal and download", webtest.Values(wrong.values...)).Is(http.StatusUnprocessableEntity).Sees(wrong.says)
	}
	station, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	answer, err := e.b.Client.PostForm(e.server.URL+e.path+"/hand-over", webtest.Values("cases", file.Record.String(), "station_key", station.Recipient().String()))
	if err != nil {
		t.Fatal(err)
	}
	var sealed bytes.Buffer
	_, err = sealed.ReadFrom(answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil || answer.StatusCode != http.StatusOK || !strings.Contains(answer.Header.Get("Content-Disposition"), ".age") {
		t.Fatal(answer.Status, answer.Header, err)
	}
	opened, err := age.Decrypt(&sealed, station)
	if err != nil {
		t.Fatal(err)
	}
	inside, err := io.ReadAll(opened)
	if err != nil {
		t.Fatal(err)
	}
	files, err := zip.NewReader(bytes.NewReader(inside), int64(len(inside)))
	if err != nil || len(files.File) != 2 || files.File[0].Name != "王-02.html" {
		t.Errorf("%v, %v", files, err)
	}
	e.b.Open("/deployments/"+e.d.ID.String()+"/audit").Sees("handed over a case file", "sealed it to a key")
	e.b.Open(e.path+"/hand-over?lang=zh").Sees("王-01（没有“转介提供”的同意）", "有 1 个个案没有“转介提供”的同意")
}

// A closed deployment is archived, and its personal data erased: an erasure that was cut off before the deployment said so is begun again.
func TestADeploymentEndsOnThePages(t *testing.T) {
	s := newSite(t)
	e := s.ending("en")
	s.tolerated = errCutOff
	e.announced()
	e.dayAfter()
	e.b.Do(http.MethodPost, e.path+"/archive", nil)
	e.b.Is(http.StatusConflict)
	e.waived()
	e.closed()
	s.shelf.wrong = problem.New(problem.Uncertified)
	e.b.Send("Make the archive", nil)
	e.background().Sees("No archive was made", "Issue the next edition, then make the archive")
	s.shelf.wrong = nil
	goOn, told := make(chan struct{}), make(chan struct{})
	s.shelf.making = func(tell closeout.Tell) {
		tell(closeout.Progress{Part: closeout.Part{Name: "tables", Said: words.Message{EN: "writing tables", ZH: "生成表"}, At: 3, Parts: 5}, Done: 300, Of: 1200})
		close(told)
		<-goOn
	}
	e.b.Send("Make the archive", nil)
	<-told
	e.b.Open(e.path).Sees("The archive is being made", "Step 3 of 5: writing tables. 300 of 1,200 ready.")
	if bar := webtest.Find(e.b.Page, "progress"); len(bar) != 1 || webtest.Attribute(bar[0], "value") != "45" {
		t.Errorf("the bar: %v", bar)
	}
	close(goOn)
	e.background().Sees("Edition 1, 1 KB, kept here until")
	if file := e.fetched(e.path + "/archive/file"); file != "edition 1" {
		t.Errorf("the archive: %q", file)
	}
	e.Pass(2 * time.Hour)
	if e.b.Open(e.path); strings.Contains(e.b.Text, "Download the archive") {
		t.Error("an archive is offered that is kept no longer")
	}
	e.b.Open(e.path + "/archive/file").Is(http.StatusNotFound)
	e.b.Open("/deployments/" + e.d.ID.String() + "/audit").Sees("made an archive")

	e.b.Open(e.path).Follow("Erase personal data").Sees("The day of erasure is 1 Apr 2022", "can't be opened again")
	e.b.Send("Erase all personal data", webtest.Values("name_again", "tset")).Is(http.StatusUnprocessableEntity).Sees("not the name of the deployment")
	s.erase = func() error { return errCutOff }
	e.b.Send("Erase all personal data", webtest.Values("name_again", "test")).Is(http.StatusOK)
	e.background().Sees("was cut off. Begin it again", "edition 1 of the certificate stands", "Begin the erasure once more")
	if !e.d.Service.Erased() {
		t.Error("nothing is erased")
	}
	s.erase = func() error { return nil }
	e.b.Follow("Erase personal data").Send("Erase all personal data", webtest.Values("name_again", "test")).Is(http.StatusOK)
	e.background().Sees("The deployment is archived", "Make the archive")
	for _, gone := range []string{"Erase personal data", "Open the deployment again", "Hand case files over"} {
		if strings.Contains(e.b.Text, gone) {
			t.Errorf("the page of an archived deployment offers %q", gone)
		}
	}
	e.b.Open(e.path + "/erasure").Is(http.StatusConflict)
	e.b.Open(e.path + "/report/1").Is(http.StatusOK).Sees("In 9 days of service")
}

// Once the day of erasure has come, no name is typed.
func TestTheDayOfErasureComes(t *testing.T) {
	s := newSite(t)
	e := s.ending("en")
	e.announced()
	e.dayAfter()
	e.waived()
	e.closed()
	e.d.Pass(182 * 24 * time.Hour)
	e.Pass(182 * 24 * time.Hour)
	e.b.Open("/sign-in").Send(e.b.Button(), webtest.Values("login", "coordinator", "password", password))
	e.b.Open(e.path).Follow("Erase personal data")
	if strings.Contains(e.b.Text, "Name of the deployment") {
		t.Error("a name is asked for")
	}
	e.b.Send("Erase all personal data", nil).Is(http.StatusOK)
	e.background().Sees("The deployment is archived")
}

var errCutOff = errors.New("cut off")
