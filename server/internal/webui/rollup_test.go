package webui_test

import (
	"net/http"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/accounts"
	"levee/server/internal/audit"
	"levee/server/internal/httpapi"
	"levee/server/internal/syncing"
	"levee/server/internal/webtest"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// opensCases opens a case in a town for each of some people, who are known by their tokens.
func (s *site) opensCases(d *httpapi.Deployment, town string, tokens ...string) {
	s.t.Helper()
	setUp := d.Syncing.SetUp()
	var team hlc.ID
	for id, one := range setUp.Teams {
		if one.GetName() != "二队" {
			team = id
		}
	}
	lead := setUp.WorkerIDs()[0]
	for _, token := range tokens {
		id, err := d.Syncing.NewID()
		if err == nil {
			err = d.Syncing.Add(s.t.Context(), []syncing.SetUpRecord{{ID: id, Message: &recordv1.Case{Team: team[:], CaseNo: proto.String(token), OpenedOn: proto.Int32(20260220), OccurredOn: proto.Int32(20260220), ClientCount: proto.Uint32(1), Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(),
				Place: &recordv1.Place{Code: &town, Edition: proto.Int32(2023)}, Author: lead[:], Lead: lead[:], ServiceArea: recordv1.ServiceArea_SERVICE_AREA_OTHER.Enum(), ClientTokens: [][]byte{[]byte((token + strings.Repeat(" ", 16))[:16])}}}})
		}
		if err != nil {
			s.t.Fatal(err)
		}
	}
}

// twoCounties are two deployments in two counties, which serve one person both; the browser is their coordinator's.
func (s *site) twoCounties(lang string, linked bool) *webtest.Browser {
	s.t.Helper()
	b := s.coordinator(lang)
	b.Open("/deployments/new")
	samePeople := ""
	if linked {
		samePeople = b.Option("河南特大暴雨")
	}
	b.Send(b.Button(), webtest.Values("name", "淇县", "start", "2026-02-01", "site_1", "朝歌街道", "code_1", "410622001", "team_1", "三队", "same_people", samePeople)).Is(http.StatusOK)
	for _, d := range s.all.All() {
		if d.Syncing.SetUp().Deployment.GetName() == "淇县" {
			s.opensCases(d, "410622001", "wang")
		} else {
			s.opensCases(d, "410621108", "wang", "li")
		}
	}
	return b
}

// The page counts a person who is in two counties once where it can tell, else twice, and says which; numbers lead to the records.
func TestRollUp(t *testing.T) {
	for _, c := range []struct {
		lang   string
		linked bool
		says   []string
		not    string
	}{
		{"en", true, []string{"Counted once across these: 河南特大暴雨, 淇县.", "河南省 3 0 0 0 0 0 2 counted once"}, "May count a person more than once"},
		{"zh", true, []string{"以下行动之间只算一人：河南特大暴雨、淇县。", "河南省 3 0 0 0 0 0 2 只算一人"}, "可能重复计人"},
		{"en", false, []string{"May count a person more than once across these: 河南特大暴雨, 淇县.", "河南省 3 0 0 0 0 0 3 may count twice"}, "Counted once across"},
		{"zh", false, []string{"以下行动之间可能重复计人：河南特大暴雨、淇县。", "河南省 3 0 0 0 0 0 3 可能重复"}, "只算一人"},
	} {
		s := newSite(t)
		b := s.twoCounties(c.lang, c.linked)
		b.Open("/").Follow(map[string]string{"en": "Several deployments together", "zh": "多个行动合并统计"}[c.lang]).Is(http.StatusOK).Sees(c.says...)
		if strings.Contains(b.Text, c.not) {
			t.Errorf("it says %q", c.not)
		}
		b.Follow(map[string]string{"en": "County", "zh": "县"}[c.lang]).Sees("浚县 2 0 0 0 0 0 2", "淇县 1 0 0 0 0 0 1")
		b.Open("/rollup?below=41&basis=verified").Sees("河南省 0")
		b.Open("/rollup").Follow("河南省").Follow("鹤壁市").Follow("淇县").Sees("朝歌街道 1 0 0 0 0 0 1")
		b.Follow("1").Is(http.StatusOK).Sees("wang")
	}
}

// What the coordinator expects of a place by a day stands in the set-up, and beside what there is on the page of several deployments.
func TestTargetsOfPlaces(t *testing.T) {
	for lang, said := range map[string]struct{ save, setUp, late, reached string }{
		"en": {"Save", "2, sites at work, 鹤壁市, by 28 Feb 2026", "鹤壁市 sites at work 河南特大暴雨 28 Feb 2026 0 of 2 (0%) not reached in time", "浚县 cases 河南特大暴雨 2 of 2 (100%) reached"},
		"zh": {"保存", "2、已开展服务的服务点、鹤壁市、2026年2月28日 前", "鹤壁市 已开展服务的服务点 河南特大暴雨 2026年2月28日 已完成 0，目标 2（0%） 逾期未达标", "浚县 个案 河南特大暴雨 已完成 2，目标 2（100%） 已达成"},
	} {
		s := newSite(t)
		b := s.twoCounties(lang, true)
		var first string
		for _, d := range s.all.All() {
			if d.Syncing.SetUp().Deployment.GetName() != "淇县" {
				first = d.Syncing.Deployment().String()
			}
		}
		b.Open("/deployments/"+first+"/set-up/targets").Send(said.save, webtest.Values("value_1", "2", "figure_1", "sites_active", "of_1", "place", "place_1", "4106", "due_1", "2026-02-28", "value_2", "2", "figure_2", "cases", "of_2", "place", "place_2", "410621")).Is(http.StatusOK).Sees(said.setUp)
		b.Open("/rollup").Sees(said.late, said.reached)
	}
}

// Only deployments of which one sees all totals are told of: an administrator, or who supervises a team there, sees none of it.
func TestRollUpIsForWhoSeesBoth(t *testing.T) {
	s := newSite(t)
	s.twoCounties("en", true).Open("/rollup").Is(http.StatusOK)
	first, second := s.all.All()[0].Syncing, s.all.All()[1].Syncing
	as := func(login string, roles ...recordv1.Role) *webtest.Browser {
		var memberships []accounts.Membership
		for i, d := range []*syncing.Service{first, second}[:len(roles)] {
			id, err := d.NewID()
			if err == nil {
				err = d.Add(t.Context(), []syncing.SetUpRecord{{ID: id, Message: &recordv1.Worker{Name: &login, Role: roles[i].Enum(), Type: recordv1.WorkerType_WORKER_TYPE_SOCIAL_WORKER.Enum()}}})
			}
			if err != nil {
				t.Fatal(err)
			}
			memberships = append(memberships, accounts.Membership{Deployment: d.Deployment(), Worker: id})
		}
		b := s.member(login, accounts.Invitation{Membership: memberships[0]})
		account, err := s.accounts.Accounts(t.Context())
		for _, a := range account {
			for _, m := range memberships[1:] {
				if err == nil && a.Login == login {
					err = s.accounts.AddMembership(t.Context(), audit.Actor{}, a.ID, m)
				}
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	coordinator, supervisor := recordv1.Role_ROLE_COORDINATOR, recordv1.Role_ROLE_SUPERVISOR
	as("both", coordinator, coordinator).Open("/").Sees("Several deployments together").Open("/rollup").Is(http.StatusOK)
	half := as("half", coordinator, supervisor).Open("/")
	if strings.Contains(half.Text, "Several deployments together") {
		t.Error("who sees all of one deployment alone is led to several")
	}
	half.Open("/rollup").Is(http.StatusNotFound)
	as("one", coordinator).Open("/rollup").Is(http.StatusNotFound)
	s.member("administrator", accounts.Invitation{Administrator: true}).Open("/rollup").Is(http.StatusNotFound)
}
