package webui

// commonMessages are those of what many pages say.
var commonMessages = map[string]message{
	"brand":          {"Levee", "堤 Levee"},
	"skip":           {"Skip to the content", "跳到正文"},
	"footer":         {"Levee: the record of a response, from the field to signed totals.", "堤：从现场记录到可签字的统计。"},
	"archive_banner": {"This is an archive: edition %d, made on %s. It can be read, and nothing in it can be changed.", "这是行动档案：第 %d 版，归档于 %s。只能查阅，不能改动。"},
	"sign_out":       {"Sign out", "退出登录"},
	"title_wrong":    {"To mend: ", "需修改："},
	"form_wrong":     {"Something is not right yet:", "还有内容需要修改："},
	"go_back":        {"Back", "返回"},
	"go_on":          {"Go on", "继续"},
	"to_start":       {"To the start page", "回到首页"},
	"incident":       {"If you ask for help, give this number:", "如需帮助，请告知编号："},
	"further":        {"Further", "下一页"},
	"shown_once":     {"This is shown now and never again. Copy it before you go on.", "此内容只显示这一次，请先复制再继续。"},
	"submit_save":    {"Save", "保存"},

	"nav_menu":         {"Menu", "菜单"},
	"nav_search":       {"Search", "搜索"},
	"nav_deployment":   {"This deployment", "本次行动"},
	"nav_accounts":     {"Accounts", "账号"},
	"nav_server_audit": {"Server's audit log", "服务器审计日志"},

	"title_problem":     {"That did not work", "未能完成"},
	"title_not_found":   {"There is nothing here", "没有找到"},
	"title_not_allowed": {"You may not do this", "没有权限"},

	"field_name":         {"Name", "姓名"},
	"field_login":        {"Login", "用户名"},
	"field_password":     {"Password", "密码"},
	"field_new_password": {"New password", "新密码"},
	"field_language":     {"Language", "语言"},
	"field_time_code":    {"Time code", "动态码"},

	"wrong_text":    {"This can't be read. Type it again.", "内容无法识别，请重新输入。"},
	"wrong_form":    {"What was sent can't be read. Try again.", "提交的内容无法识别，请重试。"},
	"wrong_missing": {"This is needed.", "此项必填。"},
	"wrong_choice":  {"Choose one of those offered.", "请从选项中选择。"},
	"wrong_date":    {"A day, such as 2021-09-23.", "请填日期，如 2021-09-23。"},
	"wrong_place":   {"A place code has 2, 4, 6, 9 or 12 digits.", "行政区划代码为 2、4、6、9 或 12 位数字。"},

	"done_saved": {"Saved. Tablets learn of it at their next sync.", "已保存，各平板下次同步时获知。"},

	"column_name":    {"Name", "名称"},
	"column_team":    {"Team", "服务队"},
	"column_actions": {"Actions", "操作"},
	"column_worker":  {"Worker", "工作人员"},
	"column_state":   {"State", "状态"},

	"role_administrator": {"administrator", "管理员"},
}

// commonNumbers are what they say about a number.
var commonNumbers = map[string]counted{
	"wait": {"Too many attempts. Try again in %d second.", "Too many attempts. Try again in %d seconds.", "尝试次数过多，请 %d 秒后再试。"},
}
