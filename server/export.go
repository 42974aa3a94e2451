package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"levee/server/internal/audit"
	"levee/server/internal/database"
	"levee/server/internal/export"
	"levee/server/internal/store"
	"levee/syncproto/hlc"
)

// ExportOptions say what is exported, and where to.
type ExportOptions struct {
	// Format is the name of one of ExportFormats.
	Format string
	// Out is what is made: a file, or for CSV a folder unless it ends in .zip. It must not be there yet.
	Out string
	// Lang is the language of words: "zh", or else English.
	Lang string
	// Confidential: what is confidential too. Formats that are meant for others never hold any.
	Confidential bool
	// Deployment is which one; it may be left out where there is only one.
	Deployment string
	// Progress is told how many records were written, and of how many; nil for nobody.
	Progress func(done, of uint64)
}

// Exported is what was exported.
type Exported struct {
	Out        string    `json:"out"`
	Deployment hlc.ID    `json:"deployment"`
	At         time.Time `json:"at"`
	// Position is how long the change log was: everything is of that one moment.
	Position     uint64 `json:"position"`
	Records      uint64 `json:"records"`
	Confidential bool   `json:"confidential"`
}

// exportsSuffix is what the folder of exports adds to the name of the database beside which it stands.
const exportsSuffix = ".exports"

// newDesk makes exports for people at the pages.
func (s *Server) newDesk() (*export.Desk, error) {
	return export.NewDesk(export.DeskConfig{Dir: s.at.Beside(s.config.Keys, exportsSuffix), Store: func(id hlc.ID) export.Store { return s.db.Deployment(id) }, Wall: s.config.Wall, After: s.config.After,
		Changed: s.live.Publish, Failed: func(err error) { s.config.Log.Error("an export", "error", err) }})
}

// ExportFormats are the names of the formats.
func ExportFormats() (names []string) {
	for _, f := range export.Formats {
		names = append(names, f.Name)
	}
	return names
}

// writeExport makes a file of a format, or for CSV a folder.
func writeExport(f *export.Format, c *export.Content, out string) error {
	if f.Name == "csv" && !strings.EqualFold(filepath.Ext(out), f.Extension) {
		return errors.Join(os.Mkdir(out, 0o700), export.CSV(c, export.Folder(out)))
	}
	return exportFile(out, func(w io.Writer) error { return f.Write(c, w) })
}

// Export writes what a deployment holds into files, all of it as it was at one moment. It may run beside a server, and
// changes nothing but the audit log, where it is noted first. What it makes has its name only when it is whole.
func Export(ctx context.Context, path string, o ExportOptions) (*Exported, error) {
	format := export.FormatNamed(o.Format)
	if format == nil {
		return nil, fmt.Errorf("there is no format %q; there are %s", o.Format, strings.Join(ExportFormats(), ", "))
	}
	if format.Outside && o.Confidential {
		return nil, fmt.Errorf("%s is meant for others: nothing in it is confidential", o.Format)
	}
	if _, err := os.Lstat(o.Out); !errors.Is(err, fs.ErrNotExist) {
		return nil, refuse(ExportThere, err, o.Out)
	}
	db, err := database.At(path).OpenToRead(ctx)
	if err != nil {
		return nil, refusedAt(database.At(path), err)
	}
	made, err := exportFrom(ctx, db, path, o, format)
	return made, errors.Join(err, db.Close())
}

func exportFrom(ctx context.Context, db *store.DB, path string, o ExportOptions, format *export.Format) (*Exported, error) {
	id, err := deploymentNamed(ctx, db, o.Deployment)
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp(filepath.Dir(o.Out), ".levee-export-")
	if err != nil {
		return nil, err
	}
	made := &Exported{Out: o.Out, Deployment: id, Confidential: o.Confidential}
	q := export.Query{Whole: true, Confidential: o.Confidential, Identities: o.Confidential, Lang: o.Lang, Progress: o.Progress}
	err = format.Look(ctx, db.Deployment(id), hlc.Wall, q, func(c *export.Content) error {
		made.At, made.Position, made.Records = c.At, c.Position, c.Records()
		if err := noteExport(ctx, path, o, made); err != nil {
			return err
		}
		part := filepath.Join(folder, filepath.Base(o.Out))
		if err := writeExport(format, c, part); err != nil {
			return err
		}
		return os.Rename(part, o.Out)
	})
	return made, errors.Join(err, os.RemoveAll(folder))
}

// noteExport writes into the audit log that somebody at this machine exports. What can't be noted is not exported.
func noteExport(ctx context.Context, path string, o ExportOptions, made *Exported) error {
	db, err := database.At(path).Open(ctx)
	if err != nil {
		return refusedAt(database.At(path), err)
	}
	action := audit.Exported
	if o.Confidential {
		action = audit.ConfidentialExported
	}
	err = audit.New(db, hlc.Wall).Write(ctx, audit.Entry{Deployment: made.Deployment, Action: action, Subject: audit.Subject{Kind: audit.OfDeployment, ID: made.Deployment},
		File: audit.File{Format: o.Format, Position: made.Position}})
	return errors.Join(err, db.Close())
}

// exportFile writes a file for its owner alone.
func exportFile(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // the operator names the file
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

// Print tells what was exported, in Chinese for a tag "zh…", else in English.
func (e *Exported) Print(w io.Writer, lang string) error {
	say := exportWords[chinese(lang)]
	_, err := fmt.Fprintf(w, say.made, e.Out, e.Records, e.At.Local().Format(time.DateTime), e.Position)
	if e.Confidential {
		_, werr := io.WriteString(w, say.confidential)
		err = errors.Join(err, werr)
	}
	return err
}

var exportWords = map[bool]struct{ made, confidential string }{
	false: {
		made:         "%s: %d records, as of %s, position %d of the change log.\n",
		confidential: "It holds what is confidential: keep it sealed, and delete it when it is no longer needed.\n",
	},
	true: {
		made:         "%s：%d 条记录，截至 %s，更改日志第 %d 位。\n",
		confidential: "其中有保密内容：请加密保管，不再需要时删除。\n",
	},
}
