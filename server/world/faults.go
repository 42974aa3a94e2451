package world

// Fault is a sort of what goes wrong, or of what people do that is hard to merge.
type Fault string

// The faults, in the order in which they are told.
const (
	RequestLost    Fault = "request lost"
	AnswerLost     Fault = "answer lost after the commit"
	Twice          Fault = "delivered twice"
	OutOfOrder     Fault = "delivered out of order"
	Weeks          Fault = "delayed by weeks"
	RequestCut     Fault = "request cut at a byte"
	AnswerCut      Fault = "answer cut at a byte"
	RequestFlipped Fault = "bit of a request flipped"
	AnswerFlipped  Fault = "bit of an answer flipped"

	TabletKilled     Fault = "tablet killed between steps"
	TabletTorn       Fault = "tablet killed in a commit"
	TabletKilledSync Fault = "tablet killed while it syncs"
	TabletGone       Fault = "tablet destroyed"
	TabletRolledBack Fault = "tablet restored from an older copy"
	TabletCloned     Fault = "tablet cloned, both live on"
	ClockJump        Fault = "tablet's clock jumps"
	ClockYears       Fault = "tablet's clock off by years"
	Tie              Fault = "exact tie on one field"

	ServerKilledBefore   Fault = "server killed before a commit"
	ServerKilledIn       Fault = "server killed in a commit"
	ServerKilledAfter    Fault = "server killed after a commit"
	ServerKilledAnswered Fault = "server killed when it has answered"

	SetBackCopy    Fault = "server set back: a copied file"
	SetBackStandby Fault = "server set back: a promoted standby"
	SetBackRestore Fault = "server set back: a backup restored"
	SetBackAgain   Fault = "server set back again"
	ServerAhead    Fault = "server's clock ahead, then set back"

	Forged           Fault = "record given back with a forged proof"
	Decided          Fault = "held change decided"
	WorkerMoved      Fault = "worker moves to another team"
	SupervisorPosted Fault = "supervisor gets other teams, or comes from outside"
	RootMoved        Fault = "record moves to another team"
	Deleted          Fault = "record deleted"
	Restored         Fault = "record restored"
	EditedUnseen     Fault = "record edited while deleted elsewhere"
	LoggedTwice      Fault = "activity logged as two records"
	NewerFields      Fault = "newer tablet: unknown fields"
	NewerKinds       Fault = "newer tablet: unknown kinds"
	HeldByTheServer  Fault = "change held by the server"
	ConflictRecorded Fault = "conflict recorded"
	DeploymentErased Fault = "deployment erased in the end"
)

// Faults are all sorts, in the order in which they are told.
func Faults() []Fault {
	return []Fault{
		RequestLost, AnswerLost, Twice, OutOfOrder, Weeks, RequestCut, AnswerCut, RequestFlipped, AnswerFlipped,
		TabletKilled, TabletTorn, TabletKilledSync, TabletGone, TabletRolledBack, TabletCloned, ClockJump, ClockYears, Tie,
		ServerKilledBefore, ServerKilledIn, ServerKilledAfter, ServerKilledAnswered,
		SetBackCopy, SetBackStandby, SetBackRestore, SetBackAgain, ServerAhead, Forged, Decided,
		WorkerMoved, SupervisorPosted, RootMoved, Deleted, Restored, EditedUnseen, LoggedTwice, NewerFields, NewerKinds, HeldByTheServer, ConflictRecorded, DeploymentErased,
	}
}
