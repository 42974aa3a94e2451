package sqlite

import "testing"

func TestParametersInOrderNeedNoNumbers(t *testing.T) {
	for query, want := range map[string]string{
		`SELECT 1`: `SELECT 1`,
		`INSERT INTO t (a, b) VALUES ($1,$2),($3,$4) ON CONFLICT DO NOTHING`: `INSERT INTO t (a, b) VALUES (?,?),(?,?) ON CONFLICT DO NOTHING`,
		`SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11`:                `SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?`,
		`UPDATE t SET b = $2 WHERE a = $1`:                                   `UPDATE t SET b = $2 WHERE a = $1`,
		`INSERT INTO t (a, b) VALUES ($1,$2),($1,$3)`:                        `INSERT INTO t (a, b) VALUES (?,?),(?1,?)`,
		`SELECT $1 WHERE a = $1 AND b = $2 AND c = $1`:                       `SELECT ? WHERE a = ?1 AND b = ? AND c = ?1`,
		`SELECT $1, $11`: `SELECT $1, $11`,
		`SELECT a FROM t WHERE a = $1 AND b = 'costs $2' AND c = $2`: `SELECT a FROM t WHERE a = $1 AND b = 'costs $2' AND c = $2`,
		`SELECT a FROM t WHERE a = $1 AND b = '$' AND c = $2`:        `SELECT a FROM t WHERE a = $1 AND b = '$' AND c = $2`,
	} {
		if got := unnumbered(query); got != want {
			t.Errorf("%s: %s", query, got)
		}
	}
}
