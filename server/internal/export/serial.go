package export

import (
	"math"
	"strconv"
	"time"

	"levee/syncproto/record"
)

// Spreadsheets count days from serialZero, and rightly so from firstSerial on: before it they have a day that never was.
const (
	serialZero  record.Date = 1899_12_30
	firstSerial record.Date = 1900_03_01
	lastSerial  record.Date = 9999_12_31

	dayMillis = 24 * 60 * 60 * 1000
)

// serial is an instant as spreadsheets have it: days, and the time of day in its zone as a part of one.
func serial(t time.Time) float64 {
	_, east := t.Zone()
	return float64(t.UnixMilli()+int64(east)*1000)/dayMillis + float64(serialZero.DaysUntil(19700101))
}

// fromSerial is the time of day that a spreadsheet's number stands for, in a zone; false when it stands for none.
func fromSerial(text string, zone *time.Location) (time.Time, bool) {
	days, err := strconv.ParseFloat(text, 64)
	if err != nil || !(days >= float64(serialZero.DaysUntil(firstSerial)) && days < float64(serialZero.DaysUntil(lastSerial)+1)) {
		return time.Time{}, false
	}
	whole, part := math.Modf(days)
	day := serialZero.AddDays(int(whole)).Start(time.UTC)
	local := day.Add(time.Duration(math.Round(part*dayMillis)) * time.Millisecond)
	return time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), local.Second(), local.Nanosecond(), zone), true
}
