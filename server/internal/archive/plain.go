package archive

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"levee/server/internal/export"
	"levee/server/internal/progress"
	"levee/server/internal/store"
	"levee/server/internal/store/sqlite"
	"levee/server/internal/syncing"
	"levee/syncproto/certificate"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/tally"
	"levee/syncproto/words"
)

// plainTable is a plain table with what its columns are called.
type plainTable struct {
	sqlite.PlainTable
	labels []words.Message
}

// column is a column of a table that is not of a kind of records.
type column struct {
	name   string
	number bool
	words.Message
}

func text(name, en, zh string) column   { return column{name, false, words.Message{EN: en, ZH: zh}} }
func number(name, en, zh string) column { return column{name, true, words.Message{EN: en, ZH: zh}} }

func tableOf(name string, key int, columns ...column) plainTable {
	t := plainTable{PlainTable: sqlite.PlainTable{Name: name, Key: key}}
	for _, c := range columns {
		t.add(c)
	}
	return t
}

func (t *plainTable) add(c column) {
	t.Columns = append(t.Columns, sqlite.PlainColumn{Name: c.name, Number: c.number, Comment: c.ZH + " · " + c.EN})
	t.labels = append(t.labels, c.Message)
}

var itemLabel, editionLabel = number("item", "which one in the certificate", "序号"), number("edition", "edition of the certificate", "数据确认书版次")

// The tables that are not of a kind of records.
var (
	aboutTable  = tableOf("about", 1, text("key", "what", "项目"), text("value", "value", "内容"))
	columnTable = tableOf("column", 2, text("table_name", "table", "表"), text("column_name", "column", "列"), number("position", "which one in its table", "位置"),
		text("label_zh", "label in Chinese", "中文名称"), text("label_en", "label in English", "英文名称"))
	valueTable = tableOf("value", 3, text("table_name", "table", "表"), text("column_name", "column", "列"), text("value", "value as it stands in the column", "列中的值"),
		text("label_zh", "word for it in Chinese", "中文"), text("label_en", "word for it in English", "英文"))
	certificateTable = tableOf("certificate", 1, editionLabel, text("issued_at", "when it was issued", "签发时间"), text("issued_by", "name of who issued it", "签发人"),
		text("sha256", "SHA-256 of its file", "文件的 SHA-256"), text("document", "its file, as it was signed", "文件原文"))
	checkTable = tableOf("check", 2, editionLabel, text("check", "item of the checklist", "检查项"), number("open", "how many were open", "未完成数"),
		number("waived", "how many of them were waived", "说明后放行数"))
	waiverTable = tableOf("waiver", 2, editionLabel, itemLabel, text("check", "item of the checklist", "检查项"), text("subject", "id of the record, tablet or change", "对象编号"),
		text("name", "what it is called", "对象名称"), number("count", "how many", "数量"), text("reason", "reason", "理由"), text("by", "who waived it", "放行人"), text("at", "when", "时间"))
	addendumTable = tableOf("addendum", 2, editionLabel, itemLabel, text("device", "id of the tablet", "平板编号"), text("name", "name of the tablet", "平板名称"),
		text("received", "when it came", "收到时间"), number("accepted", "changes accepted", "接受的更改数"), number("declined", "changes declined", "未接受的更改数"), text("reasons", "reasons, a line each", "理由"))
	differenceTable = tableOf("difference", 2, editionLabel, itemLabel, text("basis", "basis", "口径"), text("figure", "figure", "指标"), text("dimension", "by", "分类"), text("key", "key", "键"),
		text("name", "name of the key", "名称"), number("before", "in the edition before", "上一版数值"), number("after", "in this edition", "本版数值"))
	placeTable = tableOf("place", 1, text("code", "code of the statistics bureau", "统计用区划代码"), text("level", "level", "级别"), text("name_zh", "name in Chinese", "中文名称"),
		text("name_en", "name in English", "英文名称"))
	totalTable = tableOf("total", 4, text("basis", "basis", "口径"), text("figure", "figure", "指标"), text("dimension", "by", "分类"), text("key", "key", "键"),
		text("name_zh", "name of the key in Chinese", "键的中文名称"), text("name_en", "name of the key in English", "键的英文名称"), number("value", "value", "数值"))
	logTable = tableOf("log", 1, number("position", "position in the change log", "更改日志位置"), text("replica", "who wrote it, 16 hexadecimal digits", "写入者编号"),
		number("sequence", "which one of theirs", "写入者内序号"), text("hash", "SHA-256 of the change as it was written", "更改内容的 SHA-256"), text("chain", "the log's running hash", "日志链"),
		text("time", "when the server received it", "服务器收到时间"), text("kind", "kind of the record; empty where the content is erased", "记录种类（内容已清除的为空）"),
		text("record", "id of the record", "记录编号"), text("outcome", "what became of it; empty: applied", "处理结果（空为已生效）"))
)

// plainKinds are the kinds of which there are plain tables: those that are not confidential, but for what the certificates say.
func plainKinds() []record.Kind {
	return slices.DeleteFunc(export.Kinds(), func(k record.Kind) bool {
		return record.Confidential(k) || k == recordv1.Kind_KIND_CERTIFICATE || k == recordv1.Kind_KIND_WAIVER
	})
}

// kindTable is the table of a kind: its columns are those of its CSV export.
func kindTable(kind record.Kind, columns []export.Column) plainTable {
	t := plainTable{PlainTable: sqlite.PlainTable{Name: words.KindName(kind), Key: 1}}
	for _, c := range columns {
		zh, en := c.Labels()
		t.add(column{c.Name, c.Number(), words.Message{EN: en, ZH: zh}})
	}
	return t
}

// writing is the plain tables under way.
type writing struct {
	*sqlite.PlainWriter
	c *Config
	m *Manifest
	// made are the tables by now.
	made []plainTable
	// certificates are the files of all editions, and opened what they say.
	certificates map[int][]byte
	opened       map[int]*certificate.Certificate
}

// addTables adds the plain tables to the copy, and takes into the manifest what it says of the deployment.
func (c *Config) addTables(ctx context.Context, copied string, m *Manifest) (err error) {
	db, err := sqlite.OpenScratch(ctx, copied)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	w := &writing{c: c, m: m, opened: map[int]*certificate.Certificate{}}
	if err := w.openCertificates(ctx, db.Deployment(c.Deployment)); err != nil {
		return err
	}
	return sqlite.WritePlain(ctx, copied, func(to *sqlite.PlainWriter) error {
		w.PlainWriter = to
		return w.write(ctx, db.Deployment(c.Deployment))
	})
}

// openCertificates reads the certificates, and what the newest says of the deployment.
func (w *writing) openCertificates(ctx context.Context, of *store.Deployment) (err error) {
	if w.certificates, err = certificatesIn(ctx, of); err != nil {
		return err
	}
	for edition, file := range w.certificates {
		if w.opened[edition], _, err = certificate.Open(file); err != nil {
			return fmt.Errorf("%w: edition %d: %w", ErrNotCertified, edition, err)
		}
		w.m.Edition = max(w.m.Edition, edition)
		w.m.Certificates = append(w.m.Certificates, Edition{edition, certificate.Hash(file)})
	}
	if w.m.Edition == 0 {
		return ErrNoCertificate
	}
	slices.SortFunc(w.m.Certificates, func(a, b Edition) int { return cmp.Compare(a.Edition, b.Edition) })
	w.m.Deployment = w.opened[w.m.Edition].Deployment
	return nil
}

// certificatesIn are the files of the certificates that a deployment has as records, by edition.
func certificatesIn(ctx context.Context, of *store.Deployment) (files map[int][]byte, err error) {
	err = of.Read(ctx, func(tx syncing.Reading) (err error) {
		files, err = syncing.Certificates(tx)
		return err
	})
	return files, err
}

func (w *writing) table(t plainTable, rows func(put func(...any) error) error) error {
	w.made = append(w.made, t)
	return w.Table(t.PlainTable, rows)
}

// write writes the tables, one after the other.
func (w *writing) write(ctx context.Context, of *store.Deployment) error {
	q := export.Query{Whole: true, Lang: "zh", Kinds: plainKinds(), Progress: func(done, of uint64) { w.c.Progress(Tables, done, of) }}
	err := export.Look(ctx, of, w.c.Wall, q, func(content *export.Content) error {
		for _, kind := range plainKinds() {
			if err := w.kind(content, kind); err != nil {
				return fmt.Errorf("table of %s: %w", words.KindName(kind), err)
			}
		}
		if err := w.values(content); err != nil {
			return err
		}
		return w.totals(content)
	})
	if err != nil {
		return err
	}
	for _, step := range []func() error{func() error { return w.log(ctx, of) }, w.editions, w.about, w.columns} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (w *writing) kind(content *export.Content, kind record.Kind) error {
	columns := content.Columns(kind)
	values := make([]any, len(columns))
	return w.table(kindTable(kind, columns), func(put func(...any) error) error {
		return content.Each(kind, func(r export.Row) error {
			for i, c := range columns {
				values[i] = c.Value(r)
			}
			return put(values...)
		})
	})
}

// values writes what the choices in columns are called.
func (w *writing) values(content *export.Content) error {
	return w.table(valueTable, func(put func(...any) error) error {
		for _, kind := range plainKinds() {
			for _, c := range content.Columns(kind) {
				for _, o := range c.Options() {
					if err := put(sqlite.PlainPrefix+words.KindName(kind), c.Name, o.Name, o.ZH, o.EN); err != nil {
						return err
					}
				}
			}
		}
		return nil
	})
}

// totals writes the totals, and the places that they are of.
func (w *writing) totals(content *export.Content) error {
	places := map[string]progress.Text{}
	err := w.table(totalTable, func(put func(...any) error) error {
		return content.EachTotal(func(t export.Total) error {
			by, err := tally.ParseDimension(t.Dimension)
			if err != nil {
				return fmt.Errorf("a total: %w", err)
			}
			label := progress.LabelOf(content.SetUp, by, t.Key)
			if by == tally.Place && t.Key != "" {
				places[t.Key] = label
			}
			return put(t.Basis, t.Figure, t.Dimension, t.Key, label.In("zh"), label.In("en"), t.Value)
		})
	})
	if err != nil {
		return err
	}
	return w.table(placeTable, func(put func(...any) error) error {
		for _, code := range slices.Sorted(maps.Keys(places)) {
			if err := put(code, levelOf(code), places[code].In("zh"), places[code].In("en")); err != nil {
				return err
			}
		}
		return nil
	})
}

// levelOf is the level of a place, such as "town".
func levelOf(code string) string {
	for _, l := range progress.Levels {
		if len(code) == l.Digits {
			return l.Name
		}
	}
	return ""
}

// log writes the change log, but for what the changes say.
func (w *writing) log(ctx context.Context, of *store.Deployment) error {
	return w.table(logTable, func(put func(...any) error) error {
		followed, err := progress.Follow(ctx, of, w.c.Deployment, func(s progress.Step) error {
			w.m.Log.Position, w.m.Log.Chain = s.Position, hex.EncodeToString(s.Chain[:])
			var kind, replica, sequence any
			if k, _, ok := syncing.ContentOf(s.LogEntry); ok {
				kind = words.KindName(k)
			}
			if s.Replica != 0 {
				replica, sequence = fmt.Sprintf("%016x", uint64(s.Replica)), int64(s.Sequence) //nolint:gosec // 63 bits
			}
			return put(int64(s.Position), replica, sequence, hex.EncodeToString(s.Hash[:]), hex.EncodeToString(s.Chain[:]), instant(time.UnixMilli(s.Received)), kind, s.Record.String(), s.Outcome) //nolint:gosec // 63 bits
		})
		if err != nil {
			return err
		}
		if len(followed.Faults) > 0 {
			return fmt.Errorf("%w: %s: %s", store.ErrDamaged, followed.Faults[0].Code, followed.Faults[0].Detail)
		}
		w.m.Log.Changes = followed.Changes
		return nil
	})
}

// instant is how plain tables have instants.
func instant(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// editions writes what the certificates say in tables of their own.
func (w *writing) editions() error {
	tables := []struct {
		plainTable
		rows func(edition int, c *certificate.Certificate, put func(...any) error) error
	}{
		{certificateTable, func(edition int, c *certificate.Certificate, put func(...any) error) error {
			return put(int64(edition), instant(c.Issued.At), c.Issued.Name, certificate.Hash(w.certificates[edition]), string(w.certificates[edition]))
		}},
		{checkTable, func(edition int, c *certificate.Certificate, put func(...any) error) error {
			return eachOf(c.Checks, func(_ int64, k certificate.Check) error {
				return put(int64(edition), k.Check, int64(k.Open), int64(k.Waived))
			})
		}},
		{waiverTable, func(edition int, c *certificate.Certificate, put func(...any) error) error {
			return eachOf(c.Waivers, func(i int64, v certificate.Waiver) error {
				return put(int64(edition), i, v.Check, idOrNothing(v.Subject), v.Name, int64(v.Count), v.Reason, v.By, instant(v.At))
			})
		}},
		{addendumTable, func(edition int, c *certificate.Certificate, put func(...any) error) error {
			return eachOf(c.Addenda, func(i int64, a certificate.Addendum) error {
				return put(int64(edition), i, idOrNothing(a.Device), a.Name, instant(a.Received), int64(a.Accepted), int64(a.Declined), strings.Join(a.Reasons, "\n"))
			})
		}},
		{differenceTable, func(edition int, c *certificate.Certificate, put func(...any) error) error {
			return eachOf(c.Differences, func(i int64, d certificate.Difference) error {
				return put(int64(edition), i, d.Basis, d.Figure, d.By, d.Key, d.Name, d.Before, d.After)
			})
		}},
	}
	for _, t := range tables {
		err := w.table(t.plainTable, func(put func(...any) error) error {
			for _, edition := range slices.Sorted(maps.Keys(w.opened)) {
				if err := t.rows(edition, w.opened[edition], put); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// eachOf hands out items with their numbers from 1.
func eachOf[T any](items []T, row func(int64, T) error) error {
	for i, item := range items {
		if err := row(int64(i+1), item); err != nil {
			return err
		}
	}
	return nil
}

func idOrNothing(id hlc.ID) any {
	if id == (hlc.ID{}) {
		return nil
	}
	return id.String()
}

// about writes what the archive is.
func (w *writing) about() error {
	return w.table(aboutTable, func(put func(...any) error) error {
		key, err := json.Marshal(w.c.public())
		if err != nil {
			return err
		}
		d := w.m.Deployment
		for _, row := range [][2]string{
			{"what", "堤（Levee）行动档案，不含服务对象的个人信息。plain_ 开头的表可用任何 SQLite 工具阅读；核验：leveed verify。 An archive of a Levee deployment without personal data of clients. Tables whose names begin with plain_ are for people with any SQLite tool; verify it with leveed verify."},
			{"format", strconv.Itoa(Version)}, {"deployment", d.ID.String()}, {"name", d.Name}, {"start_on", d.StartOn}, {"end_on", d.EndOn}, {"time_zone", d.TimeZone},
			{"edition", strconv.Itoa(w.m.Edition)}, {"made", instant(w.m.Made)}, {"key", strings.Trim(string(key), `"`)}, {"key_fingerprint", certificate.Fingerprint(w.c.public())},
			{"log_position", strconv.FormatUint(w.m.Log.Position, 10)}, {"log_chain", w.m.Log.Chain},
		} {
			if err := put(row[0], row[1]); err != nil {
				return err
			}
		}
		return nil
	})
}

// columns writes what the columns of all tables are called, this one included.
func (w *writing) columns() error {
	return w.table(columnTable, func(put func(...any) error) error {
		for _, t := range w.made {
			for i, c := range t.Columns {
				if err := put(sqlite.PlainPrefix+t.Name, c.Name, int64(i+1), t.labels[i].ZH, t.labels[i].EN); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
