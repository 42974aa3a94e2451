package webui_test

var setUpMatrix = map[string][9]int{
	"GET /deployments/:deployment/set-up/sites/:site":      {in, no, no, no, no, no, yes, hid, no},
	"POST /deployments/:deployment/set-up/sites/:site":     {in, no, no, no, no, no, bad, hid, no},
	"GET /deployments/:deployment/set-up/teams/:team":      {in, no, no, no, no, no, yes, hid, no},
	"POST /deployments/:deployment/set-up/teams/:team":     {in, no, no, no, no, no, bad, hid, no},
	"GET /deployments/:deployment/set-up/workers/:worker":  {in, no, no, no, no, no, yes, hid, no},
	"POST /deployments/:deployment/set-up/workers/:worker": {in, no, no, no, no, no, bad, hid, no},
}
