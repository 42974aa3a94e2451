package httpapi

import (
	"context"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/server/internal/access"
	"levee/server/internal/places"
	"levee/server/internal/progress"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// mountSetUp adds the routes that tell what a deployment is set up with, and who works in it.
func (a *api) mountSetUp(h huma.API) {
	route(h, access.SeeSetUp, "set-up", "What a deployment is set up with: days, words, age bands, duty list, targets, sites and teams", a.setUp)
	route(h, access.SeeSetUp, "workers", "Who works in the deployment. How people are reached is for who may edit the set-up", a.workers)
}

type setUpBody struct {
	DeploymentBase
	State             string          `json:"state" enum:"active,closing,closed,archived"`
	EscalationMinutes uint32          `json:"escalation_minutes,omitempty" doc:"After so many, a risk alert that nobody confirmed goes on to the next on the duty list; absent where the server's own hold." example:"15"`
	ServiceAreas      []choiceView    `json:"service_areas" nullable:"false"`
	AgeBands          []textView      `json:"age_bands" nullable:"false" doc:"In the order in which totals number them, from 1."`
	Kinds             []choiceView    `json:"kinds" nullable:"false" doc:"What the deployment calls each kind of record."`
	DutyList          []namedView     `json:"duty_list" nullable:"false" doc:"Whom a risk alert goes to, one after the other."`
	EmergencyNumbers  []emergencyView `json:"emergency_numbers" nullable:"false"`
	Targets           []TargetView    `json:"targets" nullable:"false" doc:"What the coordinator expects of teams, workers and places."`
	Sites             []setUpSiteView `json:"sites" nullable:"false" doc:"By name."`
	Teams             []setUpTeamView `json:"teams" nullable:"false" doc:"By name."`
}

// DeploymentBase is which deployment it is, and when.
type DeploymentBase struct {
	ID       string `json:"id" format:"uuid"`
	Name     string `json:"name" example:"河南特大暴雨社会工作服务"`
	StartOn  string `json:"start_on" format:"date" example:"2021-09-23"`
	EndOn    string `json:"end_on,omitempty" format:"date" doc:"Absent while it goes on."`
	TimeZone string `json:"time_zone" doc:"IANA name." example:"Asia/Shanghai"`
}

// choiceView is a value of a list, by its stable name.
type choiceView struct {
	Name  string   `json:"name" doc:"Stable name." example:"psychological_support"`
	Label textView `json:"label"`
}

type emergencyView struct {
	Label  textView `json:"label"`
	Number string   `json:"number" example:"120"`
}

// TargetView is what the coordinator expects.
type TargetView struct {
	Figure string    `json:"figure" example:"case_sessions"`
	Period string    `json:"period" enum:"unknown,day,week,whole"`
	Of     string    `json:"of" enum:"unknown,team,worker,place" doc:"Whether each team is to do so much, or each worker; or it is expected of a place by a day."`
	Team   namedView `json:"team" doc:"The one for which it holds; empty for all."`
	Value  uint32    `json:"value" example:"10"`
	Place  string    `json:"place_code,omitempty" doc:"The place, of a target of a place." example:"410621"`
	DueOn  string    `json:"due_on,omitempty" format:"date" doc:"By when, of a target of a place; without it, by the end of the deployment."`
}

type setUpSiteView struct {
	ID       string     `json:"id" format:"uuid"`
	Name     string     `json:"name" example:"王庄镇"`
	Place    *placeView `json:"place,omitempty"`
	Planned  bool       `json:"planned" doc:"Chosen, and not opened yet."`
	Position *pointView `json:"position,omitempty" doc:"Absent where nobody gave coordinates."`
}

type placeView struct {
	Code    string   `json:"code" doc:"By the statistics bureau." example:"410621108"`
	Edition int32    `json:"edition" doc:"Year of the edition of the codes." example:"2023"`
	Village string   `json:"village,omitempty" doc:"Village or group by name, where the code does not reach."`
	Path    []string `json:"path" nullable:"false" doc:"Names from the province down, as far as the list of places knows them."`
}

type pointView struct {
	Latitude  float64 `json:"latitude" doc:"In degrees of WGS 84, north positive." example:"35.676"`
	Longitude float64 `json:"longitude" doc:"In degrees of WGS 84, east positive." example:"114.551"`
}

type setUpTeamView struct {
	ID      string    `json:"id" format:"uuid"`
	Name    string    `json:"name" example:"一队"`
	Site    namedView `json:"site"`
	Workers int       `json:"workers" doc:"How many workers it has."`
}

func (a *api) setUp(ctx context.Context, in *struct{ Scope }) (*answer[setUpBody], error) {
	return reply(ctx, a, in.Scope, func(d *Deployment, _ string) (setUpBody, error) {
		return viewSetUp(d.Syncing.Deployment(), d.Syncing.SetUp()), nil
	})
}

func viewSetUp(id hlc.ID, s *syncing.SetUp) setUpBody {
	zh, en := words.In("zh").For(s.Deployment), words.In("en").For(s.Deployment)
	state := s.Deployment.GetState()
	if state == recordv1.DeploymentState_DEPLOYMENT_STATE_UNKNOWN {
		state = recordv1.DeploymentState_DEPLOYMENT_STATE_ACTIVE
	}
	v := setUpBody{DeploymentBase: DeploymentBase{id.String(), s.Deployment.GetName(), dateText(record.Date(s.Deployment.GetStartOn())), dateText(record.Date(s.Deployment.GetEndOn())), s.Deployment.GetTimeZone()},
		State: choiceText(state), EscalationMinutes: s.Deployment.GetEscalationMinutes(), ServiceAreas: []choiceView{}, AgeBands: []textView{}, Kinds: []choiceView{}, DutyList: []namedView{},
		EmergencyNumbers: []emergencyView{}, Targets: []TargetView{}, Sites: []setUpSiteView{}, Teams: []setUpTeamView{}}
	english := en.Options(recordv1.ServiceArea(0).Descriptor())
	for i, o := range zh.Options(recordv1.ServiceArea(0).Descriptor()) {
		v.ServiceAreas = append(v.ServiceAreas, choiceView{o.Name, textView{o.Label, english[i].Label}})
	}
	for i := range zh.AgeBands() {
		if i > 0 {
			v.AgeBands = append(v.AgeBands, textView{zh.AgeBand(uint64(i)), en.AgeBand(uint64(i))})
		}
	}
	for _, k := range record.Kinds() {
		v.Kinds = append(v.Kinds, choiceView{words.KindName(k), textView{zh.KindLabel(k), en.KindLabel(k)}})
	}
	for _, worker := range s.Deployment.GetDutyList() {
		v.DutyList = append(v.DutyList, workerIn(s, idOf(worker)))
	}
	for _, n := range s.Deployment.GetEmergencyNumbers() {
		v.EmergencyNumbers = append(v.EmergencyNumbers, emergencyView{textView{n.GetLabelZh(), n.GetLabelEn()}, n.GetNumber()})
	}
	for _, t := range s.Deployment.GetTargets() {
		v.Targets = append(v.Targets, viewTarget(s, t))
	}
	for site, m := range s.Sites {
		one := setUpSiteView{ID: site.String(), Name: m.GetName(), Place: viewPlace(m.GetPlace()), Planned: m.GetPlanned()}
		if m.GetLatitudeE6() != 0 || m.GetLongitudeE6() != 0 {
			one.Position = &pointView{float64(m.GetLatitudeE6()) / 1e6, float64(m.GetLongitudeE6()) / 1e6}
		}
		v.Sites = append(v.Sites, one)
	}
	slices.SortFunc(v.Sites, func(a, b setUpSiteView) int { return slices.Compare([]string{a.Name, a.ID}, []string{b.Name, b.ID}) })
	size := map[hlc.ID]int{}
	for _, w := range s.Workers {
		size[idOf(w.GetTeam())]++
	}
	for team, m := range s.Teams {
		v.Teams = append(v.Teams, setUpTeamView{team.String(), m.GetName(), siteIn(s, idOf(m.GetSite())), size[team]})
	}
	slices.SortFunc(v.Teams, func(a, b setUpTeamView) int { return slices.Compare([]string{a.Name, a.ID}, []string{b.Name, b.ID}) })
	return v
}

func viewTarget(s *syncing.SetUp, t *recordv1.Target) TargetView {
	return TargetView{t.GetFigure(), choiceText(t.GetPeriod()), choiceText(t.GetOf()), teamIn(s, idOf(t.GetTeam())), t.GetValue(), t.GetPlaceCode(), dateText(record.Date(t.GetDueOn()))}
}

func viewPlace(p *recordv1.Place) *placeView {
	if p == nil {
		return nil
	}
	v := &placeView{Code: p.GetCode(), Edition: p.GetEdition(), Village: p.GetVillage(), Path: []string{}}
	for _, around := range places.Path(p.GetCode()) {
		v.Path = append(v.Path, around.Name)
	}
	return v
}

// choiceText is the stable name of a value of an enumeration; its number where only a newer program knows it.
func choiceText(e protoreflect.Enum) string {
	return words.In("en").For(&recordv1.Deployment{}).OptionOf(e.Descriptor(), e.Number()).Name
}

// idOf is an id as messages have it; zero for what is none.
func idOf(b []byte) hlc.ID {
	id, _ := uuid.FromBytes(b)
	return id
}

// workerIn, teamIn and siteIn are something of the set-up with its name.
func workerIn(s *syncing.SetUp, id hlc.ID) namedView {
	return viewNamed(progress.Named{ID: id, Name: s.Workers[id].GetName()})
}

func teamIn(s *syncing.SetUp, id hlc.ID) namedView {
	return viewNamed(progress.Named{ID: id, Name: s.Teams[id].GetName()})
}

func siteIn(s *syncing.SetUp, id hlc.ID) namedView {
	return viewNamed(progress.Named{ID: id, Name: s.Sites[id].GetName()})
}
