package progress_test

import (
	"context"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/progress"
	"levee/server/internal/servertest"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
)

// Sessions of several teams come as one list, the newest day first, page by page, without those that are deleted, hidden from
// who asks, or without the supervisee asked for.
func TestSupervisions(t *testing.T) {
	d := servertest.New(t)
	s := progress.New(progress.Config{Store: d.DB.Deployment(d.ID), SetUp: d.Service.SetUp, Wall: d.Wall})
	super, carl := d.Enrol("super"), d.Enrol("carl")
	name := map[hlc.ID]string{}
	hold := func(v *servertest.Device, called string, day int32, supervisees ...string) {
		m := &recordv1.Supervision{OccurredOn: &day, Minutes: proto.Uint32(30), Supervisor: v.Worker[:]}
		for _, one := range supervisees {
			id := d.Workers[one]
			m.Supervisees = append(m.Supervisees, id[:])
		}
		c := v.Make(m)
		v.Push(c)
		name[c.Record] = called
	}
	hold(super, "first", 20210924, "anna", "ben")
	hold(carl, "theirs", 20210926, "carl")
	hold(super, "third", 20210928, "ben")
	hold(super, "last", 20210930, "anna")
	hold(super, "second", 20210925, "anna")
	hold(super, "deleted", 20210927, "anna")
	for id, called := range name {
		if called == "deleted" {
			super.Push(super.Edit(id, &recordv1.Supervision{Deleted: proto.Bool(true)}))
		}
	}
	for id, called := range name {
		if called == "first" || called == "theirs" {
			tasks, by := "复访", super
			if called == "theirs" {
				by = carl
			}
			by.Push(by.Edit(id, &recordv1.Supervision{Tasks: &tasks}))
		}
	}
	list := func(q progress.SupervisionQuery) (all []string) {
		t.Helper()
		for pages := 0; ; pages++ {
			page, next, err := s.Supervisions(context.Background(), q)
			if err != nil || pages > 10 {
				t.Fatalf("page %d: %v", pages, err)
			}
			for _, one := range page {
				all = append(all, name[one.ID])
			}
			if len(page) > q.Limit {
				t.Errorf("a page of %d", len(page))
			}
			if q.After = next; next == (hlc.ID{}) {
				return all
			}
		}
	}
	for _, limit := range []int{1, 2, 5, 50} {
		all := progress.Page[hlc.ID]{Limit: limit}
		if got, want := list(progress.SupervisionQuery{Page: all}), []string{"last", "third", "theirs", "second", "first"}; !slices.Equal(got, want) {
			t.Errorf("%d a page: %v, want %v", limit, got, want)
		}
		if got, want := list(progress.SupervisionQuery{Page: all, Supervisee: d.Workers["anna"]}), []string{"last", "second", "first"}; !slices.Equal(got, want) {
			t.Errorf("of anna, %d a page: %v, want %v", limit, got, want)
		}
		if got, want := list(progress.SupervisionQuery{Page: all, Tasks: true}), []string{"theirs", "first"}; !slices.Equal(got, want) {
			t.Errorf("with tasks, %d a page: %v, want %v", limit, got, want)
		}
		all.Sees = func(team hlc.ID) bool { return team == d.Teams[1] }
		if got, want := list(progress.SupervisionQuery{Page: all}), []string{"theirs"}; !slices.Equal(got, want) {
			t.Errorf("of team two, %d a page: %v, want %v", limit, got, want)
		}
	}
	if _, _, err := s.Supervisions(context.Background(), progress.SupervisionQuery{Page: progress.Page[hlc.ID]{Limit: 1, After: d.NewID()}}); problem.CodeOf(err) != problem.InvalidArgument {
		t.Errorf("after what is not there: %v", err)
	}
}
