package world

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/clientlib"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

const (
	kCase        = recordv1.Kind_KIND_CASE
	kIdentity    = recordv1.Kind_KIND_CASE_IDENTITY
	kConsent     = recordv1.Kind_KIND_CONSENT
	kSession     = recordv1.Kind_KIND_CASE_SESSION
	kNote        = recordv1.Kind_KIND_CASE_NOTE
	kActivity    = recordv1.Kind_KIND_COMMUNITY_ACTIVITY
	kOutreach    = recordv1.Kind_KIND_OUTREACH
	kMeeting     = recordv1.Kind_KIND_GROUP_SESSION
	kMinutes     = recordv1.Kind_KIND_GROUP_NOTE
	kGroup       = recordv1.Kind_KIND_GROUP
	kCount       = recordv1.Kind_KIND_HEADCOUNT
	kParticipant = recordv1.Kind_KIND_PARTICIPANT
	kAttendance  = recordv1.Kind_KIND_ATTENDANCE
	kRisk        = recordv1.Kind_KIND_RISK_ALERT
	kLink        = recordv1.Kind_KIND_RESOURCE_LINK
	kReview      = recordv1.Kind_KIND_REVIEW
	kConflict    = recordv1.Kind_KIND_CONFLICT
)

// person is a worker at a tablet, doing one thing.
type person struct {
	*tablet
	rand *rand.Rand
}

// refusals are the codes with which a tablet refuses what can't be done with the records as they are on it.
var refusals = []string{"record_missing", "record_deleted", "owner_missing", "owner_deleted", "kind_mismatch"}

// act lets a worker do one thing, and keeps in mind what the tablet accepted.
func (w *world) act(t *tablet, r *rand.Rand) error {
	if err := w.do(t, r); err != nil {
		return err
	}
	return t.remember()
}

func (w *world) do(t *tablet, r *rand.Rand) error {
	p := person{t, r}
	var err error
	switch dice := r.IntN(100); {
	case dice < 42:
		err = p.log()
	case dice < 72:
		err = p.edit()
	case dice < 77:
		if x, ok := p.any(); ok {
			w.met(Deleted)
			err = t.store.Delete(w.ctx, x.ID)
		}
	case dice < 83:
		if x, ok := p.any(); ok {
			if x.Deleted {
				w.met(Restored)
			}
			err = t.store.Restore(w.ctx, x.ID)
		}
	case dice < 90:
		err = p.join()
	case dice < 96:
		err = p.reown()
	default:
		err = p.move()
	}
	return w.excuse(t, err)
}

// excuse lets pass what a tablet refuses for a reason that it has.
func (w *world) excuse(t *tablet, err error) error {
	var invalid *clientlib.InvalidError // a day that by a wrong clock can't be
	if err == nil || errors.As(err, &invalid) || slices.Contains(refusals, clientlib.Code(err)) {
		return nil
	}
	return w.broken("%s: %v", t.name, err)
}

// any is a record of one of some kinds that the tablet shows, the newer ones more often; false when it finds none.
func (p person) any(kinds ...record.Kind) (clientlib.AnyRecord, bool) {
	ids := p.w.ids
	for range 30 {
		if len(ids) == 0 {
			break
		}
		from := max(0, len(ids)-oneOf(p.rand, 3, 12, len(ids), len(ids)))
		r, err := p.store.Record(p.w.ctx, ids[from+p.rand.IntN(len(ids)-from)])
		if err == nil && record.Known(r.Kind) && (len(kinds) == 0 || slices.Contains(kinds, r.Kind)) {
			return r, true
		}
	}
	return clientlib.AnyRecord{}, false
}

// about is the id of any of some kinds, or of nothing, which the tablet refuses.
func (p person) about(kinds ...record.Kind) []byte {
	if r, ok := p.any(kinds...); ok {
		return r.ID[:]
	}
	return bytes.Repeat([]byte{7}, 16)
}

func (p person) logged(id hlc.ID, err error) error {
	if err == nil {
		p.w.ids = append(p.w.ids, id)
	}
	return err
}

func (p person) number(most int) *uint32 {
	return proto.Uint32(uint32(p.rand.IntN(most) + 1)) //nolint:gosec // small and positive
}

func (p person) text() *string {
	return proto.String(oneOf(p.rand, "棉被", "药品", "下周入户", "情绪平稳", strings.Repeat("长", 40)))
}

// story is so long that a few of them fill a page.
func (p person) story() *string {
	return proto.String(strings.Repeat("谈到房屋。", 1+p.rand.IntN(1300)))
}

func (p person) token() []byte {
	return bytes.Repeat([]byte{byte(1 + p.rand.IntN(9))}, 16) //nolint:gosec // small
}

func (p person) worker() []byte {
	return p.w.made.worker(oneOf(p.rand, "anna", "ben", "lena", "carl", "sven"))
}

func (p person) team() []byte {
	id := p.w.made.teams[oneOf(p.rand, "one", "two")]
	return id[:]
}

// today is the true day: people know it, whatever their tablet's clock says.
func (p person) today() *int32 {
	day := record.DateOf(p.w.wall(), time.FixedZone("", 8*3600))
	if p.rand.IntN(3) == 0 {
		return nil // the tablet fills it in
	}
	return proto.Int32(int32(day))
}

// day is one of the deployment's first days.
func (p person) day() *int32 { return proto.Int32(20210925 + p.rand.Int32N(5)) }

// log logs a record of some kind, about one that the tablet has where it needs one.
func (p person) log() error {
	ctx, s, r := p.w.ctx, p.store, p.rand
	area := recordv1.ServiceArea(1 + r.IntN(3)).Enum() //nolint:gosec // small
	switch r.IntN(23) {
	case 0, 1, 2:
		m := &recordv1.Case{CaseNo: p.text(), OpenedOn: proto.Int32(20210930), OccurredOn: p.today(), ClientCount: p.number(3), ServiceArea: area, Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum()}
		if r.IntN(2) == 0 {
			m.ClientTokens = [][]byte{p.token()}
		}
		if r.IntN(3) == 0 { // into another team: the server holds it, but a coordinator's
			m.Team = p.team()
		}
		return p.logged(s.LogCase(ctx, m))
	case 3:
		return p.logged(s.LogCaseIdentity(ctx, &recordv1.CaseIdentity{Case: p.about(kCase), Name: p.text()}))
	case 4:
		return p.logged(s.LogConsent(ctx, &recordv1.Consent{Subject: p.about(kCase, kParticipant), GivenOn: proto.Int32(20211001)}))
	case 5, 6:
		return p.logged(s.LogCaseSession(ctx, &recordv1.CaseSession{Case: p.about(kCase), OccurredOn: p.today(), Stage: recordv1.CaseStage_CASE_STAGE_INTERVENTION.Enum(), Mode: recordv1.SessionMode(1).Enum(),
			Minutes: p.number(90), Attendees: p.number(3), RiskSeen: recordv1.RiskSeen_RISK_SEEN_NO.Enum()}))
	case 7, 20:
		return p.logged(s.LogCaseNote(ctx, &recordv1.CaseNote{Session: p.about(kSession), Process: p.story()}))
	case 8, 9:
		return p.logged(s.LogOutreach(ctx, &recordv1.Outreach{Households: p.number(20), OccurredOn: p.today(), ServiceArea: area}))
	case 10:
		return p.logged(s.LogGroup(ctx, &recordv1.Group{Name: p.text(), OccurredOn: p.today(), ServiceArea: area}))
	case 11:
		return p.logged(s.LogGroupSession(ctx, &recordv1.GroupSession{Group: p.about(kGroup), OccurredOn: p.today(), Number: p.number(9), Theme: p.text(), Minutes: p.number(90)}))
	case 12:
		return p.logged(s.LogGroupNote(ctx, &recordv1.GroupNote{Session: p.about(kMeeting), Process: p.story()}))
	case 13, 14:
		return p.logged(s.LogCommunityActivity(ctx, p.activity()))
	case 15, 16:
		return p.logged(s.Count(ctx, &recordv1.Headcount{Activity: p.about(kActivity, kOutreach, kMeeting), Zone: p.text(), Method: recordv1.CountMethod_COUNT_METHOD_COUNTED.Enum(), FirstTime: p.number(40), Returning: p.number(9)}))
	case 17:
		return p.logged(s.LogParticipant(ctx, &recordv1.Participant{Token: p.token(), Basis: recordv1.TokenBasis_TOKEN_BASIS_PHONE.Enum()}))
	case 18:
		return p.logged(s.LogAttendance(ctx, &recordv1.Attendance{Activity: p.about(kActivity, kOutreach, kMeeting), Participant: p.about(kParticipant)}))
	case 19:
		m := &recordv1.RiskAlert{Type: recordv1.RiskType(1).Enum(), Done: p.text()}
		if r.IntN(2) == 0 {
			m.Subject = p.about(kCase)
		}
		return p.logged(s.LogRiskAlert(ctx, m))
	case 21: // by whoever: of a field worker the server holds it
		kinds := []record.Kind{kCase, kSession, kActivity, kCount, kOutreach}
		if r.IntN(5) == 0 {
			kinds = append(kinds, kReview, kNote)
		}
		return p.logged(s.LogReview(ctx, &recordv1.Review{Target: p.about(kinds...), Outcome: recordv1.ReviewOutcome(1 + r.IntN(2)).Enum()})) //nolint:gosec // small
	default:
		m := &recordv1.ResourceLink{Need: p.text(), Quantity: p.number(90), OccurredOn: p.today()}
		if r.IntN(2) == 0 {
			m.RecipientCase = p.about(kCase)
		}
		return p.logged(s.LogResourceLink(ctx, m))
	}
}

func (p person) activity() *recordv1.CommunityActivity {
	status := oneOf(p.rand, recordv1.Status_STATUS_HELD, recordv1.Status_STATUS_PLANNED)
	area := recordv1.ServiceArea(1 + p.rand.IntN(3)).Enum() //nolint:gosec // small
	return &recordv1.CommunityActivity{Name: p.text(), OccurredOn: p.today(), Minutes: p.number(90), RegisterUsed: proto.Bool(true), ServiceArea: area, Status: status.Enum()}
}

// edit sets or empties a field or two of a record. The fields are few, so that people meet in them.
func (p person) edit() error {
	ctx, s := p.w.ctx, p.store
	if conflicts, err := s.Conflicts(ctx); err == nil && len(conflicts) > 0 && p.rand.IntN(8) == 0 {
		return s.Update(ctx, oneOf(p.rand, conflicts...).ID, &recordv1.Conflict{Settled: proto.Bool(true)})
	}
	r, ok := p.any()
	if !ok {
		return nil
	}
	return p.change(r)
}

func (p person) change(of clientlib.AnyRecord) error {
	m, emptied := p.draw(of.Kind)
	switch {
	case m == nil:
		return nil
	case p.rand.IntN(4) == 0:
		return p.store.Update(p.w.ctx, of.ID, record.New(of.Kind), emptied)
	default:
		return p.store.Update(p.w.ctx, of.ID, m)
	}
}

// draw is an edit of a kind, and the name of a field to empty instead.
func (p person) draw(k record.Kind) (m record.Common, emptied string) {
	switch k {
	case kCase:
		switch p.rand.IntN(4) {
		case 0:
			return &recordv1.Case{Lead: p.worker()}, "lead"
		case 1:
			return &recordv1.Case{Workers: [][]byte{p.worker()}}, "workers"
		case 2:
			return &recordv1.Case{ClientCount: p.number(4), ClientTokens: [][]byte{p.token()}}, "client_tokens"
		default:
			return &recordv1.Case{OpenedOn: p.day(), Risk: recordv1.RiskDegree(p.rand.Int32N(3)).Enum()}, "opened_on"
		}
	case kIdentity:
		return &recordv1.CaseIdentity{Phone: p.text()}, "phone"
	case kConsent:
		return &recordv1.Consent{GivenOn: p.day()}, "given_on"
	case kSession:
		return &recordv1.CaseSession{Minutes: p.number(90), Attendees: p.number(4)}, "attendees"
	case kNote:
		return &recordv1.CaseNote{Plan: p.story()}, "plan"
	case kOutreach:
		return &recordv1.Outreach{Households: p.number(20), Needs: p.text()}, "needs"
	case kGroup:
		return &recordv1.Group{Leader: p.worker()}, "leader"
	case kMeeting:
		return &recordv1.GroupSession{Theme: p.text(), OccurredOn: p.day()}, "theme"
	case kMinutes:
		return &recordv1.GroupNote{Process: p.story()}, "process"
	case kActivity:
		return &recordv1.CommunityActivity{Status: recordv1.Status(1 + p.rand.Int32N(3)).Enum(), Summary: p.text()}, "summary"
	case kCount:
		return &recordv1.Headcount{FirstTime: p.number(40)}, "returning"
	case kParticipant:
		return &recordv1.Participant{Village: p.text()}, "village"
	case kAttendance:
		return &recordv1.Attendance{Token: p.token()}, "token"
	case kRisk:
		return &recordv1.RiskAlert{ReportedTo: p.text()}, "reported_to"
	case kReview:
		return &recordv1.Review{Outcome: recordv1.ReviewOutcome(1 + p.rand.Int32N(2)).Enum()}, "comment"
	case kLink:
		return &recordv1.ResourceLink{Quantity: p.number(90)}, "recipient_case"
	default:
		return nil, ""
	}
}

// join says that a record is another one, or takes that back.
func (p person) join() error {
	r, ok := p.any(kCase, kActivity, kOutreach, kCount, kSession)
	if !ok {
		return nil
	}
	m := record.New(r.Kind)
	if p.rand.IntN(3) == 0 {
		return p.store.Update(p.w.ctx, r.ID, m, "duplicate_of")
	}
	other, ok := p.any(r.Kind)
	if !ok || other.ID == r.ID {
		return nil
	}
	set(m, "duplicate_of", other.ID[:])
	return p.store.Update(p.w.ctx, r.ID, m)
}

// reown moves a record to another owner.
func (p person) reown() error {
	r, ok := p.any(kCount, kSession, kAttendance, kMeeting, kNote, kLink, kConsent, kReview)
	if !ok {
		return nil
	}
	owner, ok := p.any()
	for try := 0; ok && !record.MayOwn(owner.Kind, r.Kind) && try < 20; try++ {
		owner, ok = p.any()
	}
	if !ok || !record.MayOwn(owner.Kind, r.Kind) {
		return nil
	}
	m := record.New(r.Kind)
	m.ProtoReflect().Set(m.ProtoReflect().Descriptor().Fields().ByNumber(record.OwnerField(r.Kind)), protoreflect.ValueOfBytes(owner.ID[:]))
	return p.store.Update(p.w.ctx, r.ID, m)
}

// move gives a root to a team, or to everybody. Only a coordinator may; others try, and the server holds it.
func (p person) move() error {
	at := p.tablet
	if p.rand.IntN(4) > 0 {
		p.tablet = p.w.coordinator()
	}
	r, ok := p.any(kCase, kCase, kActivity, kGroup, kOutreach, kParticipant, kCount)
	if !ok {
		return nil
	}
	if p.role == recordv1.Role_ROLE_COORDINATOR {
		p.w.met(RootMoved)
	}
	m := record.New(r.Kind)
	var emptied []string
	if p.rand.IntN(5) == 0 {
		emptied = []string{"team"}
	} else {
		set(m, "team", p.team())
	}
	err := p.store.Update(p.w.ctx, r.ID, m, emptied...)
	if err != nil || p.tablet == at {
		return err // whoever acts on the tablet looks what it kept
	}
	return p.remember()
}

// coordinator is the tablet of the coordinator, who is in every world.
func (w *world) coordinator() *tablet {
	return w.tablets[slices.IndexFunc(w.tablets, func(t *tablet) bool { return t.role == recordv1.Role_ROLE_COORDINATOR })]
}

func set(m record.Common, field protoreflect.Name, value []byte) {
	m.ProtoReflect().Set(m.ProtoReflect().Descriptor().Fields().ByName(field), protoreflect.ValueOfBytes(value))
}

// shared is a record that several tablets show, and those; false when there is none.
func (w *world) shared(r *rand.Rand, kinds ...record.Kind) (clientlib.AnyRecord, []*tablet, bool) {
	for range 10 {
		first := oneOf(r, w.tablets...)
		of, ok := person{first, r}.any(kinds...)
		if !ok {
			continue
		}
		var all []*tablet
		for _, t := range w.tablets {
			if x, err := t.store.Record(w.ctx, of.ID); err == nil && !x.Deleted {
				all = append(all, t)
			}
		}
		if len(all) > 1 {
			return of, all, true
		}
	}
	return clientlib.AnyRecord{}, nil, false
}

// tie lets several people set the same fields of one record in the same millisecond, by clocks that are right.
func (w *world) tie(r *rand.Rand) error {
	of, all, ok := w.shared(r, kSession, kOutreach, kActivity, kCount, kLink, kCase)
	if !ok {
		return nil
	}
	for _, t := range all {
		status, err := t.store.Status(w.ctx)
		if err != nil {
			return err
		}
		off := t.off
		t.off = -status.ClockOffset.Milliseconds()
		m, _ := person{t, r}.draw(of.Kind)
		err = t.store.Update(w.ctx, of.ID, m)
		t.off = off
		if err := errors.Join(w.excuse(t, err), t.remember()); err != nil {
			return err
		}
	}
	w.met(Tie)
	return nil
}

// logTwice lets two people log the same activity, each on their own tablet, and one who sees both say so.
func (w *world) logTwice(r *rand.Rand) error {
	first := person{oneOf(r, w.tablets...), r}
	m := first.activity()
	from := len(w.ids)
	for _, p := range []person{first, {oneOf(r, w.tablets...), r}} {
		if err := w.excuse(p.tablet, p.logged(p.store.LogCommunityActivity(w.ctx, m))); err != nil {
			return err
		}
		if err := p.remember(); err != nil {
			return err
		}
	}
	if len(w.ids) == from+2 {
		w.met(LoggedTwice)
	}
	return nil
}

// editUnseen lets one delete a record while another, who does not know, edits it.
func (w *world) editUnseen(r *rand.Rand) error {
	of, all, ok := w.shared(r)
	if !ok {
		return nil
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	if err := w.excuse(all[0], all[0].store.Delete(w.ctx, of.ID)); err != nil {
		return err
	}
	if err := w.excuse(all[1], person{all[1], r}.change(of)); err != nil {
		return err
	}
	w.met(EditedUnseen)
	return errors.Join(all[0].remember(), all[1].remember())
}

// unknown are fields as a newer program has them: of its own numbers, above all that are known here.
func unknown(r *rand.Rand) []byte {
	var b []byte
	for _, field := range []protowire.Number{1000, 1001}[:1+r.IntN(2)] {
		b = protowire.AppendTag(b, field, protowire.BytesType)
		b = protowire.AppendString(b, oneOf(r, "new", "newer", "newest"))
	}
	return b
}
