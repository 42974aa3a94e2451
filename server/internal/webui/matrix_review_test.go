package webui_test

var reviewMatrix = map[string][9]int{
	"GET /deployments/:deployment/review":                   {in, no, yes, yes, yes, yes, yes, hid, hid},
	"GET /deployments/:deployment/review/:record":           {in, no, yes, yes, hid, yes, yes, hid, hid}, // a record of the first team
	"POST /deployments/:deployment/review/:record/approval": {in, no, bad, bad, hid, bad, bad, hid, hid},
	"POST /deployments/:deployment/review/:record/return":   {in, no, bad, bad, hid, bad, bad, hid, hid},
	"POST /deployments/:deployment/review/preview":          {in, no, in, in, in, in, in, hid, hid}, // nothing is chosen
	"POST /deployments/:deployment/review/approvals":        {in, no, in, in, in, in, in, hid, hid},
	"GET /deployments/:deployment/review/approvals/:shown":  {in, no, hid, hid, hid, hid, hid, hid, hid}, // another's
}
