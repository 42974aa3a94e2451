package bench_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"testing"

	"levee/server"
	"levee/server/bench"
)

// TestMain lets this program stand in for leveed where it is asked to export or to serve.
func TestMain(m *testing.M) {
	standIn := map[string]func([]string) error{"export": exporting, "serve": serving}
	if len(os.Args) > 1 && standIn[os.Args[1]] != nil {
		if err := standIn[os.Args[1]](os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func serving(args []string) (err error) {
	f := flag.NewFlagSet("serve", flag.ContinueOnError)
	db, listen := f.String("db", "", ""), f.String("listen", "", "")
	if err := f.Parse(args); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", *listen)
	if err != nil {
		return err
	}
	s, err := server.New(ctx, server.Config{DB: *db, URL: server.URLOf(l)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	fmt.Println("listens at", server.URLOf(l))
	return s.Serve(ctx, l)
}

func exporting(args []string) error {
	f := flag.NewFlagSet("export", flag.ContinueOnError)
	db, format, out := f.String("db", "", ""), f.String("format", "", ""), f.String("out", "", "")
	f.Bool("json", false, "")
	if err := f.Parse(args); err != nil {
		return err
	}
	made, err := server.Export(context.Background(), *db, server.ExportOptions{Format: *format, Out: *out})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(made)
}

// Every format is exported whole, with a few records too.
func TestExportsAreMeasured(t *testing.T) {
	measured, err := bench.MeasureExports(t.Context(), bench.ExportsOptions{Records: []int{300}, Seed: 1, Program: os.Args[0]})
	if err != nil {
		t.Fatal(err)
	}
	if len(measured) != 1 || len(measured[0].Formats) != len(server.ExportFormats()) {
		t.Fatalf("measured %+v", measured)
	}
	for _, f := range measured[0].Formats {
		least := uint64(300)
		if f.Name == "hxl" || f.Name == "geojson" { // which tell of cases, groups, activities and visits by what these have
			least = 1
		}
		if f.Rows < least || f.Seconds <= 0 || f.MB <= 0 || f.PeakMB < 0 {
			t.Errorf("%+v", f)
		}
	}
}
