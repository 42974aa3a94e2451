package tally

import (
	"fmt"
	"strconv"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// Basis is what totals stand on. Stores keep the numbers: they never change.
type Basis uint8

// The bases.
const (
	// Reported counts everything.
	Reported Basis = 1
	// Verified counts what a supervisor approved and what has not changed since in a counted field.
	Verified Basis = 2
)

// Figure is what is counted. Stores keep the numbers: they never change.
type Figure uint8

// The figures.
const (
	Cases               Figure = 1
	CaseSessions        Figure = 2
	GroupSessions       Figure = 3
	CommunityActivities Figure = 4
	OutreachRounds      Figure = 5
	// Contacts 人次: heads, attendances and attendees; one person may give many.
	Contacts Figure = 6
	// Persons 人数 are never kept in a cell, because they can't be summed: they are PersonsByNumber plus the distinct
	// tokens of the set asked for. Totals.Value and Totals.Sum know them.
	Persons Figure = 7
	// PersonsByNumber are the persons without a token: first-time heads, and clients beyond a case's tokens.
	PersonsByNumber Figure = 8
	// PersonsEstimated is how many of PersonsByNumber come from headcounts that were estimated.
	PersonsEstimated Figure = 9
)

// Dimension is what totals are divided by. Stores keep the numbers: they never change.
type Dimension uint8

// The dimensions, and their keys. A key is empty where the record does not say; so the cells of a dimension add up to
// the whole. Only Contacts and the figures of persons are divided by Sex, AgeBand and Disability.
const (
	// Whole has one key, the empty one.
	Whole Dimension = 1
	// Day: the date as "2021-09-23".
	Day Dimension = 2
	// Site: id of a Site.
	Site Dimension = 3
	// Place: code of a province, city, county, town or village: 2, 4, 6, 9 or 12 digits. A record counts at each level
	// that its own code has, so only the cells of the highest level, with the empty key, add up to the whole.
	Place Dimension = 4
	// Team: id of a Team.
	Team Dimension = 5
	// Worker: id of a Worker.
	Worker Dimension = 6
	// ServiceArea: its number.
	ServiceArea Dimension = 7
	// Sex: "male", "female" or "unknown".
	Sex Dimension = 8
	// AgeBand: number of the deployment's band from "1", or "0" where the age is not known.
	AgeBand Dimension = 9
	// Disability: "yes", "no", "not_asked" or "unknown".
	Disability Dimension = 10
)

var (
	basisNames  = []string{Reported: "reported", Verified: "verified"}
	figureNames = []string{
		Cases: "cases", CaseSessions: "case_sessions", GroupSessions: "group_sessions",
		CommunityActivities: "community_activities", OutreachRounds: "outreach_rounds", Contacts: "contacts",
		Persons: "persons", PersonsByNumber: "persons_by_number", PersonsEstimated: "persons_estimated",
	}
	dimensionNames = []string{
		Whole: "whole", Day: "day", Site: "site", Place: "place", Team: "team", Worker: "worker",
		ServiceArea: "service_area", Sex: "sex", AgeBand: "age_band", Disability: "disability",
	}
)

// String is the stable name of b, such as "reported".
func (b Basis) String() string { return nameIn(basisNames, int(b)) }

// String is the stable name of f, such as "case_sessions".
func (f Figure) String() string { return nameIn(figureNames, int(f)) }

// String is the stable name of d, such as "service_area".
func (d Dimension) String() string { return nameIn(dimensionNames, int(d)) }

// ParseBasis finds a Basis by its name.
func ParseBasis(name string) (Basis, error) { return parse[Basis]("basis", basisNames, name) }

// ParseFigure finds a Figure by its name.
func ParseFigure(name string) (Figure, error) { return parse[Figure]("figure", figureNames, name) }

// ParseDimension finds a Dimension by its name.
func ParseDimension(name string) (Dimension, error) {
	return parse[Dimension]("dimension", dimensionNames, name)
}

// Figures are all figures, ascending.
func Figures() []Figure { return all[Figure](figureNames) }

// Dimensions are all dimensions, ascending.
func Dimensions() []Dimension { return all[Dimension](dimensionNames) }

func nameIn(names []string, i int) string {
	if i < len(names) && names[i] != "" {
		return names[i]
	}
	return strconv.Itoa(i)
}

func parse[T ~uint8](what string, names []string, name string) (T, error) {
	for i, n := range names {
		if n == name && n != "" {
			return T(i), nil
		}
	}
	return 0, fmt.Errorf("there is no %s %q", what, name)
}

func all[T ~uint8](names []string) []T {
	every := make([]T, 0, len(names))
	for i, n := range names {
		if n != "" {
			every = append(every, T(i))
		}
	}
	return every
}

// Cut is a part of the whole: one key of one dimension.
type Cut struct {
	Dimension Dimension
	Key       string
}

// Cell names one total.
type Cell struct {
	Basis  Basis
	Figure Figure
	Cut
}

// Token is the pseudonym of a person.
type Token [16]byte

// TokenCell names one count of how many records that count name a person within a cut.
type TokenCell struct {
	Basis Basis
	Cut
	Token Token
}

// Everything is the one cut that divides nothing.
func Everything() Cut { return Cut{Dimension: Whole} }

// OnDay is the cut of one day.
func OnDay(d record.Date) Cut { return Cut{Day, d.String()} }

// AtSite is the cut of one site; the zero id stands for none.
func AtSite(id hlc.ID) Cut { return Cut{Site, idKey(id)} }

// InPlace is the cut of one place, by a code of 2, 4, 6, 9 or 12 digits.
func InPlace(code string) Cut { return Cut{Place, code} }

// OfTeam is the cut of one team; the zero id stands for none.
func OfTeam(id hlc.ID) Cut { return Cut{Team, idKey(id)} }

// ByWorker is the cut of one worker; the zero id stands for none.
func ByWorker(id hlc.ID) Cut { return Cut{Worker, idKey(id)} }

// InServiceArea is the cut of one service area.
func InServiceArea(a recordv1.ServiceArea) Cut { return Cut{ServiceArea, strconv.Itoa(int(a))} }

// OfSex is the cut of one sex.
func OfSex(s recordv1.Sex) Cut { return Cut{Sex, keyIn(sexKeys, int(s))} }

// OfAgeBand is the cut of one age band, by its number.
func OfAgeBand(band uint32) Cut { return Cut{AgeBand, strconv.FormatUint(uint64(band), 10)} }

// WithDisability is the cut of one answer to whether a person has a disability.
func WithDisability(d recordv1.Disability) Cut { return Cut{Disability, keyIn(disabilityKeys, int(d))} }

func idKey(id hlc.ID) string {
	if id == (hlc.ID{}) {
		return ""
	}
	return id.String()
}

var (
	sexKeys = []string{
		recordv1.Sex_SEX_UNKNOWN: "unknown", recordv1.Sex_SEX_MALE: "male", recordv1.Sex_SEX_FEMALE: "female",
	}
	disabilityKeys = []string{
		recordv1.Disability_DISABILITY_UNKNOWN: "unknown", recordv1.Disability_DISABILITY_YES: "yes",
		recordv1.Disability_DISABILITY_NO: "no", recordv1.Disability_DISABILITY_NOT_ASKED: "not_asked",
	}
)

// keyIn is the key of an enumeration's number; the number itself where only a newer tablet knows its name.
func keyIn(keys []string, number int) string {
	if number >= 0 && number < len(keys) {
		return keys[number]
	}
	return strconv.Itoa(number)
}
