package webui

// plannedMessages are those of planned activities.
var plannedMessages = map[string]message{
	"nav_planned":   {"Planned", "计划活动"},
	"title_planned": {"Planned activities", "计划活动"},
	"planned_lead":  {"Tablets get these at their next sync, so that colleagues who count at one activity count for the same.", "各平板下次同步时收到，同一活动的各位同事由此计入同一条记录。"},
	"new_planned":   {"Plan an activity", "添加计划活动"},
	"edit_planned":  {"Edit a planned activity", "修改计划活动"},
	"no_planned":    {"Nothing is planned.", "没有计划活动。"},
	"planned_past":  {"not held yet", "尚未开展"},
	"all_teams":     {"all teams", "所有服务队"},

	"planned_truncated": {"There is more than is looked through at once: some may be missing here.", "记录较多，此处可能没有全部列出。"},

	"field_activity_name": {"Name of the activity", "活动名称"},
	"field_day":           {"Day", "日期"},
	"field_planned_team":  {"Whose tablets get it", "发送到"},
	"field_form":          {"Form", "形式"},
	"field_area":          {"Service area", "服务领域"},
	"field_whom":          {"For whom", "对象"},

	"cancel_planned":         {"Cancel", "取消活动"},
	"title_cancel_planned":   {"Cancel “%s”?", "取消“%s”？"},
	"cancel_planned_tablets": {"At their next sync, tablets are told that it is not held.", "各平板下次同步时得知该活动已取消。"},
	"cancel_planned_counted": {"It is kept, and not counted.", "记录会保留，但不计入统计。"},
	"submit_cancel":          {"Cancel the activity", "取消该活动"},
	"done_planned_cancelled": {"The activity is cancelled.", "活动已取消。"},
}
