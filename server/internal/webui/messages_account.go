package webui

// accountMessages are those of one's own account.
var accountMessages = map[string]message{
	"never": {"never", "从未"},

	"title_token": {"The API token is ready", "API 令牌已生成"},

	"field_old":        {"Your password now", "现在的密码"},
	"field_token_name": {"Name", "名称"},
	"hint_token_name":  {"What it is for, so that you know it again.", "说明用途，便于以后辨认。"},
	"field_deployment": {"Deployment", "行动"},
	"field_scopes":     {"What it may do", "权限范围"},
	"field_days":       {"How long it holds", "有效期"},

	"wrong_time_code": {"This code is not right. Take the one that is shown now.", "动态码不正确，请输入当前显示的数字。"},

	"done_password":      {"The password is changed. Your other sessions are ended.", "密码已修改，其他登录已退出。"},
	"done_others_out":    {"Your other sessions are ended.", "其他登录已退出。"},
	"done_totp_on":       {"The time code is on. You are asked for it when you sign in.", "动态码已启用，登录时需要输入。"},
	"done_totp_off":      {"The time code is off.", "动态码已关闭。"},
	"done_token_revoked": {"The token is revoked.", "令牌已作废。"},

	"column_began":      {"Signed in", "登录时间"},
	"column_seen":       {"Last used", "最后使用"},
	"column_deployment": {"Deployment", "行动"},
	"column_scopes":     {"May", "权限"},
	"column_expires":    {"Until", "有效至"},
	"column_used":       {"Last used", "最后使用"},

	"token_lead": {"“%s”: programs send it as “Authorization: Bearer …”. Whoever has it may do what it may do.", "“%s”：程序以“Authorization: Bearer …”发送。持有它的人拥有它的权限。"},

	"signed_in_as":          {"You are signed in as %s.", "您已登录为 %s。"},
	"account_password":      {"Password", "密码"},
	"account_password_lead": {"10 characters or more. Changing it ends your other sessions.", "至少 10 个字符。修改后其他登录会退出。"},
	"submit_password":       {"Change the password", "修改密码"},
	"account_totp":          {"Time code", "动态码"},
	"totp_on":               {"You are asked for a time code when you sign in.", "登录时需要输入动态码。"},
	"totp_off":              {"A time code from an authenticator on your phone, besides the password, protects your account even when the password is known.", "除密码外，再用手机验证器的动态码保护账号；即使密码泄露，他人也无法登录。"},
	"totp_begin":            {"Turn the time code on", "启用动态码"},
	"totp_drop":             {"Turn the time code off", "关闭动态码"},
	"totp_drop_lead":        {"The password alone will be enough to sign in.", "之后只用密码即可登录。"},
	"totp_scan":             {"Scan this with an authenticator, and enter the six digits that it shows.", "请用验证器扫描，然后输入它显示的六位数字。"},
	"totp_image":            {"QR code for an authenticator", "验证器二维码"},
	"totp_typed":            {"Or type this into the authenticator:", "或在验证器中手工输入："},
	"submit_totp":           {"Turn it on", "启用"},
	"account_sessions":      {"Where you are signed in", "登录情况"},
	"this_session":          {"this one", "当前"},
	"sign_out_others":       {"End the other sessions", "退出其他登录"},
	"account_tokens":        {"API tokens", "API 令牌"},
	"tokens_lead":           {"With a token, a program may do in your name what you may do, within what you choose.", "程序可凭令牌以您的名义操作，不超出您的权限和所选范围。"},
	"no_tokens":             {"There is none.", "没有令牌。"},
	"new_token":             {"New API token", "新建 API 令牌"},
	"submit_token":          {"Make the token", "生成令牌"},
	"revoke_token":          {"Revoke", "作废"},
	"scope_read":            {"read totals, records, tablets", "查看统计、记录、平板"},
	"scope_confidential":    {"read what is confidential", "查看保密内容"},
	"scope_decide":          {"review, settle, decide", "审核、处理"},
	"scope_manage":          {"manage people and tablets", "管理人员和平板"},
}

// accountNumbers are what they say about a number.
var accountNumbers = map[string]counted{
	"days": {"%d day", "%d days", "%d 天"},
}
