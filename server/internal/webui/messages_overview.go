package webui

// overviewMessages are those of the first page of a deployment.
var overviewMessages = map[string]message{
	"nav_overview":             {"Overview", "总览"},
	"overview_as_of":           {"As of %s.", "截至 %s。"},
	"overview_heard":           {"%d of %d tablets heard from since %s.", "有联系的平板 %d 台，共 %d 台（自 %s 起）。"},
	"overview_waiting":         {"Held: %d. Filled in differently: %d.", "待处理 %d 项，两处填写不一致 %d 处。"},
	"overview_rule":            {"How it is counted", "统计口径"},
	"overview_table":           {"As a table", "以表格查看"},
	"overview_image":           {"%s. The table below says the same.", "%s。下方表格内容相同。"},
	"overview_rest":            {"reported, not verified", "已上报、尚未核实"},
	"overview_not_on_map":      {"Not on the map, having no coordinates: %s.", "因没有坐标而不在地图上：%s。"},
	"overview_divided":         {"Divided below", "下方分项显示"},
	"overview_everywhere":      {"Everywhere", "全部地区"},
	"overview_path":            {"Places around", "上级地区"},
	"overview_lacks":           {"You see your teams. By day, place, service area, sex and age, figures are kept of the whole deployment alone.", "您看到的是自己负责的服务队。按日期、地区、服务领域、性别和年龄的数字只按整个行动汇总。"},
	"overview_by_day":          {"%s by day", "每日%s"},
	"overview_by_place":        {"%s by place", "各地%s"},
	"overview_by_site":         {"%s by site", "各服务点%s"},
	"overview_by_team":         {"%s by team", "各服务队%s"},
	"overview_by_worker":       {"%s by worker", "各工作人员%s"},
	"overview_by_service_area": {"%s by service area", "各服务领域%s"},
	"overview_by_sex":          {"%s by sex", "分性别%s"},
	"overview_by_age_band":     {"%s by age", "分年龄%s"},
}

var overviewNumbers = map[string]counted{
	"overview_outstanding": {"%d change is known to be on tablets still.", "%d changes are known to be on tablets still.", "已知平板上还有 %d 条修改未上传。"},
	"overview_sorting":     {"%d change is being sorted in; figures count it already.", "%d changes are being sorted in; figures count them already.", "有 %d 条修改正在整理，数字已计入。"},
}
