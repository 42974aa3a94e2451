package webui_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"google.golang.org/protobuf/proto"

	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	"levee/server/internal/webtest"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// indexed waits until the pages know everything that tablets sent.
func (s *site) indexed(d *servertest.Deployment) {
	s.t.Helper()
	if err := s.all.Get(d.ID).Indexing.CatchUp(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// talks are some activities of team one with their heads, of one day each.
func (c *casework) talks(n int) (ids []hlc.ID) {
	c.T.Helper()
	held := recordv1.Status_STATUS_HELD.Enum()
	for i := range n {
		talk := c.anna.Make(&recordv1.CommunityActivity{Name: proto.String("讲座" + string(rune('A'+i))), OccurredOn: proto.Int32(20210923 + int32(i)), Minutes: proto.Uint32(60), RegisterUsed: proto.Bool(false), Status: held})
		heads := c.anna.Make(&recordv1.Headcount{Activity: talk.Record[:], OccurredOn: proto.Int32(20210923 + int32(i)), Counter: c.anna.Worker[:], Zone: proto.String("全场"), Method: recordv1.CountMethod_COUNT_METHOD_COUNTED.Enum(), FirstTime: proto.Uint32(20), Status: held})
		c.anna.Push(talk, heads)
		ids = append(ids, talk.Record, heads.Record)
	}
	return ids
}

// inbox are the comments of reviews that a tablet has got.
func inbox(d *servertest.Device) (comments []string) {
	d.Pull()
	for id, p := range d.Pulled {
		if record.Kind(p.GetKind()) != recordv1.Kind_KIND_REVIEW {
			continue
		}
		var m recordv1.Review
		if err := proto.Unmarshal(d.Seen[id].Fields(), &m); err != nil {
			d.T.Fatal(err)
		}
		comments = append(comments, m.GetComment())
	}
	return comments
}

// boxes are the values of the boxes to tick that a page has.
func boxes(page *html.Node) (values []string) {
	for _, n := range webtest.Find(page, "input") {
		if webtest.Attribute(n, "type") == "checkbox" && webtest.Attribute(n, "name") == "chosen" {
			values = append(values, webtest.Attribute(n, "value"))
		}
	}
	return values
}

// TestASupervisorReviews goes through the queue: returns a session with a comment, which the tablet gets; the worker mends it; then
// it is approved. What is reported never falls, and what is verified rises.
func TestASupervisorReviews(t *testing.T) {
	s := newSite(t)
	c := s.casework()
	s.indexed(c.Deployment)
	queue := "/deployments/" + c.ID.String() + "/review"
	b := s.as(c.Deployment, "super", "en").Open(queue).Is(http.StatusOK)
	b.Sees("To be reviewed (2)", "case 2021-01", "case sessions: 1", "one, all days", "case sessions 1 0", "contacts 1 0")
	b.Follow("case session 2021-01").Is(http.StatusOK).Sees("It counts: case sessions: 1", "home visit", "made · anna · from tablet anna", "Decide")
	b.Send("Return to the worker", nil).Is(http.StatusUnprocessableEntity).Sees("Choose a reason, or write a comment.")
	b.Send("Return to the worker", webtest.Values("reasons", b.Choice("numbers"), "comment", "几人在场？")).Is(http.StatusOK).Sees("Returned. The worker sees it", "case 2021-01")
	if strings.Contains(b.At.Path, c.session.String()) || !strings.Contains(b.At.Path, c.file.String()) {
		t.Errorf("the next one is %s", b.At)
	}
	if got := inbox(c.anna); len(got) != 1 || got[0] != "几人在场？" {
		t.Errorf("the tablet got %q", got)
	}
	b.Open(queue).Sees("To be reviewed (1)", "Returned (1)", "case sessions 1 0").Follow("Returned (1)").Sees("case session 2021-01", "returned on 1 Oct 2021 12:00: 几人在场？")

	c.ben.Pull()
	c.ben.Push(c.ben.Edit(c.session, &recordv1.CaseSession{Attendees: proto.Uint32(2)}))
	s.indexed(c.Deployment)
	b.Open(queue).Sees("To be reviewed (2)", "returned on 1 Oct 2021 12:00: 几人在场？, changed since", "contacts 2 0")
	b.Follow("case session 2021-01").Sees("returned, and changed since")
	stale := webtest.StandingIn(webtest.Find(b.Page, "main")[0]).Get("seen")
	b.Send("Approve", nil).Is(http.StatusOK).Sees("Approved.", "case 2021-01")
	b.Open(queue).Sees("To be reviewed (1)", "Approved (1)", "case sessions 1 1", "contacts 2 2")
	b.Open(c.at(c.session)).Sees("approved · super", "returned · super")

	if b.Open(queue + "/" + c.session.String()).Sees("Return to the worker"); strings.Contains(b.Text, "Decide It counts: case sessions: 1 contacts: 2 Approve") {
		t.Errorf("what is approved is to be approved: %s", b.Text)
	}

	// It is changed again: the approval lapses, and one that was shown the old state decides about nothing.
	c.ben.Pull()
	c.ben.Push(c.ben.Edit(c.session, &recordv1.CaseSession{Attendees: proto.Uint32(5)}))
	s.indexed(c.Deployment)
	b.Open(queue).Sees("approved on 1 Oct 2021 12:00, changed since", "case sessions 1 0", "contacts 5 0")
	b.Follow("case session 2021-01").Sees("Changed since it was approved on 1 Oct 2021 12:00: clients present.")
	b.Send("Approve", url.Values{"seen": {stale}}).Is(http.StatusUnprocessableEntity).Sees("meanwhile", "To mend:")
	if b.Open(queue).Sees("case sessions 1 0"); strings.Contains(b.Text, "Approved (1)") {
		t.Errorf("a stale approval holds: %s", b.Text)
	}
	b.Open(queue+"?lang=zh").Sees("待审核 (2)", "已上报与已核实", "个案服务")

	// Who works in the field reviews nothing.
	s.as(c.Deployment, "carl", "en").Open(queue).Is(http.StatusForbidden)
}

// TestManyAreApproved chooses records, is told what that would verify, and is told of each what became of it.
func TestManyAreApproved(t *testing.T) {
	s := newSite(t)
	c := s.casework()
	ids := c.talks(3)
	s.indexed(c.Deployment)
	queue := "/deployments/" + c.ID.String() + "/review"
	b := s.as(c.Deployment, "super", "en").Open(queue)
	b.Send("Look at the chosen ones before approving", nil).Sees("Nothing was chosen.")
	b.Open(queue+"?kind=headcount&from=2021-09-24").Sees("headcount 讲座B", "headcount 讲座C", "contacts: 20")
	if strings.Contains(b.Text, "讲座A") || len(boxes(b.Page)) != 2 {
		t.Errorf("the filter leaves %s", b.Text)
	}
	b.Send("All on this page", nil).Is(http.StatusOK).Sees("2 records", "No figure would rise")
	b.Open(queue+"?to=2021-09-25").Send("All on this page", nil).Sees("6 records", "community activities: +3", "contacts: +60")
	chosen := webtest.StandingIn(webtest.Find(b.Page, "main")[0])["chosen"]
	if len(chosen) != 6 {
		t.Fatalf("%d are chosen", len(chosen))
	}

	// One of them is changed before the button is pressed: it is left out, and the rest is done.
	c.ben.Pull()
	c.ben.Push(c.ben.Edit(ids[1], &recordv1.Headcount{FirstTime: proto.Uint32(25)}))
	b.Send("Approve them", nil).Is(http.StatusOK).Sees("What was approved", "community activity 讲座A", "left out:")
	if n := strings.Count(b.Text, "left out:"); n != 1 || strings.Count(b.Text, " approved") < 5 {
		t.Errorf("%d are left out: %s", n, b.Text)
	}
	b.Open(b.At.String() + "?lang=zh").Sees("团体活动 讲座A").Open(b.At.Path)
	b.Follow("To the queue").Sees("headcount 讲座A")
	b.Open(queue).Sees("To be reviewed (3)", "Approved (5)", "community activities 3 3", "contacts 66 40")
	// Sent once more, all are approved already: nothing changes in what is verified.
	b.Do(http.MethodPost, queue+"/approvals", url.Values{"chosen": chosen})
	b.Open(queue).Sees("Approved (5)", "contacts 66 40")

	// What is of another team is neither told of nor approved.
	carl := c.Enrol("carl")
	theirs := carl.Make(&recordv1.CommunityActivity{Name: proto.String("二队的"), Minutes: proto.Uint32(60), RegisterUsed: proto.Bool(false), Status: recordv1.Status_STATUS_HELD.Enum()})
	carl.Push(theirs)
	s.indexed(c.Deployment)
	name := theirs.Record.String() + ".99999"
	if b.Do(http.MethodPost, queue+"/preview", url.Values{"chosen": {name}}); strings.Contains(b.Text, "二队的") {
		t.Errorf("the preview tells: %s", b.Text)
	}
	if b.Do(http.MethodPost, queue+"/approvals", url.Values{"chosen": {name}}); strings.Contains(b.Text, "二队的") || !strings.Contains(b.Text, "left out:") {
		t.Errorf("the outcome tells: %s", b.Text)
	}
	b.Open(queue + "/" + theirs.Record.String()).Is(http.StatusNotFound)
	s.as(c.Deployment, "coordinator", "en").Open(queue).Sees("二队的", "The whole deployment")
}

// TestTheQueueIsPaged goes through more than one page, the newest day first, and misses nothing.
func TestTheQueueIsPaged(t *testing.T) {
	s := newSite(t)
	c := s.casework()
	var changes []*record.Change
	for range 60 {
		changes = append(changes, c.anna.Make(&recordv1.Outreach{Households: proto.Uint32(1), Status: recordv1.Status_STATUS_HELD.Enum(), OccurredOn: proto.Int32(20210930)}))
	}
	c.anna.Push(changes...)
	s.indexed(c.Deployment)
	b := s.as(c.Deployment, "super", "en").Open("/deployments/" + c.ID.String() + "/review")
	first := boxes(b.Page)
	b.Follow("Further")
	if all := slices.Concat(first, boxes(b.Page)); len(first) != 50 || len(all) != 62 || strings.Contains(b.Text, "Further") {
		t.Errorf("%d and then %d", len(first), len(all)-len(first))
	}
	if !strings.HasPrefix(first[0], c.session.String()) && !strings.HasPrefix(first[0], c.file.String()) {
		t.Errorf("the queue begins with %s", first[0])
	}
}

// A supervisor who has no team yet has none to review, and not all of them.
func TestWhoHasNoTeamsReviewsNothing(t *testing.T) {
	s := newSite(t)
	c := s.casework()
	c.talks(1)
	ben := c.ben.Make(&recordv1.CommunityActivity{Name: proto.String("讲座A"), OccurredOn: proto.Int32(20210923), Minutes: proto.Uint32(60), RegisterUsed: proto.Bool(false), Status: recordv1.Status_STATUS_HELD.Enum()})
	c.ben.Push(ben)
	c.Workers["newcomer"] = c.NewID()
	if err := c.Service.Add(t.Context(), []syncing.SetUpRecord{{ID: c.Workers["newcomer"], Message: &recordv1.Worker{Name: proto.String("新督导"), Role: recordv1.Role_ROLE_SUPERVISOR.Enum(), Type: recordv1.WorkerType_WORKER_TYPE_EXPERT.Enum()}}}); err != nil {
		t.Fatal(err)
	}
	s.indexed(c.Deployment)
	b := s.as(c.Deployment, "newcomer", "en")
	for _, page := range []string{"review", "duplicates", "conflicts", "held", "cases"} {
		b.Open("/deployments/" + c.ID.String() + "/" + page).Is(http.StatusOK)
		if strings.Contains(b.Text, "讲座A") || strings.Contains(b.Text, "2021-01") || strings.Contains(b.Text, "(4)") || len(boxes(b.Page)) > 0 || strings.Contains(b.Text, "community activity 23 Sep") {
			t.Errorf("%s shows what is of a team: %s", page, b.Text)
		}
	}
	s.as(c.Deployment, "super", "en").Open("/deployments/" + c.ID.String() + "/duplicates").Sees("community activity")
}

// A comment that is too long for a record is told of at the form, where it still stands.
func TestACommentMayBeTooLong(t *testing.T) {
	s := newSite(t)
	c := s.casework()
	s.indexed(c.Deployment)
	long := strings.Repeat("请补上时长。", 200)
	b := s.as(c.Deployment, "super", "en").Open("/deployments/" + c.ID.String() + "/review/" + c.session.String())
	b.Send("Return to the worker", webtest.Values("comment", long)).Is(http.StatusUnprocessableEntity).Sees("long", long)
}
