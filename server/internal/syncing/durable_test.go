package syncing_test

import (
	"errors"
	"testing"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/servertest"
	"levee/server/internal/syncing"
	recordv1 "levee/syncproto/levee/record/v1"
)

// failing is a store whose disk takes nothing once it has failed.
type failing struct {
	syncing.Store
	failed *error
}

func (f failing) Durable() error {
	if *f.failed != nil {
		return *f.failed
	}
	return f.Store.Durable()
}

// A tablet is told of nothing that the disk does not have: not that its changes are here, even where it asks again and they are read,
// nor what others wrote.
func TestATabletIsToldOfNothingThatTheDiskDoesNotHave(t *testing.T) {
	d := servertest.New(t)
	anna, ben := d.Enrol("anna"), d.Enrol("ben")
	var failed error
	d.Between = func(s syncing.Store) syncing.Store { return failing{s, &failed} }
	d.Close()
	d.Open()
	broken := errors.New("the disk does not take it")
	batch := anna.Batch(anna.Make(&recordv1.Outreach{Site: d.Sites[0][:], Mode: recordv1.OutreachMode_OUTREACH_MODE_HOME.Enum(), Households: proto.Uint32(1)}))
	failed = broken
	for what, try := range map[string]func() error{
		"sent":       func() error { _, err := anna.Sync(anna.Request(batch)); return err },
		"sent again": func() error { _, err := anna.Sync(anna.Request(batch)); return err },
		"a page":     func() error { _, err := ben.Sync(asks(ben)); return err },
	} {
		if err := try(); !errors.Is(err, broken) {
			t.Errorf("%s: %v", what, err)
		}
	}
	failed = nil
	if answer, err := anna.Sync(anna.Request(batch)); err != nil || answer.GetAcknowledgement().GetDurable() != 1 {
		t.Errorf("once it does: %v, %v", answer.GetAcknowledgement(), err)
	}
}
