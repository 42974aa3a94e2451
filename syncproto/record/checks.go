package record

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	recordv1 "levee/syncproto/levee/record/v1"
)

// anything is fine as it is, or judged by the fields within.
func anything(*judge, value) Code { return "" }

// choice lets numbers pass that this version has no name for: a newer tablet may have one.
func choice(_ *judge, v value) Code {
	if v.number < 0 {
		return CodeNumberOutOfRange
	}
	return ""
}

func number(low, high int64) rule {
	return func(_ *judge, v value) Code {
		if v.number < low || v.number > high {
			return CodeNumberOutOfRange
		}
		return ""
	}
}

// fits is a text of at most so many bytes, in which only tabs and line breaks control anything.
func fits(most int) rule {
	return func(_ *judge, v value) Code {
		switch {
		case len(v.bytes) > most:
			return CodeTextTooLong
		case bytes.ContainsFunc(v.bytes, func(r rune) bool { return (r < ' ' && !strings.ContainsRune("\t\n\r", r)) || r == 0x7f }):
			return CodeControlCharacter
		default:
			return ""
		}
	}
}

func id(_ *judge, v value) Code {
	if !sixteenBytes(v.bytes) {
		return CodeInvalidID
	}
	return ""
}

func token(_ *judge, v value) Code {
	if !sixteenBytes(v.bytes) {
		return CodeInvalidToken
	}
	return ""
}

func sixteenBytes(b []byte) bool { return len(b) == 16 && !bytes.Equal(b, make([]byte, 16)) }

// linkageKey is the key that Token takes.
func linkageKey(_ *judge, v value) Code {
	if len(v.bytes) != LinkageKeyBytes || bytes.Equal(v.bytes, make([]byte, LinkageKeyBytes)) {
		return CodeInvalidKey
	}
	return ""
}

// document is a part of a certificate.
func document(_ *judge, v value) Code {
	if len(v.bytes) > MaxDocumentBytes {
		return CodeTooLarge
	}
	return ""
}

// side is a field of any kind, as one side of a conflict has it.
func side(_ *judge, v value) Code {
	if len(v.bytes) > maxSideBytes {
		return CodeTooLarge
	}
	return ""
}

// The statistics bureau's codes: province, city, county, town, village.
func placeCode(j *judge, v value) Code {
	code := string(v.bytes)
	if !slices.Contains([]int{2, 4, 6, 9, 12}, len(code)) || strings.Trim(code, "0123456789") != "" {
		return CodeInvalidPlace
	}
	if kinds[j.kind].nature == setUp {
		return "" // this is what makes places known
	}
	for _, site := range j.deployment.Places {
		if strings.HasPrefix(site, code) || strings.HasPrefix(code, site) {
			return ""
		}
	}
	return CodeUnknownPlace
}

// firstOwnArea is the first service area that a deployment names itself.
const firstOwnArea recordv1.ServiceArea = 16

func serviceArea(j *judge, v value) Code {
	area := recordv1.ServiceArea(v.number) //nolint:gosec // an enumeration has 32 bits
	if areaNumber(j, v) != "" || (area >= firstOwnArea && !slices.Contains(j.deployment.ServiceAreas, area)) {
		return CodeUnknownServiceArea
	}
	return ""
}

// areaNumber is a service area that a deployment may name. Unlike other enumerations this one has no names that only
// newer tablets know: below firstOwnArea they would be counted under no heading.
func areaNumber(_ *judge, v value) Code {
	area := recordv1.ServiceArea(v.number) //nolint:gosec // an enumeration has 32 bits
	if _, common := recordv1.ServiceArea_name[int32(area)]; !common && area < firstOwnArea {
		return CodeUnknownServiceArea
	}
	return ""
}

func ageBand(j *judge, v value) Code {
	if v.number < 0 || v.number > int64(j.deployment.AgeBands) {
		return CodeUnknownAgeBand
	}
	return ""
}

func timeZone(_ *judge, v value) Code {
	name := string(v.bytes)
	if name == "" || name == "Local" { // both mean something else to LoadLocation
		return CodeUnknownTimeZone
	}
	if _, err := time.LoadLocation(name); err != nil {
		return CodeUnknownTimeZone
	}
	return ""
}

// How far ahead people plan.
const (
	planDays = 366     // work, while the deployment's end is not known
	dueDays  = 3 * 366 // next sessions and follow-up visits
)

// The bounds of the deployment's own dates.
const (
	earliestSetUp Date = 2000_01_01
	latestSetUp   Date = 2100_12_31
	earliestBirth Date = 1900_01_01
)

// occurredOn is the day of the record. Work lies within the deployment; what is written about it may come after the
// end. Only work that can be planned may lie in the future, and not when the same change says that it was held.
func occurredOn(j *judge, v value) Code {
	nature := kinds[j.kind].nature
	if nature == setUp {
		return setUpDay(j, v)
	}
	if nature == about {
		return sinceStart(j, v)
	}
	if c := notBeforeStart(j, v); c != "" {
		return c
	}
	day := date(v)
	status, _ := numberIn(j.fields, StatusField)
	held := status == int64(recordv1.Status_STATUS_HELD)
	switch {
	case j.deployment.End != 0 && day > j.deployment.End && !j.followUp():
		return CodeDateOutsideDeployment
	case day > j.tomorrow && (nature != plannedWork || held):
		return CodeDateInFuture
	case day > j.tomorrow.AddDays(planDays):
		return CodeDateOutOfRange
	default:
		return ""
	}
}

// fieldSessionStage is the number of the field stage of a CaseSession.
const fieldSessionStage protowire.Number = 18

// followUp reports whether the change is a follow-up visit 回访: a session of a case in its last stage, which may come
// after the deployment's end.
func (j *judge) followUp() bool {
	stage, _ := numberIn(j.fields, fieldSessionStage)
	return j.kind == recordv1.Kind_KIND_CASE_SESSION && stage == int64(recordv1.CaseStage_CASE_STAGE_CLOSURE)
}

// duringDeployment is a day from the start to the end that has come.
func duringDeployment(j *judge, v value) Code {
	if j.deployment.End != 0 && date(v) > j.deployment.End {
		return CodeDateOutsideDeployment
	}
	return sinceStart(j, v)
}

// sinceStart is a day from the start on that has come.
func sinceStart(j *judge, v value) Code {
	if c := notBeforeStart(j, v); c != "" {
		return c
	}
	if date(v) > j.tomorrow {
		return CodeDateInFuture
	}
	return ""
}

// dueDay is a day from the start on that may well be yet to come.
func dueDay(j *judge, v value) Code {
	if c := notBeforeStart(j, v); c != "" {
		return c
	}
	if date(v) > j.tomorrow.AddDays(dueDays) {
		return CodeDateOutOfRange
	}
	return ""
}

func notBeforeStart(j *judge, v value) Code {
	switch {
	case !date(v).Valid():
		return CodeInvalidDate
	case date(v) < j.deployment.Start:
		return CodeDateOutsideDeployment
	default:
		return ""
	}
}

func birthDay(j *judge, v value) Code {
	switch {
	case !date(v).Valid():
		return CodeInvalidDate
	case date(v) < earliestBirth:
		return CodeDateOutOfRange
	case date(v) > j.tomorrow:
		return CodeDateInFuture
	default:
		return ""
	}
}

func setUpDay(_ *judge, v value) Code {
	switch {
	case !date(v).Valid():
		return CodeInvalidDate
	case date(v) < earliestSetUp, date(v) > latestSetUp:
		return CodeDateOutOfRange
	default:
		return ""
	}
}

func date(v value) Date { return Date(v.number) } //nolint:gosec // dates are int32 in all kinds

// instant is a time in milliseconds since 1970, from a day before the deployment to a day after the change.
func instant(j *judge, v value) Code {
	const day = 24 * time.Hour
	earliest := int64(0)
	if j.deployment.Start != 0 {
		earliest = j.deployment.Start.Start(j.deployment.Location).Add(-day).UnixMilli()
	}
	if v.number < earliest || v.number > j.deployment.Now.Add(day).UnixMilli() {
		return CodeTimeOutOfRange
	}
	return ""
}

// distinct is a list in which nothing stands twice.
func distinct(values []value) Code {
	seen := make(map[string]bool, len(values))
	for _, v := range values {
		if seen[string(v.bytes)] {
			return CodeDuplicateItem
		}
		seen[string(v.bytes)] = true
	}
	return ""
}

// ascending is a list in the order of a key. equal is the code for two values of one key.
func ascending(key func(value) [2]int64, equal Code) listRule {
	return func(values []value) Code {
		for i := 1; i < len(values); i++ {
			before, after := key(values[i-1]), key(values[i])
			switch cmp.Or(cmp.Compare(before[0], after[0]), cmp.Compare(before[1], after[1])) {
			case 1:
				return CodeNotOrdered
			case 0:
				if equal != "" {
					return equal
				}
			}
		}
		return ""
	}
}

// itself is the key of a number.
func itself(v value) [2]int64 { return [2]int64{v.number} }

// by is the key of a message: one or two of its numbers. An absent one is 0, which means unknown.
func by(fields ...protowire.Number) func(value) [2]int64 {
	return func(v value) (key [2]int64) {
		for i, f := range fields {
			key[i], _ = numberIn(v.bytes, f)
		}
		return key
	}
}
