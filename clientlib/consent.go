package clientlib

import (
	"slices"

	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/record"
)

// ConsentGap is something that is missing of the consent of a case's clients. It stands in nobody's way: it is asked for when there is time.
type ConsentGap string

// What may be missing.
const (
	// ConsentMissing: nobody has agreed to the service or to what is kept of it.
	ConsentMissing ConsentGap = "missing"
	// ConsentEmergency: the work began in an emergency, without consent, and nobody has agreed since.
	ConsentEmergency ConsentGap = "emergency"
	// ConsentGuardian: a client is under 14, and no guardian has agreed.
	ConsentGuardian ConsentGap = "guardian"
)

// guardedUnder is the age in years under which a guardian agrees (personal information law, art. 31).
const guardedUnder = 14

// ConsentGaps are what is missing on a day, given the deployment's record as it stands. Withdrawn consents, and consents to something else than the
// service and its data, do not count.
func (f CaseFile) ConsentGaps(d *recordv1.Deployment, on record.Date) []ConsentGap {
	var gaps []ConsentGap
	var agreed, guardian, emergency bool
	for _, c := range f.Consents {
		m := c.Message
		if withdrawn := record.Date(m.GetWithdrawnOn()); withdrawn != 0 && withdrawn <= on {
			continue
		}
		if m.GetBasis() == recordv1.ConsentBasis_CONSENT_BASIS_EMERGENCY {
			emergency = true
			continue
		}
		if slices.Contains(m.GetScopes(), recordv1.ConsentScope_CONSENT_SCOPE_SERVICE) || slices.Contains(m.GetScopes(), recordv1.ConsentScope_CONSENT_SCOPE_DATA) {
			agreed = true
			guardian = guardian || m.GetGiver() == recordv1.ConsentGiver_CONSENT_GIVER_GUARDIAN
		}
	}
	switch {
	case !agreed && emergency:
		gaps = append(gaps, ConsentEmergency)
	case !agreed:
		gaps = append(gaps, ConsentMissing)
	}
	if f.guarded(d, on) && !guardian {
		gaps = append(gaps, ConsentGuardian)
	}
	return gaps
}

// guarded reports whether a client is known to be so young that a guardian agrees.
func (f CaseFile) guarded(d *recordv1.Deployment, on record.Date) bool {
	c := f.Case.Message
	bands := record.AgeBands(d)
	switch band := int(c.GetAgeBand()); {
	case c.Age != nil && c.GetAge() < guardedUnder:
		return true
	case c.Age == nil && band > 0 && band <= len(bands) && bands[band-1] < guardedUnder:
		return true
	}
	for _, i := range f.Identities {
		if born := record.Date(i.Message.GetBirthDate()); born != 0 && on < born+guardedUnder*1_00_00 { // a date is YYYYMMDD
			return true
		}
	}
	return false
}
