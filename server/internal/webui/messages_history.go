package webui

// historyMessages are those of the import of records from paper and spreadsheets.
var historyMessages = map[string]message{
	"nav_history":   {"Import", "导入记录"},
	"title_history": {"Import records", "导入记录"},

	"history_lead":    {"Records that were kept on paper or in a spreadsheet, and exports of Levee. You see first what the file comes to; nothing is made before you agree.", "导入纸质记录、表格中的记录或本系统的导出文件。先预览结果，确认之前不会添加任何内容。"},
	"history_columns": {"A workbook (.xlsx) with a sheet a kind, a CSV file, or a ZIP file of CSV files. Sheets and files are called by what is in them, such as “Outreach”; headings are those of the empty files below or of an export, in English or Chinese. Sites, teams and workers stand by their names.", "可用工作簿（.xlsx，每类一个工作表）、CSV 文件或由 CSV 文件组成的 ZIP 文件。工作表和文件以内容命名，例如“走访”；表头与下面的空白模板或导出文件相同，中英文均可。服务点、服务队和工作人员填写名称。"},
	"history_ids":     {"What belongs together is tied by the column “id”: write a mark of your own there, such as A1, and the same mark in the rows that belong to it.", "有从属关系的行用“编号”列对应：在该列自定一个编号，例如 A1，并在从属的行中填写同一编号。"},
	"history_again":   {"The same file again makes nothing twice. What is there already is never overwritten.", "重复导入同一文件不会重复添加；已有的记录不会被覆盖。"},
	"history_file":    {"XLSX, CSV or ZIP, up to %d MiB and %s rows.", "XLSX、CSV 或 ZIP 文件，不超过 %d MiB、%s 行。"},
	"field_rows_of":   {"What the rows are", "各行的内容"},
	"hint_rows_of":    {"Only where the name of the file does not say it.", "文件名未写明时选择。"},

	"title_history_preview": {"Preview of the import", "导入预览"},
	"history_preview":       {"To be made: %s, in your name. Nothing is made yet.", "将以您的名义添加 %s。目前尚未添加任何内容。"},
	"history_nothing":       {"Everything in the file is there already. There is nothing to import.", "文件中的内容都已存在，没有可以导入的。"},
	"history_tables":        {"What is in the file", "文件内容"},
	"history_faults":        {"What has to be mended", "需要修改的内容"},
	"history_made":          {"To be made", "将添加"},
	"history_same":          {"There already", "已存在"},
	"history_differs":       {"There and different", "已存在但内容不同"},
	"history_differing":     {"Records that are there already and say something else by now are left as they are.", "已存在但内容不同的记录保持不变。"},
	"history_left_out":      {"Nothing is imported of these: %s. Sites, teams and workers are imported in the set-up; what is confidential is not imported.", "以下内容不导入：%s。服务点、服务队和工作人员在设置中导入；保密内容不导入。"},
	"history_unregistered":  {"Registered people are left out, since the file does not have what they are known by: %s. Count those on paper as heads.", "文件中没有登记人员的代号，以下内容不导入：%s。纸质记录中的人员请按计数填写。"},
	"history_column":        {"%s “%s”", "%s “%s”"},
	"column_sheet":          {"File or sheet", "文件或工作表"},
	"column_of_file":        {"Column", "列"},
	"wrong_history_plan":    {"Something was changed since this preview. Look at it again, and then import.", "预览之后内容已有变动，请重新核对后再导入。"},
	"done_history":          {"Imported. Tablets get the records at their next sync.", "已导入，各平板下次同步时收到这些记录。"},
}

// historyNumbers are what they say about a number.
var historyNumbers = map[string]counted{
	"records":       {"%d record", "%d records", "%d 条记录"},
	"history_wrong": {"%d thing has to be mended in the file. Nothing is imported before that.", "%d things have to be mended in the file. Nothing is imported before that.", "文件中有 %d 处需要修改，修改之前不会导入任何内容。"},
	"history_more":  {"and %d more", "and %d more", "另有 %d 处"},
}
