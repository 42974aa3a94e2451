package importing

import "levee/syncproto/words"

// What is wrong with a file as a whole.
var (
	tooLarge         = words.Message{EN: "The file is larger than %d MiB. Divide it.", ZH: "文件超过 %d MiB，请分成几个文件。"}
	tooLargeUnpacked = words.Message{EN: "Unpacked, the file is larger than %d MiB. Divide it.", ZH: "文件解压后超过 %d MiB，请分成几个文件。"}
	tooManyFiles     = words.Message{EN: "There are more than %d files or sheets in it. Divide it.", ZH: "其中超过 %d 个文件或工作表，请分成几个文件。"}
	tooLong          = words.Message{EN: "The file has more than %d rows, or too many cells. Divide it.", ZH: "文件超过 %d 行，或单元格过多，请分成几个文件。"}
	tooWide          = words.Message{EN: "The row has more than %d cells.", ZH: "这一行超过 %d 个单元格。"}
	unreadable       = words.Message{EN: "This can't be read. Open it in the spreadsheet and save it again.", ZH: "无法读取，请用表格软件打开后重新保存。"}
	notText          = words.Message{EN: "This is no text file. In the spreadsheet, save it as “CSV UTF-8” or as a workbook (.xlsx).", ZH: "这不是文本文件，请在表格软件中另存为“CSV UTF-8”或工作簿（.xlsx）。"}
	wrongQuotes      = words.Message{EN: "A quotation mark is out of place.", ZH: "引号有误。"}
	unknownKind      = words.Message{EN: "What is in the file? Say so, or call the file by it, such as “community_activity.csv”.", ZH: "文件里是什么内容？请选择，或以其命名文件，例如“团体活动.csv”。"}
	nothingToImport  = words.Message{EN: "The file has no row that can be imported. Files and sheets must be called as in an export, with the headings above the rows.", ZH: "文件中没有可以导入的行。文件和工作表须按导出时的名称命名，表头在各行之上。"}
	noColumn         = words.Message{EN: "None of the headings is one of this table. Are they in its first row?", ZH: "表头都无法识别。第一行是表头吗？"}
	twoColumns       = words.Message{EN: "Two columns say the same.", ZH: "有两列重复。"}
	formula          = words.Message{EN: "There is a formula in the cell. Copy the column and paste its values over it.", ZH: "单元格里是公式，请复制该列并“粘贴为数值”。"}
)

// What is wrong with a row.
var (
	missing       = words.Message{EN: "This is needed. Where it is not known, “unknown” is an answer to a choice.", ZH: "此项必填；选项不清楚时可填“不详”。"}
	missingColumn = words.Message{EN: "The table has no column “%s”, which is needed.", ZH: "表中没有必填的“%s”列。"}
	sameID        = words.Message{EN: "The row %d has the same id.", ZH: "与第 %d 行编号相同。"}
	otherKind     = words.Message{EN: "A record of another kind has this id.", ZH: "这个编号属于另一类记录。"}
	ownerMissing  = words.Message{EN: "Nothing that this could belong to has this id, in the file or in the deployment.", ZH: "文件和本次行动中都没有这个编号所指的上级记录。"}
	ownerUnclear  = words.Message{EN: "Rows of several tables are called so. Call each in another way.", ZH: "有几个表中的行都用这个编号，请改用不同的编号。"}
	duplicateOf   = words.Message{EN: "No record of the same kind has this id, in the file or in the deployment.", ZH: "文件和本次行动中都没有这个编号的同类记录。"}
	notYourTeam   = words.Message{EN: "This belongs to a team that is not yours. Only a coordinator may import it.", ZH: "这属于其他服务队，只有协调员可以导入。"}
	noTeam        = words.Message{EN: "Say the team. Only a coordinator makes records that belong to the whole deployment.", ZH: "请填写服务队；只有协调员可以添加属于整个行动的记录。"}
)
