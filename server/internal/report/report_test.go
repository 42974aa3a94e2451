package report_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"levee/server/internal/indexing"
	"levee/server/internal/progress"
	"levee/server/internal/report"
	"levee/server/internal/servertest"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/words/wordstest"
)

func TestEveryMessageIsInBothLanguages(t *testing.T) { wordstest.CheckMessages(t, 40) }

func serviceOf(d *servertest.Deployment) *report.Service {
	p := progress.New(progress.Config{Store: d.DB.Deployment(d.ID), SetUp: d.Service.SetUp, Wall: d.Wall})
	return report.New(report.Config{Deployment: d.ID, Store: d.DB.Deployment(d.ID), Progress: p})
}

func reportOf(t testing.TB, d *servertest.Deployment, period report.Period, day record.Date, teams []hlc.ID) *report.Report {
	t.Helper()
	r, err := serviceOf(d).Report(context.Background(), period, day, teams)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPeriodsAreCutToTheDaysOfTheDeployment(t *testing.T) {
	ended := report.Dates{Start: 20210923, End: 20211206, Today: 20220301}
	for _, c := range []struct {
		period        report.Period
		day           record.Date
		dates         report.Dates
		from, to      record.Date
		invalidPeriod bool
	}{
		{report.Day, 20211008, ended, 20211008, 20211008, false},
		{report.Day, 0, ended, 20211206, 20211206, false},
		{report.Week, 20211008, ended, 20211004, 20211010, false},
		{report.Week, 20211004, ended, 20211004, 20211010, false},
		{report.Week, 20211010, ended, 20211004, 20211010, false},
		{report.Week, 20210925, ended, 20210923, 20210926, false}, // it began on a Thursday
		{report.Week, 20211206, ended, 20211206, 20211206, false}, // and ended on a Monday
		{report.Month, 20211008, ended, 20211001, 20211031, false},
		{report.Month, 20210930, ended, 20210923, 20210930, false},
		{report.Month, 20211201, ended, 20211201, 20211206, false},
		{report.Whole, 20211008, ended, 20210923, 20211008, false},
		{report.Week, 20211008, report.Dates{Start: 20210923, Today: 20211008}, 20211004, 20211008, false}, // what is to come is not told of
		{report.Month, 20240229, report.Dates{Today: 20240301}, 20240201, 20240229, false},
		{report.Week, 0, report.Dates{Start: 20210923, Today: 20210901}, 20210923, 20210923, false}, // it has not begun
		{report.Day, 20210922, ended, 0, 0, true},
		{report.Day, 20211207, ended, 0, 0, true},
		{report.Day, 20211009, report.Dates{Start: 20210923, Today: 20211008}, 0, 0, true},
		{report.Day, 20211131, ended, 0, 0, true},
		{"year", 20211008, ended, 0, 0, true},
	} {
		from, to, err := c.period.Span(c.day, c.dates)
		if from != c.from || to != c.to || errors.Is(err, problem.New(problem.InvalidArgument)) != c.invalidPeriod {
			t.Errorf("%s of %v in %+v: from %v to %v, %v", c.period, c.day, c.dates, from, to, err)
		}
	}
}

// worked is a deployment in which two teams worked on 8 October.
func worked(t *testing.T) *servertest.Deployment {
	t.Helper()
	d := servertest.New(t)
	d.SetWall(time.Date(2021, 10, 8, 10, 5, 0, 0, time.UTC)) // 18:05 in Shanghai
	lead, anna, carl := d.Enrol("lead"), d.Enrol("anna"), d.Enrol("carl")
	held, team, ben := recordv1.Status_STATUS_HELD.Enum(), d.Teams, d.Workers["ben"]
	town := func(code string) *recordv1.Place { return &recordv1.Place{Code: &code, Edition: proto.Int32(2023)} }
	count := func(by *servertest.Device, at hlc.ID, day int32, method recordv1.CountMethod, first, returning uint32) *record.Change {
		return by.Make(&recordv1.Headcount{OccurredOn: &day, Activity: at[:], Counter: by.Worker[:], Zone: proto.String("东区"), Method: method.Enum(), FirstTime: &first, Returning: &returning})
	}
	before, day := int32(20211004), int32(20211008)
	old := anna.Make(&recordv1.CommunityActivity{Team: team[0][:], OccurredOn: &before, Place: town("410621108"), Status: held, Name: proto.String("义诊"), Minutes: proto.Uint32(45), RegisterUsed: proto.Bool(false)})
	evening := anna.Make(&recordv1.CommunityActivity{Team: team[0][:], OccurredOn: &day, Place: town("410621108"), Status: held, Name: proto.String("晚会"), Minutes: proto.Uint32(90), RegisterUsed: proto.Bool(false), CoWorkers: [][]byte{ben[:], anna.Worker[:]}})
	file := anna.Make(&recordv1.Case{Team: team[0][:], OccurredOn: &before, Place: town("410621108"), CaseNo: proto.String("7"), OpenedOn: &day, ClientCount: proto.Uint32(2), Stage: recordv1.CaseStage_CASE_STAGE_ASSESSMENT.Enum(), Lead: anna.Worker[:]})
	anna.Push(old, count(anna, old.Record, before, recordv1.CountMethod_COUNT_METHOD_COUNTED, 1200, 30), evening, count(anna, evening.Record, day, recordv1.CountMethod_COUNT_METHOD_ESTIMATED, 40, 8), file,
		anna.Make(&recordv1.CaseSession{Team: team[0][:], OccurredOn: &day, Status: held, Case: file.Record[:], Minutes: proto.Uint32(50), Attendees: proto.Uint32(2), Stage: recordv1.CaseStage_CASE_STAGE_INTERVENTION.Enum(), Mode: recordv1.SessionMode_SESSION_MODE_HOME_VISIT.Enum(), RiskSeen: recordv1.RiskSeen_RISK_SEEN_NO.Enum()}))
	lead.Push(count(lead, evening.Record, day, recordv1.CountMethod_COUNT_METHOD_COUNTED, 10, 0))
	round := carl.Make(&recordv1.Outreach{Team: team[1][:], OccurredOn: &day, Place: town("410781106"), Status: held, Mode: recordv1.OutreachMode_OUTREACH_MODE_HOME.Enum(), Households: proto.Uint32(9)})
	link := func(on int32, kind recordv1.ResourceType, progress recordv1.LinkProgress, delivered *int32, quantity, yuan uint32, unit string) *record.Change {
		return carl.Make(&recordv1.ResourceLink{Team: team[1][:], OccurredOn: &on, Need: proto.String("棉被"), Type: kind.Enum(), Quantity: &quantity, Unit: &unit, ValueYuan: &yuan, Progress: progress.Enum(), DeliveredOn: delivered})
	}
	goods, delivered := recordv1.ResourceType_RESOURCE_TYPE_GOODS, recordv1.LinkProgress_LINK_PROGRESS_DELIVERED
	calledOff := carl.Make(&recordv1.ResourceLink{Team: team[1][:], OccurredOn: &day, Need: proto.String("棉被"), Type: goods.Enum(), Status: recordv1.Status_STATUS_CANCELLED.Enum()})
	carl.Push(round, count(carl, round.Record, day, recordv1.CountMethod_COUNT_METHOD_COUNTED, 60, 5),
		link(before, goods, delivered, &day, 200, 30000, "床"), link(before, goods, delivered, &before, 9, 900, "床"), link(day, goods, delivered, nil, 10, 1500, "床"),
		link(day, goods, recordv1.LinkProgress_LINK_PROGRESS_MATCHED, nil, 50, 0, "箱"), link(day, goods, recordv1.LinkProgress_LINK_PROGRESS_FAILED, nil, 3, 0, "箱"), link(day, goods, recordv1.LinkProgress_LINK_PROGRESS_REQUESTED, nil, 4, 100, "箱"),
		link(day, recordv1.ResourceType_RESOURCE_TYPE_MONEY, delivered, &day, 1, 5000, "床"), calledOff)
	seen := d.Wall().UnixMilli()
	alert := func(on int32) *record.Change {
		return carl.Make(&recordv1.RiskAlert{Team: team[1][:], OccurredOn: &on, SeenAt: &seen, Type: recordv1.RiskType_RISK_TYPE_MISSING.Enum(), Done: proto.String("在找")})
	}
	known := alert(day)
	carl.Push(alert(before), known, alert(day))
	coordinator := d.Enrol("coordinator")
	coordinator.Pull()
	coordinator.Push(coordinator.Edit(known.Record, &recordv1.RiskAlert{AcknowledgedBy: coordinator.Worker[:], AcknowledgedAt: &seen}))
	index := indexing.New(indexing.Config{Store: d.DB.Deployment(d.ID), SetUp: d.Service.SetUp, Wall: d.Wall})
	if err := index.Follow(context.Background()); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestTheTextOfADay(t *testing.T) {
	d := worked(t)
	r := reportOf(t, d, report.Day, 0, nil)
	zone := d.Service.SetUp().Location
	for lang, want := range map[string]string{
		"zh": `【日报】10月8日 test
当日：新开个案1个，个案服务1次，团体活动1场，走访1次；服务125人次、112人（其中新增112人、估算40人）。
累计（截至10月8日，第16天）：个案1个，个案服务1次，团体活动2场，走访1次；服务1,355人次、1,312人。
分镇：王庄镇60人次、52人；上乐村镇65人次、60人。
出勤：志愿者4人、4人天。
物资：登记4项（价值1,600元）；对接中1项；落实2项（价值31,500元）。
目前在办个案1个；风险上报2起，未确认2起。
数据为上报数，统计至2021年10月8日 18:05：4台平板中4台自2021年10月7日 18:05以来有联系，尚有0条未上传。`,
		"en": `[Daily report] 8 Oct · test
On the day: 1 case newly opened, 1 case session, 1 community activity, 1 outreach round; 125 contacts, 112 persons (112 of them new, 40 estimated).
To date (8 Oct, day 16): 1 case, 1 case session, 2 community activities, 1 outreach round; 1,355 contacts, 1,312 persons.
By town: 王庄镇 60 contacts, 52 persons; 上乐村镇 65 contacts, 60 persons.
Staff: volunteer: 4, 4 days.
Goods: asked for 4 items worth 1,600 yuan; matched 1 item; delivered 2 items worth 31,500 yuan.
Now open: 1 case; risk alerts sent: 2, not acknowledged: 2.
As reported up to 8 Oct 2021 18:05: 4 of 4 tablets heard from since 7 Oct 2021 18:05, 0 changes still outstanding.`,
	} {
		if got := r.Text(lang, zone); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", lang, got, want)
		}
	}
}

func TestOfSomeTeamsTheirSumsAreTold(t *testing.T) {
	d := worked(t)
	r := reportOf(t, d, report.Day, 20211008, d.Teams[:1])
	if r.Whole || r.Done.Reported["persons"] != 52 || r.Done.Reported["outreach_rounds"] != 0 || r.Total.Reported["persons"] != 1252 || len(r.Teams) != 1 || len(r.Goods) != 0 || r.Alerts != (report.Alerts{}) ||
		r.OpenCases.Count != 1 || len(r.OpenCases.Stages) != 1 || r.OpenCases.Stages[0].Name != "assessment" {
		t.Errorf("%+v", r)
	}
	r = reportOf(t, d, report.Day, 20211008, d.Teams[1:2])
	if r.Done.Reported["persons"] != 60 || r.OpenCases.Count != 0 || r.Alerts != (report.Alerts{Sent: 2, Open: 2}) {
		t.Errorf("%+v", r)
	}
	if _, err := serviceOf(d).Report(context.Background(), report.Day, 0, []hlc.ID{}); !errors.Is(err, problem.New(problem.NotFound)) {
		t.Errorf("of no team: %v", err)
	}
}

func TestGoodsByUnit(t *testing.T) {
	d := worked(t)
	r := reportOf(t, d, report.Day, 0, nil)
	want := []report.Goods{
		{Unit: "床", AskedFor: report.Quantity{Links: 1, Quantity: 10, Yuan: 1500}, Delivered: report.Quantity{Links: 2, Quantity: 210, Yuan: 31500}},
		{Unit: "箱", AskedFor: report.Quantity{Links: 3, Quantity: 57, Yuan: 100}, Requested: report.Quantity{Links: 1, Quantity: 4, Yuan: 100}, Matched: report.Quantity{Links: 1, Quantity: 50}, Failed: report.Quantity{Links: 1, Quantity: 3}},
	}
	if !slices.Equal(r.Goods, want) {
		t.Errorf("%+v", r.Goods)
	}
}

func TestWhoWorkedAndForHowLong(t *testing.T) {
	d := worked(t)
	r := reportOf(t, d, report.Whole, 0, nil)
	got := map[string]string{}
	for _, w := range r.Workers {
		got[w.Name] = fmt.Sprint(w.Days, " ", w.From, " ", w.To, " ", w.Minutes, " ", w.Held)
	}
	want := map[string]string{
		"anna": "2 2021-10-04 2021-10-08 185 map[case_sessions:1 community_activities:2]",
		"ben":  "1 2021-10-08 2021-10-08 90 map[community_activities:1]",
		"lead": "1 2021-10-08 2021-10-08 0 map[]",
		"carl": "1 2021-10-08 2021-10-08 0 map[outreach_rounds:1]",
	}
	if !maps.Equal(got, want) {
		t.Errorf("%v", got)
	}
	for _, w := range r.Workers {
		switch w.Name {
		case "anna":
			if got := r.Certificate(w, "zh"); got != "兹证明：anna（志愿者）于2021年10月4日至2021年10月8日期间参加“test”服务，共2天。\n作为记录人或协同人员，参与个案服务1次，团体活动2场，合计3小时5分。" {
				t.Error(got)
			}
			if got := r.Certificate(w, "en"); got != "This is to certify that anna (volunteer) worked in the deployment “test” from 4 Oct 2021 to 8 Oct 2021, on 2 days.\nAs author or co-worker: 1 case session, 2 community activities, which took 3 h 5 min in all." {
				t.Error(got)
			}
		case "lead":
			if got := r.Certificate(w, "en"); !strings.HasSuffix(got, "Counted people at what others held.") {
				t.Error(got)
			}
		}
	}
}

func TestNamesInJSON(t *testing.T) {
	b, err := json.Marshal(reportOf(t, worked(t), report.Week, 20211008, nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"period":"week","from":"2021-10-04","to":"2021-10-08","service_days":16`, `"persons_new":`, `"towns":[{"key":"410621108"`, `"service_areas":[`, `"minutes":185`, `"stages":[{"name":"assessment"`, `"heard_from":4`} {
		if !strings.Contains(string(b), part) {
			t.Errorf("%s is not in %s", part, b)
		}
	}
}

// TestNobodyIsFoundByTakingTheOthersAway: where one part of people is not told of, another isn't either, unless there is none.
func TestNobodyIsFoundByTakingTheOthersAway(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var rows []report.Row
		for i, n := range rapid.SliceOf(rapid.Int64Range(1, 12)).Draw(t, "persons") {
			rows = append(rows, report.Row{Key: fmt.Sprint(i), Reported: map[string]int64{"persons": n, "contacts": n + 3}})
		}
		hidden := report.Few(rows)
		small := 0
		for _, r := range rows {
			if r.Reported["persons"] < report.Small {
				small++
				if !hidden[r.Key] {
					t.Fatalf("%d persons are told of", r.Reported["persons"])
				}
			}
		}
		want := small
		if small == 1 && len(rows) > 1 {
			want = 2
		}
		if len(hidden) != want {
			t.Fatalf("%d rows are not told of, want %d: %v", len(hidden), want, rows)
		}
	})
}
