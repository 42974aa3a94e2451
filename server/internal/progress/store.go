package progress

import (
	"context"

	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// Store keeps one deployment.
type Store interface {
	// Look runs fn over one snapshot. It never waits for a writer.
	Look(ctx context.Context, fn func(Reading) error) error
}

// Reading looks things up in one snapshot. Rows come one by one; what takes a row must not look up anything itself.
type Reading interface {
	Standing
	RecordReading
	Counted
	KeptDays
	LogReading
	Everything
	EveryDay
}

// Standing is where the deployment stands, and what waits.
type Standing interface {
	// Head is the end of the log.
	Head() (syncing.Head, error)
	// DeviceSums sums the devices up; HeardFrom are those with a contact since an instant, in milliseconds since 1970.
	DeviceSums(since int64) (DeviceSums, error)
	// Devices are those after one, by name and then id; the zero id asks for the first ones.
	Devices(after hlc.ID, limit int) ([]Device, error)
	// HeldCount is how many changes are held.
	HeldCount() (uint64, error)
	// Held are the held changes after a position, ascending.
	Held(after uint64, limit int) ([]HeldEntry, error)
	// EachContact are all devices with their last contacts, and HeldBy how many changes of each worker's devices are held.
	EachContact(func(DeviceContact) error) error
	HeldBy(func(worker hlc.ID, n uint64) error) error
}

// DeviceContact is what is known of a device since it last had contact.
type DeviceContact struct {
	Worker  hlc.ID
	Revoked bool
	// Last is in milliseconds since 1970, Unsent how many changes it said to hold still.
	Last, Unsent int64
}

// LogReading looks up what came, and from whom.
type LogReading interface {
	// Entry is the log's entry at a position; false when there is none.
	Entry(position uint64) (syncing.LogEntry, bool, error)
	// Sequences are the entries of a replica from one sequence number to another, ascending.
	Sequences(replica hlc.Replica, from, to uint64) ([]syncing.LogEntry, error)
	// Replica is how far the server has a replica; the zero Replica when it has nothing of it.
	Replica(number hlc.Replica) (syncing.Replica, error)
	// Device is a device; false when there is none by that id.
	Device(id hlc.ID) (syncing.Device, bool, error)
}

// RecordReading looks up records as merged.
type RecordReading interface {
	// Unsettled are the conflicts after an id, ascending, that nobody has settled, and UnsettledBy how many of them audiences have.
	Unsettled(after hlc.ID, limit int) ([]syncing.Record, error)
	UnsettledBy(func(audience hlc.ID, n uint64) error) error
	// Records are those of some ids that are there, in no order.
	Records(ids []hlc.ID) ([]syncing.Record, error)
	// Families are all records whose root is one of some.
	Families(roots []hlc.ID) ([]syncing.Record, error)
	// DuplicatesOf are the roots of the records that say to be the same as one of some records.
	DuplicatesOf(ids []hlc.ID) ([]hlc.ID, error)
	// Audiences are those that have records of a kind, ascending.
	Audiences(kind record.Kind) ([]hlc.ID, error)
	// RecordsByDay are records of one kind and audience, the latest day and then the highest id first.
	RecordsByDay(DayRange) ([]syncing.Record, error)
}

// DayRange is a run of records of one kind and audience.
type DayRange struct {
	Kind     record.Kind
	Audience hlc.ID
	// From and To are the days on which they say to have occurred; what says no day is on day 0.
	From, To record.Date
	// Before is the record that they come after in the run, by its day and id; nil asks for the first ones.
	Before *syncing.Record
	Limit  int
}

// Counted reads the stored totals.
type Counted interface {
	// Totals are the totals of one figure and dimension that are not zero, ascending by key.
	Totals(TotalsRange, func(key string, value int64) error) error
	// DistinctTokens is how many tokens are met within some cuts of one dimension, each counted once: at least one
	// cut, and at most 512.
	DistinctTokens(basis tally.Basis, dimension tally.Dimension, keys []string) (int64, error)
}

// KeptDays reads what is kept by day. Days go from one to another, both counted.
type KeptDays interface {
	// SumsOfDays adds up what the days give, by all that divides a part of a day but the day.
	SumsOfDays(basis tally.Basis, from, to record.Date, row func(DayPart, DaySums) error) error
	// WorkOfDays is what each worker did in the days.
	WorkOfDays(from, to record.Date, row func(WorkedDays) error) error
	// MetInDays is how many tokens are met within each cut of a dimension in the days, each counted once, and how many of these
	// are met nowhere before. Of places there are towns.
	MetInDays(basis tally.Basis, dimension tally.Dimension, from, to record.Date, row func(key string, met, fresh int64) error) error
	// MeetingsOfTeam are those of one team, and whether the token is met nowhere before the days. It takes the key of a team.
	MeetingsOfTeam(basis tally.Basis, team string, from, to record.Date, row func(m Meeting, fresh bool) error) error
}

// WorkedDays is what one worker did in some days: on how many, the first on From and the last on To. Held has HeldFigures.
type WorkedDays struct {
	Worker   hlc.ID
	Days     int
	From, To record.Date
	Minutes  int64
	Held     [4]int64
}

// TotalsRange is a run of totals.
type TotalsRange struct {
	Basis     tally.Basis
	Figure    tally.Figure
	Dimension tally.Dimension
	// Prefix is what the keys begin with, in digits; it may be empty.
	Prefix string
	// Length is how long the keys are; any when 0.
	Length int
	// After is what the keys come after; it may be empty, and then the empty key is among them.
	After string
	Limit int
}

// Everything reads whole tables, row by row.
type Everything interface {
	// EachTotal are all totals, by basis, figure, dimension and key.
	EachTotal(func(TotalRow) error) error
	// EachTokenCount leaves the tokens themselves where they are: their rows come in the order of basis, dimension, key
	// and token.
	EachTokenCount(func(TokenRow) error) error
	// EachEntry is the log, ascending.
	EachEntry(func(syncing.LogEntry) error) error
	EachReplica(func(syncing.Replica) error) error
	// EachRecord are all records, ascending by id.
	EachRecord(func(syncing.Record) error) error
}

// EveryDay reads all that is kept by day, row by row, in no order.
type EveryDay interface {
	EachDaySum(func(DayPart, DaySums) error) error
	EachWorkDay(func(WorkDay, WorkSums) error) error
	EachMeeting(func(Meeting, int64) error) error
	EachMetDay(func(MetDay, int64) error) error
	EachGoodsDay(func(syncing.GoodsDay, syncing.GoodsSums) error) error
	EachAlertDay(func(syncing.AlertDay, syncing.AlertSums) error) error
}

// TotalRow is one stored total, with the names that stand in the table.
type TotalRow struct {
	Basis, Figure, Dimension, Key string
	Value                         int64
}

// TokenRow is how often one token is met within a cut.
type TokenRow struct {
	Basis, Dimension, Key string
	Token                 []byte
	Count                 int64
}

// DeviceSums sums devices up. Instants are milliseconds since 1970; 0 when there is no device.
type DeviceSums struct {
	// Enrolled are all, those that were revoked included.
	Enrolled, Revoked int64
	// HeardFrom are those in use with a contact since the instant asked for.
	HeardFrom int64
	// OldestContact is the last contact of that device in use which has been silent for longest; NewestContact is the
	// latest of all.
	OldestContact, NewestContact int64
	// Outstanding are the changes that all devices said to hold still, each at its last contact.
	Outstanding int64
	// WithBacklog are the devices that said to hold any.
	WithBacklog int64
}

// Device is a tablet, and how far the server has it.
type Device struct {
	syncing.Device
	// Have is how many changes the server has of it, Held how many of these are held.
	Have, Held uint64
	// Copies is under how many replica numbers it has written: more than one after it was cloned or set back.
	Copies uint64
}

// HeldEntry is a held change in the log, and whose it is.
type HeldEntry struct {
	syncing.LogEntry
	Device, Worker hlc.ID
	DeviceName     string
}
