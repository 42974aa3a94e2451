package wire

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
)

// packer writes small messages as frames of zstd with the dictionary. The encoder of a stream sees nothing to be gained in a
// message of which half are hashes and ids, and leaves it as it is: this one finds the cheapest way to write the whole, and
// lets what does not compress stand beside what does. Any decoder reads its frames.
type packer struct {
	dictionary *dictionary
	// window is the dictionary's content with the message behind it.
	window []byte
	// newest is, for the hash of four bytes, the place in the window behind where they stood last; before, for each
	// place, the place behind where the same hash stood before. 0 is nowhere.
	newest [1 << hashBits]uint16
	before []uint16
	ways   []way
	steps  []step
	frame  frameWriter
}

const (
	// maxSmall is the size up to which messages are packed. Beyond it a dictionary gains little.
	maxSmall = 4<<10 - 1
	hashBits = 13
	// minMatch is how long a match must be.
	minMatch = 4
	// mostTried is how many places are compared for a match.
	mostTried = 64
	// What is taken for the costs, in bits: the three codes of a match, and what a block has besides its content.
	matchBits = 6
	blockBits = 8 * blockHeader
	// A compressed block has this much more: the sizes of its literals and the number and tables of its sequences.
	sectionBits = 8 * 6
)

// way is the cheapest way to come to a place in a message: by a match of a length at an offset, or by a byte as it is.
type way struct {
	bits           float32
	length, offset uint16
}

// step is a run of bytes as they are, and the match behind it; the last one has none.
type step struct{ literals, length, offset int }

func newPacker() *packer {
	d := theDictionary()
	return &packer{dictionary: d, window: slices.Clone(d.content), before: slices.Clone(d.before)}
}

// pack appends the frame of a message, of at most maxSmall bytes, to b.
func (p *packer) pack(b, message []byte) []byte {
	p.findWays(message)
	p.takeSteps()
	from, to := p.worthwhile(message)
	w := &p.frame
	w.begin(b, message)
	if from > 0 || len(message) == 0 {
		w.raw(message[:from], from == len(message))
	}
	if from < to {
		w.compressed(p.dictionary, message[from:to], p.between(from, to), to == len(message))
	}
	if to < len(message) {
		w.raw(message[to:], true)
	}
	return w.end(message)
}

func hash(b []byte) uint32 {
	return binary.LittleEndian.Uint32(b) * 2654435761 >> (32 - hashBits) // Knuth's multiplier
}

// findWays finds the cheapest way to each place of a message.
func (p *packer) findWays(message []byte) {
	d := p.dictionary
	p.window = append(p.window[:len(d.content)], message...)
	p.newest, p.before = d.newest, p.before[:len(d.content)]
	p.ways = append(p.ways[:0], way{})
	for range message {
		p.ways = append(p.ways, way{bits: math.MaxFloat32})
	}
	for at, c := range message {
		here := p.ways[at].bits
		if cost := here + d.bits[c]; cost < p.ways[at+1].bits {
			p.ways[at+1] = way{bits: cost}
		}
		p.before = append(p.before, 0)
		if rest := message[at:]; len(rest) >= minMatch {
			p.findMatches(here, at, rest)
		}
	}
}

// findMatches goes on from a place, to which here bits lead, by what stood before, the nearest first.
func (p *packer) findMatches(here float32, at int, rest []byte) {
	own := len(p.dictionary.content) + at
	h := hash(rest)
	longest := minMatch - 1
	place := p.newest[h]
	for tried := 0; place != 0 && tried < mostTried; tried++ {
		start := int(place) - 1
		length := common(p.window[start:], rest)
		offset := own - start
		cost := here + matchBits + float32(offsetBits(offset))
		for l := longest + 1; l <= length; l++ {
			if to := &p.ways[at+l]; cost+lengthBits(l) < to.bits {
				*to = way{cost + lengthBits(l), uint16(l), uint16(offset)} //nolint:gosec // within the window
			}
		}
		longest = max(longest, length)
		place = p.before[start]
	}
	p.before[own], p.newest[h] = p.newest[h], uint16(own+1) //nolint:gosec // within the window
}

// common is how many bytes a and b begin with that are the same. b is the shorter one.
func common(a, b []byte) int {
	n := 0
	for n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// lengthBits is about how many bits a match's length takes besides its code.
func lengthBits(length int) float32 {
	if length < 35 {
		return 0
	}
	return float32(bits.Len(uint(length-35)) - 1)
}

// takeSteps follows the cheapest way back from the end.
func (p *packer) takeSteps() {
	p.steps = append(p.steps[:0], step{})
	for at := len(p.ways) - 1; at > 0; {
		w := p.ways[at]
		if w.length == 0 {
			p.steps[len(p.steps)-1].literals++
			at--
			continue
		}
		p.steps = append(p.steps, step{length: int(w.length), offset: int(w.offset)})
		at -= int(w.length)
	}
	slices.Reverse(p.steps)
}

// worthwhile is the part of the message that is the smaller the more for being compressed; nothing, if none is. What stands
// before and behind it goes into blocks of its own, as it is.
func (p *packer) worthwhile(message []byte) (from, to int) {
	var gain, most float32
	start, at := 0, 0
	gain = blockBits // at the start, there is no block before it
	take := func(length int, gained float32) {
		if gain < 0 {
			gain, start = 0, at
		}
		at += length
		gain += gained
		whole := gain
		if at == len(message) {
			whole += blockBits
		}
		if whole > most {
			most, from, to = whole, start, at
		}
	}
	for _, s := range p.steps {
		for range s.literals {
			take(1, 8-p.dictionary.bits[message[at]])
		}
		if s.length > 0 {
			take(s.length, float32(8*s.length)-matchBits-float32(offsetBits(s.offset))-lengthBits(s.length))
		}
	}
	if most < 2*blockBits+sectionBits {
		return 0, 0
	}
	return from, to
}

// between are the steps from one place to another, neither of which lies within a match.
func (p *packer) between(from, to int) []step {
	var within []step
	at := 0
	for _, s := range p.steps {
		match := at + s.literals
		cut := step{literals: max(0, min(match, to)-max(at, from))}
		at = match + s.length
		if from <= match && at <= to {
			cut.length, cut.offset = s.length, s.offset
		}
		if cut.literals > 0 || cut.length > 0 {
			within = append(within, cut)
		}
	}
	return within
}
