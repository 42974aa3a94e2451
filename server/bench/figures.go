package bench

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"text/tabwriter"
)

// medians are the medians of all figures, each by itself.
func medians[T any](runs []T) T {
	result := runs[0]
	fields := reflect.ValueOf(&result).Elem()
	for i := range fields.NumField() {
		if fields.Field(i).Kind() != reflect.Float64 {
			continue
		}
		values := make([]float64, 0, len(runs))
		for _, r := range runs {
			values = append(values, reflect.ValueOf(r).Field(i).Float())
		}
		slices.Sort(values)
		fields.Field(i).SetFloat((values[(len(values)-1)/2] + values[len(values)/2]) / 2)
	}
	return result
}

// figure is one line of what people read.
type figure struct {
	name   string
	value  float64
	unit   string
	digits int
	goal   goal
}

// goal is what a figure should reach; none when zero.
type goal struct {
	sign  string
	bound float64
}

func atLeast(bound float64) goal { return goal{"≥", bound} }
func atMost(bound float64) goal  { return goal{"≤", bound} }

func (g goal) reached(value float64) bool {
	return g.sign == "≥" && value >= g.bound || g.sign == "≤" && value <= g.bound
}

// printFigures shows figures, their goals and whether they are reached.
func printFigures(to io.Writer, figures []figure) error {
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "figure\tvalue\tgoal\t")
	for _, f := range figures {
		aim, verdict := "–", ""
		if f.goal != (goal{}) {
			aim, verdict = fmt.Sprintf("%s %v", f.goal.sign, f.goal.bound), "missed"
			if f.goal.reached(f.value) {
				verdict = "reached"
			}
		}
		fmt.Fprintf(table, "%s\t%.*f %s\t%s\t%s\n", f.name, f.digits, f.value, f.unit, aim, verdict)
	}
	return table.Flush()
}
