package webui_test

import (
	"net/http"
	"strings"
	"testing"

	"levee/server/internal/accounts"
	"levee/server/internal/webtest"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// TestPlannedActivities plans for all teams and for one, edits, and cancels; each role sees and does its part.
func TestPlannedActivities(t *testing.T) {
	for lang, said := range map[string]map[string]string{
		"en": {"new": "Plan an activity", "save": "Save", "saved": "Saved.", "all": "all teams", "none": "Nothing is planned.", "day": "8 Mar 2026", "cancel": "Cancel", "sure": "Cancel the activity", "cancelled": "The activity is cancelled.", "edit": "Edit"},
		"zh": {"new": "添加计划活动", "save": "保存", "saved": "已保存", "all": "所有服务队", "none": "没有计划活动。", "day": "2026年3月8日", "cancel": "取消活动", "sure": "取消该活动", "cancelled": "活动已取消。", "edit": "修改"},
	} {
		t.Run(lang, func(t *testing.T) {
			s := newSite(t)
			b := s.settingUp(lang)
			here := strings.TrimSuffix(b.At.Path, "set-up") + "planned"
			b.Open(here).Sees(said["none"]).Follow(said["new"])
			b.Send(said["save"], webtest.Values("name", "三八节活动", "day", "2026-03-08", "site", b.Option("王庄镇"), "form", "festival", "area", "cultural_rebuilding", "whom", "妇女")).Sees(said["saved"], "三八节活动", said["all"], said["day"], "王庄镇")
			b.Follow(said["new"])
			b.Send(said["save"], webtest.Values("name", "义诊", "day", "2026-03-05", "team", b.Option("二队"), "area", "other")).Sees(said["saved"], "义诊", "二队")
			all, _, err := s.all.All()[0].Progress.Planned(t.Context(), 20260301, 20260401, nil)
			if err != nil || len(all) != 1 || all[0].Activity.GetForm() != recordv1.ActivityForm_ACTIVITY_FORM_FESTIVAL || len(all[0].Activity.GetPlace().GetCode()) != 9 || all[0].Activity.GetAudience() != "妇女" {
				t.Fatalf("planned for all: %v, %v", all, err)
			}
			at := here + "/" + all[0].ID.String()
			b.Open(at).Send(said["save"], webtest.Values("day", "2026-03-07", "site", "", "form", "", "whom", "")).Sees(said["saved"])
			if all, _, err = s.all.All()[0].Progress.Planned(t.Context(), 20260307, 20260307, nil); err != nil || len(all) != 1 || all[0].Activity.Form != nil || all[0].Activity.Place != nil || all[0].Activity.Audience != nil {
				t.Errorf("edited: %v, %v", all, err)
			}
			b.Open(at+"/cancellation").Send(said["sure"], nil).Sees(said["cancelled"], "义诊")
			if strings.Contains(b.Text, "三八节活动") {
				t.Error("what was cancelled is planned still")
			}
			b.Open(at).Is(http.StatusNotFound)
		})
	}
}

// TestPlansOfTeams: a lead plans for the own team alone, and sees no plans of others.
func TestPlansOfTeams(t *testing.T) {
	s := newSite(t)
	b := s.settingUp("en")
	here := strings.TrimSuffix(b.At.Path, "set-up") + "planned"
	for name, team := range map[string]string{"of one": "一队", "of two": "二队", "of all": "all teams"} {
		b.Open(here + "/new")
		b.Send("Save", webtest.Values("name", name, "day", "2026-03-08", "team", b.Option(team), "area", "other")).Sees("Saved.")
	}
	b.Open(strings.TrimSuffix(here, "planned") + "set-up/workers/new")
	b.Send("Save", webtest.Values("name", "王队长", "role", "team_lead", "team", b.Option("一队")))
	var lead hlc.ID
	for id, w := range s.setUp().Workers {
		if w.GetName() == "王队长" {
			lead = id
		}
	}
	c := s.member("wang", accounts.Invitation{Membership: accounts.Membership{Deployment: s.all.All()[0].Syncing.Deployment(), Worker: lead}}).Open(here)
	c.Sees("of one", "of all")
	if strings.Contains(c.Text, "of two") {
		t.Error("a lead sees what another team plans")
	}
	all, _, err := s.all.All()[0].Progress.Planned(t.Context(), 20260308, 20260308, nil)
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	c.Open(here + "/" + all[0].ID.String()).Is(http.StatusForbidden)
	c.Open(here + "/new")
	c.Send("Save", webtest.Values("name", "ours", "day", "2026-03-09", "area", "other", "team", "all")).Is(http.StatusUnprocessableEntity).Sees("Choose one of those offered.")
	c.Send("Save", webtest.Values("team", c.Option("一队"))).Sees("Saved.", "ours")
	c.Open(here+"/new").Send("Save", webtest.Values("name", "", "day", "soon")).Is(http.StatusUnprocessableEntity).Sees("This is needed.")
	c.Send("Save", webtest.Values("name", "x", "day", "2031-01-01", "area", "other")).Is(http.StatusUnprocessableEntity)
}
