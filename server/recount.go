package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"levee/server/internal/database"
	"levee/server/internal/indexing"
	"levee/server/internal/progress"
	"levee/server/internal/store"
	"levee/syncproto/hlc"
)

// Recount counts all totals of a database again from its records, and its records again from the change log. It prints
// each total beside its recount and what else does not hold, as text or as one JSON object, and tells whether all is
// equal. It reads only, and may run beside a server.
func Recount(ctx context.Context, path string, w io.Writer, asJSON bool) (equal bool, err error) {
	db, err := database.At(path).OpenToRead(ctx)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	report, err := recount(ctx, db)
	if err != nil {
		return false, err
	}
	if asJSON {
		return report.Equal, json.NewEncoder(w).Encode(report)
	}
	return report.Equal, report.print(w)
}

// recountReport is what is printed.
type recountReport struct {
	Equal       bool                  `json:"equal"`
	Deployments []recountedDeployment `json:"deployments"`
}

type recountedDeployment struct {
	Deployment hlc.ID `json:"deployment"`
	Equal      bool   `json:"equal"`
	// Position is how long the change log is, Changes how many changes are in it.
	Position uint64 `json:"position"`
	Changes  int    `json:"changes"`
	Records  int    `json:"records"`
	// Erased is how many of the records can't be replayed, because a change of theirs has no body any more.
	Erased     int            `json:"erased"`
	Totals     []totalLine    `json:"totals"`
	Faults     []recountFault `json:"faults"`
	MoreFaults int            `json:"more_faults,omitempty"`

	newest time.Time
}

type totalLine struct {
	Basis   string `json:"basis"`
	Figure  string `json:"figure"`
	By      string `json:"by"`
	Key     string `json:"key"`
	Name    string `json:"name,omitempty"`
	Stored  int64  `json:"stored"`
	Counted int64  `json:"counted"`
}

type recountFault struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

var errNoDeployment = errors.New("there is no deployment in this database")

// someone reports with errNoDeployment that a database without a deployment has no accounts either.
func someone(ctx context.Context, db *store.DB) error {
	has, err := hasAccounts(ctx, db)
	if err == nil && !has {
		err = errNoDeployment
	}
	return err
}

func recount(ctx context.Context, db *store.DB) (*recountReport, error) {
	ids, err := db.Deployments(ctx)
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		if err := someone(ctx, db); err != nil {
			return nil, err
		}
	}
	report := &recountReport{Equal: true}
	for _, id := range ids {
		r, err := progress.Recount(ctx, db.Deployment(id), id)
		if err != nil {
			return nil, fmt.Errorf("recounting deployment %v: %w", id, err)
		}
		of := recountedDeployment{Deployment: id, Equal: r.Equal(), Position: r.Position, Changes: r.Changes, Records: r.Records, Erased: r.Erased,
			Totals: make([]totalLine, 0, len(r.Totals)), Faults: make([]recountFault, 0, len(r.Faults)), MoreFaults: r.MoreFaults, newest: r.Time.Wall()}
		for _, l := range r.Totals {
			of.Totals = append(of.Totals, totalLine{l.Basis, l.Figure, l.Dimension, l.Key, l.Name, l.Value, l.Counted})
		}
		for _, f := range r.Faults {
			of.Faults = append(of.Faults, recountFault{string(f.Code), f.Detail})
		}
		differences, err := indexing.Verify(ctx, db.Deployment(id))
		if err != nil {
			return nil, fmt.Errorf("verifying the tables of deployment %v: %w", id, err)
		}
		for _, what := range differences {
			of.Equal = false
			of.Faults = append(of.Faults, recountFault{IndexDiffers, what})
		}
		report.Equal = report.Equal && of.Equal
		report.Deployments = append(report.Deployments, of)
	}
	return report, nil
}

func (r *recountReport) print(w io.Writer) error {
	for _, d := range r.Deployments {
		fmt.Fprintf(w, "Deployment %v\n\n", d.Deployment)
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "basis\tfigure\tby\tkey\tstored\tcounted\t")
		for _, l := range d.Totals {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%d\t%s %s\n", l.Basis, l.Figure, l.By, l.Key, l.Stored, l.Counted, mark(l), l.Name)
		}
		if err := table.Flush(); err != nil {
			return err
		}
		fmt.Fprintf(w, "\n%d totals; %d records from %d changes, replayed from %d positions of the log.\n", len(d.Totals), d.Records, d.Changes, d.Position)
		if d.Erased > 0 {
			fmt.Fprintf(w, "%d records can't be replayed, because changes of theirs were erased; the chain holds their hashes.\n", d.Erased)
		}
		for _, l := range d.Totals {
			if mark(l) != "" {
				fmt.Fprintf(w, "Differs: %s %s, %s %s %s: stored %d, counted %d\n", l.Basis, l.Figure, l.By, l.Key, l.Name, l.Stored, l.Counted)
			}
		}
		for _, f := range d.Faults {
			fmt.Fprintf(w, "Differs: %s: %s\n", f.Code, f.Detail)
		}
		if d.MoreFaults > 0 {
			fmt.Fprintf(w, "and %d more\n", d.MoreFaults)
		}
	}
	if r.Equal {
		fmt.Fprintln(w, "All equal.")
	}
	return nil
}

func mark(l totalLine) string {
	if l.Stored != l.Counted {
		return "DIFFERS"
	}
	return ""
}
