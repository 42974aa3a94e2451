package wire

import "math/bits"

// fseTable codes symbols by finite state entropy (RFC 8878, 4.1), as the three codes of a sequence are. A frame has them
// interleaved in one stream, which the libraries that there are do for their own frames alone.
type fseTable struct {
	log    int
	counts []int16
	// next are the states by symbol: those of one symbol stand together.
	next []uint16
	// width and shift lead from a state to the next one: how many bits go out, in the upper 16 bits, and where in next.
	width []uint32
	shift []int32
}

// newFSETable is the table of 1 << log states, of which each symbol has its count. −1 is one state of the smallest chance.
func newFSETable(log int, counts []int16) *fseTable {
	t := &fseTable{log: log, counts: counts, next: make([]uint16, 1<<log), width: make([]uint32, len(counts)), shift: make([]int32, len(counts))}
	states := 1 << log
	first := make([]int, len(counts)) // in next
	total := 0
	for s, count := range counts {
		n := int(max(count, -count))
		first[s] = total
		if n > 0 {
			most := log - (bits.Len(uint(n-1)) - 1)
			if n == 1 {
				most = log
			}
			t.width[s] = uint32(most<<16 - n<<most) //nolint:gosec // positive
			t.shift[s] = int32(total - n)           //nolint:gosec // at most 1 << log
		}
		total += n
	}
	for state, s := range spread(states, counts) {
		t.next[first[s]] = uint16(states + state) //nolint:gosec // at most 2 << log
		first[s]++
	}
	return t
}

// spread is the symbol of each state (4.1.1).
func spread(states int, counts []int16) []int {
	symbols := make([]int, states)
	high := states - 1
	for s, count := range counts {
		if count == -1 {
			symbols[high] = s
			high--
		}
	}
	at := 0
	for s, count := range counts {
		for range max(count, 0) {
			symbols[at] = s
			for at = (at + states/2 + states/8 + 3) % states; at > high; {
				at = (at + states/2 + states/8 + 3) % states
			}
		}
	}
	return symbols
}

func (t *fseTable) has(symbol int) bool { return symbol < len(t.counts) && t.counts[symbol] != 0 }

// The tables for codes that the dictionary's do not have (3.1.1.3.2.2).
var (
	predefinedLiterals = newFSETable(6, []int16{4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1})
	predefinedOffsets  = newFSETable(5, []int16{1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1})
	predefinedMatches  = newFSETable(6, []int16{1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
		1, 1, 1, -1, -1, -1, -1, -1, -1, -1})
)

// fseState is a table at work.
type fseState struct {
	*fseTable
	predefined bool
	state      uint32 // 0 before the first symbol
}

// mustHave takes another table if this one has not the symbol.
func (s *fseState) mustHave(symbol int, otherwise *fseTable) {
	if !s.has(symbol) {
		s.fseTable, s.predefined = otherwise, true
	}
}

// mode says which table it is: the predefined one, or the dictionary's.
func (s *fseState) mode() byte {
	if s.predefined {
		return 0
	}
	return 3
}

func (s *fseState) encode(w *bitWriter, symbol int) {
	if s.state == 0 { // any state of the symbol will do
		width := (s.width[symbol] + 1<<15) >> 16
		s.state = width<<16 - s.width[symbol]
		s.state = uint32(s.next[int32(s.state>>width)+s.shift[symbol]]) //nolint:gosec // at most 2 << log
		return
	}
	width := (s.state + s.width[symbol]) >> 16
	w.add(uint64(s.state), int(width))
	s.state = uint32(s.next[int32(s.state>>width)+s.shift[symbol]]) //nolint:gosec // at most 2 << log
}

func (s *fseState) end(w *bitWriter) { w.add(uint64(s.state), s.log) }

// bitWriter writes numbers from their lowest bit on.
type bitWriter struct {
	b    []byte
	held uint64
	n    int // of bits in held
}

// add writes the lower bits of v.
func (w *bitWriter) add(v uint64, width int) {
	w.held |= v & (1<<width - 1) << w.n
	for w.n += width; w.n >= 8; w.n -= 8 {
		w.b = append(w.b, byte(w.held)) //nolint:gosec // byte by byte
		w.held >>= 8
	}
}

// end marks where the numbers end.
func (w *bitWriter) end() []byte {
	w.add(1, 1)
	if w.n > 0 {
		w.b = append(w.b, byte(w.held)) //nolint:gosec // the last ones
	}
	return w.b
}
