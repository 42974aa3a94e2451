package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// median is of each figure for itself, over runs of the same system.
func median(runs []result) result {
	m := runs[0]
	for i, figure := range m.figures() {
		var all []float64
		for _, r := range runs {
			all = append(all, *r.figures()[i])
		}
		slices.Sort(all)
		*figure = (all[(len(all)-1)/2] + all[len(all)/2]) / 2
	}
	return m
}

// table is in Markdown, with Levee first; beside each speed stands how many times as fast Levee is.
func table(results []result) string {
	var b strings.Builder
	b.WriteString("| | uploaded a second | downloaded a second | sent again a second | bytes up (answer) | bytes down | server CPU µs up / down | peak MB | synced to disk when it answers |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|---|\n")
	levee := results[0]
	for _, r := range results {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s (%s) | %s | %s / %s | %s | %s |\n", r.Name,
			beside(r.Push, levee.Push), beside(r.Pull, levee.Pull), again(r, levee),
			figure(r.BytesUp), figure(r.PushAnswer), figure(r.BytesDown), figure(r.CPUPush), figure(r.CPUPull), figure(r.Peak), r.Synced)
	}
	return b.String()
}

// again is how fast all was sent a second time, and how many records that moved.
func again(r, levee result) string {
	if r.Again == 0 {
		return figure(0)
	}
	return fmt.Sprintf("%s; moves %s", beside(r.Again, levee.Again), count(r.Moved))
}

func beside(n, levee float64) string {
	if t := times(n, levee); t != 0 && n != levee {
		return fmt.Sprintf("%s (Levee %.3g ×)", figure(n), t)
	}
	return figure(n)
}

// times is how many times as fast Levee is; 0 if one of both was not measured.
func times(n, levee float64) float64 {
	if n == 0 {
		return 0
	}
	return levee / n
}

// compared is a result for programs.
type compared struct {
	result
	PushTimes  float64 `json:"levee_push_times"`
	PullTimes  float64 `json:"levee_pull_times"`
	AgainTimes float64 `json:"levee_again_times"`
}

func compareAll(results []result) []compared {
	levee, all := results[0], make([]compared, 0, len(results))
	for _, r := range results {
		all = append(all, compared{r, times(r.Push, levee.Push), times(r.Pull, levee.Pull), times(r.Again, levee.Again)})
	}
	return all
}

// figure is a number without a fraction; a dash if it was not measured.
func figure(n float64) string {
	if n == 0 {
		return "–"
	}
	return count(n)
}

// count is a number without a fraction, in groups of three digits.
func count(n float64) string {
	digits := fmt.Sprintf("%.0f", n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// What stands between these in the README is made here.
const (
	begin = "<!-- peers -->\n"
	end   = "<!-- /peers -->\n"
)

func write(path, text string) error {
	readme, err := os.ReadFile(path) //nolint:gosec // the README
	if err != nil {
		return fmt.Errorf("reading the README: %w", err)
	}
	before, rest, found := strings.Cut(string(readme), begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		return errors.New("the README has no place for the table: it stands between " + strings.TrimSpace(begin) + " and " + strings.TrimSpace(end))
	}
	if err := os.WriteFile(path, []byte(before+begin+"\n"+text+"\n"+end+after), 0o644); err != nil { //nolint:gosec // everybody may read it
		return fmt.Errorf("writing the README: %w", err)
	}
	return nil
}
