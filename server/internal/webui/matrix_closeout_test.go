package webui_test

import "net/http"

// old is of a step that does not begin from the state in which the deployment is.
const old = http.StatusConflict

var closeoutMatrix = map[string][9]int{
	"GET /deployments/:deployment/closeout":                                   {in, yes, yes, yes, yes, yes, yes, hid, hid},
	"GET /deployments/:deployment/closeout/days":                              {in, no, no, no, no, no, yes, hid, no},
	"POST /deployments/:deployment/closeout/days":                             {in, no, no, no, no, no, bad, hid, no},
	"GET /deployments/:deployment/closeout/checks/:check/waiver":              {in, no, no, no, no, no, hid, hid, no}, // a backup has all that there is
	"POST /deployments/:deployment/closeout/checks/:check/waiver":             {in, no, no, no, no, no, hid, hid, no},
	"GET /deployments/:deployment/closeout/checks/:check/items/:item/waiver":  {in, no, no, no, no, no, hid, hid, no},
	"POST /deployments/:deployment/closeout/checks/:check/items/:item/waiver": {in, no, no, no, no, no, hid, hid, no},
	"POST /deployments/:deployment/closeout/waivers/:waiver/removal":          {in, no, no, no, no, no, hid, hid, no},
	"POST /deployments/:deployment/closeout/recount":                          {in, no, no, no, no, no, in, hid, no},
	"POST /deployments/:deployment/closeout/backup":                           {in, no, no, no, no, no, in, hid, no},
	"GET /deployments/:deployment/closeout/closing":                           {in, no, no, no, no, no, old, hid, no}, // it is active
	"POST /deployments/:deployment/closeout/closing":                          {in, no, no, no, no, no, old, hid, no},
	"GET /deployments/:deployment/closeout/reopening":                         {in, no, no, no, no, no, old, hid, no},
	"POST /deployments/:deployment/closeout/reopening":                        {in, no, no, no, no, no, old, hid, no},
	"GET /deployments/:deployment/closeout/report-settings":                   {in, no, no, no, no, no, yes, hid, no},
	"POST /deployments/:deployment/closeout/report-settings":                  {in, no, no, no, no, no, bad, hid, no},
	"POST /deployments/:deployment/closeout/certificates":                     {in, no, no, no, no, no, old, hid, no},
	"GET /deployments/:deployment/closeout/certificates/:edition":             {in, hid, hid, hid, hid, hid, hid, hid, hid},
	"GET /deployments/:deployment/closeout/certificates/:edition/file":        {in, hid, hid, hid, hid, hid, hid, hid, hid},
	"GET /deployments/:deployment/closeout/certificates/:edition/image":       {in, hid, hid, hid, hid, hid, hid, hid, hid},
	"GET /deployments/:deployment/closeout/addenda":                           {in, no, no, no, no, no, yes, hid, no},
	"POST /deployments/:deployment/closeout/addenda/preview":                  {in, no, no, no, no, no, in, hid, no},
	"POST /deployments/:deployment/closeout/addenda/decision":                 {in, no, no, no, no, no, in, hid, no}, // of nothing
	"GET /deployments/:deployment/closeout/report/:edition":                   {in, hid, hid, hid, hid, hid, hid, hid, hid},
	"GET /deployments/:deployment/closeout/report/:edition/pdf":               {in, hid, hid, hid, hid, hid, hid, hid, hid},
	"GET /deployments/:deployment/closeout/report/:edition/xlsx":              {in, hid, hid, hid, hid, hid, hid, hid, hid},
	"GET /deployments/:deployment/closeout/report/:edition/charts/:chart":     {in, hid, hid, hid, hid, hid, hid, hid, hid},
	"GET /deployments/:deployment/closeout/referrals/:referral":               {in, hid, hid, hid, hid, hid, hid, hid, hid},
	"GET /deployments/:deployment/closeout/hand-over":                         {in, no, no, no, no, no, yes, hid, hid},
	"POST /deployments/:deployment/closeout/hand-over":                        {in, no, no, no, no, no, bad, hid, hid},
	"POST /deployments/:deployment/closeout/archive":                          {in, no, no, no, no, no, old, hid, no},
	"GET /deployments/:deployment/closeout/archive/file":                      {in, no, no, no, no, no, hid, hid, no},
	"GET /deployments/:deployment/closeout/erasure":                           {in, no, no, no, no, no, old, hid, no},
	"POST /deployments/:deployment/closeout/erasure":                          {in, no, no, no, no, no, old, hid, no},
}
