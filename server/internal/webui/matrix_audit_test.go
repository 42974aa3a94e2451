package webui_test

var auditMatrix = map[string][9]int{
	"GET /deployments/:deployment/audit": {in, hid, hid, hid, hid, hid, yes, hid, hid},
	"GET /audit":                         {in, hid, hid, hid, hid, hid, hid, hid, yes},
}
