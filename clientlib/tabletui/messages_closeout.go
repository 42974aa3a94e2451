package tabletui

import "levee/syncproto/words"

// closeOutMessages are what the pages say while a deployment comes to its end.
var closeOutMessages = map[string]words.Message{
	"title_closing":  {EN: "Being closed out", ZH: "收队中"},
	"closing_until":  {EN: "The deployment ends on %s, %s.", ZH: "行动到 %s 结束，%s。"},
	"closing_today":  {EN: "The deployment ends today.", ZH: "行动今天结束。"},
	"closing_over":   {EN: "The deployment ended on %s. Hurry: what comes after the closing counts only once the coordinator accepts it.", ZH: "行动已于 %s 结束，请尽快办完：收队后才到的内容，要等协调员采用才计入统计。"},
	"closing_owed":   {EN: "You still have to do:", ZH: "您还要做："},
	"closing_done":   {EN: "Nothing is left to do on this tablet. Thank you.", ZH: "本机没有要办的事了，辛苦了。"},
	"title_closed":   {EN: "Closed", ZH: "已收队"},
	"closed_lead":    {EN: "The deployment was closed on %s. What you log now goes to the coordinator as an addendum, and counts once it is accepted.", ZH: "行动已于 %s 收队。现在填写的内容作为补报交给协调员，采用后才计入统计。"},
	"edition_is":     {EN: "The totals are signed: edition %d of the certificate, %s.", ZH: "统计已确认：数据确认书第 %d 版，%s。"},
	"title_archived": {EN: "Archived", ZH: "已归档"},
	"archived_lead":  {EN: "The personal data of this deployment is erased. Nothing can be logged any more, and the tablet can be handed back. Thank you for your work.", ZH: "本次行动的个人信息已清除，不能再填写记录，平板可以交还。辛苦了，谢谢您。"},
	"archived_leave": {EN: "Hand the tablet back", ZH: "交还平板"},

	"late_note":       {EN: "The deployment was closed on %s. What you save here is an addendum: the coordinator decides whether it counts.", ZH: "行动已于 %s 收队。在这里保存的是补报，由协调员决定是否采用。"},
	"save_late":       {EN: "Save as an addendum", ZH: "保存为补报"},
	"mark_late":       {EN: "addendum, waiting", ZH: "补报，待协调员采用"},
	"late_waits":      {EN: "This came after the closing. It waits for the coordinator; nothing is lost.", ZH: "这是收队后的补报，等待协调员采用。内容已保留。"},
	"heading_late":    {EN: "Addendum", ZH: "补报"},
	"late_lead":       {EN: "The server has these. They count once the coordinator accepts them; you need do nothing.", ZH: "服务器已收到，协调员采用后才计入统计。您不用再做什么。"},
	"late_ask":        {EN: "Questions? Ask the coordinator:", ZH: "有疑问，请找协调员："},
	"declined_reason": {EN: "Why: %s", ZH: "理由：%s"},
}

// closeOutNumbers are those about a number.
var closeOutNumbers = map[string]words.Counted{
	"days_left":        {One: "%d day left", Other: "%d days left", ZH: "还剩 %d 天"},
	"forms_count":      {One: "%d form is not finished", Other: "%d forms are not finished", ZH: "%d 张表没有填完"},
	"drafts_count":     {One: "%d record is incomplete", Other: "%d records are incomplete", ZH: "%d 条记录缺项"},
	"open_cases_count": {One: "%d case is open: close it, or refer it", Other: "%d cases are open: close or refer them", ZH: "%d 个个案未结案：请结案或转介"},
	"late_waiting":     {One: "%d change of the addendum waits for the coordinator", Other: "%d changes of the addendum wait for the coordinator", ZH: "补报 %d 项，等待协调员采用"},
	"late_accepted":    {One: "%d change of the addendum was accepted", Other: "%d changes of the addendum were accepted", ZH: "补报 %d 项，已采用"},
	"late_declined":    {One: "%d change of the addendum was declined", Other: "%d changes of the addendum were declined", ZH: "补报 %d 项，未采用"},
}
