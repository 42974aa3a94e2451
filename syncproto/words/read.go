package words

import (
	"slices"
	"strings"
	"time"

	"levee/syncproto/record"
)

// dayLayouts are how people and spreadsheets write days.
var dayLayouts = []string{"2006-1-2", "2006/1/2", "2006.1.2", "2006年1月2日"}

// ReadDate reads a day as people and spreadsheets write it, the year first.
func ReadDate(text string) (record.Date, bool) {
	for _, layout := range dayLayouts {
		if t, err := time.Parse(layout, text); err == nil && t.Year() > 0 {
			return record.MakeDate(t.Date()), true
		}
	}
	return 0, false
}

var yesWords, noWords = []string{"yes", "y", "true", "1", "是", "√"}, []string{"no", "n", "false", "0", "否", "×"}

// ReadYesOrNo reads a yes or a no in either language; ok is false when it is neither.
func ReadYesOrNo(text string) (answer, ok bool) {
	text = strings.ToLower(text)
	answer = slices.Contains(yesWords, text)
	return answer, answer || slices.Contains(noWords, text)
}
