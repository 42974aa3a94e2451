package accounts

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"levee/server/internal/audit"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
)

// How long sessions last, and how often their cookies are replaced.
const (
	// SessionIdle is how long a session holds without a request.
	SessionIdle = 12 * time.Hour
	// SessionLife is how long it holds at most.
	SessionLife = 7 * 24 * time.Hour
	// rotateAfter is how old a cookie gets before it is replaced.
	rotateAfter = 5 * time.Minute
	// rotateGrace is how long the one before is still good: requests that run side by side carry it.
	rotateGrace = time.Minute
	// noteSeen is how exactly it is known when a session was last used: each writing costs a commit.
	noteSeen = time.Minute
)

// CookieName is that of a session's cookie: browsers send it over TLS or to their own machine alone, and to no other host.
const CookieName = "__Host-levee"

const sessionAudience = "levee web"

// sessionClaims are those of a session's cookie. It says nothing of who it is.
type sessionClaims struct {
	jwt.RegisteredClaims
	// Secret is what the session is looked up by, base64url.
	Secret string `json:"sid"`
	// Generation counts the cookies of the session.
	Generation uint64 `json:"gen"`
}

// cookie signs a session's cookie. It ends when the session would if nobody used it; whether the session is there still, the
// store says at each request.
func (s *Service) cookie(secret string, v StoredSession, now time.Time) (string, error) {
	key := s.c.Keys.SessionKeys()[0]
	end := now.Add(SessionIdle)
	if last := time.UnixMilli(v.Began).Add(SessionLife); last.Before(end) {
		end = last
	}
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, sessionClaims{
		RegisteredClaims: jwt.RegisteredClaims{Audience: jwt.ClaimStrings{sessionAudience}, IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(end)},
		Secret:           secret, Generation: v.Generation,
	})
	token.Header["kid"] = key.ID
	signed, err := token.SignedString(key.Key)
	if err != nil {
		return "", fmt.Errorf("signing a session: %w", err)
	}
	return signed, nil
}

// read checks a cookie's signature and times. Only EdDSA is taken, and only a key that the server has.
func (s *Service) read(cookie string) (sessionClaims, error) {
	var c sessionClaims
	_, err := jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}), jwt.WithAudience(sessionAudience), jwt.WithExpirationRequired(),
		jwt.WithTimeFunc(s.c.Wall)).ParseWithClaims(cookie, &c, func(t *jwt.Token) (any, error) {
		for _, k := range s.c.Keys.SessionKeys() {
			if k.ID == t.Header["kid"] {
				return k.Key.Public(), nil
			}
		}
		return nil, errors.New("signed with a key that is not there")
	})
	if err != nil {
		return c, problem.New(problem.Unauthenticated)
	}
	return c, nil
}

func sessionHash(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// newSession begins a session.
func (e *editing) newSession(a Account) (cookie string, v Session, err error) {
	secret := make([]byte, 24)
	if _, err := io.ReadFull(e.s.c.Entropy, secret); err != nil {
		return "", v, fmt.Errorf("making a session: %w", err)
	}
	text := base64.RawURLEncoding.EncodeToString(secret)
	id, err := e.s.newID()
	if err != nil {
		return "", v, err
	}
	at := e.now.UnixMilli()
	stored := StoredSession{ID: id, Hash: sessionHash(text), Account: a.ID, Generation: 1, Began: at, Seen: at, Rotated: at}
	if err := errors.Join(e.SaveSession(stored), e.DropStale(e.now.Add(-SessionLife).UnixMilli())); err != nil {
		return "", v, err
	}
	if cookie, err = e.s.cookie(text, stored, e.now); err != nil {
		return "", v, err
	}
	v = Session{ID: id, Account: a, Began: e.now, Seen: e.now}
	return cookie, v, e.audit(v.Actor(hlc.ID{}), hlc.ID{}, audit.SignedIn, audit.OfSession, id)
}

// SignIn begins a session. A wrong login, password or time code are one and the same problem, sign_in_failed, and cost the
// same; only who knows the password learns that a time code is asked for, by time_code_needed.
func (s *Service) SignIn(ctx context.Context, in SignIn) (cookie string, v Session, err error) {
	login := normalLogin(in.Login)
	if err := s.attempts.allow(s.now(), login, in.Address); err != nil {
		return "", v, err
	}
	var a Stored
	var known bool
	if err := s.lookUp(ctx, func(tx Reading) (err error) {
		a, known, err = tx.AccountByLogin(login)
		return err
	}); err != nil {
		return "", v, err
	}
	var right bool
	var better string
	if err := s.hashed(ctx, func() (err error) {
		if len(in.Password) > MaxPassword*4 { // in bytes; nobody has such a password
			in.Password = ""
		}
		phc, err := s.decoy()
		if err != nil {
			return err
		}
		if known {
			phc = a.Password
		}
		var outdated bool
		if right, outdated, err = s.c.Hashing.check(in.Password, phc); err == nil && right && known && outdated {
			better, err = s.c.Hashing.hash(in.Password, s.c.Entropy)
		}
		return err
	}); err != nil {
		return "", v, err
	}
	if !known {
		return "", v, problem.New(problem.SignInFailed)
	}
	err = s.write(ctx, func(e *editing) error {
		was := a.Password
		if a, err = e.get(a.ID); err != nil {
			return err
		}
		counter, err := e.passes(a, right && !a.Disabled && a.Password == was, in.TOTP)
		switch {
		case problem.CodeOf(err) == problem.SignInFailed:
			e.failure = err
			return e.audit(audit.Actor{Account: a.ID}, hlc.ID{}, audit.SignInFailed, audit.OfAccount, a.ID)
		case err != nil:
			return err
		}
		if better != "" || counter != a.Counter {
			if a.Counter = counter; better != "" {
				a.Password = better
			}
			if err := e.SaveAccount(a); err != nil {
				return err
			}
		}
		cookie, v, err = e.newSession(a.Account)
		return err
	})
	switch {
	case err == nil:
		s.attempts.succeed(login, in.Address)
	case problem.CodeOf(err) == problem.TimeCodeNeeded:
		s.attempts.takeBack(login, in.Address)
	}
	return cookie, v, err
}

// passes judges an attempt; counter is that of the time code it used.
func (e *editing) passes(a Stored, right bool, code string) (counter uint64, err error) {
	switch {
	case !right:
		return 0, problem.New(problem.SignInFailed)
	case !a.TOTP:
		return a.Counter, nil
	case code == "":
		return 0, problem.New(problem.TimeCodeNeeded)
	}
	secret, err := e.s.unseal(a.ID, a.Secret)
	if err != nil {
		return 0, err
	}
	counter, ok := matchTOTP(secret, code, e.now, a.Counter)
	if !ok {
		return 0, problem.New(problem.SignInFailed)
	}
	return counter, nil
}

// Authenticate is the session that a cookie belongs to. renewed is the cookie that is to take its place; empty when it need
// not be replaced.
func (s *Service) Authenticate(ctx context.Context, cookie string) (v Session, renewed string, err error) {
	c, err := s.read(cookie)
	if err != nil {
		return v, "", err
	}
	hash, now := sessionHash(c.Secret), s.now()
	var stored StoredSession
	look := func(tx Reading) error {
		var ok bool
		if stored, ok, err = tx.Session(hash); err != nil {
			return err
		}
		if !ok || !stored.stands(now) || c.Generation > stored.Generation {
			return problem.New(problem.Unauthenticated)
		}
		a, ok, err := tx.Account(stored.Account)
		if err != nil {
			return err
		}
		if !ok || a.Disabled {
			return problem.New(problem.Unauthenticated)
		}
		v = Session{ID: stored.ID, Account: a.Account, Began: time.UnixMilli(stored.Began).UTC(), Seen: now}
		return nil
	}
	if err := s.lookUp(ctx, look); err != nil {
		return Session{}, "", err
	}
	current := c.Generation == stored.Generation
	rotated := now.Sub(time.UnixMilli(stored.Rotated))
	if current && rotated < rotateAfter {
		if now.Sub(time.UnixMilli(stored.Seen)) < noteSeen {
			return v, "", nil
		}
	}
	err = s.write(ctx, func(e *editing) error {
		if err := look(e); err != nil {
			return err
		}
		rotated := now.Sub(time.UnixMilli(stored.Rotated))
		switch {
		case c.Generation == stored.Generation && rotated < rotateAfter:
		case c.Generation == stored.Generation:
			stored.Generation, stored.Rotated = stored.Generation+1, now.UnixMilli()
		case c.Generation+1 == stored.Generation && rotated < rotateGrace:
			// The answer with the new cookie may have been lost, so it is given again.
		default:
			// Two carry cookies of this session, and it can't be told which of them is its owner.
			e.failure = problem.New(problem.Unauthenticated)
			return e.end(v.Actor(hlc.ID{}), stored, audit.SessionReplayed)
		}
		stored.Seen = now.UnixMilli()
		if c.Generation != stored.Generation {
			if renewed, err = s.cookie(c.Secret, stored, now); err != nil {
				return err
			}
		}
		return e.SaveSession(stored)
	})
	if current && problem.CodeOf(err) == problem.StorageFull {
		return v, "", nil // the cookie can't be replaced now; reading goes on
	}
	if err != nil {
		return Session{}, "", err
	}
	return v, renewed, nil
}

// Stands is a session as it is now, for what goes on for long within one request. It counts as no use of the session, so that
// a page left open does not keep it from ending. The problem is unauthenticated when it has ended.
func (s *Service) Stands(ctx context.Context, session Session) (Session, error) {
	err := s.c.Store.ReadAccounts(ctx, func(tx Reading) error {
		all, err := tx.Sessions(session.Account.ID)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(v StoredSession) bool { return v.ID == session.ID })
		if i < 0 || !all[i].stands(s.now()) {
			return problem.New(problem.Unauthenticated)
		}
		a, ok, err := tx.Account(session.Account.ID)
		if err != nil {
			return err
		}
		if !ok || a.Disabled {
			return problem.New(problem.Unauthenticated)
		}
		session.Account = a.Account
		return nil
	})
	return session, err
}

// stands reports whether a session holds at a time.
func (v *StoredSession) stands(now time.Time) bool {
	return v.Ended == 0 && now.Sub(time.UnixMilli(v.Seen)) < SessionIdle && now.Sub(time.UnixMilli(v.Began)) < SessionLife
}

// end ends a session. The journal says so first.
func (e *editing) end(by audit.Actor, v StoredSession, action audit.Action) error {
	if v.Ended != 0 {
		return nil
	}
	if err := e.note(e.now, journalSessionEnded, v.Hash, nil); err != nil {
		return err
	}
	v.Ended = e.now.UnixMilli()
	return errors.Join(e.SaveSession(v), e.audit(by, hlc.ID{}, action, audit.OfSession, v.ID))
}

// endSessions ends all sessions of an account but one.
func (e *editing) endSessions(by audit.Actor, account, but hlc.ID) error {
	all, err := e.Sessions(account)
	if err != nil {
		return err
	}
	for _, v := range all {
		if v.ID != but && v.stands(e.now) {
			if err := e.end(by, v, audit.SessionEnded); err != nil {
				return err
			}
		}
	}
	return nil
}

// SignOut ends a session.
func (s *Service) SignOut(ctx context.Context, as Session) error {
	return s.endOne(ctx, as, as.ID, audit.SignedOut)
}

// EndSession ends another session of the same account.
func (s *Service) EndSession(ctx context.Context, as Session, id hlc.ID) error {
	return s.endOne(ctx, as, id, audit.SessionEnded)
}

func (s *Service) endOne(ctx context.Context, as Session, id hlc.ID, action audit.Action) error {
	return s.write(ctx, func(e *editing) error { return e.endOne(as.Actor(hlc.ID{}), as.Account.ID, id, action) })
}

func (e *editing) endOne(by audit.Actor, account, id hlc.ID, action audit.Action) error {
	all, err := e.Sessions(account)
	if err != nil {
		return err
	}
	for _, v := range all {
		if v.ID == id {
			return e.end(by, v, action)
		}
	}
	return problem.New(problem.NotFound)
}

// EndSessionOf ends a session of an account, which may be another's.
func (s *Service) EndSessionOf(ctx context.Context, by audit.Actor, account, id hlc.ID) error {
	return s.write(ctx, func(e *editing) error { return e.endOne(by, account, id, audit.SessionEnded) })
}

// EndSessionsOf ends all sessions of an account, which may be another's.
func (s *Service) EndSessionsOf(ctx context.Context, by audit.Actor, account hlc.ID) error {
	return s.write(ctx, func(e *editing) error {
		if _, err := e.get(account); err != nil {
			return err
		}
		return e.endSessions(by, account, hlc.ID{})
	})
}

// SignOutOthers ends all other sessions of the account.
func (s *Service) SignOutOthers(ctx context.Context, as Session) error {
	return s.write(ctx, func(e *editing) error {
		return e.endSessions(as.Actor(hlc.ID{}), as.Account.ID, as.ID)
	})
}

// Sessions are those of an account that stand, the newest first.
func (s *Service) Sessions(ctx context.Context, account hlc.ID) (all []Session, err error) {
	now := s.now()
	err = s.c.Store.ReadAccounts(ctx, func(tx Reading) error {
		stored, err := tx.Sessions(account)
		if err != nil {
			return err
		}
		a, _, err := tx.Account(account)
		for _, v := range stored {
			if v.stands(now) {
				all = append(all, Session{ID: v.ID, Account: a.Account, Began: time.UnixMilli(v.Began).UTC(), Seen: time.UnixMilli(v.Seen).UTC()})
			}
		}
		return err
	})
	return all, err
}
