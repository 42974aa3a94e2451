package webui_test

var peopleMatrix = map[string][9]int{
	"GET /deployments/:deployment/people":                      {in, yes, yes, yes, yes, yes, yes, hid, yes},
	"GET /deployments/:deployment/workers/:worker/account":     {in, no, no, no, no, no, hid, hid, no}, // they have none
	"POST /deployments/:deployment/workers/:worker/account":    {in, no, no, no, no, no, hid, hid, no},
	"POST /deployments/:deployment/workers/:worker/invitation": {in, no, no, no, no, no, in, hid, no},
}
