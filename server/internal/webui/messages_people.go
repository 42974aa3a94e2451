package webui

// peopleMessages are those of the people of a deployment.
var peopleMessages = map[string]message{
	"external":    {"external", "外部"},
	"make_code":   {"Enrolment code", "登记码"},
	"invite_web":  {"Invite to the web", "邀请登录网页"},
	"teams":       {"Teams", "服务队"},
	"sites":       {"Sites", "服务点"},
	"no_workers":  {"There is nobody yet.", "还没有工作人员。"},
	"no_teams":    {"There is no team yet.", "还没有服务队。"},
	"no_sites":    {"There is no site yet.", "还没有服务点。"},
	"has_account": {"has an account", "有账号"},
	"no_account":  {"no account", "无账号"},
	"to_people":   {"To the people", "回到人员"},

	"remove_member":         {"Take the web away", "取消网页权限"},
	"title_remove_member":   {"Take the web away from %s?", "取消 %s 的网页权限？"},
	"remove_member_web":     {"The account %s can no longer open this deployment, at once; its API tokens for it are revoked.", "账号 %s 将立即无法打开本次行动，其用于本次行动的 API 令牌同时作废。"},
	"remove_member_tablets": {"Tablets of this worker go on: revoke them under “Tablets” if they must not.", "此人的平板不受影响；如需停用，请到“平板”中操作。"},
	"remove_member_again":   {"The worker can be invited to the web again.", "以后可以重新邀请。"},
	"submit_remove_member":  {"Take it away", "取消权限"},
	"done_member_removed":   {"The account can no longer open this deployment.", "该账号已不能打开本次行动。"},

	"nav_people": {"People", "人员"},

	"title_people": {"People", "人员"},

	"column_role":    {"Role", "角色"},
	"column_tablets": {"Tablets", "平板"},
	"column_web":     {"On the web", "网页"},
	"column_site":    {"Site", "服务点"},
	"column_people":  {"People", "人数"},
	"column_place":   {"Place code", "行政区划代码"},
}

// peopleNumbers are what they say about a number.
var peopleNumbers = map[string]counted{
	"tablets": {"%d tablet", "%d tablets", "%d 台"},
	"people":  {"%d person", "%d people", "%d 人"},
}
