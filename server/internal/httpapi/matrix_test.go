package httpapi_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/labstack/echo/v4"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/accounts"
	"levee/server/internal/audit"
	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	"levee/server/internal/workbook"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/levee/sync/v1/syncv1connect"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/wire"
)

// callers are those whom the matrix lets ask, in the order of its columns. All but the last three work in the first
// deployment; lead and supervisor have team one, the external supervisor team two.
var callers = []string{"field worker", "team lead", "supervisor", "external supervisor", "coordinator", "administrator", "coordinator elsewhere", "account of nobody"}

// The answers of the matrix.
const (
	ok  = http.StatusOK
	add = http.StatusCreated
	acc = http.StatusAccepted
	non = http.StatusNoContent
	hid = http.StatusNotFound
	no  = http.StatusForbidden
	bad = http.StatusUnprocessableEntity // let through, and then found wanting
	old = http.StatusConflict            // let through, and changed since it was shown
)

// cell is a row of the matrix: one request, and what each caller is answered.
type cell struct {
	method, path string // as the router has it
	// query and body of the request; {…} are filled in.
	query, body string
	params      map[string]string
	want        [8]int
}

// open are the routes that anybody may ask, by what they answer.
var open = map[string]int{
	"GET /healthz": ok, "GET /readyz": ok, "GET /metrics": ok, "GET /api/openapi.json": ok,
}

var matrix = []cell{
	{"GET", "/api/deployments", "", "", nil, [8]int{ok, ok, ok, ok, ok, ok, ok, ok}}, // each gets their own: TestOwnDeployments
	{"GET", "/api/figures", "deployment={deployment}", "", nil, [8]int{ok, ok, ok, ok, ok, ok, hid, hid}},
	{"GET", "/api/totals", "deployment={deployment}", "", nil, [8]int{no, no, no, no, ok, hid, hid, hid}},
	{"GET", "/api/totals", "deployment={deployment}&by=team", "", nil, [8]int{ok, ok, ok, ok, ok, hid, hid, hid}},
	{"GET", "/api/totals", "deployment={deployment}&by=day", "", nil, [8]int{no, no, no, no, ok, hid, hid, hid}},
	{"GET", "/api/rollup", "", "", nil, [8]int{hid, hid, hid, hid, hid, hid, hid, hid}}, // each has a part in one deployment, or in none: TestRollUp
	{"GET", "/api/records", "deployment={deployment}&figure=cases", "", nil, [8]int{no, no, no, no, ok, hid, hid, hid}},
	{"GET", "/api/records", "deployment={deployment}&figure=cases&by=team&key={one}", "", nil, [8]int{ok, ok, ok, hid, ok, hid, hid, hid}},
	{"GET", "/api/records", "deployment={deployment}&figure=cases&by=team&key={two}", "", nil, [8]int{hid, hid, hid, ok, ok, hid, hid, hid}},
	{"GET", "/api/records/:id", "deployment={deployment}", "", map[string]string{"id": "{session one}"}, [8]int{ok, ok, ok, hid, ok, hid, hid, hid}},
	{"GET", "/api/records/:id", "deployment={deployment}", "", map[string]string{"id": "{note one}"}, [8]int{ok, hid, ok, hid, ok, hid, hid, hid}},
	{"GET", "/api/records/:id", "deployment={deployment}", "", map[string]string{"id": "{identity one}"}, [8]int{ok, hid, ok, hid, ok, hid, hid, hid}},
	{"GET", "/api/records/:id", "deployment={deployment}", "", map[string]string{"id": "{session two}"}, [8]int{hid, hid, hid, ok, ok, hid, hid, hid}},
	{"GET", "/api/records/:id", "deployment={deployment}", "", map[string]string{"id": "{note two}"}, [8]int{hid, hid, hid, ok, ok, hid, hid, hid}},
	{"GET", "/api/records/:id", "deployment={deployment}", "", map[string]string{"id": "{identity two}"}, [8]int{hid, hid, hid, hid, ok, hid, hid, hid}},
	{"GET", "/api/records/:id", "deployment={deployment}", "", map[string]string{"id": "{one}"}, [8]int{ok, ok, ok, ok, ok, hid, hid, hid}},
	{"GET", "/api/records/:id", "deployment={deployment}", "", map[string]string{"id": "{nothing}"}, [8]int{hid, hid, hid, hid, hid, hid, hid, hid}},
	{"GET", "/api/cases/:id/confidential", "deployment={deployment}", "", map[string]string{"id": "{case one}"}, [8]int{ok, hid, ok, hid, ok, hid, hid, hid}},
	{"GET", "/api/cases/:id/confidential", "deployment={deployment}", "", map[string]string{"id": "{case two}"}, [8]int{hid, hid, hid, ok, ok, hid, hid, hid}},
	{"GET", "/api/cases/:id/confidential", "deployment={deployment}", "", map[string]string{"id": "{session one}"}, [8]int{hid, hid, hid, hid, hid, hid, hid, hid}},
	{"GET", "/api/cases/:id/confidential", "deployment={deployment}", "", map[string]string{"id": "{nothing}"}, [8]int{hid, hid, hid, hid, hid, hid, hid, hid}},
	{"GET", "/api/devices", "deployment={deployment}", "", nil, [8]int{hid, ok, ok, ok, ok, hid, hid, hid}},
	{"GET", "/api/held", "deployment={deployment}", "", nil, [8]int{hid, ok, ok, ok, ok, hid, hid, hid}},
	{"GET", "/api/conflicts", "deployment={deployment}", "", nil, [8]int{hid, ok, ok, ok, ok, hid, hid, hid}},
	{"POST", "/api/exports", "deployment={deployment}", `{"format":"hxl","confidential":true}`, nil, [8]int{no, no, bad, bad, bad, hid, hid, hid}},
	{"GET", "/api/exports", "deployment={deployment}", "", nil, [8]int{no, no, ok, ok, ok, hid, hid, hid}},
	{"GET", "/api/exports/:export", "deployment={deployment}", "", map[string]string{"export": "{nothing}"}, [8]int{no, no, hid, hid, hid, hid, hid, hid}},
	{"GET", "/api/exports/:export/file", "deployment={deployment}", "", map[string]string{"export": "{nothing}"}, [8]int{no, no, hid, hid, hid, hid, hid, hid}},
	{"DELETE", "/api/exports/:export", "deployment={deployment}", "", map[string]string{"export": "{nothing}"}, [8]int{no, no, hid, hid, hid, hid, hid, hid}},
	{"GET", "/api/audit", "deployment={deployment}", "", nil, [8]int{hid, hid, hid, hid, ok, hid, hid, hid}},
	{"GET", "/api/audit", "server=true", "", nil, [8]int{hid, hid, hid, hid, hid, ok, hid, hid}},
	{"GET", "/api/set-up", "deployment={deployment}", "", nil, [8]int{ok, ok, ok, ok, ok, ok, hid, hid}},
	{"GET", "/api/workers", "deployment={deployment}", "", nil, [8]int{ok, ok, ok, ok, ok, ok, hid, hid}},
	{"GET", "/api/review", "deployment={deployment}", "", nil, [8]int{no, ok, ok, ok, ok, hid, hid, hid}},
	{"GET", "/api/review", "deployment={deployment}&team={one}", "", nil, [8]int{no, ok, ok, hid, ok, hid, hid, hid}},
	{"POST", "/api/review/preview", "deployment={deployment}", `{"records":["{session one}"]}`, nil, [8]int{no, ok, ok, ok, ok, hid, hid, hid}},                   // who may not is told that it is missing
	{"POST", "/api/review/approvals", "deployment={deployment}", `{"records":[{"id":"{session one}","seen":1}]}`, nil, [8]int{no, ok, ok, ok, ok, hid, hid, hid}}, // of which nothing is approved
	{"POST", "/api/records/:id/approval", "deployment={deployment}", `{"seen":1}`, map[string]string{"id": "{session one}"}, [8]int{no, old, old, hid, old, hid, hid, hid}},
	{"POST", "/api/records/:id/return", "deployment={deployment}", `{"seen":1,"reasons":["date"]}`, map[string]string{"id": "{session one}"}, [8]int{no, old, old, hid, old, hid, hid, hid}},
	{"GET", "/api/conflicts/:conflict", "deployment={deployment}", "", map[string]string{"conflict": "{conflict one}"}, [8]int{hid, ok, ok, hid, ok, hid, hid, hid}},
	{"POST", "/api/conflicts/:conflict/settlement", "deployment={deployment}", `{"seen":1,"record_seen":1,"keep":"side","side":1}`, map[string]string{"conflict": "{conflict one}"}, [8]int{hid, old, old, hid, old, hid, hid, hid}},
	{"GET", "/api/held/:change", "deployment={deployment}", "", map[string]string{"change": "{held one}"}, [8]int{hid, ok, ok, hid, ok, hid, hid, hid}},
	{"GET", "/api/duplicates", "deployment={deployment}", "", nil, [8]int{no, ok, ok, ok, ok, hid, hid, hid}},
	{"GET", "/api/duplicates/:earlier/:later", "deployment={deployment}", "", map[string]string{"earlier": "{activity one}", "later": "{again one}"}, [8]int{no, ok, ok, hid, ok, hid, hid, hid}},
	{"POST", "/api/duplicates/:earlier/:later/decision", "deployment={deployment}", `{"keep":"both"}`, map[string]string{"earlier": "{activity one}", "later": "{again one}"}, [8]int{no, non, non, hid, non, hid, hid, hid}},
	{"POST", "/api/records/:id/separation", "deployment={deployment}", `{"seen":1}`, map[string]string{"id": "{again one}"}, [8]int{no, non, non, hid, non, hid, hid, hid}}, // of which it is not said
	{"GET", "/api/cases", "deployment={deployment}", "", nil, [8]int{ok, ok, ok, ok, ok, hid, hid, hid}},
	{"GET", "/api/cases", "deployment={deployment}&team={one}", "", nil, [8]int{ok, ok, ok, hid, ok, hid, hid, hid}},
	{"GET", "/api/report", "deployment={deployment}", "", nil, [8]int{ok, ok, ok, ok, ok, hid, hid, hid}},
	{"GET", "/api/report", "deployment={deployment}&period=week&date=2021-10-01", "", nil, [8]int{ok, ok, ok, ok, ok, hid, hid, hid}},
	{"GET", "/api/report", "deployment={deployment}&date=1999-01-01", "", nil, [8]int{bad, bad, bad, bad, bad, hid, hid, hid}},
	{"GET", "/api/workbooks", "deployment={deployment}", "", nil, [8]int{no, no, no, no, ok, hid, hid, hid}},
	{"POST", "/api/workbooks", "deployment={deployment}&name=x", "no workbook", nil, [8]int{no, no, no, no, bad, no, hid, hid}},
	{"GET", "/api/workbooks/:workbook/filled", "deployment={deployment}&period=week", "", map[string]string{"workbook": "{workbook}"}, [8]int{no, no, no, no, ok, hid, hid, hid}},
	{"GET", "/api/workbooks/:workbook/filled", "deployment={deployment}", "", map[string]string{"workbook": "{nothing}"}, [8]int{no, no, no, no, hid, hid, hid, hid}},
	{"PUT", "/api/workbooks/:workbook/cells", "deployment={deployment}", `{"cells":[]}`, map[string]string{"workbook": "{workbook}"}, [8]int{no, no, no, no, non, no, hid, hid}},
	{"DELETE", "/api/workbooks/:workbook", "deployment={deployment}", "", map[string]string{"workbook": "{nothing}"}, [8]int{no, no, no, no, hid, no, hid, hid}},
	{"GET", "/api/teams", "deployment={deployment}", "", nil, [8]int{ok, ok, ok, ok, ok, hid, hid, hid}},
	{"GET", "/api/teams/:team/work", "deployment={deployment}", "", map[string]string{"team": "{one}"}, [8]int{ok, ok, ok, hid, ok, hid, hid, hid}},
	{"GET", "/api/workers/:worker/work", "deployment={deployment}", "", map[string]string{"worker": "{ben}"}, [8]int{ok, ok, ok, hid, ok, hid, hid, hid}},
	{"GET", "/api/alerts", "deployment={deployment}", "", nil, [8]int{ok, ok, ok, ok, ok, hid, hid, hid}},
	{"GET", "/api/alerts", "deployment={deployment}&state=acknowledged", "", nil, [8]int{ok, ok, ok, ok, ok, hid, hid, hid}},
	{"GET", "/api/alerts/:alert", "deployment={deployment}", "", map[string]string{"alert": "{alert one}"}, [8]int{ok, hid, ok, hid, ok, hid, hid, hid}}, // who wrote it sees it
	{"POST", "/api/alerts/:alert/closing", "deployment={deployment}", `{"seen":1,"closed_on":"2021-10-01"}`, map[string]string{"alert": "{alert one}"}, [8]int{no, hid, bad, hid, bad, hid, hid, hid}},
	{"POST", "/api/alerts/:alert/acknowledgement", "deployment={deployment}", "", map[string]string{"alert": "{alert one}"}, [8]int{no, hid, non, hid, non, hid, hid, hid}},
	{"GET", "/api/supervision", "deployment={deployment}", "", nil, [8]int{ok, ok, ok, ok, ok, hid, hid, hid}},
	{"GET", "/api/supervision/:session", "deployment={deployment}", "", map[string]string{"session": "{supervision}"}, [8]int{ok, ok, ok, hid, ok, hid, hid, hid}},
	{"GET", "/api/planned", "deployment={deployment}", "", nil, [8]int{ok, ok, ok, ok, ok, hid, hid, hid}},
	{"POST", "/api/planned", "deployment={deployment}", `{"name":"x","day":"2021-10-05","service_area":"other","team":"{one}"}`, nil, [8]int{no, add, add, hid, add, hid, hid, hid}},
	{"POST", "/api/planned", "deployment={deployment}", `{"name":"x","day":"2021-10-05","service_area":"other"}`, nil, [8]int{no, no, no, no, add, hid, hid, hid}}, // for all teams
	{"POST", "/api/imports", "deployment={deployment}&name=outreach.csv&check=true", "households\n3\n", nil, [8]int{no, ok, ok, ok, ok, hid, hid, hid}},
	{"POST", "/api/imports", "deployment={deployment}&name=outreach.csv", "households\nthree\n", nil, [8]int{no, bad, bad, bad, bad, hid, hid, hid}},
	{"PUT", "/api/planned/:activity", "deployment={deployment}", `{"name":"y","day":"2021-10-05","service_area":"other","team":"{one}","seen":1}`, map[string]string{"activity": "{planned one}"}, [8]int{no, old, old, hid, old, hid, hid, hid}},
	{"POST", "/api/planned/:activity/cancellation", "deployment={deployment}", `{"seen":1}`, map[string]string{"activity": "{planned one}"}, [8]int{no, old, old, hid, old, hid, hid, hid}},
	{"POST", "/api/search", "deployment={deployment}", `{"text":"房屋"}`, nil, [8]int{ok, ok, ok, ok, ok, hid, hid, hid}},
	{"GET", "/api/arrivals/:position", "deployment={deployment}", "", map[string]string{"position": "{position}"}, [8]int{ok, ok, ok, hid, ok, hid, hid, hid}},
	{"POST", "/api/enrolment-codes", "deployment={deployment}", `{"worker":"{ben}"}`, nil, [8]int{no, no, add, no, add, no, hid, hid}},
	{"POST", "/api/enrolment-codes", "deployment={deployment}", `{"worker":"{carl}"}`, nil, [8]int{no, no, no, no, add, no, hid, hid}},
	{"POST", "/api/enrolment-codes", "deployment={deployment}", `{"worker":"{coordinator}"}`, nil, [8]int{no, no, no, no, add, no, hid, hid}},
	{"POST", "/api/enrolment-codes", "deployment={deployment}", `{"worker":"{nothing}"}`, nil, [8]int{no, no, hid, no, hid, no, hid, hid}},
	{"PATCH", "/api/devices/:device", "deployment={deployment}", `{"name":"x"}`, map[string]string{"device": "{bens}"}, [8]int{hid, no, non, no, non, hid, hid, hid}},
	{"PATCH", "/api/devices/:device", "deployment={deployment}", `{"name":"x"}`, map[string]string{"device": "{tablet}"}, [8]int{hid, no, hid, no, non, hid, hid, hid}},
	{"POST", "/api/devices/:device/revocation", "deployment={deployment}", "", map[string]string{"device": "{nothing}"}, [8]int{hid, no, hid, no, hid, hid, hid, hid}},
	{"POST", "/api/devices/:device/revocation", "deployment={deployment}", "", map[string]string{"device": "{bens}"}, [8]int{hid, no, non, no, non, hid, hid, hid}},
	{"POST", "/api/held/:change/decision", "deployment={deployment}", `{"decision":"discard"}`, map[string]string{"change": "{nothing}"}, [8]int{hid, hid, hid, hid, hid, hid, hid, hid}},
	{"POST", "/api/cases/:case/erasure", "deployment={deployment}", "", map[string]string{"case": "{nothing}"}, [8]int{no, no, no, no, hid, hid, hid, hid}},
	{"GET", "/api/close-out", "deployment={deployment}", "", nil, [8]int{ok, ok, ok, ok, ok, hid, hid, hid}},
	{"GET", "/api/close-out/certificates", "deployment={deployment}", "", nil, [8]int{ok, ok, ok, ok, ok, hid, hid, hid}},
	{"GET", "/api/close-out/certificates/:edition", "deployment={deployment}", "", map[string]string{"edition": "1"}, [8]int{hid, hid, hid, hid, hid, hid, hid, hid}}, // while there is none
	{"GET", "/api/close-out/certificates/:edition/report.pdf", "deployment={deployment}", "", map[string]string{"edition": "1"}, [8]int{hid, hid, hid, hid, hid, hid, hid, hid}},
	{"GET", "/api/close-out/addenda", "deployment={deployment}", "", nil, [8]int{no, no, no, no, ok, no, hid, hid}},
	{"POST", "/api/close-out/addenda/decision", "deployment={deployment}", `{"decision":"accept","changes":["{nothing}"]}`, nil, [8]int{no, no, no, no, old, no, hid, hid}}, // of a deployment that is active; so below
	{"POST", "/api/close-out/certificates", "deployment={deployment}", "", nil, [8]int{no, no, no, no, old, no, hid, hid}},
	{"POST", "/api/close-out/closing", "deployment={deployment}", "", nil, [8]int{no, no, no, no, old, no, hid, hid}},
	{"PUT", "/api/close-out/announcement", "deployment={deployment}", `{"end_on":"2020-01-01"}`, nil, [8]int{no, no, no, no, bad, no, hid, hid}},
	{"POST", "/api/close-out/waivers", "deployment={deployment}", `{"check":"recount","reason":"x"}`, nil, [8]int{no, no, no, no, no, no, hid, hid}}, // which nobody can
	{"DELETE", "/api/close-out/waivers/:waiver", "deployment={deployment}", "", map[string]string{"waiver": "{nothing}"}, [8]int{no, no, no, no, hid, no, hid, hid}},
	{"POST", "/api/close-out/recount", "deployment={deployment}", "", nil, [8]int{no, no, no, no, acc, no, hid, hid}},
	{"POST", "/api/close-out/reopening", "deployment={deployment}", "", nil, [8]int{no, no, no, no, old, no, hid, hid}},
	{"POST", "/api/devices/:device/confirmation", "deployment={deployment}", "", map[string]string{"device": "{tablet}"}, [8]int{hid, no, no, no, non, hid, hid, hid}},
}

// stage is a surface with somebody of every sort signed in.
type stage struct {
	*surface
	cookies map[string]string
	values  []string // what fill fills in, each after its name
	fill    *strings.Replacer
	tablet  *servertest.Device
	// contract is what all answers are held against; nil for nothing.
	contract *contract
}

func newStage(t *testing.T) *stage {
	t.Helper()
	d, other := servertest.New(t), servertest.New(t)
	other.ID[15]++
	other.Close()
	other.Open()
	elsewhere := d.NewID()
	external := d.NewID()
	if err := other.Service.Add(t.Context(), []syncing.SetUpRecord{
		{ID: other.ID, Message: &recordv1.Deployment{Name: proto.String("other"), StartOn: proto.Int32(20210923), TimeZone: proto.String("Asia/Shanghai")}},
		{ID: elsewhere, Message: &recordv1.Worker{Name: proto.String("c"), Role: recordv1.Role_ROLE_COORDINATOR.Enum(), Type: recordv1.WorkerType_WORKER_TYPE_EXPERT.Enum()}},
	}); err != nil {
		t.Fatal(err)
	}
	if err := d.Service.Add(t.Context(), []syncing.SetUpRecord{{ID: external, Message: &recordv1.Worker{Name: proto.String("external"), Role: recordv1.Role_ROLE_SUPERVISOR.Enum(),
		Type: recordv1.WorkerType_WORKER_TYPE_EXPERT.Enum(), Team: d.Teams[1][:], External: proto.Bool(true)}}}); err != nil {
		t.Fatal(err)
	}
	s := &stage{surface: serve(t, d, other), cookies: map[string]string{}}
	in := func(worker hlc.ID) accounts.Membership { return accounts.Membership{Deployment: d.ID, Worker: worker} }
	s.cookies["administrator"] = s.signIn("administrator")
	s.cookies["field worker"] = s.signIn("anna", in(d.Workers["anna"]))
	s.cookies["team lead"] = s.signIn("lead", in(d.Workers["lead"]))
	s.cookies["supervisor"] = s.signIn("super", in(d.Workers["super"]))
	s.cookies["external supervisor"] = s.signIn("external", in(external))
	s.cookies["coordinator"] = s.signIn("cora", in(d.Workers["coordinator"]))
	s.cookies["coordinator elsewhere"] = s.signIn("elsewhere", accounts.Membership{Deployment: other.ID, Worker: elsewhere})
	s.cookies["account of nobody"] = s.signIn("nobody", accounts.Membership{Deployment: d.ID, Worker: d.NewID()}) // its worker is gone
	s.tablet = d.Enrol("carl")
	bens := d.Enrol("ben")
	s.values = []string{"{deployment}", d.ID.String(), "{one}", d.Teams[0].String(), "{two}", d.Teams[1].String(), "{nothing}", d.NewID().String(), "{tablet}", s.tablet.Device.ID.String(),
		"{bens}", bens.Device.ID.String(), "{ben}", d.Workers["ben"].String(), "{carl}", d.Workers["carl"].String(), "{coordinator}", d.Workers["coordinator"].String()}
	s.fill = strings.NewReplacer(s.values...)
	return s
}

// work lets somebody work on a case of their team, and fills its records in for the rows of the matrix.
func (s *stage) work(team string, v *servertest.Device) map[string]*record.Change {
	file := v.Make(&recordv1.Case{CaseNo: proto.String("2021-" + team), Lead: v.Worker[:], OpenedOn: proto.Int32(20211001), ClientCount: proto.Uint32(1), Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum()})
	session := v.Make(&recordv1.CaseSession{Case: file.Record[:], Minutes: proto.Uint32(30), Status: recordv1.Status_STATUS_HELD.Enum(), Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(),
		Mode: recordv1.SessionMode_SESSION_MODE_INTERVIEW.Enum(), Attendees: proto.Uint32(2), RiskSeen: recordv1.RiskSeen_RISK_SEEN_NO.Enum()})
	note := v.Make(&recordv1.CaseNote{Session: session.Record[:], Process: proto.String("谈到房屋")})
	identity := v.Make(&recordv1.CaseIdentity{Case: file.Record[:], Name: proto.String("王秀英")})
	on := func(m *recordv1.CommunityActivity) *recordv1.CommunityActivity {
		m.Name, m.OccurredOn, m.Minutes, m.RegisterUsed = proto.String("中秋晚会"), proto.Int32(20211001), proto.Uint32(60), proto.Bool(false)
		return m
	}
	alert := v.Make(&recordv1.RiskAlert{Type: recordv1.RiskType_RISK_TYPE_MISSING.Enum(), Level: recordv1.RiskLevel_RISK_LEVEL_RED.Enum(), SeenAt: proto.Int64(s.Wall().UnixMilli()), Done: proto.String("已陪同")})
	activity, again := v.Make(on(&recordv1.CommunityActivity{Status: recordv1.Status_STATUS_HELD.Enum()})), v.Make(on(&recordv1.CommunityActivity{Status: recordv1.Status_STATUS_HELD.Enum()}))
	planned := v.Make(on(&recordv1.CommunityActivity{Status: recordv1.Status_STATUS_PLANNED.Enum()}))
	v.Push(file, session, note, identity, alert, activity, again, planned)
	made := map[string]*record.Change{"case": file, "session": session, "note": note, "identity": identity, "alert": alert, "activity": activity, "again": again, "planned": planned}
	for name, c := range made {
		s.values = append(s.values, "{"+name+" "+team+"}", c.Record.String())
	}
	s.fill = strings.NewReplacer(s.values...)
	return made
}

// furnish lets both teams work, has something wait in the first one, and fills it in for the rows of the matrix.
func (s *stage) furnish() {
	s.t.Helper()
	anna, ben, super := s.Enrol("anna"), s.Enrol("ben"), s.Enrol("super")
	one, two := s.work("one", anna), s.work("two", s.tablet)
	s.Pass(time.Second)
	anna.Pull()
	ben.Pull()
	activity, foreign := one["activity"].Record, two["case"]
	anna.Push(anna.Edit(activity, &recordv1.CommunityActivity{Summary: proto.String("热闹")}))
	ben.Push(ben.Edit(activity, &recordv1.CommunityActivity{Summary: proto.String("安静")}))
	ben.Seen[foreign.Record] = foreign.Registers()
	held := ben.Edit(foreign.Record, &recordv1.Case{CaseNo: proto.String("2")})
	ben.Push(held)
	supervision := super.Make(&recordv1.Supervision{Supervisor: super.Worker[:], Supervisees: [][]byte{anna.Worker[:]}, Minutes: proto.Uint32(45), Tasks: proto.String("看望老人")})
	super.Push(supervision, super.Make(&recordv1.SupervisionNote{Supervision: supervision.Record[:], Advice: proto.String("多听")}))
	s.catchUp()
	var conflicts struct{ Conflicts []struct{ ID string } }
	s.read("/api/conflicts", &conflicts)
	var session struct{ Seen uint64 }
	s.read("/api/records/"+one["session"].Record.String(), &session)
	if len(conflicts.Conflicts) != 1 || session.Seen == 0 {
		s.t.Fatalf("%+v, %+v", conflicts, session)
	}
	bureau := s.NewID()
	if kept, err := s.DB.Deployment(s.ID).KeepWorkbook(s.t.Context(), workbook.Workbook{ID: bureau, Name: "民政局", File: servertest.BureauFile(s.t), Cells: []workbook.Cell{}}); err != nil || !kept {
		s.t.Fatalf("kept: %t, %v", kept, err)
	}
	s.values = append(s.values, "{workbook}", bureau.String(), "{conflict one}", conflicts.Conflicts[0].ID, "{held one}", held.ID.String(), "{supervision}", supervision.Record.String(), "{position}", strconv.FormatUint(session.Seen, 10))
	s.fill = strings.NewReplacer(s.values...)
}

// send makes the request of a row. by changes how it is authorized.
func (s *stage) send(c cell, by func(*http.Request)) (int, problemView) {
	s.t.Helper()
	path := c.path
	for name, value := range c.params {
		path = strings.Replace(path, ":"+name, s.fill.Replace(value), 1)
	}
	if c.query != "" {
		path += "?" + s.fill.Replace(c.query)
	}
	request, err := http.NewRequestWithContext(context.Background(), c.method, s.url+path, strings.NewReader(s.fill.Replace(c.body)))
	if err != nil {
		s.t.Fatal(err)
	}
	if c.method != http.MethodGet {
		request.Header.Set("Content-Type", "application/json")
	}
	by(request)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if response.StatusCode == acc { // the next row meets nothing half done
		<-s.worked
		<-s.worked
	}
	if s.contract != nil && strings.HasPrefix(c.path, "/api/") && c.path != "/api/openapi.json" {
		s.contract.kept(s.t, request, response, body)
	}
	var p problemView
	if response.StatusCode >= 400 {
		if err := json.Unmarshal(body, &p); err != nil {
			s.t.Fatalf("%s %s: %d %s", c.method, path, response.StatusCode, body)
		}
	}
	return response.StatusCode, p
}

type problemView struct{ Code, Title, Detail, Request string }

func withCookie(cookie string) func(*http.Request) {
	return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: accounts.CookieName, Value: cookie}) }
}

func withToken(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

// TestMatrix: every route, for everybody; and all that is answered is as the document says. The routes are those of the running router,
// so that one without a row fails.
func TestMatrix(t *testing.T) {
	s := newStage(t)
	s.furnish()
	s.contract = newContract(t)
	known := map[string]bool{}
	for _, c := range matrix {
		known[c.method+" "+c.path] = true
		for i, who := range callers {
			if status, p := s.send(c, withCookie(s.cookies[who])); status != c.want[i] {
				t.Errorf("%s %s?%s by a %s: %d %s, want %d", c.method, c.path, c.query, who, status, p.Code, c.want[i])
			}
		}
		if status, p := s.send(c, func(*http.Request) {}); status != http.StatusUnauthorized || p.Code != string(problem.Unauthenticated) || p.Request == "" {
			t.Errorf("%s %s by nobody: %d %+v", c.method, c.path, status, p)
		}
	}
	for route, want := range open {
		known[route] = true
		method, path, _ := strings.Cut(route, " ")
		if status, _ := s.send(cell{method: method, path: path}, func(*http.Request) {}); status != want {
			t.Errorf("%s: %d", route, status)
		}
	}
	for _, r := range s.handler.(*echo.Echo).Routes() {
		if strings.HasPrefix(r.Path, "/"+syncv1connect.SyncServiceName) {
			continue // by the descriptors: TestMatrixOfTablets
		}
		if !known[r.Method+" "+r.Path] {
			t.Errorf("%s %s has no row: say who is answered what", r.Method, r.Path)
		}
	}
}

// reviewing are the routes for who reviews, settles or plans, which is over once a deployment is closed.
var reviewing = regexp.MustCompile(`/api/(review|duplicates)|/(approval|return|separation|settlement|acknowledgement|cancellation)$|/alerts/[^/]+/closing$|^(POST|PUT) /api/(planned|imports)`)

// afterClosing is what a coordinator is answered who closes a deployment that is closed, or decides what is decided then alone.
var afterClosing = map[string]int{
	"POST /api/close-out/addenda/decision": ok, "POST /api/close-out/certificates": acc, "POST /api/close-out/reopening": non,
	"POST /api/close-out/waivers": old, "DELETE /api/close-out/waivers/:waiver": old,
}

// TestMatrixOfAClosedDeployment: what is seen stays, and only coordinators do anything.
func TestMatrixOfAClosedDeployment(t *testing.T) {
	s := newStage(t)
	s.furnish()
	s.Pass(time.Second)
	closed := recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSED
	if err := s.Service.Add(t.Context(), []syncing.SetUpRecord{{ID: s.ID, Message: &recordv1.Deployment{State: &closed}}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range matrix {
		want := c.want
		if c.path == "/api/held/:change/decision" {
			want = [8]int{hid, no, no, no, hid, hid, hid, hid} // refused before it is found that there is no such change
		}
		if c.path == "/api/enrolment-codes" {
			want[2] = no // a supervisor lets no more tablets in
		}
		if after, ok := afterClosing[c.method+" "+c.path]; ok {
			want[4] = after
		}
		if reviewing.MatchString(c.method + " " + c.path) {
			want[1], want[2], want[3], want[4] = no, no, no, no
		}
		for i, who := range callers {
			if status, p := s.send(c, withCookie(s.cookies[who])); status != want[i] {
				t.Errorf("closed: %s %s?%s by a %s: %d %s, want %d", c.method, c.path, c.query, who, status, p.Code, want[i])
			}
		}
	}
}

// TestOwnDeployments: nobody learns of a deployment in which they are nobody.
func TestOwnDeployments(t *testing.T) {
	s := newStage(t)
	for _, who := range callers {
		var list struct{ Deployments []struct{ ID, Name string } }
		s.read("/api/deployments", &list, "Authorization", "", "Cookie", accounts.CookieName+"="+s.cookies[who])
		var names []string
		for _, d := range list.Deployments {
			names = append(names, d.Name)
		}
		want := map[string]string{"administrator": "test other", "coordinator elsewhere": "other", "account of nobody": ""}
		expected, special := want[who]
		if !special {
			expected = "test"
		}
		if got := strings.Join(names, " "); got != expected {
			t.Errorf("a %s sees the deployments %q, not %q", who, got, expected)
		}
	}
}

// TestListsAreCut: who sees some teams sees their rows, and pages are as full as for who sees all.
func TestListsAreCut(t *testing.T) {
	s := newStage(t)
	for range 3 {
		s.Enrol("carl")
		s.Enrol("anna")
	}
	count := func(who string) (rows []string) {
		for after := ""; ; {
			var page struct {
				Devices []struct {
					ID     string
					Worker struct{ Name string }
				}
				Next string
			}
			s.read("/api/devices?limit=2"+after, &page, "Authorization", "", "Cookie", accounts.CookieName+"="+s.cookies[who])
			for _, d := range page.Devices {
				rows = append(rows, d.Worker.Name)
			}
			if page.Next != "" && len(page.Devices) != 2 {
				t.Errorf("a page of %d for a %s", len(page.Devices), who)
			}
			if page.Next == "" {
				return rows
			}
			after = "&after=" + page.Next
		}
	}
	for who, want := range map[string]string{"team lead": "anna anna anna ben", "supervisor": "anna anna anna ben", "external supervisor": "carl carl carl carl", "coordinator": "anna anna anna ben carl carl carl carl"} {
		got := count(who)
		slices.Sort(got)
		if strings.Join(got, " ") != want {
			t.Errorf("a %s sees %v", who, got)
		}
	}
	var totals struct{ Rows []struct{ Key string } }
	s.read("/api/totals?by=team", &totals, "Authorization", "", "Cookie", accounts.CookieName+"="+s.cookies["supervisor"])
	if len(totals.Rows) != 1 || totals.Rows[0].Key != s.Teams[0].String() {
		t.Errorf("totals by team for a supervisor: %+v", totals)
	}
	s.read("/api/totals?by=worker", &totals, "Authorization", "", "Cookie", accounts.CookieName+"="+s.cookies["external supervisor"])
	if len(totals.Rows) != 2 { // carl and themselves
		t.Errorf("totals by worker for an external supervisor: %+v", totals)
	}
}

// TestScopes: a token may what its worker may, within its scopes.
func TestScopes(t *testing.T) {
	s := newStage(t)
	with := func(worker string, scopes ...accounts.Scope) string {
		text, _, err := s.accounts.NewToken(t.Context(), audit.Actor{}, accounts.NewToken{Name: "x", Membership: accounts.Membership{Deployment: s.ID, Worker: s.Workers[worker]}, Scopes: scopes, Life: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	confirm := matrix[len(matrix)-1]
	devices := cell{method: "GET", path: "/api/devices"}
	for _, c := range []struct {
		token string
		cell  cell
		want  int
	}{
		{with("coordinator", accounts.ScopeRead), devices, ok},
		{with("coordinator", accounts.ScopeRead), confirm, no},
		{with("coordinator", accounts.ScopeRead, accounts.ScopeManage), confirm, non},
		{with("coordinator", accounts.ScopeManage, accounts.ScopeDecide, accounts.ScopeConfidential), devices, bad}, // it sees no deployment
		{with("anna", accounts.Scopes()...), devices, hid},
		{with("lead", accounts.Scopes()...), confirm, no},
	} {
		if status, p := s.send(c.cell, withToken(c.token)); status != c.want {
			t.Errorf("%s with %v: %d %s", c.cell.path, c.want, status, p.Code)
		}
	}
	// An administrator's token is no administrator's.
	text, _, err := s.accounts.NewToken(t.Context(), audit.Actor{}, accounts.NewToken{Name: "x", Membership: accounts.Membership{Deployment: s.ID}, Scopes: accounts.Scopes(), Life: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := s.send(cell{method: "GET", path: "/api/audit", query: "server=true"}, withToken(text)); status != hid {
		t.Errorf("the server's audit log by a token: %d", status)
	}
}

// TestForgedCallers: what is no good token and no good cookie is nobody's, on every route.
func TestForgedCallers(t *testing.T) {
	s := newStage(t)
	cookie := s.cookies["coordinator"]
	parts := strings.Split(cookie, ".")
	encode := base64.RawURLEncoding.EncodeToString
	none := encode([]byte(`{"alg":"none","typ":"JWT","kid":"test"}`)) + "." + parts[1] + "."
	public := s.keys.all[0].Key.Public().(ed25519.PublicKey)
	confused := encode([]byte(`{"alg":"HS256","typ":"JWT","kid":"test"}`)) + "." + parts[1]
	mac := hmac.New(sha256.New, public)
	mac.Write([]byte(confused))
	confused += "." + encode(mac.Sum(nil))
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	signed := func(key ed25519.PrivateKey, change func(jwt.MapClaims)) string {
		claims := jwt.MapClaims{}
		if err := json.Unmarshal(payload, &claims); err != nil {
			t.Fatal(err)
		}
		change(claims)
		token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims)
		token.Header["kid"] = "test"
		text, err := token.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	_, strange, _ := ed25519.GenerateKey(rand.Reader)
	device, err := wire.SignToken(s.tablet.Key, s.ID, s.tablet.Device.ID, nil, s.Wall())
	if err != nil {
		t.Fatal(err)
	}
	token := s.token("coordinator")
	expired := s.tokenFor(time.Minute)
	s.Pass(2 * time.Minute)
	forged := map[string]func(*http.Request){
		"alg none":                       withCookie(none),
		"HMAC with the public key":       withCookie(confused),
		"another key":                    withCookie(signed(strange, func(jwt.MapClaims) {})),
		"the key that tablets trust":     withCookie(signed(s.Keys.Signing, func(jwt.MapClaims) {})),
		"wrong audience":                 withCookie(signed(s.keys.all[0].Key, func(c jwt.MapClaims) { c["aud"] = "levee" })),
		"expired":                        withCookie(signed(s.keys.all[0].Key, func(c jwt.MapClaims) { c["exp"] = s.Wall().Add(-time.Second).Unix() })),
		"a tablet's token":               withToken(device),
		"a tablet's token for a cookie":  withCookie(device),
		"a cookie for a token":           withToken(cookie),
		"an API token for a cookie":      withCookie(token),
		"an altered API token":           withToken(token[:len(token)-1] + map[bool]string{true: "A", false: "_"}[strings.HasSuffix(token, "_")]),
		"an expired API token":           withToken(expired),
		"a good cookie and a bad token":  func(r *http.Request) { withCookie(cookie)(r); withToken("levee_x")(r) },
		"a cookie of another name":       func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "levee", Value: cookie}) },
		"the API token as a parameter":   func(r *http.Request) { r.URL.RawQuery += "&access_token=" + url.QueryEscape(token) },
		"the API token without a scheme": func(r *http.Request) { r.Header.Set("Authorization", token) },
	}
	for _, c := range matrix {
		for why, by := range forged {
			if status, p := s.send(c, by); status != http.StatusUnauthorized {
				t.Errorf("%s: %s %s: %d %s", why, c.method, c.path, status, p.Code)
			}
		}
	}
	if status, _ := s.send(matrix[0], withCookie(cookie)); status != ok {
		t.Error("the cookie that was forged from is no good itself")
	}
}

// tokenFor is a token of the coordinator that holds for a time.
func (s *stage) tokenFor(life time.Duration) string {
	s.t.Helper()
	text, _, err := s.accounts.NewToken(context.Background(), audit.Actor{}, accounts.NewToken{Name: "x", Membership: accounts.Membership{Deployment: s.ID, Worker: s.Workers["coordinator"]}, Scopes: allScopes, Life: life})
	if err != nil {
		s.t.Fatal(err)
	}
	return text
}

// TestMatrixOfTablets: every procedure of the service, by its descriptor, for whoever is no tablet of this deployment.
func TestMatrixOfTablets(t *testing.T) {
	s := newStage(t)
	carl, anna := s.tablet, s.Enrol("anna")
	body, err := proto.Marshal(carl.Request(nil))
	if err != nil {
		t.Fatal(err)
	}
	sign := func(key ed25519.PrivateKey, deployment, device hlc.ID, over []byte) string {
		token, err := wire.SignToken(key, deployment, device, over, s.Wall())
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	good := sign(carl.Key, s.ID, carl.Device.ID, body)
	parts := strings.Split(good, ".")
	encode := base64.RawURLEncoding.EncodeToString
	confused := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + parts[1]
	mac := hmac.New(sha256.New, carl.Device.PublicKey)
	mac.Write([]byte(confused))
	_, strange, _ := ed25519.GenerateKey(rand.Reader)
	callers := map[string]string{
		"nobody":                   "",
		"alg none":                 encode([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + parts[1] + ".",
		"HMAC with the public key": confused + "." + encode(mac.Sum(nil)),
		"another device's key":     sign(anna.Key, s.ID, carl.Device.ID, body),
		"the server's key":         sign(s.Keys.Signing, s.ID, carl.Device.ID, body),
		"a strange device":         sign(strange, s.ID, s.NewID(), body),
		"wrong audience":           sign(carl.Key, s.NewID(), carl.Device.ID, body),
		"a token of another body":  sign(carl.Key, s.ID, carl.Device.ID, []byte("x")),
		"an API token":             s.token("coordinator"),
		"a cookie for a token":     s.cookies["coordinator"],
	}
	want := map[string]func(token string) bool{
		syncv1connect.SyncServiceSyncProcedure: func(string) bool { return false },
		// Enrolling needs a code and nothing else: no token makes it better or worse.
		syncv1connect.SyncServiceEnrolProcedure: func(string) bool { return true },
	}
	service := syncv1.File_levee_sync_v1_sync_proto.Services().ByName("SyncService")
	for i := range service.Methods().Len() {
		procedure := fmt.Sprintf("/%s/%s", service.FullName(), service.Methods().Get(i).Name())
		reaches, known := want[procedure]
		if !known {
			t.Errorf("%s has no row: say who is answered what", procedure)
			continue
		}
		for who, token := range callers {
			_, code := s.post(procedure, body, token)
			if reached := code != problem.Unauthenticated && code != problem.DeviceUnknown; reached != reaches(token) {
				t.Errorf("%s by %s: %s", procedure, who, code)
			}
		}
		// A session's cookie opens nothing here.
		if _, code := s.post(procedure, body, "", "Cookie", accounts.CookieName+"="+s.cookies["coordinator"]); (code == problem.Unauthenticated) == reaches("") {
			t.Errorf("%s with a cookie: %s", procedure, code)
		}
	}
	if status, code := s.post(syncv1connect.SyncServiceSyncProcedure, body, good); status != ok {
		t.Errorf("the token that was forged from is no good itself: %s", code)
	}
}

// TestCrossOrigin: a page of another site can't have a signed-in browser do anything.
func TestCrossOrigin(t *testing.T) {
	s := newStage(t)
	confirm := matrix[len(matrix)-1]
	for name, header := range map[string][2]string{"by fetch metadata": {"Sec-Fetch-Site", "cross-site"}, "by origin": {"Origin", "https://evil.example"}} {
		if status, _ := s.send(confirm, func(r *http.Request) {
			withCookie(s.cookies["coordinator"])(r)
			r.Header.Set(header[0], header[1])
		}); status != no {
			t.Errorf("%s: %d", name, status)
		}
	}
	if status, _ := s.send(confirm, func(r *http.Request) {
		withCookie(s.cookies["coordinator"])(r)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}); status != non {
		t.Errorf("from the server's own page: %d", status)
	}
}

// TestHeaders: what browsers are told, and that tablets are not.
func TestHeaders(t *testing.T) {
	s := newStage(t)
	r := s.direct("/api/totals").Result()
	for name, want := range map[string]string{"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "X-Frame-Options": "DENY", "Strict-Transport-Security": "", "Cache-Control": "no-store"} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	id := r.Header.Get("X-Request-Id")
	if again := s.direct("/api/totals", "X-Request-Id", id); id == "" || again.Header().Get("X-Request-Id") == id {
		t.Errorf("requests are numbered %q", id)
	}
	if !strings.Contains(s.log.String(), "request="+id) {
		t.Errorf("the log does not name request %s", id)
	}
	body, err := proto.Marshal(s.tablet.Request(nil))
	if err != nil {
		t.Fatal(err)
	}
	token, _ := wire.SignToken(s.tablet.Key, s.ID, s.tablet.Device.ID, body, s.Wall())
	request, _ := http.NewRequest(http.MethodPost, s.url+syncv1connect.SyncServiceSyncProcedure, bytes.NewReader(body))
	request.Header.Set("Content-Type", "application/proto")
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	for name := range response.Header {
		if !slices.Contains([]string{"Content-Type", "Date", "Content-Length", "Accept-Encoding"}, name) {
			t.Errorf("a tablet is sent %s: %s", name, response.Header.Get(name))
		}
	}
}

// TestTheLogTellsNobody: no query, no address, no name, no secret is in the log of requests.
func TestTheLogTellsNobody(t *testing.T) {
	s := newStage(t)
	s.direct("/api/records?figure=cases&by=team&key=whoever")
	s.direct("/api/nothing/%E6%9D%8E%E5%A8%9C?phone=13800000000")
	for _, secret := range []string{"whoever", "figure=", "李娜", "%E6%9D", "13800000000", "192.0.2.1", s.token("coordinator"), s.cookies["coordinator"]} {
		if strings.Contains(s.log.String(), secret) {
			t.Errorf("the log has %q:\n%s", secret, s.log)
		}
	}
	if !strings.Contains(s.log.String(), "route=/api/records status=") {
		t.Errorf("the log does not tell the route:\n%s", s.log)
	}
}
