package webui_test

var teamsMatrix = map[string][9]int{
	"GET /deployments/:deployment/teams":           {in, yes, yes, yes, yes, yes, yes, hid, hid},
	"GET /deployments/:deployment/teams/:team":     {in, yes, yes, yes, hid, yes, yes, hid, hid},
	"GET /deployments/:deployment/workers/:worker": {in, yes, yes, yes, hid, yes, yes, hid, hid},
}
