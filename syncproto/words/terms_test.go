package words

import (
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	recordv1 "levee/syncproto/levee/record/v1"
)

// ours is a deployment with words of its own.
var ours = &recordv1.Deployment{
	TimeZone: new("Asia/Shanghai"), AgeBands: []uint32{17, 59},
	ServiceAreas: []*recordv1.ServiceAreaName{
		{Number: recordv1.ServiceArea(16).Enum(), LabelZh: new("环境整治")},
		{Number: recordv1.ServiceArea_SERVICE_AREA_OTHER.Enum(), LabelZh: new("其他服务"), LabelEn: new("other services")},
	},
	Labels: []*recordv1.Label{{Key: new("outreach"), LabelZh: new("家访")}},
}

func TestTermsOfADeployment(t *testing.T) {
	zh, en := In("zh").For(ours), In("en").For(ours)
	areas := recordv1.ServiceArea(0).Descriptor()
	for _, tt := range []struct{ what, got, want string }{
		{"a kind with a word of its own", zh.KindLabel(recordv1.Kind_KIND_OUTREACH), "家访"},
		{"one without", zh.KindLabel(recordv1.Kind_KIND_CASE), "个案"},
		{"one with a word in the other language alone", en.KindLabel(recordv1.Kind_KIND_OUTREACH), "outreach"},
		{"a kind of a newer version", en.KindLabel(999), "record of a newer version"},
		{"an area of its own", zh.OptionOf(areas, 16).Label, "环境整治"},
		{"its stable name", zh.OptionOf(areas, 16).Name, "16"},
		{"it has no English word", en.OptionOf(areas, 16).Label, "环境整治"},
		{"a known area that it calls otherwise", en.OptionOf(areas, recordv1.ServiceArea_SERVICE_AREA_OTHER.Number()).Label, "other services"},
		{"whose name stays", en.OptionOf(areas, recordv1.ServiceArea_SERVICE_AREA_OTHER.Number()).Name, "other"},
		{"an area that nobody named", en.OptionOf(areas, 77).Label, "77"},
		{"an age band", en.AgeBand(2), "18–59"},
		{"the last one", en.AgeBand(3), "60+"},
		{"an unknown age", zh.AgeBand(0), "年龄不详"},
		{"a band that it has not", en.AgeBand(4), "4"},
		{"its zone", zh.Zone().String(), "Asia/Shanghai"},
		{"the zone of one that says none", In("en").For(&recordv1.Deployment{}).Zone().String(), "UTC"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %q, want %q", tt.what, tt.got, tt.want)
		}
	}
	if got, want := zh.AgeBands(), []string{"unknown", "0-17", "18-59", "60+"}; !slices.Equal(got, want) {
		t.Errorf("age bands %q, want %q", got, want)
	}
	if n := areas.Values().Len() + 1; len(zh.Options(areas)) != n || zh.Options(areas)[0].Name != "unknown" {
		t.Errorf("%d areas, want %d, unknown first: %v", len(zh.Options(areas)), n, zh.Options(areas))
	}
}

// Each form of a value reads as people of either language write it.
func TestValuesAsPeopleReadThem(t *testing.T) {
	at := time.Date(2021, 10, 13, 0, 30, 0, 0, time.UTC).UnixMilli()
	named := func(id []byte) string { return "<" + string(id) + ">" }
	for _, tt := range []struct {
		m      proto.Message
		field  protoreflect.Name
		en, zh string
	}{
		{&recordv1.CaseSession{Minutes: new(uint32(1500))}, "minutes", "1,500", "1,500"},
		{&recordv1.Place{Edition: new(int32(2023))}, "edition", "2023", "2023"},
		{&recordv1.CaseSession{OccurredOn: new(int32(20211013))}, "occurred_on", "13 Oct 2021", "2021年10月13日"},
		{&recordv1.RiskAlert{SeenAt: &at}, "seen_at", "13 Oct 2021 08:30", "2021年10月13日 08:30"},
		{&recordv1.CommunityActivity{RegisterUsed: new(true)}, "register_used", "yes", "是"},
		{&recordv1.CommunityActivity{RegisterUsed: new(false)}, "register_used", "no", "否"},
		{&recordv1.Outreach{Mode: recordv1.OutreachMode_OUTREACH_MODE_HOME.Enum()}, "mode", "home", "入户探访"},
		{&recordv1.Case{AgeBand: new(uint32(3))}, "age_band", "60+", "60+"},
		{&recordv1.CaseSession{Case: []byte("c")}, "case", "<c>", "<c>"},
		{&recordv1.CaseSession{CoWorkers: [][]byte{[]byte("a"), []byte("b")}}, "co_workers", "<a>, <b>", "<a>、<b>"},
		{&recordv1.Participant{Token: []byte{1, 0xab}}, "token", "01ab", "01ab"},
		{&recordv1.CaseNote{Process: new("她说")}, "process", "她说", "她说"},
		{&recordv1.Headcount{Cells: []*recordv1.HeadcountCell{
			{Sex: recordv1.Sex_SEX_FEMALE.Enum(), AgeBand: new(uint32(1)), FirstTime: new(uint32(3))}, {Returning: new(uint32(2))},
		}}, "cells", "sex: female, age band: 0–17, first-time: 3; returning: 2", "性别：女、年龄段：0–17、首次：3；再次：2"},
	} {
		m := tt.m.ProtoReflect()
		f := m.Descriptor().Fields().ByName(tt.field)
		if got := In("en").For(ours).Value(f, m.Get(f), named); got != tt.en {
			t.Errorf("%s: %q, want %q", f.FullName(), got, tt.en)
		}
		if got := In("zh").For(ours).Value(f, m.Get(f), named); got != tt.zh {
			t.Errorf("%s: %q, want %q", f.FullName(), got, tt.zh)
		}
	}
}
