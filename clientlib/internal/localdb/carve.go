package localdb

import (
	"bytes"
	"encoding/binary"
	"os"

	"levee/syncproto/hlc"
)

// carve finds own changes in the bytes of a damaged file and of its write-ahead log, by their row numbers: rows whose page
// is sound, though no page that leads to it is. SQLite's file format is stable (sqlite.org/fileformat2.html); what only
// looks like a row of changes does not decode.
func (s *sealer) carve(path string) map[int64]OwnChange {
	pages := pagesOf(path)
	found := map[int64]OwnChange{}
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
			if c, ok := changeIn(payload); ok {
				if c, ok := s.sound(c); ok {
					found[row] = c
				}
			}
		}
	}
	return found
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

// changeIn reads a row of the table of changes.
func changeIn(payload []byte) (OwnChange, bool) {
	var c OwnChange
	length, n := varint(payload, 0)
	if n == 0 || length > uint64(len(payload)) {
		return c, false
	}
	body := payload[length:]
	var columns [][]byte
	var types []uint64
	for at := n; at < int(length); { //nolint:gosec // checked above
		typ, m := varint(payload, at)
		size, ok := widthOf(typ)
		if m == 0 || !ok || size > len(body) {
			return c, false
		}
		columns, types, body, at = append(columns, body[:size]), append(types, typ), body[size:], at+m
	}
	if len(columns) != 8 || len(columns[2]) != len(c.ID) || len(columns[3]) != len(c.Record) {
		return c, false
	}
	c.Replica, c.Sequence = hlc.Replica(integer(types[0], columns[0])), integer(types[1], columns[1])
	c.ID, c.Record, c.Body, c.Held = hlc.ID(columns[2]), hlc.ID(columns[3]), columns[4], string(columns[5])
	c.Known = integer(types[6], columns[6]) == 1
	return c, true
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

// integer is a value of a serial type that is one; none that is kept is negative.
func integer(typ uint64, value []byte) uint64 {
	if typ == 8 || typ == 9 {
		return typ - 8
	}
	var n uint64
	for _, b := range value {
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
