package demo

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"

	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// tablet is one volunteer with a real store in a file.
type tablet struct {
	store *clientlib.Store
	name  string
	net   *network
	rand  *rand.Rand

	// caughtUp says that a sync came to its end after all tablets had sent all they had.
	caughtUp bool

	requests           int
	bytesUp, bytesDown int64
}

// sync tries once, as a person would who sees a signal. What the link breaks is tried again another day.
func (t *tablet) sync(ctx context.Context) error {
	result, err := t.store.Sync(ctx, nil)
	t.requests += result.Requests
	t.bytesUp += result.BytesUp
	t.bytesDown += result.BytesDown
	if err == nil {
		t.caughtUp = true
		return nil
	}
	switch clientlib.Code(err) {
	case "unavailable", "busy", "malformed": // the link, or what it made of a request
		return ctx.Err()
	default:
		return fmt.Errorf("sync of %s: %w", t.name, err)
	}
}

// token stands for a person. Real ones are derived from phone or identity number; these are from a number of the replay.
func token(seed uint64, what string, n int) []byte {
	h := sha256.Sum256(fmt.Appendf(nil, "demo %d %s %d", seed, what, n))
	return h[:16]
}

// number is a small one, as fields have it.
func number(n int) *uint32 {
	v := uint32(n) //nolint:gosec // small and not negative
	return &v
}

// one is a choice of the first n of an enumeration, unknown left out.
func one[E ~int32](t *tablet, n int32) *E {
	e := E(1 + t.rand.Int32N(n))
	return &e
}

// openCase logs a case with identity and consent.
func (t *tablet) openCase(ctx context.Context, seed uint64, n int, p caseplan) (hlc.ID, error) {
	c := &recordv1.Case{
		CaseNo: proto.String(fmt.Sprintf("HN-%02d", n+1)), OpenedOn: proto.Int32(int32(firstDay.AddDays(p.opened))),
		Source: one[recordv1.CaseSource](t, 4), ClientType: recordv1.ClientType_CLIENT_TYPE_INDIVIDUAL.Enum(),
		ClientCount: number(p.clients), Sex: one[recordv1.Sex](t, 2), AgeBand: number(1 + t.rand.IntN(ageBands)),
		Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(), Risk: recordv1.RiskDegree_RISK_DEGREE_LOW.Enum(),
		ServiceArea: one[recordv1.ServiceArea](t, 3),
	}
	if p.clients > 1 {
		c.ClientType = recordv1.ClientType_CLIENT_TYPE_FAMILY.Enum()
	}
	for i := range p.registered {
		c.ClientTokens = append(c.ClientTokens, token(seed, "client", n*10+i))
	}
	id, err := t.store.LogCase(ctx, c)
	if err != nil {
		return id, err
	}
	if _, err := t.store.LogCaseIdentity(ctx, &recordv1.CaseIdentity{
		Case: id[:], Name: proto.String(fmt.Sprintf("演示人物%d", n+1)), Phone: proto.String(fmt.Sprintf("000-0000-%04d", n+1)),
	}); err != nil {
		return id, err
	}
	_, err = t.store.LogConsent(ctx, &recordv1.Consent{
		Subject: id[:], Scopes: []recordv1.ConsentScope{recordv1.ConsentScope_CONSENT_SCOPE_SERVICE},
		Giver: recordv1.ConsentGiver_CONSENT_GIVER_SELF.Enum(), GivenOn: c.OpenedOn,
	})
	return id, err
}

// logCaseSession logs the nth session with its note and moves the case on.
func (t *tablet) logCaseSession(ctx context.Context, id hlc.ID, nth int, last bool) error {
	stages := []recordv1.CaseStage{recordv1.CaseStage_CASE_STAGE_ASSESSMENT, recordv1.CaseStage_CASE_STAGE_PLANNING, recordv1.CaseStage_CASE_STAGE_INTERVENTION}
	stage := stages[min(nth, len(stages))-1]
	if last {
		stage = recordv1.CaseStage_CASE_STAGE_CLOSURE
	}
	s := &recordv1.CaseSession{
		Case: id[:], Number: number(nth), Stage: stage.Enum(), Mode: one[recordv1.SessionMode](t, 3),
		Minutes: number(30 + 10*t.rand.IntN(6)), Attendees: number(1), RiskSeen: recordv1.RiskSeen_RISK_SEEN_NO.Enum(),
	}
	session, err := t.store.LogCaseSession(ctx, s)
	if err != nil {
		return err
	}
	if t.rand.IntN(6) == 0 { // pressed twice in the rain, and noticed
		again, err := t.store.LogCaseSession(ctx, s)
		if err != nil {
			return err
		}
		if err := t.store.Delete(ctx, again); err != nil {
			return err
		}
	}
	if t.rand.IntN(8) == 0 { // deleted by mistake, and undone
		if err := t.store.Delete(ctx, session); err != nil {
			return err
		}
		if err := t.store.Restore(ctx, session); err != nil {
			return err
		}
	}
	if _, err := t.store.LogCaseNote(ctx, &recordv1.CaseNote{
		Session: session[:], Plan: proto.String("下周入户，带去补助政策说明。"),
		Process: proto.String("与服务对象谈到灾后的睡眠、家中的修缮和孩子返校的安排，情绪较上次平稳，愿意继续参加小组。"),
	}); err != nil {
		return err
	}
	moved := &recordv1.Case{Stage: stage.Enum()}
	if last {
		day, err := t.today(ctx, session)
		if err != nil {
			return err
		}
		moved.ClosedOn, moved.Closure = &day, recordv1.CaseClosure_CASE_CLOSURE_ACHIEVED.Enum()
	}
	return t.store.Update(ctx, id, moved)
}

// today is the day on which a record was logged.
func (t *tablet) today(ctx context.Context, id hlc.ID) (int32, error) {
	r, err := t.store.Record(ctx, id)
	if err != nil {
		return 0, err
	}
	return r.Message.GetOccurredOn(), nil
}

// member is a registered participant of a group.
type member struct{ id hlc.ID }

func (t *tablet) openGroup(ctx context.Context, seed uint64, n int, p groupplan) (hlc.ID, []member, error) {
	id, err := t.store.LogGroup(ctx, &recordv1.Group{
		Name: proto.String(fmt.Sprintf("暖心小组%d", n+1)), Type: recordv1.GroupType_GROUP_TYPE_SUPPORT.Enum(),
		SessionsPlanned: number(len(p.sessions)), ServiceArea: recordv1.ServiceArea_SERVICE_AREA_PSYCHOLOGICAL_SUPPORT.Enum(),
	})
	if err != nil {
		return id, nil, err
	}
	members := make([]member, p.members)
	for i := range members {
		members[i].id, err = t.store.LogParticipant(ctx, &recordv1.Participant{
			Token: token(seed, "member", n*100+i), Basis: recordv1.TokenBasis_TOKEN_BASIS_PHONE.Enum(),
			Sex: one[recordv1.Sex](t, 2), AgeBand: number(1 + t.rand.IntN(ageBands)), Disability: recordv1.Disability_DISABILITY_NO.Enum(),
		})
		if err != nil {
			return id, nil, err
		}
	}
	return id, members, nil
}

// logGroupSession logs the nth session and who was there: everyone at the first, most of them later.
func (t *tablet) logGroupSession(ctx context.Context, group hlc.ID, members []member, nth int) error {
	s := &recordv1.GroupSession{Group: group[:], Number: number(nth), Theme: proto.String(fmt.Sprintf("第%d节：一起走过", nth)), Minutes: number(90)}
	var present []member
	for _, m := range members {
		if nth == 1 || t.rand.IntN(5) > 0 {
			present = append(present, m)
			s.Present = append(s.Present, m.id[:])
		} else {
			s.Absent = append(s.Absent, m.id[:])
		}
	}
	id, err := t.store.LogGroupSession(ctx, s)
	if err != nil {
		return err
	}
	for _, m := range present {
		if _, err := t.store.LogAttendance(ctx, &recordv1.Attendance{Activity: id[:], Participant: m.id[:]}); err != nil {
			return err
		}
	}
	_, err = t.store.LogGroupNote(ctx, &recordv1.GroupNote{Session: id[:], Process: proto.String("组员轮流分享近况，较上一节更愿意表达。")})
	return err
}

// planActivity announces an activity some days before, so that both counters have it.
func (t *tablet) planActivity(ctx context.Context, n int, p activityplan) (hlc.ID, error) {
	return t.store.LogCommunityActivity(ctx, activity(n, p, recordv1.Status_STATUS_PLANNED))
}

func activity(n int, p activityplan, status recordv1.Status) *recordv1.CommunityActivity {
	area := recordv1.ServiceArea_SERVICE_AREA_CULTURAL_REBUILDING
	if n%3 == 1 {
		area = recordv1.ServiceArea_SERVICE_AREA_RESOURCE_LINKING
	}
	form := recordv1.ActivityForm(p.form) //nolint:gosec // small
	return &recordv1.CommunityActivity{
		Name: proto.String(fmt.Sprintf("社区活动%d", n+1)), Form: &form, OccurredOn: proto.Int32(int32(firstDay.AddDays(p.day))),
		Status: status.Enum(), Minutes: number(120), RegisterUsed: proto.Bool(false), ServiceArea: &area,
	}
}

// count counts the heads in the worker's own zone. Some count wrongly first.
func (t *tablet) count(ctx context.Context, at hlc.ID, zone string, heads []cell) error {
	m := &recordv1.Headcount{Activity: at[:], Zone: &zone, Method: recordv1.CountMethod_COUNT_METHOD_COUNTED.Enum()}
	for _, c := range heads {
		sex := recordv1.Sex(c.sex) //nolint:gosec // small
		m.Cells = append(m.Cells, &recordv1.HeadcountCell{
			Sex: &sex, AgeBand: number(c.band), FirstTime: number(c.firstTime), Returning: number(c.returning), Unsure: number(c.unsure),
		})
	}
	right := m.Cells
	miscounted := t.rand.IntN(3) == 0
	if miscounted {
		m.Cells = make([]*recordv1.HeadcountCell, len(right))
		for i, c := range right {
			m.Cells[i] = proto.CloneOf(c)
			m.Cells[i].FirstTime = number(int(c.GetFirstTime()) + t.rand.IntN(4))
		}
	}
	id, err := t.store.Count(ctx, m)
	if err != nil || !miscounted {
		return err
	}
	return t.store.Update(ctx, id, &recordv1.Headcount{Cells: right})
}

// sees reports whether the tablet has a record, and has it alive.
func (t *tablet) sees(ctx context.Context, id hlc.ID) bool {
	r, err := t.store.Record(ctx, id)
	return err == nil && !r.Deleted
}

// markTwice says that one record is the same activity as another, once the tablet has both.
func (t *tablet) markTwice(ctx context.Context, twin, first hlc.ID) (bool, error) {
	if !t.sees(ctx, twin) || !t.sees(ctx, first) {
		return false, nil
	}
	return true, t.store.Update(ctx, twin, &recordv1.CommunityActivity{DuplicateOf: first[:]})
}

func (t *tablet) visit(ctx context.Context, p outreachplan) error {
	id, err := t.store.LogOutreach(ctx, &recordv1.Outreach{
		Mode: recordv1.OutreachMode_OUTREACH_MODE_HOME.Enum(), Households: number(5 + t.rand.IntN(20)),
		Needs: proto.String("饮用水、过冬衣物"), ServiceArea: recordv1.ServiceArea_SERVICE_AREA_RESOURCE_LINKING.Enum(),
	})
	if err != nil {
		return err
	}
	if err := t.count(ctx, id, "全村", p.heads); err != nil {
		return err
	}
	_, err = t.store.LogResourceLink(ctx, &recordv1.ResourceLink{
		Need: proto.String("过冬衣物"), Type: recordv1.ResourceType_RESOURCE_TYPE_GOODS.Enum(), Quantity: number(40), Unit: proto.String("件"),
	})
	return err
}

// day is a date of the deployment as its records carry it.
func day(n int) record.Date { return firstDay.AddDays(n) }
