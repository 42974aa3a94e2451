package bench

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"time"
)

var highWater = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// peakMB looks at a process until it has ended, which done says, and is the most memory that it had. What the system tells of
// one that has ended can't be taken: it counts the one that started it, too.
func peakMB(process int, done <-chan struct{}) (peak float64) {
	for {
		if text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process)); err == nil {
			if m := highWater.FindSubmatch(text); m != nil {
				kB, _ := strconv.ParseFloat(string(m[1]), 64) // digits
				peak = max(peak, kB*1024/1e6)
			}
		}
		select {
		case <-done:
			return peak
		case <-time.After(5 * time.Millisecond):
		}
	}
}
