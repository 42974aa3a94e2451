package syncing

import (
	"context"
	"time"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/record"
)

// Sent is a batch and the device that sends it.
type Sent struct {
	Device Device
	Batch  *syncv1.Batch
}

// PushTogether takes batches in within one commit, as when they wait for the writer together.
func (s *Service) PushTogether(ctx context.Context, now time.Time, batches ...Sent) ([]*syncv1.Acknowledgement, error) {
	var acks []*syncv1.Acknowledgement
	err := s.write(ctx, func(g *group) error {
		acks = nil
		for _, b := range batches {
			p, err := openPush(s.config.Deployment, b.Device, &syncv1.SyncRequest{Push: b.Batch})
			if err != nil {
				return err
			}
			if err := p.read(s.SetUp().Rules, now, futureAt(now, 0)); err != nil {
				return err
			}
			if err := g.bring(p); err != nil {
				return err
			}
			ack, err := g.push(p)
			if err != nil {
				return err
			}
			acks = append(acks, ack)
		}
		return nil
	})
	return acks, err
}

// PullAfter answers the pull of a request whose push was answered with ack a while ago.
func (s *Service) PullAfter(ctx context.Context, device Device, request *syncv1.SyncRequest, ack *syncv1.Acknowledgement) (*syncv1.Page, error) {
	return s.pull(ctx, device, request, ack)
}

// EmptyLinkageKey empties the deployment's linkage key, as archiving does.
func (s *Service) EmptyLinkageKey(ctx context.Context) error {
	return s.write(ctx, func(g *group) error {
		e, err := g.get(g.self.deployment)
		if err != nil {
			return err
		}
		return g.author(e, e.ID, hlc.ID{}, &recordv1.Deployment{}, record.LinkageKeyField)
	})
}
