package webui_test

var figuresMatrix = map[string][9]int{
	"GET /deployments/:deployment/figures/:figure":         {in, yes, yes, yes, yes, yes, yes, hid, hid},
	"GET /deployments/:deployment/figures/:figure/records": {in, hid, hid, hid, hid, hid, yes, hid, hid}, // of the whole, which who sees some teams does not see
}
