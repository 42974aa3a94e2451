package record

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestHenanServedSeventyFiveDays(t *testing.T) {
	start, end := Date(20210923), Date(20211206)
	if got := start.DaysUntil(end) + 1; got != 75 {
		t.Errorf("from %v to %v, both counted: %d days, want 75", start, end, got)
	}
	if got := start.AddDays(74); got != end {
		t.Errorf("%v and 74 days is %v, want %v", start, got, end)
	}
}

func TestDateOfIsTheLocalDay(t *testing.T) {
	henan := time.FixedZone("UTC+8", 8*60*60)
	late := time.Date(2021, 9, 23, 16, 30, 0, 0, time.UTC)
	if got := DateOf(late, henan); got != 20210924 {
		t.Errorf("half past midnight in Henan is %v, want 2021-09-24", got)
	}
	if got := Date(20210924).Start(henan).UTC(); got != time.Date(2021, 9, 23, 16, 0, 0, 0, time.UTC) {
		t.Errorf("2021-09-24 starts in Henan at %v", got)
	}
}

func TestADateIsWrittenWithAllItsDigits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Date(rapid.OneOf(rapid.Int32(), rapid.Int32Range(0, 1_0000_00_00)).Draw(t, "date"))
		if got, want := d.String(), fmt.Sprintf("%04d-%02d-%02d", d/10000, d/100%100, d%100); got != want {
			t.Errorf("%d is written %s, want %s", int32(d), got, want)
		}
	})
}

func TestParseDate(t *testing.T) {
	if d, err := ParseDate("2021-09-23"); err != nil || d != 20210923 {
		t.Errorf("got %v, %v", d, err)
	}
	for _, s := range []string{"", "2021-9-23", "2021-02-29", "20210923", "0000-01-01", "2021-09-23T00:00:00Z"} {
		if d, err := ParseDate(s); err == nil {
			t.Errorf("%q was read as %v", s, d)
		}
	}
}

func TestValidDate(t *testing.T) {
	for d, want := range map[Date]bool{
		20210923: true, 20200229: true, 10101: true, 99991231: true,
		0: false, -20210923: false, 20210229: false, 20211301: false, 20210932: false, 20210900: false, 20210023: false,
		923: false, 100000101: false, 2147483647: false, -2147483648: false,
	} {
		if got := d.Valid(); got != want {
			t.Errorf("Date(%d).Valid() = %v", int32(d), got)
		}
	}
}

func TestDateArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := Date(19000101).AddDays(rapid.IntRange(0, 100_000).Draw(t, "start"))
		n := rapid.IntRange(-100_000, 100_000).Draw(t, "n")
		moved := start.AddDays(n)
		if !start.Valid() || !moved.Valid() {
			t.Fatalf("%v or %v is not valid", start, moved)
		}
		if got := start.DaysUntil(moved); got != n {
			t.Fatalf("%v + %d is %v, which is %d days later", start, n, moved, got)
		}
		if (n > 0) != (moved > start) {
			t.Fatalf("%v + %d is %v, which orders otherwise", start, n, moved)
		}
		if parsed, err := ParseDate(moved.String()); err != nil || parsed != moved {
			t.Fatalf("%v reads back as %v, %v", moved, parsed, err)
		}
	})
}

// FuzzParseDate: what is read as a date is one, and is written as it was read.
func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"2021-09-23", "2020-02-29", "0001-01-01", "9999-12-31", "0000-01-01", "2021-9-23", "+2021-01-01", "٢٠٢١-٠١-٠١"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDate(s)
		if err == nil && (!d.Valid() || d.String() != s || d.DaysUntil(d.AddDays(1)) != 1 && d < 9999_12_31) {
			t.Fatalf("%q is read as %d, which is %s", s, d, d)
		}
	})
}
