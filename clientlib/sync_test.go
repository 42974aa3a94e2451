package clientlib_test

import (
	"slices"
	"testing"

	"levee/clientlib"
)

func TestSyncCarriesRecordsBothWays(t *testing.T) {
	s := newServer(t)
	li, zhang := enrolled(t, s, "li-wei"), enrolled(t, s, "zhang-min")
	ctx := t.Context()

	id, err := li.LogCommunityActivity(ctx, activity("中秋联欢"))
	li.must(err)
	if st := li.status(); st.Unsent != 1 || st.Sent != 0 || st.Durable != 0 {
		t.Errorf("before the sync: %+v", st)
	}
	var phases []clientlib.Progress
	got, err := li.Sync(ctx, func(p clientlib.Progress) { phases = append(phases, p) })
	li.must(err)
	if got.Sent != 1 || got.Held != 0 || got.Requests != 1 {
		t.Errorf("Sync = %+v", got)
	}
	if first, last := phases[0], phases[len(phases)-1]; first.Phase != clientlib.PhaseSending || first.ToSend != 1 ||
		last != (clientlib.Progress{Phase: clientlib.PhaseDone, Sent: 1, ToSend: 1, Received: got.Received, ToReceive: got.Received}) {
		t.Errorf("progress was %+v", phases)
	}
	if st := li.status(); st.Unsent != 0 || st.Durable != 1 {
		t.Errorf("after the sync: %+v", st)
	}
	if r := li.record(id); r.Sending != clientlib.Durable {
		t.Errorf("the record is %s", r.Sending)
	}

	zhang.sync()
	if r := zhang.record(id); r.Sending != clientlib.Received || !slices.Equal(r.Missing, nil) {
		t.Errorf("at the colleague's: %+v", r)
	}
	quiet := zhang.sync()
	t.Logf("a sync with nothing new: %+v", quiet)
	if quiet.Requests != 1 || quiet.Received != 0 || quiet.BytesUp > 800 || quiet.BytesDown > 300 {
		t.Errorf("a sync with nothing new cost %+v", quiet)
	}
}
