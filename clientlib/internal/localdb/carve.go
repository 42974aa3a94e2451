package localdb

import (
	"bytes"
	"encoding/binary"
	"os"
	"time"

	"levee/syncproto/hlc"
	"levee/syncproto/record"
)

// carve finds own changes, by their row numbers, and unfinished forms in the bytes of a damaged file and of its write-ahead
// log: rows whose page is sound, though no page that leads to it is. SQLite's file format is stable
// (sqlite.org/fileformat2.html); what only looks like such a row does not open.
func (s *sealer) carve(path string) (changes map[int64]OwnChange, forms []Form) {
	pages := pagesOf(path)
	changes = map[int64]OwnChange{}
	for number, page := range pages {
		header := 0
		if number == 1 {
			header = 100 // the file's own
		}
		const leaf = 0x0d // of a table
		if len(page) < pageSize || page[header] != leaf {
			continue
		}
		cells := int(binary.BigEndian.Uint16(page[header+3:]))
		for i := range cells {
			at := header + 8 + 2*i
			if at+2 > pageSize {
				break
			}
			row, payload, ok := cell(pages, page, int(binary.BigEndian.Uint16(page[at:])))
			if !ok {
				continue
			}
			columns, ok := columnsIn(payload)
			if !ok {
				continue
			}
			if c, ok := changeIn(columns); ok {
				if c, ok := s.sound(c); ok {
					changes[row] = c
				}
			}
			if f, ok := formIn(columns); ok {
				if f, err := s.openForm(f); err == nil {
					forms = append(forms, f)
				}
			}
		}
	}
	return changes, forms
}

// pagesOf are the pages of a file by their numbers, as its write-ahead log has them last.
func pagesOf(path string) map[uint32][]byte {
	file, err := os.ReadFile(path) //nolint:gosec // the tablet's own file
	if err != nil {
		return nil
	}
	pages := map[uint32][]byte{}
	for number := uint32(1); len(file) >= pageSize; number++ {
		pages[number], file = file[:pageSize], file[pageSize:]
	}
	const logHeader, frameHeader = 32, 24
	log, err := os.ReadFile(path + "-wal") //nolint:gosec // as above
	if err != nil || len(log) < logHeader {
		return pages
	}
	salts := log[16:24] // frames of an earlier round have others
	for log = log[logHeader:]; len(log) >= frameHeader+pageSize; log = log[frameHeader+pageSize:] {
		if bytes.Equal(log[8:16], salts) {
			pages[binary.BigEndian.Uint32(log)] = log[frameHeader : frameHeader+pageSize]
		}
	}
	return pages
}

// cell is a row of a leaf of a table: its number and its payload, from the pages that it runs over into too.
func cell(pages map[uint32][]byte, page []byte, at int) (row int64, payload []byte, ok bool) {
	length, n := varint(page, at)
	number, m := varint(page, at+n)
	at += n + m
	if n == 0 || m == 0 || length > 1<<20 {
		return 0, nil, false
	}
	total := int(length)
	local := total
	if most := pageSize - 35; total > most {
		least := (pageSize-12)*32/255 - 23
		if local = least + (total-least)%(pageSize-4); local > most {
			local = least
		}
	}
	if at+local > pageSize {
		return 0, nil, false
	}
	payload = bytes.Clone(page[at : at+local])
	for next := at + local; len(payload) < total; next = 0 {
		if next+4 > len(page) {
			return 0, nil, false
		}
		if page = pages[binary.BigEndian.Uint32(page[next:])]; len(page) < pageSize {
			return 0, nil, false
		}
		payload = append(payload, page[4:min(pageSize, 4+total-len(payload))]...)
	}
	return int64(number), payload, true //nolint:gosec // rows are counted from 1
}

// stored is a value as it lies in a row.
type stored struct {
	typ   uint64
	bytes []byte
}

// columnsIn are the values of a row.
func columnsIn(payload []byte) ([]stored, bool) {
	length, n := varint(payload, 0)
	if n == 0 || length > uint64(len(payload)) {
		return nil, false
	}
	body := payload[length:]
	var columns []stored
	for at := n; at < int(length); { //nolint:gosec // checked above
		typ, m := varint(payload, at)
		size, ok := widthOf(typ)
		if m == 0 || !ok || size > len(body) {
			return nil, false
		}
		columns, body, at = append(columns, stored{typ, body[:size]}), body[size:], at+m
	}
	return columns, true
}

// changeIn reads a row of the table of changes; one that was written before the table had its last column lacks that.
func changeIn(columns []stored) (c OwnChange, ok bool) {
	if len(columns) < 8 || len(columns) > 9 || len(columns[2].bytes) != len(c.ID) || len(columns[3].bytes) != len(c.Record) {
		return c, false
	}
	c.Replica, c.Sequence = hlc.Replica(columns[0].integer()), columns[1].integer()
	c.ID, c.Record, c.Body, c.Held = hlc.ID(columns[2].bytes), hlc.ID(columns[3].bytes), columns[4].bytes, string(columns[5].bytes)
	c.Known = columns[6].integer() == 1
	return c, true
}

// formIn reads a row of the table of forms.
func formIn(columns []stored) (f Form, ok bool) {
	if len(columns) != 5 || len(columns[0].bytes) != len(f.ID) {
		return f, false
	}
	f.ID, f.Kind = hlc.ID(columns[0].bytes), record.Kind(columns[1].integer()) //nolint:gosec // what it is sealed with tells whether it is one
	copy(f.Record[:], columns[2].bytes)
	f.Saved = time.UnixMilli(int64(columns[3].integer())) //nolint:gosec // as above
	f.Values = columns[4].bytes
	return f, true
}

// widthOf is how many bytes a value of a serial type has.
func widthOf(typ uint64) (int, bool) {
	switch {
	case typ <= 4:
		return int(typ), true
	case typ == 5:
		return 6, true
	case typ == 6, typ == 7:
		return 8, true
	case typ == 8, typ == 9:
		return 0, true
	case typ >= 12 && typ < 1<<21:
		return int(typ-12) / 2, true
	default:
		return 0, false
	}
}

// integer is a value that is one; none that is kept is negative.
func (v stored) integer() uint64 {
	if v.typ == 8 || v.typ == 9 {
		return v.typ - 8
	}
	var n uint64
	for _, b := range v.bytes {
		n = n<<8 | uint64(b)
	}
	return n
}

// varint is one of SQLite's, the greater bytes first; n is 0 where there is none.
func varint(b []byte, at int) (v uint64, n int) {
	for ; n < 9 && at+n < len(b); n++ {
		if n == 8 {
			return v<<8 | uint64(b[at+n]), 9
		}
		v = v<<7 | uint64(b[at+n]&0x7f)
		if b[at+n] < 0x80 {
			return v, n + 1
		}
	}
	return 0, 0
}
