package webui

// exportsMessages are those of exports.
var exportsMessages = map[string]message{
	"nav_exports": {"Exports", "导出"},

	"title_exports":             {"Exports", "导出"},
	"title_export_confidential": {"Export what is confidential", "导出保密内容"},
	"exports_lead":              {"Files of what is here, all of one moment. A file is made in the background; one at a time, and each is kept for an hour.", "将数据导出为文件，内容均为同一时刻。文件在后台生成，每次一个，保留一小时。"},
	"exports_whole":             {"Of all teams.", "包括所有服务队。"},
	"exports_teams":             {"Of your teams alone: %s.", "只包括您的服务队：%s。"},
	"exports_ordered":           {"Your files", "您的文件"},
	"exports_none":              {"You have no files.", "您没有文件。"},
	"exports_new":               {"A new file", "新建文件"},
	"submit_export":             {"Make the file", "生成文件"},
	"exports_plain":             {"Without what is confidential: no identities, consents, notes, alerts, codes of people, or phones of workers.", "不含保密内容：没有个案身份信息、知情同意、笔记、风险上报、人员代号和工作人员电话。"},
	"exports_confidential":      {"Export what is confidential too", "同时导出保密内容"},

	"field_format":         {"Format", "格式"},
	"format_csv":           {"CSV", "CSV 文件"},
	"format_csv_holds":     {"a file for each kind of record, and the totals; in a ZIP file", "每类记录一个文件，另附统计数字；打包为 ZIP"},
	"format_geojson":       {"GeoJSON", "GeoJSON 地图"},
	"format_geojson_holds": {"the sites on a map with their totals; for others, without numbers of fewer than five people", "服务点地图和各点统计数字；供对外提供，不含少于五人的数字"},
	"format_hxl":           {"HXL", "HXL 表"},
	"format_hxl_holds":     {"who did what, where and when, as humanitarian partners exchange it; for others, without numbers of fewer than five people", "何人、何事、何地、何时（4W 表），人道机构通用的格式；供对外提供，不含少于五人的数字"},
	"format_xlsx":          {"Excel", "Excel 工作簿"},
	"format_xlsx_holds":    {"a sheet for each kind of record, and the totals", "每类记录一张工作表，另附统计数字"},

	"column_format":       {"Format", "格式"},
	"column_ordered":      {"Ordered", "下单时间"},
	"column_file":         {"File", "文件"},
	"export_confidential": {"confidential", "保密"},
	"export_running":      {"being made", "生成中"},
	"export_ready":        {"ready", "已生成"},
	"export_failed":       {"could not be made; try again", "未能生成，请重试"},
	"export_too_large":    {"too large; take it with leveed export", "文件过大，请用 leveed export 导出"},
	"export_progress":     {"%s of %s records", "已读 %s / %s 条记录"},
	"export_size":         {"%d KB", "大小 %d KB"},
	"export_until":        {"kept until %s", "保留至 %s"},
	"export_take":         {"Take the file", "下载"},
	"export_cancel":       {"Break off", "中止"},
	"export_remove":       {"Remove", "删除"},
	"done_export_removed": {"Removed.", "已删除。"},

	"wrong_export_running": {"Another file is being made. Wait until it is ready, or break it off.", "另一个文件正在生成。请等它完成，或将其中止。"},

	"confidential_what":          {"The file holds who clients are, notes, alerts, and phones of workers, as far as you may see them here. Nobody can take it back from where it goes.", "文件包含您有权查看的个案身份信息、笔记、风险上报和工作人员电话。文件一旦传出，无法收回。"},
	"confidential_noted":         {"That you made it is noted in the audit log.", "您的这次导出会记入审计日志。"},
	"confidential_keep":          {"Keep it sealed, give it to nobody who may not see this, and delete it when it is no longer needed.", "请加密保管，不要交给无权查看的人，不再需要时删除。"},
	"submit_export_confidential": {"Make the file with what is confidential", "生成含保密内容的文件"},
}
