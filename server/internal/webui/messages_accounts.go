package webui

// accountsMessages are those of the accounts of the server.
var accountsMessages = map[string]message{
	"disable":   {"Disable", "停用"},
	"enable":    {"Enable", "启用"},
	"disabled":  {"disabled", "已停用"},
	"in_use":    {"in use", "使用中"},
	"with_totp": {"time code", "动态码"},
	"does_in":   {"%s in %s", "%s · %s"},

	"title_accounts":   {"Accounts", "账号"},
	"title_invited":    {"The invitation is ready", "邀请链接已生成"},
	"title_reset_link": {"The link is ready", "链接已生成"},

	"done_disabled": {"The account is disabled, and its sessions are ended.", "账号已停用，其登录已退出。"},
	"done_enabled":  {"The account may be used again.", "账号已重新启用。"},

	"sessions_link":    {"Sessions", "登录情况"},
	"title_sessions":   {"Sessions of %s", "%s 的登录"},
	"end_session":      {"End", "退出"},
	"end_all_sessions": {"End all", "全部退出"},
	"no_sessions":      {"They are signed in nowhere.", "目前没有登录。"},

	"done_session_ended":  {"The session is ended.", "该登录已退出。"},
	"done_sessions_ended": {"All sessions are ended.", "全部登录已退出。"},

	"column_login": {"Login", "用户名"},
	"column_does":  {"Does", "职责"},

	"invited_lead":               {"Send this link to %s, by a way that nobody else reads. It works once, for 7 days.", "请通过他人看不到的方式把链接发给 %s。链接只能用一次，7 天内有效。"},
	"invited_administrator_lead": {"Send this link to whom you want to be an administrator%s, by a way that nobody else reads. It works once, for 7 days.", "请通过他人看不到的方式把链接发给新的管理员%s。链接只能用一次，7 天内有效。"},
	"reset_link_lead":            {"Send this link to %s, by a way that nobody else reads. It works once, for 24 hours. Until it is used, the old password goes on.", "请通过他人看不到的方式把链接发给 %s。链接只能用一次，24 小时内有效；使用前旧密码仍有效。"},
	"invite_administrator":       {"Invite an administrator", "邀请管理员"},
	"reset_account":              {"Reset password", "重设密码"},
}
