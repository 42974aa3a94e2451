package webui

// setUpMessages are those of the forms of a deployment's set-up.
var setUpMessages = map[string]message{
	"new_worker":  {"Add a worker", "添加工作人员"},
	"new_team":    {"Add a team", "添加服务队"},
	"new_site":    {"Add a site", "添加服务点"},
	"edit_worker": {"Edit a worker", "修改工作人员"},
	"edit_team":   {"Edit a team", "修改服务队"},
	"edit_site":   {"Edit a site", "修改服务点"},

	"field_site_name":  {"Name of the site", "服务点名称"},
	"field_place":      {"Place code", "行政区划代码"},
	"hint_place":       {"The statistics bureau's: 2, 4, 6, 9 or 12 digits, such as 410621108.", "国家统计局代码：2、4、6、9 或 12 位数字，如 410621108。"},
	"field_team_name":  {"Name of the team", "服务队名称"},
	"field_site":       {"Site", "服务点"},
	"field_role":       {"Role", "角色"},
	"field_team":       {"Team", "服务队"},
	"field_supervises": {"Supervises besides the own team", "另外督导的服务队"},
	"hint_supervises":  {"For supervisors only.", "仅督导需要填写。"},
	"field_external":   {"External supervisor", "外部督导"},
	"hint_external":    {"From outside the response: sees cases without identities, and lets no tablets in.", "来自行动以外：看到的个案不含身份信息，也不能登记平板。"},
	"field_type":       {"By training", "类型"},

	"wrong_no_team":  {"A field worker or team lead needs a team.", "队员和队长需要所属服务队。"},
	"wrong_own_role": {"You can't take the role of coordinator from yourself: another coordinator must.", "不能取消自己的协调员角色，须由另一位协调员操作。"},
}
