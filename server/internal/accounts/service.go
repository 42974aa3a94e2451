package accounts

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
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
	if err := e.s.note(e.now, journalLinkSpent, l.Hash, nil); err != nil {
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
		if err := e.s.note(e.now, journalMembershipRemoved, append(subjectAt(id, e.now.UnixMilli()), deployment[:]...), nil); err != nil {
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
		if err := e.s.note(time.UnixMilli(a.StandingSet), journalStanding, subjectAt(id, a.StandingSet), standingDetail(disabled)); err != nil {
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
	if err := e.s.note(time.UnixMilli(a.PasswordSet), journalPassword, subjectAt(a.ID, a.PasswordSet), []byte(phc)); err != nil {
		return err
	}
	return errors.Join(e.SaveAccount(*a), e.audit(by, hlc.ID{}, audit.PasswordChanged, audit.OfAccount, a.ID))
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

// NewToken makes an API token. Its text is told this once.
func (s *Service) NewToken(ctx context.Context, by audit.Actor, n NewToken) (text string, t Token, err error) {
	n.Name = strings.TrimSpace(n.Name)
	switch {
	case n.Name == "" || !utf8.ValidString(n.Name) || utf8.RuneCountInString(n.Name) > maxTokenName:
		return "", t, problem.Newf(problem.InvalidArgument, "name: 1 to %d characters", maxTokenName)
	case len(n.Scopes) == 0 || slices.ContainsFunc(n.Scopes, func(s Scope) bool { return !slices.Contains(Scopes(), s) }):
		return "", t, problem.Newf(problem.InvalidArgument, "scopes: some of %v", Scopes())
	case n.Life <= 0 || n.Life > MaxTokenLife:
		return "", t, problem.Newf(problem.InvalidArgument, "expires: within %d days", MaxTokenLife/(24*time.Hour))
	}
	secret := make([]byte, 24)
	if _, err := io.ReadFull(s.c.Entropy, secret); err != nil {
		return "", t, fmt.Errorf("making a token: %w", err)
	}
	text = tokenPrefix + base64.RawURLEncoding.EncodeToString(secret)
	err = s.write(ctx, func(e *editing) error {
		if n.Account != (hlc.ID{}) {
			a, err := e.get(n.Account)
			if err != nil {
				return err
			}
			if n.Worker == (hlc.ID{}) || a.In(n.Deployment) != n.Worker {
				return problem.New(problem.NotFound)
			}
		}
		id, err := s.newID()
		if err != nil {
			return err
		}
		t = Token{ID: id, Name: n.Name, Account: n.Account, Membership: n.Membership, Scopes: n.Scopes, Made: e.now, Expires: e.now.Add(n.Life)}
		return errors.Join(e.SaveToken(StoredToken{Token: t, Hash: tokenHash(text)}), e.audit(by, n.Deployment, audit.TokenMade, audit.OfToken, id))
	})
	return text, t, err
}

// tokenPrefix begins every API token, so that one that was published by mistake can be found.
const tokenPrefix = "levee_"

func tokenHash(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// Tokens are the API tokens of an account that were not revoked, the newest first.
func (s *Service) Tokens(ctx context.Context, account hlc.ID) ([]Token, error) {
	return s.tokens(ctx, func(tx Reading) ([]StoredToken, error) { return tx.Tokens(account) })
}

// TokensOf are the API tokens that act in a deployment and were not revoked, whoever made them, the newest first.
func (s *Service) TokensOf(ctx context.Context, deployment hlc.ID) ([]Token, error) {
	return s.tokens(ctx, func(tx Reading) ([]StoredToken, error) { return tx.TokensOf(deployment) })
}

func (s *Service) tokens(ctx context.Context, read func(Reading) ([]StoredToken, error)) (all []Token, err error) {
	err = s.c.Store.ReadAccounts(ctx, func(tx Reading) error {
		stored, err := read(tx)
		for _, t := range stored {
			all = append(all, t.Token)
		}
		return err
	})
	return all, err
}

// RevokeToken ends an API token of an account.
func (s *Service) RevokeToken(ctx context.Context, by audit.Actor, account, id hlc.ID) error {
	return s.write(ctx, func(e *editing) error {
		tokens, err := e.Tokens(account)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(tokens, func(t StoredToken) bool { return t.ID == id }) {
			return problem.New(problem.NotFound)
		}
		return e.revokeTokens(by, account, func(t StoredToken) bool { return t.ID == id })
	})
}

// RevokeTokenOf ends an API token that acts in a deployment, whoever made it.
func (s *Service) RevokeTokenOf(ctx context.Context, by audit.Actor, deployment, id hlc.ID) error {
	return s.write(ctx, func(e *editing) error {
		tokens, err := e.TokensOf(deployment)
		if err != nil {
			return err
		}
		for _, t := range tokens {
			if t.ID == id {
				return e.revokeToken(by, t)
			}
		}
		return problem.New(problem.NotFound)
	})
}

func (e *editing) revokeTokens(by audit.Actor, account hlc.ID, which func(StoredToken) bool) error {
	tokens, err := e.Tokens(account)
	if err != nil {
		return err
	}
	for _, t := range tokens {
		if which(t) {
			if err := e.revokeToken(by, t); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *editing) revokeToken(by audit.Actor, t StoredToken) error {
	if err := e.s.note(e.now, journalTokenRevoked, t.Hash, nil); err != nil {
		return err
	}
	t.Revoked = e.now
	return errors.Join(e.SaveToken(t), e.audit(by, t.Deployment, audit.TokenRevoked, audit.OfToken, t.ID))
}

// noteUse is how exactly it is known when a token was last used: each writing costs a commit.
const noteUse = time.Hour

// AuthenticateToken is the API token with a text, if it is good now.
func (s *Service) AuthenticateToken(ctx context.Context, text string) (Token, error) {
	if !strings.HasPrefix(text, tokenPrefix) {
		return Token{}, problem.New(problem.Unauthenticated)
	}
	hash, now := tokenHash(text), s.now()
	var t StoredToken
	look := func(tx Reading) error {
		var ok bool
		var err error
		if t, ok, err = tx.TokenByHash(hash); err != nil {
			return err
		}
		if !ok || !t.Revoked.IsZero() || !now.Before(t.Expires) {
			return problem.New(problem.Unauthenticated)
		}
		if t.Account == (hlc.ID{}) {
			return nil
		}
		a, ok, err := tx.Account(t.Account)
		if err == nil && (!ok || a.Disabled || a.In(t.Deployment) != t.Worker) {
			err = problem.New(problem.Unauthenticated)
		}
		return err
	}
	if err := s.c.Store.ReadAccounts(ctx, look); err != nil || now.Sub(t.Used) < noteUse {
		return t.Token, err
	}
	err := s.write(ctx, func(e *editing) error {
		if err := look(e); err != nil {
			return err
		}
		t.Used = now
		return e.SaveToken(t)
	})
	if problem.CodeOf(err) == problem.StorageFull {
		err = nil // that it was used can't be noted; reading goes on
	}
	return t.Token, err
}
