package wire

import (
	"encoding/binary"
	"math/bits"

	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/compress/huff0"
)

// frameWriter writes one frame of zstd (RFC 8878, 3.1.1) with the dictionary: blocks as they are, and a compressed one.
type frameWriter struct {
	b        []byte
	literals []byte
	huffman  huff0.Scratch
}

// blockHeader is how many bytes a block has in front of its content.
const blockHeader = 3

// Types of blocks.
const (
	rawBlock        = 0
	compressedBlock = 2
)

// begin appends to b the header of a frame that has the size of its content, at most 65,791, a checksum, the dictionary's
// id, and one segment.
func (w *frameWriter) begin(b, content []byte) {
	const magic = 0xfd2fb528
	const checksum, segment, dictionary, wide = 1 << 2, 1 << 5, 1, 1 << 6
	w.b = binary.LittleEndian.AppendUint32(b, magic)
	if len(content) < 256 {
		w.b = append(w.b, checksum|segment|dictionary, dictionaryID, byte(len(content))) //nolint:gosec // below 256
		return
	}
	w.b = append(w.b, checksum|segment|dictionary|wide, dictionaryID)
	w.b = binary.LittleEndian.AppendUint16(w.b, uint16(len(content)-256)) //nolint:gosec // see above
}

// end is the whole frame.
func (w *frameWriter) end(content []byte) []byte {
	return binary.LittleEndian.AppendUint32(w.b, uint32(xxhash.Sum64(content))) //nolint:gosec // its lower half
}

func (w *frameWriter) raw(content []byte, last bool) {
	w.b = append(append(w.b, make([]byte, blockHeader)...), content...)
	putBlockHeader(w.b[len(w.b)-len(content)-blockHeader:], rawBlock, len(content), last)
}

func putBlockHeader(b []byte, kind, size int, last bool) {
	header := uint32(size)<<3 | uint32(kind)<<1 //nolint:gosec // sizes are below 128 KiB
	if last {
		header |= 1
	}
	b[0], b[1], b[2] = byte(header), byte(header>>8), byte(header>>16) //nolint:gosec // byte by byte
}

// compressed is a block of the steps that make up content; as it is, if that is shorter. There may be one in a frame: for it
// alone the tables are those of the dictionary.
func (w *frameWriter) compressed(d *dictionary, content []byte, steps []step, last bool) {
	begin := len(w.b)
	w.b = append(w.b, make([]byte, blockHeader)...)
	w.literals = w.literals[:0]
	at := 0
	for _, s := range steps {
		w.literals = append(w.literals, content[at:at+s.literals]...)
		at += s.literals + s.length
	}
	if steps[len(steps)-1].length == 0 { // literals behind the last match need no sequence
		steps = steps[:len(steps)-1]
	}
	w.writeLiterals(d)
	w.writeSequences(d, steps)
	size := len(w.b) - begin - blockHeader
	if size >= len(content) {
		w.b = w.b[:begin]
		w.raw(content, last)
		return
	}
	putBlockHeader(w.b[begin:], compressedBlock, size, last)
}

// writeLiterals writes the section of literals (3.1.1.3.1), by the dictionary's table when that makes them shorter.
func (w *frameWriter) writeLiterals(d *dictionary) {
	const raw12, treeless, fourStreams = 1 << 2, 3, 2 << 2
	n := len(w.literals)
	compress := huff0.Compress1X
	if n >= 1<<10 {
		compress = huff0.Compress4X
	}
	w.huffman.TransferCTable(d.huffman)
	w.huffman.Reuse = huff0.ReusePolicyMust
	if n > 16 {
		// What can't be compressed is an error, too.
		if out, _, err := compress(w.literals, &w.huffman); err == nil && len(out) < n {
			if n < 1<<10 {
				header := uint32(treeless) | uint32(n)<<4 | uint32(len(out))<<14   //nolint:gosec // 10 bits each
				w.b = append(w.b, byte(header), byte(header>>8), byte(header>>16)) //nolint:gosec // byte by byte
			} else {
				w.b = binary.LittleEndian.AppendUint32(w.b, treeless|fourStreams|uint32(n)<<4|uint32(len(out))<<18) //nolint:gosec // 14 bits each
			}
			w.b = append(w.b, out...)
			return
		}
	}
	if n < 32 {
		w.b = append(w.b, byte(n<<3))
	} else {
		w.b = binary.LittleEndian.AppendUint16(w.b, uint16(n<<4|raw12)) //nolint:gosec // 12 bits
	}
	w.b = append(w.b, w.literals...)
}

// writeSequences writes the section of sequences (3.1.1.3.2): each code by the dictionary's table, or by the predefined one
// if that has not all of them.
func (w *frameWriter) writeSequences(d *dictionary, steps []step) {
	n := len(steps)
	switch {
	case n == 0:
		w.b = append(w.b, 0)
		return
	case n < 128:
		w.b = append(w.b, byte(n))
	default:
		w.b = append(w.b, byte(n>>8+128), byte(n)) //nolint:gosec // below 0x7f00
	}
	codes := make([]sequence, n)
	lit, off, match := fseState{fseTable: d.literals}, fseState{fseTable: d.offsets}, fseState{fseTable: d.matches}
	for i, s := range steps {
		codes[i] = sequenceOf(s)
		lit.mustHave(codes[i].literals.code, predefinedLiterals)
		off.mustHave(codes[i].offset.code, predefinedOffsets)
		match.mustHave(codes[i].match.code, predefinedMatches)
	}
	w.b = append(w.b, lit.mode()<<6|off.mode()<<4|match.mode()<<2)
	// It is read from its end: what is written last comes first.
	bits := bitWriter{b: w.b}
	for i := n - 1; i >= 0; i-- {
		c := codes[i]
		off.encode(&bits, c.offset.code)
		match.encode(&bits, c.match.code)
		lit.encode(&bits, c.literals.code)
		bits.add(c.literals.extra, c.literals.width)
		bits.add(c.match.extra, c.match.width)
		bits.add(c.offset.extra, c.offset.width)
	}
	match.end(&bits)
	off.end(&bits)
	lit.end(&bits)
	w.b = bits.end()
}

// sequence is a step in codes.
type sequence struct{ literals, offset, match coded }

// coded is a number as a code, and what is to be added to the least number of that code.
type coded struct {
	code  int
	extra uint64
	width int // of extra, in bits
}

func sequenceOf(s step) sequence {
	width := offsetBits(s.offset)
	return sequence{literals: codeOf(literalCodes, s.literals), match: codeOf(matchCodes, s.length),
		offset: coded{width, uint64(s.offset) + repeatOffsets - 1<<width, width}} //nolint:gosec // an offset is at least 1
}

// repeatOffsets: the numbers up to it stand for offsets that were used before, which the packer does not look for.
const repeatOffsets = 3

// offsetBits is the code of an offset, which is also how many bits follow it.
func offsetBits(offset int) int {
	return bits.Len(uint(offset+repeatOffsets)) - 1
}

// numbers are those that a code stands for: from least on, as many as width bits tell apart.
type numbers struct{ least, width int }

// literalCodes and matchCodes are the codes of lengths (3.1.1.3.2.1.1).
var (
	literalCodes = codesFrom(0, 16, 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)
	matchCodes   = codesFrom(3, 32, 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)
)

// codesFrom are so many codes of one number each, and then codes of the widths.
func codesFrom(least, single int, widths ...int) []numbers {
	var all []numbers
	for _, width := range append(make([]int, single), widths...) {
		all = append(all, numbers{least, width})
		least += 1 << width
	}
	return all
}

func codeOf(codes []numbers, n int) coded {
	code := len(codes) - 1
	for codes[code].least > n {
		code--
	}
	return coded{code, uint64(n - codes[code].least), codes[code].width} //nolint:gosec // not negative
}
