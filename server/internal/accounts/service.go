package accounts

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"levee/server/internal/audit"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
)

// Bounds on what people say of themselves, in characters.
const (
	maxName      = 60
	maxTokenName = 60
)

// loginForm is what a login may look like: letters of any script, digits, and what e-mail addresses need.
var loginForm = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N}._@+-]{1,59}$`)

func (s *Service) now() time.Time { return s.c.Wall() }

func (s *Service) newID() (hlc.ID, error) { return hlc.NewID(hlc.TimeOf(s.now()), s.c.Entropy) }

// write runs fn in a transaction with what it needs to note what was done.
func (s *Service) write(ctx context.Context, fn func(*editing) error) error {
	e := &editing{s: s}
	err := s.c.Store.WriteAccounts(ctx, func(tx Writing) error {
		e.Writing, e.now, e.failure = tx, s.now(), nil
		return fn(e)
	})
	if err != nil {
		return err
	}
	return e.failure
}

// editing is a transaction under way.
type editing struct {
	Writing
	s   *Service
	now time.Time
	// failure is what the caller is told though what the transaction did stands.
	failure error
}

func (e *editing) audit(by audit.Actor, deployment hlc.ID, action audit.Action, kind audit.Kind, id hlc.ID) error {
	return audit.Append(e, e.now, audit.Entry{Deployment: deployment, Actor: by, Action: action, Subject: audit.Subject{Kind: kind, ID: id}})
}

// get is an account that must be there.
func (e *editing) get(id hlc.ID) (Stored, error) {
	a, ok, err := e.Account(id)
	if err == nil && !ok {
		err = problem.New(problem.NotFound)
	}
	return a, err
}

func (e *editing) addMembership(by audit.Actor, id hlc.ID, m Membership) error {
	owner, taken, err := e.MemberAccount(m)
	switch {
	case err != nil:
		return err
	case taken && owner != id:
		return problem.New(problem.MemberTaken)
	case taken:
		return nil
	}
	a, err := e.get(id)
	if err != nil {
		return err
	}
	if a.In(m.Deployment) != (hlc.ID{}) {
		return problem.New(problem.MemberTaken) // as one worker in each deployment
	}
	return errors.Join(e.SaveMembership(id, m, e.now.UnixMilli()), e.audit(by, m.Deployment, audit.MembershipAdded, audit.OfAccount, id))
}

// normalize brings what somebody says of themselves into the form in which it is kept, or says what is wrong with it.
func (n *NewAccount) normalize() error {
	n.Login, n.Name = normalLogin(n.Login), strings.TrimSpace(n.Name)
	if n.Language != "zh" {
		n.Language = "en"
	}
	switch {
	case !loginForm.MatchString(n.Login):
		return problem.Newf(problem.InvalidArgument, "login: 2 to 60 letters, digits and . _ @ + -")
	case n.Name == "" || !utf8.ValidString(n.Name) || utf8.RuneCountInString(n.Name) > maxName:
		return problem.Newf(problem.InvalidArgument, "name: 1 to %d characters", maxName)
	}
	return checkPassword(n.Password, n.Login)
}

func normalLogin(login string) string {
	return strings.ToLower(string(normal(strings.TrimSpace(login))))
}

// Accounts are all accounts, by login.
func (s *Service) Accounts(ctx context.Context) (all []Account, err error) {
	err = s.c.Store.ReadAccounts(ctx, func(tx Reading) error {
		stored, err := tx.Accounts()
		for _, a := range stored {
			all = append(all, a.Account)
		}
		return err
	})
	return all, err
}

// Account is one account.
func (s *Service) Account(ctx context.Context, id hlc.ID) (a Account, err error) {
	err = s.c.Store.ReadAccounts(ctx, func(tx Reading) error {
		stored, ok, err := tx.Account(id)
		if err == nil && !ok {
			err = problem.New(problem.NotFound)
		}
		a = stored.Account
		return err
	})
	return a, err
}

// AccountOf is the account that acts as a worker; ok is false when there is none.
func (s *Service) AccountOf(ctx context.Context, m Membership) (a Account, ok bool, err error) {
	err = s.c.Store.ReadAccounts(ctx, func(tx Reading) error {
		id, found, err := tx.MemberAccount(m)
		if err != nil || !found {
			return err
		}
		stored, found, err := tx.Account(id)
		a, ok = stored.Account, found
		return err
	})
	return a, ok, err
}

// AddMembership lets an account act as a worker.
func (s *Service) AddMembership(ctx context.Context, by audit.Actor, id hlc.ID, m Membership) error {
	return s.write(ctx, func(e *editing) error { return e.addMembership(by, id, m) })
}

// RemoveMembership ends what an account, with its API tokens, may do in a deployment.
func (s *Service) RemoveMembership(ctx context.Context, by audit.Actor, id, deployment hlc.ID) error {
	return s.write(ctx, func(e *editing) error {
		a, err := e.get(id)
		if err != nil {
			return err
		}
		worker := a.In(deployment)
		if worker == (hlc.ID{}) {
			return problem.New(problem.NotFound)
		}
		if err := e.note(e.now, journalMembershipRemoved, append(subjectAt(id, e.now.UnixMilli()), deployment[:]...), nil); err != nil {
			return err
		}
		if err := e.revokeTokens(by, id, func(t StoredToken) bool { return t.Deployment == deployment }); err != nil {
			return err
		}
		return errors.Join(e.DropMembership(id, deployment), e.audit(by, deployment, audit.MembershipRemoved, audit.OfAccount, id))
	})
}

// SetAdministrator makes an account an administrator, or takes that away; one must remain.
func (s *Service) SetAdministrator(ctx context.Context, by audit.Actor, id hlc.ID, administrator bool) error {
	return s.write(ctx, func(e *editing) error {
		a, err := e.get(id)
		if err != nil || a.Administrator == administrator {
			return err
		}
		action := audit.AdministratorMade
		if !administrator {
			action = audit.AdministratorUnmade
			if err := e.anotherAdministrator(id); err != nil {
				return err
			}
		}
		a.Administrator = administrator
		return errors.Join(e.SaveAccount(a), e.audit(by, hlc.ID{}, action, audit.OfAccount, id))
	})
}

// anotherAdministrator refuses to leave a server without an administrator.
func (e *editing) anotherAdministrator(but hlc.ID) error {
	all, err := e.Accounts()
	if err != nil {
		return err
	}
	if slices.ContainsFunc(all, func(a Stored) bool { return a.ID != but && a.Administrator && !a.Disabled }) {
		return nil
	}
	return problem.New(problem.LastAdministrator)
}

// Disable ends an account's sessions, and refuses it and its API tokens until it is enabled again.
func (s *Service) Disable(ctx context.Context, by audit.Actor, id hlc.ID) error {
	return s.stand(ctx, by, id, true)
}

// Enable undoes Disable. The sessions stay ended.
func (s *Service) Enable(ctx context.Context, by audit.Actor, id hlc.ID) error {
	return s.stand(ctx, by, id, false)
}

func (s *Service) stand(ctx context.Context, by audit.Actor, id hlc.ID, disabled bool) error {
	return s.write(ctx, func(e *editing) error {
		a, err := e.get(id)
		if err != nil || a.Disabled == disabled {
			return err
		}
		action := audit.AccountEnabled
		if disabled {
			action = audit.AccountDisabled
			if a.Administrator {
				if err := e.anotherAdministrator(id); err != nil {
					return err
				}
			}
		}
		// Two in one millisecond would be one entry of the journal.
		a.StandingSet = max(e.now.UnixMilli(), a.StandingSet+1)
		a.Disabled = disabled
		if err := e.note(time.UnixMilli(a.StandingSet), journalStanding, subjectAt(id, a.StandingSet), standingDetail(disabled)); err != nil {
			return err
		}
		if disabled {
			if err := e.endSessions(by, id, hlc.ID{}); err != nil {
				return err
			}
		}
		return errors.Join(e.SaveAccount(a), e.audit(by, hlc.ID{}, action, audit.OfAccount, id))
	})
}

// Describe changes name and language of one's own account.
func (s *Service) Describe(ctx context.Context, as Session, name, language string) error {
	if name = strings.TrimSpace(name); name == "" || !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxName {
		return problem.Newf(problem.InvalidArgument, "name: 1 to %d characters", maxName)
	}
	return s.write(ctx, func(e *editing) error {
		a, err := e.get(as.Account.ID)
		if err != nil {
			return err
		}
		if a.Name = name; language == "zh" || language == "en" {
			a.Language = language
		}
		return e.SaveAccount(a)
	})
}
