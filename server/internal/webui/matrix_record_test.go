package webui_test

var recordMatrix = map[string][9]int{
	"GET /deployments/:deployment/records/:record":    {in, yes, yes, yes, hid, yes, yes, hid, hid}, // a record of the first team
	"GET /deployments/:deployment/arrivals/:position": {in, yes, yes, yes, hid, yes, yes, hid, hid}, // which brought it
}
