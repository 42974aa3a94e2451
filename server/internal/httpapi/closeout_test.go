package httpapi_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/syncproto/certificate"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
)

type closingView struct {
	State, EndOn string
	Blocked      int
	Waiting      int `json:"changes_waiting"`
	DaysLeft     int `json:"days_left"`
	Checks       []struct {
		Check        string
		Open, Waived int
		Waiver       *struct{ ID, Reason string }
		Items        []struct{ Subject, Name string }
	}
	Work *struct {
		Step, Problem string
		Ended         *time.Time `json:"ended_at"`
	}
	Recounted *struct{ Equal bool }
}

// workedOff waits for what was begun in the background.
func (d *desk) workedOff() closingView {
	d.t.Helper()
	<-d.worked
	<-d.worked
	return d.closing()
}

func (d *desk) closing() (v closingView) {
	d.t.Helper()
	d.send(ok, "GET", "/api/close-out", "", &v)
	return v
}

// A deployment is closed by a program, a tablet comes late, and the next edition says what differs.
func TestADeploymentIsClosedOverTheAPI(t *testing.T) {
	d := newDesk(t)
	late := d.Enrol("ben")
	change := late.Make(&recordv1.CommunityActivity{Name: proto.String("电影放映"), Minutes: proto.Uint32(60), RegisterUsed: proto.Bool(false), Status: recordv1.Status_STATUS_HELD.Enum()})
	d.send(non, "PUT", "/api/close-out/announcement", `{"end_on":"2021-10-01","erase_on":"2022-04-01"}`, nil)
	v := d.closing()
	if v.State != "closing" || v.Blocked == 0 || v.DaysLeft != 0 || len(v.Checks) != 11 {
		t.Fatalf("%+v", v)
	}
	if p := d.send(old, "POST", "/api/close-out/closing", "", nil); p.Code != string(problem.NotReady) {
		t.Errorf("closed with %d checks open: %+v", v.Blocked, p)
	}
	d.send(bad, "POST", "/api/close-out/waivers", `{"check":"weather","reason":"x"}`, nil)
	if err := d.Service.Durable(t.Context(), map[hlc.Replica]uint64{}); err != nil {
		t.Fatal(err)
	}
	for _, c := range v.Checks {
		if c.Open > 0 {
			d.send(non, "POST", "/api/close-out/waivers", `{"check":"`+c.Check+`","reason":"已核对"}`, nil)
		}
	}
	if v = d.closing(); v.Blocked != 0 {
		t.Fatalf("%+v", v)
	}
	for _, c := range v.Checks {
		if c.Check == "unreviewed" {
			d.send(non, "DELETE", "/api/close-out/waivers/"+c.Waiver.ID, "", nil)
			d.send(non, "POST", "/api/close-out/waivers", `{"check":"unreviewed","reason":"督导已离队"}`, nil)
		}
	}
	d.send(http.StatusAccepted, "POST", "/api/close-out/recount", "", nil)
	if v = d.workedOff(); v.Recounted == nil || !v.Recounted.Equal {
		t.Errorf("%+v", v)
	}
	d.send(http.StatusAccepted, "POST", "/api/close-out/closing", "", nil)
	if v = d.workedOff(); v.State != "closed" || v.Work.Step != "closing" || v.Work.Problem != "" || v.Work.Ended == nil {
		t.Fatalf("%+v, %+v", v, v.Work)
	}

	late.Push(change)
	var addenda struct {
		Addenda []struct {
			New     map[string]int `json:"new_records"`
			Changes []struct{ Change string }
		}
	}
	d.send(ok, "GET", "/api/close-out/addenda", "", &addenda)
	if len(addenda.Addenda) != 1 || addenda.Addenda[0].New["community_activity"] != 1 || d.closing().Waiting != 1 {
		t.Fatalf("%+v", addenda)
	}
	one := addenda.Addenda[0].Changes[0].Change
	d.send(bad, "POST", "/api/close-out/addenda/decision", `{"decision":"decline","changes":["`+one+`"]}`, nil)
	var left struct{ Left []string }
	d.send(ok, "POST", "/api/close-out/addenda/decision", `{"decision":"accept","changes":["`+one+`"],"reason":"平板迟到"}`, &left)
	d.send(http.StatusAccepted, "POST", "/api/close-out/certificates", "", nil)
	if v = d.workedOff(); v.Work.Problem != "" || len(left.Left) > 0 {
		t.Errorf("%+v, left %v", v.Work, left)
	}
	var editions struct {
		Certificates []struct {
			Edition, Differences int
			SHA256               string
		}
	}
	d.send(ok, "GET", "/api/close-out/certificates", "", &editions)
	if len(editions.Certificates) != 2 || editions.Certificates[1].Differences == 0 {
		t.Fatalf("%+v", editions)
	}
	file := d.file("/api/close-out/certificates/2")
	if c, _, err := certificate.Open(file); err != nil || c.Edition != 2 || certificate.Hash(file) != editions.Certificates[1].SHA256 {
		t.Errorf("the file: %v", err)
	}
	if report := d.file("/api/close-out/certificates/2/report.pdf"); !bytes.HasPrefix(report, []byte("%PDF-")) {
		t.Errorf("the report begins with %.10q", report)
	}
	d.send(non, "PUT", "/api/close-out/announcement", `{"erase_on":"2023-01-01"}`, nil)
	d.send(non, "POST", "/api/close-out/reopening", "", nil)
	if v = d.closing(); v.State != "closing" {
		t.Errorf("%+v", v)
	}
}

func (d *desk) file(path string) []byte {
	d.t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Authorization", "Bearer "+d.token)
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	if w.Code != ok {
		d.t.Fatal(w.Code, w.Body)
	}
	return w.Body.Bytes()
}
