package webui

// supervisionMessages are those of supervision sessions.
var supervisionMessages = map[string]message{
	"nav_supervision": {"Supervision", "督导"},

	"title_supervision": {"Supervision", "督导"},
	"title_session":     {"Supervision session, %s", "督导记录：%s"},
	"new_supervision":   {"New supervision session", "新建督导记录"},
	"edit_supervision":  {"Change the supervision session", "修改督导记录"},
	"choose_team":       {"Of which team is the session?", "督导记录属于哪支服务队？"},

	"sessions":           {"Sessions", "督导记录"},
	"no_supervision":     {"There is no session yet.", "还没有督导记录。"},
	"tasks_open":         {"To be looked at", "待跟进任务"},
	"tasks_open_lead":    {"What sessions left to do, the newest session first. A task goes when somebody takes it off its session.", "历次督导留下的任务，最近的在前。跟进后在该记录中划去即可。"},
	"further_tasks":      {"Earlier tasks", "更早的任务"},
	"no_tasks":           {"Nothing is left to be looked at.", "没有待跟进的任务。"},
	"from_session":       {"session of %s", "%s 的督导"},
	"advice_head":        {"Advice", "督导意见"},
	"advice_by":          {"%s advised:", "%s的意见："},
	"no_advice":          {"There is no advice that you may see.", "没有您可以查看的督导意见。"},
	"looked_at":          {"Looked at", "已跟进"},
	"session_edit":       {"Change", "修改"},
	"session_history":    {"Record and history", "记录和历史"},
	"supervision_had":    {"Supervision received", "接受的督导"},
	"supervision_write":  {"Write a supervision session", "写督导记录"},
	"day_unknown":        {"no day", "日期不详"},
	"done_looked_at":     {"The task is off the list. It stays in the session's history.", "任务已划去，记录的历史中仍可查到。"},
	"column_form":        {"Form", "形式"},
	"column_mode":        {"Mode", "方式"},
	"column_functions":   {"Functions", "功能"},
	"column_supervisor":  {"Supervisor", "督导"},
	"column_supervisees": {"Supervisees", "被督导人"},
	"column_minutes":     {"Length", "时长"},
	"column_tasks":       {"Tasks", "任务"},

	"field_supervisor":  {"Supervisor", "督导"},
	"field_supervisee":  {"Supervisee", "被督导人"},
	"field_supervisees": {"Supervisees", "被督导人"},
	"field_mode":        {"Mode", "方式"},
	"field_functions":   {"Functions", "功能"},
	"field_minutes":     {"Minutes", "时长（分钟）"},
	"field_advice":      {"Your advice", "您的督导意见"},
	"hint_advice":       {"Confidential: for who wrote it, the supervisors of the team and the coordinator.", "保密内容：仅本人、该队督导和协调员可见。"},
	"field_tasks":       {"Tasks", "后续任务"},
	"hint_tasks":        {"One a line. Everybody in the team can read them.", "每行一项，全队可见。"},

	"wrong_day_past": {"A day that has come, such as 2021-09-23.", "请填今天或以前的日期，如 2021-09-23。"},
	"wrong_minutes":  {"A number from 1 to %d.", "请填 1 到 %d 的数字。"},
}

// supervisionNumbers are what they say about a number.
var supervisionNumbers = map[string]counted{
	"minutes": {"%d minute", "%d minutes", "%d 分钟"},
}
