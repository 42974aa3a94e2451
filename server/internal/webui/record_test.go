package webui_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/audit"
	"levee/server/internal/servertest"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/tally"
)

// casework is a case of team one with a session that ben edited, and its note.
type casework struct {
	*servertest.Deployment
	anna, ben, boss               *servertest.Device
	file, identity, session, note hlc.ID
}

func (s *site) casework() *casework {
	s.t.Helper()
	d := s.field()
	c := &casework{Deployment: d, anna: d.Enrol("anna"), ben: d.Enrol("ben"), boss: d.Enrol("super")}
	file := c.anna.Make(&recordv1.Case{CaseNo: proto.String("2021-01"), OpenedOn: proto.Int32(20211001), ClientCount: proto.Uint32(2), Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(), Lead: c.anna.Worker[:],
		ClientTokens: [][]byte{slices.Repeat([]byte{3}, 16), slices.Repeat([]byte{4}, 16)}})
	identity := c.anna.Make(&recordv1.CaseIdentity{Case: file.Record[:], Name: proto.String("王秀英")})
	session := c.anna.Make(&recordv1.CaseSession{Case: file.Record[:], Minutes: proto.Uint32(30), Attendees: proto.Uint32(1), Stage: recordv1.CaseStage_CASE_STAGE_INTERVENTION.Enum(),
		Mode: recordv1.SessionMode_SESSION_MODE_HOME_VISIT.Enum(), RiskSeen: recordv1.RiskSeen_RISK_SEEN_NO.Enum(), Status: recordv1.Status_STATUS_HELD.Enum()})
	note := c.anna.Make(&recordv1.CaseNote{Session: session.Record[:], Process: proto.String("谈到房屋")})
	c.anna.Push(file, identity, session, note)
	c.file, c.identity, c.session, c.note = file.Record, identity.Record, session.Record, note.Record
	return c
}

// review makes a review of a record on the supervisor's tablet, as others see the record now.
func (c *casework) review(target hlc.ID, outcome recordv1.ReviewOutcome, comment string) {
	c.T.Helper()
	c.boss.Pull()
	c.boss.Push(c.boss.Make(&recordv1.Review{Target: target[:], Reviewed: tally.Reviewed(recordv1.Kind_KIND_CASE_SESSION, c.boss.Seen[target]), Outcome: &outcome, Comment: &comment}))
	c.Pass(time.Minute)
}

func (c *casework) at(id hlc.ID) string {
	return "/deployments/" + c.ID.String() + "/records/" + id.String()
}

// TestARecordIsRead goes from a case to its session and its note, as each role sees them.
func TestARecordIsRead(t *testing.T) {
	s := newSite(t)
	c := s.casework()
	b := s.as(c.Deployment, "super", "en").Open(c.at(c.file)).Is(http.StatusOK)
	b.Sees("case 2021-01", "2 people, known by codes", "intake", "case identity", "anna", "What belongs to it")
	if strings.Contains(b.Text, "030303") || strings.Contains(b.Text, "王秀英") {
		t.Errorf("shows who the clients are: %s", b.Text)
	}
	b.Follow("case session, 1 Oct 2021 · anna").Sees("home visit", "made · anna · from tablet anna", "case 2021-01")
	b.Follow("from tablet anna").Is(http.StatusOK).Sees("Tablet anna", "Worker anna", "Team one", "Received 1 Oct 2021 12:00", "case identity made taken in 2", "case session this one made taken in 3", "case note made")
	b.Follow("case session").Follow("case note, 1 Oct 2021 · anna").Sees("谈到房屋")
	b.Follow("case 2021-01").Follow("case identity, 1 Oct 2021 · anna").Sees("王秀英")

	zh := s.as(c.Deployment, "coordinator", "zh").Open(c.at(c.session) + "?lang=zh")
	zh.Sees("个案服务记录（2021年10月1日）", "入户", "30", "新建 · anna · 平板 anna", "个案 2021-01")

	// Who does not work on the case sees the session, and not that there is a note.
	lead := s.as(c.Deployment, "lead", "en").Open(c.at(c.session)).Is(http.StatusOK)
	if lead.Follow("from tablet anna").Is(http.StatusOK).Sees("case session this one"); strings.Contains(lead.Text, "note") || strings.Contains(lead.Text, "identity") {
		t.Errorf("the team's lead sees that more came: %s", lead.Text)
	}
	if lead.Open(c.at(c.session)); strings.Contains(lead.Text, "note") {
		t.Errorf("the team's lead sees a note: %s", lead.Text)
	}
	lead.Open(c.at(c.note)).Is(http.StatusNotFound)
	s.as(c.Deployment, "carl", "en").Open(c.at(c.session)).Is(http.StatusNotFound)
}

// TestPlacesHaveNames wherever a record tells where it was, beside the code.
func TestPlacesHaveNames(t *testing.T) {
	s := newSite(t)
	c := s.casework()
	at := func(code, village string) hlc.ID {
		place := &recordv1.Place{Code: &code, Edition: proto.Int32(2022)}
		if village != "" {
			place.Village = &village
		}
		made := c.anna.Make(&recordv1.CommunityActivity{Name: proto.String("义诊"), Place: place})
		c.anna.Push(made)
		return made.Record
	}
	town, village := at("410621108", "西街"), at("410621108201", "")
	b := s.as(c.Deployment, "super", "en")
	b.Open(c.at(town)).Sees("河南省 › 鹤壁市 › 浚县 › 王庄镇 › 西街 (410621108, list of 2022)")
	b.Open(c.at(town) + "?lang=zh").Sees("王庄镇 › 西街（410621108、2022年版）")
	b.Open(c.at(village)).Sees("浚县 › 王庄镇 (410621108201, list of 2022)")
	pair := "/deployments/" + c.ID.String() + "/duplicates/" + town.String() + "/" + village.String()
	b.Open(pair).Sees("王庄镇 › 西街 (410621108, list of 2022)", "王庄镇 (410621108201, list of 2022)")
}

// TestWhatAPageAsksForItselfIsNoReading: an open page of a record follows what stands around it; only people read records.
func TestWhatAPageAsksForItselfIsNoReading(t *testing.T) {
	s := newSite(t)
	c := s.casework()
	b := s.as(c.Deployment, "super", "en").Open(c.at(c.session))
	if n := s.noted(c.ID, audit.RecordRead); n != 1 {
		t.Errorf("one reading is noted %d times", n)
	}
	text := s.renewed(b, b.At.Path)
	if !strings.Contains(text, `id="sections"`) || strings.Contains(text, `id="updated"`) || strings.Contains(text, "home visit") {
		t.Errorf("the page is told: %s", text)
	}
	if n := s.noted(c.ID, audit.RecordRead); n != 1 {
		t.Errorf("the page read the record: %d", n)
	}

	// Nor are those on which records are compared.
	o, b := newOffice(t)
	o.conflict(60, 90)
	o.hold("补记的活动")
	id := o.deployment.Syncing.Deployment()
	for page, link := range map[string]string{"conflicts": "community activity", "held": "community activity", "duplicates/" + o.first.String() + "/" + o.second.String(): ""} {
		if b.Open("/deployments/" + id.String() + "/" + page); link != "" {
			b.Follow(link)
		}
		before := o.noted(id, audit.RecordRead) + o.noted(id, audit.ConfidentialRead)
		if o.renewed(b, b.At.Path); o.noted(id, audit.RecordRead)+o.noted(id, audit.ConfidentialRead) != before {
			t.Errorf("%s: the page read records by itself", page)
		}
	}
}

// TestAReviewLapses tells where a record was changed after it was approved, and what.
func TestAReviewLapses(t *testing.T) {
	s := newSite(t)
	c := s.casework()
	edit := func(m *recordv1.CaseSession) {
		c.ben.Pull()
		c.ben.Push(c.ben.Edit(c.session, m))
		c.Pass(time.Minute)
	}
	b := s.as(c.Deployment, "super", "en")
	c.review(c.session, recordv1.ReviewOutcome_REVIEW_OUTCOME_RETURNED, "几人在场？")
	b.Open(c.at(c.session)).Sees("returned, waits for the worker", "几人在场？")
	edit(&recordv1.CaseSession{Attendees: proto.Uint32(2)})
	b.Open(c.at(c.session)).Sees("returned, and changed since", "edited · ben · from tablet ben", "after the review of 1 Oct 2021 12:00")
	c.review(c.session, recordv1.ReviewOutcome_REVIEW_OUTCOME_APPROVED, "")
	edit(&recordv1.CaseSession{Minutes: proto.Uint32(45)})
	if b.Open(c.at(c.session)).Sees("approved"); strings.Contains(b.Text, "changed since it was approved") {
		t.Errorf("an approval lapses by what does not count: %s", b.Text)
	}
	edit(&recordv1.CaseSession{Attendees: proto.Uint32(3)})
	b.Open(c.at(c.session)).Sees("Changed since it was approved on 1 Oct 2021 12:02: clients present.", "edited · ben · from tablet ben 1 Oct 2021 12:04 clients present changed since it was approved on 1 Oct 2021 12:02")
	b.Open(c.at(c.session) + "?lang=zh").Sees("通过审核之后又有改动")
}
