package webui_test

var historyMatrix = map[string][9]int{
	"GET /deployments/:deployment/import":                 {in, no, yes, yes, yes, yes, yes, hid, hid},
	"POST /deployments/:deployment/import":                {in, no, bad, bad, bad, bad, bad, hid, hid},
	"GET /deployments/:deployment/import/templates/:kind": {in, no, yes, yes, yes, yes, yes, hid, hid},
	"GET /deployments/:deployment/import/:shown":          {in, no, hid, hid, hid, hid, hid, hid, hid}, // there is no such file
	"POST /deployments/:deployment/import/:shown":         {in, no, hid, hid, hid, hid, hid, hid, hid},
}
