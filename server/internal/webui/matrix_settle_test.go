package webui_test

var settleMatrix = map[string][9]int{
	"GET /deployments/:deployment/conflicts":                              {in, hid, yes, yes, yes, yes, yes, hid, hid},
	"GET /deployments/:deployment/conflicts/:conflict":                    {in, hid, hid, hid, hid, hid, hid, hid, hid}, // there is none
	"POST /deployments/:deployment/conflicts/:conflict":                   {in, hid, hid, hid, hid, hid, hid, hid, hid},
	"GET /deployments/:deployment/duplicates":                             {in, no, yes, yes, yes, yes, yes, hid, hid},
	"GET /deployments/:deployment/duplicates/:earlier/:later":             {in, no, hid, hid, hid, hid, hid, hid, hid},
	"POST /deployments/:deployment/duplicates/:earlier/:later":            {in, no, hid, hid, hid, hid, hid, hid, hid},
	"GET /deployments/:deployment/duplicates/:earlier/:later/separation":  {in, no, hid, hid, hid, hid, hid, hid, hid},
	"POST /deployments/:deployment/duplicates/:earlier/:later/separation": {in, no, hid, hid, hid, hid, hid, hid, hid},
	"GET /deployments/:deployment/held":                                   {in, hid, yes, yes, yes, yes, yes, hid, hid},
	"GET /deployments/:deployment/held/:change":                           {in, hid, hid, hid, hid, hid, hid, hid, hid},
	"POST /deployments/:deployment/held/:change":                          {in, hid, hid, hid, hid, hid, hid, hid, hid},
}
