package webui

// tabletsMessages are those of the tablets of a deployment, and enrolment codes.
var tabletsMessages = map[string]message{
	"rename":  {"Rename", "改名"},
	"replace": {"Replace", "更换"},
	"revoke":  {"Revoke", "停用"},

	"nav_tablets": {"Tablets", "平板"},

	"title_tablets": {"Tablets", "平板"},
	"title_code":    {"Enrolment code for %s", "%s 的登记码"},
	"title_rename":  {"Rename a tablet of %s", "为 %s 的平板改名"},
	"title_revoke":  {"Revoke “%s” of %s?", "停用“%s”（%s）？"},
	"title_replace": {"Replace “%s” of %s?", "更换“%s”（%s）？"},

	"field_tablet": {"Name of the tablet", "平板名称"},

	"done_revoked":   {"The tablet is revoked.", "平板已停用。"},
	"done_confirmed": {"The tablet is confirmed and may sync again.", "平板已确认，可以继续同步。"},

	"column_tablet":  {"Tablet", "平板"},
	"column_contact": {"Last contact", "最后联系"},
	"column_backlog": {"Unsent", "未发送"},
	"column_version": {"Version", "版本"},

	"code_image":     {"QR code of the enrolment code", "登记码的二维码"},
	"code_expires":   {"For one tablet, until %s.", "限一台平板使用，有效至 %s。"},
	"code_open":      {"not used yet", "未使用"},
	"code_used":      {"used: the tablet is enrolled", "已使用：平板已登记"},
	"code_steps":     {"What to do", "怎样登记"},
	"code_step_open": {"Open Levee on the worker's tablet, and choose to enrol it.", "在工作人员的平板上打开“堤”，选择登记本机。"},
	"code_step_scan": {"Scan the picture, or type the letters below, or copy the text.", "扫描二维码，或输入下面的字母，或粘贴文字。"},
	"code_step_done": {"Choose a PIN on the tablet. It is known to the worker alone.", "在平板上设置密码（PIN），只有本人知道。"},
	"code_typed":     {"To type", "手工输入"},
	"code_server":    {"Server", "服务器"},
	"code_letters":   {"Letters", "字母"},
	"code_text":      {"To copy", "复制粘贴"},
	"code_once":      {"Who has this code can enrol a tablet as this worker: show it to nobody else. This page can be opened for 15 minutes; after that, make another code.", "持有此码的人可以以这位工作人员的身份登记平板，请勿给他人看。本页可打开 15 分钟，之后请另行生成。"},
	"code_look":      {"See whether it was used", "查看是否已使用"},

	"tablets_lead":      {"What each tablet said at its last contact. Unsent changes are on the tablet alone.", "各平板最后一次联系时的情况。未发送的更改只在平板上。"},
	"no_tablets":        {"No tablet was enrolled yet. Make an enrolment code for a worker under “People”.", "还没有登记平板。请在“人员”中为工作人员生成登记码。"},
	"tablet_unnamed":    {"unnamed", "未命名"},
	"state_active":      {"in use", "使用中"},
	"state_unconfirmed": {"to be confirmed", "待确认"},
	"state_revoked":     {"revoked", "已停用"},
	"state_replaced":    {"replaced", "已更换"},
	"confirm_tablet":    {"Confirm", "确认"},
	"revoke_next":       {"At its next sync, the tablet is told that it was revoked. Until then it does not know.", "平板下次同步时会得知已停用，在此之前不知道。"},
	"revoke_unsent":     {"It had %s unsent at its last contact. What it still sends is kept among the held changes, where a coordinator decides on it.", "最后联系时有 %s 未发送。它之后发来的内容会保存在待处理更改中，由协调员决定。"},
	"revoke_unreadable": {"Then it destroys its key: what is stored on it can be read by nobody any more.", "随后它会销毁密钥，其中的内容任何人都无法再读取。"},
	"revoke_for_ever":   {"This can't be undone, not even by a backup. The worker needs a new enrolment code for another tablet.", "此操作不可撤销，恢复备份也不行。工作人员需要新的登记码才能使用另一台平板。"},
	"submit_revoke":     {"Revoke the tablet", "停用平板"},
	"replace_code":      {"You get an enrolment code for the new tablet.", "您将得到用于新平板的登记码。"},
	"replace_then":      {"Once the new tablet is enrolled with it, the old one is revoked. Until then the old one goes on working.", "新平板用它登记后，旧平板即停用；在此之前旧平板照常使用。"},
	"submit_replace":    {"Make the code", "生成登记码"},
}

// tabletsNumbers are what they say about a number.
var tabletsNumbers = map[string]counted{
	"changes": {"%d change", "%d changes", "%d 项更改"},
	"held":    {"%d held", "%d held", "%d 项待处理"},
	"copies":  {"runs in %d copy", "runs in %d copies", "有 %d 个副本在运行"},
}
