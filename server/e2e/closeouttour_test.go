package e2e

import (
	"net/http"

	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	recordv1 "levee/syncproto/levee/record/v1"
)

// closesOut announces the close-out, waives what is open, closes the deployment, and decides on what a tablet brings too late.
func (d *fullDesk) closesOut(do func(name string)) {
	d.t.Helper()
	late := d.opened("李娜")
	d.logsLate(late)
	d.open(d.deployment+"/closeout/days").fill(d.either("Last day", "结束日期"), today().AddDays(-1).String()).fill(d.either("Personal data is erased from", "个人信息清除日期"), today().AddDays(180).String())
	d.follow(d.either("Announce", "公布")).sees(d.either("closing", "收队中"))
	do("closeout-closing")
	d.open(d.deployment + "/teams")
	do("notice-closing")
	d.open(d.deployment + "/closeout/reopening")
	do("closeout-reopening")
	d.waivesAll(do)
	do("closeout-waived")
	d.follow(d.either("Close the deployment", "正式收队")).sees(d.either("what the certificate will say", "数据确认书将写明"))
	do("closeout-sure")
	d.follow(d.either("Close it and sign the certificate", "收队并签发数据确认书")).sees(d.either("edition 1 of the certificate stands", "以第 1 版数据确认书为准"))
	do("closeout-closed")
	d.open(d.deployment + "/closeout/days")
	do("closeout-erasure-day")
	d.open(d.deployment + "/closeout/certificates/1")
	do("closeout-edition")
	d.answered(`location.pathname + '/file'`)
	syncNow(d.full.t, late)
	d.open(d.deployment + "/closeout").follow(d.either("Look at the addenda", "查看补报"))
	do("closeout-addenda")
	d.follow(d.either("Decide on all of this tablet", "处理这台平板的全部补报"))
	do("closeout-addenda-preview")
	d.tap(d.either("Accept: they count", "采用，计入统计")).fill(d.either("Reason", "理由"), "平板迟到").follow(d.either("Decide", "确定")).sees(d.either("No addendum waits", "没有待决定的补报"))
	d.follow(d.either("Issue the next edition", "签发下一版")).sees(d.either("edition 2 of the certificate stands", "以第 2 版数据确认书为准"))
	d.open(d.deployment + "/closeout/certificates/2")
	do("closeout-edition-2")
	d.open(d.deployment)
	do("overview-closed")
	d.takesPapers(do)
	d.ends(do)
}

// takesPapers looks at the closing report and takes what can be taken of a closed deployment.
func (d *fullDesk) takesPapers(do func(name string)) {
	d.t.Helper()
	d.open(d.deployment + "/closeout/report/2").sees(d.either("By town", "各乡镇"))
	do("closeout-report")
	for _, part := range []string{"/pdf", "/xlsx", "/charts/0", "/charts/0?narrow=1"} {
		d.answered("location.pathname + '" + part + "'")
	}
	d.open(d.deployment + "/closeout/hand-over")
	do("closeout-hand-over")
	d.follow(d.either("Seal and download", "加密并下载"))
	d.refused(do, "closeout-hand-over")
	d.open(d.deployment + "/closeout").follow(d.either("Make the archive", "生成行动档案")).sees(d.either("kept here until", "在此保留至"))
	do("closeout-archive")
	d.answered(`document.querySelector('main a[href*="/archive/file"]').href`)
}

// answered reports what a file of the server, by an expression for its address, is not answered with.
func (d *fullDesk) answered(at string) {
	d.t.Helper()
	if status := eval[int](d.browser, `fetch(`+at+`).then(r => r.status)`); status != http.StatusOK {
		d.t.Errorf("%s is answered with %d", at, status)
	}
}

// ends erases the personal data of the deployment before its day.
func (d *fullDesk) ends(do func(name string)) {
	d.t.Helper()
	d.open(d.deployment + "/closeout/erasure")
	do("closeout-erasure")
	d.follow(d.either("Erase all personal data", "清除全部个人信息"))
	d.refused(do, "closeout-erasure")
	name := eval[string](d.browser, `document.getElementById('field-name_again-hint').textContent.split(/[:：]/).pop().trim()`)
	d.fill(d.either("Name of the deployment", "行动名称"), name).follow(d.either("Erase all personal data", "清除全部个人信息")).sees(d.either("The deployment is archived: personal data is erased.", "行动已归档，个人信息已清除"))
	do("closeout-archived")
	d.open(d.deployment)
	do("overview-archived")
}

// logsLate logs what is sent only after the deployment was closed.
func (d *fullDesk) logsLate(s *clientlib.Store) {
	d.t.Helper()
	day := proto.Int32(int32(today().AddDays(-1)))
	talk := d.logged(s.LogCommunityActivity(d.t.Context(), &recordv1.CommunityActivity{
		Name: proto.String("电影放映"), Form: recordv1.ActivityForm_ACTIVITY_FORM_CULTURE.Enum(), Minutes: proto.Uint32(100), RegisterUsed: proto.Bool(false), OccurredOn: day,
		ServiceArea: recordv1.ServiceArea_SERVICE_AREA_CULTURAL_REBUILDING.Enum(),
	}))
	d.logged(s.Count(d.t.Context(), &recordv1.Headcount{Activity: talk, Zone: proto.String("全场"), Method: recordv1.CountMethod_COUNT_METHOD_COUNTED.Enum(), OccurredOn: day, FirstTime: proto.Uint32(64)}))
}

// waivesAll waives whatever stands in the way: one item by itself, and then check by check.
func (d *fullDesk) waivesAll(do func(name string)) {
	d.t.Helper()
	const waivers = `Array.from(document.querySelectorAll('main a[href*="/waiver"]'), a => a.href)`
	d.open(d.deployment + "/closeout")
	if form := eval[string](d.browser, `document.querySelector('main a[href*="/closeout/referrals/"]')?.href ?? ''`); form != "" {
		d.open(form).sees(d.either("Receipt", "回执"))
		do("closeout-referral")
		d.open(d.deployment + "/closeout")
	}
	d.open(eval[string](d.browser, waivers+`.find(a => a.includes('/items/'))`))
	do("closeout-waive")
	d.follow(d.either("Waive", "放行"))
	d.refused(do, "closeout-waive")
	for {
		d.fill(d.either("Reason", "理由"), "已电话核对，当地站点会跟进").follow(d.either("Waive", "放行")).sees(d.either("Waived.", "已放行"))
		next := eval[string](d.browser, waivers+`.find(a => !a.includes('/items/')) ?? ''`)
		if next == "" {
			return
		}
		d.open(next)
		do("closeout-waive-all")
	}
}
