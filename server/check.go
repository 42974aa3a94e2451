package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"levee/migrations"
	"levee/server/internal/audit"
	"levee/server/internal/database"
	"levee/server/internal/journal"
	"levee/server/internal/store"
)

// Checked is what a check found.
type Checked struct {
	DB database.At `json:"db"`
	OK bool        `json:"ok"`
	// Deployments are what the database holds, as far as it could be read.
	Deployments []Contents `json:"deployments"`
	// Faults is empty when all is well.
	Faults []CheckFault `json:"faults"`
}

// CheckFault is something that is not as it should be. Besides the codes below there are those of a recount, such as
// log_chain.
type CheckFault struct {
	Code string `json:"code"`
	// Detail says more, in English.
	Detail string `json:"detail"`
}

// The faults that a check finds, besides those of a recount and those for which a server refuses to start.
const (
	// DatabaseMissing: there is no such file, or it is empty.
	DatabaseMissing = "database_missing"
	// SchemaNewer: a newer program made it.
	SchemaNewer = "schema_newer"
	// SchemaOlder: an older program made it, and no server has brought it up to date.
	SchemaOlder = "schema_older"
	// TotalsDiffer: a total is not what the records give.
	TotalsDiffer = "totals_differ"
	// IndexDiffers: what the pages of supervisors are made from is not what the records give.
	IndexDiffers = "index_differs"
	// AuditLog: an entry of the audit log was altered or taken out.
	AuditLog = "audit_log"
	// KeysDamaged: the keys can't be read.
	KeysDamaged = "keys_damaged"
	// JournalMissing: the journal is not there. A server makes it at its start, and tablets bring back what was in it.
	JournalMissing = "journal_missing"
)

// CheckOptions are where things are that are kept apart from the database.
type CheckOptions struct {
	// Keys is the path of the server's keys; the database's path with ".keys" when empty.
	Keys string
	// Journal is the path of its journal; the database's path with ".journal" when empty.
	Journal string
}

// Check looks through all that a server keeps: every page of the database, the change log with its chains, the records
// and totals that follow from it, the audit log, the keys, and the signatures of the journal. It changes nothing, and may run beside a server.
func Check(ctx context.Context, db string, o CheckOptions) (*Checked, error) {
	c := &Checked{DB: database.At(db), Deployments: []Contents{}, Faults: []CheckFault{}}
	if err := c.database(ctx); err != nil {
		return nil, err
	}
	keys := cmp.Or(o.Keys, c.DB.Keys())
	c.keysAndJournal(keys, cmp.Or(o.Journal, c.DB.Beside(keys, journalSuffix)))
	c.OK = len(c.Faults) == 0
	return c, nil
}

func (c *Checked) fault(code, format string, args ...any) {
	c.Faults = append(c.Faults, CheckFault{code, fmt.Sprintf(format, args...)})
}

func (c *Checked) database(ctx context.Context) error {
	made, err := c.DB.Made(ctx)
	if err != nil {
		return c.understand(err)
	}
	if !made {
		c.fault(DatabaseMissing, "nothing is there, or it is empty")
		return nil
	}
	db, err := c.DB.OpenToRead(ctx)
	if err != nil {
		return c.understand(err)
	}
	defer func() { _ = db.Close() }()
	faults, err := c.DB.Integrity(ctx)
	if err != nil {
		return c.understand(err)
	}
	for _, f := range faults {
		c.fault(string(DatabaseDamaged), "%s", f)
	}
	if err := db.ReadAudit(ctx, func(tx audit.Reading) error {
		faults, err := audit.Verify(tx)
		for _, f := range faults {
			c.fault(AuditLog, "deployment %v, entry %d: %s", f.Deployment, f.Number, f.What)
		}
		return err
	}); err != nil {
		return c.understand(err)
	}
	report, err := recount(ctx, db)
	if err != nil {
		return c.understand(err)
	}
	for _, d := range report.Deployments {
		c.Deployments = append(c.Deployments, Contents{Deployment: d.Deployment, Position: d.Position, Changes: d.Changes, Newest: d.newest})
		for _, f := range d.Faults {
			c.fault(f.Code, "%s", f.Detail)
		}
		for _, l := range d.Totals {
			if l.Stored != l.Counted {
				c.fault(TotalsDiffer, "%s %s, %s %s: stored %d, counted %d", l.Basis, l.Figure, l.By, l.Key, l.Stored, l.Counted)
			}
		}
	}
	return nil
}

// understand makes a fault of what is wrong with the database, and hands back what is wrong with anything else.
func (c *Checked) understand(err error) error {
	for code, what := range map[string]error{
		string(DatabaseDamaged): store.ErrDamaged, string(DatabaseForeign): store.ErrForeign,
		SchemaNewer: migrations.ErrNewer, SchemaOlder: migrations.ErrOlder, string(DatabaseGone): errNoDeployment,
	} {
		if errors.Is(err, what) {
			c.fault(code, "%v", err)
			return nil
		}
	}
	return err
}

// keysAndJournal only looks: what is missing is not made.
func (c *Checked) keysAndJournal(keysPath, journalPath string) {
	if _, err := os.Stat(keysPath); err != nil {
		c.fault(string(KeysMissing), "%v", err)
		return // without them no signature can be checked
	}
	keys, err := readKeys(keysPath)
	if err != nil {
		c.fault(KeysDamaged, "%v", err)
		return
	}
	switch err := journal.Check(journalPath, keys.syncing().PublicKey()); {
	case errors.Is(err, fs.ErrNotExist):
		c.fault(JournalMissing, "%v", err)
	case err != nil:
		c.fault(string(JournalDamaged), "%v", err)
	}
}

// Print tells what was found, in Chinese for a tag "zh…", else in English.
func (c *Checked) Print(w io.Writer, lang string) error {
	say := checkWords[chinese(lang)]
	var errs []error
	write := func(format string, args ...any) {
		_, err := fmt.Fprintf(w, format, args...)
		errs = append(errs, err)
	}
	for _, d := range c.Deployments {
		write(say.holds, d.Deployment, d.Position, d.Changes, d.Newest.Local().Format(time.DateTime))
	}
	for _, f := range c.Faults {
		write(say.fault, f.Code, f.Detail)
	}
	if c.OK {
		write(say.ok, c.DB)
	} else {
		write(say.notOK, c.DB, len(c.Faults))
	}
	return errors.Join(errs...)
}

var checkWords = map[bool]struct{ holds, fault, ok, notOK string }{
	false: {
		holds: "Deployment %v: %d positions, %d changes, the newest of %s.\n",
		fault: "FAULT %s: %s\n",
		ok:    "%s is sound: pages, change log, records, totals, audit log, keys and journal.\n",
		notOK: "%s has faults: %d. With a damaged database, put the newest backup in its place: leveed restore\n",
	},
	true: {
		holds: "行动 %v：%d 个位置，%d 条更改，最新一条 %s。\n",
		fault: "问题 %s：%s\n",
		ok:    "%s 完好：页面、更改日志、记录、统计、操作日志、密钥和日志文件都已核对。\n",
		notOK: "%s 有 %d 个问题。如果数据库已损坏，请用最近的备份恢复：leveed restore\n",
	},
}
