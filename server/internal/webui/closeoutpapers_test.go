package webui_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"filippo.io/age"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/webtest"
	recordv1 "levee/syncproto/levee/record/v1"
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
	referral := e.anna.Make(&recordv1.Referral{OccurredOn: proto.Int32(20211001), Case: file.Record[:], ToOrganisation: proto.String("浚县民政局"), Reason: proto.String("后续照护"), Progress: recordv1.ReferralProgress_REFERRAL_PROGRESS_SENT.Enum()})
	e.anna.Push(file, e.anna.Make(&recordv1.CaseIdentity{Case: file.Record[:], Name: proto.String("张福来")}), referral)
	e.announced()
	e.b.Open(e.path).Follow("Referral form").Sees("浚县民政局", "张福来", "Receipt", "王-02")
	s.as(e.d, "carl", "en").Open(e.path + "/referrals/" + referral.Record.String()).Is(http.StatusNotFound)

	e.b.Open(e.path).Follow("Hand case files over").Sees("王-01", "王-02")
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
}
