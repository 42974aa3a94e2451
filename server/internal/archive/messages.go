package archive

import (
	"levee/server/internal/progress"
	"levee/syncproto/certificate"
)

// wording is what is said of a Result.
type wording struct {
	title, issued, made, figure, key, sha256, line, detail, more string
	sorts                                                        map[Sort]string
	figures                                                      map[string]string
	faults                                                       map[FaultCode]string
}

func wordsIn(lang string) *wording {
	if lang == "zh" {
		return &chinese
	}
	return &english
}

var english = wording{
	title:   "%s: %s of %s, %s to %s, edition %d\n",
	issued:  "Issued %s by %s\n",
	made:    "Made %s, with %d changes\n",
	figure:  "%s: %d (verified %d)\n",
	key:     "Key: %s\n",
	sha256:  "SHA-256: %s\n",
	line:    " Line %d.",
	detail:  " [%s] %s\n",
	more:    "and %d more\n",
	sorts:   map[Sort]string{SortArchive: "archive", SortCertificate: "certificate"},
	figures: map[string]string{"service_days": "Service days", "cases": "Cases", "group_sessions": "Group sessions", "community_activities": "Community activities", "persons": "Beneficiaries"},
	faults: map[FaultCode]string{
		NotAnArchive:       "The file is no archive that this program knows.",
		TrailerChanged:     "The end of the file was cut or changed.",
		ManifestChanged:    "The manifest is not as it was signed.",
		BlockChanged:       "A part of the database is not as it was signed.",
		DatabaseDamaged:    "SQLite finds the database damaged.",
		TableChanged:       "A table is not as it was signed.",
		CertificateMissing: "A certificate is missing, or there is one more than the manifest says.",
		CertificateChanged: "A certificate is not as it was signed.",
		OtherKey:           "It was signed with another key than the one expected.",
		TotalDiffers:       "A total is not what the certificate says.",
		RecountDiffers:     "A total is not what the records give.",
		LogDiffers:         "The change log is not the one that was certified.",
		ReplicaDiffers:     "What the change log has of one writer is not what was certified.",
		Unreadable:         "A part of the file can't be read.",

		FaultCode(certificate.NotACertificate):  "The file is no certificate, or not a whole one.",
		FaultCode(certificate.LineChanged):      "A line is not as it was signed.",
		FaultCode(certificate.SignatureInvalid): "The signature does not match.",

		FaultCode(progress.LogGap):        "Changes are missing from the change log.",
		FaultCode(progress.LogChain):      "The change log's chain does not follow from its changes.",
		FaultCode(progress.LogEntry):      "A change is not what its entry says.",
		FaultCode(progress.ReplicaChain):  "How far the changes of one writer go is not what the log says.",
		FaultCode(progress.RecordDiffers): "A record is not what its changes give.",
		FaultCode(progress.RecordLost):    "A record is missing.",
		FaultCode(progress.DayCounts):     "What is kept by day is not what the records give.",
		FaultCode(progress.TokenCounts):   "How often people were met is not what the records give.",
	},
}

var chinese = wording{
	title:   "%s：%s，%s，%s 至 %s，第 %d 版\n",
	issued:  "签发：%s，%s\n",
	made:    "归档：%s，共 %d 条更改\n",
	figure:  "%s：%d（已核实 %d）\n",
	key:     "密钥：%s\n",
	sha256:  "SHA-256：%s\n",
	line:    "第 %d 行。",
	detail:  "［%s］%s\n",
	more:    "另有 %d 处\n",
	sorts:   map[Sort]string{SortArchive: "行动档案", SortCertificate: "数据确认书"},
	figures: map[string]string{"service_days": "服务天数", "cases": "个案", "group_sessions": "小组活动", "community_activities": "团体活动", "persons": "受益人群"},
	faults: map[FaultCode]string{
		NotAnArchive:       "这不是本程序认识的行动档案。",
		TrailerChanged:     "文件末尾被截断或改动。",
		ManifestChanged:    "清单与签名时不一致。",
		BlockChanged:       "数据库有一部分与签名时不一致。",
		DatabaseDamaged:    "SQLite 检查发现数据库已损坏。",
		TableChanged:       "有一张表与签名时不一致。",
		CertificateMissing: "缺少一份数据确认书，或比清单多出一份。",
		CertificateChanged: "数据确认书与签名时不一致。",
		OtherKey:           "签名所用的密钥不是预期的那一把。",
		TotalDiffers:       "有一项统计与数据确认书不一致。",
		RecountDiffers:     "有一项统计与按记录重新统计的结果不一致。",
		LogDiffers:         "更改日志不是数据确认书所确认的那一份。",
		ReplicaDiffers:     "更改日志中某个写入者的内容与数据确认书不一致。",
		Unreadable:         "文件有一部分无法读取。",

		FaultCode(certificate.NotACertificate):  "这不是数据确认书，或内容不完整。",
		FaultCode(certificate.LineChanged):      "有一行与签名时不一致。",
		FaultCode(certificate.SignatureInvalid): "签名不符。",

		FaultCode(progress.LogGap):        "更改日志中缺少更改。",
		FaultCode(progress.LogChain):      "更改日志的链与内容不一致。",
		FaultCode(progress.LogEntry):      "有一条更改与日志所记不一致。",
		FaultCode(progress.ReplicaChain):  "某个写入者的更改数与日志不一致。",
		FaultCode(progress.RecordDiffers): "有一条记录与其更改不一致。",
		FaultCode(progress.RecordLost):    "缺少一条记录。",
		FaultCode(progress.DayCounts):     "按日保存的数字与记录不一致。",
		FaultCode(progress.TokenCounts):   "人数的计数与记录不一致。",
	},
}
