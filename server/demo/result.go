package demo

import (
	"fmt"
	"io"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// Result is how a replay ended: the totals as the server's JSON API gives them, and what the syncs cost.
type Result struct {
	Published
	Sites       int    `json:"sites"`
	Devices     int    `json:"devices"`
	Outstanding int64  `json:"outstanding"`
	Network     string `json:"network"`
	Seed        uint64 `json:"seed"`
	// Requests and bytes are those of all syncs, without the enrolments; bytes with headers.
	Requests  int   `json:"requests"`
	BytesUp   int64 `json:"bytes_up"`
	BytesDown int64 `json:"bytes_down"`
	// Faults is how many requests the network lost, cut, repeated or delayed.
	Faults int `json:"faults"`
	// Changes is how many the tablets logged and the server took.
	Changes   int64 `json:"changes"`
	Held      int64 `json:"held"`
	Conflicts int64 `json:"conflicts"`
	Contacts  int64 `json:"contacts"`

	BySite        []SiteTotals `json:"by_site"`
	ByServiceArea []AreaTotals `json:"by_service_area"`
	Reference     Published    `json:"published"`
	// Division says that the division of the totals is made up.
	Division string `json:"division"`
	*ClosedOut
}

// SiteTotals are the totals of one site.
type SiteTotals struct {
	Code string `json:"code"`
	Name string `json:"name"`
	Divided
}

// AreaTotals are the totals of one service area.
type AreaTotals struct {
	Area string `json:"area"`
	Divided
}

// Divided are the figures that are divided.
type Divided struct {
	Cases               int64 `json:"cases"`
	GroupSessions       int64 `json:"group_sessions"`
	CommunityActivities int64 `json:"community_activities"`
	Beneficiaries       int64 `json:"beneficiaries"`
}

// words are what Print says, in each language.
type words struct {
	title, made, figure, here, published                         string
	serviceDays, cases, groupSessions, activities, beneficiaries string
	byTown, byArea, cost, quality, faults, agree, closed         string
}

var english = words{
	title: "Henan 2021, replayed: 12 tablets, 3 teams, 75 days", made: "How the totals divide is made up from seed %d; only the totals were published.\n",
	figure: "figure", here: "here", published: "published",
	serviceDays: "service days", cases: "cases", groupSessions: "group sessions", activities: "community activities", beneficiaries: "beneficiaries",
	byTown: "by town", byArea: "by service area",
	cost:    "Syncing took %d requests, %d bytes up and %d bytes down, for %d changes.\n",
	quality: "The network was %s: ", faults: "%d requests were lost, cut, repeated or delayed.\n",
	closed: "The deployment is closed. Certificate, closing report and archive:\n",
	agree:  "Every tablet's own totals agree with the server's. Outstanding changes: %d. Held: %d. Conflicts to settle: %d.\n",
}

var chinese = words{
	title: "河南 2021 重演：12 台平板、3 支服务队、75 天", made: "各项数字如何分布是按种子 %d 编造的；公开发表的只有总数。\n",
	figure: "指标", here: "本次", published: "公布",
	serviceDays: "服务天数", cases: "个案", groupSessions: "小组活动", activities: "团体活动", beneficiaries: "受益人群",
	byTown: "按乡镇", byArea: "按服务领域",
	cost:    "同步共 %d 次请求，上行 %d 字节，下行 %d 字节，更改 %d 条。\n",
	quality: "网络状况 %s：", faults: "%d 次请求丢失、中断、重复或延迟。\n",
	closed: "行动已收队。数据确认书、收队报告和归档文件：\n",
	agree:  "每台平板自己的统计都与服务器一致。未送达的更改：%d；待处理：%d；两处填写不一致：%d。\n",
}

// Print writes the result for people, in Chinese for a tag "zh…", else in English.
func (r *Result) Print(w io.Writer, lang string) error {
	say, tag := english, language.English
	if strings.HasPrefix(lang, "zh") {
		say, tag = chinese, language.SimplifiedChinese
	}
	p := message.NewPrinter(tag)
	out := &strings.Builder{}
	fmt.Fprintln(out, say.title)
	_, _ = p.Fprintf(out, say.made, r.Seed)
	_, _ = p.Fprintf(out, "\n%s%s%s\n", pad(say.figure), padLeft(say.here, 10), padLeft(say.published, 12))
	for _, row := range []struct {
		label           string
		here, published int64
	}{
		{say.serviceDays, r.ServiceDays, published.ServiceDays}, {say.cases, r.Cases, published.Cases}, {say.groupSessions, r.GroupSessions, published.GroupSessions},
		{say.activities, r.CommunityActivities, published.CommunityActivities}, {say.beneficiaries, r.Beneficiaries, published.Beneficiaries},
	} {
		_, _ = p.Fprintf(out, "%s%10d%12d\n", pad(row.label), row.here, row.published)
	}
	header := func(title string) {
		_, _ = p.Fprintf(out, "\n%s%s%s%s%s\n", pad(title), padLeft(say.cases, 10), padLeft(say.groupSessions, 16), padLeft(say.activities, 22), padLeft(say.beneficiaries, 16))
	}
	line := func(label string, d Divided) {
		_, _ = p.Fprintf(out, "%s%10d%16d%22d%16d\n", pad(label), d.Cases, d.GroupSessions, d.CommunityActivities, d.Beneficiaries)
	}
	header(say.byTown)
	for _, s := range r.BySite {
		line(s.Name, s.Divided)
	}
	header(say.byArea)
	for _, a := range r.ByServiceArea {
		line(a.Area, a.Divided)
	}
	fmt.Fprintln(out)
	_, _ = p.Fprintf(out, say.quality, r.Network)
	_, _ = p.Fprintf(out, say.faults, r.Faults)
	_, _ = p.Fprintf(out, say.cost, r.Requests, r.BytesUp, r.BytesDown, r.Changes)
	_, _ = p.Fprintf(out, say.agree, r.Outstanding, r.Held, r.Conflicts)
	if c := r.ClosedOut; c != nil {
		fmt.Fprintf(out, "\n%s%s\n%s\n%s\n", say.closed, c.Certificate, c.ReportPDF, c.Archive)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

const labelWidth = 24

// pad fills a label to its width in columns, and padLeft a heading; a hanzi takes two.
func pad(s string) string { return s + strings.Repeat(" ", max(0, labelWidth-columns(s))) }

func padLeft(s string, n int) string { return strings.Repeat(" ", max(0, n-columns(s))) + s }

func columns(s string) int {
	n := 0
	for _, r := range s {
		if n++; r >= 0x1100 {
			n++
		}
	}
	return n
}
