package webui

// homeMessages are those of the first page, and a new deployment.
var homeMessages = map[string]message{
	"as_worker":     {"You: %s, %s", "您：%s，%s"},
	"dates_since":   {"since %s", "%s 起"},
	"dates_between": {"%s to %s", "%s 至 %s"},

	"title_home": {"Deployments", "行动"},

	"field_deployment_name":       {"Name of the deployment", "行动名称"},
	"field_start":                 {"First day", "开始日期"},
	"field_time_zone":             {"Time zone", "时区"},
	"hint_time_zone":              {"An IANA name, such as Asia/Shanghai. Days begin and end by it.", "IANA 时区名，如 Asia/Shanghai；每天的起止按此计算。"},
	"field_site_n":                {"Site %d", "服务点 %d"},
	"field_code_n":                {"Place code of site %d", "服务点 %d 的行政区划代码"},
	"field_team_n":                {"Team at site %d", "服务点 %d 的服务队"},
	"field_coordinator":           {"Coordinator", "协调员"},
	"field_coordinator_name":      {"Name of the coordinator, if it is somebody else", "协调员姓名（如由他人担任）"},
	"coordinator_me":              {"I am (%s)", "由我担任（%s）"},
	"coordinator_other":           {"Somebody else, whom I invite now", "由他人担任，现在邀请"},
	"field_same_people":           {"Counts the same people as", "与哪个行动统计同一批人"},
	"hint_same_people":            {"Whoever is registered in both is then one person in figures over both. It can't be changed later. Whoever has the tablets or files of both can tell who is in both.", "在两个行动中都登记过的人，合并统计时只算一人。以后不能更改。同时持有两个行动的平板或文件者，能看出谁在两边都登记过。"},
	"new_deployment":              {"New deployment", "新建行动"},
	"new_deployment_lead":         {"One response, with a first day, sites and teams. Only name, first day and time zone are needed now; the rest can be added later.", "一次救灾行动，有开始日期、服务点和服务队。现在只需填名称、开始日期和时区，其余可以以后添加。"},
	"submit_deployment":           {"Make the deployment", "建立行动"},
	"no_deployment":               {"You have no part in any deployment yet. Ask your coordinator for an invitation.", "您还没有参加任何行动，请向协调员索取邀请。"},
	"no_deployment_administrator": {"You have no part in any deployment. Make a new one, or ask a coordinator for an invitation.", "您没有参加任何行动。可以新建行动，或向协调员索取邀请。"},

	"wrong_zone":  {"There is no such time zone.", "没有这个时区。"},
	"wrong_twice": {"This name was given already.", "名称重复。"},

	"done_deployment_made": {"The deployment is made, and you are its coordinator. Now add the people.", "行动已建立，您是协调员。接下来请添加人员。"},
}
