package clientlib_test

import (
	"bytes"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/clientlib"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/record"
)

// secret is a text that lies in no file of a tablet: every one begins with it, so that none is found by chance.
const secret = "绝密-"

// logSecrets puts a text of its own into each field of text of the records that are there. It returns the texts that were
// taken: some fields take only what has a form, such as that of a phone number.
func (tab *tablet) logSecrets(made map[record.Kind]hlc.ID) (texts []string) {
	tab.t.Helper()
	for _, k := range record.Kinds() {
		id, ok := made[k]
		if !ok {
			continue
		}
		fields := record.New(k).ProtoReflect().Descriptor().Fields()
		for i := range fields.Len() {
			f := fields.Get(i)
			if f.Kind() != protoreflect.StringKind || f.IsList() {
				continue
			}
			text, m := secretOf(k, f), record.New(k)
			m.ProtoReflect().Set(f, protoreflect.ValueOfString(text))
			if tab.Update(tab.t.Context(), id, m) == nil {
				texts = append(texts, text)
			}
		}
	}
	return texts
}

func secretOf(k record.Kind, f protoreflect.FieldDescriptor) string {
	return secret + k.String() + "-" + string(f.Name())
}

// search fails where a text lies in any file of a folder, in any way in which a program may have written it.
func search(t *testing.T, when, folder string, texts []string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		files++
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, text := range texts {
			if foundIn(content, text) {
				t.Errorf("%s: %q lies in %s", when, text, filepath.Base(path))
				break
			}
		}
		return nil
	})
	if err != nil || files == 0 {
		t.Fatalf("%s: searched %d files; %v", when, files, err)
	}
}

// foundIn looks for a text as it is, in UTF-16, and in hexadecimal and base64 digits.
func foundIn(content []byte, text string) bool {
	var wide []byte
	for _, u := range utf16.Encode([]rune(text)) {
		wide = append(wide, byte(u), byte(u>>8))
	}
	forms := [][]byte{[]byte(text), wide, fmt.Appendf(nil, "%x", text), fmt.Appendf(nil, "%X", text)}
	for before := range 3 { // base64 digits depend on where in threes of bytes the text begins; the ends on its neighbours
		digits := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + text))
		if len(digits) > 16 {
			forms = append(forms, []byte(digits[4:len(digits)-4]))
		}
	}
	return slices.ContainsFunc(forms, func(form []byte) bool { return bytes.Contains(content, form) })
}

// What was written about people lies in no file that a tablet leaves on its disk, whatever happened to it.
func TestNothingReadableLiesOnTheDisk(t *testing.T) {
	temporary := t.TempDir()
	for _, name := range []string{"TMPDIR", "SQLITE_TMPDIR"} {
		t.Setenv(name, temporary)
	}
	s := newServer(t)
	ctx := t.Context()
	tab := enrolled(t, s, "li-wei")
	folder := filepath.Dir(tab.path)
	made := tab.all()
	texts := append(tab.logSecrets(made), "王秀英", "谈到洪水那天。", "已拨打120", "每周复诊。", "妈妈小组")
	if len(texts) < 30 {
		t.Fatalf("only %d texts were taken: %q", len(texts), texts)
	}
	look := func(when string) {
		t.Helper()
		search(t, when, folder, texts)
		if entries, err := os.ReadDir(temporary); err == nil && len(entries) > 0 {
			search(t, when+", temporary files", temporary, texts)
		}
	}
	// That they are there for whoever has the key shows that the search is one for something.
	for k, id := range made {
		shown, err := protojson.Marshal(tab.record(id).Message)
		tab.must(err)
		for _, text := range texts {
			if strings.HasPrefix(text, secret+k.String()+"-") && !bytes.Contains(shown, []byte(text)) {
				t.Errorf("%v does not show %q", k, text)
			}
		}
	}
	look("logged")

	// What others wrote, as it came from the server, held back and given back again.
	s.set(testID(14, 9), activity(secret+"别人的活动"))
	texts = append(texts, secret+"别人的活动")
	tab.sync()
	look("synced")
	// A change of it that the server has taken, before the record itself comes back: what the server last proved is kept apart.
	tab.must(tab.Update(ctx, testID(14, 9), &recordv1.CommunityActivity{Name: proto.String(secret + "改过的活动")}))
	texts = append(texts, secret+"改过的活动")
	s.answer = func(res *syncv1.SyncResponse) { res.Page.Records, res.Page.Cursor = nil, s.mark(0) }
	_, _ = tab.Sync(ctx, nil)
	s.answer = nil
	if apart := tab.rows(`SELECT count(*) FROM records WHERE sent IS NOT NULL`); apart == 0 {
		t.Error("no record has a state that the server sent apart from what the tablet has of it")
	}
	look("acknowledged")
	tab.sync()
	restore := s.backup()
	s.set(testID(14, 10), activity(secret+"之后的活动"))
	texts = append(texts, secret+"之后的活动")
	tab.sync()
	restore()
	answers := 0
	tab.net.fault = func() fault { // the marks, then what the histories share; what is given back gets no answer
		if answers++; answers > 2 {
			return answerLost
		}
		return fine
	}
	_, _ = tab.Sync(ctx, nil)
	if tab.rows(`SELECT count(*) FROM returns`) == 0 {
		t.Error("nothing is given back")
	}
	look("with returns")
	tab.net.fault = nil
	tab.sync()
	s.hold = func(*record.Change) string { return "not_your_team" }
	tab.must(tab.Update(ctx, made[recordv1.Kind_KIND_CASE_NOTE], &recordv1.CaseNote{Process: proto.String(secret + "待处理")}))
	tab.sync()
	texts = append(texts, secret+"待处理")
	look("held")
	tab.must(tab.SaveForm(ctx, tab.form(secret+"没写完")))
	texts = append(texts, secret+"没写完")
	look("with a form")

	// As a kill leaves it.
	killed := tab.restart(tab.image())
	tab.must(killed.Delete(ctx, made[recordv1.Kind_KIND_CASE_IDENTITY]))
	search(t, "killed", filepath.Dir(killed.path), texts)

	// Rescued: the damaged file and what was read of it stay.
	tab.must(tab.logManyNotes(t, 60, &texts))
	tab.must(tab.Close())
	look("closed")
	content, err := os.ReadFile(tab.path)
	tab.must(err)
	tab.must(os.WriteFile(tab.path, content[:len(content)-4*4096], 0o600))
	got, err := tab.rescue()
	tab.must(err)
	if got.Queued == 0 {
		t.Errorf("nothing was rescued: %+v", got)
	}
	look("rescued")
	s.hold = nil
	tab.open()
	tab.sync()
	look("after the rescue")
	if got := tab.forms(); !slices.Equal(got, []string{secret + "没写完"}) {
		t.Errorf("forms after the rescue: %q", got)
	}

	// The search itself finds what is not sealed.
	plain := []byte("x" + texts[0] + "y")
	for form, written := range map[string][]byte{"text": plain, "hex": []byte(hex.EncodeToString(plain)), "base64": []byte(base64.StdEncoding.EncodeToString(plain))} {
		if !foundIn(written, texts[0]) {
			t.Errorf("the search does not see %s", form)
		}
	}
}

// rows is what a query of the tablet's file counts.
func (tab *tablet) rows(query string) (n int) {
	tab.t.Helper()
	db, err := sql.Open("sqlite", tab.path)
	tab.must(err)
	defer func() { _ = db.Close() }()
	tab.must(db.QueryRowContext(tab.t.Context(), query).Scan(&n))
	return n
}

// logManyNotes logs so many notes that they fill pages of their own.
func (tab *tablet) logManyNotes(t *testing.T, n int, texts *[]string) error {
	t.Helper()
	theCase, err := tab.LogCase(t.Context(), aCase("WZ-002"))
	if err != nil {
		return err
	}
	session, err := tab.LogCaseSession(t.Context(), aSession(theCase))
	if err != nil {
		return err
	}
	text := secret + strings.Repeat("长长的记录。", 50)
	*texts = append(*texts, secret+"长长的")
	for range n {
		if _, err := tab.LogCaseNote(t.Context(), &recordv1.CaseNote{Session: session[:], Process: &text}); err != nil {
			return err
		}
	}
	return nil
}

// A new PIN opens what the old one did, at once and for good, and what was under the old one lies nowhere.
func TestAChangedPINLeavesTheFileAsItWas(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	id, err := tab.LogCommunityActivity(t.Context(), activity(secret+"活动"))
	tab.must(err)
	tab.must(tab.ChangeKey(t.Context(), testKey, clientlib.PIN("735194")))
	search(t, "changed", filepath.Dir(tab.path), []string{secret + "活动", "735194"})
	if got := tab.record(id).Message.(*recordv1.CommunityActivity).GetName(); got != secret+"活动" {
		t.Errorf("the open store shows %q", got)
	}
	tab.must(tab.Close())
	options := clientlib.Options{Wall: func() time.Time { return start }, Transport: tab.net, Entropy: rand.NewChaCha8([32]byte{5})}
	for key, want := range map[string]string{"735194": "", "735195": clientlib.CodeKeyWrong} {
		options.Key = clientlib.PIN(key)
		store, err := clientlib.Open(t.Context(), tab.path, options)
		if clientlib.Code(err) != want {
			t.Errorf("with %s: %v", key, err)
		}
		if err == nil {
			tab.must(store.Close())
		}
	}
	options.Key = testKey
	if _, err := clientlib.Open(t.Context(), tab.path, options); clientlib.Code(err) != clientlib.CodeKeyWrong {
		t.Errorf("with the old key: %v", err)
	}
}
