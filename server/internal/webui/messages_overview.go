package webui

// overviewMessages are those of the first page of a deployment.
var overviewMessages = map[string]message{
	"nav_overview":             {"Overview", "总览"},
	"overview_as_of":           {"As of %s.", "截至 %s。"},
	"overview_heard":           {"%d of %d tablets heard from since %s.", "有联系的平板 %d 台，共 %d 台（自 %s 起）。"},
	"overview_waiting":         {"Held: %d. Filled in differently: %d.", "待处理 %d 项，两处填写不一致 %d 处。"},
	"overview_verified":        {"verified: %d", "已核实 %d"},
	"overview_rule":            {"How it is counted", "统计口径"},
	"overview_table":           {"As a table", "以表格查看"},
	"overview_image":           {"%s. The table below says the same.", "%s。下方表格内容相同。"},
	"overview_column_reported": {"reported", "上报"},
	"overview_column_verified": {"verified", "已核实"},
	"overview_rest":            {"reported, not verified", "已上报、尚未核实"},
	"overview_not_on_map":      {"Not on the map, having no coordinates: %s.", "因没有坐标而不在地图上：%s。"},
	"overview_by_day":          {"Contacts by day", "每日人次"},
	"overview_by_place":        {"Contacts by place", "各地人次"},
	"overview_by_site":         {"Contacts by site", "各服务点人次"},
	"overview_by_team":         {"Contacts by team", "各服务队人次"},
	"overview_by_service_area": {"Contacts by service area", "各服务领域人次"},
	"overview_by_sex":          {"Contacts by sex", "分性别人次"},
	"overview_by_age_band":     {"Contacts by age", "分年龄人次"},
}

var overviewNumbers = map[string]counted{
	"overview_outstanding": {"%d change is known to be on tablets still.", "%d changes are known to be on tablets still.", "已知平板上还有 %d 条修改未上传。"},
}
