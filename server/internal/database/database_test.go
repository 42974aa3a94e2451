package database_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"levee/server/internal/database"
)

func TestAnAddressIsShownWithoutItsPassword(t *testing.T) {
	for at, want := range map[database.At]string{
		"/srv/levee.db":                      "/srv/levee.db",
		"levee.db":                           "levee.db",
		"postgres://levee:hunter2@db/levee":  "postgres://db/levee",
		"postgresql://db:5433/levee":         "postgres://db:5433/levee",
		"postgres://u:hunter2@a:1,b:2/levee": "postgres://a:1,b:2/levee",
		"postgres:///levee?host=/run/postgresql&user=u&password=hunter2": "postgres:///levee",
		"postgres://u:hunter2@%zz/levee?password=hunter2":                "postgres://%zz/levee",
	} {
		asJSON, err := json.Marshal(at)
		if err != nil || at.String() != want || fmt.Sprint(at) != want || string(asJSON) != `"`+want+`"` {
			t.Errorf("%q, %s, %v; want %q", at.String(), asJSON, err, want)
		}
		if strings.Contains(fmt.Sprintf("%v %s %q", at, at, at), "hunter2") {
			t.Errorf("%q shows the password", at)
		}
	}
}

func TestWhatLiesBesideADatabase(t *testing.T) {
	for _, c := range []struct {
		at           database.At
		keys, beside string
	}{
		{"/srv/levee.db", "/srv/levee.db.keys", "/srv/levee.db.journal"},
		{"postgres://db/levee", "levee.keys", "levee.journal"},
	} {
		if keys := c.at.Keys(); keys != c.keys || c.at.Beside(keys, ".journal") != c.beside {
			t.Errorf("%v: keys %s, journal %s", c.at, keys, c.at.Beside(keys, ".journal"))
		}
	}
	if got := database.At("postgres://db/levee").Beside("/etc/levee/camp.keys", ".exports"); got != "/etc/levee/camp.exports" {
		t.Errorf("beside other keys: %s", got)
	}
}
