package record_test

import (
	"bytes"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"pgregory.net/rapid"

	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

func TestSimilar(t *testing.T) {
	noon := time.Date(2021, 9, 23, 4, 0, 0, 0, time.UTC)
	id := func(n byte) []byte { return append(make([]byte, 15), n) }
	talk := func(change func(*recordv1.CommunityActivity)) record.Common {
		m := &recordv1.CommunityActivity{
			Team: id(1), Author: id(2), OccurredOn: proto.Int32(20210923), Name: proto.String("心理讲座"),
			Place: &recordv1.Place{Code: proto.String("410621108"), Village: proto.String("王庄村")},
		}
		if change != nil {
			change(m)
		}
		return m
	}
	by := func(author byte, name string) record.Common {
		return talk(func(m *recordv1.CommunityActivity) { m.Author, m.Name = id(author), &name })
	}
	round := func(author byte, households uint32) *recordv1.Outreach {
		return &recordv1.Outreach{Author: id(author), OccurredOn: proto.Int32(20210923), Mode: recordv1.OutreachMode_OUTREACH_MODE_HOME.Enum(), Households: &households}
	}
	meeting := func(author byte, group byte, number uint32) *recordv1.GroupSession {
		return &recordv1.GroupSession{Author: id(author), OccurredOn: proto.Int32(20210923), Group: id(group), Number: &number}
	}
	session := func(of byte, day int32) *recordv1.CaseSession {
		return &recordv1.CaseSession{Author: id(of), Case: id(of), OccurredOn: &day}
	}
	heads := func(activity, counter byte, zone string) *recordv1.Headcount {
		return &recordv1.Headcount{Activity: id(activity), Counter: id(counter), Zone: &zone}
	}
	link := func(need string, day int32, site byte) *recordv1.ResourceLink {
		return &recordv1.ResourceLink{Need: &need, OccurredOn: &day, Site: id(site)}
	}
	for _, c := range []struct {
		name  string
		a, b  record.Common
		apart time.Duration
		want  bool
	}{
		{"two colleagues at one activity", by(2, "讲座"), by(3, "心理健康讲座"), time.Hour, true},
		{"hours apart", by(2, "讲座"), by(3, "讲座"), 4*time.Hour + time.Millisecond, false},
		{"hours apart, from paper", by(2, "讲座"), talk(func(m *recordv1.CommunityActivity) {
			m.Author, m.Entry = id(3), recordv1.Entry_ENTRY_BACKFILLED.Enum()
		}), 90 * time.Hour, true},
		{"another team", talk(nil), talk(func(m *recordv1.CommunityActivity) { m.Author, m.Team = id(3), id(9) }), 0, false},
		{"another day", talk(nil), talk(func(m *recordv1.CommunityActivity) { m.Author, m.OccurredOn = id(3), proto.Int32(20210924) }), 0, false},
		{"another township", talk(nil), talk(func(m *recordv1.CommunityActivity) { m.Author, m.Place.Code = id(3), proto.String("410621109") }), 0, false},
		{"another village", talk(nil), talk(func(m *recordv1.CommunityActivity) { m.Author, m.Place.Village = id(3), proto.String("李庄村") }), 0, false},
		{"village left out", talk(nil), talk(func(m *recordv1.CommunityActivity) { m.Author, m.Place.Village = id(3), nil }), 0, true},
		{"no place at all", talk(func(m *recordv1.CommunityActivity) { m.Place = nil }), talk(func(m *recordv1.CommunityActivity) { m.Author, m.Place = id(3), nil }), 0, true},
		{"cancelled", talk(nil), talk(func(m *recordv1.CommunityActivity) {
			m.Author, m.Status = id(3), recordv1.Status_STATUS_CANCELLED.Enum()
		}), 0, false},
		{"planned", talk(nil), talk(func(m *recordv1.CommunityActivity) { m.Author, m.Status = id(3), recordv1.Status_STATUS_PLANNED.Enum() }), 0, true},
		{"deleted", talk(nil), talk(func(m *recordv1.CommunityActivity) { m.Author, m.Deleted = id(3), proto.Bool(true) }), 0, false},
		{"marked", talk(nil), talk(func(m *recordv1.CommunityActivity) { m.Author, m.DuplicateOf = id(3), id(7) }), 0, false},
		{"one author, one name", by(2, "讲座 一"), by(2, " 讲座  一"), time.Hour, true},
		{"one author, two names", by(2, "讲座"), by(2, "义诊"), time.Minute, false},
		{"one author, no names", by(2, ""), by(2, " "), time.Minute, false},
		{"two rounds of one author", round(2, 12), round(2, 13), time.Minute, false},
		{"one round twice", round(2, 12), round(2, 12), time.Minute, true},
		{"rounds of two authors", round(2, 12), round(3, 5), time.Minute, true},
		{"two meetings of one author", meeting(2, 4, 1), meeting(2, 4, 2), 0, false},
		{"one meeting twice", meeting(2, 4, 1), meeting(2, 4, 1), 0, true},
		{"sessions of one case", session(4, 20210923), session(4, 20210923), 9 * time.Hour, true},
		{"sessions on two days", session(4, 20210923), session(4, 20210924), 0, false},
		{"sessions of two cases", session(4, 20210923), session(5, 20210923), 0, false},
		{"sessions of no case", &recordv1.CaseSession{}, &recordv1.CaseSession{}, 0, false},
		{"one case number", &recordv1.Case{CaseNo: proto.String("wz-001")}, &recordv1.Case{CaseNo: proto.String(" WZ-001")}, 999 * time.Hour, true},
		{"two case numbers", &recordv1.Case{CaseNo: proto.String("WZ-001")}, &recordv1.Case{CaseNo: proto.String("WZ-002")}, 0, false},
		{"no case numbers", &recordv1.Case{}, &recordv1.Case{}, 0, false},
		{"one zone", heads(4, 2, "东区"), heads(4, 2, "东区"), 0, true},
		{"two zones", heads(4, 2, "东区"), heads(4, 2, "西区"), 0, false},
		{"two counters", heads(4, 2, "东区"), heads(4, 3, "东区"), 0, false},
		{"two activities", heads(4, 2, "东区"), heads(5, 2, "东区"), 0, false},
		{"one need", link("棉被", 20210923, 1), link("棉被", 20210923, 1), 0, true},
		{"two needs", link("棉被", 20210923, 1), link("药", 20210923, 1), 0, false},
		{"one need at two sites", link("棉被", 20210923, 1), link("棉被", 20210923, 2), 0, false},
		{"one need on two days", link("棉被", 20210923, 1), link("棉被", 20210924, 1), 0, false},
		{"alerts", &recordv1.RiskAlert{Subject: id(4)}, &recordv1.RiskAlert{Subject: id(4)}, 0, false},
		{"identities", &recordv1.CaseIdentity{Case: id(4)}, &recordv1.CaseIdentity{Case: id(4)}, 0, false},
	} {
		k := record.KindOf(c.a)
		if got := record.Similar(k, c.a, c.b, noon, noon.Add(c.apart)); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
		if got := record.Similar(k, c.b, c.a, noon.Add(c.apart), noon); got != c.want {
			t.Errorf("%s, the other way round: %v", c.name, got)
		}
		if likeness := record.Likeness(k, c.a); likeness != nil && bytes.Equal(likeness, record.Likeness(k, c.b)) &&
			record.Unlike(record.Traits(k, c.a), record.Traits(k, c.b), noon, noon.Add(c.apart)) == c.want {
			t.Errorf("%s: told apart is %v", c.name, c.want)
		}
	}
}

// Which of two is asked about first makes no difference, and nothing makes it fail.
func TestSimilarIsSymmetric(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.SampledFrom(record.Kinds()).Draw(t, "kind")
		a, b := drawSimilar(t, k), drawSimilar(t, k)
		madeA, madeB := time.Unix(int64(rapid.IntRange(0, 20_000).Draw(t, "a")), 0), time.Unix(int64(rapid.IntRange(0, 20_000).Draw(t, "b")), 0)
		if record.Similar(k, a, b, madeA, madeB) != record.Similar(k, b, a, madeB, madeA) {
			t.Fatalf("%v and %v", a, b)
		}
	})
}

// drawSimilar draws records of which many are alike.
func drawSimilar(t *rapid.T, k record.Kind) record.Common {
	m := record.New(k)
	r := m.ProtoReflect()
	for i := range r.Descriptor().Fields().Len() {
		f := r.Descriptor().Fields().Get(i)
		switch {
		case f.IsList() || rapid.IntRange(0, 3).Draw(t, string(f.Name())) == 0:
		case f.Name() == "duplicate_of" && rapid.IntRange(0, 3).Draw(t, "marked") > 0:
		case f.Kind() == protoreflect.StringKind:
			r.Set(f, protoreflect.ValueOfString(rapid.SampledFrom([]string{"", "讲座", "讲座 ", "义诊"}).Draw(t, "text")))
		case f.Kind() == protoreflect.BytesKind:
			r.Set(f, protoreflect.ValueOfBytes([]byte{byte(rapid.IntRange(0, 1).Draw(t, "id"))}))
		case f.Kind() == protoreflect.Uint32Kind:
			r.Set(f, protoreflect.ValueOfUint32(rapid.Uint32Range(1, 2).Draw(t, "number")))
		case f.Name() == "entry" || f.Name() == "mode":
			r.Set(f, protoreflect.ValueOfEnum(protoreflect.EnumNumber(rapid.IntRange(1, 2).Draw(t, "choice"))))
		case f.Name() == "occurred_on":
			r.Set(f, protoreflect.ValueOfInt32(rapid.Int32Range(20210923, 20210924).Draw(t, "day")))
		case f.Name() == "place":
			village := rapid.SampledFrom([]string{"", "王庄村"}).Draw(t, "village")
			r.Set(f, protoreflect.ValueOfMessage((&recordv1.Place{Code: proto.String("410621108"), Village: &village}).ProtoReflect()))
		}
	}
	return m
}

// eachTwo draws records of one kind, of those that are compared, and hands out each two of them with when they were made.
func eachTwo(t *rapid.T, compare func(k record.Kind, a, b record.Common, madeA, madeB time.Time)) {
	k := rapid.SampledFrom([]record.Kind{recordv1.Kind_KIND_OUTREACH, recordv1.Kind_KIND_GROUP_SESSION, recordv1.Kind_KIND_COMMUNITY_ACTIVITY,
		recordv1.Kind_KIND_CASE_SESSION, recordv1.Kind_KIND_CASE, recordv1.Kind_KIND_HEADCOUNT, recordv1.Kind_KIND_RESOURCE_LINK}).Draw(t, "kind")
	var records []record.Common
	var made []time.Time
	for range 6 {
		records, made = append(records, drawSimilar(t, k)), append(made, time.Unix(int64(rapid.IntRange(0, 20_000).Draw(t, "made")), 0))
	}
	for i := range records {
		for j := range i {
			compare(k, records[j], records[i], made[j], made[i])
		}
	}
}

// What is similar is found by its likeness, and what can be similar to nothing has none.
func TestWhatIsSimilarHasOneLikeness(t *testing.T) {
	similar := 0
	rapid.Check(t, func(t *rapid.T) {
		eachTwo(t, func(k record.Kind, a, b record.Common, madeA, madeB time.Time) {
			likeness := record.Likeness(k, a)
			if record.Similar(k, a, b, madeA, madeB) {
				similar++
				if len(likeness) == 0 || !bytes.Equal(likeness, record.Likeness(k, b)) {
					t.Fatalf("%v and %v are similar: %x and %x", a, b, likeness, record.Likeness(k, b))
				}
			}
			if len(likeness) == 0 && record.Similar(k, a, a, madeA, madeA) {
				t.Fatalf("%v has no likeness", a)
			}
		})
	})
	if similar == 0 {
		t.Error("nothing was similar")
	}
}

// Of two records with one likeness, traits tell apart what is not similar, and never what is.
func TestTraitsTellApartWhatIsNotSimilar(t *testing.T) {
	similar, unlike := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		eachTwo(t, func(k record.Kind, a, b record.Common, madeA, madeB time.Time) {
			if likeness := record.Likeness(k, a); likeness == nil || !bytes.Equal(likeness, record.Likeness(k, b)) {
				return
			}
			traitsA, traitsB := record.Traits(k, a), record.Traits(k, b)
			if record.Unlike(nil, traitsB, madeA, madeB) || record.Unlike(traitsA, nil, madeA, madeB) {
				t.Fatal("told apart by the traits of one of them")
			}
			is := record.Similar(k, a, b, madeA, madeB)
			if record.Unlike(traitsA, traitsB, madeA, madeB) == is {
				t.Fatalf("%v, made %v, and %v, made %v: similar is %v, and so is told apart", a, madeA, b, madeB, is)
			}
			if is {
				similar++
			} else {
				unlike++
			}
		})
	})
	if similar == 0 || unlike == 0 {
		t.Errorf("%d pairs were similar and %d were not", similar, unlike)
	}
}

func TestLikenessTellsDaysAndKindsApart(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range []record.Common{
		&recordv1.Outreach{OccurredOn: proto.Int32(20210923)}, &recordv1.Outreach{OccurredOn: proto.Int32(20210924)},
		&recordv1.CommunityActivity{OccurredOn: proto.Int32(20210923)}, &recordv1.Outreach{OccurredOn: proto.Int32(20210923), Team: []byte{1}},
	} {
		likeness := string(record.Likeness(record.KindOf(m), m))
		if seen[likeness] {
			t.Errorf("%v has the likeness of another", m)
		}
		seen[likeness] = true
	}
}
