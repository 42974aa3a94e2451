package webui_test

var plannedMatrix = map[string][9]int{
	"GET /deployments/:deployment/planned":                         {in, yes, yes, yes, yes, yes, yes, hid, hid},
	"GET /deployments/:deployment/planned/:activity":               {in, no, hid, hid, hid, hid, hid, hid, hid}, // there is no such activity
	"POST /deployments/:deployment/planned/:activity":              {in, no, hid, hid, hid, hid, hid, hid, hid},
	"GET /deployments/:deployment/planned/:activity/cancellation":  {in, no, hid, hid, hid, hid, hid, hid, hid},
	"POST /deployments/:deployment/planned/:activity/cancellation": {in, no, hid, hid, hid, hid, hid, hid, hid},
}
