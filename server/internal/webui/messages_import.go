package webui

// importMessages are those of the import of sites, teams and workers.
var importMessages = map[string]message{
	"import_file":          {"Import a file", "导入文件"},
	"import_lead":          {"Sites, teams or workers from a spreadsheet, saved as CSV. You see first what it comes to; nothing is changed before you agree. Import sites first, then teams, then workers.", "从表格（另存为 CSV）导入服务点、服务队或工作人员。先预览结果，确认之前不会作任何修改。请依次导入服务点、服务队、工作人员。"},
	"import_cells":         {"The first line has the headings, in English or Chinese. A row is matched by its name: what is there is changed, the rest is added. An empty cell leaves things as they are. Coordinates are WGS 84; those of Chinese map apps are off by some hundred metres.", "第一行为表头，中英文均可。按名称对应：已有的作修改，没有的添加。空单元格表示不修改。经纬度为 WGS 84；国内地图软件的坐标会偏几百米。"},
	"import_template":      {"Empty file for %s", "空白模板：%s"},
	"import_unknown":       {"These columns say nothing here and are left out: %s.", "以下各列无法识别，已忽略：%s。"},
	"import_other":         {"Choose another file", "选择其他文件"},
	"title_import_preview": {"Preview: %s", "预览：%s"},
	"workers":              {"Workers", "工作人员"},

	"field_sort": {"What it is", "内容"},
	"field_file": {"File", "文件"},
	"hint_file":  {"CSV, up to 1 MiB and 2,000 rows.", "CSV 文件，不超过 1 MiB、2000 行。"},

	"submit_preview": {"Show the preview", "预览"},
	"submit_import":  {"Import", "导入"},

	"preview_lead":  {"To be added: %s. To be changed: %s. As they are already: %s. Nothing is changed yet.", "将添加：%s；将修改：%s；无变化：%s。目前尚未作任何修改。"},
	"row_wrong":     {"to mend", "需修改"},
	"row_made":      {"new", "新增"},
	"row_changed":   {"changed", "修改"},
	"row_same":      {"as it is", "无变化"},
	"cell_wrong":    {"“%s”: %s. %s", "“%s”：%s。%s"},
	"quoted":        {"“%s”", "“%s”"},
	"cell_empty":    {"empty", "空"},
	"field_changes": {"%s: %s → %s", "%s：由 %s 改为 %s"},

	"column_line":   {"Row", "行"},
	"column_detail": {"What", "说明"},

	"done_imported": {"Imported. Tablets learn of it at their next sync.", "已导入，各平板下次同步时获知。"},

	"wrong_file_missing":  {"Choose a file.", "请选择文件。"},
	"wrong_file_large":    {"This file is larger than %d MiB.", "文件超过 %d MiB。"},
	"wrong_table_text":    {"This is no text file. In the spreadsheet, save it as “CSV UTF-8”.", "这不是文本文件，请在表格软件中另存为“CSV UTF-8”。"},
	"wrong_table_quotes":  {"A quotation mark is out of place in row %d.", "第 %d 行的引号有误。"},
	"wrong_table_cell":    {"A cell in row %d is too long.", "第 %d 行有单元格内容过长。"},
	"wrong_table_wide":    {"Row %d has more than %d cells.", "第 %d 行超过 %d 个单元格。"},
	"wrong_table_long":    {"The file has more than %d rows. Divide it.", "文件超过 %d 行，请分成几个文件。"},
	"wrong_table_empty":   {"The file has no row below its headings.", "表头之下没有任何行。"},
	"wrong_table_twice":   {"Two columns say the same: “%s”.", "有两列重复：“%s”。"},
	"wrong_table_name":    {"The file has no column “%s”. Are the headings on its first line?", "文件没有“%s”列。第一行是表头吗？"},
	"wrong_row_twice":     {"This name is in row %d already.", "与第 %d 行名称重复。"},
	"wrong_ambiguous":     {"There are several of this name, so it can't be said which is meant. Edit them one by one.", "有多个同名项，无法确定是哪一个，请逐个修改。"},
	"wrong_no_site":       {"There is no site “%s”. Import the sites first.", "没有服务点“%s”，请先导入服务点。"},
	"wrong_no_such_team":  {"There is no team “%s”. Import the teams first.", "没有服务队“%s”，请先导入服务队。"},
	"wrong_many_places":   {"%d places or more are called so. Write the county before the town, or give the code.", "有 %d 个以上同名地点，请在乡镇前写明县（市、区），或填写代码。"},
	"wrong_yes_no":        {"Yes or no.", "请填“是”或“否”。"},
	"wrong_one_of":        {"One of: %s.", "应为：%s。"},
	"wrong_no_supervisor": {"For supervisors only.", "仅督导可填。"},
	"wrong_plan":          {"The set-up was changed since this preview. Look at it again, and then import.", "预览之后设置已有变动，请重新核对后再导入。"},
}

// importNumbers are what they say about a number.
var importNumbers = map[string]counted{
	"rows":       {"%d row", "%d rows", "%d 行"},
	"rows_more":  {"and %d more row", "and %d more rows", "另有 %d 行"},
	"rows_wrong": {"%d row has to be mended in the file. Nothing is imported before that.", "%d rows have to be mended in the file. Nothing is imported before that.", "文件中有 %d 行需要修改，修改之前不会导入任何内容。"},
}
