package accounts

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"levee/server/internal/audit"
	"levee/syncproto/hlc"
	"levee/syncproto/problem"
)

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
	if err := e.note(e.now, journalTokenRevoked, t.Hash, nil); err != nil {
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
	if err := s.lookUp(ctx, look); err != nil || now.Sub(t.Used) < noteUse {
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
