package tally

import (
	"bytes"
	"slices"

	"google.golang.org/protobuf/proto"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// parsed is the message of a record; nil when its kind is not known or its fields do not parse.
func (v *view) parsed(i int32) record.Common {
	n := &v.nodes[i]
	if n.message == nil && n.complete != no {
		m := record.New(n.Kind)
		if m == nil || proto.Unmarshal(n.Registers.Fields(), m) != nil {
			n.complete = no
			return nil
		}
		n.message = m
	}
	return n.message
}

// complete reports whether a record is there, not deleted and no draft.
func (v *view) complete(i int32) bool {
	n := &v.nodes[i]
	if n.complete == open {
		n.complete = verdictOf(n.Record != nil && !n.Registers.Deleted() && v.parsed(i) != nil && len(record.Missing(n.Kind, n.message)) == 0)
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
	held := func(m record.Common) bool {
		return m.GetStatus() == recordv1.Status_STATUS_HELD && record.Date(m.GetOccurredOn()).Valid()
	}
	calledOff := func(m record.Common) bool {
		return m.GetStatus() == recordv1.Status_STATUS_PLANNED || m.GetStatus() == recordv1.Status_STATUS_CANCELLED
	}
	switch m := v.nodes[i].message.(type) {
	case *recordv1.Case:
		return !calledOff(m) && record.Date(m.GetOpenedOn()).Valid()
	case *recordv1.CaseSession, *recordv1.GroupSession:
		return held(m) && v.frame(i) != none
	case *recordv1.CommunityActivity, *recordv1.Outreach:
		return held(m)
	case *recordv1.Headcount, *recordv1.Attendance:
		return !calledOff(m) && v.activity(i) != none
	case *recordv1.Group:
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
		if v.nodes[n].Record == nil || v.nodes[n].Registers.Deleted() {
			stands = none
		} else if stands == none && v.counts(n) {
			stands = n
		}
		v.nodes[n].resolve(stands)
	}
	return v.nodes[i].stands
}

// duplicateOf is the record, not deleted and of the same kind, that a record which is not deleted names as its like.
func (v *view) duplicateOf(i int32) int32 {
	n := &v.nodes[i]
	if n.Record == nil || n.same == none || n.Registers.Deleted() || v.nodes[n.same].Registers.Deleted() {
		return none
	}
	return n.same
}

// lowest is the one with the lowest id of those that count.
func (v *view) lowest(circle []int32) int32 {
	lowest := none
	for _, n := range circle {
		if v.counts(n) && (lowest == none || bytes.Compare(v.nodes[n].ID[:], v.nodes[lowest].ID[:]) < 0) {
			lowest = n
		}
	}
	return lowest
}

func (n *node) resolve(stands int32) { n.resolved, n.stands = yes, stands }

// fact is what a record gives to the totals; nil when it gives nothing.
func (v *view) fact(i int32) *Fact {
	n := &v.nodes[i]
	if n.Record == nil || !givesFigures(n.Kind) || !v.counts(i) || v.stand(i) != i {
		return nil
	}
	f := &Fact{Record: n.ID, Kind: n.Kind, Verified: v.verified(i)}
	switch m := n.message.(type) {
	case *recordv1.Case:
		f.Day = record.Date(m.GetOpenedOn())
		f.Cuts = cuts(f.Day, m, m, m.GetLead())
		f.countCase(m)
	case *recordv1.CaseSession:
		f.setting(v, i, m.GetAuthor())
		f.add(CaseSessions, 1)
		f.people(Contacts, int64(m.GetAttendees()),
			OfSex(recordv1.Sex_SEX_UNKNOWN), OfAgeBand(0), WithDisability(recordv1.Disability_DISABILITY_NOT_ASKED))
	case *recordv1.GroupSession:
		f.setting(v, i, m.GetAuthor())
		f.add(GroupSessions, 1)
	case *recordv1.CommunityActivity:
		f.setting(v, i, m.GetAuthor())
		f.add(CommunityActivities, 1)
	case *recordv1.Outreach:
		f.setting(v, i, m.GetAuthor())
		f.add(OutreachRounds, 1)
	case *recordv1.Headcount:
		f.setting(v, v.activity(i), m.GetCounter())
		f.countHeads(m)
	case *recordv1.Attendance:
		f.setting(v, v.activity(i), m.GetAuthor())
		f.countAttendance(m)
	}
	return f
}

func givesFigures(k record.Kind) bool {
	switch k {
	case recordv1.Kind_KIND_CASE, recordv1.Kind_KIND_CASE_SESSION, recordv1.Kind_KIND_GROUP_SESSION,
		recordv1.Kind_KIND_COMMUNITY_ACTIVITY, recordv1.Kind_KIND_OUTREACH, recordv1.Kind_KIND_HEADCOUNT, recordv1.Kind_KIND_ATTENDANCE:
		return true
	default:
		return false
	}
}

// setting puts f on the day and at the place of an activity or session that counts.
func (f *Fact) setting(v *view, activity int32, worker []byte) {
	m := v.nodes[activity].message
	frame := m
	switch m.(type) {
	case *recordv1.CaseSession, *recordv1.GroupSession:
		frame = v.parsed(v.frame(activity))
	}
	f.Day = record.Date(m.GetOccurredOn())
	f.Cuts = cuts(f.Day, m, frame, worker)
}

// cuts are where m counts; what it does not say itself it has from its frame.
func cuts(day record.Date, m, frame record.Common, worker []byte) []Cut {
	site, team, place := m.GetSite(), m.GetTeam(), m.GetPlace().GetCode()
	if len(site) == 0 {
		site = frame.GetSite()
	}
	if len(team) == 0 {
		team = frame.GetTeam()
	}
	if place == "" {
		place = frame.GetPlace().GetCode()
	}
	all := make([]Cut, 0, 11)
	all = append(all, Everything(), OnDay(day), Cut{Site, idKey(site)}, Cut{Team, idKey(team)}, Cut{Worker, idKey(worker)},
		InServiceArea(m.GetServiceArea()))
	for _, digits := range []int{2, 4, 6, 9, 12} {
		if len(place) >= digits {
			all = append(all, InPlace(place[:digits]))
		}
	}
	if len(place) < 2 {
		all = append(all, InPlace(""))
	}
	return all
}

// idKey is the key of an id; empty when there is none.
func idKey(b []byte) string {
	if len(b) != len(hlc.ID{}) {
		return ""
	}
	return hlc.ID(b).String()
}

func (f *Fact) countCase(m *recordv1.Case) {
	f.add(Cases, 1)
	f.name(m.GetClientTokens()...)
	f.TokenCuts = []Cut{OfSex(recordv1.Sex_SEX_UNKNOWN), OfAgeBand(0), WithDisability(recordv1.Disability_DISABILITY_NOT_ASKED)}
	if m.GetClientCount() == 1 {
		f.TokenCuts[0], f.TokenCuts[1] = OfSex(m.GetSex()), OfAgeBand(m.GetAgeBand())
	}
	f.people(PersonsByNumber, max(0, int64(m.GetClientCount())-int64(len(f.Tokens))), f.TokenCuts...)
}

func (f *Fact) countAttendance(m *recordv1.Attendance) {
	disability := recordv1.Disability_DISABILITY_NOT_ASKED
	if m.Disability != nil {
		disability = m.GetDisability()
	}
	f.TokenCuts = []Cut{OfSex(m.GetSex()), OfAgeBand(m.GetAgeBand()), WithDisability(disability)}
	f.name(m.GetToken())
	f.people(Contacts, 1, f.TokenCuts...)
}

// name adds tokens, each once. Validation lets none pass that is not 16 bytes.
func (f *Fact) name(tokens ...[]byte) {
	for _, t := range tokens {
		if len(t) == len(Token{}) && !slices.Contains(f.Tokens, Token(t)) {
			f.Tokens = append(f.Tokens, Token(t))
		}
	}
}

func (f *Fact) countHeads(m *recordv1.Headcount) {
	estimated := m.GetMethod() == recordv1.CountMethod_COUNT_METHOD_ESTIMATED
	var heads, first int64
	count := func(firstTime, others int64, cuts ...Cut) {
		heads += firstTime + others
		first += firstTime
		for _, c := range cuts {
			f.split(Contacts, firstTime+others, c)
			f.split(PersonsByNumber, firstTime, c)
			if estimated {
				f.split(PersonsEstimated, firstTime, c)
			}
		}
	}
	for _, c := range m.GetCells() {
		count(int64(c.GetFirstTime()), int64(c.GetReturning())+int64(c.GetUnsure()), OfSex(c.GetSex()), OfAgeBand(c.GetAgeBand()))
	}
	if len(m.GetCells()) == 0 {
		count(int64(m.GetFirstTime()), int64(m.GetReturning())+int64(m.GetUnsure()), OfSex(recordv1.Sex_SEX_UNKNOWN), OfAgeBand(0))
	}
	f.add(Contacts, heads)
	f.add(PersonsByNumber, first)
	if estimated {
		f.add(PersonsEstimated, first)
	}
	f.splitByDisability(m, heads, first, estimated)
}

// splitByDisability divides heads by what was answered. First-time heads were not asked apart: how they divide is known
// only when they are all the heads, or all heads gave the same answer.
func (f *Fact) splitByDisability(m *recordv1.Headcount, heads, first int64, estimated bool) {
	asked := min(int64(m.GetDisabilityAsked()), heads)
	with := min(int64(m.GetDisabilityYes()), asked)
	persons := func(n int64, d recordv1.Disability) {
		f.split(PersonsByNumber, n, WithDisability(d))
		if estimated {
			f.split(PersonsEstimated, n, WithDisability(d))
		}
	}
	known := int64(0)
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
			n := min(answer.n, first)
			persons(n, answer.is)
			known += n
		}
	}
	persons(first-known, recordv1.Disability_DISABILITY_UNKNOWN)
}
