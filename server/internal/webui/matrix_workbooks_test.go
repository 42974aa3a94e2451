package webui_test

var workbooksMatrix = map[string][9]int{
	"GET /deployments/:deployment/reports/workbooks":                    {in, no, no, no, no, no, yes, hid, hid},
	"GET /deployments/:deployment/reports/workbooks/:workbook/filled":   {in, no, no, no, no, no, yes, hid, hid},
	"GET /deployments/:deployment/reports/workbooks/new":                {in, no, no, no, no, no, yes, hid, no},
	"POST /deployments/:deployment/reports/workbooks/new":               {in, no, no, no, no, no, bad, hid, no},
	"GET /deployments/:deployment/reports/workbooks/:workbook/cells":    {in, no, no, no, no, no, yes, hid, no},
	"POST /deployments/:deployment/reports/workbooks/:workbook/cells":   {in, no, no, no, no, no, bad, hid, no},
	"GET /deployments/:deployment/reports/workbooks/:workbook/removal":  {in, no, no, no, no, no, yes, hid, no},
	"POST /deployments/:deployment/reports/workbooks/:workbook/removal": {in, no, no, no, no, no, in, hid, no},
}
