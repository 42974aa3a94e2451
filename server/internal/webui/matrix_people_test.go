package webui_test

var peopleMatrix = map[string][9]int{
	"GET /deployments/:deployment/people":                      {in, yes, yes, yes, yes, yes, yes, hid, yes},
	"POST /deployments/:deployment/workers/:worker/invitation": {in, no, no, no, no, no, in, hid, no},
}
