package closeout_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"levee/server/internal/closeout"
	"levee/server/internal/progress"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
)

// One thing is done in the background at a time; what comes of it can be asked.
func TestOneThingInTheBackground(t *testing.T) {
	f := open(t)
	changed, failed := make(chan struct{}, 10), make(chan error, 10)
	f.service.Changed, f.service.Failed = func() { changed <- struct{}{} }, func(err error) { failed <- err }
	t.Cleanup(f.service.Stop)
	f.refused(f.service.BeginRecount(f.by("lead")), problem.NotAllowed)
	f.refused(f.service.BeginIssuing(f.coordinator()), problem.WrongState)
	f.refused(f.service.BeginClosing(t.Context(), f.coordinator()), problem.WrongState)
	if f.service.Work() != nil || f.service.LastRecount() != nil {
		t.Error("something was done")
	}
	goOn, broken := make(chan struct{}), errors.New("the disk is gone")
	f.must(f.service.BeginBackup(f.coordinator(), func(context.Context) error {
		<-goOn
		return broken
	}))
	if <-changed; !f.service.Work().Running() {
		t.Error("it does not run")
	}
	f.refused(f.service.BeginRecount(f.coordinator()), problem.Busy)
	close(goOn)
	<-changed
	if work := f.service.Work(); work.Running() || work.Step != closeout.BackingUp || !errors.Is(work.Err, broken) || !errors.Is(<-failed, broken) {
		t.Errorf("%+v", work)
	}
	f.must(f.service.BeginRecount(f.coordinator()))
	<-changed
	<-changed
	if last := f.service.LastRecount(); last == nil || !last.Equal || last.Position == 0 {
		t.Errorf("%+v", last)
	}
	f.announce()
	f.afterTheEnd()
	f.refused(f.service.BeginClosing(t.Context(), f.coordinator()), problem.NotReady)
	f.waiveAll("没有信号")
	f.must(f.service.BeginClosing(t.Context(), f.coordinator()))
	<-changed
	<-changed
	if work := f.service.Work(); work.Err != nil || f.service.State() != closed {
		t.Errorf("%+v", work)
	}
	f.service.Stop()
	f.refused(f.service.BeginRecount(f.coordinator()), problem.Busy)
}

// Whoever asks how a step goes is told how far it is.
func TestAStepTellsHowFarItIs(t *testing.T) {
	f := open(t)
	t.Cleanup(f.service.Stop)
	f.announce()
	f.afterTheEnd()
	f.waiveAll("没有信号")
	_, err := f.service.Close(t.Context(), f.coordinator())
	f.must(err)
	far := closeout.Progress{Part: closeout.Part{Name: "tables", At: 3, Parts: 5}, Done: 7, Of: 10}
	for name, begin := range map[string]func(func(context.Context, closeout.Tell) error) error{
		"an archive": func(do func(context.Context, closeout.Tell) error) error {
			return f.service.BeginArchive(t.Context(), f.coordinator(), do)
		},
		"an erasure": func(do func(context.Context, closeout.Tell) error) error {
			return f.service.BeginErasing(f.coordinator(), do)
		},
	} {
		changed, told, goOn := make(chan struct{}, 2), make(chan struct{}), make(chan struct{})
		f.service.Changed = func() { changed <- struct{}{} }
		f.must(begin(func(_ context.Context, tell closeout.Tell) error {
			tell(far)
			close(told)
			<-goOn
			return problem.New(problem.Uncertified)
		}))
		<-told
		if work := f.service.Work(); !work.Running() || work.Progress != far {
			t.Errorf("%s: %+v", name, work)
		}
		close(goOn)
		<-changed
		<-changed
	}
}

// cutting is a store that says when it is looked at.
type cutting struct {
	closeout.Store
	looked func()
}

func (c cutting) Look(ctx context.Context, fn func(progress.Reading) error) error {
	c.looked()
	return c.Store.Look(ctx, fn)
}

// A server that is to stop while a deployment is being closed leaves it as it was.
func TestAClosingThatIsBrokenOffComesToNothing(t *testing.T) {
	f := open(t)
	f.announce()
	f.afterTheEnd()
	f.waiveAll("没有信号")
	ctx, stop := context.WithCancel(t.Context())
	f.service.Store = cutting{f.service.Store, func() {
		if f.service.State() == closed {
			stop()
		}
	}}
	if _, err := f.service.Close(ctx, f.coordinator()); err == nil {
		t.Error("it was not broken off")
	}
	if f.service.State() != closing {
		t.Errorf("it is %v", f.service.State())
	}
}

// How many checks stand in the way is counted anew when something has changed, and else once a minute.
func TestHowManyChecksStandInTheWay(t *testing.T) {
	f := open(t)
	f.announce()
	f.afterTheEnd()
	looks := 0
	f.service.Store = cutting{f.service.Store, func() { looks++ }}
	blocked := func(want int, counted bool) {
		t.Helper()
		before := looks
		n, known, err := f.service.Blocked(t.Context())
		if f.must(err); n != want || !known || (looks > before) != counted {
			t.Errorf("%d (%v), looked %d times; want %d", n, known, looks-before, want)
		}
	}
	blocked(1, true)
	blocked(1, false)
	for _, item := range []*hlc.ID{&f.anna.Device.ID, &f.ben.Device.ID, &f.carl.Device.ID} {
		f.must(f.service.Waive(t.Context(), f.coordinator(), recordv1.CloseOutCheck_CLOSE_OUT_CHECK_UNHEARD, *item, "没有信号"))
	}
	blocked(0, true)
	blocked(0, false)
	f.Pass(time.Minute)
	blocked(0, true)
}

// New records of an addendum are told by their kinds, and what edits them makes no further one.
func TestNewRecordsOfAnAddendum(t *testing.T) {
	f := open(t)
	known := f.opened(f.carl, "2021-1")
	f.carl.Push(known)
	late := f.carl.Make(session(1))
	edit, other := f.carl.Edit(late.Record, session(2)), f.carl.Edit(known.Record, &recordv1.Case{Stage: recordv1.CaseStage_CASE_STAGE_CLOSURE.Enum()})
	f.announce()
	f.afterTheEnd()
	f.waiveAll("没有信号")
	_, err := f.service.Close(t.Context(), f.coordinator())
	f.must(err)
	f.carl.Push(late, edit, other)
	addenda, err := f.service.Addenda(t.Context())
	f.must(err)
	if counts := addenda[0].NewRecords(); len(counts) != 1 || counts[recordv1.Kind_KIND_COMMUNITY_ACTIVITY] != 1 || len(addenda[0].Changes) != 3 {
		t.Errorf("%v of %+v", counts, addenda[0].Changes)
	}
}
