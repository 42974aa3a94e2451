package main

import (
	"os"
	"reflect"

	"github.com/alecthomas/kong"

	"levee/server/internal/database"
)

// databases are the types of flags that name one: a URL as it is, and a path as from the root. With "existing", a file must be there.
var databases = []kong.Option{kong.NamedMapper("database", databaseFlag(false)), kong.NamedMapper("existingdatabase", databaseFlag(true))}

func databaseFlag(existing bool) kong.MapperFunc {
	return func(ctx *kong.DecodeContext, target reflect.Value) error {
		var at string
		if err := ctx.Scan.PopValueInto("database", &at); err != nil {
			return err
		}
		if existing && (!ctx.Value.Active || ctx.Value.Set) {
			return nil // what was given was looked at; the default, which comes after it, need not be there
		}
		if at != "" && !database.At(at).OnPostgres() {
			at = kong.ExpandPath(at)
			if existing {
				if _, err := os.Stat(at); err != nil {
					return err
				}
			}
		}
		target.SetString(at)
		return nil
	}
}
