package webui_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/places"
	"levee/server/internal/syncing"
	"levee/server/internal/webtest"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// setUp is what the one deployment of a site is set up with.
func (s *site) setUp() *syncing.SetUp { return s.all.All()[0].Syncing.SetUp() }

// settingUp is a coordinator on the page of the set-up.
func (s *site) settingUp(lang string) *webtest.Browser {
	s.t.Helper()
	b := s.coordinator(lang)
	return b.Open(strings.TrimSuffix(b.At.Path, "/people") + "/set-up")
}

// TestSetUpPages edits each part of the set-up, in both languages, and reads it where others do.
func TestSetUpPages(t *testing.T) {
	for lang, said := range map[string]map[string]string{
		"en": {"edit": "Edit", "save": "Save", "saved": "Saved.", "deployment": "The deployment", "areas": "Service areas", "ages": "Age bands", "words": "Own words", "emergency": "Emergency numbers", "targets": "Targets",
			"minutes": "Alerts go on after 15 minutes", "area": "livelihood", "word": "meeting, for: community activity", "bands": "0–17, 18–59, 60+", "number": "ambulance: 120", "target": "12, case sessions, week, team, 一队"},
		"zh": {"edit": "修改", "save": "保存", "saved": "已保存", "deployment": "行动", "areas": "服务领域", "ages": "年龄段", "words": "用词", "emergency": "紧急电话", "targets": "目标",
			"minutes": "15 分钟无人确认即升级", "area": "生计", "word": "社区活动（原为：团体活动）", "bands": "0–17", "number": "急救：120", "target": "个案服务"},
	} {
		t.Run(lang, func(t *testing.T) {
			s := newSite(t)
			b := s.settingUp(lang)
			edit := func(part string) *webtest.Browser { return b.Follow(said["edit"] + " " + said[part]) }
			edit("deployment").Send(said["save"], webtest.Values("name", "河南特大暴雨 7·20", "start", "2026-01-20", "end", "2026-04-05", "time_zone", "Asia/Shanghai", "escalation", "15")).Sees(said["saved"], "河南特大暴雨 7·20", said["minutes"])
			edit("areas").Send(said["save"], webtest.Values("zh_16", "生计", "en_16", "livelihood")).Sees(said["saved"], said["area"])
			edit("ages").Send(said["save"], webtest.Values("ages", "17，59")).Sees(said["saved"], said["bands"])
			edit("words").Send(said["save"], webtest.Values("zh_community_activity", "社区活动", "en_community_activity", "meeting")).Sees(said["saved"], said["word"])
			edit("emergency").Send(said["save"], webtest.Values("number_1", "120", "zh_1", "急救", "en_1", "ambulance")).Sees(said["saved"], said["number"])
			edit("targets")
			b.Send(said["save"], webtest.Values("value_1", "12", "figure_1", "case_sessions", "period_1", "week", "of_1", "team", "team_1", b.Option("一队"))).Sees(said["saved"], said["target"])
			d := s.setUp().Deployment
			if d.GetStartOn() != 20260120 || d.GetEndOn() != 20260405 || !slices.Equal(d.GetAgeBands(), []uint32{17, 59}) || d.GetServiceAreas()[0].GetNumber() != 16 || d.GetLabels()[0].GetKey() != "community_activity" ||
				d.GetTargets()[0].GetPeriod() != recordv1.TargetPeriod_TARGET_PERIOD_WEEK || d.GetTargets()[0].GetOf() != recordv1.TargetOf_TARGET_OF_TEAM || d.GetTargets()[0].GetValue() != 12 {
				t.Errorf("the deployment is now %v", d)
			}
			edit("deployment").Send(said["save"], webtest.Values("end", "", "escalation", ""))
			edit("words").Send(said["save"], webtest.Values("zh_community_activity", "", "en_community_activity", ""))
			edit("ages").Send(said["save"], webtest.Values("ages", ""))
			if d = s.setUp().Deployment; d.EndOn != nil || d.EscalationMinutes != nil || len(d.GetLabels()) != 0 || len(d.GetAgeBands()) != 0 || len(d.GetServiceAreas()) != 1 {
				t.Errorf("emptied, the deployment is %v", d)
			}
		})
	}
}

// TestSetUpRefusals: what can't be is told at its field, and what was typed stands there still.
func TestSetUpRefusals(t *testing.T) {
	s := newSite(t)
	b := s.settingUp("en")
	here := b.At.Path
	for _, one := range []struct {
		page, says string
		typed      []string
	}{
		{"deployment", "There is no such time zone.", []string{"time_zone", "Asia/Nowhere"}},
		{"deployment", "The end lies before the start.", []string{"start", "2026-02-01", "end", "2026-01-01"}},
		{"deployment", "A whole number.", []string{"escalation", "soon"}},
		{"deployment", "The number cannot be right.", []string{"escalation", "0"}},
		{"ages", "Whole years", []string{"ages", "5, ten"}},
		{"ages", "order", []string{"ages", "17, 5"}},
		{"emergency", "This is needed.", []string{"zh_1", "急救"}},
		{"emergency", "This is needed.", []string{"number_2", "120"}},
		{"targets", "This is needed.", []string{"value_1", "3"}},
		{"targets", "A whole number.", []string{"value_1", "many", "figure_1", "cases"}},
		{"targets", "Only places have such a target.", []string{"value_1", "2", "figure_1", "sites_active", "of_1", "team"}},
		{"targets", "Only a target of a place has this.", []string{"value_1", "2", "figure_1", "cases", "of_1", "worker", "place_1", "4106"}},
		{"targets", "Only a target of a place has this.", []string{"value_1", "2", "figure_1", "cases", "of_1", "team", "due_1", "2026-03-01"}},
		{"targets", "A place code has", []string{"value_1", "2", "figure_1", "cases", "of_1", "place", "place_1", "41062"}},
		{"targets", "A place code has", []string{"value_1", "2", "figure_1", "cases", "of_1", "place"}},
		{"targets", "A day, such as", []string{"value_1", "2", "figure_1", "cases", "of_1", "place", "place_1", "4106", "due_1", "soon"}},
		{"sites/new", "Choose the place.", []string{"name", "小河"}},
		{"sites/new", "Degrees, from -90 to 90.", []string{"name", "小河", "find", "410621105", "latitude", "91", "longitude", "114"}},
		{"sites/new", "Give both latitude and longitude", []string{"name", "小河", "find", "410621105", "latitude", "35.5"}},
		{"teams/new", "This is needed.", []string{"name", ""}},
		{"workers/new", "An e-mail address", []string{"name", "李娜", "email", "li at example"}},
		{"workers/new", "A day, such as", []string{"name", "李娜", "from", "soon"}},
	} {
		b.Open(here+"/"+one.page).Send("Save", webtest.Values(one.typed...)).Is(http.StatusUnprocessableEntity)
		if !strings.Contains(b.Text, one.says) {
			t.Errorf("%s with %q does not say %q: %s", one.page, one.typed, one.says, b.Text)
		}
		standing := webtest.StandingIn(webtest.Find(webtest.Find(b.Page, "main")[0], "form")[0])
		for i := 0; i < len(one.typed); i += 2 {
			if name := one.typed[i]; standing.Get(name) != one.typed[i+1] && name != "find" {
				t.Errorf("%s: %s stands as %q, not as %q", one.page, name, standing.Get(name), one.typed[i+1])
			}
		}
	}
	if d := s.setUp(); len(d.Sites) != 2 || len(d.Teams) != 2 || len(d.Workers) != 1 || d.Deployment.GetTimeZone() != "Asia/Shanghai" {
		t.Error("something was changed")
	}
	b.Open(here+"/areas").Send("Save", webtest.Values("zh_16", "生计")).Sees("Saved.")
	b.Open(here+"/areas").Send("Save", webtest.Values("zh_16", "")).Is(http.StatusUnprocessableEntity).Sees("Records may be of this area already")
}

// TestNobodyOverwritesWhatTheyDidNotSee: of two who edit one list, the second is told.
func TestNobodyOverwritesWhatTheyDidNotSee(t *testing.T) {
	s := newSite(t)
	first := s.settingUp("en")
	page := first.At.Path + "/emergency"
	second := s.browser("en").Open("/sign-in")
	second.Send("Sign in", webtest.Values("login", "zhou", "password", password)).Open(page)
	first.Open(page).Send("Save", webtest.Values("number_1", "110", "zh_1", "报警")).Sees("Saved.")
	second.Send("Save", webtest.Values("number_1", "120", "zh_1", "急救")).Is(http.StatusUnprocessableEntity).Sees("Somebody changed this")
	if standing := webtest.StandingIn(webtest.Find(webtest.Find(second.Page, "main")[0], "form")[0]); standing.Get("number_1") != "120" {
		t.Errorf("what was typed is gone: %v", standing)
	}
	if n := s.setUp().Deployment.GetEmergencyNumbers(); len(n) != 1 || n[0].GetNumber() != "110" {
		t.Errorf("the numbers are now %v", n)
	}
	second.Open(page).Send("Save", webtest.Values("number_2", "120", "zh_2", "急救")).Sees("Saved.")
	if n := s.setUp().Deployment.GetEmergencyNumbers(); len(n) != 2 {
		t.Errorf("the numbers are now %v", n)
	}
}

// TestSiteByTheList picks the place of a site: found by its name, or level by level.
func TestSiteByTheList(t *testing.T) {
	s := newSite(t)
	b := s.settingUp("en").Follow("Add a site").Sees("In degrees of WGS 84", "GCJ-02, BD-09")
	b.Send("Find", webtest.Values("name", "上乐村", "find", "卫辉 上乐村")).Is(http.StatusOK).Sees("河南省 › 新乡市 › 卫辉市 › 上乐村镇")
	b.Send("Save", webtest.Values("village", "东街", "latitude", "35.512345", "longitude", "114.1", "planned", "on")).Sees("Saved.", "河南省 › 新乡市 › 卫辉市 › 上乐村镇 › 东街", "planned")
	b.Follow("Add a site").Send("Find", webtest.Values("name", "x", "find", "没有这里")).Sees("No place is found by this.")
	b.Send("Show the places within", webtest.Values("name", "浚县卫溪", "find", "", "place", b.Option("河南省 41")))
	b.Send("Show the places within", webtest.Values("place", b.Option("鹤壁市 4106")))
	b.Send("Show the places within", webtest.Values("place", b.Option("浚县 410621")))
	b.Send("Save", webtest.Values("place", b.Option("卫溪街道 410621001"))).Sees("Saved.", "卫溪街道")
	byName := map[string]*recordv1.Site{}
	for _, site := range s.setUp().Sites {
		byName[site.GetName()] = site
	}
	if one := byName["上乐村"]; one.GetPlace().GetCode() != "410781106" || one.GetPlace().GetEdition() != places.Edition || one.GetPlace().GetVillage() != "东街" || one.GetLatitudeE6() != 35512345 || one.GetLongitudeE6() != 114100000 || !one.GetPlanned() {
		t.Errorf("the site is %v", one)
	}
	if one := byName["浚县卫溪"]; one.GetPlace().GetCode() != "410621001" || one.LatitudeE6 != nil || one.GetPlanned() {
		t.Errorf("the site is %v", one)
	}
	// A code that the list does not have may be typed, and the edition of one that stays does not change.
	b.Follow("王庄镇").Send("Save", webtest.Values("name", "王庄")).Sees("Saved.")
	b.Follow("小河镇").Send("Save", webtest.Values("find", "410621105200", "place", "")).Sees("Saved.", "410621105200")
	for _, site := range s.setUp().Sites {
		if e := site.GetPlace().GetEdition(); (site.GetName() == "王庄" || site.GetName() == "小河镇") && e != 2023 {
			t.Errorf("%s is of edition %d", site.GetName(), e)
		}
	}
}

// TestDutyList puts people on the list, moves them and takes them off, by buttons alone.
func TestDutyList(t *testing.T) {
	s := newSite(t)
	b := s.settingUp("en")
	here := b.At.Path
	for _, name := range []string{"陈督导", "王督导"} {
		b.Open(here+"/workers/new").Send("Save", webtest.Values("name", name, "role", "supervisor", "phone", "139"))
	}
	b.Open(here + "/duty").Sees("Nobody is on the list yet")
	b.Send("Add", webtest.Values("worker", "")).Is(http.StatusUnprocessableEntity).Sees("This is needed.")
	for _, name := range []string{"周协调, coordinator", "陈督导, supervisor", "王督导, supervisor"} {
		b.Send("Add", webtest.Values("worker", b.Option(name))).Is(http.StatusOK)
	}
	b.Sees("no phone or e-mail").Send("Up", nil, "王督导").Send("Up", nil, "王督导").Send("Down", nil, "周协调").Send("Take off", nil, "陈督导").Is(http.StatusOK)
	setUp := s.setUp()
	var names []string
	for _, id := range setUp.Deployment.GetDutyList() {
		names = append(names, setUp.Workers[hlc.ID(id)].GetName())
	}
	if !slices.Equal(names, []string{"王督导", "周协调"}) {
		t.Errorf("on duty are %v", names)
	}
	b.Open(here).Sees("1. 王督导", "2. 周协调")
	b.Do(http.MethodPost, here+"/duty", webtest.Values("do", "up", "worker", setUp.WorkerIDs()[0].String(), "seen", "before"))
	b.Is(http.StatusUnprocessableEntity).Sees("Somebody changed this")
}

// TestFrozenAges: once somebody was counted, the page says that the bands stay.
func TestFrozenAges(t *testing.T) {
	s := newSite(t)
	b := s.settingUp("en")
	page := b.At.Path + "/ages"
	b.Open(page).Sees("can be changed until something is counted")
	d := s.all.All()[0].Syncing
	id, err := d.NewID()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Add(t.Context(), []syncing.SetUpRecord{{ID: id, Message: &recordv1.Case{CaseNo: proto.String("1")}}}); err != nil {
		t.Fatal(err)
	}
	b.Send("Save", webtest.Values("ages", "17")).Is(http.StatusUnprocessableEntity).Sees("Records were counted by this already")
	b.Open(page).Sees("can't be changed any more")
}

// TestWorkerFields fills in all there is to say of a worker, and empties it again.
func TestWorkerFields(t *testing.T) {
	s := newSite(t)
	b := s.settingUp("en")
	here := b.At.Path
	b.Open(here + "/workers/new")
	b.Send("Save", webtest.Values("name", "陈督导", "role", "supervisor", "team", b.Option("一队"), "supervises", b.Choice("二队"), "external", "on", "type", "counsellor", "qualification", "senior", "phone", "13900000000",
		"email", "chen@example.org", "from", "2026-02-01", "to", "2026-03-01")).Sees("陈督导", "一队, 二队", "external")
	find := func() (id hlc.ID, w *recordv1.Worker) {
		for one, w := range s.setUp().Workers {
			if w.GetName() == "陈督导" {
				return one, w
			}
		}
		return id, nil
	}
	id, w := find()
	if w.GetQualification() != recordv1.Qualification_QUALIFICATION_SENIOR || w.GetEmail() != "chen@example.org" || w.GetFromOn() != 20260201 || w.GetToOn() != 20260301 || !w.GetExternal() || len(w.GetSupervises()) != 1 {
		t.Errorf("the worker is %v", w)
	}
	b.Open(here+"/workers/"+id.String()).Send("Save", webtest.Values("to", "2026-01-01")).Is(http.StatusUnprocessableEntity)
	b.Open(here+"/workers/"+id.String()).Send("Save", webtest.Values("role", "team_lead", "qualification", "", "phone", "", "email", "", "from", "", "to", "")).Sees("Saved.")
	if _, w = find(); w.Qualification != nil || w.Phone != nil || w.Email != nil || w.FromOn != nil || w.External != nil || len(w.GetSupervises()) != 0 {
		t.Errorf("emptied, the worker is %v", w)
	}
}
