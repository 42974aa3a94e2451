// Package certificate is what the totals of a closed deployment are signed with (数据确认书): what stands in it, and the file that it is.
// It needs neither a server nor a network to be verified.
package certificate

import (
	"cmp"
	"slices"
	"time"

	"levee/syncproto/hlc"
)

// Certificate is one edition. Lists are in the order in which they are written; none of it is personal data of a client.
type Certificate struct {
	Deployment Deployment
	// Edition counts from 1. The second and those after it say what changed since the one before.
	Edition int
	Issued  Issued
	Log     Log
	// Completeness is how much of what was done the totals can know.
	Completeness Completeness
	// Checks are how each item of the checklist stood when the deployment was closed, Waivers why it was closed all the same.
	Checks  []Check
	Waivers []Waiver
	// Previous is the edition before, nil for the first.
	Previous *Previous
	// Addenda are what came after the closing and was decided on since the edition before, Differences what that did to the totals.
	Addenda     []Addendum
	Differences []Difference
	Totals      []Total
	// Replicas are all that ever wrote, with how far each is within. What is not within is an addendum.
	Replicas []Replica
}

// Deployment is which one, and its days in its own time zone, as YYYY-MM-DD.
type Deployment struct {
	ID       hlc.ID `json:"id"`
	Name     string `json:"name"`
	StartOn  string `json:"start_on"`
	EndOn    string `json:"end_on"`
	TimeZone string `json:"time_zone"`
}

// Issued is when, and by which coordinator.
type Issued struct {
	At     time.Time `json:"at"`
	Worker hlc.ID    `json:"worker"`
	Name   string    `json:"name"`
}

// Log is the end of the change log when the totals were frozen.
type Log struct {
	Position uint64 `json:"position"`
	// Chain is the log's running hash there: 32 bytes, in hexadecimal digits.
	Chain   string `json:"chain"`
	Records int    `json:"records"`
	Changes int    `json:"changes"`
	// Erased records can't be replayed, because the body of a change of theirs is erased.
	Erased int `json:"erased"`
}

// Completeness is as of the moment of the certificate. A tablet was heard from that had a contact since the deployment's last day.
type Completeness struct {
	Devices     int `json:"devices"`
	HeardFrom   int `json:"heard_from"`
	WithBacklog int `json:"with_backlog"`
	Outstanding int `json:"changes_outstanding"`
	Held        int `json:"changes_held"`
	Conflicts   int `json:"conflicts"`
}

// Check is an item of the checklist, by its name such as open_case: how many were open, and how many of them waived.
type Check struct {
	Check  string `json:"check"`
	Open   int    `json:"open"`
	Waived int    `json:"waived"`
}

// Waiver is what was let pass, and why. Subject is the record, device or change; zero for all that the check had.
type Waiver struct {
	Check   string    `json:"check"`
	Subject hlc.ID    `json:"subject,omitzero"`
	Name    string    `json:"name,omitempty"`
	Count   int       `json:"count,omitempty"`
	Reason  string    `json:"reason"`
	By      string    `json:"by"`
	At      time.Time `json:"at"`
}

// Previous is the edition before, by the SHA-256 of its file in hexadecimal digits.
type Previous struct {
	Edition int    `json:"edition"`
	SHA256  string `json:"sha256"`
}

// Addendum is what one tablet brought after the closing: how many changes were accepted and declined, and the reasons that were given.
type Addendum struct {
	Device   hlc.ID    `json:"device"`
	Name     string    `json:"name"`
	Received time.Time `json:"received"`
	Accepted int       `json:"accepted"`
	Declined int       `json:"declined"`
	Reasons  []string  `json:"reasons,omitempty"`
}

// Line is one total: a figure on a basis (reported or verified), by a dimension and what it is there: "" for the whole, else a day, the
// code of a place, an id and so on. Name is what the key stands for, where it is a site or team.
type Line struct {
	Basis  string `json:"basis"`
	Figure string `json:"figure"`
	By     string `json:"by"`
	Key    string `json:"key"`
	Name   string `json:"name,omitempty"`
}

// Total is a line and its value.
type Total struct {
	Line
	Value int64 `json:"value"`
}

// Difference is a line of which the value is not as in the edition before.
type Difference struct {
	Line
	Before int64 `json:"before"`
	After  int64 `json:"after"`
}

// Replica is how far the log has the changes of one: the last sequence number, and the chain there in hexadecimal digits. The server's
// own have no device.
type Replica struct {
	Replica  hlc.Replica `json:"replica,string"`
	Device   hlc.ID      `json:"device,omitzero"`
	Sequence uint64      `json:"sequence"`
	Chain    string      `json:"chain"`
}

// Within reports whether a change of a replica was in the log when the certificate was issued.
func (c *Certificate) Within(replica hlc.Replica, sequence uint64) bool {
	i, found := slices.BinarySearchFunc(c.Replicas, replica, func(r Replica, n hlc.Replica) int { return cmp.Compare(r.Replica, n) })
	return found && sequence <= c.Replicas[i].Sequence
}

// Differ are the lines in which two editions' totals differ, in the order of the totals. A total of 0 stands in neither.
func Differ(before, after []Total) []Difference {
	was := map[Line]int64{}
	for _, t := range before {
		was[t.unnamed()] = t.Value
	}
	var all []Difference
	for _, t := range after {
		old := was[t.unnamed()]
		delete(was, t.unnamed())
		if old != t.Value {
			all = append(all, Difference{t.Line, old, t.Value})
		}
	}
	for _, t := range before {
		if old, gone := was[t.unnamed()]; gone && old != 0 {
			all = append(all, Difference{t.Line, old, 0})
		}
	}
	slices.SortStableFunc(all, func(a, b Difference) int { return compareLines(a.Line, b.Line) })
	return all
}

// unnamed is what a line is about: a site may have another name by now.
func (l Line) unnamed() Line {
	l.Name = ""
	return l
}

// compareLines puts the whole first, and what is reported before what is verified.
func compareLines(a, b Line) int {
	return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.By, b.By), cmp.Compare(a.Key, b.Key), cmp.Compare(a.Basis, b.Basis), cmp.Compare(a.Figure, b.Figure))
}

func rank(l Line) int {
	if l.Key == "" {
		return 0
	}
	return 1
}

// Sort puts the totals and replicas into the order in which they are written.
func (c *Certificate) Sort() {
	slices.SortFunc(c.Totals, func(a, b Total) int { return compareLines(a.Line, b.Line) })
	slices.SortFunc(c.Replicas, func(a, b Replica) int { return cmp.Compare(a.Replica, b.Replica) })
}
