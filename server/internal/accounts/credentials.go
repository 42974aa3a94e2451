package accounts

import (
	"bytes"
	"context"
	"errors"
	"time"

	"levee/server/internal/audit"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
)

// ResetCode makes the code of a link with which the owner of an account sets a new password. The old one goes on until then.
func (s *Service) ResetCode(ctx context.Context, by audit.Actor, id hlc.ID) (code string, err error) {
	err = s.write(ctx, func(e *editing) error {
		if _, err := e.get(id); err != nil {
			return err
		}
		if code, err = e.newLink(Link{Sort: ResetLink, Account: id, By: by.Account}, ResetLife); err != nil {
			return err
		}
		return e.audit(by, hlc.ID{}, audit.AccountReset, audit.OfAccount, id)
	})
	return code, err
}

// ResetCodeFor is ResetCode by login, for the command line.
func (s *Service) ResetCodeFor(ctx context.Context, login string) (code string, err error) {
	var id hlc.ID
	if err := s.c.Store.ReadAccounts(ctx, func(tx Reading) error {
		a, ok, err := tx.AccountByLogin(normalLogin(login))
		if err == nil && !ok {
			err = problem.New(problem.NotFound)
		}
		id = a.ID
		return err
	}); err != nil {
		return "", err
	}
	return s.ResetCode(ctx, audit.Actor{}, id)
}

// Reset sets a new password with the code of a reset link, takes the time code away, and ends all sessions.
func (s *Service) Reset(ctx context.Context, code, password string) error {
	l, err := s.LookLink(ctx, code)
	if err != nil {
		return err
	}
	if l.Sort != ResetLink {
		return problem.New(problem.LinkInvalid)
	}
	owner, err := s.Account(ctx, l.Account)
	if err != nil {
		return err
	}
	phc, err := s.newPassword(ctx, password, owner.Login)
	if err != nil {
		return err
	}
	return s.write(ctx, func(e *editing) error {
		l, err := open(e, code, e.now, ResetLink)
		if err != nil {
			return err
		}
		a, err := e.get(l.Account)
		if err != nil {
			return err
		}
		by := audit.Actor{Account: a.ID}
		if a.TOTP {
			a.TOTP, a.Secret = false, nil
			if err := e.audit(by, hlc.ID{}, audit.TOTPRemoved, audit.OfAccount, a.ID); err != nil {
				return err
			}
		}
		if err := e.setPassword(by, &a, phc); err != nil {
			return err
		}
		return errors.Join(e.endSessions(by, a.ID, hlc.ID{}), e.spend(l))
	})
}

// newPassword is the hash of a new password.
func (s *Service) newPassword(ctx context.Context, password, login string) (phc string, err error) {
	if err := checkPassword(password, login); err != nil {
		return "", err
	}
	err = s.hashed(ctx, func() error {
		phc, err = s.c.Hashing.hash(password, s.c.Entropy)
		return err
	})
	return phc, err
}

func (e *editing) setPassword(by audit.Actor, a *Stored, phc string) error {
	a.PasswordSet = max(e.now.UnixMilli(), a.PasswordSet+1)
	a.Password = phc
	if err := e.note(time.UnixMilli(a.PasswordSet), journalPassword, subjectAt(a.ID, a.PasswordSet), []byte(phc)); err != nil {
		return err
	}
	return errors.Join(e.SaveAccount(*a), e.audit(by, hlc.ID{}, audit.PasswordChanged, audit.OfAccount, a.ID))
}

// ChangePassword sets a new password, and ends the other sessions. The old one is asked for, and wrong ones are counted as
// at signing in.
func (s *Service) ChangePassword(ctx context.Context, as Session, old, password string) error {
	a, err := s.proven(ctx, as, old)
	if err != nil {
		return err
	}
	phc, err := s.newPassword(ctx, password, a.Login)
	if err != nil {
		return err
	}
	return s.write(ctx, func(e *editing) error {
		now, err := e.get(a.ID)
		if err != nil {
			return err
		}
		if now.Password != a.Password {
			return problem.New(problem.SignInFailed)
		}
		by := as.Actor(hlc.ID{})
		return errors.Join(e.setPassword(by, &now, phc), e.endSessions(by, a.ID, as.ID))
	})
}

// proven is the account of a session whose owner shows once more that they know the password.
func (s *Service) proven(ctx context.Context, as Session, password string) (a Stored, err error) {
	// By the session's id, not by an address: it is one person who mistypes.
	address := "session " + as.ID.String()
	if err := s.attempts.allow(s.now(), as.Account.Login, address); err != nil {
		return a, err
	}
	if err := s.c.Store.ReadAccounts(ctx, func(tx Reading) (err error) {
		a, _, err = tx.Account(as.Account.ID)
		return err
	}); err != nil {
		return a, err
	}
	err = s.hashed(ctx, func() error {
		right, _, err := s.c.Hashing.check(password, a.Password)
		if err == nil && !right {
			err = problem.New(problem.SignInFailed)
		}
		return err
	})
	if err == nil {
		s.attempts.succeed(as.Account.Login, address)
	}
	return a, err
}

// BeginTOTP makes the secret of a time code. It is asked for at signing in once ConfirmTOTP was told a code of it.
func (s *Service) BeginTOTP(ctx context.Context, as Session) (t TOTPSecret, err error) {
	secret, t, err := newTOTP(s.c.Entropy, s.c.Issuer, as.Account.Login)
	if err != nil {
		return t, err
	}
	return t, s.write(ctx, func(e *editing) error {
		a, err := e.get(as.Account.ID)
		if err != nil {
			return err
		}
		if a.Pending, err = s.seal(a.ID, secret); err != nil {
			return err
		}
		return e.SaveAccount(a)
	})
}

// ConfirmTOTP turns the time code on that BeginTOTP made, and ends the other sessions.
func (s *Service) ConfirmTOTP(ctx context.Context, as Session, code string) error {
	return s.write(ctx, func(e *editing) error {
		a, err := e.get(as.Account.ID)
		if err != nil {
			return err
		}
		if len(a.Pending) == 0 {
			return problem.New(problem.NotFound)
		}
		secret, err := s.unseal(a.ID, a.Pending)
		if err != nil {
			return err
		}
		counter, ok := matchTOTP(secret, code, e.now, 0)
		if !ok {
			return problem.New(problem.SignInFailed)
		}
		a.TOTP, a.Secret, a.Pending, a.Counter = true, bytes.Clone(a.Pending), nil, counter
		by := as.Actor(hlc.ID{})
		return errors.Join(e.SaveAccount(a), e.audit(by, hlc.ID{}, audit.TOTPAdded, audit.OfAccount, a.ID), e.endSessions(by, a.ID, as.ID))
	})
}

// DropTOTP turns the time code off. The password is asked for.
func (s *Service) DropTOTP(ctx context.Context, as Session, password string) error {
	if _, err := s.proven(ctx, as, password); err != nil {
		return err
	}
	return s.write(ctx, func(e *editing) error {
		a, err := e.get(as.Account.ID)
		if err != nil || !a.TOTP {
			return err
		}
		a.TOTP, a.Secret, a.Pending = false, nil, nil
		return errors.Join(e.SaveAccount(a), e.audit(as.Actor(hlc.ID{}), hlc.ID{}, audit.TOTPRemoved, audit.OfAccount, a.ID))
	})
}
