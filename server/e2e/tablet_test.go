package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// tablets are how workers hold it: one screen in each language.
var tablets = []struct {
	on       screen
	language string
}{{phone, "zh-CN"}, {laptop, "en"}}

// The day of 李娜, far from any network, on a tablet whose battery dies twice: in the middle of a form, and in the middle of a count. All
// that she was shown is there again, and in the evening the server has each thing once.
func TestAVolunteersDay(t *testing.T) {
	for _, in := range tablets {
		t.Run(in.on.name+" "+in.language, func(t *testing.T) {
			d := &day{t: t, browser: openBrowser(t, in.on, in.language), station: newStation(t)}
			d.tablet = d.station.tablet()
			d.enrol(d.browser, d.tablet)
			d.shut()
			d.follow(d.either("Today", "今天"))

			d.worksOnACase()
			d.leadsAGroup()
			d.countsHeads()
			d.sendsItHome()
		})
	}
}

// day is a worker's, with her tablet.
type day struct {
	t *testing.T
	*browser
	*station
	tablet *opened
	// heads are those that she has counted.
	heads int64
}

// saves saves a form.
func (d *day) saves() {
	d.t.Helper()
	d.follow(d.either("Save", "保存")).sees(d.either("Saved on this tablet", "已保存在本机"))
}

// dies ends the program at once; it is started again, and she signs in.
func (d *day) dies() {
	d.t.Helper()
	d.tablet.kill()
	d.tablet = d.station.tablet()
	d.signIn(d.browser, d.tablet).sees(d.either("Forms not finished", "未填完的表"))
}

func (d *day) worksOnACase() {
	d.t.Helper()
	d.follow(d.either("Cases", "个案")).follow(d.either("New case", "新个案"))
	d.fill(d.either("Case number", "个案编号"), "WZ-2021-001").tap(d.either("individual", "个人")).tap(d.either("psychological support", "心理疏导"))
	d.saves()
	d.sees("WZ-2021-001").follow(d.either("Log a session", "记服务"))
	d.tap(d.either("home visit", "入户")).fill(d.either("Minutes", "时长（分钟）"), "45").fill(d.either("What happened", "过程"), "睡不好，谈了水灾那夜。")
	d.saves()
	d.sees("WZ-2021-001", "45", "睡不好，谈了水灾那夜。")
}

// leadsAGroup logs a group and a session of it. The battery dies when the session's form is half filled in.
func (d *day) leadsAGroup() {
	d.t.Helper()
	d.follow(d.either("Log", "记录")).follow(d.either("Group", "小组"))
	d.fill(d.either("Name", "名称"), "河边奶奶").tap(d.either("support", "支持")).tap(d.either("cultural rebuilding", "文化重建"))
	d.saves()
	d.sees("河边奶奶").follow(d.either("Add: group session", "添加小组活动"))
	d.fill(d.either("Theme", "主题"), "一起做馍").fill(d.either("Minutes", "时长（分钟）"), "90").sent("/kept", "minutes", "90").sees(d.either("Kept at", "已暂存"))
	d.dies()

	d.follow(d.either("Group session", "小组活动"), d.either("Forms not finished", "未填完的表"))
	for label, typed := range map[string]string{d.either("Theme", "主题"): "一起做馍", d.either("Minutes", "时长（分钟）"): "90"} {
		if kept := d.value(label); kept != typed {
			d.t.Errorf("%q was kept of %s, %q was typed", kept, label, typed)
		}
	}
	d.sees("河边奶奶").fill(d.either("Session number", "第几节"), "1")
	d.saves()
}

// countsHeads logs a community activity and counts 37 heads at it, as fast as she can tap. The battery dies between a tap and its answer:
// that head may be counted or not, as the tablet shows then; all that it had shown before are.
func (d *day) countsHeads() {
	d.t.Helper()
	d.follow(d.either("Today", "今天")).follow(d.either("Community activity", "团体活动"))
	d.fill(d.either("Name", "名称"), "广场义诊").fill(d.either("Minutes", "时长（分钟）"), "120").tap(d.either("cultural rebuilding", "文化重建"))
	d.tap(d.either("no", "否"), d.either("Register used", "使用签到表"))
	d.saves()
	d.follow(d.either("Count heads", "清点人数"))

	first, again := d.either("first-time", "首次"), d.either("returning", "再次")
	women, girls, unknown := d.either("female, 60–79 ", "女、60–79 "), d.either("female, 6–13 ", "女、6–13 "), d.either("unknown, unknown age ", "不详、年龄不详 ")
	d.tap(first)
	d.counts(women, 13)
	d.tap(d.either("Undo", "撤销"))
	d.shows(12)
	d.tap(again)
	d.counts(girls, 8)
	d.counts(unknown, 1)
	d.taps(girls, 2)
	d.dies()

	d.follow(d.either("Headcount", "计数"), d.either("Forms not finished", "未填完的表"))
	d.until("the count to go on", func(context.Context, *chromedp.Target) error {
		if d.heads = d.shown(); d.heads < 21 || d.heads > 23 {
			return fmt.Errorf("it shows %d heads", d.heads)
		}
		return nil
	})
	d.tap(again)
	d.counts(girls, int(26-d.heads))
	d.tap(first)
	d.counts(women, 11)
	if d.heads != 37 {
		d.t.Fatalf("she has counted %d heads", d.heads)
	}
	d.follow(d.either("Done", "完成")).sees(d.either("The count is saved", "清点已保存"), d.either("37 people", "37 人"))
}

// counts taps a cell, one tap right after the other, until the pad shows them all.
func (d *day) counts(cell string, heads int) {
	d.t.Helper()
	d.taps(cell, heads)
	d.shows(d.heads + int64(heads))
}

// taps taps a cell without waiting for any answer in between.
func (d *day) taps(cell string, times int) {
	d.t.Helper()
	at := d.hit(cell, nil, chromedp.Do)
	ctx, cancel := d.within()
	defer cancel()
	for range times - 1 {
		if err := chromedp.Do(ctx, d.press(at)); err != nil {
			d.t.Fatal(err)
		}
	}
}

// shows waits until the pad shows a number of heads.
func (d *day) shows(heads int64) {
	d.t.Helper()
	d.until(fmt.Sprintf("the pad to show %d heads", heads), func(context.Context, *chromedp.Target) error {
		if n := d.shown(); n != heads {
			return fmt.Errorf("it shows %d", n)
		}
		return nil
	})
	d.heads = heads
}

// shown is how many heads the pad shows.
func (d *day) shown() int64 {
	d.t.Helper()
	return eval[int64](d.browser, `Number(document.querySelector('#total strong').textContent)`)
}

// sendsItHome finds a network in the evening. What she sees of it is true at every step: on this tablet only, sent, safe.
func (d *day) sendsItHome() {
	d.t.Helper()
	d.follow(d.either("More", "更多")).follow(d.either("Sync", "同步")).sees(d.either("on this tablet only", "条仅在本机"))
	d.backups = backupsLater
	d.serve()
	d.follow(d.either("Sync now", "立即同步")).sees(d.either("sent", "条已发送"), d.either("It is safe once the server's next backup holds it too", "等它完成下一次备份"))
	if d.says(d.either("All safe", "全部已安全保存")) {
		d.t.Error("it says that all is safe before the server has a backup of it")
	}
	d.serverHasIt()

	d.shut()
	d.backups = backupsAtOnce
	d.serve()
	d.until("all to be safe", func(context.Context, *chromedp.Target) error {
		if d.says(d.either("All safe", "全部已安全保存")) {
			return nil
		}
		if d.says(d.either("Sync now", "立即同步")) {
			d.follow(d.either("Sync now", "立即同步"))
		}
		return errors.New("it is not")
	})
	d.serverHasIt()
}

// says reports whether the page says something at this moment.
func (d *day) says(text string) bool {
	d.t.Helper()
	return strings.Contains(eval[string](d.browser, `document.body.innerText`), text)
}

// serverHasIt compares the server's totals with what she did.
func (d *day) serverHasIt() {
	d.t.Helper()
	const (
		client    = 1 // of the case, and there at its session
		firstTime = 12 + 11
		again     = 37 - firstTime
	)
	want := map[string]int64{
		"cases": 1, "case_sessions": 1, "group_sessions": 1, "community_activities": 1,
		"contacts": firstTime + again + client, "persons": firstTime + client, "beneficiaries": firstTime + client, "persons_by_number": firstTime + client,
	}
	got := d.totals("reported")
	maps.DeleteFunc(got, func(_ string, n int64) bool { return n == 0 })
	if !maps.Equal(got, want) {
		d.t.Errorf("the server counts %v, she did %v", got, want)
	}
}

// Whoever can't touch the screen logs a visit with the keyboard alone. It goes to the server by itself as soon as there is a network.
func TestAVisitByKeyboardGoesOutByItself(t *testing.T) {
	b, s := openBrowser(t, laptop, "en"), newStation(t)
	s.enrol(b, s.tablet())
	s.shut()
	b.follow("Today").tabTo("Outreach").keys(kb.Enter).sees("Households")
	b.tabTo("home").keys(" ").tabTo("Households").keys("12").tabTo("psychological support").keys(" ").tabTo("Save").keys(kb.Enter).sees("Saved on this tablet", "12")
	s.serve()
	b.until("the server to count the visit", func(context.Context, *chromedp.Target) error {
		if rounds := s.totals("reported")["outreach_rounds"]; rounds != 1 {
			return fmt.Errorf("it counts %d rounds", rounds)
		}
		return nil
	})
}

// keys strikes keys.
func (b *browser) keys(keys string) *browser {
	b.t.Helper()
	ctx, cancel := b.within()
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.KeyEvent(keys)); err != nil {
		b.t.Fatal(err)
	}
	return b
}

// tabTo goes on with the Tab key until something with a name has the focus, in full sight. Of several choices one of which is to be made,
// Tab reaches one; the arrows would go on, and choose.
func (b *browser) tabTo(name string) *browser {
	b.t.Helper()
	for range 100 {
		b.keys(kb.Tab)
		at := eval[struct {
			Name string
			Seen bool
		}](b, focused)
		if !strings.HasPrefix(at.Name, name) {
			continue
		}
		if !at.Seen {
			b.t.Errorf("%s: %q has the focus, and is out of sight", b.at(), name)
		}
		return b
	}
	b.t.Fatalf("the Tab key does not lead to %q\n%s", name, b.here())
	return b
}

// focused is the name of what has the focus, and whether it lies open to the eye.
const focused = `(() => {
	const at = document.activeElement, box = at.getBoundingClientRect()
	const label = at.labels?.[0] ?? at
	const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)
	return {Name: label.innerText.trim(), Seen: !!top && (at.contains(top) || label.contains(top) || top.contains(at))}
})()`
