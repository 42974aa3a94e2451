package e2e

import (
	"bytes"
	"database/sql"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/server"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// words keeps what is written to it.
type words struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (w *words) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// post is what the server answers to something that is posted.
func (c *camp) post(path, kind, body string) (status int, answer string) {
	c.t.Helper()
	request, err := http.NewRequestWithContext(c.ctx, http.MethodPost, "http://"+c.addr+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Content-Type", kind)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// A day with everything that goes wrong: neither the log, nor what anybody is told of it, repeats what somebody wrote.
func TestNoLogAndNoErrorRepeatsWhatSomebodyWrote(t *testing.T) {
	const name, note, phone = "钱秀英", "孩子夜里不敢睡", "13911112222"
	var log words
	c := newCamp(t, func(config *server.Config) {
		config.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		config.Backups = server.Backups{Dir: filepath.Join(t.TempDir(), "backups"), Every: time.Hour}
	})
	anna, lena, carl := c.tablets[0], c.tablets[2], c.tablets[3]
	must := func(id hlc.ID, err error) hlc.ID {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	var told []string // what anybody was told that went wrong
	fails := func(what string, err error) {
		t.Helper()
		if err == nil {
			t.Fatalf("%s: no error", what)
		}
		told = append(told, err.Error())
	}

	// Work, with a conflict, and a change that is held.
	file := must(anna.LogCase(c.ctx, &recordv1.Case{CaseNo: proto.String("WZ-1"), ClientCount: proto.Uint32(1)}))
	identity := must(anna.LogCaseIdentity(c.ctx, &recordv1.CaseIdentity{Case: file[:], Name: proto.String(name), Phone: proto.String(phone)}))
	session := must(anna.LogCaseSession(c.ctx, &recordv1.CaseSession{Case: file[:], Minutes: proto.Uint32(50)}))
	kept := must(anna.LogCaseNote(c.ctx, &recordv1.CaseNote{Session: session[:], Process: proto.String(note)}))
	c.syncAll()
	c.syncAll()
	if err := anna.Update(c.ctx, identity, &recordv1.CaseIdentity{Address: proto.String(name + "家")}); err != nil {
		t.Fatal(err)
	}
	if _, err := lena.Record(c.ctx, kept); err == nil {
		t.Fatal("lena, who does not work on the case, sees the note: this shows nothing")
	}
	must(carl.LogOutreach(c.ctx, &recordv1.Outreach{Needs: proto.String(name + "要药"), Households: proto.Uint32(1)}))
	_, err := carl.LogOutreach(c.ctx, &recordv1.Outreach{Needs: proto.String(strings.Repeat(name, 5000))})
	fails("a text that is too long", err)
	_, err = carl.LogCaseIdentity(c.ctx, &recordv1.CaseIdentity{Case: []byte(name), Name: proto.String(name)})
	fails("an id that is none", err)
	fails("a record that is not there", anna.Update(c.ctx, hlc.ID{1}, &recordv1.CaseIdentity{Name: proto.String(name)}))
	c.syncAll()

	// What callers get wrong.
	wrong := func(status int, answer string) {
		t.Helper()
		if status < 400 {
			t.Errorf("%d %s", status, answer)
		}
		told = append(told, answer)
	}
	wrong(c.ask("/api/records?figure=" + name))
	wrong(c.ask("/api/totals?by=" + name + "&as_of=" + note))
	wrong(c.ask("/api/" + name + "?phone=" + phone))
	wrong(c.post("/api/held/"+file.String()+"/decision", "application/json", `{"decision":"release","reason":"`+name+`"}`))
	wrong(c.post("/api/held/"+name+"/decision", "application/json", `{"decision":"`+name+`","reason":"`+strings.Repeat(note, 500)+`"}`))
	wrong(c.post("/api/cases/"+identity.String()+"/erasure", "application/json", `{}`))
	wrong(c.post("/levee.sync.v1.SyncService/Sync", "application/proto", name+note))
	wrong(c.post("/levee.sync.v1.SyncService/Sync", "application/json", `{"protocol":1,"app":"`+name+`"}`))
	wrong(c.post("/levee.sync.v1.SyncService/Enrol", "application/json", `{"protocol":1,"secret":"`+name+`","name":"`+name+`"}`))

	// A fault of the server itself, on a record with a name in it.
	db, err := sql.Open("sqlite", c.config.DB)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`UPDATE records SET state = CAST('`+name+note+`' AS BLOB) WHERE id IN ($1, $2, $3)`, identity[:], kept[:], file[:]); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := anna.Update(c.ctx, identity, &recordv1.CaseIdentity{Address: proto.String(name + "的新家")}); err != nil {
		t.Fatal(err)
	}
	_, err = anna.Sync(c.ctx, nil)
	fails("a damaged record", err)
	wrong(c.ask("/api/records?figure=cases&by=whole"))
	checked, err := server.Check(c.ctx, c.config.DB, server.CheckOptions{Keys: c.config.Keys, Journal: c.config.Journal})
	if err != nil || checked.OK {
		t.Fatalf("the damage is not found: %+v, %v", checked, err)
	}
	for _, f := range checked.Faults {
		told = append(told, f.Code+" "+f.Detail)
	}
	if !strings.Contains(log.String(), "internal error") {
		t.Fatalf("the fault is not in the log: this shows nothing\n%s", log.String())
	}

	_, measures := c.ask("/metrics")
	for where, text := range map[string]string{"the log": log.String(), "what people are told": strings.Join(told, "\n"), "the measures": measures} {
		for _, trace := range []string{name, note, phone, "WZ-1", "%E9%92%B1", c.token} {
			if at := strings.Index(text, trace); at >= 0 {
				t.Errorf("%s repeats %q: …%s…", where, trace, text[max(0, at-200):min(len(text), at+100)])
			}
		}
	}
}
