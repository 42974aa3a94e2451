package indexing

import (
	"context"

	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// Store keeps the tables of one deployment beside its records.
type Store interface {
	// Index runs fn in the only writing transaction there is; an error of fn undoes all.
	Index(ctx context.Context, fn func(Writing) error) error
	// LookUp runs fn over one snapshot. It never waits for a writer.
	LookUp(ctx context.Context, fn func(Reading) error) error
}

// Writing is what the follower reads and writes.
type Writing interface {
	RecordReading
	Following
	Stored
	// SaveLikenesses writes those alone, so that Alike finds them.
	SaveLikenesses(Rows[Likeness, hlc.ID]) error
	// SaveDistinctions writes those alone, so that Distinct finds them.
	SaveDistinctions(Rows[Distinction, hlc.ID]) error
	// SaveIndex writes what else an indexing of some records changed, and how far it came.
	SaveIndex(Changes) error
}

// RecordReading looks up records as merged.
type RecordReading interface {
	// Records are those of some ids that are there, in no order.
	Records(ids []hlc.ID) ([]syncing.Record, error)
	// Families are all records whose root is one of some.
	Families(roots []hlc.ID) ([]syncing.Record, error)
	// DuplicatesOf are the roots of the records that say to be the same as one of some records.
	DuplicatesOf(ids []hlc.ID) ([]hlc.ID, error)
}

// Following reads the log.
type Following interface {
	// Cursor is how far the tables are. A deployment that has none yet gets a number of its own.
	Cursor() (Cursor, error)
	// Head is the end of the log.
	Head() (syncing.Head, error)
	// Entries are the log's after a position, ascending: of each its position, replica, change, record and outcome, and its body unless
	// it made the record.
	Entries(after uint64, limit int) ([]syncing.LogEntry, error)
	// History are the log's entries of a record, ascending.
	History(id hlc.ID) ([]syncing.LogEntry, error)
}

// Stored reads the tables' rows of some records.
type Stored interface {
	Reviewing(ids []hlc.ID) ([]Reviewed, error)
	Cases(ids []hlc.ID) ([]Case, error)
	Likenesses(ids []hlc.ID) ([]Likeness, error)
	// Alike are rows that have the likeness of one of some: at least those nearest to each by their ids, limit on either side as far as
	// there are so many, and those of its own if it is there. Some may come twice. Where it is asked for few it reads few.
	Alike(of []Likeness, limit int) ([]Likeness, error)
	Distinctions(ids []hlc.ID) ([]Distinction, error)
	// Distinct are the distinctions of which the earlier record is one of some.
	Distinct(earlier []hlc.ID) ([]Distinction, error)
	// Pairs are those in which one of some records is.
	Pairs(ids []hlc.ID) ([]Pair, error)
	Documents(ids []hlc.ID) ([]Document, error)
}

// Reading answers what pages ask.
type Reading interface {
	Listing
	Searching
	Everything
	// Records are those of some ids that are there, in no order.
	Records(ids []hlc.ID) ([]syncing.Record, error)
	// Cursor is how far the tables are; the zero Cursor when they hold nothing.
	Cursor() (Cursor, error)
	// Head is the end of the log.
	Head() (syncing.Head, error)
}

// Listing reads runs of rows that lie beside each other.
type Listing interface {
	// Queue is a run of records, the newest day first.
	Queue(QueueRun) ([]Reviewed, error)
	// ReviewCounts are all counts that are not 0.
	ReviewCounts() ([]ReviewCount, error)
	// Likely is a run of pairs, the newest day first.
	Likely(LikelyRun) ([]Pair, error)
	// Pairs are those in which one of some records is.
	Pairs(ids []hlc.ID) ([]Pair, error)
	// CaseDays is a run of a list, the oldest day first.
	CaseDays(CaseRun) ([]CaseDay, error)
	// CaseCounts are how many cases of a list have a day up to one, by team or by lead.
	CaseCounts(list CaseList, until record.Date, by CasesBy) ([]CaseCount, error)
	// Cases are the rows of some cases.
	Cases(ids []hlc.ID) ([]Case, error)
}

// Searching finds documents by their words.
type Searching interface {
	// Find are the numbers of documents from one to another, both included, that have the words, the highest first.
	Find(q WordQuery, from, to uint64, limit int) ([]uint64, error)
	// RecordsAt are the records of the log's entries at some positions, as far as there are any.
	RecordsAt(positions []uint64) (map[uint64]hlc.ID, error)
}

// Everything reads whole tables, row by row. What takes a row must not look up anything itself.
type Everything interface {
	EachRecord(func(syncing.Record) error) error
	EachReviewed(func(Reviewed) error) error
	EachCase(func(Case) error) error
	// OpenCases are all counts that are not 0.
	OpenCases() ([]StageCount, error)
	EachLikeness(func(Likeness) error) error
	EachDistinction(func(Distinction) error) error
	EachPair(func(Pair) error) error
	EachDocument(func(Document) error) error
}

// Cursor is how far the tables of a deployment are.
type Cursor struct {
	// Number is the deployment's own, from 1: numbers of documents begin with it.
	Number uint64
	// Version is that of the rules by which they were made.
	Version int
	// Position is that of the log up to which they hold everything.
	Position uint64
}

// Changes are what one transaction writes.
type Changes struct {
	Cursor    Cursor
	Reviewing Rows[Reviewed, hlc.ID]
	Counts    []ReviewCount // by how much they move
	Likely    Rows[Pair, [2]hlc.ID]
	// Cases come with all the days that they have on lists, and Open is by how much open ones move.
	Cases     Rows[Case, hlc.ID]
	Open      []StageCount
	Documents Rows[Document, Document]
}

// Rows are rows to be put in place of what there is by their keys, and keys of rows to be taken out.
type Rows[Row, Key any] struct {
	Put  []Row
	Drop []Key
}

// Reviewed is a record that counts, and where it stands with its reviews.
type Reviewed struct {
	Record hlc.ID
	// Audience is the team that receives it; access.Everyone for the whole deployment.
	Audience hlc.ID
	Kind     record.Kind
	Standing tally.Standing
	// Day is the one on which it counts: a headcount's is that of its activity.
	Day    record.Date
	Author hlc.ID
}

// ReviewCount is how many records of a team and kind stand somewhere.
type ReviewCount struct {
	Audience hlc.ID
	Kind     record.Kind
	Standing tally.Standing
	Count    int64
}

// StageCount is how many open cases of a team are at a stage.
type StageCount struct {
	Audience hlc.ID
	Stage    recordv1.CaseStage
	Count    int64
}

// Likeness is by what a record is found that may be of one thing with another: see record.Likeness.
type Likeness struct {
	Record   hlc.ID
	Likeness []byte
	// Traits tell it apart from others of its likeness: see record.Traits.
	Traits []byte
}

// Distinction is what somebody said of two records: that they are of different things.
type Distinction struct {
	// Record is the one that says so.
	Record hlc.ID
	// Earlier was made before Later.
	Earlier, Later hlc.ID
}

// Pair is two records that are likely of one thing.
type Pair struct {
	// Earlier was made before Later.
	Earlier, Later hlc.ID
	Kind           record.Kind
	// Day is that of the later one; 0 when unset.
	Day record.Date
	// Audience is the team that receives the earlier one, LaterAudience that of the later one.
	Audience, LaterAudience hlc.ID
}

// Document is a record in the index of words.
type Document struct {
	Record hlc.ID
	Number uint64
	// Digest is that of Words.
	Digest uint64
	// Words are what it can be found by, with blanks between. They can't be read back.
	Words string
}

// WordQuery says which words a document must have.
type WordQuery struct {
	// All must be there, one of each of Any, and none of None.
	All  []string
	Any  [][]string
	None []string
}

// QueueRun is a run of the records that stand somewhere.
type QueueRun struct {
	Standing tally.Standing
	Team     hlc.ID
	// Kind is 0 for all.
	Kind record.Kind
	// From and To are the first and the last day; After is the row after which it goes on, if its Day is not 0.
	From, To record.Date
	After    QueuePlace
	Limit    int
}

// LikelyRun is a run of pairs.
type LikelyRun struct {
	// Team is that of the earlier record; nil for all.
	Team  *hlc.ID
	After PairPlace
	Limit int
}

// CaseRun is a run of the cases on a list.
type CaseRun struct {
	List CaseList
	// Team or Lead is that of one run; all when both are nil.
	Team, Lead *hlc.ID
	// Until is the last day.
	Until record.Date
	After CasePlace
	Limit int
}

// CasesBy is what cases are counted by.
type CasesBy int

// What cases are counted by.
const (
	ByTeam CasesBy = iota
	ByLead
)

// CaseDay is a case on a list, with the day that matters there.
type CaseDay struct {
	Record   hlc.ID
	Day      record.Date
	Audience hlc.ID
}

// CaseCount is how many cases of a list a team, or a lead, has.
type CaseCount struct {
	Of    hlc.ID
	Count int64
}
