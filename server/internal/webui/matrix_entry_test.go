package webui_test

var entryMatrix = map[string][9]int{
	"GET /set-up":           {hid, hid, hid, hid, hid, hid, hid, hid, hid}, // there are accounts already
	"POST /set-up":          {hid, hid, hid, hid, hid, hid, hid, hid, hid},
	"GET /sign-in":          {yes, in, in, in, in, in, in, in, in},
	"POST /sign-in":         {bad, bad, bad, bad, bad, bad, bad, bad, bad},
	"GET /invitation":       {yes, yes, yes, yes, yes, yes, yes, yes, yes},
	"POST /invitation":      {bad, bad, bad, bad, bad, bad, bad, bad, bad},
	"POST /invitation/join": {in, bad, bad, bad, bad, bad, bad, bad, bad},
	"GET /reset":            {yes, yes, yes, yes, yes, yes, yes, yes, yes},
	"POST /reset":           {bad, bad, bad, bad, bad, bad, bad, bad, bad},
	"POST /sign-out":        {in, in, in, in, in, in, in, in, in}, // last: it ends the visit
}
