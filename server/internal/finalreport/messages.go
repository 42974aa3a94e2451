package finalreport

import (
	"levee/syncproto/tally"
	"levee/syncproto/words"
)

// few stands where a number is not told, because it is of few people or would tell one that is.
const few = "※"

// The title and what stands below it.
var (
	reportTitle   = words.Message{EN: "Closing report", ZH: "收队报告"}
	foreword      = words.Message{EN: "Foreword", ZH: "前言"}
	daysWord      = words.Message{EN: "Days of service", ZH: "服务期间"}
	fromTo        = words.Message{EN: "%s – %s", ZH: "%s至%s"}
	editionWord   = words.Message{EN: "Edition", ZH: "版次"}
	editionNumber = words.Message{EN: "%d", ZH: "第%d版"}
	issuedWord    = words.Message{EN: "Issued", ZH: "签发时间"}
	issuerWord    = words.Message{EN: "Issued by", ZH: "签发人"}
)

// The summary.
var (
	serviceDays   = words.Counted{One: "%d day", Other: "%d days", ZH: "%d 天"}
	publishedLine = words.Message{EN: "In %[1]s of service: %[2]s; %[4]s %[3]s.", ZH: "累计服务 %s，开展 %s，%s %s 人。"}
	summaryRule   = words.Message{EN: "From %s to %s, both days counted, in the deployment's time zone. Here %s are %s: everybody counts once.", ZH: "服务天数从%s算到统计截止日%s，首尾两天都算（按行动所在时区）。“%s”即%s：同一个人只计一次。"}
	laterEdition  = words.Message{EN: "This is edition %d. It replaces edition %d.", ZH: "本报告为第%d版，取代第%d版。"}
	figuresTitle  = words.Message{EN: "Figures of the whole deployment", ZH: "全部统计数字"}
	figureWord    = words.Message{EN: "figure", ZH: "指标"}
	reportedWord  = words.Message{EN: "reported", ZH: "已上报"}
	verifiedWord  = words.Message{EN: "verified", ZH: "已核实"}
	basesNote     = words.Message{EN: "Reported is all that came in. Verified is the part of it that a supervisor approved and that has not changed since. Unless said otherwise, this report tells what was reported.", ZH: "“已上报”包括收到的全部记录；“已核实”是其中经督导审核通过、此后没有改动的部分。除注明外，本报告均为已上报数字。"}
)

// Tables of figures.
var (
	ofThemVerified = words.Message{EN: "persons, verified", ZH: "已核实人数"}
	townWord       = words.Message{EN: "town", ZH: "乡镇"}
	placeWord      = words.Message{EN: "place", ZH: "地区"}
	villageWord    = words.Message{EN: "village", ZH: "村"}
	weekWord       = words.Message{EN: "week", ZH: "周"}
	areaWord       = words.Message{EN: "service area", ZH: "服务领域"}
	townsTitle     = words.Message{EN: "By town", ZH: "各乡镇"}
	levelsTitle    = words.Message{EN: "Province to town", ZH: "省市县镇"}
	villagesTitle  = words.Message{EN: "By village", ZH: "各村"}
	weeksTitle     = words.Message{EN: "By week", ZH: "各周"}
	areasTitle     = words.Message{EN: "By service area", ZH: "各服务领域"}
	sexTitle       = words.Message{EN: "By sex", ZH: "性别"}
	ageTitle       = words.Message{EN: "By age", ZH: "年龄"}
	townLine       = words.Message{EN: "%s: %s; %s persons, %s contacts.", ZH: "%s：%s，服务 %s 人、%s 人次。"}
	noTown         = words.Message{EN: "No record says in which town it was.", ZH: "没有记录注明乡镇。"}
	noPlace        = words.Message{EN: "No record says where it was.", ZH: "没有记录注明地点。"}
	personsNote    = words.Message{EN: "Persons are counted once within each row, so that rows do not add up: somebody met in two places counts in both. What says no place is in the whole alone.", ZH: "人数在每一行内去重，各行不能相加：在两个地方接受服务的人，两处各计一次。没有注明地点的只计入合计。"}
	peopleNote     = words.Message{EN: "Persons are counted once within each row.", ZH: "人数在每一行内去重。"}
	areasNote      = words.Message{EN: "Each record has one primary service area, so that all but persons add up.", ZH: "每条记录只有一个主要服务领域，除人数外，各行之和等于合计。"}
	weeksNote      = words.Message{EN: "Weeks begin on Mondays. Persons are counted once within each week, from the records.", ZH: "每周从周一起算。人数在每周内去重，根据记录统计。"}
	fewNote        = words.Message{EN: "%s: not told. Numbers below %d are left out to protect people, and with them those from which they could be worked out.", ZH: "%s：不列出。为保护个人，少于 %d 的数字不列出；可据以推算的数字也一并不列出。"}

	dimensionWords = map[tally.Dimension]words.Message{
		tally.Whole: {EN: "whole", ZH: "合计"}, tally.Day: {EN: "day", ZH: "日期"}, tally.Place: {EN: "place", ZH: "地点"}, tally.Site: {EN: "site", ZH: "服务点"}, tally.Team: {EN: "team", ZH: "服务队"},
		tally.ServiceArea: {EN: "service area", ZH: "服务领域"}, tally.Sex: {EN: "sex", ZH: "性别"}, tally.AgeBand: {EN: "age", ZH: "年龄"},
	}
	basisWords = map[string]words.Message{"reported": {EN: "reported", ZH: "已上报"}, "verified": {EN: "verified", ZH: "已核实"}}
)

// Casework, referrals and supervision.
var (
	stagesTitle      = words.Message{EN: "Cases by stage", ZH: "个案所处阶段"}
	outcomesTitle    = words.Message{EN: "Cases by outcome", ZH: "个案结案原因"}
	stageWord        = words.Message{EN: "stage", ZH: "阶段"}
	closureWord      = words.Message{EN: "outcome", ZH: "结案原因"}
	openWord         = words.Message{EN: "still open", ZH: "未结案"}
	casesDiffer      = words.Message{EN: "Counted from the records as they are now: %s. The certificate has %s.", ZH: "以上按现有记录统计，共 %s 个；数据确认书为 %s 个。"}
	referralsTitle   = words.Message{EN: "Referrals by organisation", ZH: "各接收机构的转介"}
	organisationWord = words.Message{EN: "organisation", ZH: "接收机构"}
	referralWord     = words.Message{EN: "referrals", ZH: "转介"}
	handedOverWord   = words.Message{EN: "cases handed over", ZH: "移交个案"}
	referralsLine    = words.Message{EN: "Referrals: %s, to organisations: %s. Cases handed over: %s.", ZH: "共转介 %s 次，接收机构 %s 家；移交个案 %s 个。"}
	handedOverNote   = words.Message{EN: "A case is handed over when an organisation has accepted it; one that several accepted counts once in the sum.", ZH: "接收机构已接收的个案算作移交；多家机构接收的同一个案，合计中只计一次。"}
	noReferral       = words.Message{EN: "Nobody was referred.", ZH: "没有转介。"}
	supervisionTitle = words.Message{EN: "Supervision sessions by form", ZH: "各形式的督导"}
	formWord         = words.Message{EN: "form", ZH: "形式"}
	sessionsWord     = words.Message{EN: "sessions", ZH: "次数"}
	minutesWord      = words.Message{EN: "minutes", ZH: "分钟"}
	supervisionLine  = words.Message{EN: "Supervision sessions: %s, which took %s h %d min in all.", ZH: "共督导 %s 次，合计 %s 小时 %d 分。"}
	noSupervision    = words.Message{EN: "No supervision session was logged.", ZH: "没有督导记录。"}
)

// How it was counted, and how complete it is.
var (
	personsAre     = words.Message{EN: "Of %s persons, %s are known by number only, and %s of these come from estimates.", ZH: "人数 %s 人中，按数目计 %s 人，其中来自估算 %s 人。"}
	countedBesides = words.Message{EN: "Figures are those of the certificate. Persons by week, casework, referrals and supervision are not in it: they were counted from the records, up to position %d of the change log.", ZH: "统计数字取自数据确认书。数据确认书中没有的内容（每周人数、个案工作、转介、督导）根据记录统计，截至更改日志第 %d 位。"}
	fewRule        = words.Message{EN: "Where people are divided by sex, age or village, numbers below %d are not told. The report has no personal data of clients.", ZH: "按性别、年龄或村划分时，少于 %d 的数字不列出。本报告不含服务对象的个人信息。"}
	tabletsLine    = words.Message{EN: "On %s, of %d tablets %d had been heard from since the last day; %d had something unsent, %d changes in all as far as is known.", ZH: "截至%s，%d 台平板中 %d 台在行动结束后有联系；%d 台有未上传的记录，已知共 %d 条更改。"}
	heldLine       = words.Message{EN: "Changes held: %d. Conflicts not settled: %d.", ZH: "待处理 %d 条；两处填写不一致 %d 处。"}
	logLine        = words.Message{EN: "The totals were frozen at position %d of the change log, with %d records of %d changes, and were equal to a recount.", ZH: "统计数字冻结于更改日志第 %d 位，共 %d 条记录、%d 条更改，重新统计结果一致。"}
	erasedLine     = words.Message{EN: "Of these records %d had personal data erased.", ZH: "其中 %d 条记录的个人信息已清除。"}
	checksTitle    = words.Message{EN: "Checklist", ZH: "收队检查"}
	checkWord      = words.Message{EN: "check", ZH: "检查项"}
	stillOpenWord  = words.Message{EN: "open", ZH: "未了结"}
	waivedWord     = words.Message{EN: "waived", ZH: "说明后放行"}
	nothingWaived  = words.Message{EN: "Nothing was waived.", ZH: "没有说明后放行的事项。"}
	waiversTitle   = words.Message{EN: "Waived with a reason", ZH: "说明后放行的事项"}
	tabletWord     = words.Message{EN: "tablet", ZH: "平板"}
	countWord      = words.Message{EN: "number", ZH: "数量"}
	reasonWord     = words.Message{EN: "reason", ZH: "理由"}
	byWord         = words.Message{EN: "by", ZH: "说明人"}
	atWord         = words.Message{EN: "at", ZH: "时间"}
)

// Editions, addenda and the certificate.
var (
	firstEdition     = words.Message{EN: "This is the first edition. What arrives later is an addendum: it is counted apart until the coordinator accepts it, which makes the next edition.", ZH: "这是第1版。此后收到的记录为补报，单独统计；经协调员接受后，签发下一版。"}
	previousEdition  = words.Message{EN: "This is edition %d. It replaces edition %d, whose file has the SHA-256 %s.", ZH: "这是第%d版，取代第%d版（文件 SHA-256：%s）。"}
	addendaTitle     = words.Message{EN: "Addenda", ZH: "补报"}
	receivedWord     = words.Message{EN: "received", ZH: "收到时间"}
	acceptedWord     = words.Message{EN: "accepted", ZH: "接受"}
	declinedWord     = words.Message{EN: "declined", ZH: "不接受"}
	differencesTitle = words.Message{EN: "Differences to edition %d", ZH: "与第%d版的差异"}
	basisWord        = words.Message{EN: "basis", ZH: "口径"}
	divisionWord     = words.Message{EN: "by", ZH: "分类"}
	partWord         = words.Message{EN: "of", ZH: "名称"}
	beforeWord       = words.Message{EN: "before", ZH: "原数"}
	afterWord        = words.Message{EN: "now", ZH: "现数"}
	differenceWord   = words.Message{EN: "difference", ZH: "差"}
	noDifference     = words.Message{EN: "The figures of the report are as they were.", ZH: "本报告中的统计数字没有变化。"}
	differencesNote  = words.Message{EN: "Lines by sex, age, disability, village and worker stand in the certificate alone.", ZH: "按性别、年龄、残障、村和工作人员划分的差异只列在数据确认书中。"}
	certificateLine  = words.Message{EN: "The totals were signed on %s by %s, as edition %d. This is what the file of the certificate is known by:", ZH: "统计数字于%s由%s签发，第%d版。数据确认书文件以下列内容为准："}
	keyWord          = words.Message{EN: "Key", ZH: "签名密钥"}
	chainWord        = words.Message{EN: "Chain of the log", ZH: "日志链"}
	verifyLine       = words.Message{EN: "The command leveed verify FILE checks the file without a server or a network, and says which line fails. The QR code has the deployment, the edition, the SHA-256 and the key.", ZH: "“leveed verify 文件”无需服务器和网络即可核对该文件，并指出哪一行不符。二维码中有行动编号、版次、SHA-256 和签名密钥。"}
)
