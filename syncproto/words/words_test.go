package words

import (
	"testing"
	"time"

	"levee/syncproto/record"
)

func TestNumbersAndDatesFollowTheLanguage(t *testing.T) {
	en, zh := In("en"), In("zh")
	persons, contacts := Counted{"%d person", "%d people", "%d 人"}, Counted{"%d contact", "%d contacts", "%d 人次"}
	at := time.Date(2021, 12, 6, 8, 5, 0, 0, time.UTC)
	for _, tt := range []struct{ got, want string }{
		{en.Count(persons, 4130), "4,130 people"},
		{zh.Count(persons, 4130), "4,130 人"},
		{en.Count(persons, 1), "1 person"},
		{en.Count(persons, 0), "0 people"},
		{zh.Count(contacts, 1), "1 人次"},
		{en.Date(record.Date(20210923)), "23 Sep 2021"},
		{zh.Date(record.Date(20210923)), "2021年9月23日"},
		{en.DayAndMonth(record.Date(20210923)), "23 Sep"},
		{zh.DayAndMonth(record.Date(20210923)), "9月23日"},
		{en.Instant(at), "6 Dec 2021 08:05"},
		{zh.Instant(at), "2021年12月6日 08:05"},
		{en.Duration(-3723400 * time.Millisecond), "-1h2m3s"},
		{zh.Duration(3723400 * time.Millisecond), "1小时2分3秒"},
		{en.List([]string{"a", "b"}), "a, b"},
		{zh.List([]string{"甲", "乙"}), "甲、乙"},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}
