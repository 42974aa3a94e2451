package record

import (
	"fmt"
	"time"
)

// Date is a day as a worker's calendar shows it, written as the number YYYYMMDD: 20210923. It has no time zone of its
// own. Dates order as numbers do. Zero is no date.
type Date int32

// MakeDate is the date of a year (1 to 9999), month and day, valid or not.
func MakeDate(year int, month time.Month, day int) Date {
	return Date(year*10000 + int(month)*100 + day) //nolint:gosec // dates have eight digits
}

// DateOf is the day that it is at an instant in a place.
func DateOf(t time.Time, in *time.Location) Date { return MakeDate(t.In(in).Date()) }

// ParseDate reads "2021-09-23".
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < 1 {
		return 0, fmt.Errorf("%q is not a date like 2021-09-23", s)
	}
	return MakeDate(t.Date()), nil
}

// Valid reports whether there is such a day, from the year 1 to the year 9999.
func (d Date) Valid() bool {
	return d >= 1_01_01 && d <= 9999_12_31 && MakeDate(d.Start(time.UTC).Date()) == d
}

// Start is the instant at which the day starts in a place.
func (d Date) Start(in *time.Location) time.Time {
	return time.Date(int(d/10000), time.Month(d/100%100), int(d%100), 0, 0, 0, 0, in)
}

// AddDays is the day n days later, or earlier when n is negative. d must be valid.
func (d Date) AddDays(n int) Date { return MakeDate(d.Start(time.UTC).AddDate(0, 0, n).Date()) }

// Monday is the first day of the week of a valid day.
func (d Date) Monday() Date { return d.AddDays(-(int(d.Start(time.UTC).Weekday()) + 6) % 7) }

// DaysUntil is how many days later o is: 0 for the same day, negative when o is earlier. Both must be valid. A
// deployment from d to o has served one day more, since both ends count.
func (d Date) DaysUntil(o Date) int {
	const day = 24 * time.Hour // in UTC every day has 24 hours
	return int(o.Start(time.UTC).Unix()/int64(day.Seconds()) - d.Start(time.UTC).Unix()/int64(day.Seconds()))
}

// String is the date as "2021-09-23".
func (d Date) String() string {
	if d < 0 || d > 9999_99_99 {
		return fmt.Sprintf("%04d-%02d-%02d", d/10000, d/100%100, d%100)
	}
	b := [10]byte{4: '-', 7: '-'} // every total has one as its key
	for rest, at := d, len(b)-1; at >= 0; at-- {
		if b[at] == 0 {
			b[at] = '0' + byte(rest%10)
			rest /= 10
		}
	}
	return string(b[:])
}
