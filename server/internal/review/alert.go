package review

import (
	"context"

	"google.golang.org/protobuf/proto"

	"levee/server/internal/access"
	"levee/server/internal/audit"
	"levee/server/internal/casefile"
	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/problem"
	"levee/syncproto/record"
)

// Acknowledge confirms that somebody knows of a risk alert and sees to it; the tablet that sent it then stops saying unconfirmed 未确认. It
// is for who may see the alert and reviews what the team logged. Again, by whomever, is no error: the first one stays.
func (s *Service) Acknowledge(ctx context.Context, by casefile.Reader, alert hlc.ID) error {
	err := s.acknowledge(ctx, by, alert)
	if problem.CodeOf(err) == problem.ChangedMeanwhile { // somebody edits it, or was faster: it must not wait for that
		err = s.acknowledge(ctx, by, alert)
	}
	return err
}

func (s *Service) acknowledge(ctx context.Context, by casefile.Reader, alert hlc.ID) error {
	f, m, err := s.alert(ctx, by, alert)
	if err != nil || len(m.GetAcknowledgedBy()) > 0 {
		return err
	}
	return s.act(ctx, by, audit.AlertAcknowledged, []hlc.ID{alert}, syncing.Deed{ID: alert, Seen: f.Position,
		Message: &recordv1.RiskAlert{AcknowledgedBy: by.Worker[:], AcknowledgedAt: proto.Int64(s.Wall().UnixMilli())}})
}

// CloseAlert says on which day the danger was over 了结. Problem invalid_argument for a day to come, and for an alert that nobody has
// acknowledged.
func (s *Service) CloseAlert(ctx context.Context, by casefile.Reader, alert Seen, on record.Date) error {
	_, m, err := s.alert(ctx, by, alert.ID)
	switch {
	case err != nil:
		return err
	case len(m.GetAcknowledgedBy()) == 0:
		return problem.Newf(problem.InvalidArgument, "nobody has acknowledged the alert")
	case on > record.Date(s.today()):
		return problem.Newf(problem.InvalidArgument, "closed_on: a day to come")
	}
	return s.act(ctx, by, audit.AlertClosed, []hlc.ID{alert.ID}, syncing.Deed{ID: alert.ID, Seen: alert.Position, Message: &recordv1.RiskAlert{ClosedOn: proto.Int32(int32(on))}})
}

func (s *Service) alert(ctx context.Context, by casefile.Reader, id hlc.ID) (f found, m *recordv1.RiskAlert, err error) {
	err = s.Store.ReadReview(ctx, func(tx Reading) (err error) {
		if f, err = s.find(tx, by, access.ReviewRecords, id); err != nil {
			return err
		}
		if f.Kind != recordv1.Kind_KIND_RISK_ALERT || f.registers.Deleted() {
			return problem.New(problem.NotFound)
		}
		m, err = read(f, &recordv1.RiskAlert{})
		return err
	})
	return f, m, err
}
