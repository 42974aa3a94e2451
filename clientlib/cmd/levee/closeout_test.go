package main

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/clientlib/internal/fakeserver"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// The state of the deployment, what is still owed, and what became of what came too late, in words and in JSON.
func TestStatusUntilTheEnd(t *testing.T) {
	t.Parallel()
	tab, s := enrolledTablet(t)
	becomes := func(state recordv1.DeploymentState, lastDay int32) {
		t.Helper()
		s.Set(s.Deployment, &recordv1.Deployment{State: state.Enum(), EndOn: &lastDay})
		tab.must("sync")
	}
	says := func(lang string, texts ...string) {
		t.Helper()
		tab.lang = lang
		defer func() { tab.lang = "en" }()
		out := tab.must("status")
		for _, text := range texts {
			if !strings.Contains(out, text) {
				t.Errorf("it does not say %q:\n%s", text, out)
			}
		}
	}
	if out := tab.must("status"); strings.Contains(out, "State") {
		t.Errorf("before anything is known of an end:\n%s", out)
	}
	if st := tab.object(0, "status"); st["state"] != "active" || st["last_day"] != nil || st["days_left"] != nil || st["addendum"] != nil || st["certificate"] != nil {
		t.Errorf("%v", st)
	}
	becomes(recordv1.DeploymentState_DEPLOYMENT_STATE_ACTIVE, 20211220)
	says("en", "goes on; the last day is 20 Dec 2021")

	becomes(recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSING, 20211020)
	says("zh", "收队中，到 2021年10月20日，还剩 6 天", "没有了，辛苦了")
	tab.must("log", "case", "--draft", "--case-no", "W-01")
	tab.must("log", "case", "--case-no", "W-02", "--client-count", "1", "--stage", "intake", "--service-area", "resource-linking", "--opened-on", "2021-10-14")
	tab.must("log", "outreach", "--mode", "home", "--households", "12", "--service-area", "resource-linking")
	says("en", "being closed out until 20 Oct 2021, 6 days left", "3 unsent, 1 incomplete, 2 cases open")
	st := tab.object(0, "status")
	if owed := st["owed"].(map[string]any); st["state"] != "closing" || st["since"] != "2021-10-14" || st["last_day"] != "2021-10-20" || st["days_left"] != 6.0 ||
		owed["unsent"] != 3.0 || owed["drafts"] != 1.0 || owed["open_cases"] != 2.0 || owed["held"] != 0.0 {
		t.Errorf("%v", st)
	}
	becomes(recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSING, 20211014)
	says("en", "today is the last day")
	becomes(recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSING, 20211013)
	says("zh", "收队中，最后一天是 2021年10月13日，已过")

	edition, part := uint32(1), uint32(1)
	s.Set(fakeserver.TestID(29, 1), &recordv1.Certificate{Edition: &edition, Part: &part, Parts: &part, Document: []byte{1}, OccurredOn: proto.Int32(20211014)})
	becomes(recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSED, 20211014)
	if out := tab.must("log", "outreach", "--mode", "home", "--households", "9", "--service-area", "resource-linking"); !strings.Contains(out, "to the coordinator as an addendum") {
		t.Errorf("logged: %s", out)
	}
	if out := tab.must("log", "risk-alert", "--type", "medical-emergency", "--done", "120"); strings.Contains(out, "addendum") {
		t.Errorf("an alert: %s", out)
	}
	s.Hold = func(c *record.Change) string {
		if c.Kind == recordv1.Kind_KIND_OUTREACH {
			return string(record.CodeDeploymentClosed)
		}
		return ""
	}
	tab.must("sync")
	says("zh", "2021年10月14日 已收队", "待处理 1，已采用 0，未采用 0", "第 1 版，2021年10月14日")
	if out := tab.must("held"); !strings.Contains(out, "Addendum: waiting for the coordinator") {
		t.Errorf("held: %s", out)
	}
	st = tab.object(0, "status")
	if late := st["addendum"].(map[string]any); late["waiting"] != 1.0 || st["owed"].(map[string]any)["held"] != 0.0 || st["certificate"].(map[string]any)["edition"] != 1.0 {
		t.Errorf("%v", st)
	}

	becomes(recordv1.DeploymentState_DEPLOYMENT_STATE_ARCHIVED, 20211014)
	says("en", "archived on 14 Oct 2021")
	if code := tab.code("log", "outreach", "--mode", "home", "--households", "1", "--service-area", "resource-linking"); code != "deployment_archived" {
		t.Errorf("logging in an archived deployment: %s", code)
	}
	if code := tab.code("log", "outreach", "--mode", "home", "--households", "1", "--service-area", "resource-linking", "--occurred-on", "2021-10-15"); code != "date_outside_deployment" {
		t.Errorf("logging after the last day: %s", code)
	}
}
