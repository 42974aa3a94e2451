package webui_test

var overviewMatrix = map[string][9]int{
	"GET /deployments/:deployment":               {in, yes, yes, yes, yes, yes, yes, hid, yes},
	"GET /deployments/:deployment/charts/:chart": {in, hid, hid, hid, hid, hid, hid, hid, hid}, // no chart has that name
}
