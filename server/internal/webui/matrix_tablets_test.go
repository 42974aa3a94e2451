package webui_test

var tabletsMatrix = map[string][9]int{
	"POST /deployments/:deployment/workers/:worker/code":         {in, no, no, in, no, no, in, hid, no},
	"GET /deployments/:deployment/codes/:shown":                  {in, hid, hid, hid, hid, hid, hid, hid, hid}, // another's code
	"GET /deployments/:deployment/codes/:shown/image":            {in, hid, hid, hid, hid, hid, hid, hid, hid},
	"GET /deployments/:deployment/tablets":                       {in, hid, yes, yes, yes, yes, yes, hid, hid},
	"GET /deployments/:deployment/tablets/:device/name":          {in, hid, no, yes, hid, no, yes, hid, hid},
	"POST /deployments/:deployment/tablets/:device/name":         {in, hid, no, bad, hid, no, bad, hid, hid},
	"GET /deployments/:deployment/tablets/:device/replacement":   {in, hid, no, yes, hid, no, yes, hid, hid},
	"POST /deployments/:deployment/tablets/:device/replacement":  {in, hid, no, in, hid, no, in, hid, hid},
	"POST /deployments/:deployment/tablets/:device/confirmation": {in, hid, no, no, no, no, in, hid, hid},
	"GET /deployments/:deployment/tablets/:device/revocation":    {in, hid, no, yes, hid, no, yes, hid, hid},
	"POST /deployments/:deployment/tablets/:device/revocation":   {in, hid, no, in, hid, no, in, hid, hid},
}
