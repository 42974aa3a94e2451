package webui

// casesMessages are those of the lists of cases.
var casesMessages = map[string]message{
	"nav_cases": {"Cases", "个案"},

	"title_cases": {"Cases", "个案跟进"},

	"list_quiet":       {"Stale", "久未跟进"},
	"list_next":        {"Next step overdue", "下次服务逾期"},
	"list_unevaluated": {"Closed without evaluation", "结案未评估"},
	"list_followup":    {"Follow-up visit overdue", "回访逾期"},
	"list_open":        {"Open", "在办"},

	"list_says_quiet":       {"Open cases without a session for seven days or more, longest first.", "七天及以上没有服务记录的在办个案，时间最久的在前。"},
	"list_says_next":        {"Open cases whose next step was due before today, oldest first.", "下次服务日期已过的在办个案，最早的在前。"},
	"list_says_unevaluated": {"Closed cases without a session of evaluation, oldest first.", "没有评估阶段服务记录的已结案个案，最早的在前。"},
	"list_says_followup":    {"Closed cases whose follow-up visit was due before today, oldest first.", "回访日期已过的已结案个案，最早的在前。"},
	"list_says_open":        {"All open cases, oldest first.", "全部在办个案，最早立案的在前。"},

	"lists":           {"Lists of cases", "个案清单"},
	"narrow":          {"Narrow the list", "筛选"},
	"narrow_show":     {"Show", "查看"},
	"field_lead":      {"Lead", "主责社工"},
	"no_cases":        {"No case is on this list.", "清单中没有个案。"},
	"case_unnumbered": {"without a number", "未编号"},
	"late":            {"overdue", "已逾期"},

	"column_case":     {"Case", "个案"},
	"column_stage":    {"Stage", "阶段"},
	"column_lead":     {"Lead", "主责社工"},
	"column_opened":   {"Opened", "立案"},
	"column_session":  {"Last session", "最近服务"},
	"column_next":     {"Next step", "下次服务"},
	"column_closed":   {"Closed", "结案"},
	"column_followup": {"Follow-up visit", "回访"},
}

// casesNumbers are what they say about a number.
var casesNumbers = map[string]counted{
	"quiet":   {"%d day without a session", "%d days without a session", "%d 天没有服务"},
	"sorting": {"%d change is being sorted in. The lists lack it until then.", "%d changes are being sorted in. The lists lack them until then.", "有 %d 条改动正在整理，清单暂未包含。"},
}
