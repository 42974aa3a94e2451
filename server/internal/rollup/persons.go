package rollup

import (
	"bytes"
	"context"
	"slices"

	"levee/server/internal/inorder"
	"levee/syncproto/hlc"
	"levee/syncproto/tally"
)

// readAhead is how many tokens of a deployment are read at once.
const readAhead = 4096

// rule is how the persons of a row are counted.
func (c *counting) rule(r *Row) Rule {
	deployments, divisions := 0, 0
	for _, division := range c.linked {
		if n := len(among(r.Parts, division, func(p Part) bool { return p.persons(tally.Reported) > 0 })); n > 0 {
			deployments, divisions = deployments+n, divisions+1
		}
	}
	switch {
	case divisions > 1:
		return Added
	case deployments > 1:
		return Once
	default:
		return Alone
	}
}

// persons are those of a row: among deployments that share a linkage key each token counts once, and between others persons are
// added up.
func (c *counting) persons(ctx context.Context, r *Row, basis tally.Basis, cut tally.Cut) (n int64, err error) {
	for _, division := range c.linked {
		named := among(r.Parts, division, func(p Part) bool { return p.named(basis) > 0 })
		for _, p := range among(r.Parts, division, func(Part) bool { return true }) {
			n += p.persons(basis)
		}
		if len(named) < 2 { // nobody can be in several
			continue
		}
		for _, p := range named {
			n -= p.named(basis)
		}
		tokens, err := c.distinctTokens(ctx, named, basis, cut)
		if err != nil {
			return 0, err
		}
		n += tokens
	}
	return n, nil
}

// distinctTokens goes through the tokens of some parts in their order, a few of each at a time, and counts each once.
func (c *counting) distinctTokens(ctx context.Context, parts []Part, basis tally.Basis, cut tally.Cut) (n int64, err error) {
	tokens := inorder.Runs[tally.Token]{Ahead: readAhead, Compare: func(a, b tally.Token) int { return bytes.Compare(a[:], b[:]) }}
	for _, p := range parts {
		i := slices.IndexFunc(c.members, func(m Member) bool { return m.ID() == p.Deployment })
		tokens.Add(func(last *tally.Token, limit int) ([]tally.Token, error) {
			return c.members[i].Store.TokensOf(ctx, basis, cut, last, limit)
		}, nil)
	}
	var last tally.Token
	for {
		token, ok, err := tokens.Next()
		if err != nil || !ok {
			return n, err
		}
		if n == 0 || token != last {
			n, last = n+1, token
		}
	}
}

// among are those parts of a division of deployments that are wanted.
func among(parts []Part, division []hlc.ID, wanted func(Part) bool) (some []Part) {
	for _, p := range parts {
		if slices.Contains(division, p.Deployment) && wanted(p) {
			some = append(some, p)
		}
	}
	return some
}

func (p Part) persons(basis tally.Basis) int64 { return p.Values[basis][tally.Persons.String()] }

// named are the persons who have a token.
func (p Part) named(basis tally.Basis) int64 {
	return p.persons(basis) - p.Values[basis][tally.PersonsByNumber.String()]
}
