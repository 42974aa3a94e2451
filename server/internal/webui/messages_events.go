package webui

// eventsMessages are those of pages that stay up to date while they are open.
var eventsMessages = map[string]message{
	"updated":  {"Updated at %s", "%s 更新"},
	"not_live": {"This page no longer updates by itself.", "本页已停止自动更新。"},
	"reload":   {"Reload", "重新加载"},
}
