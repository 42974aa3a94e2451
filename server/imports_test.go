package server_test

import (
	"testing"

	"levee/syncproto/importtest"
)

func TestImports(t *testing.T) {
	all := []string{"levee/server/..."}
	importtest.Check(t, []importtest.Ban{
		{In: all, Except: []string{"levee/server/demo/...", "levee/server/bench/...", "levee/server/world/...", "levee/server/e2e/..."},
			Of: []string{"levee/clientlib/..."}, Direct: true, Tests: true,
			Why: "the server knows tablets by the contract alone; only what runs both together imports both"},
		{In: []string{"levee/server", "levee/server/internal/..."}, Of: []string{"levee/clientlib/..."},
			Why: "a server that is put into another program carries no tablet"},
		{In: all, Except: []string{"levee/server/internal/httpapi/...", "levee/server/internal/webui/..."},
			Of: []string{"github.com/labstack/echo/...", "github.com/danielgtaylor/huma/v2/adapters/humaecho"}, Direct: true, Tests: true,
			Why: "echo stays in httpapi and webui, so that the rest is tested and moved without it"},
		{In: all, Except: []string{"levee/server/internal/store/sqlite", "levee/server/internal/store/postgres", "levee/server/bench/..."},
			Of: []string{"modernc.org/sqlite/...", "github.com/jackc/pgx/...", "github.com/lib/pq/..."}, Direct: true, Tests: true,
			Why: "only the stores know a database driver, so that the rest runs on any of them (and bench, for its floor)"},
		{In: []string{"levee/server", "levee/server/world", "levee/server/cmd/..."}, Of: []string{"testing", "levee/syncproto/oracle"},
			Why: "the program plays worlds too, and carries nothing of the tests"},
		{In: []string{"levee/server/internal/access"}, Of: []string{"net/http", "database/sql", "levee/server/internal/syncing"},
			Why: "decisions are pure: no transport, no SQL, nothing that needs a server to test them"},
	})
}
