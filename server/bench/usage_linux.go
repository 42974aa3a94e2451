package bench

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"time"
)

var highWater = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// tick is the unit in which the system counts processor time for programs: the same on all architectures that Go knows.
const tick = 10 * time.Millisecond

// usageOf is what a process that runs has used; zero when it has ended. What the system tells of one that has ended can't be
// taken: it counts the memory of the one that started it, too.
func usageOf(process int) (u usage) {
	if text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process)); err == nil {
		if m := highWater.FindSubmatch(text); m != nil {
			kB, _ := strconv.ParseFloat(string(m[1]), 64) // digits
			u.Peak = kB * 1024 / 1e6
		}
	}
	if text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", process)); err == nil {
		// The program's name stands in brackets, and may have any in it. After it the 12th and 13th are the ticks as user and system.
		fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
		for _, f := range fields[11:13] {
			ticks, _ := strconv.ParseInt(string(f), 10, 64) // digits
			u.CPU += time.Duration(ticks) * tick
		}
	}
	return u
}

// peakMB looks at a process until it has ended, which done says, and is the most memory that it had.
func peakMB(process int, done <-chan struct{}) (peak float64) {
	for {
		peak = max(peak, usageOf(process).Peak)
		select {
		case <-done:
			return peak
		case <-time.After(5 * time.Millisecond):
		}
	}
}
