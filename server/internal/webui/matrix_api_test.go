package webui_test

var apiMatrix = map[string][9]int{
	"GET /api": {yes, yes, yes, yes, yes, yes, yes, yes, yes},
}
