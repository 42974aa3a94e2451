package webui_test

var exportsMatrix = map[string][9]int{
	"GET /deployments/:deployment/exports":                  {in, no, no, yes, yes, yes, yes, hid, hid},
	"POST /deployments/:deployment/exports":                 {in, no, no, bad, bad, bad, bad, hid, hid},
	"GET /deployments/:deployment/exports/confidential":     {in, no, no, yes, yes, yes, yes, hid, hid},
	"POST /deployments/:deployment/exports/confidential":    {in, no, no, bad, bad, bad, bad, hid, hid},
	"GET /deployments/:deployment/exports/:export/file":     {in, no, no, hid, hid, hid, hid, hid, hid},
	"POST /deployments/:deployment/exports/:export/removal": {in, no, no, hid, hid, hid, hid, hid, hid},
}
