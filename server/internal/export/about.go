package export

import (
	"time"

	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/words"
)

// What is said about an export.
var (
	aboutTitle        = words.Message{EN: "%s: an export of Levee", ZH: "%s：堤的导出数据"}
	aboutAt           = words.Message{EN: "As of %s (%s), position %d of the change log. Everything here is of that one moment.", ZH: "截至 %s（%s），更改日志第 %d 位。以下内容均为同一时刻的数据。"}
	aboutTablets      = words.Message{EN: "Tablets: %d in use, %d of them heard from in the last 24 hours; the one silent for longest was heard from on %s.", ZH: "平板：在用 %d 台，其中 %d 台在过去 24 小时内有联系；最久未联系的一台最近联系于 %s。"}
	aboutNoTablets    = words.Message{EN: "Tablets: none was heard from.", ZH: "平板：没有平板联系过。"}
	aboutOutstanding  = words.Message{EN: "Changes known to be still on tablets: %d. Changes held: %d. Conflicts open: %d.", ZH: "已知尚在平板上的更改：%d 条。待处理：%d 条。两处填写不一致：%d 处。"}
	aboutWhole        = words.Message{EN: "Of all teams.", ZH: "包括所有服务队。"}
	aboutTeams        = words.Message{EN: "Of these teams alone, and of what all have: %s. The totals are those of these teams.", ZH: "只包括以下服务队和全体共有的内容：%s。统计数字也只是这些服务队的。"}
	aboutPublic       = words.Message{EN: "Without what is confidential: no identities, consents, notes, alerts, tokens, or phones of workers.", ZH: "不含保密内容：没有个案身份信息、知情同意、笔记、风险上报、代号和工作人员电话。"}
	aboutConfidential = words.Message{EN: "With what is CONFIDENTIAL. Keep it sealed, and delete it when it is no longer needed.", ZH: "含有保密内容。请加密保管，不再需要时删除。"}
	aboutTable        = words.Message{EN: "%s: %s, rows: %d", ZH: "%s：%s，%d 行"}
	aboutTotals       = words.Message{EN: "totals: the totals as the server keeps them. Persons are counted once over each set, so their parts do not add up.", ZH: "totals：服务器保存的统计数字。人数在各自范围内去重，各部分不能相加。"}
	aboutRows         = words.Message{EN: "A row is a record. Those with yes under deleted, with something under duplicate_of, or that are planned or drafts, are listed and not counted.", ZH: "每行是一条记录。deleted 为“是”、duplicate_of 有内容，以及计划中或未填完的记录也列出，但不计入统计。"}
	aboutCells        = words.Message{EN: "Sites, teams and workers stand by their names, with # and the end of the id where several have one; other records by id. Lists have ; between items. Days and times are those of the deployment's time zone.", ZH: "服务点、服务队和工作人员用名称，同名的在后面加 # 和编号末四位；其他记录用编号。多项之间用 ; 分开。日期和时间按行动所在时区。"}
	aboutFormulas     = words.Message{EN: "A text that a spreadsheet would take for a formula has a ' before it.", ZH: "会被电子表格当作公式的文字，前面加了 '。"}
)

// About says in a language what an export is: of when, how complete, of whom, and how it is to be read.
func About(c *Content, w *words.Words) []string {
	zone := c.Terms.Zone()
	said := []string{
		w.Say(aboutTitle, lines(c.SetUp.Deployment.GetName())),
		w.Say(aboutAt, w.Instant(c.At.In(zone)), zone.String(), c.Position),
	}
	if t := c.Completeness; t.OldestContact == 0 {
		said = append(said, w.Say(aboutNoTablets))
	} else {
		said = append(said, w.Say(aboutTablets, t.Enrolled-t.Revoked, t.HeardFrom, w.Instant(time.UnixMilli(t.OldestContact).In(zone))))
	}
	said = append(said, w.Say(aboutOutstanding, c.Completeness.Outstanding, c.Completeness.Held, c.Completeness.Conflicts))
	if c.Whole {
		said = append(said, w.Say(aboutWhole))
	} else {
		said = append(said, w.Say(aboutTeams, w.List(c.teamNames())))
	}
	if c.Confidential {
		said = append(said, w.Say(aboutConfidential))
	} else {
		said = append(said, w.Say(aboutPublic))
	}
	said = append(said, "")
	for _, k := range c.Tables() {
		said = append(said, w.Say(aboutTable, words.KindName(k), w.Kind(k), c.counts[k]))
	}
	return append(said, w.Say(aboutTotals), "", w.Say(aboutRows), w.Say(aboutCells), w.Say(aboutFormulas))
}

func (c *Content) teamNames() []string {
	names := make([]string, len(c.Teams))
	for i, id := range c.Teams {
		names[i] = c.names.text(recordv1.Kind_KIND_TEAM, id[:])
	}
	return names
}
