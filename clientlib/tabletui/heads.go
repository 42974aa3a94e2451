package tabletui

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	recordv1 "levee/syncproto/levee/record/v1"
)

// What the form of a count keeps besides its fields.
const (
	valueVisit = "_visit" // the sort of visit that was chosen last
	valueSteps = "_steps" // what was counted, in its order, for undo
	valueTaps  = "_taps"  // the ids of the newest taps, so that one that is sent again does not count again
)

// The bounds of what a count keeps besides its figures, so that it fits into a form whatever is counted.
const (
	mostSteps = 10_000
	mostTaps  = 100
	longestID = 40
)

// heads is a count on its way: the values of a headcount's form, with what was done to come to them.
type heads struct{ url.Values }

// cell is where one head is counted.
type cell struct {
	sex   recordv1.Sex
	band  uint32
	visit string // one of visits
}

// counted is a change of one cell.
type counted struct {
	cell
	n int // below zero where a smaller number was typed
}

// in is how many heads a cell has.
func (h heads) in(c cell) int { return h.number(cellName(c.sex, c.band, c.visit)) }

// number is what was written for a number; 0 when nothing was, or no number.
func (h heads) number(name string) int {
	n, _ := strconv.ParseUint(narrow(strings.TrimSpace(h.Get(name))), 10, 31)
	return int(n)
}

// inCells is how many heads all cells have.
func (h heads) inCells() int {
	sum := 0
	for name := range h.Values {
		if strings.HasPrefix(name, "cells.") {
			sum += h.number(name)
		}
	}
	return sum
}

// inTotals is how many heads were written without a breakdown.
func (h heads) inTotals() int {
	sum := 0
	for _, visit := range visits {
		sum += h.number(visit)
	}
	return sum
}

// all is how many heads count: those of the cells, and where there are none, the totals.
func (h heads) all() int {
	if n := h.inCells(); n > 0 {
		return n
	}
	return h.inTotals()
}

func (h heads) add(c cell, n int) {
	name := cellName(c.sex, c.band, c.visit)
	if sum := h.in(c) + n; sum > 0 {
		h.Set(name, strconv.Itoa(sum))
	} else {
		h.Del(name)
	}
}

// do makes a step that undo takes back. A step that changes nothing is none.
func (h heads) do(step ...counted) {
	var written []string
	for _, one := range step {
		if one.n == 0 {
			continue
		}
		h.add(one.cell, one.n)
		written = append(written, strings.Join([]string{strconv.Itoa(int(one.sex)), strconv.Itoa(int(one.band)), one.visit[:1], strconv.Itoa(one.n)}, "."))
	}
	if len(written) == 0 {
		return
	}
	steps := append(strings.Fields(h.Get(valueSteps)), strings.Join(written, "_"))
	h.Set(valueSteps, strings.Join(steps[max(0, len(steps)-mostSteps):], " "))
}

// undo takes the last step back.
func (h heads) undo() {
	for _, one := range h.last() {
		h.add(one.cell, -one.n)
	}
	steps := strings.Fields(h.Get(valueSteps))
	h.Set(valueSteps, strings.Join(steps[:max(0, len(steps)-1)], " "))
}

// last is the step that undo would take back; empty when there is none.
func (h heads) last() []counted {
	steps := strings.Fields(h.Get(valueSteps))
	if len(steps) == 0 {
		return nil
	}
	var step []counted
	for text := range strings.SplitSeq(steps[len(steps)-1], "_") {
		parts := strings.Split(text, ".")
		if len(parts) != 4 {
			continue
		}
		c, ok := parseCell(parts[0], parts[1], parts[2])
		n, err := strconv.Atoi(parts[3])
		if ok && err == nil {
			step = append(step, counted{c, n})
		}
	}
	return step
}

// isTapID reports whether an id is one that a page gave to a tap.
func isTapID(id string) bool {
	return id != "" && len(id) <= longestID && !strings.ContainsAny(id, " \t\r\n")
}

// new reports whether a tap of this id has not been taken yet, and notes it.
func (h heads) new(id string) bool {
	taps := strings.Fields(h.Get(valueTaps))
	if slices.Contains(taps, id) {
		return false
	}
	taps = append(taps, id)
	h.Set(valueTaps, strings.Join(taps[max(0, len(taps)-mostTaps):], " "))
	return true
}

// parseCell reads a cell: the number of a sex, that of an age band, and a sort of visit or its first letter.
func parseCell(sex, band, visit string) (cell, bool) {
	s, err1 := strconv.ParseUint(sex, 10, 8)
	b, err2 := strconv.ParseUint(band, 10, 8)
	i := slices.IndexFunc(visits, func(v string) bool { return v == visit || v[:1] == visit })
	if err1 != nil || err2 != nil || i < 0 || recordv1.Sex_name[int32(s)] == "" {
		return cell{}, false
	}
	return cell{recordv1.Sex(s), uint32(b), visits[i]}, true
}

// headsIn is how many heads a headcount has: those of its cells, and where it has none, its totals.
func headsIn(m *recordv1.Headcount) int {
	sum := uint32(0)
	for _, c := range m.GetCells() {
		sum += c.GetFirstTime() + c.GetReturning() + c.GetUnsure()
	}
	if len(m.GetCells()) == 0 {
		sum = m.GetFirstTime() + m.GetReturning() + m.GetUnsure()
	}
	return int(sum)
}
