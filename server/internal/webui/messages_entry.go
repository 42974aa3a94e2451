package webui

// entryMessages are those of signing in, and getting an account.
var entryMessages = map[string]message{
	"title_set_up":     {"Set up this server", "设置服务器"},
	"title_sign_in":    {"Sign in", "登录"},
	"title_invitation": {"Your invitation", "您的邀请"},
	"title_reset":      {"Set a new password", "设置新密码"},

	"set_up_lead":      {"Nobody has an account on this server yet. Yours will be the first: you will see to accounts and deployments.", "这台服务器还没有账号。您将建立第一个账号，负责管理账号和行动。"},
	"set_up_lead_code": {"The server printed a link when it started. If you opened that link, the code is filled in; otherwise copy it from behind the “#”.", "服务器启动时打印了一个链接。如果您是打开该链接进来的，设置码已填好；否则请复制“#”后面的部分。"},
	"submit_set_up":    {"Make the account", "建立账号"},

	"invitation_lead":    {"With this you get an account on this server. If you opened the link that you were sent, the code is filled in.", "您将在这台服务器上建立账号。如果您是打开收到的链接进来的，邀请码已填好。"},
	"invitation_sign_in": {"I have an account already: sign in first", "我已有账号：先登录"},
	"submit_invitation":  {"Make the account", "建立账号"},
	"join_lead":          {"You are signed in as %s. The invitation is added to this account. If it is for somebody else, sign out first.", "您已登录为 %s，邀请将加入这个账号。如果邀请的是别人，请先退出登录。"},
	"submit_join":        {"Accept the invitation", "接受邀请"},
	"reset_lead":         {"Whoever is signed in to this account will be signed out, and its time code is turned off.", "该账号在各处的登录都会退出，动态码也会关闭。"},
	"submit_reset":       {"Set the password", "设置密码"},
	"submit_sign_in":     {"Sign in", "登录"},
	"time_code_lead":     {"The password is right. Now enter the six digits that your authenticator shows.", "密码正确。请输入验证器显示的六位数字。"},
	"to_invitation":      {"I was invited and have no account yet", "我收到了邀请，还没有账号"},

	"field_code":     {"Code", "链接中的码"},
	"hint_code":      {"Capitals and hyphens do not matter.", "不区分大小写，可不输连字符。"},
	"field_again":    {"The new password once more", "再输入一次新密码"},
	"hint_new_login": {"2 to 60 letters, digits and . _ @ + -", "2 到 60 个字母、汉字、数字或 . _ @ + -"},

	"wrong_again": {"This is not the same as above.", "两次输入不一致。"},
	"wrong_half":  {"That took too long. Sign in again.", "等待时间过长，请重新登录。"},

	"done_account_made": {"Your account is ready, and you are signed in.", "账号已建立，您已登录。"},
	"done_joined":       {"The invitation was added to your account.", "邀请已加入您的账号。"},
	"done_reset":        {"The password is set. Sign in with it.", "密码已设置，请用新密码登录。"},
	"done_signed_out":   {"You are signed out.", "您已退出登录。"},
}
