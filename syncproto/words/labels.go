package words

import (
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// fieldLabels are the words for fields, as RECORDS.md and the protos have them. "Message.field" comes before "field".
// None of them says token, stamp or replica.
var fieldLabels = map[protoreflect.Name]Message{
	"code":                       {"place code", "区划代码"},
	"edition":                    {"year of the place code", "代码版本"},
	"village":                    {"village or group", "村/组"},
	"Participant.village":        {"village or group", "村"},
	"site":                       {"site", "服务点"},
	"team":                       {"team", "服务队"},
	"author":                     {"recorded by", "记录人"},
	"occurred_on":                {"date", "发生日期"},
	"place":                      {"place", "地点"},
	"status":                     {"status", "状态"},
	"service_area":               {"service area", "服务领域"},
	"co_workers":                 {"co-workers", "协同工作人员"},
	"entry":                      {"entered", "录入方式"},
	"duplicate_of":               {"duplicate of", "重复于"},
	"deleted":                    {"deleted", "已删除"},
	"name":                       {"name", "名称"},
	"CaseIdentity.name":          {"name", "姓名"},
	"Contact.name":               {"name", "姓名"},
	"Worker.name":                {"name", "姓名"},
	"start_on":                   {"start", "开始日期"},
	"end_on":                     {"end", "结束日期"},
	"time_zone":                  {"time zone", "时区"},
	"service_areas":              {"service areas", "服务领域名称"},
	"age_bands":                  {"age bands", "年龄段"},
	"labels":                     {"labels", "用词"},
	"duty_list":                  {"duty list", "值班名单"},
	"state":                      {"state", "状态"},
	"supervises":                 {"teams supervised", "督导的服务队"},
	"external":                   {"from outside", "外部督导"},
	"emergency_numbers":          {"emergency numbers", "紧急电话"},
	"escalation_minutes":         {"escalation minutes", "升级分钟数"},
	"linkage_key":                {"linkage key", "关联密钥"},
	"erase_on":                   {"erase personal data from", "清除日期"},
	"foreword":                   {"foreword", "前言"},
	"left_out":                   {"sections left out", "不列入"},
	"check":                      {"what is open", "检查项"},
	"Waiver.subject":             {"which one", "对象"},
	"Waiver.reason":              {"reason", "理由"},
	"count":                      {"how many", "数量"},
	"Certificate.edition":        {"edition", "版次"},
	"document":                   {"content", "内容"},
	"part":                       {"part", "第几部分"},
	"parts":                      {"parts", "共几部分"},
	"number":                     {"number", "编号"},
	"ServiceAreaName.number":     {"service area", "编号"},
	"EmergencyNumber.number":     {"phone number", "号码"},
	"CaseSession.number":         {"session number", "第几次"},
	"GroupSession.number":        {"session number", "第几节"},
	"label_zh":                   {"in Chinese", "中文名称"},
	"Label.label_zh":             {"in Chinese", "中文用词"},
	"label_en":                   {"in English", "英文名称"},
	"Label.label_en":             {"in English", "英文用词"},
	"key":                        {"word for", "用词键"},
	"planned":                    {"planned", "计划中"},
	"latitude_e6":                {"latitude", "纬度"},
	"longitude_e6":               {"longitude", "经度"},
	"type":                       {"type", "类型"},
	"role":                       {"role", "角色"},
	"from_on":                    {"from", "到岗日期"},
	"to_on":                      {"to", "离岗日期"},
	"qualification":              {"qualification", "职业资格"},
	"phone":                      {"phone", "电话"},
	"email":                      {"e-mail", "电子邮箱"},
	"targets":                    {"targets", "目标"},
	"figure":                     {"figure", "指标"},
	"period":                     {"period", "周期"},
	"of":                         {"for", "对象"},
	"Target.team":                {"only of team", "服务队"},
	"Target.value":               {"target", "数值"},
	"place_code":                 {"place code", "行政区划代码"},
	"due_on":                     {"due", "截止日期"},
	"record":                     {"record", "记录"},
	"other":                      {"other record", "另一条记录"},
	"case_no":                    {"case number", "个案编号"},
	"opened_on":                  {"opened on", "立案日期"},
	"source":                     {"source", "来源"},
	"client_type":                {"client type", "服务对象类型"},
	"client_count":               {"number of clients", "服务对象人数"},
	"client_tokens":              {"client codes", "服务对象代号"},
	"sex":                        {"sex", "性别"},
	"age":                        {"age", "年龄"},
	"age_band":                   {"age band", "年龄段"},
	"categories":                 {"categories", "对象类别"},
	"problems":                   {"problems", "问题类型"},
	"stage":                      {"stage", "阶段"},
	"risk":                       {"risk", "风险程度"},
	"lead":                       {"lead", "主责社工"},
	"workers":                    {"workers", "参与社工"},
	"next_due_on":                {"next due on", "下次服务日期"},
	"closed_on":                  {"closed on", "结案日期"},
	"RiskAlert.closed_on":        {"closed on", "了结日期"},
	"closure":                    {"closure", "结案原因"},
	"followup_due_on":            {"follow-up due on", "回访日期"},
	"case":                       {"case", "个案"},
	"birth_date":                 {"birth date", "出生日期"},
	"address":                    {"address", "住址"},
	"id_number":                  {"ID number", "证件号码"},
	"guardian":                   {"guardian", "监护人"},
	"emergency_contact":          {"emergency contact", "紧急联系人"},
	"dialect":                    {"dialect", "方言"},
	"relation":                   {"relation", "关系"},
	"subject":                    {"subject", "对象"},
	"scopes":                     {"scopes", "同意范围"},
	"giver":                      {"giver", "同意人"},
	"child_assent":               {"child assent", "儿童本人同意"},
	"form":                       {"form", "形式"},
	"Consent.form":               {"form", "同意方式"},
	"given_on":                   {"given on", "同意日期"},
	"withdrawn_on":               {"withdrawn on", "撤回日期"},
	"basis":                      {"basis", "处理依据"},
	"Consent.basis":              {"basis", "处理依据"},
	"Participant.basis":          {"code made from", "代号依据"},
	"mode":                       {"mode", "方式"},
	"minutes":                    {"minutes", "时长（分钟）"},
	"attendees":                  {"clients present", "参加人数"},
	"risk_seen":                  {"risk seen", "发现风险"},
	"next_on":                    {"next on", "下次日期"},
	"session":                    {"session", "个案服务记录"},
	"CaseNote.session":           {"case session", "个案服务记录"},
	"GroupNote.session":          {"group session", "小组活动"},
	"process":                    {"what happened", "过程"},
	"assessment":                 {"assessment", "评估"},
	"response":                   {"clients' response", "服务对象反应"},
	"plan":                       {"plan", "跟进计划"},
	"reflection":                 {"reflection", "反思"},
	"to_organisation":            {"to organisation", "转介机构"},
	"reason":                     {"reason", "转介原因"},
	"urgency":                    {"urgency", "紧急程度"},
	"consent":                    {"consent", "知情同意"},
	"progress":                   {"progress", "转介进度"},
	"ResourceLink.progress":      {"progress", "对接进度"},
	"referral":                   {"referral", "转介"},
	"handover":                   {"handover", "交接内容"},
	"audience":                   {"audience", "对象"},
	"CommunityActivity.audience": {"for whom", "对象"},
	"partners":                   {"partners", "合作方"},
	"register_used":              {"register used", "使用签到表"},
	"feedback_asked":             {"asked for feedback", "反馈询问人数"},
	"feedback_satisfied":         {"satisfied, of those asked", "反馈满意人数"},
	"summary":                    {"summary", "小结"},
	"households":                 {"households", "户数"},
	"needs":                      {"needs", "需求"},
	"follow":                     {"follow-up", "后续"},
	"activity":                   {"activity", "活动"},
	"counter":                    {"counted by", "计数人"},
	"zone":                       {"zone", "负责区域"},
	"method":                     {"how counted", "计数方法"},
	"cells":                      {"people by sex and age", "分组人数"},
	"first_time":                 {"first-time", "首次人数"},
	"Headcount.first_time":       {"first-time", "首次人数"},
	"HeadcountCell.first_time":   {"first-time", "首次"},
	"returning":                  {"returning", "再次人数"},
	"HeadcountCell.returning":    {"returning", "再次"},
	"unsure":                     {"unsure", "不确定人数"},
	"HeadcountCell.unsure":       {"unsure", "不确定"},
	"disability_asked":           {"asked about disability", "询问残障人数"},
	"disability_yes":             {"with a disability", "有残障人数"},
	"token":                      {"code", "代号"},
	"disability":                 {"disability", "残障"},
	"participant":                {"participant", "参与者"},
	"boundary":                   {"boundary", "开放性"},
	"target":                     {"target", "服务对象"},
	"Group.target":               {"for whom", "服务对象"},
	"Review.target":              {"target", "审核对象"},
	"sessions_planned":           {"sessions planned", "计划节数"},
	"leader":                     {"led by", "组长"},
	"goals":                      {"goals", "目标"},
	"evaluation":                 {"evaluation", "评估"},
	"group":                      {"group", "小组"},
	"theme":                      {"theme", "主题"},
	"present":                    {"present", "到场组员"},
	"absent":                     {"absent", "缺席组员"},
	"need":                       {"need", "需求"},
	"recipient":                  {"kind of recipient", "受助方类型"},
	"recipient_case":             {"recipient case", "受助个案"},
	"persons":                    {"persons", "人数"},
	"quantity":                   {"quantity", "数量"},
	"unit":                       {"unit", "单位"},
	"value_yuan":                 {"value in yuan", "价值（元）"},
	"delivered_on":               {"delivered on", "落实日期"},
	"organisation":               {"organisation", "机构"},
	"kind":                       {"kind", "机构类别"},
	"ResourceSource.kind":        {"kind of organisation", "机构类别"},
	"level":                      {"level", "等级"},
	"seen_at":                    {"seen at", "发现时间"},
	"done":                       {"done so far", "已采取措施"},
	"reported_to":                {"reported to", "已报告给"},
	"supervisor_told":            {"supervisor told by", "告知督导方式"},
	"acknowledged_by":            {"confirmed by", "确认人"},
	"acknowledged_at":            {"confirmed at", "确认时间"},
	"functions":                  {"functions", "功能"},
	"supervisor":                 {"supervisor", "督导"},
	"supervisees":                {"supervisees", "被督导人"},
	"tasks":                      {"tasks", "后续任务"},
	"supervision":                {"supervision", "督导"},
	"advice":                     {"advice", "意见"},
	"outcome":                    {"outcome", "结果"},
	"reasons":                    {"reasons", "退回原因"},
	"comment":                    {"comment", "意见"},
}

// choiceLabels are the Chinese words for the values of each enumeration, by number. The English ones are the values'
// names.
var choiceLabels = map[protoreflect.Name][]string{
	"Kind":                {"不详", "行动", "服务点", "服务队", "工作人员", "个案", "个案身份信息", "知情同意", "个案服务记录", "个案服务笔记", "走访", "小组", "小组活动", "小组活动笔记", "团体活动", "计数", "参与者", "出席", "资源链接", "转介", "转介交接", "风险上报", "督导", "督导意见", "审核", "两处填写不一致", "待处理决定", "非重复认定", "说明后放行", "数据确认书"},
	"Status":              {"不详", "计划", "已开展", "取消"},
	"ServiceArea":         {"不详", "心理疏导", "文化重建", "资源链接", "其他"},
	"Entry":               {"不详", "现场", "补录"},
	"Sex":                 {"不详", "男", "女"},
	"Disability":          {"不详", "有", "无", "未询问"},
	"WorkerType":          {"不详", "社会工作者", "心理咨询师", "志愿者", "专家", "本地协力者"},
	"Role":                {"不详", "队员", "队长", "督导", "协调员"},
	"DeploymentState":     {"不详", "进行中", "收队中", "已收队", "已归档"},
	"TargetPeriod":        {"不详", "每日", "每周", "整个行动"},
	"TargetOf":            {"不详", "每支服务队", "每名工作人员", "一个地区"},
	"CloseOutCheck":       {"不详", "平板有未上传的记录", "结束后未联系上的平板", "未结案且未转介的个案", "未结束的风险上报", "疑似重复", "两处填写不一致", "待处理", "未审核", "缺知情同意", "缺转介单或回执", "重新统计不一致", "没有备份"},
	"Qualification":       {"不详", "无", "助理社会工作师", "社会工作师", "高级社会工作师"},
	"CaseSource":          {"不详", "主动求助", "外展发现", "转介", "村镇推荐"},
	"ClientType":          {"不详", "个人", "家庭"},
	"CaseCategory":        {"不详", "低保", "特困", "低保边缘", "困境儿童", "留守儿童", "独居老人", "残疾人", "丧亲", "房屋损毁", "孕产妇", "其他"},
	"CaseProblem":         {"不详", "情绪", "哀伤", "生计", "住房", "就医", "就学", "照护", "家庭关系", "侵害", "政策咨询", "其他"},
	"CaseStage":           {"不详", "接案", "预估", "计划", "介入", "评估", "结案"},
	"RiskDegree":          {"不详", "无", "低", "中", "高"},
	"CaseClosure":         {"不详", "目标达成", "服务对象终止", "转介", "身份变化", "失联", "死亡"},
	"ConsentScope":        {"不详", "服务协议", "信息收集", "敏感信息单独同意", "转介提供", "影像"},
	"ConsentGiver":        {"不详", "本人", "监护人"},
	"ConsentForm":         {"不详", "书面", "口头并有见证人", "按手印"},
	"ConsentBasis":        {"不详", "同意", "紧急"},
	"SessionMode":         {"不详", "面谈", "入户", "电话", "线上", "陪同"},
	"RiskSeen":            {"不详", "无", "疑似", "有"},
	"Urgency":             {"不详", "一般", "紧急"},
	"ReferralProgress":    {"不详", "已转", "接收", "退回", "已回访"},
	"ActivityForm":        {"不详", "讲座宣传", "文艺文化", "节庆", "儿童亲子", "减压", "义诊", "物资发放", "培训", "其他"},
	"OutreachMode":        {"不详", "入户探访", "电话探访", "外展", "咨询"},
	"OutreachFollow":      {"不详", "无", "转个案", "链接资源", "上报风险"},
	"CountMethod":         {"不详", "清点", "签到表", "估算"},
	"TokenBasis":          {"不详", "电话", "姓名、出生年月和村", "证件号码"},
	"GroupType":           {"不详", "教育", "成长", "支持", "治疗", "兴趣"},
	"GroupBoundary":       {"不详", "封闭", "开放"},
	"GroupStage":          {"不详", "筹备期", "形成期", "转折期", "成熟期", "结束期"},
	"ResourceType":        {"不详", "物资", "资金", "服务", "政策", "岗位", "信息"},
	"RecipientType":       {"不详", "个案", "家庭户", "小组", "村"},
	"LinkProgress":        {"不详", "已登记", "对接中", "已落实", "未成"},
	"RiskType":            {"不详", "自杀自伤", "暴力", "侵害未成年人", "家暴", "急症", "失联", "队员安全"},
	"RiskLevel":           {"不详", "黄色", "橙色", "红色"},
	"SupervisorTold":      {"不详", "电话", "短信", "当面", "尚未"},
	"SupervisionForm":     {"不详", "个别", "团体", "同辈"},
	"SupervisionMode":     {"不详", "现场", "线上"},
	"SupervisionFunction": {"不详", "行政", "教育", "支持"},
	"ReviewOutcome":       {"不详", "通过", "退回"},
	"ReviewReason":        {"不详", "缺项", "人数不符", "日期", "不实", "隐私"},
}

// newerKind is what a record of a kind is called that this version does not know.
var newerKind = Message{"record of a newer version", "新版本的记录"}

// Field is the word for a field of a record, or of a part of one.
func (w *Words) Field(f protoreflect.FieldDescriptor) string {
	if m, ok := fieldLabels[f.Parent().Name()+"."+f.Name()]; ok {
		return w.Say(m)
	}
	return w.Say(fieldLabels[f.Name()])
}

// ChoiceName is the stable name of a value of an enumeration, such as "not_asked".
func ChoiceName(v protoreflect.EnumValueDescriptor) string {
	prefix := snake(string(v.Parent().Name())) + "_"
	return strings.ToLower(strings.TrimPrefix(string(v.Name()), prefix))
}

// Choice is the word for a value of an enumeration.
func (w *Words) Choice(v protoreflect.EnumValueDescriptor) string {
	return w.Either(strings.ReplaceAll(ChoiceName(v), "_", " "), choiceLabels[v.Parent().Name()][v.Number()])
}

// snake turns CaseStage into CASE_STAGE.
func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
		}
		b.WriteRune(r)
	}
	return strings.ToUpper(b.String())
}

// KindName is the stable name of a kind, such as "case_session".
func KindName(k record.Kind) string {
	return strings.ToLower(strings.TrimPrefix(k.String(), "KIND_"))
}

// KindNamed is the kind of a stable name, such as "case_session".
func KindNamed(name string) (record.Kind, bool) {
	for _, k := range record.Kinds() {
		if KindName(k) == name {
			return k, true
		}
	}
	return recordv1.Kind_KIND_UNKNOWN, false
}

// Kind is the word for a kind. A deployment may have one of its own: see Terms.
func (w *Words) Kind(k record.Kind) string {
	v := recordv1.Kind(0).Descriptor().Values().ByNumber(k.Number())
	if v == nil {
		return w.Say(newerKind)
	}
	return w.Choice(v)
}
