package progress

import (
	"slices"

	"levee/server/internal/syncing"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// Figure is what is counted, by its stable name, and the rule by which it is counted.
type Figure struct {
	Name        string
	Label, Rule Text
	// People figures are divided by sex, age band and disability too.
	People bool

	// of is what is kept; 0 for service days, which are counted on the calendar.
	of tally.Figure
	// kinds are those whose records give it, or have what gives it: people are counted by what belongs to an activity.
	kinds []record.Kind
	// word is the key of the label by which a deployment may call what is counted; empty when it has no word of its own.
	word string
}

// Names of the figures that are no tally.Figure of their own.
const (
	ServiceDays = "service_days"
	// Beneficiaries is the published label of persons.
	Beneficiaries = "beneficiaries"
)

// activityKinds have headcounts and attendances.
var activityKinds = []record.Kind{recordv1.Kind_KIND_COMMUNITY_ACTIVITY, recordv1.Kind_KIND_GROUP_SESSION, recordv1.Kind_KIND_OUTREACH}

var (
	contactKinds = append(slices.Clip(activityKinds), recordv1.Kind_KIND_CASE_SESSION)
	personKinds  = append(slices.Clip(activityKinds), recordv1.Kind_KIND_CASE)
)

// figures are all, in the order in which people read them.
var figures = []Figure{
	{
		Name: ServiceDays, Label: Text{"服务天数", "service days"},
		Rule: Text{"从行动开始之日到统计截止日的日历天数（按行动所在时区），首尾两天都算。", "Calendar days in the deployment's time zone from its start to the as-of day, both counted."},
	},
	{
		Name: "cases", Label: Text{"个案", "cases"}, of: tally.Cases, word: "case", kinds: []record.Kind{recordv1.Kind_KIND_CASE},
		Rule: Text{"已立案、未删除、不是重复的个案；一个家庭算一个个案，可有多名服务对象。", "Cases that were opened, are not deleted and no duplicate. A family is one case with several clients."},
	},
	{
		Name: "case_sessions", Label: Text{"个案服务", "case sessions"}, of: tally.CaseSessions, word: "case_session", kinds: []record.Kind{recordv1.Kind_KIND_CASE_SESSION},
		Rule: Text{"截止日当天或之前已开展、未删除、不是重复的个案服务记录。", "Sessions of cases that were held on or before the as-of day, are not deleted and no duplicate."},
	},
	{
		Name: "group_sessions", Label: Text{"小组活动", "group sessions"}, of: tally.GroupSessions, word: "group_session", kinds: []record.Kind{recordv1.Kind_KIND_GROUP_SESSION},
		Rule: Text{"截止日当天或之前已开展、未删除、不是重复的小组活动（按节计）。", "Sessions of groups that were held on or before the as-of day, are not deleted and no duplicate."},
	},
	{
		Name: "community_activities", Label: Text{"团体活动", "community activities"}, of: tally.CommunityActivities, word: "community_activity", kinds: []record.Kind{recordv1.Kind_KIND_COMMUNITY_ACTIVITY},
		Rule: Text{"截止日当天或之前已开展、未删除、不是重复的团体活动。", "Activities that were held on or before the as-of day, are not deleted and no duplicate."},
	},
	{
		Name: "outreach_rounds", Label: Text{"走访", "outreach rounds"}, of: tally.OutreachRounds, word: "outreach", kinds: []record.Kind{recordv1.Kind_KIND_OUTREACH},
		Rule: Text{"截止日当天或之前已开展、未删除、不是重复的走访。", "Rounds of visits or calls that were made on or before the as-of day, are not deleted and no duplicate."},
	},
	{
		Name: "contacts", Label: Text{"人次", "contacts"}, People: true, of: tally.Contacts, kinds: contactKinds,
		Rule: Text{"现场计数的全部人数、参与者出席次数与个案服务到场人数之和；同一个人可计多次。", "All heads of headcounts, attendances of participants, and attendees of case sessions. One person may give many."},
	},
	{
		Name: "persons", Label: Text{"人数", "persons"}, People: true, of: tally.Persons, kinds: personKinds,
		Rule: Text{"参与者和服务对象的代号去重后，加上没有代号的服务对象和现场计数中的首次人数；在所问的范围内去重，因此各部分不能相加。", "Distinct codes of participants and clients, and those known by number only: clients without a code and first-time heads. Counted over the set asked for, so parts do not add up to the whole."},
	},
	{
		Name: Beneficiaries, Label: Text{"受益人群", "beneficiaries"}, People: true, of: tally.Persons, kinds: personKinds,
		Rule: Text{"对外公布的名称；这里等于“人数”（已公布的报告没有说明其统计口径）。", "The published label. Here it is the same as persons; the published report does not state its rule."},
	},
	{
		Name: "persons_by_number", Label: Text{"其中按数目计的人数", "of these, known by number only"}, People: true, of: tally.PersonsByNumber, kinds: personKinds,
		Rule: Text{"人数中没有代号的部分：首次人数，以及没有代号的服务对象。", "The persons without a code: first-time heads, and clients without a code."},
	},
	{
		Name: "persons_estimated", Label: Text{"其中估算的人数", "of these, estimated"}, People: true, of: tally.PersonsEstimated, kinds: activityKinds,
		Rule: Text{"人数中来自估算的首次人数。", "The first-time heads that come from headcounts which were estimated."},
	},
}

// OnCalendar reports whether f is counted on the calendar: it is one number, and no row has it.
func (f Figure) OnCalendar() bool { return f.of == 0 }

// Figures are all figures, in the order in which people read them, with the deployment's own words.
func (s *Service) Figures() []Figure {
	all := slices.Clone(figures)
	for i := range all {
		if all[i].word != "" {
			all[i].Label = ownLabel(s.SetUp(), all[i].word, all[i].Label)
		}
	}
	return all
}

// ownLabel is the deployment's word for something, or else the common one.
func ownLabel(setUp *syncing.SetUp, key string, common Text) Text {
	for _, l := range setUp.Deployment.GetLabels() {
		if l.GetKey() != key {
			continue
		}
		if l.GetLabelZh() != "" {
			common.Zh = l.GetLabelZh()
		}
		if l.GetLabelEn() != "" {
			common.En = l.GetLabelEn()
		}
	}
	return common
}

// FigureNamed finds a figure that records give.
func FigureNamed(name string) (Figure, bool) {
	for _, f := range figures {
		if f.Name == name && !f.OnCalendar() {
			return f, true
		}
	}
	return Figure{}, false
}

// peopleOnly reports whether only figures of people are divided by a dimension.
func peopleOnly(d tally.Dimension) bool {
	return d == tally.Sex || d == tally.AgeBand || d == tally.Disability
}
