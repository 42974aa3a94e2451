package accounts

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"levee/server/internal/audit"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
)

// linkLetters are those of a code: none that looks like another.
const linkLetters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"

// newLinkCode is a code of 100 bits, in groups that can be typed.
func (s *Service) newLinkCode() (code string, hash []byte, err error) {
	random := make([]byte, 20)
	if _, err := io.ReadFull(s.c.Entropy, random); err != nil {
		return "", nil, fmt.Errorf("making a code: %w", err)
	}
	for i, b := range random {
		if i > 0 && i%5 == 0 {
			code += "-"
		}
		code += string(linkLetters[int(b)%len(linkLetters)])
	}
	return code, linkHash(code), nil
}

// linkHash is the hash of a code, however it was typed.
func linkHash(code string) []byte {
	var plain []byte
	for _, r := range strings.ToUpper(code) {
		if strings.ContainsRune(linkLetters, r) {
			plain = append(plain, byte(r)) //nolint:gosec // an ASCII letter
		}
	}
	sum := sha256.Sum256(plain)
	return sum[:]
}

// newLink makes a link and notes what it is for.
func (e *editing) newLink(l Link, life time.Duration) (code string, err error) {
	code, l.Hash, err = e.s.newLinkCode()
	if err != nil {
		return "", err
	}
	l.Expires = e.now.Add(life)
	return code, e.SaveLink(l)
}

// open is a link of a sort that can still be used; the error is a problem with code link_invalid.
func open(tx Reading, code string, now time.Time, sorts ...LinkSort) (Link, error) {
	l, ok, err := tx.Link(linkHash(code))
	if err != nil {
		return l, err
	}
	if !ok || !l.Spent.IsZero() || !now.Before(l.Expires) || !slices.Contains(sorts, l.Sort) {
		return l, problem.New(problem.LinkInvalid)
	}
	return l, nil
}

// spend uses a link up. The journal says so first.
func (e *editing) spend(l Link) error {
	if err := e.note(e.now, journalLinkSpent, l.Hash, nil); err != nil {
		return err
	}
	l.Spent = e.now
	return e.SaveLink(l)
}

// NeedsSetUp reports whether there is no account yet.
func (s *Service) NeedsSetUp(ctx context.Context) (needs bool, err error) {
	err = s.c.Store.ReadAccounts(ctx, func(tx Reading) error {
		all, err := tx.Accounts()
		needs = len(all) == 0
		return err
	})
	return needs, err
}

// SetUpCode makes the code of a set-up link, as long as there is no account. Those made before go on being good until they
// expire: only who reads the server's terminal has seen them.
func (s *Service) SetUpCode(ctx context.Context) (code string, err error) {
	err = s.write(ctx, func(e *editing) error {
		all, err := e.Accounts()
		if err != nil {
			return err
		}
		if len(all) > 0 {
			return problem.New(problem.LinkInvalid)
		}
		code, err = e.newLink(Link{Sort: SetUpLink, Invitation: Invitation{Administrator: true}}, SetUpLife)
		return err
	})
	return code, err
}

// LookLink is the link of a code, if it can still be used. Looking does not use it up.
func (s *Service) LookLink(ctx context.Context, code string) (l Link, err error) {
	err = s.c.Store.ReadAccounts(ctx, func(tx Reading) error {
		l, err = open(tx, code, s.now(), SetUpLink, InvitationLink, ResetLink)
		if err == nil && l.Sort == SetUpLink {
			err = noneYet(tx)
		}
		return err
	})
	return l, err
}

// noneYet refuses once there is an account.
func noneYet(tx Reading) error {
	all, err := tx.Accounts()
	if err == nil && len(all) > 0 {
		err = problem.New(problem.LinkInvalid)
	}
	return err
}

// SetUp makes the first account, an administrator, with the code of the set-up link.
func (s *Service) SetUp(ctx context.Context, code string, n NewAccount) (Account, error) {
	return s.join(ctx, code, n, SetUpLink)
}

// Invite makes the code of an invitation. Who may invite to what, the caller decides.
func (s *Service) Invite(ctx context.Context, by audit.Actor, i Invitation) (code string, err error) {
	err = s.write(ctx, func(e *editing) (err error) {
		subject, kind := i.Membership.Worker, audit.OfWorker
		if i.Membership == (Membership{}) {
			subject, kind = hlc.ID{}, audit.OfServer
		} else if _, taken, err := e.MemberAccount(i.Membership); err != nil || taken {
			if taken {
				err = problem.New(problem.MemberTaken)
			}
			return err
		}
		if code, err = e.newLink(Link{Sort: InvitationLink, Invitation: i, By: by.Account}, InvitationLife); err != nil {
			return err
		}
		return e.audit(by, i.Membership.Deployment, audit.Invited, kind, subject)
	})
	return code, err
}

// AcceptInvitation makes an account with the code of an invitation.
func (s *Service) AcceptInvitation(ctx context.Context, code string, n NewAccount) (Account, error) {
	return s.join(ctx, code, n, InvitationLink)
}

// join makes an account with the code of a link.
func (s *Service) join(ctx context.Context, code string, n NewAccount, sort LinkSort) (Account, error) {
	if err := n.normalize(); err != nil {
		return Account{}, err
	}
	// A wrong code costs no hashing.
	if l, err := s.LookLink(ctx, code); err != nil || l.Sort != sort {
		return Account{}, errors.Join(err, map[bool]error{true: problem.New(problem.LinkInvalid)}[err == nil])
	}
	var password string
	if err := s.hashed(ctx, func() (err error) {
		password, err = s.c.Hashing.hash(n.Password, s.c.Entropy)
		return err
	}); err != nil {
		return Account{}, err
	}
	var made Stored
	err := s.write(ctx, func(e *editing) error {
		l, err := open(e, code, e.now, sort)
		if err == nil && sort == SetUpLink {
			err = noneYet(e)
		}
		if err != nil {
			return err
		}
		if _, taken, err := e.AccountByLogin(n.Login); err != nil || taken {
			if taken {
				err = problem.New(problem.LoginTaken)
			}
			return err
		}
		id, err := s.newID()
		if err != nil {
			return err
		}
		made = Stored{Account: Account{ID: id, Login: n.Login, Name: n.Name, Language: n.Language, Made: e.now}, Password: password, PasswordSet: e.now.UnixMilli(), StandingSet: e.now.UnixMilli()}
		if err := e.SaveAccount(made); err != nil {
			return err
		}
		by := audit.Actor{Account: id}
		if err := e.audit(by, hlc.ID{}, audit.AccountMade, audit.OfAccount, id); err != nil {
			return err
		}
		if err := e.grant(by, id, l.Invitation); err != nil {
			return err
		}
		made, err = e.get(id)
		if err != nil {
			return err
		}
		return e.spend(l)
	})
	return made.Account, err
}

// grant gives an account what an invitation promised.
func (e *editing) grant(by audit.Actor, id hlc.ID, i Invitation) error {
	if i.Administrator {
		a, err := e.get(id)
		if err != nil {
			return err
		}
		if !a.Administrator {
			a.Administrator = true
			if err := errors.Join(e.SaveAccount(a), e.audit(by, hlc.ID{}, audit.AdministratorMade, audit.OfAccount, id)); err != nil {
				return err
			}
		}
	}
	if i.Membership == (Membership{}) {
		return nil
	}
	return e.addMembership(by, id, i.Membership)
}

// JoinInvitation adds what an invitation promises to the account that is signed in.
func (s *Service) JoinInvitation(ctx context.Context, code string, as Session) error {
	return s.write(ctx, func(e *editing) error {
		l, err := open(e, code, e.now, InvitationLink)
		if err != nil {
			return err
		}
		if err := e.grant(as.Actor(l.Membership.Deployment), as.Account.ID, l.Invitation); err != nil {
			return err
		}
		return e.spend(l)
	})
}
