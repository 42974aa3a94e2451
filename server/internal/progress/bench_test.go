package progress_test

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/progress"
	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

var large = flag.Bool("large", false, "measure a deployment of a million records too; making it takes minutes")

// fill puts records straight into the store, with their totals: activities with two headcounts and two attendances, and
// sessions of a case, over 75 days and 50 teams. It returns the teams.
func fill(b *testing.B, d *servertest.Deployment, records int) []hlc.ID {
	b.Helper()
	ctx := context.Background()
	teams := slices.Clone(d.Teams)
	var setUp []syncing.SetUpRecord
	for i := len(teams); i < 50; i++ {
		teams = append(teams, d.NewID())
		setUp = append(setUp, syncing.SetUpRecord{ID: teams[i], Message: &recordv1.Team{Name: proto.String(fmt.Sprint("team ", i))}})
	}
	if err := d.Service.Add(ctx, setUp); err != nil {
		b.Fatal(err)
	}
	device := d.Enrol("coordinator")
	var head syncing.Head
	if err := d.DB.Deployment(d.ID).Read(ctx, func(tx syncing.Reading) (err error) { head, err = tx.Head(); return err }); err != nil {
		b.Fatal(err)
	}
	held := recordv1.Status_STATUS_HELD.Enum()
	changes := syncing.Changes{}
	var counted []tally.Record
	add := func(root, team hlc.ID, m record.Common) hlc.ID {
		c := device.Make(m)
		if root == (hlc.ID{}) {
			root = c.Record
		}
		head.Position++
		changes.Records = append(changes.Records, syncing.Record{ID: c.Record, Kind: c.Kind, Root: root, Audience: team, Position: head.Position,
			Day: int32(c.Registers().Get(4).Number()), State: record.EncodeState(c.Registers())})
		counted = append(counted, tally.Record{ID: c.Record, Kind: c.Kind, Registers: c.Registers()})
		return c.Record
	}
	save := func() {
		changes.Totals = tally.DeltaOf(nil, counted)
		if err := d.DB.Deployment(d.ID).Write(ctx, func(tx syncing.Writing) error { return tx.Save(changes) }); err != nil {
			b.Fatal(err)
		}
		changes, counted = syncing.Changes{}, nil
	}
	for family := range records / 10 {
		day := int32(record.Date(20210923).AddDays(family % 75))
		team := teams[family%len(teams)]
		token := fmt.Appendf(nil, "%016d", family%(records/20+1))
		site := d.Sites[family%2][:]
		place := &recordv1.Place{Code: proto.String([]string{"410621108", "410621105", "410781106"}[family%3]), Edition: proto.Int32(2022)}
		activity := add(hlc.ID{}, team, &recordv1.CommunityActivity{Team: team[:], Site: site, OccurredOn: &day, Place: place, Status: held, Name: proto.String("义诊"), Minutes: proto.Uint32(60), RegisterUsed: proto.Bool(true)})
		for range 2 {
			add(activity, team, &recordv1.Headcount{Team: team[:], OccurredOn: &day, Activity: activity[:], Counter: device.Worker[:], Zone: proto.String("东区"), Method: recordv1.CountMethod_COUNT_METHOD_COUNTED.Enum(),
				Cells: []*recordv1.HeadcountCell{{Sex: recordv1.Sex_SEX_FEMALE.Enum(), AgeBand: proto.Uint32(4), FirstTime: proto.Uint32(7), Returning: proto.Uint32(3)}}})
			add(activity, team, &recordv1.Attendance{Team: team[:], OccurredOn: &day, Activity: activity[:], Participant: device.Worker[:], Token: token, Sex: recordv1.Sex_SEX_MALE.Enum()})
		}
		file := add(hlc.ID{}, team, &recordv1.Case{Team: team[:], Site: site, OccurredOn: &day, Place: place, CaseNo: proto.String(fmt.Sprint(family)), OpenedOn: &day, ClientCount: proto.Uint32(1), ClientTokens: [][]byte{token}, Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(), Lead: device.Worker[:]})
		for range 4 {
			add(file, team, &recordv1.CaseSession{Team: team[:], OccurredOn: &day, Status: held, Case: file[:], Minutes: proto.Uint32(30), Attendees: proto.Uint32(1), Stage: recordv1.CaseStage_CASE_STAGE_INTERVENTION.Enum(), Mode: recordv1.SessionMode_SESSION_MODE_HOME_VISIT.Enum(), RiskSeen: recordv1.RiskSeen_RISK_SEEN_NO.Enum()})
		}
		if family%500 == 499 {
			save()
		}
	}
	save()
	return teams
}

// BenchmarkPages is what pages ask for, by the number of records in the deployment. It should hardly grow with it.
func BenchmarkPages(b *testing.B) {
	sizes := []int{10_000, 100_000}
	if *large {
		sizes = append(sizes, 1_000_000)
	}
	ctx := context.Background()
	for _, records := range sizes {
		d := servertest.New(b)
		teams := fill(b, d, records)
		d.SetWall(d.Wall().AddDate(0, 4, 0))
		s := serviceOf(d)
		team := teams[7]
		behind := func(figure string, cut tally.Cut) error {
			page, err := s.Behind(ctx, progress.BehindQuery{Basis: tally.Reported, Figure: figure, Cut: cut, Page: progress.Page[hlc.ID]{Limit: 50}})
			if err == nil && len(page.Rows) == 0 {
				err = fmt.Errorf("nothing is behind %s %v", figure, cut)
			}
			return err
		}
		for _, c := range []struct {
			name string
			ask  func() error
		}{
			{"overview", func() error { _, err := s.Overview(ctx, progress.OverviewQuery{Whole: true}); return err }},
			{"overview of a team", func() error { _, err := s.Overview(ctx, progress.OverviewQuery{Teams: teams[:1]}); return err }},
			{"overview of ten teams", func() error { _, err := s.Overview(ctx, progress.OverviewQuery{Teams: teams[:10]}); return err }},
			{"behind persons", func() error { return behind("persons", tally.Everything()) }},
			{"behind contacts of a team", func() error { return behind("contacts", tally.OfTeam(team)) }},
			{"behind contacts of a day", func() error { return behind("contacts", tally.OnDay(20211010)) }},
			{"behind sessions of a town", func() error { return behind("case_sessions", tally.InPlace("410781106")) }},
			{"behind cases of a day", func() error { return behind("cases", tally.OnDay(20211010)) }},
			{"a day", func() error {
				_, err := s.Period(ctx, progress.PeriodQuery{From: 20211205, To: 20211205, Whole: true})
				return err
			}},
			{"a day in the middle", func() error {
				_, err := s.Period(ctx, progress.PeriodQuery{From: 20211010, To: 20211010, Whole: true})
				return err
			}},
			{"a day of a team", func() error {
				_, err := s.Period(ctx, progress.PeriodQuery{From: 20211206, To: 20211206, Teams: teams[:1]})
				return err
			}},
			{"a week", func() error {
				_, err := s.Period(ctx, progress.PeriodQuery{From: 20211129, To: 20211205, Whole: true})
				return err
			}},
			{"work of a team in a week", func() error { _, err := s.Work(ctx, team, 20210927, 20211003); return err }},
		} {
			b.Run(fmt.Sprintf("%s/records=%d", c.name, records), func(b *testing.B) {
				for b.Loop() {
					if err := c.ask(); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N), "ms/page")
			})
		}
		d.Close()
	}
}
