package export

import (
	"slices"

	"levee/server/internal/report"
)

// What leaves the team tells of no fewer than report.Small people. A number from 1 to below that is left out, and it must not be
// found by taking its fellows off their sum either. So of parts whose sum is told, or known from elsewhere,
//
//  1. every small one is left out;
//  2. while only one is left out, or those left out are fewer than report.Small people together, so is the smallest of the others.
//
// Nothing is no person: a 0 is told, and no help for others. What is left out has then at least two possible values. By rule 2 all
// of a sum that is small itself is left out.

// Untold says of parts, by their place, which are left out.
func Untold(parts []int64) []bool {
	bySize := make([]int, 0, len(parts))
	for i, n := range parts {
		if n != 0 {
			bySize = append(bySize, i)
		}
	}
	slices.SortStableFunc(bySize, func(a, b int) int { return int(parts[a] - parts[b]) })
	out, count, sum := make([]bool, len(parts)), 0, int64(0)
	for _, i := range bySize {
		if parts[i] >= report.Small && (count == 0 || count > 1 && sum >= report.Small) {
			break
		}
		out[i] = true
		count++
		sum += parts[i]
	}
	return out
}
