package bench

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// atOnce is how many devices send at a time: the server works on one batch while others are made.
const atOnce = 4

// fill logs so many records, about alike by each worker on each day, and sends them.
func (s *scene) fill(ctx context.Context, records int, progress io.Writer) error {
	devices, err := s.devices(ctx, progress)
	if err != nil {
		return err
	}
	return atATime(ctx, atOnce, len(devices), func(ctx context.Context, n int) error {
		if n%100 == 99 {
			say(progress, "%d of %d records", records*n/len(devices), records)
		}
		l := &logbook{device: devices[n], nth: n, rand: rand.New(rand.NewPCG(s.seed, uint64(n)))} //nolint:gosec // the same numbers again
		return l.fill(ctx, records*(n+1)/len(devices)-records*n/len(devices))
	})
}

// fill logs at least so many records and sends them.
func (l *logbook) fill(ctx context.Context, records int) error {
	for l.logged < records {
		l.day = firstDay.AddDays(l.logged * days / records)
		l.device.at = l.day.Start(time.UTC).Add(time.Duration(l.rand.IntN(10*60)) * time.Minute) // from 8 in the morning, there
		if err := l.one(); err != nil {
			return err
		}
		if len(l.device.waiting) >= batchSize {
			if err := l.device.push(ctx); err != nil {
				return err
			}
		}
	}
	return l.device.push(ctx)
}

// devices lets one in for each worker of a team.
func (s *scene) devices(ctx context.Context, progress io.Writer) ([]*device, error) {
	var codes []string
	for _, e := range s.server.Made.Enrolments {
		if e.Worker != coordinator {
			codes = append(codes, e.Code)
		}
	}
	all := make([]*device, len(codes))
	return all, atATime(ctx, atOnce, len(codes), func(ctx context.Context, n int) (err error) {
		if n%1000 == 999 {
			say(progress, "%d of %d devices are let in", n+1, len(codes))
		}
		all[n], err = enrol(ctx, s.server.Handler(), codes[n], uint64(n)+1, s.wall) //nolint:gosec // a small number
		return err
	})
}

// newcomer lets a second device in for a worker: it has nothing yet, not even what the first one sent.
func (s *scene) newcomer(ctx context.Context, team, worker int) (*device, error) {
	e, err := s.server.NewEnrolment(ctx, workerName(team, worker), uuid.Nil)
	if err != nil {
		return nil, err
	}
	return enrol(ctx, s.server.Handler(), e.Code, 1<<32+uint64(team*workersPerTeam+worker), hlc.Wall) //nolint:gosec // small numbers
}

// logbook is what one worker logs.
type logbook struct {
	device   *device
	rand     *rand.Rand
	nth      int
	day      record.Date
	logged   int
	cases    []hlc.ID
	sessions uint32
}

// log logs one record.
func (l *logbook) log(m record.Common) (hlc.ID, error) {
	id, err := l.device.log(l.day, m)
	if err == nil {
		l.logged++
	}
	return id, err
}

// one logs one thing that happened, with what belongs to it.
func (l *logbook) one() error {
	switch l.rand.IntN(10) {
	case 0:
		return l.openCase()
	case 1, 2, 3, 4:
		if len(l.cases) == 0 {
			return l.openCase()
		}
		return l.caseSession()
	case 5, 6, 7:
		return l.counted(&recordv1.Outreach{Place: l.place(), Status: held, ServiceArea: l.area(), Mode: recordv1.OutreachMode_OUTREACH_MODE_HOME.Enum(),
			Households: l.number(1, 12), Needs: proto.String(l.text(20))})
	case 8:
		return l.counted(&recordv1.CommunityActivity{Place: l.place(), Status: held, ServiceArea: l.area(), Name: proto.String(l.text(8)),
			Form: recordv1.ActivityForm_ACTIVITY_FORM_TALK.Enum(), Minutes: l.number(30, 180), RegisterUsed: proto.Bool(false), Summary: proto.String(l.text(80))})
	default:
		_, err := l.log(&recordv1.ResourceLink{Place: l.place(), Status: held, ServiceArea: l.area(), Need: proto.String(l.text(10)), Households: l.number(1, 5),
			Type: recordv1.ResourceType_RESOURCE_TYPE_GOODS.Enum(), Quantity: proto.Uint32(1), Unit: proto.String("件"), Progress: recordv1.LinkProgress_LINK_PROGRESS_DELIVERED.Enum()})
		return err
	}
}

func (l *logbook) openCase() error {
	id, err := l.log(&recordv1.Case{Place: l.place(), ServiceArea: l.area(), CaseNo: proto.String(fmt.Sprintf("B-%d-%d", l.nth, l.logged)), OpenedOn: proto.Int32(int32(l.day)),
		ClientCount: proto.Uint32(1), ClientTokens: [][]byte{l.token()}, Sex: recordv1.Sex(1 + l.rand.IntN(2)).Enum(), AgeBand: l.number(1, 6), //nolint:gosec // a small number
		Stage: recordv1.CaseStage_CASE_STAGE_INTAKE.Enum(), Lead: l.device.worker[:], NextDueOn: proto.Int32(int32(l.day.AddDays(7)))})
	l.cases = append(l.cases, id)
	return err
}

func (l *logbook) caseSession() error {
	of := l.cases[len(l.cases)-1-l.rand.IntN(min(3, len(l.cases)))]
	l.sessions++
	_, err := l.log(&recordv1.CaseSession{Case: of[:], Status: held, ServiceArea: l.area(), Number: proto.Uint32(1 + l.sessions%20), Stage: recordv1.CaseStage_CASE_STAGE_INTERVENTION.Enum(),
		Mode: recordv1.SessionMode_SESSION_MODE_HOME_VISIT.Enum(), Minutes: l.number(20, 90), Attendees: l.number(1, 3), RiskSeen: recordv1.RiskSeen_RISK_SEEN_NO.Enum()})
	return err
}

// counted logs an activity with a headcount.
func (l *logbook) counted(activity record.Common) error {
	id, err := l.log(activity)
	if err != nil {
		return err
	}
	var cells []*recordv1.HeadcountCell
	for _, sex := range []recordv1.Sex{recordv1.Sex_SEX_MALE, recordv1.Sex_SEX_FEMALE} {
		for band := uint32(1); band <= 6; band++ {
			cells = append(cells, &recordv1.HeadcountCell{Sex: sex.Enum(), AgeBand: proto.Uint32(band), FirstTime: l.number(0, 3), Returning: l.number(0, 4)})
		}
	}
	_, err = l.log(&recordv1.Headcount{Activity: id[:], Status: held, ServiceArea: l.area(), Counter: l.device.worker[:], Zone: proto.String("全场"),
		Method: recordv1.CountMethod_COUNT_METHOD_COUNTED.Enum(), Cells: cells})
	return err
}

var held = recordv1.Status_STATUS_HELD.Enum()

func (l *logbook) number(from, to uint32) *uint32 {
	n := from + l.rand.Uint32N(to-from+1)
	return &n
}

func (l *logbook) area() *recordv1.ServiceArea {
	return recordv1.ServiceArea(1 + l.rand.IntN(3)).Enum() //nolint:gosec // a small number
}

func (l *logbook) token() []byte {
	token := make([]byte, 16)
	_, _ = l.device.entropy.Read(token) // it never fails
	return token
}

// place is one of the villages of the device's town.
func (l *logbook) place() *recordv1.Place {
	town := towns[l.nth/workersPerTeam%len(towns)]
	return &recordv1.Place{Code: proto.String(town.Code), Edition: proto.Int32(town.Edition), Village: proto.String(fmt.Sprintf("第%d村", 1+l.rand.IntN(40)))}
}

// words are what texts are made of.
var words = strings.Fields("走访 家庭 老人 儿童 心理 疏导 物资 发放 村委会 复学 住房 检查 情绪 陪伴 活动 讲座 中秋 节日 文艺 演出 手工 绘画 互助 小组 妇女 志愿者 安置点 卫生 防疫 饮水 修缮 登记 政策 咨询 低保 残疾 就医 买药 农田 排水 果园 补种 家具 棉被 书包 图书 操场 广场舞")

// text is one of about so many characters.
func (l *logbook) text(characters int) string {
	var b strings.Builder
	for b.Len() < 3*characters {
		b.WriteString(words[l.rand.IntN(len(words))])
	}
	return b.String()
}
