package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// office is a station whose supervisor, 赵敏, sits at her desk.
type office struct {
	*station
	// desk is her browser: signed in, and in English.
	desk *browser
	// home is the address of the deployment's first page.
	home string
	// reported and verified are the figures as they were when they were looked at last.
	reported, verified map[string]int64
}

// newOffice starts a station. Its coordinator makes an account for himself, and invites the supervisor to the web.
func newOffice(t *testing.T) *office {
	t.Helper()
	desk := openBrowser(t, laptop, "en")
	o := &office{station: newStation(t), desk: desk}
	desk.open(setUpPattern.FindString(o.server.said)).makesAccount("周协调", "zhou").follow("演练")
	o.home = desk.at().String()
	desk.open(desk.invitation(o.home, "周协调")).follow("Accept the invitation")
	link := desk.invitation(o.home, "赵敏")
	desk.follow("Sign out").open(link).makesAccount("赵敏", "zhao").follow("演练")
	return o
}

// makesAccount fills in the form of somebody who gets an account, which signs them in.
func (b *browser) makesAccount(name, login string) *browser {
	b.t.Helper()
	const password = "correct horse battery"
	b.fill(b.either("Name", "姓名"), name).fill(b.either("Login", "用户名"), login)
	b.fill(b.either("New password", "新密码"), password).fill(b.either("The new password once more", "再输入一次新密码"), password)
	return b.follow(b.either("Make the account", "建立账号"))
}

// invitation is the link with which a worker of a deployment, whose first page is home, gets to the web.
func (b *browser) invitation(home, worker string) string {
	b.t.Helper()
	b.open(home+"/people").follow(b.either("Invite to the web", "邀请登录网页"), worker)
	return eval[string](b, `document.querySelector('code').textContent`)
}

// looks opens Overview, whose figures must be the server's totals.
func (o *office) looks() {
	o.t.Helper()
	o.desk.open(o.home)
	reported, verified := o.figures()
	for name, figures := range map[string][2]map[string]int64{"reported": {reported, o.totals("reported")}, "verified": {verified, o.totals("verified")}} {
		maps.DeleteFunc(figures[0], func(name string, _ int64) bool { return name == "service_days" })
		if !maps.Equal(figures[0], figures[1]) {
			o.t.Errorf("Overview shows %s %v, the server counts %v", name, figures[0], figures[1])
		}
	}
	o.reported, o.verified = reported, verified
}

// figures are those of Overview, which is open, by their names in addresses.
func (o *office) figures() (reported, verified map[string]int64) {
	o.t.Helper()
	shown := eval[map[string][2]int64](o.desk, figuresShown)
	reported, verified = map[string]int64{}, map[string]int64{}
	for name, n := range shown {
		reported[name], verified[name] = n[0], n[1]
	}
	return reported, verified
}

// figuresShown are the figures of Overview: what was reported, and what of it is verified.
const figuresShown = `Object.fromEntries(Array.from(document.querySelectorAll('#figures li'), figure => {
	const [reported, verified] = Array.from(figure.querySelectorAll('.figure'), e => Number(e.textContent.replace(/\D/g, '')))
	return [new URL(figure.querySelector('h2 a').href).pathname.split('/').at(-1), [reported, verified ?? 0]]
}))`

// shows waits until Overview, which is open, shows a figure by itself.
func (o *office) shows(figure string, n int64) {
	o.t.Helper()
	o.desk.until(fmt.Sprintf("Overview to show %d %s", n, figure), func(context.Context, *chromedp.Target) error {
		if reported, _ := o.figures(); reported[figure] != n {
			return fmt.Errorf("it shows %d", reported[figure])
		}
		return nil
	})
}

// A volunteer's activity arrives on the supervisor's page while she looks at it. Something is missing: she returns it, the volunteer reads
// on the tablet what it is, and mends it. Nothing that was reported is lost on the way, and in the end all of it is verified.
func TestASupervisorsDay(t *testing.T) {
	o := newOffice(t)
	v := &day{t: t, browser: openBrowser(t, phone, "zh-CN"), station: o.station}
	v.tablet = o.tablet()
	v.enrol(v.browser, v.tablet)
	o.looks()
	o.desk.listens()

	v.follow("今天").follow("团体活动").fill("名称", "广场义诊").fill("时长（分钟）", "12").tap("文化重建").tap("否", "使用签到表")
	v.saves()
	activity := v.at()
	v.follow("清点人数")
	fastest, heads := time.Hour, int64(0)
	for i, gate := range []string{"东门", "西门", "南门"} {
		if i > 0 {
			v.open(activity.String()).follow("清点人数").follow("清点另一个区域")
		}
		v.countsAt(gate, 4+i)
		heads += int64(4 + i)
		v.syncs()
		synced := time.Now()
		o.shows("contacts", heads)
		fastest = min(fastest, time.Since(synced)) // the machine may be busy with something else once
	}
	o.desk.live("what a tablet has sent", fastest)
	o.shows("community_activities", 1)
	o.looks()

	const comment = "做了 12 分钟还是 120 分钟？北门的人数没有报。"
	o.desk.follow("Review").follow("community activity 广场义诊").tap("Return it").tap("missing").fill("Comment", comment)
	o.desk.follow("Return to the worker").sees("Returned. The worker sees it at the tablet's next sync.")
	o.reviewed()

	v.syncs()
	v.inbox("广场义诊", "赵敏", "原因：缺项", comment)
	v.follow("修改").fill("时长（分钟）", "120")
	v.saves()
	v.open(activity.String()).follow("清点人数").follow("清点另一个区域")
	v.countsAt("北门", 5)
	v.syncs()
	o.desk.open(o.home).listens()
	o.shows("contacts", heads+5)
	o.neverFell()

	o.desk.follow("Review").follow("community activity 广场义诊").sees("returned, and changed since", comment, "120").follow("Approve").sees("Approved.")
	o.reviewed()
	if n := o.verified["community_activities"]; n != 1 {
		t.Errorf("of one activity that was approved, %d are verified", n)
	}
	o.desk.follow("Review").follow("All on this page").sees("4 records", "What would be verified").follow("Approve them").sees("What was approved")
	o.reviewed()
	if !maps.Equal(o.reported, o.verified) || o.verified["contacts"] != heads+5 {
		t.Errorf("all was approved: reported %v, verified %v", o.reported, o.verified)
	}

	v.syncs()
	v.inbox("没有等您处理的事")
}

// neverFell looks at Overview. No figure may be less than it was.
func (o *office) neverFell() {
	o.t.Helper()
	reported, verified := o.reported, o.verified
	o.looks()
	for name, was := range reported {
		if o.reported[name] < was {
			o.t.Errorf("reported %s fell from %d to %d", name, was, o.reported[name])
		}
	}
	for name, was := range verified {
		if o.verified[name] < was {
			o.t.Errorf("verified %s fell from %d to %d", name, was, o.verified[name])
		}
	}
}

// reviewed looks at Overview after a review: nothing that is reported may have moved.
func (o *office) reviewed() {
	o.t.Helper()
	reported := o.reported
	o.neverFell()
	if !maps.Equal(o.reported, reported) {
		o.t.Errorf("a review changed what is reported from %v to %v", reported, o.reported)
	}
}

// countsAt counts heads in a zone, on the pad that is open.
func (d *day) countsAt(zone string, heads int) {
	d.t.Helper()
	d.heads = 0
	d.fill("负责区域", zone).tap("首次")
	d.counts("女、60–79 ", heads)
	d.follow("完成").sees("清点已保存", zone)
}

// syncs syncs by hand, and returns once nothing is on the tablet alone. The tablet may have begun by itself: then there is nothing to tap,
// or what is tapped has moved away, and is looked for again.
func (d *day) syncs() {
	d.t.Helper()
	d.follow("更多").follow("同步")
	begun := false
	d.until("the tablet to have sent all", func(ctx context.Context, at *chromedp.Target) error {
		shown, err := chromedp.Evaluate[string](`document.getElementById('state').innerText`)(ctx, at)
		if err != nil || begun && (strings.Contains(shown, "条已发送") || strings.Contains(shown, "全部已安全保存")) {
			return err
		}
		button, err := find(ctx, at, tapped, "立即同步")
		if err != nil {
			return err
		}
		place, err := aim(ctx, at, button)
		if err != nil {
			return err
		}
		begun = true
		_, err = d.aimed(place)(ctx, at)
		return errors.Join(errors.New("it has not"), err)
	})
}

// inbox waits until the inbox has some texts.
func (d *day) inbox(texts ...string) {
	d.t.Helper()
	d.until(fmt.Sprintf("the inbox to show %q", texts), func(context.Context, *chromedp.Target) error {
		d.follow("收件箱") // anew: what a sync brings is not shown by itself
		for _, text := range texts {
			if !d.says(text) {
				return fmt.Errorf("there is no %q", text)
			}
		}
		return nil
	})
}

// enrolled is the tablet of a worker, somewhere else.
func (s *station) enrolled(worker, code string) *clientlib.Store {
	s.t.Helper()
	tablet := openTablet(s.t, s.path(worker+".db"), nil)
	s.must(tablet.Enrol(s.t.Context(), code))
	syncNow(s.t, tablet)
	return tablet
}

// Two colleagues have written differently about one visit. The supervisor keeps what one of them wrote, and where both are wrong writes what
// is right. Both tablets have that after their next sync.
func TestAConflictIsSettledForBoth(t *testing.T) {
	o := newOffice(t)
	lina, wangfang := o.enrolled("李娜", o.code), o.enrolled("王芳", o.colleagues["王芳"])
	visit, err := lina.LogOutreach(t.Context(), &recordv1.Outreach{Mode: recordv1.OutreachMode_OUTREACH_MODE_HOME.Enum(), Households: proto.Uint32(7),
		ServiceArea: recordv1.ServiceArea_SERVICE_AREA_RESOURCE_LINKING.Enum(), Needs: proto.String("药")})
	o.must(err)
	syncNow(t, lina)
	syncNow(t, wangfang)
	o.must(lina.Update(t.Context(), visit, &recordv1.Outreach{Households: proto.Uint32(9), Needs: proto.String("冬被 9 床")}))
	o.must(wangfang.Update(t.Context(), visit, &recordv1.Outreach{Households: proto.Uint32(11), Needs: proto.String("冬被 11 床")}))
	syncNow(t, lina)
	syncNow(t, wangfang)
	sides := must(wangfang.Conflicts(t.Context()))(t)[0].Sides

	o.desk.open(o.home).sees("Filled in differently: 2.").open(o.home+"/conflicts").follow("outreach", "households")
	o.sides("9", "11", "7", sides)
	o.desk.tap("9 — 李娜").follow("Settle").sees("Settled.")
	o.desk.follow("outreach", "needs")
	o.sides("冬被 9 床", "冬被 11 床", "药", sides)
	o.desk.tap("Another value, written below").fill("Another value", "冬被 10 床").follow("Settle").sees("Settled.", "Nothing is filled in differently.")
	o.desk.open(o.home).sees("Filled in differently: 0.")

	for worker, tablet := range map[string]*clientlib.Store{"李娜": lina, "王芳": wangfang} {
		syncNow(t, tablet)
		has := must(tablet.Record(t.Context(), visit))(t).Message.(*recordv1.Outreach)
		if has.GetHouseholds() != 9 || has.GetNeeds() != "冬被 10 床" {
			t.Errorf("the tablet of %s has %v", worker, has)
		}
		if open := must(tablet.Conflicts(t.Context()))(t); len(open) > 0 {
			t.Errorf("the tablet of %s still asks what is right: %v", worker, open)
		}
	}
	o.desk.open(o.home+"/records/"+visit.String()).sees("冬被 10 床", "赵敏")
}

// sides compares the two values of the conflict that is shown with what 李娜 and 王芳 wrote, one after the other, and had seen before.
func (o *office) sides(first, second, seen string, written []clientlib.ConflictSide) {
	o.t.Helper()
	when := func(side clientlib.ConflictSide) string {
		return side.Set.In(time.FixedZone("CST", 8*3600)).Format("2 Jan 2006 15:04")
	}
	shown := eval[[][]string](o.desk, `Array.from(document.querySelectorAll('.beside .card'), side => Array.from(side.querySelectorAll('h2, dd'), e => e.textContent))`)
	if want := [][]string{{first, "李娜", when(written[0]), seen}, {second, "王芳", when(written[1]), seen}}; !reflect.DeepEqual(shown, want) {
		o.t.Errorf("shown: %q, want %q", shown, want)
	}
}

// market logs a market, and the heads that were counted in one zone of it.
func market(t *testing.T, s *clientlib.Store, zone string, heads uint32) {
	t.Helper()
	area := recordv1.ServiceArea_SERVICE_AREA_CULTURAL_REBUILDING.Enum()
	held, err := s.LogCommunityActivity(t.Context(), &recordv1.CommunityActivity{Name: proto.String("集市"), Minutes: proto.Uint32(120), RegisterUsed: proto.Bool(false), ServiceArea: area})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Count(t.Context(), &recordv1.Headcount{Activity: held[:], Zone: &zone, Method: recordv1.CountMethod_COUNT_METHOD_COUNTED.Enum(), FirstTime: &heads}); err != nil {
		t.Fatal(err)
	}
}

// Two colleagues have logged one activity, neither knowing of the other, and the heads that each counted. The supervisor is shown both, and says
// that they are one: it counts once, everywhere, with the heads of both. Two visits are two, and she is not asked again.
func TestTwoRecordsOfOneActivity(t *testing.T) {
	o := newOffice(t)
	lina, wangfang := o.enrolled("李娜", o.code), o.enrolled("王芳", o.colleagues["王芳"])
	market(t, lina, "东街", 30)
	market(t, wangfang, "西街", 28)
	visit(t, lina, 12)
	visit(t, wangfang, 9)
	syncNow(t, lina)
	syncNow(t, wangfang)
	o.counts(map[string]int64{"community_activities": 2, "contacts": 58, "outreach_rounds": 2})

	o.desk.open(o.home + "/duplicates").listens()
	o.asked("community activity", "outreach")
	o.desk.follow("community activity").sees("Logged first", "Logged later", "集市").tap("One thing: the one logged first counts").follow("Settle").sees("Settled.")
	o.desk.follow("outreach").sees("12", "9", "differs").tap("Two different things").fill("Reason", "上午一轮，下午一轮").follow("Settle").sees("Settled.", "No likely duplicates.")
	o.counts(map[string]int64{"community_activities": 1, "contacts": 58, "outreach_rounds": 2})
	(&operator{t: t, dir: o.dir, lang: "en"}).want(0, `"equal":true`, "recount", "--json", "--db", "server.db")

	syncNow(t, lina)
	syncNow(t, wangfang)
	for worker, tablet := range map[string]*clientlib.Store{"李娜": lina, "王芳": wangfang} {
		totals := must(tablet.Totals(t.Context(), 0))(t)
		for figure, want := range map[tally.Figure]int64{tally.CommunityActivities: 1, tally.Contacts: 58, tally.OutreachRounds: 2} {
			if n := totals.Value(tally.Cell{Basis: tally.Reported, Figure: figure, Cut: tally.Everything()}); n != want {
				t.Errorf("the tablet of %s counts %d %v, want %d", worker, n, figure, want)
			}
		}
	}

	// What was said stays so when one of the two is changed. Another pair is found after that, so nothing was overlooked.
	for _, r := range must(wangfang.List(t.Context(), clientlib.Query{Kinds: []record.Kind{recordv1.Kind_KIND_OUTREACH}, Limit: 10}))(t).Records {
		if r.Message.(*recordv1.Outreach).GetHouseholds() == 9 {
			o.must(wangfang.Update(t.Context(), r.ID, &recordv1.Outreach{Needs: proto.String("冬被")}))
		}
	}
	for _, tablet := range []*clientlib.Store{lina, wangfang} {
		_, err := tablet.LogCase(t.Context(), &recordv1.Case{CaseNo: proto.String("WZ-2021-014"), ClientCount: proto.Uint32(1), ServiceArea: recordv1.ServiceArea_SERVICE_AREA_PSYCHOLOGICAL_SUPPORT.Enum()})
		o.must(err)
	}
	syncNow(t, lina)
	syncNow(t, wangfang)
	o.desk.open(o.home + "/duplicates").listens()
	o.asked("case")
}

// counts looks at Overview, where some figures must be reported.
func (o *office) counts(want map[string]int64) {
	o.t.Helper()
	o.looks()
	for figure, n := range want {
		if o.reported[figure] != n {
			o.t.Errorf("%d %s are reported, want %d", o.reported[figure], figure, n)
		}
	}
}

// asked waits until the page of likely duplicates, which is open, asks about pairs of these kinds, and of no others.
func (o *office) asked(kinds ...string) {
	o.t.Helper()
	o.desk.until(fmt.Sprintf("to be asked about %q", kinds), func(context.Context, *chromedp.Target) error {
		shown := eval[[]string](o.desk, `Array.from(document.querySelectorAll('#waiting th[scope=row]'), e => e.textContent)`)
		if slices.Sort(shown); !slices.Equal(shown, kinds) {
			return fmt.Errorf("it asks about %q", shown)
		}
		return nil
	})
}

// From a figure it is two taps to the records behind it. Each field of a record says who set it and on which tablet, and leads to all that the
// tablet sent with it.
func TestAFigureLeadsToTheTablet(t *testing.T) {
	o := newOffice(t)
	tablet := o.enrolled("李娜", o.code)
	market(t, tablet, "全场", 37)
	syncNow(t, tablet)

	o.desk.open(o.home).follow("contacts", "How it is counted").follow("37", "reported").sees("The records behind it")
	o.desk.follow("headcount").sees("What it says", "37", "全场", "History")
	o.desk.follow("from tablet", "made").sees("How it came", "李娜", "一队")
	sent := eval[[]string](o.desk, `Array.from(document.querySelectorAll('#main tbody tr'), row => row.cells[0].textContent.trim())`)
	if want := []string{"community activity", "headcount this one"}; !slices.Equal(sent, want) {
		t.Errorf("the tablet sent %q, want %q", sent, want)
	}
}
