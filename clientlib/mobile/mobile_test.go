package mobile

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	"levee/clientlib/internal/fakeserver"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/wire"
	"levee/syncproto/words"
)

// clock goes on by a second each time it is read.
type clock struct{ now time.Time }

func (c *clock) wall() time.Time {
	c.now = c.now.Add(time.Second)
	return c.now
}

// newServer is a server, with a tablet of 王芳's that is not enrolled yet.
func newServer(t *testing.T) (*Tablet, *fakeserver.Server) {
	t.Helper()
	c := &clock{time.Date(2021, 10, 14, 1, 0, 0, 0, time.UTC)} // 09:00 in Henan
	server := fakeserver.New(t, c.wall)
	store, err := clientlib.Open(t.Context(), filepath.Join(t.TempDir(), "tablet.db"), clientlib.Options{
		Key: clientlib.HostKey([32]byte{1}), Wall: c.wall, Entropy: rand.NewChaCha8([32]byte{1}), Transport: server, App: "levee-test/1",
	})
	if err != nil {
		t.Fatal(err)
	}
	tab := newTablet(store, words.In("en"))
	t.Cleanup(func() { _ = tab.Close() })
	return tab, server
}

func enrolledTablet(t *testing.T) (*Tablet, *fakeserver.Server) {
	t.Helper()
	tab, server := newServer(t)
	if err := tab.Enrol(server.Code("wang-fang")); err != nil {
		t.Fatal(err)
	}
	return tab, server
}

// object reads what a call returned.
func object(t *testing.T) func(text string, err error) map[string]any {
	return func(text string, err error) map[string]any {
		t.Helper()
		var o map[string]any
		if err == nil {
			err = json.Unmarshal([]byte(text), &o)
		}
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
}

func wantCode(t *testing.T, err error, code, fields string) {
	t.Helper()
	if err == nil || ErrorCode(err.Error()) != code || ErrorFields(err.Error()) != fields || ErrorSentence(err.Error()) == "" {
		t.Errorf("%v, want %s of %q", err, code, fields)
	}
}

// A day's work, from the code to what the server has of it.
func TestADayThroughTheFacade(t *testing.T) {
	tab, _ := newServer(t)
	get := object(t)
	if st := get(tab.Status()); st["enrolled"] != false {
		t.Errorf("before enrolment: %v", st)
	}
	_, err := tab.Log("", "case", "{}")
	wantCode(t, err, "not_enrolled", "")
	wantCode(t, tab.Enrol("not a code"), "enrolment_code_invalid", "")
	if err := tab.EnrolTyped("http://levee.test", wire.EnrolmentCode{Secret: fakeserver.TypedSecret}.Typed()); err != nil {
		t.Fatal(err)
	}
	if st := get(tab.Status()); st["enrolled"] != true || st["worker"].(map[string]any)["name"] != "王芳" || st["role"] != "field_worker" {
		t.Errorf("enrolled: %v", st)
	}

	form, err := tab.MakeForm()
	if err != nil {
		t.Fatal(err)
	}
	if err := tab.SaveForm(form, "case", "", "half of it"); err != nil {
		t.Fatal(err)
	}
	if forms := get(tab.Forms())["forms"].([]any); len(forms) != 1 || forms[0].(map[string]any)["values"] != "half of it" {
		t.Errorf("forms %v", forms)
	}
	made := get(tab.Log(form, "case", `{"case_no": "W-1", "client_type": "individual", "client_count": 1, "service_area": "16"}`))
	id := made["id"].(string)
	if again := get(tab.Log(form, "case", `{"case_no": "W-1"}`)); again["id"] != id {
		t.Errorf("logged twice: %v and %v", id, again["id"])
	}
	wantCode(t, tab.SaveForm(form, "case", "", "late"), "form_done", "")

	p := get(tab.Preview("case_session", `{"case": "`+id+`", "minutes": 50}`))
	if !slices.Contains(texts(p["missing"]), "mode") || p["fields"].(map[string]any)["occurred_on"] != "2021-10-14" {
		t.Errorf("preview %v", p)
	}
	session := get(tab.Log("", "case_session", `{"case": "`+id+`", "minutes": 50, "mode": "home_visit"}`))["id"].(string)
	edited := get(tab.Edit(session, `{"minutes": 60, "mode": null}`))["fields"].(map[string]any)
	if edited["minutes"] != 60.0 || edited["mode"] != nil {
		t.Errorf("edited %v", edited)
	}
	if r := get(tab.Delete(session)); r["deleted"] != true {
		t.Errorf("deleted %v", r)
	}
	if page := get(tab.List(`{"kinds": ["case_session"]}`)); len(page["records"].([]any)) != 0 {
		t.Errorf("a deleted record is listed: %v", page)
	}
	if r := get(tab.Restore(session)); r["deleted"] != false {
		t.Errorf("restored %v", r)
	}
	if page := get(tab.List(`{"kinds": ["case_session"], "from": "2021-10-14", "limit": 5}`)); len(page["records"].([]any)) != 1 {
		t.Errorf("listed %v", page)
	}
	if page := get(tab.Cases()); len(page["records"].([]any)) != 1 {
		t.Errorf("cases %v", page)
	}
	if file := get(tab.CaseFile(id)); file["belongings"].([]any)[0].(map[string]any)["id"] != session {
		t.Errorf("case file %v", file)
	}
	if totals := get(tab.Totals("")); totals["case_sessions"] == nil || totals["completeness"].(map[string]any)["scope"] != "this_tablet" {
		t.Errorf("totals %v", totals)
	}
	if err := tab.ChooseSite(fakeserver.Xiaohe.String()); err != nil {
		t.Error(err)
	}
	var chosen []string
	for _, s := range get(tab.Sites())["sites"].([]any) {
		if site := s.(map[string]any); site["chosen"] == true {
			chosen = append(chosen, site["name"].(string))
		}
	}
	if !reflect.DeepEqual(chosen, []string{"小河镇"}) {
		t.Errorf("chosen %q", chosen)
	}

	l := &listener{}
	if done := get(tab.Sync(l)); done["complete"] != true || done["unsent"] != 0.0 || done["sent"] == 0.0 {
		t.Errorf("synced %v", done)
	}
	l.check(t)
	if r := get(tab.Record(session)); r["sending"] != "durable" {
		t.Errorf("%v after the sync", r["sending"])
	}
	if done := get(tab.Sync(nil)); done["complete"] != true {
		t.Errorf("without a listener: %v", done)
	}
}

func texts(list any) (all []string) {
	for _, v := range list.([]any) {
		all = append(all, v.(string))
	}
	return all
}

// listener keeps what it is told.
type listener struct {
	all  []Progress
	then func()
}

func (l *listener) OnProgress(p *Progress) {
	l.all = append(l.all, *p)
	if l.then != nil {
		l.then()
	}
}

// check sees that progress never went back, and was done at the end alone.
func (l *listener) check(t *testing.T) {
	t.Helper()
	before := 0.0
	for i, p := range l.all {
		last := i == len(l.all)-1
		if p.Fraction < before || (p.Fraction == 1) != last || (p.Phase == "done") != last {
			t.Errorf("progress %+v", l.all)
		}
		before = p.Fraction
	}
	if len(l.all) < 2 {
		t.Errorf("progress %+v", l.all)
	}
}

func TestStopSync(t *testing.T) {
	tab, _ := enrolledTablet(t)
	object(t)(tab.Log("", "case", `{"case_no": "W-1"}`))
	_, err := tab.Sync(&listener{then: tab.StopSync})
	wantCode(t, err, "cancelled", "")
	if st := object(t)(tab.Status()); st["unsent"] != 1.0 {
		t.Errorf("unsent %v", st["unsent"])
	}
	if done := object(t)(tab.Sync(nil)); done["unsent"] != 0.0 {
		t.Errorf("the next one: %v", done)
	}
}

// An app says until when there is time, and what is left to do; nothing is logged any more in the end.
func TestUntilTheEndThroughTheFacade(t *testing.T) {
	tab, server := enrolledTablet(t)
	get := object(t)
	made := get(tab.Log("", "case", `{"case_no": "W-1", "client_type": "individual", "client_count": 1, "service_area": "16"}`))
	becomes := func(state recordv1.DeploymentState) {
		t.Helper()
		server.Set(server.Deployment, &recordv1.Deployment{State: state.Enum(), EndOn: proto.Int32(20991231)})
		get(tab.Sync(nil))
	}
	becomes(recordv1.DeploymentState_DEPLOYMENT_STATE_CLOSING)
	st := get(tab.Status())
	if owed := st["owed"].(map[string]any); st["state"] != "closing" || st["last_day"] != "2099-12-31" || st["days_left"].(float64) < 1 || owed["open_cases"] != 1.0 {
		t.Errorf("closing: %v", st)
	}
	becomes(recordv1.DeploymentState_DEPLOYMENT_STATE_ARCHIVED)
	_, err := tab.Log("", "case", `{"case_no": "W-2"}`)
	wantCode(t, err, "deployment_archived", "")
	_, err = tab.Delete(made["id"].(string))
	wantCode(t, err, "deployment_archived", "")
}

func TestErrorsAreTold(t *testing.T) {
	tab, server := enrolledTablet(t)
	_, err := tab.Log("", "case_session", `{"minutes": "fifty"}`)
	wantCode(t, err, "wrong_type", "minutes")
	_, err = tab.Log("", "visit", `{}`)
	wantCode(t, err, "unknown_kind", "")
	_, err = tab.Log("", "site", `{"name": "x"}`)
	wantCode(t, err, "kind_mismatch", "")
	_, err = tab.Log("", "case_session", `{"minutes": 5000, "occurred_on": "2021-12-31"}`)
	wantCode(t, err, "owner_missing", "")
	_, err = tab.Log("", "outreach", `{"households": 4000000, "occurred_on": "2021-12-31"}`)
	if err == nil || !strings.Contains(ErrorFields(err.Error()), "occurred_on") || !strings.Contains(ErrorSentence(err.Error()), "date: ") {
		t.Errorf("invalid fields: %v", err)
	}
	_, err = tab.Record("nothing")
	wantCode(t, err, "invalid_id", "")
	_, err = tab.Record(fakeserver.TestID(9, 9).String())
	wantCode(t, err, "record_missing", "")
	_, err = tab.List(`{"kind": "case"}`)
	wantCode(t, err, "malformed", "")
	_, err = tab.Totals("yesterday")
	wantCode(t, err, "invalid_date", "as_of")
	wantCode(t, tab.Enrol(server.Code("wang-fang")), "already_enrolled", "")

	tab.SetLanguage("zh-Hans-CN")
	_, err = tab.Record(fakeserver.TestID(9, 9).String())
	if ErrorSentence(err.Error()) != "本机没有这条记录。" {
		t.Errorf("in Chinese: %v", err)
	}
	server.Down = true
	_, err = tab.Sync(nil)
	wantCode(t, err, "unavailable", "")
	if err := tab.Close(); err != nil {
		t.Error(err)
	}
	_, err = tab.Forms()
	wantCode(t, err, "closed", "")
}

func TestPartsOfAnError(t *testing.T) {
	for text, want := range map[string][3]string{
		"record_missing: This record is not on this tablet.": {"record_missing", "", "This record is not on this tablet."},
		"wrong_type minutes,next_on: minutes: a\nnext: b":    {"wrong_type", "minutes,next_on", "minutes: a\nnext: b"},
		"java.io.IOException: gone":                          {"internal", "", "java.io.IOException: gone"},
		"Something: else":                                    {"internal", "", "Something: else"},
		"a b c: d":                                           {"internal", "", "a b c: d"},
		"":                                                   {"internal", "", ""},
	} {
		if got := [3]string{ErrorCode(text), ErrorFields(text), ErrorSentence(text)}; got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if err := inWords(errors.New("disk: gone"), words.In("en")); ErrorCode(err.Error()) != "internal" || strings.Contains(err.Error(), "disk") {
		t.Errorf("what has no code: %v", err)
	}
}

func TestOpening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tablet.db")
	if HasKey(path) {
		t.Error("a key without a file")
	}
	_, err := OpenWithKey(path, make([]byte, 16), nil)
	wantCode(t, err, "invalid_argument", "")
	if _, err := os.Stat(path); err == nil {
		t.Error("it made a file")
	}
	_, err = OpenWithPIN(path, "1234", &Options{Language: "zh"})
	wantCode(t, err, "key_weak", "")
	key := []byte("0123456789abcdef0123456789abcdef")
	tab, err := OpenWithKey(path, key, &Options{Name: "平板 7", App: "levee-test/1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(tab.Close(), tab.Close()); err != nil || !HasKey(path) {
		t.Errorf("closed: %v", err)
	}
	_, err = OpenWithPIN(path, "735194", &Options{Language: "zh"})
	wantCode(t, err, "key_wrong", "")
}

func TestDescribe(t *testing.T) {
	tab, _ := enrolledTablet(t)
	tab.SetLanguage("zh")
	get := object(t)
	fields := map[string]map[string]any{}
	described := get(tab.Describe("headcount"))
	for _, f := range described["fields"].([]any) {
		fields[f.(map[string]any)["name"].(string)] = f.(map[string]any)
	}
	cells := fields["cells"]
	if described["label"] != "计数" || cells["form"] != "compound" || cells["list"] != true || len(cells["parts"].([]any)) < 4 || fields["activity"]["required"] != true {
		t.Errorf("described %v", described)
	}
	area := fields["service_area"]["options"].([]any)
	if last := area[len(area)-1].(map[string]any); last["name"] != "16" || last["label"] != "环境整治" {
		t.Errorf("areas %v", area)
	}
	_, err := tab.Describe("visit")
	wantCode(t, err, "unknown_kind", "")
}
