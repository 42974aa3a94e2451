package webui_test

var reportsMatrix = map[string][9]int{
	"GET /deployments/:deployment/reports":                 {in, yes, yes, yes, yes, yes, yes, hid, hid},
	"GET /deployments/:deployment/reports/workers/:worker": {in, yes, yes, yes, hid, yes, yes, hid, hid},
}
