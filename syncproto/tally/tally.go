// Package tally makes totals from records. It knows no clock and no store: the same records give the same totals on a
// tablet and on the server.
//
// # What counts
//
// A record counts when it is not deleted, lacks no required field, lies on a day that exists, and:
//
//   - Case: it was opened (opened_on). Its day is the day on which it was opened, its worker the lead. A family is one
//     case with several clients.
//   - CaseSession: its status is held, and its case is neither deleted nor a draft. The case need not be opened yet:
//     people were met all the same.
//   - GroupSession: its status is held, and its group is neither deleted nor a draft.
//   - CommunityActivity, Outreach: its status is held.
//   - Headcount, Attendance: the CommunityActivity, GroupSession or Outreach that it belongs to counts.
//
// A Case, Headcount or Attendance need not say a status, but one that says planned (somebody put down for a later
// activity) or cancelled does not count. No other kind gives figures.
//
// # Duplicates
//
// A record that names another of its kind as duplicate_of is that one: it counts nothing itself, and what belongs to it
// counts where the other stands, with the other's day, place, site, team and service area. Chains are followed past
// drafts and planned records to the last one that counts. Of records that name each other in a circle the one with the
// lowest id stands for all. Where nothing that counts is found (the other is deleted, unknown, of another kind, or does
// not count) the record stands for itself.
//
// # Where it counts
//
// A Headcount or Attendance has day, place, site, team and service area of its activity. Its worker is who counted, or
// for an Attendance its author. Elsewhere the worker is the author (of a Case the lead). A session that names no site,
// team or place has that of its case or group. Nobody else is credited, so that the sums over workers are the whole.
//
// # People
//
// Contacts 人次 are all heads of headcounts, attendances, and attendees of case sessions. Persons 人数 are the distinct
// tokens of attendances and cases, plus those known by number only: first-time heads, and clients of a case beyond its
// tokens. Published reports call them beneficiaries 受益人群.
//
// A headcount that has cells counts by them, else by its totals, with sex and age band unknown. Sex and age band of a
// case are known when it has one client; who came to a case session is not known. Disability is known only as far as it
// was asked: of first-time heads when all heads were first-time, or when all gave the same answer.
//
// # Reported and verified
//
// Reported totals count all of this. Verified totals count a record when its newest review, by the stamp of the
// outcome, approves it and no counted field has changed since (see CountedFields); for a Headcount or Attendance the
// same must hold for the activity where it counts. Reviews change nothing in what is reported.
package tally

import (
	"levee/syncproto/hlc"
	"levee/syncproto/record"
)

// Record is a record as merged.
type Record struct {
	ID        hlc.ID
	Kind      record.Kind
	Registers record.Registers
}

// ServiceDays are the calendar days from a deployment's start to the as-of day, both counted; 0 before the start. Both
// must be valid.
func ServiceDays(start, asOf record.Date) int { return max(0, start.DaysUntil(asOf)+1) }
