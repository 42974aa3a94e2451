package words

import (
	"testing"

	"levee/syncproto/record"
)

func TestReadDate(t *testing.T) {
	for text, want := range map[string]record.Date{
		"2021-10-01": 20211001, "2021/10/1": 20211001, "2021.10.1": 20211001, "2021年10月1日": 20211001,
		"": 0, "2021-02-29": 0, "1.10.2021": 0, "0000-01-01": 0, "2021-10-01 08:00": 0,
	} {
		if got, ok := ReadDate(text); got != want || ok != (want != 0) {
			t.Errorf("%q: %v, %v", text, got, ok)
		}
	}
}

func TestReadYesOrNo(t *testing.T) {
	for text, want := range map[string][2]bool{"yes": {true, true}, "TRUE": {true, true}, "是": {true, true}, "No": {false, true}, "否": {false, true}, "0": {false, true}, "": {}, "perhaps": {}} {
		if answer, ok := ReadYesOrNo(text); answer != want[0] || ok != want[1] {
			t.Errorf("%q: %v, %v", text, answer, ok)
		}
	}
}
