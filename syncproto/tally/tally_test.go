package tally_test

import (
	"slices"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

const (
	male   = recordv1.Sex_SEX_MALE
	female = recordv1.Sex_SEX_FEMALE
)

var whole = tally.Everything()

func status(s recordv1.Status) *recordv1.Status { return s.Enum() }

func TestServiceDaysCountBothEnds(t *testing.T) {
	for _, c := range []struct {
		start, asOf record.Date
		want        int
	}{
		{20210923, 20211206, 75}, // the published figure
		{20210923, 20211205, 74}, // to the closing meeting
		{20210923, 20210923, 1},
		{20210923, 20210922, 0},
		{20210923, 20210101, 0},
		{20231231, 20240301, 62}, // over a leap day
	} {
		if got := tally.ServiceDays(c.start, c.asOf); got != c.want {
			t.Errorf("from %v to %v are %d days, want %d", c.start, c.asOf, got, c.want)
		}
	}
}

func TestACaseCountsFromTheDayItIsOpened(t *testing.T) {
	s := newScene(t)
	m := aCase()
	m.OpenedOn = nil
	c := s.log(m)
	s.is(tally.Cases, whole, 0)
	s.is(tally.Persons, whole, 0)

	s.edit(c, &recordv1.Case{OpenedOn: proto.Int32(20211012)})
	s.is(tally.Cases, whole, 1)
	s.is(tally.Cases, tally.OnDay(20211012), 1)
	s.is(tally.Persons, whole, 1)
}

func TestACaseIsItsLeadsWork(t *testing.T) {
	s := newScene(t)
	s.log(aCase())
	s.is(tally.Cases, tally.ByWorker(hlc.ID(worker("李强"))), 1)
	s.is(tally.Cases, tally.ByWorker(hlc.ID(worker("张敏"))), 0)
}

func TestAFamilyIsOneCaseWithSeveralClients(t *testing.T) {
	s := newScene(t)
	m := aCase()
	m.ClientCount, m.ClientTokens = proto.Uint32(4), [][]byte{person("母"), person("子")}
	m.Sex = female.Enum()
	s.log(m)
	s.is(tally.Cases, whole, 1)
	s.is(tally.Persons, whole, 4)
	s.is(tally.PersonsByNumber, whole, 2)
	s.is(tally.Persons, tally.OfSex(recordv1.Sex_SEX_UNKNOWN), 4) // whose sex it is, is not said
}

func TestSexAndAgeOfTheOneClientOfACaseAreKnown(t *testing.T) {
	s := newScene(t)
	m := aCase()
	m.Sex, m.AgeBand = female.Enum(), proto.Uint32(5)
	c := s.log(m)
	s.is(tally.Persons, tally.OfSex(female), 1)
	s.is(tally.Persons, tally.OfAgeBand(5), 1)
	s.is(tally.Persons, tally.WithDisability(recordv1.Disability_DISABILITY_NOT_ASKED), 1)

	s.edit(c, &recordv1.Case{ClientTokens: [][]byte{person("老人")}})
	s.is(tally.PersonsByNumber, whole, 0)
	s.is(tally.Persons, tally.OfSex(female), 1)
}

func TestMoreTokensThanClientsTakeNobodyAway(t *testing.T) {
	s := newScene(t)
	m := aCase()
	m.ClientTokens = [][]byte{person("甲"), person("乙")}
	s.log(m)
	s.is(tally.Persons, whole, 2)
}

func TestAttendeesOfCaseSessionsAreContacts(t *testing.T) {
	s := newScene(t)
	c := s.log(aCase())
	s.log(aCaseSession(c))
	m := aCaseSession(c)
	m.Attendees = proto.Uint32(1)
	s.log(m)
	s.is(tally.CaseSessions, whole, 2)
	s.is(tally.Contacts, whole, 3)
	s.is(tally.Contacts, tally.OfSex(recordv1.Sex_SEX_UNKNOWN), 3)
	s.is(tally.Persons, whole, 1) // the client; sessions bring nobody new
}

func TestASessionBeforeTheCaseIsOpenedCounts(t *testing.T) {
	s := newScene(t)
	m := aCase()
	m.OpenedOn = nil
	s.log(aCaseSession(s.log(m)))
	s.is(tally.CaseSessions, whole, 1)
	s.is(tally.Cases, whole, 0)
}

func TestASessionOfADraftOrDeletedCaseDoesNotCount(t *testing.T) {
	s := newScene(t)
	c := s.log(aCase())
	s.log(aCaseSession(c))
	s.clear(c, 16) // its number
	s.is(tally.CaseSessions, whole, 0)
	s.edit(c, &recordv1.Case{CaseNo: proto.String("HN-2021-002")})
	s.is(tally.CaseSessions, whole, 1)
	s.setDeleted(c, true)
	s.is(tally.CaseSessions, whole, 0)
	s.setDeleted(c, false)
	s.is(tally.CaseSessions, whole, 1)
}

func TestASessionThatNamesNoPlaceIsWhereItsCaseIs(t *testing.T) {
	s := newScene(t)
	c := s.log(aCase())
	m := aCaseSession(c)
	m.Site, m.Team, m.Place = nil, nil, nil
	s.log(m)
	s.is(tally.CaseSessions, tally.AtSite(hlc.ID(site("王庄"))), 1)
	s.is(tally.CaseSessions, tally.OfTeam(hlc.ID(team("一队"))), 1)
	s.is(tally.CaseSessions, tally.InPlace("410621108"), 1)

	s.edit(c, &recordv1.Case{Team: team("二队")})
	s.is(tally.CaseSessions, tally.OfTeam(hlc.ID(team("一队"))), 0)
	s.is(tally.CaseSessions, tally.OfTeam(hlc.ID(team("二队"))), 1)
}

func TestOnlyWorkThatWasHeldCounts(t *testing.T) {
	s := newScene(t)
	g := s.log(aGroup())
	activities := []hlc.ID{s.log(anActivity()), s.log(aGroupSession(g)), s.log(anOutreach())}
	for _, a := range activities {
		m := aHeadcount(a)
		m.FirstTime = proto.Uint32(10)
		s.log(m)
	}
	s.is(tally.CommunityActivities, whole, 1)
	s.is(tally.GroupSessions, whole, 1)
	s.is(tally.OutreachRounds, whole, 1)
	s.is(tally.Persons, whole, 30)
	for _, is := range []recordv1.Status{recordv1.Status_STATUS_PLANNED, recordv1.Status_STATUS_CANCELLED, recordv1.Status_STATUS_UNKNOWN} {
		s.edit(activities[0], &recordv1.CommunityActivity{Status: status(is)})
		s.edit(activities[1], &recordv1.GroupSession{Status: status(is)})
		s.edit(activities[2], &recordv1.Outreach{Status: status(is)})
		s.is(tally.CommunityActivities, whole, 0)
		s.is(tally.GroupSessions, whole, 0)
		s.is(tally.OutreachRounds, whole, 0)
		s.is(tally.Persons, whole, 0)
	}
}

func TestWhoIsOnlyPutDownForAnActivityDoesNotCount(t *testing.T) {
	s := newScene(t)
	m := anAttendance(s.log(anActivity()), person("王"))
	m.Status = status(recordv1.Status_STATUS_PLANNED)
	a := s.log(m)
	s.is(tally.Contacts, whole, 0)
	s.edit(a, &recordv1.Attendance{Status: held()})
	s.is(tally.Contacts, whole, 1)
	s.edit(a, &recordv1.Attendance{Status: status(recordv1.Status_STATUS_CANCELLED)})
	s.is(tally.Contacts, whole, 0)
}

func TestADraftDoesNotCount(t *testing.T) {
	s := newScene(t)
	m := anActivity()
	m.Minutes = nil
	a := s.log(m)
	h := aHeadcount(a)
	h.FirstTime = proto.Uint32(10)
	s.log(h)
	s.is(tally.CommunityActivities, whole, 0)
	s.is(tally.Persons, whole, 0)
	s.edit(a, &recordv1.CommunityActivity{Minutes: proto.Uint32(60)})
	s.is(tally.CommunityActivities, whole, 1)
	s.is(tally.Persons, whole, 10)
	s.edit(a, &recordv1.CommunityActivity{Name: proto.String("")}) // an empty text is none
	s.is(tally.CommunityActivities, whole, 0)
}

func TestADayThatDoesNotExistIsNoDay(t *testing.T) {
	s := newScene(t)
	m := anActivity()
	m.OccurredOn = proto.Int32(20210931)
	s.log(m)
	s.is(tally.CommunityActivities, whole, 0)
}

func TestHeadsCountInTheirCells(t *testing.T) {
	s := newScene(t)
	m := aHeadcount(s.log(anActivity()), cell(male, 2, 10, 2, 1), cell(female, 2, 20, 0, 0), cell(female, 5, 5, 3, 0))
	m.FirstTime = proto.Uint32(1000) // cells alone count
	s.log(m)
	s.is(tally.Contacts, whole, 41)
	s.is(tally.Persons, whole, 35)
	s.is(tally.Contacts, tally.OfSex(male), 13)
	s.is(tally.Contacts, tally.OfSex(female), 28)
	s.is(tally.Persons, tally.OfSex(female), 25)
	s.is(tally.Contacts, tally.OfAgeBand(2), 33)
	s.is(tally.Persons, tally.OfAgeBand(5), 5)
}

func TestHeadsWithoutCellsCountAsTotals(t *testing.T) {
	s := newScene(t)
	m := aHeadcount(s.log(anActivity()))
	m.FirstTime, m.Returning, m.Unsure = proto.Uint32(30), proto.Uint32(8), proto.Uint32(2)
	s.log(m)
	s.is(tally.Contacts, whole, 40)
	s.is(tally.Persons, whole, 30)
	s.is(tally.Contacts, tally.OfSex(recordv1.Sex_SEX_UNKNOWN), 40)
	s.is(tally.Persons, tally.OfAgeBand(0), 30)
}

func TestTwoCountersOfOneActivityAddUpAndEachIsCredited(t *testing.T) {
	s := newScene(t)
	a := s.log(anActivity())
	for _, counter := range []string{"李强", "王芳"} {
		m := aHeadcount(a)
		m.Counter, m.FirstTime = worker(counter), proto.Uint32(25)
		s.log(m)
	}
	s.is(tally.CommunityActivities, whole, 1)
	s.is(tally.Persons, whole, 50)
	s.is(tally.Persons, tally.ByWorker(hlc.ID(worker("王芳"))), 25)
	s.is(tally.Persons, tally.ByWorker(hlc.ID(worker("张敏"))), 0) // logged the activity, counted nobody
}

func TestHeadsAreWhereTheirActivityIs(t *testing.T) {
	s := newScene(t)
	a := s.log(anActivity())
	m := aHeadcount(a)
	m.FirstTime, m.OccurredOn, m.ServiceArea = proto.Uint32(40), proto.Int32(20211011), recordv1.ServiceArea_SERVICE_AREA_OTHER.Enum()
	m.Place = place("410781106")
	s.log(m)
	s.is(tally.Persons, tally.OnDay(20211010), 40)
	s.is(tally.Persons, tally.InPlace("410621108"), 40)
	s.is(tally.Persons, tally.InServiceArea(recordv1.ServiceArea_SERVICE_AREA_PSYCHOLOGICAL_SUPPORT), 40)

	s.edit(a, &recordv1.CommunityActivity{OccurredOn: proto.Int32(20211013), Team: team("二队")})
	s.is(tally.Persons, tally.OnDay(20211010), 0)
	s.is(tally.Persons, tally.OnDay(20211013), 40)
	s.is(tally.Persons, tally.OfTeam(hlc.ID(team("二队"))), 40)
}

func TestAHeadcountMayMoveToAnotherActivity(t *testing.T) {
	s := newScene(t)
	later := anActivity()
	later.OccurredOn = proto.Int32(20211020)
	a, b := s.log(anActivity()), s.log(later)
	m := aHeadcount(a)
	m.FirstTime = proto.Uint32(12)
	h := s.log(m)
	s.edit(h, &recordv1.Headcount{Activity: b[:]})
	s.is(tally.Persons, tally.OnDay(20211010), 0)
	s.is(tally.Persons, tally.OnDay(20211020), 12)
}

func TestDeletingAnActivityTakesItsHeadsAlongUntilItIsRestored(t *testing.T) {
	s := newScene(t)
	a := s.log(anActivity())
	m := aHeadcount(a)
	m.FirstTime = proto.Uint32(40)
	s.log(m)
	s.log(anAttendance(a, person("王")))
	s.setDeleted(a, true)
	s.is(tally.Contacts, whole, 0)
	s.is(tally.Persons, whole, 0)
	s.setDeleted(a, false)
	s.is(tally.Contacts, whole, 41)
	s.is(tally.Persons, whole, 41)
}

func TestHeadsOfAnActivityThatNobodyHasDoNotCountUntilItComes(t *testing.T) {
	s := newScene(t)
	a := hlc.ID(named16("还没有到"))
	m := aHeadcount(a)
	m.FirstTime = proto.Uint32(40)
	s.log(m)
	s.is(tally.Persons, whole, 0)
	s.change(a, recordv1.Kind_KIND_COMMUNITY_ACTIVITY, s.encode(anActivity()))
	s.is(tally.Persons, whole, 40)
}

func TestHeadsCanNotBelongToACase(t *testing.T) {
	s := newScene(t)
	m := aHeadcount(s.log(aCase()))
	m.FirstTime = proto.Uint32(40)
	s.log(m)
	s.is(tally.Contacts, whole, 0)
}

func TestDisabilityIsKnownAsFarAsItWasAsked(t *testing.T) {
	s := newScene(t)
	a := s.log(anActivity())
	m := aHeadcount(a)
	m.FirstTime, m.Returning = proto.Uint32(30), proto.Uint32(10)
	m.DisabilityAsked, m.DisabilityYes = proto.Uint32(15), proto.Uint32(4)
	h := s.log(m)
	yes, no := tally.WithDisability(recordv1.Disability_DISABILITY_YES), tally.WithDisability(recordv1.Disability_DISABILITY_NO)
	notAsked, unknown := tally.WithDisability(recordv1.Disability_DISABILITY_NOT_ASKED), tally.WithDisability(recordv1.Disability_DISABILITY_UNKNOWN)
	s.is(tally.Contacts, yes, 4)
	s.is(tally.Contacts, no, 11)
	s.is(tally.Contacts, notAsked, 25)
	s.is(tally.Persons, unknown, 30) // which of them were first-time heads was not asked

	s.edit(h, &recordv1.Headcount{Returning: proto.Uint32(0)}) // all were
	s.is(tally.Persons, yes, 4)
	s.is(tally.Persons, no, 11)
	s.is(tally.Persons, notAsked, 15)
	s.is(tally.Persons, unknown, 0)

	s.edit(h, &recordv1.Headcount{Returning: proto.Uint32(10), DisabilityAsked: proto.Uint32(0)}) // nobody was asked
	s.is(tally.Persons, notAsked, 30)
	s.is(tally.Persons, unknown, 0)
}

func TestAnEstimateIsSaidToBeOne(t *testing.T) {
	s := newScene(t)
	a := s.log(anActivity())
	m := aHeadcount(a)
	m.FirstTime, m.Returning, m.Method = proto.Uint32(200), proto.Uint32(50), recordv1.CountMethod_COUNT_METHOD_ESTIMATED.Enum()
	s.log(m)
	counted := aHeadcount(a)
	counted.FirstTime = proto.Uint32(20)
	s.log(counted)
	s.is(tally.Persons, whole, 220)
	s.is(tally.PersonsEstimated, whole, 200)
	s.is(tally.PersonsEstimated, tally.OfSex(recordv1.Sex_SEX_UNKNOWN), 200)
}

func TestOnePersonIsOnePersonHoweverOftenSheComes(t *testing.T) {
	s := newScene(t)
	inTown, elsewhere := anActivity(), anActivity()
	elsewhere.Site, elsewhere.Place = site("小河"), place("410621105")
	a, b := s.log(inTown), s.log(elsewhere)
	m := anAttendance(a, person("王"))
	m.Sex, m.AgeBand, m.Disability = female.Enum(), proto.Uint32(4), recordv1.Disability_DISABILITY_NO.Enum()
	s.log(m)
	s.log(anAttendance(b, person("王")))
	s.log(anAttendance(b, person("赵")))
	c := aCase()
	c.ClientTokens = [][]byte{person("王")}
	s.log(c)

	s.is(tally.Contacts, whole, 3)
	s.is(tally.Persons, whole, 2)
	s.is(tally.Persons, tally.AtSite(hlc.ID(site("王庄"))), 1)
	s.is(tally.Persons, tally.AtSite(hlc.ID(site("小河"))), 2)
	s.is(tally.Persons, tally.InPlace("410621"), 2)
	s.is(tally.Contacts, tally.OfSex(female), 1)
	s.is(tally.Contacts, tally.WithDisability(recordv1.Disability_DISABILITY_NO), 1)
	s.is(tally.Contacts, tally.WithDisability(recordv1.Disability_DISABILITY_NOT_ASKED), 2)

	sites := s.totals.Sum(
		tally.Cell{Basis: tally.Reported, Figure: tally.Persons, Cut: tally.AtSite(hlc.ID(site("王庄")))},
		tally.Cell{Basis: tally.Reported, Figure: tally.Persons, Cut: tally.AtSite(hlc.ID(site("小河")))},
	)
	if sites != 2 {
		t.Errorf("persons of both sites together are %d, want 2: they are never summed", sites)
	}
}

func TestAPersonGoesWhenTheLastRecordThatNamesHerGoes(t *testing.T) {
	s := newScene(t)
	a := s.log(anActivity())
	first, second := s.log(anAttendance(a, person("王"))), s.log(anAttendance(a, person("王")))
	s.setDeleted(first, true)
	s.is(tally.Persons, whole, 1)
	s.setDeleted(second, true)
	s.is(tally.Persons, whole, 0)
	s.setDeleted(first, false)
	s.is(tally.Persons, whole, 1)
}

func TestEveryAdministrativeLevelCounts(t *testing.T) {
	s := newScene(t)
	m := anActivity()
	m.Place = place("410621108003")
	s.log(m)
	for _, code := range []string{"41", "4106", "410621", "410621108", "410621108003"} {
		s.is(tally.CommunityActivities, tally.InPlace(code), 1)
	}
	s.is(tally.CommunityActivities, tally.InPlace("410621105"), 0)
	s.is(tally.CommunityActivities, tally.InPlace("4"), 0)
}

func TestWhatIsNotSaidCountsUnderTheEmptyKey(t *testing.T) {
	s := newScene(t)
	m := anActivity()
	m.Site, m.Team, m.Place = nil, nil, nil
	s.log(m)
	for _, d := range []tally.Dimension{tally.Site, tally.Team, tally.Place} {
		s.is(tally.CommunityActivities, tally.Cut{Dimension: d}, 1)
	}
}

func TestTwoReportsOfOneActivityCountOnceThere(t *testing.T) {
	s := newScene(t)
	mine, hers := anActivity(), anActivity()
	hers.OccurredOn, hers.Site = proto.Int32(20211011), site("小河") // she wrote it down the next day, at another site
	a, b := s.log(mine), s.log(hers)
	for _, activity := range []hlc.ID{a, b} {
		m := aHeadcount(activity)
		m.FirstTime = proto.Uint32(20)
		s.log(m)
	}
	s.is(tally.CommunityActivities, whole, 2)

	s.sameAs(b, a)
	s.is(tally.CommunityActivities, whole, 1)
	s.is(tally.Persons, whole, 40)
	s.is(tally.Persons, tally.OnDay(20211010), 40)
	s.is(tally.Persons, tally.AtSite(hlc.ID(site("小河"))), 0)

	s.clear(b, 10)
	s.is(tally.CommunityActivities, whole, 2)
	s.is(tally.Persons, tally.OnDay(20211011), 20)
}

func TestADuplicateHeadcountCountsNothing(t *testing.T) {
	s := newScene(t)
	a := s.log(anActivity())
	m := aHeadcount(a)
	m.FirstTime = proto.Uint32(20)
	first, second := s.log(m), s.log(m)
	s.is(tally.Persons, whole, 40)
	s.sameAs(second, first)
	s.is(tally.Persons, whole, 20)
}

func TestADuplicateCaseBringsItsSessionsAndNotItsClients(t *testing.T) {
	s := newScene(t)
	elsewhere := aCase()
	elsewhere.Team = team("二队")
	a, b := s.log(aCase()), s.log(elsewhere)
	m := aCaseSession(b)
	m.Team = nil
	s.log(m)
	s.is(tally.CaseSessions, tally.OfTeam(hlc.ID(team("二队"))), 1)
	s.sameAs(b, a)
	s.is(tally.Cases, whole, 1)
	s.is(tally.Persons, whole, 1)
	s.is(tally.CaseSessions, tally.OfTeam(hlc.ID(team("一队"))), 1)
}

func TestSessionsOfADuplicateGroupCount(t *testing.T) {
	s := newScene(t)
	a, b := s.log(aGroup()), s.log(aGroup())
	s.log(aGroupSession(b))
	s.sameAs(b, a)
	s.is(tally.GroupSessions, whole, 1)
	s.clear(b, 16) // as a draft it is still the other one
	s.is(tally.GroupSessions, whole, 1)
	s.setDeleted(b, true)
	s.is(tally.GroupSessions, whole, 0)
}

func TestDuplicatesAreFollowedInChains(t *testing.T) {
	s := newScene(t)
	a, b, c := s.log(anActivity()), s.log(anActivity()), s.log(anActivity())
	m := aHeadcount(a)
	m.FirstTime = proto.Uint32(20)
	s.log(m)
	s.sameAs(a, b)
	s.sameAs(b, c)
	s.is(tally.CommunityActivities, whole, 1)
	s.edit(c, &recordv1.CommunityActivity{OccurredOn: proto.Int32(20211020)})
	s.is(tally.Persons, tally.OnDay(20211020), 20)

	s.edit(b, &recordv1.CommunityActivity{Status: status(recordv1.Status_STATUS_PLANNED)}) // in the middle
	s.is(tally.CommunityActivities, whole, 1)
	s.is(tally.Persons, tally.OnDay(20211020), 20)

	s.edit(c, &recordv1.CommunityActivity{Status: status(recordv1.Status_STATUS_CANCELLED)}) // at the end
	s.is(tally.CommunityActivities, whole, 1)
	s.is(tally.Persons, tally.OnDay(20211010), 20)
}

func TestHeadsCountedAtThePlanOfAnActivityCountWhereItWasHeld(t *testing.T) {
	s := newScene(t)
	m := anActivity()
	m.Status = status(recordv1.Status_STATUS_PLANNED)
	plan, held := s.log(m), s.log(anActivity())
	h := aHeadcount(plan)
	h.FirstTime = proto.Uint32(20)
	s.log(h)
	s.is(tally.Persons, whole, 0)
	s.sameAs(plan, held)
	s.is(tally.CommunityActivities, whole, 1)
	s.is(tally.Persons, whole, 20)
}

func TestInACircleOfDuplicatesTheLowestIdStandsForAll(t *testing.T) {
	s := newScene(t)
	var activities []hlc.ID
	for day := range int32(4) {
		m := anActivity()
		m.OccurredOn = proto.Int32(20211010 + day)
		a := s.log(m)
		h := aHeadcount(a)
		h.FirstTime = proto.Uint32(10)
		s.log(h)
		activities = append(activities, a)
	}
	s.sameAs(activities[1], activities[2])
	s.sameAs(activities[2], activities[3])
	s.sameAs(activities[3], activities[1])
	s.sameAs(activities[0], activities[3]) // leads into the circle
	s.is(tally.CommunityActivities, whole, 1)
	s.is(tally.Persons, tally.OnDay(20211011), 40)

	s.setDeleted(activities[1], true) // opens it: the second is the third, which is nobody's
	s.is(tally.CommunityActivities, whole, 1)
	s.is(tally.Persons, tally.OnDay(20211013), 30)
}

func TestADuplicateOfNothingThatCountsStandsForItself(t *testing.T) {
	s := newScene(t)
	a, b := s.log(anActivity()), s.log(anActivity())
	for _, c := range []struct {
		what string
		id   hlc.ID
	}{
		{"itself", a},
		{"nobody has it", hlc.ID(named16("谁也没有"))},
		{"another kind", s.log(anOutreach())},
	} {
		s.sameAs(a, c.id)
		s.is(tally.CommunityActivities, whole, 2)
		s.is(tally.OutreachRounds, whole, 1)
	}
	s.sameAs(a, b)
	s.is(tally.CommunityActivities, whole, 1)
	s.setDeleted(b, true)
	s.is(tally.CommunityActivities, whole, 1)
	s.setDeleted(b, false)
	s.edit(b, &recordv1.CommunityActivity{Status: status(recordv1.Status_STATUS_CANCELLED)})
	s.is(tally.CommunityActivities, whole, 1)
}

func TestVerifiedCountsWhatIsApprovedAsItStands(t *testing.T) {
	s := newScene(t)
	a := s.log(anActivity())
	s.verified(tally.CommunityActivities, whole, 0)
	s.approve(a)
	s.verified(tally.CommunityActivities, whole, 1)
	s.verified(tally.CommunityActivities, tally.InPlace("410621108"), 1)

	s.edit(a, &recordv1.CommunityActivity{Summary: proto.String("下雨，提前结束。")}) // is not counted
	s.verified(tally.CommunityActivities, whole, 1)
	s.edit(a, &recordv1.CommunityActivity{OccurredOn: proto.Int32(20211011)})
	s.verified(tally.CommunityActivities, whole, 0)
	s.is(tally.CommunityActivities, whole, 1)

	s.approve(a)
	s.verified(tally.CommunityActivities, whole, 1)
}

func TestAReviewLapsesEvenWhenTheSameValueIsSetAgain(t *testing.T) {
	s := newScene(t)
	a := s.log(anActivity())
	s.approve(a)
	before := s.all()
	s.made++
	c := &record.Change{
		ID: s.id(), Record: a, Kind: recordv1.Kind_KIND_COMMUNITY_ACTIVITY, Stamp: hlc.Stamp{Time: hlc.Time(s.made), Replica: replica},
		Fields: s.encode(&recordv1.CommunityActivity{Status: held()}),
	}
	s.apply(c)
	if !slices.EqualFunc(before, s.all(), func(x, y tally.Record) bool { return string(x.Registers.Fields()) == string(y.Registers.Fields()) }) {
		t.Fatal("a value changed")
	}
	s.verified(tally.CommunityActivities, whole, 0)
}

func TestTheNewestOutcomeDecides(t *testing.T) {
	s := newScene(t)
	a := s.log(anActivity())
	first := s.approve(a)
	second := s.review(a, recordv1.ReviewOutcome_REVIEW_OUTCOME_RETURNED)
	s.verified(tally.CommunityActivities, whole, 0)
	s.is(tally.CommunityActivities, whole, 1) // a review lowers nothing that was reported

	s.setDeleted(second, true)
	s.verified(tally.CommunityActivities, whole, 1)
	s.setDeleted(second, false)
	s.verified(tally.CommunityActivities, whole, 0)
	s.edit(first, &recordv1.Review{Outcome: recordv1.ReviewOutcome_REVIEW_OUTCOME_UNKNOWN.Enum()})
	s.edit(first, &recordv1.Review{Outcome: recordv1.ReviewOutcome_REVIEW_OUTCOME_APPROVED.Enum()})
	s.verified(tally.CommunityActivities, whole, 1)
	s.clear(first, 18)
	s.verified(tally.CommunityActivities, whole, 0)
}

func TestADraftOfAReviewIsNone(t *testing.T) {
	s := newScene(t)
	a := s.log(anActivity())
	r := s.approve(a)
	s.clear(r, 3)
	s.verified(tally.CommunityActivities, whole, 0)
}

func TestHeadsAreVerifiedWithTheirActivity(t *testing.T) {
	s := newScene(t)
	a := s.log(anActivity())
	m := aHeadcount(a)
	m.FirstTime = proto.Uint32(20)
	h, p := s.log(m), s.log(anAttendance(a, person("王")))
	s.approve(h)
	s.approve(p)
	s.verified(tally.Persons, whole, 0)
	s.approve(a)
	s.verified(tally.Persons, whole, 21)
	s.edit(a, &recordv1.CommunityActivity{Place: place("410781106")})
	s.verified(tally.Persons, whole, 0)
	s.is(tally.Persons, whole, 21)
}

func TestADuplicateIsVerifiedWhereItCounts(t *testing.T) {
	s := newScene(t)
	a, b := s.log(anActivity()), s.log(anActivity())
	m := aHeadcount(b)
	m.FirstTime = proto.Uint32(20)
	h := s.log(m)
	s.sameAs(b, a)
	s.approve(h)
	s.approve(b)
	s.verified(tally.Persons, whole, 0)
	s.approve(a)
	s.verified(tally.Persons, whole, 20)
	s.verified(tally.CommunityActivities, whole, 1)
}

func TestAsOfADayCountsUpToIt(t *testing.T) {
	s := newScene(t)
	later := anActivity()
	later.OccurredOn = proto.Int32(20211020)
	a, b := s.log(anActivity()), s.log(later)
	s.log(anAttendance(a, person("王")))
	s.log(anAttendance(b, person("王")))
	s.log(anAttendance(b, person("赵")))
	for _, c := range []struct {
		asOf       record.Date
		activities int64
		persons    int64
	}{{20211009, 0, 0}, {20211010, 1, 1}, {20211019, 1, 1}, {20211020, 2, 2}} {
		totals := tally.Of(slices.Values(s.all()), c.asOf)
		activities := totals.Value(tally.Cell{Basis: tally.Reported, Figure: tally.CommunityActivities, Cut: whole})
		persons := totals.Value(tally.Cell{Basis: tally.Reported, Figure: tally.Persons, Cut: whole})
		if activities != c.activities || persons != c.persons {
			t.Errorf("as of %v: %d activities and %d persons, want %d and %d", c.asOf, activities, persons, c.activities, c.persons)
		}
	}
}

func TestWhatThisVersionDoesNotKnowChangesNothing(t *testing.T) {
	s := newScene(t)
	a := s.log(anActivity())
	unknown := protowire.AppendBytes(protowire.AppendTag(nil, 500, protowire.BytesType), []byte("？"))
	s.change(a, recordv1.Kind_KIND_COMMUNITY_ACTIVITY, unknown)
	s.change(hlc.ID{}, 77, unknown)
	s.is(tally.CommunityActivities, whole, 1)
}

func TestFactsAreTheRecordsBehindAFigure(t *testing.T) {
	s := newScene(t)
	a := s.log(anActivity())
	m := aHeadcount(a, cell(male, 2, 10, 2, 0), cell(male, 3, 1, 0, 0))
	h := s.log(m)
	p := s.log(anAttendance(a, person("王")))
	got := map[hlc.ID]int64{}
	for _, f := range tally.Facts(s.all()) {
		for _, cut := range []tally.Cut{whole, tally.OfSex(male)} {
			got[f.Record] += f.At(tally.Cell{Basis: tally.Reported, Figure: tally.Persons, Cut: cut})
		}
		if f.At(tally.Cell{Basis: tally.Verified, Figure: tally.Persons, Cut: whole}) != 0 {
			t.Errorf("a %v that nobody reviewed is verified", f.Kind)
		}
	}
	if got[a] != 0 || got[h] != 22 || got[p] != 1 {
		t.Errorf("the activity gives %d persons, the headcount %d, the attendance %d", got[a], got[h], got[p])
	}
}

func TestNamesAreStable(t *testing.T) {
	for _, name := range []string{"cases", "case_sessions", "group_sessions", "community_activities", "outreach_rounds", "contacts",
		"persons", "persons_by_number", "persons_estimated"} {
		if f, err := tally.ParseFigure(name); err != nil || f.String() != name {
			t.Errorf("%q is %v, %v", name, f, err)
		}
	}
	for _, name := range []string{"whole", "day", "site", "place", "team", "worker", "service_area", "sex", "age_band", "disability"} {
		if d, err := tally.ParseDimension(name); err != nil || d.String() != name {
			t.Errorf("%q is %v, %v", name, d, err)
		}
	}
	for _, name := range []string{"reported", "verified"} {
		if b, err := tally.ParseBasis(name); err != nil || b.String() != name {
			t.Errorf("%q is %v, %v", name, b, err)
		}
	}
	for _, name := range []string{"", "0", "beneficiaries"} {
		if f, err := tally.ParseFigure(name); err == nil {
			t.Errorf("%q is %v", name, f)
		}
	}
}
