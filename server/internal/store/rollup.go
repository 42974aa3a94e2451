package store

import (
	"context"

	"levee/syncproto/tally"
)

// TokensOf implements rollup.Store.
func (d *Deployment) TokensOf(ctx context.Context, basis tally.Basis, cut tally.Cut, after *tally.Token, limit int) ([]tally.Token, error) {
	from := []byte{} // which lies before every token
	if after != nil {
		from = after[:]
	}
	var tokens []tally.Token
	err := d.Snapshot(ctx, func(tx *Tx) error {
		return tx.each(`SELECT token FROM tokens WHERE deployment = $1 AND basis = $2 AND dimension = $3 AND key = $4 AND token > $5 AND count > 0 ORDER BY token LIMIT $6`,
			[]any{tx.id, basis.String(), cut.Dimension.String(), cut.Key, from, limit}, func(s scanner) error {
				var b []byte
				if err := s.Scan(&b); err != nil {
					return err
				}
				tokens = append(tokens, tally.Token(b))
				return nil
			})
	})
	return tokens, err
}
