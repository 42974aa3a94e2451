package closeout

import (
	"context"
	"slices"

	"levee/server/internal/syncing"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
)

// papers are what cases have in writing, as of a position of the log.
type papers struct {
	position uint64
	known    bool
	// referred are the cases of which a station was asked to take them over, and did not decline.
	referred map[hlc.ID]bool
	// noConsent are those without any consent, noReceipt those that were referred, or closed as such, without anybody having accepted
	// them.
	noConsent, noReceipt []Item
}

// papersNow are the papers as they stand. They are read again only when the log has moved, since all cases are looked through.
func (s *Service) papersNow(ctx context.Context) (papers, error) {
	s.papersMu.Lock()
	defer s.papersMu.Unlock()
	err := s.Store.Read(ctx, func(tx syncing.Reading) error {
		head, err := tx.Head()
		if err != nil || (s.papers.known && s.papers.position == head.Position) {
			return err
		}
		found, err := papersIn(tx, s.Syncing.SetUp())
		if err == nil {
			found.position, found.known = head.Position, true
			s.papers = found
		}
		return err
	})
	return s.papers, err
}

func papersIn(tx syncing.Reading, setUp *syncing.SetUp) (papers, error) {
	found := papers{referred: map[hlc.ID]bool{}}
	cases, err := messagesOf[*recordv1.Case](tx, recordv1.Kind_KIND_CASE)
	if err != nil {
		return found, err
	}
	consents, err := messagesOf[*recordv1.Consent](tx, recordv1.Kind_KIND_CONSENT)
	if err != nil {
		return found, err
	}
	referrals, err := messagesOf[*recordv1.Referral](tx, recordv1.Kind_KIND_REFERRAL)
	if err != nil {
		return found, err
	}
	consented, accepted := map[hlc.ID]bool{}, map[hlc.ID]bool{}
	for _, c := range consents {
		consented[hlc.IDOf(c.GetSubject())] = true
	}
	waiting := map[hlc.ID][]hlc.ID{}
	for id, r := range referrals {
		of := hlc.IDOf(r.GetCase())
		switch r.GetProgress() {
		case recordv1.ReferralProgress_REFERRAL_PROGRESS_DECLINED:
		case recordv1.ReferralProgress_REFERRAL_PROGRESS_ACCEPTED, recordv1.ReferralProgress_REFERRAL_PROGRESS_FOLLOWED_UP:
			accepted[of], found.referred[of] = true, true
		default:
			found.referred[of] = found.referred[of] || r.GetToOrganisation() != ""
			waiting[of] = append(waiting[of], id)
		}
	}
	for id, c := range cases {
		if c.GetOpenedOn() == 0 || len(c.GetDuplicateOf()) > 0 {
			continue
		}
		lead := hlc.IDOf(c.GetLead())
		slices.SortFunc(waiting[id], hlc.CompareIDs)
		item := Item{Subject: id, Kind: recordv1.Kind_KIND_CASE, Referrals: waiting[id], Name: c.GetCaseNo(), Team: hlc.IDOf(c.GetTeam()), Worker: workerNamed(setUp, lead), Phone: setUp.Workers[lead].GetPhone()}
		if !consented[id] && StateOf(setUp.Deployment) != recordv1.DeploymentState_DEPLOYMENT_STATE_ARCHIVED {
			found.noConsent = append(found.noConsent, item)
		}
		if (found.referred[id] || c.GetClosure() == recordv1.CaseClosure_CASE_CLOSURE_REFERRED) && !accepted[id] {
			found.noReceipt = append(found.noReceipt, item)
		}
	}
	for _, items := range [][]Item{found.noConsent, found.noReceipt} {
		slices.SortFunc(items, func(a, b Item) int { return hlc.CompareIDs(a.Subject, b.Subject) })
	}
	return found, nil
}

// papersMissing are the cases without a consent, and those that were referred and that nobody has accepted in writing. Once personal data
// is erased there are no consents any more, and none is missed.
func (s *Service) papersMissing(ctx context.Context) ([]Check, error) {
	found, err := s.papersNow(ctx)
	if err != nil {
		return nil, err
	}
	return []Check{itemised(recordv1.CloseOutCheck_CLOSE_OUT_CHECK_CONSENT, slices.Clone(found.noConsent)),
		itemised(recordv1.CloseOutCheck_CLOSE_OUT_CHECK_REFERRAL, slices.Clone(found.noReceipt))}, nil
}
