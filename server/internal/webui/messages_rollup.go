package webui

// rollUpMessages are those of figures over several deployments.
var rollUpMessages = map[string]message{
	"title_rollup":             {"Several deployments together", "多个行动合并统计"},
	"rollup_rules":             {"How persons are counted", "人数的统计方法"},
	"rollup_once":              {"Counted once across these: %s. Whoever is registered in several of them is one person.", "以下行动之间只算一人：%s。在其中几个行动都登记过的人计为一人。"},
	"rollup_added":             {"May count a person more than once across these: %s. Nothing tells whether somebody is registered in several of them, so persons are added up.", "以下行动之间可能重复计人：%s。无法判断同一人是否在几个行动都登记过，人数直接相加。"},
	"rollup_and":               {" with ", "与"},
	"rollup_by_number":         {"People who are known by number only, such as those counted as first-time, are always added up. Contacts are added up, too.", "只知道数目的人（如现场计数的首次人数）一律相加；人次也一律相加。"},
	"rollup_rule_alone":        {"of one deployment", "来自一个行动"},
	"rollup_rule_once":         {"counted once", "只算一人"},
	"rollup_rule_added":        {"may count twice", "可能重复"},
	"rollup_column_rule":       {"Persons are", "人数口径"},
	"rollup_column_deployment": {"Deployment", "行动"},
	"rollup_by_deployment":     {"By deployment: %s", "按行动：%s"},
	"figure_sites_active":      {"sites at work", "已开展服务的服务点"},
	"figure_sites_planned":     {"sites planned", "计划中的服务点"},
	"figure_workers_qualified": {"workers with a qualification", "有职业资格的工作人员"},
	"rollup_stations":          {"Sites and workers", "服务点和工作人员"},
	"rollup_column_place":      {"Place", "地区"},
	"rollup_column_due":        {"By", "截止日期"},
	"rollup_column_done":       {"Done so far", "目前完成"},
	"target_late":              {"not reached in time", "逾期未达标"},
	"rollup_complete":          {"How complete it is", "数据完整程度"},
	"rollup_moving":            {"Records came in while this was counted; persons may lack some of the newest. Load the page again.", "统计过程中有新记录到达，人数可能缺少最新的部分，请重新打开本页。"},
}
