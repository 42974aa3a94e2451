package clientlib_test

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// anAlert is a risk alert with all that it needs to count, and more.
func anAlert(done string) *recordv1.RiskAlert {
	return &recordv1.RiskAlert{
		Type: recordv1.RiskType_RISK_TYPE_SUICIDE_OR_SELF_HARM.Enum(), Level: recordv1.RiskLevel_RISK_LEVEL_RED.Enum(), Done: &done, ReportedTo: proto.String(secret + "派出所"),
		ServiceArea: recordv1.ServiceArea_SERVICE_AREA_PSYCHOLOGICAL_SUPPORT.Enum(), SupervisorTold: recordv1.SupervisorTold_SUPERVISOR_TOLD_PHONE.Enum(),
	}
}

// onDuty gives the deployment emergency numbers and a duty list.
func (s *fakeServer) onDuty() {
	s.set(zhangMin, &recordv1.Worker{Phone: proto.String("13800000002")})
	s.set(s.deployment, &recordv1.Deployment{
		DutyList: [][]byte{zhangMin[:], liWei[:]}, EscalationMinutes: proto.Uint32(15),
		EmergencyNumbers: []*recordv1.EmergencyNumber{{LabelZh: proto.String("急救"), LabelEn: proto.String("Ambulance"), Number: proto.String("120")}},
	})
}

// card is the emergency card beside a tablet's file.
func (tab *tablet) card() clientlib.EmergencyCard {
	tab.t.Helper()
	card, err := clientlib.Emergency(tab.path)
	tab.must(err)
	return card
}

// alerts are the risk alerts that a tablet shows.
func (tab *tablet) alerts() []clientlib.AlertLine {
	tab.t.Helper()
	lines, err := tab.Alerts(tab.t.Context())
	tab.must(err)
	return lines
}

// beside are the names of the files of alerts beside a tablet's file.
func (tab *tablet) beside() (names []string) {
	tab.t.Helper()
	for name := range filesOf(tab.t, tab.path) {
		if strings.Contains(name, ".alert-") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Where nobody is on duty, whoever supervises the team is phoned, and then the coordinators; not those of another team, nor without a phone.
func TestWithoutADutyListTheSupervisorsAreOnTheCard(t *testing.T) {
	s := newServer(t)
	other := testID(3, 9)
	for i, w := range []*recordv1.Worker{
		{Name: proto.String("周协调"), Role: recordv1.Role_ROLE_COORDINATOR.Enum(), Phone: proto.String("13800000003")},
		{Name: proto.String("赵督导"), Role: recordv1.Role_ROLE_SUPERVISOR.Enum(), Phone: proto.String("13800000004"), Team: other[:], Supervises: [][]byte{teamA[:]}},
		{Name: proto.String("钱督导"), Role: recordv1.Role_ROLE_SUPERVISOR.Enum(), Phone: proto.String("13800000005"), Team: other[:]},
		{Name: proto.String("孙督导"), Role: recordv1.Role_ROLE_SUPERVISOR.Enum(), Team: teamA[:]},
		{Name: proto.String("吴队员"), Phone: proto.String("13800000006"), Team: teamA[:]},
	} {
		s.set(testID(4, byte(20+i)), w)
	}
	tab := newTablet(t, s, 1)
	tab.must(tab.Enrol(t.Context(), s.code("http://levee.test", "li-wei")))
	want := []clientlib.DutyPerson{{Name: "赵督导", Phone: "13800000004"}, {Name: "周协调", Phone: "13800000003"}}
	if card := tab.card(); !slices.Equal(card.Duty, want) {
		t.Errorf("%+v", card.Duty)
	}
}

func TestTheEmergencyCardTellsWhomToPhone(t *testing.T) {
	s := newServer(t)
	s.onDuty()
	tab := newTablet(t, s, 1)
	if card := tab.card(); card.Deployment != "" || len(card.Numbers)+len(card.Duty)+len(card.Alerts) > 0 {
		t.Errorf("before enrolment: %+v", card)
	}
	tab.must(tab.Enrol(t.Context(), s.code("http://levee.test", "li-wei")))
	card := tab.card()
	if card.Deployment != "河南" || card.EscalationMinutes != 15 ||
		!slices.Equal(card.Numbers, []clientlib.EmergencyNumber{{LabelZH: "急救", LabelEN: "Ambulance", Number: "120"}}) ||
		!slices.Equal(card.Duty, []clientlib.DutyPerson{{Name: "张敏", Phone: "13800000002"}, {Name: "李伟"}}) {
		t.Errorf("%+v", card)
	}
	s.set(zhangMin, &recordv1.Worker{Phone: proto.String("13800000009")})
	tab.sync()
	if card := tab.card(); card.Duty[0].Phone != "13800000009" {
		t.Errorf("after a sync: %+v", card)
	}
	// A card that is damaged, or away, is made anew when the file is opened.
	path := tab.path + ".emergency"
	whole, err := os.ReadFile(path)
	tab.must(err)
	for _, damaged := range []string{"", "{", strings.Replace(string(whole), "13800000009", "13800000008", 1)} {
		tab.must(os.WriteFile(path, []byte(damaged), 0o600))
		if card := tab.card(); len(card.Duty) > 0 {
			t.Errorf("damaged: %+v", card)
		}
		tab.reopen()
		if again, err := os.ReadFile(path); err != nil || string(again) != string(whole) {
			t.Errorf("opened: %s", again)
		}
	}
	before, err := os.Stat(path)
	tab.must(err)
	if before.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v", before.Mode())
	}
	tab.reopen()
	if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) {
		t.Error("a card that says the same was written again")
	}
}

func TestTheEmergencyCardTellsHowFarAlertsAre(t *testing.T) {
	s := newServer(t)
	ctx := t.Context()
	s.durable = false
	tab, mate := enrolled(t, s, "li-wei"), enrolled(t, s, "zhang-min")
	theirs, err := mate.LogRiskAlert(ctx, anAlert("已陪同"))
	mate.must(err)
	mate.sync()
	tab.now = tab.now.Add(time.Minute)
	id, err := tab.LogRiskAlert(ctx, anAlert("已陪同"))
	tab.must(err)
	states := func(when string, want clientlib.AlertState) {
		t.Helper()
		alerts := tab.card().Alerts
		if len(alerts) != 1 || alerts[0].ID != id || alerts[0].Level != recordv1.RiskLevel_RISK_LEVEL_RED || !alerts[0].Seen.Equal(tab.now) || alerts[0].Waiting || alerts[0].Code != "" ||
			alerts[0].Sending != want.Sending || alerts[0].ConfirmedBy != want.ConfirmedBy || !alerts[0].ConfirmedAt.Equal(want.ConfirmedAt) {
			t.Errorf("%s: %+v", when, alerts)
		}
	}
	states("logged", clientlib.AlertState{Sending: clientlib.Unsent})
	tab.sync()
	states("sent", clientlib.AlertState{Sending: clientlib.Sent})
	s.durable = true
	at := start.Add(time.Hour)
	s.set(id, &recordv1.RiskAlert{AcknowledgedBy: zhangMin[:], AcknowledgedAt: proto.Int64(at.UnixMilli())})
	tab.sync()
	states("confirmed", clientlib.AlertState{Sending: clientlib.Durable, ConfirmedBy: "张敏", ConfirmedAt: at})

	// Who is signed in sees team mates' too.
	lines := tab.alerts()
	if len(lines) != 2 || lines[0].ID != id || lines[0].ConfirmedBy != "张敏" || !lines[0].ConfirmedAt.Equal(at) || lines[0].Sending != clientlib.Durable ||
		lines[1].ID != theirs || lines[1].ConfirmedBy != "" || !lines[1].ConfirmedAt.IsZero() || lines[1].Sending != clientlib.Received {
		t.Errorf("Alerts = %+v", lines)
	}

	tab.must(tab.Delete(ctx, id))
	if card := tab.card(); len(card.Alerts) > 0 {
		t.Errorf("deleted: %+v", card.Alerts)
	}
	tab.must(tab.Restore(ctx, id))
	states("restored", clientlib.AlertState{Sending: clientlib.Unsent, ConfirmedBy: "张敏", ConfirmedAt: at})
	tab.must(tab.Update(ctx, id, &recordv1.RiskAlert{ClosedOn: proto.Int32(20210923)}))
	if card := tab.card(); len(card.Alerts) > 0 || len(tab.alerts()) != 1 {
		t.Errorf("closed: %+v", card.Alerts)
	}
}

func TestAnAlertIsTakenWithoutTheKeyAndReadByNobodyElse(t *testing.T) {
	s := newServer(t)
	s.onDuty()
	tab := enrolled(t, s, "li-wei")
	subject, err := tab.LogCase(t.Context(), aCase("WZ-001"))
	tab.must(err)
	tab.must(tab.Close())
	m := anAlert(secret + "已陪同王秀英")
	m.Subject = subject[:]
	m.Place = &recordv1.Place{Village: proto.String(secret + "小寨村")}
	taken := testID(9, 1)
	seen := start.Add(time.Hour)
	tab.must(clientlib.TakeAlert(tab.path, taken, m, seen))
	if m.SeenAt != nil {
		t.Error("the message handed in was changed")
	}
	if alerts := tab.card().Alerts; len(alerts) != 1 || !alerts[0].Waiting || alerts[0].ID != taken || !alerts[0].Seen.Equal(seen) ||
		alerts[0].Level != recordv1.RiskLevel_RISK_LEVEL_RED || alerts[0].Sending != clientlib.Unsent || alerts[0].Code != "" {
		t.Errorf("waiting: %+v", alerts)
	}
	unreadable := func(when string) {
		t.Helper()
		search(t, when, filepath.Dir(tab.path), []string{m.GetDone(), m.GetReportedTo(), m.GetPlace().GetVillage()})
		for name, content := range filesOf(t, tab.path) {
			if !strings.HasSuffix(name, ".emergency") && !strings.Contains(name, ".alert-") {
				continue
			}
			if foundIn([]byte(content), string(subject[:])) || foundIn([]byte(content), subject.String()) {
				t.Errorf("%s: whom it is about lies in %s", when, name)
			}
			var file map[string]any
			tab.must(json.Unmarshal([]byte(content), &file))
			fields := slices.Collect(maps.Keys(file))
			if alerts, _ := file["alerts"].([]any); len(alerts) > 0 {
				fields = append(fields, slices.Collect(maps.Keys(alerts[0].(map[string]any)))...)
			}
			for _, field := range fields {
				if !slices.Contains([]string{"version", "deployment", "time_zone", "numbers", "duty", "escalation_minutes", "key", "clock_offset", "last_contact", "alerts", "sum",
					"id", "seen", "level", "sending", "sealed"}, field) {
					t.Errorf("%s: %s says its %s", when, name, field)
				}
			}
			info, err := os.Stat(filepath.Join(filepath.Dir(tab.path), name))
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: others may read %s: %v, %v", when, name, info.Mode(), err)
			}
		}
	}
	unreadable("waiting")
	tab.now = start.Add(30 * time.Hour)
	tab.open()
	unreadable("logged")
	lines := tab.alerts()
	if len(lines) != 1 || len(tab.beside()) > 0 {
		t.Fatalf("logged %+v, and %v is left", lines, tab.beside())
	}
	got := lines[0].Message
	if got.GetDone() != m.GetDone() || got.GetReportedTo() != m.GetReportedTo() || string(got.GetSubject()) != string(subject[:]) || got.GetType() != m.GetType() ||
		got.GetSeenAt() != seen.UnixMilli() || got.GetOccurredOn() != 20210923 || got.GetEntry() != recordv1.Entry_ENTRY_LIVE || string(got.GetAuthor()) != string(liWei[:]) || len(lines[0].Missing) > 0 {
		t.Errorf("%+v, missing %v", got, lines[0].Missing)
	}
	if alerts := tab.card().Alerts; len(alerts) != 1 || alerts[0].Waiting || alerts[0].ID != lines[0].ID {
		t.Errorf("on the card: %+v", alerts)
	}
}

// Whenever the program is killed, and however often the button is pressed, an alert is one.
func TestAnAlertTakenWithoutTheKeyIsLoggedOnce(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	tab.must(tab.Close())
	first, second := testID(9, 1), testID(9, 2)
	for range 2 {
		tab.must(clientlib.TakeAlert(tab.path, first, anAlert("第一次"), start))
	}
	tab.must(clientlib.TakeAlert(tab.path, second, anAlert("另一个"), start.Add(time.Minute)))
	tab.must(clientlib.TakeAlert(tab.path, first, anAlert("改过"), start))
	says := func(when string, want ...string) {
		t.Helper()
		var said []string
		for _, line := range tab.alerts() {
			said = append(said, line.Message.GetDone())
		}
		if !slices.Equal(said, want) {
			t.Errorf("%s: %q", when, said)
		}
	}
	waiting := filesOf(t, tab.path)
	back := func() {
		for name, content := range waiting {
			if strings.Contains(name, ".alert-") {
				tab.must(os.WriteFile(filepath.Join(filepath.Dir(tab.path), name), []byte(content), 0o600))
			}
		}
	}
	tab.open()
	says("opened", "另一个", "改过")
	unsent := tab.status().Unsent
	back() // as a kill after they were logged and before they were removed leaves it
	tab.reopen()
	says("killed", "另一个", "改过")
	if tab.status().Unsent != unsent || len(tab.beside()) > 0 {
		t.Errorf("%d changes, and %v is left", tab.status().Unsent-unsent, tab.beside())
	}
	// A page that was left open is sent once more, with more on it.
	tab.must(clientlib.TakeAlert(tab.path, first, anAlert("送到医院"), start.Add(time.Hour)))
	tab.sync() // the store is open: it need not be opened again
	says("sent again", "另一个", "送到医院")
	if st := tab.status(); st.Unsent != 0 || len(tab.beside()) > 0 {
		t.Errorf("%+v, and %v is left", st, tab.beside())
	}
	// Who deleted it meant that.
	tab.must(tab.Delete(t.Context(), tab.alerts()[1].ID))
	back()
	tab.reopen()
	says("deleted", "另一个")
	if len(tab.beside()) > 0 {
		t.Errorf("%v is left", tab.beside())
	}
}

func TestAnAlertIsTakenByAWrongClock(t *testing.T) {
	s := newServer(t)
	ctx := t.Context()
	tab := enrolled(t, s, "li-wei")
	tab.sync()
	for i, clock := range []time.Time{time.Unix(0, 0), start.AddDate(30, 0, 0), start.AddDate(-1, 0, 0)} {
		tab.must(clientlib.TakeAlert(tab.path, testID(9, byte(i)), anAlert("已陪同"), clock))
	}
	// A tablet that knows by how much its clock is wrong corrects that.
	tab.now = start.Add(-48 * time.Hour)
	tab.sync()
	tab.must(clientlib.TakeAlert(tab.path, testID(9, 100), anAlert("已陪同"), tab.now.Add(30*time.Minute)))
	tab.reopen()
	lines := tab.alerts()
	if len(lines) != 4 {
		t.Fatalf("%d alerts were logged; %+v", len(lines), tab.card().Alerts)
	}
	for _, line := range lines {
		seen := time.UnixMilli(line.Message.GetSeenAt())
		if seen.Before(start.Add(-time.Hour)) || seen.After(start.Add(time.Hour)) || line.Message.GetOccurredOn() != 20210923 {
			t.Errorf("seen at %v, on %d", seen, line.Message.GetOccurredOn())
		}
	}
	if got := time.UnixMilli(lines[0].Message.GetSeenAt()); !got.Equal(start.Add(30 * time.Minute)) {
		t.Errorf("by a clock that is known to be wrong: %v", got)
	}
	_, err := tab.Sync(ctx, nil)
	tab.must(err)
	if st := tab.status(); st.Held != 0 || st.Unsent != 0 {
		t.Errorf("%+v", st)
	}
}

// What is damaged, or sealed to another key, is kept, told, and stands in nobody's way.
func TestAlertsThatCantBeReadAreKept(t *testing.T) {
	s := newServer(t)
	tab, other := enrolled(t, s, "li-wei"), newOtherKey(t, s)
	alert := func(n byte) string { return tab.path + ".alert-" + strings.ReplaceAll(testID(9, n).String(), "-", "") }
	take := func(path string, n byte) string {
		tab.must(clientlib.TakeAlert(path, testID(9, n), anAlert("已陪同"), start))
		content, err := os.ReadFile(path + filepath.Base(alert(n))[len(filepath.Base(tab.path)):])
		tab.must(err)
		return string(content)
	}
	good := take(tab.path, 1)
	for n, content := range map[byte]string{2: "", 3: good[:len(good)/2], 4: take(other.path, 4), 5: good, 6: `{"version":1}`} { // 5: another's, renamed
		tab.must(os.WriteFile(alert(n), []byte(content), 0o600))
	}
	tab.must(os.WriteFile(alert(7)+".new", []byte(good[:10]), 0o600)) // a write that was cut short: the alert was never taken
	tab.reopen()
	if lines := tab.alerts(); len(lines) != 1 {
		t.Errorf("%d alerts were logged", len(lines))
	}
	unread := func() (ids []hlc.ID) {
		for _, a := range tab.card().Alerts {
			if a.Waiting && a.Code == clientlib.CodeAlertDamaged {
				ids = append(ids, a.ID)
			}
		}
		return ids
	}
	if got := unread(); len(got) != 5 {
		t.Errorf("the card tells of %v", got)
	}
	for n, content := range map[byte]string{2: "", 3: good[:len(good)/2], 5: good} {
		if kept, err := os.ReadFile(alert(n) + ".unread-1"); err != nil || string(kept) != content {
			t.Errorf("alert %d is not kept: %v", n, err)
		}
	}
	tab.must(os.WriteFile(alert(2), []byte("x"), 0o600))
	tab.must(clientlib.TakeAlert(tab.path, testID(9, 3), anAlert("又一次"), start))
	tab.reopen()
	if kept, err := os.ReadFile(alert(2) + ".unread-1"); err != nil || string(kept) != "" || len(unread()) != 6 || len(tab.alerts()) != 2 {
		t.Errorf("one put aside took the place of another: %q, %v; %v", kept, err, unread())
	}
	for _, lang := range []string{"zh", "en"} {
		if clientlib.Message(&clientlib.Error{Code: clientlib.CodeAlertDamaged}, lang) == "" {
			t.Errorf("nothing is said in %s", lang)
		}
	}
}

// newOtherKey is a tablet whose file has a key of its own.
func newOtherKey(t *testing.T, s *fakeServer) *tablet {
	t.Helper()
	path := filepath.Join(t.TempDir(), "other.db")
	store, err := clientlib.Open(t.Context(), path, clientlib.Options{
		Key: testKey, Wall: func() time.Time { return start }, Transport: &network{server: s.http}, Entropy: rand.NewChaCha8([32]byte{99}),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	tab := &tablet{Store: store, t: t, path: path, now: start}
	tab.must(tab.Enrol(t.Context(), s.code("http://levee.test", "zhang-min")))
	return tab
}

func TestAnAlertThatIsRefusedWaitsAndSaysWhy(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	m := anAlert("已陪同")
	m.Place = &recordv1.Place{Code: proto.String("410781106"), Edition: proto.Int32(2023)} // no site is there yet
	tab.must(clientlib.TakeAlert(tab.path, testID(9, 1), m, start))
	gone := testID(5, 77)
	of := anAlert("个案已不在本机")
	of.Subject = gone[:]
	tab.must(clientlib.TakeAlert(tab.path, testID(9, 2), of, start))
	for range 2 {
		tab.reopen()
		if alerts := tab.card().Alerts; len(alerts) != 2 || alerts[0].Waiting == alerts[1].Waiting || alerts[0].Code+alerts[1].Code != string(record.CodeUnknownPlace) {
			t.Errorf("refused: %+v", alerts)
		}
	}
	if lines := tab.alerts(); len(lines) != 1 || lines[0].Message.Subject != nil {
		t.Errorf("about a case that is not here: %+v", lines)
	}
	s.set(testID(2, 3), &recordv1.Site{Name: proto.String("上乐村镇"), Place: &recordv1.Place{Code: proto.String("410781106"), Edition: proto.Int32(2023)}})
	tab.sync()
	tab.sync()
	if lines := tab.alerts(); len(lines) != 2 || len(tab.beside()) > 0 || tab.status().Unsent > 0 {
		t.Errorf("mended: %+v, and %v is left", lines, tab.beside())
	}

	bad := anAlert("已陪同\x00")
	if err := clientlib.TakeAlert(tab.path, testID(9, 3), bad, start); clientlib.Code(err) != string(record.CodeControlCharacter) {
		t.Errorf("what can be mended now: %v", err)
	}
	if err := clientlib.TakeAlert(tab.path, testID(9, 3), anAlert(strings.Repeat("长", 1<<20)), start); err == nil {
		t.Error("what no change can hold was taken")
	}
	if err := clientlib.TakeAlert(newTablet(t, s, 9).path, testID(9, 3), anAlert("已陪同"), start); clientlib.Code(err) != clientlib.CodeKeyNeeded {
		t.Errorf("without a card: %v", err)
	}
	if len(tab.beside()) > 0 {
		t.Errorf("%v is left", tab.beside())
	}
}

// Each worker's alerts wait beside their own file, and no other's card shows them or is touched.
func TestWorkersWhoShareATabletDoNotSeeEachOthersAlerts(t *testing.T) {
	s := newServer(t)
	ctx := t.Context()
	folder := t.TempDir()
	keys := []clientlib.Key{clientlib.HostKey([32]byte{1}), clientlib.HostKey([32]byte{2})}
	li := profileOf(t, s, folder, "li", keys[0])
	li.must(li.Enrol(ctx, s.code("http://levee.test", "li-wei")))
	liu := profileOf(t, s, folder, "li u", keys[1])
	liu.must(liu.Enrol(ctx, s.code("http://levee.test", "zhang-min")))
	li.must(clientlib.TakeAlert(li.path, testID(9, 1), anAlert("李伟的"), start))
	before := filesOf(t, li.path)
	if len(li.card().Alerts) != 1 || len(liu.card().Alerts) != 0 {
		t.Errorf("%+v and %+v", li.card().Alerts, liu.card().Alerts)
	}
	liu.sync()
	liu.must(liu.Close())
	liu = profileOf(t, s, folder, "li u", keys[1])
	if len(liu.alerts()) != 0 {
		t.Errorf("%+v", liu.alerts())
	}
	s.revoke(liu.status().Device)
	if _, err := liu.Sync(ctx, nil); clientlib.Code(err) != isRevoked {
		t.Errorf("Sync: %v", err)
	}
	for name, content := range filesOf(t, li.path) {
		if before[name] != content {
			t.Errorf("%s was touched", name)
		}
	}
	li.sync()
	if len(li.alerts()) != 1 || len(li.beside()) > 0 {
		t.Errorf("%+v, and %v is left", li.alerts(), li.beside())
	}
}

// A tablet that was revoked hands over the alerts that wait, too; then nothing of them, or of the card, is left.
func TestARevokedTabletHandsOverItsAlerts(t *testing.T) {
	s := newServer(t)
	s.onDuty()
	tab := enrolled(t, s, "li-wei")
	tab.must(clientlib.TakeAlert(tab.path, testID(9, 1), anAlert("登录前"), start))
	s.revoke(tab.status().Device)
	// One more is taken while the server answers, when the tablet has just learned it.
	once := true
	tab.net.after = func() {
		if once {
			once = false
			tab.must(clientlib.TakeAlert(tab.path, testID(9, 2), anAlert("同步时"), start))
		}
	}
	tab.must(os.WriteFile(tab.path+".alert-00", []byte("?"), 0o600))
	if result, err := tab.Sync(t.Context(), nil); clientlib.Code(err) != isRevoked || result.Sent != 2 {
		t.Errorf("Sync = %+v, %v", result, err)
	}
	if s.heldAsRevoked() != 2 {
		t.Errorf("the server holds %d changes", s.heldAsRevoked())
	}
	for name := range filesOf(t, tab.path) {
		if strings.Contains(name, ".alert-") || strings.Contains(name, ".emergency") {
			t.Errorf("%s is left", name)
		}
	}
	if card := tab.card(); len(card.Duty) > 0 {
		t.Errorf("%+v", card)
	}
	if err := clientlib.TakeAlert(tab.path, testID(9, 3), anAlert("太晚了"), start); clientlib.Code(err) != clientlib.CodeKeyDestroyed {
		t.Errorf("an alert afterwards: %v", err)
	}
	tab.isDestroyed()
}

// A tablet that was cut while it handed over takes no more records, but an alert all the same.
func TestARevokedTabletTakesAlertsUntilItIsDestroyed(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	for range 500 { // two requests
		_, err := tab.LogCommunityActivity(t.Context(), activity("场"))
		tab.must(err)
	}
	s.revoke(tab.status().Device)
	requests := 0
	tab.net.fault = func() fault {
		if requests++; requests > 1 {
			return requestLost
		}
		return fine
	}
	if _, err := tab.Sync(t.Context(), nil); clientlib.Code(err) != "unavailable" || !tab.status().Revoked {
		t.Fatalf("Sync: %v", err)
	}
	tab.net.fault = nil
	tab.must(clientlib.TakeAlert(tab.path, testID(9, 1), anAlert("停用后"), start))
	tab.reopen()
	if _, err := tab.Sync(t.Context(), nil); clientlib.Code(err) != isRevoked || s.heldAsRevoked() != 501 {
		t.Errorf("Sync: %v; the server holds %d changes", err, s.heldAsRevoked())
	}
}

// Who leaves takes no alert along that nobody knows of. Then the card goes with the key.
func TestWhoLeavesLeavesNoAlertWaiting(t *testing.T) {
	s := newServer(t)
	ctx := t.Context()
	tab := enrolled(t, s, "li-wei")
	refused := anAlert("已陪同")
	refused.Place = &recordv1.Place{Code: proto.String("410781106"), Edition: proto.Int32(2023)}
	tab.must(clientlib.TakeAlert(tab.path, testID(9, 1), refused, start))
	wantCode(t, "with one that is refused", tab.Leave(ctx), clientlib.CodeUnsafeChanges)
	tab.must(clientlib.TakeAlert(tab.path, testID(9, 1), anAlert("已陪同"), start))
	wantCode(t, "with one that can be logged", tab.Leave(ctx), clientlib.CodeUnsafeChanges)
	if lines := tab.alerts(); len(lines) != 1 {
		t.Errorf("%+v", lines)
	}
	tab.sync()
	tab.must(os.WriteFile(tab.path+".alert-"+strings.Repeat("0a", 16), []byte("?"), 0o600)) // nobody ever reads that
	tab.must(tab.Leave(ctx))
	if card := tab.card(); card.Deployment != "" || len(card.Alerts)+len(tab.beside()) > 0 {
		t.Errorf("left: %+v, %v", card, tab.beside())
	}
}

// A rescued file has the key that alerts wait for.
func TestAnAlertOutlivesARescue(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	for range 60 {
		_, err := tab.LogCommunityActivity(t.Context(), activity("场"))
		tab.must(err)
	}
	tab.must(tab.Close())
	tab.must(clientlib.TakeAlert(tab.path, testID(9, 1), anAlert("救援前"), start))
	content, err := os.ReadFile(tab.path)
	tab.must(err)
	tab.must(os.WriteFile(tab.path, content[:len(content)-4*4096], 0o600))
	_, err = tab.rescue()
	tab.must(err)
	tab.open()
	if lines := tab.alerts(); len(lines) != 1 || lines[0].Message.GetDone() != "救援前" {
		t.Errorf("%+v", lines)
	}
}
