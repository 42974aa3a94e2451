package webui

// overviewMessages are those of the first page of a deployment.
var overviewMessages = map[string]message{
	"nav_overview": {"Overview", "总览"},
}
