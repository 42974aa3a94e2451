package main

import (
	"levee/syncproto/record"

	recordv1 "levee/syncproto/levee/record/v1"
)

// Everything that this program says, in both languages. A message without one of them does not compile, and a test
// compares what each takes. 人数 (how many people) and 人次 (how often people came) are never mixed.

// about is the first line of help.
var about = message{
	"A tablet's program for field teams: logs work without any network, and syncs when there is one.",
	"现场服务队平板程序：没有网络也能记录，有网络时同步。",
}

// helps are the texts of help, by the names that stand in the grammar.
var helps = map[string]message{
	"store_flag":    {"The tablet's file ($LEVEE_STORE). It is made when it is not there.", "本机数据文件（$LEVEE_STORE），没有时自动建立。"},
	"profile_flag":  {"The file of this name beside the other, for several workers on one tablet ($LEVEE_PROFILE).", "同一文件夹中这个名称的数据文件，供多人共用一台平板（$LEVEE_PROFILE）。"},
	"pin_file_flag": {"Read the PIN from this file ($LEVEE_PIN_FILE), else from $LEVEE_PIN; else it is asked for.", "从文件读取 PIN（$LEVEE_PIN_FILE），否则取 $LEVEE_PIN，都没有时询问。"},
	"new_pin_flag":  {"Read the new PIN from this file ($LEVEE_NEW_PIN_FILE), else from $LEVEE_NEW_PIN; else it is asked for.", "从文件读取新 PIN（$LEVEE_NEW_PIN_FILE），否则取 $LEVEE_NEW_PIN，都没有时询问。"},
	"json_flag": {
		"Print one JSON object on standard output, for errors too: {\"error\": {\"code\": …, \"message\": …}}.",
		"在标准输出打印一个 JSON 对象；出错时也是：{\"error\": {\"code\": …, \"message\": …}}。",
	},
	"lang_flag": {"Language: zh or en. Default: that of the locale.", "语言：zh 或 en，默认按系统语言。"},
	"help_flag": {"Show help; also behind a command.", "显示帮助；也可写在命令后面。"},

	"enrol":     {"Make this tablet yours, with the code from your coordinator.", "用协调员给的登记码登记本机。"},
	"log":       {"Log a record. Works without any network.", "填写一条记录，不需要网络。"},
	"count":     {"Count the people in your own zone at an activity, a group session or an outreach.", "为一次活动、小组活动或走访填写您负责区域的人数。"},
	"update":    {"Change fields of a record.", "修改一条记录。"},
	"delete":    {"Delete a record. It can be restored.", "删除一条记录，可以恢复。"},
	"restore":   {"Restore a deleted record.", "恢复一条已删除的记录。"},
	"list":      {"List records, the newest day first.", "列出记录，最近的日期在前。"},
	"show":      {"Show a record and what belongs to it.", "显示一条记录和属于它的内容。"},
	"site":      {"Choose where you log, or show the sites.", "选择您所在的服务点，或列出服务点。"},
	"sync":      {"Send what is unsent and receive what is new. May be stopped at any time.", "发送本机未发送的更改，接收新的记录；可随时中止。"},
	"status":    {"Show what is sent, what is safe, and when the server was last reached.", "显示哪些已发送、哪些已安全保存，以及最后联系服务器的时间。"},
	"totals":    {"Show what the records on this tablet add up to.", "显示本机所见的统计。"},
	"held":      {"Show which changes are held, and why.", "显示待处理的更改及原因。"},
	"discard":   {"Decide that a held change of yours is not to be applied.", "决定不采用一项待处理的更改（本人的）。"},
	"release":   {"Decide that a held change is to be applied after all; for team leads and supervisors.", "决定仍采用一项待处理的更改（限队长、督导）。"},
	"conflicts": {"Show fields that two people filled in differently.", "显示两处填写不一致的内容。"},
	"rescue":    {"Save what is unsent in a damaged file, and make the file anew.", "保存损坏文件中未发送的内容，并重建文件。"},

	"code_argument": {"The enrolment code, as copied; or the server's address and the code as typed. It may be broken into parts.", "复制来的登记码；或者服务器地址加手工输入的登记码。登记码可以分成几段。"},
	"pin":           {"Change the PIN.", "修改 PIN。"},
	"profiles":      {"Show whose files are on this tablet; --profile chooses one.", "列出本机上各人的数据文件；用 --profile 选择。"},

	"id_argument":       {"The record: its id, at least 4 of the first or last digits of it, or its name or case number.", "记录的编号，或编号开头或结尾的至少 4 位，或名称、个案编号。"},
	"activity_argument": {"The activity: its id, at least 4 of the first or last digits of it, or its name.", "活动的编号，或编号开头或结尾的至少 4 位，或名称。"},
	"fields_argument":   {"What to set, such as minutes=90. A field that takes several values may be named several times.", "要修改的内容，如 minutes=90 或 时长=90；可填多项的可以写多次。"},
	"change_argument":   {"The change: its id, or at least 4 of the first or last digits of one that is held here.", "更改的编号；本机待处理的更改可只写编号开头或结尾的至少 4 位。"},
	"kind_argument":     {"A kind, such as case-session, or activities.", "类别，如 case-session（或 个案服务记录）；activities 指各类活动。"},
	"site_argument":     {"The site to log at from now on: its name or id.", "从现在起所在的服务点：名称或编号。"},

	"name_flag":    {"What people call this tablet. Default: the machine's name.", "这台平板的称呼，默认用机器名。"},
	"reason_flag":  {"Why.", "理由。"},
	"draft_flag":   {"Keep it even when required fields (*) are missing. A draft does not count.", "必填项（*）不全也保存为草稿；草稿不计入统计。"},
	"clear_flag":   {"Empty this field. May be repeated.", "清空这一项，可写多次。"},
	"day_flag":     {"Only this day.", "只看这一天。"},
	"from_flag":    {"From this day on.", "从这一天起。"},
	"to_flag":      {"Up to this day.", "到这一天为止。"},
	"mine_flag":    {"Only the cases that you lead or work on.", "只看您主责或参与的个案。"},
	"deleted_flag": {"Deleted records too.", "包括已删除的记录。"},
	"limit_flag":   {"How many at most, up to 500. Default: 50.", "最多几条，不超过 500，默认 50。"},
	"after_flag":   {"Go on where the page before ended.", "从上一页结束处继续。"},
	"own_flag":     {"Leave it to your own or your team's site.", "恢复为您自己或本队的服务点。"},
	"as_of_flag":   {"Count up to this day. Default: today.", "统计到这一天，默认今天。"},

	"word_text":   {"TEXT", "文字"},
	"word_file":   {"FILE", "文件"},
	"word_name":   {"NAME", "名称"},
	"word_field":  {"FIELD", "项目"},
	"word_date":   {"DATE", "日期"},
	"word_number": {"NUMBER", "数字"},
}

// kindHelps say what each kind is for.
var kindHelps = map[record.Kind]message{
	recordv1.Kind_KIND_CASE:               {"a person or family served over time", "一个人或一家的持续服务"},
	recordv1.Kind_KIND_CASE_IDENTITY:      {"who a client of a case is; confidential", "服务对象的身份；保密"},
	recordv1.Kind_KIND_CONSENT:            {"what a client agreed to; confidential", "服务对象的同意；保密"},
	recordv1.Kind_KIND_CASE_SESSION:       {"one meeting with the clients of a case", "一次个案服务"},
	recordv1.Kind_KIND_CASE_NOTE:          {"what happened in a case session; confidential", "个案服务的过程；保密"},
	recordv1.Kind_KIND_OUTREACH:           {"a round of visits or calls", "一轮入户或电话探访"},
	recordv1.Kind_KIND_GROUP:              {"a group that meets several times", "多次活动的小组"},
	recordv1.Kind_KIND_GROUP_SESSION:      {"one meeting of a group", "小组的一节活动"},
	recordv1.Kind_KIND_GROUP_NOTE:         {"what happened in a group session; confidential", "小组活动的过程；保密"},
	recordv1.Kind_KIND_COMMUNITY_ACTIVITY: {"an activity for whoever comes", "面向大家的活动"},
	recordv1.Kind_KIND_PARTICIPANT:        {"a registered person, without a name", "登记的参与者，不含姓名"},
	recordv1.Kind_KIND_ATTENDANCE:         {"one participant at one activity", "一位参与者参加一次活动"},
	recordv1.Kind_KIND_RESOURCE_LINK:      {"a need, and what was found to meet it", "一项需求和为它找到的资源"},
	recordv1.Kind_KIND_REFERRAL:           {"a case handed to another organisation", "把个案转介给其他机构"},
	recordv1.Kind_KIND_REFERRAL_NOTE:      {"what the other organisation is told; confidential", "交接给对方机构的内容；保密"},
	recordv1.Kind_KIND_RISK_ALERT:         {"somebody is in danger; confidential", "有人处于危险之中；保密"},
	recordv1.Kind_KIND_SUPERVISION:        {"a supervision meeting", "一次督导"},
	recordv1.Kind_KIND_SUPERVISION_NOTE:   {"what the supervisor advised; confidential", "督导的意见；保密"},
	recordv1.Kind_KIND_REVIEW:             {"a supervisor's judgement of a record as it stands", "督导对一条记录的审核"},
}

// placeholders stand for values in help.
var placeholders = map[form]message{
	aText:      {"TEXT", "文字"},
	aNumber:    {"NUMBER", "数字"},
	aDate:      {"2021-09-23", "2021-09-23"},
	anInstant:  {"2021-09-23T14:05", "2021-09-23T14:05"},
	aYesOrNo:   {"yes|no", "是|否"},
	aChoice:    {"CHOICE", "选项"},
	anAgeBand:  {"18-59", "18-59"},
	aReference: {"ID", "编号"},
	aCode:      {"CODE", "代号"},
	aCompound:  {"PARTS", "各部分"},
}

// Help.
var (
	usageIs          = message{"Usage: %s [flags]", "用法：%s [选项]"}
	wordCommand      = message{"command", "命令"}
	titleArguments   = message{"Arguments:", "参数："}
	titleCommands    = message{"Commands:", "命令："}
	titleFlags       = message{"Flags:", "选项："}
	titleCommonFlags = message{"Flags of all records:", "各类记录共有的选项："}
	titleGlobalFlags = message{"Flags of all commands:", "各命令共有的选项："}
	moreHelp         = message{
		"Behind a command, --help shows what it takes; required fields are marked *. Exit codes: 0 done, 1 it could not be done, 2 the command was not understood.",
		"命令后加 --help 显示它的用法，必填项标有 *。退出码：0 完成，1 没有完成，2 命令写法不对。",
	}
	kindHelp  = message{"%s: %s", "%s：%s"}
	cellsLike = message{"%s, such as female,18-59,first=12,returning=3; repeat it for each", "%s，如 女,18-59,first=12,returning=3；每组写一次"}
)

// What is wrong with a command.
var (
	notUnderstood    = message{"The command was not understood (%s).\nSee: %s --help", "命令写法不对（%s）。\n用法见：%s --help"}
	noStore          = message{"Say where the tablet's file is, with --store.", "请用 --store 指明本机数据文件。"}
	folderFails      = message{"The folder of the tablet's file can't be made: %s", "无法建立数据文件所在的目录：%s"}
	ownFault         = message{"Something went wrong in this program: %s. What was saved is safe.", "程序出错：%s。已保存的内容不受影响。"}
	incident         = message{" (number %s)", "（编号 %s）"}
	badValue         = message{"“%s” does not fit %s (%s): %s.", "“%s”不能用作“%s”（%s）：%s。"}
	badFlag          = message{"“%s” does not fit --%s: %s.", "“%s”不能用作 --%s：%s。"}
	fieldSays        = message{"%s (%s): %s", "%s（%s）：%s"}
	onlyOnce         = message{"it takes one value", "只能填一项"}
	likeADate        = message{"write a day that exists, such as 2021-09-23", "请写存在的日期，如 2021-09-23"}
	likeAnInstant    = message{"write day and time, such as 2021-09-23T14:05", "请写日期和时间，如 2021-09-23T14:05"}
	likeACode        = message{"a code has 32 digits from 0 to f", "代号是 32 位 0 到 f 的数字"}
	yesOrNo          = message{"write yes or no", "请写 是 或 否"}
	wholeNumber      = message{"write a whole number, without signs between digits", "请写整数，数字之间不加符号"}
	oneOf            = message{"choose from %s", "可选：%s"}
	partsAre         = message{"its parts are %s, in this order or by name, such as first=12", "各部分为 %s，按顺序写，或写成 first=12"}
	noSuchRecord     = message{"No record on this tablet has an id that begins or ends with “%s”, or this name.", "本机没有编号以“%[1]s”开头或结尾、或名称为“%[1]s”的记录。"}
	ambiguousID      = message{"“%s” fits several records. Give more of the id:\n%s", "“%s”符合多条记录，请多写几位编号：\n%s"}
	noSuchField      = message{"A %s has no field “%s”. It has: %s", "%s没有“%s”这一项。可用：%s"}
	noSuchKind       = message{"There is no kind “%s”. Kinds: %s", "没有“%s”这个类别。可用：%s"}
	onlyCasesAreMine = message{"--mine lists cases.", "--mine 只用于个案。"}
	nothingToChange  = message{"Say what to change, such as minutes=90, or --clear minutes.", "请写要修改的内容，如 时长=90，或 --clear 时长。"}
	notOnTablets     = message{"A %s is not changed on tablets. Ask your coordinator.", "平板上不能修改%s，请联系协调员。"}
	newerRecord      = message{"Only a newer version of this program can read this record. Update the program.", "这条记录需要更新版本的程序才能读取，请更新程序。"}
	fieldsMissing    = message{"Still needed: %s. Fill them in, or add --draft to keep it as a draft.", "还缺必填项：%s。请补全；或加 --draft 先存为草稿。"}
	labelAndFlag     = message{"%s (--%s)", "%s（--%s）"}
	cellsOrTotals    = message{"Give people by sex and age (--cell), or totals (--first, --returning, --unsure), not both.", "分组人数（--cell）和合计（--first、--returning、--unsure）只填一种。"}
	nobodyCounted    = message{
		"Say how many people: --cell \"female,18-59,first=12,returning=3\" (repeat it for each sex and age band), or --first, --returning and --unsure.",
		"请填人数：--cell \"女,18-59,first=12,returning=3\"（每个性别和年龄段写一次），或 --first、--returning、--unsure 合计。",
	}
)

// Values.
var (
	yes        = message{"yes", "是"}
	no         = message{"no", "否"}
	unknownAge = message{"unknown age", "年龄不详"}
	partIs     = message{"%s: %s", "%s：%s"}
	emptied    = message{"(empty)", "（清空）"}
	newerKind  = message{"record of a newer version", "新版本的记录"}
	newerField = message{"field of a newer version", "新版本的项目"}
)

// Records.
var (
	kindAndTitle   = message{"%s “%s”", "%s“%s”"}
	titleAndID     = message{"%s (%s)", "%s（%s）"}
	recordSaved    = message{"Saved on this tablet: %s (%s).", "已保存在本机：%s（%s）。"}
	recordDeleted  = message{"Deleted: %s (%s). It can be restored.", "已删除：%s（%s），可以恢复。"}
	recordRestored = message{"Restored: %s (%s).", "已恢复：%s（%s）。"}
	isDraft        = message{"A draft: it does not count until this is filled in: %s.", "草稿：补全以下内容前不计入统计：%s。"}
	marksAre       = message{"State: %s", "状态：%s"}
	belongingsAre  = message{"Belongs to it:", "属于它的记录："}
	nothingThere   = message{"Nothing here.", "没有记录。"}
	moreRecords    = message{"There is more: --after %s", "还有更多：--after %s"}
	countIs        = message{"%s counted: %s", "%s计数：%s"}
	attended       = counted{"%d participant registered", "%d participants registered", "登记参与者 %d 人"}

	markDeleted     = message{"deleted", "已删除"}
	markHeld        = message{"change held", "有更改待处理"}
	markUnconfirmed = message{"unconfirmed", "未确认"}
	markPlanned     = message{"planned", "计划"}
	markCancelled   = message{"cancelled", "取消"}
	markDuplicate   = message{"duplicate", "重复"}
	markDraft       = message{"draft", "草稿"}
	markUnsent      = message{"unsent", "未发送"}
	markSent        = message{"sent", "已发送"}
	markDurable     = message{"safe", "已安全保存"}

	riskAdvice = message{
		"First help, then record: phone first (%s, your supervisor), and do not leave the person alone. This alert is unconfirmed until a named person confirms it; one that was sent is not yet read.",
		"先救人，后记录：先打电话（%s、督导），不要让当事人独处。有专人确认之前，本条为未确认；已发送不等于有人看到。",
	}
)

// Enrolling, status and sites.
var (
	enrolled    = message{"This tablet is now that of %s in “%s”. From here on it works without the network.", "本机已登记：%s，行动“%s”。从现在起没有网络也能使用。"}
	notEnrolled = message{"This tablet is not enrolled. Ask your coordinator for a code, then: levee enrol CODE", "本机尚未登记。请向协调员索取登记码，然后运行：levee enrol 登记码"}
	noAddress   = message{
		"A code that is typed needs the server's address before it: levee enrol ADDRESS CODE",
		"手工输入登记码时，要先写服务器地址：levee enrol 地址 登记码",
	}
	isRevoked = message{
		"This tablet was revoked: nothing on it can be read any more. %s to be sent; run: levee sync",
		"本机已停用，内容不能再查看。还有%s要发送，请运行：levee sync",
	}
	titleDeployment   = message{"Deployment", "行动"}
	titleWorker       = message{"Worker", "工作人员"}
	titleSite         = message{"Site", "服务点"}
	titleServer       = message{"Server", "服务器"}
	titleChanges      = message{"Changes", "更改"}
	titleHeld         = message{"Held", "待处理"}
	titleConflicts    = message{"Conflicts", "填写不一致"}
	titleRecords      = message{"Records here", "本机记录"}
	titleContact      = message{"Last contact", "最后联系"}
	titleClock        = message{"Clock", "时间"}
	workerOfTeam      = message{"%s, %s", "%s，%s"}
	changesAre        = message{"%s, %s, %s", "%s，%s，%s"}
	seeHeld           = message{"%s; see: levee held", "%s，见 levee held"}
	seeConflicts      = message{"%s; see: levee conflicts", "%s，见 levee conflicts"}
	clockIsCorrected  = message{"corrected by %s", "已校正 %s"}
	never             = message{"never", "从未"}
	chosenSite        = message{"you log here", "您在这里"}
	alertsUnconfirmed = message{"%s unconfirmed.", "%s未确认。"}
)

// Syncing.
var (
	progressIs     = message{"sending %s of %s, receiving %s of %s", "发送 %s/%s，接收 %s/%s"}
	howManyUnknown = message{"not yet known", "数量未知"}
	syncDone       = message{"Synced: %s sent, %s received.", "同步完成：发送 %s，接收 %s。"}
	syncCost       = message{"%s; %s up, %s down.", "请求 %s，上传 %s，下载 %s。"}
	syncHeld       = message{"%s held; see: levee held", "%s待处理，见 levee held"}
	syncUnreadable = message{"%s can't be read by this version. Update the program.", "%s需要更新版本的程序才能读取，请更新程序。"}
	syncGaveBack   = message{"The server had lost records and got %s back from this tablet.", "服务器丢失过记录，已从本机补回 %s。"}
	syncNewReplica = message{"Another copy of this tablet is in use. Nothing is lost; tell your supervisor.", "另一台平板带着本机的同一份数据在使用。没有内容丢失，请告诉督导。"}
	isUnconfirmed  = message{
		"The server holds what this tablet sends until a coordinator has confirmed the tablet. Nothing is lost; tell your coordinator.",
		"协调员确认本机之前，服务器先保留本机发送的内容，暂不采用。没有内容丢失，请告诉协调员。",
	}
	clockCorrected = message{"This tablet's clock was corrected by %s.", "本机时间已校正 %s。"}
	syncStopped    = message{"Until it stopped: %s sent, %s received; %s still unsent.", "中止前：发送 %s，接收 %s；未发送 %s。"}
)

// Rescuing a damaged file.
var (
	askPIN            = message{"PIN: ", "请输入 PIN："}
	askNewPIN         = message{"Choose a PIN (at least 6 digits), or a passphrase: ", "请设置 PIN（至少 6 位数字）或口令："}
	askAgain          = message{"The same once more: ", "请再输入一次："}
	pinsDiffer        = message{"The two were not the same. Nothing was changed.", "两次输入不一致，没有作任何更改。"}
	pinChanged        = message{"The PIN was changed.", "PIN 已修改。"}
	pinFileFails      = message{"The PIN can't be read: %s", "无法读取 PIN：%s"}
	noProfiles        = message{"There are no files here yet.", "这里还没有数据文件。"}
	profileWithoutKey = message{"not locked yet, or its key is missing", "尚未加密，或缺少密钥文件"}

	rescued    = message{"The file was made anew; %s waiting to be sent. Everything else comes with the next sync: levee sync", "文件已重建；待发送 %s。其余内容会在下次同步时取回：levee sync"}
	rescueLost = message{"%s could not be read.", "%s无法读出。"}
	rescueKept = message{"The damaged file is kept: %s. What was read of it: %s", "损坏的文件已保留：%s。从中读出的内容：%s"}
)

// Held changes and conflicts.
var (
	nothingHeld     = message{"Nothing is held.", "没有待处理的更改。"}
	heldAre         = message{"%s held: kept by the server, but not applied.", "%s待处理：服务器已保留，尚未采用。"}
	heldHeading     = message{"%d. %s (%s), logged %s", "%d. %s（%s），填写于 %s"}
	heldBecause     = message{"   Held: %s", "   待处理：%s"}
	heldChange      = message{"   Change: %s", "   更改编号：%s"}
	heldToRelease   = message{"   Decided: to be applied, once the server has the decision.", "   已决定：采用，待服务器收到后执行。"}
	heldToDiscard   = message{"   Decided: not to be applied, once the server has the decision.", "   已决定：不采用，待服务器收到后执行。"}
	changeReleased  = message{"Saved on this tablet: change %s is to be applied. The server does it at the next sync.", "已保存在本机：决定采用更改 %s，下次同步时由服务器执行。"}
	changeDiscarded = message{"Saved on this tablet: change %s is not to be applied. It stays where it is held.", "已保存在本机：决定不采用更改 %s，其内容仍保留。"}
	noSuchHeld      = message{"No held change on this tablet has an id that begins or ends with “%s”, or several have. See: levee held", "本机没有编号以“%s”开头或结尾的待处理更改，或有多项。见 levee held"}
	heldContent     = message{"   Content: %s", "   内容：%s"}
	noConflicts     = message{"Nothing was filled in differently.", "没有填写不一致的内容。"}
	conflictsAre    = message{"%s filled in differently by two people. A supervisor settles it.", "两处填写不一致：%s，由督导处理。"}
	conflictHeading = message{"%d. %s (%s), %s", "%d. %s（%s），%s"}
	conflictSide    = message{"   %s, %s: %s", "   %s，%s：%s"}
	conflictWinner  = message{"   %s, %s: %s (stands now)", "   %s，%s：%s（现在采用）"}
	somebody        = message{"somebody", "有人"}
)

// Totals.
var (
	totalsAre        = message{"As seen on this tablet, up to %s: %s of service.", "本机所见，截至 %s：服务 %s。"}
	publishedFigures = message{"%s, %s, %s, %[5]s reached (beneficiaries).", "个案 %s，小组活动 %s，%[4]s %[3]s，受益人群 %[5]s（人数）。"}
	otherFigures     = message{"%s, %s, %s.", "服务 %s，个案服务 %s，走访 %s。"}
	someEstimated    = message{"Of them %s estimated.", "其中估算 %s。"}
	titleBySite      = message{"By site", "按服务点"}
	titleByArea      = message{"By service area", "按服务领域"}
	titlePersons     = message{"People", "人数"}
	titleContacts    = message{"Contacts", "人次"}
	withoutSite      = message{"(no site)", "（未填服务点）"}
	personsOverlap   = message{"Who came to several sites counts once in the whole, so the people of the sites add up to more.", "到过几个服务点的人在总数中只计一次，所以各点人数相加会大于总数。"}
	completeAsFar    = message{"How complete: %s, %s, %s; last contact with the server: %s.", "完整程度：%s，%s，%s；最后联系服务器：%s。"}
	onlyThisTablet   = message{"Only what is on this tablet: your own team's records. The whole is known to the server.", "只含本机的记录，即本队的工作；全部数字以服务器为准。"}
)

// Numbers with their nouns.
var (
	changesCount       = counted{"%d change", "%d changes", "%d 项更改"}
	recordsCount       = counted{"%d record", "%d records", "%d 条记录"}
	requestsCount      = counted{"%d request", "%d requests", "%d 次"}
	bytesCount         = counted{"%d byte", "%d bytes", "%d 字节"}
	fieldsCount        = counted{"%d field", "%d fields", "%d 处"}
	alertsCount        = counted{"%d risk alert", "%d risk alerts", "%d 条风险上报"}
	unsentCount        = counted{"%d unsent", "%d unsent", "未发送 %d 项"}
	sentCount          = counted{"%d sent", "%d sent", "已发送 %d 项"}
	safeCount          = counted{"%d safe", "%d safe", "已安全保存 %d 项"}
	heldCount          = counted{"%d held", "%d held", "待处理 %d 项"}
	conflictCount      = counted{"%d conflict", "%d conflicts", "填写不一致 %d 处"}
	daysCount          = counted{"%d day", "%d days", "%d 天"}
	casesCount         = counted{"%d case", "%d cases", "%d 个"}
	groupSessionsCount = counted{"%d group session", "%d group sessions", "%d 节"}
	activitiesCount    = counted{"%d community activity", "%d community activities", "%d 场"}
	personsCount       = counted{"%d person", "%d people", "%d 人"}
	contactsCount      = counted{"%d contact", "%d contacts", "%d 人次"}
	caseSessionsCount  = counted{"%d case session", "%d case sessions", "%d 次"}
	outreachCount      = counted{"%d outreach", "%d outreaches", "%d 轮"}
)
