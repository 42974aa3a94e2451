package webui_test

// The alert is one of the first team's, which a field worker of it sent who visits nothing.
var alertsMatrix = map[string][9]int{
	"GET /deployments/:deployment/alerts":                         {in, yes, yes, yes, yes, yes, yes, hid, hid},
	"GET /deployments/:deployment/alerts/:alert":                  {in, hid, hid, yes, hid, yes, yes, hid, hid},
	"POST /deployments/:deployment/alerts/:alert/acknowledgement": {in, no, hid, in, hid, in, in, hid, hid},
	"POST /deployments/:deployment/alerts/:alert/closing":         {in, no, hid, bad, hid, bad, bad, hid, hid},
}
