package webui_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	"levee/server/internal/webtest"
	"levee/syncproto/certificate"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// ending is a deployment on the site that comes to its end: anna has synced, and carl has not yet.
type ending struct {
	*site
	d          *servertest.Deployment
	anna, carl *servertest.Device
	b          *webtest.Browser
	path       string
}

func (s *site) ending(lang string) *ending {
	s.t.Helper()
	s.administrator("en")
	d := s.field()
	e := &ending{site: s, d: d, anna: d.Enrol("anna"), carl: d.Enrol("carl"), path: "/deployments/" + d.ID.String() + "/closeout"}
	phone := syncing.SetUpChange{SetUpRecord: syncing.SetUpRecord{ID: d.Workers["carl"], Message: &recordv1.Worker{Phone: proto.String("139 0000 0001")}}}
	if err := d.Service.ChangeSetUp(s.t.Context(), d.Workers["coordinator"], phone); err != nil {
		s.t.Fatal(err)
	}
	e.anna.Push(e.opened(e.anna, "王-01"), e.held(e.anna, 90))
	e.carl.Pull()
	e.b = s.as(d, "coordinator", lang)
	return e
}

func (*ending) opened(v *servertest.Device, number string) *record.Change {
	return v.Make(&recordv1.Case{CaseNo: &number, OpenedOn: proto.Int32(20211001), ClientCount: proto.Uint32(1), Stage: recordv1.CaseStage_CASE_STAGE_INTERVENTION.Enum(), Lead: v.Worker[:]})
}

func (*ending) held(v *servertest.Device, minutes uint32) *record.Change {
	return v.Make(&recordv1.CommunityActivity{Name: proto.String("电影放映"), OccurredOn: proto.Int32(20211001), Minutes: &minutes, RegisterUsed: proto.Bool(false), Status: recordv1.Status_STATUS_HELD.Enum()})
}

// dayAfter is noon of the day after the last one. Anna syncs.
func (e *ending) dayAfter() {
	e.d.Pass(24 * time.Hour)
	e.Pass(24 * time.Hour)
	e.anna.Pull()
	e.b.Open("/sign-in").Send(e.b.Button(), webtest.Values("login", "coordinator", "password", password))
}

// announced is the close-out announced, with the first of October as the last day.
func (e *ending) announced() {
	e.t.Helper()
	e.b.Open(e.path).Sees("Work goes on").Follow("Announce the close-out")
	e.b.Send("Announce", webtest.Values("end", "2021-10-01", "erase", "2021-10-01")).Is(http.StatusUnprocessableEntity).Sees("the day of erasure must lie after the last one")
	e.b.Send("Announce", webtest.Values("erase", "2022-04-01")).Is(http.StatusOK).Sees("Today, 1 Oct 2021, is the last day.", "personal data erased from 1 Apr 2022")
}

// waived waives all that stands in the way, one by one where it is told one by one, and returns how often.
func (e *ending) waived() (times int) {
	e.t.Helper()
	for {
		e.b.Open(e.path)
		link := ""
		for _, a := range webtest.Find(e.b.Page, "a") {
			if text := webtest.TextOf(a); strings.HasPrefix(text, "Waive") && (link == "" || strings.HasPrefix(link, "Waive all of these")) {
				link = text
			}
		}
		if link == "" {
			return times
		}
		times++
		e.b.Follow(link)
		e.b.Send("Waive", nil).Is(http.StatusUnprocessableEntity)
		e.b.Send("Waive", webtest.Values("reason", "已电话核对")).Is(http.StatusOK).Sees("Waived.")
	}
}

// background waits for what was begun in the background, and opens the page.
func (e *ending) background() *webtest.Browser {
	e.t.Helper()
	<-e.worked
	<-e.worked
	return e.b.Open(e.path)
}

func (e *ending) closed() {
	e.t.Helper()
	e.b.Open(e.path).Follow("Close the deployment").Sees("In 9 days of service: 1 case, 0 group sessions, 1 community activity; 1 beneficiaries.", "已电话核对").Send("Close it and sign the certificate", nil).Is(http.StatusOK)
	e.background().Sees("edition 1 of the certificate stands")
}

// A deployment is closed on the pages: refused while something is open, waived, backed up, closed; a tablet comes late, what it brings is
// accepted, and the second edition says what differs.
func TestADeploymentIsClosedOnThePages(t *testing.T) {
	s := newSite(t)
	e := s.ending("en")
	s.backUp = func(ctx context.Context) error {
		return errors.Join(e.d.Service.Durable(ctx, map[hlc.Replica]uint64{e.anna.Replica: 2}), e.d.Service.Durable(ctx, nil))
	}
	late := []*record.Change{e.held(e.carl, 30), e.opened(e.carl, "卫-09")}
	e.announced()
	e.dayAfter()
	e.b.Open("/deployments/"+e.d.ID.String()).Sees("This deployment is being closed out.", "The last day was 1 Oct 2021.", "checks are open.")
	e.b.Open(e.path).Sees("Tablets not heard from since the end", "139 0000 0001", "王-01", "Cases without a consent", "Not reviewed", "2 open", "Risk alerts still open")
	e.b.Do(http.MethodPost, e.path+"/closing", nil)
	e.b.Is(http.StatusUnprocessableEntity).Sees("Something is still open")
	e.b.Open(e.path).Send("Back up now", nil)
	e.background().Sees("In order")
	e.b.Send("Recount now", nil)
	e.background().Sees("all was equal")
	if n := e.waived(); n != 4 {
		t.Errorf("waived %d times", n)
	}
	e.b.Send("Take back 王-01", nil).Sees("it stands in the way again", "stands in the way")
	e.waived()
	e.closed()
	e.b.Follow("Edition 1").Sees("In 9 days of service: 1 case,", "已电话核对", "SHA-256", "Of 2 tablets 1 were heard from")
	file := e.fetched(fileOn(e.b))
	if c, _, err := certificate.Open([]byte(file)); err != nil || c.Edition != 1 || !strings.Contains(e.b.Text, certificate.Hash([]byte(file))) {
		t.Errorf("the file: %v", err)
	}
	if n := len(webtest.Find(e.b.Page, "img")); n != 1 {
		t.Errorf("%d QR codes", n)
	}

	e.carl.Push(late...)
	e.b.Open(e.path).Sees("2 changes wait as addenda", "counted apart").Follow("Look at the addenda").Sees("carl", "New records among them", "new record")
	e.b.Send("Decide on those chosen", nil).Sees("Nothing was chosen.")
	e.b.Send("Decide on all of this tablet", nil).Is(http.StatusOK).Sees("2 changes.")
	e.b.Send("Decide", webtest.Values("decision", "decline")).Is(http.StatusUnprocessableEntity).Sees("2 changes.")
	e.b.Send("Decide", webtest.Values("decision", "accept", "reason", "平板迟到")).Is(http.StatusOK).Sees("Decided.", "No addendum waits.")
	e.b.Send("Issue the next edition", nil)
	e.background().Sees("edition 2 of the certificate stands").Follow("Edition 2").Sees("In 9 days of service: 2 cases,", "平板迟到", "What changed", "+1", "The whole deployment")
	e.b.Open(e.path).Send("Issue the next edition", nil)
	e.background().Sees("No certificate was issued", "Nothing has changed")
	e.b.Follow("Open the deployment again").Sees("Closing again issues the next edition").Send("Open it again", nil).Sees("Done.", "Checklist")
}

func (e *ending) fetched(path string) string {
	e.t.Helper()
	r, err := http.NewRequestWithContext(e.t.Context(), http.MethodGet, e.server.URL+path, nil)
	if err != nil {
		e.t.Fatal(err)
	}
	answer, err := e.b.Client.Do(r)
	if err != nil {
		e.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	all, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		e.t.Fatal(answer.Status, err)
	}
	return string(all)
}

// What one tablet brought may be declined in part, with a reason.
func TestAnAddendumIsDeclinedInPart(t *testing.T) {
	s := newSite(t)
	e := s.ending("en")
	late := []*record.Change{e.held(e.carl, 30), e.opened(e.carl, "卫-09")}
	e.announced()
	e.dayAfter()
	e.waived()
	e.closed()
	e.carl.Push(late...)
	e.b.Open(e.path+"/addenda").Send("Decide on those chosen", webtest.Values("chosen", late[0].ID.String())).Sees("1 change.")
	e.b.Send("Decide", webtest.Values("decision", "decline", "reason", "与另一条重复")).Is(http.StatusOK).Sees("Decided.", "1 change waits")
	e.b.Send("Issue the next edition", nil)
	e.background().Follow("Edition 2").Sees("0 lines differ", "与另一条重复")
}

// Whoever sees totals sees how far the close-out is, and of what stands in the way what they may see anyway; phones are for who calls.
func TestTheChecklistIsCutToWhoReadsIt(t *testing.T) {
	s := newSite(t)
	e := s.ending("en")
	e.announced()
	e.dayAfter()
	e.b.Open(e.path).Sees("139 0000 0001", "Waive")
	b := s.as(e.d, "super", "en") // of the team of anna, who is not that of carl
	b.Open(e.path).Is(http.StatusOK).Sees("Tablets not heard from since the end", "1 more is not shown here", "王-01")
	for _, secret := range []string{"139 0000 0001", "Waive", "Close the deployment", "Recount now"} {
		if strings.Contains(b.Text, secret) {
			t.Errorf("a supervisor is shown %q", secret)
		}
	}
	b.Open("/deployments/"+e.d.ID.String()).Sees("This deployment is being closed out.", "Close-out")
}

// A step that fails in the background says so on the page.
func TestAFailedBackupIsTold(t *testing.T) {
	s := newSite(t)
	e := s.ending("en")
	s.backUp = func(context.Context) error { return context.Canceled }
	s.tolerated = context.Canceled
	e.announced()
	e.b.Open(e.path).Send("Back up now", nil)
	e.background().Sees("The backup of", "failed", "Something went wrong on the server")
}

// Where a standby is waited for, nobody is to make a backup: the checklist says what is missing.
func TestAStandbyThatLacksSomethingIsTold(t *testing.T) {
	s := newSite(t)
	e := s.ending("en")
	s.all.All()[0].Closeout.Standby = true
	e.announced()
	for lang, texts := range map[string][2]string{"en": {"No standby has everything yet.", "Back up now"}, "zh": {"备库尚未收齐全部内容。", "立即备份"}} {
		if e.b.Open(e.path + "?lang=" + lang).Sees(texts[0]); strings.Contains(e.b.Text, texts[1]) {
			t.Errorf("it offers %q", texts[1])
		}
	}
}

// The report's foreword and sections stand in the deployment's record.
func TestTheReportIsSetOnThePages(t *testing.T) {
	s := newSite(t)
	e := s.ending("zh")
	e.b.Open(e.path+"?lang=zh").Sees("收队报告", "没有").Follow("修改 收队报告")
	e.b.Send("保存", webtest.Values("foreword", "感谢浚县各界。", "left_out", "weeks")).Is(http.StatusOK).Sees("感谢浚县各界。", "各周")
	if d := e.d.Service.SetUp().Deployment; d.GetForeword() != "感谢浚县各界。" || len(d.GetLeftOut()) != 1 || d.GetLeftOut()[0] != "weeks" {
		t.Errorf("%v", d)
	}
}
