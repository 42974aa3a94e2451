package clientlib_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	"levee/clientlib/internal/localdb"
	"levee/clientlib/tabletui"
	"levee/syncproto/cputime"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
)

// large is a deployment of a hundred thousand records as one tablet has it after 75 days: of ten colleagues, of whom Li Wei is one.
type large struct {
	clock   *hlc.Clock
	entropy *rand.ChaCha8
	pulled  []localdb.Pulled
	views   map[hlc.ID]record.Registers
	kinds   map[hlc.ID]record.Kind
	now     time.Time
}

const largeDays = 75

// largeToday is its last day but one.
var largeToday = record.DateOf(start.AddDate(0, 0, largeDays), time.UTC)

func (l *large) colleague(n int) []byte {
	if n %= 10; n == 0 {
		return liWei[:]
	}
	other := testID(4, byte(100+n))
	return other[:]
}

func (l *large) day(n int) *int32 {
	return proto.Int32(int32(record.DateOf(start.AddDate(0, 0, n%(largeDays+8)), time.UTC)))
}

// add adds a record as the server would send it.
func (l *large) add(m record.Common) hlc.ID {
	l.now = l.now.Add(time.Minute)
	stamp := hlc.Stamp{Time: l.clock.Now(), Replica: 5}
	id, err := hlc.NewID(stamp.Time, l.entropy)
	must(err)
	l.put(id, m, stamp)
	return id
}

func (l *large) put(id hlc.ID, m record.Common, stamp hlc.Stamp) {
	k := record.KindOf(m)
	encoded, err := proto.Marshal(m)
	must(err)
	fields, err := record.Canonical(k, encoded)
	must(err)
	made := id
	if len(l.views[id]) > 0 {
		made, err = hlc.NewID(stamp.Time, l.entropy)
		must(err)
	}
	c, err := record.Edit(made, id, k, stamp, l.views[id], fields, nil)
	must(err)
	l.views[id], l.kinds[id] = record.Merge(l.views[id], c.Registers()), k
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func newLarge() *large {
	l := &large{entropy: rand.NewChaCha8([32]byte{7}), views: map[hlc.ID]record.Registers{}, kinds: map[hlc.ID]record.Kind{}, now: start}
	l.clock = hlc.NewClock(func() time.Time { return l.now }, 0)
	area := recordv1.ServiceArea_SERVICE_AREA_PSYCHOLOGICAL_SUPPORT.Enum()
	place := func() *recordv1.Place {
		return &recordv1.Place{Code: proto.String("410621108"), Edition: proto.Int32(2023), Village: proto.String("王庄村")}
	}
	status := func(n int) *recordv1.Status {
		if n%(largeDays+8) > largeDays {
			return recordv1.Status_STATUS_PLANNED.Enum()
		}
		return recordv1.Status_STATUS_HELD.Enum()
	}
	var cases, activities, groups, participants, reviewable []hlc.ID
	for i := range 2000 {
		m := aCase(fmt.Sprintf("WZ-%04d", i))
		m.Team, m.Site, m.Author, m.OccurredOn, m.Place, m.Lead = teamA[:], wangzhuang[:], l.colleague(i/20), l.day(i), place(), l.colleague(i/20)
		m.NextDueOn = l.day(i + 40)
		cases = append(cases, l.add(m))
	}
	for i := range 20_000 {
		m := aSession(cases[i%len(cases)])
		m.Team, m.Site, m.Author, m.OccurredOn, m.Place, m.Status, m.ServiceArea = teamA[:], wangzhuang[:], l.colleague(i%len(cases)/20), l.day(i), place(), status(i), area
		reviewable = append(reviewable, l.add(m))
		if i < 1000 {
			l.add(&recordv1.CaseNote{Session: reviewable[i][:], Team: teamA[:], Author: l.colleague(i), OccurredOn: l.day(i), Process: proto.String(strings.Repeat("谈到洪水那天。", 40))})
		}
	}
	for i := range 100 {
		groups = append(groups, l.add(&recordv1.Group{Team: teamA[:], Author: l.colleague(i), OccurredOn: l.day(0), ServiceArea: area, Name: proto.String("妈妈小组"), Leader: l.colleague(i)}))
	}
	for i := range 18_000 {
		var m record.Common
		switch i % 9 {
		case 0, 1, 2, 3:
			m = &recordv1.Outreach{Team: teamA[:], Site: wangzhuang[:], Author: l.colleague(i), OccurredOn: l.day(i), Place: place(), Status: status(i), ServiceArea: area,
				Households: proto.Uint32(12), Needs: proto.String("棉被、药、取暖")}
		case 4, 5, 6:
			a := activity(fmt.Sprint("心理讲座", i))
			a.Team, a.Site, a.Author, a.OccurredOn, a.Place, a.Status, a.Summary = teamA[:], wangzhuang[:], l.colleague(i), l.day(i), place(), status(i), proto.String("来的人很多，气氛好。")
			m = a
		default:
			m = &recordv1.GroupSession{Team: teamA[:], Site: wangzhuang[:], Author: l.colleague(i), OccurredOn: l.day(i), Place: place(), Status: status(i), ServiceArea: area,
				Group: groups[i%100][:], Number: proto.Uint32(1), Theme: proto.String("相识"), Minutes: proto.Uint32(90)}
		}
		activities = append(activities, l.add(m))
	}
	for i := range 20_000 {
		l.add(&recordv1.Headcount{Team: teamA[:], Author: l.colleague(i), Counter: l.colleague(i), OccurredOn: l.day(i % 18_000), Activity: activities[i%18_000][:], Zone: proto.String("东区"), ServiceArea: area,
			Method: recordv1.CountMethod_COUNT_METHOD_COUNTED.Enum(), Cells: []*recordv1.HeadcountCell{
				{Sex: recordv1.Sex_SEX_FEMALE.Enum(), AgeBand: proto.Uint32(4), FirstTime: proto.Uint32(8), Returning: proto.Uint32(3)},
				{Sex: recordv1.Sex_SEX_MALE.Enum(), AgeBand: proto.Uint32(5), FirstTime: proto.Uint32(5)}}})
	}
	for i := range 1900 {
		participants = append(participants, l.add(&recordv1.Participant{Team: teamA[:], Author: l.colleague(i), OccurredOn: l.day(0), Token: token(byte(i))}))
	}
	for i := range 16_000 {
		l.add(&recordv1.Attendance{Team: teamA[:], Author: l.colleague(i), OccurredOn: l.day(i % 18_000), Activity: activities[i%18_000][:], Participant: participants[i%1900][:], Token: token(byte(i)), ServiceArea: area})
	}
	reviewable = append(reviewable, activities...)
	for i := range 20_000 { // one of ten returns its record, which is then mended but for one of ten
		target := reviewable[i]
		m := &recordv1.Review{Team: teamA[:], Author: zhangMin[:], OccurredOn: l.day(i), Target: target[:], Reviewed: tally.Reviewed(l.kinds[target], l.views[target]),
			Outcome: recordv1.ReviewOutcome_REVIEW_OUTCOME_APPROVED.Enum()}
		if i%10 == 0 {
			m.Outcome, m.Comment = recordv1.ReviewOutcome_REVIEW_OUTCOME_RETURNED.Enum(), proto.String("日期不对。")
		}
		l.add(m)
		if i%10 == 0 && i%100 != 0 {
			mended := record.New(l.kinds[target])
			fields := mended.ProtoReflect().Descriptor().Fields()
			l.now = l.now.Add(time.Minute)
			must(proto.Unmarshal(protowire.AppendVarint(protowire.AppendTag(nil, fields.ByName("occurred_on").Number(), protowire.VarintType), uint64(*l.day(i + 1))), mended))
			l.put(target, mended, hlc.Stamp{Time: l.clock.Now(), Replica: 5})
		}
	}
	for i := range 1000 {
		l.add(&recordv1.Conflict{Team: teamA[:], Author: zhangMin[:], OccurredOn: l.day(i), Target: cases[i][:], TargetKind: recordv1.Kind_KIND_CASE.Enum(), Field: proto.Uint32(16),
			Sides: []*recordv1.ConflictSide{{Author: liWei[:], Time: proto.Uint64(1), Replica: proto.Uint64(1)}, {Author: zhangMin[:], Time: proto.Uint64(2), Replica: proto.Uint64(2)}}, Settled: proto.Bool(i%20 != 0)})
	}
	for id, view := range l.views {
		l.pulled = append(l.pulled, localdb.Pulled{ID: id, Kind: l.kinds[id], State: record.EncodeState(view), Proof: make([]byte, 32)})
	}
	for i := range l.pulled {
		l.pulled[i].Position = uint64(100 + i)
	}
	return l
}

// largeTablet is Li Wei's tablet with a hundred thousand records.
func largeTablet(b *testing.B) *tablet {
	b.Helper()
	tab := enrolled(b, newServer(b), "li-wei")
	tab.sync()
	tab.must(tab.Close())
	db, err := localdb.Open(b.Context(), tab.path, localdb.Options{Key: testKey})
	tab.must(err)
	for page := range slices.Chunk(newLarge().pulled, 5000) {
		tab.must(db.Write(b.Context(), func(tx *localdb.Tx) error {
			t, err := tx.Tablet()
			if err == nil {
				_, err = tx.Pull(t, page, true)
			}
			return err
		}))
	}
	tab.must(db.Close())
	tab.now = start.AddDate(0, 0, largeDays)
	return tab
}

// today reads what the page Today shows.
func today(ctx context.Context, s *clientlib.Store) error {
	var errs [8]error
	var st clientlib.Status
	st, errs[0] = s.Status(ctx)
	var activities []clientlib.Activity
	activities, errs[1] = s.Activities(ctx, largeToday)
	var planned clientlib.Page
	planned, errs[2] = s.List(ctx, clientlib.Query{
		Kinds: []record.Kind{recordv1.Kind_KIND_OUTREACH, recordv1.Kind_KIND_GROUP_SESSION, recordv1.Kind_KIND_COMMUNITY_ACTIVITY},
		From:  record.DateOf(start.AddDate(0, 0, largeDays+1), time.UTC), To: record.DateOf(start.AddDate(0, 0, largeDays+7), time.UTC),
	})
	var returned []clientlib.Returned
	returned, errs[3] = s.Returned(ctx)
	var held []clientlib.HeldChange
	held, errs[4] = s.Held(ctx)
	var conflicts []clientlib.Conflict
	conflicts, errs[5] = s.Conflicts(ctx)
	var forms []clientlib.Form
	forms, errs[6] = s.Forms(ctx)
	var cases []clientlib.CaseLine
	cases, errs[7] = s.Cases(ctx, clientlib.CaseQuery{Mine: true})
	if st.Records < 100_000 || len(activities) < 100 || len(planned.Records) == 0 || len(returned) < 10 || len(conflicts) != 50 || len(held)+len(forms) > 0 || len(cases) != 200 {
		errs[0] = fmt.Errorf("%d records, %d activities, %d planned, %d returned, %d held, %d conflicts, %d forms, %d cases: %w", st.Records,
			len(activities), len(planned.Records), len(returned), len(held), len(conflicts), len(forms), len(cases), errs[0])
	}
	return errors.Join(errs[:]...)
}

// readToday is a program that opens a file, reads what the page Today shows, and says how much memory it took, in bytes.
func readToday(path string) {
	s, err := clientlib.Open(context.Background(), path, clientlib.Options{Key: testKey, Wall: func() time.Time { return start.AddDate(0, 0, largeDays) }})
	must(err)
	must(today(context.Background(), s))
	heap, most := memory()
	fmt.Println(heap, most)
	must(s.Close())
}

// memory is how much a program that has just started holds at most: of Go's heap now, and of everything ever.
func memory() (heap, most uint64) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return m.HeapInuse, 0 // no Linux
	}
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, _ := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(text), " kB"), 10, 64)
			most = kb << 10
		}
	}
	return m.HeapInuse, most
}

// took runs a benchmark, and reports besides its time that of the processor, which does not grow when the machine is busy with
// something else. What is done after each round is not counted.
func took(b *testing.B, f, after func()) {
	var used time.Duration
	for b.Loop() {
		used += cputime.Of(f)
		b.StopTimer()
		after()
		b.StartTimer()
	}
	b.ReportMetric(float64(used.Microseconds())/1000/float64(b.N), "cpu-ms/op")
}

// BenchmarkToday opens a file of a hundred thousand records and reads what the page Today needs.
func BenchmarkToday(b *testing.B) {
	tab := largeTablet(b)
	closing := func() { tab.must(tab.Close()) }
	b.Run("memory", func(b *testing.B) {
		exe, err := os.Executable()
		tab.must(err)
		for b.Loop() {
			cmd := exec.CommandContext(b.Context(), exe)
			cmd.Env = append(os.Environ(), "LEVEE_TEST_TODAY="+tab.path)
			out, err := cmd.Output()
			tab.must(err)
			var heap, most float64
			_, err = fmt.Sscan(string(out), &heap, &most)
			tab.must(err)
			b.ReportMetric(heap/1e6, "heap-MB")
			b.ReportMetric(most/1e6, "most-MB") // of 80
		}
	})
	b.Run("open", func(b *testing.B) {
		took(b, tab.open, closing)
	})
	b.Run("open and read", func(b *testing.B) {
		took(b, func() {
			tab.open()
			tab.must(today(b.Context(), tab.Store))
		}, closing)
		b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(todayBound), "of-bound")
	})
	tab.open()
	defer closing()
	ctx := b.Context()
	for name, f := range map[string]func() error{
		"Status":     func() error { _, err := tab.Status(ctx); return err },
		"Activities": func() error { _, err := tab.Activities(ctx, largeToday); return err },
		"Returned":   func() error { _, err := tab.Returned(ctx); return err },
		"Held":       func() error { _, err := tab.Held(ctx); return err },
		"Conflicts":  func() error { _, err := tab.Conflicts(ctx); return err },
		"Forms":      func() error { _, err := tab.Forms(ctx); return err },
		"MyCases":    func() error { _, err := tab.MyCases(ctx); return err },
		"Cases mine": func() error { _, err := tab.Cases(ctx, clientlib.CaseQuery{Mine: true}); return err },
		"Cases all":  func() error { _, err := tab.Cases(ctx, clientlib.CaseQuery{}); return err },
		"Owed":       func() error { _, err := tab.Owed(ctx); return err },
		"Drafts":     func() error { _, err := tab.Drafts(ctx); return err },
		"List page":  func() error { _, err := tab.List(ctx, clientlib.Query{}); return err },
	} {
		b.Run(name, func(b *testing.B) {
			took(b, func() { tab.must(f()) }, func() {})
		})
	}
	tab.must(tab.ChangeKey(ctx, testKey, clientlib.PIN("735194")))
	b.Run("PIN", func(b *testing.B) { // argon2id, on top of what opening with a key of the machine takes
		took(b, func() { tab.must(tab.Verify(ctx, clientlib.PIN("735194"))) }, func() {})
	})
	b.Run("page", func(b *testing.B) {
		page := largePages(b, tab)
		took(b, func() { page() }, func() {})
		b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(todayBound), "of-bound")
		b.ReportMetric(float64(page()), "page-bytes")
	})
}

// todayBound is how long it may take from opening a file to the page Today.
const todayBound = 300 * time.Millisecond

// largePages signs in on the tablet's pages, and asks for the page Today; that says how large it is.
func largePages(b *testing.B, tab *tablet) func() int {
	b.Helper()
	ui, err := tabletui.New(tabletui.Config{
		Folder: filepath.Dir(tab.path), Options: clientlib.Options{Wall: func() time.Time { return tab.now }, Transport: tab.net},
		Syncing: clientlib.SyncerOptions{After: func(time.Duration) <-chan time.Time { return nil }},
	})
	tab.must(err)
	b.Cleanup(func() { tab.must(ui.Close()) })
	l, err := (&net.ListenConfig{}).Listen(b.Context(), "tcp", "127.0.0.1:0")
	tab.must(err)
	b.Cleanup(func() { tab.must(l.Close()) })
	link, err := ui.Link(l)
	tab.must(err)
	var cookies []*http.Cookie
	do := func(method, path string, form url.Values) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(b.Context(), method, path, strings.NewReader(form.Encode()))
		r.Host = l.Addr().String()
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for _, c := range cookies {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		ui.Handler().ServeHTTP(w, r)
		return w
	}
	_, code, _ := strings.Cut(link, "#")
	cookies = do(http.MethodPost, "/enter", url.Values{"code": {code}}).Result().Cookies()
	do(http.MethodPost, "/sign-in", url.Values{"profile": {"tablet"}, "pin": {"735194"}})
	return func() int {
		w := do(http.MethodGet, "/", nil)
		if w.Code != http.StatusOK {
			b.Fatalf("%d: %s", w.Code, w.Body)
		}
		return w.Body.Len()
	}
}
