package webui

// Everything that the pages say, in both languages, by the names that templates and handlers use; each area has its own in
// messages_AREA.go. A test finds names that nobody uses and names that are missing, and compares what each takes.
var messages = joined(
	commonMessages,
	entryMessages,
	homeMessages,
	rollUpMessages,
	overviewMessages,
	alertsMessages,
	searchMessages,
	figuresMessages,
	recordMessages,
	reviewMessages,
	teamsMessages,
	reportMessages,
	workbookMessages,
	exportsMessages,
	casesMessages,
	supervisionMessages,
	peopleMessages,
	setUpMessages,
	importMessages,
	historyMessages,
	plannedMessages,
	settleMessages,
	tabletsMessages,
	accountMessages,
	accountsMessages,
	closeoutMessages,
	auditMessages,
	eventsMessages,
	apiMessages,
)

// numbers are what the pages say about a number, by name.
var numbers = joined(
	commonNumbers,
	overviewNumbers,
	alertsNumbers,
	recordNumbers,
	reviewNumbers,
	teamsNumbers,
	workbookNumbers,
	casesNumbers,
	supervisionNumbers,
	peopleNumbers,
	setUpNumbers,
	importNumbers,
	historyNumbers,
	tabletsNumbers,
	closeoutNumbers,
	accountNumbers,
)

// joined are several maps as one. That two say the same name is a mistake of whoever wrote them, and no program starts with it.
func joined[V any](parts ...map[string]V) map[string]V {
	all := map[string]V{}
	for _, part := range parts {
		for name, one := range part {
			if _, ok := all[name]; ok {
				panic("two areas of the pages have " + name)
			}
			all[name] = one
		}
	}
	return all
}
