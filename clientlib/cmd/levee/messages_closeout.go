package main

import "levee/syncproto/words"

// How far the deployment has come on its way to its end.
var (
	titleState       = words.Message{EN: "State", ZH: "状态"}
	titleOwed        = words.Message{EN: "Still to do", ZH: "还要做"}
	titleAddendum    = words.Message{EN: "Addendum", ZH: "补报"}
	titleCertificate = words.Message{EN: "Certificate", ZH: "数据确认书"}

	goesOnUntil    = words.Message{EN: "goes on; the last day is %s", ZH: "进行中，最后一天 %s"}
	isClosing      = words.Message{EN: "being closed out", ZH: "收队中"}
	isClosingLeft  = words.Message{EN: "being closed out until %s, %s left", ZH: "收队中，到 %s，还剩 %s"}
	isClosingLast  = words.Message{EN: "being closed out; today is the last day", ZH: "收队中，今天是最后一天"}
	isClosingOver  = words.Message{EN: "being closed out; the last day was %s", ZH: "收队中，最后一天是 %s，已过"}
	isClosedSince  = words.Message{EN: "closed on %s; what is logged now goes to the coordinator as an addendum", ZH: "%s 已收队；现在填写的作为补报交给协调员"}
	isArchived     = words.Message{EN: "archived on %s; nothing can be logged any more, and the tablet can be handed back", ZH: "%s 已归档；不能再填写，平板可以交还"}
	nothingOwed    = words.Message{EN: "nothing; thank you", ZH: "没有了，辛苦了"}
	addendumIs     = words.Message{EN: "%s waiting, %s accepted, %s declined; see: levee held", ZH: "待处理 %s，已采用 %s，未采用 %s，见 levee held"}
	certificateIs  = words.Message{EN: "edition %s of %s", ZH: "第 %s 版，%s"}
	savedLate      = words.Message{EN: "The deployment was closed: this goes to the coordinator as an addendum, and counts once it is accepted.", ZH: "行动已收队：这项作为补报交给协调员，采用后才计入统计。"}
	heldAsAddendum = words.Message{EN: "   Addendum: waiting for the coordinator.", ZH: "   补报：等待协调员处理。"}
	heldReason     = words.Message{EN: "   Reason: %s", ZH: "   理由：%s"}
	markLate       = words.Message{EN: "addendum, waiting", ZH: "补报，等待处理"}
)

var (
	owedReturned = words.Counted{One: "%d returned", Other: "%d returned", ZH: "退回 %d 条"}
	owedDrafts   = words.Counted{One: "%d incomplete", Other: "%d incomplete", ZH: "缺项 %d 条"}
	owedForms    = words.Counted{One: "%d form not saved", Other: "%d forms not saved", ZH: "未保存的表 %d 张"}
	owedCases    = words.Counted{One: "%d case open", Other: "%d cases open", ZH: "未结个案 %d 个"}
)
