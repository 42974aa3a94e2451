package webui_test

var casesMatrix = map[string][9]int{
	"GET /deployments/:deployment/cases": {in, yes, yes, yes, yes, yes, yes, hid, hid},
}
