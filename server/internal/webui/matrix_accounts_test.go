package webui_test

var accountsMatrix = map[string][9]int{
	"GET /accounts":                    {in, hid, hid, hid, hid, hid, hid, hid, yes},
	"POST /accounts/invitation":        {in, hid, hid, hid, hid, hid, hid, hid, in},
	"POST /accounts/:account/reset":    {in, hid, hid, hid, hid, hid, hid, hid, in},
	"POST /accounts/:account/disabled": {in, hid, hid, hid, hid, hid, hid, hid, in},
	"POST /accounts/:account/enabled":  {in, hid, hid, hid, hid, hid, hid, hid, in},
}
