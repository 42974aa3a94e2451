package clientlib_test

import (
	"testing"
	"time"

	"levee/clientlib"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/wire"
)

func TestEnrolledTabletNeedsNoServer(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	tab.net.down = true
	tab.all()
	tab.reopen()
	made := tab.all()
	if _, err := tab.Sync(t.Context(), nil); clientlib.Code(err) != "unavailable" {
		t.Errorf("a sync without a server: %v", err)
	}
	if st := tab.status(); !st.Enrolled || st.Worker != liWei || st.Deployment != s.deployment || st.Unsent != 2*len(made) || !st.LastContact.Equal(start) {
		t.Errorf("the tablet is at %+v", st)
	}
	mine, err := tab.MyCases(t.Context())
	if err != nil || len(mine) != 2 {
		t.Errorf("my cases are %v, %v", mine, err)
	}
}

// The server may have enrolled a tablet that never hears of it: the same code must then work again, with the same key.
func TestEnrolAgainAfterALostAnswer(t *testing.T) {
	s := newServer(t)
	tab := newTablet(t, s, 1)
	code := s.code("http://levee.test/", "li-wei")
	for _, lost := range []fault{requestLost, answerLost, answerCut, portal} {
		tab.net.fault = func() fault { return lost }
		if err := tab.Enrol(t.Context(), code); clientlib.Code(err) != "unavailable" {
			t.Fatalf("with fault %d: %v", lost, err)
		}
		if tab.status().Enrolled {
			t.Fatalf("enrolled without an answer")
		}
		tab.reopen()
	}
	tab.net.fault = nil
	tab.must(tab.Enrol(t.Context(), " "+code[:9]+"\n"+code[9:]))
	if len(s.devices) != 1 || !tab.status().Enrolled {
		t.Errorf("%d devices, %+v", len(s.devices), tab.status())
	}
	tab.sync()
	for _, again := range []string{code, s.code("http://levee.test/", "zhang-min")} {
		if err := tab.Enrol(t.Context(), again); clientlib.Code(err) != clientlib.CodeAlreadyEnrolled {
			t.Errorf("enrolling once more: %v", err)
		}
	}
}

func TestEnrolRefuses(t *testing.T) {
	s := newServer(t)
	enrolled(t, s, "li-wei")
	other := newServer(t)
	other.deployment = testID(1, 2) // its code names another deployment than the server that answers

	for name, c := range map[string]struct{ code, want string }{
		"no code":        {"", "enrolment_code_invalid"},
		"not a code":     {"levee1.xyz", "enrolment_code_invalid"},
		"used":           {s.code("http://levee.test", "li-wei"), "enrolment_code_used"},
		"another's":      {other.code("http://levee.test", "zhang-min"), "enrolment_code_invalid"},
		"other worker":   {wireCode(s, chenJie, "zhang-min"), "malformed"},
		"no such secret": {wireCode(s, liWei, "nobody"), "enrolment_code_invalid"},
	} {
		tab := newTablet(t, s, 3)
		if err := tab.Enrol(t.Context(), c.code); clientlib.Code(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
		if tab.status().Enrolled {
			t.Errorf("%s: enrolled", name)
		}
	}
}

// A tablet that starts with a wrong clock has it corrected before it stamps anything.
func TestEnrolCorrectsTheClock(t *testing.T) {
	s := newServer(t)
	tab := newTablet(t, s, 1)
	tab.now = time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
	tab.must(tab.Enrol(t.Context(), s.code("http://levee.test", "li-wei")))
	if off := tab.status().ClockOffset; !tab.now.Add(off).Equal(start) {
		t.Errorf("the clock is corrected by %v", off)
	}
	id, err := tab.LogCommunityActivity(t.Context(), activity("中秋联欢"))
	tab.must(err)
	if m := tab.record(id).Message; m.GetOccurredOn() != 20210923 {
		t.Errorf("logged on %d", m.GetOccurredOn())
	}
	if got := tab.sync(); got.Sent != 1 || got.Requests != 1 {
		t.Errorf("Sync = %+v", got)
	}
}

func TestSeedsReplay(t *testing.T) {
	ids := map[hlc.ID]int{}
	for range 2 {
		tab := enrolled(t, newServer(t), "li-wei")
		for _, id := range tab.all() {
			ids[id]++
		}
	}
	for id, n := range ids {
		if n != 2 {
			t.Errorf("%s was made %d times", id, n)
		}
	}
}

// A move to another team brings what that team logged before.
func TestMoveToAnotherTeam(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	tab.sync()
	s.set(testID(14, 1), activity("早先的"))
	tab.sync()
	before := len(s.asked)

	s.set(liWei, &recordv1.Worker{Team: teamB[:]})
	tab.sync()
	positions := []uint64{}
	for _, r := range s.asked[before:] {
		positions = append(positions, r.GetPull().GetCursor().GetPosition())
	}
	if len(positions) != 2 || positions[0] == 0 || positions[1] != 0 {
		t.Errorf("it pulled from %v, and not from 0 after the move", positions)
	}
	// A cursor at 0 can't tell whether the log is still the one that the tablet knew.
	if marks := s.asked[before+1].GetPull().GetMarks(); len(marks) != 1 || marks[0].GetPosition() < positions[0] {
		t.Errorf("it has %v compared", marks)
	}
	id, err := tab.LogCommunityActivity(t.Context(), activity("中秋联欢"))
	tab.must(err)
	if m := tab.record(id).Message; hlc.ID(m.GetTeam()) != teamB || hlc.ID(m.GetSite()) != xiaohe {
		t.Errorf("after the move it logs for %x at %x", m.GetTeam(), m.GetSite())
	}
	if quiet := tab.sync(); quiet.Requests != 1 {
		t.Errorf("the sync after that: %+v", quiet)
	}
}

func TestCertificateIsRenewed(t *testing.T) {
	s := newServer(t)
	tab := enrolled(t, s, "li-wei")
	another := *s.devices[tab.status().Device]
	another.worker = zhangMin
	s.renew = func(*device) *device { return &another }
	if _, err := tab.Sync(t.Context(), nil); clientlib.Code(err) != "malformed" {
		t.Errorf("another worker's certificate: %v", err)
	}
	s.renew = func(d *device) *device { return d }
	if got := tab.sync(); got.Requests != 1 {
		t.Errorf("with a certificate of its own: %+v", got)
	}
}

// wireCode is a code with another worker than the server has for its secret.
func wireCode(s *fakeServer, worker hlc.ID, secret string) string {
	return wire.EnrolmentCode{ServerURL: "http://levee.test", Deployment: s.deployment, Worker: worker, Secret: secret}.String()
}
