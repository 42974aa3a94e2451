package clientlib

import (
	"context"

	"levee/clientlib/internal/localdb"
	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// LogCase logs a case 个案. Filled in: lead, with the tablet's worker; age_band, where the age is given (by Update too).
func (s *Store) LogCase(ctx context.Context, m *recordv1.Case) (hlc.ID, error) { return s.log(ctx, m) }

// LogCaseIdentity logs who one client of a case is ▲.
func (s *Store) LogCaseIdentity(ctx context.Context, m *recordv1.CaseIdentity) (hlc.ID, error) {
	return s.log(ctx, m)
}

// LogConsent logs what the client of a case, or a participant, agreed to ▲.
func (s *Store) LogConsent(ctx context.Context, m *recordv1.Consent) (hlc.ID, error) {
	return s.log(ctx, m)
}

// LogCaseSession logs one meeting with the clients of a case 个案服务记录.
func (s *Store) LogCaseSession(ctx context.Context, m *recordv1.CaseSession) (hlc.ID, error) {
	return s.log(ctx, m)
}

// LogCaseNote logs the narrative of a case session ▲.
func (s *Store) LogCaseNote(ctx context.Context, m *recordv1.CaseNote) (hlc.ID, error) {
	return s.log(ctx, m)
}

// LogOutreach logs a round of visits or calls 走访. The people reached are counted by Count.
func (s *Store) LogOutreach(ctx context.Context, m *recordv1.Outreach) (hlc.ID, error) {
	return s.log(ctx, m)
}

// LogGroup logs a group 小组. Filled in: leader, with the tablet's worker.
func (s *Store) LogGroup(ctx context.Context, m *recordv1.Group) (hlc.ID, error) {
	return s.log(ctx, m)
}

// LogGroupSession logs one meeting of a group 小组活动.
func (s *Store) LogGroupSession(ctx context.Context, m *recordv1.GroupSession) (hlc.ID, error) {
	return s.log(ctx, m)
}

// LogGroupNote logs the narrative of a group session ▲.
func (s *Store) LogGroupNote(ctx context.Context, m *recordv1.GroupNote) (hlc.ID, error) {
	return s.log(ctx, m)
}

// LogCommunityActivity logs an activity for whoever comes 团体活动.
func (s *Store) LogCommunityActivity(ctx context.Context, m *recordv1.CommunityActivity) (hlc.ID, error) {
	return s.log(ctx, m)
}

// Count logs one worker's count of the people in their own zone 计数, at a community activity, a group session or an
// outreach. Filled in: counter, with the tablet's worker. Each colleague logs a count of their own; the activity's count
// is their sum.
func (s *Store) Count(ctx context.Context, m *recordv1.Headcount) (hlc.ID, error) {
	return s.log(ctx, m)
}

// LogParticipant logs a registered person, known by a token only 参与者.
func (s *Store) LogParticipant(ctx context.Context, m *recordv1.Participant) (hlc.ID, error) {
	return s.log(ctx, m)
}

// LogAttendance logs one participant at one activity 出席. Filled in, where the participant is on this tablet: token, sex, age
// band and disability.
func (s *Store) LogAttendance(ctx context.Context, m *recordv1.Attendance) (hlc.ID, error) {
	return s.log(ctx, m)
}

// LogResourceLink logs a need, and what was found to meet it 资源链接. Filled in: the service area, resource linking.
func (s *Store) LogResourceLink(ctx context.Context, m *recordv1.ResourceLink) (hlc.ID, error) {
	return s.log(ctx, m)
}

// LogReferral logs that a case is handed to another organisation 转介.
func (s *Store) LogReferral(ctx context.Context, m *recordv1.Referral) (hlc.ID, error) {
	return s.log(ctx, m)
}

// LogReferralNote logs what the other organisation is told ▲.
func (s *Store) LogReferralNote(ctx context.Context, m *recordv1.ReferralNote) (hlc.ID, error) {
	return s.log(ctx, m)
}

// LogRiskAlert logs a danger 风险上报 ▲. It is taken even when the case that it is about is deleted. Filled in: seen_at,
// with now.
func (s *Store) LogRiskAlert(ctx context.Context, m *recordv1.RiskAlert) (hlc.ID, error) {
	return s.log(ctx, m)
}

// LogSupervision logs a supervision meeting 督导.
func (s *Store) LogSupervision(ctx context.Context, m *recordv1.Supervision) (hlc.ID, error) {
	return s.log(ctx, m)
}

// LogSupervisionNote logs what the supervisor advised ▲.
func (s *Store) LogSupervisionNote(ctx context.Context, m *recordv1.SupervisionNote) (hlc.ID, error) {
	return s.log(ctx, m)
}

// LogReview logs a supervisor's judgement of one record as it stands on this tablet 审核. Filled in: reviewed, with the stamps of the
// target's counted fields.
func (s *Store) LogReview(ctx context.Context, m *recordv1.Review) (hlc.ID, error) {
	return s.log(ctx, m)
}

// Draft is what logging m would keep: m with what would be filled in, and the required fields that it would still lack, by their names in the
// protos. Nothing is written. Its errors are those of logging.
func (s *Store) Draft(ctx context.Context, m record.Common) (filled record.Common, missing []string, err error) {
	err = s.read(ctx, func(tx *localdb.Tx, t *localdb.Tablet) error {
		d, err := s.desk(tx, t)
		if err != nil {
			return err
		}
		k := record.KindOf(m)
		if filled, err = d.fill(k, m); err != nil {
			return err
		}
		for _, f := range record.Missing(k, filled) {
			missing = append(missing, fieldName(k, f))
		}
		_, err = d.valid(k, filled)
		return err
	})
	return filled, missing, err
}

// log is what all of them do.
func (s *Store) log(ctx context.Context, m record.Common) (made hlc.ID, err error) {
	err = s.write(ctx, func(tx *localdb.Tx, t *localdb.Tablet) error {
		d, err := s.desk(tx, t)
		if err != nil {
			return err
		}
		made, err = s.logAt(d, m)
		return err
	})
	if err != nil {
		return hlc.ID{}, err
	}
	return made, nil
}

// logAt makes one record, which is there for what is logged next at the same desk.
func (s *Store) logAt(d *desk, m record.Common) (made hlc.ID, err error) {
	k := record.KindOf(m)
	filled, err := d.fill(k, m)
	if err != nil {
		return made, err
	}
	fields, err := d.valid(k, filled)
	if err != nil {
		return made, err
	}
	stamp := d.stamp()
	if made, err = hlc.NewID(stamp.Time, s.entropy); err != nil {
		return made, err
	}
	c, err := record.Edit(made, made, k, stamp, nil, fields, nil)
	if err != nil {
		return made, err
	}
	return made, d.append(c)
}

// append keeps a change, within the bounds of what a batch may hold. Once the deployment is archived its personal data is erased, and
// nothing may bring any back; but nothing stands in the way of an alert.
func (d *desk) append(c *record.Change) error {
	if d.state == recordv1.DeploymentState_DEPLOYMENT_STATE_ARCHIVED && c.Kind != recordv1.Kind_KIND_RISK_ALERT {
		return &Error{CodeDeploymentArchived, nil}
	}
	if len(c.Encode()) > batch.MaxChangeBytes {
		return &InvalidError{c.Kind, []record.Problem{{Code: record.CodeTooLarge}}}
	}
	if c.Kind == recordv1.Kind_KIND_RISK_ALERT {
		d.store.alerted.Store(true)
	}
	return d.tx.Append(d.tablet, c)
}
