package store

import (
	"context"
	"strings"
	"time"

	"levee/server/internal/accounts"
	"levee/syncproto/hlc"
)

// WriteAccounts implements accounts.Store.
func (d *DB) WriteAccounts(ctx context.Context, fn func(accounts.Writing) error) error {
	return d.change(ctx, hlc.ID{}, func(tx *Tx) error { return fn(tx) })
}

// ReadAccounts implements accounts.Store.
func (d *DB) ReadAccounts(ctx context.Context, fn func(accounts.Reading) error) error {
	return d.snapshot(ctx, nil, func(tx *Tx) error { return fn(tx) })
}

// msOf is an instant as it is kept; 0 for the zero time.
func msOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func timeOf(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

const accountColumns = `account, login, name, language, administrator, disabled, standing_set, password, password_set, secret, pending, counter, made`

func scanAccount(s scanner) (a accounts.Stored, err error) {
	var id []byte
	var made int64
	err = s.Scan(&id, &a.Login, &a.Name, &a.Language, &a.Administrator, &a.Disabled, &a.StandingSet, &a.Password, &a.PasswordSet, &a.Secret, &a.Pending, &a.Counter, &made)
	if err != nil {
		return a, err
	}
	a.ID, a.TOTP, a.Made, a.Since = hlc.ID(id), a.Secret != nil, timeOf(made), map[hlc.ID]int64{}
	return a, nil
}

// accountsOf runs a query for accounts, and reads as whom they act.
func (t *Tx) accountsOf(query string, args ...any) ([]accounts.Stored, error) {
	var all []accounts.Stored
	if err := t.each(query, args, func(s scanner) error {
		a, err := scanAccount(s)
		all = append(all, a)
		return err
	}); err != nil {
		return nil, err
	}
	for i := range all {
		a := &all[i]
		if err := t.each(`SELECT deployment, worker, since FROM memberships WHERE account = $1 ORDER BY deployment`, []any{a.ID[:]}, func(s scanner) error {
			var deployment, worker []byte
			var since int64
			if err := s.Scan(&deployment, &worker, &since); err != nil {
				return err
			}
			a.Memberships = append(a.Memberships, accounts.Membership{Deployment: hlc.ID(deployment), Worker: hlc.ID(worker)})
			a.Since[hlc.ID(deployment)] = since
			return nil
		}); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (t *Tx) accountOf(query string, args ...any) (a accounts.Stored, ok bool, err error) {
	all, err := t.accountsOf(query, args...)
	if err != nil || len(all) == 0 {
		return a, false, err
	}
	return all[0], true, nil
}

// Accounts implements accounts.AccountReading.
func (t *Tx) Accounts() ([]accounts.Stored, error) {
	return t.accountsOf(`SELECT ` + accountColumns + ` FROM accounts ORDER BY login`)
}

// Account implements accounts.AccountReading.
func (t *Tx) Account(id hlc.ID) (accounts.Stored, bool, error) {
	return t.accountOf(`SELECT `+accountColumns+` FROM accounts WHERE account = $1`, id[:])
}

// AccountByLogin implements accounts.AccountReading.
func (t *Tx) AccountByLogin(login string) (accounts.Stored, bool, error) {
	return t.accountOf(`SELECT `+accountColumns+` FROM accounts WHERE login = $1`, login)
}

// MemberAccount implements accounts.AccountReading.
func (t *Tx) MemberAccount(m accounts.Membership) (hlc.ID, bool, error) {
	var id []byte
	ok, err := t.one(`SELECT account FROM memberships WHERE deployment = $1 AND worker = $2`, []any{m.Deployment[:], m.Worker[:]}, &id)
	if err != nil || !ok {
		return hlc.ID{}, false, err
	}
	return hlc.ID(id), true, nil
}

// SaveAccount implements accounts.AccountWriting.
func (t *Tx) SaveAccount(a accounts.Stored) error {
	return t.run(`INSERT INTO accounts (`+accountColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		ON CONFLICT (account) DO UPDATE SET login = excluded.login, name = excluded.name, language = excluded.language, administrator = excluded.administrator,
			disabled = excluded.disabled, standing_set = excluded.standing_set, password = excluded.password, password_set = excluded.password_set,
			secret = excluded.secret, pending = excluded.pending, counter = excluded.counter`,
		a.ID[:], a.Login, a.Name, a.Language, bit(a.Administrator), bit(a.Disabled), a.StandingSet, a.Password, a.PasswordSet, a.Secret, a.Pending, int64(a.Counter), msOf(a.Made)) //nolint:gosec // below 63 bits
}

// SaveMembership implements accounts.AccountWriting.
func (t *Tx) SaveMembership(account hlc.ID, m accounts.Membership, since int64) error {
	return t.run(`INSERT INTO memberships (account, deployment, worker, since) VALUES ($1, $2, $3, $4)`, account[:], m.Deployment[:], m.Worker[:], since)
}

// DropMembership implements accounts.AccountWriting.
func (t *Tx) DropMembership(account, deployment hlc.ID) error {
	return t.run(`DELETE FROM memberships WHERE account = $1 AND deployment = $2`, account[:], deployment[:])
}

// Link implements accounts.SignInReading.
func (t *Tx) Link(hash []byte) (l accounts.Link, ok bool, err error) {
	var sort string
	var deployment, worker, account, by []byte
	var expires, spent int64
	ok, err = t.one(`SELECT sort, administrator, deployment, worker, account, made_by, expires, spent FROM links WHERE hash = $1`, []any{hash},
		&sort, &l.Administrator, &deployment, &worker, &account, &by, &expires, &spent)
	if err != nil || !ok {
		return l, false, err
	}
	l.Sort, l.Hash, l.Membership = accounts.LinkSort(sort), hash, accounts.Membership{Deployment: hlc.ID(deployment), Worker: hlc.ID(worker)}
	l.Account, l.By, l.Expires, l.Spent = hlc.ID(account), hlc.ID(by), timeOf(expires), timeOf(spent)
	return l, true, nil
}

// SaveLink implements accounts.AccountWriting.
func (t *Tx) SaveLink(l accounts.Link) error {
	return t.run(`INSERT INTO links (hash, sort, administrator, deployment, worker, account, made_by, expires, spent) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (hash) DO UPDATE SET spent = excluded.spent`,
		l.Hash, string(l.Sort), bit(l.Administrator), l.Membership.Deployment[:], l.Membership.Worker[:], l.Account[:], l.By[:], msOf(l.Expires), msOf(l.Spent))
}

const sessionColumns = `hash, session, account, generation, began, seen, rotated, ended`

func (t *Tx) sessionsOf(query string, args ...any) (all []accounts.StoredSession, err error) {
	err = t.each(query, args, func(s scanner) error {
		var v accounts.StoredSession
		var id, account []byte
		if err := s.Scan(&v.Hash, &id, &account, &v.Generation, &v.Began, &v.Seen, &v.Rotated, &v.Ended); err != nil {
			return err
		}
		v.ID, v.Account = hlc.ID(id), hlc.ID(account)
		all = append(all, v)
		return nil
	})
	return all, err
}

// Session implements accounts.SignInReading.
func (t *Tx) Session(hash []byte) (v accounts.StoredSession, ok bool, err error) {
	all, err := t.sessionsOf(`SELECT `+sessionColumns+` FROM sessions WHERE hash = $1`, hash)
	if err != nil || len(all) == 0 {
		return v, false, err
	}
	return all[0], true, nil
}

// Sessions implements accounts.SignInReading.
func (t *Tx) Sessions(account hlc.ID) ([]accounts.StoredSession, error) {
	return t.sessionsOf(`SELECT `+sessionColumns+` FROM sessions WHERE account = $1 AND ended = 0 ORDER BY session DESC`, account[:])
}

// SaveSession implements accounts.AccountWriting.
func (t *Tx) SaveSession(v accounts.StoredSession) error {
	return t.run(`INSERT INTO sessions (`+sessionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (hash) DO UPDATE SET generation = excluded.generation, seen = excluded.seen, rotated = excluded.rotated, ended = excluded.ended`,
		v.Hash, v.ID[:], v.Account[:], int64(v.Generation), v.Began, v.Seen, v.Rotated, v.Ended) //nolint:gosec // below 63 bits
}

const apiTokenColumns = `hash, token, account, deployment, worker, name, scopes, made, expires, used, revoked` //nolint:gosec // names of columns

func (t *Tx) apiTokensOf(query string, args ...any) (all []accounts.StoredToken, err error) {
	err = t.each(query, args, func(s scanner) error {
		var v accounts.StoredToken
		var id, account, deployment, worker []byte
		var scopes string
		var made, expires, used, revoked int64
		if err := s.Scan(&v.Hash, &id, &account, &deployment, &worker, &v.Name, &scopes, &made, &expires, &used, &revoked); err != nil {
			return err
		}
		v.ID, v.Account, v.Membership = hlc.ID(id), hlc.ID(account), accounts.Membership{Deployment: hlc.ID(deployment), Worker: hlc.ID(worker)}
		for scope := range strings.FieldsSeq(scopes) {
			v.Scopes = append(v.Scopes, accounts.Scope(scope))
		}
		v.Made, v.Expires, v.Used, v.Revoked = timeOf(made), timeOf(expires), timeOf(used), timeOf(revoked)
		all = append(all, v)
		return nil
	})
	return all, err
}

// TokenByHash implements accounts.SignInReading.
func (t *Tx) TokenByHash(hash []byte) (v accounts.StoredToken, ok bool, err error) {
	all, err := t.apiTokensOf(`SELECT `+apiTokenColumns+` FROM api_tokens WHERE hash = $1`, hash)
	if err != nil || len(all) == 0 {
		return v, false, err
	}
	return all[0], true, nil
}

// Tokens implements accounts.SignInReading.
func (t *Tx) Tokens(account hlc.ID) ([]accounts.StoredToken, error) {
	return t.apiTokensOf(`SELECT `+apiTokenColumns+` FROM api_tokens WHERE account = $1 AND revoked = 0 ORDER BY token DESC`, account[:])
}

// TokensOf implements accounts.SignInReading.
func (t *Tx) TokensOf(deployment hlc.ID) ([]accounts.StoredToken, error) {
	return t.apiTokensOf(`SELECT `+apiTokenColumns+` FROM api_tokens WHERE deployment = $1 AND revoked = 0 ORDER BY token DESC`, deployment[:])
}

// SaveToken implements accounts.AccountWriting.
func (t *Tx) SaveToken(v accounts.StoredToken) error {
	scopes := make([]string, len(v.Scopes))
	for i, s := range v.Scopes {
		scopes[i] = string(s)
	}
	return t.run(`INSERT INTO api_tokens (`+apiTokenColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (hash) DO UPDATE SET used = excluded.used, revoked = excluded.revoked`,
		v.Hash, v.ID[:], v.Account[:], v.Deployment[:], v.Worker[:], v.Name, strings.Join(scopes, " "), msOf(v.Made), msOf(v.Expires), msOf(v.Used), msOf(v.Revoked))
}

// DropStale implements accounts.AccountWriting.
func (t *Tx) DropStale(before int64) error {
	if err := t.run(`DELETE FROM sessions WHERE began < $1`, before); err != nil {
		return err
	}
	return t.run(`DELETE FROM links WHERE expires < $1`, before)
}
