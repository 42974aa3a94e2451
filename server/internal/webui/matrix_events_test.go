package webui_test

var eventsMatrix = map[string][9]int{
	"GET /deployments/:deployment/events": {in, yes, yes, yes, yes, yes, yes, hid, hid},
}
