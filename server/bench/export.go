package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"time"

	"levee/server"
)

// ExportsOptions say what is measured.
type ExportsOptions struct {
	// Records are how many there are to be in the deployment; each is measured on a database of its own.
	Records []int
	Seed    uint64
	// Program is leveed, which exports in a process of its own, so that its memory alone is measured.
	Program string
	// Progress is told how far it is; nil for nobody.
	Progress io.Writer
}

// Exports is how a deployment of so many records is exported, in each format.
type Exports struct {
	Records int      `json:"records"`
	Formats []Format `json:"formats"`
}

// Format is one export.
type Format struct {
	Name string `json:"format"`
	// Rows are the records that were gone through: all there are, the set-up among them, or of what is meant for others the cases,
	// groups, activities and rounds of visits.
	Rows    uint64  `json:"rows"`
	Seconds float64 `json:"s"`
	// PeakMB is the most memory that the process had, as the system counts it; 0 where that is not known.
	PeakMB float64 `json:"peak_mb"`
	MB     float64 `json:"mb"`
}

// MeasureExports fills a database for each number of records and exports it.
func MeasureExports(ctx context.Context, o ExportsOptions) (all []Exports, err error) {
	for _, records := range o.Records {
		one, err := measureExports(ctx, o, records)
		if err != nil {
			return all, err
		}
		all = append(all, *one)
	}
	return all, nil
}

func measureExports(ctx context.Context, o ExportsOptions, records int) (_ *Exports, err error) {
	s, err := start(ctx, records, o.Seed)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.fill(ctx, records, o.Progress); err != nil {
		return nil, err
	}
	result := &Exports{Records: records}
	for _, format := range server.ExportFormats() {
		say(o.Progress, "%d records are exported as %s", records, format)
		one, err := s.export(ctx, o.Program, format)
		if err != nil {
			return nil, fmt.Errorf("exporting as %s: %w", format, err)
		}
		result.Formats = append(result.Formats, one)
	}
	return result, nil
}

// export exports beside the server, as an operator does.
func (s *scene) export(ctx context.Context, program, format string) (Format, error) {
	out := filepath.Join(s.dir, "export."+format)
	command := exec.CommandContext(ctx, program, "export", "--db", filepath.Join(s.dir, "server.db"), "--format", format, "--out", out, "--json") //nolint:gosec // the caller names the program
	var answer bytes.Buffer
	command.Stdout = &answer
	began := time.Now()
	if err := command.Start(); err != nil {
		return Format{}, err
	}
	done, peak := make(chan struct{}), make(chan float64)
	go func() { peak <- peakMB(command.Process.Pid, done) }()
	err := command.Wait()
	one := Format{Name: format, Seconds: time.Since(began).Seconds()}
	close(done)
	if one.PeakMB = <-peak; err != nil {
		return one, err
	}
	var made server.Exported
	if err := json.Unmarshal(answer.Bytes(), &made); err != nil {
		return one, err
	}
	one.Rows = made.Records
	return one, filepath.WalkDir(out, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			one.MB += float64(info.Size()) / 1e6
		}
		return err
	})
}
