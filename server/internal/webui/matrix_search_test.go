package webui_test

var searchMatrix = map[string][9]int{
	"GET /deployments/:deployment/search":  {in, yes, yes, yes, yes, yes, yes, hid, hid},
	"POST /deployments/:deployment/search": {in, bad, bad, bad, bad, bad, bad, hid, hid},
}
