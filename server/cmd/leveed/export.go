package main

import (
	"context"
	"strings"

	"levee/server"
)

// exportCmd writes what a deployment holds into files. It works beside a running server.
type exportCmd struct {
	DB           string `help:"SQLite file of the database, or the postgres:// URL of one." default:"levee.db" env:"LEVEE_DB" type:"database"`
	Format       string `help:"How: csv (a file for each kind of record, and the totals), xlsx (a workbook with a sheet for each), or for others, without records and without numbers of few people: hxl (who did what, where and when, as partners exchange it) or geojson (the sites on a map, with their totals)." required:"" enum:"csv,geojson,hxl,xlsx"`
	Out          string `help:"What to make: a file; for csv a folder, unless it ends in .zip. Nothing is written over." required:"" type:"path" placeholder:"PATH"`
	Lang         string `help:"Language of the words: zh or en. By default the one of the environment." enum:"zh,en," default:""`
	Confidential bool   `help:"With what is confidential: identities, consents, notes, alerts, and the codes that stand for people."`
	Deployment   string `help:"Id of the deployment, where there are several." placeholder:"ID"`
	JSON         bool   `name:"json" help:"Print one JSON object."`
}

// Run exports.
func (c *exportCmd) Run(ctx context.Context) error {
	o := server.ExportOptions{Format: c.Format, Out: c.Out, Lang: c.Lang, Confidential: c.Confidential, Deployment: c.Deployment}
	var drawn progress
	o.Progress = func(done, of uint64) { drawn.tell(c.Out, done, of) }
	if o.Lang == "" && strings.HasPrefix(language(), "zh") {
		o.Lang = "zh"
	}
	made, err := server.Export(ctx, c.DB, o)
	drawn.end()
	if err != nil {
		return err
	}
	return tell(made, c.JSON)
}
