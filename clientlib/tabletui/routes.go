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
	pathRegister  = "/register"
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

		{method: "GET", path: pathEmergency, do: (*visit).emergencyPage, open: true},
		{method: "POST", path: pathEmergency, do: (*visit).alerted, open: true},
		{method: "POST", path: pathEmergency + "/{record}/confirmation", do: (*visit).confirmAlert},

		{method: "GET", path: pathSync, do: (*visit).syncPage},
		{method: "GET", path: "/sync/state", do: (*visit).syncState, quiet: true},
		{method: "POST", path: "/sync/now", do: (*visit).syncNow},
		{method: "POST", path: "/sync/stop", do: (*visit).syncStop},
		{method: "GET", path: "/badge", do: (*visit).badge, quiet: true},
		{method: "GET", path: "/events", do: (*visit).events, quiet: true},
		{method: "POST", path: "/network", do: (*visit).network, quiet: true},

		{method: "GET", path: pathCases, do: (*visit).casesPage},
		{method: "POST", path: pathCases + "/search", do: (*visit).seekCases},
		{method: "GET", path: pathCases + "/{case}", do: (*visit).casePage},
		{method: "GET", path: pathCases + "/{case}/close", do: (*visit).closePage, logs: true},
		{method: "POST", path: pathCases + "/{case}/close", do: (*visit).closeCase, logs: true},
		{method: "GET", path: pathCases + "/{case}/identity", do: (*visit).identityPage},
		{method: "POST", path: "/identity/hide", do: (*visit).hideIdentity},
		{method: "GET", path: pathHistory, do: (*visit).history},
		{method: "GET", path: pathRegister, do: (*visit).registerPage, logs: true},
		{method: "POST", path: pathRegister, do: (*visit).register, logs: true},

		{method: "GET", path: "/{$}", do: (*visit).today},
		{method: "GET", path: pathMore, do: (*visit).more},
		{method: "GET", path: pathNew, do: (*visit).choose, logs: true},
		{method: "GET", path: pathNew + "/{kind}", do: (*visit).begin, logs: true},
		{method: "GET", path: "/forms/{form}", do: (*visit).formPage, logs: true},
		{method: "POST", path: "/forms/{form}", do: (*visit).formSent, logs: true},
		{method: "POST", path: "/forms/{form}/kept", do: (*visit).formKept},
		{method: "POST", path: "/forms/{form}/drop", do: (*visit).formDropped},
		{method: "GET", path: "/records/{record}", do: (*visit).recordPage},
		{method: "GET", path: "/records/{record}/edit", do: (*visit).beginEdit, logs: true},
		{method: "POST", path: "/records/{record}/delete", do: (*visit).deleteRecord},
		{method: "POST", path: "/records/{record}/restore", do: (*visit).restoreRecord},

		{method: "GET", path: pathCounter, do: (*visit).counterPage, logs: true},
		{method: "POST", path: pathCounter + "/held", do: (*visit).tookPlace, logs: true},
		{method: "GET", path: pathCounter + "/{form}", do: (*visit).padPage, logs: true},
		{method: "POST", path: pathCounter + "/{form}", do: (*visit).countDone, logs: true},
		{method: "POST", path: pathCounter + "/{form}/tap", do: (*visit).tap},
		{method: "POST", path: pathCounter + "/{form}/undo", do: (*visit).undo},
		{method: "POST", path: pathCounter + "/{form}/kept", do: (*visit).countKept},
		{method: "GET", path: pathCounter + "/{form}/numbers", do: (*visit).numbersPage, logs: true},
		{method: "POST", path: pathCounter + "/{form}/numbers", do: (*visit).numbersSent, logs: true},
		{method: "GET", path: pathPaper, do: (*visit).beginPaper, logs: true},
		{method: "GET", path: pathPaper + "/{form}", do: (*visit).paperPage, logs: true},
		{method: "POST", path: pathPaper + "/{form}", do: (*visit).paperSent, logs: true},
		{method: "POST", path: pathPaper + "/{form}/kept", do: (*visit).paperKept},
		{method: "GET", path: pathInbox, do: (*visit).inbox},
		{method: "POST", path: pathInbox + "/conflicts/{conflict}", do: (*visit).conflictAnswered},
		{method: "POST", path: pathInbox + "/held/{change}", do: (*visit).heldDecided},

		{method: "GET", path: pathSettings, do: (*visit).settingsPage},
		{method: "POST", path: pathSettings, do: (*visit).set},
		{method: "POST", path: pathSettings + "/pin", do: (*visit).setPIN},

		{method: "GET", path: pathHandover, do: (*visit).handoverPage},
		{method: "GET", path: pathHandoverTo, do: (*visit).handoverTo},
		{method: "POST", path: pathHandoverTo, do: (*visit).handoverToChosen},
		{method: "GET", path: pathHandoverWhat, do: (*visit).handoverWhat},
		{method: "POST", path: pathHandoverWhat, do: (*visit).handoverWhatChosen},
		{method: "POST", path: pathHandover + "/forms/{form}", do: (*visit).handoverForm},
		{method: "GET", path: pathHandoverCheck, do: (*visit).handoverCheck, logs: true},
		{method: "POST", path: pathHandoverCheck, do: (*visit).handOver, logs: true},
		{method: "GET", path: pathHandoverSheet, do: (*visit).handoverSheetPage},
		{method: "GET", path: pathHandoverSafe, do: (*visit).handoverSafe},
		{method: "GET", path: pathHandoverSafe + "/state", do: (*visit).handoverSafeState, quiet: true},
		{method: "POST", path: pathHandoverSafe, do: (*visit).handoverSync},
		{method: "GET", path: pathHandoverTablet, do: (*visit).handoverTablet},
		{method: "POST", path: pathHandoverTablet + "/successor", do: (*visit).successorEnrols},
		{method: "POST", path: pathHandoverTablet + "/leave", do: (*visit).leave},
	}
}
