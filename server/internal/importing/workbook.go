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
	parts, fault := r.contents(z)
	if fault != nil {
		return fault
	}
	book, err := excelize.OpenReader(bytes.NewReader(f.Content), excelize.Options{RawCellValue: true, UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: maxUnpacked})
	if err != nil {
		return wrongFile("", unreadable)
	}
	defer func() { _ = book.Close() }() // it was only read
	names := book.GetSheetList()
	if len(names) > maxFiles {
		return wrongFile("", tooManyFiles, maxFiles)
	}
	partOf, fault := partsOf(parts)
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
		if fault := formulas(s, parts[partOf[name]]); fault != nil {
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

// contents are the parts of a workbook by their names. With too many tags in them it is refused: whatever reads them makes much more
// of each than the few bytes that it has.
func (r *reading) contents(z *zip.Reader) (map[string][]byte, *Fault) {
	parts, tags := map[string][]byte{}, 0
	for _, part := range z.File {
		content, fault := r.unpack(part)
		if fault != nil {
			return nil, fault
		}
		if tags += bytes.Count(content, []byte("<")); tags > maxTags {
			return nil, wrongFile("", tooLong, MaxRows)
		}
		parts[part.Name] = content
	}
	return parts, nil
}

// partsOf are the names of the parts of a workbook that its sheets are, by the names of these.
func partsOf(parts map[string][]byte) (map[string]string, *Fault) {
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
	if xml.Unmarshal(parts[workbookPart], &book) != nil || xml.Unmarshal(parts[relationsPart], &relations) != nil {
		return nil, wrongFile("", unreadable)
	}
	of := map[string]string{}
	for _, sheet := range book.Sheets {
		for _, relation := range relations.All {
			if target := relation.Target; relation.ID == sheet.ID {
				if !strings.HasPrefix(target, "/") {
					target = path.Join(path.Dir(workbookPart), target)
				}
				of[sheet.Name] = strings.TrimPrefix(target, "/")
			}
		}
	}
	return of, nil
}

// formulas finds the first cell of a sheet that holds a formula.
func formulas(s *sheet, content []byte) *Fault {
	if content == nil {
		return wrongFile(s.name, unreadable)
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
