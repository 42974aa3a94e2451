package webui

// searchMessages are those of the search.
var searchMessages = map[string]message{
	"title_search":      {"Search", "搜索"},
	"field_q":           {"Look for", "查找内容"},
	"hint_q":            {"Words, numbers and names, such as 心理 讲座 or WZ-001. All of them must be there.", "可输入词语、编号、姓名，如“心理 讲座”“WZ-001”；多个词须同时出现。"},
	"field_of_kind":     {"Only in records of", "只查这一类记录"},
	"wrong_search":      {"Type a word, a number or a name.", "请输入词语、编号或姓名。"},
	"wrong_search_long": {"That is too much at once. Type at most eight words.", "内容过多，请最多输入八个词。"},
	"search_names":      {"People, teams, sites", "人员、服务队、服务点"},
	"search_records":    {"Records", "记录"},
	"search_none":       {"Nothing that you may see has all of this. Try fewer words, or part of them.", "您可查看的内容里没有找到。请减少词语，或只输入一部分。"},
	"search_first":      {"A single character finds only what begins with it, such as a surname.", "只输入一个字时，仅能找到以该字开头的内容，如姓氏。"},
	"search_secret":     {"confidential", "保密"},
}
