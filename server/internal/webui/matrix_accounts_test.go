package webui_test

var accountsMatrix = map[string][9]int{
	"GET /accounts":                                 {in, hid, hid, hid, hid, hid, hid, hid, yes},
	"POST /accounts/invitation":                     {in, hid, hid, hid, hid, hid, hid, hid, in},
	"GET /accounts/:account/sessions":               {in, hid, hid, hid, hid, hid, hid, hid, yes},
	"POST /accounts/:account/sessions/end":          {in, hid, hid, hid, hid, hid, hid, hid, in},
	"POST /accounts/:account/sessions/:session/end": {in, hid, hid, hid, hid, hid, hid, hid, hid}, // there is no such session
	"POST /accounts/:account/reset":                 {in, hid, hid, hid, hid, hid, hid, hid, in},
	"POST /accounts/:account/disabled":              {in, hid, hid, hid, hid, hid, hid, hid, in},
	"POST /accounts/:account/enabled":               {in, hid, hid, hid, hid, hid, hid, hid, in},
}
