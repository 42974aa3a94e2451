package finalreport_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/finalreport"
	"levee/server/internal/progress"
	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	"levee/syncproto/certificate"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
	"levee/syncproto/words/wordstest"
)

func TestEveryMessageIsInBothLanguages(t *testing.T) { wordstest.CheckMessages(t, 100) }

var key = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{3}, ed25519.SeedSize))

// secrets are what the deployment knows of clients, and no report says.
var secrets = []string{"张福来", "13700001111", "五龙口", "丧子之痛"}

// closed is a deployment in which two teams worked in three villages, with a case that was handed over and one that is open.
func closed(t testing.TB) *servertest.Deployment {
	t.Helper()
	d := servertest.New(t)
	d.SetWall(time.Date(2021, 10, 12, 10, 0, 0, 0, time.UTC))
	anna, carl, supervisor := d.Enrol("anna"), d.Enrol("carl"), d.Enrol("super")
	held := recordv1.Status_STATUS_HELD.Enum()
	at := func(code string) *recordv1.Place { return &recordv1.Place{Code: &code, Edition: proto.Int32(2023)} }
	activity := func(by *servertest.Device, day int32, place string) *record.Change {
		return by.Make(&recordv1.CommunityActivity{OccurredOn: &day, Place: at(place), Status: held, Name: proto.String("义诊"), Minutes: proto.Uint32(60), RegisterUsed: proto.Bool(false)})
	}
	count := func(by *servertest.Device, of *record.Change, day int32, m *recordv1.Headcount) *record.Change {
		m.OccurredOn, m.Activity, m.Counter, m.Zone = &day, of.Record[:], by.Worker[:], proto.String("全场")
		if m.Method == nil {
			m.Method = recordv1.CountMethod_COUNT_METHOD_COUNTED.Enum()
		}
		return by.Make(m)
	}
	cell := func(sex recordv1.Sex, band, n uint32) *recordv1.HeadcountCell {
		return &recordv1.HeadcountCell{Sex: sex.Enum(), AgeBand: &band, FirstTime: &n}
	}
	fair, few := activity(anna, 20211004, "410621108201"), activity(anna, 20211005, "410621108202")
	file := anna.Make(&recordv1.Case{OccurredOn: proto.Int32(20211004), Place: at("410621108201"), CaseNo: proto.String("7"), OpenedOn: proto.Int32(20211004), ClientCount: proto.Uint32(2), Stage: recordv1.CaseStage_CASE_STAGE_EVALUATION.Enum(),
		Lead: anna.Worker[:], ClosedOn: proto.Int32(20211010), Closure: recordv1.CaseClosure_CASE_CLOSURE_REFERRED.Enum()})
	refer := func(by *servertest.Device, of *record.Change, to string, progress recordv1.ReferralProgress) *record.Change {
		return by.Make(&recordv1.Referral{OccurredOn: proto.Int32(20211010), Case: of.Record[:], ToOrganisation: &to, Reason: proto.String(secrets[3]), Progress: progress.Enum()})
	}
	accepted, sent := recordv1.ReferralProgress_REFERRAL_PROGRESS_ACCEPTED, recordv1.ReferralProgress_REFERRAL_PROGRESS_SENT
	push := func(by *servertest.Device, changes ...*record.Change) {
		t.Helper()
		if held := by.Push(changes...).GetAcknowledgement().GetHeld(); len(held) > 0 {
			t.Fatal(held)
		}
	}
	push(anna, fair, count(anna, fair, 20211004, &recordv1.Headcount{Cells: []*recordv1.HeadcountCell{cell(1, 4, 15), cell(2, 3, 20), cell(2, 6, 3)}}),
		few, count(anna, few, 20211005, &recordv1.Headcount{FirstTime: proto.Uint32(3)}),
		file, anna.Make(&recordv1.CaseIdentity{Case: file.Record[:], Name: &secrets[0], Phone: &secrets[1], Address: &secrets[2]}),
		refer(anna, file, "浚县民政局", accepted), refer(anna, file, " 浚县民政局", accepted), refer(anna, file, "县医院", accepted))
	evening := activity(carl, 20211012, "410781106")
	open := carl.Make(&recordv1.Case{OccurredOn: proto.Int32(20211012), Place: at("410781106"), CaseNo: proto.String("8"), OpenedOn: proto.Int32(20211012), ClientCount: proto.Uint32(1), Stage: recordv1.CaseStage_CASE_STAGE_PLANNING.Enum(), Lead: carl.Worker[:]})
	push(carl, evening, count(carl, evening, 20211012, &recordv1.Headcount{FirstTime: proto.Uint32(60), Returning: proto.Uint32(5), Method: recordv1.CountMethod_COUNT_METHOD_ESTIMATED.Enum()}),
		open, refer(carl, open, `=HYPERLINK("http://example.org")`, sent), carl.Make(&recordv1.Referral{Case: open.Record[:]}),
		carl.Make(&recordv1.Referral{Case: open.Record[:], ToOrganisation: proto.String("未去的机构"), Status: recordv1.Status_STATUS_CANCELLED.Enum()}))
	advise := func(form recordv1.SupervisionForm, minutes uint32) *record.Change {
		return supervisor.Make(&recordv1.Supervision{OccurredOn: proto.Int32(20211006), Form: form.Enum(), Supervisor: supervisor.Worker[:], Supervisees: [][]byte{anna.Worker[:]}, Minutes: &minutes})
	}
	push(supervisor, advise(recordv1.SupervisionForm_SUPERVISION_FORM_GROUP, 90), advise(recordv1.SupervisionForm_SUPERVISION_FORM_GROUP, 30), advise(recordv1.SupervisionForm_SUPERVISION_FORM_PEER, 45))
	return d
}

func progressOf(d *servertest.Deployment) *progress.Service {
	return progress.New(progress.Config{Store: d.DB.Deployment(d.ID), SetUp: d.Service.SetUp, Wall: d.Wall})
}

func serviceOf(d *servertest.Deployment) *finalreport.Service {
	return finalreport.New(finalreport.Config{Deployment: d.ID, Store: d.DB.Deployment(d.ID), Progress: progressOf(d)})
}

// signed is the certificate of the totals as they are, as changed by edit.
func signed(t testing.TB, d *servertest.Deployment, edit func(*certificate.Certificate)) []byte {
	t.Helper()
	counted, err := progress.Recount(t.Context(), d.DB.Deployment(d.ID), d.ID)
	if err != nil || !counted.Equal() {
		t.Fatal(counted, err)
	}
	c := &certificate.Certificate{
		Deployment: certificate.Deployment{ID: d.ID, Name: "河南特大暴雨社会工作服务", StartOn: "2021-09-23", EndOn: "2021-12-06", TimeZone: "Asia/Shanghai"},
		Edition:    1,
		Issued:     certificate.Issued{At: time.Date(2021, 12, 8, 9, 30, 0, 0, time.UTC), Name: "周协调"},
		Log:        certificate.Log{Position: counted.Position, Chain: strings.Repeat("ab", 32), Records: counted.Records, Changes: counted.Changes, Erased: counted.Erased},
	}
	for _, line := range counted.Totals {
		c.Totals = append(c.Totals, certificate.Total{Line: certificate.Line{Basis: line.Basis, Figure: line.Figure, By: line.Dimension, Key: line.Key, Name: line.Name}, Value: line.Value})
	}
	edit(c)
	b, err := certificate.Sign(key, c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func asItIs(*certificate.Certificate) {}

// second makes the certificate one of the second edition.
func second(c *certificate.Certificate) {
	line := func(basis, figure, by, key string) certificate.Line {
		return certificate.Line{Basis: basis, Figure: figure, By: by, Key: key}
	}
	c.Edition, c.Previous = 2, &certificate.Previous{Edition: 1, SHA256: strings.Repeat("0f", 32)}
	c.Completeness = certificate.Completeness{Devices: 12, HeardFrom: 11, WithBacklog: 1, Outstanding: 7, Held: 2, Conflicts: 1}
	c.Checks = []certificate.Check{{Check: "unheard", Open: 1, Waived: 1}, {Check: "open_case", Open: 1, Waived: 1}, {Check: "of_a_newer_server"}}
	c.Waivers = []certificate.Waiver{{Check: "unheard", Name: "平板三", Reason: "在洪水中丢失\n已报", By: "周协调", At: c.Issued.At}, {Check: "open_case", Name: secrets[0], Reason: "由镇里跟进", By: "周协调", At: c.Issued.At}}
	c.Addenda = []certificate.Addendum{{Name: "平板三", Received: c.Issued.At, Accepted: 7, Declined: 1, Reasons: []string{"已核对"}}}
	c.Differences = []certificate.Difference{
		{Line: line("reported", "persons", "whole", ""), Before: 90, After: 103}, {Line: line("reported", "persons", "place", "410621108"), Before: 20, After: 43},
		{Line: line("reported", "persons", "place", "410621108202"), After: 3}, {Line: line("reported", "persons", "sex", "female"), Before: 22, After: 23}, {Line: line("reported", "persons", "worker", c.Deployment.ID.String()), After: 3},
	}
}

func made(t testing.TB, d *servertest.Deployment, q finalreport.Query) *finalreport.Report {
	t.Helper()
	r, err := serviceOf(d).Make(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// textsOf are all texts of a report, as they are read.
func textsOf(r *finalreport.Report) []string {
	texts := []string{r.Deployment, r.Title}
	for _, f := range r.Facts {
		texts = append(texts, f.Label, f.Value)
	}
	for _, s := range r.Sections {
		texts = append(texts, s.Title)
		for _, b := range s.Blocks {
			texts = append(append(texts, b.Lead, b.Text, b.Note, b.QR), b.List...)
			if b.Chart != nil {
				texts = append(texts, b.Chart.Title)
			}
			if b.Table == nil {
				continue
			}
			for _, c := range b.Table.Columns {
				texts = append(texts, c.Label)
			}
			for _, row := range b.Table.Rows {
				for _, c := range row.Cells {
					texts = append(texts, c.Text)
				}
			}
		}
	}
	return slices.DeleteFunc(texts, func(s string) bool { return s == "" })
}

// tableOf is a table by its name, with its rows as text.
func tableOf(t testing.TB, r *finalreport.Report, name string) (table *finalreport.Table, rows []string) {
	t.Helper()
	for _, s := range r.Sections {
		for _, b := range s.Blocks {
			if b.Table != nil && b.Table.Name == name {
				table = b.Table
			}
		}
	}
	if table == nil {
		t.Fatalf("there is no table %s", name)
	}
	for _, row := range table.Rows {
		var cells []string
		for _, c := range row.Cells {
			cells = append(cells, c.Text)
		}
		rows = append(rows, strings.Join(cells, " "))
	}
	return table, rows
}

func TestTheSentenceThatIsPublished(t *testing.T) {
	d := closed(t)
	file := signed(t, d, func(c *certificate.Certificate) { // with the published figures
		c.Totals = nil
		for figure, n := range map[string]int64{"cases": 10, "group_sessions": 14, "community_activities": 14, "persons": 4130} {
			c.Totals = append(c.Totals, certificate.Total{Line: certificate.Line{Basis: "reported", Figure: figure, By: "whole"}, Value: n})
		}
	})
	for lang, want := range map[string]string{
		"zh": "累计服务 75 天，开展 10 个个案、14 次小组活动、14 次团体活动，受益人群 4130 人。",
		"en": "In 75 days of service: 10 cases, 14 group sessions, 14 community activities; 4,130 beneficiaries.",
	} {
		if got := made(t, d, finalreport.Query{File: file, Lang: lang}).Sections[0].Blocks[0].Lead; got != want {
			t.Errorf("%s: %s", lang, got)
		}
	}
	if err := d.Service.Add(t.Context(), []syncing.SetUpRecord{{ID: d.ID, Message: &recordv1.Deployment{Labels: []*recordv1.Label{{Key: proto.String("community_activity"), LabelZh: proto.String("社区活动"), LabelEn: proto.String("neighbourhood events")}}}}}); err != nil {
		t.Fatal(err)
	}
	if got := made(t, d, finalreport.Query{File: file, Lang: "zh"}).Sections[0].Blocks[0].Lead; !strings.Contains(got, "14 次社区活动") {
		t.Error(got)
	}
}

func TestTablesOfAReport(t *testing.T) {
	d := closed(t)
	r := made(t, d, finalreport.Query{File: signed(t, d, second), Lang: "zh"})
	for name, want := range map[string][]string{
		"towns":         {"王庄镇 1 0 0 2 0 41 43 0", "上乐村镇 1 0 0 1 0 65 61 0", "合计 2 0 0 3 0 106 104 0"},
		"levels":        {"河南省 2 0 0 3 0 106 104 0", "鹤壁市 1 0 0 2 0 41 43 0", "浚县 1 0 0 2 0 41 43 0", "王庄镇 1 0 0 2 0 41 43 0", "新乡市 1 0 0 1 0 65 61 0", "卫辉市 1 0 0 1 0 65 61 0", "上乐村镇 1 0 0 1 0 65 61 0", "合计 2 0 0 3 0 106 104 0"},
		"villages":      {"王庄镇 410621108201 0 1 0 ※ ※", "王庄镇 410621108202 0 1 0 ※ ※", "合计 0 3 0 106 104"},
		"service_areas": {"心理疏导 2 0 0 3 0 106 104 0", "合计 2 0 0 3 0 106 104 0"},
		"sex":           {"女 23 23", "男 15 15", "不详 68 66", "合计 106 104"},
		"age_band":      {"14–17 20 20", "18–59 ※ ※", "80+ ※ ※", "不详 68 66", "合计 106 104"},
		"stages":        {"计划 1", "评估 1", "合计 2"},
		"outcomes":      {"转介 1", "未结案 1", "合计 2"},
		"referrals":     {"浚县民政局 2 0 2 0 0 0 1", `=HYPERLINK("http://example.org") 1 1 0 0 0 0 0`, "县医院 1 0 1 0 0 0 1", "合计 4 1 3 0 0 0 1"},
		"supervision":   {"团体 2 120", "同辈 1 45", "合计 3 165"},
		"checks":        {"结束后未联系上的平板 1 1", "未结案且未转介的个案 1 1", "of_a_newer_server 0 0"},
		"waivers":       {"结束后未联系上的平板 平板三 1 在洪水中丢失 已报 周协调 2021年12月8日 17:30", "未结案且未转介的个案  1 由镇里跟进 周协调 2021年12月8日 17:30"},
		"addenda":       {"平板三 2021年12月8日 17:30 7 1 已核对"},
		"differences":   {"已上报 合计 合计 人数 90 103 13", "已上报 地点 王庄镇 人数 20 43 23"},
	} {
		if _, got := tableOf(t, r, name); !slices.Equal(got, want) {
			t.Errorf("%s:\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	_, weeks := tableOf(t, r, "weeks")
	if len(weeks) != 13 || weeks[0] != "9月23日至9月26日 0 0 0 0 0 0 0" || weeks[2] != "10月4日至10月10日 1 0 0 2 0 41 43" || weeks[3] != "10月11日至10月17日 1 0 0 1 0 65 61" || !strings.HasPrefix(weeks[11], "12月6日至12月6日 ") {
		t.Errorf("weeks:\n%s", strings.Join(weeks, "\n"))
	}
	if levels, _ := tableOf(t, r, "levels"); levels.Rows[3].Depth != 3 {
		t.Error("a town is not within its county")
	}
	if all := strings.Join(textsOf(r), "\n"); !strings.Contains(all, "王庄镇：1 个个案、0 次小组活动、2 次团体活动，服务 43 人、41 人次。") || !strings.Contains(all, "人数 104 人中，按数目计 104 人，其中来自估算 60 人。") ||
		!strings.Contains(all, "共督导 3 次，合计 2 小时 45 分。") || !strings.Contains(all, "12 台平板中 11 台在行动结束后有联系；1 台有未上传的记录，已知共 7 条更改。") {
		t.Error(all)
	}
}

func TestChartsHaveTheNumbersOfTheirTables(t *testing.T) {
	d := closed(t)
	r := made(t, d, finalreport.Query{File: signed(t, d, asItIs), Lang: "en"})
	got := map[string]string{}
	for _, s := range r.Sections {
		for _, b := range s.Blocks {
			if b.Chart != nil {
				got[b.Chart.Title] = fmt.Sprint(b.Chart.Columns, b.Chart.Rows)
			}
		}
	}
	for title, want := range map[string]string{
		"By town · persons": "[persons] [{王庄镇  [43]} {上乐村镇  [61]}]", "By age · persons": "[persons] [{14–17  [20]} {unknown  [66]}]", "Cases by outcome · cases": "[cases] [{referred  [1]} {still open  [1]}]",
	} {
		if got[title] != want {
			t.Errorf("%s: %s, want %s", title, got[title], want)
		}
	}
	if towns := r.Sections[1].Blocks[0].List; !slices.Equal(towns, []string{"王庄镇: 1 case, 0 group sessions, 2 community activities; 43 persons, 41 contacts.", "上乐村镇: 1 case, 0 group sessions, 1 community activity; 61 persons, 65 contacts."}) {
		t.Error(towns)
	}
}

// What is signed and what is counted from records is told apart, also when the records have moved on.
func TestCasesThatCameAfterTheCertificate(t *testing.T) {
	d := closed(t)
	file := signed(t, d, asItIs)
	anna := d.Enrol("anna")
	anna.Push(anna.Make(&recordv1.Case{CaseNo: proto.String("9"), OpenedOn: proto.Int32(20211011), OccurredOn: proto.Int32(20211011), ClientCount: proto.Uint32(1), Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(), Lead: anna.Worker[:]}))
	r := made(t, d, finalreport.Query{File: file, Lang: "zh"})
	if _, figures := tableOf(t, r, "figures"); figures[0] != "个案 2 0" {
		t.Error(figures)
	}
	if all := strings.Join(textsOf(r), "\n"); !strings.Contains(all, "以上按现有记录统计，共 3 个；数据确认书为 2 个。") {
		t.Error(all)
	}
}

func TestSectionsAreLeftOut(t *testing.T) {
	d := closed(t)
	file := signed(t, d, second)
	all := []string{"foreword", "summary", "towns", "levels", "weeks", "service_areas", "people", "casework", "referrals", "supervision", "method", "completeness", "waivers", "editions", "certificate"}
	names := func(q finalreport.Query) (names []string) {
		q.File = file
		for _, s := range made(t, d, q).Sections {
			names = append(names, s.Name)
		}
		return names
	}
	if got := names(finalreport.Query{Foreword: "感谢。\n\n 大家"}); !slices.Equal(got, all) {
		t.Error(got)
	}
	var choices []string
	for _, c := range finalreport.Sections() {
		if c.Label.Zh == "" || c.Label.En == "" {
			t.Errorf("%s is called nothing", c.Name)
		}
		choices = append(choices, c.Name)
		if got := names(finalreport.Query{LeftOut: []string{c.Name}}); slices.Contains(got, c.Name) || len(got) != len(all)-2 {
			t.Errorf("without %s there are %v", c.Name, got)
		}
	}
	if !slices.Equal(choices, all[2:14]) {
		t.Error(choices)
	}
	if got := names(finalreport.Query{Foreword: " \n", LeftOut: append(choices, "summary", "certificate", "of a newer server")}); !slices.Equal(got, []string{"summary", "certificate"}) {
		t.Error(got)
	}
}

func TestNobodyIsTold(t *testing.T) {
	d := closed(t)
	for _, lang := range []string{"zh", "en"} {
		r := made(t, d, finalreport.Query{File: signed(t, d, second), Lang: lang})
		all := strings.Join(textsOf(r), "\n")
		for _, secret := range secrets {
			if strings.Contains(all, secret) {
				t.Errorf("%s: %s is told", lang, secret)
			}
		}
		if word := wordstest.Untellable(all); word != "" {
			t.Errorf("%s: people are not told of %q", lang, word)
		}
		for _, s := range r.Sections {
			for _, b := range s.Blocks {
				if b.Table == nil || b.Table.Name == "" || b.Table.Title == "" {
					continue
				}
				for _, row := range b.Table.Rows {
					if len(row.Cells) != len(b.Table.Columns) {
						t.Errorf("%s: %s has a row of %d cells", lang, b.Table.Name, len(row.Cells))
					}
				}
			}
		}
	}
}

func TestOnlyTheCertificateOfTheDeploymentIsTaken(t *testing.T) {
	d := closed(t)
	other := signed(t, d, func(c *certificate.Certificate) { c.Deployment.ID = hlc.ID{9} })
	if _, err := serviceOf(d).Make(t.Context(), finalreport.Query{File: other}); !errors.Is(err, problem.New(problem.NotFound)) {
		t.Errorf("of another deployment: %v", err)
	}
	changed := bytes.Replace(signed(t, d, asItIs), []byte(`"value":104`), []byte(`"value":105`), 1)
	var fault *certificate.Fault
	if _, err := serviceOf(d).Make(t.Context(), finalreport.Query{File: changed}); !errors.As(err, &fault) || fault.Code != certificate.LineChanged {
		t.Errorf("changed: %v", err)
	}
	r := made(t, d, finalreport.Query{File: signed(t, d, asItIs), Lang: "zh"})
	says := fmt.Sprint(textsOf(r))
	for _, want := range []string{certificate.Hash(signed(t, d, asItIs)), certificate.Fingerprint(key.Public().(ed25519.PublicKey)), "这是第1版", "没有说明后放行的事项"} {
		if !strings.Contains(says, want) {
			t.Errorf("%s is not told", want)
		}
	}
}
