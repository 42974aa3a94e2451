package finalreport

import (
	"strings"

	"github.com/rivo/uniseg"
)

// linesOf divides a text into lines of a width, where the Unicode line breaking algorithm allows it: a comma or 。 begins no line.
// Together the lines are the text, but for spaces at which it was divided. What is wider than a line is divided anywhere.
func linesOf(text string, width float64, widthOf func(string) float64) []string {
	var lines []string
	line, state := "", -1
	for text != "" {
		var segment string
		var must bool
		segment, text, must, state = uniseg.FirstLineSegmentInString(text, state)
		if line != "" && widthOf(line+strings.TrimRight(segment, " \n")) > width {
			lines = append(lines, strings.TrimRight(line, " "))
			line = ""
		}
		for widthOf(strings.TrimRight(segment, " \n")) > width {
			head := fitting(segment, width, widthOf)
			lines = append(lines, head)
			segment = segment[len(head):]
		}
		line += segment
		if must && text != "" {
			lines = append(lines, strings.TrimRight(line, " \n"))
			line = ""
		}
	}
	return append(lines, strings.TrimRight(line, " \n"))
}

// fitting is the beginning of a text that fits into a width: at least one character.
func fitting(text string, width float64, widthOf func(string) float64) string {
	end, state := 0, -1
	for rest := text; rest != ""; {
		var character string
		character, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if end > 0 && widthOf(text[:end]+character) > width {
			break
		}
		end += len(character)
	}
	return text[:end]
}

// narrowest is the width of the widest part of a text that can't be divided.
func narrowest(text string, widthOf func(string) float64) float64 {
	widest, state := 0.0, -1
	for text != "" {
		var segment string
		segment, text, _, state = uniseg.FirstLineSegmentInString(text, state)
		widest = max(widest, widthOf(strings.TrimRight(segment, " \n")))
	}
	return widest
}
