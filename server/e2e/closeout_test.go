package e2e

import (
	"encoding/base64"
	"os"
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	"levee/server"
	recordv1 "levee/syncproto/levee/record/v1"
)

// A coordinator closes the deployment in an afternoon, in Chinese: she announces it, sees what is still open, waives that with a reason,
// and signs. 王芳's tablet was in a valley without a network; what it brings afterwards she accepts, and signs the second edition.
func TestAnAfternoonOfClosingOut(t *testing.T) {
	s, desk := newStation(t), openBrowser(t, laptop, "zh-CN")
	desk.open(setUpPattern.FindString(s.server.said)).makesAccount("周协调", "zhou").follow("演练")
	home := desk.at().String()
	desk.open(desk.invitation(home, "周协调")).follow("接受邀请")

	lina, wangfang := s.enrolled("李娜", s.code), s.enrolled("王芳", s.colleagues["王芳"])
	mental := recordv1.ServiceArea_SERVICE_AREA_PSYCHOLOGICAL_SUPPORT.Enum()
	begun := proto.Int32(int32(today().AddDays(-3)))
	_, err := lina.LogCase(t.Context(), &recordv1.Case{CaseNo: proto.String("WZ-1"), OpenedOn: begun, ClientCount: proto.Uint32(1), Stage: recordv1.CaseStage_CASE_STAGE_INTERVENTION.Enum(), ServiceArea: mental})
	s.must(err)
	visit, err := lina.LogOutreach(t.Context(), &recordv1.Outreach{Mode: recordv1.OutreachMode_OUTREACH_MODE_HOME.Enum(), Households: proto.Uint32(7), ServiceArea: mental})
	s.must(err)
	syncNow(t, lina)
	syncNow(t, wangfang)
	s.must(lina.Update(t.Context(), visit, &recordv1.Outreach{Households: proto.Uint32(9)}))
	s.must(wangfang.Update(t.Context(), visit, &recordv1.Outreach{Households: proto.Uint32(11)}))
	syncNow(t, lina)
	syncNow(t, wangfang)
	// Without a network from here on.
	film, err := wangfang.LogCommunityActivity(t.Context(), &recordv1.CommunityActivity{Name: proto.String("电影放映"), Minutes: proto.Uint32(100), RegisterUsed: proto.Bool(false), ServiceArea: mental})
	s.must(err)
	_, err = wangfang.Count(t.Context(), &recordv1.Headcount{Activity: film[:], Zone: proto.String("全场"), Method: recordv1.CountMethod_COUNT_METHOD_COUNTED.Enum(), FirstTime: proto.Uint32(64)})
	s.must(err)

	desk.open(home).follow("收队").follow("公布收队")
	desk.fill("结束日期", today().String()).fill("个人信息清除日期", today().AddDays(180).String()).follow("公布")
	desk.sees("收队中", "未结案且未转介的个案", "WZ-1", "李娜", "两处填写不一致", "缺知情同意", "未审核")
	if eval[bool](desk, `Array.from(document.querySelectorAll('a.button'), a => a.textContent).includes('正式收队')`) {
		t.Error("it can be closed although something is open")
	}
	waivesAll(desk, home)
	desk.open(home+"/closeout").follow("正式收队").sees("数据确认书将写明", "个案", "电话核对")
	desk.follow("收队并签发数据确认书").sees("以第 1 版数据确认书为准")

	first := certificateFile(desk, home, "1")
	desk.sees("周协调", "电话核对")
	syncNow(t, lina)
	if st := must(lina.Status(t.Context()))(t); st.State != recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSED || st.Edition != 1 {
		t.Errorf("the tablet of 李娜 has heard of %v, edition %d", st.State, st.Edition)
	}

	before := s.totals("reported")
	syncNow(t, wangfang)
	if got := s.totals("reported"); got["contacts"] != before["contacts"] {
		t.Errorf("an addendum moved the contacts from %d to %d", before["contacts"], got["contacts"])
	}
	desk.open(home+"/closeout").follow("查看补报").sees("王芳", "团体活动").follow("处理这台平板的全部补报")
	desk.tap("采用，计入统计").fill("理由", "山里没有信号").follow("确定").sees("没有待决定的补报")
	desk.follow("签发下一版").sees("以第 2 版数据确认书为准")
	certificateFile(desk, home, "2")
	desk.sees("与上一版的差异", "山里没有信号", "64")
	if got := s.totals("reported"); got["contacts"] != before["contacts"]+64 {
		t.Errorf("accepted, it moved the contacts from %d to %d", before["contacts"], got["contacts"])
	}
	again, err := server.VerifyFile(t.Context(), first, "")
	if err != nil || !again.OK {
		t.Errorf("the first edition afterwards: %+v, %v", again, err)
	}
	desk.open(home+"/closeout/report/2").sees("累计服务", "各乡镇", "山里没有信号")
	if begins := string(fetched(desk, `location.pathname + '/pdf'`)[:5]); begins != "%PDF-" {
		t.Errorf("the report begins with %q", begins)
	}
	syncNow(t, wangfang)
	if st := must(wangfang.Status(t.Context()))(t); st.Addendum != (clientlib.Addendum{Accepted: 2}) || st.Edition != 2 {
		t.Errorf("the tablet of 王芳 knows of addenda %+v, edition %d", st.Addendum, st.Edition)
	}
	desk.open(home+"/closeout").follow("清除个人信息").sees("还没有到").fill("行动名称", "演练").follow("清除全部个人信息").sees("行动已归档，个人信息已清除")
	desk.follow("生成行动档案").sees("在此保留至")
	archive := t.TempDir() + "/archive.levee"
	if err := os.WriteFile(archive, fetched(desk, `document.querySelector('main a[href*="/archive/file"]').href`), 0o600); err != nil {
		t.Fatal(err)
	}
	if found, err := server.VerifyFile(t.Context(), archive, ""); err != nil || !found.OK {
		t.Errorf("the archive: %+v, %v", found, err)
	}
}

// waivesAll waives whatever stands in the way, check by check.
func waivesAll(b *browser, home string) {
	b.t.Helper()
	for {
		b.open(home + "/closeout")
		next := eval[string](b, `Array.from(document.querySelectorAll('main a[href*="/waiver"]'), a => a.href).find(a => !a.includes('/items/')) ?? ''`)
		if next == "" {
			return
		}
		b.open(next).fill("理由", "已电话核对，当地站点会跟进").follow("放行").sees("已放行")
	}
}

// certificateFile opens the page of an edition and takes its file, which must verify. It returns its path.
func certificateFile(b *browser, home, edition string) string {
	b.t.Helper()
	b.open(home+"/closeout/certificates/"+edition).sees("第 "+edition+" 版", "下载文件")
	path := b.t.TempDir() + "/certificate.json"
	if err := os.WriteFile(path, fetched(b, `location.pathname + '/file'`), 0o600); err != nil {
		b.t.Fatal(err)
	}
	verified, err := server.VerifyFile(b.t.Context(), path, "")
	if err != nil || !verified.OK {
		b.t.Fatalf("edition %s: %+v, %v", edition, verified, err)
	}
	return path
}

// fetched is a file of the server, by an expression for its address.
func fetched(b *browser, at string) []byte {
	b.t.Helper()
	encoded := eval[string](b, `fetch(`+at+`).then(r => r.arrayBuffer()).then(a => btoa(Array.from(new Uint8Array(a), c => String.fromCharCode(c)).join('')))`)
	file, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(file) < 5 {
		b.t.Fatalf("%d bytes, %v", len(file), err)
	}
	return file
}
