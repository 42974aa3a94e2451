package indexing_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/server/internal/indexing"
	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	"levee/syncproto/batch"
	"levee/syncproto/cputime"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

var benchRecords = flag.Int("records", 100_000, "how many records the benchmark's deployment has")

// large fills a deployment with records of 100 teams, as they lie in the store once they were merged.
type large struct {
	*servertest.Deployment
	rand     *rand.Rand
	teams    []hlc.ID
	position uint64
	changes  syncing.Changes
	now      hlc.Time
}

var texts = []string{"心理健康讲座", "入户探访孤寡老人", "儿童绘画活动", "棉被和粮油发放", "老年人防诈骗宣传", "重阳节文艺演出", "灾后情绪疏导小组", "义诊和健康咨询"}

func fill(b *testing.B, n int) *large {
	d := servertest.New(b)
	d.SetWall(time.Date(2021, 12, 6, 4, 0, 0, 0, time.UTC))
	l := &large{Deployment: d, rand: rand.New(rand.NewPCG(1, 2)), now: hlc.TimeOf(time.Date(2021, 9, 23, 0, 0, 0, 0, time.UTC))}
	store := d.DB.Deployment(d.ID)
	if err := store.Read(ctx, func(tx syncing.Reading) error {
		head, err := tx.Head()
		l.position = head.Position
		return err
	}); err != nil {
		b.Fatal(err)
	}
	for range 100 {
		l.teams = append(l.teams, l.id())
	}
	for made := 0; made < n; {
		made += l.make()
		if len(l.changes.Records) > 5000 || made >= n {
			l.changes.Head = syncing.Head{Position: l.position, Time: l.now}
			if err := store.Write(ctx, func(tx syncing.Writing) error { return tx.Save(l.changes) }); err != nil {
				b.Fatal(err)
			}
			l.changes = syncing.Changes{}
		}
	}
	return l
}

func (l *large) id() hlc.ID {
	l.now += 1 << 20
	var entropy [16]byte
	for i := range entropy {
		entropy[i] = byte(l.rand.IntN(256))
	}
	id, err := hlc.NewID(l.now, slicesReader(entropy[:]))
	if err != nil {
		l.T.Fatal(err)
	}
	return id
}

type slicesReader []byte

func (r slicesReader) Read(p []byte) (int, error) { return copy(p, r), nil }

// make adds an activity with its headcounts, or a case with its sessions, and reviews of some.
func (l *large) make() int {
	team := l.teams[l.rand.IntN(len(l.teams))]
	author := team
	author[15] ^= byte(l.rand.IntN(8))
	day := int32(record.Date(20210923).AddDays(l.rand.IntN(75)))
	before := len(l.changes.Records)
	common := func(m record.Common) record.Common {
		for name, value := range map[protoreflect.Name]protoreflect.Value{
			"team": protoreflect.ValueOfBytes(team[:]), "author": protoreflect.ValueOfBytes(author[:]), "occurred_on": protoreflect.ValueOfInt32(day),
			"service_area": protoreflect.ValueOfEnum(1), "status": protoreflect.ValueOfEnum(2),
			"place": protoreflect.ValueOfMessage((&recordv1.Place{Code: proto.String("410621108"), Village: proto.String("王庄村")}).ProtoReflect()),
		} {
			m.ProtoReflect().Set(m.ProtoReflect().Descriptor().Fields().ByName(name), value)
		}
		return m
	}
	if l.rand.IntN(10) == 0 {
		file := l.add(common(&recordv1.Case{CaseNo: proto.String(fmt.Sprintf("WZ-%d", l.position)), OpenedOn: &day, ClientCount: proto.Uint32(1), Stage: recordv1.CaseStage_CASE_STAGE_INTERVENTION.Enum(), Lead: author[:]}), hlc.ID{}, team)
		for range 4 {
			day = min(day+int32(l.rand.IntN(3)), 20211130)
			l.add(common(&recordv1.CaseSession{Case: file[:], Stage: recordv1.CaseStage_CASE_STAGE_INTERVENTION.Enum(), Mode: recordv1.SessionMode_SESSION_MODE_PHONE.Enum(),
				Minutes: proto.Uint32(30), Attendees: proto.Uint32(1), RiskSeen: recordv1.RiskSeen_RISK_SEEN_NO.Enum()}), file, team)
		}
	} else {
		name := texts[l.rand.IntN(len(texts))] + fmt.Sprint(l.rand.IntN(1000))
		activity := l.add(common(&recordv1.CommunityActivity{Name: &name, Minutes: proto.Uint32(60), RegisterUsed: proto.Bool(false), Summary: proto.String(texts[l.rand.IntN(len(texts))] + "，村民反应很好，约定下周再来。")}), hlc.ID{}, team)
		for range 2 {
			l.add(common(&recordv1.Headcount{Activity: activity[:], Counter: author[:], Zone: proto.String("东区"), Method: recordv1.CountMethod_COUNT_METHOD_COUNTED.Enum(), FirstTime: proto.Uint32(30)}), activity, team)
		}
	}
	if l.rand.IntN(2) == 0 {
		r := l.changes.Records[before]
		registers, err := record.DecodeState(r.State)
		if err != nil {
			l.T.Fatal(err)
		}
		outcome := []recordv1.ReviewOutcome{recordv1.ReviewOutcome_REVIEW_OUTCOME_APPROVED, recordv1.ReviewOutcome_REVIEW_OUTCOME_RETURNED}[min(1, l.rand.IntN(8)/7)]
		l.add(common(&recordv1.Review{Target: r.ID[:], Outcome: outcome.Enum(), Reviewed: tally.Reviewed(r.Kind, registers)}), r.ID, team)
	}
	return len(l.changes.Records) - before
}

func (l *large) add(m record.Common, root, team hlc.ID) hlc.ID {
	id := l.id()
	if root == (hlc.ID{}) {
		root = id
	}
	encoded, err := proto.Marshal(m)
	if err != nil {
		l.T.Fatal(err)
	}
	kind := record.KindOf(m)
	fields, err := record.Canonical(kind, encoded)
	if err != nil {
		l.T.Fatal(err)
	}
	c, err := record.Edit(id, id, kind, hlc.Stamp{Time: l.now, Replica: 7}, nil, fields, nil)
	if err != nil {
		l.T.Fatal(err)
	}
	l.position++
	l.changes.Records = append(l.changes.Records, syncing.Record{ID: id, Kind: kind, Root: root, Audience: team, Position: l.position, Day: m.GetOccurredOn(), State: record.EncodeState(c.Registers())})
	body := c.Encode()
	l.changes.Log = append(l.changes.Log, syncing.LogEntry{Position: l.position, Replica: 7, Sequence: l.position, Change: id, Record: id, Body: body, Chain: batch.HashOf(body)})
	return id
}

// BenchmarkDesk says how many records a second are indexed, and how long pages take then: `go test -bench Desk -benchtime 1x`.
func BenchmarkDesk(b *testing.B) {
	l := fill(b, *benchRecords)
	s := serviceOf(l.Deployment)
	began := time.Now()
	cpu := cputime.Of(func() {
		if err := s.Follow(ctx); err != nil {
			b.Fatal(err)
		}
	})
	took := time.Since(began)
	fmt.Printf("%d records indexed in %v, %v of processor time: %.0f a second\n", *benchRecords, took.Round(time.Millisecond), cpu.Round(time.Millisecond), float64(*benchRecords)/cpu.Seconds())
	measure := func(what string, fn func() (int, error)) {
		var times []time.Duration
		n := 0
		for range 20 {
			start := time.Now()
			var err error
			if n, err = fn(); err != nil {
				b.Fatal(what, err)
			}
			times = append(times, time.Since(start))
		}
		slices.Sort(times)
		fmt.Printf("%-60s %4d rows, median %v, slowest %v\n", what, n, times[10].Round(10*time.Microsecond), times[19].Round(10*time.Microsecond))
	}
	queue := func(q indexing.QueueQuery) func() (int, error) {
		return func() (int, error) {
			q.Standing, q.Limit = tally.Waiting, 50
			page, err := s.Queue(ctx, q)
			return len(page), err
		}
	}
	measure("queue of all", queue(indexing.QueueQuery{}))
	measure("queue of 10 teams", queue(indexing.QueueQuery{Teams: l.teams[:10]}))
	measure("queue of 100 teams", queue(indexing.QueueQuery{Teams: l.teams}))
	measure("queue of a kind of 100 teams", queue(indexing.QueueQuery{Kinds: []record.Kind{recordv1.Kind_KIND_HEADCOUNT}}))
	measure("counts of the queue", func() (int, error) {
		counts, err := s.ReviewCounts(ctx, nil)
		return len(counts), err
	})
	for _, teams := range [][]hlc.ID{nil, l.teams[:10], l.teams} {
		measure(fmt.Sprintf("likely pairs of %d teams", len(teams)), func() (int, error) {
			page, err := s.Likely(ctx, indexing.LikelyQuery{Teams: teams, Limit: 50})
			return len(page), err
		})
		for list := indexing.OpenCases; list <= indexing.NotEvaluated; list++ {
			measure(fmt.Sprintf("cases on list %d of %d teams", list, len(teams)), func() (int, error) {
				page, err := s.Cases(ctx, indexing.CasesQuery{List: list, Teams: teams, Limit: 50})
				return len(page), err
			})
		}
		for _, text := range []string{"心理", "村民反应很好", "下周 心理健康", "义诊和健康咨询 入户探访孤寡老人", "下周棉被", "WZ", "999", "不存在"} {
			measure(fmt.Sprintf("search for %s in %d teams", text, len(teams)), func() (int, error) {
				found, err := s.Search(ctx, indexing.SearchQuery{Text: text, Teams: teams, Limit: 20})
				return len(found.Hits), err
			})
		}
	}
	measure("counts of quiet cases by team", func() (int, error) {
		counts, err := s.CaseCounts(ctx, indexing.QuietCases, 0, indexing.ByTeam)
		return len(counts), err
	})
}
