package webui

// alertsMessages are those of risk alerts.
var alertsMessages = map[string]message{
	"nav_alerts":   {"Alerts", "风险上报"},
	"title_alerts": {"Risk alerts", "风险上报"},
	"title_alert":  {"Risk alert: %s", "风险上报：%s"},

	"alarm_all":  {"All alerts", "全部风险上报"},
	"alarm_line": {"%s, %s, %s", "%s，%s，%s"},
	"not_said":   {"not known where", "地点不详"},

	"alerts_lead":        {"Help first: phone the team. Then say here that you see to it; until somebody does, the next person on duty is told.", "请先救人：打电话联系服务队。然后在此确认由您负责；在有人确认之前，会继续通知下一位值班人员。"},
	"alerts_open":        {"Not acknowledged", "未确认"},
	"alerts_none":        {"No alert waits for somebody.", "没有等待确认的风险上报。"},
	"alerts_past":        {"Acknowledged and closed", "已确认、已了结"},
	"alerts_past_none":   {"There are none yet.", "还没有。"},
	"alert_level":        {"Level: %s", "等级：%s"},
	"alert_team":         {"Team", "服务队"},
	"alert_site":         {"Site", "服务点"},
	"alert_author":       {"Sent by", "上报人"},
	"alert_seen":         {"Seen", "发现时间"},
	"alert_received":     {"Received", "收到时间"},
	"alert_next":         {"Next", "下一步"},
	"alert_standing":     {"How it stands", "处理情况"},
	"alert_state":        {"State", "状态"},
	"alert_open":         {"Nobody has acknowledged it yet.", "还没有人确认。"},
	"alert_acknowledged": {"Acknowledged by %s, %s", "%s 已确认，%s"},
	"alert_closed":       {"Closed: over on %s", "已了结：%s"},
	"alert_closing":      {"Close it", "了结"},
	"alert_told":         {"Who was told", "已通知"},
	"alert_told_none":    {"Nobody was told yet.", "还没有通知任何人。"},

	"alert_step":       {"Step", "次序"},
	"alert_who":        {"Who", "人员"},
	"alert_when":       {"When", "时间"},
	"alert_how":        {"How", "方式"},
	"alert_type":       {"Type", "类型"},
	"alert_level_word": {"Level", "等级"},

	"channel_mail":    {"e-mail", "电子邮件"},
	"channel_sms":     {"SMS", "短信"},
	"told_waiting":    {"is being sent", "正在发送"},
	"told_sent":       {"sent %s", "%s 已发出"},
	"told_failed":     {"failed %d times, last %s", "失败 %d 次，最近一次 %s"},
	"told_no_address": {"no address", "没有联系方式"},
	"told_off":        {"not set up on this server", "本服务器未设置"},
	"told_both":       {"%s; %s", "%s；%s"},

	"next_at":       {"%s is told at %s.", "%s，将于 %s 通知。"},
	"next_now":      {"%s is told now.", "%s，现在通知。"},
	"next_nobody":   {"Nobody is on duty. Only these pages show it.", "没有值班人员，只在网页上显示。"},
	"next_all_told": {"Everybody on duty was told. These pages go on showing it until somebody acknowledges it.", "值班人员均已通知。在有人确认之前，网页会一直显示。"},

	"ago":     {"%s (%s)", "%s（%s）"},
	"ago_now": {"just now", "刚刚"},

	"duty_title": {"On duty", "值班名单"},
	"duty_none":  {"The list is empty. The supervisors of the alert's team are told, and after them the coordinators.", "名单为空：先通知该服务队的督导，再通知协调员。"},
	"duty_edit":  {"Change the duty list", "修改值班名单"},

	"submit_acknowledge": {"I see to it", "由我负责，确认"},
	"submit_close_alert": {"The danger is over", "危险已解除，了结"},
	"field_closed_on":    {"Over since", "了结日期"},
	"wrong_closed_on":    {"This day is still to come.", "该日期还未到。"},

	"done_alert_acknowledged": {"Acknowledged: you see to it. The tablet that sent it learns of it at its next sync.", "已确认由您负责，发出上报的平板下次同步时获知。"},
	"done_alert_closed":       {"Closed.", "已了结。"},
	"done_not_acknowledged":   {"Acknowledge it first.", "请先确认。"},
}

// alertsNumbers are what they say about a number.
var alertsNumbers = map[string]counted{
	"alarm":          {"%d risk alert waits for somebody to acknowledge it", "%d risk alerts wait for somebody to acknowledge them", "有 %d 条风险上报等待确认"},
	"alerts_further": {"and %d more", "and %d more", "另有 %d 条"},
	"ago_minutes":    {"%d minute ago", "%d minutes ago", "%d 分钟前"},
	"ago_hours":      {"%d hour ago", "%d hours ago", "%d 小时前"},
	"ago_days":       {"%d day ago", "%d days ago", "%d 天前"},
	"duty_rule":      {"While nobody acknowledges an alert, the next one is told after %d minute.", "While nobody acknowledges an alert, the next one is told after %d minutes.", "无人确认时，每过 %d 分钟通知下一位。"},
}
