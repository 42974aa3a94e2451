package demo_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server"
	"levee/server/demo"
	"levee/server/internal/progress"
	"levee/server/internal/store/sqlite"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/oracle"
	"levee/syncproto/record"
)

// replayed are the records that a demo left, as they are and as messages.
type replayed struct {
	plain    []oracle.Record
	messages map[hlc.ID]record.Common
	deleted  map[hlc.ID]bool
	// counted are naive counts: it takes its time, so each is made once.
	counted map[string]map[oracle.Cell]int64
}

func readReplayed(t *testing.T, path string) replayed {
	t.Helper()
	db, err := sqlite.OpenToRead(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	ids, err := db.Deployments(t.Context())
	if err != nil || len(ids) != 1 {
		t.Fatal(ids, err)
	}
	all := replayed{messages: map[hlc.ID]record.Common{}, deleted: map[hlc.ID]bool{}, counted: map[string]map[oracle.Cell]int64{}}
	err = db.Deployment(ids[0]).Look(t.Context(), func(tx progress.Reading) error {
		return tx.EachRecord(func(r syncing.Record) error {
			registers, err := record.DecodeState(r.State)
			if err != nil {
				return err
			}
			m := record.New(r.Kind)
			all.plain = append(all.plain, oracle.Record{ID: r.ID, Kind: r.Kind, Registers: registers})
			all.messages[r.ID], all.deleted[r.ID] = m, registers.Deleted()
			return proto.Unmarshal(registers.Fields(), m)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// The figures of the texts below are counted by code that shares nothing with what is tested: package oracle counts naively, and
// who worked and what was asked for is read off the records.
func TestTheDailyReportIsRightToTheFigure(t *testing.T) {
	dir := t.TempDir()
	replay(t, demo.Options{Network: "good", Dir: dir})
	path := filepath.Join(dir, demo.ServerDB)
	all := readReplayed(t, path)
	end := record.Date(20211206).Start(time.FixedZone("", 8*60*60)).Add(23 * time.Hour)
	busiest := map[int]bool{}
	for n := 3; n < 75; n += 14 {
		day := record.Date(20210923).AddDays(n)
		r, err := server.Report(context.Background(), path, server.ReportOptions{Period: "day", Date: day.String(), Wall: func() time.Time { return end }})
		if err != nil {
			t.Fatal(err)
		}
		for lang, want := range map[string]string{"zh_CN.UTF-8": all.chinese(day, n+1), "en": all.english(day, n+1)} {
			var b strings.Builder
			if err := r.Print(&b, lang); err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(b.String(), "\n")
			if len(lines) < 5 || len(lines) > 9 {
				t.Errorf("%v has %d lines", day, len(lines)-1)
			}
			busiest[len(lines)] = true
			if got := strings.Join(lines[:len(lines)-2], "\n"); got != want { // the last line tells of tablets
				t.Errorf("%v:\n%s\nwant\n%s", day, got, want)
			}
		}
	}
	if len(busiest) < 3 {
		t.Error("all days look alike")
	}
}

// count counts what was done in a town, or anywhere without one, up to a day, or ever without one.
func (a replayed) count(town string, until record.Date) map[oracle.Cell]int64 {
	key := town + until.String()
	if a.counted[key] == nil {
		kept := slices.DeleteFunc(slices.Clone(a.plain), func(r oracle.Record) bool {
			return town != "" && a.messages[r.ID].GetPlace().GetCode() != town
		})
		a.counted[key] = oracle.Tally(kept, until)
	}
	return a.counted[key]
}

// on is a figure of a day, until that of all days up to it.
func (a replayed) on(figure string, day record.Date, town string) int64 {
	return a.count(town, 0)[oracle.Cell{Basis: "reported", Figure: figure, Dimension: "day", Key: day.String()}]
}

func (a replayed) until(figure string, day record.Date) int64 {
	return a.count("", day)[oracle.Cell{Basis: "reported", Figure: figure, Dimension: "whole"}]
}

var kinds = []string{"cases", "case_sessions", "group_sessions", "community_activities", "outreach_rounds"}

// each is a part for each kind of which there is any.
func each(n func(figure string) int64, parts [][2]string) (all []string) {
	for i, figure := range kinds {
		form := parts[i][1]
		if n(figure) == 1 {
			form = parts[i][0]
		}
		if n(figure) > 0 {
			all = append(all, fmt.Sprintf(form, n(figure)))
		}
	}
	return all
}

// thousands is a number with its thousands apart; those of a demo are below a million.
func thousands(n int64) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}

var townsByCode = [][2]string{{"410621105", "小河镇"}, {"410621108", "王庄镇"}, {"410781106", "上乐村镇"}}

// towns are what to say of each town in which people were served, fewer than five left out; nothing when that divides nothing.
func (a replayed) towns(day record.Date, form, few, comma, semicolon string) string {
	type town struct {
		name              string
		contacts, persons int64
	}
	var served []town
	for _, one := range townsByCode {
		if c, p := a.on("contacts", day, one[0]), a.on("persons", day, one[0]); c > 0 || p > 0 {
			served = append(served, town{one[1], c, p})
		}
	}
	small := 0
	for _, one := range served {
		if min(one.contacts, one.persons) < 5 {
			small++
		}
	}
	if len(served) < 2 || small == len(served) || small == 1 && len(served) == 2 {
		return ""
	}
	var parts, left []string
	least := slices.MinFunc(slices.DeleteFunc(slices.Clone(served), func(one town) bool { return min(one.contacts, one.persons) < 5 }), func(x, y town) int { return int(min(x.contacts, x.persons) - min(y.contacts, y.persons)) })
	for _, one := range served {
		if min(one.contacts, one.persons) < 5 || small == 1 && one == least {
			left = append(left, one.name)
		} else {
			parts = append(parts, fmt.Sprintf(form, one.name, thousands(one.contacts), thousands(one.persons)))
		}
	}
	if len(left) > 0 {
		parts = append(parts, fmt.Sprintf(few, strings.Join(left, comma)))
	}
	return strings.Join(parts, semicolon)
}

// worked is how many workers of each type have a record of the day that counts.
func (a replayed) worked(day record.Date) map[recordv1.WorkerType]int {
	workers := map[hlc.ID]bool{}
	for id, m := range a.messages {
		if a.deleted[id] || record.Date(m.GetOccurredOn()) != day {
			continue
		}
		who, held := m.GetAuthor(), m.GetStatus() == recordv1.Status_STATUS_HELD && len(m.GetDuplicateOf()) == 0
		switch m := m.(type) {
		case *recordv1.CaseSession, *recordv1.GroupSession, *recordv1.CommunityActivity, *recordv1.Outreach:
		case *recordv1.Headcount:
			who, held = m.GetCounter(), !a.deleted[hlc.ID(m.GetActivity())]
		case *recordv1.Attendance:
			held = true
		default:
			held = false
		}
		if held {
			for _, b := range append([][]byte{who}, m.GetCoWorkers()...) {
				workers[hlc.ID(b)] = true
			}
		}
	}
	counts := map[recordv1.WorkerType]int{}
	for id := range workers {
		counts[a.messages[id].(*recordv1.Worker).GetType()]++
	}
	return counts
}

// asked is how many goods were asked for on a day.
func (a replayed) asked(day record.Date) (n int) {
	for id, m := range a.messages {
		if l, ok := m.(*recordv1.ResourceLink); ok && !a.deleted[id] && record.Date(l.GetOccurredOn()) == day && l.GetType() == recordv1.ResourceType_RESOURCE_TYPE_GOODS {
			n++
		}
	}
	return n
}

func (a replayed) chinese(day record.Date, nth int) string {
	month, date := int(day/100%100), int(day%100)
	forms := [][2]string{{"新开个案%d个", "新开个案%d个"}, {"个案服务%d次", "个案服务%d次"}, {"小组活动%d节", "小组活动%d节"}, {"团体活动%d场", "团体活动%d场"}, {"走访%d次", "走访%d次"}}
	today := strings.Join(each(func(f string) int64 { return a.on(f, day, "") }, forms), "，")
	forms[0] = [2]string{"个案%d个", "个案%d个"}
	ever := strings.Join(each(func(f string) int64 { return a.until(f, day) }, forms), "，")
	if c, p := a.on("contacts", day, ""), a.on("persons", day, ""); c > 0 || p > 0 {
		if today != "" {
			today += "；"
		}
		today += fmt.Sprintf("服务%s人次、%s人", thousands(c), thousands(p))
		if fresh := a.until("persons", day) - a.until("persons", day.AddDays(-1)); fresh > 0 {
			today += fmt.Sprintf("（其中新增%s人）", thousands(fresh))
		}
	}
	if today == "" {
		today = "无服务记录"
	}
	if ever != "" {
		ever += "；"
	}
	lines := []string{fmt.Sprintf("【日报】%d月%d日 河南特大暴雨社会工作服务", month, date), "当日：" + today + "。",
		fmt.Sprintf("累计（截至%d月%d日，第%d天）：%s服务%s人次、%s人。", month, date, nth, ever, thousands(a.until("contacts", day)), thousands(a.until("persons", day)))}
	if towns := a.towns(day, "%s%s人次、%s人", "%s人数较少，不单列", "、", "；"); towns != "" {
		lines = append(lines, "分镇："+towns+"。")
	}
	var staff []string
	for _, of := range []struct {
		worker recordv1.WorkerType
		name   string
	}{{recordv1.WorkerType_WORKER_TYPE_SOCIAL_WORKER, "社会工作者"}, {recordv1.WorkerType_WORKER_TYPE_COUNSELLOR, "心理咨询师"}, {recordv1.WorkerType_WORKER_TYPE_VOLUNTEER, "志愿者"}} {
		if n := a.worked(day)[of.worker]; n > 0 {
			staff = append(staff, fmt.Sprintf("%s%d人、%d人天", of.name, n, n))
		}
	}
	if len(staff) > 0 {
		lines = append(lines, "出勤："+strings.Join(staff, "；")+"。")
	}
	if n := a.asked(day); n > 0 {
		lines = append(lines, fmt.Sprintf("物资：登记%d项。", n))
	}
	return strings.Join(append(lines, "目前在办个案0个；风险上报0起，未确认0起。"), "\n")
}

func (a replayed) english(day record.Date, nth int) string {
	date := day.Start(time.UTC).Format("2 Jan")
	forms := [][2]string{{"%d case newly opened", "%d cases newly opened"}, {"%d case session", "%d case sessions"}, {"%d group session", "%d group sessions"}, {"%d community activity", "%d community activities"}, {"%d outreach round", "%d outreach rounds"}}
	today := strings.Join(each(func(f string) int64 { return a.on(f, day, "") }, forms), ", ")
	forms[0] = [2]string{"%d case", "%d cases"}
	ever := strings.Join(each(func(f string) int64 { return a.until(f, day) }, forms), ", ")
	s := func(n int64, word string) string {
		if n != 1 {
			word += "s"
		}
		return thousands(n) + " " + word
	}
	if c, p := a.on("contacts", day, ""), a.on("persons", day, ""); c > 0 || p > 0 {
		if today != "" {
			today += "; "
		}
		today += s(c, "contact") + ", " + s(p, "person")
		if fresh := a.until("persons", day) - a.until("persons", day.AddDays(-1)); fresh > 0 {
			today += fmt.Sprintf(" (%s of them new)", thousands(fresh))
		}
	}
	if today == "" {
		today = "nothing was logged"
	}
	if ever != "" {
		ever += "; "
	}
	lines := []string{fmt.Sprintf("[Daily report] %s · 河南特大暴雨社会工作服务", date), "On the day: " + today + ".",
		fmt.Sprintf("To date (%s, day %d): %s%s, %s.", date, nth, ever, s(a.until("contacts", day), "contact"), s(a.until("persons", day), "person"))}
	if towns := a.towns(day, "%s %s contacts, %s persons", "%s not told apart, where there were few", ", ", "; "); towns != "" {
		lines = append(lines, "By town: "+towns+".")
	}
	var staff []string
	for _, of := range []struct {
		worker recordv1.WorkerType
		name   string
	}{{recordv1.WorkerType_WORKER_TYPE_SOCIAL_WORKER, "social worker"}, {recordv1.WorkerType_WORKER_TYPE_COUNSELLOR, "counsellor"}, {recordv1.WorkerType_WORKER_TYPE_VOLUNTEER, "volunteer"}} {
		if n := a.worked(day)[of.worker]; n > 0 {
			staff = append(staff, fmt.Sprintf("%s: %d, %s", of.name, n, s(int64(n), "day")))
		}
	}
	if len(staff) > 0 {
		lines = append(lines, "Staff: "+strings.Join(staff, "; ")+".")
	}
	if n := a.asked(day); n > 0 {
		lines = append(lines, "Goods: asked for "+s(int64(n), "item")+".")
	}
	return strings.Join(append(lines, "Now open: 0 cases; risk alerts sent: 0, not acknowledged: 0."), "\n")
}
