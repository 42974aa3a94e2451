package e2e

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/xuri/excelize/v2"
	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// fullDesk is a server whose pages all have something to show, and the browser of the coordinator.
type fullDesk struct {
	*browser
	*full
	// home is the server's first page, and deployment that of the deployment.
	home, deployment string
}

// newFullDesk fills a deployment: from tablets, and by the coordinator's own hands.
func newFullDesk(t *testing.T, b *browser) *fullDesk {
	t.Helper()
	d := &fullDesk{browser: b, full: newFull(t)}
	me, mate, lead := d.opened("李娜"), d.opened("王芳"), d.opened("赵敏")
	d.leadsCases(me)
	d.worksForAWeek(me)
	d.logsTwice(me, mate)
	d.looksAfter(me, lead)
	deployment := must(me.Deployment(t.Context()))(t).ID
	for _, s := range []*clientlib.Store{me, mate, lead} {
		d.must(s.Close())
	}
	d.signsUp(deployment)
	d.coordinates()
	d.keepsWorkbook()
	return d
}

// leadsCases: she leads two cases, one of which has waited for long.
func (d *fullDesk) leadsCases(me *clientlib.Store) {
	d.t.Helper()
	ctx := d.t.Context()
	d.must(me.Update(ctx, d.file, &recordv1.Case{OpenedOn: proto.Int32(int32(today()))}))
	d.logged(me.LogCase(ctx, &recordv1.Case{
		CaseNo: proto.String("WZ-2021-009"), ClientType: recordv1.ClientType_CLIENT_TYPE_FAMILY.Enum(), ClientCount: proto.Uint32(4), Stage: recordv1.CaseStage_CASE_STAGE_ASSESSMENT.Enum(),
		ServiceArea: recordv1.ServiceArea_SERVICE_AREA_PSYCHOLOGICAL_SUPPORT.Enum(), OpenedOn: proto.Int32(int32(today().AddDays(-15))), NextDueOn: proto.Int32(int32(today().AddDays(-4))),
	}))
	syncNow(d.full.t, me)
}

// worksForAWeek logs something for each of the last days, so that what is drawn by day has a shape.
func (d *fullDesk) worksForAWeek(me *clientlib.Store) {
	d.t.Helper()
	ctx := d.t.Context()
	for n := range 6 {
		day := proto.Int32(int32(today().AddDays(-1 - 2*n)))
		talk := d.logged(me.LogCommunityActivity(ctx, &recordv1.CommunityActivity{
			Name: proto.String(fmt.Sprintf("健康讲座第%d场", n+1)), Form: recordv1.ActivityForm_ACTIVITY_FORM_TALK.Enum(), Minutes: proto.Uint32(90), RegisterUsed: proto.Bool(false), OccurredOn: day,
			ServiceArea: recordv1.ServiceArea_SERVICE_AREA_PSYCHOLOGICAL_SUPPORT.Enum(),
		}))
		count := &recordv1.Headcount{Activity: talk, Zone: proto.String("全场"), Method: recordv1.CountMethod_COUNT_METHOD_COUNTED.Enum(), OccurredOn: day}
		for _, sex := range []recordv1.Sex{recordv1.Sex_SEX_MALE, recordv1.Sex_SEX_FEMALE} {
			for band := range uint32(5) {
				count.Cells = append(count.Cells, &recordv1.HeadcountCell{Sex: sex.Enum(), AgeBand: proto.Uint32(band + 1), FirstTime: proto.Uint32(uint32(n)*uint32(sex) + 3*band)})
			}
		}
		d.logged(me.Count(ctx, count))
	}
	syncNow(d.full.t, me)
}

// logsTwice: two colleagues log one activity, and neither knows of the other's record.
func (d *fullDesk) logsTwice(one, other *clientlib.Store) {
	d.t.Helper()
	for minutes, s := range map[uint32]*clientlib.Store{60: one, 75: other} {
		d.logged(s.LogCommunityActivity(d.t.Context(), &recordv1.CommunityActivity{
			Name: proto.String("消毒防疫宣传"), Form: recordv1.ActivityForm_ACTIVITY_FORM_TALK.Enum(), Minutes: &minutes, RegisterUsed: proto.Bool(false),
			ServiceArea: recordv1.ServiceArea_SERVICE_AREA_RESOURCE_LINKING.Enum(),
		}))
	}
	syncNow(d.full.t, one)
	syncNow(d.full.t, other)
}

// looksAfter is what the supervisor does: she approves, sees to an alert, and holds a session with the team.
func (d *fullDesk) looksAfter(me, lead *clientlib.Store) {
	d.t.Helper()
	ctx := d.t.Context()
	alert := d.logged(me.LogRiskAlert(ctx, &recordv1.RiskAlert{
		Subject: d.file[:], Type: recordv1.RiskType_RISK_TYPE_MISSING.Enum(), Level: recordv1.RiskLevel_RISK_LEVEL_ORANGE.Enum(), Done: proto.String("已在村里找到，平安。"),
		SeenAt: proto.Int64(time.Now().Add(-3 * time.Hour).UnixMilli()),
	}))
	syncNow(d.full.t, me)
	syncNow(d.full.t, lead)
	self, team := []byte(nil), [][]byte(nil)
	for _, w := range must(lead.Workers(ctx))(d.full.t) {
		switch w.Message.GetName() {
		case "赵敏":
			self = w.ID[:]
		case "李娜", "王芳":
			team = append(team, w.ID[:])
		}
	}
	d.must(lead.Update(ctx, hlc.ID(alert), &recordv1.RiskAlert{AcknowledgedBy: self, AcknowledgedAt: proto.Int64(time.Now().UnixMilli())}))
	d.logged(lead.LogReview(ctx, &recordv1.Review{Target: d.talk[:], Outcome: recordv1.ReviewOutcome_REVIEW_OUTCOME_APPROVED.Enum()}))
	session := d.logged(lead.LogSupervision(ctx, &recordv1.Supervision{
		Form: recordv1.SupervisionForm_SUPERVISION_FORM_GROUP.Enum(), Mode: recordv1.SupervisionMode_SUPERVISION_MODE_ON_SITE.Enum(), Minutes: proto.Uint32(90), Supervisor: self, Supervisees: team,
		Functions: []recordv1.SupervisionFunction{recordv1.SupervisionFunction_SUPERVISION_FUNCTION_SUPPORTIVE}, Tasks: proto.String("WZ-2021-014 每两天去看一次\n联系镇卫生院，问药送到哪里"),
	}))
	d.logged(lead.LogSupervisionNote(ctx, &recordv1.SupervisionNote{Supervision: session, Advice: proto.String("先听，不急着劝。记录里写清楚下一步和时间。")}))
	syncNow(d.full.t, lead)
}

// signsUp makes the first account of the server, which takes the coordinator's part in the deployment, and one for the supervisor.
func (d *fullDesk) signsUp(deployment hlc.ID) {
	d.t.Helper()
	d.firstAccount(d.server)
	d.home = d.at().ResolveReference(&url.URL{Path: "/"}).String()
	d.deployment = d.home + "deployments/" + deployment.String()
	d.open(d.deployment+"/people").follow(d.either("Invite to the web", "邀请登录网页"), "周协调")
	d.open(eval[string](d.browser, `document.querySelector('.secret').textContent`)).follow(d.either("Accept the invitation", "接受邀请")).sees("演练")

	d.open(d.deployment+"/people").follow(d.either("Invite to the web", "邀请登录网页"), "赵敏")
	link := eval[string](d.browser, `document.querySelector('.secret').textContent`)
	d.follow(d.either("Sign out", "退出登录")).open(link).fill(d.either("Name", "姓名"), "赵敏").fill(d.either("Login", "用户名"), "zhaomin")
	d.fill(d.either("New password", "新密码"), "correct horse battery").fill(d.either("The new password once more", "再输入一次新密码"), "correct horse battery")
	d.follow(d.either("Make the account", "建立账号")).follow(d.either("Sign out", "退出登录"))
	d.fill(d.either("Login", "用户名"), "zhou").fill(d.either("Password", "密码"), "correct horse battery").follow(d.either("Sign in", "登录")).sees("演练")
}

// coordinates sets the deployment up further: since when, where on the map, what is expected, and who is called at night. Another one
// counts the same people.
func (d *fullDesk) coordinates() {
	d.t.Helper()
	save, saved := d.either("Save", "保存"), d.either("Saved", "已保存")
	d.open(d.deployment+"/set-up/deployment").fill(d.either("First day", "开始日期"), today().AddDays(-20).String()).follow(save).sees(saved)
	d.imports("sites", "name,place code,latitude,longitude\n王庄镇,410621108,35.716,114.430\n小河镇,410621105,35.601,114.412\n上乐村镇,410781106,35.560,114.180\n")
	d.follow(d.either("Import", "导入"), d.either("Nothing is changed yet", "目前尚未作任何修改")).sees(d.either("Imported", "已导入"))
	for _, worker := range []string{d.either("赵敏, supervisor", "赵敏、督导"), d.either("周协调, coordinator", "周协调、协调员")} {
		d.open(d.deployment+"/set-up/duty").fill(d.either("Add to the end of the list", "添加到名单末尾"), worker).follow(d.either("Add", "添加"))
	}
	first := d.either("Target 1", "目标 1")
	d.open(d.deployment+"/set-up/targets").fill(d.either("At least", "至少"), "3", first)
	d.fill(d.either("Of what", "指标"), d.either("community activities", "团体活动"), first).follow(save).sees(saved)
	d.open(d.deployment+"/set-up/areas").fill(d.either("In Chinese", "中文"), "儿童陪伴", d.either("Own area 1", "自定领域 1"))
	d.fill(d.either("In English", "英文"), "time with children", d.either("Own area 1", "自定领域 1")).follow(save).sees(saved)
	d.open(d.home+"deployments/new").fill(d.either("Name of the deployment", "行动名称"), "淇县驻点").fill(d.either("First day", "开始日期"), today().String())
	d.fill(d.either("Counts the same people as", "与哪个行动统计同一批人"), "演练").follow(d.either("Make the deployment", "建立行动")).sees("周协调")
}

// imports sends a file with sites, teams or workers, and leads to what it comes to.
func (d *fullDesk) imports(sort, rows string) *browser {
	d.t.Helper()
	d.open(d.deployment + "/set-up/import")
	eval[chromedp.Void](d.browser, fmt.Sprintf(`void (document.querySelector('input[name=sort][value=%s]').checked = true)`, sort))
	d.attaches(sort+".csv", []byte(rows))
	return d.follow(d.either("Show the preview", "预览"))
}

// importsRecords sends a file with records of a kind, and leads to what it comes to.
func (d *fullDesk) importsRecords(kind, rows string) *browser {
	d.t.Helper()
	d.open(d.deployment + "/import")
	d.attaches(kind+".csv", []byte(rows))
	return d.follow(d.either("Show the preview", "预览"))
}

// attaches chooses a file for the form of the page.
func (d *fullDesk) attaches(name string, content []byte) {
	d.t.Helper()
	eval[chromedp.Void](d.browser, fmt.Sprintf(`(() => {
		const files = new DataTransfer()
		files.items.add(new File([Uint8Array.from(atob(%q), c => c.charCodeAt(0))], %q))
		document.querySelector('input[type=file]').files = files.files
	})()`, base64.StdEncoding.EncodeToString(content), name))
}

// keepsWorkbook sends a bureau's Excel file, and says what two of its cells get.
func (d *fullDesk) keepsWorkbook() {
	d.t.Helper()
	f := excelize.NewFile()
	d.must(f.SetCellFormula("Sheet1", "B4", "B2+B3"))
	var file bytes.Buffer
	d.must(f.Write(&file))
	d.open(d.deployment+"/reports/workbooks/new").fill(d.either("Name", "名称"), "民政局日报")
	d.attaches("daily.xlsx", file.Bytes())
	d.follow(d.either("Send", "上传")).sees(d.either("The file is kept", "文件已保存"))
	for n, figure := range []string{d.either("In the period: contacts", "本期：人次"), d.either("To date: persons", "累计：人数")} {
		cell := d.either(fmt.Sprint("Cell ", n+1), fmt.Sprintf("第 %d 格", n+1))
		d.fill(d.either("Cell", "单元格"), fmt.Sprint("B", n+2), cell).fill(d.either("Gets", "填入"), figure, cell)
	}
	d.follow(d.either("Save", "保存")).sees(d.either("2 cells named", "已指定 2 格"))
}
