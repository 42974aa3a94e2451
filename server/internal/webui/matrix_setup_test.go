package webui_test

var setUpMatrix = map[string][9]int{
	"GET /deployments/:deployment/set-up":                  {in, yes, yes, yes, yes, yes, yes, hid, yes},
	"GET /deployments/:deployment/set-up/deployment":       {in, no, no, no, no, no, yes, hid, no},
	"POST /deployments/:deployment/set-up/deployment":      {in, no, no, no, no, no, bad, hid, no},
	"GET /deployments/:deployment/set-up/areas":            {in, no, no, no, no, no, yes, hid, no},
	"POST /deployments/:deployment/set-up/areas":           {in, no, no, no, no, no, bad, hid, no},
	"GET /deployments/:deployment/set-up/ages":             {in, no, no, no, no, no, yes, hid, no},
	"POST /deployments/:deployment/set-up/ages":            {in, no, no, no, no, no, bad, hid, no},
	"GET /deployments/:deployment/set-up/words":            {in, no, no, no, no, no, yes, hid, no},
	"POST /deployments/:deployment/set-up/words":           {in, no, no, no, no, no, bad, hid, no},
	"GET /deployments/:deployment/set-up/duty":             {in, no, no, no, no, no, yes, hid, no},
	"POST /deployments/:deployment/set-up/duty":            {in, no, no, no, no, no, bad, hid, no},
	"GET /deployments/:deployment/set-up/emergency":        {in, no, no, no, no, no, yes, hid, no},
	"POST /deployments/:deployment/set-up/emergency":       {in, no, no, no, no, no, bad, hid, no},
	"GET /deployments/:deployment/set-up/sites/:site":      {in, no, no, no, no, no, yes, hid, no},
	"POST /deployments/:deployment/set-up/sites/:site":     {in, no, no, no, no, no, bad, hid, no},
	"GET /deployments/:deployment/set-up/teams/:team":      {in, no, no, no, no, no, yes, hid, no},
	"POST /deployments/:deployment/set-up/teams/:team":     {in, no, no, no, no, no, bad, hid, no},
	"GET /deployments/:deployment/set-up/workers/:worker":  {in, no, no, no, no, no, yes, hid, no},
	"POST /deployments/:deployment/set-up/workers/:worker": {in, no, no, no, no, no, bad, hid, no},
}
