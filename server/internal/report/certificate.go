package report

import (
	"strings"

	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/words"
)

var (
	certifies     = words.Message{EN: "This is to certify that %s (%s) worked in the deployment “%s” from %s to %s, on %s.", ZH: "兹证明：%s（%s）于%[4]s至%[5]s期间参加“%[3]s”服务，共%[6]s。"}
	certifiedDays = words.Counted{One: "%d day", Other: "%d days", ZH: "%d天"}
	certifiedHeld = words.Message{EN: "As author or co-worker: %s, which took %d h %d min in all.", ZH: "作为记录人或协同人员，参与%s，合计%d小时%d分。"}
	certifiedNone = words.Message{EN: "Counted people at what others held.", ZH: "在他人组织的活动中参与现场计数。"}
	// Rule says what days and hours of work are.
	Rule = Label{
		"工作日：当日作为记录人或协同人员开展个案服务、小组活动、团体活动或走访，或在现场计数。时长：个案服务、小组活动和团体活动所填分钟数之和，在场的每个人各计全程；走访不填时长，不计入。同时进行的活动各计一次。",
		"A day of work is one on which the person, as author or co-worker, held a case session, group session, community activity or round of visits, or counted people there. Time is the sum of the minutes that case sessions, group sessions and community activities say, in full for each who was at it; rounds of visits say none. Two at the same time count twice.",
	}
)

// Certificate tells of one worker's service (服务证明) in "zh" or else English, a sentence a line. What was done is told by the
// records of the days that the report tells of.
func (r *Report) Certificate(worker Worker, lang string) string {
	w := teller{Words: words.In(lang), report: r}
	lines := []string{w.Say(certifies, worker.Name, TypeLabel(worker.Type, lang), r.Name, w.Date(worker.From.Date), w.Date(worker.To.Date), w.Count(certifiedDays, int64(worker.Days)))}
	held := w.things(Row{Reported: worker.Held}, false)
	if len(held) == 0 {
		return strings.Join(append(lines, w.Say(certifiedNone)), "\n")
	}
	return strings.Join(append(lines, w.Say(certifiedHeld, held[0], worker.Minutes/60, worker.Minutes%60)), "\n")
}

// TypeLabel is the word for a type of workers, given its stable name, in "zh" or else English.
func TypeLabel(name, lang string) string {
	values := recordv1.WorkerType(0).Descriptor().Values()
	for i := range values.Len() {
		if v := values.Get(i); words.ChoiceName(v) == name {
			return words.In(lang).Choice(v)
		}
	}
	return name
}

// Apart are the workers by their types, in the order of the types: social workers and volunteers each for themselves. A type that
// nobody has is left out.
func (r *Report) Apart() (groups [][]Worker) {
	of := map[string][]Worker{}
	for _, w := range r.Workers {
		of[w.Type] = append(of[w.Type], w)
	}
	values := recordv1.WorkerType(0).Descriptor().Values()
	for i := range values.Len() { // the first one is unknown, and comes last
		if group := of[words.ChoiceName(values.Get((i+1)%values.Len()))]; len(group) > 0 {
			groups = append(groups, group)
		}
	}
	return groups
}
