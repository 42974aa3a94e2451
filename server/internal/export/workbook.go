package export

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
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

// workbook is a spreadsheet file that is written sheet by sheet, straight into a ZIP file. excelize holds a sheet until its
// file is written, up to 16 MB of it in memory, and the whole file after that. So it gets some rows at a time, in a file of
// their own of which only the rows are taken; what belongs to no sheet is taken from one more file, when all sheets are known.
type workbook struct {
	zip *zip.Writer
	// rows is after how many rows a sheet goes on in another one, and bytes about how many of them excelize holds at most.
	rows, bytes int
	sheets      []string
}

// styles are those of every workbook here, in the order in which they are made, so that they have the same numbers in each.
type styles struct{ label, name, date, instant int }

const (
	dateFormat    = "yyyy-mm-dd"
	instantFormat = "yyyy-mm-dd hh:mm:ss.000"
)

// file is an empty file of excelize with the styles.
func (b *workbook) file() (*excelize.File, styles, error) {
	f := excelize.NewFile()
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
		err = s.flush(true)
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
	// row is how many it has, and to is where they go.
	row int
	to  io.Writer

	// file holds the rows from the first one on, or those that came after the ones that were taken.
	file   *excelize.File
	stream *excelize.StreamWriter
	styles styles
	taken  bool
	bytes  int
	cells  []any
}

// The sheet of a file from which rows are taken is the second one: the first one says that it is selected, and with several
// of these a person would edit all at once.
const (
	streamed     = "streamed"
	streamedPath = "xl/worksheets/sheet2.xml"
)

// begin begins the next sheet.
func (s *sheet) begin() (err error) {
	b := s.book
	b.sheets = append(b.sheets, b.free(s.name))
	if s.to, err = b.zip.Create(fmt.Sprintf("xl/worksheets/sheet%d.xml", len(b.sheets))); err != nil {
		return err
	}
	s.row, s.taken = 0, false
	if err := s.open(); err != nil || len(s.headings) == 0 {
		return err
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

// open makes a file for rows.
func (s *sheet) open() (err error) {
	if s.file, s.styles, err = s.book.file(); err != nil {
		return err
	}
	if _, err := s.file.NewSheet(streamed); err != nil {
		return err
	}
	s.stream, err = s.file.NewStreamWriter(streamed)
	return err
}

// put writes a row, on the next sheet when this one is full.
func (s *sheet) put(values []any) error {
	var err error
	switch {
	case s.row == s.book.rows:
		if err = s.flush(true); err == nil {
			err = s.begin()
		}
	case s.bytes >= s.book.bytes:
		if err = s.flush(false); err == nil {
			err = s.open()
		}
	}
	if err != nil {
		return err
	}
	s.cells = s.cells[:0]
	for _, v := range values {
		s.cells = append(s.cells, s.styled(v))
	}
	return s.write(s.cells)
}

// cellBytes is about what stands around a value in a file.
const cellBytes = 50

func (s *sheet) write(cells []any) error {
	s.row++
	for _, c := range cells {
		text, _ := c.(string)
		s.bytes += cellBytes + len(text)
	}
	return s.stream.SetRow(fmt.Sprintf("A%d", s.row), cells)
}

// What stands around the rows of a sheet.
var rowsBegin, rowsEnd = []byte("<sheetData>"), []byte("</sheetData>")

// flush takes the rows out of the file: with what stands before them if they are the first, and what stands behind them if
// they are the last.
func (s *sheet) flush(last bool) error {
	if err := s.stream.Flush(); err != nil {
		return err
	}
	var whole bytes.Buffer
	if err := errors.Join(only(s.file, map[string]io.Writer{streamedPath: &whole}), s.file.Close()); err != nil {
		return err
	}
	s.file = nil
	text := whole.Bytes()
	before, behind := bytes.Index(text, rowsBegin), bytes.LastIndex(text, rowsEnd)
	if before < 0 || behind < 0 {
		return errors.New("a sheet without rows") // not even an empty one is written so
	}
	if !last {
		text = text[:behind]
	}
	if s.taken {
		text = text[before+len(rowsBegin):]
	}
	s.taken, s.bytes = true, 0
	_, err := s.to.Write(text)
	return err
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

// free is a name for a sheet that no other has: "个案", "个案 2".
func (b *workbook) free(name string) string {
	free := name
	for n := 2; slices.Contains(b.sheets, free); n++ {
		free = fmt.Sprintf("%s %d", name, n)
	}
	return free
}

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
	var whole bytes.Buffer
	if err := errors.Join(f.Write(&whole), f.Close()); err != nil {
		return err
	}
	parts, err := zip.NewReader(bytes.NewReader(whole.Bytes()), int64(whole.Len()))
	if err != nil {
		return err
	}
	for _, part := range parts.File {
		if path.Dir(part.Name) == path.Dir(streamedPath) {
			continue // there already
		}
		if err := b.zip.Copy(part); err != nil {
			return err
		}
	}
	return b.zip.Close()
}

// only writes some parts of a file, by their names, and nothing else of it.
func only(f *excelize.File, parts map[string]io.Writer) error {
	f.SetZipWriter(func(io.Writer) excelize.ZipWriter { return some(parts) })
	return f.Write(io.Discard)
}

// some are the parts of a file that are wanted.
type some map[string]io.Writer

// Create implements excelize.ZipWriter.
func (s some) Create(name string) (io.Writer, error) {
	if w, ok := s[name]; ok {
		return w, nil
	}
	return io.Discard, nil
}

// AddFS implements excelize.ZipWriter; nothing is written in this way.
func (s some) AddFS(fs.FS) error { return nil }

// Close implements excelize.ZipWriter.
func (s some) Close() error { return nil }
