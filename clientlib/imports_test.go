package clientlib_test

import (
	"testing"

	"levee/syncproto/importtest"
)

func TestImports(t *testing.T) {
	all := []string{"levee/clientlib/..."}
	importtest.Check(t, []importtest.Ban{
		{In: all, Of: []string{"levee/server/..."}, Tests: true,
			Why: "a tablet carries no server; what they share is the contract"},
		{In: all, Of: []string{"github.com/labstack/echo/...", "github.com/danielgtaylor/huma/..."}, Tests: true,
			Why: "the server's web framework has no place on a tablet"},
		{In: all, Except: []string{"levee/clientlib/internal/localdb"}, Of: []string{"modernc.org/sqlite/..."}, Direct: true, Tests: true,
			Why: "only localdb knows how a tablet stores"},
	})
}
