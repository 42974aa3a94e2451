package server_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server"
	"levee/server/internal/alerting"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// An alert that enters the log reaches who is on duty by what the server was configured with, is on hand for pages, and is
// measured.
func TestAServerTellsOfAlerts(t *testing.T) {
	texts := make(chan map[string]string, 10)
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m map[string]string
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil || r.Header.Get("Authorization") != "Bearer secret" {
			w.WriteHeader(http.StatusBadRequest)
		}
		texts <- m
	}))
	defer gateway.Close()
	config := server.Config{
		DB: filepath.Join(t.TempDir(), "server.db"), URL: "https://levee.example.org", Wall: func() time.Time { return time.Date(2021, 10, 1, 4, 0, 0, 0, time.UTC) },
		After:  func(time.Duration) <-chan time.Time { return nil },
		Alerts: server.Alerts{SMS: alerting.SMSGateway{URL: gateway.URL, Token: "secret"}},
		SetUp: &server.SetUp{Name: "河南暴雨社会工作服务", Start: "2021-09-23", Sites: []server.SetUpSite{{Name: "王庄镇", Code: "410621108"}},
			Teams: []server.SetUpTeam{{Name: "一队", Site: "王庄镇"}}, Workers: []server.SetUpWorker{{Name: "周协调", Role: "coordinator"}}},
	}
	s, err := server.New(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	d := s.Deployments().All()[0]
	coordinator, id := d.Syncing.SetUp().WorkerIDs()[0], newID(t, d.Syncing)
	var team hlc.ID
	for id := range d.Syncing.SetUp().Teams {
		team = id
	}
	err = d.Syncing.Add(context.Background(), []syncing.SetUpRecord{
		{ID: coordinator, Message: &recordv1.Worker{Phone: proto.String("13800000000")}},
		{ID: id, Message: &recordv1.RiskAlert{Team: team[:], Type: recordv1.RiskType_RISK_TYPE_MISSING.Enum(), Level: recordv1.RiskLevel_RISK_LEVEL_RED.Enum(), Done: proto.String("x")}}})
	if err != nil {
		t.Fatal(err)
	}
	if m := <-texts; m["to"] != "13800000000" || !strings.Contains(m["text"], "失联") || !strings.Contains(m["text"], "https://levee.example.org/deployments/"+d.Syncing.Deployment().String()+"/alerts/"+id.String()) {
		t.Errorf("sent: %v", m)
	}
	if open := d.Alerting.Open(nil); len(open) != 1 || open[0].ID != id {
		t.Errorf("open: %+v", open)
	}
	d.Alerting.Close() // what came of it is noted now
	h := httptest.NewServer(s.Handler())
	defer h.Close()
	measures := get(t, h.URL+"/metrics", "")
	for _, want := range []string{`levee_alert_messages_total{channel="sms",outcome="sent"} 1`, `levee_open_alerts{deployment="` + d.Syncing.Deployment().String() + `"} 1`} {
		if !strings.Contains(measures, want) {
			t.Errorf("the measures have no %s", want)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = server.New(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	if err := s.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if open := s.Deployments().All()[0].Alerting.Open(nil); len(open) != 1 || open[0].Step() != 1 || open[0].Notices[1].Outcome != alerting.Sent {
		t.Errorf("after a restart: %+v", open)
	}
	if err := s.Close(); err != nil || len(texts) != 0 {
		t.Errorf("%v; %d more messages", err, len(texts))
	}
	config.Alerts.SMS.URL = "http://sms.example.org"
	if _, err := server.New(t.Context(), config); err == nil {
		t.Error("a gateway over plain HTTP was taken")
	}
}

func newID(t *testing.T, s *syncing.Service) hlc.ID {
	t.Helper()
	id, err := s.NewID()
	if err != nil {
		t.Fatal(err)
	}
	return id
}
