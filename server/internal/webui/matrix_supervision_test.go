package webui_test

var supervisionMatrix = map[string][9]int{
	"GET /deployments/:deployment/supervision":                         {in, yes, yes, yes, yes, yes, yes, hid, hid},
	"GET /deployments/:deployment/supervision/new":                     {in, no, in, in, in, in, yes, hid, hid}, // who has one team is led on
	"GET /deployments/:deployment/supervision/new/:team":               {in, no, yes, yes, hid, yes, yes, hid, hid},
	"POST /deployments/:deployment/supervision/new/:team":              {in, no, bad, bad, hid, bad, bad, hid, hid},
	"GET /deployments/:deployment/supervision/:supervision":            {in, yes, yes, yes, hid, yes, yes, hid, hid},
	"GET /deployments/:deployment/supervision/:supervision/edit":       {in, no, yes, yes, hid, yes, yes, hid, hid},
	"POST /deployments/:deployment/supervision/:supervision/edit":      {in, no, bad, bad, hid, bad, bad, hid, hid},
	"POST /deployments/:deployment/supervision/:supervision/looked-at": {in, no, hid, hid, hid, hid, hid, hid, hid}, // no task is named
}
