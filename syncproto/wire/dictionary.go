package wire

import (
	_ "embed" // the dictionary
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/klauspost/compress/huff0"
	"github.com/klauspost/compress/zstd"
)

// DictionaryOne is the dictionary of the coding Levee1, in zstd's format (RFC 8878, 5). It stays as it is for ever; package
// dictionary beside this one made it.
//
//go:embed levee-1.dict
var DictionaryOne []byte

// dictionaryID is the number by which frames name DictionaryOne.
const dictionaryID = 1

// dictionary is DictionaryOne as the packer needs it.
type dictionary struct {
	content []byte
	// newest and before lead to the places of four bytes in content: see packer.
	newest [1 << hashBits]uint16
	before []uint16
	// huffman codes literals; bits is about how many bits each byte takes so.
	huffman *huff0.Scratch
	bits    [256]float32
	// The tables of the three codes of a sequence.
	literals, offsets, matches *fseTable
}

// theDictionary is read once: a tablet that has not synced yet need not have it.
var theDictionary = sync.OnceValue(func() *dictionary {
	d, err := readDictionary(DictionaryOne)
	if err != nil {
		panic("wire: the dictionary: " + err.Error()) // it is part of the program
	}
	return d
})

func readDictionary(file []byte) (*dictionary, error) {
	inspected, err := zstd.InspectDictionary(file)
	if err != nil {
		return nil, fmt.Errorf("reading: %w", err)
	}
	d := &dictionary{content: inspected.Content(), huffman: inspected.LitEncoder()}
	if inspected.ID() != dictionaryID || len(d.content)+maxSmall > math.MaxUint16 {
		return nil, errors.New("another one, or too large")
	}
	d.readTables(file)
	d.before = make([]uint16, len(d.content))
	for at := range len(d.content) - minMatch + 1 {
		h := hash(d.content[at:])
		d.before[at], d.newest[h] = d.newest[h], uint16(at+1)
	}
	// The table of literals says it exactly, but keeps it to itself. What is in the content comes near enough.
	var count [256]float64
	for _, c := range d.content {
		count[c]++
	}
	for c := range d.bits {
		d.bits[c] = float32(min(11, math.Log2(float64(len(d.content))/(count[c]+8))))
	}
	return d, nil
}

// readTables reads the tables of sequences, which stand between the one of literals and the content (RFC 8878, 5). That they
// are sound was checked before.
func (d *dictionary) readTables(file []byte) {
	rest := file[8:] // magic number and id
	if size := int(rest[0]); size < 128 {
		rest = rest[1+size:]
	} else { // weights of four bits
		rest = rest[1+(size-127+1)/2:]
	}
	for _, table := range []**fseTable{&d.offsets, &d.matches, &d.literals} {
		counts, log, size := readCounts(rest)
		*table, rest = newFSETable(log, counts), rest[size:]
	}
}

// readCounts reads the description of a table: how many states of 1 << log each code has (RFC 8878, 4.1.1). size is how
// many bytes it takes.
func readCounts(b []byte) (counts []int16, log, size int) {
	at := 0
	peek := func(n int) int {
		v := 0
		for i := range n {
			v |= int(b[(at+i)/8]>>((at+i)%8)&1) << i
		}
		return v
	}
	log = peek(4) + 5
	at = 4
	left, threshold, width := 1<<log+1, 1<<log, log+1
	for left > 1 {
		most := 2*threshold - 1 - left
		v := peek(width - 1)
		if v < most {
			at += width - 1
		} else {
			if v = peek(width); v >= threshold {
				v -= most
			}
			at += width
		}
		count := v - 1                        // −1 is less than one state
		counts = append(counts, int16(count)) //nolint:gosec // at most 1 << log
		left -= max(count, -count)
		for more := count == 0; more; { // how many codes without a state follow, in steps of up to three
			zeros := peek(2)
			at += 2
			counts = append(counts, make([]int16, zeros)...)
			more = zeros == 3
		}
		for left < threshold {
			width, threshold = width-1, threshold/2
		}
	}
	return counts, log, (at + 7) / 8
}
