package finalreport

import (
	"levee/server/internal/progress"
	"levee/syncproto/certificate"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
	"levee/syncproto/words"
)

// Published is what such deployments are told of by: how many days they were, and what was reported of the whole.
type Published struct{ Days, Cases, GroupSessions, Activities, Persons int64 }

// PublishedIn is that of a certificate.
func PublishedIn(c *certificate.Certificate) Published {
	return (&maker{Certificate: c, totals: totalsOf(c)}).published()
}

func (m *maker) published() Published {
	return Published{int64(tally.ServiceDays(m.start(), m.end())), m.whole("cases"), m.whole("group_sessions"), m.whole("community_activities"), m.whole("persons")}
}

// Sentence tells it as it is published, by what the deployment calls its figures.
func (p Published) Sentence(w *words.Words, figures []progress.Figure) string {
	held := heldIn(w, figures, []int64{p.Cases, p.GroupSessions, p.Activities})
	return w.Say(publishedLine, w.Count(serviceDays, p.Days), held, figureIn(figures, progress.Beneficiaries).Label.In(w.Lang()), numberIn(w, p.Persons))
}

// things are what a sentence tells of, with the Chinese measure word.
var things = []struct {
	figure string
	kind   record.Kind
	said   words.Message
}{
	{"cases", recordv1.Kind_KIND_CASE, words.Message{EN: "%s %s", ZH: "%s 个%s"}},
	{"group_sessions", recordv1.Kind_KIND_GROUP_SESSION, words.Message{EN: "%s %s", ZH: "%s 次%s"}},
	{"community_activities", recordv1.Kind_KIND_COMMUNITY_ACTIVITY, words.Message{EN: "%s %s", ZH: "%s 次%s"}},
}

// heldIn is what was held, such as "10 个个案、14 次小组活动、14 次团体活动": so many of each of the things.
func heldIn(w *words.Words, figures []progress.Figure, numbers []int64) string {
	var parts []string
	for i, t := range things {
		n, label := numbers[i], figureIn(figures, t.figure).Label.In(w.Lang())
		if common, _ := progress.FigureNamed(t.figure); n == 1 && label == common.Label.En {
			label = w.Kind(t.kind)
		}
		parts = append(parts, w.Say(t.said, numberIn(w, n), label))
	}
	return w.List(parts)
}
