package export

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"levee/syncproto/record"
)

// What a spreadsheet takes at most.
const (
	maxRows       = excelize.TotalRows // in a sheet
	maxCharacters = excelize.TotalCellChars
)

// headRows are the rows above the others, which stay when one scrolls: what people read, and the stable names.
const headRows = 2

// workbook is a spreadsheet file that is written sheet by sheet. excelize holds a sheet until its file is written, and up to
// 16 MB of it in memory; so each sheet has a file of its own there, of which only the sheet goes into the ZIP file. The rest
// of the file is written in the end, when all sheets are known.
type workbook struct {
	zip *zip.Writer
	// folder is where excelize puts what is too large for memory.
	folder string
	// rows is after how many rows a sheet goes on in another one.
	rows   int
	sheets []string
}

// styles are those of every workbook here, in the order in which they are made, so that they have the same numbers in each.
type styles struct{ label, name, date, instant int }

const (
	dateFormat    = "yyyy-mm-dd"
	instantFormat = "yyyy-mm-dd hh:mm:ss.000"
)

// file is an empty file of excelize with the styles.
func (b *workbook) file() (*excelize.File, styles, error) {
	f := excelize.NewFile(excelize.Options{TmpDir: b.folder})
	numbers := [4]int{}
	date, instant := dateFormat, instantFormat
	for i, style := range []*excelize.Style{
		{Font: &excelize.Font{Bold: true}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"DDE7EE"}}},
		{Font: &excelize.Font{Italic: true, Color: "666666"}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"DDE7EE"}}},
		{CustomNumFmt: &date}, {CustomNumFmt: &instant},
	} {
		n, err := f.NewStyle(style)
		if err != nil {
			return nil, styles{}, errors.Join(err, f.Close())
		}
		numbers[i] = n
	}
	return f, styles{numbers[0], numbers[1], numbers[2], numbers[3]}, nil
}

// heading is what stands above a column of a sheet, and how wide it is, in characters.
type heading struct {
	label, name string
	width       float64
}

// sheet writes one sheet, or as many as its rows take. rows puts row after row; without headings there is no frozen part.
func (b *workbook) sheet(name string, headings []heading, rows func(put func([]any) error) error) error {
	s := &sheet{book: b, name: name, headings: headings}
	err := s.begin()
	if err == nil {
		err = rows(s.put)
	}
	if err == nil {
		err = s.end()
	}
	if s.file != nil {
		err = errors.Join(err, s.file.Close())
	}
	return err
}

// sheet is one that is under way.
type sheet struct {
	book     *workbook
	name     string
	headings []heading

	file   *excelize.File
	stream *excelize.StreamWriter
	styles styles
	row    int
	cells  []any
}

// streamed is the sheet of a file that is written: the second one, since the first of a file says that it is selected, and
// with several of these a person would edit all at once.
const (
	streamed     = "streamed"
	streamedPath = "xl/worksheets/sheet2.xml"
)

func (s *sheet) begin() (err error) {
	if s.file, s.styles, err = s.book.file(); err != nil {
		return err
	}
	if _, err := s.file.NewSheet(streamed); err != nil {
		return err
	}
	if s.stream, err = s.file.NewStreamWriter(streamed); err != nil {
		return err
	}
	s.row = 0
	if len(s.headings) == 0 {
		return nil
	}
	if err := s.stream.SetPanes(&excelize.Panes{Freeze: true, YSplit: headRows, TopLeftCell: fmt.Sprintf("A%d", headRows+1), ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	labels, names := make([]any, len(s.headings)), make([]any, len(s.headings))
	for i, h := range s.headings {
		if err := s.stream.SetColWidth(i+1, i+1, h.width); err != nil {
			return err
		}
		labels[i], names[i] = excelize.Cell{StyleID: s.styles.label, Value: Neutral(h.label)}, excelize.Cell{StyleID: s.styles.name, Value: h.name}
	}
	return errors.Join(s.write(labels), s.write(names))
}

// put writes a row, on the next sheet when this one is full.
func (s *sheet) put(values []any) error {
	if s.row == s.book.rows {
		if err := errors.Join(s.end(), s.file.Close()); err != nil {
			return err
		}
		if err := s.begin(); err != nil {
			return err
		}
	}
	s.cells = s.cells[:0]
	for _, v := range values {
		s.cells = append(s.cells, s.styled(v))
	}
	return s.write(s.cells)
}

func (s *sheet) write(cells []any) error {
	s.row++
	return s.stream.SetRow(fmt.Sprintf("A%d", s.row), cells)
}

// styled is a value as the spreadsheet takes it.
func (s *sheet) styled(value any) any {
	switch v := value.(type) {
	case record.Date:
		if v < firstSerial {
			return v.String()
		}
		return excelize.Cell{StyleID: s.styles.date, Value: serialZero.DaysUntil(v)}
	case time.Time:
		return excelize.Cell{StyleID: s.styles.instant, Value: serial(v)}
	case string:
		return fitting(v)
	default:
		return v
	}
}

// cutOff stands at the end of a text that is longer than a cell takes.
const cutOff = "…"

// fitting is a text, or as much of it as a cell takes.
func fitting(text string) string {
	if len(text) <= maxCharacters { // bytes are no fewer than characters
		return text
	}
	units := 0
	for i, r := range text {
		if units += utf16.RuneLen(r); units >= maxCharacters && i+utf8.RuneLen(r) < len(text) {
			return text[:i] + cutOff
		}
	}
	return text
}

// end puts the sheet that is under way into the ZIP file.
func (s *sheet) end() error {
	if err := s.stream.Flush(); err != nil {
		return err
	}
	b := s.book
	b.sheets = append(b.sheets, b.free(s.name))
	return b.only(s.file, func(name string) string {
		if name == streamedPath {
			return partPath(len(b.sheets))
		}
		return ""
	})
}

// free is a name for a sheet that no other has: "个案", "个案 2".
func (b *workbook) free(name string) string {
	free := name
	for n := 2; slices.Contains(b.sheets, free); n++ {
		free = fmt.Sprintf("%s %d", name, n)
	}
	return free
}

// partPath is where the nth sheet of a file stands, from 1.
func partPath(n int) string { return fmt.Sprintf("xl/worksheets/sheet%d.xml", n) }

// close writes what belongs to no sheet.
func (b *workbook) close() error {
	f, _, err := b.file()
	if err != nil {
		return err
	}
	for i, name := range b.sheets {
		if i == 0 {
			err = f.SetSheetName(f.GetSheetName(0), name)
		} else {
			_, err = f.NewSheet(name)
		}
		if err != nil {
			return errors.Join(err, f.Close())
		}
	}
	err = b.only(f, func(name string) string {
		if path.Dir(name) == path.Dir(streamedPath) {
			return ""
		}
		return name
	})
	return errors.Join(err, f.Close(), b.zip.Close())
}

// only writes parts of a file into the ZIP file: those to which as gives a name there.
func (b *workbook) only(f *excelize.File, as func(name string) string) error {
	f.SetZipWriter(func(io.Writer) excelize.ZipWriter { return &some{b.zip, as} })
	return f.Write(io.Discard) // it goes to the ZIP file instead, and no copy of it is in memory
}

// some is a ZIP file into which only some of what is written goes.
type some struct {
	zip *zip.Writer
	as  func(name string) string
}

// Create implements excelize.ZipWriter.
func (s *some) Create(name string) (io.Writer, error) {
	if name = s.as(strings.TrimPrefix(name, "/")); name == "" {
		return io.Discard, nil
	}
	return s.zip.Create(name)
}

// AddFS implements excelize.ZipWriter; nothing is written in this way.
func (s *some) AddFS(fs.FS) error { return nil }

// Close implements excelize.ZipWriter. There is more to come.
func (s *some) Close() error { return nil }
