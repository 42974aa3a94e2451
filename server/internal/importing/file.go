package importing

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"

	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
	"levee/syncproto/words"
)

// Bounds on a file. Nothing in it is read beyond them.
const (
	// MaxBytes is how large it may be.
	MaxBytes = 4 << 20
	// MaxRows is how many records it may have, in all its tables.
	MaxRows = 10_000

	// maxUnpacked is how large it may be when it is unpacked, in bytes.
	maxUnpacked = 32 << 20
	// maxColumns is how many cells a row may have, and maxCells how many all rows together.
	maxColumns = 200
	maxCells   = 600_000
	// maxTags is how many tags a workbook may have: about four for a cell.
	maxTags = 2_000_000
	// maxFiles is how many files or sheets it may have.
	maxFiles = 100
)

// File is what somebody sends: a table in a text file, a workbook, or a ZIP file of text files.
type File struct {
	// Name is what it is called. Of a text file it tells the kind, unless Kind does.
	Name    string
	Content []byte
	// Kind is what its only table has; KIND_UNKNOWN when the names of files and sheets tell.
	Kind record.Kind
}

// sheet is a table as it stands in a file.
type sheet struct {
	// name is that of the file or sheet; empty where there is only one.
	name string
	kind record.Kind
	rows []line
}

// line is a row that is not empty; number is what spreadsheets count it as, from 1.
type line struct {
	number int
	cells  []string
}

// reading is a file that is being read.
type reading struct {
	kindOf  func(name string) record.Kind
	sheets  []*sheet
	leftOut []string
	// rows and cells are how many there are so far, and unpacked how many bytes were unpacked.
	rows, cells int
	unpacked    int64
}

// read reads a file. kindOf is the kind of a file or sheet of a name.
func read(f File, kindOf func(name string) record.Kind) (*reading, *Fault) {
	r := &reading{kindOf: kindOf}
	if len(f.Content) > MaxBytes {
		return nil, wrongFile("", tooLarge, MaxBytes>>20)
	}
	var fault *Fault
	switch {
	case !bytes.HasPrefix(f.Content, []byte("PK")):
		fault = r.only(f)
	default:
		packed, err := zip.NewReader(bytes.NewReader(f.Content), int64(len(f.Content)))
		switch {
		case err != nil:
			return nil, wrongFile("", unreadable)
		case slices.ContainsFunc(packed.File, func(p *zip.File) bool { return p.Name == workbookPart }):
			fault = r.workbook(f, packed)
		default:
			fault = r.packed(packed)
		}
	}
	if fault != nil {
		return nil, fault
	}
	if r.rows == 0 {
		return nil, wrongFile("", nothingToImport)
	}
	// Owners first; tables of one kind as they stand in the file.
	slices.SortStableFunc(r.sheets, func(a, b *sheet) int { return slices.Index(kinds, a.kind) - slices.Index(kinds, b.kind) })
	return r, nil
}

// only reads a file that has one table.
func (r *reading) only(f File) *Fault {
	kind := f.Kind
	if kind == recordv1.Kind_KIND_UNKNOWN {
		kind = r.kindOf(f.Name)
	}
	if !slices.Contains(kinds, kind) {
		return wrongFile("", unknownKind)
	}
	return r.text(&sheet{kind: kind}, f.Content)
}

// packed reads the text files of a ZIP file.
func (r *reading) packed(z *zip.Reader) *Fault {
	if len(z.File) > maxFiles {
		return wrongFile("", tooManyFiles, maxFiles)
	}
	for _, part := range z.File {
		kind := r.kindOf(part.Name)
		if !slices.Contains(kinds, kind) || !strings.EqualFold(path.Ext(part.Name), ".csv") {
			r.leftOut = append(r.leftOut, part.Name)
			continue
		}
		content, fault := r.unpack(part)
		if fault != nil {
			return fault
		}
		if fault := r.text(&sheet{name: part.Name, kind: kind}, content); fault != nil {
			return fault
		}
	}
	return nil
}

// unpack reads a part of a ZIP file, whatever size it says to have.
func (r *reading) unpack(part *zip.File) ([]byte, *Fault) {
	from, err := part.Open()
	if err != nil {
		return nil, wrongFile(part.Name, unreadable)
	}
	defer func() { _ = from.Close() }() // it was only read
	content, err := io.ReadAll(io.LimitReader(from, maxUnpacked-r.unpacked+1))
	r.unpacked += int64(len(content))
	switch {
	case r.unpacked > maxUnpacked:
		return nil, wrongFile(part.Name, tooLargeUnpacked, maxUnpacked>>20)
	case err != nil:
		return nil, wrongFile(part.Name, unreadable)
	}
	return content, nil
}

// text reads a table in a text file.
func (r *reading) text(s *sheet, content []byte) *Fault {
	text, ok := Text(content)
	if !ok {
		return wrongFile(s.name, notText)
	}
	rows := csv.NewReader(strings.NewReader(text))
	rows.Comma, rows.FieldsPerRecord = Separator(text), -1
	within := 0 // ends of lines in cells, which begin no row
	for {
		cells, err := rows.Read()
		if errors.Is(err, io.EOF) {
			r.sheets = append(r.sheets, s)
			return nil
		}
		var wrong *csv.ParseError
		if errors.As(err, &wrong) {
			return wrongRow(s.name, wrong.StartLine-within, wrongQuotes)
		}
		at, _ := rows.FieldPos(0)
		if fault := r.put(s, at-within, cells); fault != nil {
			return fault
		}
		within += strings.Count(strings.Join(cells, ""), "\n")
	}
}

// put adds a row to a table.
func (r *reading) put(s *sheet, number int, cells []string) *Fault {
	for len(cells) > 0 && cells[len(cells)-1] == "" {
		cells = cells[:len(cells)-1]
	}
	if strings.TrimSpace(strings.Join(cells, "")) == "" {
		return nil
	}
	if len(cells) > maxColumns {
		return wrongRow(s.name, number, tooWide, maxColumns)
	}
	if len(s.rows) > 0 { // below the headings
		r.rows++
	}
	if r.cells += len(cells); r.rows > MaxRows+1 || r.cells > maxCells { // the second row may be one of headings
		return wrongFile(s.name, tooLong, MaxRows)
	}
	s.rows = append(s.rows, line{number, slices.Clone(cells)})
	return nil
}

// numbered is what stands behind the name of a kind where there are several files or sheets of it, or somebody saved one twice.
var numbered = regexp.MustCompile(`\s*(\d+|\(\d+\)|（\d+）)$`)

// kindCalled is the kind of a file or sheet of a name: the stable name of the kind, or the word for it in either language, also
// the deployment's own; KIND_UNKNOWN when it is none of these.
func kindCalled(name string, d *recordv1.Deployment) record.Kind {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	if ext := path.Ext(name); strings.EqualFold(ext, ".csv") || strings.EqualFold(ext, ".txt") {
		name = strings.TrimSuffix(name, ext)
	}
	name = numbered.ReplaceAllString(strings.TrimSpace(name), "")
	for _, k := range record.Kinds() {
		called := []string{words.KindName(k)}
		for _, lang := range []string{"en", "zh"} {
			called = append(called, words.In(lang).Kind(k), words.In(lang).For(d).KindLabel(k))
		}
		if slices.ContainsFunc(called, func(word string) bool { return strings.EqualFold(word, name) }) {
			return k
		}
	}
	return recordv1.Kind_KIND_UNKNOWN
}

// title is what a table is called when people are told of it.
func (s *sheet) title() string {
	if s.name == "" {
		return words.KindName(s.kind)
	}
	return s.name
}
