package main

import (
	"levee/syncproto/record"
	"levee/syncproto/words"

	recordv1 "levee/syncproto/levee/record/v1"
)

// Everything that this program says, in both languages. A message without one of them does not compile, and a test
// compares what each takes. 人数 (how many people) and 人次 (how often people came) are never mixed.

// about is the first line of help.
var about = words.Message{
	EN: "A tablet's program for field teams: logs work without any network, and syncs when there is one.",
	ZH: "现场服务队平板程序：没有网络也能记录，有网络时同步。",
}

// helps are the texts of help, by the names that stand in the grammar.
var helps = map[string]words.Message{
	"store_flag":    {EN: "The tablet's file ($LEVEE_STORE). It is made when it is not there.", ZH: "本机数据文件（$LEVEE_STORE），没有时自动建立。"},
	"profile_flag":  {EN: "The file of this name beside the other, for several workers on one tablet ($LEVEE_PROFILE).", ZH: "同一文件夹中这个名称的数据文件，供多人共用一台平板（$LEVEE_PROFILE）。"},
	"pin_file_flag": {EN: "Read the PIN from this file ($LEVEE_PIN_FILE), else from $LEVEE_PIN; else it is asked for.", ZH: "从文件读取 PIN（$LEVEE_PIN_FILE），否则取 $LEVEE_PIN，都没有时询问。"},
	"new_pin_flag":  {EN: "Read the new PIN from this file ($LEVEE_NEW_PIN_FILE), else from $LEVEE_NEW_PIN; else it is asked for.", ZH: "从文件读取新 PIN（$LEVEE_NEW_PIN_FILE），否则取 $LEVEE_NEW_PIN，都没有时询问。"},
	"json_flag": {
		EN: "Print one JSON object on standard output, for errors too: {\"error\": {\"code\": …, \"message\": …}}.",
		ZH: "在标准输出打印一个 JSON 对象；出错时也是：{\"error\": {\"code\": …, \"message\": …}}。",
	},
	"lang_flag": {EN: "Language: zh or en. Default: that of the locale.", ZH: "语言：zh 或 en，默认按系统语言。"},
	"help_flag": {EN: "Show help; also behind a command.", ZH: "显示帮助；也可写在命令后面。"},

	"open":      {EN: "Open the tablet's pages in the browser. They are on this machine alone, and need no network.", ZH: "在浏览器中打开平板页面；只在本机，不需要网络。"},
	"enrol":     {EN: "Make this tablet yours, with the code from your coordinator.", ZH: "用协调员给的登记码登记本机。"},
	"log":       {EN: "Log a record. Works without any network.", ZH: "填写一条记录，不需要网络。"},
	"count":     {EN: "Count the people in your own zone at an activity, a group session or an outreach.", ZH: "为一次活动、小组活动或走访填写您负责区域的人数。"},
	"update":    {EN: "Change fields of a record.", ZH: "修改一条记录。"},
	"delete":    {EN: "Delete a record. It can be restored.", ZH: "删除一条记录，可以恢复。"},
	"restore":   {EN: "Restore a deleted record.", ZH: "恢复一条已删除的记录。"},
	"list":      {EN: "List records, the newest day first.", ZH: "列出记录，最近的日期在前。"},
	"show":      {EN: "Show a record and what belongs to it.", ZH: "显示一条记录和属于它的内容。"},
	"site":      {EN: "Choose where you log, or show the sites.", ZH: "选择您所在的服务点，或列出服务点。"},
	"sync":      {EN: "Send what is unsent and receive what is new. May be stopped at any time.", ZH: "发送本机未发送的更改，接收新的记录；可随时中止。"},
	"status":    {EN: "Show what is sent, what is safe, and when the server was last reached.", ZH: "显示哪些已发送、哪些已安全保存，以及最后联系服务器的时间。"},
	"totals":    {EN: "Show what the records on this tablet add up to.", ZH: "显示本机所见的统计。"},
	"held":      {EN: "Show which changes are held, and why.", ZH: "显示待处理的更改及原因。"},
	"discard":   {EN: "Decide that a held change of yours is not to be applied.", ZH: "决定不采用一项待处理的更改（本人的）。"},
	"release":   {EN: "Decide that a held change is to be applied after all; for team leads and supervisors.", ZH: "决定仍采用一项待处理的更改（限队长、督导）。"},
	"conflicts": {EN: "Show fields that two people filled in differently.", ZH: "显示两处填写不一致的内容。"},
	"rescue":    {EN: "Save what is unsent in a damaged file, and make the file anew.", ZH: "保存损坏文件中未发送的内容，并重建文件。"},

	"code_argument": {EN: "The enrolment code, as copied; or the server's address and the code as typed. It may be broken into parts.", ZH: "复制来的登记码；或者服务器地址加手工输入的登记码。登记码可以分成几段。"},
	"pin":           {EN: "Change the PIN.", ZH: "修改 PIN。"},
	"profiles":      {EN: "Show whose files are on this tablet; --profile chooses one.", ZH: "列出本机上各人的数据文件；用 --profile 选择。"},

	"id_argument":       {EN: "The record: its id, at least 4 of the first or last digits of it, or its name or case number.", ZH: "记录的编号，或编号开头或结尾的至少 4 位，或名称、个案编号。"},
	"activity_argument": {EN: "The activity: its id, at least 4 of the first or last digits of it, or its name.", ZH: "活动的编号，或编号开头或结尾的至少 4 位，或名称。"},
	"fields_argument":   {EN: "What to set, such as minutes=90. A field that takes several values may be named several times.", ZH: "要修改的内容，如 minutes=90 或 时长=90；可填多项的可以写多次。"},
	"change_argument":   {EN: "The change: its id, or at least 4 of the first or last digits of one that is held here.", ZH: "更改的编号；本机待处理的更改可只写编号开头或结尾的至少 4 位。"},
	"kind_argument":     {EN: "A kind, such as case-session, or activities.", ZH: "类别，如 case-session（或 个案服务记录）；activities 指各类活动。"},
	"site_argument":     {EN: "The site to log at from now on: its name or id.", ZH: "从现在起所在的服务点：名称或编号。"},

	"name_flag":    {EN: "What people call this tablet. Default: the machine's name.", ZH: "这台平板的称呼，默认用机器名。"},
	"reason_flag":  {EN: "Why.", ZH: "理由。"},
	"draft_flag":   {EN: "Keep it even when required fields (*) are missing. A draft does not count.", ZH: "必填项（*）不全也保存为草稿；草稿不计入统计。"},
	"clear_flag":   {EN: "Empty this field. May be repeated.", ZH: "清空这一项，可写多次。"},
	"day_flag":     {EN: "Only this day.", ZH: "只看这一天。"},
	"from_flag":    {EN: "From this day on.", ZH: "从这一天起。"},
	"to_flag":      {EN: "Up to this day.", ZH: "到这一天为止。"},
	"mine_flag":    {EN: "Only the cases that you lead or work on.", ZH: "只看您主责或参与的个案。"},
	"deleted_flag": {EN: "Deleted records too.", ZH: "包括已删除的记录。"},
	"limit_flag":   {EN: "How many at most, up to 500. Default: 50.", ZH: "最多几条，不超过 500，默认 50。"},
	"after_flag":   {EN: "Go on where the page before ended.", ZH: "从上一页结束处继续。"},
	"own_flag":     {EN: "Leave it to your own or your team's site.", ZH: "恢复为您自己或本队的服务点。"},
	"as_of_flag":   {EN: "Count up to this day. Default: today.", ZH: "统计到这一天，默认今天。"},

	"word_text":       {EN: "TEXT", ZH: "文字"},
	"word_file":       {EN: "FILE", ZH: "文件"},
	"word_name":       {EN: "NAME", ZH: "名称"},
	"word_field":      {EN: "FIELD", ZH: "项目"},
	"word_date":       {EN: "DATE", ZH: "日期"},
	"no_browser_flag": {EN: "Print the link and open no browser.", ZH: "只打印链接，不打开浏览器。"},
	"port_flag":       {EN: "The port of the pages; any free one when 0.", ZH: "页面的端口；0 为任选。"},
	"word_number":     {EN: "NUMBER", ZH: "数字"},
}

// kindHelps say what each kind is for.
var kindHelps = map[record.Kind]words.Message{
	recordv1.Kind_KIND_CASE:               {EN: "a person or family served over time", ZH: "一个人或一家的持续服务"},
	recordv1.Kind_KIND_CASE_IDENTITY:      {EN: "who a client of a case is; confidential", ZH: "服务对象的身份；保密"},
	recordv1.Kind_KIND_CONSENT:            {EN: "what a client agreed to; confidential", ZH: "服务对象的同意；保密"},
	recordv1.Kind_KIND_CASE_SESSION:       {EN: "one meeting with the clients of a case", ZH: "一次个案服务"},
	recordv1.Kind_KIND_CASE_NOTE:          {EN: "what happened in a case session; confidential", ZH: "个案服务的过程；保密"},
	recordv1.Kind_KIND_OUTREACH:           {EN: "a round of visits or calls", ZH: "一轮入户或电话探访"},
	recordv1.Kind_KIND_GROUP:              {EN: "a group that meets several times", ZH: "多次活动的小组"},
	recordv1.Kind_KIND_GROUP_SESSION:      {EN: "one meeting of a group", ZH: "小组的一节活动"},
	recordv1.Kind_KIND_GROUP_NOTE:         {EN: "what happened in a group session; confidential", ZH: "小组活动的过程；保密"},
	recordv1.Kind_KIND_COMMUNITY_ACTIVITY: {EN: "an activity for whoever comes", ZH: "面向大家的活动"},
	recordv1.Kind_KIND_PARTICIPANT:        {EN: "a registered person, without a name", ZH: "登记的参与者，不含姓名"},
	recordv1.Kind_KIND_ATTENDANCE:         {EN: "one participant at one activity", ZH: "一位参与者参加一次活动"},
	recordv1.Kind_KIND_RESOURCE_LINK:      {EN: "a need, and what was found to meet it", ZH: "一项需求和为它找到的资源"},
	recordv1.Kind_KIND_REFERRAL:           {EN: "a case handed to another organisation", ZH: "把个案转介给其他机构"},
	recordv1.Kind_KIND_REFERRAL_NOTE:      {EN: "what the other organisation is told; confidential", ZH: "交接给对方机构的内容；保密"},
	recordv1.Kind_KIND_RISK_ALERT:         {EN: "somebody is in danger; confidential", ZH: "有人处于危险之中；保密"},
	recordv1.Kind_KIND_SUPERVISION:        {EN: "a supervision meeting", ZH: "一次督导"},
	recordv1.Kind_KIND_SUPERVISION_NOTE:   {EN: "what the supervisor advised; confidential", ZH: "督导的意见；保密"},
	recordv1.Kind_KIND_REVIEW:             {EN: "a supervisor's judgement of a record as it stands", ZH: "督导对一条记录的审核"},
}

// placeholders stand for values in help.
var placeholders = map[words.Form]words.Message{
	words.Text:      {EN: "TEXT", ZH: "文字"},
	words.Number:    {EN: "NUMBER", ZH: "数字"},
	words.Date:      {EN: "2021-09-23", ZH: "2021-09-23"},
	words.Instant:   {EN: "2021-09-23T14:05", ZH: "2021-09-23T14:05"},
	words.YesOrNo:   {EN: "yes|no", ZH: "是|否"},
	words.Choice:    {EN: "CHOICE", ZH: "选项"},
	words.AgeBand:   {EN: "18-59", ZH: "18-59"},
	words.Reference: {EN: "ID", ZH: "编号"},
	words.Code:      {EN: "CODE", ZH: "代号"},
	words.Compound:  {EN: "PARTS", ZH: "各部分"},
}

// Help.
var (
	usageIs          = words.Message{EN: "Usage: %s [flags]", ZH: "用法：%s [选项]"}
	wordCommand      = words.Message{EN: "command", ZH: "命令"}
	titleArguments   = words.Message{EN: "Arguments:", ZH: "参数："}
	titleCommands    = words.Message{EN: "Commands:", ZH: "命令："}
	titleFlags       = words.Message{EN: "Flags:", ZH: "选项："}
	titleCommonFlags = words.Message{EN: "Flags of all records:", ZH: "各类记录共有的选项："}
	titleGlobalFlags = words.Message{EN: "Flags of all commands:", ZH: "各命令共有的选项："}
	moreHelp         = words.Message{
		EN: "Behind a command, --help shows what it takes; required fields are marked *. Exit codes: 0 done, 1 it could not be done, 2 the command was not understood.",
		ZH: "命令后加 --help 显示它的用法，必填项标有 *。退出码：0 完成，1 没有完成，2 命令写法不对。",
	}
	cellsLike = words.Message{EN: "%s, such as female,18-59,first=12,returning=3; repeat it for each", ZH: "%s，如 女,18-59,first=12,returning=3；每组写一次"}
)

// What is wrong with a command.
var (
	notUnderstood    = words.Message{EN: "The command was not understood (%s).\nSee: %s --help", ZH: "命令写法不对（%s）。\n用法见：%s --help"}
	noStore          = words.Message{EN: "Say where the tablet's file is, with --store.", ZH: "请用 --store 指明本机数据文件。"}
	folderFails      = words.Message{EN: "The folder of the tablet's file can't be made: %s", ZH: "无法建立数据文件所在的目录：%s"}
	ownFault         = words.Message{EN: "Something went wrong in this program: %s. What was saved is safe.", ZH: "程序出错：%s。已保存的内容不受影响。"}
	incident         = words.Message{EN: " (number %s)", ZH: "（编号 %s）"}
	badValue         = words.Message{EN: "“%s” does not fit %s (%s): %s.", ZH: "“%s”不能用作“%s”（%s）：%s。"}
	badFlag          = words.Message{EN: "“%s” does not fit --%s: %s.", ZH: "“%s”不能用作 --%s：%s。"}
	fieldSays        = words.Message{EN: "%s (%s): %s", ZH: "%s（%s）：%s"}
	onlyOnce         = words.Message{EN: "it takes one value", ZH: "只能填一项"}
	likeADate        = words.Message{EN: "write a day that exists, such as 2021-09-23", ZH: "请写存在的日期，如 2021-09-23"}
	likeAnInstant    = words.Message{EN: "write day and time, such as 2021-09-23T14:05", ZH: "请写日期和时间，如 2021-09-23T14:05"}
	likeACode        = words.Message{EN: "a code has 32 digits from 0 to f", ZH: "代号是 32 位 0 到 f 的数字"}
	yesOrNo          = words.Message{EN: "write yes or no", ZH: "请写 是 或 否"}
	wholeNumber      = words.Message{EN: "write a whole number, without signs between digits", ZH: "请写整数，数字之间不加符号"}
	oneOf            = words.Message{EN: "choose from %s", ZH: "可选：%s"}
	partsAre         = words.Message{EN: "its parts are %s, in this order or by name, such as first=12", ZH: "各部分为 %s，按顺序写，或写成 first=12"}
	noSuchRecord     = words.Message{EN: "No record on this tablet has an id that begins or ends with “%s”, or this name.", ZH: "本机没有编号以“%[1]s”开头或结尾、或名称为“%[1]s”的记录。"}
	ambiguousID      = words.Message{EN: "“%s” fits several records. Give more of the id:\n%s", ZH: "“%s”符合多条记录，请多写几位编号：\n%s"}
	noSuchField      = words.Message{EN: "A %s has no field “%s”. It has: %s", ZH: "%s没有“%s”这一项。可用：%s"}
	noSuchKind       = words.Message{EN: "There is no kind “%s”. Kinds: %s", ZH: "没有“%s”这个类别。可用：%s"}
	onlyCasesAreMine = words.Message{EN: "--mine lists cases.", ZH: "--mine 只用于个案。"}
	nothingToChange  = words.Message{EN: "Say what to change, such as minutes=90, or --clear minutes.", ZH: "请写要修改的内容，如 时长=90，或 --clear 时长。"}
	notOnTablets     = words.Message{EN: "A %s is not changed on tablets. Ask your coordinator.", ZH: "平板上不能修改%s，请联系协调员。"}
	newerRecord      = words.Message{EN: "Only a newer version of this program can read this record. Update the program.", ZH: "这条记录需要更新版本的程序才能读取，请更新程序。"}
	fieldsMissing    = words.Message{EN: "Still needed: %s. Fill them in, or add --draft to keep it as a draft.", ZH: "还缺必填项：%s。请补全；或加 --draft 先存为草稿。"}
	labelAndFlag     = words.Message{EN: "%s (--%s)", ZH: "%s（--%s）"}
	cellsOrTotals    = words.Message{EN: "Give people by sex and age (--cell), or totals (--first, --returning, --unsure), not both.", ZH: "分组人数（--cell）和合计（--first、--returning、--unsure）只填一种。"}
	nobodyCounted    = words.Message{
		EN: "Say how many people: --cell \"female,18-59,first=12,returning=3\" (repeat it for each sex and age band), or --first, --returning and --unsure.",
		ZH: "请填人数：--cell \"女,18-59,first=12,returning=3\"（每个性别和年龄段写一次），或 --first、--returning、--unsure 合计。",
	}
)

// Values.
var (
	emptied    = words.Message{EN: "(empty)", ZH: "（清空）"}
	newerField = words.Message{EN: "field of a newer version", ZH: "新版本的项目"}
)

// Records.
var (
	kindAndTitle   = words.Message{EN: "%s “%s”", ZH: "%s“%s”"}
	titleAndID     = words.Message{EN: "%s (%s)", ZH: "%s（%s）"}
	recordSaved    = words.Message{EN: "Saved on this tablet: %s (%s).", ZH: "已保存在本机：%s（%s）。"}
	recordDeleted  = words.Message{EN: "Deleted: %s (%s). It can be restored.", ZH: "已删除：%s（%s），可以恢复。"}
	recordRestored = words.Message{EN: "Restored: %s (%s).", ZH: "已恢复：%s（%s）。"}
	isDraft        = words.Message{EN: "A draft: it does not count until this is filled in: %s.", ZH: "草稿：补全以下内容前不计入统计：%s。"}
	marksAre       = words.Message{EN: "State: %s", ZH: "状态：%s"}
	belongingsAre  = words.Message{EN: "Belongs to it:", ZH: "属于它的记录："}
	nothingThere   = words.Message{EN: "Nothing here.", ZH: "没有记录。"}
	moreRecords    = words.Message{EN: "There is more: --after %s", ZH: "还有更多：--after %s"}
	countIs        = words.Message{EN: "%s counted: %s", ZH: "%s计数：%s"}
	attended       = words.Counted{One: "%d participant registered", Other: "%d participants registered", ZH: "登记参与者 %d 人"}

	markDeleted     = words.Message{EN: "deleted", ZH: "已删除"}
	markHeld        = words.Message{EN: "change held", ZH: "有更改待处理"}
	markUnconfirmed = words.Message{EN: "unconfirmed", ZH: "未确认"}
	markPlanned     = words.Message{EN: "planned", ZH: "计划"}
	markCancelled   = words.Message{EN: "cancelled", ZH: "取消"}
	markDuplicate   = words.Message{EN: "duplicate", ZH: "重复"}
	markDraft       = words.Message{EN: "draft", ZH: "草稿"}
	markUnsent      = words.Message{EN: "unsent", ZH: "未发送"}
	markSent        = words.Message{EN: "sent", ZH: "已发送"}
	markDurable     = words.Message{EN: "safe", ZH: "已安全保存"}

	riskAdvice = words.Message{
		EN: "First help, then record: phone first (%s, your supervisor), and do not leave the person alone. This alert is unconfirmed until a named person confirms it; one that was sent is not yet read.",
		ZH: "先救人，后记录：先打电话（%s、督导），不要让当事人独处。有专人确认之前，本条为未确认；已发送不等于有人看到。",
	}
)

// Enrolling, status and sites.
var (
	enrolled    = words.Message{EN: "This tablet is now that of %s in “%s”. From here on it works without the network.", ZH: "本机已登记：%s，行动“%s”。从现在起没有网络也能使用。"}
	notEnrolled = words.Message{EN: "This tablet is not enrolled. Ask your coordinator for a code, then: levee enrol CODE", ZH: "本机尚未登记。请向协调员索取登记码，然后运行：levee enrol 登记码"}
	noAddress   = words.Message{
		EN: "A code that is typed needs the server's address before it: levee enrol ADDRESS CODE",
		ZH: "手工输入登记码时，要先写服务器地址：levee enrol 地址 登记码",
	}
	isRevoked = words.Message{
		EN: "This tablet was revoked: nothing on it can be read any more. %s to be sent; run: levee sync",
		ZH: "本机已停用，内容不能再查看。还有%s要发送，请运行：levee sync",
	}
	titleDeployment   = words.Message{EN: "Deployment", ZH: "行动"}
	titleWorker       = words.Message{EN: "Worker", ZH: "工作人员"}
	titleSite         = words.Message{EN: "Site", ZH: "服务点"}
	titleServer       = words.Message{EN: "Server", ZH: "服务器"}
	titleChanges      = words.Message{EN: "Changes", ZH: "更改"}
	titleHeld         = words.Message{EN: "Held", ZH: "待处理"}
	titleConflicts    = words.Message{EN: "Conflicts", ZH: "填写不一致"}
	titleRecords      = words.Message{EN: "Records here", ZH: "本机记录"}
	titleContact      = words.Message{EN: "Last contact", ZH: "最后联系"}
	titleClock        = words.Message{EN: "Clock", ZH: "时间"}
	workerOfTeam      = words.Message{EN: "%s, %s", ZH: "%s，%s"}
	changesAre        = words.Message{EN: "%s, %s, %s", ZH: "%s，%s，%s"}
	seeHeld           = words.Message{EN: "%s; see: levee held", ZH: "%s，见 levee held"}
	seeConflicts      = words.Message{EN: "%s; see: levee conflicts", ZH: "%s，见 levee conflicts"}
	clockIsCorrected  = words.Message{EN: "corrected by %s", ZH: "已校正 %s"}
	never             = words.Message{EN: "never", ZH: "从未"}
	chosenSite        = words.Message{EN: "you log here", ZH: "您在这里"}
	alertsUnconfirmed = words.Message{EN: "%s unconfirmed.", ZH: "%s未确认。"}
)

// Syncing.
var (
	progressIs     = words.Message{EN: "sending %s of %s, receiving %s of %s", ZH: "发送 %s/%s，接收 %s/%s"}
	howManyUnknown = words.Message{EN: "not yet known", ZH: "数量未知"}
	syncDone       = words.Message{EN: "Synced: %s sent, %s received.", ZH: "同步完成：发送 %s，接收 %s。"}
	syncCost       = words.Message{EN: "%s; %s up, %s down.", ZH: "请求 %s，上传 %s，下载 %s。"}
	syncHeld       = words.Message{EN: "%s held; see: levee held", ZH: "%s待处理，见 levee held"}
	syncUnreadable = words.Message{EN: "%s can't be read by this version. Update the program.", ZH: "%s需要更新版本的程序才能读取，请更新程序。"}
	syncGaveBack   = words.Message{EN: "The server had lost records and got %s back from this tablet.", ZH: "服务器丢失过记录，已从本机补回 %s。"}
	syncNewReplica = words.Message{EN: "Another copy of this tablet is in use. Nothing is lost; tell your supervisor.", ZH: "另一台平板带着本机的同一份数据在使用。没有内容丢失，请告诉督导。"}
	isUnconfirmed  = words.Message{
		EN: "The server holds what this tablet sends until a coordinator has confirmed the tablet. Nothing is lost; tell your coordinator.",
		ZH: "协调员确认本机之前，服务器先保留本机发送的内容，暂不采用。没有内容丢失，请告诉协调员。",
	}
	isErased = words.Message{
		EN: "The personal data of this deployment was erased here too, as it was on the server. Figures and records of activities stay.",
		ZH: "本次行动的个人信息已经清除，本机上的也已清除。统计数字和活动记录仍然保留。",
	}
	clockCorrected = words.Message{EN: "This tablet's clock was corrected by %s.", ZH: "本机时间已校正 %s。"}
	syncStopped    = words.Message{EN: "Until it stopped: %s sent, %s received; %s still unsent.", ZH: "中止前：发送 %s，接收 %s；未发送 %s。"}
)

// Rescuing a damaged file.
var (
	askPIN            = words.Message{EN: "PIN: ", ZH: "请输入 PIN："}
	askNewPIN         = words.Message{EN: "Choose a PIN (at least 6 digits), or a passphrase: ", ZH: "请设置 PIN（至少 6 位数字）或口令："}
	askAgain          = words.Message{EN: "The same once more: ", ZH: "请再输入一次："}
	pinsDiffer        = words.Message{EN: "The two were not the same. Nothing was changed.", ZH: "两次输入不一致，没有作任何更改。"}
	pinChanged        = words.Message{EN: "The PIN was changed.", ZH: "PIN 已修改。"}
	pinFileFails      = words.Message{EN: "The PIN can't be read: %s", ZH: "无法读取 PIN：%s"}
	opensAt           = words.Message{EN: "The tablet's pages, good for one browser: %s", ZH: "平板页面（只能由一个浏览器打开）：%s"}
	noBrowser         = words.Message{EN: "No browser could be opened. Open the link yourself.", ZH: "无法打开浏览器，请自行打开上面的链接。"}
	portFails         = words.Message{EN: "The pages can't be served: %s", ZH: "无法提供页面：%s"}
	noProfiles        = words.Message{EN: "There are no files here yet.", ZH: "这里还没有数据文件。"}
	profileWithoutKey = words.Message{EN: "not locked yet, or its key is missing", ZH: "尚未加密，或缺少密钥文件"}

	rescued    = words.Message{EN: "The file was made anew; %s waiting to be sent. Everything else comes with the next sync: levee sync", ZH: "文件已重建；待发送 %s。其余内容会在下次同步时取回：levee sync"}
	rescueLost = words.Message{EN: "%s could not be read.", ZH: "%s无法读出。"}
	rescueKept = words.Message{EN: "The damaged file is kept: %s. What was read of it: %s", ZH: "损坏的文件已保留：%s。从中读出的内容：%s"}
)

// Held changes and conflicts.
var (
	nothingHeld     = words.Message{EN: "Nothing is held.", ZH: "没有待处理的更改。"}
	heldAre         = words.Message{EN: "%s held: kept by the server, but not applied.", ZH: "%s待处理：服务器已保留，尚未采用。"}
	heldHeading     = words.Message{EN: "%d. %s (%s), logged %s", ZH: "%d. %s（%s），填写于 %s"}
	heldBecause     = words.Message{EN: "   Held: %s", ZH: "   待处理：%s"}
	heldChange      = words.Message{EN: "   Change: %s", ZH: "   更改编号：%s"}
	heldToRelease   = words.Message{EN: "   Decided: to be applied, once the server has the decision.", ZH: "   已决定：采用，待服务器收到后执行。"}
	heldToDiscard   = words.Message{EN: "   Decided: not to be applied, once the server has the decision.", ZH: "   已决定：不采用，待服务器收到后执行。"}
	changeReleased  = words.Message{EN: "Saved on this tablet: change %s is to be applied. The server does it at the next sync.", ZH: "已保存在本机：决定采用更改 %s，下次同步时由服务器执行。"}
	changeDiscarded = words.Message{EN: "Saved on this tablet: change %s is not to be applied. It stays where it is held.", ZH: "已保存在本机：决定不采用更改 %s，其内容仍保留。"}
	noSuchHeld      = words.Message{EN: "No held change on this tablet has an id that begins or ends with “%s”, or several have. See: levee held", ZH: "本机没有编号以“%s”开头或结尾的待处理更改，或有多项。见 levee held"}
	heldContent     = words.Message{EN: "   Content: %s", ZH: "   内容：%s"}
	noConflicts     = words.Message{EN: "Nothing was filled in differently.", ZH: "没有填写不一致的内容。"}
	conflictsAre    = words.Message{EN: "%s filled in differently by two people. A supervisor settles it.", ZH: "两处填写不一致：%s，由督导处理。"}
	conflictHeading = words.Message{EN: "%d. %s (%s), %s", ZH: "%d. %s（%s），%s"}
	conflictSide    = words.Message{EN: "   %s, %s: %s", ZH: "   %s，%s：%s"}
	conflictWinner  = words.Message{EN: "   %s, %s: %s (stands now)", ZH: "   %s，%s：%s（现在采用）"}
	somebody        = words.Message{EN: "somebody", ZH: "有人"}
)

// Totals.
var (
	totalsAre        = words.Message{EN: "As seen on this tablet, up to %s: %s of service.", ZH: "本机所见，截至 %s：服务 %s。"}
	publishedFigures = words.Message{EN: "%s, %s, %s, %[5]s reached (beneficiaries).", ZH: "个案 %s，小组活动 %s，%[4]s %[3]s，受益人群 %[5]s（人数）。"}
	otherFigures     = words.Message{EN: "%s, %s, %s.", ZH: "服务 %s，个案服务 %s，走访 %s。"}
	someEstimated    = words.Message{EN: "Of them %s estimated.", ZH: "其中估算 %s。"}
	titleBySite      = words.Message{EN: "By site", ZH: "按服务点"}
	titleByArea      = words.Message{EN: "By service area", ZH: "按服务领域"}
	titlePersons     = words.Message{EN: "People", ZH: "人数"}
	titleContacts    = words.Message{EN: "Contacts", ZH: "人次"}
	personsOverlap   = words.Message{EN: "Who came to several sites counts once in the whole, so the people of the sites add up to more.", ZH: "到过几个服务点的人在总数中只计一次，所以各点人数相加会大于总数。"}
	completeAsFar    = words.Message{EN: "How complete: %s, %s, %s; last contact with the server: %s.", ZH: "完整程度：%s，%s，%s；最后联系服务器：%s。"}
	onlyThisTablet   = words.Message{EN: "Only what is on this tablet: your own team's records. The whole is known to the server.", ZH: "只含本机的记录，即本队的工作；全部数字以服务器为准。"}
)

// Numbers with their nouns.
var (
	changesCount       = words.Counted{One: "%d change", Other: "%d changes", ZH: "%d 项更改"}
	recordsCount       = words.Counted{One: "%d record", Other: "%d records", ZH: "%d 条记录"}
	requestsCount      = words.Counted{One: "%d request", Other: "%d requests", ZH: "%d 次"}
	bytesCount         = words.Counted{One: "%d byte", Other: "%d bytes", ZH: "%d 字节"}
	fieldsCount        = words.Counted{One: "%d field", Other: "%d fields", ZH: "%d 处"}
	alertsCount        = words.Counted{One: "%d risk alert", Other: "%d risk alerts", ZH: "%d 条风险上报"}
	unsentCount        = words.Counted{One: "%d unsent", Other: "%d unsent", ZH: "未发送 %d 项"}
	sentCount          = words.Counted{One: "%d sent", Other: "%d sent", ZH: "已发送 %d 项"}
	safeCount          = words.Counted{One: "%d safe", Other: "%d safe", ZH: "已安全保存 %d 项"}
	heldCount          = words.Counted{One: "%d held", Other: "%d held", ZH: "待处理 %d 项"}
	conflictCount      = words.Counted{One: "%d conflict", Other: "%d conflicts", ZH: "填写不一致 %d 处"}
	daysCount          = words.Counted{One: "%d day", Other: "%d days", ZH: "%d 天"}
	casesCount         = words.Counted{One: "%d case", Other: "%d cases", ZH: "%d 个"}
	groupSessionsCount = words.Counted{One: "%d group session", Other: "%d group sessions", ZH: "%d 节"}
	activitiesCount    = words.Counted{One: "%d community activity", Other: "%d community activities", ZH: "%d 场"}
	personsCount       = words.Counted{One: "%d person", Other: "%d people", ZH: "%d 人"}
	contactsCount      = words.Counted{One: "%d contact", Other: "%d contacts", ZH: "%d 人次"}
	caseSessionsCount  = words.Counted{One: "%d case session", Other: "%d case sessions", ZH: "%d 次"}
	outreachCount      = words.Counted{One: "%d outreach", Other: "%d outreaches", ZH: "%d 轮"}
)
