package importing

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"

	recordv1 "levee/syncproto/levee/record/v1"
)

// Parts of a workbook: its list of sheets, and where each of them is.
const (
	workbookPart  = "xl/workbook.xml"
	relationsPart = "xl/_rels/workbook.xml.rels"
)

// workbook reads a workbook with a sheet a kind. A sheet with a formula is refused: what was counted last is not what is so.
func (r *reading) workbook(f File, z *zip.Reader) *Fault {
	book, err := excelize.OpenReader(bytes.NewReader(f.Content), excelize.Options{RawCellValue: true, UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: maxUnpacked})
	if err != nil {
		return wrongFile("", unreadable)
	}
	defer func() { _ = book.Close() }() // it was only read
	names := book.GetSheetList()
	if len(names) > maxFiles {
		return wrongFile("", tooManyFiles, maxFiles)
	}
	parts, fault := r.parts(z)
	if fault != nil {
		return fault
	}
	for _, name := range names {
		kind := r.kindOf(name)
		if len(names) == 1 && f.Kind != recordv1.Kind_KIND_UNKNOWN {
			kind = f.Kind
		}
		if !slices.Contains(kinds, kind) {
			r.leftOut = append(r.leftOut, name)
			continue
		}
		s := &sheet{name: name, kind: kind}
		if fault := r.formulas(s, parts[name]); fault != nil {
			return fault
		}
		if fault := r.rowsOf(s, book); fault != nil {
			return fault
		}
		r.sheets = append(r.sheets, s)
	}
	return nil
}

// rowsOf reads the rows of a sheet, each cell as it is kept and not as it is shown.
func (r *reading) rowsOf(s *sheet, book *excelize.File) *Fault {
	rows, err := book.Rows(s.name)
	if err != nil {
		return wrongFile(s.name, unreadable)
	}
	defer func() { _ = rows.Close() }() // they were only read
	for number := 1; rows.Next(); number++ {
		cells, err := rows.Columns()
		if err != nil {
			return wrongRow(s.name, number, unreadable)
		}
		if fault := r.put(s, number, cells); fault != nil {
			return fault
		}
	}
	if rows.Error() != nil {
		return wrongFile(s.name, unreadable)
	}
	return nil
}

// parts are the parts of a workbook that its sheets are, by their names.
func (r *reading) parts(z *zip.Reader) (map[string]*zip.File, *Fault) {
	var book struct {
		Sheets []struct {
			Name string `xml:"name,attr"`
			ID   string `xml:"http://schemas.openxmlformats.org/officeDocument/2006/relationships id,attr"`
		} `xml:"sheets>sheet"`
	}
	var relations struct {
		All []struct {
			ID     string `xml:"Id,attr"`
			Target string `xml:"Target,attr"`
		} `xml:"Relationship"`
	}
	byName := map[string]*zip.File{}
	for _, part := range z.File {
		byName[part.Name] = part
	}
	for name, into := range map[string]any{workbookPart: &book, relationsPart: &relations} {
		if byName[name] == nil {
			return nil, wrongFile("", unreadable)
		}
		content, fault := r.unpack(byName[name])
		if fault != nil {
			return nil, fault
		}
		if xml.Unmarshal(content, into) != nil {
			return nil, wrongFile("", unreadable)
		}
	}
	parts := map[string]*zip.File{}
	for _, sheet := range book.Sheets {
		for _, relation := range relations.All {
			if target := relation.Target; relation.ID == sheet.ID {
				if !strings.HasPrefix(target, "/") {
					target = path.Join(path.Dir(workbookPart), target)
				}
				parts[sheet.Name] = byName[strings.TrimPrefix(target, "/")]
			}
		}
	}
	return parts, nil
}

// formulas finds the first cell of a sheet that holds a formula.
func (r *reading) formulas(s *sheet, part *zip.File) *Fault {
	if part == nil {
		return wrongFile(s.name, unreadable)
	}
	content, fault := r.unpack(part)
	if fault != nil {
		return fault
	}
	decoder, cell := xml.NewDecoder(bytes.NewReader(content)), ""
	for {
		token, err := decoder.RawToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return wrongFile(s.name, unreadable)
		}
		start, ok := token.(xml.StartElement)
		switch {
		case !ok:
		case start.Name.Local == "c":
			for _, a := range start.Attr {
				if a.Name.Local == "r" {
					cell = a.Value
				}
			}
		case start.Name.Local == "f":
			column, number, _ := excelize.SplitCellName(cell) // without a name it is told of the sheet alone
			return &Fault{Table: s.name, Row: number, Column: column, text: saying(formula)}
		}
	}
}
