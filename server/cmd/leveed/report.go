package main

import (
	"context"
	"encoding/json"
	"os"

	"levee/server"
)

// reportCmd tells of a day, a week or a month. It works beside a running server.
type reportCmd struct {
	DB         string `help:"SQLite file of the database, or the postgres:// URL of one." default:"levee.db" env:"LEVEE_DB" type:"database"`
	Period     string `help:"How long it tells of: day, week (from Monday to Sunday), month, or whole (all days up to the date)." enum:"day,week,month,whole" default:"day"`
	Date       string `help:"A day of the period. By default the last one that has come." placeholder:"YYYY-MM-DD"`
	Lang       string `help:"Language: zh or en. By default the one of the environment." enum:"zh,en," default:""`
	Deployment string `help:"Id of the deployment, where there are several." placeholder:"ID"`
	JSON       bool   `name:"json" help:"Print one JSON object with all figures." xor:"form"`
	Workbook   string `help:"Fill in a bureau's Excel file that the pages keep, by its name or id; one that there is not lists those that there are." and:"workbook" xor:"form" placeholder:"NAME"`
	Out        string `help:"The Excel file to make. Nothing is written over." and:"workbook" type:"path" placeholder:"FILE"`
}

// Run reports.
func (c *reportCmd) Run(ctx context.Context) error {
	r, err := server.Report(ctx, c.DB, server.ReportOptions{Period: c.Period, Date: c.Date, Deployment: c.Deployment, Workbook: c.Workbook})
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(r)
	}
	lang := c.Lang
	if lang == "" {
		lang = language()
	}
	if c.Workbook != "" {
		return r.Fill(c.Out, lang)
	}
	return r.Print(os.Stdout, lang)
}
