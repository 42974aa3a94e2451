package clientlib_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// form is a form of a community activity with some values.
func (tab *tablet) form(values string) clientlib.Form {
	tab.t.Helper()
	id, err := tab.NewFormID()
	tab.must(err)
	return clientlib.Form{ID: id, Kind: recordv1.Kind_KIND_COMMUNITY_ACTIVITY, Values: []byte(values)}
}

func (tab *tablet) forms() (values []string) {
	tab.t.Helper()
	found, err := tab.Forms(tab.t.Context())
	tab.must(err)
	for _, f := range found {
		values = append(values, string(f.Values))
	}
	return values
}

func TestFormsAreKeptUntilTheyAreLogged(t *testing.T) {
	ctx := t.Context()
	tab := enrolled(t, newServer(t), "li-wei")
	first, second := tab.form("一"), tab.form("二")
	second.Record = testID(9, 9)
	tab.must(tab.SaveForm(ctx, first))
	tab.now = tab.now.Add(time.Second)
	tab.must(tab.SaveForm(ctx, second))
	tab.now = tab.now.Add(time.Second)
	first.Values = []byte("一，改过")
	tab.must(tab.SaveForm(ctx, first))

	tab = tab.restart(tab.image()) // as a kill leaves it
	if got := tab.forms(); !slices.Equal(got, []string{"一，改过", "二"}) {
		t.Errorf("Forms = %q", got)
	}
	got, err := tab.Form(ctx, second.ID)
	tab.must(err)
	if want := (clientlib.Form{second.ID, second.Kind, second.Record, []byte("二"), start.Add(time.Second)}); got.Saved.Equal(want.Saved) {
		want.Saved = got.Saved
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("Form = %v, want %v", got, want)
		}
	} else {
		t.Errorf("it was saved at %v", got.Saved)
	}
	if st := tab.status(); st.Unsent != 0 || st.Records != 8 {
		t.Errorf("a form counts: %+v", st)
	}

	made, err := tab.LogForm(ctx, first.ID, clientlib.Family{Record: activity("活动")})
	tab.must(err)
	if len(made) != 1 || tab.record(made[0]).Message.(*recordv1.CommunityActivity).GetName() != "活动" {
		t.Errorf("LogForm made %v", made)
	}
	tab.must(tab.DropForm(ctx, second.ID))
	tab.must(tab.DropForm(ctx, second.ID))
	if got := tab.forms(); len(got) != 0 {
		t.Errorf("still unfinished: %q", got)
	}
	_, err = tab.Form(ctx, second.ID)
	wantCode(t, "a dropped form", err, clientlib.CodeFormMissing)
	_, err = tab.Form(ctx, first.ID)
	wantCode(t, "a logged form", err, clientlib.CodeFormDone)
	wantCode(t, "saving a logged form", tab.SaveForm(ctx, first), clientlib.CodeFormDone)
	wantCode(t, "saving a form without id", tab.SaveForm(ctx, clientlib.Form{}), "invalid_argument")
	second.Values = make([]byte, clientlib.MaxFormBytes+1)
	wantCode(t, "saving a large form", tab.SaveForm(ctx, second), clientlib.CodeFormTooLarge)
	second.Values = bytes.Repeat([]byte("满"), clientlib.MaxFormBytes/3)
	tab.must(tab.SaveForm(ctx, second))
	if got, err := tab.Form(ctx, second.ID); err != nil || !bytes.Equal(got.Values, second.Values) {
		t.Errorf("a form of %d bytes: %d; %v", len(second.Values), len(got.Values), err)
	}
}

func wantCode(t *testing.T, what string, err error, code string) {
	t.Helper()
	if clientlib.Code(err) != code {
		t.Errorf("%s: %v, want %s", what, err, code)
	}
	for _, lang := range []string{"zh", "en"} {
		if code != "" && clientlib.Message(err, lang) == "" {
			t.Errorf("%s has no sentence in %s", code, lang)
		}
	}
}

// A double tap, and a page that is sent again after a kill, log nothing again.
func TestAFormIsLoggedOnce(t *testing.T) {
	ctx := t.Context()
	tab := enrolled(t, newServer(t), "li-wei")
	twice := tab.form("")
	family := clientlib.Family{Record: activity("一次")}
	var first []hlc.ID
	for n := range 3 {
		made, err := tab.LogForm(ctx, twice.ID, family)
		tab.must(err)
		if first == nil {
			first = made
		}
		if !slices.Equal(made, first) || tab.status().Unsent != 1 {
			t.Errorf("time %d: %v, want %v; %d changes", n+1, made, first, tab.status().Unsent)
		}
		tab = tab.restart(tab.image())
	}
	edit := tab.form("")
	for _, minutes := range []uint32{90, 30} { // the second comes with what the page of the first had
		tab.must(tab.UpdateForm(ctx, edit.ID, first[0], &recordv1.CommunityActivity{Minutes: proto.Uint32(minutes)}))
		if got := tab.record(first[0]).Message.(*recordv1.CommunityActivity).GetMinutes(); got != 90 {
			t.Errorf("%d minutes", got)
		}
	}
	wantCode(t, "saving an edit that is done", tab.SaveForm(ctx, edit), clientlib.CodeFormDone)
}

// What belongs to a record is logged with it: all or nothing.
func TestAFormOfSeveralRecords(t *testing.T) {
	ctx := t.Context()
	tab := enrolled(t, newServer(t), "li-wei")
	theCase, err := tab.LogCase(ctx, aCase("WZ-001"))
	tab.must(err)
	tab.now = tab.now.AddDate(0, 0, 1)
	form := tab.form("两次走访")
	tab.must(tab.SaveForm(ctx, form))
	session := aSession(theCase)
	session.OccurredOn = proto.Int32(20210923)
	note := &recordv1.CaseNote{Process: proto.String("谈到洪水那天。")}
	link := &recordv1.ResourceLink{RecipientCase: theCase[:], Need: proto.String("轮椅")}
	talk := activity("讲座")
	heads := &recordv1.Headcount{Method: recordv1.CountMethod_COUNT_METHOD_COUNTED.Enum()}

	before := tab.status()
	_, err = tab.LogForm(ctx, form.ID, clientlib.Family{Record: talk, Belongings: nil},
		clientlib.Family{Record: session, Belongings: []record.Common{note, &recordv1.CaseNote{Session: theCase[:]}}})
	wantCode(t, "a note of a case", err, clientlib.CodeOwnerMissing)
	if tab.status() != before || len(tab.forms()) != 1 {
		t.Errorf("a part of it was kept: %+v, forms %q", tab.status(), tab.forms())
	}
	made, err := tab.LogForm(ctx, form.ID, clientlib.Family{Record: session, Belongings: []record.Common{note}},
		clientlib.Family{Record: talk, Belongings: []record.Common{heads}}, clientlib.Family{Record: link})
	tab.must(err)
	if len(made) != 3 || note.Session != nil || heads.Activity != nil {
		t.Fatalf("LogForm = %v, and what was handed in %v, %v", made, note, heads)
	}
	file, err := tab.Case(ctx, theCase)
	tab.must(err)
	if len(file.Sessions) != 1 || len(file.Sessions[0].Notes) != 1 || file.Sessions[0].Notes[0].Message.GetOccurredOn() != 20210923 || len(file.ResourceLinks) != 1 {
		t.Errorf("the case's file: %+v", file)
	}
	activities, err := tab.Activities(ctx, 20210924)
	tab.must(err)
	if len(activities) != 1 || activities[0].ID != made[1] || len(activities[0].Headcounts) != 1 {
		t.Errorf("the day's activities: %+v", activities)
	}
	_, err = tab.LogForm(ctx, tab.form("").ID)
	wantCode(t, "a form that came to nothing", err, "invalid_argument")
	wantCode(t, "an edit that is not valid", tab.UpdateForm(ctx, tab.form("").ID, made[1], &recordv1.CommunityActivity{Minutes: proto.Uint32(9999)}), "number_out_of_range")
}

// A form lies in the file sealed, goes with the record that it edits when that is erased, and can't be read any more on a
// tablet that was put out of use.
func TestFormsAreSealed(t *testing.T) {
	ctx := t.Context()
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	form := tab.form(secret + "草稿")
	tab.must(tab.SaveForm(ctx, form))
	search(t, "saved", filepath.Dir(tab.path), []string{secret + "草稿"})
	made, err := tab.LogForm(ctx, tab.form("").ID, clientlib.Family{Record: activity("活动")})
	tab.must(err)
	if kept := tab.inside().LoggedForms; len(kept) != 1 || !slices.Equal(kept[0].Made, made) {
		t.Errorf("logged forms: %v", kept)
	}
	tab.sync()
	s.revoke(tab.status().Device)
	_, err = tab.Sync(ctx, nil)
	wantCode(t, "revoked", err, "device_revoked")
	_, err = tab.Forms(ctx)
	wantCode(t, "forms on a revoked tablet", err, "device_revoked")
	wantCode(t, "saving on a revoked tablet", tab.SaveForm(ctx, form), "device_revoked")
	search(t, "destroyed", filepath.Dir(tab.path), []string{secret + "草稿"})
}

// Unfinished forms are rescued with the changes: those that SQLite still finds, and those on pages that nothing leads to any more.
func TestRescueBringsForms(t *testing.T) {
	const page = 4096
	met := 0
	for _, at := range []int{3, 9, 14, 19, 23, 27, 31} {
		s := newServer(t)
		tab := enrolled(t, s, "li-wei")
		for i := range 30 {
			f := tab.form(fmt.Sprint("表单", i, strings.Repeat("很长的文字", 100*(i%3))))
			if i%2 == 0 {
				f.Record = testID(14, byte(i+1))
			}
			tab.must(tab.SaveForm(t.Context(), f))
		}
		done, err := tab.LogForm(t.Context(), tab.form("").ID, clientlib.Family{Record: activity("活动")})
		tab.must(err)
		before, logged := tab.inside().Forms, tab.inside().LoggedForms
		tab.must(tab.Close())
		content, err := os.ReadFile(tab.path)
		tab.must(err)
		if (at+1)*page > len(content) {
			t.Fatalf("the file has %d pages", len(content)/page)
		}
		copy(content[at*page:(at+1)*page], bytes.Repeat([]byte{0xa5}, page))
		tab.must(os.WriteFile(tab.path, content, 0o600))
		_, err = tab.rescue()
		if code := clientlib.Code(err); code == clientlib.CodeNotDamaged || code == clientlib.CodeIdentityLost {
			continue
		}
		tab.must(err)
		met++
		tab.open()
		after := map[hlc.ID]clientlib.Form{}
		found, err := tab.Forms(t.Context())
		tab.must(err)
		for _, f := range found {
			after[f.ID] = f
		}
		lost := 0
		for _, f := range before {
			switch got, ok := after[f.ID]; {
			case !ok:
				lost++
			case !bytes.Equal(got.Values, f.Values) || got.Record != f.Record || got.Kind != f.Kind || !got.Saved.Equal(f.Saved):
				t.Errorf("page %d: form %s came back as another", at, f.ID)
			}
		}
		if lost > 20 || len(found)+lost != len(before) { // about that many of the short ones lie on a page
			t.Errorf("page %d: %d of %d forms were lost, and there are %d", at, lost, len(before), len(found))
		}
		if now := tab.inside().LoggedForms; len(now) == 1 && (now[0].ID != logged[0].ID || !slices.Equal(now[0].Made, done)) {
			t.Errorf("page %d: logged forms %v, were %v", at, now, logged)
		}
		t.Logf("page %d: %d forms lost", at, lost)
	}
	if met < 4 {
		t.Errorf("only %d files were damaged and could be rescued", met)
	}
}

// Two pages that change one form at a time lose nothing of each other.
func TestAFormIsChangedInOneTransaction(t *testing.T) {
	ctx := t.Context()
	tab := enrolled(t, newServer(t), "li-wei")
	f := tab.form("")
	const pages, taps = 4, 8
	var tapping sync.WaitGroup
	for range pages {
		tapping.Go(func() {
			for range taps {
				err := tab.ChangeForm(ctx, f.ID, func(at *clientlib.Form) error {
					at.Kind, at.Values = f.Kind, append(at.Values, '|')
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	tapping.Wait()
	got, err := tab.restart(tab.image()).Form(ctx, f.ID)
	if err != nil || len(got.Values) != pages*taps || got.Kind != f.Kind || got.ID != f.ID {
		t.Errorf("%d taps, %v; %v", len(got.Values), got.Kind, err)
	}
}

func TestAFormThatIsNotChanged(t *testing.T) {
	ctx := t.Context()
	tab := enrolled(t, newServer(t), "li-wei")
	f := tab.form("一")
	tab.must(tab.SaveForm(ctx, f))
	tab.now = tab.now.Add(time.Second)
	refused := errors.New("refused")
	err := tab.ChangeForm(ctx, f.ID, func(at *clientlib.Form) error {
		at.Values[0] = 'x'
		return refused
	})
	if !errors.Is(err, refused) {
		t.Errorf("ChangeForm = %v", err)
	}
	tab.must(tab.ChangeForm(ctx, f.ID, func(*clientlib.Form) error { return nil }))
	if got, err := tab.Form(ctx, f.ID); err != nil || string(got.Values) != "一" || !got.Saved.Equal(start) {
		t.Errorf("Form = %v; %v", got, err)
	}
	change := func(at *clientlib.Form) error { at.Values = make([]byte, clientlib.MaxFormBytes+1); return nil }
	wantCode(t, "a form that grew too large", tab.ChangeForm(ctx, f.ID, change), clientlib.CodeFormTooLarge)
	wantCode(t, "a form without id", tab.ChangeForm(ctx, hlc.ID{}, change), "invalid_argument")
	_, err = tab.LogForm(ctx, f.ID, clientlib.Family{Record: activity("一")})
	tab.must(err)
	wantCode(t, "a logged form", tab.ChangeForm(ctx, f.ID, change), clientlib.CodeFormDone)
}

func TestWhatAFormCameTo(t *testing.T) {
	ctx := t.Context()
	tab := enrolled(t, newServer(t), "li-wei")
	f := tab.form("")
	wrong := activity("二")
	wrong.Minutes = proto.Uint32(1 << 30)
	_, err := tab.LogForm(ctx, f.ID, clientlib.Family{Record: activity("一")}, clientlib.Family{Record: wrong})
	var family *clientlib.FamilyError
	if !errors.As(err, &family) || family.Family != 1 || clientlib.Code(err) != "number_out_of_range" {
		t.Errorf("LogForm = %v", err)
	}
	_, err = tab.FormMade(ctx, f.ID)
	wantCode(t, "what an unfinished form came to", err, clientlib.CodeFormMissing)
	want, err := tab.LogForm(ctx, f.ID, clientlib.Family{Record: activity("一")}, clientlib.Family{Record: activity("二")})
	tab.must(err)
	if got, err := tab.FormMade(ctx, f.ID); err != nil || !slices.Equal(got, want) || len(got) != 2 {
		t.Errorf("FormMade = %v, want %v; %v", got, want, err)
	}
}
