package recordjson_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"levee/clientlib/recordjson"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/oracle"
	"levee/syncproto/record"
	"levee/syncproto/words"
	"levee/syncproto/words/wordstest"
)

// terms are of a deployment with an area of its own.
var terms = words.In("en").For(&recordv1.Deployment{
	TimeZone:     new("Asia/Shanghai"),
	ServiceAreas: []*recordv1.ServiceAreaName{{Number: recordv1.ServiceArea(16).Enum(), LabelZh: new("环境整治")}},
})

// tabletKinds are the kinds that tablets log.
func tabletKinds() []record.Kind {
	return slices.DeleteFunc(record.Kinds(), func(k record.Kind) bool {
		return record.SetUp(k) || k == recordv1.Kind_KIND_CONFLICT || k == recordv1.Kind_KIND_HELD_DECISION || k == recordv1.Kind_KIND_DISTINCTION
	})
}

func encoded(t rapid.TB, m proto.Message) []byte {
	b, err := json.Marshal(recordjson.Fields(terms, m.ProtoReflect()))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var values = oracle.Values{Text: rapid.String(), Reference: oracle.Bytes}

// Whatever a record of any kind holds can be written as JSON, and read again.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.SampledFrom(tabletKinds()).Draw(t, "kind")
		m := record.New(k)
		for _, f := range words.Settable(k) {
			values.Draw(t, m.ProtoReflect(), f)
		}
		text := encoded(t, m)
		got, emptied, err := recordjson.Decode(terms, k, text)
		if err != nil || len(emptied) > 0 || !proto.Equal(got, m) {
			t.Fatalf("%s\nis read as %v, empty %v, %v", text, got, emptied, err)
		}
	})
}

func TestDecode(t *testing.T) {
	m, emptied, err := recordjson.Decode(terms, recordv1.Kind_KIND_CASE_SESSION,
		[]byte(`{"minutes": 50, "occurred_on": "2021-10-13", "mode": "home_visit", "next_on": null, "co_workers": [], "place": {"code": "410621108", "village": null}, "service_area": "16"}`))
	want := &recordv1.CaseSession{
		Minutes: new(uint32(50)), OccurredOn: new(int32(20211013)), Mode: recordv1.SessionMode_SESSION_MODE_HOME_VISIT.Enum(),
		Place: &recordv1.Place{Code: new("410621108")}, ServiceArea: recordv1.ServiceArea(16).Enum(),
	}
	if err != nil || !proto.Equal(m, want) || !slices.Equal(emptied, []string{"next_on", "co_workers"}) {
		t.Errorf("%v, empty %q, %v", m, emptied, err)
	}
	if m, emptied, err := recordjson.Decode(terms, recordv1.Kind_KIND_CASE, []byte("{}")); err != nil || len(emptied) > 0 || !proto.Equal(m, &recordv1.Case{}) {
		t.Errorf("nothing: %v, %q, %v", m, emptied, err)
	}
}

// What does not fit is refused with a code and the field's name, and with a sentence in both languages.
func TestDecodeRefuses(t *testing.T) {
	for _, tt := range []struct {
		kind              record.Kind
		text, code, field string
	}{
		{recordv1.Kind_KIND_CASE, ``, "malformed", ""},
		{recordv1.Kind_KIND_CASE, `[]`, "malformed", ""},
		{recordv1.Kind_KIND_CASE, `null`, "malformed", ""},
		{recordv1.Kind_KIND_CASE, `{"case_no": "1"`, "malformed", ""},
		{recordv1.Kind_KIND_CASE, `{} {}`, "malformed", ""},
		{recordv1.Kind_KIND_CASE, `{"case_no": "1", "case_no": "2"}`, "malformed", ""},
		{recordv1.Kind_KIND_CASE, "{\"case_no\": \"\xff\"}", "invalid_utf8", ""},
		{recordv1.Kind_KIND_UNKNOWN, `{}`, "unknown_kind", ""},
		{recordv1.Kind_KIND_CASE, `{"Case_No": "1"}`, "unknown_field", "Case_No"},
		{recordv1.Kind_KIND_CASE, `{"deleted": true}`, "unknown_field", "deleted"},
		{recordv1.Kind_KIND_REVIEW, `{"reviewed": []}`, "unknown_field", "reviewed"},
		{recordv1.Kind_KIND_CASE, `{"place": {"town": "王庄"}}`, "unknown_field", "place.town"},
		{recordv1.Kind_KIND_CASE, `{"case_no": 1}`, "wrong_type", "case_no"},
		{recordv1.Kind_KIND_CASE, `{"place": "410621108"}`, "wrong_type", "place"},
		{recordv1.Kind_KIND_CASE, `{"place": {"code": 410621108}}`, "wrong_type", "place.code"},
		{recordv1.Kind_KIND_CASE, `{"categories": "orphan"}`, "wrong_type", "categories"},
		{recordv1.Kind_KIND_CASE, `{"workers": [null]}`, "wrong_type", "workers"},
		{recordv1.Kind_KIND_CASE_SESSION, `{"minutes": "50"}`, "wrong_type", "minutes"},
		{recordv1.Kind_KIND_CASE_SESSION, `{"minutes": 50.5}`, "wrong_type", "minutes"},
		{recordv1.Kind_KIND_CASE_SESSION, `{"minutes": -1}`, "number_out_of_range", "minutes"},
		{recordv1.Kind_KIND_CASE_SESSION, `{"minutes": 4294967296}`, "number_out_of_range", "minutes"},
		{recordv1.Kind_KIND_CASE_SESSION, `{"minutes": 99999999999999999999}`, "number_out_of_range", "minutes"},
		{recordv1.Kind_KIND_CASE_SESSION, `{"place": {"edition": 2147483648}}`, "number_out_of_range", "place.edition"},
		{recordv1.Kind_KIND_CASE_SESSION, `{"occurred_on": "2021-02-29"}`, "invalid_date", "occurred_on"},
		{recordv1.Kind_KIND_CASE_SESSION, `{"occurred_on": 20211013}`, "wrong_type", "occurred_on"},
		{recordv1.Kind_KIND_RISK_ALERT, `{"seen_at": "2021-10-13 08:30"}`, "invalid_time", "seen_at"},
		{recordv1.Kind_KIND_RISK_ALERT, `{"seen_at": "1890-10-13T08:30:00Z"}`, "time_out_of_range", "seen_at"},
		{recordv1.Kind_KIND_COMMUNITY_ACTIVITY, `{"register_used": "yes"}`, "wrong_type", "register_used"},
		{recordv1.Kind_KIND_CASE_SESSION, `{"mode": "by_pigeon"}`, "unknown_choice", "mode"},
		{recordv1.Kind_KIND_CASE_SESSION, `{"mode": "2"}`, "unknown_choice", "mode"},
		{recordv1.Kind_KIND_CASE_SESSION, `{"mode": "077"}`, "unknown_choice", "mode"},
		{recordv1.Kind_KIND_CASE_SESSION, `{"mode": 2}`, "wrong_type", "mode"},
		{recordv1.Kind_KIND_CASE, `{"age_band": "18-60"}`, "unknown_age_band", "age_band"},
		{recordv1.Kind_KIND_CASE, `{"age_band": 1}`, "unknown_age_band", "age_band"},
		{recordv1.Kind_KIND_CASE, `{"age_band": true}`, "wrong_type", "age_band"},
		{recordv1.Kind_KIND_CASE_SESSION, `{"case": "0123"}`, "invalid_id", "case"},
		{recordv1.Kind_KIND_CASE_SESSION, `{"case": "{04000000-0000-7000-8000-000004000001}"}`, "invalid_id", "case"},
		{recordv1.Kind_KIND_PARTICIPANT, `{"token": "0011"}`, "invalid_token", "token"},
		{recordv1.Kind_KIND_HEADCOUNT, `{"cells": [{"first_time": 1}, {"first_time": -1}]}`, "number_out_of_range", "cells.first_time"},
	} {
		_, _, err := recordjson.Decode(terms, tt.kind, []byte(tt.text))
		var refused *recordjson.Error
		if !errors.As(err, &refused) || refused.Code != tt.code || refused.Field != tt.field {
			t.Errorf("%s: %v, want %s of %q", tt.text, err, tt.code, tt.field)
			continue
		}
		for _, lang := range []string{"en", "zh"} {
			if text := refused.Message(words.In(lang)); text == "" || strings.HasSuffix(text, ": ") || strings.HasSuffix(text, "：") {
				t.Errorf("%s in %s: %q", tt.code, lang, text)
			}
		}
	}
	_, _, err := recordjson.Decode(terms, recordv1.Kind_KIND_CASE_SESSION, []byte(`{"minutes": -1}`))
	var refused *recordjson.Error
	if errors.As(err, &refused); !strings.HasPrefix(refused.Message(words.In("zh")), "时长（分钟）（minutes）：") {
		t.Errorf("%q does not name the field", refused.Message(words.In("zh")))
	}
}

func TestEveryMessageIsInBothLanguages(t *testing.T) { wordstest.CheckMessages(t, 5) }

// Hostile bytes are refused, or are a record that is written and read again as the same.
func FuzzDecode(f *testing.F) {
	f.Add(uint32(recordv1.Kind_KIND_CASE_SESSION), []byte(`{"minutes": 50, "occurred_on": "2021-10-13", "place": {"code": "410621108"}, "co_workers": null}`))
	f.Add(uint32(recordv1.Kind_KIND_HEADCOUNT), []byte(`{"cells": [{"sex": "female", "age_band": "18-59", "first_time": 31}], "zone": "\u4e1c"}`))
	f.Add(uint32(recordv1.Kind_KIND_RISK_ALERT), []byte(`{"seen_at": "2021-10-13T08:30:00+08:00", "level": "77", "case": "04000000-0000-7000-8000-000004000001"}`))
	f.Fuzz(func(t *testing.T, k uint32, text []byte) {
		m, _, err := recordjson.Decode(terms, record.Kind(k), text)
		if err != nil {
			return
		}
		again, emptied, err := recordjson.Decode(terms, record.Kind(k), encoded(t, m))
		if err != nil || len(emptied) > 0 || !proto.Equal(again, m) {
			t.Fatalf("%v is read again as %v, empty %q, %v", m, again, emptied, err)
		}
	})
}
