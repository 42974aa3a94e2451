package accounts

import (
	"bytes"
	"context"
	"encoding/binary"
	"time"

	"levee/syncproto/hlc"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/wire"
)

// Sorts of entries of the journal's part about the server, which no tablet ever gets.
const (
	// journalSessionEnded: subject is the session's hash.
	journalSessionEnded = "session_ended"
	// journalPassword: a password was set. Subject is the account and when, detail the hash.
	journalPassword = "password_changed"
	// journalLinkSpent: subject is the hash of the link's code.
	journalLinkSpent = "link_spent"
	// journalTokenRevoked: subject is the token's hash.
	journalTokenRevoked = "token_revoked"
	// journalStanding: an account was disabled (detail 1) or enabled (0). Subject is the account and when.
	journalStanding = "account_standing"
	// journalMembershipRemoved: subject is the account, when, and the deployment. A membership that began later stands.
	journalMembershipRemoved = "membership_removed"
)

// note signs an entry and keeps it. It comes before the commit of what it is about: after a crash in between it says too
// much, which does no harm, and never too little.
func (e *editing) note(now time.Time, sort string, subject, detail []byte) error {
	entry := &syncv1.JournalEntry{Sort: sort, Subject: subject, Detail: detail, At: now.UnixMilli()}
	wire.SealJournalEntry(e.s.c.Signing, hlc.ID{}, entry)
	return e.s.c.Journal.Add(e, entry)
}

// subjectAt is a subject of which there can be many about one account.
func subjectAt(account hlc.ID, at int64) []byte {
	return binary.BigEndian.AppendUint64(bytes.Clone(account[:]), uint64(at)) //nolint:gosec // the same bits
}

func accountIn(subject []byte) (id hlc.ID, ok bool) {
	if len(subject) < len(id) {
		return id, false
	}
	return hlc.ID(subject[:len(id)]), true
}

func standingDetail(disabled bool) []byte {
	if disabled {
		return []byte{1}
	}
	return []byte{0}
}

// lookUp runs fn over one snapshot that knows all that the journal says: the store may have been set back beneath this server.
func (s *Service) lookUp(ctx context.Context, fn func(Reading) error) error {
	if err := s.Refresh(ctx); err != nil {
		return err
	}
	return s.c.Store.ReadAccounts(ctx, fn)
}

// Refresh takes in what other servers have noted, and gives the store what it lacks of that.
func (s *Service) Refresh(ctx context.Context) error {
	var lacking bool
	if err := s.c.Store.ReadAccounts(ctx, func(tx Reading) (err error) {
		_, lacking, err = s.c.Journal.Refresh(tx)
		return err
	}); err != nil || !lacking {
		return err
	}
	return s.catchUp(ctx)
}

// catchUp carries out what the journal says and the store, set back to an older copy, does not know. What it says of
// accounts that the store does not have is about nobody.
func (s *Service) catchUp(ctx context.Context) error {
	return s.write(ctx, func(e *editing) error {
		if err := s.c.Journal.Mend(e); err != nil {
			return err
		}
		for _, entry := range s.c.Journal.All(journalSessionEnded) {
			if v, ok, err := e.Session(entry.GetSubject()); err != nil {
				return err
			} else if ok && v.Ended == 0 {
				v.Ended = entry.GetAt()
				if err := e.SaveSession(v); err != nil {
					return err
				}
			}
		}
		for _, entry := range s.c.Journal.All(journalLinkSpent) {
			if l, ok, err := e.Link(entry.GetSubject()); err != nil {
				return err
			} else if ok && l.Spent.IsZero() {
				l.Spent = time.UnixMilli(entry.GetAt())
				if err := e.SaveLink(l); err != nil {
					return err
				}
			}
		}
		for _, entry := range s.c.Journal.All(journalTokenRevoked) {
			if t, ok, err := e.TokenByHash(entry.GetSubject()); err != nil {
				return err
			} else if ok && t.Revoked.IsZero() {
				t.Revoked = time.UnixMilli(entry.GetAt())
				if err := e.SaveToken(t); err != nil {
					return err
				}
			}
		}
		if err := s.catchUpAccounts(e); err != nil {
			return err
		}
		return s.catchUpMemberships(e)
	})
}

// catchUpAccounts takes over passwords and standings that are newer than the store's.
func (s *Service) catchUpAccounts(e *editing) error {
	for _, sort := range []string{journalPassword, journalStanding} {
		for _, entry := range s.c.Journal.All(sort) {
			id, ok := accountIn(entry.GetSubject())
			if !ok {
				continue
			}
			a, ok, err := e.Account(id)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			switch {
			case sort == journalPassword && entry.GetAt() > a.PasswordSet:
				a.Password, a.PasswordSet = string(entry.GetDetail()), entry.GetAt()
			case sort == journalStanding && entry.GetAt() > a.StandingSet:
				a.Disabled, a.StandingSet = bytes.Equal(entry.GetDetail(), standingDetail(true)), entry.GetAt()
			default:
				continue
			}
			if err := e.SaveAccount(a); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Service) catchUpMemberships(e *editing) error {
	for _, entry := range s.c.Journal.All(journalMembershipRemoved) {
		id, ok := accountIn(entry.GetSubject())
		if !ok || len(entry.GetSubject()) != 40 { // account, instant, deployment
			continue
		}
		deployment := hlc.ID(entry.GetSubject()[24:])
		a, ok, err := e.Account(id)
		if err != nil {
			return err
		}
		if since, member := a.Since[deployment]; ok && member && since <= entry.GetAt() {
			if err := e.DropMembership(id, deployment); err != nil {
				return err
			}
		}
	}
	return nil
}
