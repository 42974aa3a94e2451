package webui

// teamsMessages are those of teams and workers: what they did.
var teamsMessages = map[string]message{
	"nav_teams": {"Teams", "服务队"},

	"title_teams": {"Teams", "服务队"},

	"teams_lead":      {"What each team did in the week, as reported, beside what is expected of it.", "各服务队本周的上报工作量，以及对应的目标。"},
	"week":            {"Week", "周"},
	"week_of":         {"Week of a day", "某日所在的周"},
	"week_before":     {"Week before", "上一周"},
	"week_after":      {"Week after", "下一周"},
	"week_show":       {"Show", "查看"},
	"work_by_worker":  {"By worker and day", "按人员和日期"},
	"work_by_day":     {"By day", "按日"},
	"work_by_week":    {"By week", "按周"},
	"since_start":     {"Since the start", "自行动开始"},
	"whole_team":      {"The whole team", "全队合计"},
	"targets_of":      {"Targets", "目标"},
	"target_reached":  {"reached", "已达成"},
	"aim_day":         {"%s: %d a day", "%s：每日 %d"},
	"aim_week":        {"%s: %d a week", "%s：每周 %d"},
	"aim_whole":       {"%s: %d in all", "%s：共 %d"},
	"aim_done":        {"%d of %d (%d%%)", "已完成 %d，目标 %d（%d%%）"},
	"aim_unknown":     {"This is counted for the whole time alone.", "此项只按整个行动统计。"},
	"hours":           {"%d h %d min", "%d 小时 %d 分"},
	"work_truncated":  {"There is more than is looked through at once, so these numbers lack some of it.", "记录过多，以下数字未包含全部。"},
	"post":            {"%s, %s", "%s，%s"},
	"worker_unknown":  {"somebody unknown", "未知人员"},
	"open_cases_head": {"Open cases", "在办个案"},
	"cases_led":       {"Cases led", "主责个案"},
	"all_cases":       {"All of them", "查看全部"},
	"tablets_head":    {"Tablets", "平板"},
	"no_work":         {"Nobody is in this team yet.", "服务队还没有成员。"},
	"day_of_week":     {"%s, %s", "%s（%s）"},

	"weekday_monday":    {"Monday", "星期一"},
	"weekday_tuesday":   {"Tuesday", "星期二"},
	"weekday_wednesday": {"Wednesday", "星期三"},
	"weekday_thursday":  {"Thursday", "星期四"},
	"weekday_friday":    {"Friday", "星期五"},
	"weekday_saturday":  {"Saturday", "星期六"},
	"weekday_sunday":    {"Sunday", "星期日"},

	"column_hours":  {"Time", "时长"},
	"column_date":   {"Day", "日期"},
	"column_cases":  {"Cases", "个案"},
	"column_review": {"Review", "审核"},
	"column_heard":  {"Last contact", "最近联系"},
}

// teamsNumbers are what they say about a number.
var teamsNumbers = map[string]counted{
	"open_cases": {"%d open", "%d open", "在办 %d 个"},
	"overdue":    {"%d with a next step overdue", "%d with a next step overdue", "%d 个下次服务已逾期"},
	"waiting":    {"%d record waits", "%d records wait", "%d 条待审核"},
}
