package tabletui

import (
	"net/url"

	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/clientlib"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// counterBody is the choice of what heads are counted at.
type counterBody struct {
	Unfinished []item
	Activities []item
	Start      []choice
}

// activityKinds are the kinds at which heads are counted, in the order in which they are offered.
var activityKinds = []record.Kind{
	recordv1.Kind_KIND_OUTREACH, recordv1.Kind_KIND_GROUP_SESSION, recordv1.Kind_KIND_COMMUNITY_ACTIVITY,
}

// counterPage shows what heads can be counted at, or leads to the count of what was chosen.
func (v *visit) counterPage() error {
	activity, err := v.asked("activity")
	switch {
	case err != nil:
		return err
	case activity != (hlc.ID{}):
		return v.counterOf(activity)
	}
	a, err := v.around()
	if err != nil {
		return err
	}
	today := a.day(v)
	found, err := v.store().List(v.context(), clientlib.Query{Kinds: activityKinds, From: today.AddDays(-1), To: today, Limit: 100})
	if err != nil {
		return err
	}
	body := &counterBody{}
	for _, r := range found.Records {
		planned := r.Message.GetStatus() == recordv1.Status_STATUS_PLANNED && record.Date(r.Message.GetOccurredOn()) < today
		if !planned && r.Message.GetStatus() != recordv1.Status_STATUS_CANCELLED && len(r.Message.GetDuplicateOf()) == 0 {
			one := v.item(r)
			one.To = pathCounter + "?activity=" + one.ID
			body.Activities = append(body.Activities, one)
		}
	}
	for _, k := range activityKinds {
		body.Start = append(body.Start, choice{Value: pathNew + "/" + words.KindName(k), Label: a.terms.KindLabel(k)})
	}
	counts, err := v.unfinishedCounts()
	if err != nil {
		return err
	}
	for _, c := range counts {
		one := item{To: pathCounter + "/" + c.kept.ID.String(), Title: v.N("heads", c.all()), Note: v.T("kept_at", v.At(c.kept.Saved))}
		if r, err := v.store().Record(v.context(), c.activity); err == nil {
			one.Title = v.headline(r)
			one.Note = v.List([]string{c.Get("zone"), v.N("heads", c.all())})
		}
		body.Unfinished = append(body.Unfinished, one)
	}
	return v.show("counter", &page{Title: v.T("count_heads"), Here: pathNew, Back: pathNew, Body: body})
}

// unfinishedCount is a count that was begun and not logged yet.
type unfinishedCount struct {
	heads
	kept     clientlib.Form
	activity hlc.ID
}

// unfinishedCounts are they, the last touched first.
func (v *visit) unfinishedCounts() ([]unfinishedCount, error) {
	forms, err := v.store().Forms(v.context())
	if err != nil {
		return nil, err
	}
	var all []unfinishedCount
	for _, f := range forms {
		if f.Kind != recordv1.Kind_KIND_HEADCOUNT {
			continue
		}
		values, err := url.ParseQuery(string(f.Values))
		if err != nil {
			return nil, err
		}
		of, err := parseID(values.Get("activity"))
		if err != nil {
			continue
		}
		all = append(all, unfinishedCount{heads{values}, f, of})
	}
	return all, nil
}

// countsBody are the counts at one activity, by who counted.
type countsBody struct {
	Activity item
	// Planned: it counts only once it is said to have taken place.
	Planned bool
	apart
}

// apart are who came to an activity, registered and counted, which are never added up: whoever registered is not counted in a zone.
type apart struct {
	Registered       int
	Own, Colleagues  int
	Mine, Colleagued []zoneCount
}

// zoneCount is one count in one zone.
type zoneCount struct {
	ID         string
	Who, Zone  string
	Heads      int
	Method, To string
}

// apart reads who came to an activity. The count of one record may be left out: it is the one that is gone on with.
func (v *visit) apart(activity, leftOut hlc.ID) (apart, error) {
	var sum apart
	a, err := v.around()
	if err != nil {
		return sum, err
	}
	found, err := v.store().Belongings(v.context(), activity)
	if err != nil {
		return sum, err
	}
	for _, r := range found {
		if r.Message == nil || len(r.Message.GetDuplicateOf()) > 0 || r.ID == leftOut {
			continue
		}
		switch m := r.Message.(type) {
		case *recordv1.Attendance:
			sum.Registered++
		case *recordv1.Headcount:
			counter, _ := idOf(m.GetCounter())
			one := zoneCount{
				ID: r.ID.String(), Who: a.workers[counter].GetName(), Zone: m.GetZone(), Heads: headsIn(m), To: "/records/" + r.ID.String(),
				Method: a.terms.OptionOf(m.GetMethod().Descriptor(), m.GetMethod().Number()).Label,
			}
			if counter == a.me {
				sum.Own += one.Heads
				sum.Mine = append(sum.Mine, one)
			} else {
				sum.Colleagues += one.Heads
				sum.Colleagued = append(sum.Colleagued, one)
			}
		}
	}
	return sum, nil
}

// counterOf leads to the count of an activity. Where this worker has counted there already, it shows the counts, and offers to go on.
func (v *visit) counterOf(activity hlc.ID) error {
	r, err := v.store().Record(v.context(), activity)
	if err != nil {
		return err
	}
	if r.Message == nil || !counts(r.Kind) {
		return errNoPage
	}
	query := v.r.URL.Query()
	goOn, err := v.asked("count")
	if err != nil {
		return err
	}
	begun, err := v.unfinishedCounts()
	if err != nil {
		return err
	}
	another := query.Has("another")
	for _, f := range begun {
		if f.activity == activity && !another && !query.Has("done") && (goOn == hlc.ID{} || f.kept.Record == goOn) {
			return v.to(pathCounter + "/" + f.kept.ID.String())
		}
	}
	sum, err := v.apart(activity, hlc.ID{})
	if err != nil {
		return err
	}
	if len(sum.Mine) > 0 && !another && goOn == (hlc.ID{}) {
		body := &countsBody{Activity: v.item(r), Planned: r.Message.GetStatus() == recordv1.Status_STATUS_PLANNED, apart: sum}
		return v.show("counts", &page{Title: v.headline(r), Here: pathNew, Back: pathCounter, Body: body})
	}
	id, err := v.store().NewFormID()
	if err != nil {
		return err
	}
	begin := url.Values{valueKind: {words.KindName(recordv1.Kind_KIND_HEADCOUNT)}, "activity": {activity.String()}}
	if goOn != (hlc.ID{}) {
		begin.Set(valueRecord, goOn.String())
	}
	return v.to(pathCounter + "/" + id.String() + "?" + begin.Encode())
}

// tookPlace says of a planned activity that it took place: who counts heads at it knows.
func (v *visit) tookPlace() error {
	id, err := v.asked("activity")
	if err != nil {
		return err
	}
	r, err := v.store().Record(v.context(), id)
	if err != nil {
		return err
	}
	if r.Message == nil || !counts(r.Kind) {
		return errNoPage
	}
	held := record.New(r.Kind)
	m := held.ProtoReflect()
	m.Set(m.Descriptor().Fields().ByName("status"), protoreflect.ValueOfEnum(recordv1.Status_STATUS_HELD.Number()))
	if err := v.store().Update(v.context(), id, held); err != nil {
		return err
	}
	v.desk.syncer.Wake(false)
	return v.done(pathCounter+"?activity="+id.String(), "saved")
}
