package tabletui

// The addresses that more than one page knows.
const (
	pathEnter     = "/enter"
	pathSignIn    = "/sign-in"
	pathEnrol     = "/enrol"
	pathToday     = "/"
	pathEmergency = "/emergency"
	pathCases     = "/cases"
	pathHistory   = "/history"
	pathInbox     = "/inbox"
	pathSync      = "/sync"
	pathSettings  = "/settings"
	pathMore      = "/more"
	pathNew       = "/new"
	pathPaper     = "/paper"
	pathHandover  = "/handover"
	pathCounter   = "/counter"
)

// routes are all pages and deeds. It is a function since handlers name pages themselves.
func routes() []route {
	return []route{
		{method: "GET", path: pathEnter, do: (*visit).enterPage, open: true},
		{method: "POST", path: pathEnter, do: (*visit).enter, open: true},
		{method: "GET", path: pathSignIn, do: (*visit).signInPage, open: true},
		{method: "POST", path: pathSignIn, do: (*visit).signedIn, open: true},
		{method: "GET", path: pathEnrol, do: (*visit).enrolPage, open: true},
		{method: "POST", path: pathEnrol, do: (*visit).enrolled, open: true},
		{method: "POST", path: "/lock", do: (*visit).lockPages},
		{method: "POST", path: "/language", do: (*visit).speak, open: true},

		{method: "GET", path: pathUnlock, do: (*visit).unlockPage},
		{method: "POST", path: pathUnlock, do: (*visit).unlock},

		{method: "GET", path: pathSync, do: (*visit).syncPage},
		{method: "GET", path: "/sync/state", do: (*visit).syncState, quiet: true},
		{method: "POST", path: "/sync/now", do: (*visit).syncNow},
		{method: "POST", path: "/sync/stop", do: (*visit).syncStop},
		{method: "GET", path: "/badge", do: (*visit).badge, quiet: true},
		{method: "GET", path: "/events", do: (*visit).events, quiet: true},
		{method: "POST", path: "/network", do: (*visit).network, quiet: true},

		{method: "GET", path: "/{$}", do: (*visit).today},
		{method: "GET", path: pathMore, do: (*visit).more},
		{method: "GET", path: pathNew, do: (*visit).choose},
		{method: "GET", path: pathNew + "/{kind}", do: (*visit).begin},
		{method: "GET", path: "/forms/{form}", do: (*visit).formPage},
		{method: "POST", path: "/forms/{form}", do: (*visit).formSent},
		{method: "POST", path: "/forms/{form}/kept", do: (*visit).formKept},
		{method: "POST", path: "/forms/{form}/drop", do: (*visit).formDropped},
		{method: "GET", path: "/records/{record}", do: (*visit).recordPage},
		{method: "GET", path: "/records/{record}/edit", do: (*visit).beginEdit},
		{method: "POST", path: "/records/{record}/delete", do: (*visit).deleteRecord},
		{method: "POST", path: "/records/{record}/restore", do: (*visit).restoreRecord},
	}
}
