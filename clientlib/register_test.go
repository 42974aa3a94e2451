package clientlib_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	"levee/clientlib/inspect"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

var testLinkageKey = []byte("a linkage key that is of 32 byte")

func byPhone(phone string) clientlib.Person {
	return clientlib.Person{Basis: recordv1.TokenBasis_TOKEN_BASIS_PHONE, Phone: phone}
}

// keyed is a server whose deployment has a linkage key, and an activity.
func keyed(t testing.TB) (s *fakeServer, festival hlc.ID) {
	s = newServer(t)
	s.set(s.deployment, &recordv1.Deployment{LinkageKey: testLinkageKey})
	festival = testID(14, 1)
	m := activity("中秋联欢")
	m.Team, m.Author, m.OccurredOn, m.Status = teamA[:], liWei[:], proto.Int32(20210923), recordv1.Status_STATUS_HELD.Enum()
	s.set(festival, m)
	return s, festival
}

func (tab *tablet) register(activity hlc.ID, p clientlib.Person) clientlib.Registration {
	tab.t.Helper()
	r, err := tab.Register(tab.t.Context(), activity, p)
	tab.must(err)
	return r
}

// Two tablets without a network register the same woman, who is one person in the totals.
func TestTwoTabletsMakeOneToken(t *testing.T) {
	s, festival := keyed(t)
	li, zhang := enrolled(t, s, "li-wei"), enrolled(t, s, "zhang-min")
	li.sync()
	zhang.sync()
	first := li.register(festival, clientlib.Person{Basis: recordv1.TokenBasis_TOKEN_BASIS_PHONE, Phone: "13800138000", Village: "王庄村", Sex: recordv1.Sex_SEX_FEMALE, AgeBand: 5,
		Disability: recordv1.Disability_DISABILITY_NO})
	second := zhang.register(festival, byPhone("+86 138-0013-8000"))
	if first.Known || first.Again || second.Known || second.Again {
		t.Errorf("before they sync: %+v, %+v", first, second)
	}
	participant, attendance := li.record(first.Participant).Message.(*recordv1.Participant), li.record(first.Attendance).Message.(*recordv1.Attendance)
	if participant.GetBasis() != recordv1.TokenBasis_TOKEN_BASIS_PHONE || participant.GetVillage() != "王庄村" || participant.GetSex() != recordv1.Sex_SEX_FEMALE || participant.GetAgeBand() != 5 ||
		hlc.ID(attendance.GetActivity()) != festival || hlc.ID(attendance.GetParticipant()) != first.Participant || attendance.GetSex() != recordv1.Sex_SEX_FEMALE ||
		attendance.GetAgeBand() != 5 || attendance.GetDisability() != recordv1.Disability_DISABILITY_NO || attendance.GetServiceArea() == 0 {
		t.Errorf("logged: %v, %v", participant, attendance)
	}
	hers := zhang.record(second.Attendance).Message.(*recordv1.Attendance)
	if !bytes.Equal(hers.GetToken(), attendance.GetToken()) || !bytes.Equal(attendance.GetToken(), participant.GetToken()) || hers.Sex != nil {
		t.Errorf("tokens %x, %x, %x", participant.GetToken(), attendance.GetToken(), hers.GetToken())
	}
	li.sync()
	zhang.sync()
	li.sync()
	totals, err := li.Totals(t.Context(), 0)
	li.must(err)
	value := func(f tally.Figure) int64 {
		return totals.Value(tally.Cell{Basis: tally.Reported, Figure: f, Cut: tally.Everything()})
	}
	if value(tally.Persons) != 1 || value(tally.Contacts) != 2 {
		t.Errorf("%d persons, %d contacts", value(tally.Persons), value(tally.Contacts))
	}
	for name, tab := range map[string]*tablet{"li": li, "zhang": zhang} {
		if r := tab.register(festival, byPhone("0086 13800138000")); !r.Known || !r.Again || r.Participant == (hlc.ID{}) || r.Attendance == (hlc.ID{}) || tab.status().Unsent != 0 {
			t.Errorf("%s, once more: %+v", name, r)
		}
	}
}

func TestRegisteringAgain(t *testing.T) {
	s, festival := keyed(t)
	tab := enrolled(t, s, "li-wei")
	tab.sync()
	ctx := t.Context()
	dance, err := tab.LogCommunityActivity(ctx, activity("广场舞"))
	tab.must(err)
	first := tab.register(festival, clientlib.Person{Basis: recordv1.TokenBasis_TOKEN_BASIS_PHONE, Phone: "13800138000", Sex: recordv1.Sex_SEX_MALE})
	other := tab.register(dance, byPhone("13800138000"))
	if !other.Known || other.Again || other.Participant != first.Participant || tab.record(other.Attendance).Message.(*recordv1.Attendance).GetSex() != recordv1.Sex_SEX_MALE {
		t.Errorf("at another activity: %+v", other)
	}
	tab.reopen()
	if r := tab.register(festival, byPhone("13800138000")); r != (clientlib.Registration{Participant: first.Participant, Attendance: first.Attendance, Known: true, Again: true}) {
		t.Errorf("once more: %+v", r)
	}
	tab.must(tab.Delete(ctx, first.Attendance))
	back := tab.register(festival, byPhone("13800138000"))
	if back.Again || !back.Known || back.Attendance == first.Attendance || back.Participant != first.Participant {
		t.Errorf("after the attendance was deleted: %+v", back)
	}
	tab.must(tab.Restore(ctx, first.Attendance))
	tab.must(tab.Delete(ctx, first.Participant))
	if r := tab.register(festival, byPhone("13800138000")); !r.Again || r.Attendance != first.Attendance || r.Participant != first.Participant {
		t.Errorf("after the participant was deleted, where they are registered: %+v", r)
	}
	tab.must(tab.Delete(ctx, other.Attendance))
	if r := tab.register(dance, byPhone("13800138000")); r.Known || r.Participant == first.Participant {
		t.Errorf("after the participant was deleted, where they are not: %+v", r)
	}
	// The client of a case is known by the same token.
	token, err := tab.ClientToken(ctx, byPhone("13800138000"))
	tab.must(err)
	if !bytes.Equal(token, tab.record(first.Participant).Message.(*recordv1.Participant).GetToken()) {
		t.Errorf("as a client: %x", token)
	}
}

// A token that the server replaced is found as it is now, and no more as it was.
func TestAReplacedTokenIsFound(t *testing.T) {
	s, festival := keyed(t)
	tab := enrolled(t, s, "li-wei")
	tab.sync()
	mine, err := tab.ClientToken(t.Context(), byPhone("13900139000"))
	tab.must(err)
	first := tab.register(festival, byPhone("13800138000"))
	tab.sync()
	s.set(first.Participant, &recordv1.Participant{Token: mine})
	tab.sync()
	dance, err := tab.LogCommunityActivity(t.Context(), activity("广场舞"))
	tab.must(err)
	if r := tab.register(dance, byPhone("13800138000")); r.Known {
		t.Errorf("as it was: %+v", r)
	}
	if r := tab.register(dance, byPhone("13900139000")); !r.Known || r.Participant != first.Participant {
		t.Errorf("as it is now: %+v", r)
	}
}

func TestWhoCannotBeRegistered(t *testing.T) {
	s, festival := keyed(t)
	tab := enrolled(t, s, "li-wei")
	tab.sync()
	ctx := t.Context()
	gone, err := tab.LogCommunityActivity(ctx, activity("取消"))
	tab.must(err)
	tab.must(tab.Delete(ctx, gone))
	before := tab.status().Unsent
	name := func(name string, month int32, village string) clientlib.Person {
		return clientlib.Person{Basis: recordv1.TokenBasis_TOKEN_BASIS_NAME_BIRTH_MONTH_VILLAGE, Name: name, BirthMonth: month, Village: village}
	}
	for _, c := range []struct {
		activity hlc.ID
		p        clientlib.Person
		code     string
	}{
		{festival, clientlib.Person{Phone: "13800138000"}, clientlib.CodePersonInvalid},
		{festival, byPhone("1380013800"), clientlib.CodePhoneInvalid},
		{festival, name("", 195803, "王庄"), clientlib.CodeNameInvalid},
		{festival, name("王秀英", 195813, "王庄"), clientlib.CodeBirthMonthInvalid},
		{festival, name("王秀英", 202111, "王庄"), clientlib.CodeBirthMonthInvalid},
		{festival, name("王秀英", 195803, ""), clientlib.CodeVillageInvalid},
		{festival, clientlib.Person{Basis: recordv1.TokenBasis_TOKEN_BASIS_ID_NUMBER, IDNumber: "110105194912310021"}, clientlib.CodeIDNumberInvalid},
		{hlc.ID{9}, byPhone("13800138000"), clientlib.CodeOwnerMissing},
		{gone, byPhone("13800138000"), clientlib.CodeOwnerDeleted},
		{festival, clientlib.Person{Basis: recordv1.TokenBasis_TOKEN_BASIS_PHONE, Phone: "13800138000", AgeBand: 99}, string(record.CodeUnknownAgeBand)},
	} {
		if r, err := tab.Register(ctx, c.activity, c.p); clientlib.Code(err) != c.code || r != (clientlib.Registration{}) {
			t.Errorf("%+v: %+v, %v, want %s", c.p, r, err, c.code)
		}
	}
	if tab.status().Unsent != before {
		t.Error("something of it was logged")
	}
	tab.register(festival, name("王秀英", 202110, "王庄")) // by a clock that is behind it may be next month

	// A server that is older than the program has no key.
	without := newServer(t)
	tab = enrolled(t, without, "li-wei")
	tab.sync()
	if _, err := tab.ClientToken(ctx, byPhone("13800138000")); clientlib.Code(err) != clientlib.CodeLinkageKeyMissing {
		t.Errorf("without a key: %v", err)
	}
}

// What was typed to register somebody is in no record, no change and no file.
func TestWhatWasTypedIsKeptNowhere(t *testing.T) {
	s, festival := keyed(t)
	tab := enrolled(t, s, "li-wei")
	tab.sync()
	const phone, name, number, month = "13877778888", "欧阳绝密", "11010519491231002X", "194912"
	for _, basis := range []recordv1.TokenBasis{1, 2, 3} {
		tab.register(festival, clientlib.Person{Basis: basis, Phone: phone, Name: name, IDNumber: number, BirthMonth: 194912, Village: "王庄"})
	}
	tab.sync()
	inside := tab.inside()
	var content bytes.Buffer
	for _, r := range inside.Records {
		fmt.Fprintf(&content, "%s%s%s", r.Base, r.View, r.Proven)
	}
	for _, c := range inside.Changes {
		content.Write(c.Body)
	}
	birthMonth := protowire.AppendVarint(nil, 194912)
	for _, typed := range []string{phone, name, number, month, string(birthMonth)} {
		if foundIn(content.Bytes(), typed) {
			t.Errorf("%q is kept", typed)
		}
	}
	if !foundIn(content.Bytes(), "王庄") {
		t.Error("the village is not found: this shows nothing")
	}
}

// The deployment's linkage key leaves the library in no record, conflict or held change.
func TestTheLinkageKeyStaysInside(t *testing.T) {
	s, _ := keyed(t)
	conflict := testID(25, 1)
	value, err := proto.Marshal(&recordv1.Deployment{LinkageKey: testLinkageKey})
	if err != nil {
		t.Fatal(err)
	}
	s.set(conflict, &recordv1.Conflict{Target: s.deployment[:], TargetKind: recordv1.Kind_KIND_DEPLOYMENT.Enum(), Field: proto.Uint32(uint32(record.LinkageKeyField)),
		Sides: []*recordv1.ConflictSide{{Value: value, Time: proto.Uint64(1), Replica: proto.Uint64(1)}}})
	tab := enrolled(t, s, "li-wei")
	tab.sync()
	if !slices.ContainsFunc(tab.inside().Records, func(r inspect.Record) bool { return bytes.Contains(r.View, testLinkageKey) }) {
		t.Fatal("the tablet has no key: this shows nothing")
	}
	ctx := t.Context()
	page, err := tab.List(ctx, clientlib.Query{Kinds: record.Kinds()})
	tab.must(err)
	deployment, err := tab.Deployment(ctx)
	tab.must(err)
	conflicts, err := tab.Conflicts(ctx)
	tab.must(err)
	if len(conflicts) != 1 || len(conflicts[0].Sides) != 1 {
		t.Fatalf("conflicts: %+v", conflicts)
	}
	messages := []record.Common{deployment.Message, tab.record(s.deployment).Message, tab.record(conflict).Message, conflicts[0].Message, conflicts[0].Sides[0].Message}
	for _, r := range page.Records {
		messages = append(messages, r.Message)
	}
	for _, m := range messages {
		text, err := protojson.Marshal(m)
		tab.must(err)
		if foundIn(text, string(testLinkageKey)) {
			t.Errorf("%s", text)
		}
	}
	if text, err := json.Marshal(page); err != nil || foundIn(text, string(testLinkageKey)) {
		t.Errorf("%v: %s", err, text)
	}
}

func BenchmarkRegister(b *testing.B) {
	s, festival := keyed(b)
	tab := enrolled(b, s, "li-wei")
	tab.sync()
	for i := 0; b.Loop(); i++ {
		tab.register(festival, byPhone(fmt.Sprintf("138%08d", i)))
	}
}
