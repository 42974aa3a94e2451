package clientlib

import (
	"context"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// CaseFile is a case with all that belongs to it on this tablet, by day. Deleted records are left out, but the case itself
// is there even when it is deleted.
type CaseFile struct {
	Case Record[*recordv1.Case]
	// Mine: the tablet's worker leads it or works on it.
	Mine bool
	// Closed and NextDue are those of its line in Cases.
	Closed        bool
	NextDue       record.Date
	Identities    []Record[*recordv1.CaseIdentity]
	Consents      []Record[*recordv1.Consent]
	Sessions      []CaseSession
	Referrals     []CaseReferral
	ResourceLinks []Record[*recordv1.ResourceLink]
	RiskAlerts    []Record[*recordv1.RiskAlert]
}

// CaseSession is a session with its notes; there are none where this worker may not read them.
type CaseSession struct {
	Record[*recordv1.CaseSession]
	Notes []Record[*recordv1.CaseNote]
}

// CaseReferral is a referral with its notes.
type CaseReferral struct {
	Record[*recordv1.Referral]
	Notes []Record[*recordv1.ReferralNote]
}

// Case is one case with its sessions, their notes, and what else belongs to it. Code of errors: record_missing, also when the id is that of
// another kind.
func (s *Store) Case(ctx context.Context, id hlc.ID) (CaseFile, error) {
	var file CaseFile
	err := s.look(ctx, func(l *look) error {
		r, ok, err := l.tx.Record(id)
		if err != nil {
			return err
		}
		if !ok || r.Kind != recordv1.Kind_KIND_CASE {
			return fail(CodeRecordMissing, "case %s", id)
		}
		sessionsOf, err := l.tx.ViewsOwnedBy([]hlc.ID{id}, recordv1.Kind_KIND_CASE_SESSION)
		if err != nil {
			return err
		}
		line, err := l.caseLine(r, sessionsOf[id])
		if err != nil {
			return err
		}
		file.Case = line.Record
		file.Mine, file.Closed, file.NextDue = worksOn(file.Case.Message, l.tablet.Worker), line.Closed, line.NextDue
		of, err := l.tx.OwnedBy(id)
		if err != nil {
			return err
		}
		sessions, err := pick[*recordv1.CaseSession](l, of)
		if err != nil {
			return err
		}
		for _, session := range sessions {
			notes, err := ownedBy[*recordv1.CaseNote](l, session.ID)
			if err != nil {
				return err
			}
			file.Sessions = append(file.Sessions, CaseSession{session, notes})
		}
		referrals, err := pick[*recordv1.Referral](l, of)
		if err != nil {
			return err
		}
		for _, referral := range referrals {
			notes, err := ownedBy[*recordv1.ReferralNote](l, referral.ID)
			if err != nil {
				return err
			}
			file.Referrals = append(file.Referrals, CaseReferral{referral, notes})
		}
		if file.Identities, err = pick[*recordv1.CaseIdentity](l, of); err != nil {
			return err
		}
		if file.Consents, err = pick[*recordv1.Consent](l, of); err != nil {
			return err
		}
		if file.ResourceLinks, err = pick[*recordv1.ResourceLink](l, of); err != nil {
			return err
		}
		file.RiskAlerts, err = pick[*recordv1.RiskAlert](l, of)
		return err
	})
	return file, err
}
