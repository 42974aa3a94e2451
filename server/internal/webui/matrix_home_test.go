package webui_test

var homeMatrix = map[string][9]int{
	"GET /":                 {in, yes, yes, yes, yes, yes, yes, yes, yes},
	"GET /deployments/new":  {in, hid, hid, hid, hid, hid, hid, hid, yes},
	"POST /deployments/new": {in, hid, hid, hid, hid, hid, hid, hid, bad},
}
