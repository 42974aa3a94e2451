package clientlib_test

import (
	"os"
	"testing"

	"levee/clientlib/inspect"
	recordv1 "levee/syncproto/levee/record/v1"
)

// inside is what the tablet's file holds.
func (tab *tablet) inside() *inspect.Tablet {
	tab.t.Helper()
	got, err := inspect.Read(tab.t.Context(), tab.path, testKey)
	tab.must(err)
	return got
}

func TestInspect(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	sent, err := tab.LogCommunityActivity(t.Context(), activity("一"))
	tab.must(err)
	tab.sync()
	unsent, err := tab.LogCommunityActivity(t.Context(), activity("二"))
	tab.must(err)

	check := func(when string) {
		t.Helper()
		got := tab.inside()
		if got.Worker != liWei || got.Sequence != 2 || got.Acknowledged != 1 || got.Accepted != 1 || got.Durable != 1 || got.Cursor.Position != uint64(len(s.log)-1) {
			t.Errorf("%s: %+v", when, got)
		}
		if len(got.Changes) != 2 || got.Changes[0].ID != sent || got.Changes[1].ID != unsent || got.Changes[1].Replica != got.Replica || got.Changes[1].Sequence != 2 {
			t.Errorf("%s, own changes: %+v", when, got.Changes)
		}
		for _, r := range got.Records {
			switch {
			case r.ID == unsent && (r.Position != 0 || len(r.Base) > 0 || len(r.Proof) > 0),
				r.ID != unsent && (r.Position == 0 || string(r.Base) != string(r.View) || string(r.Proven) != string(r.Base)):
				t.Errorf("%s: record %+v", when, r)
			}
			if r.ID == sent && r.Kind != recordv1.Kind_KIND_COMMUNITY_ACTIVITY {
				t.Errorf("%s: record %+v", when, r)
			}
		}
		if len(got.Records) != len(s.records)+1 || len(got.Marks) == 0 || len(got.Returns) != 0 {
			t.Errorf("%s: %d records, marks %v, returns %v", when, len(got.Records), got.Marks, got.Returns)
		}
	}
	check("while it is open")
	tab.must(tab.Close())
	before, err := os.ReadFile(tab.path)
	tab.must(err)
	check("while it is closed")
	after, err := os.ReadFile(tab.path)
	tab.must(err)
	if string(after) != string(before) {
		t.Error("the file was written")
	}
	tab.open()

	if _, err := inspect.Read(t.Context(), t.TempDir()+"/nothing.db", testKey); err == nil {
		t.Error("a file that is not there was read")
	}
}
