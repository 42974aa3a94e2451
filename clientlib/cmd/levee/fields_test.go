package main

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/clientlib/internal/fakeserver"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// sample is what a person writes for a field, and what JSON shows of it.
type sample struct {
	written string
	shown   any
}

// samples are for fields whose value does not follow from their form alone.
var samples = map[protoreflect.Name]sample{
	"place":             {"410621108,2023,三组", map[string]any{"code": "410621108", "edition": 2023.0, "village": "三组"}},
	"guardian":          {"李甲,子,0392-0000002", map[string]any{"name": "李甲", "relation": "子", "phone": "0392-0000002"}},
	"emergency_contact": {"phone=0392-0000003，姓名=李乙", map[string]any{"name": "李乙", "phone": "0392-0000003"}},
	"source":            {`某某基金会\, 郑州,kind=基金会`, map[string]any{"organisation": "某某基金会, 郑州", "kind": "基金会"}},
	"Case.source":       {"outreach", "outreach"},
	"cells": {"女,18–59,首次=31,returning=4;male,80+,20", []any{
		map[string]any{"sex": "male", "age_band": "80+", "first_time": 20.0},
		map[string]any{"sex": "female", "age_band": "18-59", "first_time": 31.0, "returning": 4.0}}},
	"partners":     {"村委会,镇卫生院，县医院", []any{"村委会", "镇卫生院", "县医院"}},
	"occurred_on":  {"2021-10-13", "2021-10-13"},
	"service_area": {"环境整治", "16"},
}

// sampleOf is a value of a field; ids are those that a reference may name.
func sampleOf(t *testing.T, k record.Kind, f protoreflect.FieldDescriptor, ids map[record.Kind]string) sample {
	t.Helper()
	if s, ok := samples[f.Parent().Name()+"."+f.Name()]; ok {
		return s
	}
	if s, ok := samples[f.Name()]; ok {
		return s
	}
	one := func() sample {
		switch words.FormOf(f) {
		case words.Text:
			return sample{"一段文字, 第二句 = 完。", "一段文字, 第二句 = 完。"}
		case words.Number:
			return sample{"1", 1.0}
		case words.Date:
			return sample{"2021-10-12", "2021-10-12"}
		case words.Instant:
			return sample{"2021-10-13T08:30", "2021-10-13T08:30:00+08:00"}
		case words.YesOrNo:
			return sample{"是", true}
		case words.Choice:
			last := f.Enum().Values().Get(f.Enum().Values().Len() - 1)
			return sample{words.In("zh").Choice(last), words.ChoiceName(last)}
		case words.AgeBand:
			return sample{"60-79", "60-79"}
		case words.Code:
			return sample{"00112233445566778899aabbccddeeff", "00112233445566778899aabbccddeeff"}
		case words.Reference:
			id := ids[(&session{}).kindsMeant(k, f)[0]]
			return sample{id[len(id)-8:], id}
		}
		t.Fatalf("no sample for %s", f.FullName())
		return sample{}
	}()
	if f.IsList() {
		return sample{one.written, []any{one.shown}}
	}
	return one
}

// family logs one draft of each kind, in both languages' names, and returns the ids of all kinds.
func (tab *tablet) family() map[record.Kind]string {
	tab.t.Helper()
	ids := map[record.Kind]string{
		recordv1.Kind_KIND_SITE: fakeserver.Wangzhuang.String(), recordv1.Kind_KIND_TEAM: fakeserver.TeamA.String(), recordv1.Kind_KIND_WORKER: fakeserver.LiLei.String(),
	}
	for _, k := range tabletKinds {
		args := []string{kindName(k), "--draft"}
		if number := record.OwnerField(k); number != 0 {
			f := fieldNumbered(k, number)
			owner := ids[(&session{}).kindsMeant(k, f)[0]]
			if k == recordv1.Kind_KIND_HEADCOUNT {
				ids[k] = tab.object(0, "count", owner, "--draft")["id"].(string)
				continue
			}
			args = append(args, "--"+nameOf(f), owner)
		}
		ids[k] = tab.log(args...)
	}
	return ids
}

// Whatever a record can hold can be said on the command line when it is logged, and is shown again.
func TestEveryFieldOfEveryKindCanBeLogged(t *testing.T) {
	t.Parallel()
	tab, _ := enrolledTablet(t)
	ids := tab.family()
	for _, k := range tabletKinds {
		t.Run(kindName(k), func(t *testing.T) {
			tab.t = t
			args := []string{"log", kindName(k)}
			if k == recordv1.Kind_KIND_HEADCOUNT {
				args = []string{"count", ids[recordv1.Kind_KIND_COMMUNITY_ACTIVITY][28:]}
			}
			want := map[string]any{}
			for _, f := range words.Settable(k) {
				s := sampleOf(t, k, f, ids)
				switch {
				case k == recordv1.Kind_KIND_HEADCOUNT && f.Name() == "activity":
					s.shown = ids[recordv1.Kind_KIND_COMMUNITY_ACTIVITY]
				case k == recordv1.Kind_KIND_HEADCOUNT && slices.Contains([]string{"first", "returning", "unsure"}, nameOf(f)):
					continue // there are cells
				default:
					args = append(args, "--"+nameOf(f), s.written)
				}
				want[string(f.Name())] = s.shown
			}
			made := tab.object(0, args...)
			if missing := made["missing"].([]any); len(missing) > 0 {
				t.Errorf("lacks %v", missing)
			}
			shown := tab.object(0, "show", made["id"].(string))
			fields := shown["fields"].(map[string]any)
			for name, w := range want {
				if !reflect.DeepEqual(fields[name], w) {
					t.Errorf("%s: shown %v, want %v", name, fields[name], w)
				}
			}
			if len(fields) != len(want) {
				t.Errorf("%d fields shown, %d set", len(fields), len(want))
			}
			for _, lang := range []string{"en", "zh"} {
				tab.lang = lang
				text := tab.must("show", made["id"].(string))
				for _, f := range words.Settable(k) {
					if _, ok := want[string(f.Name())]; ok && !strings.Contains(text, words.In(lang).Field(f)) {
						t.Errorf("%s is not shown in %s:\n%s", f.Name(), lang, text)
					}
				}
			}
		})
	}
}

// And so it can when a record is changed, by the field's name or by its Chinese word; and each can be emptied.
func TestEveryFieldOfEveryKindCanBeUpdated(t *testing.T) {
	t.Parallel()
	tab, _ := enrolledTablet(t)
	ids := tab.family()
	for _, k := range tabletKinds {
		t.Run(kindName(k), func(t *testing.T) {
			tab.t = t
			args := []string{"update", ids[k]}
			var emptied []string
			want := map[string]any{}
			for i, f := range words.Settable(k) {
				if f.Name() == "duplicate_of" {
					continue // no record is its own duplicate
				}
				s := sampleOf(t, k, f, ids)
				name := []string{nameOf(f), string(f.Name()), words.In("zh").Field(f)}[i%3]
				args = append(args, name+"="+s.written)
				want[string(f.Name())] = s.shown
				owned := f.Number() == record.OwnerField(k) && k != recordv1.Kind_KIND_RESOURCE_LINK && k != recordv1.Kind_KIND_RISK_ALERT
				if !owned {
					emptied = append(emptied, "--clear", name)
				}
			}
			fields := tab.object(0, args...)["fields"].(map[string]any)
			for name, w := range want {
				if !reflect.DeepEqual(fields[name], w) {
					t.Errorf("%s: shown %v, want %v", name, fields[name], w)
				}
			}
			left := tab.object(0, append([]string{"update", ids[k]}, emptied...)...)["fields"].(map[string]any)
			if most := len(want) - len(emptied)/2; len(left) != most {
				t.Errorf("left after clearing all: %v", left)
			}
		})
	}
}

// Each choice has a name and a word in each language, and all of them are understood.
func TestEveryChoiceCanBeWritten(t *testing.T) {
	s := &session{Words: words.In("en")}
	seen := map[protoreflect.FullName]bool{}
	for _, k := range tabletKinds {
		for _, f := range words.Settable(k) {
			if words.FormOf(f) != words.Choice || seen[f.Enum().FullName()] {
				continue
			}
			seen[f.Enum().FullName()] = true
			for i := range f.Enum().Values().Len() {
				v := f.Enum().Values().Get(i)
				for _, written := range []string{
					words.ChoiceName(v), strings.ReplaceAll(words.ChoiceName(v), "_", "-"), strings.ToUpper(words.ChoiceName(v)), words.In("en").Choice(v), words.In("zh").Choice(v),
				} {
					got, err := s.choiceValue(f, written)
					if err != nil || got.Enum() != v.Number() {
						t.Errorf("%s: %q is %v, %v; want %d", f.Enum().Name(), written, got, err, v.Number())
					}
				}
			}
		}
	}
}

func TestSplit(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []string
	}{
		{"a", []string{"a"}},
		{"a,b，c", []string{"a", "b", "c"}},
		{`a\,b`, []string{"a,b"}},
		{`C:\dir,x\`, []string{`C:\dir`, `x\`}},
		{"", []string{""}},
		{",", []string{"", ""}},
	} {
		if got := split(tt.text, ",，"); !slices.Equal(got, tt.want) {
			t.Errorf("split(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestATextFromStandardInput(t *testing.T) {
	t.Parallel()
	tab, _ := enrolledTablet(t)
	ids := tab.family()
	tab.input = "她谈到洪水那天。\n\n第二段。\n"
	note := tab.object(0, "log", "case-note", "--session", ids[recordv1.Kind_KIND_CASE_SESSION], "--process", "-", "--plan=下周")
	fields := note["fields"].(map[string]any)
	if fields["process"] != "她谈到洪水那天。\n\n第二段。" || fields["plan"] != "下周" {
		t.Errorf("kept %v", fields)
	}
	refused := tab.object(2, "update", ids[recordv1.Kind_KIND_CASE_NOTE], "process=-", "plan=-")["error"].(map[string]any)
	if refused["code"] != "invalid_value" {
		t.Errorf("one input for two fields: %v", refused)
	}
}

// Ids may be shortened from either end, and what fits several is not guessed.
func TestShortIDs(t *testing.T) {
	t.Parallel()
	tab, s := enrolledTablet(t)
	id := tab.log("case", "--draft", "--case-no", "W-1")
	tab.log("case", "--draft", "--case-no", "W-2")
	for _, text := range []string{id, strings.ReplaceAll(id, "-", ""), strings.ToUpper(id[28:]), id[len(id)-4:], "W-1"} {
		if got := tab.object(0, "show", text)["id"]; got != id {
			t.Errorf("show %s: %v", text, got)
		}
	}
	common := tab.object(1, "show", id[:8])["error"].(map[string]any) // both were made in one minute
	if common["code"] != "ambiguous_id" || !strings.Contains(common["message"].(string), "W-2") {
		t.Errorf("an id that fits both: %v", common)
	}
	if short := tab.object(1, "show", id[len(id)-3:])["error"].(map[string]any); short["code"] != "record_missing" {
		t.Errorf("three digits: %v", short)
	}
	if gone := tab.object(1, "show", fakeserver.TestID(9, 9).String())["error"].(map[string]any); gone["code"] != "record_missing" {
		t.Errorf("an id that is not here: %v", gone)
	}

	// A name that was given again after a delete means the record that is there.
	tab.must("delete", "W-1")
	again := tab.log("case", "--draft", "--case-no", "W-1")
	if got := tab.object(0, "show", "W-1")["id"]; got != again {
		t.Errorf("show W-1 after it was made again: %v", got)
	}

	// A reference fits only records that the field may name.
	s.Set(fakeserver.TestID(4, 9), &recordv1.Worker{Name: new("W-2")})
	tab.must("sync")
	session := tab.object(0, "log", "case-session", "--draft", "--case", "W-2", "--co-workers", fmt.Sprintf("王芳,%s", fakeserver.TestID(4, 9)))
	if w := session["fields"].(map[string]any)["co_workers"].([]any); len(w) != 2 || w[0] != fakeserver.WangFang.String() {
		t.Errorf("co-workers %v", w)
	}
}
