package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"levee/server/demo"
	"levee/server/internal/database"
)

// demoCmd replays the reference deployment.
type demoCmd struct {
	JSON     bool   `help:"Print one JSON object on standard output, and nothing else there."`
	Network  string `help:"How the network treats requests: good, rough or awful." enum:"good,rough,awful" default:"rough"`
	Seed     uint64 `help:"Makes up another division of the totals over days, towns, teams and people. The totals stay."`
	DB       string `name:"db" help:"The postgres:// URL of an empty database for the server. By default a SQLite file." type:"database" placeholder:"URL"`
	Servers  int    `help:"How many servers serve that database: each request of a tablet goes to any of them." default:"1"`
	Keep     string `help:"Leave the databases in this folder." type:"path" placeholder:"DIR"`
	Closeout bool   `help:"Close the deployment in the end, and leave certificate, closing report and archive beside the databases (needs --keep)."`
	Serve    bool   `help:"Stay up afterwards, and print where."`
}

// Run replays.
func (c *demoCmd) Run(ctx context.Context) (err error) {
	progress := func(int, int) {}
	if term.IsTerminal(int(os.Stderr.Fd())) {
		bar := progressbar.NewOptions(demo.Days, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription("2021-09-23 → 2021-12-06"),
			progressbar.OptionShowCount(), progressbar.OptionClearOnFinish())
		progress = func(day, _ int) { _ = bar.Set(day) } // a bar that can't be drawn stops nothing
	}
	d, err := demo.Start(ctx, demo.Options{DB: c.DB, Servers: c.Servers, Seed: c.Seed, Network: c.Network, Dir: c.Keep, Language: language(), Progress: progress})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	result, err := d.Replay(ctx)
	if c.Closeout && err == nil {
		result.ClosedOut, err = d.CloseOut(ctx)
	}
	if result != nil {
		err = errors.Join(err, c.show(result))
	}
	if err != nil || !c.Serve {
		return err
	}
	url, token := d.URL()
	welcome(os.Stderr, database.At(d.Database()), url, false, nil, "")
	fmt.Fprintf(os.Stderr, greetings[strings.HasPrefix(language(), "zh")].apiAccess, token)
	<-ctx.Done()
	return nil
}

func (c *demoCmd) show(r *demo.Result) error {
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(r)
	}
	return r.Print(os.Stdout, language())
}

// language is the reader's, as the environment names it: LC_ALL before LC_MESSAGES before LANG.
func language() string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := os.Getenv(name); v != "" {
			return v
		}
	}
	return "en"
}
