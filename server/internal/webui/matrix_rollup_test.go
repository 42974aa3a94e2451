package webui_test

var rollUpMatrix = map[string][9]int{
	"GET /rollup": {in, hid, hid, hid, hid, hid, hid, hid, hid}, // each has a part in one deployment, or in none
}
