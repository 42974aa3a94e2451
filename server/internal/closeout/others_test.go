package closeout_test

import (
	"testing"

	"levee/server/internal/closeout"
	"levee/server/internal/progress"
	"levee/syncproto/problem"
)

// Whoever takes a step on a page of another server that has not heard of the last one takes none.
func TestTwoServersTakeAStepOnce(t *testing.T) {
	f := open(t)
	two := f.Beside()
	other := closeout.New(closeout.Config{Syncing: two.Service, Store: two.DB.Deployment(two.ID), Audit: f.log, Key: two.Keys.Signing, Wall: two.Wall,
		Progress: progress.New(progress.Config{Store: two.DB.Deployment(two.ID), SetUp: two.Service.SetUp, Wall: two.Wall})})
	t.Cleanup(other.Stop)
	f.must(f.service.Announce(t.Context(), f.coordinator(), 20211206, 0))
	f.must(two.Service.Refresh(t.Context()))
	if got := other.State(); got != closing {
		t.Fatalf("the other server has it %v", got)
	}
	f.must(f.service.Reopen(t.Context(), f.coordinator()))
	f.refused(other.Reopen(t.Context(), f.coordinator()), problem.WrongState)
	if got := other.State(); got != active {
		t.Errorf("the other server has it %v", got)
	}
}
