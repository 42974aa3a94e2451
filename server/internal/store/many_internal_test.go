package store

import (
	"strings"
	"testing"
)

func TestAStatementHasNotManyForms(t *testing.T) {
	var f forms
	form := func(n int) string { return strings.Repeat("=", n) + strings.Repeat(" ", 100-n) }
	for range 2 {
		for n := range 100 {
			for _, head := range []string{"INSERT INTO log", "INSERT INTO records"} {
				want := form(n)
				if n >= mostForms {
					want = form(0)
				}
				if got := f.take([2]string{head, ""}, form(n)); got != want {
					t.Fatalf("%s, form %d: %q", head, n, got)
				}
			}
		}
	}
}
