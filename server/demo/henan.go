package demo

import (
	"fmt"
	"time"

	"levee/server"
	"levee/syncproto/record"
)

// Published are the totals that the China Association of Social Work published of its team's deployment after the
// rainstorm of 20 July 2021 in Henan. How they divide over days, towns, teams and people was not published: the division
// that is replayed here is made up from a seed.
type Published struct {
	ServiceDays         int64 `json:"service_days"`
	Cases               int64 `json:"cases"`
	GroupSessions       int64 `json:"group_sessions"`
	CommunityActivities int64 `json:"community_activities"`
	Beneficiaries       int64 `json:"beneficiaries"`
}

var published = Published{ServiceDays: 75, Cases: 10, GroupSessions: 14, CommunityActivities: 14, Beneficiaries: 4130}

const (
	firstDay record.Date = 20210923
	lastDay  record.Date = 20211206
)

// towns are the three that were served, by the statistics bureau's codes of 2023.
var towns = []server.SetUpSite{
	{Name: "王庄镇", Code: "410621108", Edition: 2023},
	{Name: "小河镇", Code: "410621105", Edition: 2023},
	{Name: "上乐村镇", Code: "410781106", Edition: 2023},
}

// workersPerTeam is how many tablets each team has; the first is its lead's.
const workersPerTeam = 4

// coordinator is whose totals are shown. They have no tablet.
const coordinator = "协调员"

// setUp is the deployment as it stood at its start. The names of workers are made up.
func setUp() *server.SetUp {
	s := &server.SetUp{Name: "河南特大暴雨社会工作服务", Start: firstDay.String(), End: lastDay.String(), TimeZone: "Asia/Shanghai", Sites: towns}
	types := []string{"social_worker", "volunteer", "volunteer", "counsellor"}
	for t, town := range towns {
		team := teamAt(town)
		s.Teams = append(s.Teams, server.SetUpTeam{Name: team, Site: town.Name})
		for w := range workersPerTeam {
			role := "field_worker"
			if w == 0 {
				role = "team_lead"
			}
			s.Workers = append(s.Workers, server.SetUpWorker{Name: fmt.Sprintf("队员%d-%d", t+1, w+1), Team: team, Role: role, Type: types[w]})
		}
	}
	s.Workers = append(s.Workers, server.SetUpWorker{Name: coordinator, Role: "coordinator", Type: "social_worker"})
	return s
}

// teamAt is the team that works at a site.
func teamAt(s server.SetUpSite) string { return s.Name + "服务队" }

// beijing is the time zone of the deployment; China has had no daylight saving since 1991.
var beijing = time.FixedZone("Asia/Shanghai", 8*60*60)
