package webui_test

var accountMatrix = map[string][9]int{
	"GET /account":                           {in, yes, yes, yes, yes, yes, yes, yes, yes},
	"POST /account":                          {in, bad, bad, bad, bad, bad, bad, bad, bad},
	"POST /account/time-code":                {in, in, in, in, in, in, in, in, in},
	"GET /account/time-code/:shown":          {in, hid, hid, hid, hid, hid, hid, hid, hid},
	"POST /account/time-code/:shown":         {in, hid, hid, hid, hid, hid, hid, hid, hid},
	"GET /account/time-code/:shown/image":    {in, hid, hid, hid, hid, hid, hid, hid, hid},
	"POST /account/sign-out-others":          {in, in, in, in, in, in, in, in, in},
	"GET /account/tokens/new":                {in, yes, yes, yes, yes, yes, yes, yes, yes},
	"POST /account/tokens/new":               {in, bad, bad, bad, bad, bad, bad, bad, bad},
	"POST /account/tokens/:token/revocation": {in, hid, hid, hid, hid, hid, hid, hid, hid},
	"GET /shown/:shown":                      {in, hid, hid, hid, hid, hid, hid, hid, hid},
}
