package export

import (
	"archive/zip"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"levee/syncproto/words"
)

// byteOrderMark is how a spreadsheet sees that a file is UTF-8: without it, Excel in China takes one for GBK.
const byteOrderMark = "\ufeff"

// The files of a CSV export besides those of the kinds, which are named after them ("case_session.csv").
const (
	TotalsFile = "totals.csv"
	ReadmeFile = "README.txt"
)

// totalColumns are the columns of the totals, by their stable names.
var totalColumns = []string{"basis", "figure", "dimension", "key", "name", "value"}

// CSV writes a file a kind, the totals and a text about them, each by create: UTF-8 with a byte order mark, RFC 4180.
func CSV(c *Content, create func(name string) (io.WriteCloser, error)) error {
	file := func(name string, write func(io.Writer) error) error {
		f, err := create(name)
		if err != nil {
			return err
		}
		_, err = io.WriteString(f, byteOrderMark)
		return errors.Join(err, write(f), f.Close())
	}
	if err := file(ReadmeFile, func(w io.Writer) error { return readme(c, w) }); err != nil {
		return err
	}
	for _, k := range c.Tables() {
		columns := c.Columns(k)
		header, cells := make([]string, len(columns)), make([]string, len(columns))
		for i, column := range columns {
			header[i] = column.Name
		}
		err := file(words.KindName(k)+".csv", func(w io.Writer) error {
			return table(w, header, func(put func([]string) error) error {
				return c.Each(k, func(r Row) error {
					for i, column := range columns {
						cells[i] = column.Text(r)
					}
					return put(cells)
				})
			})
		})
		if err != nil {
			return err
		}
	}
	return file(TotalsFile, func(w io.Writer) error {
		return table(w, totalColumns, func(put func([]string) error) error {
			return c.EachTotal(func(t Total) error {
				return put([]string{t.Basis, t.Figure, t.Dimension, Neutral(t.Key), Neutral(lines(t.Name)), strconv.FormatInt(t.Value, 10)})
			})
		})
	})
}

// table writes a header and rows.
func table(to io.Writer, header []string, rows func(put func([]string) error) error) error {
	w := csv.NewWriter(to)
	w.UseCRLF = true
	if err := w.Write(header); err != nil {
		return err
	}
	if err := rows(w.Write); err != nil {
		return err
	}
	w.Flush()
	return w.Error()
}

// readme tells what the files are, in both languages.
func readme(c *Content, w io.Writer) error {
	text := strings.Join(append(append(About(c, chinese), ""), About(c, english)...), "\n") + "\n"
	_, err := io.WriteString(w, strings.ReplaceAll(text, "\n", "\r\n"))
	return err
}

// ZIP writes the files of a CSV export into one ZIP file, as they are made.
func ZIP(c *Content, w io.Writer) error {
	z := zip.NewWriter(w)
	err := CSV(c, func(name string) (io.WriteCloser, error) {
		f, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: c.At.UTC().Truncate(time.Second)})
		return entry{f}, err
	})
	if err != nil {
		return err // a file without its end is seen to be broken
	}
	return z.Close()
}

// entry is a file in a ZIP file, which ends where the next one begins.
type entry struct{ io.Writer }

func (entry) Close() error { return nil }

// Folder makes files in a folder, for their owner alone. None is written over.
func Folder(path string) func(name string) (io.WriteCloser, error) {
	return func(name string) (io.WriteCloser, error) {
		return os.OpenFile(filepath.Join(path, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // the operator names the folder
	}
}
