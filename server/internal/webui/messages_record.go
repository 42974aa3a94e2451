package webui

// recordMessages are those of the page of a record.
var recordMessages = map[string]message{
	"record_named":   {"%s %s", "%s %s"},
	"record_of_day":  {"%s, %s", "%s（%s）"},
	"record_by":      {"%s · %s", "%s · %s"},
	"record_deleted": {"%s (deleted)", "%s（已删除）"},
	"record_hidden":  {"a record that is not shown", "不予显示的记录"},
	"place_coded":    {"%s (%s)", "%s（%s）"},
	"place_edition":  {"list of %s", "%s年版"},
	"between_items":  {", ", "、"},
	"newer_field":    {"field %s of a newer version", "新版本的字段 %s"},
	"newer_value":    {"This version can't show it.", "当前版本无法显示。"},

	"title_arrival":        {"How it came", "来源"},
	"arrival_lead":         {"What one tablet sent at once, as far as you may see it.", "一台平板一次送来的内容（仅显示您可以查看的部分）。"},
	"arrival_server":       {"Made on the server.", "由服务器产生。"},
	"column_received":      {"Received", "收到时间"},
	"column_tablet_number": {"No. on the tablet", "平板上的序号"},
	"arrived_changes":      {"Changes", "更改"},
	"asked_for":            {"this one", "本条"},
	"arrived_applied":      {"taken in", "已采用"},
	"arrived_known":        {"known already", "已收到过"},
	"belongs_to":           {"Belongs to", "所属"},
	"record_fields":        {"What it says", "内容"},
	"record_below":         {"What belongs to it", "所含记录"},
	"record_history":       {"History", "历史"},
	"no_fields":            {"It says nothing any more.", "已没有内容。"},
	"missing_lead":         {"A draft, which counts nowhere yet. It lacks: %s.", "草稿，尚不计入统计。缺少：%s。"},
	"tablet_without_name":  {"without a name", "未命名"},
	"from_tablet":          {"from tablet %s", "平板 %s"},
	"by_server":            {"the server", "服务器"},
	"by_somebody":          {"somebody who is not known here any more", "已无记载的人"},

	"column_field": {"Field", "字段"},
	"column_value": {"Value", "内容"},
	"column_set":   {"Set by", "填写"},

	"state_deleted":  {"deleted", "已删除"},
	"state_draft":    {"draft", "草稿"},
	"state_approved": {"approved", "已通过"},
	"state_lapsed":   {"changed since it was approved", "通过后有改动"},
	"state_returned": {"returned, waits for the worker", "已退回，等工作人员修改"},
	"state_answered": {"returned, and changed since", "退回后已修改"},

	"lapsed":         {"Changed since it was approved on %s: %s. It counts as verified again when it is approved as it is now.", "%s 通过审核之后又有改动：%s。按现在的内容再次通过后，才重新计入已核实。"},
	"after_review":   {"after the review of %s", "在 %s 的审核之后"},
	"ended_approval": {"changed since it was approved on %s", "%s 通过审核后的改动，该次审核不再有效"},

	"event_made":       {"made", "新建"},
	"event_edited":     {"edited", "修改"},
	"event_deleted":    {"deleted", "删除"},
	"event_restored":   {"restored", "恢复"},
	"event_given_back": {"returned by a tablet after the server was restored", "服务器恢复后由平板送回"},
	"event_held":       {"waits for a decision", "待处理"},
	"event_discarded":  {"not used, as somebody decided", "经决定不采用"},
	"event_erased":     {"erased", "已清除"},
	"event_approved":   {"approved", "审核通过"},
	"event_returned":   {"returned", "审核退回"},
}

// recordNumbers are what it says about a number.
var recordNumbers = map[string]counted{
	"people_by_code": {"%d person, known by a code", "%d people, known by codes", "%d 人（以代号登记）"},
	"further_below":  {"and %d more", "and %d more", "另有 %d 条"},
}
