package tally

import (
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// complete reports whether a record is there, not deleted and no draft.
func (v *view) complete(i int32) bool {
	n := &v.nodes[i]
	if n.complete == open {
		n.complete = verdictOf(!v.gone(i) && n.Record.complete())
	}
	return n.complete == yes
}

// counts reports whether a record counts, leaving aside what it is a duplicate of.
func (v *view) counts(i int32) bool {
	n := &v.nodes[i]
	if n.counts == open {
		n.counts = verdictOf(v.complete(i) && v.happened(i))
	}
	return n.counts == yes
}

func (v *view) happened(i int32) bool {
	n := &v.nodes[i]
	status := recordv1.Status(n.number(record.StatusField)) //nolint:gosec // choices have 32 bits
	held := status == recordv1.Status_STATUS_HELD
	calledOff := status == recordv1.Status_STATUS_PLANNED || status == recordv1.Status_STATUS_CANCELLED
	switch n.Kind {
	case recordv1.Kind_KIND_CASE:
		return !calledOff && n.date(caseOpenedOn).Valid()
	case recordv1.Kind_KIND_CASE_SESSION, recordv1.Kind_KIND_GROUP_SESSION:
		return held && n.date(record.OccurredOnField).Valid() && v.frame(i) != none
	case recordv1.Kind_KIND_COMMUNITY_ACTIVITY, recordv1.Kind_KIND_OUTREACH:
		return held && n.date(record.OccurredOnField).Valid()
	case recordv1.Kind_KIND_HEADCOUNT, recordv1.Kind_KIND_ATTENDANCE:
		return !calledOff && v.activity(i) != none
	case recordv1.Kind_KIND_GROUP:
		return true // gives no figure, but stands for its duplicates
	default:
		return false
	}
}

// frame is the case or group that stands for the one which a session belongs to; none when there is none that is
// neither deleted nor a draft.
func (v *view) frame(i int32) int32 {
	owner := v.owner(i)
	if s := v.stand(owner); s != none || owner == none {
		return s
	}
	if v.complete(owner) { // a case that was not opened yet
		return owner
	}
	return none
}

// activity is the activity that stands for the one which a headcount or attendance belongs to; none when none counts.
func (v *view) activity(i int32) int32 { return v.stand(v.owner(i)) }

// owner is the record that i belongs to; none when it is not there, or of a kind that i can't belong to.
func (v *view) owner(i int32) int32 {
	o := v.nodes[i].owner
	if o == none || v.nodes[o].Record == nil || !record.MayOwn(v.nodes[o].Kind, v.nodes[i].Kind) {
		return none
	}
	return o
}

// stand is the record that stands for i, by what they say of being duplicates: i itself, another, or none when i is
// deleted or nothing counts.
func (v *view) stand(i int32) int32 {
	if i == none {
		return none
	}
	var path []int32
	next := i
	for next != none && v.nodes[next].resolved == open {
		v.nodes[next].resolved = no // under way
		path = append(path, next)
		next = v.duplicateOf(next)
	}
	stands := none
	if next != none && v.nodes[next].resolved == no {
		circle := path[slices.Index(path, next):]
		stands = v.lowest(circle)
		for _, n := range circle {
			v.nodes[n].resolve(stands)
		}
		path = path[:len(path)-len(circle)]
	} else if next != none {
		stands = v.nodes[next].stands
	}
	for _, n := range slices.Backward(path) {
		if stands == none && v.counts(n) {
			stands = n
		}
		v.nodes[n].resolve(stands)
	}
	return v.nodes[i].stands
}

// duplicateOf is the record of the same kind that a record names as its like, unless it is deleted itself.
func (v *view) duplicateOf(i int32) int32 {
	n := &v.nodes[i]
	if v.gone(i) || n.same == none || v.nodes[n.same].Record == nil || v.nodes[n.same].Kind != n.Kind {
		return none
	}
	return n.same
}

func (v *view) gone(i int32) bool { return v.nodes[i].Record == nil || v.nodes[i].Registers.Deleted() }

// lowest is the one with the lowest id of those that count.
func (v *view) lowest(circle []int32) int32 {
	lowest := none
	for _, n := range circle {
		if v.counts(n) && (lowest == none || hlc.CompareIDs(v.nodes[n].ID, v.nodes[lowest].ID) < 0) {
			lowest = n
		}
	}
	return lowest
}

func (n *node) resolve(stands int32) { n.resolved, n.stands = yes, stands }

// fact is what a record gives to the totals; nil when it gives nothing.
func (v *view) fact(i int32) *Fact {
	n := &v.nodes[i]
	if n.Record == nil || len(countedFields[n.Kind]) == 0 || !v.counts(i) || v.stand(i) != i {
		return nil
	}
	f := &Fact{Record: n.ID, Kind: n.Kind, Verified: v.verified(i), Standing: v.standing(i)}
	switch n.Kind {
	case recordv1.Kind_KIND_CASE:
		f.setting(v, i, n.date(caseOpenedOn), n.id(caseLead))
		f.countCase(n.Record)
	case recordv1.Kind_KIND_CASE_SESSION:
		f.setting(v, i, n.date(record.OccurredOnField), n.id(record.AuthorField))
		f.add(CaseSessions, 1)
		f.work(n.Record, n.number(caseSessionMinutes))
		f.people(Contacts, n.number(caseSessionAttendees), unknownPerson[:])
	case recordv1.Kind_KIND_GROUP_SESSION:
		f.setting(v, i, n.date(record.OccurredOnField), n.id(record.AuthorField))
		f.add(GroupSessions, 1)
		f.work(n.Record, n.number(groupSessionMinutes))
	case recordv1.Kind_KIND_COMMUNITY_ACTIVITY:
		f.setting(v, i, n.date(record.OccurredOnField), n.id(record.AuthorField))
		f.add(CommunityActivities, 1)
		f.work(n.Record, n.number(activityMinutes))
	case recordv1.Kind_KIND_OUTREACH:
		f.setting(v, i, n.date(record.OccurredOnField), n.id(record.AuthorField))
		f.add(OutreachRounds, 1)
		f.work(n.Record, 0) // a round says no time
	case recordv1.Kind_KIND_HEADCOUNT:
		at := v.activity(i)
		f.setting(v, at, v.nodes[at].date(record.OccurredOnField), n.id(headcountCounter))
		f.worked(n.id(headcountCounter))
		f.countHeads(n.Record)
	case recordv1.Kind_KIND_ATTENDANCE:
		at := v.activity(i)
		f.setting(v, at, v.nodes[at].date(record.OccurredOnField), n.id(record.AuthorField))
		f.worked(n.id(record.AuthorField))
		f.countAttendance(n.Record)
	}
	return f
}

// setting puts f on a day, with a worker, and where the record at says. What a session does not say it has from its
// case or group.
func (f *Fact) setting(v *view, at int32, day record.Date, worker hlc.ID) {
	m := v.nodes[at].Record
	site, team, place := m.id(record.SiteField), m.id(record.TeamField), m.placeCode()
	if m.Kind == recordv1.Kind_KIND_CASE_SESSION || m.Kind == recordv1.Kind_KIND_GROUP_SESSION {
		frame := v.nodes[v.frame(at)].Record
		if f.Record == m.ID {
			f.Frame = frame.ID
		}
		if site == (hlc.ID{}) {
			site = frame.id(record.SiteField)
		}
		if team == (hlc.ID{}) {
			team = frame.id(record.TeamField)
		}
		if place == "" {
			place = frame.placeCode()
		}
	}
	f.Setting, f.Day = m.ID, day
	f.Cuts = append(make([]Cut, 0, 11), Everything(), OnDay(day), AtSite(site), OfTeam(team), ByWorker(worker),
		InServiceArea(recordv1.ServiceArea(m.number(record.ServiceAreaField)))) //nolint:gosec // choices have 32 bits
	for _, digits := range []int{2, 4, 6, 9, 12} {
		if len(place) >= digits {
			f.Cuts = append(f.Cuts, InPlace(place[:digits]))
		}
	}
	if len(place) < 2 {
		f.Cuts = append(f.Cuts, InPlace(""))
	}
}

// work notes who held a session, an activity or a round, and for how long.
func (f *Fact) work(r *Record, minutes int64) {
	f.Minutes = minutes
	f.worked(r.id(record.AuthorField))
	for id, rest := record.CutBytes(r.Registers.Get(coWorkers).Value); id != nil; id, rest = record.CutBytes(rest) {
		f.worked(hlc.IDOf(id))
	}
}

func (f *Fact) worked(worker hlc.ID) {
	if worker != (hlc.ID{}) && !slices.Contains(f.Workers, worker) {
		f.Workers = append(f.Workers, worker)
	}
}

// unknownPerson are the cuts of somebody of whom nothing is known.
var unknownPerson = personCuts(0, 0, int64(recordv1.Disability_DISABILITY_NOT_ASKED))

func personCuts(sex, ageBand, disability int64) [3]Cut {
	//nolint:gosec // choices and age bands have 32 bits
	return [3]Cut{OfSex(recordv1.Sex(sex)), OfAgeBand(uint32(ageBand)), WithDisability(recordv1.Disability(disability))}
}

func (f *Fact) countCase(r *Record) {
	f.add(Cases, 1)
	for token, rest := record.CutBytes(r.Registers.Get(caseClientTokens).Value); token != nil; token, rest = record.CutBytes(rest) {
		f.name(token)
	}
	clients, client := r.number(caseClientCount), unknownPerson
	if clients == 1 {
		client = personCuts(r.number(caseSex), r.number(caseAgeBand), int64(recordv1.Disability_DISABILITY_NOT_ASKED))
	}
	f.TokenCuts = client[:]
	f.people(PersonsByNumber, max(0, clients-int64(len(f.Tokens))), client[:])
}

func (f *Fact) countAttendance(r *Record) {
	disability := int64(recordv1.Disability_DISABILITY_NOT_ASKED)
	if answer := r.Registers.Get(attendanceDisability).Value; len(answer) > 0 {
		disability = number(answer)
	}
	person := personCuts(r.number(attendanceSex), r.number(attendanceAgeBand), disability)
	f.TokenCuts = person[:]
	f.name(r.bytes(attendanceToken))
	f.people(Contacts, 1, person[:])
}

// name adds a token. Validation lets no list pass that has one twice, or one that is not 16 bytes.
func (f *Fact) name(token []byte) {
	if len(token) == len(Token{}) {
		f.Tokens = append(f.Tokens, Token(token))
	}
}

func (f *Fact) countHeads(r *Record) {
	estimated := r.number(headcountMethod) == int64(recordv1.CountMethod_COUNT_METHOD_ESTIMATED)
	var heads, first int64
	r.heads(func(firstTime, others int64, sex recordv1.Sex, ageBand uint32) {
		heads += firstTime + others
		first += firstTime
		for _, c := range []Cut{OfSex(sex), OfAgeBand(ageBand)} {
			f.split(Contacts, firstTime+others, c)
			f.splitFirstTime(firstTime, estimated, c)
		}
	})
	f.add(Contacts, heads)
	f.add(PersonsByNumber, first)
	if estimated {
		f.add(PersonsEstimated, first)
	}
	f.splitByDisability(r, heads, first, estimated)
}

// heads hands out what a headcount counted: its cells, or else its totals.
func (r *Record) heads(count func(firstTime, others int64, sex recordv1.Sex, ageBand uint32)) {
	cells := r.Registers.Get(headcountCells).Value
	for c, rest := record.CutBytes(cells); c != nil; c, rest = record.CutBytes(rest) {
		of := func(field protowire.Number) int64 { return number(find(c, field)) }
		//nolint:gosec // choices and age bands have 32 bits
		count(of(cellFirstTime), of(cellReturning)+of(cellUnsure), recordv1.Sex(of(cellSex)), uint32(of(cellAgeBand)))
	}
	if len(cells) == 0 {
		count(r.number(headcountFirstTime), r.number(headcountReturning)+r.number(headcountUnsure), recordv1.Sex_SEX_UNKNOWN, 0)
	}
}

// ContactsOf divides the contacts that a record gives, if it counts, by sex and age band together. Totals are divided by each
// alone.
func ContactsOf(r *Record, contacts func(sex recordv1.Sex, ageBand uint32, n int64)) {
	switch r.Kind {
	case recordv1.Kind_KIND_CASE_SESSION:
		contacts(recordv1.Sex_SEX_UNKNOWN, 0, r.number(caseSessionAttendees))
	case recordv1.Kind_KIND_HEADCOUNT:
		r.heads(func(firstTime, others int64, sex recordv1.Sex, ageBand uint32) {
			contacts(sex, ageBand, firstTime+others)
		})
	case recordv1.Kind_KIND_ATTENDANCE:
		contacts(recordv1.Sex(r.number(attendanceSex)), uint32(r.number(attendanceAgeBand)), 1) //nolint:gosec // choices and age bands have 32 bits
	}
}

func (f *Fact) splitFirstTime(n int64, estimated bool, c Cut) {
	f.split(PersonsByNumber, n, c)
	if estimated {
		f.split(PersonsEstimated, n, c)
	}
}

// splitByDisability divides heads by what was answered. First-time heads were not asked apart: how they divide is known
// only when they are all the heads, or all heads gave the same answer.
func (f *Fact) splitByDisability(r *Record, heads, first int64, estimated bool) {
	asked := min(r.number(headcountDisabilityAsked), heads)
	with := min(r.number(headcountDisabilityYes), asked)
	unknown := first
	for _, answer := range []struct {
		n  int64
		is recordv1.Disability
	}{
		{with, recordv1.Disability_DISABILITY_YES},
		{asked - with, recordv1.Disability_DISABILITY_NO},
		{heads - asked, recordv1.Disability_DISABILITY_NOT_ASKED},
	} {
		f.split(Contacts, answer.n, WithDisability(answer.is))
		if first == heads || answer.n == heads {
			known := min(answer.n, first)
			f.splitFirstTime(known, estimated, WithDisability(answer.is))
			unknown -= known
		}
	}
	f.splitFirstTime(unknown, estimated, WithDisability(recordv1.Disability_DISABILITY_UNKNOWN))
}
