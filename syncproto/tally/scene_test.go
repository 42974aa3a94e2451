package tally_test

import (
	"encoding/binary"
	"maps"
	"slices"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// scene is a deployment told step by step. Each step moves its totals by a delta; they are compared with the whole
// whenever they are read.
type scene struct {
	*books
	t    testing.TB
	made uint64
}

func newScene(t testing.TB) *scene { return &scene{books: newBooks(), t: t} }

const replica hlc.Replica = 7

func (s *scene) change(id hlc.ID, kind record.Kind, fields []byte, cleared ...protowire.Number) hlc.ID {
	s.t.Helper()
	s.made++
	by := s.id()
	if id == (hlc.ID{}) {
		id = by
	}
	c, err := record.Edit(by, id, kind, hlc.Stamp{Time: hlc.Time(s.made), Replica: replica}, s.records[id].Registers, fields, cleared)
	if err != nil || c == nil {
		s.t.Fatalf("change of a %v: %v, %v", kind, c, err)
	}
	s.apply(c)
	return id
}

// id makes ids that rise.
func (s *scene) id() (id hlc.ID) {
	binary.BigEndian.PutUint64(id[8:], s.made)
	return id
}

func (s *scene) log(m record.Common) hlc.ID {
	s.t.Helper()
	return s.change(hlc.ID{}, record.KindOf(m), s.encode(m))
}

// edit sets the fields that m has.
func (s *scene) edit(id hlc.ID, m record.Common) {
	s.t.Helper()
	s.change(id, record.KindOf(m), s.encode(m))
}

func (s *scene) clear(id hlc.ID, field protowire.Number) {
	s.t.Helper()
	s.change(id, s.records[id].Kind, nil, field)
}

func (s *scene) setDeleted(id hlc.ID, deleted bool) {
	s.t.Helper()
	b := protowire.AppendTag(nil, record.DeletedField, protowire.VarintType)
	s.change(id, s.records[id].Kind, protowire.AppendVarint(b, protowire.EncodeBool(deleted)))
}

// sameAs says that a record is a duplicate of another.
func (s *scene) sameAs(id, other hlc.ID) {
	s.t.Helper()
	s.change(id, s.records[id].Kind, protowire.AppendBytes(protowire.AppendTag(nil, 10, protowire.BytesType), other[:]))
}

// review judges a record as it stands now.
func (s *scene) review(id hlc.ID, outcome recordv1.ReviewOutcome) hlc.ID {
	s.t.Helper()
	r := s.records[id]
	return s.log(&recordv1.Review{
		Author: worker("督导"), OccurredOn: proto.Int32(20211011), Target: id[:],
		Reviewed: tally.Reviewed(r.Kind, r.Registers), Outcome: outcome.Enum(),
	})
}

func (s *scene) approve(id hlc.ID) hlc.ID {
	s.t.Helper()
	return s.review(id, recordv1.ReviewOutcome_REVIEW_OUTCOME_APPROVED)
}

func (s *scene) encode(m record.Common) []byte {
	s.t.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err == nil {
		b, err = record.Canonical(record.KindOf(m), b)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

// The people and places of all scenes. An id is 16 bytes that begin with a name.

func named16(name string) []byte {
	var id [16]byte
	copy(id[:], name)
	return id[:]
}

func worker(name string) []byte { return named16(name) }
func site(name string) []byte   { return named16(name) }
func team(name string) []byte   { return named16(name) }
func person(name string) []byte { return named16(name) }

func place(code string) *recordv1.Place {
	return &recordv1.Place{Code: proto.String(code), Edition: proto.Int32(2023)}
}

func held() *recordv1.Status { return recordv1.Status_STATUS_HELD.Enum() }

func psychological() *recordv1.ServiceArea {
	return recordv1.ServiceArea_SERVICE_AREA_PSYCHOLOGICAL_SUPPORT.Enum()
}

// The records of all scenes: complete, held on 2021-10-10 in 王庄镇. Tests change what they are about.

func aCase() *recordv1.Case {
	return &recordv1.Case{
		Site: site("王庄"), Team: team("一队"), Author: worker("张敏"), OccurredOn: proto.Int32(20211008), Place: place("410621108"),
		ServiceArea: psychological(), CaseNo: proto.String("HN-2021-001"), OpenedOn: proto.Int32(20211010), ClientCount: proto.Uint32(1),
		Stage: recordv1.CaseStage_CASE_STAGE_INTERVENTION.Enum(), Lead: worker("李强"),
	}
}

func aCaseSession(c hlc.ID) *recordv1.CaseSession {
	return &recordv1.CaseSession{
		Site: site("王庄"), Team: team("一队"), Author: worker("张敏"), OccurredOn: proto.Int32(20211010), Place: place("410621108"),
		Status: held(), ServiceArea: psychological(), Case: c[:], Stage: recordv1.CaseStage_CASE_STAGE_INTERVENTION.Enum(),
		Mode: recordv1.SessionMode_SESSION_MODE_HOME_VISIT.Enum(), Minutes: proto.Uint32(50), Attendees: proto.Uint32(2),
		RiskSeen: recordv1.RiskSeen_RISK_SEEN_NO.Enum(),
	}
}

func aGroup() *recordv1.Group {
	return &recordv1.Group{
		Site: site("王庄"), Team: team("一队"), Author: worker("张敏"), OccurredOn: proto.Int32(20211001), Place: place("410621108"),
		ServiceArea: psychological(), Name: proto.String("平安小组"), Leader: worker("张敏"),
	}
}

func aGroupSession(g hlc.ID) *recordv1.GroupSession {
	return &recordv1.GroupSession{
		Site: site("王庄"), Team: team("一队"), Author: worker("张敏"), OccurredOn: proto.Int32(20211010), Place: place("410621108"),
		Status: held(), ServiceArea: psychological(), Group: g[:], Number: proto.Uint32(1), Theme: proto.String("认识彼此"),
		Minutes: proto.Uint32(90),
	}
}

func anActivity() *recordv1.CommunityActivity {
	return &recordv1.CommunityActivity{
		Site: site("王庄"), Team: team("一队"), Author: worker("张敏"), OccurredOn: proto.Int32(20211010), Place: place("410621108"),
		Status: held(), ServiceArea: psychological(), Name: proto.String("中秋文艺晚会"), Minutes: proto.Uint32(120),
		RegisterUsed: proto.Bool(false),
	}
}

func anOutreach() *recordv1.Outreach {
	return &recordv1.Outreach{
		Site: site("王庄"), Team: team("一队"), Author: worker("张敏"), OccurredOn: proto.Int32(20211010), Place: place("410621108"),
		Status: held(), ServiceArea: psychological(), Households: proto.Uint32(12),
	}
}

func aHeadcount(activity hlc.ID, cells ...*recordv1.HeadcountCell) *recordv1.Headcount {
	return &recordv1.Headcount{Zone: proto.String("东区"),
		Author: worker("李强"), OccurredOn: proto.Int32(20211010), ServiceArea: psychological(), Activity: activity[:],
		Counter: worker("李强"), Method: recordv1.CountMethod_COUNT_METHOD_COUNTED.Enum(), Cells: cells,
	}
}

func cell(sex recordv1.Sex, band, first, returning, unsure uint32) *recordv1.HeadcountCell {
	return &recordv1.HeadcountCell{Sex: sex.Enum(), AgeBand: &band, FirstTime: &first, Returning: &returning, Unsure: &unsure}
}

func anAttendance(activity hlc.ID, token []byte) *recordv1.Attendance {
	return &recordv1.Attendance{
		Author: worker("张敏"), OccurredOn: proto.Int32(20211010), ServiceArea: psychological(), Activity: activity[:],
		Participant: person("登记"), Token: token,
	}
}

// is asks for one reported figure under one cut, and checks all totals against the whole on the way.
func (s *scene) is(figure tally.Figure, cut tally.Cut, want int64) {
	s.t.Helper()
	s.asks(tally.Reported, figure, cut, want)
}

// verified asks for a verified figure.
func (s *scene) verified(figure tally.Figure, cut tally.Cut, want int64) {
	s.t.Helper()
	s.asks(tally.Verified, figure, cut, want)
}

func (s *scene) asks(basis tally.Basis, figure tally.Figure, cut tally.Cut, want int64) {
	s.t.Helper()
	whole := tally.Of(slices.Values(s.all()), 0)
	if !maps.Equal(whole.Cells, s.totals.Cells) || !maps.Equal(whole.Tokens, s.totals.Tokens) {
		s.t.Errorf("totals by deltas are not the whole")
	}
	if got := s.totals.Value(tally.Cell{Basis: basis, Figure: figure, Cut: cut}); got != want {
		s.t.Errorf("%v %v of %v %q is %d, want %d", basis, figure, cut.Dimension, cut.Key, got, want)
	}
}
